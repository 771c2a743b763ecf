"""Calendars as people write them: which days each kind of rule means, and the one line that every mistake gets."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from support.oracle_schedules import calendar_of, oracle, write_calendar

from hansei.catalog.calendar_checks import check_openings
from hansei.catalog.calendars import DIMENSIONS, Calendar, Days, Holiday
from hansei.catalog.closed_days import WorkedOut, days_of, work_out
from hansei.catalog.loader import examine, load_catalog
from hansei.catalog.openings import Openings, day_number, openings
from hansei.settings import load_settings

OFFICE = {day: ["09:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}


def calendar(**more: Any) -> Calendar:
    base = {"id": "office", "name": "Office", "zone": "Europe/Berlin", "hours": OFFICE}
    return Calendar.model_validate({**base, **more})


def worked_out(folder: Path = Path(), **more: Any) -> WorkedOut:
    return work_out(calendar(**more), folder, folder / "home")


def open_seconds(line: Openings, start: datetime, end: datetime) -> int:
    edges = [int(at.replace(tzinfo=UTC).timestamp()) for at in (start, end)]
    first, second = line.position(np.array(edges, dtype=np.int64))
    return int(second - first)


def closed_in(found: WorkedOut, year: int) -> list[date]:
    first, last = date(year, 1, 1), date(year, 12, 31)
    numbers = range(day_number(first), day_number(last) + 1)
    return [
        date.fromordinal(first.toordinal() + number - numbers[0])
        for number in numbers
        if number in found.hours.closed_days
    ]


def days(**rule: Any) -> list[date]:
    return list(days_of(Days.model_validate(rule)))


# Each rule against dates that almanacs print.


def test_a_yearly_day_comes_every_year_within_its_bounds() -> None:
    found = days(yearly="12-25", **{"from": "2024-01-01", "to": "2026-12-24"})
    assert found == [date(2024, 12, 25), date(2025, 12, 25)]
    assert days(yearly="02-29", **{"from": "2023-01-01", "to": "2028-12-31"}) == [date(2024, 2, 29), date(2028, 2, 29)]
    assert len(days(yearly="01-01")) == 100


@pytest.mark.parametrize(
    ("nth", "weekday", "month", "expected"),
    [
        (4, "thursday", 11, date(2025, 11, 27)),  # Thanksgiving
        (3, "monday", 1, date(2025, 1, 20)),  # Martin Luther King Day
        (1, "monday", 9, date(2025, 9, 1)),  # Labor Day
        (-1, "monday", 5, date(2025, 5, 26)),  # Memorial Day
        (-1, "sunday", 12, date(2025, 12, 28)),
        (-2, "friday", 12, date(2025, 12, 19)),
    ],
)
def test_the_nth_weekday_of_a_month(nth: int, weekday: str, month: int, expected: date) -> None:
    found = days(nth=nth, weekday=weekday, month=month, **{"from": "2025-01-01", "to": "2025-12-31"})
    assert found == [expected]


def test_a_fifth_weekday_is_only_where_a_month_has_five() -> None:
    found = days(nth=5, weekday="monday", month=3, **{"from": "2024-01-01", "to": "2027-12-31"})
    assert found == [date(2025, 3, 31), date(2026, 3, 30), date(2027, 3, 29)]


def test_days_follow_easter_in_either_rite() -> None:
    bounds = {"from": "2024-01-01", "to": "2026-12-31"}
    assert days(easter=0, **bounds) == [date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5)]
    assert days(easter=-2, **bounds) == [date(2024, 3, 29), date(2025, 4, 18), date(2026, 4, 3)]
    orthodox = days(easter=0, easter_rite="orthodox", **bounds)
    assert orthodox == [date(2024, 5, 5), date(2025, 4, 20), date(2026, 4, 12)]


def test_ranges_lists_and_weekdays() -> None:
    assert days(**{"from": "2026-12-30", "to": "2027-01-01"}) == [
        date(2026, 12, 30),
        date(2026, 12, 31),
        date(2027, 1, 1),
    ]
    assert days(dates=["2026-05-02", "2026-05-01"]) == [date(2026, 5, 1), date(2026, 5, 2)]
    assert days(every="monday", **{"from": "2026-03-01", "to": "2026-03-10"}) == [date(2026, 3, 2), date(2026, 3, 9)]


# Countries.


def test_german_holidays_differ_by_state() -> None:
    """The nationwide nine of 2025 are the oracle's; what the states add is law of each."""
    nationwide = [date.fromisoformat(day) for day in oracle("business_hours")["schedules"]["de_office"]["holidays"]]
    added = {
        "BY": {date(2025, 1, 6), date(2025, 6, 19), date(2025, 11, 1)},
        "BE": {date(2025, 3, 8), date(2025, 5, 8)},
        "SN": {date(2025, 10, 31), date(2025, 11, 19)},
        "HH": {date(2025, 10, 31)},
    }
    assert closed_in(worked_out(holidays=[{"country": "DE"}]), 2025) == nationwide
    for state, more in added.items():
        found = closed_in(worked_out(holidays=[{"country": "DE", "subdivision": state}]), 2025)
        assert set(found) == {*nationwide, *more}, state


