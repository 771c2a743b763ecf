"""What a brief's figures stand on: rows by fate, quarantine, drift, restatements, links, exclusions."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime

from hansei.catalog import Catalog
from hansei.indicators.periods import local_date
from hansei.pipeline.tie_out_totals import newest_tie_outs
from hansei.reviews.foundations import (
    BatchCount,
    CheckWarned,
    Drift,
    Excluded,
    Honesty,
    QuarantineCount,
    Restated,
    TimeAdjustments,
    Unlinked,
)
from hansei.warehouse import Warehouse

_FATES = ("received", "accepted", "quarantined", "duplicate", "held", "conflict")


def gather_honesty(
    warehouse: Warehouse,
    catalog: Catalog,
    grain: str,
    period_start: date,
    following: date,
    as_of: datetime,
    labels: dict[str, str],
) -> Honesty:
    """Everything since the period began, because a night after it may still bring rows that belong to it."""
    since = {"since": catalog.service.midnight(period_start), "as_of": as_of}
    counted = {"first": period_start, "following": following}
    sums = ", ".join(f"CAST(SUM({fate}_count) AS BIGINT) AS {fate}" for fate in _FATES)
    batches = warehouse.rows(
        f"SELECT source, entity, {sums}, CAST(SUM(ambiguous_time_count) AS BIGINT) AS ambiguous, "
        "CAST(SUM(nonexistent_time_count) AS BIGINT) AS nonexistent FROM ops.batches "
        "WHERE as_of > :since AND as_of <= :as_of GROUP BY source, entity ORDER BY source, entity",
        since,
    )
    return Honesty(
        batches=tuple(
            BatchCount(source=row["source"], entity=row["entity"], **{fate: row[fate] for fate in _FATES})
            for row in batches
        ),
        quarantine=tuple(_quarantine(warehouse)),
        drift=tuple(_drift(warehouse, catalog)),
        restatements=tuple(_restatements(warehouse, catalog, grain, since, labels)),
        unlinked=tuple(_unlinked(warehouse, counted)),
        excluded=tuple(_excluded(warehouse, catalog, counted)),
        time_adjustments=TimeAdjustments(
            ambiguous=sum(row["ambiguous"] or 0 for row in batches),
            nonexistent=sum(row["nonexistent"] or 0 for row in batches),
        ),
        checks_warned=tuple(_warned(warehouse, since)),
        tie_outs=tuple(newest_tie_outs(warehouse, as_of)),
    )


def _quarantine(warehouse: Warehouse) -> list[QuarantineCount]:
    """Rows that wait now, by the first rule that each broke, so that the counts add up to the rows."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in warehouse.rows("SELECT source, entity, reasons FROM ops.quarantined_rows WHERE state = 'waiting'"):
        first = json.loads(row["reasons"])[0]
        rule = first["rule"] if ":" in first["rule"] or not first["column"] else f"{first['rule']}:{first['column']}"
        counts[row["source"], row["entity"], rule] += 1
    return [
        QuarantineCount(source=source, entity=entity, rule=rule, count=count)
        for (source, entity, rule), count in sorted(counts.items())
    ]


def _drift(warehouse: Warehouse, catalog: Catalog) -> list[Drift]:
    query = (
        "SELECT source, entity, field, kind, MIN(as_of) AS first_seen, CAST(SUM(row_count) AS BIGINT) AS row_count "
        "FROM ops.drift_findings GROUP BY source, entity, field, kind ORDER BY source, entity, field, kind"
    )
    return [
        Drift(
            source=row["source"],
            entity=row["entity"],
            field=row["field"],
            kind=row["kind"],
            first_seen=local_date(row["first_seen"], catalog.service.zone),
            count=row["row_count"],
        )
        for row in warehouse.rows(query)
    ]


def _restatements(
    warehouse: Warehouse, catalog: Catalog, grain: str, since: dict, labels: dict[str, str]
) -> list[Restated]:
    query = (
        "SELECT * FROM ops.restatements WHERE restated_at > :since AND restated_at <= :as_of AND grain = :grain "
        "AND reason <> 'definition' ORDER BY period_start DESC, indicator, segment_id, restated_at"
    )
    return [
        Restated(
            indicator_id=row["indicator"],
            grain=row["grain"],
            period_start=row["period_start"],
            segment_id=row["segment_id"],
            segment_label=labels.get(row["segment_id"], row["segment_id"]),
            value_before=row["value_before"],
            value_after=row["value_after"],
            known_since=row["restated_at"],
            reason=row["reason"],
        )
        for row in warehouse.rows(query, since | {"grain": grain})
        if row["indicator"] in catalog.indicators
    ]


def _unlinked(warehouse: Warehouse, counted: dict) -> list[Unlinked]:
    row = warehouse.rows(
        "SELECT COUNT(CASE WHEN account_id IS NULL THEN 1 END) AS unlinked, COUNT(*) AS total FROM core.tickets "
        "WHERE created_date >= :first AND created_date < :following",
        counted,
    )[0]
    return [Unlinked(kind="account", count=row["unlinked"], of=row["total"])] if row["unlinked"] else []


def _excluded(warehouse: Warehouse, catalog: Catalog, counted: dict) -> list[Excluded]:
    found = []
    for name, condition in sorted(catalog.tables["core.tickets"].exclusions.items()):
        created = "created_date >= :first AND created_date < :following"
        count = warehouse.scalar(f"SELECT COUNT(*) FROM core.tickets WHERE {created} AND ({condition})", counted)
        if count:
            found.append(Excluded(reason=name, count=count))
    return found


def _warned(warehouse: Warehouse, since: dict) -> list[CheckWarned]:
    query = (
        "SELECT results.source, results.entity, results.check_id, results.message, results.checked_count, "
        "results.failed_count FROM ops.check_results AS results "
        "INNER JOIN ops.runs AS runs ON runs.run_id = results.run_id "
        "WHERE results.result = 'warned' AND runs.as_of > :since AND runs.as_of <= :as_of "
        "ORDER BY results.source, results.entity, results.check_id, runs.as_of"
    )
    newest = {(row["source"], row["entity"], row["check_id"]): row for row in warehouse.rows(query, since)}
    return [
        CheckWarned(
            source=source or "warehouse",
            entity=entity,
            check=check,
            message=row["message"] or "",
            checked=row["checked_count"],
            failed=row["failed_count"],
        )
        for (source, entity, check), row in sorted(newest.items())
    ]
