"""The brief as sheets of paper, in HTML: what the PDF is printed from and the DOCX is written from."""

from __future__ import annotations

from markupsafe import Markup

from hansei.reviews import visual
from hansei.reviews.brief import Brief
from hansei.reviews.locales import Locale
from hansei.reviews.rendering import render


def sheets(brief: Brief, words: Locale) -> str:
    """A page for A4 with its style sheet; drawings stand in it as SVG. What paper never shows is not written at all."""
    content = {"brief": brief, "evidence": brief.evidence, "words": words, "fonts": Markup(visual.FONTS)}
    return render("paper.html.j2", on_paper=True, **content)