def test_categories_and_names_to_leave_out() -> None:
    rule = {"country": "DE", "subdivision": "BY", "categories": ["public", "catholic"], "exclude": ["Epiphany"]}
    found = worked_out(holidays=[rule])
    assert found.troubles == []
    assert date(2025, 8, 15) in closed_in(found, 2025)  # Assumption, where most people are Catholic
    assert date(2025, 1, 6) not in closed_in(found, 2025)
    assert found.names[day_number(date(2025, 12, 25))] == "Christmas Day"


def test_names_of_holidays_do_not_follow_the_language_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """They did: the library looks at LANGUAGE, and `exclude` found nothing on another machine."""
    found = []
    for language in ("C", "de_DE.UTF-8", "en_US.UTF-8"):
        monkeypatch.setenv("LANGUAGE", language)
        monkeypatch.setenv("LANG", language)
        found.append(worked_out(holidays=[{"country": "DE", "subdivision": "BY", "exclude": ["Epiphany"]}]))
    assert [item.troubles for item in found] == [[], [], []]
    assert found[0].names == found[1].names == found[2].names
    assert found[0].hours == found[1].hours == found[2].hours


# China.

STATE_COUNCIL_2025_OFF = [
    ("2025-01-01", "2025-01-01"),
    ("2025-01-28", "2025-02-04"),
    ("2025-04-04", "2025-04-06"),
    ("2025-05-01", "2025-05-05"),
    ("2025-05-31", "2025-06-02"),
    ("2025-10-01", "2025-10-08"),
]
STATE_COUNCIL_2025_WORK = ["2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"]


def test_chinese_days_of_2025_are_those_of_the_state_council() -> None:
    found = worked_out(zone="Asia/Shanghai", chinese_make_up_days=True)
    off = [day for first, last in STATE_COUNCIL_2025_OFF for day in days(**{"from": first, "to": last})]
    assert closed_in(found, 2025) == off
    own = {
        number
        for number in found.hours.own_hours
        if day_number(date(2025, 1, 1)) <= number <= day_number(date(2025, 12, 31))
    }
    assert own == {day_number(date.fromisoformat(day)) for day in STATE_COUNCIL_2025_WORK}


def test_chinese_make_up_days_give_the_openings_of_the_oracle() -> None:
    schedule = oracle("business_hours")["schedules"]["cn_office_makeup"]
    by_hand = calendar_of("by_hand", schedule)
    plain = {**by_hand, "id": "plain", "holidays": [], "special_days": [], "chinese_make_up_days": True}
    lines = [openings(work_out(Calendar.model_validate(item), Path(), Path()).hours) for item in (by_hand, plain)]
    year = datetime(2024, 12, 31, 16), datetime(2025, 12, 31, 16)
    assert open_seconds(lines[1], *year) == open_seconds(lines[0], *year) == 6_696_000
    inside = [(line.starts >= 1_735_660_800) & (line.starts < 1_767_196_800) for line in lines]
    assert lines[0].starts[inside[0]].tolist() == lines[1].starts[inside[1]].tolist()
    assert lines[0].ends[inside[0]].tolist() == lines[1].ends[inside[1]].tolist()


