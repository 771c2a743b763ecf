"""The weekly stages: is everything there, and the review itself: gathered, frozen, archived, published once."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hansei import board
from hansei.catalog.reviews import Format, Review
from hansei.errors import HanseiError
from hansei.indicators.periods import last_finished, local_date, period_start
from hansei.pipeline.context import Context
from hansei.pipeline.evidence import EvidenceGathering
from hansei.pipeline.shared_reads import SharedReads
from hansei.pipeline.source_states import source_readiness
from hansei.reviews.archive import write_edition, write_index
from hansei.reviews.evidence import Evidence, Part, canonical_json
from hansei.reviews.places import Place
from hansei.warehouse import Warehouse, open_read_copy

log = logging.getLogger("hansei")


def readiness(context: Context, review_id: str, period_end: date | None = None) -> dict[str, Any]:
    """Whether every source has passed the end of the period, and whether the review's deadline has passed.

    `period_end` is the first day after the period, or any later one before the next has ended; None takes the last
    period that had ended when the newest night looked.
    """
    review = context.review(review_id)
    if context.settings.is_embedded and not context.settings.read_copy.exists():
        # No night has run yet: everything is late, which is no error as long as there is time.
        following = _following(context, review, period_end, None)
        late = sorted(context.catalog.sources)
    else:
        with open_read_copy(context.settings) as warehouse:
            following = _following(context, review, period_end, warehouse)
            sources = source_readiness(context, warehouse, following)
        late = [source.source for source in sources if source.state != "ready"]
    deadline = context.catalog.service.midnight(following) + timedelta(hours=review.deadline_hours)
    return {
        "is_ready": not late,
        "is_past_deadline": context.now() >= deadline,
        "late": late,
        "deadline": deadline.isoformat(),
    }


def due_reviews(context: Context, day: date | None = None, is_named: bool = False) -> list[str]:
    """Ids of the reviews to build on a day: those whose last period has no published edition yet.

    With `is_named` those of which a period ended on that very day, built already or not; all, where no day is given.
    """
    reviews = sorted(context.catalog.reviews.values(), key=lambda review: review.id)
    if day is None:
        return [review.id for review in reviews]
    if is_named:
        return [review.id for review in reviews if period_start(review.grain, day) == day]
    with board.opened_board(context.settings) as engine:
        built = board.published_periods(engine)
    return [review.id for review in reviews if (review.id, last_finished(review.grain, day)) not in built]


def build_review(
    context: Context, review_id: str, period_end: date | None = None, about: str | None = None
) -> dict[str, Any]:
    """Gathers, renders, archives and publishes every edition of a review, or the one about a segment.

    `period_end` as in `readiness`. What comes back: `editions`, each with `review_id`, `path` and `breaches`, and
    `failed`, what the failed ones are about with the reason; an edition that fails stops no other and is tried once
    more. HanseiError where none could be built. Repeated with the same evidence it changes nothing; other evidence
    becomes a new revision beside the old one.
    """
    review = context.review(review_id)
    with board.opened_board(context.settings) as engine:
        with open_read_copy(context.settings) as warehouse:
            following = _following(context, review, period_end, warehouse)
            shared = SharedReads(context, warehouse, review, last_finished(review.grain, following))
            built, failed = _build_each(context, engine, shared, _chosen(shared, about))
            if failed:
                again, failed = _build_each(context, engine, shared, tuple(failed))
                built += again
        write_index(context.settings.archive)
    outcome = {"editions": built, "failed": failed}
    if failed and not built:
        raise_for_failed(review_id, outcome)
    return outcome


def _build_each(
    context: Context, engine: sa.Engine, shared: SharedReads, abouts: tuple[str, ...]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The editions that could be built, and the reason for each that could not."""
    built, failed = [], {}
    for about in abouts:
        try:
            built.append(_build(context, engine, shared, about))
        except Exception as error:
            if len(shared.abouts) == 1:
                raise
            log.exception("edition %s of %s failed", about, shared.review.id)
            # Only our own errors are known to quote neither secrets nor personal data.
            failed[about] = str(error) if isinstance(error, HanseiError) else type(error).__name__
    return built, failed


def raise_for_failed(review_id: str, outcome: dict[str, Any]) -> None:
    """HanseiError that names the editions which `build_review` could not build, if there are any."""
    if failed := outcome["failed"]:
        about, why = next(iter(failed.items()))
        all_of_them = len(failed) + len(outcome["editions"])
        found = f"{len(failed)} of {all_of_them} editions failed; {about}: {why}"
        next_step = (
            f"mend the cause, then `hansei review build {review_id} --about ...`, `hansei review deliver {review_id}`"
        )
        raise HanseiError(f"review {review_id}", f"{found} (failed: {', '.join(failed)})", next_step)


def _chosen(shared: SharedReads, about: str | None) -> tuple[str, ...]:
    if about is None:
        return shared.abouts
    if about not in shared.abouts:
        next_step = f"use one of {', '.join(shared.abouts[:12])}"
        raise HanseiError(f"review {shared.review.id}", f"has no edition about {about!r}", next_step)
    return (about,)


def _build(context: Context, engine: sa.Engine, shared: SharedReads, about: str) -> dict[str, Any]:
    def salt_of(part_id: str) -> str:
        return board.salt_of(engine, shared.review.id, about, shared.period_start, part_id)

    evidence, parts = EvidenceGathering(shared, salt_of, about).gather()
    stored, path = publish_edition(context, engine, evidence, parts, shared.review.formats)
    return {"review_id": stored.review_id, "path": str(path), "breaches": len(evidence.breaches)}


def _following(context: Context, review: Review, day: date | None, warehouse: Warehouse | None) -> date:
    """First day after the last period that had ended by `day`, by default when the newest night looked."""
    if day is None:
        as_of: datetime | None = warehouse.scalar("SELECT MAX(as_of) FROM ops.runs") if warehouse else None
        day = local_date(as_of or context.now(), context.catalog.service.zone)
    return period_start(review.grain, day)


def publish_edition(
    context: Context, engine: sa.Engine, evidence: Evidence, parts: dict[str, Part], formats: Collection[Format] = ()
) -> tuple[board.StoredReview, Place]:
    """Stores, renders, archives and publishes gathered evidence; the stored review and the page's path.

    `formats` come beside HTML. The index of the archive is written by the caller, once for all editions.
    """
    edition = board.Edition(
        definition_id=evidence.review_id,
        about=evidence.about,
        period_start=evidence.period_start,
        period_end=evidence.period_end,
        title=evidence.title,
        audience=evidence.audience,
        language=evidence.languages[0],
        as_of=evidence.as_of.replace(tzinfo=None),
        definitions_hash=evidence.definitions_hash,
        evidence=canonical_json(evidence),
        parts=tuple(_stored(part) for _, part in sorted(parts.items())),
    )
    stored = board.save_review(engine, edition, who="pipeline", now=context.now())
    path = write_edition(context.settings.archive, evidence, parts, stored.revision, formats, is_indexed=False)
    board.publish_review(engine, stored.review_id, str(path), who="pipeline", now=context.now())
    return stored, path


def _stored(part: Part) -> board.Part:
    reference = part.reference()
    return board.Part(part.part_id, part.kind, reference.salted_sha256, part.salt, canonical_json(part))
