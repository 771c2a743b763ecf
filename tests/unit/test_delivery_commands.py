"""`hansei deliveries` as a person uses it: what was sent, what it said, sending again, settling, looking beforehand."""

from __future__ import annotations

import getpass
import json
from datetime import datetime
from pathlib import Path

import pytest
from support.digest_cases import SETTING, VERA, digest
from support.mail_server import mail_server
from typer.testing import CliRunner, Result

from hansei import board, cli
from hansei.board import deliveries as ledger
from hansei.board.deliveries import Delivery
from hansei.reviews.digest_message import subject
from hansei.settings import load_settings

RECIPIENT = """\
id: vera
name: Vera
owners: [service-desk]
channels: [{connection: desk_mail, kind: mail}]
"""
IDENTITY = "vera:desk_mail:9"


@pytest.fixture(autouse=True)
def recipient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine" / "recipients").mkdir(parents=True)
    (tmp_path / "mine" / "recipients" / "vera.yaml").write_text(RECIPIENT)
    monkeypatch.setenv("HANSEI_DEFINITIONS", str(tmp_path / "mine"))
    connect(monkeypatch, 1)


def connect(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    extra = {"from_email": "desk@aurora.example", "to": "vera@aurora.example", "disable_ssl": True, "disable_tls": True}
    value = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_DESK_MAIL", json.dumps(value))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["deliveries", *arguments])


def remember(*states: str) -> None:
    """A delivery that went through these states after `sending`."""
    now = datetime(2026, 3, 9, 5, 30)
    delivery = Delivery(
        delivery_id=IDENTITY,
        recipient_id="vera",
        channel_id="desk_mail",
        channel_kind="mail",
        after_event=0,
        through_event=9,
        language="en",
        subject=subject(digest(), VERA, SETTING),
        digest=digest().to_json(),
        message_id="<1@aurora.example>",
        run_id="night",
        created_at=now,
    )
    engine = board.open(load_settings())
    ledger.begin_delivery(engine, delivery, "pipeline")
    for state in states:
        ledger.change_state(engine, IDENTITY, state, "pipeline", "the line broke", now)
    engine.dispose()


def state() -> str:
    engine = board.open(load_settings())
    found = ledger.load_delivery(engine, IDENTITY).state
    engine.dispose()
    return found


def test_an_empty_ledger_is_a_calm_sentence() -> None:
    assert run("list").output == "nothing was sent\n"
    assert json.loads(run("list", "--json").output) == []


def test_the_list_says_what_became_of_each() -> None:
    remember("unknown")
    (row,) = json.loads(run("list", "--json").output)
    assert (row["delivery_id"], row["state"], row["problem"]) == (IDENTITY, "unknown", "the line broke")
    assert run("list", "--state", "sent").output == "none of these\n"
    assert IDENTITY in run("list", "--state", "unknown", "--recipient", "vera").output
    assert run("list", "--recipient", "wei").output == "none of these\n"


def test_one_delivery_is_shown_with_its_words_and_its_history() -> None:
    remember("failed", "sending", "sent")
    output = run("show", IDENTITY).output
    assert "vera:desk_mail:9 (mail, en), sent, Message-ID <1@aurora.example>" in output
    steps = [line.split()[3].rstrip(",") for line in output.splitlines() if line.startswith("  2026-03-09")]
    assert steps == ["sending", "failed", "sending", "sent"]
    assert "▲ Major: First reply, median · Billing" in output


def test_what_was_said_can_be_read_after_its_reader_is_gone(tmp_path: Path) -> None:
    remember("sent")
    (tmp_path / "mine" / "recipients" / "vera.yaml").unlink()
    assert "▲ Major: First reply, median · Billing" in run("show", IDENTITY).output


def test_an_unknown_one_is_sent_again_by_hand_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    remember("unknown")
    with mail_server() as mailbox:
        connect(monkeypatch, mailbox.port)
        answer = run("resend", IDENTITY, "--why", "Vera has nothing")
        assert (answer.exit_code, answer.output) == (0, f"{IDENTITY}: sent\n")
        (message,) = mailbox.taken
    assert message["Message-ID"] == "<1@aurora.example>"
    assert "First reply, median" in message["Subject"]
    assert f"sending, {getpass.getuser()}: Vera has nothing" in run("show", IDENTITY).output


def test_sending_again_in_vain_ends_with_the_reason_and_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hansei.pipeline.delivering.RETRY_WAITS", ())
    remember("unknown")
    answer = run("resend", IDENTITY, "--why", "Vera has nothing")
    assert answer.exit_code == 1
    assert f"{IDENTITY}: failed: connection 'desk_mail': the mail server cannot be reached (refused)" in answer.output
    assert "aurora.example" not in answer.output


def test_a_settled_one_turns_no_night_red() -> None:
    remember("unknown")
    assert run("skip", IDENTITY, "--why", "it arrived after all").output == f"{IDENTITY}: skipped\n"
    assert state() == "skipped"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("list", "--state", "lost"), "--state: 'lost': use one of sending, sent, failed, unknown, skipped"),
        (("show", "vera:desk_mail:1"), "not in the ledger: `hansei deliveries list` shows what is"),
        (("resend", IDENTITY, "--why", " "), "--why: is empty"),
        (("skip", IDENTITY, "--why", "done"), "is sent, which nothing turns into skipped"),
        (("preview", "wei"), "recipient 'wei': is not defined: use one of vera"),
    ],
)
def test_a_mistake_is_one_clear_line(arguments: tuple[str, ...], expected: str) -> None:
    remember("sent")
    answer = run(*arguments)
    assert answer.exit_code == 1
    assert expected in str(answer.exception)
    assert state() == "sent"


def test_a_reader_who_is_gone_gets_nothing(tmp_path: Path) -> None:
    remember("unknown")
    (tmp_path / "mine" / "recipients" / "vera.yaml").unlink()
    assert "no longer defined" in str(run("resend", IDENTITY, "--why", "once more").exception)
    assert state() == "unknown"


def test_a_preview_is_a_sample_and_says_whether_connections_are_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "mail.html"
    answer = run("preview", "vera", "--html", str(page))
    assert answer.output.startswith("vera by desk_mail (mail): the connection is complete\n")
    assert "2 alarms need you now, 1 changed, 1 closed" in answer.output
    assert answer.output.count("every figure here is invented") == 4
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    monkeypatch.setenv("AIRFLOW_CONN_DESK_MAIL", '{"conn_type": "smtp", "host": "127.0.0.1"}')
    assert "has no usable from_email for recipient 'vera'" in run("preview", "vera").output
