"""The documents of an edition: one for each language and format, from one content model, checked before kept."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import get_args

from hansei.catalog.reviews import Format
from hansei.reviews.base import NotInstalled
from hansei.reviews.brief import Brief, compose
from hansei.reviews.checks import check
from hansei.reviews.docx_paper import render_docx
from hansei.reviews.evidence import Evidence, Part
from hansei.reviews.executive import most_sheets
from hansei.reviews.locales import Locale
from hansei.reviews.pdf_paper import render_pdf
from hansei.reviews.rendering import document_name, render_page, review_words

FORMATS: tuple[Format, ...] = get_args(Format)
MEDIA_TYPES: dict[Format, str] = {"html": "text/html", "pdf": "application/pdf"}
MEDIA_TYPES["docx"] = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
log = logging.getLogger("hansei")


@dataclass(frozen=True)
class Document:
    """One file of an edition, whole."""

    name: str
    format: Format
    language: str
    content: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Missing:
    """A document that this machine cannot make, and what to install."""

    name: str
    why: str


@dataclass(frozen=True)
class Papers:
    """All documents of an edition, the principal page first; what it is called and its headline by language."""

    documents: tuple[Document, ...]
    missing: tuple[Missing, ...]
    titles: dict[str, str]
    headlines: dict[str, str]


def make_documents(
    evidence: Evidence,
    parts: Mapping[str, Part],
    formats: Collection[Format] = FORMATS,
    evidence_hash: str | None = None,
) -> Papers:
    """HTML always, the other formats as asked, in every language of the evidence.

    A format whose library or font this machine lacks is left out and said so. PaperError where a document is broken.
    """
    documents, missing = [], []
    titles: dict[str, str] = {}
    headlines: dict[str, str] = {}
    for language in evidence.languages:
        words = review_words(evidence, language)
        brief = compose(evidence, parts, words, evidence_hash)
        titles[language], headlines[language] = brief.title, brief.headline.title
        for form in FORMATS:
            if form != "html" and form not in formats:
                continue
            name = document_name(form, language, evidence.languages[0])
            try:
                documents.append(Document(name, form, language, make(form, brief, words)))
            except NotInstalled as error:
                log.warning("%s %s is made without %s: %s", evidence.review_id, evidence.period_start, name, error)
                missing.append(Missing(name, str(error)))
    return Papers(tuple(documents), tuple(missing), titles, headlines)


def make(form: Format, brief: Brief, words: Locale) -> bytes:
    """One document, checked. NotInstalled or PaperError where there is none to be had."""
    if form == "html":
        content = render_page(brief, words).encode()
    elif form == "pdf":
        content = render_pdf(brief, words)
    else:
        content = render_docx(brief, words)
    check(form, content, brief.headline.title, most_sheets(brief.evidence))
    return content
