"""The days that a calendar's rules mean, worked out: recurring rules, countries, China's notices, iCalendar files.

What needs a library imports it where it is used: a calendar of plain hours costs none of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from hansei.catalog.calendars import DAY, WEEKDAYS, Calendar, Days, Holiday, seconds_of
from hansei.catalog.documents import Location
from hansei.catalog.openings import FIRST_DATE, LAST_DATE, Hours, day_number

_YEARS = range(FIRST_DATE.year, LAST_DATE.year + 1)
_MARGIN = timedelta(days=3)


@dataclass(frozen=True)
class Trouble:
    """Something in a calendar that cannot be worked out: where, what was found, what to do."""

    location: Location
    found: str
    next_step: str


@dataclass
class WorkedOut:
    """A calendar's hours with every rule applied, the name of each closed or special day, and what went wrong."""

    hours: Hours
    names: dict[int, str] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)


def work_out(calendar: Calendar, folder: Path, home: Path) -> WorkedOut:
    """Applies every rule. Relative paths of files start at `folder`, where the calendar's definition lies."""
    closed: dict[int, str] = {}
    own: dict[int, tuple] = {}
    names: dict[int, str] = {}
    utc_closures: list[tuple[int, int]] = []
    local_closures: list[tuple[int, int]] = []
    troubles: list[Trouble] = []
    if calendar.make_up_weekday:
        hours = calendar.week[WEEKDAYS.index(calendar.make_up_weekday)]
        for day, name, is_workday in chinese_days():
            (own if is_workday else closed)[day_number(day)] = hours if is_workday else name
            names[day_number(day)] = name
    for index, holiday in enumerate(calendar.holidays):
        here: Location = ("holidays", index)
        if holiday.file is not None:
            from hansei.catalog.icalendar_files import read_closed_days

            found = read_closed_days(file_path(holiday.file, folder, home), calendar.zone, holiday.exclude)
            if isinstance(found, str):
                next_step = "download the file again, or correct the path (HANSEI_HOME and other variables work)"
                troubles.append(Trouble((*here, "file"), found, next_step))
                continue
            days, local, utc = found
            local_closures += local
            utc_closures += utc
        elif holiday.country is not None:
            days = _of_country(holiday, here, troubles)
        else:
            days = dict.fromkeys(days_of(holiday), holiday.name)
        for day, name in days.items():
            closed[day_number(day)] = names[day_number(day)] = name
    special: dict[int, str] = {}
    for index, item in enumerate(calendar.special_days):
        for day in days_of(item):
            number = day_number(day)
            if number in special:
                told = f"{day} is a special day twice: {special[number]!r} and {item.name!r}"
                troubles.append(Trouble(("special_days", index), told, "keep one, with all its hours"))
            special[number] = names[number] = item.name
            own[number] = tuple(seconds_of(text) for text in item.hours)
    for closure in calendar.closures:
        for day in days_of(closure):
            midnight = day_number(day) * DAY
            local_closures += [(midnight + start, midnight + end) for start, end in map(seconds_of, closure.hours)]
    hours = Hours(
        calendar.zone,
        calendar.week,
        # Hours that somebody wrote for a date win over a rule that closes it; a holiday wins over a make-up day.
        frozenset(number for number in closed if number not in special),
        {number: spans for number, spans in own.items() if number in special or number not in closed},
        tuple(local_closures),
        tuple(utc_closures),
    )
    return WorkedOut(hours, names, troubles)


def file_path(text: str, folder: Path, home: Path) -> Path:
    """The path with its variables and `~` filled in; HANSEI_HOME is known whether or not it is set."""
    filled = os.path.expandvars(text.replace("${HANSEI_HOME}", str(home)).replace("$HANSEI_HOME", str(home)))
    return folder / Path(filled).expanduser()


def days_of(rule: Days) -> Iterator[date]:
    """Every day that a rule means, from 1970 to 2069, each once."""
    if rule.date is not None:
        yield rule.date
        return
    if rule.dates:
        yield from sorted(set(rule.dates))
        return
    first, last = rule.first or FIRST_DATE - _MARGIN, rule.last or LAST_DATE + _MARGIN
    yield from (day for day in _recurring(rule, first, last) if first <= day <= last)


