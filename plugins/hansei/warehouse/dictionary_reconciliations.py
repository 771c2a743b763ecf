"""Entries of the data dictionary for what holds our rows against the source's own counts and keys."""

from __future__ import annotations

from hansei.warehouse.dictionary_entries import Entry

RECONCILIATIONS = {
    "ops.key_reconciliations": Entry(
        "one row per run, source and entity whose list of keys was asked for",
        ("run_id", "source", "entity"),
        {
            "window_end": "End of the run's window; rows that the list lacks were deleted at this instant",
            "state": "applied, refused (nothing was deleted, see `message`) or unreadable",
            "listed_count": "Different keys in the list",
            "known_count": "Rows of the source that were not deleted before",
            "absent_count": "Those of them that the list lacks",
            "deleted_count": "Rows that were marked as deleted",
            "revived_count": "Rows that an earlier list had deleted and this one has again",
            "message": "Why the list was not applied, empty where it was",
        },
    ),
    "ops.reconciliations": Entry(
        "one row per run, source, entity, day and status that the source counts or we do",
        ("run_id", "source", "entity", "day", "status"),
        {
            "day": "Day in the source's zone for its counts, in the reporting zone for ours",
            "status": "Status in our words; `all` where the source counts days only, `none` where a row has none",
            "their_count": "Rows that the source counts",
            "our_count": "Rows that our tables count: what is deleted, merged, spam or bot-only left out",
            "gap_count": "`their_count` less `our_count`; all that follows adds up to it",
            "deleted_count": "Rows that we know as deleted and the source still counts",
            "merged_count": "Merged tickets, which the source counts and we do not",
            "spam_count": "Spam, which the source counts and we do not",
            "bot_only_count": "Tickets that only bots answered, which the source counts and we do not",
            "quarantined_count": "Rows that wait in quarantine",
            "held_count": "Rows of a batch that is held",
            "time_zone_count": "Rows of a neighbouring day, because the source counts days in another zone",
            "late_count": "Rows that came or changed after our rows end and before the source counted",
            "unexplained_count": "What is left of the gap",
        },
        "See docs/reconciliation.md.",
    ),
}
