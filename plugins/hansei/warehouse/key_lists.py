"""Key reconciliation: rows that a complete list of the source's keys lacks were deleted there without a word.

A list deletes only what it can prove: it is complete, not older than the rows, and lacks no more than the share of
rows that its definition admits. Rows that it deleted and a later list has again come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.entities import Entity
from hansei.catalog.source_tallies import KeyList
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.publication import bury, record_changes
from hansei.warehouse.runs import Run
from hansei.warehouse.tables import create_table

# A run that starts a little earlier than a week after the last one still is the next week's.
EARLY = timedelta(hours=2)


@dataclass(frozen=True)
class KeyReconciliation:
    """What became of one list. state: applied, refused (nothing was deleted) or unreadable."""

    state: str
    listed: int = 0
    known: int = 0
    absent: int = 0
    deleted: int = 0
    revived: int = 0
    message: str = ""

    def as_row(self, run: Run, source: str, entity: str) -> dict[str, Any]:
        identity = {"run_id": run.run_id, "source": source, "entity": entity, "as_of": run.as_of}
        counts = {f"{name}_count": getattr(self, name) for name in ("listed", "known", "absent", "deleted", "revived")}
        end = run.windows[source].end
        return {**identity, "window_end": end, "state": self.state, **counts, "message": self.message}


def due_key_lists(warehouse: Warehouse, catalog: Catalog, run: Run) -> dict[str, list[str]]:
    """Entities per source whose key list is due: never applied, `every` ago, or rows are ours and no longer theirs.

    A back-fill asks for none.
    """
    if run.kind != "night":
        return {}
    query = (
        "SELECT source, entity, MAX(as_of) AS as_of FROM ops.key_reconciliations "
        "WHERE state = 'applied' AND run_id <> :run_id GROUP BY source, entity"
    )
    applied = {(row["source"], row["entity"]): row["as_of"] for row in warehouse.rows(query, {"run_id": run.run_id})}
    vanished = _vanished(warehouse)
    due: dict[str, list[str]] = {}
    for source in catalog.sources.values():
        if source.id not in run.windows:
            continue
        for keys in source.keys:
            last = applied.get((source.id, keys.entity))
            if last is None or last + keys.every - EARLY <= run.as_of or (source.id, keys.entity) in vanished:
                due.setdefault(source.id, []).append(keys.entity)
    return due


def _vanished(warehouse: Warehouse) -> set[tuple[str, str]]:
    """Source and entity of which the last tie-out found rows that the source no longer counts, unexplained."""
    query = (
        "SELECT source, entity FROM ops.reconciliations AS told WHERE unexplained_count < 0 AND as_of = "
        "(SELECT MAX(as_of) FROM ops.reconciliations AS newest "
        "WHERE newest.source = told.source AND newest.entity = told.entity) GROUP BY source, entity"
    )
    return {(row["source"], row["entity"]) for row in warehouse.rows(query)}


def reconcile_keys(
    warehouse: Warehouse,
    entity: Entity,
    source: str,
    run: Run,
    declared: KeyList,
    listed: pa.Table,
    taken_at: datetime,
    rows_until: datetime | None,
    spared: str | None = None,
) -> KeyReconciliation:
    """Holds the source's living rows against the list (column key) within the caller's transaction.

    taken_at: up to when the list knows; rows_until: up to when the rows are known. Both naive UTC. spared: pattern
    (LIKE) of keys that no list can hold.
    """
    if rows_until is not None and taken_at < rows_until:
        message = f"the list tells of {taken_at:%Y-%m-%d %H:%M}, the rows of {rows_until:%Y-%m-%d %H:%M} (UTC)"
        return KeyReconciliation("refused", listed.num_rows, message=message)
    for name, columns in (("run_listed", {"key": "text"}), ("run_subjects", {"key": "text", "operation": "text"})):
        create_table(warehouse, name, columns, temporary=True)
    warehouse.load("run_listed", listed)
    if not warehouse.sql.is_duckdb:
        warehouse.execute("ANALYZE run_listed")
    try:
        found = _reconcile(warehouse, entity, source, run, declared, listed.num_rows, spared)
        if found.deleted or found.revived:
            record_changes(warehouse, entity.table, run.run_id, "SELECT key, operation FROM run_subjects")
    finally:
        for name in ("run_listed", "run_subjects"):
            warehouse.execute(f"DROP TABLE {name}")
    return found


def _reconcile(
    warehouse: Warehouse, entity: Entity, source: str, run: Run, declared: KeyList, listed: int, spared: str | None
) -> KeyReconciliation:
    absent = f"{entity.key} NOT IN (SELECT key FROM run_listed)"
    if "merged_into_ticket_id" in entity.columns:
        # Many systems list a merged ticket no longer; it lives on in another, and is known as merged.
        absent += " AND merged_into_ticket_id IS NULL"
    if spared is not None:
        absent += f" AND {entity.key} NOT LIKE '{spared}'"
    known, missing = warehouse.rows(
        f"SELECT COUNT(*) AS known, COUNT(CASE WHEN {absent} THEN 1 END) AS missing FROM {entity.table} "
        "WHERE source = :source AND deleted_at IS NULL",
        {"source": source},
    )[0].values()
    if missing > declared.most_deleted_ratio * known:
        message = (
            f"{missing} of {known} rows are not in the list of {listed} keys; "
            f"more than {declared.most_deleted_ratio:.0%} are deleted only after most_deleted_ratio was raised"
        )
        return KeyReconciliation("refused", listed, known, missing, message=message)
    revived = _revive(warehouse, entity, source, run)
    parameters = {"source": source, "run_id": run.run_id, "window_end": run.windows[source].end}
    deleted = bury(warehouse, entity, absent, parameters)
    return KeyReconciliation("applied", listed, known, missing, deleted, revived)


def _revive(warehouse: Warehouse, entity: Entity, source: str, run: Run) -> int:
    """Takes back what earlier lists deleted and this one has; what the source itself calls deleted stays so."""
    parameters = {"source": source, "entity": entity.id}
    back = (
        f"source = :source AND deleted_at IS NOT NULL AND {entity.key} IN (SELECT key FROM run_listed) AND EXISTS "
        "(SELECT 1 FROM ops.key_reconciliations AS earlier WHERE earlier.source = :source "
        f"AND earlier.entity = :entity AND earlier.deleted_count > 0 AND earlier.run_id = {entity.table}.loaded_run_id "
        f"AND earlier.window_end = {entity.table}.deleted_at)"
    )
    count = warehouse.scalar(f"SELECT COUNT(*) FROM {entity.table} WHERE {back}", parameters)
    if count:
        subjects = f"SELECT DISTINCT {entity.subject_key}, 'upsert' FROM {entity.table} WHERE {back}"
        warehouse.execute(f"INSERT INTO run_subjects {subjects}", parameters)
        warehouse.execute(
            f"UPDATE {entity.table} SET deleted_at = NULL, loaded_run_id = :run_id WHERE {back}",
            {**parameters, "run_id": run.run_id},
        )
    return count
