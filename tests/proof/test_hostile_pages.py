"""A company in which every text is an attack, from its files to its pages in Chromium; and what the Nu validator says.

Chromium is the system's, driven by Playwright; the Nu validator comes from the npm registry at a fixed version, and
needs Java. Where one of them is not there, what needs it is skipped, and says so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.chromium import WIDTHS, load_axe, opened, serious
from support.hostile_files import EMOJI, FORMULA, LONG, SCRIPT, TEXTS, hostile_exports
from support.small_company import NIGHTS, Company, found_company

from hansei import pipeline
from hansei.reviews.archive import editions

pytestmark = pytest.mark.proof

GOLDEN = Path(__file__).parents[1] / "golden"
VALIDATOR = "vnu-jar@26.9.27"
# What every browser of today knows of CSS, and the validator not yet.
NEWER_CSS = ("Unrecognized at-rule “@container”", "“container-type” doesn't exist.", "“vector-effect” doesn't exist.")
FOLLOWING = date(2026, 3, 30)
BILINGUAL = """\
id: {id}
title: Hostile {id}
audience: whole service
owner: service-desk
about: "{about}"
languages: [en, zh_CN]
formats: [html]
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
