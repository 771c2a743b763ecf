"""Alarms, their parts, what happened to them, and through which day each threshold and segment was judged.

An alarm's name and beginning never change, and nothing that happened to it is rewritten.
"""

import sqlalchemy as sa
from alembic import op

from hansei.board.guards import refuse

revision = "0004"
down_revision = "0003"

NAMES_IT = ("alarm_id", "indicator", "grain", "first_period", "opened_at")


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("alarm_id", sa.Text, nullable=False),
        sa.Column("indicator", sa.Text, nullable=False),
        sa.Column("grain", sa.String(8), nullable=False),
        sa.Column("first_period", sa.Date, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("escalate_to", sa.Text),
        sa.Column("escalate_after_days", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("is_acknowledged", sa.Boolean, nullable=False),
        sa.Column("muted_until", sa.Date),
        sa.Column("opened_at", sa.DateTime, nullable=False),
        sa.Column("changed_at", sa.DateTime, nullable=False),
        sa.Column("closed_at", sa.DateTime),
        sa.PrimaryKeyConstraint("alarm_id", name="pk_alarms"),
        sa.CheckConstraint(
            "state IN ('open', 'acknowledged', 'muted', 'recovering', 'closed')", name=op.f("ck_alarms_state")
        ),
        sa.CheckConstraint("severity IN ('general', 'important', 'major')", name=op.f("ck_alarms_severity")),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_alarms_closed_at")),
    )
    standing = sa.text("state <> 'closed'")
    op.create_index(
        "uq_alarms_standing", "alarms", ["indicator"], unique=True, sqlite_where=standing, postgresql_where=standing
    )
    op.create_table(
        "alarm_parts",
        sa.Column("alarm_id", sa.Text, nullable=False),
        sa.Column("threshold_id", sa.Text, nullable=False),
        sa.Column("segment_id", sa.Text, nullable=False),
        sa.Column("segment_label", sa.Text, nullable=False),
        sa.Column("grain", sa.String(8), nullable=False),
        sa.Column("joined_period", sa.Date, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("period_start", sa.Date),
        sa.Column("value", sa.Double),
        sa.Column("limit_value", sa.Double),
        sa.Column("level", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("alarm_id", "threshold_id", "segment_id", name="pk_alarm_parts"),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.alarm_id"], name="fk_alarm_parts_alarm_id"),
        sa.CheckConstraint("state IN ('open', 'recovering', 'closed', 'retired')", name=op.f("ck_alarm_parts_state")),
    )
    op.create_table(
        "alarm_events",
        sa.Column("event_number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("alarm_id", sa.Text, nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("from_state", sa.String(16)),
        sa.Column("to_state", sa.String(16), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("grain", sa.String(8)),
        sa.Column("period_start", sa.Date),
        sa.Column("until", sa.Date),
        sa.PrimaryKeyConstraint("event_number", name="pk_alarm_events"),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.alarm_id"], name="fk_alarm_events_alarm_id"),
        sa.UniqueConstraint("alarm_id", "ordinal", name="uq_alarm_events_alarm_id"),
    )
    op.create_table(
        "alarm_book",
        sa.Column("threshold_id", sa.Text, nullable=False),
        sa.Column("segment_id", sa.Text, nullable=False),
        sa.Column("judged_until", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("threshold_id", "segment_id", name="pk_alarm_book"),
    )
    refuse("alarms", "UPDATE OF " + ", ".join(NAMES_IT), "an alarm keeps its name and its beginning")
    refuse("alarms", "DELETE", "an alarm is closed, never deleted")
    refuse("alarm_events", "UPDATE", "events are only ever appended")
    refuse("alarm_events", "DELETE", "events are only ever appended")
