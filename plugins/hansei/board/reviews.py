"""Reviews in the board store: saved once per edition and evidence, published once, never rewritten."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import sqlalchemy as sa

from hansei.board.store import BoardError, writing
from hansei.board.tables import alarm_events, alarm_parts, alarms, board_events, deliveries, review_parts, reviews


@dataclass(frozen=True)
class Part:
    """Sample rows or quotes of a review. Erased: `salt` None, `content` says when."""

    part_id: str
    kind: str  # rows | quotes
    salted_hash: str
    salt: str | None
    content: str
    erased_at: datetime | None = None


@dataclass(frozen=True)
class Edition:
    """What a review is made of, before the store gives it a number. `evidence` is canonical JSON text."""

    definition_id: str
    period_start: date
    period_end: date
    title: str
    audience: str
    language: str
    as_of: datetime  # naive UTC, as everywhere
    definitions_hash: str
    evidence: str
    parts: tuple[Part, ...] = ()
    about: str = "all"

    @property
    def evidence_hash(self) -> str:
        return hashlib.sha256(self.evidence.encode()).hexdigest()


@dataclass(frozen=True)
class StoredReview:
    """One edition as the store keeps it. Only `load_review` brings its `evidence`."""

    review_id: str
    definition_id: str
    period_start: date
    period_end: date
    revision: int
    title: str
    audience: str
    language: str
    as_of: datetime
    built_at: datetime
    evidence_hash: str
    definitions_hash: str
    document_path: str | None
    state: str  # built | published
    evidence: str | None = None
    about: str = "all"


_METADATA = [column for column in reviews.c if column.name != "evidence"]
# What the warehouse mirrors of each table: never evidence, quotes, salts, or what a delivery says.
_MIRRORED = {
    reviews: _METADATA,
    deliveries: [column for column in deliveries.c if column.name != "digest"],
    board_events: list(board_events.c),
    alarms: list(alarms.c),
    alarm_parts: list(alarm_parts.c),
    alarm_events: list(alarm_events.c),
}


def save_review(engine: sa.Engine, edition: Edition, who: str, now: datetime | None = None) -> StoredReview:
    """The stored edition, in state `built` until `publish_review`.

    The newest revision with the same evidence is returned as it is; other evidence becomes the next revision.
    """
    now = now or _now()
    with writing(engine) as connection:
        newest = connection.execute(
            sa.select(*_METADATA)
            .where(*_of_period(edition.definition_id, edition.about, edition.period_start))
            .order_by(reviews.c.revision.desc())
            .limit(1)
        ).one_or_none()
        if newest is not None and newest.evidence_hash == edition.evidence_hash:
            return StoredReview(**newest._mapping)
        revision = newest.revision + 1 if newest is not None else 1
        stored = StoredReview(
            review_id=_identity(edition, revision),
            definition_id=edition.definition_id,
            period_start=edition.period_start,
            period_end=edition.period_end,
            revision=revision,
            title=edition.title,
            audience=edition.audience,
            language=edition.language,
            as_of=edition.as_of,
            built_at=now,
            evidence_hash=edition.evidence_hash,
            definitions_hash=edition.definitions_hash,
            document_path=None,
            state="built",
            about=edition.about,
        )
        connection.execute(reviews.insert().values(**vars(stored) | {"evidence": edition.evidence}))
        if edition.parts:
            rows = [vars(part) | {"review_id": stored.review_id} for part in edition.parts]
            connection.execute(review_parts.insert(), rows)
        why = "first edition" if revision == 1 else f"evidence differs from revision {revision - 1}"
        record_event(connection, who, "review", stored.review_id, "built", why, now)
    return stored


def publish_review(
    engine: sa.Engine, review_id: str, document_path: str, who: str, now: datetime | None = None
) -> StoredReview:
    """The review, published under `document_path`; publishing it there again changes nothing."""
    with writing(engine) as connection:
        stored = _load(connection, review_id, _METADATA)
        if stored.state == "published" and stored.document_path == document_path:
            return stored
        if stored.state == "published":
            raise BoardError(
                f"review {review_id}",
                f"already published as {stored.document_path}",
                "keep it: other evidence makes a new revision",
            )
        change = {"state": "published", "document_path": document_path}
        connection.execute(reviews.update().where(reviews.c.review_id == review_id).values(change))
        record_event(connection, who, "review", review_id, "published", document_path, now)
    return replace(stored, **change)


def load_review(engine: sa.Engine, review_id: str) -> StoredReview:
    """The review with its evidence; BoardError where the store has none of that id."""
    with engine.connect() as connection:
        return _load(connection, review_id, reviews.c)


def load_parts(engine: sa.Engine, review_id: str) -> dict[str, Part]:
    """The parts of a review by part id, the erased ones saying so."""
    columns = [column for column in review_parts.c if column.name != "review_id"]
    query = sa.select(*columns).where(review_parts.c.review_id == review_id).order_by(review_parts.c.part_id)
    with engine.connect() as connection:
        return {row.part_id: Part(**row._mapping) for row in connection.execute(query)}


def salt_of(engine: sa.Engine, definition_id: str, about: str, period_start: date, part_id: str) -> str:
    """The salt to hash a part with: the newest revision's, so that the same evidence hashes the same; else fresh."""
    query = (
        sa.select(review_parts.c.salt)
        .join_from(review_parts, reviews)
        .where(*_of_period(definition_id, about, period_start), review_parts.c.part_id == part_id)
        .order_by(reviews.c.revision.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        return connection.execute(query).scalar() or secrets.token_hex(32)


def erase_part(
    engine: sa.Engine, review_id: str, part_id: str, who: str, why: str, now: datetime | None = None
) -> None:
    """Replace a part's content and salt by the date of erasure; evidence, figures and their hash stay."""
    now = now or _now()
    with writing(engine) as connection:
        erased = connection.execute(
            review_parts.update()
            .where(review_parts.c.review_id == review_id, review_parts.c.part_id == part_id)
            .where(review_parts.c.erased_at.is_(None))
            .values(content=f"erased on {now.date().isoformat()}", salt=None, erased_at=now)
        )
        if erased.rowcount:
            record_event(connection, who, "review_part", f"{review_id}/{part_id}", "erased", why, now)


def list_reviews(engine: sa.Engine, definition_id: str | None = None, limit: int | None = 100) -> list[StoredReview]:
    """Reviews without their evidence, the newest period and revision first."""
    query = sa.select(*_METADATA).order_by(
        reviews.c.period_start.desc(), reviews.c.definition_id, reviews.c.about, reviews.c.revision.desc()
    )
    if definition_id is not None:
        query = query.where(reviews.c.definition_id == definition_id)
    with engine.connect() as connection:
        return [StoredReview(**row._mapping) for row in connection.execute(query.limit(limit))]


def published_periods(engine: sa.Engine) -> set[tuple[str, date]]:
    """Definition and first day of every period of which an edition is published."""
    query = sa.select(reviews.c.definition_id, reviews.c.period_start).where(reviews.c.state == "published").distinct()
    with engine.connect() as connection:
        return {(row.definition_id, row.period_start) for row in connection.execute(query)}


def mirrored_columns() -> dict[str, list[str]]:
    """Columns of each table that the warehouse mirrors. AT, a word of the SQL language, has another name there."""
    return {
        table.name: ["happened_at" if column.name == "at" else column.name for column in columns]
        for table, columns in _MIRRORED.items()
    }


def mirror_rows(engine: sa.Engine) -> dict[str, list[dict]]:
    """What the warehouse mirrors for analysts, by table: metadata and events."""
    with engine.connect() as connection:
        return {
            table.name: [dict(row._mapping) for row in connection.execute(_ordered(table, columns))]
            for table, columns in _MIRRORED.items()
        }


def record_event(
    connection: sa.Connection,
    who: str,
    subject_kind: str,
    subject_id: str,
    what: str,
    why: str,
    now: datetime | None = None,
) -> None:
    """Append one event, in the transaction of what it tells about."""
    connection.execute(
        board_events.insert().values(
            event_id=uuid.uuid4().hex,
            at=now or _now(),
            who=who,
            subject_kind=subject_kind,
            subject_id=subject_id,
            what=what,
            why=why,
        )
    )


def _identity(edition: Edition, revision: int) -> str:
    """`weekly_brief:2026-09-07:r1`; of one segment `team_review:team=desk:7:2026-09-07:r1`."""
    about = "" if edition.about == "all" else f"{edition.about}:"
    return f"{edition.definition_id}:{about}{edition.period_start.isoformat()}:r{revision}"


def _of_period(definition_id: str, about: str, period_start: date) -> tuple[sa.ColumnElement[bool], ...]:
    """Conditions that take every revision of one edition."""
    return (
        reviews.c.definition_id == definition_id,
        reviews.c.about == about,
        reviews.c.period_start == period_start,
    )


def _ordered(table: sa.Table, columns) -> sa.Select:
    return sa.select(*columns).order_by(*table.primary_key.columns)


def _load(connection: sa.Connection, review_id: str, columns) -> StoredReview:
    row = connection.execute(sa.select(*columns).where(reviews.c.review_id == review_id)).one_or_none()
    if row is None:
        raise BoardError(f"review {review_id}", "not in the board store", "`hansei review list` shows what is")
    return StoredReview(**row._mapping)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
