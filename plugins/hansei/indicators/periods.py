"""Periods: days, ISO weeks, months and quarters, named by their first day in the reporting zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def period_start(grain: str, day: date) -> date:
    """First day of the period that holds the day."""
    if grain == "day":
        return day
    if grain == "week":
        return day - timedelta(days=day.weekday())
    if grain == "month":
        return day.replace(day=1)
    return day.replace(month=day.month - (day.month - 1) % 3, day=1)


def next_period(grain: str, start: date) -> date:
    """First day of the following period."""
    if grain == "day":
        return start + timedelta(days=1)
    if grain == "week":
        return start + timedelta(days=7)
    months = 1 if grain == "month" else 3
    return (start + timedelta(days=31 * months)).replace(day=1)


def previous_period(grain: str, start: date) -> date:
    """First day of the period before."""
    return period_start(grain, start - timedelta(days=1))


def last_finished(grain: str, day: date) -> date:
    """First day of the last period that had ended when the day began."""
    return previous_period(grain, period_start(grain, day))


def periods_before(grain: str, start: date, count: int) -> date:
    """First day of the period that lies so many periods before."""
    for _ in range(count):
        start = previous_period(grain, start)
    return start


def periods_between(grain: str, first: date, last: date) -> list[date]:
    """First days of every period from the one that holds `first` to the one that holds `last`."""
    starts = []
    start = period_start(grain, first)
    while start <= last:
        starts.append(start)
        start = next_period(grain, start)
    return starts


def period_name(grain: str, start: date) -> str:
    """Short name of the period for ids: 2026-07-06, 2026-W28, 2026-07, 2026-Q3."""
    if grain == "day":
        return start.isoformat()
    if grain == "week":
        year, week, _ = start.isocalendar()
        return f"{year}-W{week:02}"
    return f"{start:%Y-%m}" if grain == "month" else f"{start.year}-Q{(start.month + 2) // 3}"


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """Date of a naive UTC instant in the reporting zone."""
    return instant.replace(tzinfo=UTC).astimezone(zone).date()
