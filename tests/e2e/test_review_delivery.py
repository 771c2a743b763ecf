"""Editions on their way to readers, over a real SMTP server and webhook on this machine: once, none lost unseen."""

from __future__ import annotations

import json
import multiprocessing
import signal
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.chat_server import ChatRoom
from support.kill_points import KillPoint
from support.mail_server import Mailbox

from hansei import board, pipeline
from hansei.board import deliveries as ledger
from hansei.connections import resolve
from hansei.errors import HanseiError
from hansei.pipeline import delivering
from hansei.pipeline.edition_messages import formats_of
from hansei.pipeline.reviewing import publish_edition
from hansei.reviews.evidence import Evidence
from hansei.settings import load_settings

MONDAY = date(2026, 11, 2)
FOLLOWING = MONDAY + timedelta(days=7)
PLACES = {"all": "", "team=desk:7": "Billing", "team=desk:8": "Access"}
VERA = "{id: vera, name: Vera, channels: [{connection: desk_mail, kind: mail}]}\n"
WEI = """\
id: wei
name: Wei
language: zh_CN
channels: [{connection: desk_mail, kind: mail}, {connection: desk_chat, kind: chat}]
"""
REVIEW = """\
id: own_brief
title: Own brief
audience: whole service
owner: service-desk
languages: [en, zh_CN]
indicators: [backlog]
recipients:
  - {recipient: vera, formats: [pdf]}
  - {recipient: wei}
"""
TEAMS = """\
id: own_teams
title: Own teams
audience: team leads
owner: service-desk
about: team=*
indicators: [tickets_created]
recipients:
  - {recipient: vera, about: "team=desk:7"}
"""


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "RETRY_WAITS", (0.0, 0.0))


class Desk:
    """A service with readers, and editions that are made by hand."""

    def __init__(self, directory: Path, port: int, **texts: str) -> None:
        for name, text in {"recipients/vera": VERA, "reviews/own_brief": REVIEW, **texts}.items():
            path = directory / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        plain = {"disable_ssl": True, "disable_tls": True, "timeout": 5, "from_email": "Desk <desk@aurora.example>"}
        extra = plain | {"to": {"vera": "vera@aurora.example", "wei": "wei@aurora.example"}}
        mail = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
        self.environment = {
            "HANSEI_HOME": str(directory / "home"),
            "HANSEI_DEFINITIONS": str(directory),
            "AIRFLOW_CONN_DESK_MAIL": json.dumps(mail),
        }
        self.told: list[str] = []

    def context(self) -> pipeline.Context:
        return pipeline.context(
            load_settings(self.environment),
            lambda name: resolve(name, self.environment),
            lambda: datetime(2026, 11, 9, 6),
        )

    def publish(
        self, review: str = "own_brief", about: str = "all", value: float = 12.0, formats: tuple[str, ...] = ()
    ) -> Path:
        """An edition as a night would make it, with a figure of its own."""
        context = self.context()
        definition = context.catalog.reviews[review]
        with board.opened_board(context.settings) as engine:
            made = evidence(review, definition.title, definition.languages, about, value)
            return publish_edition(context, engine, made, {}, formats)[1]

    def deliver(self, review: str = "own_brief", **options: Any) -> dict[str, int]:
        self.told.clear()
        return pipeline.deliver_reviews(self.context(), review, FOLLOWING, "run", tell=self.told.append, **options)

    def red(self, review: str = "own_brief") -> str:
        with pytest.raises(HanseiError) as caught:
            self.deliver(review)
        return str(caught.value)

    def states(self) -> dict[str, str]:
        with board.opened_board(load_settings(self.environment)) as engine:
            return {one.delivery_id: one.state for one in ledger.list_deliveries(engine)}


def evidence(review: str, title: str, languages: tuple[str, ...], about: str, value: float) -> Evidence:
    series = [{"period_start": MONDAY, "value": value, "sample_count": int(value)}]
    indicator = {"indicator_id": "x", "version": 1, "title": "Backlog", "question": "How many wait?"}
    indicator |= {"unit": "count", "direction": "lower_is_better", "series": series}
    return Evidence.model_validate(
        {
            "review_id": review,
            "title": title,
            "service_name": "Desk",
            "about": about,
            "about_label": PLACES[about],
            "languages": languages,
            "reporting_zone": "UTC",
            "period_start": MONDAY,
            "period_end": FOLLOWING - timedelta(days=1),
            "as_of": datetime(2026, 11, 9, 3),
            "product_version": "0.1.0",
            "definitions_hash": "ab",
            "indicators": [indicator],
        }
    )


