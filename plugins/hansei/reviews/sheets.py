"""The brief as sheets of paper, in HTML: what the PDF is printed from and the DOCX is written from."""

from __future__ import annotations

from markupsafe import Markup

from hansei.reviews import visual
from hansei.reviews.brief import Brief
from hansei.reviews.executive import ROOMS, Room, lay_out_page
from hansei.reviews.locales import Locale
from hansei.reviews.rendering import render


def sheets(brief: Brief, words: Locale, room: Room = ROOMS[0]) -> str:
    """A page for A4 with its style sheet; drawings stand in it as SVG. What paper never shows is not written at all.

    `room` is how much a brief of one page may say.
    """
    content = {"brief": brief, "evidence": brief.evidence, "words": words, "fonts": Markup(visual.FONTS)}
    if brief.evidence.layout == "one_page":
        return render("executive_paper.html.j2", page=lay_out_page(brief, words, room), on_paper=True, **content)
    return render("paper.html.j2", on_paper=True, **content)
