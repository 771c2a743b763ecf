"""Kind `rest`: a night asks for its window, ends cleanly when time is over, and goes on where an attempt broke off."""

from __future__ import annotations

import io
import json
import time
import zipfile
from base64 import b64encode
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.rest_desk import START, WINDOW, desk, keys, numbers, ticket
from support.rest_server import Asked, Reply, RestServer

from hansei.catalog.rest import AskedWindow
from hansei.catalog.windows import Window
from hansei.errors import SourceError
from hansei.sources.rest.windows import written

HELD = [ticket(number) for number in range(30)]
BY_CURSOR = {"params": {"after": "{page.cursor}"}, "pages": {"by": "cursor", "at": "next"}}

# start, end of the window 2026-02-28 23:59:30.5 to 2026-03-01 00:00:30.5 UTC
BOUNDS = {
    "iso": ("2026-02-28T23:59:30Z", "2026-03-01T00:00:31Z"),
    "unix": (1772323170, 1772323231),
    "unix_ms": (1772323170500, 1772323230500),
    "date": ("2026-02-28", "2026-03-02"),
    "%Y/%m/%d %H:%M": ("2026/02/28 23:59", "2026/03/01 00:01"),
    "%Y-%m-%dT%H:%M:%S.%f": ("2026-02-28T23:59:30.500000", "2026-03-01T00:00:30.500000"),
}


@pytest.mark.parametrize("form", BOUNDS)
def test_bounds_are_written_in_the_format_and_rounded_outwards(form: str) -> None:
    start, end = datetime(2026, 2, 28, 23, 59, 30, 500_000), datetime(2026, 3, 1, 0, 0, 30, 500_000)
    asked = AskedWindow(format=form)
    assert (written(start, asked, is_end=False), written(end, asked, is_end=True)) == BOUNDS[form]


def test_bounds_are_written_in_the_zone() -> None:
    at = datetime(2026, 3, 1, 23, 30)
    berlin = AskedWindow(format="%Y-%m-%d %H:%M", zone="Europe/Berlin")
    assert written(at, berlin, is_end=False) == "2026-03-02 00:30"
    assert written(at, AskedWindow(zone="Europe/Berlin"), is_end=False) == "2026-03-02T00:30:00+01:00"


