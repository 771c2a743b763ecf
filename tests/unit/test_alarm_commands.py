"""`hansei alarms` as a person uses it: what stands, taking care, asking for quiet, what happened."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from hansei import board, cli
from hansei.board import alarms
from hansei.board.alarms import Alarm, Happening, Part
from hansei.errors import HanseiError
from hansei.settings import load_settings

W29, W33 = "first_reply_median-2026-W29", "csat_top_box-2026-W33"
NIGHT = datetime(2026, 7, 20)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["alarms", *arguments])


def refused(*arguments: str) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, HanseiError), result.output
    return str(result.exception)


def part(alarm_id: str, segment: str, label: str, value: float, limit: float, state: str = "open") -> Part:
    day = date(2026, 7, 13)
    said = "The value lies beyond the critical limit."
    return Part(
        alarm_id, "limit", segment, label, "week", day, "service-desk", state, day, value, limit, "critical", said
    )


@pytest.fixture(autouse=True)
def engine() -> Iterator[sa.Engine]:
    """Two alarms of the board that the command line will find."""
    engine = board.open(load_settings())
    slow = Alarm(W29, "first_reply_median", "week", date(2026, 7, 13), "service-desk", "head", 7, NIGHT)
    sad = Alarm(W33, "csat_top_box", "week", date(2026, 8, 10), "customer-experience", None, 7, NIGHT)
    with board.writing(engine) as connection:
        for alarm, severity in ((slow, "general"), (sad, "major")):
            why = "Terminal in 2026-W29: beyond the limit."
            opened = Happening("opened", NIGHT, "pipeline", why, severity, "week", alarm.first_period)
            alarms.open_alarm(connection, alarm, opened)
        alarms.keep_parts(
            connection,
            [
                part(W29, "team=14", "Terminal", 9000.0, 8100.0),
                part(W29, "team=12", "Billing", 3600.0, 8100.0, "recovering"),
                part(W33, "all", "", 0.5, 0.65),
            ],
        )
    yield engine
    engine.dispose()


def close(engine: sa.Engine) -> None:
    with board.writing(engine) as connection:
        standing = alarms.read_standing(connection)["first_reply_median"]
        ended = Happening("closed", NIGHT + timedelta(days=14), "pipeline", "Every part has recovered.", is_end=True)
        alarms.append(connection, standing, [ended])


def test_what_stands_is_listed_the_gravest_first(engine: sa.Engine) -> None:
    rows = json.loads(run("list", "--json").output)
    assert [row["alarm_id"] for row in rows] == [W33, W29]
    assert rows[1] == {
        "alarm_id": W29,
        "state": "open",
        "severity": "general",
        "owner": "service-desk",
        "where": "Terminal",
        "parts": 2,
        "reason": "The value lies beyond the critical limit.",
    }
    close(engine)
    assert W29 not in run("list").output
    assert [row["alarm_id"] for row in json.loads(run("list", "--state", "closed", "--json").output)] == [W29]
    assert len(json.loads(run("list", "--state", "all", "--json").output)) == 2
    assert run("list", "--state", "muted").output == "none of these\n"
    assert refused("list", "--state", "gone").startswith("--state: 'gone': use one of open, acknowledged")


def test_showing_one_says_what_is_wrong_where_and_since_when() -> None:
    lines = run("show", W29).output.replace("\u00a0", " ").splitlines()
    assert lines == [
        "First reply, median: open, general",
        "  since 2026-W29; owner service-desk",
        "  head is told if nobody acknowledges it within 7 days",
        "  Billing (limit): recovering, 1 h in 2026-W29, the limit is 2 h 15 min. "
        "The value lies beyond the critical limit.",
        "  Terminal (limit): open, 2 h 30 min in 2026-W29, the limit is 2 h 15 min. "
        "The value lies beyond the critical limit.",
        "",
        "  2026-07-20 00:00 UTC  opened as general, pipeline: Terminal in 2026-W29: beyond the limit.",
    ]
    (told,) = json.loads(run("show", W29, "--json").output)
    assert (told["alarm_id"], len(told["parts"])) == (W29, 2)


def test_taking_care_is_noted_with_who_and_why() -> None:
    assert run("ack", W29, "--why", " rota is being changed ").output == f"{W29}: acknowledged\n"
    line = run("history", W29).output.splitlines()[-1]
    assert line.endswith(f"acknowledged (open -> acknowledged), {getpass.getuser()}: rota is being changed")
    assert run("ack", W33, "--why", "mine", "--by", "vera").exit_code == 0
    assert json.loads(run("history", W33, "--json").output)[-1]["who"] == "vera"
    assert f"was acknowledged by {getpass.getuser()} on " in refused("ack", W29, "--why", "again")


def test_asking_for_quiet_until_a_day() -> None:
    assert run("mute", W29, "--until", "2999-08-31", "--why", "new hires").output == f"{W29}: muted until 2999-08-31\n"
    assert "muted until 2999-08-31 (open -> muted)" in run("history", W29).output
    assert json.loads(run("list", "--json").output)[1]["state"] == "muted until 2999-08-31"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("show", "nothing"), "alarm nothing: there is none of that id: `hansei alarms list`"),
        (("history", "nothing"), "alarm nothing: there is none of that id"),
        (("ack", W29, "--why", " "), "--why: is empty: say why; it is kept with the alarm"),
        (("ack", W29, "--why", "x", "--by", " "), "--by: is empty"),
        (("mute", W29, "--until", "tomorrow", "--why", "x"), "--until: 'tomorrow' is no day: write it as 2026-08-31"),
        (("mute", W29, "--until", "2020-01-01", "--why", "x"), "2020-01-01 is not to come (today is "),
    ],
)
def test_a_mistake_says_what_to_do(arguments: tuple[str, ...], expected: str) -> None:
    assert expected in refused(*arguments)


def test_nothing_is_done_to_a_closed_alarm(engine: sa.Engine) -> None:
    close(engine)
    for command in (("ack", W29, "--why", "x"), ("mute", W29, "--until", "2999-01-01", "--why", "x")):
        assert refused(*command).startswith(f"alarm {W29}: closed on 2026-08-03: nothing is left to do")


def test_an_empty_board_says_so(engine: sa.Engine, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSEI_HOME", str(tmp_path / "new"))
    assert run("list").output == "no alarm stands\n"
