"""From signals to a mail in somebody's box: nights that raise alarms and tell of them, against a real SMTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from support.alarm_nights import AlarmNights
from support.mail_server import Mailbox
from typer.testing import CliRunner

from hansei import cli, pipeline
from hansei.board import alarms
from hansei.catalog import load_catalog
from hansei.errors import HanseiError
from hansei.pipeline import delivering
from hansei.settings import load_settings
from hansei.warehouse import open_warehouse
from hansei.warehouse.tables import evolve

CHAT, MAIL, ALL = (("floor", segment) for segment in ("channel=chat", "channel=mail", "all"))
W27 = "csat_top_box-2026-W27"
PEOPLE = {
    "vera": ("vera", "[cx]", "en", "general"),
    "wei": ("wei", "[head]", "zh_CN", "general"),
    "anna": ("anna", '["*"]', "en", "major"),
}


@pytest.fixture
def nights(tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[AlarmNights]:
    mine = tmp_path / "mine"
    (mine / "recipients").mkdir(parents=True)
    (mine / "thresholds").mkdir()
    (mine / "thresholds" / "floor.yaml").write_text(FLOOR)
    for name, owners, language, severity in PEOPLE.values():
        (mine / "recipients" / f"{name}.yaml").write_text(
            f"id: {name}\nname: {name.title()}\nlanguage: {language}\nowners: {owners}\n"
            f"minimum_severity: {severity}\nchannels: [{{connection: desk_mail, kind: mail}}]\n"
        )
    plain = {"disable_ssl": True, "disable_tls": True}
    to = {name: f"{name}@aurora.example" for name in PEOPLE}
    extra = {"from_email": "desk@aurora.example", "to": to, "timeout": 5, **plain}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": mailbox.port, "extra": extra}
    monkeypatch.setenv("HANSEI_DEFINITIONS", str(mine))
    monkeypatch.setenv("AIRFLOW_CONN_DESK_MAIL", json.dumps(connection))
    monkeypatch.setattr(delivering, "RETRY_WAITS", (0.0, 0.0))
    settings = load_settings()
    catalog = load_catalog(settings)
    with open_warehouse(settings) as warehouse:
        evolve(warehouse, catalog)
        warehouse.execute("CREATE VIEW indicators.segments AS SELECT 'channel=chat' AS segment_id, 'Chat' AS label")
        yield AlarmNights(warehouse, settings, catalog)


FLOOR = """\
id: floor
indicator: csat_top_box
kind: static
segments: [all, "channel=*"]
critical: 0.65
unit: ratio
reason: Two in three is the floor of the promise.
owner: cx
approver: head of service
valid_from: 2026-01-01
alarm: {escalate_to: head, escalate_after_days: 7}
"""


def tell(nights: AlarmNights, now: datetime) -> dict[str, int]:
    return pipeline.notify(nights.context(now), "night", tell=lambda _: None)


def said(mailbox: Mailbox) -> list[tuple[str, str]]:
    """Who got what since the last look: recipient and subject."""
    found = [(message["To"].split("@")[0], message["Subject"]) for message in mailbox.taken]
    mailbox.taken.clear()
    return found


def test_an_alarm_is_told_as_it_goes_and_only_what_changed(nights: AlarmNights, mailbox: Mailbox) -> None:
    nights.night({CHAT: "!"}, datetime(2026, 7, 6))
    assert tell(nights, datetime(2026, 7, 6, 4)) == {"nothing": 2, "sent": 1}
    assert "65 % is asked for" in mailbox.taken[0].get_body(("plain",)).get_content().replace("\u00a0", " ")
    assert said(mailbox) == [("vera", "[Service] General: CSAT, top two boxes · Chat (new alarm)")]
    assert tell(nights, datetime(2026, 7, 7, 4)) == {"nothing": 3}
    # A second channel joins, then nobody reacts: whom the threshold names is told too, in their language.
    nights.night({CHAT: "!", MAIL: "!"}, datetime(2026, 7, 8))
    tell(nights, datetime(2026, 7, 8, 4))
    assert [(who, "in more places now" in what) for who, what in said(mailbox)] == [("vera", True)]
    nights.night({CHAT: "!!", MAIL: "!."}, datetime(2026, 7, 13))
    tell(nights, datetime(2026, 7, 13, 4))
    chinese = mailbox.taken[1].get_body(("plain",)).get_content()
    assert "7天内无人确认，已通知head。" in chinese and "Nobody" not in chinese
    told = said(mailbox)
    assert [who for who, _ in told] == ["vera", "wei"]
    assert "(nobody has reacted yet)" in told[0][1] and "无人响应，已升级" in told[1][1]
    nights.night({CHAT: "!!..", MAIL: "!..."}, datetime(2026, 7, 27))
    tell(nights, datetime(2026, 7, 27, 4))
    assert said(mailbox) == [("vera", "[Service] CSAT, top two boxes · Chat +1 (closed)")]


def test_what_is_grave_reaches_those_who_hear_of_nothing_else(nights: AlarmNights, mailbox: Mailbox) -> None:
    nights.figures = {"distance": 0.4, "reach": 1.0}
    nights.night({ALL: "!"}, datetime(2026, 7, 6))
    tell(nights, datetime(2026, 7, 6, 4))
    assert [who for who, _ in said(mailbox)] == ["anna", "vera"]


def test_what_nobody_acknowledged_reminds_once_a_week(nights: AlarmNights, mailbox: Mailbox) -> None:
    nights.night({CHAT: "!"}, datetime(2026, 7, 6))
    tell(nights, datetime(2026, 7, 6, 4))
    nights.night({CHAT: "!"}, datetime(2026, 7, 13))
    for day in (13, 14, 20, 21):
        tell(nights, datetime(2026, 7, day, 4))
    assert [what.rsplit("(", 1)[1] for who, what in said(mailbox) if who == "vera"] == [
        "new alarm)",
        "nobody has reacted yet)",
        "overdue)",
    ]
    with nights.board() as engine:
        alarms.acknowledge(engine, W27, "vera", "mine", datetime(2026, 7, 22))
    for day in (22, 29):
        assert tell(nights, datetime(2026, 7, day, 4)) == {"nothing": 3}


def test_a_muted_alarm_is_not_told_until_it_wakes(nights: AlarmNights, mailbox: Mailbox) -> None:
    nights.night({CHAT: "!"}, datetime(2026, 7, 6))
    tell(nights, datetime(2026, 7, 6, 4))
    with nights.board() as engine:
        alarms.mute(engine, W27, date(2026, 7, 27), "vera", "known", datetime(2026, 7, 6, 9), date(2026, 7, 6))
    said(mailbox)
    nights.night({CHAT: "!.!"}, datetime(2026, 7, 20))
    assert tell(nights, datetime(2026, 7, 20, 4)) == {"nothing": 3}
    nights.night({CHAT: "!.!!"}, datetime(2026, 7, 27))
    tell(nights, datetime(2026, 7, 27, 4))
    assert [what.rsplit("(", 1)[1] for _, what in said(mailbox)] == ["muted no longer and still bad)"]


def test_history_that_is_over_is_told_to_nobody(nights: AlarmNights, mailbox: Mailbox) -> None:
    nights.night({CHAT: "!..  !.."}, datetime(2026, 8, 24))
    assert nights.alarms() == {W27: "closed", "csat_top_box-2026-W32": "closed"}
    assert tell(nights, datetime(2026, 8, 24, 4)) == {"nothing": 3}
    assert said(mailbox) == []


def test_without_recipients_the_stage_succeeds_and_says_so(nights: AlarmNights, tmp_path: Path) -> None:
    for path in (tmp_path / "mine" / "recipients").glob("*.yaml"):
        path.unlink()
    nights.catalog = load_catalog(nights.settings)
    nights.night({CHAT: "!"}, datetime(2026, 7, 6))
    lines: list[str] = []
    assert pipeline.notify(nights.context(), "night", tell=lines.append) == {}
    assert lines == ["nobody is told: no recipients are defined; docs/notifications.md shows one"]


def test_where_nothing_can_be_sent_the_stage_is_red_and_the_next_one_tells_it(
    nights: AlarmNights, mailbox: Mailbox
) -> None:
    nights.night({CHAT: "!"}, datetime(2026, 7, 6))
    mailbox.recipient_answers += ["550 no"]
    with pytest.raises(HanseiError, match="deliveries: 1 failed; vera:desk_mail:1"):
        tell(nights, datetime(2026, 7, 6, 4))
    assert tell(nights, datetime(2026, 7, 7, 4)) == {"nothing": 2, "sent": 1}


def test_a_person_looks_beforehand_and_sends_by_hand(nights: AlarmNights, mailbox: Mailbox) -> None:
    nights.night({CHAT: "!"}, datetime(2026, 7, 6))
    rehearsed = CliRunner().invoke(cli.app, ["deliveries", "send", "--dry-run"])
    assert "vera by desk_mail (mail): would send" in rehearsed.output
    assert "CSAT, top two boxes · Chat" in rehearsed.output
    assert mailbox.taken == []
    sent = CliRunner().invoke(cli.app, ["deliveries", "send"])
    assert "vera by desk_mail (mail): sent" in sent.output
    assert len(mailbox.taken) >= 1
