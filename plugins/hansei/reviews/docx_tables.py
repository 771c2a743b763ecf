"""Tables of a DOCX: real ones with heading rows and fitting columns, and the row that things stand side by side in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from hansei.reviews.docx_frame import BESIDE_STYLE, GAP_STYLE, TABLE_STYLE, WIDTH_CM

_CM_PER_LETTER, _CHART_LETTERS = 0.18, 13
# What a line is not broken within: Chinese may break after every sign, other text after a space or a hyphen.
_WORD = re.compile(r"[^ \u2e80-\uffff-]+-?|[\u2e80-\uffff]")


def empty_table(place: Any, rows: int, columns: int, head_count: int) -> Any:
    """A table whose first rows are marked as headings, which every page repeats; no row of it is torn."""
    from docx.oxml import OxmlElement

    table = place.add_table(rows, columns)
    table.style = TABLE_STYLE
    for at, row in enumerate(table.rows):
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if at < head_count:
            properties.append(OxmlElement("w:tblHeader"))
    place.add_paragraph(style=GAP_STYLE)  # else the next table would grow together with this one
    return table


def side_by_side(document: Any, widths: Sequence[float]) -> list[Any]:
    """Cells of those widths in cm, without a line around them, that stay together on one sheet."""
    from docx.oxml import OxmlElement
    from docx.shared import Cm

    table = document.add_table(1, len(widths))
    table.style, table.autofit = BESIDE_STYLE, False
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    for column, cell, width in zip(table.columns, table.rows[0].cells, widths, strict=True):
        column.width = cell.width = Cm(width)
    document.add_paragraph(style=GAP_STYLE)
    return list(table.rows[0].cells)


def keep_with_next(elements: Iterable[Any]) -> None:
    """Paragraphs and tables that stay on the sheet of what follows them."""
    from docx.oxml.ns import qn

    for element in elements:
        for paragraph in element.iter(qn("w:p")):
            paragraph.get_or_add_pPr().get_or_add_keepNext()


def said(cell: Any) -> str:
    """The cell's text; a small chart takes the place of a word."""
    chart = "_" * _CHART_LETTERS + " " if any(image.get("alt") for image in cell.iter("img")) else ""
    return chart + one_line(cell.text_content())


def one_line(text: str | None) -> str:
    """White space as a page shows it: runs of it are one space; a no-break space stays."""
    if not text:
        return ""
    said = " ".join(piece for piece in text.replace("\n", " ").split(" ") if piece)
    return (" " if text[0] in " \n" else "") + said + (" " if text[-1] in " \n" and said else "")


def widen(table: Any, texts: list[list[str]], columns: int) -> None:
    """Every column at least as wide as its longest word; what is left goes to those with longer texts."""
    from docx.shared import Cm

    rows = [row for row in texts if len(row) == columns]
    words = [
        max((_letters(word) for row in rows for word in _WORD.findall(row[at])), default=1) for at in range(columns)
    ]
    least = [max(word, 5) + 2 for word in words]
    wanted = [max(least[at], min(max(_letters(row[at]) for row in rows), 40)) for at in range(columns)]
    left = max(WIDTH_CM / _CM_PER_LETTER - sum(least), 0)
    more = [want - low for want, low in zip(wanted, least, strict=True)]
    letters = [low + left * extra / (sum(more) or 1) for low, extra in zip(least, more, strict=True)]
    for at, column in enumerate(table.columns):
        column.width = Cm(WIDTH_CM * letters[at] / sum(letters))
        for cell in column.cells:
            cell.width = column.width


def _letters(text: str) -> int:
    """How wide a text is, in Latin letters; a Chinese sign is as wide as two."""
    return sum(2 if letter > "\u2e80" else 1 for letter in text)
