"""Our charts where no page is around them: an SVG with its styles inside for PDF, a PNG for DOCX and mail.

A chart of `charts` takes colours and type from the page's style sheet. Here the same rules stand inside the drawing,
in the light colours, so that every paper shows the same picture. PNGs are drawn with the fonts of the machine: the
same machine gives the same bytes.
"""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Callable
from functools import cache

from hansei.reviews import visual
from hansei.reviews.rendering import render

DRAWING = re.compile(r"<svg\b[^>]*>.*?</svg>", re.S)
PNG_SCALE = 2.0
# Two letters of each language, and what to install where a machine draws them alike, as boxes or not at all.
_LETTERS = {"en": ("A", "B"), "zh_CN": ("中", "文")}
FONTS = {"en": "apt-get install fonts-liberation", "zh_CN": "apt-get install fonts-noto-cjk"}
# Texts that begin at a place; those of a chart's right end may reach over its field, which a page lets them do.
_TEXT = re.compile(r'<text class="([^"]*)" x="([\d.]+)" y="[\d.]+">([^<]*)</text>')
_LATIN, _CHINESE, _BOLD = 7.7, 13.5, 1.2  # widths of a letter, in points
_CLASS = re.compile(r'<svg\b[^>]*?\bclass="([^"]*)"')
_BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_SPOKEN = (re.compile(r"<title[^>]*>(.*?)</title>", re.S), re.compile(r"<desc[^>]*>(.*?)</desc>", re.S))
_LABEL = re.compile(r'<svg\b[^>]*?\baria-label="([^"]*)"')


def alternative(svg: str) -> str:
    """What the drawing says in words: its description, else its title or label; empty for an ornament."""
    title, description = (pattern.search(svg) for pattern in _SPOKEN)
    found = description or title or _LABEL.search(svg)
    return html.unescape(found.group(1)) if found else ""


def size(svg: str) -> tuple[float, float]:
    """Width and height of the drawing with all its labels."""
    found = _BOX.search(svg)
    assert found, "every drawing of ours has a viewBox that begins at 0 0"
    width, height = (float(side) for side in found.groups())
    ends = (
        float(x) + _width(html.unescape(text)) * (_BOLD if "c-value" in kind else 1)
        for kind, x, text in _TEXT.findall(svg)
    )
    return math.ceil(max(width, *ends, 0)), height


def _width(text: str) -> float:
    return sum(_CHINESE if ord(letter) > 0x2E80 else _LATIN for letter in text)


def standalone(svg: str) -> str:
    """The drawing as an SVG file of its own, in the light colours."""
    width, height = size(svg)
    root = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
    is_chinese = any(letter > "\u2e80" for _, _, text in _TEXT.findall(svg) for letter in text)
    root += f'font-family="{html.escape(visual.CHINESE_FIRST if is_chinese else visual.FONTS)}" '
    svg = _BOX.sub(f'viewBox="0 0 {width:g} {height:g}"', svg, count=1)
    head, closed, body = svg.replace("<svg ", root, 1).partition(">")
    return f"{head}{closed}<style>{_style()}</style>{body}"


def png(svg: str) -> bytes:
    """The drawing as a picture on white, two points for each of its own."""
    import resvg_py

    without_fonts = "<text" not in svg  # finding them costs more than drawing
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=standalone(svg), zoom=PNG_SCALE, background="#ffffff", skip_system_fonts=without_fonts
        )
    )


@cache
def writes(language: str) -> bool:
    """Whether the fonts of this machine have the letters of the language."""
    frame = '<svg class="chart" viewBox="0 0 20 20"><text y="16">{}</text></svg>'
    one, other = (png(frame.format(letter)) for letter in _LETTERS[language])
    return one != other


def replaced(page: str, picture: Callable[[str, str, str], str]) -> str:
    """The page with each drawing replaced by what `picture` makes of it, its class and its words."""

    def one(match: re.Match) -> str:
        svg = match.group(0)
        named = _CLASS.match(svg)
        return picture(svg, named.group(1) if named else "", alternative(svg))

    return DRAWING.sub(one, page)


def data_address(svg: str) -> str:
    """The drawing as an address that holds it."""
    return "data:image/svg+xml;base64," + base64.b64encode(standalone(svg).encode()).decode()


@cache
def _style() -> str:
    """The drawing rules of the page's style sheet, with their colours put in: not every reader knows variables."""
    rules = render("partials/marks.css.j2") + render("partials/charts.css.j2")
    rules = rules.replace("font-family:inherit", "")
    return re.sub(r"var\(--([\w-]+)\)", lambda match: visual.LIGHT[match.group(1)], rules)
