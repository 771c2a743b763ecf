"""Reliability of services on both engines: the hand-verified cases, days of other zones, an hour-by-hour scan."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sql.staging_rows import publish, version
from support.real_data import DATA

from hansei.catalog import Catalog
from hansei.catalog.services import MeasuredService
from hansei.errors import HanseiError
from hansei.indicators.reliability import service_figures
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import Family, Known, refresh_models, runner_for
from hansei.warehouse.seeds import plant

ORACLE: Path = DATA.parent / "oracles" / "reliability.json"
MIDNIGHT = datetime(2026, 3, 2)
FIRST_DAY = date(2026, 2, 20)
AS_OF = datetime(2026, 6, 1)
HOUR = 3600


def oracle(part: str) -> list[dict[str, Any]]:
    if not ORACLE.is_file():
        pytest.skip(f"no oracles: {ORACLE} does not exist; set HANSEI_DATA to the folder of the public data sets")
    return json.loads(ORACLE.read_text(encoding="utf-8"))[part]


def at(hours: float | None) -> datetime | None:
    return None if hours is None else MIDNIGHT + timedelta(hours=hours)


def outage(key: str, service: str, start: float, end: float | None, **more: Any) -> dict[str, Any]:
    return {"outage_id": key, "service": service, "started_at": at(start), "restored_at": at(end), **more}


def declared(catalog: Catalog, services: Iterable[str], **more: Any) -> Catalog:
    items = [
        MeasuredService(id=name, title=name, owner="operations", in_service_from=FIRST_DAY, **more) for name in services
    ]
    return replace(catalog, services={**catalog.services, **{item.id: item for item in items}})


def build(
    warehouse: Warehouse, catalog: Catalog, rows: list[dict], run_id: str = "run", as_of: datetime = AS_OF
) -> None:
    publish(warehouse, catalog.entities["service_outages"], rows, run_id=run_id)
    refresh(warehouse, catalog, run_id, as_of)


def refresh(warehouse: Warehouse, catalog: Catalog, run_id: str, as_of: datetime = AS_OF) -> None:
    plant(warehouse, catalog, run_id)
    warehouse.insert("ops.runs", [{"run_id": run_id, "as_of": as_of}])
    refresh_models(warehouse, catalog, "core", run_id)


def test_every_case_of_the_oracle(warehouse: Warehouse, catalog: Catalog) -> None:
    cases = oracle("cases")
    assert len(cases) == 6
    rows = []
    for case in cases:
        for kind in ("incidents", "planned"):
            rows += [
                outage(f"{case['id']}-{kind}-{number}", case["id"], start, end, is_planned=kind == "planned")
                for number, (start, end) in enumerate(case["input"][kind])
            ]
    catalog = declared(catalog, [case["id"] for case in cases])
    build(warehouse, catalog, rows)
    for case in cases:
        start, end = map(at, case["input"]["period"])
        found = {row["service"]: row for row in service_figures(warehouse, catalog, start, end)}[case["id"]]
        wanted = case["expected"]
        assert (found["ended_at"] - found["started_at"]) == timedelta(hours=wanted["period"]), case["id"]
        assert found["outage_count"] == wanted["outages_after_merging_overlaps"], case["id"]
        assert found["incident_count"] == wanted["incidents"], case["id"]
        hours = {
            "planned": found["planned_calendar_seconds"],
            "agreed_service_time": found["agreed_calendar_seconds"],
            "downtime": found["down_calendar_seconds"],
            "uptime": found["up_calendar_seconds"],
            "mtbf": found["mtbf_by_incident_seconds"],
            "mtbf_outages": found["mtbf_seconds"],
            "mttr_mean_duration_closed": found["mttr_seconds"],
        }
        for name, seconds in hours.items():
            expected = None if wanted[name] is None else pytest.approx(wanted[name] * HOUR, rel=1e-12)
            assert seconds == expected, (case["id"], name)
        assert found["availability_ratio"] == pytest.approx(wanted["availability"], rel=1e-12), case["id"]


def test_error_budgets(warehouse: Warehouse, catalog: Catalog) -> None:
    cases = oracle("error_budget")
    assert len(cases) == 8
    for number, case in enumerate(cases):
        catalog = declared(catalog, [f"promise_{number}"], availability_target=case["slo"])
    build(warehouse, catalog, [], as_of=MIDNIGHT + timedelta(days=400))
    year = service_figures(warehouse, catalog, MIDNIGHT, MIDNIGHT + timedelta(days=365))
    month = service_figures(warehouse, catalog, MIDNIGHT, MIDNIGHT + timedelta(days=30))
    for number, case in enumerate(cases):
        assert year[number]["service"] == month[number]["service"] == f"promise_{number}"
        hours, minutes = year[number]["allowed_down_seconds"] / HOUR, month[number]["allowed_down_seconds"] / 60
        assert hours == pytest.approx(case["allowed_downtime_hours_per_365d_year"], rel=1e-9)
        assert minutes == pytest.approx(case["allowed_downtime_minutes_per_30d"], rel=1e-9)


def test_composed_services(warehouse: Warehouse, catalog: Catalog) -> None:
    cases = oracle("composition")
    assert len(cases) == 2
    rows = []
    composed = {}
    for case in cases:
        how = "series" if "series" in case else "parallel"
        parts = [f"{how}_{number}" for number in range(len(case[how]))]
        catalog = declared(catalog, parts)
        rows += [
            outage(part, part, 0, round(1000 * (1 - availability), 6))
            for part, availability in zip(parts, case[how], strict=True)
        ]
        composition = {"how": how, "services": parts}
        item = MeasuredService(id=f"{how}_chain", title="chain", owner="operations", composed_of=composition)
        catalog = replace(catalog, services={**catalog.services, item.id: item})
        composed[item.id] = case["expected"]
    build(warehouse, catalog, rows)
    found = {row["service"]: row for row in service_figures(warehouse, catalog, at(0), at(1000))}
    for name, expected in composed.items():
        assert found[name]["basis"] == "composed"
        assert found[name]["availability_ratio"] == pytest.approx(expected, rel=1e-12)
        assert found[name]["down_calendar_seconds"] is None


def test_mean_time_to_acknowledge(warehouse: Warehouse, catalog: Catalog) -> None:
    (case,) = oracle("mtta")
    rows = [
        outage(
            f"{number}", "api", number, number + 0.9, detected_at=at(number), acknowledged_at=at(number + minutes / 60)
        )
        for number, minutes in enumerate(case["ack_minutes"])
    ]
    rows.append(outage("never taken", "api", 20, 21, detected_at=at(20)))
    build(warehouse, catalog, rows)
    (found,) = service_figures(warehouse, catalog, at(0), at(24))
    assert found["mtta_seconds"] == pytest.approx(case["mtta"] * 60, rel=1e-12)
    assert found["acknowledgement_count"] == len(case["ack_minutes"])


@pytest.mark.parametrize(
    "name",
    ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Beirut", "Pacific/Apia"],
)
def test_reporting_days_start_at_their_first_instant(name: str, warehouse: Warehouse, catalog: Catalog) -> None:
    zone = ZoneInfo(name)
    plant(warehouse, replace(catalog, service=catalog.service.model_copy(update={"reporting_zone": name})), "run")
    model = catalog.tables["core.reporting_days"]
    runner = runner_for(warehouse, catalog)
    Family(warehouse, runner, [model], "run", Known(warehouse, runner, "run")).refresh()
    days = warehouse.rows("SELECT * FROM core.reporting_days ORDER BY reporting_date")
    assert len(days) >= 36_500
    assert [day["ended_at"] for day in days[:-1]] == [day["started_at"] for day in days[1:]]
    second = timedelta(seconds=1)
    utc = ZoneInfo("UTC")
    for day in days[10_000:25_000]:
        local = day["started_at"].replace(tzinfo=utc).astimezone(zone)
        before = (day["started_at"] - second).replace(tzinfo=utc).astimezone(zone)
        assert local.date() == day["reporting_date"]
        assert before.date() < day["reporting_date"]


def test_a_period_that_ends_before_it_starts_is_refused(warehouse: Warehouse, catalog: Catalog) -> None:
    with pytest.raises(HanseiError, match="swap the two"):
        service_figures(warehouse, catalog, at(2), at(1))


def day_rows(warehouse: Warehouse) -> list[dict[str, Any]]:
    return warehouse.rows("SELECT * FROM core.service_days ORDER BY service, service_date")


def test_an_outage_that_starts_in_a_planned_window_starts_where_agreed_time_does(
    warehouse: Warehouse, catalog: Catalog
) -> None:
    rows = [outage("upgrade", "api", 22, 25, is_planned=True), outage("botched", "api", 23.5, 27)]
    build(warehouse, catalog, rows, as_of=at(60))
    days = day_rows(warehouse)
    assert [row["outage_started_count"] for row in days] == [0, 1, 0]
    assert [row["down_calendar_seconds"] for row in days] == [0, 2 * HOUR, 0]
    assert [row["agreed_calendar_seconds"] for row in days] == [22 * HOUR, 23 * HOUR, 12 * HOUR]
    assert [row["is_complete"] for row in days] == [True, True, False]


def test_an_open_outage_counts_up_to_the_run_and_stores_nothing_that_grows(
    warehouse: Warehouse, catalog: Catalog
) -> None:
    build(warehouse, catalog, [outage("down", "api", 36, None)], as_of=at(60))
    assert [row["down_calendar_seconds"] for row in day_rows(warehouse)] == [12 * HOUR, 12 * HOUR]
    stored = warehouse.rows("SELECT * FROM core.service_outages")
    refresh(warehouse, catalog, "next", at(84))
    assert [row["down_calendar_seconds"] for row in day_rows(warehouse)] == [12 * HOUR, 24 * HOUR, 12 * HOUR]
    assert warehouse.rows("SELECT * FROM core.service_outages") == stored
    assert (stored[0]["ended_at"], stored[0]["down_calendar_seconds"]) == (None, None)


TABLES = ("service_interruptions", "service_planned_windows", "service_outages", "services", "service_days")


def everything(warehouse: Warehouse) -> dict[str, list[dict[str, Any]]]:
    keys = {"service_interruptions": "outage_id", "services": "service", "service_days": "service, service_date"}
    return {
        name: warehouse.rows(f"SELECT * FROM core.{name} ORDER BY {keys.get(name, 'service, started_at')}")
        for name in TABLES
    }


def test_nights_one_by_one_equal_one_full_build(warehouse: Warehouse, catalog: Catalog) -> None:
    build(warehouse, catalog, [outage("a", "api", 10, None), outage("b", "web", 1, 3)], "first", at(30))
    build(
        warehouse,
        catalog,
        [
            outage("a", "api", 10, 14, source_version=version(2)),
            outage("late", "api", 13, 20),
            outage("c", "web", 3, 4),
        ],
        "second",
        at(54),
    )
    gone = outage("b", "web", 1, 3, source_version=version(3), deleted_at=at(60))
    build(warehouse, catalog, [gone, outage("window", "api", 12, 16, is_planned=True)], "third", at(78))
    incremental = everything(warehouse)
    assert [row["down_calendar_seconds"] for row in incremental["service_outages"]] == [6 * HOUR, HOUR]
    assert [row["incident_count"] for row in incremental["service_outages"]] == [2, 1]
    warehouse.execute("DELETE FROM ops.model_states")
    refresh_models(warehouse, catalog, "core", "full")
    assert everything(warehouse) == incremental


def random_spans(chance: random.Random) -> list[tuple[int, int | None, bool]]:
    """(start hour, end hour or None, planned) of up to nine interruptions within five days."""
    spans = []
    for _ in range(chance.randrange(10)):
        start, is_planned = chance.randrange(96), chance.random() < 0.4
        is_open = not is_planned and start > 80 and chance.random() < 0.5
        spans.append((start, None if is_open else start + chance.randrange(1, 40), is_planned))
    return spans


def test_an_hour_by_hour_scan_gives_the_same(warehouse: Warehouse, catalog: Catalog) -> None:
    """Every hour is looked at by itself; an outage is a run of broken hours without a working one between them."""
    chance = random.Random(20)
    hours = 120
    histories = {f"service_{number}": random_spans(chance) for number in range(300)}
    rows = [
        outage(f"{name}-{number}", name, start, end, is_planned=is_planned)
        for name, spans in histories.items()
        for number, (start, end, is_planned) in enumerate(spans)
    ]
    catalog = declared(catalog, histories)
    build(warehouse, catalog, rows, as_of=at(hours))
    first, last = 30, 75
    found = {row["service"]: row for row in service_figures(warehouse, catalog, at(first), at(last))}
    by_day: dict[str, list[dict]] = {}
    for row in day_rows(warehouse):
        by_day.setdefault(row["service"], []).append(row)
    outage_total = 0
    for name, spans in histories.items():
        closed = {hour for start, end, planned in spans if planned for hour in range(start, end or hours)}
        broken = {
            hour for start, end, planned in spans if not planned for hour in range(start, min(end or hours, hours))
        }
        # The number of working hours so far names a run of broken ones; a window inside an outage does not end it.
        run_of, working = {}, 0
        for hour in range(hours):
            working += hour not in broken
            run_of[hour] = working
        down = broken - closed
        in_period = {hour for hour in down if first <= hour < last}
        row = found[name]
        assert row["agreed_calendar_seconds"] == len(set(range(first, last)) - closed) * HOUR, spans
        assert row["down_calendar_seconds"] == len(in_period) * HOUR, spans
        assert row["outage_count"] == len({run_of[hour] for hour in in_period}), spans
        assert sum(day["down_calendar_seconds"] for day in by_day[name]) == len(down) * HOUR, spans
        assert sum(day["outage_started_count"] for day in by_day[name]) == len({run_of[hour] for hour in down}), spans
        outage_total += row["outage_count"]
    assert outage_total > 200


def test_weeks_and_months_equal_the_query_of_the_same_span(warehouse: Warehouse, catalog: Catalog) -> None:
    rows = [
        outage("over the weekend", "api", 150, 200),
        outage("in it", "api", 160, 170, detected_at=at(161)),
        outage("window", "api", 165, 171, is_planned=True),
        outage("april", "api", 30 * 24 + 5, 30 * 24 + 6),
    ]
    catalog = declared(catalog, ["api", "web"], availability_target=0.99)
    build(warehouse, catalog, rows)
    spans = {
        ("week", date(2026, 3, 2)): (at(0), at(168)),
        ("week", date(2026, 3, 9)): (at(168), at(336)),
        ("month", date(2026, 3, 1)): (datetime(2026, 3, 1), datetime(2026, 4, 1)),
        ("month", date(2026, 4, 1)): (datetime(2026, 4, 1), datetime(2026, 5, 1)),
    }
    query = "SELECT * FROM core.service_periods WHERE grain = :grain AND period_start_date = :day ORDER BY service"
    for (grain, day), (start, end) in spans.items():
        periods = warehouse.rows(query, {"grain": grain, "day": day})
        asked = service_figures(warehouse, catalog, start, end)
        assert len(periods) == len(asked) == 2
        for period, figures in zip(periods, asked, strict=True):
            assert {name: figures[name] for name in figures if name in period} == {
                name: value for name, value in period.items() if name in figures
            }
    (march,) = [
        row for row in service_figures(warehouse, catalog, *spans["month", date(2026, 3, 1)]) if row["outage_count"]
    ]
    assert (march["outage_count"], march["incident_count"], march["down_calendar_seconds"]) == (1 + 0, 2, 44 * HOUR)
