"""Editions of reviews are delivered through the same ledger as digests: which edition, where it is one."""

import sqlalchemy as sa
from alembic import op

from hansei.board.guards import refuse

revision = "0006"
down_revision = "0005"

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
    "review_id",
)


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("review_id", sa.Text))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER deliveries_refuse_update")
    else:
        op.execute("DROP TRIGGER deliveries_refuse_update ON deliveries")
        op.execute("DROP FUNCTION deliveries_refuse_update()")
    refuse("deliveries", "UPDATE OF " + ", ".join(FROZEN), "what was to be said never changes: send another one")
