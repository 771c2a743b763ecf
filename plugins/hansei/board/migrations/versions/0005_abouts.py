"""What a review is about: the whole service as before, or one segment, so that a period has an edition for each.

SQLite cannot change a constraint, so there both tables are made anew under other names, filled and renamed: the parts
first let go of the reviews, or dropping these would count as deleting what they refer to.
"""

import sqlalchemy as sa
from alembic import op

from hansei.board.guards import refuse

revision = "0005"
down_revision = "0004"

# What may still change on a review: where its documents lie, and whether they are out.
FROZEN = (
    "review_id",
    "definition_id",
    "about",
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
KEPT = (*(name for name in FROZEN if name != "about"), "document_path", "state")
NEVER_CHANGES = "a stored review never changes: save a new revision"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew()
        refuse("reviews", "UPDATE OF " + ", ".join(FROZEN), NEVER_CHANGES)
        refuse("reviews", "DELETE", "a stored review is never deleted")
        return
    op.add_column("reviews", sa.Column("about", sa.Text, nullable=False, server_default="all"))
    op.alter_column("reviews", "about", server_default=None)
    op.drop_constraint("uq_reviews_definition_id", "reviews", type_="unique")
    op.create_unique_constraint(
        "uq_reviews_definition_id", "reviews", ["definition_id", "about", "period_start", "revision"]
    )
    op.execute("DROP TRIGGER reviews_refuse_update ON reviews")
    op.execute("DROP FUNCTION reviews_refuse_update()")
    refuse("reviews", "UPDATE OF " + ", ".join(FROZEN), NEVER_CHANGES)


def _make_anew() -> None:
    op.create_table(
        "reviews_new",
        sa.Column("review_id", sa.Text, nullable=False),
        sa.Column("definition_id", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
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
        sa.UniqueConstraint("definition_id", "about", "period_start", "revision", name="uq_reviews_definition_id"),
        sa.CheckConstraint("state IN ('built', 'published')", name=op.f("ck_reviews_state")),
        sa.CheckConstraint(
            "state = 'built' OR document_path IS NOT NULL", name=op.f("ck_reviews_published_has_a_document")
        ),
    )
    op.create_table(
        "review_parts_new",
        sa.Column("review_id", sa.Text, nullable=False),
        sa.Column("part_id", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("salted_hash", sa.String(64), nullable=False),
        sa.Column("salt", sa.Text),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("erased_at", sa.DateTime),
        sa.PrimaryKeyConstraint("review_id", "part_id", name="pk_review_parts"),
        sa.ForeignKeyConstraint(["review_id"], ["reviews_new.review_id"], name="fk_review_parts_review_id"),
        sa.CheckConstraint("kind IN ('rows', 'quotes')", name=op.f("ck_review_parts_kind")),
        sa.CheckConstraint(
            "(erased_at IS NULL) = (salt IS NOT NULL)", name=op.f("ck_review_parts_erased_without_salt")
        ),
    )
    kept = ", ".join(KEPT)
    op.execute(f"INSERT INTO reviews_new ({kept}, about) SELECT {kept}, 'all' FROM reviews")
    columns = "review_id, part_id, kind, salted_hash, salt, content, erased_at"
    op.execute(f"INSERT INTO review_parts_new ({columns}) SELECT {columns} FROM review_parts")
    for name in ("review_parts", "reviews"):
        op.drop_table(name)
    for name in ("reviews", "review_parts"):
        op.rename_table(f"{name}_new", name)
