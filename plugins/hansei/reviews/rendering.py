"""Documents as text: pure functions, the same evidence gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hansei.catalog.reviews import Format
from hansei.reviews import visual
from hansei.reviews.brief import Brief, compose
from hansei.reviews.evidence import Evidence, EvidenceError, Part
from hansei.reviews.executive import lay_out_page
from hansei.reviews.locales import LANGUAGES, Locale, locale
from hansei.reviews.validation_page import ValidationPage, lay_out
from hansei.settings import SHIPPED_INCLUDE


@lru_cache(maxsize=4)
def _environment(templates: Path) -> Environment:
    """Autoescaping all but plain text, and refusing a name that is not there."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=lambda name: not name.endswith(".txt.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "light_colours": visual.LIGHT,
        "light": Markup(visual.variables(visual.LIGHT)),
        "dark": Markup(visual.variables(visual.DARK)),
        "shapes": _drawn(visual.SHAPES),
        "effects": _drawn(visual.EFFECTS),
    }
    return environment


def _drawn(shapes: Mapping[str, str]) -> dict[str, Markup]:
    svg = '<svg class="shape" viewBox="0 0 12 12" aria-hidden="true">{}</svg>'
    return {key: Markup(svg.format(path)) for key, path in shapes.items()}


def render(template: str, templates: Path | None = None, **content: Any) -> str:
    """The template with its content; `templates` is another folder than the shipped one."""
    return _environment(templates or SHIPPED_INCLUDE / "templates").get_template(template).render(**content)


def render_review(
    evidence: Evidence,
    parts: Mapping[str, Part] | None = None,
    language: str | None = None,
    templates: Path | None = None,
    evidence_hash: str | None = None,
) -> str:
    """The brief as one self-contained HTML page in one of the evidence's languages, its principal one by default.

    `evidence_hash` names evidence that an older version wrote; without it the evidence's own is taken.

    `parts` are the sample rows at hand, by id; one that is missing or erased is said to be so. Raises EvidenceError
    where a part is not what the evidence was made with, or where the language has no words yet.
    """
    words = review_words(evidence, language, templates)
    return render_page(compose(evidence, parts or {}, words, evidence_hash), words, templates)


def render_page(brief: Brief, words: Locale, templates: Path | None = None) -> str:
    """The brief as one self-contained HTML page, with links to the pages of its other languages beside it."""
    languages = brief.evidence.languages
    others = [
        (document_name("html", language, languages[0]), locale(language, templates or SHIPPED_INCLUDE / "templates"))
        for language in languages
        if language != words.language
    ]
    content = {"brief": brief, "evidence": brief.evidence, "words": words, "others": others}
    if brief.evidence.layout == "one_page":
        return render("executive.html.j2", templates, page=lay_out_page(brief, words), **content)
    return render("review.html.j2", templates, **content)


def document_name(form: Format, language: str, principal: str) -> str:
    """`brief.html` in the principal language, `brief.zh_CN.html` in another."""
    return f"brief.{form}" if language == principal else f"brief.{language}.{form}"


def review_words(evidence: Evidence, language: str | None = None, templates: Path | None = None) -> Locale:
    """The words of a language for that evidence, with the translations that it holds."""
    chosen = language or evidence.languages[0]
    if chosen not in LANGUAGES:
        found, next_step = f"no words for language {chosen!r}", f"use one of {', '.join(LANGUAGES)}"
        raise EvidenceError(f"review {evidence.review_id}", found, next_step)
    words = locale(chosen, templates or SHIPPED_INCLUDE / "templates")
    return words.with_texts(evidence.translations.get(chosen, {})).with_grain(evidence.grain)


def render_validation(page: ValidationPage, templates: Path | None = None) -> str:
    """The validation page as one self-contained HTML page that reads offline."""
    return render("validation.html.j2", templates, page=lay_out(page))
