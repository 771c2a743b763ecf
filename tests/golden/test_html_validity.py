"""Every page and mail as the parsing algorithm of HTML reads it: nothing that a browser would have to mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.browser_pages import index_page, validation_page
from tinyhtml5.parser import HTMLParser  # WeasyPrint's own reader: html5lib, cared for

GOLDEN = Path(__file__).parent
PAGES = sorted(GOLDEN.rglob("*.html"))
LANGUAGES = ("en", "zh_CN")


def faults(page: str) -> list[str]:
    parser = HTMLParser()
    parser.parse(page)
    return [f"line {line}, column {column}: {code} {found}" for (line, column), code, found in parser.errors]


def test_golden_pages_are_found() -> None:
    folders = {page.parent.name for page in PAGES}
    assert {"briefs", "digests", "review_mails", "executive_pages"} <= folders


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_golden_page_needs_no_mending(page: Path) -> None:
    assert faults(page.read_text("utf-8")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_index_needs_no_mending(language: str) -> None:
    assert faults(index_page(language)) == []


def test_validation_page_needs_no_mending() -> None:
    assert faults(validation_page()) == []


@pytest.mark.parametrize(
    "page",
    [
        "<p>no doctype</p>",
        "<!doctype html><title>t</title><p>one<div></p></div>",
        "<!doctype html><title>t</title><a id=a id=b>twice</a>",
        "<!doctype html><title>t</title><table><p>in a table</p></table>",
    ],
)
def test_a_page_that_needs_mending_is_told(page: str) -> None:
    assert faults(page)
