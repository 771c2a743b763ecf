"""Telling people what changed: one digest each, noted in the ledger before and after it is handed over.

A run first calls what an earlier process left at `sending` unknown. It then composes, for each recipient and channel,
what they were not told yet; a digest that could not leave is told again together with what is new. It ends red as
long as a delivery is failed or unknown.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from hansei.board import deliveries as ledger
from hansei.board import open_board
from hansei.board.deliveries import Delivery, Place
from hansei.catalog.recipients import Channel, Recipient
from hansei.errors import HanseiError
from hansei.pipeline.context import Context
from hansei.reviews.channels import open_channel
from hansei.reviews.digest import Digest, DigestItem, digest_for
from hansei.reviews.digest_message import Setting, chat_text, mail_html, mail_text, subject
from hansei.reviews.locales import locale
from hansei.reviews.outcomes import NOBODYS_DOMAIN, Message, NotSent, SendingChannel, Uncertain

WHO = "pipeline"
# Seconds before a second and a third attempt where nothing left at the first.
RETRY_WAITS = (5.0, 30.0)
# What stands without a new event (overdue) joins every digest, and makes one of its own no more often than this.
REMIND_AFTER = timedelta(days=7)
SATURDAY = 5
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Road:
    """One recipient over one channel."""

    recipient: Recipient
    channel: Channel

    @property
    def place(self) -> Place:
        return self.recipient.id, self.channel.connection

    def __str__(self) -> str:
        return f"{self.recipient.id} by {self.channel.connection} ({self.channel.kind})"


def told_through(context: Context) -> int:
    """The last alarm event that everybody was told of: what `notify` is given has to begin after it."""
    engine = open_board(context.settings)
    try:
        known = ledger.positions(engine)
    finally:
        engine.dispose()
    return min((known.get(road.place, 0) for road in _roads(context)), default=0)


def notify(
    context: Context,
    run_id: str,
    items_by_owner: Mapping[str, Iterable[DigestItem]],
    is_dry_run: bool = False,
    tell: Tell = print,
) -> dict[str, int]:
    """Sends everybody what they were not told yet; counts of channels by outcome (`sent`, `nothing`, `waiting` ...).

    Raises HanseiError, after everybody was tried, where a delivery is failed or unknown, also one of an earlier run. A
    dry run prints what would go to whom and writes nothing.
    """
    gathered = {owner: list(items) for owner, items in items_by_owner.items()}
    engine = open_board(context.settings)
    try:
        night = _Night(context, engine, run_id, gathered, tell)
        outcomes = night.rehearse() if is_dry_run else night.run()
        if not is_dry_run:
            _raise_for_trouble(engine)
    finally:
        engine.dispose()
    return dict(sorted(outcomes.items()))


def resend(context: Context, delivery_id: str, who: str, why: str) -> Delivery:
    """Sends a failed, unknown or sent delivery once more, as it was, because a person says so; what came of it."""
    engine = open_board(context.settings)
    try:
        delivery = ledger.load_delivery(engine, delivery_id)
        road = next((road for road in _roads(context) if road.place == delivery.place), None)
        if road is None:
            found = "its recipient or channel is no longer defined"
            raise HanseiError(f"delivery {delivery_id}", found, "define it again in recipients/, or skip the delivery")
        opened, trouble = open_road(context, road)
        delivery = ledger.change_state(engine, delivery_id, "sending", who, why, context.now())
        _attempt(context, engine, road, delivery, opened, trouble, who)
        return ledger.load_delivery(engine, delivery_id)
    finally:
        engine.dispose()


def message_of(context: Context, recipient: Recipient, delivery: Delivery, limit: int | None) -> Message:
    """The message as it was when it was first composed; `limit` is the channel's."""
    setting = setting_of(context)
    reader = recipient.model_copy(update={"language": delivery.language})
    digest = Digest.from_json(delivery.digest)
    if limit is None:
        text, html = mail_text(digest, reader, setting), mail_html(digest, reader, setting)
    else:
        text, html = chat_text(digest, reader, setting, limit), ""
    return Message(delivery.subject, text, html, delivery.message_id, locale(delivery.language).tag)


def text_of(context: Context, delivery: Delivery) -> str:
    """What the delivery says, as plain text; also where its recipient is no longer defined."""
    digest = Digest.from_json(delivery.digest)
    recipient = context.catalog.recipients.get(delivery.recipient_id)
    if recipient is None:
        channel = Channel(connection=delivery.channel_id, kind=delivery.channel_kind)
        owners = tuple(sorted({item.owner for item in digest.items}))
        recipient = Recipient(id=delivery.recipient_id, name="-", owners=owners, channels=(channel,))
    return message_of(context, recipient, delivery, None).text