def _recurring(rule: Days, first: date, last: date) -> Iterable[date]:
    if rule.yearly is not None:
        month, day = map(int, rule.yearly.split("-"))
        return [date(year, month, day) for year in _YEARS if (month, day) != (2, 29) or _is_leap(year)]
    if rule.nth is not None:
        found = (_nth_weekday(year, rule.month, WEEKDAYS.index(rule.weekday), rule.nth) for year in _YEARS)
        return [day for day in found if day is not None]
    if rule.easter is not None:
        from dateutil.easter import EASTER_ORTHODOX, EASTER_WESTERN, easter

        rite = EASTER_WESTERN if rule.easter_rite == "western" else EASTER_ORTHODOX
        return [easter(year, rite) + timedelta(days=rule.easter) for year in _YEARS]
    wanted = {WEEKDAYS.index(name) for name in rule.every} or set(range(7))
    every_day = (first + timedelta(days=count) for count in range((last - first).days + 1))
    return (day for day in every_day if day.weekday() in wanted)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date | None:
    """The nth such weekday of a month, from its end where nth is negative; None where it has not that many."""
    if nth > 0:
        start = date(year, month, 1)
        found = start + timedelta(days=(weekday - start.weekday()) % 7 + 7 * (nth - 1))
    else:
        end = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        found = end - timedelta(days=(end.weekday() - weekday) % 7 - 7 * (nth + 1))
    return found if found.month == month else None


def _of_country(holiday: Holiday, here: Location, troubles: list[Trouble]) -> dict[date, str]:
    import holidays

    try:
        languages = holidays.country_holidays(holiday.country)
        # Said outright: left open, names would follow the LANG of whoever runs this.
        language = "en_US" if "en_US" in languages.supported_languages else languages.default_language
        categories = {"categories": holiday.categories} if holiday.categories else {}
        found = holidays.country_holidays(
            holiday.country, subdiv=holiday.subdivision, years=_YEARS, language=language, **categories
        )
    except NotImplementedError:
        supported = holidays.list_supported_countries()
        if holiday.country in supported:
            known = ", ".join(supported[holiday.country]) or "it has none"
            told = f"{holiday.subdivision!r} is not a subdivision of {holiday.country}"
            troubles.append(Trouble((*here, "subdivision"), told, f"use one of {known}"))
        else:
            told = f"country {holiday.country!r} is not known to the holidays package"
            troubles.append(Trouble((*here, "country"), told, "use an ISO 3166 code such as DE, or a file or dates"))
        return {}
    except ValueError as error:
        troubles.append(Trouble((*here, "categories"), str(error), "use categories that the country has"))
        return {}
    all_names = {name for names in found.values() for name in names.split("; ")}
    for name in holiday.exclude:
        if name not in all_names:
            told = f"{name!r} is not a holiday there"
            troubles.append(Trouble((*here, "exclude"), told, f"use one of {', '.join(sorted(all_names))}"))
    kept = {day: [name for name in names.split("; ") if name not in holiday.exclude] for day, names in found.items()}
    return {day: "; ".join(names) for day, names in kept.items() if names}


def chinese_days() -> Iterator[tuple[date, str, bool]]:
    """(day, name, whether it is a make-up working day) of each year whose State Council notice the library has."""
    from chinese_calendar import constants

    for day, name in constants.holidays.items():
        yield day, name, False
    for day, name in constants.workdays.items():
        yield day, f"make-up day of {name}", True


def chinese_years() -> tuple[int, int]:
    """First and last year that the library knows."""
    years = {day.year for day, _, is_workday in chinese_days() if not is_workday}
    return min(years), max(years)


def missing_chinese_years(calendar: Calendar, present_year: int) -> list[int]:
    """Years up to the present one whose notice the library does not have and nobody wrote down."""
    if not calendar.make_up_weekday:
        return []
    return [
        year for year in range(chinese_years()[1] + 1, present_year + 1) if year not in calendar.chinese_years_by_hand
    ]
