"""Openings against a second opinion: a scan of every minute's clock time with zoneinfo, written the other way round."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hansei.catalog.calendars import DAY, WEEKDAYS, Calendar
from hansei.catalog.closed_days import work_out
from hansei.catalog.openings import DAY_COUNT, Hours, Openings, clock_changes, day_number, openings, to_utc

# Days on which a clock changes, in both hemispheres, by an hour and by half an hour, and zones that never change.
CHANGES = [
    ("Europe/Berlin", date(2025, 3, 30)),
    ("Europe/Berlin", date(2025, 10, 26)),
    ("America/New_York", date(2025, 3, 9)),
    ("America/New_York", date(2025, 11, 2)),
    ("Australia/Sydney", date(2025, 4, 6)),
    ("Australia/Sydney", date(2025, 10, 5)),
    ("Australia/Lord_Howe", date(2025, 4, 6)),
    ("Australia/Lord_Howe", date(2025, 10, 5)),
    ("America/Santiago", date(2025, 9, 7)),  # midnight itself is skipped
    ("America/St_Johns", date(2025, 11, 2)),
    ("Asia/Kolkata", date(2025, 8, 15)),
    ("Asia/Kathmandu", date(2025, 1, 1)),
    ("UTC", date(2025, 2, 28)),
]


@dataclass
class Case:
    """Rules around one change of the clock, in minutes of the day."""

    zone: str
    day: date
    week: list[list[tuple[int, int]]]
    holidays: list[date] = field(default_factory=list)
    special: dict[date, tuple[int, int]] = field(default_factory=dict)
    closures: dict[date, tuple[int, int]] = field(default_factory=dict)

    def calendar(self) -> Calendar:
        return Calendar.model_validate(
            {
                "id": "case",
                "name": "case",
                "zone": self.zone,
                "hours": {day: [text(*span) for span in spans] for day, spans in zip(WEEKDAYS, self.week, strict=True)},
                "holidays": [{"name": "holiday", "date": day} for day in self.holidays],
                "special_days": [
                    {"name": "own hours", "date": day, "hours": [text(*span)]} for day, span in self.special.items()
                ],
                "closures": [
                    {"name": "closed", "date": day, "hours": [text(*span)]} for day, span in self.closures.items()
                ],
            }
        )

    def openings(self) -> Openings:
        return openings(work_out(self.calendar(), Path(), Path()).hours)


def text(start: int, end: int) -> str:
    """HH:MM-HH:MM; an end after 24:00 is written as a time of the next day."""
    end = end if end <= 1440 else end - 1440
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


def scan(case: Case, first: datetime, count: int) -> list[bool]:
    """For each UTC minute from `first` whether the case is open then.

    The clock of the zone is read every minute; when it is set back, the rules go on at the furthest time that it has
    shown. This is what "a time that comes twice means its first instant" says, without converting anything to UTC.
    """
    clock = ZoneInfo(case.zone)
    furthest = datetime(1970, 1, 1)
    found = []
    for minute in range(-180, count):
        shown = (first + timedelta(minutes=minute)).replace(tzinfo=UTC).astimezone(clock).replace(tzinfo=None)
        furthest = max(furthest, shown)
        if minute >= 0:
            found.append(is_open(case, furthest))
    return found


def is_open(case: Case, shown: datetime) -> bool:
    today, minute = shown.date(), shown.hour * 60 + shown.minute
    opened = closed = False
    for day, offset in ((today, 0), (today - timedelta(days=1), 1440)):
        if day in case.special:
            spans = [case.special[day]]
        else:
            spans = [] if day in case.holidays else case.week[day.weekday()]
        opened |= any(start <= minute + offset < end for start, end in spans)
        if day in case.closures:
            start, end = case.closures[day]
            closed |= start <= minute + offset < end
    return opened and not closed


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone, day = draw(st.sampled_from(CHANGES))
    span = st.tuples(st.integers(0, 95), st.integers(1, 95)).map(
        lambda pair: (pair[0] * 15, min(pair[0] * 15 + pair[1] * 15, 2880))
    )
    # Times of the definitions: an end is at most as late as its start on the next day.
    nearby = st.integers(-2, 2).map(lambda offset: day + timedelta(days=offset))
    return Case(
        zone,
        day,
        [draw(st.lists(span, max_size=3)) for _ in WEEKDAYS],
        draw(st.lists(nearby, max_size=2)),
        draw(st.dictionaries(nearby, span, max_size=2)),
        draw(st.dictionaries(nearby, span, max_size=2)),
    )


ROUND_THE_CLOCK = [[(0, 1440)]] * 7


@settings(max_examples=60, deadline=None)
@given(cases())
@example(Case("Europe/Berlin", date(2025, 3, 30), [[(1320, 1800)]] * 7))  # 22:00-06:00 over the missing hour
@example(Case("Europe/Berlin", date(2025, 10, 26), [[(1320, 1800)]] * 7))
@example(Case("Europe/Berlin", date(2025, 3, 30), [[(135, 165)]] * 7))  # 02:15-02:45 does not exist
@example(Case("Europe/Berlin", date(2025, 10, 26), [[(150, 210)]] * 7))  # 02:30 comes twice
@example(Case("Australia/Lord_Howe", date(2025, 4, 6), ROUND_THE_CLOCK))
def test_openings_are_the_minutes_that_a_scan_of_the_clock_finds(case: Case) -> None:
    first = datetime.combine(case.day, time()) - timedelta(days=2)
    count = 4 * 1440
    line = case.openings()
    seconds = int((first - datetime(1970, 1, 1)).total_seconds()) + np.arange(count + 1) * 60
    counted = np.diff(line.position(seconds)) if len(line.starts) else np.zeros(count)
    expected = np.array(scan(case, first, count)) * 60
    differing = np.flatnonzero(counted != expected)
    assert differing.tolist() == [], (case, first + timedelta(minutes=int(differing[0])))


instants = st.integers(0, DAY_COUNT * DAY - 1)


@settings(max_examples=60, deadline=None)
@given(cases().filter(lambda case: any(case.week)), st.lists(instants, min_size=3, max_size=3))
def test_positions_add_up_never_fall_and_turn_round(case: Case, moments: list[int]) -> None:
    line = case.openings()
    a, b, c = (int(value) for value in line.position(np.array(sorted(moments), dtype=np.int64)))
    assert 0 <= a <= b <= c <= int((line.ends - line.starts).sum())
    first, _, last = sorted(moments)
    assert c - a <= last - first
    total = int((line.ends - line.starts).sum())
    for position in (position for position in (b, b + 1) if 1 <= position <= total):
        earliest, latest = line.instant(position, "earliest"), line.instant(position, "latest")
        assert line.position(np.array([earliest, latest])).tolist() == [position, position]
        assert line.position(np.array([earliest - 1]))[0] == position - 1
        if position < total:
            assert line.position(np.array([latest + 1]))[0] == position + 1
    assert line.instant(total + 1, "earliest") is line.instant(total + 1, "latest") is None


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2025, 3, 30), 23),
        ("Europe/Berlin", date(2025, 10, 26), 25),
        ("Australia/Lord_Howe", date(2025, 4, 6), 24.5),
        ("Australia/Lord_Howe", date(2025, 10, 5), 23.5),
        ("America/Santiago", date(2025, 9, 7), 23),
        ("Asia/Kolkata", date(2025, 3, 30), 24),
    ],
)
def test_a_whole_day_has_the_hours_that_really_pass(zone: str, day: date, hours: float) -> None:
    closed = frozenset({day_number(day) - 1, day_number(day) + 1})
    line = openings(Hours(zone, (((0, DAY),),) * 7, closed))
    lengths = line.ends - line.starts
    assert int(hours * 3600) in lengths.tolist()
    edges = to_utc(np.array([day_number(day) * DAY, (day_number(day) + 1) * DAY]), zone)
    assert edges[1] - edges[0] == hours * 3600


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Africa/Casablanca", "America/Sao_Paulo", "Asia/Pyongyang", "UTC"])
def test_clock_changes_are_those_of_a_look_at_every_six_hours(zone: str) -> None:
    moments, offsets = clock_changes(zone)
    clock = ZoneInfo(zone)
    looked_at = np.arange(0, DAY_COUNT * DAY, 21_600)
    known = offsets[np.searchsorted(moments, looked_at, side="right") - 1]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    shown = [
        (epoch + timedelta(seconds=int(second))).astimezone(clock).utcoffset().total_seconds() for second in looked_at
    ]
    assert known.tolist() == shown
    for moment, offset in zip(moments[1:].tolist(), offsets[1:].tolist(), strict=True):
        before = (epoch + timedelta(seconds=moment - 1)).astimezone(clock).utcoffset().total_seconds()
        after = (epoch + timedelta(seconds=moment)).astimezone(clock).utcoffset().total_seconds()
        assert (after, before != after) == (offset, True)


def test_what_overlaps_counts_once_and_what_touches_is_one_opening() -> None:
    line = openings(Hours("UTC", (((0, 3600), (1800, 7200), (7200, 9000)), *[()] * 6)))
    assert (line.ends - line.starts).tolist() == [9000] * len(line.starts)
    assert len(line.starts) == 5218  # Mondays from 1970 to 2069
    assert datetime.fromtimestamp(int(line.starts[0]), UTC) == datetime(1970, 1, 5, tzinfo=UTC)
    assert datetime.fromtimestamp(int(line.starts[-1]), UTC) == datetime(2069, 12, 30, tzinfo=UTC)


def test_a_line_ends_with_the_last_day_of_2069() -> None:
    """22:00 to 08:00 in Shanghai is 14:00 to 24:00 UTC: the last opening ends exactly where the line does."""
    line = openings(Hours("Asia/Shanghai", (((79_200, 115_200),),) * 7))
    assert (int(line.starts[0]), int(line.ends[-1])) == (50_400, DAY_COUNT * DAY)
    total = int((line.ends - line.starts).sum())
    # Shanghai's summer times of 1986 to 1991 began and ended by day: every night was ten hours long.
    assert total == DAY_COUNT * 36_000
