"""The ledger of deliveries: a row is committed as `sending` before the call, and as what came of it after.

    new -> sending -> sent | failed | unknown
    failed -> sending | skipped             by itself, or by hand
    unknown -> sending | skipped            by hand only
    sent -> sending                         by hand only

`failed` says that nothing left, so that another attempt cannot double anything. `unknown` says that it may have left:
only a person decides. Every change is an event with who, when and why, in the transaction of the change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from hansei.board.reviews import record_event
from hansei.board.store import BoardError, writing
from hansei.board.tables import board_events, deliveries, delivery_positions

KIND = "delivery"  # of its events' subject
# What each state may be reached from. A sender that lived on after another run took it for dead may still say `sent`.
_REACHED_FROM = {
    "sending": ("failed", "unknown", "sent"),
    "sent": ("sending", "unknown"),
    "failed": ("sending", "unknown"),
    "unknown": ("sending",),
    "skipped": ("failed", "unknown"),
}
STATES = tuple(_REACHED_FROM)
Place = tuple[str, str]  # recipient id, channel id


@dataclass(frozen=True)
class Delivery:
    """One message for one recipient over one channel: a digest of the alarm events after `after_event`, or a review.

    `digest` is canonical JSON text of what it says (of a review, whose edition `review_id` holds that, how it is sent),
    so that it can be shown and sent again as it was. `problem` is the reason of the last attempt that did not end in
    `sent`.
    """

    delivery_id: str
    recipient_id: str
    channel_id: str
    channel_kind: str
    after_event: int
    through_event: int
    language: str
    subject: str
    digest: str
    message_id: str
    run_id: str
    created_at: datetime  # naive UTC
    state: str = "sending"
    attempt_count: int = 1
    changed_at: datetime | None = None
    problem: str | None = None
    review_id: str | None = None

    @property
    def place(self) -> Place:
        return self.recipient_id, self.channel_id


def begin_delivery(engine: sa.Engine, delivery: Delivery, who: str, replaces: Delivery | None = None) -> bool:
    """Commits the delivery as `sending` and moves its channel's position, in one transaction.

    `replaces` is a failed one whose events this one tells too: it becomes `skipped`. False, and nothing is changed,
    where the delivery is known already, the position has moved on, or `replaces` is no longer failed: another run
    was quicker.
    """
    now = delivery.created_at
    with writing(engine) as connection:
        told = _position(connection, delivery.place)
        known = connection.execute(
            sa.select(deliveries.c.state).where(deliveries.c.delivery_id == delivery.delivery_id)
        ).scalar()
        expected = replaces.through_event if replaces else delivery.after_event
        if known is not None or (told is not None and told != expected):
            return False
        if replaces is not None:
            if _load(connection, replaces.delivery_id).state != "failed":
                return False
            _change(connection, replaces, "skipped", who, f"its news is in {delivery.delivery_id}", now)
        connection.execute(deliveries.insert().values(**vars(delivery) | {"changed_at": now}))
        _move(connection, delivery.place, delivery.through_event, now)
        why = f"alarm events {delivery.after_event + 1} to {delivery.through_event}"
        record_event(connection, who, KIND, delivery.delivery_id, "sending", why, now)
    return True


def begin_review_delivery(engine: sa.Engine, delivery: Delivery, who: str) -> bool:
    """Commits the delivery of an edition as `sending`; False, and nothing is changed, where it is known already."""
    now = delivery.created_at
    with writing(engine) as connection:
        known = sa.select(deliveries.c.state).where(deliveries.c.delivery_id == delivery.delivery_id)
        if connection.execute(known).scalar() is not None:
            return False
        connection.execute(deliveries.insert().values(**vars(delivery) | {"changed_at": now}))
        record_event(connection, who, KIND, delivery.delivery_id, "sending", f"edition {delivery.review_id}", now)
    return True


def move_position(engine: sa.Engine, place: Place, told: int | None, through: int, now: datetime) -> None:
    """Notes that there was nothing to tell up to `through`; nothing where the position is no longer `told`."""
    with writing(engine) as connection:
        if _position(connection, place) == told:
            _move(connection, place, through, now)


def change_state(engine: sa.Engine, delivery_id: str, state: str, who: str, why: str, now: datetime) -> Delivery:
    """The delivery in its new state, with the event of the change. BoardError where the state cannot follow the old."""
    with writing(engine) as connection:
        return _change(connection, _load(connection, delivery_id), state, who, why, now)


def mark_crashed(engine: sa.Engine, who: str, now: datetime, review: str | None = None) -> list[Delivery]:
    """Deliveries that a crash left at `sending`, now `unknown`: nobody can tell whether they left.

    Digests, or editions of the `review`: other runs may be sending the rest.
    """
    why = "the process that sent it ended before it noted the outcome"
    with writing(engine) as connection:
        rows = connection.execute(_ordered().where(deliveries.c.state == "sending", _of(review))).all()
        return [_change(connection, Delivery(**row._mapping), "unknown", who, why, now) for row in rows]


def positions(engine: sa.Engine) -> dict[Place, int]:
    """The last alarm event that each (recipient, channel) was told of."""
    with engine.connect() as connection:
        rows = connection.execute(sa.select(delivery_positions)).all()
    return {(row.recipient_id, row.channel_id): row.told_through for row in rows}


def list_deliveries(
    engine: sa.Engine, states: tuple[str, ...] = (), recipient_id: str | None = None, limit: int | None = None
) -> list[Delivery]:
    """Deliveries in these states (all, where none is named), the newest first."""
    return _listed(engine, _ordered(), states, recipient_id, limit)


def list_digests(engine: sa.Engine, states: tuple[str, ...] = (), recipient_id: str | None = None) -> list[Delivery]:
    """Those of digests."""
    return _listed(engine, _ordered().where(_of(None)), states, recipient_id)


def list_editions(engine: sa.Engine, review: str, states: tuple[str, ...] = ()) -> list[Delivery]:
    """Those of editions of a review definition."""
    return _listed(engine, _ordered().where(_of(review)), states)


def _listed(
    engine: sa.Engine,
    query: sa.Select,
    states: tuple[str, ...] = (),
    recipient_id: str | None = None,
    limit: int | None = None,
) -> list[Delivery]:
    if states:
        query = query.where(deliveries.c.state.in_(states))
    if recipient_id is not None:
        query = query.where(deliveries.c.recipient_id == recipient_id)
    with engine.connect() as connection:
        return [Delivery(**row._mapping) for row in connection.execute(query.limit(limit))]


def load_delivery(engine: sa.Engine, delivery_id: str) -> Delivery:
    """The delivery; BoardError where the ledger has none of that id."""
    with engine.connect() as connection:
        return _load(connection, delivery_id)


def delivery_events(engine: sa.Engine, delivery_id: str) -> list[dict]:
    """`at`, `who`, `what` and `why` of everything that happened to the delivery, oldest first."""
    query = (
        sa.select(board_events.c.at, board_events.c.who, board_events.c.what, board_events.c.why)
        .where(board_events.c.subject_kind == KIND, board_events.c.subject_id == delivery_id)
        .order_by(board_events.c.at)
    )
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def _change(connection: sa.Connection, delivery: Delivery, state: str, who: str, why: str, now: datetime) -> Delivery:
    if delivery.state not in _REACHED_FROM[state]:
        raise BoardError(
            f"delivery {delivery.delivery_id}",
            f"is {delivery.state}, which nothing turns into {state}",
            f"only {' or '.join(_REACHED_FROM[state])} ones are; see `hansei deliveries list`",
        )
    again = state == "sending"
    # Later than the change before it even where the clock stood still, so that events keep their order.
    now = max(now, (delivery.changed_at or delivery.created_at) + timedelta(microseconds=1))
    changed = replace(
        delivery,
        state=state,
        changed_at=now,
        attempt_count=delivery.attempt_count + again,
        problem=why if state in ("failed", "unknown") else None,
    )
    connection.execute(
        deliveries.update()
        .where(deliveries.c.delivery_id == delivery.delivery_id)
        .values(state=state, changed_at=now, attempt_count=changed.attempt_count, problem=changed.problem)
    )
    record_event(connection, who, KIND, delivery.delivery_id, state, why, now)
    return changed


def _position(connection: sa.Connection, place: Place) -> int | None:
    return connection.execute(sa.select(delivery_positions.c.told_through).where(*_at(place))).scalar()


def _move(connection: sa.Connection, place: Place, through: int, now: datetime) -> None:
    moved = connection.execute(
        delivery_positions.update().where(*_at(place)).values(told_through=through, moved_at=now)
    )
    if not moved.rowcount:
        row = dict(zip(("recipient_id", "channel_id"), place, strict=True))
        connection.execute(delivery_positions.insert().values(**row, told_through=through, moved_at=now))


def _at(place: Place) -> tuple[sa.ColumnElement[bool], ...]:
    return delivery_positions.c.recipient_id == place[0], delivery_positions.c.channel_id == place[1]


def _of(review: str | None) -> sa.ColumnElement[bool]:
    """Condition that takes the editions of a review definition, or the digests."""
    if review is None:
        return deliveries.c.review_id.is_(None)
    return deliveries.c.review_id.startswith(f"{review}:", autoescape=True)


def _ordered() -> sa.Select:
    return sa.select(deliveries).order_by(deliveries.c.created_at.desc(), deliveries.c.delivery_id)


def _load(connection: sa.Connection, delivery_id: str) -> Delivery:
    row = connection.execute(sa.select(deliveries).where(deliveries.c.delivery_id == delivery_id)).one_or_none()
    if row is None:
        raise BoardError(f"delivery {delivery_id}", "not in the ledger", "`hansei deliveries list` shows what is")
    return Delivery(**row._mapping)
