"""Records that belong to others: asked for per parent, side by side in one answer, or nested inside each other."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from support.rest_desk import WINDOW, desk, desk_definition, ticket
from support.rest_server import Asked, Reply, RestServer

from hansei.catalog.sources import Source

CHANGE = {
    "event_id": {"path": "id"},
    "ticket_id": {"path": "$parent.id"},
    "occurred_at": {"path": "at"},
    "event_type": {"constant": "status"},
    "value": {"path": "to"},
}
# Tickets 1 and 2 lie in the window, 90 was changed a day after it.
TICKETS = [{**ticket(number), "users": [number]} for number in (1, 2)]
OUTSIDE = {**ticket(90), "updated": "2026-03-03T00:00:00Z"}


def with_events(changes: dict, columns: dict | None = None, **resources: dict) -> Source:
    """The desk with a resource `changes` that feeds ticket_events."""
    definition = desk_definition({})
    definition["resources"]["tickets"]["cursor"] = "updated"
    definition["resources"] |= {"changes": changes, **resources}
    definition["entities"].append({"entity": "ticket_events", "resource": "changes", "columns": columns or CHANGE})
    return Source.model_validate(definition)


def events(rows: list[dict]) -> list[tuple]:
    return sorted((row["event_id"], row["ticket_id"], row["value"]) for row in rows)


def change(number: int, to: str = "open") -> dict:
    return {"id": number, "at": "2026-03-01T01:00:00Z", "to": to}


def test_children_are_asked_for_per_parent_of_the_window(server: RestServer, extract) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/tickets":
            return Reply({"data": [*TICKETS, OUTSIDE]})
        number, page = int(asked.path.split("/")[2]), int(asked.params["page"])
        return Reply([change(number * 10 + page)] if page < 3 else [])

    server.reset(answer)
    source = with_events(
        {
            "for_each": {"resource": "tickets"},
            "request": {
                "path": "/tickets/{parent.id}/changes",
                "params": {"page": "{page.number}"},
                "pages": {"by": "page"},
            },
        }
    )
    _, rows = extract(source, WINDOW, resolver=lambda _: server.connection(), entity="ticket_events")
    assert events(rows) == [
        (f"desk:{number * 10 + page}", f"desk:{number}", "open") for number in (1, 2) for page in (1, 2)
    ]
    asked = [asked.path for asked in server.asked]
    assert asked.count("/tickets") == 1
    assert "/tickets/90/changes" not in asked


def test_parents_may_be_chosen_and_values_given(server: RestServer, extract) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/tickets":
            return Reply({"data": [{**item, "comments": item["id"] - 1} for item in TICKETS]})
        return Reply([change(int(asked.path.split("/")[2]))])

    server.reset(answer)
    request = {"path": "/tickets/{parent.id}/changes"}
    chosen = {"resource": "tickets", "where": {"path": "comments", "equals": ["1"]}}
    source = with_events({"for_each": chosen, "request": request})
    _, rows = extract(source, WINDOW, resolver=lambda _: server.connection(), entity="ticket_events")
    assert events(rows) == [("desk:2", "desk:2", "open")]
    server.reset(answer)
    columns = {**CHANGE, "ticket_id": {"path": "$parent.value"}}
    given = {"for_each": {"values": [7, 8]}, "request": {"path": "/tickets/{parent.value}/changes"}}
    _, rows = extract(with_events(given, columns), WINDOW, "again", lambda _: server.connection(), "ticket_events")
    assert events(rows) == [("desk:7", "desk:7", "open"), ("desk:8", "desk:8", "open")]


def test_parents_may_be_chosen_by_having_a_field_at_all(server: RestServer, extract) -> None:
    """`comments: null` is a field; only a record that lacks it has none."""
    held = [{**TICKETS[0], "comments": None}, TICKETS[1]]
    server.reset(lambda asked: Reply({"data": held} if asked.path == "/tickets" else [change(7)]))
    request = {"path": "/tickets/{parent.id}/changes"}
    for number, (has_key, expected) in enumerate([(True, "desk:1"), (False, "desk:2")]):
        chosen = {"resource": "tickets", "where": {"path": "comments", "has_key": has_key}}
        source = with_events({"for_each": chosen, "request": request})
        means = (WINDOW, f"run {number}", lambda _: server.connection(), "ticket_events")
        assert events(extract(source, *means)[1]) == [("desk:7", expected, "open")]


def test_parents_may_be_chosen_by_the_items_of_a_list(server: RestServer, extract) -> None:
    held = [{**TICKETS[0], "tags": [{"tag": "vip"}]}, {**TICKETS[1], "tags": [{"tag": "late"}, {"tag": "vip"}]}]
    server.reset(lambda asked: Reply({"data": held} if asked.path == "/tickets" else [change(7)]))
    chosen = {"resource": "tickets", "where": {"path": "tags[*].tag", "equals": ["late,vip"]}}
    source = with_events({"for_each": chosen, "request": {"path": "/tickets/{parent.id}/changes"}})
    _, rows = extract(source, WINDOW, resolver=lambda _: server.connection(), entity="ticket_events")
    assert events(rows) == [("desk:7", "desk:2", "open")]


BATCHED = {**CHANGE, "ticket_id": {"path": "ticket"}}


@pytest.mark.parametrize(
    ("request_", "seen"),
    [
        ({"path": "/changes", "params": {"ids": "{parent.id}"}}, lambda asked: asked.params["ids"].split(",")),
        ({"path": "/changes/{parent.id}"}, lambda asked: asked.path.split("/")[2].split(",")),
        ({"path": "/changes", "params": {"q": "in ({parent.id})"}}, lambda asked: asked.params["q"][4:-1].split(",")),
        ({"path": "/changes", "body": {"ids": "{parent.id}"}}, lambda asked: [str(item) for item in asked.body["ids"]]),
        ({"path": "/changes", "form": {"ids": "{parent.id}"}}, lambda asked: asked.body["ids"].split(",")),
    ],
)  # fmt: skip
def test_parents_may_share_a_request(server: RestServer, extract, request_: dict, seen) -> None:
    parents = [ticket(number) for number in range(1, 8)]

    def answer(asked: Asked) -> Reply:
        if asked.path == "/tickets":
            return Reply({"data": parents})
        return Reply([{**change(int(key) * 10), "ticket": int(key)} for key in seen(asked)])

    server.reset(answer)
    source = with_events({"for_each": {"resource": "tickets", "at_once": 3}, "request": request_}, BATCHED)
    _, rows = extract(source, WINDOW, resolver=lambda _: server.connection(), entity="ticket_events")
    assert events(rows) == [(f"desk:{number}0", f"desk:{number}", "open") for number in range(1, 8)]
    batches = [seen(asked) for asked in server.asked if asked.path != "/tickets"]
    assert batches == [["1", "2", "3"], ["4", "5", "6"], ["7"]]


def test_a_list_of_parents_may_repeat_a_parameter(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply({"data": []} if asked.path == "/tickets" else [{**change(7), "ticket": 7}]))
    request = {"path": "/changes", "params": {"id": ["{parent.value}"], "all": True}}
    source = with_events({"for_each": {"values": [7, 8, 9], "at_once": 2}, "request": request}, BATCHED)
    extract(source, WINDOW, resolver=lambda _: server.connection(), entity="ticket_events")
    queries = [asked.query for asked in server.asked if asked.path == "/changes"]
    assert queries == ["id=7&id=8&all=true", "id=9&all=true"]


def test_a_row_that_shares_its_request_has_no_parent(server: RestServer) -> None:
    batched = {
        "for_each": {"resource": "tickets", "at_once": 3},
        "request": {"path": "/c", "params": {"i": "{parent.id}"}},
    }
    with pytest.raises(ValidationError, match=r"\$parent\.id: a row does not know which of 3 parents"):
        with_events(batched)
    nested = {**CHANGE, "ticket_id": {"path": "$parent.$parent.id"}}
    with pytest.raises(ValidationError, match="a row does not know which"):
        with_events({"pages_of": "batches", "each": "items"}, nested, batches=batched)
    # of the record that holds the list each row knows
    with_events({"pages_of": "batches", "each": "items"}, CHANGE, batches=batched)


def test_a_grid_asks_for_every_combination(server: RestServer, extract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_QUEUES", "support, sales")
    server.reset(lambda asked: Reply({"total": 4}))
    grid = {"queue": ["${DESK_QUEUES}"], "day": {"days": 2, "zone": "Europe/Berlin"}}
    request = {"path": "/count", "params": {"q": "{parent.queue} {parent.day} {parent.next_day}"}}
    columns = {
        "ticket_id": {"path": "$parent.queue"}, "occurred_at": {"path": "$parent.day"},
        "event_type": {"constant": "step"}, "value": {"path": "total"},
    }  # fmt: skip
    definition = desk_definition({"path": "/count"})
    definition["resources"] = {"counts": {"for_each": {"grid": grid}, "request": request}}
    definition["entities"] = [{"entity": "ticket_events", "resource": "counts", "columns": columns}]
    _, rows = extract(Source.model_validate(definition), WINDOW, resolver=lambda _: server.connection())
    assert [asked.params["q"] for asked in server.asked] == [
        f"{queue} {days}"
        for queue in ("support", "sales")
        for days in ("2026-03-01 2026-03-02", "2026-03-02 2026-03-03")
    ]
    assert [(row["ticket_id"], row["value"]) for row in rows] == [("desk:support", "4")] * 2 + [("desk:sales", "4")] * 2


def test_a_parent_value_is_quoted_in_a_path(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply({"data": []} if asked.path == "/tickets" else []))
    extract(
        with_events({"for_each": {"values": ["a/b?c"]}, "request": {"path": "/x/{parent.value}"}}),
        WINDOW,
        resolver=lambda _: server.connection(),
    )
    assert "/x/a%2Fb%3Fc" in [asked.path for asked in server.asked]


def test_lists_inside_records_give_rows_that_see_every_level_above(server: RestServer, extract) -> None:
    records = [
        {
            **ticket(number),
            "key": f"T-{number}",
            "colour": "red",
            "log": {
                "entries": [{"id": number, "at": "2026-03-01T02:00:00Z", "items": [{"to": "open"}, {"to": "done"}]}]
            },
        }
        for number in (1, 2)
    ]
    outside = {**records[0], **OUTSIDE, "key": "T-90"}
    server.reset(lambda asked: Reply({"data": [*records, outside]}))
    columns = {
        "ticket_id": {"path": "$parent.$parent.key"},
        "occurred_at": {"path": "$parent.at"},
        "sequence_number": {"path": "$position"},
        "event_type": {"constant": "status"},
        "value": {"path": "to"},
    }
    source = with_events(
        {"pages_of": "entries", "each": "items"}, columns, entries={"pages_of": "tickets", "each": "log.entries"}
    )
    manifest, rows = extract(source, WINDOW, resolver=lambda _: server.connection(), entity="ticket_events")
    found = sorted((row["ticket_id"], row["sequence_number"], row["value"], row["occurred_at"].hour) for row in rows)
    assert found == [
        ("desk:T-1", 1, "open", 2),
        ("desk:T-1", 2, "done", 2),
        ("desk:T-2", 1, "open", 2),
        ("desk:T-2", 2, "done", 2),
    ]
    assert len(server.asked) == 1
    # What is read for the rows below is no new field of a ticket.
    assert {drift.field for drift in manifest.entities["tickets"].drift if drift.kind == "new"} == {"colour"}
    assert manifest.entities["ticket_events"].drift == ()


def test_entries_of_an_object_and_plain_items_are_rows(server: RestServer, extract) -> None:
    record = {**ticket(1), "answers": {"Q1": 5, "Q2": "fine"}, "tags": ["b", "a"]}
    server.reset(lambda asked: Reply({"data": [record]}))
    columns = {
        "ticket_id": {"path": "$parent.id"},
        "occurred_at": {"path": "$parent.updated"},
        "event_type": {"constant": "step"},
        "field": {"path": "$key"},
        "value": {"path": "value"},
    }
    source = with_events({"pages_of": "tickets", "each": "answers"}, columns)
    _, rows = extract(source, WINDOW, resolver=lambda _: server.connection(), entity="ticket_events")
    assert [(row["field"], row["value"]) for row in rows] == [("Q1", "5"), ("Q2", "fine")]
    server.reset(lambda asked: Reply({"data": [record]}))
    source = with_events({"pages_of": "tickets", "each": "tags"}, columns)
    _, rows = extract(source, WINDOW, "again", lambda _: server.connection(), "ticket_events")
    assert [(row["field"], row["value"]) for row in rows] == [("0", "b"), ("1", "a")]


def test_side_loaded_records_of_several_pages_come_once(server: RestServer, extract) -> None:
    pages = {
        "1": {"data": [ticket(1)], "log": [change(1), change(2)], "next": "2"},
        "2": {"data": [ticket(2)], "log": [change(2), change(3)], "next": None},
        "3": {},
    }
    server.reset(lambda asked: Reply(pages[asked.params.get("c", "1")]))
    source = with_events(
        {"pages_of": "tickets", "records": "log"},
        {**CHANGE, "ticket_id": {"path": "id"}},
        tickets={
            "request": {"path": "/t", "params": {"c": "{page.cursor}"}, "pages": {"by": "cursor", "at": "next"}},
            "records": "data",
        },
    )
    manifest, rows = extract(source, WINDOW, resolver=lambda _: server.connection(), entity="ticket_events")
    assert [row["event_id"] for row in rows] == ["desk:1", "desk:2", "desk:3"]
    assert manifest.entities["tickets"].received == 2
    assert len(server.asked) == 2


@pytest.mark.parametrize("path", ["data[*].hit", "$.data[*].hit"])
def test_records_may_lie_inside_of_a_list(server: RestServer, extract, path: str) -> None:
    server.reset(lambda asked: Reply({"data": [{"hit": ticket(1)}, {"hit": ticket(2)}]}))
    source = desk({}, resource={"records": path})
    _, rows = extract(source, WINDOW, resolver=lambda _: server.connection())
    assert [row["ticket_id"] for row in rows] == ["desk:1", "desk:2"]


def test_numbers_arrive_as_the_source_wrote_them(server: RestServer, extract) -> None:
    text = b'{"data": [{"id": 12345678901234567890123, "status": "open", "created": "2026-02-01T00:00:00Z"}]}'
    server.reset(lambda asked: Reply(text))
    _, rows = extract(desk({}, entities=[{
        "entity": "tickets", "resource": "tickets",
        "columns": {"ticket_id": {"path": "id"}, "status": {"path": "status"}, "created_at": {"path": "created"}},
    }]), WINDOW, resolver=lambda _: server.connection())  # fmt: skip
    assert [row["ticket_id"] for row in rows] == ["desk:12345678901234567890123"]