def test_a_make_up_day_keeps_the_hours_of_the_weekday_that_is_named() -> None:
    hours = {**OFFICE, "friday": ["09:00-12:00"]}
    found = worked_out(zone="Asia/Shanghai", hours=hours, chinese_make_up_days="friday")
    assert found.hours.own_hours[day_number(date(2025, 1, 26))] == ((32_400, 43_200),)


def test_a_year_without_notice_is_a_fault_until_somebody_writes_it_down(tmp_path: Path) -> None:
    shanghai = {"id": "shanghai", "name": "S", "zone": "Asia/Shanghai", "hours": OFFICE, "chinese_make_up_days": True}
    write_calendar(tmp_path, shanghai)
    in_force = load_catalog(load_settings({"HANSEI_DEFINITIONS": str(tmp_path)}))
    assert list(check_openings(in_force, datetime(2025, 6, 1, tzinfo=UTC))) == []
    faults = [str(fault) for fault in check_openings(in_force, datetime(2031, 1, 1, tzinfo=UTC))]
    assert f"{tmp_path}/calendars/shanghai.yaml:15: chinese_make_up_days: chinesecalendar does not know" in faults[-1]
    assert "notice for 2031: upgrade chinesecalendar; or write its days" in faults[-1]
    known = {int(fault.split("notice for ")[1][:4]) for fault in faults}
    write_calendar(tmp_path, {**shanghai, "chinese_years_by_hand": sorted(known)})
    in_force = load_catalog(load_settings({"HANSEI_DEFINITIONS": str(tmp_path)}))
    assert list(check_openings(in_force, datetime(2031, 1, 1, tzinfo=UTC))) == []


# What wins over what.


def test_hours_written_for_a_date_win_over_its_holiday_and_a_closure_over_both() -> None:
    found = worked_out(
        holidays=[{"name": "Labour Day", "yearly": "05-01"}],
        special_days=[{"name": "Inventory", "date": "2026-05-01", "hours": ["08:00-14:00"]}],
        closures=[{"name": "Alarm test", "date": "2026-05-01", "hours": ["09:00-09:30"]}],
    )
    line = openings(found.hours)
    assert open_seconds(line, datetime(2026, 4, 30, 22), datetime(2026, 5, 1, 22)) == 5.5 * 3600
    assert open_seconds(line, datetime(2025, 4, 30, 22), datetime(2025, 5, 1, 22)) == 0


def test_a_night_shift_belongs_to_the_day_it_starts_on() -> None:
    nights = {day: ["22:00-06:00"] for day in (*OFFICE, "saturday", "sunday")}
    found = worked_out(hours=nights, holidays=[{"name": "Closed", "date": "2026-03-10"}])
    line = openings(found.hours)
    # The shift of the 9th runs into the 10th; the one of the 10th does not take place.
    assert open_seconds(line, datetime(2026, 3, 9, 21), datetime(2026, 3, 10, 5)) == 8 * 3600
    assert open_seconds(line, datetime(2026, 3, 10, 5), datetime(2026, 3, 11, 21)) == 0


def test_weekly_and_yearly_closures_cut_into_the_hours() -> None:
    closures = [
        {"name": "Team meeting", "every": ["monday"], "hours": ["09:00-10:00"]},
        {"name": "Christmas Eve", "yearly": "12-24", "hours": ["12:00-24:00"]},
    ]
    line = openings(worked_out(closures=closures).hours)
    assert open_seconds(line, datetime(2026, 3, 9), datetime(2026, 3, 10)) == 7 * 3600
    assert open_seconds(line, datetime(2026, 12, 24), datetime(2026, 12, 25)) == 3 * 3600


