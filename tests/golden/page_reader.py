"""Reads a rendered page without the code that made it: structure, visible text, and figures by kind."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "input", "hr"}
NOT_PROSE = {"style", "script", "pre", "title-of-page"}


class PageReader(HTMLParser):
    """After `feed`: faults of structure, ids, links, charts with their alternative texts, and the prose."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict]] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.charts: list[dict] = []
        self.headings: list[int] = []
        self.prose: list[str] = []
        self.elements: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._enter(tag, attrs)
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._enter(tag, attrs)

    def _enter(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.faults.append(f"{self.getpos()}: <{tag}> repeats an attribute")
        found = dict(attrs)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.targets.append(found.get("href") or "")
        if tag == "svg":
            self.charts.append({"attributes": found, "title": "", "desc": ""})
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in ("p", "td", "th", "dd", "dt", "li", "text", "h1", "h2", "h3", "br", "div", "caption"):
            self.prose.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            self.faults.append(f"{self.getpos()}: </{tag}> closes <{self.open[-1][0] if self.open else 'nothing'}>")
            return
        self.open.pop()

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self.open]
        if tags and tags[-1] in ("title", "desc") and "svg" in tags:
            self.charts[-1][tags[-1]] += data
            self.prose += ["\n", data]
        elif not NOT_PROSE & set(tags) and not any("tick" in (a.get("class") or "").split() for _, a in self.open):
            self.prose.append(data)

    def close(self) -> None:
        super().close()
        self.faults += [f"<{tag}> is never closed" for tag, _ in self.open]

    @property
    def text(self) -> str:
        return "".join(self.prose)


def read(html: str) -> PageReader:
    reader = PageReader()
    reader.feed(html)
    reader.close()
    return reader
