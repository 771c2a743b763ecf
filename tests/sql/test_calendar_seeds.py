"""Calendars and their assignments as planted tables: from definitions, from sources, and only when they changed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sql.staging_rows import arriving, publish, version
from support.oracle_schedules import write_calendar

from hansei.catalog import Catalog, load_catalog
from hansei.catalog.organisation import Service
from hansei.errors import DefinitionError, WarehouseError
from hansei.quality.rules import row_rules
from hansei.quality.validation import Suite
from hansei.settings import Settings, load_settings
from hansei.warehouse import Warehouse
from hansei.warehouse.seeds import SEEDS, opening_pairs, plant, seed_fingerprints

WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
BERLIN = {
    "id": "berlin",
    "name": "Berlin office",
    "zone": "Europe/Berlin",
    "hours": {day: ["09:00-17:00"] for day in WORKDAYS},
}
NEW_YORK = {**BERLIN, "id": "new_york", "name": "New York", "zone": "America/New_York"}


def defined(settings: Settings, overlay: Path, *calendars: dict[str, Any], **service: Any) -> Catalog:
    """The shipped definitions with these calendars, and a service that says who follows them."""
    for calendar in calendars:
        write_calendar(overlay, calendar)
    catalog = load_catalog(replace(settings, overlays=(overlay,)))
    more = {"id": "service", "name": "S", "reporting_zone": "UTC", **service}
    return replace(catalog, service=Service.model_validate(more))


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    directory = tmp_path / "definitions"
    directory.mkdir()
    return directory


def changes(warehouse: Warehouse, run_id: str) -> dict[str, set[str]]:
    rows = warehouse.rows("SELECT table_name, key FROM ops.changes WHERE run_id = :run_id", {"run_id": run_id})
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["table_name"], set()).add(row["key"])
    return found


def spans(warehouse: Warehouse) -> list[tuple]:
    rows = warehouse.rows(
        "SELECT dimension, value, calendar_id, valid_from, valid_to FROM core.calendar_assignments "
        "ORDER BY dimension, value, valid_from"
    )
    return [tuple(row.values()) for row in rows]


def test_without_any_calendar_there_is_the_one_that_never_closes(warehouse: Warehouse, catalog: Catalog) -> None:
    assert plant(warehouse, catalog, "night")
    rows = [tuple(row.values()) for row in warehouse.rows("SELECT * FROM core.calendars")]
    assert rows == [(1, "always", "Always open", "UTC", "definition", 604_800)]
    openings = "SELECT * FROM core.calendar_openings ORDER BY open_day"
    opening = [tuple(row.values()) for row in warehouse.rows(openings)]
    assert len(opening) == 36_525  # one opening, cut at every day of open time
    assert opening[1] == (1, "always", 1, 1, datetime(1970, 1, 2), datetime(1970, 1, 3), 86_400, 172_800)
    assert opening[-1][5] == datetime(2070, 1, 1)
    day = warehouse.rows("SELECT * FROM core.calendar_days WHERE utc_date = CAST('1970-01-03' AS DATE)")
    assert [tuple(row.values()) for row in day] == [(1, "always", date(1970, 1, 3), 172_800, 0, 86_400, 0, 0)]
    assert warehouse.scalar("SELECT COUNT(*) FROM core.calendar_days") == 36_525
    assert spans(warehouse) == [("default", "", "always", datetime(1970, 1, 1), datetime(2070, 1, 1))]


def test_what_did_not_change_is_not_planted_again(warehouse: Warehouse, settings: Settings, overlay: Path) -> None:
    catalog = defined(settings, overlay, BERLIN, calendar="berlin")
    assert plant(warehouse, catalog, "first")
    assert set(changes(warehouse, "first")) == set(SEEDS)
    assert changes(warehouse, "first")["core.calendar_days"] == {"always", "berlin"}
    before = seed_fingerprints(warehouse)
    assert set(before) == set(SEEDS)
    assert not plant(warehouse, catalog, "second")
    assert changes(warehouse, "second") == {}
    assert seed_fingerprints(warehouse) == before


def test_one_more_calendar_leaves_the_order_of_the_others(
    warehouse: Warehouse, settings: Settings, overlay: Path
) -> None:
    """Numbers decide between two calendars that a ticket names at one instant: the order is that of the ids."""
    in_order = "SELECT calendar_id FROM core.calendars ORDER BY calendar_number"
    plant(warehouse, defined(settings, overlay, BERLIN, calendar="berlin"), "first")
    assert [row["calendar_id"] for row in warehouse.rows(in_order)] == ["always", "berlin"]
    early = {**BERLIN, "id": "adelaide", "name": "Adelaide"}
    plant(warehouse, defined(settings, overlay, early, calendar="berlin"), "second")
    assert [row["calendar_id"] for row in warehouse.rows(in_order)] == ["adelaide", "always", "berlin"]


def test_a_changed_hour_moves_the_fingerprints_of_the_lines_alone(
    warehouse: Warehouse, settings: Settings, overlay: Path
) -> None:
    plant(warehouse, defined(settings, overlay, BERLIN, calendar="berlin"), "first")
    before = seed_fingerprints(warehouse)
    longer = {**BERLIN, "hours": {**BERLIN["hours"], "friday": ["09:00-18:00"]}}
    assert plant(warehouse, defined(settings, overlay, longer, calendar="berlin"), "second")
    moved = {table for table, value in seed_fingerprints(warehouse).items() if before[table] != value}
    assert moved == {"core.calendars", "core.calendar_days", "core.calendar_openings"}
    seconds = "SELECT week_seconds FROM core.calendars WHERE calendar_id = 'berlin'"
    assert warehouse.scalar(seconds) == 41 * 3600
    states = "SELECT rebuilt_because FROM ops.model_states WHERE model = 'core.calendar_days'"
    assert warehouse.scalar(states) == "definition"


def test_a_holiday_file_with_other_content_plants_anew(warehouse: Warehouse, settings: Settings, overlay: Path) -> None:
    event = (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Closed\r\nDTSTART;VALUE=DATE:{}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    (overlay / "calendars").mkdir()
    path = overlay / "calendars" / "closed.ics"
    path.write_text(event.format("20260302"), newline="")
    catalog = defined(settings, overlay, {**BERLIN, "holidays": [{"file": "closed.ics"}]})
    open_on = (
        "SELECT DISTINCT CAST(opened_at AS DATE) AS day FROM core.calendar_openings WHERE calendar_id = 'berlin' "
        "AND opened_at >= CAST('2026-03-02' AS TIMESTAMP) AND opened_at < CAST('2026-03-04' AS TIMESTAMP)"
    )
    plant(warehouse, catalog, "first")
    assert [row["day"] for row in warehouse.rows(open_on)] == [date(2026, 3, 3)]
    path.write_text(event.format("20260303"), newline="")
    assert plant(warehouse, catalog, "second")
    assert [row["day"] for row in warehouse.rows(open_on)] == [date(2026, 3, 2)]
    path.unlink()
    with pytest.raises(DefinitionError, match=r"berlin.yaml:\d+: holidays.0.file: .*closed.ics cannot be read"):
        plant(warehouse, catalog, "third")
    assert [row["day"] for row in warehouse.rows(open_on)] == [date(2026, 3, 2)]


def test_a_calendar_with_many_openings_makes_the_day_table_wider(
    warehouse: Warehouse, settings: Settings, overlay: Path
) -> None:
    """Views that read the table must not be in the way of it; PostgreSQL keeps them together."""
    plant(warehouse, defined(settings, overlay, BERLIN), "first")
    assert opening_pairs(warehouse) == warehouse.sql.opening_pairs == 2
    warehouse.execute("CREATE VIEW core.reader AS SELECT calendar_id, start_1 FROM core.calendar_days")
    hours = [f"{hour:02}:00-{hour:02}:30" for hour in range(8, 20)]
    many = {**BERLIN, "hours": dict.fromkeys(WORKDAYS, hours)}
    plant(warehouse, defined(settings, overlay, many), "second")
    assert opening_pairs(warehouse) == warehouse.sql.opening_pairs == 12
    assert warehouse.scalar("SELECT COUNT(*) FROM core.calendar_days WHERE end_12 > start_12") > 25_000
    plant(warehouse, defined(settings, overlay, BERLIN), "third")
    assert opening_pairs(warehouse) == warehouse.sql.opening_pairs == 2


def test_assignments_follow_one_another_from_local_midnight(
    warehouse: Warehouse, settings: Settings, overlay: Path
) -> None:
    assignments = [
        {"team": "desk:1", "calendar": "new_york", "from": "2026-07-01"},
        {"team": "desk:1", "calendar": "berlin", "from": "2026-01-01"},
        {"account": "crm:9", "calendar": "berlin"},
        {"channel": "chat", "calendar": "always", "from": "2025-03-30"},
    ]
    catalog = defined(settings, overlay, BERLIN, NEW_YORK, calendar="berlin", calendar_assignments=assignments)
    plant(warehouse, catalog, "night")
    start, end = datetime(1970, 1, 1), datetime(2070, 1, 1)
    assert spans(warehouse) == [
        ("account", "crm:9", "berlin", start, end),
        ("channel", "chat", "always", datetime(2025, 3, 30), end),
        ("default", "", "berlin", start, end),
        ("team", "desk:1", "berlin", datetime(2025, 12, 31, 23), datetime(2026, 7, 1, 4)),
        ("team", "desk:1", "new_york", datetime(2026, 7, 1, 4), end),
    ]


# Calendars that sources deliver.


def deliver(warehouse: Warehouse, catalog: Catalog, number: int = 1, **more: Any) -> None:
    """One calendar of a source with Monday and Tuesday 09:00-17:00 and a night from Sunday to Monday."""
    calendar = {"calendar_id": "desk:s", "name": "Support", "zone": "Europe/Berlin", "is_default": True}
    publish(warehouse, catalog.entities["calendars"], [{**calendar, "source_version": version(number), **more}])


def deliver_hours(warehouse: Warehouse, catalog: Catalog, *spans: tuple[int, int], calendar: str = "desk:s") -> None:
    rows = [
        {"calendar_hours_id": f"{calendar}:{start}", "calendar_id": calendar, "start_minute": start, "end_minute": end}
        for start, end in spans
    ]
    publish(warehouse, catalog.entities["calendar_hours"], rows)


MONDAY, TUESDAY, SUNDAY_NIGHT = (540, 1020), (1980, 2460), (9960, 10_440)  # the night: 22:00 to 06:00 on Monday


def opened(warehouse: Warehouse, start: str, end: str) -> list[tuple[datetime, datetime]]:
    query = (
        "SELECT MIN(opened_at), MAX(closed_at) FROM core.calendar_openings WHERE calendar_id = 'desk:s' "
        f"AND opened_at >= CAST('{start}' AS TIMESTAMP) AND opened_at < CAST('{end}' AS TIMESTAMP) "
        "GROUP BY opening_number ORDER BY opening_number"
    )
    return [tuple(row.values()) for row in warehouse.rows(query)]


def test_a_calendar_of_a_source_is_planted_with_its_hours_and_closed_days(
    warehouse: Warehouse, catalog: Catalog
) -> None:
    deliver(warehouse, catalog)
    deliver_hours(warehouse, catalog, MONDAY, TUESDAY, SUNDAY_NIGHT)
    holiday = {"calendar_holiday_id": "desk:h", "calendar_id": "desk:s", "name": "Closed"}
    days = {"start_date": date(2026, 3, 9), "end_date": date(2026, 3, 10)}
    publish(warehouse, catalog.entities["calendar_holidays"], [{**holiday, **days}])
    assert plant(warehouse, catalog, "night")
    row = warehouse.rows("SELECT name, zone, origin, week_seconds FROM core.calendars WHERE calendar_id = 'desk:s'")[0]
    assert tuple(row.values()) == ("Support", "Europe/Berlin", "source", 24 * 3600)
    assert opened(warehouse, "2026-03-15", "2026-03-18") == [
        (datetime(2026, 3, 15, 21), datetime(2026, 3, 16, 5)),
        (datetime(2026, 3, 16, 8), datetime(2026, 3, 16, 16)),
        (datetime(2026, 3, 17, 8), datetime(2026, 3, 17, 16)),
    ]
    # The 9th and 10th are closed by the clock: the night before ends at midnight, 23:00 UTC.
    assert opened(warehouse, "2026-03-08", "2026-03-11") == [(datetime(2026, 3, 8, 21), datetime(2026, 3, 8, 23))]
    assert ("source", "desk", "desk:s", datetime(1970, 1, 1), datetime(2070, 1, 1)) in spans(warehouse)
    assert not plant(warehouse, catalog, "again")


def test_hours_that_a_source_changes_change_the_line(warehouse: Warehouse, catalog: Catalog) -> None:
    deliver(warehouse, catalog)
    deliver_hours(warehouse, catalog, MONDAY)
    plant(warehouse, catalog, "first")
    before = seed_fingerprints(warehouse)
    deliver_hours(warehouse, catalog, TUESDAY)
    assert plant(warehouse, catalog, "second")
    moved = {table for table, value in seed_fingerprints(warehouse).items() if before[table] != value}
    assert moved == {"core.calendars", "core.calendar_days", "core.calendar_openings"}


def test_a_deleted_calendar_keeps_the_hours_that_went_with_it(warehouse: Warehouse, catalog: Catalog) -> None:
    deliver(warehouse, catalog)
    deliver_hours(warehouse, catalog, MONDAY, TUESDAY)
    gone = {"monday": datetime(2026, 3, 5), "all": datetime(2026, 3, 20)}
    for table, condition, moment in (
        ("staging.calendar_hours", "start_minute = 540", gone["monday"]),
        ("staging.calendar_hours", "start_minute <> 540", gone["all"]),
        ("staging.calendars", "TRUE", gone["all"]),
    ):
        warehouse.execute(f"UPDATE {table} SET deleted_at = CAST('{moment}' AS TIMESTAMP) WHERE {condition}")
    plant(warehouse, catalog, "night")
    assert opened(warehouse, "2026-03-16", "2026-03-18") == [(datetime(2026, 3, 17, 8), datetime(2026, 3, 17, 16))]
    assert [row[0] for row in spans(warehouse)] == ["default"]  # nobody follows it by default any more


def test_a_definition_wins_over_the_default_of_a_source_from_its_date(
    warehouse: Warehouse, settings: Settings, overlay: Path
) -> None:
    later = [{"source": "desk", "calendar": "berlin", "from": "2026-01-01"}]
    catalog = defined(settings, overlay, BERLIN, calendar_assignments=later)
    deliver(warehouse, catalog)
    deliver_hours(warehouse, catalog, MONDAY)
    plant(warehouse, catalog, "night")
    start, switch, end = datetime(1970, 1, 1), datetime(2025, 12, 31, 23), datetime(2070, 1, 1)
    found = [row for row in spans(warehouse) if row[0] == "source"]
    assert found == [("source", "desk", "desk:s", start, switch), ("source", "desk", "berlin", switch, end)]
    for_good = replace(
        catalog,
        service=catalog.service.model_validate(
            {**catalog.service.model_dump(), "calendar_assignments": [{"source": "desk", "calendar": "berlin"}]}
        ),
    )
    plant(warehouse, for_good, "second")
    assert [row for row in spans(warehouse) if row[0] == "source"] == [("source", "desk", "berlin", start, end)]


def test_an_unknown_zone_is_refused_by_a_rule_and_never_counts_as_zero(warehouse: Warehouse, catalog: Catalog) -> None:
    deliver(warehouse, catalog, zone="Eastern Time (US & Canada)")
    deliver_hours(warehouse, catalog, MONDAY)
    with pytest.raises(WarehouseError, match=r"desk:s of source desk: 'Eastern Time \(US & Canada\)' is not an IANA"):
        plant(warehouse, catalog, "night")


def test_a_calendar_of_a_source_without_hours_is_left_out_and_said(warehouse: Warehouse, catalog: Catalog) -> None:
    deliver(warehouse, catalog)
    plant(warehouse, catalog, "night")
    assert warehouse.scalar("SELECT COUNT(*) FROM core.calendars WHERE calendar_id = 'desk:s'") == 0
    assert [row[0] for row in spans(warehouse)] == ["default"]
    query = "SELECT result, failed_count, message FROM ops.check_results WHERE check_id = 'source_calendar_opens'"
    assert [tuple(row.values()) for row in warehouse.rows(query)] == [
        ("warned", 1, "no opening hours, so not used: desk:s")
    ]
    deliver_hours(warehouse, catalog, MONDAY)
    plant(warehouse, catalog, "second")
    assert [row["result"] for row in warehouse.rows(f"{query} ORDER BY run_id")] == ["warned", "passed"]
    assert [row[0] for row in spans(warehouse)] == ["default", "source"]


def test_an_assignment_to_a_calendar_that_no_source_delivered_stops(warehouse: Warehouse, catalog: Catalog) -> None:
    service = {"id": "service", "name": "S", "reporting_zone": "UTC", "calendar": "desk:none"}
    other = replace(catalog, service=Service.model_validate(service))
    with pytest.raises(WarehouseError, match=r"calendar 'desk:none': no source has delivered .* use one of always"):
        plant(warehouse, other, "night")


def test_reporting_offsets_are_those_of_the_zone(warehouse: Warehouse, catalog: Catalog) -> None:
    service = Service.model_validate({"id": "service", "name": "S", "reporting_zone": "Australia/Lord_Howe"})
    plant(warehouse, replace(catalog, service=service), "night")
    query = (
        "SELECT utc_date, offset_seconds, switch_second, offset_after_seconds FROM core.reporting_offsets "
        "WHERE utc_date BETWEEN CAST('2025-04-04' AS DATE) AND CAST('2025-04-06' AS DATE) ORDER BY utc_date"
    )
    assert [tuple(row.values()) for row in warehouse.rows(query)] == [
        (date(2025, 4, 4), 39_600, 86_400, 39_600),
        (date(2025, 4, 5), 39_600, 54_000, 37_800),  # 02:00 on the 6th, 15:00 UTC
        (date(2025, 4, 6), 37_800, 86_400, 37_800),
    ]


def test_a_night_that_finds_its_seeds_unchanged_needs_no_pandas(tmp_path: Path, overlay: Path) -> None:
    """It would cost every such night half a second; DuckDB imports it for the first bound parameter."""
    write_calendar(overlay, BERLIN)
    environment = {**os.environ, "HANSEI_HOME": str(tmp_path / "home"), "HANSEI_DEFINITIONS": str(overlay)}
    code = (
        "import sys\n"
        "from hansei.catalog import load_catalog\n"
        "from hansei.settings import load_settings\n"
        "from hansei.warehouse import open_warehouse\n"
        "from hansei.warehouse.seeds import plant\n"
        "from hansei.warehouse.tables import evolve\n"
        "settings = load_settings()\n"
        "catalog = load_catalog(settings)\n"
        "with open_warehouse(settings) as warehouse:\n"
        "    evolve(warehouse, catalog)\n"
        "    print(plant(warehouse, catalog, 'night'), 'pandas' in sys.modules)\n"
    )
    command = [sys.executable, "-c", code]
    nights = [
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout for _ in range(2)
    ]
    assert nights[0].startswith("True ")
    assert nights[1] == "False False\n"


def test_the_rule_of_the_entity_refuses_an_unknown_zone() -> None:
    entity = load_catalog(load_settings({})).entities["calendars"]
    zones = ["Europe/Berlin", "Berlin", "US/Eastern", "Pacific Time (US & Canada)", "europe/berlin"]
    rows = [{"calendar_id": f"desk:{number}", "name": "S", "zone": zone} for number, zone in enumerate(zones)]
    outcomes = Suite("calendars", row_rules(entity, datetime(2026, 3, 28))).validate(arriving(entity, rows))
    (refused,) = [outcome for outcome in outcomes if outcome.failed_rows]
    assert (refused.rule.id, refused.rule.severity, refused.failed_rows) == ("zone_is_known", "stop", (1, 3, 4))
