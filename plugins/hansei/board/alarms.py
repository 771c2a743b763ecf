"""Alarms in the board store: what stands, what happened, and the two things that people do to an alarm.

Events are the record; the row of an alarm says what follows from them. Everything is written under the store's write
lock, so that a night and a person never decide on what the other has just changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from hansei.board.alarm_states import Situation, situation_of
from hansei.board.store import BoardError, writing
from hansei.board.tables import alarm_book, alarm_events, alarm_parts, alarms

Series = tuple[str, str]  # threshold id, segment id
_BATCH = 500  # rows in one statement


@dataclass(frozen=True)
class Alarm:
    """One alarm as it stands. Instants are naive UTC; `first_period` is the first day of the period it opened in."""

    alarm_id: str
    indicator: str
    grain: str
    first_period: date
    owner: str
    escalate_to: str | None
    escalate_after_days: int
    opened_at: datetime
    state: str = "open"
    severity: str = "general"
    is_acknowledged: bool = False
    muted_until: date | None = None
    changed_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True)
class Part:
    """One threshold and segment of an alarm. `value` and `limit_value` are of `period_start`, its newest period."""

    alarm_id: str
    threshold_id: str
    segment_id: str
    segment_label: str
    grain: str
    joined_period: date
    owner: str
    state: str  # open | recovering | closed | retired
    period_start: date | None
    value: float | None
    limit_value: float | None
    level: str | None
    reason: str

    @property
    def series(self) -> Series:
        return self.threshold_id, self.segment_id


@dataclass(frozen=True)
class Event:
    """One thing that happened to an alarm. `event_number` runs over all alarms, `ordinal` over those of this one."""

    event_number: int
    alarm_id: str
    ordinal: int
    at: datetime
    who: str
    what: str
    why: str
    from_state: str | None
    to_state: str
    severity: str
    grain: str | None = None
    period_start: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Happening:
    """An event before the store has given it its numbers and states. `is_end`: it closes the alarm."""

    what: str
    at: datetime
    who: str
    why: str
    severity: str | None = None
    grain: str | None = None
    period_start: date | None = None
    until: date | None = None
    is_end: bool = False


def list_alarms(engine: sa.Engine, states: Sequence[str] = ()) -> list[Alarm]:
    """Alarms in these states (all, where none is named), the newest first."""
    query = sa.select(alarms).order_by(alarms.c.first_period.desc(), alarms.c.alarm_id)
    if states:
        query = query.where(alarms.c.state.in_(states))
    with engine.connect() as connection:
        return [Alarm(**row._mapping) for row in connection.execute(query)]


def load_alarm(engine: sa.Engine, alarm_id: str) -> Alarm:
    """The alarm; BoardError where there is none of that id."""
    with engine.connect() as connection:
        return _load(connection, alarm_id)


def parts_of(engine: sa.Engine, alarm_ids: Iterable[str]) -> dict[str, list[Part]]:
    """The parts of each alarm, in the order in which they joined."""
    with engine.connect() as connection:
        return read_parts(connection, alarm_ids)


def events_of(engine: sa.Engine, alarm_id: str | None = None, after: int = 0) -> list[Event]:
    """Events of the alarm (of all alarms, where none is named) with a number above `after`, oldest first."""
    with engine.connect() as connection:
        return read_events(connection, alarm_id, after)


def answered(engine: sa.Engine) -> list[tuple[str, str, bool]]:
    """Threshold, state of the alarm, and whether somebody acknowledged it: for every alarm that it is a part of."""
    query = (
        sa.select(alarm_parts.c.threshold_id, alarms.c.alarm_id, alarms.c.state, alarms.c.is_acknowledged)
        .join_from(alarm_parts, alarms)
        .distinct()
    )
    with engine.connect() as connection:
        return [(row.threshold_id, row.state, row.is_acknowledged) for row in connection.execute(query)]


def acknowledge(engine: sa.Engine, alarm_id: str, who: str, why: str, now: datetime) -> Alarm:
    """Notes that somebody takes care; BoardError where the alarm is closed or somebody does already."""
    with writing(engine) as connection:
        alarm = _standing(connection, alarm_id)
        if alarm.is_acknowledged:
            earlier = [event for event in read_events(connection, alarm_id) if event.what == "acknowledged"][-1]
            found = f"was acknowledged by {earlier.who} on {earlier.at:%Y-%m-%d}: {earlier.why}"
            raise BoardError(f"alarm {alarm_id}", found, f"nothing is left to do; see `hansei alarms show {alarm_id}`")
        return append(connection, alarm, [Happening("acknowledged", now, who, why)])


def mute(engine: sa.Engine, alarm_id: str, until: date, who: str, why: str, now: datetime, today: date) -> Alarm:
    """Keeps the alarm quiet until the night of that day; BoardError where it is closed or the day is not to come.

    `today` is the date in the reporting zone.
    """
    if until <= today:
        raise BoardError(f"alarm {alarm_id}", f"{until} is not to come (today is {today})", "give a later day")
    with writing(engine) as connection:
        alarm = _standing(connection, alarm_id)
        return append(connection, alarm, [Happening("muted", now, who, why, until=until)])


def read_standing(connection: sa.Connection) -> dict[str, Alarm]:
    """The alarm of each indicator that has one standing."""
    rows = connection.execute(sa.select(alarms).where(alarms.c.state != "closed"))
    return {row.indicator: Alarm(**row._mapping) for row in rows}


def read_parts(connection: sa.Connection, alarm_ids: Iterable[str]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {alarm_id: [] for alarm_id in sorted(alarm_ids)}
    order = (alarm_parts.c.joined_period, alarm_parts.c.threshold_id, alarm_parts.c.segment_id)
    for names in _batches(list(found)):
        rows = connection.execute(sa.select(alarm_parts).where(alarm_parts.c.alarm_id.in_(names)).order_by(*order))
        for row in rows:
            found[row.alarm_id].append(Part(**row._mapping))
    return found


def read_events(connection: sa.Connection, alarm_id: str | None = None, after: int = 0) -> list[Event]:
    query = sa.select(alarm_events).order_by(alarm_events.c.event_number)
    if alarm_id is not None:
        query = query.where(alarm_events.c.alarm_id == alarm_id)
    rows = connection.execute(query.where(alarm_events.c.event_number > after))
    return [Event(**row._mapping) for row in rows]


def read_situation(connection: sa.Connection, alarm_id: str) -> Situation:
    return situation_of(read_events(connection, alarm_id))


def read_book(connection: sa.Connection) -> dict[Series, date]:
    """The day before which each threshold and segment has been judged."""
    rows = connection.execute(sa.select(alarm_book)).all()
    return {(row.threshold_id, row.segment_id): row.judged_until for row in rows}


def known_ids(connection: sa.Connection, indicator: str) -> set[str]:
    """Ids of every alarm that the indicator ever had."""
    return set(connection.execute(sa.select(alarms.c.alarm_id).where(alarms.c.indicator == indicator)).scalars())


def open_alarm(connection: sa.Connection, alarm: Alarm, opened: Happening) -> Alarm:
    """Writes a new alarm with its first event."""
    connection.execute(alarms.insert().values(**vars(alarm) | {"changed_at": alarm.opened_at}))
    return append(connection, alarm, [opened])


def append(connection: sa.Connection, alarm: Alarm, happenings: Sequence[Happening]) -> Alarm:
    """Appends events to the alarm, and its row with what follows from them."""
    situation = read_situation(connection, alarm.alarm_id)
    number = connection.execute(sa.select(sa.func.max(alarm_events.c.event_number))).scalar() or 0
    ordinals = sa.select(sa.func.max(alarm_events.c.ordinal)).where(alarm_events.c.alarm_id == alarm.alarm_id)
    ordinal = connection.execute(ordinals).scalar() or 0
    last = alarm.changed_at if situation.state else None
    events = []
    for place, one in enumerate(happenings, start=1):
        # Never before the event before it, although a night stands for an earlier instant than the person's clock.
        last = max(one.at, last + timedelta(microseconds=1)) if last else one.at
        before = situation.state
        situation = situation.after(one.what, last, one.severity, one.until, one.is_end)
        event = Event(
            event_number=number + place,
            alarm_id=alarm.alarm_id,
            ordinal=ordinal + place,
            at=last,
            who=one.who,
            what=one.what,
            why=one.why,
            from_state=before,
            to_state=situation.state,
            severity=situation.severity,
            grain=one.grain,
            period_start=one.period_start,
            until=one.until,
        )
        events.append(vars(event))
    if not events:
        return alarm
    connection.execute(alarm_events.insert(), events)
    return _follow(connection, alarm, situation, last)


def keep_parts(connection: sa.Connection, parts: Sequence[Part]) -> None:
    """Writes new parts, and the newest figures of those that are there."""
    for part in parts:
        key = [getattr(alarm_parts.c, name) == getattr(part, name) for name in _PART_KEY]
        if not connection.execute(alarm_parts.update().where(*key).values(**vars(part))).rowcount:
            connection.execute(alarm_parts.insert().values(**vars(part)))


_PART_KEY = ("alarm_id", "threshold_id", "segment_id")


def keep_book(connection: sa.Connection, judged_until: Mapping[Series, date]) -> None:
    """Notes the day before which these are judged now."""
    rows = [
        {"threshold_id": threshold_id, "segment_id": segment_id, "judged_until": day}
        for (threshold_id, segment_id), day in sorted(judged_until.items())
    ]
    key = [alarm_book.c[name] == sa.bindparam(f"key_{name}") for name in ("threshold_id", "segment_id")]
    for batch in _batches(rows):
        keys = [{f"key_{name}": row[name] for name in ("threshold_id", "segment_id")} for row in batch]
        connection.execute(alarm_book.delete().where(*key), keys)
        connection.execute(alarm_book.insert(), batch)


def _follow(connection: sa.Connection, alarm: Alarm, situation: Situation, now: datetime) -> Alarm:
    follows = {
        "state": situation.state,
        "severity": situation.severity,
        "is_acknowledged": situation.is_acknowledged,
        "muted_until": situation.muted_until if situation.state == "muted" else None,
        "changed_at": now,
        "closed_at": now if situation.state == "closed" else None,
    }
    connection.execute(alarms.update().where(alarms.c.alarm_id == alarm.alarm_id).values(follows))
    return Alarm(**vars(alarm) | follows)


def _standing(connection: sa.Connection, alarm_id: str) -> Alarm:
    alarm = _load(connection, alarm_id)
    if alarm.state == "closed":
        found = f"closed on {alarm.closed_at:%Y-%m-%d}"
        raise BoardError(f"alarm {alarm_id}", found, "nothing is left to do; `hansei alarms list` shows what stands")
    return alarm


def _load(connection: sa.Connection, alarm_id: str) -> Alarm:
    row = connection.execute(sa.select(alarms).where(alarms.c.alarm_id == alarm_id)).one_or_none()
    if row is None:
        raise BoardError(f"alarm {alarm_id}", "there is none of that id", "`hansei alarms list` shows which there are")
    return Alarm(**row._mapping)


def _batches(items: list) -> Iterable[list]:
    return (items[first : first + _BATCH] for first in range(0, len(items), _BATCH))
