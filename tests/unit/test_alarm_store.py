"""Alarms in the board store on both engines: what people do, what follows, and what nobody may rewrite."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from hansei import board
from hansei.board import alarms
from hansei.board.alarm_states import Situation
from hansei.board.alarms import Alarm, Happening, Part

NIGHT = datetime(2026, 7, 20, 0, 0)
NOON = datetime(2026, 7, 20, 12, 0)
ALARM = Alarm(
    alarm_id="first_reply_median-2026-W29",
    indicator="first_reply_median",
    grain="week",
    first_period=date(2026, 7, 13),
    owner="service-desk",
    escalate_to="head of service",
    escalate_after_days=7,
    opened_at=NIGHT,
)
OPENED = Happening("opened", NIGHT, "pipeline", "Beyond the limit.", "important", "week", date(2026, 7, 13))
PART = Part(
    alarm_id=ALARM.alarm_id,
    threshold_id="first_reply",
    segment_id="team=14",
    segment_label="Terminal",
    grain="week",
    joined_period=date(2026, 7, 13),
    owner="service-desk",
    state="open",
    period_start=date(2026, 7, 13),
    value=9000.0,
    limit_value=8100.0,
    level="warning",
    reason="Beyond the limit.",
)


def happen(engine: sa.Engine, *happenings: Happening) -> Alarm:
    with board.writing(engine) as connection:
        return alarms.append(connection, alarms.read_standing(connection)[ALARM.indicator], happenings)


def signal(what: str, days: int = 7, severity: str | None = None) -> Happening:
    day = ALARM.first_period + timedelta(days=days)
    is_end = what in ("closed", "retired")
    return Happening(what, NIGHT + timedelta(days=days), "pipeline", what, severity, "week", day, is_end=is_end)


@pytest.fixture
def opened(engine: sa.Engine) -> sa.Engine:
    with board.writing(engine) as connection:
        alarms.open_alarm(connection, ALARM, OPENED)
        alarms.keep_parts(connection, [PART])
    return engine


def test_an_alarm_is_kept_with_its_parts_and_its_first_event(opened: sa.Engine) -> None:
    (alarm,) = alarms.list_alarms(opened)
    assert alarm == replace(ALARM, severity="important", changed_at=NIGHT)
    assert alarms.parts_of(opened, [ALARM.alarm_id]) == {ALARM.alarm_id: [PART]}
    (event,) = alarms.events_of(opened)
    assert (event.event_number, event.ordinal, event.what, event.from_state, event.to_state) == (
        1,
        1,
        "opened",
        None,
        "open",
    )
    with board.writing(opened) as connection:
        alarms.keep_parts(connection, [replace(PART, state="recovering", value=100.0)])
    assert alarms.parts_of(opened, [ALARM.alarm_id])[ALARM.alarm_id] == [replace(PART, state="recovering", value=100.0)]


def test_somebody_takes_care_once(opened: sa.Engine) -> None:
    assert alarms.acknowledge(opened, ALARM.alarm_id, "vera", "rota is being changed", NOON).state == "acknowledged"
    with pytest.raises(board.BoardError, match="was acknowledged by vera on 2026-07-20: rota is being changed"):
        alarms.acknowledge(opened, ALARM.alarm_id, "wei", "me too", NOON)
    event = alarms.events_of(opened, ALARM.alarm_id)[-1]
    assert (event.who, event.why, event.at, event.from_state, event.to_state) == (
        "vera",
        "rota is being changed",
        NOON,
        "open",
        "acknowledged",
    )
    assert happen(opened, signal("recovering")).state == "recovering"
    assert happen(opened, signal("relapsed", 14)).state == "acknowledged"


def test_a_muted_alarm_keeps_quiet_until_a_night_wakes_it(opened: sa.Engine) -> None:
    today = NOON.date()
    muted = alarms.mute(opened, ALARM.alarm_id, date(2026, 8, 3), "vera", "known, new hires start", NOON, today)
    assert (muted.state, muted.muted_until) == ("muted", date(2026, 8, 3))
    assert happen(opened, signal("recovering"), signal("relapsed", 14)).state == "muted"
    woken = happen(opened, Happening("woken", datetime(2026, 8, 3), "pipeline", "still breaching"))
    assert (woken.state, woken.muted_until) == ("open", None)
    with pytest.raises(board.BoardError, match=r"2026-07-20 is not to come \(today is 2026-07-20\): give a later day"):
        alarms.mute(opened, ALARM.alarm_id, today, "vera", "x", NOON, today)


def test_a_closed_alarm_is_left_alone_and_makes_room_for_the_next(opened: sa.Engine) -> None:
    closed = happen(opened, signal("recovering"), signal("closed", 14))
    assert (closed.state, closed.closed_at) == ("closed", NIGHT + timedelta(days=14))
    with pytest.raises(board.BoardError, match=r"W29: closed on 2026-08-03: nothing is left to do"):
        alarms.acknowledge(opened, ALARM.alarm_id, "vera", "late", NOON)
    with board.writing(opened) as connection:
        assert alarms.read_standing(connection) == {}
        alarms.open_alarm(connection, replace(ALARM, alarm_id="first_reply_median-2026-W33"), OPENED)
    assert [event.event_number for event in alarms.events_of(opened)] == [1, 2, 3, 4]


def test_an_unknown_alarm_says_where_to_look(opened: sa.Engine) -> None:
    with pytest.raises(board.BoardError, match="alarm nothing: there is none of that id: `hansei alarms list`"):
        alarms.load_alarm(opened, "nothing")


def test_an_indicator_never_has_two_alarms_standing(opened: sa.Engine) -> None:
    with pytest.raises(sa.exc.IntegrityError), board.writing(opened) as connection:
        alarms.open_alarm(connection, replace(ALARM, alarm_id="another"), OPENED)


def test_events_keep_their_order_where_the_clock_of_a_person_is_ahead_of_the_night(opened: sa.Engine) -> None:
    alarms.acknowledge(opened, ALARM.alarm_id, "vera", "mine", NIGHT + timedelta(days=30))
    happen(opened, signal("recovering"), signal("closed", 14))
    at = [event.at for event in alarms.events_of(opened)]
    assert at == sorted(at) and len(set(at)) == 4


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alarm_events SET who = 'somebody else'",
        "DELETE FROM alarm_events",
        "UPDATE alarms SET opened_at = '2020-01-01'",
        "UPDATE alarms SET indicator = 'backlog'",
        "DELETE FROM alarms",
    ],
)
def test_the_database_refuses_to_rewrite_what_happened(opened: sa.Engine, statement: str) -> None:
    with (
        pytest.raises(sa.exc.DBAPIError, match=r"only ever appended|keeps its name|never deleted"),
        opened.begin() as connection,
    ):
        connection.execute(sa.text(statement))


def test_the_book_keeps_the_newest_day_of_each_series(engine: sa.Engine) -> None:
    first = {("limit", f"team={number}"): date(2026, 7, 20) for number in range(1200)}
    with board.writing(engine) as connection:
        alarms.keep_book(connection, first)
        alarms.keep_book(connection, {("limit", "team=7"): date(2026, 7, 27)})
        assert alarms.read_book(connection) == first | {("limit", "team=7"): date(2026, 7, 27)}


def test_of_two_people_at_once_one_is_told_of_the_other(opened: sa.Engine) -> None:
    said: list[str] = []

    def take(who: str) -> None:
        try:
            said.append(alarms.acknowledge(opened, ALARM.alarm_id, who, "mine", NOON).state)
        except board.BoardError as error:
            said.append(error.found.split(" on ")[0])

    threads = [threading.Thread(target=take, args=(who,)) for who in ("vera", "wei")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said[0] == "acknowledged" and said[1] in ("was acknowledged by vera", "was acknowledged by wei")
    assert len(alarms.events_of(opened, ALARM.alarm_id)) == 2


WHATS = st.lists(
    st.sampled_from(["recovering", "relapsed", "acknowledged", "muted", "woken", "escalated", "raised"]), max_size=12
)


@given(WHATS)
def test_the_state_follows_from_the_events_as_said_in_words(whats: list[str]) -> None:
    situation = Situation().after("opened", NIGHT, "general")
    for what in whats:
        situation = situation.after(what, NIGHT, until=date(2026, 8, 1))
    last = {what: len(whats) - whats[::-1].index(what) for what in set(whats)}
    if last.get("muted", 0) > last.get("woken", 0):
        expected = "muted"
    elif last.get("recovering", 0) > last.get("relapsed", 0):
        expected = "recovering"
    else:
        expected = "acknowledged" if "acknowledged" in whats else "open"
    assert situation.state == expected


def test_overdue_counts_from_the_opening_or_the_waking() -> None:
    opened = Situation().after("opened", NIGHT, "general")
    assert not opened.is_overdue(NIGHT + timedelta(days=7, microseconds=-1), 7)
    assert opened.is_overdue(NIGHT + timedelta(days=7), 7)
    assert not opened.after("acknowledged", NIGHT).is_overdue(NIGHT + timedelta(days=9), 7)
    muted = opened.after("muted", NIGHT, until=date(2026, 8, 3))
    assert [muted.wakes(date(2026, 8, 2)), muted.wakes(date(2026, 8, 3))] == [False, True]
    woken = muted.after("woken", datetime(2026, 8, 3))
    assert not woken.is_overdue(datetime(2026, 8, 9, 23), 7)
    assert woken.is_overdue(datetime(2026, 8, 10), 7)
