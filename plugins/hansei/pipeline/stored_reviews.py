"""A review of the board store as evidence and parts again, for whoever makes a paper of it."""

from __future__ import annotations

from hansei import board
from hansei.reviews.evidence import Evidence, Part
from hansei.settings import Settings


def read_stored(settings: Settings, review_id: str) -> tuple[board.StoredReview, Evidence, dict[str, Part]]:
    """The stored review, its evidence, and its parts by id; those that were erased say when."""
    with board.opened_board(settings) as engine:
        stored = board.load_review(engine, review_id)
        kept = board.load_parts(engine, review_id)
    parts = {}
    for part_id, part in kept.items():
        if part.salt:
            parts[part_id] = Part.model_validate_json(part.content)
        elif part.erased_at is not None:
            parts[part_id] = Part(part_id=part_id, kind=part.kind, erased_on=part.erased_at.date())
    return stored, Evidence.model_validate_json(stored.evidence), parts
