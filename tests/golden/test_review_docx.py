"""The brief as DOCX: its structure is the golden one, real headings and tables, and every figure known."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from support.golden_modules import golden_module
from support.review_mails import told

from hansei.reviews import docx_paper
from hansei.reviews.base import PaperError
from hansei.reviews.checks import check
from hansei.reviews.docx_frame import BESIDE_STYLE
from hansei.reviews.docx_paper import render_docx
from hansei.reviews.pictures import png

GOLDEN = Path(__file__).with_name("documents")
LANGUAGES = ("en", "zh_CN")
DOT = png('<svg class="chart" viewBox="0 0 1 1"></svg>')


@pytest.fixture(autouse=True)
def _any_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written does not hang on the fonts of this machine, and drawing is not what is tested here."""
    monkeypatch.setattr(docx_paper, "writes", lambda language: True)
    monkeypatch.setattr(docx_paper, "png", lambda svg: DOT)


@cache
def written(cases: ModuleType, case: str, language: str) -> bytes:
    brief, setting = told(cases, case, language)
    return render_docx(brief, setting.words)


def opened(cases: ModuleType, case: str, language: str = "en") -> Any:
    return docx.Document(io.BytesIO(written(cases, case, language)))


def structure(document: Any) -> list[str]:
    """Everything in its order: paragraphs by style, tables row by row (`=` marks a heading row), pictures.

    What stands side by side in a row without lines is read cell by cell, each begun by `[`.
    """
    return [line for line in _lines(document.element.body, document) if line != "Hansei Gap:"]


def _lines(place: Any, document: Any) -> Iterator[str]:
    for element in place:
        if element.tag == qn("w:p"):
            paragraph = docx.text.paragraph.Paragraph(element, document)
            yield f"{paragraph.style.name}: {paragraph.text}".rstrip()
            yield from (f"  picture: {spoken}" for spoken in pictures(element))
        elif element.tag == qn("w:tbl") and is_side_by_side(table := docx.table.Table(element, document)):
            for cell in table.rows[0].cells:
                yield "["
                yield from _lines(cell._tc, document)
        elif element.tag == qn("w:tbl"):
            for row in docx.table.Table(element, document).rows:
                mark = "=" if row._tr.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None else "|"
                yield f"{mark} " + " | ".join(cell.text for cell in row.cells)


def is_side_by_side(table: Any) -> bool:
    return table.style.name == BESIDE_STYLE


def pictures(element: Any) -> list[str]:
    return [prop.get("descr", "") for prop in element.iter(qn("wp:docPr"))]


def whole(case: str, cases: ModuleType, language: str) -> str:
    """The structure, with a word in place of the evidence's hash, which every new field of the evidence changes."""
    text = "\n".join(structure(opened(cases, case, language))) + "\n"
    return text.replace(told(cases, case, language)[0].hash[:12], "HASH")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_document_is_the_golden_one(cases: ModuleType, language: str) -> None:
    """To accept a change: open the document, then run `python tests/golden/test_review_docx.py`."""
    assert whole("breaching", cases, language) == (GOLDEN / f"breaching.{language}.docx.txt").read_text("utf-8")


def test_the_same_brief_gives_the_same_bytes(cases: ModuleType, case: str) -> None:
    brief, setting = told(cases, case, "en")
    first = written(cases, case, "en")
    assert render_docx(brief, setting.words) == first
    check("docx", first, brief.headline.title)
    with zipfile.ZipFile(io.BytesIO(first)) as package:
        assert {member.date_time for member in package.infolist()} == {(2026, 11, 9, 3, 0, 0)}


def test_headings_tables_and_pictures_are_real(cases: ModuleType, case: str) -> None:
    brief, _ = told(cases, case, "en")
    document = opened(cases, case)
    styles = [paragraph.style.name for paragraph in document.paragraphs]
    assert styles.count("Title") == 1 and styles.count("Heading 1") >= 4
    levels = [0 if style == "Title" else int(style[-1]) for style in styles if style == "Title" or "Heading" in style]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for item in brief.indicators:
        assert any(p.style.name == "Heading 2" and p.text == item.title for p in document.paragraphs)
    tables = [table for table in document.tables if not is_side_by_side(table)]
    with_head = [table for table in tables if table.rows[0]._tr.find(f".//{qn('w:tblHeader')}") is not None]
    assert len(with_head) == len(tables) >= 1
    assert {table.style.name for table in tables} == {"Hansei Table"}
    shown = pictures(document.element.body)
    assert len([spoken for spoken in shown if "week\u00a045" in spoken]) >= len(brief.indicators)


def test_headings_stand_in_no_table_and_charts_fit_their_half(cases: ModuleType, case: str) -> None:
    """Word's outline leaves out what stands in tables; of two charts side by side none is wider than its half."""
    document = opened(cases, case)
    beside = [table for table in document.tables if is_side_by_side(table)]
    for table in beside:
        widths = [cell.width.cm for cell in table.rows[0].cells]
        assert sum(widths) == pytest.approx(17.4, abs=0.01)
        for cell, width in zip(table.rows[0].cells, widths, strict=True):
            assert not [p for p in cell.paragraphs if p.style.name.startswith("Heading")]
            for extent in cell._tc.iter(qn("wp:extent")):
                assert 0 < int(extent.get("cx")) / 360_000 < width
    brief, _ = told(cases, case, "en")
    assert len(beside) >= len(brief.decisions) + sum(not item.is_missed for item in brief.indicators) > 0


