"""The errors that were reproduced in the strongest open peer, each as a test that says what has to hold here.

One desk, built once per engine, holds a ticket or two per error. Its hours are Berlin's, Monday to Friday, 9 to 17.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sql.staging_rows import publish, version
from support.oracle_schedules import write_calendar

from hansei.catalog import Catalog, load_catalog
from hansei.catalog.loader import examine
from hansei.settings import load_settings
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant
from hansei.warehouse.tables import evolve

KEYS = {"HANSEI_IDENTITY_KEY": "k" * 40, "HANSEI_QUARANTINE_KEY": "cXVhcmFudGluZS1rZXktb2YtdGhlLXRlc3RzLTMyYnk="}
WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
OFFICE = {
    "id": "office",
    "name": "Office",
    "zone": "Europe/Berlin",
    "hours": {day: ["09:00-17:00"] for day in WORKDAYS},
}
SUNDAYS = {"id": "sundays", "name": "Sundays", "zone": "Europe/Berlin", "hours": {"sunday": ["00:00-24:00"]}}
MONDAY = datetime(2026, 3, 2, 9)  # ten o'clock in Berlin
HOUR = 3600


def ticket(name: str, **more: Any) -> dict[str, Any]:
    row = {"ticket_id": f"desk:{name}", "status": "open", "created_at": MONDAY, "has_complete_events": True}
    return {**row, "opened_by": "customer", "customer_id": "desk:known", **more}


def event(name: str, at: datetime, kind: str, value: str | None = None, **more: Any) -> dict[str, Any]:
    row = {"event_id": f"{name} {at} {kind} {value}", "ticket_id": f"desk:{name}", "occurred_at": at}
    return {**row, "event_type": kind, "value": value, "actor_kind": "agent", "is_public": True, **more}


def desk_rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    hours = [MONDAY + timedelta(hours=number) for number in range(10)]
    tickets = [
        ticket("open"),
        ticket("nobody_known", customer_id=None, opened_by=None),
        ticket("gone_customer", customer_id="desk:not in any table"),
        ticket("deleted", deleted_at=hours[4]),
        ticket("dst", created_at=datetime(2026, 3, 27, 15)),
        ticket("dst_sunday", created_at=datetime(2026, 3, 28, 12), brand="sundays"),
        ticket("three_years", created_at=datetime(2023, 1, 2, 8)),
        ticket("left_agent"),
        ticket("closed_only"),
        ticket("silent"),
        ticket("one_touch"),
    ]
    events = [
        event("open", hours[1], "status", "open", actor_id="desk:ann"),
        event("deleted", hours[1], "reply"),
        # Friday 16:00 to Monday 10:00 by Berlin's clock, over the night in which it is set forward.
        event("dst", datetime(2026, 3, 30, 8), "status", "solved"),
        event("dst_sunday", datetime(2026, 3, 30, 12), "status", "solved"),
        event("three_years", datetime(2026, 1, 5, 8), "status", "solved"),
        event("left_agent", hours[2], "reply", actor_id="desk:long gone"),
        event("closed_only", hours[3], "status", "closed"),
        event("silent", hours[3], "status", "solved"),
        event("one_touch", hours[1], "reply"),
        event("one_touch", hours[2], "status", "solved"),
    ]
    return tickets, events


class Desk:
    def __init__(self, warehouse: Warehouse, catalog: Catalog) -> None:
        self.warehouse = warehouse
        self.catalog = catalog

    def night(self, run_id: str) -> None:
        plant(self.warehouse, self.catalog, run_id)
        refresh_models(self.warehouse, self.catalog, "core", run_id)

    def ticket(self, name: str) -> dict[str, Any]:
        [row] = self.warehouse.rows("SELECT * FROM core.tickets WHERE ticket_id = :id", {"id": f"desk:{name}"})
        return row

    def segments(self, name: str) -> list[dict[str, Any]]:
        query = "SELECT * FROM core.ticket_time_segments WHERE ticket_id = :id ORDER BY segment_number"
        return self.warehouse.rows(query, {"id": f"desk:{name}"})


@pytest.fixture(scope="module")
def desk(module_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("peer")
    for calendar in (OFFICE, SUNDAYS):
        write_calendar(home / "definitions", calendar)
    (home / "definitions" / "service.yaml").write_text(
        "id: service\nname: Service\nreporting_zone: Europe/Berlin\ncalendar: office\n"
        "calendar_assignments:\n  - {brand: sundays, calendar: sundays}\n",
        encoding="utf-8",
    )
    url = module_url.render_as_string(hide_password=False)
    environment = {"HANSEI_HOME": str(home), "HANSEI_WAREHOUSE": url, "HANSEI_DEFINITIONS": str(home / "definitions")}
    settings = load_settings({**environment, **KEYS})
    catalog = load_catalog(settings)
    tickets, events = desk_rows()
    with open_warehouse(settings) as warehouse:
        evolve(warehouse, catalog)
        publish(warehouse, catalog.entities["tickets"], tickets)
        publish(warehouse, catalog.entities["ticket_events"], events)
        publish(warehouse, catalog.entities["customers"], [{"customer_id": "desk:known"}])
        desk = Desk(warehouse, catalog)
        desk.night("first")
        yield desk


def test_error_2_an_open_ticket_has_no_business_time_to_come(desk: Desk) -> None:
    """The peer ran it to now + 1,000 hours; its first reply read 120,000 minutes where the calendar figure was null."""
    row = desk.ticket("open")
    assert (row["first_reply_calendar_seconds"], row["first_reply_business_seconds"]) == (None, None)
    assert (row["first_resolution_business_seconds"], row["full_resolution_business_seconds"]) == (None, None)
    assert row["requester_wait_business_seconds"] == HOUR
    last = desk.segments("open")[-1]
    assert (last["ended_at"], last["calendar_seconds"], last["business_seconds"]) == (None, None, None)


def test_error_4_unreplied_tickets_are_counted(desk: Desk) -> None:
    query = "SELECT COUNT(*) FROM core.tickets WHERE first_replied_at IS NULL AND NOT is_deleted"
    # All but those that an agent answered (left_agent, one_touch) and the deleted one.
    assert desk.warehouse.scalar(query) == 8
    waiting = "SELECT COUNT(*) FROM core.ticket_turns WHERE replied_at IS NULL"
    assert desk.warehouse.scalar(waiting) == 8


def test_error_5_no_ticket_disappears_and_a_deleted_one_is_not_open(desk: Desk) -> None:
    assert desk.warehouse.scalar("SELECT COUNT(*) FROM core.tickets") == len(desk_rows()[0])
    assert desk.ticket("nobody_known")["customer_id"] is None
    assert desk.ticket("gone_customer")["customer_id"] == "desk:not in any table"
    deleted = desk.ticket("deleted")
    assert (deleted["is_deleted"], deleted["is_solved"], deleted["status"]) == (True, False, "deleted")
    [interval] = desk.warehouse.rows("SELECT * FROM core.backlog_intervals WHERE ticket_id = 'desk:deleted'")
    assert interval["ended_at"] == MONDAY + timedelta(hours=4)
    assert desk.segments("deleted")[-1]["owner"] == "closed"


def test_error_7_days_of_clock_changes_long_lives_and_unknown_zones_keep_their_time(desk: Desk, tmp_path: Path) -> None:
    # One hour on Friday, one on Monday.
    assert desk.ticket("dst")["full_resolution_business_seconds"] == 2 * HOUR
    # A Sunday of 23 hours, open all day: no part of it is lost, and none invented.
    assert desk.ticket("dst_sunday")["full_resolution_business_seconds"] == 23 * HOUR
    # Nothing is cut after 52 weeks: whole working days from 2 January 2023 to 4 January 2026, counted one by one.
    days = [datetime(2023, 1, 2) + timedelta(days=number) for number in range(1099)]
    assert days[-1] == datetime(2026, 1, 4)
    workdays = sum(day.weekday() < 5 for day in days)
    assert desk.ticket("three_years")["full_resolution_business_seconds"] == workdays * 8 * HOUR
    # A zone that nobody knows is a fault of the definitions, never silently no business time.
    write_calendar(tmp_path, {**OFFICE, "zone": "Europe/Atlantis"})
    _, faults = examine(load_settings({"HANSEI_HOME": str(tmp_path), "HANSEI_DEFINITIONS": str(tmp_path), **KEYS}))
    assert len(faults) == 1
    assert "zone" in str(faults[0])


def test_error_8_replies_by_people_who_left_count(desk: Desk) -> None:
    """Who was an agent is what the event says: no table of agents is asked."""
    assert desk.warehouse.scalar("SELECT COUNT(*) FROM staging.agents") == 0
    row = desk.ticket("left_agent")
    assert row["first_replied_at"] == MONDAY + timedelta(hours=2)
    assert (row["agent_reply_count"], row["first_reply_business_seconds"]) == (1, 2 * HOUR)


def test_error_9_another_run_at_another_time_leaves_the_same_rows(desk: Desk) -> None:
    """No stored value depends on now: a whole rebuild gives every row again, and no SQL of core asks for the time."""
    models = [model for model in desk.catalog.tables.values() if model.table.startswith("core.ticket")]
    queries = {model.table: f"SELECT {', '.join(model.columns)} FROM {model.table}" for model in models}
    before = {table: sorted(map(repr, desk.warehouse.rows(query))) for table, query in queries.items()}
    assert len(before["core.tickets"]) == len(desk_rows()[0])
    desk.warehouse.execute("DELETE FROM ops.model_states WHERE model LIKE 'core.ticket%'")
    desk.night("again")
    assert {table: sorted(map(repr, desk.warehouse.rows(query))) for table, query in queries.items()} == before
    files = [*desk.catalog.include.glob("sql/core/*.sql"), *desk.catalog.include.glob("sql/work/*.sql")]
    assert len(files) > 30
    clocks = ("NOW(", "CURRENT_DATE", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP")
    asking = [path.name for path in files if any(clock in path.read_text(encoding="utf-8").upper() for clock in clocks)]
    assert asking == []


def test_error_10_closed_without_solved_is_a_resolution_and_no_reply_is_no_touch(desk: Desk) -> None:
    closed = desk.ticket("closed_only")
    assert (closed["solution_count"], closed["is_closed_without_solution"], closed["is_solved"]) == (1, True, True)
    assert closed["first_resolution_business_seconds"] == 3 * HOUR
    silent = desk.ticket("silent")
    assert (silent["is_one_touch"], silent["is_two_touch"], silent["is_multi_touch"]) == (False, False, False)
    assert desk.ticket("one_touch")["is_one_touch"] is True


def test_error_6_late_rows_arrive_and_deleted_tickets_go(desk: Desk) -> None:
    """Last, because it changes the desk: a reply that came weeks late, and a ticket that the source no longer has."""
    late = event("open", MONDAY + timedelta(minutes=30), "reply", source_version=version(20))
    publish(desk.warehouse, desk.catalog.entities["ticket_events"], [late], run_id="late")
    gone = ticket("gone_customer", deleted_at=MONDAY + timedelta(days=9), source_version=version(20))
    publish(desk.warehouse, desk.catalog.entities["tickets"], [gone], run_id="late")
    desk.night("late")
    assert desk.ticket("open")["first_reply_calendar_seconds"] == HOUR / 2
    assert desk.ticket("gone_customer")["is_deleted"] is True
    still_open = (
        "SELECT COUNT(*) FROM core.backlog_intervals WHERE ended_at IS NULL AND ticket_id = 'desk:gone_customer'"
    )
    assert desk.warehouse.scalar(still_open) == 0
