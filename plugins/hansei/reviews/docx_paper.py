"""The brief as a document that people edit: DOCX by python-docx, from the same sheets that the PDF is printed from.

Walking those sheets keeps one content model: a section that paper shows is in the document too. Headings, lists and
tables become real ones, charts pictures with their words; what needs a decision gets a table to fill in. (docxtpl would
need a template that only an office program can edit, and its licence is not ours.)
"""

from __future__ import annotations

import io
import re
from typing import Any

from markupsafe import escape

from hansei.reviews.brief import Brief
from hansei.reviews.docx_frame import (
    FACTS_STYLE,
    FIGURE_STYLE,
    GAP_STYLE,
    LEAD_IN_STYLE,
    SOFT_STYLE,
    TABLE_STYLE,
    WIDTH_CM,
    colour,
    framed,
    packed,
)
from hansei.reviews.locales import Locale
from hansei.reviews.pictures import png, replaced, size, writes
from hansei.reviews.sheets import sheets

EMPTY_ROWS = 3  # of the table of decisions, for what comes up in the meeting
BETWEEN = " · "  # a title and its place
CHART_CM, ROW_CM = 15.0, 1.0
_CM_PER_LETTER, _CHART_LETTERS = 0.18, 13
# What a line is not broken within: Chinese may break after every sign.
_WORD = re.compile(r"[^ \u2e80-\uffff]+|[\u2e80-\uffff]")
_CM_PER_POINT = 2.54 / 96
_HEADINGS = {"h1": "Title", "h2": "Heading 1", "h3": "Heading 2", "h4": "Heading 3"}
_STYLES = {"standfirst": "Subtitle", "size": FIGURE_STYLE, "level": LEAD_IN_STYLE, "intro": LEAD_IN_STYLE}
_STYLES |= dict.fromkeys(("soft", "question", "asked", "key", "marks"), SOFT_STYLE)
_COLOURS = {
    "v-breach_critical": "critical",
    "v-breach_warning": "warning",
    "w-worse": "critical",
    "e-worse": "critical",
}
_COLOURS |= {"soft": "soft"}
_MARKS = {"m-critical": "▲ ", "m-warning": "◆ "}
_LEFT_OUT = {"hidden", "noprint"}
_INLINE = {"a", "b", "i", "code", "span", "br"}
_BLOCKS = {"p", "blockquote", "ul", "ol", "dl", "table", "figure", "div", "section", "article", *_HEADINGS}


def render_docx(brief: Brief, words: Locale) -> bytes:
    """The brief as DOCX. Where no font of this machine writes the language, charts are told in words."""
    import lxml.html

    drawings: list[str] = []

    def kept(svg: str, kind: str, spoken: str) -> str:
        drawings.append(svg)
        return f'<img class="{kind}" data-drawing="{len(drawings) - 1}" alt="{escape(spoken)}">'

    page = lxml.html.document_fromstring(replaced(sheets(brief, words), kept))
    writer = _Writer(framed(brief, words), drawings, words, writes(words.language))
    writer.blocks(page.find("body"))
    return packed(writer.document, brief.evidence.as_of)


