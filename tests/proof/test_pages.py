"""Pages in a real browser: accessible, at home in every width, no script needed, nothing asked of anybody outside.

Chromium is the system's (`apt-get install chromium`), driven by Playwright; axe-core is the one that its Python package
carries; the Nu validator comes from the npm registry at a fixed version, and needs Java.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from support.hostile_files import EMOJI, FORMULA, LONG, SCRIPT, TEXTS, hostile_exports
from support.small_company import NIGHTS, Company, found_company

from hansei import pipeline
from hansei.reviews.archive import editions

pytestmark = pytest.mark.proof

BRIEFS = Path(__file__).parents[1] / "golden" / "briefs"
WIDTHS = (360, 768, 1280)
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


def opened(browser: Browser, file: Path, width: int = 1280, **options: Any) -> tuple[Page, list[str]]:
    """The page as a reader has it, and what it did that it should not: requests, dialogs, errors."""
    page = browser.new_context(viewport={"width": width, "height": 900}, **options).new_page()
    asked: list[str] = []
    own = file.resolve().as_uri()
    page.on("request", lambda request: None if request.url in (own, "about:blank") else asked.append(request.url))
    page.on("dialog", lambda dialog: (asked.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: asked.append(f"error {error}"))
    page.goto(own)
    return page, asked


def golden_pages() -> list[str]:
    return sorted(page.name for page in BRIEFS.glob("*.html"))


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical, a line each with the element."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", golden_pages())
def test_briefs_are_accessible_and_fit_every_width(browser: Browser, name: str, scheme: str) -> None:
    page, asked = opened(browser, BRIEFS / name, color_scheme=scheme, reduced_motion="reduce")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious(page) == [], width
    assert asked == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_a_hostile_company_run_nothing_and_stay_whole(
    browser: Browser, hostile_pages: list[Path], scheme: str
) -> None:
    for file in hostile_pages:
        page, asked = opened(browser, file, color_scheme=scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (file, width)
        assert page.evaluate("window.broken") is None, file
        assert page.locator("img[src=x], svg[onload]").count() == 0
        assert serious(page) == [], file
        assert asked == [], file
        page.context.close()


def test_hostile_texts_are_shown_as_they_are(browser: Browser, hostile_pages: list[Path]) -> None:
    text = ""
    for file in hostile_pages:
        page, _ = opened(browser, file)
        text += page.text_content("body")
        page.context.close()
    begun = [one for one in TEXTS if one[:24] in text]  # long ones are cut with an ellipsis
    assert set(begun) >= {SCRIPT, FORMULA, LONG, EMOJI}
    assert "שלום" in text
    assert "\u202e" not in text  # what would turn the rest of a line around does not reach it
    assert "i" * 40 not in text


@pytest.mark.parametrize("name", golden_pages())
def test_no_script_is_needed_to_read(browser: Browser, name: str) -> None:
    with_script, _ = opened(browser, BRIEFS / name)
    without, asked = opened(browser, BRIEFS / name, java_script_enabled=False)
    assert without.inner_text("body") == with_script.inner_text("body")
    assert asked == []
    for page in (with_script, without):
        page.context.close()


@pytest.mark.parametrize("name", ["breaching.html", "breaching.zh_CN.html"])
def test_keyboard_alone_reaches_and_opens_every_card(browser: Browser, name: str) -> None:
    page, _ = opened(browser, BRIEFS / name)
    wanted = page.evaluate(
        """() => [...document.querySelectorAll('a[href], summary, button, input, [tabindex="0"]')]
            .filter(one => one.checkVisibility()).map((one, number) => (one.dataset.stop = number, number))"""
    )
    reached, unseen = set(), []
    for _ in range(2 * len(wanted) + 5):
        page.keyboard.press("Tab")
        stop, outline = page.evaluate(
            """() => { const one = document.activeElement, style = getComputedStyle(one);
                return [one.dataset.stop ?? null, style.outlineStyle !== 'none' || style.boxShadow !== 'none'] }"""
        )
        if stop is not None:
            if int(stop) in reached:
                break
            reached.add(int(stop))
            if not outline:
                unseen.append(stop)
    assert reached == set(wanted)
    assert unseen == []
    first = page.locator("details:not([open]) > summary").first
    first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open") is True
    page.context.close()


def test_the_validator_finds_no_error(hostile_pages: list[Path], tmp_path: Path) -> None:
    if not (shutil.which("npm") and shutil.which("java")):
        pytest.skip("no npm or Java here: apt-get install npm default-jre-headless")
    subprocess.run(["npm", "pack", "--silent", VALIDATOR], cwd=tmp_path, check=True, capture_output=True, timeout=300)
    (packed,) = tmp_path.glob("*.tgz")
    shutil.unpack_archive(packed, tmp_path, filter="data")
    files = [*hostile_pages, *sorted(BRIEFS.parent.rglob("*.html"))]
    jar = tmp_path / "package" / "build" / "dist" / "vnu.jar"
    command = ["java", "-jar", str(jar), "--format", "json", "--errors-only", *map(str, files)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    messages = json.loads(found.stderr)["messages"]
    faults = [
        f"{Path(one['url']).name}:{one['lastLine']}: {one['message']}"
        for one in messages
        if one["type"] == "error" and not one["message"].endswith(NEWER_CSS)
    ]
    assert faults == []