def test_what_is_decided_can_be_filled_in(cases: ModuleType) -> None:
    brief, _ = told(cases, "breaching", "en")
    (table,) = (t for t in opened(cases, "breaching").tables if t.cell(0, 1).text == "Decision")
    assert [cell.text for cell in table.rows[0].cells] == ["About", "Decision", "Who", "Until when"]
    rows = [[cell.text for cell in row.cells] for row in table.rows][1:]
    named = [f"{decision.title} · {decision.place}" for decision, _ in brief.decisions]
    assert rows == [[name, "", "", ""] for name in named] + [[""] * 4] * 3


def test_it_says_whose_it_is_and_in_which_language(cases: ModuleType) -> None:
    brief, _ = told(cases, "breaching", "zh_CN")
    document = opened(cases, "breaching", "zh_CN")
    properties = document.core_properties
    assert properties.title.startswith(brief.headline.title) and properties.language == "zh-CN"
    assert properties.author == "Northwind Support" and properties.identifier == brief.hash
    assert properties.created == properties.modified == brief.evidence.as_of
    (language,) = document.styles.element.iter(qn("w:lang"))
    assert (language.get(qn("w:val")), language.get(qn("w:eastAsia"))) == ("en-GB", "zh-CN")
    fonts = document.styles["Normal"].element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == "Microsoft YaHei" and fonts.get(qn("w:ascii")) == "Calibri"
    foot = document.sections[0].footer._element.xml
    assert foot.count("w:fldSimple ") == 2 and 'w:instr="PAGE"' in foot and 'w:instr="NUMPAGES"' in foot


def test_every_list_of_steps_begins_at_one(cases: ModuleType) -> None:
    document = opened(cases, "breaching")
    told = (docx.text.paragraph.Paragraph(one, document) for one in document.element.body.iter(qn("w:p")))
    steps = [p for p in told if p.style.name == "List Number"]
    assert steps[0].text == "Lay the first week beside the schedules of that week."
    numbers = {p._p.pPr.numPr.numId.val for p in steps}
    assert len(numbers) == 1
    (number,) = numbers
    override = document.part.numbering_part.element.num_having_numId(number).find(qn("w:lvlOverride"))
    assert override.find(qn("w:startOverride")).get(qn("w:val")) == "1"


def test_every_figure_of_the_document_is_in_the_evidence(cases: ModuleType, case: str) -> None:
    document = opened(cases, case)
    lines = [
        line
        for line in structure(document)
        if not line.startswith("Quote:") and not re.match(r"[^:]*: (\d+\sexamples?|Made from|rated)", line)
    ]
    # Style names number headings; axis labels stand in pictures, whose words are read here.
    text = re.sub(r"^(?:[A-Z][\w -]*|  picture): ", "", "\n".join(lines), flags=re.M)
    assert len(re.findall(r"\d", text)) > 100
    assert golden_module("test_brief").strangers(text, cases.evidence(case)) == []


def test_hostile_content_stays_text(cases: ModuleType) -> None:
    content = written(cases, "hostile", "en")
    text = "\n".join(structure(docx.Document(io.BytesIO(content))))
    assert '<script>alert("1")</script>' in text and "\u2068" in text and "👩🏽" in text
    assert "W" * 61 not in text and "\x1b" not in text and "\u202e" not in text
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        relations = b"".join(package.read(name) for name in package.namelist() if name.endswith(".rels"))
        assert b"External" not in relations and not [n for n in package.namelist() if "vba" in n.lower()]
        body = package.read("word/document.xml")
        assert b"<script" not in body and body.count(b"w:instr=") == 0


def test_without_fonts_charts_are_told_in_words(cases: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docx_paper, "writes", lambda language: False)
    brief, setting = told(cases, "breaching", "en")
    document = docx.Document(io.BytesIO(render_docx(brief, setting.words)))
    assert pictures(document.element.body) == []
    assert any(line.startswith("Normal: Tickets created, week\u00a045: 451") for line in structure(document))


def test_a_broken_document_is_refused() -> None:
    empty = io.BytesIO()
    docx.Document().save(empty)
    for content, found in ((b"PK" + b"x" * 5000, "cannot be opened again"), (empty.getvalue(), "headline is not")):
        with pytest.raises(PaperError, match=found):
            check("docx", content, "All is well")


if __name__ == "__main__":
    docx_paper.writes, docx_paper.png = (lambda language: True), (lambda svg: DOT)
    GOLDEN.mkdir(exist_ok=True)
    for one in LANGUAGES:
        text = whole("breaching", golden_module("brief_cases"), one)
        (GOLDEN / f"breaching.{one}.docx.txt").write_text(text, encoding="utf-8")
