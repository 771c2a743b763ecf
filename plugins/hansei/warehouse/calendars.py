"""Calendars as tables: every calendar of the definitions and of the sources, worked out once."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.calendars import ALWAYS, DAY, Calendar
from hansei.catalog.openings import DAY_COUNT, Hours, Openings, day_number, openings, week_seconds
from hansei.errors import DefinitionError, WarehouseError
from hansei.warehouse.engine import Warehouse

MINIMUM_PAIRS = 2
# Raised when the same hours give other openings than before, so that tables are planted anew.
RECKONING = 3
CALENDAR_COLUMNS = {
    "calendar_number": "integer",
    "calendar_id": "text",
    "name": "text",
    "zone": "text",
    "origin": "text",
    "week_seconds": "bigint",
}
OPENING_COLUMNS = {
    "calendar_number": "integer",
    "calendar_id": "text",
    "opening_number": "integer",
    "open_day": "integer",
    "opened_at": "timestamp",
    "closed_at": "timestamp",
    "opened_seconds": "bigint",
    "closed_seconds": "bigint",
}


@dataclass(frozen=True)
class SourceCalendar:
    """A calendar as a source delivered it: weekly openings in minutes after Monday 00:00, closed days inclusive."""

    calendar_id: str
    source: str
    name: str
    zone: str
    is_default: bool
    is_deleted: bool
    week: tuple[tuple[int, int], ...]
    holidays: tuple[tuple[date, date], ...]

    def hours(self) -> Hours:
        """Its hours, each day's up to midnight by itself: a closed day is closed by the clock, from 00:00 to 24:00."""
        days: list[list[tuple[int, int]]] = [[] for _ in range(7)]
        for start_minute, end_minute in self.week:
            start, end = start_minute * 60, end_minute * 60
            while start < end:
                midnight = (start // DAY + 1) * DAY
                days[start // DAY % 7].append((start % DAY, min(end, midnight) - start // DAY * DAY))
                start = midnight
        closed = (number for first, last in self.holidays for number in range(day_number(first), day_number(last) + 1))
        return Hours(self.zone, tuple(tuple(sorted(day)) for day in days), frozenset(closed))


@dataclass(frozen=True)
class Planted:
    """One calendar ready to be written."""

    calendar_id: str
    name: str
    origin: str
    hours: Hours
    openings: Openings


def source_calendars(warehouse: Warehouse, catalog: Catalog) -> list[SourceCalendar]:
    """Calendars of the staging tables, by id. A deleted one keeps the hours it had: tickets followed it."""
    if "calendars" not in catalog.entities:
        return []
    calendars = warehouse.rows(
        "SELECT calendar_id, source, name, zone, is_default, deleted_at FROM staging.calendars ORDER BY calendar_id"
    )
    if not calendars:
        return []
    hours = _parts(warehouse, "calendar_hours", "start_minute", "end_minute")
    holidays = _parts(warehouse, "calendar_holidays", "start_date", "end_date")
    return [
        SourceCalendar(
            row["calendar_id"],
            row["source"],
            row["name"],
            row["zone"],
            bool(row["is_default"]) and row["deleted_at"] is None,
            row["deleted_at"] is not None,
            _in_force(hours.get(row["calendar_id"], ()), row["deleted_at"]),
            _in_force(holidays.get(row["calendar_id"], ()), row["deleted_at"]),
        )
        for row in calendars
    ]


def _parts(warehouse: Warehouse, entity: str, start: str, end: str) -> dict[str, list[tuple]]:
    query = (
        f"SELECT calendar_id, {start} AS first, {end} AS last, deleted_at FROM staging.{entity} "
        f"ORDER BY calendar_id, {start}, {end}"
    )
    parts: dict[str, list[tuple]] = {}
    for row in warehouse.rows(query):
        parts.setdefault(row["calendar_id"], []).append((row["first"], row["last"], row["deleted_at"]))
    return parts


def _in_force(parts: Iterable[tuple], calendar_deleted_at: datetime | None) -> tuple[tuple, ...]:
    """What was not deleted, or went only when its calendar did."""
    return tuple(
        (first, last)
        for first, last, gone in parts
        if gone is None or (calendar_deleted_at is not None and gone >= calendar_deleted_at)
    )


def calendars_fingerprint(catalog: Catalog, from_sources: Sequence[SourceCalendar]) -> str:
    """Changes with anything that moves an opening: definitions, holiday files, libraries of holidays, zone rules."""
    calendars = list(catalog.calendars.values())
    zones = {ALWAYS.zone, *(item.zone for item in calendars), *(item.zone for item in from_sources)}
    parts = {
        "reckoning": RECKONING,
        "calendars": [item.model_dump(mode="json") for item in calendars],
        "files": {str(path): _content_hash(path) for item in calendars for path in _files(catalog, item)},
        "libraries": {name: metadata.version(name) for name in sorted(_libraries(calendars))},
        "zones": {zone: _zone_hash(zone) for zone in sorted(zones)},
        "sources": [vars(item) for item in from_sources],
    }
    return catalog.fingerprint(parts)


def _files(catalog: Catalog, calendar: Calendar) -> list[Path]:
    from hansei.catalog.closed_days import file_path

    folder = catalog.documents["calendars", calendar.id].path.parent
    return [file_path(item.file, folder, catalog.home) for item in calendar.holidays if item.file is not None]


def _content_hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _libraries(calendars: Iterable[Calendar]) -> set[str]:
    used = set()
    for calendar in calendars:
        used |= {"holidays"} if any(item.country for item in calendar.holidays) else set()
        used |= {"icalendar", "python-dateutil"} if any(item.file for item in calendar.holidays) else set()
        used |= {"chinesecalendar"} if calendar.make_up_weekday else set()
    return used


def _zone_hash(zone: str) -> str:
    """Hash of the zone's rules, from where zoneinfo reads them; empty where there is no such zone."""
    candidates = [Path(root) / zone for root in zoneinfo.TZPATH]
    for candidate in candidates:
        if candidate.is_file():
            return sha256(candidate.read_bytes()).hexdigest()
    packaged = resources.files("tzdata").joinpath("zoneinfo", *zone.split("/"))
    return sha256(packaged.read_bytes()).hexdigest() if packaged.is_file() else ""


def work_out_all(catalog: Catalog, from_sources: Sequence[SourceCalendar]) -> list[Planted]:
    """Every calendar with its openings, by id. One without any opening (of a source) has empty arrays.

    Their order is that of their numbers, which decide between two calendars that a ticket names at one instant: by id
    one more calendar never turns such a decision.

    Raises DefinitionError with all faults of the definitions' days, WarehouseError for a source's unknown zone.
    """
    from hansei.catalog.closed_days import work_out

    planted = [Planted(ALWAYS.id, ALWAYS.name, "definition", *_opened(Hours(ALWAYS.zone, ALWAYS.week)))]
    faults = []
    for calendar in sorted(catalog.calendars.values(), key=lambda item: item.id):
        document = catalog.documents["calendars", calendar.id]
        worked_out = work_out(calendar, document.path.parent, catalog.home)
        faults += [document.fault(item.location, item.found, item.next_step) for item in worked_out.troubles]
        planted.append(Planted(calendar.id, calendar.name, "definition", *_opened(worked_out.hours)))
    if faults:
        raise DefinitionError(faults)
    for item in from_sources:
        try:
            zoneinfo.ZoneInfo(item.zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            place = f"calendar {item.calendar_id} of source {item.source}"
            next_step = (
                "map the source's name of the zone to an IANA name, as Europe/Berlin, with `values` in its mapping"
            )
            raise WarehouseError(place, f"{item.zone!r} is not an IANA zone", next_step) from None
        planted.append(Planted(item.calendar_id, item.name, "source", *_opened(item.hours())))
    return sorted(planted, key=lambda item: item.calendar_id)


def _opened(hours: Hours) -> tuple[Hours, Openings]:
    return hours, openings(hours)


def calendars_table(planted: Sequence[Planted]) -> pa.Table:
    """Rows of core.calendars."""
    rows = [
        (number, item.calendar_id, item.name, item.hours.zone, item.origin, week_seconds(item.hours.week))
        for number, item in enumerate(planted, 1)
    ]
    columns = list(zip(*rows, strict=True))
    return pa.table({name: pa.array(list(column)) for name, column in zip(CALENDAR_COLUMNS, columns, strict=True)})


def openings_table(number: int, planted: Planted) -> pa.Table:
    """Rows of core.calendar_openings of one calendar: its openings, cut at each full day of open time.

    A position is in one such day (`open_day`, 86,400 open seconds), so that the instant of a position is found by equal
    numbers: a hash join, where a search among openings would have to sort.
    """
    line = planted.openings
    closed = line.before + line.ends - line.starts
    first = line.before // DAY
    counts = (closed - 1) // DAY - first + 1
    index = np.repeat(np.arange(len(counts)), counts)
    day = first[index] + np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    begun = np.maximum(line.before[index], day * DAY)
    ended = np.minimum(closed[index], (day + 1) * DAY)
    opened_at = line.starts[index] + begun - line.before[index]
    return pa.table(
        {
            "calendar_number": numbers(np.full(len(index), number, dtype=np.int32)),
            "calendar_id": _repeated(planted.calendar_id, len(index)),
            "opening_number": numbers((index + 1).astype(np.int32)),
            "open_day": numbers(day.astype(np.int32)),
            "opened_at": _instants(opened_at),
            "closed_at": _instants(opened_at + ended - begun),
            "opened_seconds": numbers(begun),
            "closed_seconds": numbers(ended),
        }
    )


@dataclass(frozen=True)
class DayParts:
    """Openings cut at UTC midnights: day number, start and end within it, and which of the day's openings it is."""

    days: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    ordinals: np.ndarray

    @property
    def pairs(self) -> int:
        """Most openings in one UTC day."""
        return int(self.ordinals.max(initial=-1)) + 1


def day_parts(line: Openings) -> DayParts:
    """The openings by UTC day, in order."""
    first_days = line.starts // DAY
    counts = (line.ends - 1) // DAY - first_days + 1
    index = np.repeat(np.arange(len(counts)), counts)
    days = first_days[index] + np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = np.maximum(line.starts[index] - days * DAY, 0)
    ends = np.minimum(line.ends[index] - days * DAY, DAY)
    ordinals = np.arange(len(days)) - np.searchsorted(days, days, side="left")
    return DayParts(days, starts, ends, ordinals)


def days_columns(pairs: int) -> dict[str, str]:
    """Columns of core.calendar_days that holds so many openings a day."""
    spans = {f"{edge}_{number}": "integer" for number in range(1, pairs + 1) for edge in ("start", "end")}
    named = {"calendar_number": "integer", "calendar_id": "text"}
    return {**named, "utc_date": "date", "opened_seconds": "bigint", **spans}


def days_table(number: int, calendar_id: str, parts: DayParts, pairs: int) -> pa.Table:
    """Rows of core.calendar_days of one calendar: each UTC day from 1970 to 2069.

    `number` is the calendar's in core.calendars: short keys make the join of millions of instants cheap.
    """
    starts, ends = np.zeros((2, pairs, DAY_COUNT), dtype=np.int32)
    starts[parts.ordinals, parts.days] = parts.starts
    ends[parts.ordinals, parts.days] = parts.ends
    opened = (ends - starts).sum(axis=0, dtype=np.int64)
    columns: dict[str, Any] = {
        "calendar_number": numbers(np.full(DAY_COUNT, number, dtype=np.int32)),
        "calendar_id": _repeated(calendar_id, DAY_COUNT),
        "utc_date": numbers(np.arange(DAY_COUNT, dtype=np.int32)).view(pa.date32()),
        "opened_seconds": numbers(np.cumsum(opened) - opened),
    }
    for pair in range(pairs):
        columns |= {f"start_{pair + 1}": numbers(starts[pair]), f"end_{pair + 1}": numbers(ends[pair])}
    return pa.table(columns)


def numbers(values: np.ndarray) -> pa.Array:
    """An array of numbers for Arrow, sharing its memory; `pa.array` of it would import pandas, half a second."""
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, buffer])


def _repeated(text: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(numbers(np.zeros(count, dtype=np.int8)), pa.repeat(text, 1))


def _instants(seconds: np.ndarray) -> pa.Array:
    return numbers(seconds * 1_000_000).view(pa.timestamp("us"))
