"""A night that recomputes only what changed leaves the tables that one full computation would leave."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from support.random_histories import random_tickets

from hansei.catalog import Catalog
from hansei.indicators.measure import Measured, Measurement
from hansei.warehouse import Warehouse
from hansei.warehouse.publication import record_changes
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

MONDAY = datetime(2026, 3, 2)
AS_OF = MONDAY + timedelta(days=77, hours=2)
TABLES = {
    "core.tickets": "ticket_id",
    "core.backlog_intervals": "ticket_id, opened_at",
    "indicators.indicator_values": "indicator, grain, period_start, segment_id",
}
LEFT_OUT = {"run_id", "known_since"}


def night(warehouse: Warehouse, catalog: Catalog, run_id: str, as_of: datetime = AS_OF) -> Measured:
    plant(warehouse, catalog, run_id)
    refresh_models(warehouse, catalog, "core", run_id)
    return Measurement(warehouse, catalog, run_id, as_of).run()


def content(warehouse: Warehouse) -> dict[str, list[tuple]]:
    tables = {}
    for table, order in TABLES.items():
        names = [name for name in warehouse.columns(table) if name not in LEFT_OUT]
        rows = warehouse.rows(f"SELECT {', '.join(names)} FROM {table} ORDER BY {order}")
        tables[table] = [tuple(row.values()) for row in rows]
    return tables


def fill(warehouse: Warehouse, tickets: list[dict], events: list[dict], run_id: str) -> None:
    with warehouse.transaction():
        for table, rows in (("staging.tickets", tickets), ("staging.ticket_events", events)):
            filled = [name for name in rows[0] if any(row[name] is not None for row in rows)]
            warehouse.load(table, pa.Table.from_pylist(rows).select(filled))
            keys = f"SELECT DISTINCT ticket_id AS key, 'upsert' AS operation FROM {table}"
            record_changes(warehouse, table, run_id, keys)


def touch(warehouse: Warehouse, statement: str, ticket_id: str) -> None:
    with warehouse.transaction():
        warehouse.execute(statement, {"id": ticket_id})
        select = f"SELECT '{ticket_id}' AS key, 'upsert' AS operation"
        record_changes(warehouse, "staging.tickets", "touch", select)
        record_changes(warehouse, "staging.ticket_events", "touch", select)


CHANGES = {
    "a solved date that moves": (
        "UPDATE staging.ticket_events SET occurred_at = occurred_at - INTERVAL '9 days' "
        "WHERE ticket_id = :id AND event_type = 'status' AND value = 'solved'"
    ),
    "a team that changes": (
        "UPDATE staging.ticket_events SET value = 'desk:team7' WHERE ticket_id = :id AND event_type = 'team'"
    ),
    "a deletion": "UPDATE staging.tickets SET deleted_at = TIMESTAMP '2026-05-01 00:00:00' WHERE ticket_id = :id",
    "a channel that the source corrects": "UPDATE staging.tickets SET channel = 'fax' WHERE ticket_id = :id",
    "a creation that was wrong": (
        "UPDATE staging.tickets SET created_at = created_at - INTERVAL '40 days' WHERE ticket_id = :id"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_incremental_night_equals_full_computation(change: str, warehouse: Warehouse, catalog: Catalog) -> None:
    tickets, events = random_tickets(7, 300, MONDAY)
    fill(warehouse, tickets[:250], [event for event in events if event["ticket_id"] in ids(tickets[:250])], "first")
    night(warehouse, catalog, "first", AS_OF - timedelta(days=1))
    fill(warehouse, tickets[250:], [event for event in events if event["ticket_id"] in ids(tickets[250:])], "second")
    solved = warehouse.scalar("SELECT MIN(ticket_id) FROM core.tickets WHERE is_solved AND reopen_count > 0")
    touch(warehouse, CHANGES[change], solved)
    measured = night(warehouse, catalog, "second")
    assert measured.written > 0
    assert measured.restated > 0
    incremental = content(warehouse)
    assert len(incremental["core.tickets"]) == 300

    warehouse.execute("DELETE FROM ops.model_states")
    warehouse.execute("DELETE FROM indicators.indicator_values")
    night(warehouse, catalog, "full")
    full = content(warehouse)
    for table in TABLES:
        assert incremental[table] == full[table], table


def test_a_repeated_night_changes_nothing(warehouse: Warehouse, catalog: Catalog) -> None:
    fill(warehouse, *random_tickets(3, 120, MONDAY), "first")
    night(warehouse, catalog, "first")
    before = content(warehouse)
    again = night(warehouse, catalog, "again")
    assert (again.removed, again.restated) == (0, 0)
    assert content(warehouse) == before


def test_an_empty_week_of_the_whole_service_is_zero_for_counts_and_no_data_for_ratios(
    warehouse: Warehouse, catalog: Catalog
) -> None:
    tickets, events = random_tickets(5, 60, MONDAY)
    kept = [
        ticket
        for ticket in tickets
        if not MONDAY + timedelta(days=14) <= ticket["created_at"] < MONDAY + timedelta(days=21)
    ]
    fill(warehouse, kept, [event for event in events if event["ticket_id"] in ids(kept)], "first")
    night(warehouse, catalog, "first")
    quiet = (MONDAY + timedelta(days=14)).date()
    row = warehouse.rows(
        "SELECT value, state FROM indicators.indicator_values WHERE indicator = 'tickets_created' "
        "AND grain = 'week' AND segment_id = 'all' AND period_start = :week",
        {"week": quiet},
    )
    assert row == [{"value": 0.0, "state": "ok"}]
    total = warehouse.scalar(
        "SELECT SUM(value) FROM indicators.indicator_values WHERE indicator = 'tickets_created' "
        "AND grain = 'week' AND segment_id = 'all'"
    )
    assert total == len(kept)


def ids(tickets: list[dict]) -> set[str]:
    return {ticket["ticket_id"] for ticket in tickets}