class _Writer:
    """Writes the elements of a page into the document, in their order."""

    def __init__(self, document: Any, drawings: list[str], words: Locale, can_draw: bool) -> None:
        self.document, self.drawings, self.words, self.can_draw = document, drawings, words, can_draw
        self.pictures: dict[str, bytes] = {}

    def blocks(self, parent: Any) -> None:
        for element in parent:
            self.block(element)

    def block(self, element: Any) -> None:
        tag, kinds = element.tag, set(element.get("class", "").split())
        if not isinstance(tag, str) or kinds & _LEFT_OUT or tag in ("summary", "script", "style"):
            return
        if tag == "details" and "cause" not in _kinds_above(element):
            return  # what paper leaves out
        if tag in _HEADINGS:
            self.text(self.document.add_paragraph(style=_HEADINGS[tag]), element)
        elif tag == "blockquote":
            self.text(self.document.add_paragraph(style="Quote"), element)
        elif tag == "p":
            style = next((_STYLES[kind] for kind in kinds if kind in _STYLES), "Normal")
            self.text(self.document.add_paragraph(style=style), element)
        elif tag in ("ul", "ol"):
            self.listed(element)
        elif tag == "dl":
            self.facts(element)
        elif tag == "table":
            self.table(element)
        elif tag == "figure":
            self.figure(element)
        elif tag == "img":
            self.picture(self.document.add_paragraph(), element, WIDTH_CM)
        elif tag in _INLINE:
            self.text(self.document.add_paragraph(), element)
        else:
            self.blocks(element)

    # Text --------------------------------------------------------------------------------------------------------

    def text(self, paragraph: Any, element: Any, tone: str = "", is_bold: bool | None = None) -> None:
        """The element's text and what stands in it, as runs."""
        kinds = element.get("class", "").split()
        tone = next((_COLOURS[kind] for kind in kinds if kind in _COLOURS), tone)
        is_bold = True if element.tag == "b" or {"why", "name"} & set(kinds) else is_bold
        if element.tag == "span" and element.getparent().tag in _HEADINGS:
            tone, is_bold = "soft", False
            self._run(paragraph, BETWEEN.lstrip(), tone, is_bold)
        self._run(paragraph, element.text, tone, is_bold)
        for inner in element:
            if not set(inner.get("class", "").split()) & _LEFT_OUT:
                if inner.tag == "br":
                    paragraph.add_run().add_break()
                elif inner.tag == "img":
                    self.picture(paragraph, inner, 2.4)
                elif inner.tag not in _BLOCKS:
                    self.text(paragraph, inner, tone, is_bold)
            gap = " " if element.tag == "li" and inner.tag == "b" else ""  # a letter before its note
            self._run(paragraph, gap + (inner.tail or ""), tone, is_bold)

    def _run(self, paragraph: Any, text: str | None, tone: str = "", is_bold: bool | None = None) -> None:
        from docx.shared import RGBColor

        said = _one_line(text)
        if not said.strip() and (not said or not paragraph.runs):
            return
        run = paragraph.add_run(said if paragraph.runs else said.lstrip(" "))
        if is_bold is not None:
            run.bold = is_bold
        if tone:
            run.font.color.rgb = RGBColor.from_string(colour(tone))

    def listed(self, element: Any) -> None:
        kinds = set(element.get("class", "").split())
        if "decisions" in kinds:
            for item in element:
                self.blocks(item)
            if "small" not in kinds:  # what is only watched is not decided
                self.to_fill_in(element)
            return
        restart = self._numbers() if element.tag == "ol" else None
        for item in element:
            style = next(
                (_STYLES[kind] for kind in kinds if kind in _STYLES), "List Number" if restart else "List Bullet"
            )
            paragraph = self.document.add_paragraph(style=style)
            if restart:
                properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
                properties.get_or_add_ilvl().val = 0
                properties.get_or_add_numId().val = restart
            self.text(paragraph, item)

    def _numbers(self) -> int:
        """A numbering of its own, so that every list begins at 1."""
        numbering = self.document.part.numbering_part.element
        style = self.document.styles["List Number"].element
        of_style = numbering.num_having_numId(style.pPr.numPr.numId.val)
        fresh = numbering.add_num(of_style.abstractNumId.val)
        fresh.add_lvlOverride(0).add_startOverride(1)
        return fresh.numId

    def facts(self, element: Any) -> None:
        """Terms with their texts. A row of figures is a table; what is long stands beside its term."""
        if "numbers" in element.get("class", "").split():
            pairs = [(group.find("dt"), group.find("dd")) for group in element]
            self._fill([[pair[0] for pair in pairs], [pair[1] for pair in pairs]], 1)
            return
        for term in element.iter("dt"):
            text = term.getnext()
            paragraph = self.document.add_paragraph(style=FACTS_STYLE)
            self.text(paragraph, term, is_bold=True)
            paragraph.add_run("\t")
            for at, line in enumerate((text.text or "").split("\n")):
                if at:
                    paragraph.add_run().add_break()
                self._run(paragraph, line)
            for inner in text:
                if inner.tag in _BLOCKS:
                    self.block(inner)
                else:
                    self.text(paragraph, inner)
                    self._run(paragraph, inner.tail)

    # Tables and pictures -----------------------------------------------------------------------------------------

    def table(self, element: Any) -> None:
        caption = element.find("caption")
        if caption is not None and "hidden" not in caption.get("class", ""):
            self.text(self.document.add_paragraph(style="Caption"), caption)
        heads = [list(row) for row in element.iterfind("thead/tr")]
        rows = heads + [list(row) for row in element.iter("tr") if row.getparent().tag != "thead"]
        if rows:
            self._fill(rows, len(heads))

    def _fill(self, rows: list[list[Any]], head_count: int) -> Any:
        """A table of the elements; its first rows are marked as headings, which every page repeats."""
        columns = max(sum(int(cell.get("colspan", 1)) for cell in row) for row in rows)
        table = self._empty(len(rows), columns, head_count)
        for at, row in enumerate(rows):
            place = 0
            for cell in row:
                span = int(cell.get("colspan", 1))
                target = table.cell(at, place)
                if span > 1:
                    target = target.merge(table.cell(at, place + span - 1))
                self._cell(target, cell)
                place += span
        _widen(table, [[_said(cell) for cell in row] for row in rows], columns)
        return table

    def _cell(self, target: Any, element: Any) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        paragraph = target.paragraphs[0]
        kinds = element.get("class", "").split()
        if "n" in kinds:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        self.text(paragraph, element, is_bold=True if "now" in kinds else None)
        for inner in element:
            if inner.tag in _BLOCKS:
                self.text(paragraph if not paragraph.runs else target.add_paragraph(), inner)

    def _empty(self, rows: int, columns: int, head_count: int) -> Any:
        from docx.oxml import OxmlElement

        table = self.document.add_table(rows, columns, style=TABLE_STYLE)
        for at, row in enumerate(table.rows):
            properties = row._tr.get_or_add_trPr()
            properties.append(OxmlElement("w:cantSplit"))
            if at < head_count:
                properties.append(OxmlElement("w:tblHeader"))
        self.document.add_paragraph(style=GAP_STYLE)  # else the next table would grow together with this one
        return table

    def to_fill_in(self, element: Any) -> None:
        """What was decided, by whom and until when: a row for each decision, and some for what comes up."""
        from docx.shared import Cm

        say = self.words.say
        self.document.add_paragraph(say("paper.record"), style="Heading 2")
        heads = [say(f"paper.record_columns.{name}") for name in ("about", "decision", "who", "until")]
        topics = [BETWEEN.join(_one_line(text).strip() for text in h.itertext()) for h in element.iter("h3")]
        table = self._empty(1 + len(topics) + EMPTY_ROWS, len(heads), 1)
        for place, head in enumerate(heads):
            table.cell(0, place).text = head
        for at, topic in enumerate(topics, 1):
            table.cell(at, 0).text = topic
        for row in list(table.rows)[1:]:
            row.height = Cm(ROW_CM)  # room for handwriting
        _widen(table, [["x" * letters for letters in (24, 40, 14, 14)]], len(heads))

    def figure(self, element: Any) -> None:
        """A chart under its caption, in the size that the place has room for; or a quote above its note."""
        images = list(element.iter("img"))
        is_small = "pairs" in _kinds_above(element)
        fitting = [image for image in images if ("narrow" in image.get("class", "").split()) == is_small] or images
        for inner in element:
            if inner.tag == "figcaption":
                self.text(self.document.add_paragraph(style="Caption" if images else SOFT_STYLE), inner)
            elif inner.tag == "img":
                if inner is fitting[0]:
                    self.picture(self.document.add_paragraph(), inner, CHART_CM)
            else:
                self.block(inner)

    def picture(self, paragraph: Any, image: Any, widest: float) -> None:
        """The drawing with its words; an ornament is the mark that it stands for."""
        from docx.shared import Cm

        svg, spoken = self.drawings[int(image.get("data-drawing"))], image.get("alt")
        if "shape" in image.get("class", "").split():
            mark = next((mark for kind, mark in _MARKS.items() if kind in svg), "")
            self._run(paragraph, mark, "critical" if "m-critical" in svg else "warning", True)
            return
        if not self.can_draw:
            self._run(paragraph, spoken)
            return
        if svg not in self.pictures:
            self.pictures[svg] = png(svg)
        width = min(size(svg)[0] * _CM_PER_POINT, widest)
        shape = paragraph.add_run().add_picture(io.BytesIO(self.pictures[svg]), width=Cm(width))
        shape._inline.docPr.set("descr", spoken)


def _kinds_above(element: Any) -> set[str]:
    return {kind for above in element.iterancestors() for kind in above.get("class", "").split()}


def _said(cell: Any) -> str:
    """The cell's text; a small chart takes the place of a word."""
    chart = "_" * _CHART_LETTERS + " " if any(image.get("alt") for image in cell.iter("img")) else ""
    return chart + _one_line(cell.text_content())


def _one_line(text: str | None) -> str:
    """White space as a page shows it: runs of it are one space; a no-break space stays."""
    if not text:
        return ""
    said = " ".join(piece for piece in text.replace("\n", " ").split(" ") if piece)
    return (" " if text[0] in " \n" else "") + said + (" " if text[-1] in " \n" and said else "")


def _widen(table: Any, texts: list[list[str]], columns: int) -> None:
    """Every column at least as wide as its longest word; what is left goes to those with longer texts."""
    from docx.shared import Cm

    rows = [row for row in texts if len(row) == columns]
    words = [
        max((_letters(word) for row in rows for word in _WORD.findall(row[at])), default=1) for at in range(columns)
    ]
    least = [max(word, 5) + 3 for word in words]
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
