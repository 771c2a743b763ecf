"""Editions of reviews go to their readers: each once, over each channel, noted in the ledger before and after.

A run first calls what an earlier process left at `sending` unknown, and tries again what failed. An edition that was
sent is not sent again by itself, nor is a later revision of it unless the review says so: the next brief tells what
was restated. The run ends red as long as a delivery of the review is failed or unknown.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from hansei import board
from hansei.board import deliveries as ledger
from hansei.board.deliveries import Delivery
from hansei.catalog.recipients import Recipient
from hansei.catalog.reviews import Format, Review, ReviewChannel
from hansei.errors import HanseiError
from hansei.indicators.periods import last_finished
from hansei.pipeline.context import Context
from hansei.pipeline.delivering import Road, attempt, message_of, open_road, raise_for_trouble
from hansei.pipeline.edition_messages import attachable, edition_subject
from hansei.pipeline.reviewing import raise_for_failed
from hansei.reviews.outcomes import NOBODYS_DOMAIN

WHO = "pipeline"
# Nothing of these may be sent once more without a person saying so.
_DONE = ("sent", "unknown", "sending", "skipped")


@dataclass(frozen=True)
class Sending:
    """One edition for one reader over one channel."""

    road: Road
    edition: board.StoredReview
    language: str
    formats: tuple[Format, ...]

    @property
    def identity(self) -> str:
        return f"{self.road.recipient.id}:{self.road.channel.connection}:{self.edition.review_id}"

    def __str__(self) -> str:
        return f"{self.edition.review_id} for {self.road}"


def deliver_reviews(
    context: Context,
    review_id: str,
    period_end: date | None = None,
    run_id: str = "by hand",
    is_dry_run: bool = False,
    tell: Callable[[str], None] = print,
    built: dict[str, Any] | None = None,
) -> dict[str, int]:
    """Sends the published editions of a review's period to its readers; counts of sendings by outcome.

    `period_end` is any day after the period and before the next has ended; None takes the newest published period.
    Raises HanseiError, after everybody was tried, where a document is not what was published, or a delivery of the
    review is failed or unknown. A dry run prints what would go to whom and writes nothing. `built` is what
    `build_review` returned just before: of editions that failed there the error tells, once the others are sent.
    """
    review = context.review(review_id)
    if not review.recipients:
        tell(f"{review_id} is sent to nobody: its definition names no recipients; docs/reviews.md shows one")
    outcomes: Counter[str] = Counter()
    broken: list[HanseiError] = []
    with board.opened_board(context.settings) as engine:
        if not is_dry_run:
            for crashed in ledger.mark_crashed(engine, WHO, context.now(), review_id):
                tell(f"{crashed.delivery_id}: unknown: {crashed.problem}")
        known = ledger.list_editions(engine, review_id)
        for sending in _sendings(context, review, _published(engine, review, period_end)):
            outcome = _foreseen(review, sending, known)
            try:
                if outcome == "would_send" and is_dry_run:
                    _show(context, sending, tell)
                elif outcome == "would_send":
                    outcome = _send(context, engine, sending, known, run_id)
            except HanseiError as error:
                outcome = "broken"
                broken.append(error)
            outcomes[outcome] += 1
            tell(f"{sending}: {outcome.replace('_', ' ')}")
        if broken:
            raise broken[0]
        if not is_dry_run:
            troubled = ledger.list_editions(engine, review_id, ("failed", "unknown"))
            raise_for_trouble(f"deliveries of {review_id}", troubled)
    if built:
        raise_for_failed(review_id, built)
    return dict(sorted(outcomes.items()))


def _published(engine: sa.Engine, review: Review, period_end: date | None) -> list[board.StoredReview]:
    """The newest revision of each published edition of the period, by what it is about."""
    stored = [one for one in board.list_reviews(engine, review.id, limit=None) if one.state == "published"]
    if period_end is not None:
        start = last_finished(review.grain, period_end)
    else:
        start = max((one.period_start for one in stored), default=None)
    newest: dict[str, board.StoredReview] = {}
    for one in sorted(stored, key=lambda one: one.revision):
        if one.period_start == start:
            newest[one.about] = one
    return [newest[about] for about in sorted(newest)]


def _sendings(context: Context, review: Review, editions: list[board.StoredReview]) -> Iterator[Sending]:
    """Everything that the definition asks for; a reader who is named twice for an edition gets it once."""
    seen: set[str] = set()
    for edition in editions:
        for asked in review.recipients:
            if asked.about not in (None, edition.about):
                continue
            recipient = context.catalog.recipients[asked.recipient]
            for channel in recipient.channels:
                own = asked.over(channel.connection)
                if own is None:
                    continue
                formats = tuple(dict.fromkeys(own.formats or ())) if channel.kind == "mail" else ()
                sending = Sending(Road(recipient, channel), edition, _language(review, recipient, own), formats)
                if sending.identity not in seen:
                    seen.add(sending.identity)
                    yield sending


def _language(review: Review, recipient: Recipient, asked: ReviewChannel) -> str:
    if asked.language is not None:
        return asked.language
    return recipient.language if recipient.language in review.languages else review.languages[0]


def _foreseen(review: Review, sending: Sending, known: list[Delivery]) -> str:
    """What is to become of it: `would_send`, `sent_already`, or `waits` where only a person may decide."""
    own = [one for one in known if one.place == sending.road.place and _same_edition(one, sending)]
    for delivery in own:
        if delivery.delivery_id == sending.identity and delivery.state in _DONE:
            return "waits" if delivery.state in ("unknown", "sending") else "sent_already"
    if not review.sends_revisions and any(delivery.state in _DONE for delivery in own):
        return "sent_already"
    return "would_send"


def _same_edition(delivery: Delivery, sending: Sending) -> bool:
    """Whether it brought the same edition, in any revision."""
    return (delivery.review_id or "").rpartition(":r")[0] == sending.edition.review_id.rpartition(":r")[0]


def _send(context: Context, engine: sa.Engine, sending: Sending, known: list[Delivery], run_id: str) -> str:
    """Notes and sends it; HanseiError where the message cannot be made, and then nothing is noted as being sent."""
    opened, trouble = open_road(context, sending.road)
    delivery = _noted(context, sending, opened.domain if opened else NOBODYS_DOMAIN, run_id)
    failed = [one for one in known if one.state == "failed" and one.place == sending.road.place]
    for older in failed:
        if older.delivery_id != sending.identity and _same_edition(older, sending):
            why = f"a newer revision is sent as {sending.identity}"
            ledger.change_state(engine, older.delivery_id, "skipped", WHO, why, context.now())
    if any(one.delivery_id == sending.identity for one in failed):
        why = "nothing left at the last attempt"
        delivery = ledger.change_state(engine, sending.identity, "sending", WHO, why, context.now())
    elif not ledger.begin_review_delivery(engine, delivery, WHO):
        return "sent_already"
    return attempt(context, engine, sending.road, delivery, opened, trouble, WHO)


def _noted(context: Context, sending: Sending, domain: str, run_id: str) -> Delivery:
    road = sending.road
    delivery = Delivery(
        delivery_id=sending.identity,
        recipient_id=road.recipient.id,
        channel_id=road.channel.connection,
        channel_kind=road.channel.kind,
        after_event=0,
        through_event=0,
        language=sending.language,
        subject=edition_subject(context, sending.edition.review_id, sending.language),
        digest=json.dumps({"formats": attachable(context, sending.edition, sending.language, sending.formats)}),
        message_id=f"<{uuid.uuid4().hex}@{domain}>",
        run_id=run_id,
        created_at=context.now(),
        review_id=sending.edition.review_id,
    )
    message_of(context, road.recipient, delivery, None)  # an empty or broken one is not even begun
    return delivery


def _show(context: Context, sending: Sending, tell: Callable[[str], None]) -> None:
    delivery = _noted(context, sending, NOBODYS_DOMAIN, "dry run")
    tell(delivery.subject)
    tell(message_of(context, sending.road.recipient, delivery, None).text)
