"""Kind `rest` against a server that means no good: nothing lost, nothing doubled, and always a clear end."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from support.rest_desk import WINDOW, desk, keys, numbers, ticket
from support.rest_server import Asked, Reply, RestServer, rest_server

from hansei.errors import SourceError

HELD = [ticket(number) for number in range(30)]
BY_CURSOR = {"params": {"after": "{page.cursor}"}, "pages": {"by": "cursor", "at": "next"}}


def honest(asked: Asked) -> Reply:
    start = int(asked.params.get("after") or 0)
    return Reply({"data": HELD[start : start + 10], "next": str(start + 10) if start + 10 < len(HELD) else None})


class Troubled:
    """The honest server, but every page is first met by each of these replies, one after the other."""

    def __init__(self, *troubles: Reply) -> None:
        self.troubles = troubles
        self.met: dict[str, int] = {}

    def __call__(self, asked: Asked) -> Reply:
        page = asked.params.get("after", "")
        count = self.met[page] = self.met.get(page, 0) + 1
        return self.troubles[count - 1] if count <= len(self.troubles) else honest(asked)


WHOLE = honest(Asked("GET", "/tickets", {}, {})).content()
HALF = Reply(WHOLE, break_after=len(WHOLE) // 2)
TROUBLES = {
    "a storm of 429": [Reply({}, 429, {"Retry-After": "0"})] * 8,
    "429 until a date": [Reply({}, 429, {"Retry-After": format_datetime(datetime.now(UTC), usegmt=True)})],
    "500, 502, 503": [Reply({}, 500), Reply(b"<html>", 502, {"Content-Type": "text/html"}), Reply({}, 503)],
    "a reset in the middle of the body": [HALF, HALF],
    "a body that ends too early": [Reply(WHOLE, headers={"Content-Length": "99999"}, break_after=len(WHOLE))],
    "JSON that breaks off": [Reply(b'{"data": [{"id": 1}, {"id"')],
    "a web page with status 200": [Reply(b"<html>Please sign in</html>", headers={"Content-Type": "text/html"})],
    "an empty answer": [Reply(b"")],
    "gzip that is none": [Reply(WHOLE, headers={"Content-Encoding": "gzip"})],
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_passes_costs_nothing_but_time(server: RestServer, extract, trouble: str) -> None:
    server.reset(Troubled(*TROUBLES[trouble]))
    manifest, rows = extract(desk(BY_CURSOR), WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == numbers(HELD)
    assert manifest.received == len(HELD)
    assert manifest.complete_until == WINDOW.end


LASTING = {
    "500": (Reply({"error": "no luck, asked bob@example.com"}, 500), "answers 500"),
    "a reset": (HALF, "breaks off"),
    "malformed JSON": (Reply(b"{oops"), "no JSON"),
    "a web page": (Reply(b"<html></html>", headers={"Content-Type": "text/html"}), "web page"),
    "wrong bytes": (Reply(b'{"data": "\xff\xfe"}'), "not utf-8"),
    "no list": (Reply({"items": []}), "records 'data' is not there"),
    "a list that is a number": (Reply({"data": 5}), "is ubigint"),
}


@pytest.mark.parametrize("trouble", LASTING)
def test_what_lasts_ends_with_one_line_that_names_it(server: RestServer, extract, trouble: str) -> None:
    reply, said = LASTING[trouble]
    server.reset(lambda asked: reply)
    with pytest.raises(SourceError, match=said) as caught:
        extract(desk(BY_CURSOR), WINDOW, resolver=lambda _: server.connection())
    assert "bob@example.com" not in str(caught.value)
    assert len(server.asked) <= 4


def test_a_slow_drip_is_cut_off(server: RestServer, extract) -> None:
    server.reset(Troubled(Reply(WHOLE, drip=0.05)))
    source = desk(BY_CURSOR, api={"request_time_out": "500ms"})
    _, rows = extract(source, WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == numbers(HELD)


def test_silence_is_cut_off(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply(WHOLE, drip=5.0))
    source = desk(BY_CURSOR, api={"time_out": "300ms", "retries": 1})
    with pytest.raises(SourceError, match=r"breaks off|no answer"):
        extract(source, WINDOW, resolver=lambda _: server.connection())


def test_an_answer_of_200_mb_is_refused_before_it_fills_the_memory(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply(b'{"id": 1, "x": "' + b"y" * 1_000_000, repeat=200))
    source = desk(BY_CURSOR, api={"max_response": "20MB"})
    with pytest.raises(SourceError, match="more than 20 MB"):
        extract(source, WINDOW, resolver=lambda _: server.connection())
    assert len(server.asked) == 1


def test_credentials_do_not_follow_to_another_host(server: RestServer, extract) -> None:
    with rest_server() as other:
        other.reset(honest)
        server.reset(lambda asked: Reply({}, 302, {"Location": f"{other.url}/tickets"}))
        source = desk(BY_CURSOR, api={"auth": {"kind": "header", "name": "X-Api-Key"}})
        with pytest.raises(SourceError, match="leads to another host"):
            extract(source, WINDOW, resolver=lambda _: server.connection())
        assert other.asked == []
        declared = desk({}, api={"auth": {"kind": "header", "name": "X-Api-Key"}, "other_hosts": ["127.0.0.1"]})
        _, rows = extract(declared, WINDOW, resolver=lambda _: server.connection())
        assert keys(rows) == numbers(HELD[:10])
        assert "s3cret-of-the-desk" not in str(other.asked)
        assert "X-Api-Key" not in other.asked[0].headers


def test_a_redirect_on_the_same_host_is_followed_signed(server: RestServer, extract) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/tickets":
            return Reply({}, 307, {"Location": "/v2/tickets"})
        return honest(asked) if asked.headers.get("Authorization") == "Bearer s3cret-of-the-desk" else Reply({}, 403)

    server.reset(answer)
    source = desk({}, api={"auth": {"kind": "bearer"}})
    _, rows = extract(source, WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == numbers(HELD[:10])


def test_redirects_that_go_round_end(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply({}, 302, {"Location": "/tickets"}))
    with pytest.raises(SourceError, match="redirects"):
        extract(desk({}), WINDOW, resolver=lambda _: server.connection())


def test_a_next_url_on_another_host_is_refused(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply({"data": HELD[:10], "next": "https://evil.example.com/tickets"}))
    source = desk({"pages": {"by": "next_url", "at": "next"}}, api={"auth": {"kind": "bearer"}})
    with pytest.raises(SourceError, match=r"evil\.example\.com"):
        extract(source, WINDOW, resolver=lambda _: server.connection())


def test_plain_http_to_another_machine_needs_leave(extract, server: RestServer) -> None:
    connection = server.connection(host="http://desk.example.com")
    with pytest.raises(SourceError, match="without TLS"):
        extract(desk({}), WINDOW, resolver=lambda _: connection)


def test_records_that_move_while_they_are_paged_are_found_in_the_end(server: RestServer, extract) -> None:
    """The first page's first record is changed after that page was read: all others move up by one."""
    held = list(HELD)

    def answer(asked: Asked) -> Reply:
        start = int(asked.params["offset"])
        page = held[start : start + 10]
        if len(server.asked) == 1:
            held.append({**held.pop(0), "status": "solved"})
        return Reply({"data": page, "total": len(held)})

    server.reset(answer)
    source = desk({"params": {"offset": "{page.offset}"}, "pages": {"by": "offset", "total": "total"}})
    _, rows = extract(source, WINDOW, resolver=lambda _: server.connection())
    assert set(keys(rows)) == set(numbers(HELD))
    assert {row["status"] for row in rows if row["ticket_id"] == "desk:0"} == {"open", "solved"}


