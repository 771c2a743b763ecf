"""The ledger of deliveries on SQLite and on PostgreSQL: what may follow what, and what nothing can rewrite."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from hansei import board
from hansei.board import deliveries as ledger
from hansei.board.deliveries import Delivery

NOW = datetime(2026, 3, 9, 5, 30)
FIRST = Delivery(
    delivery_id="vera:desk_mail:7",
    recipient_id="vera",
    channel_id="desk_mail",
    channel_kind="mail",
    after_event=0,
    through_event=7,
    language="en",
    subject="[Aurora Care] Major: First reply",
    digest='{"as_of":"2026-03-09T05:30:00","items":[]}',
    message_id="<1@aurora.example>",
    run_id="night-1",
    created_at=NOW,
)
SECOND = replace(FIRST, delivery_id="vera:desk_mail:9", after_event=7, through_event=9, message_id="<2@aurora.example>")


def happened(engine: sa.Engine, delivery_id: str) -> list[tuple[str, str, str]]:
    return [(event["what"], event["who"], event["why"]) for event in ledger.delivery_events(engine, delivery_id)]


def test_a_delivery_is_noted_as_sending_with_its_position_before_anything_leaves(engine: sa.Engine) -> None:
    assert ledger.begin_delivery(engine, FIRST, "pipeline")
    stored = ledger.load_delivery(engine, FIRST.delivery_id)
    assert stored == replace(FIRST, state="sending", attempt_count=1, changed_at=NOW)
    assert ledger.positions(engine) == {("vera", "desk_mail"): 7}
    assert happened(engine, FIRST.delivery_id) == [("sending", "pipeline", "alarm events 1 to 7")]


def test_a_rerun_and_a_slower_run_make_no_second_one(engine: sa.Engine) -> None:
    assert ledger.begin_delivery(engine, FIRST, "pipeline")
    assert not ledger.begin_delivery(engine, FIRST, "pipeline")
    slower = replace(FIRST, delivery_id="vera:desk_mail:8", through_event=8, message_id="<3@aurora.example>")
    assert not ledger.begin_delivery(engine, slower, "pipeline")
    assert [one.delivery_id for one in ledger.list_deliveries(engine)] == [FIRST.delivery_id]
    assert ledger.positions(engine) == {("vera", "desk_mail"): 7}


def test_row_and_position_move_together_or_not_at_all(engine: sa.Engine) -> None:
    ledger.begin_delivery(engine, FIRST, "pipeline")
    with pytest.raises(sa.exc.IntegrityError):
        ledger.begin_delivery(engine, replace(SECOND, message_id=FIRST.message_id), "pipeline")
    assert ledger.positions(engine) == {("vera", "desk_mail"): 7}
    assert len(ledger.list_deliveries(engine)) == 1
    assert happened(engine, SECOND.delivery_id) == []


def test_every_change_of_state_is_an_event_in_order_even_where_the_clock_stands(engine: sa.Engine) -> None:
    ledger.begin_delivery(engine, FIRST, "pipeline")
    for state, who, why in (
        ("failed", "pipeline", "refused"),
        ("sending", "pipeline", "another attempt"),
        ("unknown", "pipeline", "silence"),
        ("sending", "vera", "she has nothing"),
        ("sent", "vera", "taken over"),
    ):
        changed = ledger.change_state(engine, FIRST.delivery_id, state, who, why, NOW)
        assert changed == ledger.load_delivery(engine, FIRST.delivery_id)
        assert changed.problem == (why if state in ("failed", "unknown") else None)
    assert changed.attempt_count == 3
    assert [what for what, _, _ in happened(engine, FIRST.delivery_id)] == [
        *("sending", "failed", "sending", "unknown", "sending", "sent")
    ]
    assert happened(engine, FIRST.delivery_id)[4] == ("sending", "vera", "she has nothing")


ALLOWED = {
    "sending": {"sent", "failed", "unknown"},
    "failed": {"sending", "skipped"},
    "unknown": {"sending", "skipped", "sent", "failed"},
    "sent": {"sending"},
    "skipped": set(),
}


@pytest.mark.parametrize("state", list(ALLOWED))
def test_nothing_else_follows(engine: sa.Engine, state: str) -> None:
    ledger.begin_delivery(engine, FIRST, "pipeline")
    for step in {"sending": (), "skipped": ("failed", "skipped")}.get(state, (state,)):
        ledger.change_state(engine, FIRST.delivery_id, step, "pipeline", "on the way", NOW)
    for other in set(ledger.STATES) - ALLOWED[state]:
        before = happened(engine, FIRST.delivery_id)
        with pytest.raises(board.BoardError, match=f"is {state}, which nothing turns into {other}"):
            ledger.change_state(engine, FIRST.delivery_id, other, "vera", "why not", NOW)
        assert happened(engine, FIRST.delivery_id) == before


def test_what_a_crash_left_is_unknown_and_only_that(engine: sa.Engine) -> None:
    ledger.begin_delivery(engine, FIRST, "pipeline")
    ledger.change_state(engine, FIRST.delivery_id, "sent", "pipeline", "taken over", NOW)
    ledger.begin_delivery(engine, SECOND, "pipeline")
    crashed = ledger.mark_crashed(engine, "pipeline", NOW + timedelta(hours=1))
    assert [(one.delivery_id, one.state) for one in crashed] == [(SECOND.delivery_id, "unknown")]
    assert ledger.mark_crashed(engine, "pipeline", NOW + timedelta(hours=2)) == []
    assert ledger.load_delivery(engine, FIRST.delivery_id).state == "sent"


def test_a_failed_one_is_replaced_by_the_one_that_tells_its_news_too(engine: sa.Engine) -> None:
    ledger.begin_delivery(engine, FIRST, "pipeline")
    failed = ledger.change_state(engine, FIRST.delivery_id, "failed", "pipeline", "refused", NOW)
    wider = replace(SECOND, after_event=0)
    assert ledger.begin_delivery(engine, wider, "pipeline", failed)
    assert ledger.load_delivery(engine, FIRST.delivery_id).state == "skipped"
    assert happened(engine, FIRST.delivery_id)[-1] == ("skipped", "pipeline", "its news is in vera:desk_mail:9")
    assert ledger.positions(engine) == {("vera", "desk_mail"): 9}


def test_one_that_was_settled_meanwhile_is_not_replaced(engine: sa.Engine) -> None:
    ledger.begin_delivery(engine, FIRST, "pipeline")
    failed = ledger.change_state(engine, FIRST.delivery_id, "failed", "pipeline", "refused", NOW)
    ledger.change_state(engine, FIRST.delivery_id, "sending", "vera", "now it works", NOW)
    assert not ledger.begin_delivery(engine, replace(SECOND, after_event=0), "pipeline", failed)
    assert ledger.positions(engine) == {("vera", "desk_mail"): 7}


def test_a_position_moves_alone_where_there_was_nothing_to_say(engine: sa.Engine) -> None:
    place = ("vera", "desk_mail")
    ledger.move_position(engine, place, None, 5, NOW)
    assert ledger.positions(engine) == {place: 5}
    ledger.move_position(engine, place, 3, 9, NOW)
    assert ledger.positions(engine) == {place: 5}
    assert ledger.list_deliveries(engine) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE deliveries SET digest = '{}'",
        "UPDATE deliveries SET message_id = '<x@y>'",
        "UPDATE deliveries SET recipient_id = 'wei'",
        "UPDATE deliveries SET through_event = 99",
        "DELETE FROM deliveries",
        "DELETE FROM board_events",
    ],
)
def test_the_database_itself_refuses_to_rewrite_the_ledger(engine: sa.Engine, statement: str) -> None:
    ledger.begin_delivery(engine, FIRST, "pipeline")
    with (
        pytest.raises(sa.exc.DBAPIError, match=r"never changes|never deleted|only ever appended"),
        engine.begin() as connection,
    ):
        connection.execute(sa.text(statement))
    assert ledger.load_delivery(engine, FIRST.delivery_id).digest == FIRST.digest


def test_lists_are_the_newest_first_and_can_be_narrowed(engine: sa.Engine) -> None:
    ledger.begin_delivery(engine, FIRST, "pipeline")
    ledger.change_state(engine, FIRST.delivery_id, "sent", "pipeline", "taken over", NOW)
    ledger.begin_delivery(engine, replace(SECOND, created_at=NOW + timedelta(days=1)), "pipeline")
    wei = replace(FIRST, delivery_id="wei:desk_mail:7", recipient_id="wei", message_id="<4@aurora.example>")
    ledger.begin_delivery(engine, wei, "pipeline")

    def listed(*arguments) -> list[str]:
        return [one.delivery_id for one in ledger.list_deliveries(engine, *arguments)]

    assert listed() == [SECOND.delivery_id, FIRST.delivery_id, wei.delivery_id]
    assert listed(("sent",)) == [FIRST.delivery_id]
    assert listed((), "wei") == [wei.delivery_id]
    assert listed((), None, 1) == [SECOND.delivery_id]


def test_the_mirror_carries_deliveries_without_what_they_say(engine: sa.Engine) -> None:
    ledger.begin_delivery(engine, FIRST, "pipeline")
    rows = board.mirror_rows(engine)["deliveries"]
    assert [(row["delivery_id"], row["state"]) for row in rows] == [(FIRST.delivery_id, "sending")]
    assert "digest" not in rows[0]


def test_an_unknown_delivery_says_where_to_look(engine: sa.Engine) -> None:
    with pytest.raises(board.BoardError, match="hansei deliveries list"):
        ledger.load_delivery(engine, "vera:desk_mail:1")
