"""Holds what sources count of their own against our tables: every night, and on demand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa

from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.pipeline.context import Context
from hansei.quality.batch_rules import BatchFinding
from hansei.quality.tie_out import TieOut
from hansei.sources.spool import Manifest, TallyPart, read_manifest, read_part
from hansei.sources.tallies import take_tallies
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.runs import Run

CHECK = "source_counts"


def tie_out_run(context: Context, warehouse: Warehouse, run: Run) -> int:
    """Writes `ops.reconciliations` for the counts that came with the run's batches; number of rows.

    A back-fill compares nothing: the source counts as of today, and a back-fill asks for rows of another time.
    """
    if run.kind != "night":
        return 0
    written = 0
    for name in run.windows:
        source = context.catalog.sources.get(name)
        if source is None or not source.counts:
            continue
        manifest = read_manifest(context.settings, run.run_id, name)
        if manifest is not None:
            written += _tie_out_batch(context, warehouse, run, source, manifest)
    return written


def _tie_out_batch(context: Context, warehouse: Warehouse, run: Run, source: Source, manifest: Manifest) -> int:
    identity = {"run_id": run.run_id, "source": source.id}
    told = "SELECT COUNT(*) FROM ops.check_results WHERE run_id = :run_id AND source = :source AND check_id = :check"
    if warehouse.scalar(told, {**identity, "check": CHECK}):
        return 0  # an old run that is repeated: our tables know more by now than the source counted then
    written = 0
    for tally in manifest.tallies:
        if tally.kind != "counts" or tally.entity not in {counts.entity for counts in source.counts}:
            continue
        rows = []
        if tally.part is not None:
            theirs = read_part(manifest, tally.part)
            rows = _compare(context, warehouse, source, tally.entity, theirs, tally.taken_at)
        stored = [{**identity, "entity": tally.entity, "as_of": run.as_of, **row} for row in rows]
        warehouse.insert("ops.reconciliations", stored)
        result = {**identity, "entity": tally.entity, **_finding(tally, rows)}
        warehouse.insert("ops.check_results", [result])
        written += len(stored)
    return written


def reconcile_source(context: Context, source: Source) -> dict[str, list[dict[str, Any]]]:
    """Rows as in `ops.reconciliations` per entity, from counts that the source gives now. Nothing is stored.

    Raises the source's own error where it cannot count.
    """
    window = Window(None, context.now())
    tallies = list(take_tallies(source, context.catalog, context.settings, context.resolver, window))
    found = {}
    with open_warehouse(context.settings) as warehouse, warehouse.transaction():
        for tally in tallies:
            if tally.rows is None:
                raise tally.as_error()
            found[tally.entity] = _compare(context, warehouse, source, tally.entity, tally.rows, tally.taken_at)
    return found


def _compare(
    context: Context, warehouse: Warehouse, source: Source, entity: str, theirs: pa.Table, taken_at: datetime
) -> list[dict[str, Any]]:
    counts = next(counts for counts in source.counts if counts.entity == entity)
    reach = warehouse.scalar("SELECT complete_until FROM ops.watermarks WHERE source = :source", {"source": source.id})
    cells = TieOut(warehouse, context.catalog, context.settings, source, counts).compare(theirs, taken_at, reach)
    return [cell.as_row(place) for place, cell in cells.items()]


def _finding(tally: TallyPart, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The comparison as one check: rows that the source counts, and those whose difference nothing explains."""
    checked = sum(row["their_count"] for row in rows)
    failed = sum(abs(row["unexplained_count"]) for row in rows)
    days = len({row["day"] for row in rows if row["unexplained_count"]})
    message = tally.message or (
        f"{failed} rows on {days} days differ from the source's own count without an explanation" if failed else ""
    )
    result = BatchFinding(CHECK, "batch", "warn", checked, failed, message).as_result()
    return {**result, "result": "warned"} if tally.part is None else result
