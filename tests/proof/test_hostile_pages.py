"""A company in which every text is an attack, from its files to its pages, papers and mails; and what Nu says.

Chromium is the system's, driven by Playwright; the Nu validator comes from the npm registry at a fixed version, and
needs Java. Where one of them is not there, what needs it is skipped, and says so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import date
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader
from support.chromium import WIDTHS, load_axe, opened, serious
from support.hostile_files import EMOJI, FORMULA, LONG, SCRIPT, TEXTS, hostile_exports
from support.small_company import NIGHTS, Company, found_company

from hansei import pipeline
from hansei.connections import Connection
from hansei.reviews.archive import editions, read_edition
from hansei.reviews.brief import compose
from hansei.reviews.mail import open_mail
from hansei.reviews.rendering import review_words
from hansei.reviews.review_message import ReviewSetting, review_mail

pytestmark = pytest.mark.proof

GOLDEN = Path(__file__).parents[1] / "golden"
VALIDATOR = "vnu-jar@26.9.27"
# What every browser of today knows of CSS, and the validator not yet.
NEWER_CSS = ("Unrecognized at-rule “@container”", "“container-type” doesn't exist.", "“vector-effect” doesn't exist.")
# What a PDF could do by itself, or carry along.
DOING = {
    "/JS",
    "/JavaScript",
    "/Launch",
    "/SubmitForm",
    "/ImportData",
    "/GoToR",
    "/URI",
    "/EmbeddedFile",
    "/OpenAction",
}
ADDRESSES = {"from_email": "hansei@example.org", "to": "vera@example.org"}
FOLLOWING = date(2026, 3, 30)
BILINGUAL = """\
id: {id}
title: Hostile {id}
audience: whole service
owner: service-desk
about: "{about}"
languages: [en, zh_CN]
formats: [html, pdf, docx]
indicators: [tickets_created, tickets_solved, reopen_rate, source_sla_attainment, csat_top_box]
segments: [channel, priority]
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Three nights and two reviews of a company in which every text is hostile."""
    made = found_company(tmp_path_factory.mktemp("hostile"))
    folder = made.home / "definitions" / "reviews"
    folder.mkdir(exist_ok=True)
    for name, about in (("weekly_brief", "all"), ("team_review", "team=*")):
        (folder / f"{name}.yaml").write_text(BILINGUAL.format(id=name, about=about))
    hostile_exports().write(made.inbox)
    for number in (1, 2, 3):
        made.night(number)
    for name in ("weekly_brief", "team_review"):
        assert not pipeline.build_review(made.context(NIGHTS[2]), name, FOLLOWING)["failed"]
    return made


@pytest.fixture(scope="module")
def hostile_pages(company: Company) -> list[Path]:
    found = sorted(Path(company.settings.archive).rglob("*.html"))
    assert len(editions(company.settings.archive)) == 4
    assert {"index.html", "index.zh_CN.html", "brief.html", "brief.zh_CN.html"} <= {page.name for page in found}
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_a_hostile_company_run_nothing_and_stay_whole(
    browser: Browser, hostile_pages: list[Path], scheme: str
) -> None:
    for file in hostile_pages:
        with opened(browser, file, color_scheme=scheme, bypass_csp=True) as page:
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (file, width)
            assert page.locator("img[src=x], svg[onload]").count() == 0
            load_axe(page)
            assert serious(page)[0] == [], file


def test_hostile_texts_are_shown_as_they_are(browser: Browser, hostile_pages: list[Path]) -> None:
    text = ""
    for file in hostile_pages:
        with opened(browser, file) as page:
            text += page.text_content("body")
    begun = [one for one in TEXTS if one[:24] in text]  # long ones are cut with an ellipsis
    assert set(begun) >= {SCRIPT, FORMULA, LONG, EMOJI}
    assert "שלום" in text
    assert "\u202e" not in text  # what would turn the rest of a line around does not reach it
    assert "i" * 40 not in text


def test_hostile_texts_do_nothing_in_a_pdf_and_stay_on_its_sheets(company: Company) -> None:
    files = sorted(Path(company.settings.archive).rglob("*.pdf"))
    if not files:
        pytest.skip("no Pango or fonts here")
    assert len(files) == 8
    for file in files:
        assert not {str(kind) for kind in told_kinds(PdfReader(file))} & DOING, file
        said = ""
        for page in pypdfium2.PdfDocument(file):
            text = page.get_textpage()
            said += text.get_text_range()
            for at in range(text.count_rects()):
                left, _, right, _ = text.get_rect(at)
                assert left >= 0 and right <= page.get_width(), (file, text.get_text_bounded(*text.get_rect(at)))
        assert "\u202e" not in said and "W" * 200 not in said
        assert SCRIPT[:15] in "".join(said.split()) or not names_the_script(file)


def names_the_script(file: Path) -> bool:
    """Whether an edition has something to say of the team, channel or tier that is a script: other teams' have not."""
    return "script" in str(file) or "weekly_brief" in str(file)