def test_the_window_is_asked_for_and_rows_outside_are_left_out(server: RestServer, extract) -> None:
    late = {**ticket(90), "updated": "2026-03-02T00:00:00Z"}
    early = {**ticket(91), "updated": "2026-02-28T23:59:59Z"}
    unknown = {**ticket(92), "updated": None}
    server.reset(lambda asked: Reply({"data": [early, *HELD, late, unknown]}))
    request = {"params": {"since": "{window.start}", "q": 'updated < "{window.end}"'}}
    _, rows = extract(desk(request, resource={"cursor": "updated"}), WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == [*numbers(HELD), "92"]
    assert server.asked[0].params == {"since": "2026-03-01T00:00:00Z", "q": 'updated < "2026-03-02T00:00:00Z"'}


def test_a_first_night_starts_at_the_earliest(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply({"data": HELD}))
    request = {"params": {"since": "{window.start}"}, "window": {"format": "unix", "earliest": "2020-01-01"}}
    extract(desk(request), Window(None, WINDOW.end), resolver=lambda _: server.connection())
    assert server.asked[0].params == {"since": "1577836800"}


def test_slices_and_margin_cover_the_window(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply({"data": [ticket(len(server.asked))]}))
    window = {"slice": "8h", "margin": "1h"}
    request = {"params": {"from": "{window.start}", "to": "{window.end}"}, "window": window}
    _, rows = extract(desk(request), WINDOW, resolver=lambda _: server.connection())
    asked = [(asked.params["from"][5:16], asked.params["to"][5:16]) for asked in server.asked]
    assert asked == [
        ("02-28T23:00", "03-01T07:00"), ("03-01T07:00", "03-01T15:00"), ("03-01T15:00", "03-01T23:00"),
        ("03-01T23:00", "03-02T01:00"),
    ]  # fmt: skip
    assert len(rows) == 4


def limited(asked: Asked) -> Reply:
    """At most 20 of the records from `since` on, ten a page, like an index that ends early."""
    since = [record for record in HELD if record["updated"] >= asked.params["since"]]
    start = int(asked.params["offset"])
    if start >= 20:
        return Reply({"message": "too far"}, 400)
    return Reply({"data": since[start : start + 10], "more": start + 10 < len(since)})


def test_behind_the_limit_of_an_answer_is_asked_from_the_newest_record(server: RestServer, extract) -> None:
    server.reset(limited)
    request = {
        "params": {"since": "{window.start}", "offset": "{page.offset}"},
        "pages": {"by": "offset", "more": "more", "limit": 20},
        "window": {"ordered": True},
    }
    _, rows = extract(desk(request, resource={"cursor": "updated"}), WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == numbers(HELD)


def test_more_records_of_one_instant_than_an_answer_holds_are_an_error(server: RestServer, extract) -> None:
    same = [{**ticket(0), "id": number} for number in range(30)]
    server.reset(lambda asked: Reply({"data": same[int(asked.params["offset"]) :][:10], "more": True}))
    request = {
        "params": {"since": "{window.start}", "offset": "{page.offset}"},
        "pages": {"by": "offset", "more": "more", "limit": 20},
    }
    with pytest.raises(SourceError, match="more than 20 records have the same updated"):
        extract(desk(request, resource={"cursor": "updated"}), WINDOW, resolver=lambda _: server.connection())


def test_newest_first_is_read_until_a_page_is_older_than_the_window(server: RestServer, extract) -> None:
    newest_first = [
        *reversed(HELD),
        *({**ticket(number), "updated": "2026-02-01T00:00:00Z"} for number in range(40, 90)),
    ]
    server.reset(lambda asked: Reply({"data": newest_first[int(asked.params["offset"]) :][:10]}))
    request = {
        "params": {"offset": "{page.offset}"}, "pages": {"by": "offset"}, "window": {"ordered": "descending"},
    }  # fmt: skip
    manifest, rows = extract(
        desk(request, resource={"cursor": "updated"}), WINDOW, resolver=lambda _: server.connection()
    )
    assert sorted(keys(rows), key=int) == numbers(HELD)
    assert len(server.asked) == 4
    assert manifest.complete_until == WINDOW.end


def closing(pages: int):
    """Answers so many pages in a minute-less time, then wants an hour's rest."""

    def answer(asked: Asked) -> Reply:
        if len(server_asked := closing.asked) > pages:
            return Reply({}, 429, {"Retry-After": "36000"})
        server_asked.append(asked)
        start = int(asked.params.get("after") or 0)
        return Reply({"data": HELD[start : start + 10], "next": str(start + 10) if start + 10 < len(HELD) else None})

    closing.asked = [None]
    return answer


def test_an_ordered_resource_ends_early_complete_up_to_where_it_came(server: RestServer, extract) -> None:
    server.reset(closing(2))
    request = {**BY_CURSOR, "window": {"ordered": True}}
    source = desk(request, resource={"cursor": "updated"})
    manifest, rows = extract(source, WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == numbers(HELD[:20])
    assert manifest.complete_until == START + timedelta(minutes=19)
    rest = Window(manifest.complete_until, WINDOW.end)
    server.reset(closing(9))
    manifest, rows = extract(source, rest, "next night", lambda _: server.connection())
    assert manifest.complete_until == WINDOW.end
    assert keys(rows) == numbers(HELD[19:])


def test_order_that_does_not_hold_is_not_believed(server: RestServer, extract) -> None:
    server.reset(closing(2))
    held = [{**HELD[0], "id": 99}, *HELD[:9], {**HELD[0], "id": 77}]
    pages = [Reply({"data": held[:10], "next": "1"}), Reply({"data": held[10:], "next": "2"})]
    server.reset(lambda asked: Reply({}, 429, {"Retry-After": "36000"}), *pages)
    source = desk({**BY_CURSOR, "window": {"ordered": True}}, resource={"cursor": "updated"})
    with pytest.raises(SourceError, match="stopped before the end"):
        extract(source, WINDOW, resolver=lambda _: server.connection())


def test_slices_that_are_done_are_complete(server: RestServer, extract) -> None:
    replies = [Reply({"data": HELD[:5]}), Reply({"data": HELD[5:9]})]
    server.reset(lambda asked: Reply({}, 429, {"Retry-After": "36000"}), *replies)
    request = {"params": {"from": "{window.start}"}, "window": {"slice": "6h"}}
    manifest, rows = extract(desk(request), WINDOW, resolver=lambda _: server.connection())
    assert len(rows) == 9
    assert manifest.complete_until == START + timedelta(hours=12)


def test_the_next_attempt_goes_on_where_the_last_broke_off(server: RestServer, extract, settings) -> None:
    server.reset(closing(2))
    with pytest.raises(SourceError, match="the next attempt goes on from there"):
        extract(desk(BY_CURSOR), WINDOW, resolver=lambda _: server.connection())
    kept = [path for path in Path(settings.spool).rglob("*") if path.is_file()]
    assert [path.name for path in kept if path.suffix == ".fernet"] == ["tickets-00000.fernet"]
    assert not any(b'"status"' in path.read_bytes() for path in kept)
    server.reset(closing(9))
    manifest, rows = extract(desk(BY_CURSOR), WINDOW, resolver=lambda _: server.connection())
    assert [asked.params.get("after") for asked in server.asked] == ["20"]
    assert keys(rows) == numbers(HELD)
    assert manifest.received == len(HELD)
    assert not list(Path(settings.spool).rglob("*.pages"))


def test_children_go_on_too(server: RestServer, extract) -> None:
    definition = desk(
        {"path": "/tickets/{parent.value}"}, resource={"for_each": {"values": [0, 1, 2]}, "records": None}
    )
    rest = Reply({}, 429, {"Retry-After": "36000"})
    server.reset(lambda asked: rest, *[Reply(ticket(number)) for number in (0, 1)])
    with pytest.raises(SourceError, match="stopped before the end"):
        extract(definition, WINDOW, resolver=lambda _: server.connection())
    server.reset(lambda asked: Reply(ticket(int(asked.path[-1]))))
    _, rows = extract(definition, WINDOW, resolver=lambda _: server.connection())
    assert [asked.path for asked in server.asked] == ["/tickets/2"]
    assert keys(rows) == ["0", "1", "2"]


def test_a_cursor_that_has_been_forgotten_is_asked_for_anew(server: RestServer, extract) -> None:
    server.reset(closing(2))
    with pytest.raises(SourceError, match="stopped"):
        extract(desk(BY_CURSOR), WINDOW, resolver=lambda _: server.connection())
    server.reset(closing(9), Reply({"message": "cursor expired"}, 410))
    manifest, rows = extract(desk(BY_CURSOR), WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == numbers(HELD)
    assert manifest.received == len(HELD)


def test_another_definition_starts_anew(server: RestServer, extract) -> None:
    server.reset(closing(2))
    with pytest.raises(SourceError, match="stopped"):
        extract(desk(BY_CURSOR), WINDOW, resolver=lambda _: server.connection())
    server.reset(closing(9))
    changed = desk({**BY_CURSOR, "params": {"after": "{page.cursor}", "all": "yes"}})
    _, rows = extract(changed, WINDOW, resolver=lambda _: server.connection())
    assert server.asked[0].params == {"all": "yes"}
    assert keys(rows) == numbers(HELD)


def test_a_quota_that_is_used_up_is_waited_for(server: RestServer, extract) -> None:
    left = iter([1, 0, 1])

    def answer(asked: Asked) -> Reply:
        reply = closing_all(asked)
        return Reply(reply.body, headers={"X-Left": str(next(left)), "X-Reset": "1"})

    closing_all = closing(9)
    server.reset(answer)
    rate = {"remaining": "X-Left", "reset": "X-Reset", "keep": 0}
    begun = time.monotonic()
    _, rows = extract(desk(BY_CURSOR, api={"rate": rate}), WINDOW, resolver=lambda _: server.connection())
    assert 1 <= time.monotonic() - begun < 20
    assert keys(rows) == numbers(HELD)


def export(result: str, form: str, content: bytes, polls: int = 2):
    """A server that prepares an export: ready after so many questions, then fetched."""
    counts = {"polls": 0}

    def answer(asked: Asked) -> Reply:
        if asked.method == "POST":
            return Reply({"result": {"job": "j1", "since": asked.body["since"]}})
        if asked.path == "/exports/j1":
            counts["polls"] += 1
            is_done = counts["polls"] > polls
            return Reply({"result": {"status": result if is_done else "running", "file": "f 1" if is_done else None}})
        return Reply(content, headers={"Content-Type": form}) if asked.path == "/files/f%201" else Reply({}, 404)

    return answer


EXPORT = {
    "path": "/exports",
    "body": {"since": "{window.start}"},
    "export": {
        "take": {"job": "result.job"},
        "poll": {
            "path": "/exports/{export.job}", "every": "10ms", "status": "result.status", "done": ["complete"],
            "failed": ["failed"], "take": {"file": "result.file"},
        },
        "download": {"path": "/files/{export.file}"},
    },
}  # fmt: skip


def zipped(content: bytes, name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


CSV = b"id,status,created,updated\n1,open,2026-02-01T00:00:00Z,2026-03-01T00:01:00Z\n2,open,2026-02-01T00:00:00Z,\n"
EXPORTED = {
    "json": (json.dumps({"data": HELD[1:3]}).encode(), "application/json", {}),
    "zipped json": (zipped(json.dumps({"data": HELD[1:3]}).encode(), "a.json"), "application/zip", {}),
    "csv": (CSV, "text/csv", {"format": "csv", "records": None}),
    "zipped csv": (zipped(CSV, "a.csv"), "application/zip", {"format": "csv", "records": None}),
    "json lines": (b"".join(json.dumps(record).encode() + b"\n" for record in HELD[1:3]), "text/plain",
                   {"format": "jsonl", "records": None}),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXPORTED)
def test_an_export_is_started_asked_after_and_fetched(server: RestServer, extract, kind: str) -> None:
    content, form, resource = EXPORTED[kind]
    server.reset(export("complete", form, content))
    _, rows = extract(desk(EXPORT, resource=resource), WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == ["1", "2"]
    assert server.asked[0].body == {"since": "2026-03-01T00:00:00Z"}
    assert len(server.asked) == 5


def test_an_export_that_fails_says_so(server: RestServer, extract) -> None:
    server.reset(export("failed", "", b""))
    with pytest.raises(SourceError, match=r"the export failed \(failed\)"):
        extract(desk(EXPORT), WINDOW, resolver=lambda _: server.connection())


def test_pages_of_a_csv_download_each_have_their_own_head(server: RestServer, extract) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.method == "POST":
            return Reply({"id": "j"})
        part = int(asked.params.get("locator", 0))
        body = f"id,status,created,updated\n{part},open,2026-02-01T00:00:00Z,\n".encode()
        return Reply(body, headers={"Content-Type": "text/csv", "Locator": str(part + 1) if part < 2 else "null"})

    server.reset(answer)
    download = {
        "path": "/jobs/{export.job}/results", "params": {"locator": "{page.cursor}"},
        "pages": {"by": "cursor", "header": "Locator", "last": ["null"]},
    }  # fmt: skip
    request = {"path": "/jobs", "body": {"q": "x"}, "export": {"take": {"job": "id"}, "download": download}}
    source = desk(request, resource={"format": "csv", "records": None})
    _, rows = extract(source, WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == ["0", "1", "2"]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_content_inside_of_a_field_is_unpacked(server: RestServer, extract, form: str) -> None:
    content = json.dumps({"data": HELD[1:3]}).encode() if form == "json" else CSV
    server.reset(lambda asked: Reply({"result": b64encode(content).decode()}))
    resource = {} if form == "json" else {"format": "csv", "records": None}
    request = {"content": {"at": "result", "encoding": "base64"}}
    _, rows = extract(desk(request, resource=resource), WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == ["1", "2"]


def test_a_snapshot_over_all_pages_proves_what_is_gone_and_a_window_does_not(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply({"data": HELD}))
    manifest, _ = extract(desk({}, delivery="snapshot"), WINDOW, resolver=lambda _: server.connection())
    assert manifest.entities["tickets"].is_complete_snapshot
    asked = desk({"params": {"since": "{window.start}"}}, delivery="snapshot")
    manifest, _ = extract(asked, WINDOW, "again", lambda _: server.connection())
    assert not manifest.entities["tickets"].is_complete_snapshot
