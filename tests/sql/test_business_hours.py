"""Business time in SQL, on both engines: every case of the oracle, in one query a kind."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from support.oracle_schedules import calendar_of, oracle, write_calendar

from hansei.catalog import load_catalog
from hansei.catalog.closed_days import work_out
from hansei.catalog.openings import openings
from hansei.settings import Settings
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.seeds import opening_pairs, plant
from hansei.warehouse.tables import create_table, evolve

CASE_COLUMNS = {
    "case_id": "text",
    "calendar_id": "text",
    "start_at": "timestamp",
    "end_at": "timestamp",
    "budget_seconds": "bigint",
}


@pytest.fixture
def planted(settings: Settings, tmp_path: Path) -> Iterator[Warehouse]:
    """A warehouse with every schedule of the oracle as a calendar."""
    for name, schedule in oracle("business_hours")["schedules"].items():
        write_calendar(tmp_path / "definitions", calendar_of(name, schedule))
    catalog = load_catalog(replace(settings, overlays=(tmp_path / "definitions",)))
    with open_warehouse(settings) as warehouse:
        evolve(warehouse, catalog)
        plant(warehouse, catalog, "night")
        yield warehouse


def load_cases(warehouse: Warehouse, cases: list[tuple]) -> None:
    create_table(warehouse, "landing.cases", CASE_COLUMNS)
    kinds = [pa.string(), pa.string(), pa.timestamp("us"), pa.timestamp("us"), pa.int64()]
    columns = [pa.array(list(values), kind) for values, kind in zip(zip(*cases, strict=True), kinds, strict=True)]
    warehouse.load("landing.cases", pa.table(columns, names=list(CASE_COLUMNS)))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z"))


def position_query(warehouse: Warehouse) -> str:
    sql = warehouse.sql
    return f"""
    SELECT
      cases.case_id,
      {sql.business_position("cases.end_at", "end_day")} - {sql.business_position("cases.start_at", "start_day")}
        AS business_seconds
    FROM landing.cases AS cases
    LEFT JOIN core.calendar_days AS start_day
      ON start_day.calendar_id = cases.calendar_id AND start_day.utc_date = CAST(cases.start_at AS DATE)
    LEFT JOIN core.calendar_days AS end_day
      ON end_day.calendar_id = cases.calendar_id AND end_day.utc_date = CAST(cases.end_at AS DATE)
    """


def due_query(warehouse: Warehouse) -> str:
    sql = warehouse.sql
    return f"""
    WITH targets AS (
      SELECT
        cases.case_id,
        cases.calendar_id,
        {sql.business_position("cases.start_at", "start_day")} + cases.budget_seconds AS due_position
      FROM landing.cases AS cases
      LEFT JOIN core.calendar_days AS start_day
        ON start_day.calendar_id = cases.calendar_id AND start_day.utc_date = CAST(cases.start_at AS DATE)
    )
    SELECT
      targets.case_id,
      {sql.opening_instant("first_opening", "targets.due_position")} AS earliest_at,
      {sql.opening_instant("last_opening", "targets.due_position")} AS latest_at
    FROM targets
    LEFT JOIN core.calendars AS calendars ON targets.calendar_id = calendars.calendar_id
    {sql.opening_join("first_opening", "calendars.calendar_number", "targets.due_position", at="earliest")}
    {sql.opening_join("last_opening", "calendars.calendar_number", "targets.due_position", at="latest")}
    """


def test_seconds_between_two_instants_are_those_of_the_oracle(planted: Warehouse) -> None:
    cases = [case for case in oracle("business_hours")["cases"] if case["kind"] == "within"]
    assert len(cases) >= 180
    rows = [(case["id"], case["schedule"], instant(case["start"]), instant(case["end"]), 0) for case in cases]
    load_cases(planted, rows)
    found = {row["case_id"]: row["business_seconds"] for row in planted.rows(position_query(planted))}
    # An end before the start is the line walked backwards; the oracle calls that nothing.
    expected = {case["id"]: case["expected_seconds"] for case in cases}
    assert {name: max(seconds, 0) for name, seconds in found.items()} == expected


def test_the_instant_after_a_budget_is_that_of_the_oracle(planted: Warehouse) -> None:
    cases = [case for case in oracle("business_hours")["cases"] if case["kind"] == "after"]
    assert len(cases) >= 100
    rows = [(case["id"], case["schedule"], instant(case["start"]), None, case["minutes"] * 60) for case in cases]
    load_cases(planted, rows)
    found = {row["case_id"]: row for row in planted.rows(due_query(planted))}
    wrong: list[Any] = []
    for case in cases:
        row = found[case["id"]]
        got = row["earliest_at"], row["latest_at"]
        if got != (instant(case["expected_at_earliest"]), instant(case["expected_at"])):
            wrong.append((case, got))
    assert wrong == []
    assert any(row["earliest_at"] != row["latest_at"] for row in found.values())


def test_nothing_is_the_position_of_no_instant_and_of_one_off_the_line(planted: Warehouse) -> None:
    rows = [
        ("none", "de_office", datetime(2025, 3, 3, 9), None, 0),
        ("before", "de_office", datetime(1969, 12, 31, 9), datetime(2025, 3, 3, 9), 0),
        ("after", "de_office", datetime(2025, 3, 3, 9), datetime(2070, 1, 1), 0),
        ("unknown calendar", "nobody", datetime(2025, 3, 3, 9), datetime(2025, 3, 3, 10), 0),
        ("known", "de_office", datetime(2025, 3, 3, 9), datetime(2025, 3, 3, 9, 0, 7, 900_000), 0),
    ]
    load_cases(planted, rows)
    found = {row["case_id"]: row["business_seconds"] for row in planted.rows(position_query(planted))}
    assert found == {"none": None, "before": None, "after": None, "unknown calendar": None, "known": 7}


def test_a_budget_beyond_the_line_has_no_instant(planted: Warehouse) -> None:
    load_cases(planted, [("century", "de_office", datetime(2025, 3, 3, 9), None, 4_000_000_000)])
    row = planted.rows(due_query(planted))[0]
    assert row["earliest_at"] is None and row["latest_at"] is None


def test_the_day_table_has_room_for_every_opening(planted: Warehouse) -> None:
    """New York's afternoon of one day and morning of the next never meet in a UTC day; Los Angeles' do, around noon."""
    assert opening_pairs(planted) == planted.sql.opening_pairs == 3
    assert len(planted.columns("core.calendar_days")) == 4 + 2 * 3
    busiest = "SELECT DISTINCT calendar_id FROM core.calendar_days WHERE end_3 > 0"
    assert [row["calendar_id"] for row in planted.rows(busiest)] == ["irregular_week"]


def test_days_and_openings_tell_the_same_line(planted: Warehouse) -> None:
    by_day = "SELECT calendar_id, MAX(opened_seconds) AS seconds FROM core.calendar_days GROUP BY calendar_id"
    by_opening = f"""
    SELECT calendar_id, SUM({planted.sql.seconds_between("opened_at", "closed_at")}) AS seconds
    FROM core.calendar_openings
    WHERE opened_at < CAST('2069-12-31' AS TIMESTAMP)
    GROUP BY calendar_id
    """
    days = {row["calendar_id"]: row["seconds"] for row in planted.rows(by_day)}
    lines = {row["calendar_id"]: row["seconds"] for row in planted.rows(by_opening)}
    assert len(days) == 12
    # A piece that reaches into the last day is counted whole by the second query and only in part by the first.
    overhang = {name: lines[name] - days[name] for name in days}
    assert all(0 <= seconds <= 86_400 for seconds in overhang.values())
    assert (overhang["always"], overhang["de_office"], overhang["india_half_hour_zone"]) == (0, 0, 0)


def test_sql_and_the_engine_agree_at_any_instant(planted: Warehouse, settings: Settings, tmp_path: Path) -> None:
    """Positions and their inverse at instants drawn around the changes of the clock and over the whole line."""
    catalog = load_catalog(replace(settings, overlays=(tmp_path / "definitions",)))
    draw = random.Random(20251025)
    changes = [datetime(2025, 3, 30), datetime(2025, 10, 26), datetime(2025, 4, 6), datetime(2025, 11, 2)]
    cases, expected = [], {}
    for name, calendar in catalog.calendars.items():
        line = openings(work_out(calendar, tmp_path, tmp_path).hours)
        for number in range(120):
            start = draw.choice(changes) + timedelta(seconds=draw.randint(-172_800, 172_800))
            if number % 3 == 0:
                start = datetime(1970, 1, 6) + timedelta(seconds=draw.randint(0, 3_000_000_000))
            budget = draw.choice([1, 3_599, 28_800, draw.randint(1, 2_000_000)])
            second = int((start - datetime(1970, 1, 1)).total_seconds())
            position = int(line.position(np.array([second]))[0]) + budget
            cases.append((f"{name} {number}", name, start, None, budget))
            expected[f"{name} {number}"] = tuple(
                datetime(1970, 1, 1) + timedelta(seconds=line.instant(position, at)) for at in ("earliest", "latest")
            )
    load_cases(planted, cases)
    found = {row["case_id"]: (row["earliest_at"], row["latest_at"]) for row in planted.rows(due_query(planted))}
    assert found == expected
    # And back: from the start to the earliest instant lie exactly the seconds of the budget.
    planted.execute("DROP TABLE landing.cases")
    load_cases(planted, [(case, name, start, found[case][0], budget) for case, name, start, _, budget in cases])
    counted = {row["case_id"]: row["business_seconds"] for row in planted.rows(position_query(planted))}
    assert counted == {case: budget for case, _, _, _, budget in cases}


def test_a_missing_instant_has_no_position_even_on_a_day_that_is_joined(planted: Warehouse) -> None:
    """LEAST skips NULL on both engines, which once made a missing end count as the end of the day."""
    position = planted.sql.business_position("cases.end_at", "start_day")
    load_cases(planted, [("none", "de_office", datetime(2025, 3, 3, 9), None, 0)])
    query = f"""
    SELECT {position} AS position, start_day.opened_seconds
    FROM landing.cases AS cases
    INNER JOIN core.calendar_days AS start_day
      ON start_day.calendar_id = cases.calendar_id AND start_day.utc_date = CAST(cases.start_at AS DATE)
    """
    (row,) = planted.rows(query)
    assert row["position"] is None and row["opened_seconds"] > 0
