"""A small help desk behind HTTP, and the definition of a source that reads it."""

from __future__ import annotations

from datetime import datetime, timedelta

from hansei.catalog.sources import Source
from hansei.catalog.windows import Window

START = datetime(2026, 3, 1)
WINDOW = Window(START, datetime(2026, 3, 2))


def ticket(number: int) -> dict:
    updated = f"{START + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}"
    return {"id": number, "status": "open", "created": "2026-02-01T00:00:00Z", "updated": updated}


def desk(request: dict, **more: object) -> Source:
    """A source of tickets whose one resource is asked for by `request`."""
    return Source.model_validate(desk_definition(request, **more))


def desk_definition(request: dict, **more: object) -> dict:
    """The same as plain data."""
    resource = {"request": {"path": "/tickets", **request}, "records": "data", **more.pop("resource", {})}
    api = {"first_wait": "10ms", "retries": 3, **more.pop("api", {})}
    columns = {"ticket_id": {"path": "id"}, "status": {"path": "status"}, "created_at": {"path": "created"}}
    return {
        "id": "desk", "kind": "rest", "instance": "desk", "description": "A test", "owner": "nobody", "zone": "UTC",
        "connection": "desk", "api": api, "resources": {"tickets": resource},
        "entities": [{"entity": "tickets", "resource": "tickets", "version": {"path": "updated"}, "columns": columns}],
        **more,
    }  # fmt: skip


def keys(rows: list[dict]) -> list[str]:
    return [row["ticket_id"].removeprefix("desk:") for row in rows]


def numbers(records: list[dict]) -> list[str]:
    return [str(record["id"]) for record in records]
