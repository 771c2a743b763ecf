"""Kind `rest` over real HTTP: every way of paging brings what the server holds, once, and sees the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.rest_desk import WINDOW, desk, keys, numbers, ticket
from support.rest_server import Asked, Reply, RestServer

from hansei.errors import SourceError

HELD = [ticket(number) for number in range(25)]


def by_page(asked: Asked) -> Reply:
    number, size = int(asked.params["page"]), int(asked.params["size"])
    return Reply(
        {"data": HELD[(number - 1) * size : number * size], "total": len(HELD), "pages": -(-len(HELD) // size)}
    )


def by_offset(asked: Asked) -> Reply:
    start = int(asked.params["offset"])
    return Reply({"data": HELD[start : start + 10], "more": start + 10 < len(HELD)})


def by_cursor(asked: Asked) -> Reply:
    start = int((asked.params.get("after") or "at-0").removeprefix("at-"))
    following = f"at-{start + 10}" if start + 10 < len(HELD) else None
    return Reply({"data": HELD[start : start + 10], "meta": {"next": following, "done": following is None}})


def by_cursor_in_header(asked: Asked) -> Reply:
    start = int(asked.params.get("locator") or 0)
    following = str(start + 10) if start + 10 < len(HELD) else "null"
    return Reply({"data": HELD[start : start + 10]}, headers={"Locator": following})


def by_cursor_in_body(asked: Asked) -> Reply:
    start = asked.body.get("after") or 0
    paging = {"next": {"after": start + 10}} if start + 10 < len(HELD) else {}
    return Reply({"data": HELD[start : start + 10], "paging": paging})


def by_key(asked: Asked) -> Reply:
    after = int(asked.params.get("after", -1))
    return Reply({"data": [record for record in HELD if record["id"] > after][:10]})


def by_link(asked: Asked) -> Reply:
    start = int(asked.params.get("from", 0))
    more = start + 10 < len(HELD)
    links = f'</tickets?from=0>; rel="first", </tickets?from={start + 10}>; title="a, b"; rel="next"' if more else ""
    return Reply(HELD[start : start + 10], headers={"Link": links})


def by_relative_url(asked: Asked) -> Reply:
    start = int(asked.params.get("from", 0))
    return Reply({"data": HELD[start : start + 10], "next": f"?from={start + 10}" if start + 10 < len(HELD) else None})


def by_url(asked: Asked) -> Reply:
    start = int(asked.params.get("from", 0))
    following = f"/tickets?from={start + 10}" if start + 10 < len(HELD) else ""
    return Reply({"data": HELD[start : start + 10], "@next": following})


PAGE = {"page": "{page.number}", "size": "10"}
AFTER = {"after": "{page.cursor}"}
# name: (server, request, resource, how many requests)
WAYS: dict[str, tuple[Callable[[Asked], Reply], dict, dict, int]] = {
    "page until an empty one": (
        by_page,
        {"params": {"page": "{page.number}", "size": "{page.size}"}, "pages": {"by": "page", "size": 10}},
        {},
        4,
    ),
    "page until a short one": (
        by_page,
        {"params": PAGE, "pages": {"by": "page", "size": 10, "short_page_ends": True}},
        {},
        3,
    ),
    "page until their number": (by_page, {"params": PAGE, "pages": {"by": "page", "total_pages": "pages"}}, {}, 3),
    "page until all are there": (by_page, {"params": PAGE, "pages": {"by": "page", "total": "total"}}, {}, 3),
    "offset while there is more": (
        by_offset,
        {"params": {"offset": "{page.offset}"}, "pages": {"by": "offset", "more": "more"}},
        {},
        3,
    ),
    "cursor": (by_cursor, {"params": AFTER, "pages": {"by": "cursor", "at": "meta.next"}}, {}, 3),
    "cursor until done": (
        by_cursor,
        {"params": AFTER, "pages": {"by": "cursor", "at": "meta.next", "done": "meta.done"}},
        {},
        3,
    ),
    "cursor in a header": (
        by_cursor_in_header,
        {"params": {"locator": "{page.cursor}"}, "pages": {"by": "cursor", "header": "locator", "last": ["null"]}},
        {},
        3,
    ),
    "cursor in the body of a POST": (
        by_cursor_in_body,
        {"body": AFTER, "pages": {"by": "cursor", "at": "paging.next.after"}},
        {},
        3,
    ),
    "keyset": (by_key, {"params": {"after": "{page.last}"}, "pages": {"by": "keyset", "value": "id"}}, {}, 4),
    "link": (by_link, {"pages": {"by": "link"}}, {"records": None}, 3),
    "next URL that is only a query": (by_relative_url, {"pages": {"by": "next_url", "at": "next"}}, {}, 3),
    "next URL": (by_url, {"pages": {"by": "next_url", "at": '$."@next"'}}, {}, 3),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_paging_brings_everything_once(server: RestServer, extract, way: str) -> None:
    answer, request, resource, count = WAYS[way]
    server.reset(answer)
    manifest, rows = extract(desk(request, resource=resource), WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == numbers(HELD)
    assert manifest.received == len(HELD)
    assert len(server.asked) == count


def test_the_cursor_keeps_its_type_in_a_body_and_is_left_out_at_first(server: RestServer, extract) -> None:
    server.reset(by_cursor_in_body)
    request = WAYS["cursor in the body of a POST"][1]
    extract(desk(request), WINDOW, resolver=lambda _: server.connection())
    assert [asked.body for asked in server.asked] == [{}, {"after": 10}, {"after": 20}]


def test_a_cursor_that_comes_again_is_an_error_that_names_the_page(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply({"data": HELD[:10], "meta": {"next": "at-0"}}))
    source = desk({"params": {"after": "{page.cursor}"}, "pages": {"by": "cursor", "at": "meta.next"}})
    with pytest.raises(SourceError, match="page 3 repeats"):
        extract(source, WINDOW, resolver=lambda _: server.connection())


def test_a_page_parameter_that_the_server_ignores_is_noticed(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply({"data": HELD[:10]}))
    source = desk({"params": {"p": "{page.number}"}, "pages": {"by": "page"}})
    with pytest.raises(SourceError, match="repeats what came before"):
        extract(source, WINDOW, resolver=lambda _: server.connection())
    assert len(server.asked) == 4


def test_pages_have_a_ceiling(server: RestServer, extract) -> None:
    server.reset(by_key)
    source = desk({"params": {"after": "{page.last}"}, "pages": {"by": "keyset", "value": "id", "max_pages": 2}})
    with pytest.raises(SourceError, match="more than 2 pages"):
        extract(source, WINDOW, resolver=lambda _: server.connection())


def test_overlapping_pages_give_each_record_once(server: RestServer, extract) -> None:
    def answer(asked: Asked) -> Reply:
        start = int(asked.params["offset"])
        return Reply({"data": HELD[max(0, start - 3) : start + 10], "total": len(HELD)})

    server.reset(answer)
    pages = {"by": "page", "first": 0, "total_pages": "n"}
    source = desk({"params": {"offset": "{page.number}0"}, "pages": pages})
    manifest, rows = extract(source, WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == numbers(HELD)
    assert manifest.received == len(HELD)
