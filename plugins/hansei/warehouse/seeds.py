"""Tables that Python fills from definitions: the reporting zone's offsets, the calendars and who follows which.

Each is written only when what it is made of has changed, which its fingerprint in `ops.model_states` tells; models
that read it are rebuilt then, because their own fingerprints cover it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.calendars import CalendarAssignment
from hansei.errors import WarehouseError
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.publication import record_changes
from hansei.warehouse.states import remember
from hansei.warehouse.tables import Columns, create_table

if TYPE_CHECKING:
    from hansei.warehouse.calendars import SourceCalendar

OFFSETS = "core.reporting_offsets"
CALENDARS = "core.calendars"
DAYS = "core.calendar_days"
OPENINGS = "core.calendar_openings"
ASSIGNMENTS = "core.calendar_assignments"
SEEDS = (OFFSETS, CALENDARS, DAYS, OPENINGS, ASSIGNMENTS)
# The large ones, with the key by which their changes are logged: the read copy follows them.
FOLLOWED_SEEDS = {DAYS: "calendar_id", OPENINGS: "calendar_id"}

# Ends of every line and of what has no end: instants outside have no position.
LINE_START, LINE_END = datetime(1970, 1, 1), datetime(2070, 1, 1)
OFFSET_COLUMNS = {
    "utc_date": "date",
    "offset_seconds": "integer",
    "switch_second": "integer",
    "offset_after_seconds": "integer",
}
ASSIGNMENT_COLUMNS = {
    "dimension": "text",
    "value": "text",
    "calendar_id": "text",
    "calendar_number": "integer",
    "valid_from": "timestamp",
    "valid_to": "timestamp",
}


def seed_tables() -> dict[str, dict[str, str]]:
    """Every seed with its columns, name to type; core.calendar_days as wide as it is at least."""
    from hansei.warehouse import calendars

    return {
        OFFSETS: OFFSET_COLUMNS,
        CALENDARS: calendars.CALENDAR_COLUMNS,
        DAYS: calendars.days_columns(calendars.MINIMUM_PAIRS),
        OPENINGS: calendars.OPENING_COLUMNS,
        ASSIGNMENTS: ASSIGNMENT_COLUMNS,
    }


def plant(warehouse: Warehouse, catalog: Catalog, run_id: str) -> bool:
    """Writes the seeds that are new or have changed; whether any was written."""
    from hansei.warehouse.calendars import source_calendars

    from_sources = source_calendars(warehouse, catalog)
    known = seed_fingerprints(warehouse)
    planted = [
        _plant_offsets(warehouse, catalog, run_id, known),
        _plant_calendars(warehouse, catalog, from_sources, run_id, known),
        _plant_assignments(warehouse, catalog, from_sources, run_id, known),
    ]
    _report_on_calendars(warehouse, catalog, from_sources, run_id)
    warehouse.sql.opening_pairs = opening_pairs(warehouse)
    return any(planted)


def seed_fingerprints(warehouse: Warehouse) -> dict[str, str]:
    """Fingerprint of each seed as it was planted; a seed that was never planted is not in it."""
    listed = warehouse.sql.text_list(SEEDS)
    rows = warehouse.rows(f"SELECT model, fingerprint FROM ops.model_states WHERE model IN ({listed})")
    return {row["model"]: row["fingerprint"] for row in rows}


def opening_pairs(warehouse: Warehouse) -> int:
    """How many openings a UTC day has room for in core.calendar_days; what `Dialect.opening_pairs` has to be."""
    from hansei.warehouse.calendars import MINIMUM_PAIRS

    # Without bound parameters: DuckDB imports pandas for the first of them.
    count = warehouse.scalar(
        "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = 'core' "
        "AND table_name = 'calendar_days' AND column_name LIKE 'start%'"
    )
    return max(count, MINIMUM_PAIRS)


def reporting_offsets(zone: str) -> pa.Table:
    """One row per UTC day: offset at its start, the second at which it switches (86400: never), offset afterwards.

    A switch at the very end of a day shows as switch_second 86400 there and as the next day's own offset.
    """
    import numpy as np

    from hansei.catalog.calendars import DAY
    from hansei.catalog.openings import DAY_COUNT, clock_changes
    from hansei.warehouse.calendars import numbers

    instants, offsets = clock_changes(zone)
    midnights = np.arange(DAY_COUNT + 1, dtype=np.int64) * DAY
    in_force = np.searchsorted(instants, midnights, side="right") - 1
    before, after = offsets[in_force[:-1]], offsets[in_force[1:]]
    switches = np.where(before == after, DAY, instants[in_force[1:]] - midnights[:-1])
    days = numbers(np.arange(DAY_COUNT, dtype=np.int32)).view(pa.date32())
    columns = [days, *(numbers(values.astype(np.int32)) for values in (before, switches, after))]
    return pa.table(columns, names=list(OFFSET_COLUMNS))


def _plant_offsets(warehouse: Warehouse, catalog: Catalog, run_id: str, known: dict[str, str]) -> bool:
    fingerprint = catalog.fingerprint(OFFSETS, catalog.service.reporting_zone)
    if known.get(OFFSETS) == fingerprint:
        return False
    with warehouse.transaction():
        _replace(warehouse, OFFSETS, OFFSET_COLUMNS, [reporting_offsets(catalog.service.reporting_zone)])
        _remember(warehouse, OFFSETS, fingerprint, run_id, known, "SELECT 'zone' AS key, 'upsert' AS operation")
    return True


def _plant_calendars(
    warehouse: Warehouse,
    catalog: Catalog,
    from_sources: list[SourceCalendar],
    run_id: str,
    known: dict[str, str],
) -> bool:
    from hansei.warehouse import calendars as lines

    fingerprint = lines.calendars_fingerprint(catalog, from_sources)
    if all(known.get(table) == fingerprint for table in (CALENDARS, DAYS, OPENINGS)):
        return False
    # One of a source that never opens is left out, so that it can never count as zero: see _report_on_calendars.
    planted = [item for item in lines.work_out_all(catalog, from_sources) if len(item.openings.starts)]
    parts = {item.calendar_id: lines.day_parts(item.openings) for item in planted}
    pairs = max(lines.MINIMUM_PAIRS, *(part.pairs for part in parts.values()))
    with warehouse.transaction():
        changed = "SELECT calendar_id AS key, 'upsert' AS operation FROM core.calendars"
        _replace(warehouse, CALENDARS, lines.CALENDAR_COLUMNS, [lines.calendars_table(planted)])
        _replace(
            warehouse, OPENINGS, lines.OPENING_COLUMNS, itertools.starmap(lines.openings_table, enumerate(planted, 1))
        )
        days = (lines.days_table(number, *part, pairs) for number, part in enumerate(parts.items(), 1))
        _replace(warehouse, DAYS, lines.days_columns(pairs), days)
        _index(warehouse)
        for table in (CALENDARS, DAYS, OPENINGS):
            _remember(warehouse, table, fingerprint, run_id, known, changed)
    return True


def _index(warehouse: Warehouse) -> None:
    """What PostgreSQL needs to find a day or an opening of a calendar; DuckDB scans faster."""
    if warehouse.sql.is_duckdb:
        return
    for table, columns in ((DAYS, "calendar_number, utc_date"), (OPENINGS, "calendar_number, opened_seconds")):
        name = f"{table.split('.')[1]}_key"
        warehouse.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {name} ON {table} ({columns})")
        warehouse.execute(f"ANALYZE {table}")


def _plant_assignments(
    warehouse: Warehouse,
    catalog: Catalog,
    from_sources: list[SourceCalendar],
    run_id: str,
    known: dict[str, str],
) -> bool:
    planted = warehouse.rows("SELECT calendar_number, calendar_id, zone FROM core.calendars")
    zones = {row["calendar_id"]: row["zone"] for row in planted}
    numbers = {row["calendar_id"]: row["calendar_number"] for row in planted}
    defaults = {item.source: item.calendar_id for item in reversed(from_sources) if item.is_default}
    service = catalog.service
    named = sorted({service.calendar, *(item.calendar for item in service.calendar_assignments)})
    parts = [service.calendar, *service.calendar_assignments, sorted(defaults.items())]
    fingerprint = catalog.fingerprint(
        ASSIGNMENTS, *parts, {name: (zones.get(name), numbers.get(name)) for name in [*named, *defaults.values()]}
    )
    if known.get(ASSIGNMENTS) == fingerprint:
        return False
    for name in named:
        if name not in zones:
            place = f"{_service_file(catalog)}: calendar {name!r}"
            found = "no source has delivered such a calendar with opening hours"
            raise WarehouseError(place, found, f"use one of {', '.join(sorted(zones))}")
    rows = [("default", "", service.calendar, LINE_START, LINE_END)]
    by_subject: dict[tuple[str, str], list[CalendarAssignment]] = {}
    for source, calendar in sorted(defaults.items()):
        if calendar in zones:
            by_subject["source", source] = [CalendarAssignment(source=source, calendar=calendar)]
    for item in service.calendar_assignments:
        history = by_subject.setdefault((item.dimension, item.value), [])
        if item.first is None:
            history.clear()  # said by hand for all of time, so the source's own default does not count
        history.append(item)
    for (dimension, value), history in sorted(by_subject.items()):
        rows += [(dimension, value, *span) for span in _spans(history, zones)]
    columns = list(zip(*[(*row[:3], numbers[row[2]], *row[3:]) for row in rows], strict=True))
    kinds = [pa.string()] * 3 + [pa.int32()] + [pa.timestamp("us")] * 2
    data = {
        name: pa.array(list(column), kind)
        for name, column, kind in zip(ASSIGNMENT_COLUMNS, columns, kinds, strict=True)
    }
    with warehouse.transaction():
        _replace(warehouse, ASSIGNMENTS, ASSIGNMENT_COLUMNS, [pa.table(data)])
        changed = f"SELECT DISTINCT dimension AS key, 'upsert' AS operation FROM {ASSIGNMENTS}"
        _remember(warehouse, ASSIGNMENTS, fingerprint, run_id, known, changed)
    return True


def _service_file(catalog: Catalog) -> str:
    document = catalog.documents.get(("service", catalog.service.id))
    return str(document.path) if document else "service.yaml"


def _spans(history: list[CalendarAssignment], zones: dict[str, str]) -> list[tuple[str, datetime, datetime]]:
    """(calendar, from, to) of one value, gap-free from its first date; each holds until the next begins."""
    begun = sorted(
        ((_start(item.first, zones[item.calendar]), item.calendar) for item in history), key=lambda pair: pair[0]
    )
    ends = [start for start, _ in begun[1:]] + [LINE_END]
    return [(calendar, start, end) for (start, calendar), end in zip(begun, ends, strict=True) if start < end]


def _start(first: date | None, zone: str) -> datetime:
    """UTC instant at which a date begins by the clock of the zone."""
    if first is None:
        return LINE_START
    import numpy as np

    from hansei.catalog.calendars import DAY
    from hansei.catalog.openings import day_number, to_utc

    second = int(to_utc(np.array([day_number(first) * DAY], dtype=np.int64), zone)[0])
    return max(datetime.fromtimestamp(second, UTC).replace(tzinfo=None), LINE_START)


def _report_on_calendars(
    warehouse: Warehouse, catalog: Catalog, from_sources: list[SourceCalendar], run_id: str
) -> None:
    """Records, each run, what a calendar lacks: openings of a source's, the newest notice of a Chinese one."""
    chinese = [item for item in catalog.calendars.values() if item.make_up_weekday]
    if not from_sources and not chinese:
        return
    checked = "entity = :entity AND run_id = :run_id"
    warehouse.execute(f"DELETE FROM ops.check_results WHERE {checked}", {"entity": CALENDARS, "run_id": run_id})
    if from_sources:
        rows = warehouse.rows("SELECT calendar_id FROM core.calendars WHERE origin = 'source'")
        opened = {row["calendar_id"] for row in rows}
        never = [item.calendar_id for item in from_sources if item.calendar_id not in opened]
        message = f"no opening hours, so not used: {', '.join(never)}" if never else ""
        _record(warehouse, run_id, "source_calendar_opens", len(from_sources), len(never), message)
    if chinese:
        from hansei.catalog.closed_days import missing_chinese_years

        year = datetime.now(UTC).year
        missing = {item.id: years for item in chinese if (years := missing_chinese_years(item, year))}
        told = "; ".join(f"{name} lacks the notice of {', '.join(map(str, years))}" for name, years in missing.items())
        _record(warehouse, run_id, "chinese_notice_known", len(chinese), len(missing), told)


