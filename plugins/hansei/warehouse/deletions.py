"""Tombstones: rows whose keys the source itself lists as deleted."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog.entities import Entity
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.publication import bury, record_changes
from hansei.warehouse.runs import Run
from hansei.warehouse.tables import create_table

# Versions that are times begin with one of this form; as text they order as the times do.
VERSION_FORMAT, VERSION_LENGTH = "%Y-%m-%dT%H:%M:%SZ", len("2026-03-01T00:00:00.000000Z")


def bury_listed(
    warehouse: Warehouse, entity: Entity, source: str, run: Run, listed: pa.Table, has_time_versions: bool
) -> int:
    """Marks the listed rows (columns key, deleted_at in naive UTC) as deleted, in the caller's transaction; how many.

    A line without a time means the window's end. Where versions are times, a row that is newer than its deletion was
    restored and stays; one that is buried takes the deletion as its version, so that older states that arrive later
    do not bring it back.
    """
    end = run.windows[source].end
    at = pc.fill_null(listed["deleted_at"].combine_chunks(), pa.scalar(end, listed["deleted_at"].type))
    told = pa.table({"key": listed["key"], "deleted_at": at, "version": pc.strftime(at, VERSION_FORMAT)})
    columns = {"key": "text", "deleted_at": "timestamp", "version": "text"}
    create_table(warehouse, "run_deletions", columns, temporary=True)
    create_table(warehouse, "run_subjects", {"key": "text", "operation": "text"}, temporary=True)
    warehouse.load("run_deletions", told)
    if not warehouse.sql.is_duckdb:
        warehouse.execute("ANALYZE run_deletions")
    key = f"{entity.table}.{entity.key}"
    parameters = {"source": source, "run_id": run.run_id}
    gone = f"{entity.key} IN (SELECT told.key FROM run_deletions AS told)"
    own_version = f"SUBSTR({entity.table}.source_version, 1, {VERSION_LENGTH})"
    if has_time_versions:
        newer = f"SELECT 1 FROM run_deletions AS told WHERE told.key = {key} AND {own_version} > told.version"
        gone += f" AND NOT EXISTS ({newer})"
    try:
        when = f"(SELECT told.deleted_at FROM run_deletions AS told WHERE told.key = {key})"
        count = bury(warehouse, entity, gone, parameters, when)
        if count and has_time_versions:
            warehouse.execute(
                f"UPDATE {entity.table} SET source_version = told.version FROM run_deletions AS told "
                f"WHERE told.key = {key} AND {entity.table}.source = :source "
                f"AND {entity.table}.loaded_run_id = :run_id AND {entity.table}.deleted_at = told.deleted_at",
                parameters,
            )
        if count:
            record_changes(warehouse, entity.table, run.run_id, "SELECT key, operation FROM run_subjects")
    finally:
        for name in ("run_deletions", "run_subjects"):
            warehouse.execute(f"DROP TABLE {name}")
    return count
