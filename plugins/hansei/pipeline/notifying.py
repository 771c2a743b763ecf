"""Telling people what changed: one digest each, noted in the ledger before and after it is handed over.

A run first calls what an earlier process left at `sending` unknown. It then composes, for each recipient and channel,
what they were not told yet; a digest that could not leave is told again together with what is new. It ends red as
long as a delivery is failed or unknown.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from hansei.board import deliveries as ledger
from hansei.board import opened_board
from hansei.board.deliveries import Delivery
from hansei.indicators.periods import local_date
from hansei.pipeline.alarm_news import read_news
from hansei.pipeline.context import Context
from hansei.pipeline.delivering import Road, all_roads, attempt, open_road, raise_for_trouble, setting_of
from hansei.reviews.digest import Digest, DigestItem, digest_for
from hansei.reviews.digest_message import mail_text, subject
from hansei.reviews.outcomes import NOBODYS_DOMAIN, SendingChannel

WHO = "pipeline"
# What stands without a new event (overdue) joins every digest, and makes one of its own no more often than this.
REMIND_AFTER = timedelta(days=7)
SATURDAY = 5
Tell = Callable[[str], None]


def told_through(context: Context) -> int:
    """The last alarm event that everybody was told of: what `notify` is given has to begin after it."""
    with opened_board(context.settings) as engine:
        return _told_everybody(context, engine)


def _told_everybody(context: Context, engine: sa.Engine) -> int:
    known = ledger.positions(engine)
    return min((known.get(road.place, 0) for road in all_roads(context)), default=0)


def notify(
    context: Context,
    run_id: str,
    items_by_owner: Mapping[str, Iterable[DigestItem]] | None = None,
    is_dry_run: bool = False,
    tell: Tell = print,
) -> dict[str, int]:
    """Sends everybody what they were not told yet; counts of channels by outcome (`sent`, `nothing`, `waiting` ...).

    Without `items_by_owner` it is what there is to tell of alarms. Where nobody is defined to be told, nothing is.
    Raises HanseiError, after everybody was tried, where a delivery is failed or unknown, also one of an earlier run. A
    dry run prints what would go to whom and writes nothing.
    """
    if not all_roads(context):
        tell("nobody is told: no recipients are defined; docs/notifications.md shows one")
    with opened_board(context.settings) as engine:
        if items_by_owner is None:
            items_by_owner = read_news(context, engine, _told_everybody(context, engine))
        gathered = {owner: list(items) for owner, items in items_by_owner.items()}
        night = _Night(context, engine, run_id, gathered, tell)
        outcomes = night.rehearse() if is_dry_run else night.run()
        if not is_dry_run:
            raise_for_trouble("deliveries", ledger.list_digests(engine, ("failed", "unknown")))
    return dict(sorted(outcomes.items()))


@dataclass
class _Night:
    """One run over everybody."""

    context: Context
    engine: sa.Engine
    run_id: str
    items: dict[str, list[DigestItem]]
    tell: Tell

    def run(self) -> Counter[str]:
        for delivery in ledger.mark_crashed(self.engine, WHO, self.context.now()):
            self.tell(f"{delivery.delivery_id}: unknown: {delivery.problem}")
        failed = {delivery.place: delivery for delivery in ledger.list_digests(self.engine, ("failed",))}
        told = ledger.positions(self.engine)
        outcomes: Counter[str] = Counter()
        roads = all_roads(self.context)
        for road in roads:
            outcome = self._tell(road, told.get(road.place), failed.get(road.place))
            outcomes[outcome] += 1
            self.tell(f"{road}: {outcome}")
        for place in failed.keys() - {road.place for road in roads}:
            why = "its recipient or channel is no longer defined"
            ledger.change_state(self.engine, failed[place].delivery_id, "skipped", WHO, why, self.context.now())
        return outcomes

    def rehearse(self) -> Counter[str]:
        failed = {delivery.place: delivery for delivery in ledger.list_digests(self.engine, ("failed",))}
        told = ledger.positions(self.engine)
        outcomes: Counter[str] = Counter()
        for road in all_roads(self.context):
            digest = self._digest(road, told.get(road.place), failed.get(road.place))
            outcome = "waiting" if self._is_resting(road) else "would_send" if digest else "nothing"
            outcomes[outcome] += 1
            self.tell(f"{road}: {outcome.replace('_', ' ')}")
            if outcome == "would_send":
                setting = setting_of(self.context)
                self.tell(subject(digest, road.recipient, setting))
                self.tell(mail_text(digest, road.recipient, setting))
        return outcomes

    def _tell(self, road: Road, told: int | None, failed: Delivery | None) -> str:
        """Composes and sends what one recipient was not told yet over one channel; the outcome."""
        if self._is_resting(road):
            return "waiting"
        now, through = self.context.now(), max(self._newest_event(), told or 0)
        digest = self._digest(road, told, failed)
        if digest is None:
            if through > (told or 0):
                ledger.move_position(self.engine, road.place, told, through, now)
            return "nothing"
        opened, trouble = open_road(self.context, road)
        if failed is not None and not _news(digest, told):
            why = "nothing left at the last attempt"
            delivery = ledger.change_state(self.engine, failed.delivery_id, "sending", WHO, why, now)
        else:
            delivery = self._deliver(road, digest, told, through, failed, opened)
            if not ledger.begin_delivery(self.engine, delivery, WHO, failed):
                return "told_already"
        return attempt(self.context, self.engine, road, delivery, opened, trouble, WHO)

    def _digest(self, road: Road, told: int | None, failed: Delivery | None) -> Digest | None:
        """What there is to say; None where that is nothing, or nothing that was not said within a week."""
        untold = Digest.from_json(failed.digest).items if failed else ()
        digest = digest_for(road.recipient, self.items, told, self.context.now(), untold)
        if not digest.items:
            return None
        if failed is None and not _news(digest, told) and self._was_told_lately(road):
            return None
        return digest

    def _was_told_lately(self, road: Road) -> bool:
        earlier = ledger.list_digests(self.engine, recipient_id=road.recipient.id)
        last = max((one.created_at for one in earlier if one.place == road.place), default=None)
        return last is not None and self.context.now() - last < REMIND_AFTER

    def _deliver(
        self,
        road: Road,
        digest: Digest,
        told: int | None,
        through: int,
        failed: Delivery | None,
        opened: SendingChannel,
    ) -> Delivery:
        recipient, day = road.recipient, self._today()
        # What only stands has no event of its own to be known by: the day tells one reminder from the next.
        suffix = "" if _news(digest, told) else f"@{day.isoformat()}"
        return Delivery(
            delivery_id=f"{recipient.id}:{road.channel.connection}:{through}{suffix}",
            recipient_id=recipient.id,
            channel_id=road.channel.connection,
            channel_kind=road.channel.kind,
            after_event=failed.after_event if failed else told or 0,
            through_event=through,
            language=recipient.language,
            subject=subject(digest, recipient, setting_of(self.context)),
            digest=digest.to_json(),
            message_id=f"<{uuid.uuid4().hex}@{opened.domain if opened else NOBODYS_DOMAIN}>",
            run_id=self.run_id,
            created_at=self.context.now(),
        )

    def _is_resting(self, road: Road) -> bool:
        return road.recipient.when == "weekdays" and self._today().weekday() >= SATURDAY

    def _today(self) -> date:
        return local_date(self.context.now(), self.context.catalog.service.zone)

    def _newest_event(self) -> int:
        """The newest event of anybody's: whoever is not concerned by it has been told of it in this way."""
        return max((item.event_number or 0 for items in self.items.values() for item in items), default=0)


def _news(digest: Digest, told: int | None) -> bool:
    return any(item.event_number is not None and item.event_number > (told or 0) for item in digest.items)
