"""From a calendar's hours on the wall clock to its openings: sorted, merged instants from 1970 to 2069.

All seconds are counted from 1970-01-01 00:00, those of the wall clock (`local`) as those of UTC. A clock time that
comes twice means its first instant; one that the clock skips means the instant at which it skips. So hours never
turn round, and what is counted in between are seconds that really passed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from hansei.catalog.calendars import DAY

FIRST_DATE, LAST_DATE = date(1970, 1, 1), date(2069, 12, 31)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_COUNT = (LAST_DATE - FIRST_DATE).days + 1
LINE_END = DAY_COUNT * DAY
# Local days before and after: hours of the first and last UTC day may belong to a neighbouring local day.
_MARGIN_DAYS = 3
# No zone switches there and back within three days; the test of `clock_changes` compares with a closer look.
_STEP = 3 * DAY

Seconds = tuple[int, int]


@dataclass(frozen=True)
class Hours:
    """A calendar with every rule worked out. Days are counted from 1970-01-01; openings are seconds of their day."""

    zone: str
    week: tuple[tuple[Seconds, ...], ...]
    closed_days: frozenset[int] = frozenset()
    own_hours: Mapping[int, tuple[Seconds, ...]] = field(default_factory=dict)
    local_closures: tuple[Seconds, ...] = ()
    utc_closures: tuple[Seconds, ...] = ()


@dataclass(frozen=True)
class Openings:
    """A calendar's openings in UTC seconds, in order and apart; `before`: open seconds ahead of each."""

    starts: np.ndarray
    ends: np.ndarray

    @property
    def before(self) -> np.ndarray:
        lengths = self.ends - self.starts
        return np.cumsum(lengths) - lengths

    def position(self, instants: np.ndarray) -> np.ndarray:
        """Open seconds from 1970 to each instant."""
        index = np.searchsorted(self.starts, instants, side="right") - 1
        inside = np.minimum(instants, self.ends[index]) - self.starts[index]
        return np.where(index < 0, 0, self.before[index] + inside)

    def instant(self, position: int, at: str) -> int | None:
        """When `position` seconds have been open: `earliest` or `latest` such instant; None beyond the line."""
        index = int(np.searchsorted(self.before, position, side="left" if at == "earliest" else "right")) - 1
        if index < 0:
            return None
        found = int(self.starts[index] + position - self.before[index])
        return found if found <= self.ends[index] else None


def day_number(day: date) -> int:
    """Days from 1970-01-01."""
    return (day - FIRST_DATE).days


def week_seconds(calendar_week: Sequence[Sequence[Seconds]]) -> int:
    """Open seconds of a week without holidays and clock changes."""
    spans = [(index * DAY + start, index * DAY + end) for index, day in enumerate(calendar_week) for start, end in day]
    starts, ends = _merged(np.array(spans, dtype=np.int64).reshape(-1, 2))
    return int((ends - starts).sum())


@lru_cache(maxsize=64)
def clock_changes(zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Instants from which an offset to UTC holds, and those offsets; the first holds since ever."""
    clock, low = ZoneInfo(zone), -_MARGIN_DAYS * DAY

    def offset(second: int) -> timedelta:
        return datetime.fromtimestamp(second, clock).utcoffset()

    looked_at = range(low, LINE_END + (_MARGIN_DAYS + 1) * DAY + _STEP, _STEP)
    found = [offset(second) for second in looked_at]
    instants, offsets = [low], [found[0]]
    for position in range(1, len(found)):
        start, end = looked_at[position - 1], looked_at[position]
        while offsets[-1] != found[position]:
            seconds = range(start, end + 1)
            known = offsets[-1]
            start = seconds[bisect_right(seconds, False, key=lambda second, known=known: offset(second) != known)]
            instants.append(start)
            offsets.append(offset(start))
    offsets = [item.days * DAY + item.seconds for item in offsets]
    return np.array(instants, dtype=np.int64), np.array(offsets, dtype=np.int64)


def to_utc(local: np.ndarray, zone: str) -> np.ndarray:
    """Instants of clock times: the first of two, and the moment of the jump for one that the clock skips."""
    instants, offsets = clock_changes(zone)
    local_ends = instants[1:] + offsets[:-1]  # what the clock shows when an offset ends
    index = np.searchsorted(local_ends, local, side="right")
    earliest = instants.copy()
    earliest[0] = np.iinfo(np.int64).min
    return np.maximum(local - offsets[index], earliest[index])


def openings(hours: Hours) -> Openings:
    """Every opening from 1970 to the end of 2069."""
    spans = np.concatenate([_weekly(hours), _own(hours)])
    spans = to_utc(spans.reshape(-1), hours.zone).reshape(-1, 2)
    closed = np.array(hours.local_closures, dtype=np.int64).reshape(-1, 2)
    closed = to_utc(closed.reshape(-1), hours.zone).reshape(-1, 2)
    closed = np.concatenate([closed, np.array(hours.utc_closures, dtype=np.int64).reshape(-1, 2)])
    starts, ends = _without(_merged(spans), _merged(closed))
    starts, ends = np.clip(starts, 0, LINE_END), np.clip(ends, 0, LINE_END)
    return Openings(starts[starts < ends], ends[starts < ends])


def _weekly(hours: Hours) -> np.ndarray:
    """(start, end) by the clock, for every day that keeps the hours of its weekday."""
    days = np.arange(-_MARGIN_DAYS, DAY_COUNT + _MARGIN_DAYS, dtype=np.int64)
    exceptions = np.array(sorted(hours.closed_days | set(hours.own_hours)), dtype=np.int64)
    days = days[~np.isin(days, exceptions)]
    weekdays = (days + FIRST_DATE.weekday()) % 7
    spans = [
        days[weekdays == weekday, None] * DAY + np.array([span], dtype=np.int64)
        for weekday, opened in enumerate(hours.week)
        for span in opened
    ]
    return np.concatenate(spans) if spans else np.empty((0, 2), dtype=np.int64)


def _own(hours: Hours) -> np.ndarray:
    spans = [(day * DAY + start, day * DAY + end) for day, opened in hours.own_hours.items() for start, end in opened]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def _merged(spans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted starts and ends, with what overlaps or touches made one and what is empty left out."""
    spans = spans[spans[:, 0] < spans[:, 1]]
    if not len(spans):
        return spans[:, 0], spans[:, 1]
    spans = spans[np.argsort(spans[:, 0], kind="stable")]
    reached = np.maximum.accumulate(spans[:, 1])
    is_first = np.concatenate([[True], spans[1:, 0] > reached[:-1]])
    is_last = np.concatenate([is_first[1:], [True]])
    return spans[is_first, 0], reached[is_last]


def _without(
    kept: tuple[np.ndarray, np.ndarray], taken: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The first spans less the second; both merged, and so is what is left."""
    if not len(kept[0]) or not len(taken[0]):
        return kept
    points = np.unique(np.concatenate([*kept, *taken]))
    starts, ends = points[:-1], points[1:]
    is_left = _covers(kept, starts) & ~_covers(taken, starts)
    return _merged(np.stack([starts[is_left], ends[is_left]], axis=1))


def _covers(spans: tuple[np.ndarray, np.ndarray], instants: np.ndarray) -> np.ndarray:
    index = np.searchsorted(spans[0], instants, side="right") - 1
    return (index >= 0) & (instants < spans[1][index])
