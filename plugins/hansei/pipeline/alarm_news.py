"""What there is to tell of alarms: the events that somebody was not told yet, and what stands unanswered for too long.

Who acknowledges or mutes an alarm knows it; what happens to a muted alarm is kept, not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from hansei.board import alarms as board
from hansei.board.alarms import Alarm, Event, Part
from hansei.catalog import Catalog
from hansei.pipeline.alarm_wording import RECORDED, other_whys, overdue_whys
from hansei.pipeline.context import Context
from hansei.reviews.digest import DigestItem, What

_TOLD: dict[str, What] = {
    "opened": "opened",
    "joined": "joined",
    "raised": "raised",
    "recovering": "recovering",
    "relapsed": "relapsed",
    "restated": "restated",
    "closed": "closed",
    "retired": "closed",
    "escalated": "escalated",
    "woken": "woken",
}
# What the newest finding says better than the event.
_BY_FINDING = ("opened", "woken")


def read_news(context: Context, engine: sa.Engine, after: int) -> dict[str, list[DigestItem]]:
    """Items by owner: one per event with a number above `after`, and one per alarm that is overdue now.

    An alarm concerns its own owner and those of its parts.
    """
    known = {alarm.alarm_id: alarm for alarm in board.list_alarms(engine)}
    events = [event for event in board.events_of(engine, after=after) if _is_news(event)]
    overdue = [alarm for alarm in known.values() if _is_overdue(engine, alarm, context.now())]
    parts = board.parts_of(engine, {event.alarm_id for event in events} | {alarm.alarm_id for alarm in overdue})
    news: dict[str, list[DigestItem]] = {}
    for item in _items(context.catalog, known, parts, events, overdue):
        owners = {item.owner, *(part.owner for part in parts[item.alarm_id])}
        for owner in sorted(owners):
            news.setdefault(owner, []).append(item)
    return news


def _is_news(event: Event) -> bool:
    return event.what in _TOLD and (event.from_state != "muted" or event.what == "woken")


def _is_overdue(engine: sa.Engine, alarm: Alarm, now: datetime) -> bool:
    if alarm.state != "open" or now - alarm.opened_at < timedelta(days=alarm.escalate_after_days):
        return False
    with engine.connect() as connection:
        return board.read_situation(connection, alarm.alarm_id).is_overdue(now, alarm.escalate_after_days)


def _items(
    catalog: Catalog,
    known: dict[str, Alarm],
    parts: dict[str, list[Part]],
    events: Sequence[Event],
    overdue: Iterable[Alarm],
) -> Iterable[DigestItem]:
    for event in events:
        alarm = known[event.alarm_id]
        item = _item(catalog, replace(alarm, severity=event.severity), parts[alarm.alarm_id])
        is_over = event.to_state == "closed"
        why = item.why[RECORDED] if event.what in _BY_FINDING else event.why
        what = "closed" if is_over else _TOLD[event.what]
        whys = {RECORDED: why, **other_whys(event, alarm, parts[alarm.alarm_id])}
        yield replace(item, event_number=event.event_number, what=what, why=whys)
    for alarm in overdue:
        yield replace(_item(catalog, alarm, parts[alarm.alarm_id]), what="overdue", why=overdue_whys(alarm))


def _item(catalog: Catalog, alarm: Alarm, parts: Sequence[Part]) -> DigestItem:
    """What is the same of every event: the part that speaks for the alarm, and how many there are beside it."""
    indicator = catalog.indicators.get(alarm.indicator)
    lead = leading_part(parts)
    others = sum(part.state == lead.state for part in parts) - 1
    label = f"{lead.segment_label} +{others}" if others and lead.segment_label else lead.segment_label
    return DigestItem(
        alarm_id=alarm.alarm_id,
        event_number=None,
        what="opened",
        severity=alarm.severity,
        title=indicator.title if indicator else alarm.indicator,
        segment=label,
        owner=alarm.owner,
        value=lead.value if indicator else None,
        limit=lead.limit_value if indicator else None,
        unit=indicator.unit if indicator else "count",
        is_upper=indicator is None or indicator.direction != "higher_is_better",
        grain=alarm.grain,
        since=alarm.first_period,
        more=f"hansei alarms show {alarm.alarm_id}",
        why={RECORDED: lead.reason},
        escalated_to=alarm.escalate_to or "",
    )


def leading_part(parts: Sequence[Part]) -> Part:
    """The part to speak of: the first one in trouble, else the first that recovers, else the first."""
    order = ("open", "recovering", "closed", "retired")
    return min(parts, key=lambda part: order.index(part.state))
