"""One digest over one channel: opened, composed, handed over, and noted in the ledger around the call."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from hansei.board import deliveries as ledger
from hansei.board import opened_board
from hansei.board.deliveries import Delivery, Place
from hansei.catalog.recipients import Channel, Recipient
from hansei.errors import HanseiError
from hansei.pipeline.context import Context
from hansei.pipeline.edition_messages import edition_message
from hansei.reviews.channels import open_channel
from hansei.reviews.digest import Digest
from hansei.reviews.digest_message import Setting, chat_text, mail_html, mail_text
from hansei.reviews.locales import locale
from hansei.reviews.outcomes import Message, NotSent, SendingChannel, Uncertain

# Seconds before a second and a third attempt where nothing left at the first.
RETRY_WAITS = (5.0, 30.0)


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


def all_roads(context: Context) -> list[Road]:
    """To everybody who is told of alarms."""
    recipients = sorted(context.catalog.recipients.values(), key=lambda recipient: recipient.id)
    return [road for recipient in recipients if recipient.owners for road in roads_to(recipient)]


def roads_to(recipient: Recipient) -> list[Road]:
    return [Road(recipient, channel) for channel in recipient.channels]


def resend(context: Context, delivery_id: str, who: str, why: str) -> Delivery:
    """Sends a failed, unknown or sent delivery once more, as it was, because a person says so; what came of it."""
    with opened_board(context.settings) as engine:
        delivery = ledger.load_delivery(engine, delivery_id)
        recipient = context.catalog.recipients.get(delivery.recipient_id)
        roads = roads_to(recipient) if recipient else []
        road = next((road for road in roads if road.place == delivery.place), None)
        if road is None:
            found = "its recipient or channel is no longer defined"
            raise HanseiError(f"delivery {delivery_id}", found, "define it again in recipients/, or skip the delivery")
        opened, trouble = open_road(context, road)
        delivery = ledger.change_state(engine, delivery_id, "sending", who, why, context.now())
        attempt(context, engine, road, delivery, opened, trouble, who)
        return ledger.load_delivery(engine, delivery_id)


def message_of(context: Context, recipient: Recipient, delivery: Delivery, limit: int | None) -> Message:
    """The message as it was when it was first composed; `limit` is the channel's."""
    if delivery.review_id is not None:
        return edition_message(context, delivery, limit)
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
    if delivery.review_id is not None:
        return edition_message(context, delivery, None).text
    digest = Digest.from_json(delivery.digest)
    recipient = context.catalog.recipients.get(delivery.recipient_id)
    if recipient is None:
        channel = Channel(connection=delivery.channel_id, kind=delivery.channel_kind)
        owners = tuple(sorted({item.owner for item in digest.items}))
        recipient = Recipient(id=delivery.recipient_id, name="-", owners=owners, channels=(channel,))
    return message_of(context, recipient, delivery, None).text


def setting_of(context: Context) -> Setting:
    return Setting(context.catalog.service.name, context.catalog.service.reporting_zone)


def attempt(
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


def raise_for_trouble(place: str, troubled: Sequence[Delivery]) -> None:
    """HanseiError that counts deliveries which are failed or unknown, and tells of the first; nothing without any."""
    if troubled:
        counts = Counter(delivery.state for delivery in troubled)
        told = " and ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        first = troubled[0]
        raise HanseiError(
            place,
            f"{told}; {first.delivery_id}: {first.problem}",
            "see `hansei deliveries list`; failed ones are tried again by the next run, unknown ones need you",
        )
