"""The ledger of deliveries: what was sent to whom, and how far each channel has been told.

What was to be said, to whom and under which Message-ID never changes once it is committed; only how it went does.
"""

import sqlalchemy as sa
from alembic import op

from hansei.board.guards import refuse

revision = "0003"
down_revision = "0001"

FROZEN = (
    "delivery_id",
    "recipient_id",
    "channel_id",
    "channel_kind",
    "after_event",
    "through_event",
    "language",
    "subject",
    "digest",
    "message_id",
    "run_id",
    "created_at",
)


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", sa.Text, nullable=False),
        sa.Column("recipient_id", sa.Text, nullable=False),
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.Column("channel_kind", sa.String(8), nullable=False),
        sa.Column("after_event", sa.Integer, nullable=False),
        sa.Column("through_event", sa.Integer, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempt_count", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.DateTime, nullable=False),
        sa.Column("problem", sa.Text),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_deliveries"),
        sa.UniqueConstraint("message_id", name="uq_deliveries_message_id"),
        sa.CheckConstraint("channel_kind IN ('mail', 'chat')", name=op.f("ck_deliveries_channel_kind")),
        sa.CheckConstraint(
            "state IN ('sending', 'sent', 'failed', 'unknown', 'skipped')", name=op.f("ck_deliveries_state")
        ),
        sa.CheckConstraint("after_event <= through_event", name=op.f("ck_deliveries_range")),
    )
    op.create_index("ix_deliveries_recipient_id", "deliveries", ["recipient_id", "channel_id"])
    op.create_table(
        "delivery_positions",
        sa.Column("recipient_id", sa.Text, nullable=False),
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.Column("told_through", sa.Integer, nullable=False),
        sa.Column("moved_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("recipient_id", "channel_id", name="pk_delivery_positions"),
    )
    refuse("deliveries", "UPDATE OF " + ", ".join(FROZEN), "what was to be said never changes: send another digest")
    refuse("deliveries", "DELETE", "a delivery is never deleted")
