"""The papers as other programs see them: PDF by pypdf's reading of its structure, DOCX by LibreOffice.

Where Pango or LibreOffice is not there, what needs it is skipped.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from types import ModuleType

import pypdfium2
import pytest
from pypdf import PdfReader

from hansei.reviews.base import NotInstalled
from hansei.reviews.brief import Brief, compose
from hansei.reviews.checks import check
from hansei.reviews.docx_paper import render_docx
from hansei.reviews.evidence import Evidence
from hansei.reviews.locales import Locale
from hansei.reviews.rendering import review_words
from hansei.reviews.sheets import sheets

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = ("breaching", "hostile", "quiet", "scarce", "waiting")
pytestmark = pytest.mark.proof


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, GOLDEN / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@cache
def content(case: str, language: str) -> tuple[Brief, Locale]:
    cases = module("brief_cases")
    evidence: Evidence = cases.evidence(case)
    words = review_words(evidence, language)
    return compose(evidence, cases.parts() if case == "breaching" else {}, words), words


@pytest.fixture(scope="module")
def press() -> ModuleType:
    try:
        import weasyprint  # noqa: F401
    except OSError as error:
        pytest.skip(f"no Pango here: {error}")
    import hansei.reviews.pdf_paper as press

    return press


@pytest.fixture(scope="module", params=[(case, "en") for case in CASES] + [("breaching", "zh_CN")], ids="-".join)
def printed(press: ModuleType, request: pytest.FixtureRequest) -> tuple[Brief, Locale, bytes]:
    brief, words = content(*request.param)
    try:
        return brief, words, press.render_pdf(brief, words)
    except NotInstalled as error:
        pytest.skip(str(error))


def objects(reader: PdfReader, kind: str) -> list[dict]:
    """Every structure element of that kind, in the order of the tree."""
    found, waiting = [], [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        node = waiting.pop(0).get_object()
        if not hasattr(node, "get"):
            continue
        if node.get("/S") == kind:
            found.append(node)
        kids = node.get("/K", [])
        kids = kids.get_object() if hasattr(kids, "get_object") else kids
        waiting = [*(kids if isinstance(kids, list) else [kids]), *waiting]
        waiting = [kid for kid in waiting if not isinstance(kid, int)]
    return found


def texts(content: bytes) -> list[str]:
    """Every page's text as PDFium reads it: pypdf does not know fonts of more than one encoding."""
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(content)]


def squeezed(text: str) -> str:
    return re.sub(r"[\s\u2066-\u2069]+", "", text)


def test_the_pdf_is_tagged_titled_and_in_its_language(printed: tuple[Brief, Locale, bytes]) -> None:
    brief, words, content = printed
    check("pdf", content, brief.headline.title)
    reader = PdfReader(io.BytesIO(content))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == words.tag
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata.title.startswith(brief.headline.title)
    assert reader.metadata.creation_date_raw.startswith("D:20261109030000")
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    assert len(objects(reader, "/H1")) == 1 and len(objects(reader, "/H2")) >= 3
    figures = objects(reader, "/Figure")
    assert len(figures) >= len(brief.indicators) and all(figure.get("/Alt") for figure in figures)
    cells = objects(reader, "/TH")
    assert cells and all(page.mediabox.width == pytest.approx(595.28, abs=0.1) for page in reader.pages)


def test_the_pdf_has_bookmarks_and_every_page_a_number(printed: tuple[Brief, Locale, bytes]) -> None:
    brief, words, content = printed
    reader = PdfReader(io.BytesIO(content))
    headline, *others = reader.outline
    titles = [headline.title, *(one.title for one in flat(others))]
    assert squeezed(titles[0]) == squeezed(brief.headline.title)
    wanted = [words.say(key) for key in ("page.glance", "page.the_indicators", "page.stands", "paper.cards")]
    assert [title for title in titles if title in wanted] == wanted
    for number, page in enumerate(texts(content), 1):
        text = squeezed(page)
        assert f"{number}/{len(reader.pages)}" in text and squeezed(brief.dates) in text
        assert len(text) > 200, f"page {number} is all but empty"


def flat(outline: list) -> list:
    found = []
    for one in outline:
        found += flat(one) if isinstance(one, list) else [one]
    return found


def test_the_pdf_says_what_the_brief_says(printed: tuple[Brief, Locale, bytes]) -> None:
    brief, _, content = printed
    text = squeezed("".join(texts(content)))
    for decision, _ in brief.decisions:
        assert all(squeezed(sentence) in text for sentence in decision.sentences)
    for topic in brief.topics:
        assert squeezed(topic.title) in text
    assert all(squeezed(f"{item.now.value}") in text for item in brief.indicators)


def test_the_same_brief_gives_the_same_bytes(press: ModuleType) -> None:
    assert press.render_pdf(*content("breaching", "en")) == press.render_pdf(*content("breaching", "en"))


def test_the_style_sheet_holds_nothing_that_the_press_ignores(
    press: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(press, "_be_quiet", lambda: None)
    logging.getLogger("weasyprint").setLevel(logging.WARNING)
    with caplog.at_level(logging.WARNING, "weasyprint"):
        press.render_pdf(*content("breaching", "en"))
    assert [record.getMessage() for record in caplog.records if record.name == "weasyprint"] == []


@pytest.mark.parametrize(("case", "language"), [("breaching", "zh_CN"), ("hostile", "en")])
def test_libreoffice_opens_the_document_and_prints_it_whole(case: str, language: str, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("no LibreOffice here: apt-get install libreoffice-writer")
    brief, words = content(case, language)
    (tmp_path / "brief.docx").write_bytes(render_docx(brief, words))
    command = [office, "--headless", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"]
    command += ["--convert-to", "pdf:writer_pdf_Export", "--outdir", str(tmp_path), str(tmp_path / "brief.docx")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    assert "Error" not in said.stdout + said.stderr
    reader = PdfReader(tmp_path / "brief.pdf")
    pages = [squeezed(page) for page in texts((tmp_path / "brief.pdf").read_bytes())]
    assert squeezed(brief.headline.title) in pages[0]
    assert all(f"{number}/{len(pages)}" in page for number, page in enumerate(pages, 1))
    for topic in brief.topics:
        assert any(squeezed(topic.title) in page for page in pages)
    assert sum(len(page.images) for page in reader.pages) >= len(brief.indicators)


def test_hostile_content_asks_nobody_and_links_nowhere(press: ModuleType) -> None:
    page = sheets(*content("hostile", "en"))
    assert "<script" not in page and "&lt;script&gt;" in page
    reader = PdfReader(io.BytesIO(press.render_pdf(*content("hostile", "en"))))
    root = reader.trailer["/Root"]
    assert "/OpenAction" not in root and "/JavaScript" not in root.get("/Names", {})
    kinds = {a.get_object().get("/A", {}).get("/S") for p in reader.pages for a in p.get("/Annots", [])}
    assert kinds <= {None, "/GoTo"}