def _record(warehouse: Warehouse, run_id: str, check: str, checked: int, failed: int, message: str) -> None:
    identity = {"run_id": run_id, "source": "", "entity": CALENDARS, "check_id": check, "scope": "seed"}
    counts = {"checked_count": checked, "failed_count": failed, "result": "warned" if failed else "passed"}
    warehouse.insert("ops.check_results", [{**identity, "severity": "warn", "message": message, **counts}])


def _replace(warehouse: Warehouse, table: str, columns: Columns, parts: Iterable[pa.Table]) -> None:
    """The table with these rows alone; one whose columns differ is made anew (views on it come back by themselves)."""
    existing = warehouse.columns(table)
    if existing and existing != list(columns):
        warehouse.execute(f"DROP TABLE {table}" + ("" if warehouse.sql.is_duckdb else " CASCADE"))
    create_table(warehouse, table, columns)
    warehouse.execute(f"DELETE FROM {table}")
    data = list(parts)
    if data:
        warehouse.load(table, pa.concat_tables(data, promote_options="default").unify_dictionaries())


def _remember(
    warehouse: Warehouse, table: str, fingerprint: str, run_id: str, known: dict[str, str], changed: str
) -> None:
    remember(warehouse, {table: fingerprint}, run_id, "definition" if table in known else "created")
    record_changes(warehouse, table, run_id, changed)
