"""A ticket system in SQLite that counts its own tickets and lists their keys, and nights over it.

The nights run `open_run`, `extract`, `publish`, `model` and the tie-out: what a night does up to its numbers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hansei import pipeline
from hansei.connections import Connection
from hansei.pipeline.context import Context
from hansei.pipeline.tying_out import tie_out_run
from hansei.settings import Settings
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.runs import require_run
from hansei.warehouse.tables import VOLATILE
from support.few_indicators import few

SERVICE = "id: service\nname: Counting\nreporting_zone: Europe/Berlin\nlanguage: en\n"
SOURCE = """\
id: desk
kind: database
instance: desk
description: A ticket system that counts its own tickets
owner: service-desk
connection: desk_db
zone: UTC
events: complete
look_back: 2d
resources:
  tickets: {query: "SELECT * FROM tickets WHERE gone = 0", cursor: updated_at}
  events: {table: events, cursor: happened_at, delivery: append}
  counts: {query: "SELECT day, state, number FROM counts"}
  keys: {query: "SELECT id FROM tickets WHERE gone = 0 AND hidden = 0"}
entities:
  - entity: tickets
    resource: tickets
    version: {path: updated_at}
    deleted_at: {path: deleted_at, missing: [""]}
    columns:
      ticket_id: {path: id}
      status: {path: state, values: {new: new, open: open, resolved: solved}}
      created_at: {path: created_at}
      updated_at: {path: updated_at}
      is_spam: {path: spam}
      merged_into_ticket_id: {path: merged_into, missing: [""]}
  - entity: ticket_events
    resource: events
    columns:
      event_id: {path: id}
      ticket_id: {path: ticket}
      occurred_at: {path: happened_at}
      event_type: {path: type}
      actor_kind: {path: role}
      value: {path: value, missing: [""]}
counts:
  - entity: tickets
    resource: counts
    day: {path: day}
    status: {path: state, values: {new: new, open: open, resolved: solved}}
    count: {path: number}
    days: 10
    leaves_out: []
keys:
  - {entity: tickets, resource: keys, key: {path: id}, every: 7d, most_deleted_ratio: 0.2}
"""
TABLES = """
CREATE TABLE tickets (id INTEGER PRIMARY KEY, state TEXT, created_at TEXT, updated_at TEXT, deleted_at TEXT DEFAULT '',
  spam INTEGER DEFAULT 0, merged_into TEXT DEFAULT '', gone INTEGER DEFAULT 0, hidden INTEGER DEFAULT 0);
CREATE TABLE events (id INTEGER PRIMARY KEY, ticket INTEGER, happened_at TEXT, type TEXT, role TEXT, value TEXT);
CREATE TABLE counts (day TEXT, state TEXT, number INTEGER);
"""


@dataclass
class Desk:
    """The ticket system, and the pipeline that reads it. `clock` is when the next night ends (naive UTC)."""

    file: Path
    context: Context
    clock: datetime

    def execute(self, statement: str, *values: Any) -> list[tuple]:
        connection = sqlite3.connect(self.file)
        with connection:
            found = connection.execute(statement, values).fetchall()
        connection.close()
        return found

    def open(self, number: int, created_at: str, state: str = "new", **more: Any) -> None:
        """A ticket with the events that its state needs."""
        row = {"id": number, "state": state, "created_at": created_at, "updated_at": created_at, **more}
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        self.execute(f"INSERT INTO tickets ({names}) VALUES ({marks})", *row.values())
        self.happened(number, row["created_at"], "created", "customer")
        if state != "new":
            self.happened(number, row["updated_at"], "status", "agent", {"resolved": "solved"}.get(state, state))

    def happened(self, ticket: int, at: str, kind: str, role: str, value: str = "") -> None:
        columns = "INSERT INTO events (ticket, happened_at, type, role, value) VALUES (?, ?, ?, ?, ?)"
        self.execute(columns, ticket, at, kind, role, value)

    def change(self, number: int, at: str, state: str) -> None:
        self.execute("UPDATE tickets SET state = ?, updated_at = ? WHERE id = ?", state, at, number)
        self.happened(number, at, "status", "agent", {"resolved": "solved"}.get(state, state))

    def count(self, condition: str = "gone = 0", day: str = "date(created_at)") -> None:
        """Makes the system's own report: tickets by day of creation and state."""
        self.execute("DELETE FROM counts")
        self.execute(f"INSERT INTO counts SELECT {day}, state, COUNT(*) FROM tickets WHERE {condition} GROUP BY 1, 2")

    def night(self, conf: dict | None = None) -> str:
        """One night that ends at the clock, which then moves on by a day; the run's id."""
        run_id = f"night-{self.clock:%Y-%m-%dT%H%M}" + ("-again" if conf else "")
        context = self.context
        opened = pipeline.open_run(context, run_id, self.clock - timedelta(days=1), self.clock, conf=conf)
        for source in opened["sources"]:
            pipeline.extract(context, run_id, source)
            pipeline.publish(context, run_id, source)
        pipeline.model(context, run_id)
        with self.warehouse() as warehouse, warehouse.transaction():
            tie_out_run(context, warehouse, require_run(warehouse, run_id))
        self.clock += timedelta(days=1)
        return run_id

    @contextmanager
    def warehouse(self) -> Iterator[Warehouse]:
        with open_warehouse(self.context.settings) as opened:
            yield opened

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        with self.warehouse() as warehouse:
            return warehouse.rows(query, parameters)

    def gaps(self, run_id: str) -> dict[tuple[str, str], dict[str, int]]:
        """Cells with a gap or an explanation: (day, status) -> what is not 0, names without `_count`."""
        found = {}
        for row in self.rows("SELECT * FROM ops.reconciliations WHERE run_id = :run_id", run_id=run_id):
            counts = {name[:-6]: row[name] for name in row if name.endswith("_count") and row[name]}
            if set(counts) - {"their", "our"}:
                found[str(row["day"]), row["status"]] = counts
        return found

    def living(self) -> list[str]:
        rows = self.rows("SELECT ticket_id FROM staging.tickets WHERE deleted_at IS NULL ORDER BY ticket_id")
        return [row["ticket_id"] for row in rows]

    def staging(self) -> list[tuple]:
        """Everything in staging that is not volatile, ordered."""
        with self.warehouse() as warehouse:
            names = [name for name in warehouse.columns("staging.tickets") if name not in VOLATILE]
            rows = warehouse.rows(f"SELECT {', '.join(names)} FROM staging.tickets ORDER BY ticket_id")
        return [tuple(row.values()) for row in rows]


def counting_desk(tmp_path: Path, settings: Settings, clock: datetime, source: str = SOURCE) -> Desk:
    """An empty desk; `settings` say which warehouse."""
    definitions = tmp_path / "definitions"
    for name, text in {"service.yaml": SERVICE, "sources/desk.yaml": source}.items():
        path = definitions / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    file = tmp_path / "desk.sqlite"
    connection = sqlite3.connect(file)
    connection.executescript(TABLES)
    connection.close()
    settings = replace(settings, overlays=(definitions,))

    def resolver(name: str) -> Connection:
        assert name == "desk_db"
        return Connection(name, "sqlite", schema=str(file))

    context = pipeline.context(settings, resolver)
    context = replace(context, catalog=replace(context.catalog, indicators=few(context.catalog.indicators)))
    return Desk(file, context, clock)
