"""The brief as a document that people edit: DOCX by python-docx, from the same sheets that the PDF is printed from.

Walking those sheets keeps one content model: a section that paper shows is in the document too. Headings, lists and
tables become real ones, charts pictures with their words; what needs a decision gets a table to fill in. (docxtpl would
need a template that only an office program can edit, and its licence is not ours.)
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from markupsafe import escape

from hansei.reviews.brief import Brief
from hansei.reviews.docx_frame import (
    FACTS_STYLE,
    FIGURE_STYLE,
    LEAD_IN_STYLE,
    SOFT_STYLE,
    WIDTH_CM,
    colour,
    framed,
    packed,
)
from hansei.reviews.docx_tables import empty_table, keep_with_next, one_line, said, side_by_side, widen
from hansei.reviews.locales import Locale
from hansei.reviews.pictures import png, replaced, size, writes
from hansei.reviews.sheets import sheets

EMPTY_ROWS = 3  # of the table of decisions, for what comes up in the meeting
BETWEEN = " · "  # a title and its place
CHART_CM, ROW_CM = 15.0, 1.0
HALVES_CM, DECISION_CM = (WIDTH_CM / 2, WIDTH_CM / 2), (4.6, WIDTH_CM - 4.6)
GUTTER_CM = 0.4  # between what stands side by side
_CM_PER_POINT = 2.54 / 96
_HEADINGS = {"h1": "Title", "h2": "Heading 1", "h3": "Heading 2", "h4": "Heading 3"}
_STYLES = {"standfirst": "Subtitle", "size": FIGURE_STYLE, "level": LEAD_IN_STYLE, "intro": LEAD_IN_STYLE}
_STYLES |= dict.fromkeys(("soft", "asked", "key", "marks"), SOFT_STYLE) | {"question": LEAD_IN_STYLE}
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
        self.place = document  # or the cell that is being written
        self.begun = 0  # where in the document the article or section of now begins
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
        if tag in ("article", "section"):
            self.begun = len(self._body())
        if tag == "article" and "decision" in kinds:
            self.decision(element)
        elif tag == "article" and "pairs" in _kinds_above(element):
            self.beside_its_chart(element)
        elif kinds & {"multiples", "outlooks"}:
            self.two_by_two(element)
        elif tag in _HEADINGS:
            self.text(self._paragraph(_HEADINGS[tag]), element)
        elif tag == "blockquote":
            self.text(self._paragraph("Quote"), element)
        elif tag == "p":
            style = next((_STYLES[kind] for kind in kinds if kind in _STYLES), "Normal")
            self.text(self._paragraph(style), element)
        elif tag in ("ul", "ol"):
            self.listed(element)
        elif tag == "dl":
            self.facts(element)
        elif tag == "table":
            self.table(element)
        elif tag == "figure":
            self.figure(element)
        elif tag == "img":
            self.picture(self._paragraph(), element, self._widest(WIDTH_CM))
        elif tag in _INLINE:
            self.text(self._paragraph(), element)
        else:
            self.blocks(element)

    def _body(self) -> list[Any]:
        """What the document has so far; after it there is only its section."""
        return list(self.document.element.body)[:-1]

    def _paragraph(self, style: str = "Normal") -> Any:
        """A new paragraph; a cell has its first one already."""
        if self.place is not self.document:
            found = self.place.paragraphs
            if len(found) == 1 and not found[0].runs:
                found[0].style = style
                return found[0]
        return self.place.add_paragraph(style=style)

    # Side by side ------------------------------------------------------------------------------------------------

    @contextmanager
    def _within(self, cell: Any) -> Iterator[None]:
        self.place = cell
        yield
        self.place = self.document

    def _widest(self, on_the_sheet: float) -> float:
        return on_the_sheet if self.place is self.document else self.place.width.cm - GUTTER_CM

    def decision(self, element: Any) -> None:
        """Its heading; the figure beside what is said of it. (Headings in a table are missing from Word's outline.)"""
        figure, says = element.iterfind("div")
        heading = [inner for inner in figure if inner.tag == "h3" or "level" in inner.get("class", "").split()]
        for inner in heading:
            self.block(inner)
        left, right = side_by_side(self.document, DECISION_CM)
        with self._within(left):
            for inner in figure:
                if inner not in heading:
                    self.block(inner)
        with self._within(right):
            self.blocks(says)

    def beside_its_chart(self, element: Any) -> None:
        """An indicator's heading and question; its chart beside its figures and notes."""
        head = element.find("div")
        heading, question = head.find("h3"), element.find("p")
        self.block(heading)
        self.block(question)
        left, right = side_by_side(self.document, HALVES_CM)
        with self._within(left):
            for figure in element.iter("figure"):
                self.block(figure)
        with self._within(right):
            for inner in (*head.iterchildren("span"), *element.iterchildren("p", "dl", "ul")):
                if inner is not question:
                    self.block(inner)

    def two_by_two(self, element: Any) -> None:
        """Charts in rows of two, with what their article says before them on the sheet of the first."""
        keep_with_next(self._body()[self.begun :])
        figures = list(element.iterfind("figure"))
        for at in range(0, len(figures), 2):
            for cell, figure in zip(side_by_side(self.document, HALVES_CM), figures[at : at + 2], strict=False):
                with self._within(cell):
                    self.figure(figure)

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

        said = one_line(text)
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
        if "key" in kinds:  # marks and lines of charts: one sentence of them
            paragraph = self._paragraph(SOFT_STYLE)
            for at, item in enumerate(element):
                self._run(paragraph, BETWEEN if at else "")
                self.text(paragraph, item)
            return
        restart = self._numbers() if element.tag == "ol" else None
        for item in element:
            style = next(
                (_STYLES[kind] for kind in kinds if kind in _STYLES), "List Number" if restart else "List Bullet"
            )
            paragraph = self._paragraph(style)
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
        if "numbers" in element.get("class", "").split() and self.place is self.document:
            pairs = [(group.find("dt"), group.find("dd")) for group in element]
            self._fill([[pair[0] for pair in pairs], [pair[1] for pair in pairs]], 1)
            return
        for term in element.iter("dt"):
            text = term.getnext()
            paragraph = self._paragraph(FACTS_STYLE)
            self.text(paragraph, term, is_bold=True)
            paragraph.add_run("\t")
            for at, line in enumerate((text.text or "").rstrip("\n").split("\n")):
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
            self.text(self._paragraph("Caption"), caption)
        heads = [list(row) for row in element.iterfind("thead/tr")]
        rows = heads + [list(row) for row in element.iter("tr") if row.getparent().tag != "thead"]
        if rows:
            self._fill(rows, len(heads))

    def _fill(self, rows: list[list[Any]], head_count: int) -> Any:
        """A table of the elements; its first rows are marked as headings, which every page repeats."""
        columns = max(sum(int(cell.get("colspan", 1)) for cell in row) for row in rows)
        table = empty_table(self.place, len(rows), columns, head_count)
        for at, row in enumerate(rows):
            place = 0
            for cell in row:
                span = int(cell.get("colspan", 1))
                target = table.cell(at, place)
                if span > 1:
                    target = target.merge(table.cell(at, place + span - 1))
                self._cell(target, cell)
                place += span
        widen(table, [[said(cell) for cell in row] for row in rows], columns)
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

    def to_fill_in(self, element: Any) -> None:
        """What was decided, by whom and until when: a row for each decision, and some for what comes up."""
        from docx.shared import Cm

        say = self.words.say
        self._run(self._paragraph("Heading 2"), say("paper.record"))
        heads = [say(f"paper.record_columns.{name}") for name in ("about", "decision", "who", "until")]
        topics = [BETWEEN.join(one_line(text).strip() for text in h.itertext()) for h in element.iter("h3")]
        table = empty_table(self.place, 1 + len(topics) + EMPTY_ROWS, len(heads), 1)
        for place, head in enumerate(heads):
            table.cell(0, place).text = head
        for at, topic in enumerate(topics, 1):
            table.cell(at, 0).text = topic
        for row in list(table.rows)[1:]:
            row.height = Cm(ROW_CM)  # room for handwriting
        keep_with_next(row._tr for row in list(table.rows)[:-1])
        widen(table, [["x" * letters for letters in (24, 40, 14, 14)]], len(heads))

    def figure(self, element: Any) -> None:
        """A chart under its caption, in the size that the place has room for; or a quote above its note."""
        images = list(element.iter("img"))
        is_small = "pairs" in _kinds_above(element)
        fitting = [image for image in images if ("narrow" in image.get("class", "").split()) == is_small] or images
        for inner in element:
            if inner.tag == "figcaption":
                self.text(self._paragraph("Caption" if images else SOFT_STYLE), inner)
            elif inner.tag == "img":
                if inner is fitting[0]:
                    self.picture(self._paragraph(), inner, self._widest(CHART_CM))
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
