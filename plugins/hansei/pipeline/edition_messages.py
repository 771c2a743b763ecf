"""An edition of a review as the message that a delivery brings: composed from what is stored, the same each time."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from hansei import board
from hansei.board.deliveries import Delivery
from hansei.errors import HanseiError
from hansei.pipeline.context import Context
from hansei.pipeline.stored_reviews import read_stored
from hansei.reviews.archive import document, documents_of, read_manifest
from hansei.reviews.brief import Brief, compose
from hansei.reviews.evidence import Evidence
from hansei.reviews.locales import Locale
from hansei.reviews.outcomes import Message
from hansei.reviews.papers import document_name
from hansei.reviews.rendering import review_words
from hansei.reviews.review_message import ReviewMail, ReviewSetting, review_chat, review_mail, review_subject
from hansei.settings import Settings


def edition_message(context: Context, delivery: Delivery, limit: int | None) -> Message:
    """Mail where `limit` is None, else five lines for a chat that takes so many bytes.

    Raises HanseiError where the edition's documents are not in the archive as they were published.
    """
    is_attached = bool(json.loads(delivery.digest)["attach"])
    told = _edition(context.settings, delivery.review_id, delivery.language)
    if limit is not None:
        text = _cut(review_chat(told.brief, told.setting), limit)
        return Message(delivery.subject, text, "", delivery.message_id, told.words.tag)
    return told.mail(is_attached).message(delivery.message_id)


def edition_subject(context: Context, review_id: str, language: str) -> str:
    """The subject line of an edition in a language."""
    told = _edition(context.settings, review_id, language)
    return review_subject(told.brief, told.words)


class _Told:
    """One edition in one language, composed once for everybody who reads it."""

    def __init__(self, brief: Brief, words: Locale, link: str, pdf: bytes | None) -> None:
        self.brief, self.words, self.pdf = brief, words, pdf
        reason = words.say("review_deliveries.reason", title=brief.called)
        self.setting = ReviewSetting(words, link, reason)
        self._mails: dict[bool, ReviewMail] = {}

    def mail(self, is_attached: bool) -> ReviewMail:
        if is_attached not in self._mails:
            self._mails[is_attached] = review_mail(self.brief, self.setting, self.pdf if is_attached else None)
        return self._mails[is_attached]


@lru_cache(maxsize=4)
def _edition(settings: Settings, review_id: str, language: str) -> _Told:
    stored, evidence, parts = read_stored(settings, review_id)
    words = review_words(evidence, language)
    page, pdf = _documents(settings, stored, evidence, language)
    return _Told(compose(evidence, parts, words, stored.evidence_hash), words, page, pdf)


def _documents(
    settings: Settings, stored: board.StoredReview, evidence: Evidence, language: str
) -> tuple[str, bytes | None]:
    """Where the page of that language lies, and the PDF if there is one; both are what the manifest says."""
    principal = evidence.languages[0]
    place = (settings.archive, stored.definition_id, stored.period_start, stored.revision, stored.about)
    manifest = read_manifest(*place)
    named = {one.name: one for one in documents_of(manifest)} if manifest else {}
    page = document_name("html", language, principal)
    contents = {}
    for name in (page, document_name("pdf", language, principal)):
        if name not in named:
            continue
        content = document(*place, name=name)
        if content is None or hashlib.sha256(content).hexdigest() != named[name].sha256:
            found = f"{name} is missing" if content is None else f"{name} was changed after it was written"
            raise HanseiError(f"review {stored.review_id}", found, "build the review again; nothing was sent")
        contents[name] = content
    if page not in contents:
        found = f"no {page} in the archive"
        raise HanseiError(f"review {stored.review_id}", found, "build the review again; nothing was sent")
    return str(Path(stored.document_path).with_name(page)), contents.get(document_name("pdf", language, principal))


def _cut(text: str, limit: int) -> str:
    """The text, cut at the end where a service takes fewer bytes."""
    content = text.encode()
    return text if len(content) <= limit else content[: limit - 3].decode("utf-8", "ignore") + "…"