# iCalendar files.

ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:1
SUMMARY:Works holidays
DTSTART;VALUE=DATE:20260803
DTEND;VALUE=DATE:20260808
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Founders' day
DTSTART;VALUE=DATE:20240506
RRULE:FREQ=YEARLY;UNTIL=20270506
EXDATE;VALUE=DATE:20250506
END:VEVENT
BEGIN:VEVENT
UID:2
RECURRENCE-ID;VALUE=DATE:20260506
SUMMARY:Founders' day (moved)
DTSTART;VALUE=DATE:20260508
END:VEVENT
BEGIN:VEVENT
UID:3
SUMMARY:Cancelled
STATUS:CANCELLED
DTSTART;VALUE=DATE:20260610
END:VEVENT
BEGIN:VEVENT
UID:4
SUMMARY:Maintenance
DTSTART;TZID=America/New_York:20260302T080000
DTEND;TZID=America/New_York:20260302T090000
RRULE:FREQ=WEEKLY;COUNT=3
END:VEVENT
BEGIN:VEVENT
UID:5
SUMMARY:Training
DTSTART:20260319T140000
DURATION:PT2H
END:VEVENT
BEGIN:VEVENT
UID:6
SUMMARY:Not ours
DTSTART;VALUE=DATE:20260611
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def test_an_icalendar_file_closes_days_and_hours(tmp_path: Path) -> None:
    (tmp_path / "holidays.ics").write_text(ICS, newline="")
    found = worked_out(tmp_path, holidays=[{"file": "holidays.ics", "exclude": ["Not ours"]}])
    assert found.troubles == []
    works = [date(2026, 8, day) for day in range(3, 8)]
    assert closed_in(found, 2026) == [date(2026, 5, 8), *works]
    assert closed_in(found, 2024) == [date(2024, 5, 6)]
    assert closed_in(found, 2025) == []
    assert closed_in(found, 2027) == [date(2027, 5, 6)]
    assert closed_in(found, 2028) == []
    line = openings(found.hours)
    # 08:00 in New York is 14:00 in Berlin, and 13:00 in the weeks in which only New York has summer time.
    for day, hour in ((2, 13), (9, 12), (16, 12)):
        assert open_seconds(line, datetime(2026, 3, day, hour), datetime(2026, 3, day, hour + 1)) == 0
        assert open_seconds(line, datetime(2026, 3, day), datetime(2026, 3, day + 1)) == 7 * 3600
    # A time without a zone is one of the calendar's own clock: 14:00 to 16:00 in Berlin.
    assert open_seconds(line, datetime(2026, 3, 19, 13), datetime(2026, 3, 19, 15)) == 0
    assert open_seconds(line, datetime(2026, 3, 19), datetime(2026, 3, 20)) == 6 * 3600


def test_the_path_of_a_file_knows_hansei_home(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "holidays.ics").write_text(ICS, newline="")
    found = worked_out(tmp_path, holidays=[{"file": "${HANSEI_HOME}/holidays.ics"}])
    assert found.troubles == [] and date(2026, 6, 11) in closed_in(found, 2026)


# One line for every mistake.

CALENDAR = """id: office
name: Office
zone: Europe/Berlin
hours:
  monday: ["09:00-12:00", "13:00-17:00"]
  tuesday: ["22:00-06:00"]
  wednesday: ["06:00-12:00"]
holidays:
  - {name: New Year, yearly: 01-01}
special_days:
  - {name: Sale, date: 2026-05-01, hours: ["10:00-16:00"]}
"""
SERVICE = """id: service
name: Service
reporting_zone: Europe/Berlin
calendar: office
calendar_assignments:
  - {team: "desk:1", calendar: office}
  - {team: "desk:1", calendar: always, from: 2026-01-01}
"""


def faults(tmp_path: Path, calendar_text: str = CALENDAR, service_text: str = SERVICE) -> list[str]:
    (tmp_path / "calendars").mkdir(exist_ok=True)
    (tmp_path / "calendars" / "office.yaml").write_text(calendar_text)
    (tmp_path / "service.yaml").write_text(service_text)
    found = examine(load_settings({"HANSEI_DEFINITIONS": str(tmp_path), "HANSEI_HOME": str(tmp_path / "home")}))[1]
    return [str(fault).removeprefix(f"{tmp_path}/") for fault in found]


def test_a_sound_calendar_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path) == []


