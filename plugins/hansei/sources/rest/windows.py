"""The window of a night as a request writes it: slices, and bounds rounded outwards to what the format can tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hansei.catalog.rest import AskedWindow, Request
from hansei.catalog.windows import Window

_UNITS = (
    ("%f", timedelta(microseconds=1)),
    ("%S", timedelta(seconds=1)),
    ("%s", timedelta(seconds=1)),
    ("%T", timedelta(seconds=1)),
    ("%M", timedelta(minutes=1)),
    ("%H", timedelta(hours=1)),
)
_MIDNIGHT = datetime(1970, 1, 1)


def slices(request: Request, window: Window) -> list[tuple[datetime, datetime]]:
    """The spans that are asked one after the other, naive UTC, oldest first; they cover the window and its margin."""
    asked = request.window
    start = (window.start or datetime.fromisoformat(asked.earliest)) - asked.margin
    end = window.end + asked.margin
    if asked.slice is None or start >= end:
        return [(start, end)]
    spans = []
    while start < end:
        following = min(start + asked.slice, end)
        spans.append((start, following))
        start = following
    return spans


def written(at: datetime, asked: AskedWindow, is_end: bool) -> str | int:
    """A bound as the request has it; the start is rounded down, the end up."""
    if asked.format == "unix_ms":
        return _ticks(at, timedelta(milliseconds=1), is_end)
    if asked.format == "unix":
        return _ticks(at, timedelta(seconds=1), is_end)
    local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(asked.zone)).replace(tzinfo=None)
    if asked.format == "iso":
        rounded = _rounded(local, timedelta(seconds=1), is_end)
        if asked.zone == "UTC":
            return f"{rounded:%Y-%m-%dT%H:%M:%SZ}"
        return rounded.replace(tzinfo=ZoneInfo(asked.zone)).isoformat()
    if asked.format == "date":
        return f"{_rounded(local, timedelta(days=1), is_end):%Y-%m-%d}"
    unit = next((unit for sign, unit in _UNITS if sign in asked.format), timedelta(days=1))
    return _rounded(local, unit, is_end).replace(tzinfo=ZoneInfo(asked.zone)).strftime(asked.format)


def _ticks(at: datetime, unit: timedelta, is_end: bool) -> int:
    return (_rounded(at, unit, is_end) - _MIDNIGHT) // unit


def _rounded(at: datetime, unit: timedelta, is_end: bool) -> datetime:
    over = (at - _MIDNIGHT) % unit
    return at - over + (unit if is_end and over else timedelta(0))
