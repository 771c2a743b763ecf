"""Tables that hold our rows against what the source says of its own: key lists and counts."""

from __future__ import annotations

RECONCILIATION_TABLES: dict[str, dict[str, str]] = {
    "ops.key_reconciliations": {
        "run_id": "text",
        "source": "text",
        "entity": "text",
        "as_of": "timestamp",
        "window_end": "timestamp",
        "state": "text",
        "listed_count": "bigint",
        "known_count": "bigint",
        "absent_count": "bigint",
        "deleted_count": "bigint",
        "revived_count": "bigint",
        "message": "text",
    },
    "ops.reconciliations": {
        "run_id": "text",
        "source": "text",
        "entity": "text",
        "day": "date",
        "status": "text",
        "as_of": "timestamp",
        "their_count": "bigint",
        "our_count": "bigint",
        "gap_count": "bigint",
        "deleted_count": "bigint",
        "merged_count": "bigint",
        "spam_count": "bigint",
        "bot_only_count": "bigint",
        "quarantined_count": "bigint",
        "held_count": "bigint",
        "time_zone_count": "bigint",
        "late_count": "bigint",
        "unexplained_count": "bigint",
    },
}
