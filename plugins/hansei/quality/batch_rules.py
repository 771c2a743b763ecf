"""Rules on a batch as a whole: rows against recent nights, freshness, keys that repeat, keys that lead nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from hansei.catalog import Catalog
from hansei.catalog.entities import Entity
from hansei.catalog.sources import Source
from hansei.sources.spool import EntityBatch
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.publication import landing_table
from hansei.warehouse.runs import Run

RECENT_NIGHTS = 14


@dataclass(frozen=True)
class BatchFinding:
    """What one batch-level rule found; `holds` keeps the whole batch back."""

    check_id: str
    scope: str
    severity: str
    checked: int
    failed: int
    message: str
    holds: bool = False

    def as_result(self) -> dict[str, Any]:
        result = "passed" if not self.failed else "failed" if self.holds else "warned"
        counts = {"checked_count": self.checked, "failed_count": self.failed}
        named = {"check_id": self.check_id, "scope": self.scope, "severity": self.severity}
        return {**named, **counts, "result": result, "message": self.message}


def batch_findings(
    warehouse: Warehouse, source: Source, entity: Entity, batch: EntityBatch, run: Run
) -> list[BatchFinding]:
    """Row count against the median of recent nights, freshness, and repeated keys."""
    return [
        _row_count(warehouse, source, entity, batch, run),
        _freshness(source, batch, run),
        _repeated_keys(warehouse, source, entity),
    ]


def _row_count(warehouse: Warehouse, source: Source, entity: Entity, batch: EntityBatch, run: Run) -> BatchFinding:
    band = source.row_count
    query = (
        "SELECT received_count FROM ops.batches WHERE source = :source AND entity = :entity AND run_id <> :run_id "
        "ORDER BY as_of DESC, run_id"
    )
    identity = {"source": source.id, "entity": entity.id, "run_id": run.run_id}
    recent = [row["received_count"] for row in warehouse.rows(query, identity)][:RECENT_NIGHTS]
    if len(recent) < band.minimum_nights or run.kind == "backfill" or not median(recent):
        message = f"{len(recent)} earlier nights, {band.minimum_nights} are needed to compare"
        return BatchFinding("row_count", "batch", "warn", 0, 0, message)
    usual = median(recent)
    share = batch.received / usual
    message = f"{batch.received} rows, {usual:g} are usual"
    holds = share < band.hold_below_ratio
    strays = holds or share < band.warn_below_ratio or share > band.warn_above_ratio
    return BatchFinding("row_count", "batch", "stop" if holds else "warn", 1, int(strays), message, holds)


def _freshness(source: Source, batch: EntityBatch, run: Run) -> BatchFinding:
    if batch.complete_until is None:
        return BatchFinding("freshness", "batch", "warn", 1, 1, "the source does not say how far it is complete")
    age = run.as_of - batch.complete_until
    hours = age.total_seconds() / 3600
    late = age > source.freshness.warn_after and run.kind != "backfill"
    return BatchFinding("freshness", "batch", "warn", 1, int(late), f"complete until {hours:.1f} h before the run")


def _repeated_keys(warehouse: Warehouse, source: Source, entity: Entity) -> BatchFinding:
    landing = landing_table(source.id, entity)
    keys = f"{entity.key}, source_version"
    counts = warehouse.rows(
        f"SELECT COUNT(*) AS checked, COUNT(*) - COUNT(DISTINCT ({keys})) AS failed FROM {landing}"
    )[0]
    message = "rows share key and version with another row of the batch" if counts["failed"] else ""
    return BatchFinding("unique_key", "batch", "warn", counts["checked"], counts["failed"], message)


def reference_findings(warehouse: Warehouse, catalog: Catalog, source: Source, entity: Entity) -> list[BatchFinding]:
    """Keys that should lead to rows of the same source but do not; other sources may simply arrive later."""
    landing = landing_table(source.id, entity)
    findings = []
    for name, column in entity.columns.items():
        if column.references not in source.entity_ids:
            continue
        target = catalog.entities[column.references]
        counts = warehouse.rows(
            f"SELECT COUNT({name}) AS checked, COUNT(CASE WHEN {name} IS NOT NULL AND target_key IS NULL THEN 1 END) "
            f"AS failed FROM {landing} AS landed "
            f"LEFT JOIN (SELECT {target.key} AS target_key FROM {target.table}) AS known "
            f"ON landed.{name} = known.target_key"
        )[0]
        message = f"{name} names no known row of {target.id}" if counts["failed"] else ""
        finding = BatchFinding(f"reference:{name}", "reference", "warn", counts["checked"], counts["failed"], message)
        findings.append(finding)
    return findings
