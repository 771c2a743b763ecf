"""Entries of the data dictionary for what the board store mirrors; common meanings are in `dictionary.SHARED`."""

from __future__ import annotations

from hansei.warehouse.dictionary_entries import Entry

# Beside the embedded warehouse a copy that each night makes anew, every column as text; on PostgreSQL the store itself.
BOARD = {
    "board.reviews": Entry(
        "one row per edition of a review: definition, what it is about, period and revision",
        ("review_id",),
        {
            "review_id": "Definition, segment if it is about one, first day of the period and revision",
            "definition_id": "Id of the review's definition",
            "about": "What it is about: all, or the id of one segment such as team=desk:7",
            "period_end": "First day after the period",
            "revision": "1 for the first edition of a period, more where it was built again",
            "title": "Title as printed",
            "audience": "For whom it was made",
            "language": "Language as a BCP 47 code",
            "built_at": "When its evidence was gathered",
            "evidence_hash": "SHA-256 of the frozen evidence",
            "document_path": "Where the archive keeps its documents, NULL until they are rendered",
            "state": "built or published",
        },
    ),
    "board.deliveries": Entry(
        "one row per recipient, channel and digest",
        ("delivery_id",),
        {
            "delivery_id": "Recipient, channel and the last alarm event that it covers; a reminder has its day too",
            "recipient_id": "Id of the recipient's definition, never an address",
            "channel_id": "Id of the Airflow connection that it went over",
            "channel_kind": "mail or chat",
            "after_event": "Alarm events after this one are told",
            "through_event": "The last alarm event that it covers",
            "language": "Language that it was written in: en or zh_CN",
            "subject": "Its subject line",
            "message_id": "Its Message-ID, the same at every attempt",
            "created_at": "When it was first noted, before anything left",
            "state": "sending, sent, failed (nothing left), unknown (it may have left) or skipped (settled unsent)",
            "attempt_count": "How often it was handed over, or tried to be",
            "changed_at": "When it came to that state",
            "problem": "Why the last attempt did not end in sent, else NULL",
        },
    ),
    "board.board_events": Entry(
        "one row per thing that somebody, or the pipeline, did",
        ("event_id",),
        {
            "event_id": "Id of the event",
            "happened_at": "When it happened; on PostgreSQL the column is called `at`",
            "who": "Who did it",
            "subject_kind": "What it was done to, such as review",
            "subject_id": "Key of that",
            "what": "What was done",
            "why": "The reason that was given",
        },
    ),
    "board.alarms": Entry(
        "one row per alarm",
        ("alarm_id",),
        {
            "alarm_id": "Indicator and the period in which it opened, such as first_reply_median-2026-W29",
            "grain": "Length of the period in which it opened",
            "first_period": "First day of the period in which it opened",
            "owner": "Who is asked to take care, as the threshold or else the indicator names them",
            "escalate_to": "Who is told when nobody reacts, NULL where the threshold names nobody",
            "escalate_after_days": "Days without an acknowledgement after which it is overdue",
            "state": "open, acknowledged, muted, recovering or closed",
            "severity": "general, important or major; it never falls while the alarm stands",
            "is_acknowledged": "Whether somebody has said that they take care",
            "muted_until": "Day on which a muted one wakes, else NULL",
            "opened_at": "Instant that the night stood for which opened it",
            "changed_at": "When the last thing happened to it",
            "closed_at": "When it closed, NULL while it stands",
        },
    ),
    "board.alarm_parts": Entry(
        "one row per alarm, threshold and segment that is part of it",
        ("alarm_id", "threshold_id", "segment_id"),
        {
            "alarm_id": "The alarm (`board.alarms`)",
            "threshold_id": "Id of the threshold",
            "segment_label": "Name of the segment for people, empty for the whole service",
            "joined_period": "First day of the period in which it became a part",
            "owner": "Owner of the threshold, else of the indicator",
            "state": "open, recovering, closed or retired (nothing judges it any more)",
            "period_start": "First day of the newest period with a usable value, which the figures are of",
            "value": "Value of that period",
            "level": "warning or critical: the limit that `limit_value` is",
            "reason": "What the threshold says of that period, one sentence",
        },
    ),
    "board.alarm_events": Entry(
        "one row per thing that happened to an alarm",
        ("event_number",),
        {
            "event_number": "1, 2, 3 ... over all alarms",
            "alarm_id": "The alarm (`board.alarms`)",
            "ordinal": "1, 2, 3 ... within the alarm",
            "happened_at": "When it happened; for the pipeline the instant of the night. On PostgreSQL it is `at`",
            "who": "Who did it; pipeline for what follows from the figures",
            "what": "opened, joined, raised, recovering, relapsed, restated, closed, retired, escalated, woken; or, by "
            "people, acknowledged, muted",
            "why": "Why, one sentence; the person's own for what people did",
            "from_state": "State of the alarm before, NULL at its opening",
            "to_state": "State of the alarm after",
            "severity": "Severity of the alarm after",
            "period_start": "First day of the period that moved it, NULL for what people and time did",
            "until": "Day until which it was muted, else NULL",
        },
    ),
}
