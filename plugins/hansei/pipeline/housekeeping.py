"""What a night clears away: batches published and changes consumed a week ago, payloads that waited long enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hansei.pipeline.context import Context
from hansei.sources.spool import discard_batch, discard_pages, kept_pages, safe_name
from hansei.warehouse import Warehouse
from hansei.warehouse.changes import prune_changes
from hansei.warehouse.read_copy import copied_position
from hansei.warehouse.runs import Run

CHANGES_KEPT_FOR = timedelta(days=7)
# Older batches were looked at on the nights before; a pause of the nights this long leaves files, never data, behind.
SPOOL_LOOKED_BACK = timedelta(days=60)


def tidy(context: Context, warehouse: Warehouse, run: Run) -> dict[str, int]:
    """Removes what may go as of the run; how many batches, half-read sources and payloads went."""
    return {
        "batches": _discard_batches(context, warehouse, run),
        "pages": _discard_pages(context, warehouse, run),
        "payloads": _expire_payloads(warehouse, run),
    }


def tidy_changes(context: Context, warehouse: Warehouse, run: Run) -> int:
    """Removes changes that are consumed and old; how many. Outside of a transaction: it looks into the read copies."""
    copied = copied_position(warehouse, context.settings)
    with warehouse.transaction():
        return prune_changes(warehouse, context.catalog, run.as_of - CHANGES_KEPT_FOR, run.run_id, copied)


def _discard_batches(context: Context, warehouse: Warehouse, run: Run) -> int:
    """Only published batches: one that failed or is held may still be needed."""
    due = warehouse.rows(
        "SELECT source_runs.run_id, source_runs.source FROM ops.source_runs AS source_runs "
        "INNER JOIN ops.runs AS runs ON runs.run_id = source_runs.run_id "
        "WHERE source_runs.state = 'published' AND runs.as_of < :due AND runs.as_of >= :looked_back "
        "ORDER BY source_runs.run_id, source_runs.source",
        {
            "due": run.as_of - context.catalog.privacy_rules.retention.spool,
            "looked_back": run.as_of - SPOOL_LOOKED_BACK,
        },
    )
    for row in due:
        discard_batch(context.settings, row["run_id"], row["source"])
    return len(due)


def _discard_pages(context: Context, warehouse: Warehouse, run: Run) -> int:
    """Pages of extractions that broke off and were not taken up again; an attempt that comes still reads all anew.

    Pages of a run that is open stay, and so do those that were written to of late, whatever the run's clock says. A
    run stays `running` where its process was killed; it is open only as long as no later one was begun.
    """
    keep = context.catalog.privacy_rules.retention.spool
    newest = warehouse.scalar("SELECT MAX(started_at) FROM ops.runs")
    known = {safe_name(row["run_id"]): row for row in warehouse.rows("SELECT * FROM ops.runs")}
    count = 0
    for directory, source, written in kept_pages(context.settings):
        own = known.get(directory)
        is_open = own is not None and own["state"] == "running" and own["started_at"] == newest
        is_young = own is not None and own["as_of"] >= run.as_of - keep
        if not (is_open or is_young or written >= datetime.now(UTC).replace(tzinfo=None) - keep):
            discard_pages(context.settings, directory, source)
            count += 1
    return count


def _expire_payloads(warehouse: Warehouse, run: Run) -> int:
    """The row stays counted with its reasons; its content goes, and with it the chance to replay it."""
    expired = "expires_at <= :as_of AND payload IS NOT NULL"
    parameters = {"as_of": run.as_of}
    count = warehouse.scalar(f"SELECT COUNT(*) FROM ops.quarantined_rows WHERE {expired}", parameters)
    if count:
        warehouse.execute(
            "UPDATE ops.quarantined_rows SET payload = NULL, "
            "state_reason = CASE WHEN state = 'waiting' THEN 'its time in quarantine is over' ELSE state_reason END, "
            f"state = CASE WHEN state = 'waiting' THEN 'expired' ELSE state END WHERE {expired}",
            parameters,
        )
    return count
