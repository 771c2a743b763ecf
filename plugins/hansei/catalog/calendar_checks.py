"""Faults of calendars: hours that overlap, days that cannot be worked out, assignments that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hansei.catalog.calendars import ALWAYS, DAY, WEEKDAYS, Calendar, seconds_of
from hansei.catalog.documents import Fault, Location

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

_WEEK = 7 * DAY


def check_calendars(catalog: Catalog) -> Iterator[Fault]:
    """What can be seen without working out a single day."""
    for calendar in catalog.calendars.values():
        document = catalog.documents["calendars", calendar.id]
        if calendar.id == ALWAYS.id:
            next_step = "choose another id"
            yield document.fault(("id",), f"{ALWAYS.id!r} is the built-in calendar that never closes", next_step)
        for location, found in _overlaps(calendar):
            yield document.fault(location, found, "join the two, or move one")
        if not any(calendar.week) and not any(item.hours for item in calendar.special_days):
            next_step = "give hours, or always_open: true"
            yield document.fault(("hours",), "the calendar never opens", next_step)
        if calendar.chinese_years_by_hand and not calendar.make_up_weekday:
            found = "means nothing without chinese_make_up_days"
            yield document.fault(("chinese_years_by_hand",), found, "remove it, or add the other key")
    yield from _check_assignments(catalog)


def check_openings(catalog: Catalog, today: datetime | None = None) -> Iterator[Fault]:
    """What shows only when every day is worked out: files, countries, missing notices, calendars without openings."""
    if not catalog.calendars:
        return
    from hansei.catalog.closed_days import missing_chinese_years, work_out
    from hansei.catalog.openings import openings

    year = (today or datetime.now(UTC)).year
    for calendar in catalog.calendars.values():
        document = catalog.documents["calendars", calendar.id]
        worked_out = work_out(calendar, document.path.parent, catalog.home)
        for trouble in worked_out.troubles:
            yield document.fault(trouble.location, trouble.found, trouble.next_step)
        for missing in missing_chinese_years(calendar, year):
            found = f"chinesecalendar does not know the State Council's notice for {missing}"
            by_hand = f"write its days under holidays and special_days and add {missing} to chinese_years_by_hand"
            yield document.fault(("chinese_make_up_days",), found, f"upgrade chinesecalendar; or {by_hand}")
        has_hours = any(calendar.week) or any(item.hours for item in calendar.special_days)
        if has_hours and not worked_out.troubles and not len(openings(worked_out.hours).starts):
            found = "the calendar never opens: its holidays and closures leave nothing"
            yield document.fault(("hours",), found, "correct the days that close it")


def _overlaps(calendar: Calendar) -> Iterator[tuple[Location, str]]:
    """(place, what overlaps) within the week, past midnight and from Sunday to Monday, and within a special day."""
    spans = [
        (index * DAY + start, index * DAY + end, ("hours", day, position), f"{day} {text}")
        for index, day in enumerate(WEEKDAYS)
        for position, text in enumerate(calendar.hours.get(day, ()))
        for start, end in [seconds_of(text)]
    ]
    around = [*spans, *((start + _WEEK, end + _WEEK, place, told) for start, end, place, told in spans)]
    seen = set()
    for first, second in _overlapping(around):
        if (place := second[2]) not in seen and first[2] != place:
            seen.add(place)
            yield place, f"{second[3]} overlaps {first[3]}"
    for index, item in enumerate(calendar.special_days):
        own = [
            (*seconds_of(text), ("special_days", index, "hours", number), text)
            for number, text in enumerate(item.hours)
        ]
        for first, second in _overlapping(own):
            yield second[2], f"{second[3]} overlaps {first[3]}"


def _overlapping(spans: Sequence[tuple]) -> Iterator[tuple[tuple, tuple]]:
    ordered = sorted(spans, key=lambda span: span[:2])
    for position, second in enumerate(ordered[1:], 1):
        first = max(ordered[:position], key=lambda span: span[1])
        if second[0] < first[1]:
            yield first, second


def _check_assignments(catalog: Catalog) -> Iterator[Fault]:
    service = catalog.service
    document = catalog.documents.get(("service", service.id))
    if document is None:
        return
    if fault := unknown_calendar(catalog, service.calendar):
        yield document.fault(("calendar",), *fault)
    seen: dict[tuple, int] = {}
    for index, item in enumerate(service.calendar_assignments):
        here: Location = ("calendar_assignments", index)
        if fault := unknown_calendar(catalog, item.calendar):
            yield document.fault((*here, "calendar"), *fault)
        if item.source is not None and item.source not in catalog.sources:
            known = ", ".join(sorted(catalog.sources)) or "none is declared yet"
            yield document.fault((*here, "source"), f"source {item.source!r} is not declared", f"use one of {known}")
        subject = (item.dimension, item.value, item.first)
        if subject in seen:
            since = f"from {item.first}" if item.first else "without a date"
            found = f"{item.dimension} {item.value!r} has a calendar {since} twice"
            line = document.line_of(("calendar_assignments", seen[subject]))
            yield document.fault(here, found, f"keep one; the other is on line {line}")
        seen.setdefault(subject, index)


def unknown_calendar(catalog: Catalog, name: str) -> tuple[str, str] | None:
    """What is wrong with a calendar's name; one of a source, `instance:key`, is known once the source is loaded."""
    if name == ALWAYS.id or name in catalog.calendars:
        return None
    instances = {source.instance for source in catalog.sources.values() if "calendars" in source.entity_ids}
    if ":" in name and name.split(":", 1)[0] in instances:
        return None
    known = ", ".join([ALWAYS.id, *sorted(catalog.calendars), *sorted(f"{instance}:..." for instance in instances)])
    return f"calendar {name!r} is not declared", f"use one of {known}"
