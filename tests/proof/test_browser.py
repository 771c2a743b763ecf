"""The pages in Debian's Chromium: axe-core, keyboard, no script, no request, narrow screens, and names that attack.

Where Chromium is not there, all of it is skipped, and says so.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.browser_pages import index_page, validation_page
from support.chromium import WIDTHS, load_axe, opened, serious

GOLDEN = Path(__file__).parents[1] / "golden"
BRIEFS = ("briefs/breaching", "briefs/breaching.zh_CN", "briefs/hostile", "briefs/hostile.zh_CN")
EXECUTIVE = ("executive_pages/breaching.en", "executive_pages/breaching.zh_CN")
PAGES = (*BRIEFS, *EXECUTIVE, "index.en", "index.zh_CN", "validation")
pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every page by its name, as a file, the way that readers of the archive open it."""
    folder = tmp_path_factory.mktemp("pages")
    made = {f"index.{one}": index_page(one) for one in ("en", "zh_CN")} | {"validation": validation_page()}
    for name, page in made.items():
        (folder / f"{name}.html").write_text(page, "utf-8")
    return {name: (folder if name in made else GOLDEN) / f"{name}.html" for name in PAGES}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_has_no_serious_finding(browser: Browser, files: dict[str, Path], name: str, scheme: str) -> None:
    """Colours are measured in both schemes; all other rules once a width, as no scheme changes what they look at."""
    with opened(browser, files[name], color_scheme=scheme, bypass_csp=True) as page:
        load_axe(page)
        for width in WIDTHS if scheme == "light" else WIDTHS[-1:]:
            page.set_viewport_size({"width": width, "height": 900})
            faults, looked = serious(page, None if scheme == "light" else ["color-contrast"])
            assert faults == [], f"{name} at {width} px, {scheme}"
            assert looked >= (10 if scheme == "light" else 1)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_scrolled_sideways_on_a_telephone(browser: Browser, files: dict[str, Path], name: str) -> None:
    with opened(browser, files[name], WIDTHS[0]) as page:
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize("name", [*BRIEFS[:2], *EXECUTIVE])
def test_no_table_of_figures_is_cut(browser: Browser, files: dict[str, Path], name: str) -> None:
    """Each fits its box, the sample rows and on a telephone what is folded away apart: those are scrolled in theirs."""
    cut = """(apart) => {
      const boxes = [...document.querySelectorAll('.scroll')].filter(box => !box.closest(apart));
      return [boxes.length, boxes.filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.innerText)];
    }"""
    with opened(browser, files[name]) as page:
        for width in (*WIDTHS, 1000, 1100):
            page.set_viewport_size({"width": width, "height": 900})
            looked, wrong = page.evaluate(cut, ".cards, details" if width == WIDTHS[0] else ".cards")
            assert wrong == [], f"{name} at {width} px"
            assert looked >= 1


@pytest.mark.parametrize("name", BRIEFS[:2])
def test_keyboard_alone_reaches_and_opens_every_card(browser: Browser, files: dict[str, Path], name: str) -> None:
    focused = """() => {
      const at = document.activeElement, style = getComputedStyle(at);
      return {tag: at.tagName, card: [...document.querySelectorAll('summary')].indexOf(at),
              seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1};
    }"""
    with opened(browser, files[name]) as page:
        cards = page.locator("summary").count()
        assert cards >= 5
        reached = set()
        for _ in range(600):
            page.keyboard.press("Tab")
            at = page.evaluate(focused)
            if at["tag"] == "BODY":
                break
            assert at["seen"], at
            if at["card"] >= 0 and at["card"] not in reached:
                reached.add(at["card"])
                was = page.evaluate("document.activeElement.parentElement.open")
                page.keyboard.press("Enter")
                assert page.evaluate("document.activeElement.parentElement.open") is not was
                if was:
                    page.keyboard.press("Enter")
        assert len(reached) == cards


@pytest.mark.parametrize("name", PAGES)
def test_without_script_all_is_readable(browser: Browser, files: dict[str, Path], name: str) -> None:
    """The search of the index is all that a script does: without it there is none, and every line is there."""
    with opened(browser, files[name], java_script_enabled=False) as page:
        without = page.locator("main").inner_text().split("\n")
    with opened(browser, files[name]) as page:
        search = page.locator("[type=search]").count()
        lines = page.locator("main").inner_text().split("\n")
    missing = [line for line in lines if line.strip() and line not in without]
    assert len(missing) == search == (1 if name.startswith("index") else 0), missing
    assert len(without) > 10


@pytest.mark.parametrize("name", ["briefs/breaching", "executive_pages/breaching.en"])
def test_paper_is_white_and_nothing_moves(browser: Browser, files: dict[str, Path], name: str) -> None:
    with opened(browser, files[name], color_scheme="dark", reduced_motion="reduce") as page:
        assert page.evaluate("document.getAnimations().length") == 0
        page.emulate_media(media="print", color_scheme="dark")
        ink, paper = page.evaluate("(({color, backgroundColor: b}) => [color, b])(getComputedStyle(document.body))")
        light = [sum(int(part) for part in one.split("(")[1].rstrip(")").split(",")[:3]) for one in (ink, paper)]
        assert light[0] < 200
        assert light[1] > 700 or paper.endswith(", 0)")
