"""Entries of the data dictionary for core and ops; `dictionary_indicators` and `dictionary_board` have the others.

A table of `warehouse.tables.OWN_TABLES` gets its entry here; columns that `dictionary.SHARED` explains are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """One table: what a row stands for, which columns tell rows apart, and the meanings that are its own."""

    grain: str
    key: tuple[str, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


_CALENDAR_DAY = {
    f"{edge}_{number}": f"Second of the UTC day at which opening {number} {word}; both 0 where there is none"
    for number in (1, 2)
    for edge, word in (("start", "begins"), ("end", "ends"))
}

CORE = {
    "core.reporting_offsets": Entry(
        "one row per UTC day from 1970 to 2069",
        ("utc_date",),
        {
            "utc_date": "The UTC day",
            "offset_seconds": "What the reporting zone is ahead of UTC at the start of the day",
            "switch_second": "Second of the day at which the clocks change, 86400 where they do not",
            "offset_after_seconds": "What the zone is ahead of UTC from then on",
        },
        "Models turn instants into days of the reporting zone by it; `core.reporting_days` is easier to read.",
    ),
    "core.calendars": Entry(
        "one row per calendar of opening hours",
        ("calendar_id",),
        {
            "name": "Name as people say it",
            "zone": "IANA zone by whose clock it opens",
            "origin": "definition (a file in calendars/) or source",
            "week_seconds": "Open time of an ordinary week",
        },
    ),
    "core.calendar_days": Entry(
        "one row per calendar and UTC day from 1970 to 2069",
        ("calendar_id", "utc_date"),
        {
            "utc_date": "The UTC day",
            "opened_seconds": "Open time of the calendar from 1970 to the start of the day: its position on the line",
            **_CALENDAR_DAY,
        },
        "With calendars that open more than twice in one UTC day there are `start_3`, `end_3` and so on.",
    ),
    "core.calendar_openings": Entry(
        "one row per calendar and opening, cut at each full day of open time",
        ("calendar_id", "opening_number", "open_day"),
        {
            "opening_number": "Order of the openings of a calendar, from 1",
            "open_day": "Which 86,400 seconds of open time the part lies in, from 0",
            "opened_at": "Start of the part, inclusive",
            "closed_at": "End of the part, exclusive",
            "opened_seconds": "Open time from 1970 to the start of the part",
            "closed_seconds": "Open time from 1970 to the end of the part",
        },
    ),
    "core.calendar_assignments": Entry(
        "one row per subject and span of time in which it follows one calendar",
        ("dimension", "value", "valid_from"),
        {
            "dimension": "Kind of subject: default (everybody), source, brand, channel, account or team",
            "value": "Our key or word of the subject, empty for default",
            "valid_from": "Start of the span, inclusive; 1970 where it has always been so",
            "valid_to": "End of the span, exclusive; 2070 where it has none",
        },
    ),
}

OPS = {
    "ops.runs": Entry(
        "one row per run of the pipeline",
        ("run_id",),
        {
            "run_id": "Id of the run: Airflow's, or that of the command",
            "kind": "night, backfill or replay (of quarantined rows)",
            "reason": "Why it was run by hand, NULL for a scheduled night",
            "interval_start": "Start of the interval that it was scheduled for",
            "interval_end": "End of that interval",
            "as_of": "Instant that core stands for after the run; never goes back",
            "started_at": "When it began",
            "ended_at": "When it ended, NULL until then",
            "state": "running, done or failed (a source failed; the others were brought up to date)",
            "product_version": "Release of Hansei",
        },
    ),
    "ops.source_runs": Entry(
        "one row per run and source",
        ("run_id", "source"),
        {
            "window_start": "Start of the window that was asked for, inclusive; NULL for everything",
            "window_end": "End of the window, exclusive",
            "state": "open, published, held (a batch-level rule stopped it) or failed",
            "message": "What went wrong, NULL where nothing did",
            "complete_until": "End of the gap-free data that the batch brought",
            "published_at": "Instant that the publishing run stood for",
            "request_count": "HTTP requests that the batch took, repeated ones counted; NULL for other kinds",
            "quota_left_count": "What was left of the interface's quota, as it said last; NULL where it does not",
            "quota_seen_at": "When it said so",
        },
    ),
    "ops.watermarks": Entry(
        "one row per source",
        ("source",),
        {
            "complete_until": "End of the gap-free extracted window, exclusive; a quiet day is complete too",
            "run_id": "Run that moved it last",
        },
        "What lies after `complete_until` of any source that feeds an indicator is not judged.",
    ),
    "ops.batches": Entry(
        "one row per run, source and entity",
        ("run_id", "source", "entity"),
        {
            "received_count": "Rows that the source delivered: accepted + quarantined + duplicate + held",
            "accepted_count": "Rows that are new in staging or replaced an older version",
            "quarantined_count": "Rows that broke a `stop` rule and wait in `ops.quarantined_rows`",
            "duplicate_count": "Rows that were known already or older than what is known",
            "held_count": "Rows of a batch that a batch-level rule stopped",
            "conflict_count": "Rows of an equal version with other content; they are among the others",
            "deleted_count": "Stored rows that a complete snapshot no longer has",
            "ambiguous_time_count": "Local times that the clock shows twice; the earlier was taken",
            "nonexistent_time_count": "Local times that the clock skips; they were moved forward",
            "state": "published or held",
            "is_balanced": "Whether the identity of `received_count` holds",
        },
    ),
    "ops.check_results": Entry(
        "one row per run, source, entity (or table) and check",
        ("run_id", "source", "entity", "check_id"),
        {
            "source": "Name of the source definition, empty for a check of a model or seed",
            "entity": "Canonical entity, or table of a model or seed",
            "check_id": "Id of the rule or check; of a value that cannot be read, the rule and the column",
            "scope": "What was looked at: row, batch, reference, model or seed",
            "severity": "stop or warn",
            "checked_count": "Rows that were looked at",
            "failed_count": "Rows that broke it",
            "result": "passed, warned or failed",
            "message": "What was found, without any classed value",
        },
    ),
    "ops.drift_findings": Entry(
        "one row per run, source, entity, field and kind of drift",
        ("run_id", "source", "entity", "field", "kind"),
        {
            "field": "Path of the field in the source",
            "kind": "new (no mapping names it), missing or type (values of another kind)",
            "row_count": "Rows that showed it",
        },
    ),
    "ops.quarantined_rows": Entry(
        "one row per different row that broke a `stop` rule",
        ("quarantine_id",),
        {
            "quarantine_id": "Keyed hash of source, entity and content, so that the same row is stored once",
            "run_id": "Run that met it first",
            "row_key": "Our key of the row, NULL where it could not be read",
            "source_version": "Version of the row in its source",
            "reasons": "JSON list of the rules and columns that it broke, never a value",
            "payload": "The row as it came, encrypted",
            "quarantined_at": "Instant that the run stood for",
            "seen_count": "How often it was delivered",
            "state": "waiting, replayed, discarded or superseded (a newer good version came)",
            "state_reason": "Run or words of who moved it on",
            "expires_at": "When the payload is due to be removed",
        },
        "Not readable for the role `hansei_reader`.",
    ),
    "ops.changes": Entry(
        "one row per key that a run changed in a table, once for each time",
        ("change_id", "key"),
        {
            "change_id": "Order of the changes, one for all that was written together; models keep their place by it",
            "table_name": "Table that changed",
            "key": "Key that changed; `*` where the whole table was made anew",
            "operation": "upsert, delete or rebuild",
        },
        "Housekeeping removes what every reader has seen.",
    ),
    "ops.model_states": Entry(
        "one row per model, seed and indicator",
        ("model",),
        {
            "model": "Table of the model or seed; `indicator:` and the id of an indicator",
            "fingerprint": "Hash of everything that it is made of; a change rebuilds it",
            "position": "`change_id` of `ops.changes` up to which it has consumed",
            "run_id": "Run that brought it up to date",
            "rebuilt_because": "What the last refresh was: created, definition, changes, measured or pruned",
        },
    ),
    "ops.restatements": Entry(
        "one row per finished value that a run changed after it was said",
        ("restated_run_id", "indicator", "grain", "period_start", "segment_id"),
        {
            "restated_run_id": "Run that changed it",
            "restated_at": "Instant that this run stood for: from then on we say something else",
            "version": "Version of the definition that had counted what was said",
            "said_since": "Since when we had said it",
            "numerator_before": "Numerator as said",
            "subtrahend_before": "Subtrahend as said",
            "denominator_before": "Denominator as said",
            "sample_count_before": "Observations as said",
            "value_before": "Value as said",
            "lower_bound_before": "Lower bound as said",
            "upper_bound_before": "Upper bound as said",
            "state_before": "State as said",
            "numerator_after": "Numerator that replaced it; all of `_after` are NULL where the value is no more",
            "denominator_after": "Denominator that replaced it",
            "sample_count_after": "Observations that replaced them",
            "value_after": "Value that replaced it",
            "state_after": "State that replaced it",
            "reason": "late_data (how many were counted changed), correction (what they say changed), definition, "
            "calendar or sla",
        },
    ),
    "ops.identity_keys": Entry(
        "one row per identity key that pseudonyms were made with",
        ("key_id",),
        {
            "key_id": "Id of the key, which tells nothing of the key itself",
            "first_run_id": "First run with it",
        },
    ),
    "ops.erased_identities": Entry(
        "one row per hash that stands for a key or an address of somebody who was erased",
        ("token",),
        {
            "token": "Keyed hash; it stands in rows where the key or the pseudonym of the address stood",
            "erasure_id": "Erasure that brought it (`ops.erasures`); `learned` where an address arrived later",
            "key_id": "Id of the secret that the hash was made with, which tells nothing of the secret",
        },
        "Not in the read copy.",
    ),
    "ops.erasures": Entry(
        "one row per erasure of a person",
        ("erasure_id",),
        {
            "erasure_id": "Id of the erasure",
            "requested_at": "When it was asked for",
            "requested_by": "Who asked, as given on the command line; `retention` where their time was over",
            "reason": "Why, as given",
            "run_id": "Run that brought models and indicators up to date",
            "identity_count": "Keys and addresses by which the person was known",
            "row_count": "Rows of staging that were unlinked",
            "text_count": "Free texts of their tickets that were marked as erased, beside those of their own rows",
            "payload_count": "Payloads removed from quarantine",
            "spooled_count": "Rows unlinked in the spool",
            "part_count": "Parts of archived reviews that were erased",
            "state": "running or done; a running one is finished when it is asked for again, or by housekeeping",
            "ended_at": "When it was done",
        },
        "Neither the person's key nor its pseudonym is kept.",
    ),
    "ops.definitions_in_force": Entry(
        "one row per different set of definitions that a run worked with",
        ("definitions_hash",),
        {
            "run_id": "First run with them",
            "definitions": "JSON of all definitions",
        },
    ),
}