def told_kinds(reader: PdfReader) -> Iterator[object]:
    """Every key of every dictionary in the file, and what its actions are."""
    for number in range(1, len(reader.xref[0]) + len(reader.xref_objStm) + 1):
        found = reader.get_object(number)
        if isinstance(found, dict):
            yield from found
            yield from (value for key, value in found.items() if key == "/S")
            yield from (found["/A"].get_object() if "/A" in found else {}).values()


def test_hostile_texts_stay_text_in_a_docx(company: Company, tmp_path: Path) -> None:
    files = sorted(Path(company.settings.archive).rglob("*.docx"))
    assert len(files) == 8
    for file in files:
        with zipfile.ZipFile(file) as package:
            relations = b"".join(package.read(name) for name in package.namelist() if name.endswith(".rels"))
            body = package.read("word/document.xml").decode()
        assert b"External" not in relations
        assert "<script" not in body and "w:instr" not in body and "\u202e" not in body
        assert "W" * 200 not in body and ("&lt;script&gt;" in body or not names_the_script(file))
    if shutil.which("soffice") is None:
        pytest.skip("no LibreOffice here")
    brief = next(file for file in files if file.name == "brief.docx" and "weekly_brief" in str(file))
    home = f"-env:UserInstallation=file://{tmp_path}/office"
    command = ["soffice", "--headless", home, "--convert-to", "pdf", "--outdir", str(tmp_path), str(brief)]
    subprocess.run(command, capture_output=True, timeout=180, check=True)
    sheets = pypdfium2.PdfDocument(tmp_path / f"{brief.stem}.pdf")
    assert SCRIPT[:15] in "".join("".join(page.get_textpage().get_text_range() for page in sheets).split())


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_hostile_texts_do_nothing_in_a_mail(browser: Browser, company: Company, tmp_path: Path, language: str) -> None:
    channel = open_mail(Connection("mail", "smtp", "127.0.0.1", extra=ADDRESSES), "vera")
    found = editions(company.settings.archive)
    assert len(found) == 4
    for edition in found:
        evidence, parts = read_edition(
            company.settings.archive, edition.review_id, edition.period_start, edition.revision, edition.about
        )
        words = review_words(evidence, language)
        brief = compose(evidence, parts, words)
        mail = review_mail(brief, ReviewSetting(words, "https://desk.example.org/brief.html", "You asked for it."))
        wire = channel.compose(mail.message("<one@example.org>")).as_bytes()
        arrived = message_from_bytes(wire, policy=default)
        assert [*map(str.lower, arrived.keys())].count("to") == 1 and arrived["To"] == ADDRESSES["to"]
        assert arrived["Subject"] == mail.subject and wire.isascii()
        assert "\u202e" not in mail.text + mail.html and "W" * 200 not in mail.text + mail.html
        file = tmp_path / "mail.html"
        file.write_text(mail.html.replace('src="cid:', 'data-cid="'), "utf-8")
        for width in (360, 700):
            with opened(browser, file, width) as page:
                assert page.locator("img[src=x], svg[onload], script").count() == 0
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (mail.subject, width)


def test_the_validator_finds_no_error(hostile_pages: list[Path], tmp_path: Path) -> None:
    if not (shutil.which("npm") and shutil.which("java")):
        pytest.skip("no npm or Java here: apt-get install npm default-jre-headless")
    fetched = subprocess.run(["npm", "pack", "--silent", VALIDATOR], cwd=tmp_path, capture_output=True, timeout=300)
    if fetched.returncode:
        pytest.skip(f"npm cannot bring {VALIDATOR} here: {fetched.stderr.decode()[-200:]}")
    (packed,) = tmp_path.glob("*.tgz")
    jar = tmp_path / "vnu.jar"
    with tarfile.open(packed) as archive:
        jar.write_bytes(archive.extractfile("package/build/dist/vnu.jar").read())
    files = [*hostile_pages, *sorted(GOLDEN.rglob("*.html"))]
    command = ["java", "-jar", str(jar), "--format", "json", "--errors-only", *map(str, files)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    messages = json.loads(found.stderr)["messages"]
    faults = [
        f"{Path(one['url']).name}:{one['lastLine']}: {one['message']}"
        for one in messages
        if one["type"] == "error" and not one["message"].endswith(NEWER_CSS)
    ]
    assert faults == []