@pytest.fixture
def desk(tmp_path: Path, mailbox: Mailbox) -> Desk:
    return Desk(tmp_path, mailbox.port, **{"recipients/wei": WEI})


@pytest.fixture
def brief(desk: Desk, room: ChatRoom) -> Desk:
    desk.environment["AIRFLOW_CONN_DESK_CHAT"] = room.uri
    desk.publish()
    return desk


def test_each_reader_gets_the_edition_once_in_their_language(brief: Desk, mailbox: Mailbox, room: ChatRoom) -> None:
    assert brief.deliver() == {"sent": 3}
    assert brief.deliver() == {"sent_already": 3}
    to_vera, to_wei = mailbox.taken
    assert (
        to_vera["Subject"].replace("\u00a0", " ")
        == "[Desk] Own brief, week 45 (2–8 November 2026): Nothing is judged: no limit is set"
    )
    assert to_vera["To"] == "vera@aurora.example" and to_vera["Content-Language"] == "en"
    assert "Own brief" in to_vera.get_body(("plain",)).get_content()
    assert to_wei["To"] == "wei@aurora.example" and to_wei["Content-Language"] == "zh-CN"
    assert "第45周" in to_wei["Subject"]
    assert len(room.posts) == 1
    assert brief.states() == dict.fromkeys(
        (
            "vera:desk_mail:own_brief:2026-11-02:r1",
            "wei:desk_mail:own_brief:2026-11-02:r1",
            "wei:desk_chat:own_brief:2026-11-02:r1",
        ),
        "sent",
    )


FORMATS = """\
recipients:
  - {recipient: vera, formats: [html, docx]}
  - recipient: wei
    formats: [docx]
    channels: [desk_chat, {connection: desk_mail, language: en, formats: [html]}]
"""


def test_each_channel_gets_the_formats_and_language_it_was_promised(
    tmp_path: Path, mailbox: Mailbox, room: ChatRoom, caplog: pytest.LogCaptureFixture
) -> None:
    head = REVIEW.partition("recipients:")[0] + "formats: [html, docx]\n"
    desk = Desk(tmp_path, mailbox.port, **{"recipients/wei": WEI, "reviews/own_brief": head + FORMATS})
    desk.environment["AIRFLOW_CONN_DESK_CHAT"] = room.uri
    folder = desk.publish(formats=("docx",)).parent
    assert desk.deliver() == {"sent": 3}
    to_vera, to_wei = mailbox.taken
    files = [(one.get_filename(), one.get_content_type()) for one in to_vera.iter_attachments()]
    office = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert files == [("own_brief-2026-11-02.html", "text/html"), ("own_brief-2026-11-02.docx", office)]
    page, document = (one.get_payload(decode=True) for one in to_vera.iter_attachments())
    assert page.replace(b"\r\n", b"\n") == (folder / "brief.html").read_bytes()
    assert document == (folder / "brief.docx").read_bytes()
    assert "attached as HTML and DOCX" in to_vera.get_body(("plain",)).get_content()
    assert to_wei["Content-Language"] == "en"
    assert [one.get_filename() for one in to_wei.iter_attachments()] == ["own_brief-2026-11-02.html"]
    assert "第45周" in json.dumps(room.posts[0], ensure_ascii=False)
    with board.opened_board(load_settings(desk.environment)) as engine:
        noted = {one.place: (one.language, formats_of(one)) for one in ledger.list_deliveries(engine)}
    assert noted == {
        ("vera", "desk_mail"): ("en", ("html", "docx")),
        ("wei", "desk_mail"): ("en", ("html",)),
        ("wei", "desk_chat"): ("zh_CN", ()),
    }


