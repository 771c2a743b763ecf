"""What a night over HTTP will cost, told from the last day and a few parents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from support.rest_desk import desk_definition
from support.rest_server import Asked, Reply, RestServer

from hansei.catalog.sources import Source
from hansei.sources.access import Access, check_access
from hansei.sources.report import night_cost

TICKETS = 34


def recent(number: int) -> dict:
    at = datetime.now(UTC) - timedelta(minutes=number + 10)
    return {"id": number, "status": "open", "created": "2026-01-01T00:00:00Z", "updated": f"{at:%Y-%m-%dT%H:%M:%SZ}"}


def answer(asked: Asked) -> Reply:
    """Tickets ten a page; of each ticket two pages with one change each; many at once: a change of each ticket."""
    page = int(asked.params.get("page", 1))
    if asked.path == "/tickets":
        return Reply({"data": [recent(number) for number in range(TICKETS)][(page - 1) * 10 : page * 10]})
    if asked.path == "/changes":
        keys = [int(key) for key in asked.params["ids"].split(",")]
        return Reply([{"id": key, "ticket": key, "at": recent(key)["updated"], "to": "open"} for key in keys])
    number = int(asked.path.split("/")[2])
    found = {"id": number * 10 + page, "ticket": number, "at": recent(number)["updated"], "to": "open"}
    return Reply([found] if page < 3 else [])


PAGED = {"params": {"page": "{page.number}"}, "pages": {"by": "page", "size": 10, "short_page_ends": True}}
EACH = {
    "for_each": {"resource": "tickets"},
    "request": {"path": "/tickets/{parent.id}/changes", "params": {"page": "{page.number}"}, "pages": {"by": "page"}},
}
MANY = {
    "for_each": {"resource": "tickets", "at_once": 4},
    "request": {"path": "/changes", "params": {"ids": "{parent.id}"}},
}


def source(changes: dict, **more: object) -> Source:
    definition = desk_definition(PAGED, api={"rate": {"per_minute": 50}}, resource={"cursor": "updated"}, **more)
    definition["resources"]["changes"] = changes
    columns = {
        "event_id": {"path": "id"}, "ticket_id": {"path": "ticket"}, "occurred_at": {"path": "at"},
        "event_type": {"constant": "status"}, "value": {"path": "to"},
    }  # fmt: skip
    definition["entities"].append({"entity": "ticket_events", "resource": "changes", "columns": columns})
    return Source.model_validate(definition)


@pytest.fixture
def check(server: RestServer, catalog, settings) -> Callable[[Source], dict[str, Access]]:
    def run(declared: Source) -> dict[str, Access]:
        found = check_access(declared, catalog, settings, lambda _: server.connection())
        return {access.name: access for access in found}

    return run


@pytest.mark.parametrize(
    ("changes", "asked", "requests", "rows"),
    [
        (EACH, 30, TICKETS * 3, TICKETS * 2),  # ten tickets with three questions each
        (MANY, 3, 9, TICKETS),  # four, four and two of ten; 34 tickets take nine questions
    ],
)
def test_few_parents_stand_for_all(
    server: RestServer, check, changes: dict, asked: int, requests: int, rows: int
) -> None:
    server.reset(answer)
    access = check(source(changes))
    tickets, events = access["tickets"], access["changes"]
    assert (tickets.requests_a_night, tickets.rows_a_night, tickets.basis) == (4, TICKETS, "read for the last day")
    assert (events.requests_a_night, events.rows_a_night) == (requests, rows)
    assert events.basis == "estimated from 10 of 34 that are asked for"
    assert len(server.asked) == 4 + asked
    cost = night_cost(source(changes), list(access.values()))
    assert cost.startswith(f"a night asks about {4 + requests} requests; with 50 a minute they take")
    assert cost.endswith({106: "3 min", 13: "1 min"}[4 + requests])


def test_what_is_refused_costs_nothing_and_stops_no_other(server: RestServer, check) -> None:
    server.reset(lambda asked: answer(asked) if asked.path == "/tickets" else Reply({}, 403))
    access = check(source(EACH))
    assert access["tickets"].is_readable
    assert not access["changes"].is_readable
    assert "answers 403" in access["changes"].message
    assert night_cost(source(EACH), list(access.values())).startswith("a night asks about 4 requests")


def test_without_a_connection_every_resource_says_so(check, server: RestServer) -> None:
    declared = source(EACH)
    declared = declared.model_copy(update={"api": declared.api.model_copy(update={"base_url": "ftp://desk.example"})})
    access = check(declared)
    assert [item.is_readable for item in access.values()] == [False, False]
    assert night_cost(declared, list(access.values())) is None
