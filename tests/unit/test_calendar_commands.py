"""`hansei calendars`: a week of opening hours and business time, checked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.oracle_schedules import write_calendar
from typer.testing import CliRunner

from hansei import cli

OFFICE = {
    "id": "office",
    "name": "Office",
    "zone": "Europe/Berlin",
    "hours": {
        **{day: ["08:00-12:00", "13:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday")},
        "saturday": ["22:00-06:00"],
    },
    "holidays": [{"country": "DE", "subdivision": "BY"}],
}


@pytest.fixture(autouse=True)
def _definitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_calendar(tmp_path / "definitions", OFFICE)
    service = "id: service\nname: S\nreporting_zone: UTC\ncalendar: office\n"
    (tmp_path / "definitions" / "service.yaml").write_text(service)
    monkeypatch.setenv("HANSEI_DEFINITIONS", str(tmp_path / "definitions"))


def answer(*arguments: str) -> list[dict]:
    result = CliRunner().invoke(cli.app, ["calendars", *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.output)


def test_list_tells_hours_and_who_follows() -> None:
    found = {row["calendar"]: row for row in answer("list")}
    assert found["office"]["hours a week"] == 40 and found["office"]["followed by"] == "default"
    assert found["always"]["hours a week"] == 168


def test_show_tells_each_day_by_its_own_clock() -> None:
    """29 March 2026 loses an hour: the night shift that is written as 22:00-06:00 lasts seven."""
    rows = answer("show", "office", "--from", "2026-03-28", "--to", "2026-04-03")
    told = {row["day"]: (row["openings"], row["minutes"], row["note"]) for row in rows}
    assert told["2026-03-28"] == ("22:00-24:00", 120, "")
    assert told["2026-03-29"] == ("00:00-06:00", 300, "")
    assert told["2026-03-30"] == ("08:00-12:00, 13:00-17:00", 480, "")
    assert told["2026-04-03"] == ("closed", 0, "Good Friday")


def test_minutes_take_clock_times_and_instants() -> None:
    by_clock = answer("minutes", "office", "2026-03-26T16:00", "2026-03-30T09:00")
    by_instant = answer("minutes", "office", "2026-03-26T15:00Z", "2026-03-30T07:00:00+00:00")
    # Thursday's last hour, seven of the night shift, Monday's first: 9 of the 88 hours that passed.
    wanted = {"start (UTC)": "2026-03-26T15:00:00Z", "end (UTC)": "2026-03-30T07:00:00Z"}
    assert by_clock == by_instant == [{**wanted, "business minutes": 540, "calendar minutes": 5280}]


def test_after_gives_closing_time_and_the_next_opening() -> None:
    rows = answer("after", "office", "2026-03-31T08:00", "480")
    assert [row["UTC"] for row in rows] == ["2026-03-31T15:00:00Z", "2026-04-01T06:00:00Z"]
    assert [row["Europe/Berlin"] for row in rows] == ["2026-03-31 17:00:00+02:00", "2026-04-01 08:00:00+02:00"]
    assert [row["UTC"] for row in answer("after", "office", "2026-03-29T12:00Z", "0")] == [
        "2026-03-29T12:00:00Z",
        "2026-03-30T06:00:00Z",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("show", "offices", "--from", "2026-03-28", "--to", "2026-04-03"),
            "calendar 'offices': is not known: use one",
        ),
        (("show", "office", "--from", "28.3.", "--to", "2026-04-03"), "--from: '28.3.' is no day: write it as"),
        (
            ("show", "office", "--from", "2026-04-03", "--to", "2026-04-01"),
            "--to: 2026-04-01 is before --from 2026-04-03",
        ),
        (("minutes", "office", "noon", "2026-04-01T10:00"), "START: 'noon' is no time: write it as 2026-03-27T16:00"),
        (("after", "office", "2026-04-01T10:00", "--", "-5"), "MINUTES: -5: give a number of at least 0"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: tuple[str, ...], expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("sys.argv", ["hansei", "calendars", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(f"hansei: {expected}")