def test_what_an_edition_was_made_without_is_not_said_to_be_sent(
    brief: Desk, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    brief.deliver()
    assert list(mailbox.taken[0].iter_attachments()) == []
    assert "own_brief:2026-11-02:r1 goes without pdf, which it was made without" in caplog.text
    with board.opened_board(load_settings(brief.environment)) as engine:
        assert {formats_of(one) for one in ledger.list_deliveries(engine)} == {()}


def test_a_delivery_of_release_0_1_is_read_as_it_was_noted(brief: Desk) -> None:
    brief.deliver()
    with board.opened_board(load_settings(brief.environment)) as engine:
        one = ledger.list_deliveries(engine)[0]
    assert formats_of(replace(one, digest='{"attach": true}')) == ("pdf",)
    assert formats_of(replace(one, digest='{"attach": false}')) == ()


def test_files_for_a_chat_are_a_fault(tmp_path: Path) -> None:
    head = REVIEW.partition("recipients:")[0]
    for asked, found in (
        ("{recipient: wei, channels: [{connection: desk_chat, formats: [pdf]}]}", "'desk_chat' is a chat"),
        ("{recipient: wei, formats: [pdf], channels: [desk_chat]}", "wei gets it by chat alone"),
    ):
        text = f"{head}recipients:\n  - {asked}\n"
        with pytest.raises(HanseiError, match=found):
            Desk(tmp_path, 1, **{"recipients/wei": WEI, "reviews/own_brief": text}).context()


def test_a_dry_run_shows_and_writes_nothing(brief: Desk, mailbox: Mailbox) -> None:
    assert brief.deliver(is_dry_run=True) == {"would_send": 3}
    assert any("Own brief, week 45" in line.replace("\u00a0", " ") for line in brief.told)
    assert (brief.states(), mailbox.taken) == ({}, [])


def test_a_revision_is_sent_only_where_the_review_says_so(brief: Desk, mailbox: Mailbox) -> None:
    brief.deliver()
    brief.publish(value=13.0)
    assert brief.deliver() == {"sent_already": 3}
    definitions = Path(brief.environment["HANSEI_DEFINITIONS"])
    (definitions / "reviews/own_brief.yaml").write_text(REVIEW + "sends_revisions: true\n")
    assert brief.deliver() == {"sent": 3}
    assert sum(identity.endswith(":r2") for identity in brief.states()) == 3


def test_only_what_failed_is_sent_again(brief: Desk, mailbox: Mailbox) -> None:
    mailbox.recipient_answers = ["550 nobody"]
    assert "1 failed; vera:desk_mail:own_brief:2026-11-02:r1" in brief.red()
    first = brief.states()
    assert sorted(first.values()) == ["failed", "sent", "sent"]
    assert brief.deliver() == {"sent": 1, "sent_already": 2}
    assert [message["To"] for message in mailbox.taken] == ["wei@aurora.example", "vera@aurora.example"]


def test_a_newer_revision_takes_the_place_of_one_that_never_left(brief: Desk, mailbox: Mailbox) -> None:
    mailbox.recipient_answers = ["550 nobody"]
    brief.red()
    brief.publish(value=13.0)
    assert brief.deliver() == {"sent": 1, "sent_already": 2}
    states = brief.states()
    assert states["vera:desk_mail:own_brief:2026-11-02:r1"] == "skipped"
    assert states["vera:desk_mail:own_brief:2026-11-02:r2"] == "sent"


def test_what_may_have_arrived_waits_for_a_person(brief: Desk, mailbox: Mailbox) -> None:
    mailbox.data_answers = ["drop after taking"]
    assert "1 unknown" in brief.red()
    assert "1 unknown" in brief.red()
    assert len(mailbox.taken) == 2  # hers, though nobody can tell, and his
    pipeline.resend(brief.context(), "vera:desk_mail:own_brief:2026-11-02:r1", "anna", "she has nothing")
    assert brief.deliver() == {"sent_already": 3}
    assert len(mailbox.taken) == 3 and len(set(mailbox.message_ids)) == 2


def test_the_nights_digests_leave_editions_alone(brief: Desk, mailbox: Mailbox) -> None:
    mailbox.recipient_answers = ["550 nobody"]
    brief.red()
    assert pipeline.notify(brief.context(), "night", {}, tell=brief.told.append) == {}
    assert sorted(brief.states().values()) == ["failed", "sent", "sent"]


def test_a_document_that_is_not_what_was_published_does_not_leave(brief: Desk, mailbox: Mailbox) -> None:
    page = brief.publish()
    page.write_bytes(page.read_bytes()[:500])
    assert "brief.html was changed after it was written" in brief.red()
    assert (len(mailbox.taken), len(brief.states())) == (1, 2)  # Wei's, in Chinese, is whole
    page.unlink()
    assert "nothing was sent" in brief.red()


def test_a_team_lead_gets_their_own_team_alone(tmp_path: Path, mailbox: Mailbox) -> None:
    desk = Desk(tmp_path, mailbox.port, **{"recipients/wei": WEI, "reviews/own_teams": TEAMS})
    desk.publish("own_teams", "team=desk:7")
    desk.publish("own_teams", "team=desk:8")
    assert desk.deliver("own_teams") == {"sent": 1}
    (message,) = mailbox.taken
    assert "Own teams, team Billing" in message["Subject"]
    assert list(desk.states()) == ["vera:desk_mail:own_teams:team=desk:7:2026-11-02:r1"]


def test_a_review_without_readers_says_so(tmp_path: Path, mailbox: Mailbox) -> None:
    desk = Desk(tmp_path, mailbox.port, **{"reviews/own_brief": REVIEW.partition("recipients:")[0]})
    desk.publish()
    assert desk.deliver() == {}
    assert desk.told[0].startswith("own_brief is sent to nobody")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("  - {recipient: nobody}", "recipients.0.recipient: recipient 'nobody' is not defined"),
        ("  - {recipient: vera, channels: [jane@example.org]}", "recipients.0.channels.0: is no channel of vera"),
        ("  - {recipient: vera, language: zh_CN}", "recipients.0.language: the review is not written in 'zh_CN'"),
        ("  - {recipient: vera, formats: [html, pdf]}", "recipients.0.formats.1: the review is not made as pdf"),
        (
            "  - {recipient: vera, channels: [{connection: desk_mail, formats: [docx]}]}",
            "recipients.0.channels.0.formats.0: the review is not made as docx",
        ),
        (
            "  - {recipient: vera, channels: [{connection: desk_mail, language: zh_CN}]}",
            "recipients.0.channels.0.language: the review is not written in 'zh_CN'",
        ),
        ("  - {recipient: vera, formats: [fax]}", "recipients.0.formats.0"),
        ("  - {recipient: vera, about: team=desk:7}", "recipients.0.about: 'team=desk:7' is no edition of the review"),
    ],
)
def test_a_reader_that_nothing_can_reach_is_a_fault_with_its_line(tmp_path: Path, line: str, found: str) -> None:
    head = REVIEW.partition("recipients:")[0].replace("[en, zh_CN]", "[en]") + "formats: [html]\nrecipients:\n"
    desk = Desk(tmp_path, 1, **{"reviews/own_brief": head + line + "\n"})
    with pytest.raises(HanseiError) as caught:
        desk.context()
    assert f"own_brief.yaml:9: {found}" in str(caught.value)
    assert "jane" not in str(caught.value)


