"""The brief on paper: PDF by WeasyPrint, tagged, with bookmarks, page numbers and text that can be selected.

The same brief gives the same bytes on the same machine: dates and identifier come from the evidence, and what remains
of the machine are its fonts, which are embedded.
"""

from __future__ import annotations

import logging

from markupsafe import escape

from hansei.reviews.base import NotInstalled
from hansei.reviews.brief import Brief
from hansei.reviews.executive import ROOMS, most_sheets
from hansei.reviews.locales import Locale
from hansei.reviews.pictures import FONTS, data_address, replaced, writes
from hansei.reviews.sheets import sheets

PANGO = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation"


def render_pdf(brief: Brief, words: Locale) -> bytes:
    """The brief as PDF/UA; what has to be one sheet says less and less until it is.

    NotInstalled where Pango, or a font for the language, is not there.
    """
    try:
        import weasyprint
        from weasyprint.urls import URLFetcher
    except OSError:  # what cffi says of a library that cannot be loaded
        raise NotInstalled("PDF", "Pango is not installed", PANGO) from None
    if not writes(words.language):
        raise NotInstalled("PDF", f"no font of this machine writes {words.tag}", FONTS[words.language])
    _be_quiet()
    most, options = most_sheets(brief.evidence), {"pdf_variant": "pdf/ua-1", "pdf_identifier": brief.hash.encode()}
    for room in ROOMS:
        page = _printed(sheets(brief, words, room))
        document = weasyprint.HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=("data",))).render(**options)
        if most is None or len(document.pages) <= most:
            break
    return document.write_pdf(**options)


def _printed(page: str) -> str:
    """The page with every drawing as a picture with its words; an ornament is background, which no reader reads out."""
    ornaments: dict[str, str] = {}

    def picture(svg: str, kind: str, spoken: str) -> str:
        if spoken:
            return f'<img class="{kind}" src="{data_address(svg)}" alt="{escape(spoken)}">'
        return f'<span class="{kind} {ornaments.setdefault(svg, f"o{len(ornaments)}")}"></span>'

    page = replaced(page, picture)
    rules = "".join(f".{name}{{background-image:url({data_address(svg)})}}" for svg, name in ornaments.items())
    return page.replace("</head>", f"<style>{rules}</style></head>", 1)


def _be_quiet() -> None:
    """Its notes on style sheets are for those who write them: tests see them, a night's log does not."""
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
