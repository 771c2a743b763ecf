"""Whatever happened to a ticket: its ledger is that of a plain walk over its events and of a scan of every minute.

Each example is one build of many random tickets, because a build costs a second and a ticket nothing. Then the same
history arrives shuffled and in parts, night by night, and has to leave the same tables.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.ledger_histories import histories
from support.naive_ledger import ASSIGNMENTS, CALENDARS, Naive, walk
from support.oracle_schedules import write_calendar
from support.stable_tables import table_differences

from hansei.catalog import Catalog, load_catalog
from hansei.catalog.organisation import Service
from hansei.catalog.tables import TableModel
from hansei.settings import load_settings
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.dialect import Dialect
from hansei.warehouse.models import ModelRunner
from hansei.warehouse.publication import record_changes
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import SEEDS, plant
from hansei.warehouse.tables import evolve

TICKETS = 150
KEYS = {"HANSEI_IDENTITY_KEY": "k" * 40, "HANSEI_QUARANTINE_KEY": "cXVhcmFudGluZS1rZXktb2YtdGhlLXRlc3RzLTMyYnk="}
SAID_SEPARATELY = ("service_", "services", "procedure", "survey", "ticket_conformance")


class Desk:
    """A warehouse in which histories are built; `build` starts over, `arrive` goes on."""

    def __init__(self, warehouse: Warehouse, catalog: Catalog) -> None:
        self.warehouse = warehouse
        self.catalog = catalog

    def clear(self) -> None:
        seeds = self.warehouse.sql.text_list(SEEDS)
        self.warehouse.execute(f"DELETE FROM ops.model_states WHERE model NOT IN ({seeds})")
        for table in ("staging.tickets", "staging.ticket_events", "ops.changes"):
            self.warehouse.execute(f"DELETE FROM {table}")

    def arrive(self, tickets: list[dict], events: list[dict], run_id: str) -> None:
        with self.warehouse.transaction():
            for table, rows in (("staging.tickets", tickets), ("staging.ticket_events", events)):
                filled = [name for name in (rows[0] if rows else {}) if any(row[name] is not None for row in rows)]
                if filled:
                    self.warehouse.load(table, pa.Table.from_pylist(rows).select(filled))
            keys = sorted({row["ticket_id"] for row in (*tickets, *events)})
            listed = ", ".join(f"('{key}')" for key in keys)
            changed = f"SELECT key, 'upsert' AS operation FROM (VALUES {listed}) AS touched (key)"
            record_changes(self.warehouse, "staging.tickets", run_id, changed)
            record_changes(self.warehouse, "staging.ticket_events", run_id, changed)
        refresh_models(self.warehouse, self.catalog, "core", run_id)

    def build(self, tickets: list[dict], events: list[dict]) -> None:
        self.clear()
        self.arrive(tickets, events, "full")

    def rows(self, query: str) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.warehouse.rows(query):
            found[row["ticket_id"]].append(row)
        return found

    def tables(self) -> dict[str, pa.Table]:
        """Every table of core that a model made, whole."""
        models = [model for model in self.catalog.tables.values() if model.schema_name == "core"]
        return {
            model.table: self.warehouse.arrow(f"SELECT {', '.join(model.columns)} FROM {model.table}")
            for model in models
        }


def of_the_ledger(catalog: Catalog) -> dict[str, TableModel]:
    """Models without those that are said separately, and without what reads one of them."""
    runner = ModelRunner(catalog, Dialect("duckdb"))
    left_out = {name for name in catalog.tables if name.removeprefix("core.").startswith(SAID_SEPARATELY)}
    for model in runner.order:
        if left_out.intersection(runner.upstreams(model)):
            left_out.add(model.table)
    return {name: model for name, model in catalog.tables.items() if name not in left_out}


@pytest.fixture(scope="module")
def desk(module_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("properties")
    for name, calendar in CALENDARS.items():
        write_calendar(home / "definitions", {"id": name, "name": name, **calendar})
    url = module_url.render_as_string(hide_password=False)
    environment = {"HANSEI_HOME": str(home), "HANSEI_WAREHOUSE": url, "HANSEI_DEFINITIONS": str(home / "definitions")}
    chosen = load_settings({**environment, **KEYS})
    catalog = load_catalog(chosen)
    assigned = [
        {kind: value, "calendar": calendar, **({"from": day} if day else {})}
        for kind, value, calendar, day in ASSIGNMENTS
    ]
    service = {"id": "service", "name": "Service", "reporting_zone": "Pacific/Auckland", "calendar": "berlin"}
    service = Service.model_validate({**service, "calendar_assignments": assigned})
    catalog = replace(catalog, service=service, tables=of_the_ledger(catalog))
    with open_warehouse(chosen) as warehouse:
        evolve(warehouse, catalog)
        plant(warehouse, catalog, "plant")
        yield Desk(warehouse, catalog)


SEED = st.integers(min_value=0, max_value=2**32)
# Nothing is gained by shrinking a seed, and each try would be a build.
FEW = settings(max_examples=2, deadline=None, database=None, phases=[Phase.generate])


@FEW
@given(seed=SEED)
def test_the_ledger_is_that_of_a_plain_walk_and_of_every_minute(desk: Desk, seed: int) -> None:
    tickets, events = histories(seed, TICKETS)
    desk.build(tickets, events)
    naive = naive_ledgers(tickets, events)
    wrong = segments_apart(desk, naive) + transitions_apart(desk, naive) + handoffs_apart(desk, naive)
    wrong += turns_apart(desk, naive) + sums_apart(desk, naive)
    assert not wrong, f"{len(wrong)} faults, such as " + "; ".join(wrong[:5])


@FEW
@given(seed=SEED)
def test_order_of_rows_and_split_into_nights_leave_the_same_tables(desk: Desk, seed: int) -> None:
    tickets, events = histories(seed, TICKETS)
    desk.build(tickets, events)
    expected = desk.tables()
    assert len(expected) > 10
    assert expected["core.ticket_time_segments"].num_rows > TICKETS
    chance = random.Random(seed)
    chance.shuffle(tickets)
    chance.shuffle(events)
    desk.clear()
    nights = 3
    for night in range(nights):
        desk.arrive(tickets[night::nights], events[night::nights], f"night {night}")
    assert table_differences(desk.tables(), expected) == []


def naive_ledgers(tickets: list[dict], events: list[dict]) -> dict[str, Naive]:
    by_ticket: dict[str, list[dict]] = defaultdict(list)
    for event in events:
        by_ticket[event["ticket_id"]].append(event)
    return {ticket["ticket_id"]: walk(ticket, by_ticket[ticket["ticket_id"]]) for ticket in tickets}


def segments_apart(desk: Desk, naive: dict[str, Naive]) -> list[str]:
    """Segments form one chain from the creation to the end, each with the state and the open minutes of its time."""
    found = desk.rows("SELECT * FROM core.ticket_time_segments ORDER BY ticket_id, segment_number")
    assert found.keys() == naive.keys()
    wrong = []
    for key, ledger in naive.items():
        rows, spans = found[key], ledger.spans
        if rows[0]["started_at"] != spans[0][0]:
            wrong.append(f"{key} begins at {rows[0]['started_at']}, not {spans[0][0]}")
        if [row["ended_at"] for row in rows[:-1]] != [row["started_at"] for row in rows[1:]]:
            wrong.append(f"{key} has gaps or overlaps")
        end = ledger.last_mark if ledger.is_over else None
        if (rows[-1]["started_at"], rows[-1]["ended_at"]) != (ledger.last_mark, end):
            wrong.append(f"{key} ends {rows[-1]}, not {ledger.last_mark}..{end}")
        before = 0
        for row in rows:
            start, end = row["started_at"], row["ended_at"]
            told = (row["status"], row["team_id"], row["assignee_id"], row["owner"])
            lasting = [span for span in spans if start <= span[0] and (end is None or span[0] < end)]
            covering = [span for span in spans if span[0] <= start and (span[1] is None or start < span[1])]
            for span in [*lasting, *covering[-1:]]:
                if (end is None or end > start) and told != span[2:6]:
                    wrong.append(f"{key} at {span[0]} is {told}, not {span[2:6]}")
            if row["business_seconds_before"] != before:
                wrong.append(f"{key} at {start}: {row['business_seconds_before']} before, not {before}")
            if end is not None:
                open_time = ledger.business_seconds(start, end)
                if row["business_seconds"] != open_time:
                    wrong.append(f"{key} {start}..{end}: {row['business_seconds']}, not {open_time}")
                if row["calendar_seconds"] != (end - start) // timedelta(seconds=1):
                    wrong.append(f"{key} {start}..{end}: {row['calendar_seconds']} calendar seconds")
                before += open_time
    return wrong


def transitions_apart(desk: Desk, naive: dict[str, Naive]) -> list[str]:
    found = desk.rows("SELECT * FROM core.status_transitions ORDER BY ticket_id, segment_number")
    wrong = []
    for key, ledger in naive.items():
        told = [
            (
                row["changed_at"],
                row["from_status"],
                row["to_status"],
                row["lasted_calendar_seconds"],
                row["lasted_business_seconds"],
            )
            for row in found[key]
        ]
        expected = [
            (at, before, after, seconds(entered, at), ledger.business_seconds(entered, at))
            for at, before, after, entered in ledger.transitions
        ]
        if told != expected:
            wrong.append(f"{key} transitions {told}, not {expected}")
    return wrong


def handoffs_apart(desk: Desk, naive: dict[str, Naive]) -> list[str]:
    found = desk.rows("SELECT * FROM core.handoffs ORDER BY ticket_id, handoff_number")
    wrong = []
    for key, ledger in naive.items():
        told = [
            (
                row["handed_off_at"],
                row["from_team_id"],
                row["to_team_id"],
                row["is_return"],
                row["held_before_calendar_seconds"],
                row["held_before_business_seconds"],
                row["reply_after_calendar_seconds"],
            )
            for row in found[key]
        ]
        expected = []
        for at, before, after, is_return, since in ledger.handoffs:
            replies = [turn[2] for turn in ledger.turns if turn[2] and turn[2] >= at]
            wait = seconds(at, min(replies)) if replies else None
            held = (seconds(since, at), ledger.business_seconds(since, at))
            expected.append((at, before, after, is_return, *held, wait))
        if told != expected:
            wrong.append(f"{key} hand-offs {told}, not {expected}")
    return wrong


def turns_apart(desk: Desk, naive: dict[str, Naive]) -> list[str]:
    found = desk.rows("SELECT * FROM core.ticket_turns ORDER BY ticket_id, turn_number")
    wrong = []
    for key, ledger in naive.items():
        told = [
            (row["turn_number"], row["started_at"], row["replied_at"], row["reply_business_seconds"])
            for row in found[key]
        ]
        expected = [
            (number, start, reply, ledger.business_seconds(start, reply) if reply else None)
            for number, start, reply in ledger.turns
        ]
        if told != expected:
            wrong.append(f"{key} turns {told}, not {expected}")
    return wrong


def sums_apart(desk: Desk, naive: dict[str, Naive]) -> list[str]:
    """core.tickets adds up what the walk adds up; the parts of a life are its whole (additivity)."""
    found = desk.rows("SELECT * FROM core.tickets")
    wrong = []
    for key, ledger in naive.items():
        [row] = found[key]
        ended = [span for span in ledger.spans if span[1] is not None and span[1] <= ledger.last_mark]
        for owner in ("queue", "agent", "customer", "hold", "bot"):
            booked = [span for span in ended if span[5] == owner]
            times = (
                sum(seconds(start, end) for start, end, *_ in booked),
                sum(ledger.business_seconds(start, end) for start, end, *_ in booked),
            )
            told = (row[f"{owner}_calendar_seconds"], row[f"{owner}_business_seconds"])
            if told != times:
                wrong.append(f"{key} {owner}: {told}, not {times}")
        counts = {
            "solution_count": ledger.solution_count,
            "reopen_count": ledger.reopen_count,
            "team_handoff_count": len(ledger.handoffs),
            "ping_pong_count": sum(handoff[3] for handoff in ledger.handoffs),
            "first_replied_at": ledger.turns[0][2],
        }
        wrong += [f"{key} {name}: {row[name]}, not {value}" for name, value in counts.items() if row[name] != value]
    return wrong


def seconds(start: datetime, end: datetime) -> int:
    return (end - start) // timedelta(seconds=1)
