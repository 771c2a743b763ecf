"""The documents of an edition: what is kept, what this machine cannot make, and what no reader should get."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import logging
import sys
from pathlib import Path

import pytest
from support.small_evidence import MONDAY, small_evidence

from hansei.catalog.reviews import Review
from hansei.reviews import archive, papers, pdf_paper
from hansei.reviews.base import NotInstalled, PaperError
from hansei.reviews.brief import Brief
from hansei.reviews.checks import check
from hansei.reviews.evidence import Evidence, Part
from hansei.reviews.locales import Locale

PART = Part(part_id="x_rows", salt="s" * 32, columns=("ticket",), rows=(("desk:4711",),))
FOLDER = Path("reviews/weekly_brief/2026-11-02")


def evidence(title: str = "Weekly brief") -> Evidence:
    return small_evidence(PART, title=title)


@pytest.fixture
def press(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A press in place of WeasyPrint; its list says what it cannot do just now."""
    lacking: list[str] = []

    def print_it(brief: Brief, words: Locale) -> bytes:
        if lacking:
            raise NotInstalled("PDF", "Pango is not installed", lacking[0])
        return f"PDF of {brief.hash} {brief.indicators[0].proof.message}".encode()

    def look(form: str, content: bytes, headline: str, most_sheets: int | None) -> None:
        assert content
        assert headline in ("Nothing is judged: no limit is set", "未设限值，因此不作判断")

    monkeypatch.setattr(papers, "render_pdf", print_it)
    monkeypatch.setattr(papers, "check", look)
    return lacking


def manifest(root: Path) -> dict:
    return json.loads((root / FOLDER / "manifest.json").read_text("utf-8"))


def test_the_manifest_names_every_document_with_its_hash(tmp_path: Path, press: list[str]) -> None:
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART}, formats=("html", "pdf"))
    told = manifest(tmp_path)
    assert [(d["name"], d["format"], d["language"], d["media_type"]) for d in told["documents"]] == [
        ("brief.html", "html", "en", "text/html"),
        ("brief.pdf", "pdf", "en", "application/pdf"),
    ]
    for document in told["documents"]:
        content = (tmp_path / FOLDER / document["name"]).read_bytes()
        assert document["sha256"] == hashlib.sha256(content).hexdigest()
    assert told["missing"] == {}


def test_every_language_has_its_own_documents(tmp_path: Path, press: list[str]) -> None:
    both = evidence().model_copy(update={"languages": ("en", "zh_CN")})
    made = papers.make_documents(both, {}, ("pdf",))
    assert [(d.name, d.language) for d in made.documents] == [
        ("brief.html", "en"),
        ("brief.pdf", "en"),
        ("brief.zh_CN.html", "zh_CN"),
        ("brief.zh_CN.pdf", "zh_CN"),
    ]
    assert b'<html lang="zh-CN">' in made.documents[2].content


def test_without_its_library_a_format_is_left_out_and_said_so(
    tmp_path: Path, press: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    press.append("apt-get install libpango")
    with caplog.at_level(logging.WARNING, "hansei"):
        page = archive.write_edition(tmp_path, evidence(), {"x_rows": PART}, formats=("pdf",))
    assert page.exists() and not page.with_name("brief.pdf").exists()
    why = "PDF: Pango is not installed: apt-get install libpango"
    assert manifest(tmp_path)["missing"] == {"brief.pdf": why}
    assert caplog.messages == [f"weekly_brief 2026-11-02 is made without brief.pdf: {why}"]


def test_a_machine_without_pango_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoPango:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [NoPango(), *sys.meta_path])
    made = papers.make_documents(evidence(), {"x_rows": PART}, ("pdf",))
    assert [d.name for d in made.documents] == ["brief.html"]
    (missing,) = made.missing
    assert missing.name == "brief.pdf" and "apt-get install libpango-1.0-0" in missing.why


def test_a_machine_without_a_font_of_the_language_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("weasyprint", exc_type=OSError)
    monkeypatch.setattr(pdf_paper, "writes", lambda language: language == "en")
    chinese = evidence().model_copy(update={"languages": ("zh_CN",)})
    (missing,) = papers.make_documents(chinese, {}, ("pdf",)).missing
    assert missing.why == "PDF: no font of this machine writes zh-CN: apt-get install fonts-noto-cjk"


def test_a_published_document_stays_where_its_library_is_gone(tmp_path: Path, press: list[str]) -> None:
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART}, formats=("pdf",))
    before = (tmp_path / FOLDER / "brief.pdf").read_bytes()
    press.append("apt-get install libpango")
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    assert (tmp_path / FOLDER / "brief.pdf").read_bytes() == before
    assert [d["name"] for d in manifest(tmp_path)["documents"]] == ["brief.html", "brief.pdf"]


