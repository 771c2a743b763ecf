"""Reviews, their parts, and the events of the board.

Evidence and events are guarded by the database: whoever holds a connection can neither rewrite a published review nor
the record of what was done.
"""

import sqlalchemy as sa
from alembic import op

from hansei.board.guards import refuse

revision = "0001"
down_revision = None

# What may still change on a review: where its documents lie, and whether they are out.
FROZEN = (
    "review_id",
    "definition_id",
    "period_start",
    "period_end",
    "revision",
    "title",
    "audience",
    "language",
    "as_of",
    "built_at",
    "evidence",
    "evidence_hash",
    "definitions_hash",
)


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("review_id", sa.Text, nullable=False),
        sa.Column("definition_id", sa.Text, nullable=False),
        sa.Column("period_start", sa.Date, nullable=False),
        sa.Column("period_end", sa.Date, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("as_of", sa.DateTime, nullable=False),
        sa.Column("built_at", sa.DateTime, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("evidence_hash", sa.String(64), nullable=False),
        sa.Column("definitions_hash", sa.Text, nullable=False),
        sa.Column("document_path", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("review_id", name="pk_reviews"),
        sa.UniqueConstraint("definition_id", "period_start", "revision", name="uq_reviews_definition_id"),
        sa.CheckConstraint("state IN ('built', 'published')", name=op.f("ck_reviews_state")),
        sa.CheckConstraint(
            "state = 'built' OR document_path IS NOT NULL", name=op.f("ck_reviews_published_has_a_document")
        ),
    )
    op.create_table(
        "review_parts",
        sa.Column("review_id", sa.Text, nullable=False),
        sa.Column("part_id", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("salted_hash", sa.String(64), nullable=False),
        sa.Column("salt", sa.Text),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("erased_at", sa.DateTime),
        sa.PrimaryKeyConstraint("review_id", "part_id", name="pk_review_parts"),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.review_id"], name="fk_review_parts_review_id"),
        sa.CheckConstraint("kind IN ('rows', 'quotes')", name=op.f("ck_review_parts_kind")),
        sa.CheckConstraint(
            "(erased_at IS NULL) = (salt IS NOT NULL)", name=op.f("ck_review_parts_erased_without_salt")
        ),
    )
    op.create_table(
        "board_events",
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("subject_kind", sa.String(32), nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_board_events"),
    )
    op.create_index("ix_board_events_subject_kind", "board_events", ["subject_kind", "subject_id"])
    refuse("reviews", "UPDATE OF " + ", ".join(FROZEN), "a stored review never changes: save a new revision")
    refuse("reviews", "DELETE", "a stored review is never deleted")
    refuse("board_events", "UPDATE", "events are only ever appended")
    refuse("board_events", "DELETE", "events are only ever appended")