def test_records_that_never_hold_still_fail_rather_than_be_lost(server: RestServer, extract) -> None:
    def answer(asked: Asked) -> Reply:
        start = int(asked.params["offset"])
        return Reply({"data": HELD[start : start + 9], "total": 31})

    server.reset(answer)
    source = desk({"params": {"offset": "{page.offset}"}, "pages": {"by": "offset", "total": "total"}})
    with pytest.raises(SourceError, match="30 records came, 31 are there"):
        extract(source, WINDOW, resolver=lambda _: server.connection())


@pytest.mark.parametrize("total", [{}, {"total": None}], ids=["absent", "null"])
def test_records_without_the_declared_total_fail_rather_than_be_thought_complete(
    server: RestServer, extract, total: dict
) -> None:
    """Request Tracker 5.0.5 names neither total nor next page to accounts that are no superuser."""
    server.reset(lambda asked: Reply({"data": HELD[:10], **total}))
    source = desk({"pages": {"by": "next_url", "at": "next", "total": "total"}})
    with pytest.raises(SourceError, match="10 records came, and no number of all records at total"):
        extract(source, WINDOW, resolver=lambda _: server.connection())


def test_an_empty_list_needs_no_total(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply({"data": []}))
    source = desk({"pages": {"by": "next_url", "at": "next", "total": "total"}})
    _, rows = extract(source, WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == []


def test_a_server_whose_clock_is_behind_is_not_complete_up_to_our_time(server: RestServer, extract) -> None:
    behind = WINDOW.end - timedelta(minutes=7)
    server.reset(
        lambda asked: Reply({"data": HELD}, headers={"Date": format_datetime(behind.replace(tzinfo=UTC), True)})
    )
    manifest, rows = extract(desk({}), WINDOW, resolver=lambda _: server.connection())
    assert len(rows) == len(HELD)
    assert manifest.complete_until == behind


def test_no_secret_reaches_logs_or_messages(server: RestServer, extract, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = {"message": "key s3cret-of-the-desk of bob@example.com is wrong"}
    server.reset(Troubled(Reply({}, 500), Reply(told, 400)))
    source = desk(BY_CURSOR, api={"auth": {"kind": "query", "name": "api_key"}})
    with pytest.raises(SourceError, match="answers 400") as caught:
        extract(source, WINDOW, resolver=lambda _: server.connection())
    assert server.asked[0].params["api_key"] == "s3cret-of-the-desk"
    for text in (str(caught.value), caplog.text):
        assert "s3cret-of-the-desk" not in text
        assert "bob@example.com" not in text
    assert "127.0.0.1" in caplog.text