def test_an_erasure_makes_every_document_anew(tmp_path: Path, press: list[str]) -> None:
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART}, formats=("pdf",))
    archive.erase_parts(tmp_path, "weekly_brief", MONDAY, ["x_rows"], dt.date(2026, 12, 1))
    assert "erased on 1\u00a0December 2026" in (tmp_path / FOLDER / "brief.pdf").read_text("utf-8")


def test_an_erasure_removes_a_document_that_cannot_be_made_anew(tmp_path: Path, press: list[str]) -> None:
    """It may show what was erased."""
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART}, formats=("pdf",))
    press.append("apt-get install libpango")
    archive.erase_parts(tmp_path, "weekly_brief", MONDAY, ["x_rows"], dt.date(2026, 12, 1))
    assert not (tmp_path / FOLDER / "brief.pdf").exists()
    assert [d["name"] for d in manifest(tmp_path)["documents"]] == ["brief.html"]
    assert list(manifest(tmp_path)["missing"]) == ["brief.pdf"]


def test_an_edition_of_release_0_1_has_one_page(tmp_path: Path, press: list[str]) -> None:
    page = archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    told = manifest(tmp_path)
    older = {key: told[key] for key in ("as_of", "evidence_sha256", "headline", "title")}
    older["brief_sha256"] = hashlib.sha256(page.read_bytes()).hexdigest()
    page.with_name("manifest.json").write_text(json.dumps(older), "utf-8")
    (one,) = archive.documents_of(manifest(tmp_path))
    assert (one.name, one.format, one.sha256) == ("brief.html", "html", older["brief_sha256"])
    assert archive.editions(tmp_path)[0].headline == "Nothing is judged: no limit is set"
    archive.write_edition(tmp_path, evidence(), {"x_rows": PART})
    assert manifest(tmp_path) == told


def test_formats_are_of_a_closed_list() -> None:
    told = {"id": "r", "title": "R", "audience": "all", "owner": "o", "indicators": ["x"]}
    assert set(Review.model_validate(told).formats) == set(papers.FORMATS)
    with pytest.raises(ValueError, match="formats"):
        Review.model_validate(told | {"formats": ["html", "odt"]})


# What no reader should get ----------------------------------------------------------------------------------------

FILLER = "<p>" + "It varies as usual. " * 150 + "</p>"
SECTION = f"<section><h2>Why</h2>{FILLER}<br><svg><path d='M0 0'/></svg></section>"
WHOLE = f"<html><body><h1>All is&nbsp;well</h1>{SECTION}</body></html>"


def test_a_whole_page_passes() -> None:
    check("html", WHOLE.encode(), "All is\u00a0well")


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<h1>All is well</h1>", "20 bytes are no document"),
        (WHOLE.replace("</p>", ""), "closes what is not open"),
        (WHOLE.replace("</body></html>", ""), "<body> is never closed"),
        (WHOLE.replace("</section>", "</section><section><h2>Why</h2> </section>"), "an empty section"),
        (WHOLE.replace("All is", "Nothing is"), "headline is not there"),
        (WHOLE.replace("<h1>", "<h1>All is well</h1><h1>"), "or not alone"),
    ],
)
def test_a_broken_page_is_refused(page: str, found: str) -> None:
    with pytest.raises(PaperError, match=found):
        check("html", page.encode(), "All is well")


def test_a_page_without_a_headline_is_refused() -> None:
    with pytest.raises(PaperError, match="headline"):
        check("html", WHOLE.replace("All is&nbsp;well", " ").encode(), " ")


def test_a_broken_pdf_is_refused() -> None:
    from pypdf import PdfWriter

    with pytest.raises(PaperError, match="cannot be opened again"):
        check("pdf", b"%PDF-1.7 " + b"x" * 5000, "All is well")
    blank, empty = PdfWriter(), PdfWriter()
    blank.add_blank_page(500, 700)
    for writer, found in ((blank, "headline is not on the first page"), (empty, "cannot be opened again")):
        writer.add_metadata({"/Subject": "x" * 3000})
        file = io.BytesIO()
        writer.write(file)
        with pytest.raises(PaperError, match=found):
            check("pdf", file.getvalue(), "All is well")


def test_a_broken_document_is_never_kept(tmp_path: Path, press: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(form: str, content: bytes, headline: str, most_sheets: int | None) -> None:
        if form == "pdf":
            raise PaperError("pdf", "is broken", "mend it")

    monkeypatch.setattr(papers, "check", refuse)
    with pytest.raises(PaperError, match="is broken"):
        archive.write_edition(tmp_path, evidence(), {"x_rows": PART}, formats=("pdf",))
    assert list(tmp_path.rglob("*")) == []
