"""Quarantined rows judged again after a definition, a rule or the source was mended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from hansei.catalog.windows import Window
from hansei.errors import HanseiError
from hansei.pipeline.context import Context
from hansei.pipeline.nightly import judge, measure, model, share
from hansei.pipeline.side_runs import open_side_run
from hansei.quality.quarantine import Quarantine
from hansei.quality.rules import row_rules, scales_for
from hansei.quality.validation import Suite
from hansei.sources.replay import remap
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.publication import land, merge
from hansei.warehouse.tables import evolve


def replay(
    context: Context,
    source: str | None = None,
    identity: str | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, int]:
    """Maps and validates waiting rows again; those that pass are merged, modelled and measured. Counts of rows.

    The rows take the road of any late row: what they change in earlier periods is restated.
    """
    totals = {"waiting": 0, "accepted": 0, "duplicate": 0, "still_refused": 0}
    with open_warehouse(context.settings) as warehouse:
        evolve(warehouse, context.catalog)
        quarantine = Quarantine(warehouse, context.settings)
        groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
        for row in quarantine.waiting(source, identity):
            groups[row["source"], row["entity"], row["run_id"]].append(row)
        if not groups:
            return totals
        with warehouse.transaction():
            run_id = open_side_run(context, warehouse, "replay", "quarantine replay")
            for ordinal, ((name, entity, origin), rows) in enumerate(sorted(groups.items())):
                counts = _replay_group(context, warehouse, quarantine, run_id, name, entity, origin, rows, ordinal)
                tell(f"{name}.{entity}: {counts['accepted']} of {len(rows)} rows accepted")
                for key, value in counts.items():
                    totals[key] += value
    if totals["accepted"]:
        for stage in (model, measure, judge, share):
            stage(context, run_id)
            tell(f"{stage.__name__}: done")
    return totals


def _replay_group(
    context: Context,
    warehouse: Warehouse,
    quarantine: Quarantine,
    run_id: str,
    name: str,
    entity_id: str,
    origin: str,
    rows: list[dict[str, Any]],
    ordinal: int,
) -> dict[str, int]:
    source = context.catalog.sources.get(name)
    if source is None:
        raise HanseiError(f"source {name!r}", "is no longer defined", "define it again, or discard its rows")
    entity = context.catalog.entities[entity_id]
    window = _window(warehouse, name, origin)
    records = [quarantine.payload(row) for row in rows]
    mapped = remap(source, context.catalog, context.settings, entity_id, records, window)
    good = np.ones(mapped.num_rows, dtype=bool)
    good &= ~mapped.column("faults").is_valid().to_numpy(zero_copy_only=False)
    rules = row_rules(entity, window.end, scales_for(warehouse, context.catalog, entity))
    for outcome in Suite(f"{entity_id}_{ordinal}", rules).validate(mapped):
        if outcome.rule.severity == "stop":
            good[list(outcome.failed_rows)] = False
    passed = {int(row) for row in mapped.filter(pa.array(good)).column("raw_row").to_pylist()}
    refused = {int(row) for row in mapped.filter(pa.array(~good)).column("raw_row").to_pylist()}
    # A record that still has a bad row stays whole in quarantine, so that it is never half there.
    ready = sorted(passed - refused)
    accepted = mapped.filter(pa.array([int(row) in set(ready) for row in mapped.column("raw_row").to_pylist()]))
    landed = land(warehouse, name, entity, [accepted])
    merged = merge(warehouse, entity, name, run_id, window.end, landed, is_snapshot=False)
    quarantine.mark([rows[position]["quarantine_id"] for position in ready], "replayed", run_id)
    counts = {
        "waiting": len(rows),
        "accepted": merged.accepted,
        "duplicate": merged.duplicate,
        "still_refused": len(rows) - len(ready),
    }
    _account(warehouse, run_id, name, entity_id, landed + counts["still_refused"], counts, merged.conflict)
    return counts


def _window(warehouse: Warehouse, source: str, run_id: str) -> Window:
    query = "SELECT window_start, window_end FROM ops.source_runs WHERE run_id = :run_id AND source = :source"
    rows = warehouse.rows(query, {"run_id": run_id, "source": source})
    if rows:
        return Window(None, rows[0]["window_end"])
    return Window(None, warehouse.scalar("SELECT MAX(as_of) FROM ops.runs"))


def _account(
    warehouse: Warehouse, run_id: str, source: str, entity: str, received: int, counts: dict[str, int], conflict: int
) -> None:
    as_of = warehouse.scalar("SELECT as_of FROM ops.runs WHERE run_id = :run_id", {"run_id": run_id})
    fates = {
        "received_count": received,
        "accepted_count": counts["accepted"],
        "quarantined_count": counts["still_refused"],
        "duplicate_count": counts["duplicate"],
        "held_count": 0,
        "conflict_count": conflict,
        "deleted_count": 0,
        "ambiguous_time_count": 0,
        "nonexistent_time_count": 0,
    }
    identity = {"run_id": run_id, "source": source, "entity": entity, "as_of": as_of}
    known = warehouse.rows(
        "SELECT * FROM ops.batches WHERE run_id = :run_id AND source = :source AND entity = :entity",
        {"run_id": run_id, "source": source, "entity": entity},
    )
    if known:  # rows of several nights are one replay
        fates = {name: value + known[0][name] for name, value in fates.items()}
        warehouse.execute(
            "DELETE FROM ops.batches WHERE run_id = :run_id AND source = :source AND entity = :entity",
            {"run_id": run_id, "source": source, "entity": entity},
        )
    warehouse.insert("ops.batches", [{**identity, **fates, "state": "published", "is_balanced": True}])
