"""The tables that people touch. A change here needs a migration; a test compares the two.

Instants are naive and in UTC. Names carry no schema: on PostgreSQL every connection of the store has `board` as its
search path, on SQLite the file is the schema.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# Grain: one row per edition, that is per review definition, what it is about, period and revision. Evidence never
# changes once stored.
reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("review_id", sa.Text, primary_key=True),  # definition:period_start:r1, with definition:team=7:...
    sa.Column("definition_id", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),  # all, or the id of the segment
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
    sa.Column("document_path", sa.Text),  # where the archive keeps its documents; NULL until they are rendered
    sa.Column("state", sa.String(16), nullable=False),
    sa.CheckConstraint("state IN ('built', 'published')", name="state"),
    sa.CheckConstraint("state = 'built' OR document_path IS NOT NULL", name="published_has_a_document"),
    sa.UniqueConstraint("definition_id", "about", "period_start", "revision"),
)

# Grain: one row per review and part. Sample rows and quotes, apart from the evidence so that a person can be erased.
review_parts = sa.Table(
    "review_parts",
    metadata,
    sa.Column("review_id", sa.Text, sa.ForeignKey(reviews.c.review_id), primary_key=True),
    sa.Column("part_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("salted_hash", sa.String(64), nullable=False),
    sa.Column("salt", sa.Text),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("erased_at", sa.DateTime),
    sa.CheckConstraint("kind IN ('rows', 'quotes')", name="kind"),
    sa.CheckConstraint("(erased_at IS NULL) = (salt IS NOT NULL)", name="erased_without_salt"),
)

# Grain: one row per thing that somebody, or the pipeline, did. Appended only; the database itself refuses more.
board_events = sa.Table(
    "board_events",
    metadata,
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("subject_kind", sa.String(32), nullable=False),
    sa.Column("subject_id", sa.Text, nullable=False),
    sa.Column("what", sa.String(32), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Index(None, "subject_kind", "subject_id"),
)

# Grain: one row per recipient, channel and digest or edition of a review. What was to be said never changes; how it
# went does.
deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("delivery_id", sa.Text, primary_key=True),  # recipient:channel:through_event or :review_id
    sa.Column("recipient_id", sa.Text, nullable=False),
    sa.Column("channel_id", sa.Text, nullable=False),  # id of the Airflow connection, never an address
    sa.Column("channel_kind", sa.String(8), nullable=False),
    sa.Column("after_event", sa.Integer, nullable=False),
    sa.Column("through_event", sa.Integer, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("message_id", sa.Text, nullable=False, unique=True),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("attempt_count", sa.Integer, nullable=False),
    sa.Column("changed_at", sa.DateTime, nullable=False),
    sa.Column("problem", sa.Text),
    sa.Column("review_id", sa.Text),  # the edition; NULL for a digest of alarms
    sa.CheckConstraint("channel_kind IN ('mail', 'chat')", name="channel_kind"),
    sa.CheckConstraint("state IN ('sending', 'sent', 'failed', 'unknown', 'skipped')", name="state"),
    sa.CheckConstraint("after_event <= through_event", name="range"),
    sa.Index(None, "recipient_id", "channel_id"),
)

# Grain: one row per recipient and channel: the last alarm event that a delivery to them covers.
delivery_positions = sa.Table(
    "delivery_positions",
    metadata,
    sa.Column("recipient_id", sa.Text, primary_key=True),
    sa.Column("channel_id", sa.Text, primary_key=True),
    sa.Column("told_through", sa.Integer, nullable=False),
    sa.Column("moved_at", sa.DateTime, nullable=False),
)

ALARM_STATES = ("open", "acknowledged", "muted", "recovering", "closed")

# Grain: one row per alarm. All but what names it follows from its events, and is kept here to be looked up.
alarms = sa.Table(
    "alarms",
    metadata,
    sa.Column("alarm_id", sa.Text, primary_key=True),  # indicator-period in which it opened
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
    sa.CheckConstraint(f"state IN {ALARM_STATES}", name="state"),
    sa.CheckConstraint("severity IN ('general', 'important', 'major')", name="severity"),
    sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_at"),
    # An indicator has one alarm standing at most, whoever writes.
    sa.Index(
        "uq_alarms_standing",
        "indicator",
        unique=True,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    ),
)

# Grain: one row per alarm, threshold and segment that is part of it, with the newest figures of that part.
alarm_parts = sa.Table(
    "alarm_parts",
    metadata,
    sa.Column("alarm_id", sa.Text, sa.ForeignKey(alarms.c.alarm_id), primary_key=True),
    sa.Column("threshold_id", sa.Text, primary_key=True),
    sa.Column("segment_id", sa.Text, primary_key=True),
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
    sa.CheckConstraint("state IN ('open', 'recovering', 'closed', 'retired')", name="state"),
)

# Grain: one row per thing that happened to an alarm. Appended only; the database itself refuses more.
alarm_events = sa.Table(
    "alarm_events",
    metadata,
    sa.Column("event_number", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 ... over all alarms
    sa.Column("alarm_id", sa.Text, sa.ForeignKey(alarms.c.alarm_id), nullable=False),
    sa.Column("ordinal", sa.Integer, nullable=False),  # 1, 2, 3 ... of the alarm
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
    sa.UniqueConstraint("alarm_id", "ordinal"),
)

# Grain: one row per threshold and segment: before which day its periods have been judged for alarms.
alarm_book = sa.Table(
    "alarm_book",
    metadata,
    sa.Column("threshold_id", sa.Text, primary_key=True),
    sa.Column("segment_id", sa.Text, primary_key=True),
    sa.Column("judged_until", sa.Date, nullable=False),
)
