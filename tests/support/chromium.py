"""Pages in Chromium as a reader has them, and what axe-core says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Browser, Page

WIDTHS = (360, 768, 1280)
_AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")
_SERIOUS = """
async (rules) => {
  const only = rules ? {type: 'rule', values: rules} : undefined;
  const found = await axe.run({resultTypes: ['violations'], ...(only ? {runOnly: only} : {})});
  const wrong = found.violations.filter(one => ['serious', 'critical'].includes(one.impact));
  return {
    looked: found.passes.length,
    faults: wrong.flatMap(one => one.nodes.map(node => `${one.id}: ${node.html.slice(0, 200)}`)),
  };
}
"""


@contextmanager
def opened(browser: Browser, file: Path, width: int = 1280, **context: object) -> Iterator[Page]:
    """The page; on the way out nothing was asked of anybody, no dialog came up, nothing broke and no name was run."""
    asked: list[str] = []
    own = file.resolve().as_uri()
    with browser.new_context(viewport={"width": width, "height": 900}, **context) as session:
        page = session.new_page()
        page.on("request", lambda request: None if request.url == own else asked.append(request.url))
        page.on("dialog", lambda dialog: (asked.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("pageerror", lambda error: asked.append(f"error {error}"))
        page.goto(own)
        yield page
        assert asked == [], file
        if context.get("java_script_enabled", True):
            assert page.evaluate("window.ran") is None, file


def load_axe(page: Page) -> None:
    """Before `serious`, once for a page; its context needs `bypass_csp`."""
    page.evaluate(_AXE)


def serious(page: Page, rules: Sequence[str] | None = None) -> tuple[list[str], int]:
    """What axe-core calls serious or critical, a line for each element; and how many of its rules found no fault."""
    found = page.evaluate(_SERIOUS, None if rules is None else list(rules))
    return found["faults"], found["looked"]
