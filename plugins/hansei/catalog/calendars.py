"""Calendars of opening hours, and which of them a team, account, brand, channel or source follows from which date.

Times are those of the clock on the wall in the calendar's zone; `catalog.openings` turns them into instants.
"""

from __future__ import annotations

import datetime
import re
from functools import cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.entities import Identifier

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAY = 86_400
# From the most to the least specific: the first dimension with an assignment in force decides.
DIMENSIONS = ("team", "account", "brand", "channel", "source")

_INTERVAL = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$")
_YEARLY = re.compile(r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone; finding them walks through the zone files, so it is done once."""
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in zone_names():
        raise ValueError("is not an IANA zone, for example Europe/Berlin")
    return name


def seconds_of(interval: str) -> tuple[int, int]:
    """Start and end of `HH:MM-HH:MM` in seconds after midnight; an end not after the start is on the next day."""
    match = _INTERVAL.match(interval)
    if not match:
        raise ValueError("is not HH:MM-HH:MM, for example 09:00-17:30")
    start = int(match[1]) * 3600 + int(match[2]) * 60
    end = DAY if match[3] is None else int(match[3]) * 3600 + int(match[4]) * 60
    return start, end if end > start else end + DAY


def _interval(text: str) -> str:
    start, end = seconds_of(text)
    if end - start == DAY and start > 0:
        raise ValueError("starts and ends at the same time; a whole day is 00:00-24:00")
    if start == 0 and end == DAY and not text.endswith("24:00"):
        raise ValueError("is empty; a whole day is 00:00-24:00")
    return text


def _yearly(text: str) -> str:
    match = _YEARLY.match(text)
    if (
        not match
        or int(match[2]) > (29, 31)[match[1] != "02"]
        or (match[1] in ("04", "06", "09", "11") and match[2] == "31")
    ):
        raise ValueError("is not a day of the year as MM-DD, for example 12-25")
    return text


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Zone = Annotated[str, AfterValidator(_known_zone)]
Interval = Annotated[str, AfterValidator(_interval)]


class Days(Definition):
    """Which days are meant: dates, a range, or a rule that recurs (bounded by `from` and `to` where given)."""

    date: datetime.date | None = None
    dates: tuple[datetime.date, ...] = ()
    first: datetime.date | None = Field(default=None, alias="from")
    last: datetime.date | None = Field(default=None, alias="to")
    yearly: Annotated[str, AfterValidator(_yearly)] | None = None
    nth: Literal[1, 2, 3, 4, 5, -1, -2] | None = None
    weekday: Weekday | None = None
    month: int | None = Field(default=None, ge=1, le=12)
    easter: int | None = Field(default=None, ge=-120, le=120)
    easter_rite: Literal["western", "orthodox"] = "western"
    every: Annotated[tuple[Weekday, ...], BeforeValidator(_listed)] = ()

    def _ways(self) -> list[str]:
        """Names of the ways in which the days are told."""
        ways = [name for name in ("date", "yearly", "nth", "easter") if getattr(self, name) is not None]
        ways += [name for name in ("dates", "every") if getattr(self, name)]
        return ways or (["from"] if self.first and self.last else [])

    @model_validator(mode="after")
    def _are_told_in_one_way(self) -> Days:
        ways = self._ways()
        if len(ways) != 1:
            told = " and ".join(ways) if ways else "nothing"
            raise ValueError(f"{self._wanted()}; here {told} is given")
        if (self.nth is None) != (self.weekday is None) or (self.nth is None) != (self.month is None):
            raise ValueError("nth, weekday and month belong together, for example nth: 4, weekday: thursday, month: 11")
        if self.first and self.last and self.last < self.first:
            raise ValueError(f"`to` {self.last} is before `from` {self.first}")
        if ways[0] in ("date", "dates") and (self.first or self.last):
            raise ValueError("`from` and `to` bound recurring days; a date needs none")
        return self

    def _wanted(self) -> str:
        return "give one of date, dates, from and to, yearly, nth, easter, every"


class Holiday(Days):
    """Days on which the calendar does not open: a rule, a downloaded iCalendar file, or a country's public holidays."""

    name: str | None = None
    file: str | None = None
    country: str | None = None
    subdivision: str | None = None
    categories: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def _ways(self) -> list[str]:
        return [*super()._ways(), *(name for name in ("file", "country") if getattr(self, name) is not None)]

    def _wanted(self) -> str:
        return f"{super()._wanted()}, file, country"

    @model_validator(mode="after")
    def _is_complete(self) -> Holiday:
        if self.country is None and (self.subdivision or self.categories):
            raise ValueError("subdivision and categories need a country")
        if self.exclude and self.country is None and self.file is None:
            raise ValueError("exclude leaves out names of a country's or a file's days; this is neither")
        if self.name is None and self.country is None and self.file is None:
            raise ValueError("name is missing: what people call the day")
        return self


class SpecialDay(Days):
    """Days with hours of their own, in place of the week's and of any holiday: an extra shift, a make-up day."""

    name: str
    hours: tuple[Interval, ...]

    @model_validator(mode="after")
    def _recurs_not_weekly(self) -> SpecialDay:
        if self.every:
            raise ValueError("a special day that comes every week belongs in hours")
        return self


class Closure(Days):
    """Part of some days that is taken out of whatever is open then: a power cut, a weekly meeting."""

    name: str
    hours: tuple[Interval, ...] = Field(min_length=1)


class Calendar(Definition):
    """When somebody works: weekly hours by the clock of one zone, and what departs from them."""

    id: Identifier
    name: str
    zone: Zone
    always_open: bool = False
    hours: dict[Weekday, tuple[Interval, ...]] = Field(default_factory=dict)
    holidays: tuple[Holiday, ...] = ()
    chinese_make_up_days: bool | Weekday = False
    chinese_years_by_hand: tuple[int, ...] = ()
    special_days: tuple[SpecialDay, ...] = ()
    closures: tuple[Closure, ...] = ()

    @model_validator(mode="after")
    def _hours_or_always(self) -> Calendar:
        if self.always_open and any(self.hours.values()):
            raise ValueError("always_open and hours exclude each other; keep one")
        return self

    @property
    def week(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Openings of Monday to Sunday, in seconds after that day's midnight."""
        if self.always_open:
            return (((0, DAY),),) * 7
        return tuple(tuple(seconds_of(text) for text in self.hours.get(day, ())) for day in WEEKDAYS)

    @property
    def make_up_weekday(self) -> str | None:
        """Weekday whose hours a Chinese make-up day keeps; None where the calendar has none."""
        return "monday" if self.chinese_make_up_days is True else self.chinese_make_up_days or None


# Exists everywhere and cannot be redefined: what tickets follow where nothing else is said.
ALWAYS = Calendar(id="always", name="Always open", zone="UTC", always_open=True)


class CalendarAssignment(Definition):
    """From the start of a date in the calendar's zone, one team, account, brand, channel or source follows it."""

    team: str | None = None
    account: str | None = None
    brand: str | None = None
    channel: str | None = None
    source: str | None = None
    calendar: str
    first: datetime.date | None = Field(default=None, alias="from")

    @property
    def dimension(self) -> str:
        return next(name for name in DIMENSIONS if getattr(self, name) is not None)

    @property
    def value(self) -> str:
        return getattr(self, self.dimension)

    @model_validator(mode="after")
    def _one_dimension(self) -> CalendarAssignment:
        given = [name for name in DIMENSIONS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(DIMENSIONS)}; here {', '.join(given) or 'none'} is given")
        return self
