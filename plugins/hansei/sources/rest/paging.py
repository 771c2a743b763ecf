"""From one page to the next: pure functions of the definition, the state before and the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hansei.catalog.rest import Pages

State = dict[str, Any]
_NEXT_LINK = re.compile(r'<([^>]*)>\s*((?:;\s*[^,;=]+\s*=\s*(?:"[^"]*"|[^,;]*))*)')


def first_state(pages: Pages | None) -> State:
    """Where paging begins."""
    if pages is None:
        return {}
    return {"page": {"number": pages.first}, "offset": {"offset": 0}}.get(pages.by, {})


def values_of(pages: Pages | None, state: State) -> dict[str, Any]:
    """What `{page.NAME}` stands for."""
    size = {} if pages is None or pages.size is None else {"size": pages.size}
    return {**size, **{name: value for name, value in state.items() if name != "url"}}


def watched_paths(pages: Pages | None) -> list[str]:
    """The paths of an answer that `following` reads."""
    if pages is None:
        return []
    at = pages.at if pages.by in ("cursor", "next_url") else None
    return [path for path in (at, pages.more, pages.done, pages.total, pages.total_pages) if path]


def following(
    pages: Pages | None,
    state: State,
    facts: Mapping[str, Any],
    headers: Mapping[str, str],
    count: int,
    counted: int,
    last: Any,
) -> State | None:
    """The state of the next page, None after the last.

    facts: values at `watched_paths`. count: records of this page; counted: of all pages so far; last: value of the last
    record at `pages.value`.
    """
    if pages is None or _is_over(pages, state, facts, count, counted):
        return None
    if pages.by == "page":
        return {"number": state["number"] + 1}
    if pages.by == "offset":
        return {"offset": state["offset"] + count}
    if pages.by == "keyset":
        return None if last is None else {"last": last}
    if pages.by == "link":
        url = next_link(headers.get("Link"))
        return {"url": url} if url else None
    value = headers.get(pages.header) if pages.header else facts.get(pages.at)
    if value is None or value == "" or value is False or str(value) in pages.last:
        return None
    return {"url": str(value)} if pages.by == "next_url" else {"cursor": value}


def _is_over(pages: Pages, state: State, facts: Mapping[str, Any], count: int, counted: int) -> bool:
    if pages.more is not None and not _is_true(facts.get(pages.more)):
        return True
    if pages.done is not None and _is_true(facts.get(pages.done)):
        return True
    is_short = pages.short_page_ends and count < pages.size
    if pages.by in ("cursor", "link", "next_url"):
        return is_short
    if count == 0 or is_short:
        return True
    if pages.by == "page" and pages.total_pages is not None:
        known = number_of(facts.get(pages.total_pages))
        if known is not None and state["number"] - pages.first + 1 >= known:
            return True
    total = number_of(facts.get(pages.total)) if pages.total else None
    return total is not None and counted >= total


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() in ("true", "1")


def number_of(value: Any) -> int | None:
    """A count as the interface tells it, a number or its text."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def next_link(header: str | None) -> str | None:
    """The URL of the Link header (RFC 8288) whose relation is `next`."""
    for url, attributes in _NEXT_LINK.findall(header or ""):
        relation = re.search(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))', attributes, re.IGNORECASE)
        if relation and "next" in (relation[1] or relation[2] or "").lower().split():
            return url
    return None
