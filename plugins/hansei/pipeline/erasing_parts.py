"""Sample rows of archived reviews that are the erased's: the part and its salt go, every figure of the review stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from hansei import board
from hansei.pipeline.context import Context
from hansei.reviews.archive import editions, read_edition, write_edition
from hansei.reviews.evidence import Part
from hansei.sources.erasure import Erased

_PERSONS = ("customer_id", "person_id", "source_key", "contact_key", "email", "requester_email", "respondent_email")
_TICKETS = ("ticket_id", "origin_id")
_ALL_REVIEWS = 1_000_000


def erase_parts(context: Context, erased: Erased, erasure_id: str, is_trial: bool) -> int:
    """Erases the parts that hold a row of the erased, in the archive and the board store; how many (of the archive)."""
    count = 0
    archive = Path(context.settings.archive)
    for edition in editions(archive) if archive.is_dir() else ():
        evidence, parts = read_edition(
            archive, edition.review_id, edition.period_start, edition.revision, edition.about
        )
        theirs = [part for part in parts.values() if _is_theirs(part.columns, part.rows, erased)]
        count += len(theirs)
        if theirs and not is_trial:
            on = context.now().date()
            gone = {part.part_id: part.erased(on) for part in theirs}
            write_edition(archive, evidence, parts | gone, edition.revision)
    if not is_trial:
        _erase_from_board(context, erased, erasure_id)
    return count


def _erase_from_board(context: Context, erased: Erased, erasure_id: str) -> None:
    with board.opened_board(context.settings) as engine:
        for review in board.list_reviews(engine, limit=_ALL_REVIEWS):
            for stored in board.load_parts(engine, review.review_id).values():
                if stored.erased_at is not None:
                    continue
                part = Part.model_validate_json(stored.content)
                if _is_theirs(part.columns, part.rows, erased):
                    why = f"erasure {erasure_id}"
                    board.erase_part(engine, review.review_id, part.part_id, "pipeline", why, context.now())


def _is_theirs(columns: Sequence[str], rows: Sequence[Sequence[str]], erased: Erased) -> bool:
    for index, name in enumerate(columns):
        cells = [row[index] for row in rows if row[index]]
        if name in _PERSONS and cells:
            tokens = erased.tokens_of(pa.array(cells)).to_pylist()
            if any(token in erased.tokens for token in tokens):
                return True
        if name in (*_TICKETS, "contact_key", "person_id") and any(cell in erased.tickets for cell in cells):
            return True
    return False