def setting_of(context: Context) -> Setting:
    return Setting(context.catalog.service.name, context.catalog.service.reporting_zone)


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
        failed = {delivery.place: delivery for delivery in ledger.list_deliveries(self.engine, ("failed",))}
        told = ledger.positions(self.engine)
        outcomes: Counter[str] = Counter()
        roads = _roads(self.context)
        for road in roads:
            outcome = self._tell(road, told.get(road.place), failed.get(road.place))
            outcomes[outcome] += 1
            self.tell(f"{road}: {outcome}")
        for place in failed.keys() - {road.place for road in roads}:
            why = "its recipient or channel is no longer defined"
            ledger.change_state(self.engine, failed[place].delivery_id, "skipped", WHO, why, self.context.now())
        return outcomes

    def rehearse(self) -> Counter[str]:
        failed = {delivery.place: delivery for delivery in ledger.list_deliveries(self.engine, ("failed",))}
        told = ledger.positions(self.engine)
        outcomes: Counter[str] = Counter()
        for road in _roads(self.context):
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
        return _attempt(self.context, self.engine, road, delivery, opened, trouble, WHO)

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
        earlier = ledger.list_deliveries(self.engine, recipient_id=road.recipient.id)
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
        recipient, day = road.recipient, _local(self.context).date()
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
        return road.recipient.when == "weekdays" and _local(self.context).weekday() >= SATURDAY

    def _newest_event(self) -> int:
        """The newest event of anybody's: whoever is not concerned by it has been told of it in this way."""
        return max((item.event_number or 0 for items in self.items.values() for item in items), default=0)


def _attempt(
    context: Context,
    engine: sa.Engine,
    road: Road,
    delivery: Delivery,
    opened: SendingChannel | None,
    trouble: HanseiError | None,
    who: str,
) -> str:
    """Hands the delivery over, again after a pause where nothing left and that may pass; its state at the end."""
    identity = delivery.delivery_id
    for wait in (*RETRY_WAITS, None):
        try:
            if trouble is not None:
                raise NotSent(trouble.place, trouble.found, trouble.next_step)
            opened.send(message_of(context, road.recipient, delivery, opened.limit))
        except Uncertain as error:
            return ledger.change_state(engine, identity, "unknown", who, str(error), context.now()).state
        except NotSent as error:
            # Noted at once: a process that is killed in the pause has sent nothing, and may be believed.
            state = ledger.change_state(engine, identity, "failed", who, str(error), context.now()).state
            if wait is None or not error.is_temporary:
                return state
            time.sleep(wait)
            ledger.change_state(engine, identity, "sending", who, "another attempt", context.now())
        else:
            return ledger.change_state(engine, identity, "sent", who, "taken over by the channel", context.now()).state
    raise AssertionError("the last attempt always returns")


def open_road(context: Context, road: Road) -> tuple[SendingChannel | None, HanseiError | None]:
    """The channel, or what its connection lacks; nothing is connected yet."""
    try:
        connection = context.resolver(road.channel.connection)
        return open_channel(connection, road.channel.kind, road.recipient.id), None
    except HanseiError as error:
        return None, error


def _roads(context: Context) -> list[Road]:
    recipients = sorted(context.catalog.recipients.values(), key=lambda recipient: recipient.id)
    return [road for recipient in recipients for road in roads_to(recipient)]


def roads_to(recipient: Recipient) -> list[Road]:
    return [Road(recipient, channel) for channel in recipient.channels]


def _news(digest: Digest, told: int | None) -> bool:
    return any(item.event_number is not None and item.event_number > (told or 0) for item in digest.items)


def _local(context: Context) -> datetime:
    return context.now().replace(tzinfo=UTC).astimezone(context.catalog.service.zone)


def _raise_for_trouble(engine: sa.Engine) -> None:
    troubled = ledger.list_deliveries(engine, ("failed", "unknown"))
    if troubled:
        counts = Counter(delivery.state for delivery in troubled)
        told = " and ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        first = troubled[0]
        raise HanseiError(
            "deliveries",
            f"{told}; {first.delivery_id}: {first.problem}",
            "see `hansei deliveries list`; failed ones are tried again by the next run, unknown ones need you",
        )
