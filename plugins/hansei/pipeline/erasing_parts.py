"""Parts of archived reviews that have to go: a person's rows and quotes, and quotes whose time is over.

The part and its salt go, every figure of the review stays.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pyarrow as pa

from hansei import board
from hansei.pipeline.context import Context
from hansei.reviews.archive import editions, erase_parts, read_edition
from hansei.reviews.evidence import Part
from hansei.sources.erasure import Erased

_PERSONS = ("customer_id", "person_id", "source_key", "contact_key", "email", "requester_email", "respondent_email")
_TICKETS = ("ticket_id", "origin_id")
_ALL_REVIEWS = 1_000_000


def erase_theirs(context: Context, erased: Erased, erasure_id: str, is_trial: bool) -> int:
    """Erases the parts that hold a row of the erased, in the archive and the board store; how many (of the archive)."""
    return _erase(context, lambda part: _is_theirs(part, erased), f"erasure {erasure_id}", is_trial)


def expire_quotes(context: Context, now: datetime, is_trial: bool) -> int:
    """Erases quotes once the texts that they are taken from are past their time; how many parts (of the archive)."""
    kept = [rule.keep for rule in context.catalog.privacy_rules.retention.texts if rule.entity == "survey_responses"]
    if not kept:
        return 0
    oldest = (now - min(kept)).date().isoformat()
    return _erase(context, lambda part: _is_older(part, oldest), "the time of these texts is over", is_trial)


def _erase(context: Context, is_due: Callable[[Part], bool], why: str, is_trial: bool) -> int:
    count = 0
    archive = context.settings.archive
    for edition in editions(archive):
        place = (archive, edition.review_id, edition.period_start)
        _, parts = read_edition(*place, edition.revision, edition.about)
        due = [part_id for part_id, part in parts.items() if is_due(part)]
        count += len(due)
        if due and not is_trial:
            erase_parts(*place, due, context.now().date(), edition.revision, edition.about)
    if not is_trial:
        _erase_from_board(context, is_due, why)
    return count


def _erase_from_board(context: Context, is_due: Callable[[Part], bool], why: str) -> None:
    with board.opened_board(context.settings) as engine:
        for review in board.list_reviews(engine, limit=_ALL_REVIEWS):
            for stored in board.load_parts(engine, review.review_id).values():
                if stored.erased_at is None and is_due(Part.model_validate_json(stored.content)):
                    board.erase_part(engine, review.review_id, stored.part_id, "pipeline", why, context.now())


def _is_theirs(part: Part, erased: Erased) -> bool:
    for index, name in enumerate(part.columns):
        cells = [row[index] for row in part.rows if row[index]]
        if name in _PERSONS and cells:
            tokens = erased.tokens_of(pa.array(cells)).to_pylist()
            if any(token in erased.tokens for token in tokens):
                return True
        if name in (*_TICKETS, "contact_key", "person_id") and any(cell in erased.tickets for cell in cells):
            return True
    return False


def _is_older(part: Part, oldest: str) -> bool:
    """Whether one of the quotes was written before that day."""
    if part.kind != "quotes" or not part.rows:
        return False
    position = part.columns.index("responded_date")
    return any(row[position] < oldest for row in part.rows)
