"""Closed days and hours from an iCalendar file (RFC 5545) that somebody downloaded; nothing is fetched here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hansei.catalog.openings import EPOCH, FIRST_DATE, LAST_DATE

Spans = list[tuple[int, int]]
_FROM = datetime.combine(FIRST_DATE, time()) - timedelta(days=3)
_UNTIL = datetime.combine(LAST_DATE, time()) + timedelta(days=3)


def read_closed_days(path: Path, zone: str, exclude: tuple[str, ...]) -> tuple[dict[date, str], Spans, Spans] | str:
    """Whole days with their names, hours by the calendar's own clock, hours as instants; or what is wrong.

    Whole-day events close days. Events with times close hours: those without a zone by the calendar's own clock.
    Cancelled events and those named in `exclude` are left out.
    """
    import icalendar

    try:
        content = path.read_bytes()
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})"
    try:
        calendars = icalendar.Calendar.from_ical(content, multiple=True)
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
        days: dict[date, str] = {}
        local, utc = [], []
        for name, start, end in _occurrences(events):
            if name in exclude:
                continue
            if not isinstance(start, datetime):
                count = max((end - start).days, 1)
                days.update({start + timedelta(days=offset): name for offset in range(count)})
            elif start.tzinfo is None:
                local.append((_seconds(start.replace(tzinfo=UTC)), _seconds(end.replace(tzinfo=UTC))))
            else:
                utc.append((_seconds(start), _seconds(end)))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        return f"{path} is not a readable iCalendar file ({str(error).splitlines()[0] if str(error) else error!r})"
    if not events:
        return f"{path} has no event"
    return days, local, utc


def _seconds(at: datetime) -> int:
    return int((at - EPOCH).total_seconds())


def _occurrences(events: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    """(name, start, end) of every event, repeated as its rule says, less what is cancelled or moved elsewhere."""
    moved: dict[str, set[Any]] = {}
    for event in events:
        if "RECURRENCE-ID" in event:
            moved.setdefault(str(event.get("UID", "")), set()).add(event.decoded("RECURRENCE-ID"))
    for event in events:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        start = event.decoded("DTSTART")
        length = _length(event, start)
        skipped = moved.get(str(event.get("UID", "")), set()) if "RECURRENCE-ID" not in event else set()
        for at in _starts(event, start):
            if at not in skipped:
                yield str(event.get("SUMMARY", path_name(event))), at, at + length


def path_name(event: Any) -> str:
    """What to call an event without a summary."""
    return str(event.get("UID", "closed"))


def _length(event: Any, start: Any) -> timedelta:
    if "DTEND" in event:
        return event.decoded("DTEND") - start
    if "DURATION" in event:
        return event.decoded("DURATION")
    return timedelta(0) if isinstance(start, datetime) else timedelta(days=1)


def _starts(event: Any, start: Any) -> list[Any]:
    """Starts of an event; a rule with a zone repeats by that zone's clock."""
    more = list(_dates(event, "RDATE"))
    if "RRULE" not in event:
        return [start, *more]
    from dateutil.rrule import rrulestr

    is_day = not isinstance(start, datetime)
    zone = None if is_day else start.tzinfo
    clock_start = datetime.combine(start, time()) if is_day else start.replace(tzinfo=None)
    rules = event["RRULE"] if isinstance(event["RRULE"], list) else [event["RRULE"]]
    found: set[Any] = {start, *more}
    for rule in rules:
        until = rule.pop("UNTIL", None)
        last = _UNTIL if not until else _on_clock(until[0], zone)
        repeated = rrulestr(rule.to_ical().decode(), dtstart=clock_start)
        for at in repeated:
            if at > min(last, _UNTIL):
                break
            if at >= _FROM:
                found.add(at.date() if is_day else at.replace(tzinfo=zone))
    return sorted(found - set(_dates(event, "EXDATE")))


def _on_clock(at: Any, zone: Any) -> datetime:
    """A date or time as the clock of the event's zone shows it; a date means its whole day."""
    if not isinstance(at, datetime):
        return datetime.combine(at, time(23, 59, 59))
    if at.tzinfo is None:
        return at
    return at.astimezone(zone or ZoneInfo("UTC")).replace(tzinfo=None)


def _dates(event: Any, name: str) -> Iterator[Any]:
    listed = event.get(name, [])
    for item in listed if isinstance(listed, list) else [listed]:
        yield from (entry.dt for entry in item.dts)