MISTAKES = {
    "no zone": ("zone: Europe/Berlin\n", "", "office.yaml:1: zone: is missing: add it"),
    "unknown zone": (
        "Europe/Berlin",
        "Europe/Berlim",
        "office.yaml:3: zone: 'Europe/Berlim': Value error, is not an IANA",
    ),
    "unknown key": ("name: Office", "nome: Office", "office.yaml:2: nome: is not a known key"),
    "overlap in a day": (
        '"13:00-17:00"',
        '"11:00-17:00"',
        "office.yaml:5: hours.monday.1: monday 11:00-17:00 overlaps",
    ),
    "overlap past midnight": (
        '"06:00-12:00"',
        '"05:30-12:00"',
        "office.yaml:7: hours.wednesday.0: wednesday 05:30-12:00",
    ),
    "no time": ('"09:00-12:00"', '"9-12"', "office.yaml:5: hours.monday.0: '9-12': Value error, is not HH:MM-HH:MM"),
    "after 24:00": ('"13:00-17:00"', '"13:00-24:30"', "office.yaml:5: hours.monday.1: '13:00-24:30'"),
    "an empty interval": ('"09:00-12:00"', '"09:00-09:00"', "starts and ends at the same time"),
    "always and hours": ("hours:", "always_open: true\nhours:", "always_open and hours exclude each other"),
    "no such day": (
        "01-01",
        "02-30",
        "office.yaml:9: holidays.0.yearly: '02-30': Value error, is not a day of the year",
    ),
    "two kinds of day": (
        "yearly: 01-01",
        "yearly: 01-01, easter: 1",
        "office.yaml:9: holidays.0: Value error, give one of",
    ),
    "no kind of day": ("{name: New Year, yearly: 01-01}", "{name: New Year}", "here nothing is given"),
    "range turned round": ("yearly: 01-01", "from: 2026-02-02, to: 2026-02-01", "`to` 2026-02-01 is before `from`"),
    "unknown country": (
        "{name: New Year, yearly: 01-01}",
        "{country: XX}",
        "office.yaml:9: holidays.0.country: country 'XX'",
    ),
    "unknown state": (
        "{name: New Year, yearly: 01-01}",
        "{country: DE, subdivision: XX}",
        "holidays.0.subdivision: 'XX' is not a subdivision of DE: use one of BB, BE",
    ),
    "unknown category": (
        "{name: New Year, yearly: 01-01}",
        "{country: DE, categories: [lunar]}",
        "holidays.0.categories",
    ),
    "unknown holiday": (
        "{name: New Year, yearly: 01-01}",
        "{country: DE, exclude: [Xmas]}",
        "holidays.0.exclude: 'Xmas' is not a holiday there: use one of",
    ),
    "no file": (
        "{name: New Year, yearly: 01-01}",
        "{file: none.ics}",
        "office.yaml:9: holidays.0.file: {tmp}/calendars/none.ics cannot be read (No such file or directory): download",
    ),
    "two special days": (
        "special_days:\n",
        "special_days:\n  - {name: Inventory, dates: [2026-05-01], hours: []}\n",
        "special_days.1: 2026-05-01 is a special day twice: 'Inventory' and 'Sale': keep one",
    ),
    "special day overlaps": (
        '"10:00-16:00"',
        '"10:00-16:00", "15:00-18:00"',
        "office.yaml:11: special_days.0.hours.1: 15:00",
    ),
    "never open": (
        CALENDAR[CALENDAR.index("hours:") :],
        "hours: {monday: []}\n",
        "office.yaml:4: hours: the calendar never opens: give hours, or always_open: true",
    ),
    "everything closed": (
        CALENDAR[CALENDAR.index("  - {name: New Year") :],
        "  - {name: Gone, every: [monday, tuesday, wednesday]}\n",
        "office.yaml:4: hours: the calendar never opens: its holidays and closures leave nothing",
    ),
    "by hand without rule": (
        "hours:",
        "chinese_years_by_hand: [2027]\nhours:",
        "means nothing without chinese_make_up_days",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_in_a_calendar_names_its_place(tmp_path: Path, mistake: str) -> None:
    old, new, expected = MISTAKES[mistake]
    assert old in CALENDAR
    found = faults(tmp_path, CALENDAR.replace(old, new, 1))
    assert any(expected.replace("{tmp}", str(tmp_path)) in fault for fault in found), found


def test_a_file_that_is_no_calendar_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "calendars").mkdir()
    for content in (
        b"<html>please sign in</html>",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:yesterday\r\nEND:VEVENT",
        b"",
    ):
        (tmp_path / "calendars" / "holidays.ics").write_bytes(content)
        found = faults(tmp_path, CALENDAR.replace("{name: New Year, yearly: 01-01}", "{file: holidays.ics}"))
        assert len(found) == 1 and "holidays.0.file" in found[0] and "download the file again" in found[0], content


def test_the_built_in_calendar_cannot_be_written_again(tmp_path: Path) -> None:
    write_calendar(tmp_path, {"id": "always", "name": "Mine", "zone": "UTC", "hours": OFFICE})
    assert (
        "calendars/always.yaml:1: id: 'always' is the built-in calendar that never closes: choose another id"
        in faults(tmp_path)
    )


ASSIGNMENTS = {
    "unknown default": (
        "calendar: office\n",
        "calendar: ofice\n",
        "service.yaml:4: calendar: calendar 'ofice' is not declared",
    ),
    "unknown calendar": (
        "calendar: always",
        "calendar: alway",
        "service.yaml:7: calendar_assignments.1.calendar: calendar",
    ),
    "twice on one date": (
        ", from: 2026-01-01",
        "",
        "service.yaml:7: calendar_assignments.1: team 'desk:1' has a calendar",
    ),
    "two dimensions": (
        'team: "desk:1", calendar: office',
        "team: a, brand: b, calendar: office",
        "here team, brand is given",
    ),
    "no dimension": (
        'team: "desk:1", calendar: office',
        "calendar: office",
        "give exactly one of team, account, brand",
    ),
    "unknown source": (
        'team: "desk:1", calendar: office',
        "source: desk, calendar: office",
        "source 'desk' is not declared",
    ),
    "calendar of no source": ("calendar: always", 'calendar: "zendesk:5"', "calendar 'zendesk:5' is not declared"),
    "another change": (
        "calendar: office\n",
        "calendar: office\ncalendar_change: newest\n",
        "service.yaml:5: calendar_change",
    ),
}


@pytest.mark.parametrize("mistake", ASSIGNMENTS)
def test_every_mistake_in_an_assignment_names_its_place(tmp_path: Path, mistake: str) -> None:
    old, new, expected = ASSIGNMENTS[mistake]
    assert old in SERVICE
    found = faults(tmp_path, service_text=SERVICE.replace(old, new, 1))
    assert any(expected in fault for fault in found), found


# What docs/calendars.md shows.


def documented(repository: Path) -> list[str]:
    text = (repository / "docs" / "calendars.md").read_text(encoding="utf-8")
    return re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)


def test_every_example_of_the_docs_is_a_sound_definition(repository: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "calendars").mkdir()
    home.mkdir()
    (home / "holidays.ics").write_text(ICS, newline="")
    examples = documented(repository)
    for text in examples:
        name = yaml.safe_load(text)["id"]
        folder = tmp_path if name == "service" else tmp_path / "calendars"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    catalog, found = examine(load_settings({"HANSEI_DEFINITIONS": str(tmp_path), "HANSEI_HOME": str(home)}))
    # The file of the example has no event of the name that it leaves out; that is no fault.
    assert [str(fault) for fault in found] == []
    assert len(catalog.calendars) == len(examples) - 1 == 5
    assert len(catalog.service.calendar_assignments) == 3


def test_the_docs_name_every_key(repository: Path) -> None:
    text = (repository / "docs" / "calendars.md").read_text(encoding="utf-8")
    keys = {*Calendar.model_fields, *(field.alias or name for name, field in Holiday.model_fields.items())}
    keys |= {"special_days", "closures", "calendar_assignments", "calendar_change", *DIMENSIONS}
    assert {key for key in keys if not re.search(rf"\b{key}\b", text)} == set()
