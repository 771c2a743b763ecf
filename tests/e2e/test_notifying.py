"""Nights that notify, against a real SMTP server and a real webhook on this machine: told once, never lost unseen."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.chat_server import ChatRoom
from support.digest_cases import AS_OF, CLOSED, ESCALATED, ITEMS, OPENED
from support.kill_points import KillPoint
from support.mail_server import Mailbox

from hansei import board, pipeline
from hansei.board import deliveries as ledger
from hansei.connections import resolve
from hansei.errors import HanseiError
from hansei.pipeline import delivering
from hansei.reviews import chat, mail
from hansei.settings import load_settings

VERA = """\
id: vera
name: Vera
owners: [service-desk]
channels: [{connection: desk_mail, kind: mail}]
"""
WEI = """\
id: wei
name: Wei
language: zh_CN
owners: ["*"]
channels: [{connection: desk_mail, kind: mail}, {connection: desk_chat, kind: chat}]
"""
DESK = {"service-desk": [OPENED, ESCALATED]}
LATER = replace(OPENED, alarm_id="backlog-2026-W11", event_number=12, title="Backlog")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "RETRY_WAITS", (0.0, 0.0))


class Desk:
    """A service with recipients, whose nights can be run at any time and said again."""

    def __init__(self, directory: Path, port: int, **recipients: str) -> None:
        for name, text in recipients.items():
            (directory / "recipients").mkdir(exist_ok=True)
            (directory / "recipients" / f"{name}.yaml").write_text(text)
        self.environment = {
            "HANSEI_HOME": str(directory / "home"),
            "HANSEI_DEFINITIONS": str(directory),
            "AIRFLOW_CONN_DESK_MAIL": mail_connection(port),
        }
        self.told: list[str] = []
        self.now = AS_OF

    def context(self) -> pipeline.Context:
        return pipeline.context(
            load_settings(self.environment), lambda name: resolve(name, self.environment), lambda: self.now
        )

    def night(self, items: dict[str, Any] = DESK, **options: Any) -> dict[str, int]:
        self.told.clear()
        return pipeline.notify(self.context(), "night", items, tell=self.told.append, **options)

    def red_night(self, items: dict[str, Any] = DESK) -> str:
        with pytest.raises(HanseiError) as caught:
            self.night(items)
        return str(caught.value)

    def states(self) -> dict[str, str]:
        with self.engine() as engine:
            return {one.delivery_id: one.state for one in ledger.list_deliveries(engine)}

    def history(self, delivery_id: str) -> list[str]:
        with self.engine() as engine:
            return [event["what"] for event in ledger.delivery_events(engine, delivery_id)]

    @contextmanager
    def engine(self) -> Iterator[sa.Engine]:
        engine = board.open(load_settings(self.environment))
        try:
            yield engine
        finally:
            engine.dispose()


def mail_connection(port: int, **extra: Any) -> str:
    addresses = {"vera": "Vera <vera@aurora.example>", "wei": "wei@aurora.example"}
    plain = {"disable_ssl": True, "disable_tls": True}
    extra = {"from_email": "Desk <desk@aurora.example>", "to": addresses, "timeout": 5, **plain, **extra}
    return json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra})


@pytest.fixture
def desk(tmp_path: Path, mailbox: Mailbox) -> Desk:
    return Desk(tmp_path, mailbox.port, vera=VERA)


def test_a_digest_arrives_whole_and_a_rerun_sends_nothing(desk: Desk, mailbox: Mailbox) -> None:
    assert desk.night() == {"sent": 1}
    assert desk.night() == {"nothing": 1}
    (message,) = mailbox.taken
    assert message["To"] == "Vera <vera@aurora.example>"
    assert message["From"] == "Desk <desk@aurora.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "en"
    assert abs(message["Date"].datetime.timestamp() - time.time()) < 60
    assert message["Subject"] == "[Service] Major: First reply, median · Billing (new alarm) and 1 more alarm"
    assert message.get_content_type() == "multipart/alternative"
    assert "82.1 %, at least 90 % is asked for" in message.get_body(("plain",)).get_content().replace("\u00a0", " ")
    assert "<h1" in message.get_body(("html",)).get_content()
    assert desk.states() == {"vera:desk_mail:9": "sent"}
    with desk.engine() as engine:
        assert ledger.load_delivery(engine, "vera:desk_mail:9").message_id == message["Message-ID"]
    assert message["Message-ID"].endswith("@aurora.example>")


def test_each_reader_is_told_over_each_channel_in_their_language(
    tmp_path: Path, mailbox: Mailbox, room: ChatRoom
) -> None:
    desk = Desk(tmp_path, mailbox.port, vera=VERA, wei=WEI)
    desk.environment["AIRFLOW_CONN_DESK_CHAT"] = room.uri
    assert desk.night(ITEMS) == {"sent": 3}
    assert [message["To"] for message in mailbox.taken] == ["Vera <vera@aurora.example>", "wei@aurora.example"]
    assert "重大：First reply, median · Billing" in mailbox.taken[1].get_body(("plain",)).get_content()
    (post,) = room.posts
    assert post["title"] == "【Service】重大：First reply, median · Billing（新告警），另有2项告警"
    assert "要求不超过4小时" in post["message"]
    assert set(desk.states().values()) == {"sent"}


def test_what_concerns_nobody_is_passed_over_without_a_row(desk: Desk, mailbox: Mailbox) -> None:
    assert desk.night({"billing": [CLOSED]}) == {"nothing": 1}
    assert desk.states() == {}
    assert pipeline.told_through(desk.context()) == 10
    assert desk.night({"service-desk": [LATER]}) == {"sent": 1}
    assert pipeline.told_through(desk.context()) == 12


def test_a_dry_run_says_what_would_go_to_whom_and_leaves_no_trace(desk: Desk, mailbox: Mailbox) -> None:
    assert desk.night(is_dry_run=True) == {"would_send": 1}
    assert desk.told[0] == "vera by desk_mail (mail): would send"
    assert "First reply, median · Billing" in "\n".join(desk.told)
    assert (desk.states(), mailbox.taken) == ({}, [])
    assert pipeline.told_through(desk.context()) == 0
    assert desk.night() == {"sent": 1}


def test_weekdays_only_the_weekend_is_told_on_monday(tmp_path: Path, mailbox: Mailbox) -> None:
    desk = Desk(tmp_path, mailbox.port, vera=VERA + "when: weekdays\n")
    desk.now = AS_OF - timedelta(days=2)
    assert desk.night() == {"waiting": 1}
    desk.now = AS_OF - timedelta(days=1)
    assert desk.night() == {"waiting": 1}
    desk.now = AS_OF
    assert desk.night({"service-desk": [OPENED, ESCALATED, LATER]}) == {"sent": 1}
    assert "and 2 more alarms" in mailbox.taken[0]["Subject"]


def test_what_only_stands_joins_a_digest_and_reminds_once_a_week(desk: Desk, mailbox: Mailbox) -> None:
    overdue = {"service-desk": [replace(OPENED, event_number=None, what="overdue")]}
    assert desk.night() == {"sent": 1}
    for day, expected in ((1, "nothing"), (6, "nothing"), (7, "sent"), (8, "nothing"), (14, "sent")):
        desk.now = AS_OF + timedelta(days=day)
        assert desk.night(overdue) == {expected: 1}, day
        assert desk.night(overdue) == {"nothing": 1}, day
    assert list(desk.states()) == ["vera:desk_mail:9@2026-03-23", "vera:desk_mail:9@2026-03-16", "vera:desk_mail:9"]
    assert "(overdue)" in mailbox.taken[-1]["Subject"]


def test_a_server_that_asks_to_wait_is_asked_again(desk: Desk, mailbox: Mailbox) -> None:
    mailbox.recipient_answers += ["450 busy"]
    mailbox.data_answers += ["451 not now"]
    assert desk.night() == {"sent": 1}
    assert len(mailbox.taken) == 1
    told = ["sending", "failed", "sending", "failed", "sending", "sent"]
    assert desk.history("vera:desk_mail:9") == told


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (
            lambda desk, box: desk.environment.update(AIRFLOW_CONN_DESK_MAIL=mail_connection(1)),
            "cannot be reached (refused)",
        ),
        (
            lambda desk, box: desk.environment.update(
                AIRFLOW_CONN_DESK_MAIL=mail_connection(box.port).replace("127.0.0.1", "no-such-host.invalid")
            ),
            "cannot be reached (its name is not known)",
        ),
        (lambda desk, box: box.recipient_answers.extend(["450 busy"] * 3), "answered 450 before"),
        (lambda desk, box: box.recipient_answers.append("550 no such user vera@aurora.example"), "answered 550 before"),
        (lambda desk, box: box.data_answers.append("554 spam"), "answered 554 after it had read"),
        (
            lambda desk, box: desk.environment.update(
                AIRFLOW_CONN_DESK_MAIL=mail_connection(box.port, disable_tls=False)
            ),
            "does not offer the TLS",
        ),
        (
            lambda desk, box: desk.environment.update(
                AIRFLOW_CONN_DESK_MAIL=mail_connection(box.port, disable_ssl=False)
            ),
            "cannot be reached (SSLError)",
        ),
        (
            lambda desk, box: desk.environment.update(AIRFLOW_CONN_DESK_MAIL=mail_connection(box.port, to={})),
            "has no usable to for recipient 'vera'",
        ),
        (
            lambda desk, box: desk.environment.update(
                AIRFLOW_CONN_DESK_MAIL=mail_connection(box.port, auth_type="oauth2")
            ),
            "asks for OAuth 2",
        ),
    ],
    ids=["refused", "no-name", "busy", "no-user", "spam", "no-starttls", "no-tls", "no-address", "oauth"],
)
def test_where_nothing_left_the_night_is_red_and_the_next_one_tells_it_with_the_new(
    desk: Desk, mailbox: Mailbox, prepare: Callable, expected: str
) -> None:
    good = desk.environment["AIRFLOW_CONN_DESK_MAIL"]
    prepare(desk, mailbox)
    line = desk.red_night()
    assert line.startswith("deliveries: 1 failed; vera:desk_mail:9: connection 'desk_mail'")
    assert expected in line and "aurora.example" not in line and "\n" not in line
    assert desk.states() == {"vera:desk_mail:9": "failed"}
    desk.environment["AIRFLOW_CONN_DESK_MAIL"] = good
    assert desk.night({"service-desk": [*DESK["service-desk"], LATER]}) == {"sent": 1}
    assert desk.states() == {"vera:desk_mail:12": "sent", "vera:desk_mail:9": "skipped"}
    (message,) = mailbox.taken
    assert message["Subject"].endswith("and 2 more alarms")


def test_without_news_the_next_run_tries_the_same_digest_again(desk: Desk, mailbox: Mailbox) -> None:
    mailbox.recipient_answers.append("550 not yet known here")
    desk.red_night()
    assert desk.night({}) == {"sent": 1}
    assert desk.states() == {"vera:desk_mail:9": "sent"}
    assert len(mailbox.taken) == 1


def test_a_line_that_breaks_after_the_message_is_unknown_and_only_a_person_sends_again(
    desk: Desk, mailbox: Mailbox
) -> None:
    mailbox.data_answers.append("drop after taking")
    line = desk.red_night()
    assert line.startswith("deliveries: 1 unknown; vera:desk_mail:9: connection 'desk_mail': the line broke")
    for _ in range(2):
        assert "1 unknown" in desk.red_night({})
    assert len(mailbox.taken) == 1
    resent = pipeline.resend(desk.context(), "vera:desk_mail:9", "anna", "Vera has nothing")
    assert resent.state == "sent"
    assert desk.night({}) == {"nothing": 1}
    first, second = mailbox.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_body(("plain",)).get_content() == second.get_body(("plain",)).get_content()


def test_one_reader_in_trouble_keeps_no_other_from_being_told(tmp_path: Path, mailbox: Mailbox) -> None:
    desk = Desk(tmp_path, mailbox.port, anna=VERA.replace("vera", "anna").replace("desk_mail", "lost"), vera=VERA)
    desk.environment["AIRFLOW_CONN_LOST"] = "s3cret"
    line = desk.red_night()
    assert "1 failed; anna:lost:9: AIRFLOW_CONN_LOST: neither a JSON object nor a URI (value not shown)" in line
    assert desk.states() == {"anna:lost:9": "failed", "vera:desk_mail:9": "sent"}


def test_a_failed_delivery_to_somebody_no_longer_defined_is_settled(tmp_path: Path, mailbox: Mailbox) -> None:
    desk = Desk(tmp_path, 1, vera=VERA)
    desk.red_night()
    (tmp_path / "recipients" / "vera.yaml").unlink()
    assert desk.night({}) == {}
    assert desk.states() == {"vera:desk_mail:9": "skipped"}


@pytest.mark.parametrize(
    ("answers", "state", "posts"),
    [
        ([], "sent", 1),
        ([429, 503, 200], "sent", 3),
        ([500, 200], "sent", 2),
        ([429, 429, 429], "failed", 3),
        ([403], "failed", 1),
        ([502], "unknown", 1),
        ([504], "unknown", 1),
        (["hang"], "unknown", 1),
    ],
)
def test_a_webhook_is_asked_again_only_where_it_took_nothing(
    tmp_path: Path, room: ChatRoom, monkeypatch: pytest.MonkeyPatch, answers: list, state: str, posts: int
) -> None:
    monkeypatch.setattr(chat, "ANSWER_SECONDS", 0.5)
    desk = Desk(tmp_path, 1, vera=VERA.replace("desk_mail, kind: mail", "desk_chat, kind: chat"))
    desk.environment["AIRFLOW_CONN_DESK_CHAT"] = room.uri
    room.answers += answers
    if state == "sent":
        assert desk.night() == {"sent": 1}
    else:
        line = desk.red_night()
        assert f"1 {state}" in line and "t0ken" not in line and "s3cret" not in line
    assert desk.states() == {"vera:desk_chat:9": state}
    assert len(room.posts) == posts


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("json://127.0.0.1:1/t0ken", "speaks without TLS"),
        ("json://127.0.0.1:1/t0ken?disable_tls=true", "the service cannot be reached"),
        ("jsons://127.0.0.1:1/t0ken", "the service cannot be reached"),
        ("mailto://vera:s3cret@aurora.example", "is a mail address"),
        ("unheardof://t0ken", "is no URL that Apprise understands (value not shown)"),
        ('{"conn_type": "apprise", "extra": {"config": {"tag": "t0ken"}}}', "has no single config.path in its extra"),
        ('{"conn_type": "apprise", "extra": {"config": {"path": "json://127.0.0.1:1/t0ken"}}}', "speaks without TLS"),
    ],
)
def test_a_chat_connection_that_cannot_be_used_says_why_without_its_secret(
    tmp_path: Path, uri: str, expected: str
) -> None:
    desk = Desk(tmp_path, 1, vera=VERA.replace("desk_mail, kind: mail", "desk_chat, kind: chat"))
    desk.environment["AIRFLOW_CONN_DESK_CHAT"] = uri
    line = desk.red_night()
    assert expected in line
    assert not [secret for secret in ("t0ken", "s3cret", "aurora.example") if secret in line]


def test_no_address_token_or_name_is_kept_logged_or_said(
    tmp_path: Path, mailbox: Mailbox, room: ChatRoom, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture
) -> None:
    caplog.set_level("INFO")
    caplog.set_level("DEBUG", logger="apprise")
    caplog.set_level("DEBUG", logger="hansei")
    desk = Desk(tmp_path, mailbox.port, vera=VERA, wei=WEI)
    desk.environment["AIRFLOW_CONN_DESK_CHAT"] = room.uri
    room.answers += [403]
    mailbox.recipient_answers += ["550 no vera@aurora.example here"]
    line = desk.red_night(ITEMS)
    with desk.engine() as engine, engine.connect() as connection:
        kept = str(
            [connection.execute(sa.text(f"SELECT * FROM {t}")).all() for t in ("deliveries", "board_events")]
        ).replace("@aurora.example>", "")  # of a Message-ID: the sender's domain, not an address
    everything = "\n".join([kept, line, *desk.told, caplog.text, *capfd.readouterr()])
    assert "vera:desk_mail:10" in everything
    for secret in ("vera@", "wei@", "desk@", "aurora.example", "t0ken", "s3cret", "Vera", "Wei"):
        assert secret not in everything, secret


def _night_in_a_process(environment: dict[str, str]) -> None:
    os.environ |= environment
    context = pipeline.context(load_settings(environment), now=lambda: AS_OF)
    pipeline.notify(context, "night", DESK, tell=lambda _: None)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_killed_in_the_middle_of_sending_nothing_is_doubled_and_nothing_lost_unseen(
    tmp_path: Path, mailbox: Mailbox, request: pytest.FixtureRequest, engine_name: str
) -> None:
    """kill -9 while the server has the message and has not answered yet: the worst moment there is."""
    anna = VERA.replace("vera", "anna")
    desk = Desk(
        tmp_path, mailbox.port, anna=anna, vera=VERA, wei=WEI.replace(", {connection: desk_chat, kind: chat}", "")
    )
    connection = json.loads(desk.environment["AIRFLOW_CONN_DESK_MAIL"])
    connection["extra"]["to"]["anna"] = "anna@aurora.example"
    desk.environment["AIRFLOW_CONN_DESK_MAIL"] = json.dumps(connection)
    if engine_name == "postgresql":
        url = request.getfixturevalue("postgres_database").render_as_string(hide_password=False)
        desk.environment["HANSEI_BOARD"] = url
    process = multiprocessing.get_context("spawn").Process(target=_night_in_a_process, args=(desk.environment,))

    def kill_at_the_second() -> None:
        if len(mailbox.taken) == 2:
            process.kill()

    mailbox.on_data = kill_at_the_second
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert desk.states() == {"anna:desk_mail:9": "sent", "vera:desk_mail:9": "sending"}

    line = desk.red_night()
    assert line.startswith("deliveries: 1 unknown; vera:desk_mail:9: the process that sent it ended before")
    assert desk.states() == {"anna:desk_mail:9": "sent", "vera:desk_mail:9": "unknown", "wei:desk_mail:9": "sent"}
    assert [message["To"].split("@")[0].split("<")[-1] for message in mailbox.taken] == ["anna", "vera", "wei"]
    assert "1 unknown" in desk.red_night()
    assert len(set(mailbox.message_ids)) == len(mailbox.message_ids) == 3
    pipeline.resend(desk.context(), "vera:desk_mail:9", "anna", "she has nothing")
    assert desk.night() == {"nothing": 3}
    assert len(mailbox.taken) == 4


@pytest.mark.proof
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    "target", ["begin_delivery", "change_state", "send", "mark_crashed", "move_position", "_move", "_change"]
)
def test_killed_anywhere_the_next_nights_settle_it(tmp_path: Path, mailbox: Mailbox, moment: str, target: str) -> None:
    """Whatever step died: afterwards each reader has the message once, or a delivery that says it may be missing."""
    desk = Desk(tmp_path, mailbox.port, vera=VERA, zoe=VERA.replace("vera", "zoe").replace("service-desk", "people"))
    process = multiprocessing.get_context("spawn").Process(target=_trapped, args=(desk.environment, moment, target))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with suppress(HanseiError):
        desk.night()
    (state,) = desk.states().values()
    assert state in ("sent", "unknown")
    assert len(mailbox.taken) <= 1
    assert mailbox.taken or state == "unknown"
    with desk.engine() as engine:
        assert ledger.positions(engine) == {("vera", "desk_mail"): 9, ("zoe", "desk_mail"): 9}


def _trapped(environment: dict[str, str], moment: str, target: str) -> None:
    module = "hansei.reviews.mail:MailChannel" if target == "send" else "hansei.board.deliveries"
    place = f"{module}.{target}" if ":" in module else f"{module}:{target}"
    KillPoint(moment, place).set()
    _night_in_a_process(environment)


def test_a_mail_server_that_falls_silent_is_not_waited_for_for_ever(
    desk: Desk, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "ANSWER_SECONDS", 0.3)
    mailbox.on_data = lambda: time.sleep(1.5)
    started = time.monotonic()
    assert "no answer in time" in desk.red_night()
    assert time.monotonic() - started < 10
    assert desk.states() == {"vera:desk_mail:9": "unknown"}