@pytest.mark.proof
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("target", ["begin_review_delivery", "change_state", "send", "mark_crashed", "_change"])
def test_killed_anywhere_the_next_run_settles_it(tmp_path: Path, mailbox: Mailbox, moment: str, target: str) -> None:
    """Whatever step died: afterwards the reader has the edition once, or a delivery that says it may be missing."""
    desk = Desk(tmp_path, mailbox.port, **{"reviews/own_brief": REVIEW.replace("  - {recipient: wei}\n", "")})
    desk.publish()
    process = multiprocessing.get_context("spawn").Process(target=_trapped, args=(desk.environment, moment, target))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with suppress(HanseiError):
        desk.deliver()
    (state,) = desk.states().values()
    assert state in ("sent", "unknown")
    assert len(mailbox.taken) <= 1
    assert mailbox.taken or state == "unknown"


def _trapped(environment: dict[str, str], moment: str, target: str) -> None:
    module = "hansei.reviews.mail:MailChannel" if target == "send" else "hansei.board.deliveries"
    KillPoint(moment, f"{module}.{target}" if ":" in module else f"{module}:{target}").set()
    context = pipeline.context(
        load_settings(environment), lambda name: resolve(name, environment), lambda: datetime(2026, 11, 9, 6)
    )
    pipeline.deliver_reviews(context, "own_brief", FOLLOWING, "run", tell=lambda line: None)
