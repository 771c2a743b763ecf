"""Merging accepted rows into staging: the greatest version of a key wins, in whatever order versions arrive.

The merge is set-based and leaves three things behind in one transaction: the staging rows, the versions of values
that segments are frozen by, and the subjects that changed, in `ops.changes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from hansei.catalog.entities import Entity
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.tables import create_table, staging_columns

LANDED_COLUMNS = ("source_version", "content_hash", "extra", "deleted_at")


@dataclass(frozen=True)
class MergeCounts:
    """Rows of one batch by fate; `accepted + duplicate` is what landed. `conflict` only marks some of them."""

    accepted: int
    duplicate: int
    conflict: int
    deleted: int


def landing_table(source: str, entity: Entity) -> str:
    return f"landing.{source}__{entity.id}"


def land(warehouse: Warehouse, source: str, entity: Entity, parts: Iterable[pa.Table]) -> int:
    """Replaces the source's landing table of this entity by the accepted rows of a batch; number of rows."""
    table = landing_table(source, entity)
    columns = {name: kind for name, kind in staging_columns(entity).items() if name not in ("source", "loaded_run_id")}
    warehouse.execute(f"DROP TABLE IF EXISTS {table}")
    create_table(warehouse, table, columns)
    count = 0
    for part in parts:
        warehouse.load(table, part.select(list(columns)))
        count += part.num_rows
    return count


def merge(
    warehouse: Warehouse,
    entity: Entity,
    source: str,
    run_id: str,
    window_end: datetime,
    landed: int,
    is_snapshot: bool,
    kept_keys: Iterable[str] = (),
) -> MergeCounts:
    """Merges the landing table into staging.

    `is_snapshot` says that the batch is complete and current, so that absence means deletion; `kept_keys` are keys
    that were in the snapshot but wait in quarantine, and are therefore not absent.
    """
    landing = landing_table(source, entity)
    key = entity.key
    parameters = {"source": source, "run_id": run_id, "window_end": window_end}
    with warehouse.transaction():
        is_distinct = _rank(warehouse, landing, entity)
        _compare(warehouse, entity, is_snapshot)
        accepted, conflict, advanced = warehouse.rows(
            "SELECT COUNT(CASE WHEN is_winner THEN 1 END) AS accepted, COUNT(CASE WHEN is_conflict THEN 1 END) "
            "AS conflict, COUNT(CASE WHEN is_advanced THEN 1 END) AS advanced FROM run_compared"
        )[0].values()
        if not is_distinct:
            conflict += _count_conflicts_within(warehouse, landing, entity)
        _create_subjects(warehouse, entity)
        _keep_versions(warehouse, entity, landing, parameters)
        if advanced:
            _advance_identical(warehouse, entity)
        won = f"{key} IN (SELECT {key} FROM run_compared WHERE is_winner"
        warehouse.execute(f"DELETE FROM {entity.table} WHERE {won} AND NOT is_new)")
        names = ", ".join([*entity.columns, *LANDED_COLUMNS])
        is_all = accepted == warehouse.scalar("SELECT COUNT(*) FROM run_best")
        warehouse.execute(
            f"INSERT INTO {entity.table} ({names}, source, loaded_run_id) "
            f"SELECT {names}, :source, :run_id FROM run_best{'' if is_all else f' WHERE {won})'}",
            parameters,
        )
        deleted = _delete_absent(warehouse, entity, kept_keys, parameters) if is_snapshot else 0
        record_changes(warehouse, entity.table, run_id, "SELECT key, operation FROM run_subjects")
        for name in ("run_best", "run_compared", "run_subjects"):
            warehouse.execute(f"DROP TABLE {name}")
    return MergeCounts(accepted, landed - accepted, conflict, deleted)


def _rank(warehouse: Warehouse, landing: str, entity: Entity) -> bool:
    """Leaves the greatest version of each key of the batch in `run_best`; whether every key came only once."""
    names = ", ".join([*entity.columns, *LANDED_COLUMNS])
    # The engines disagree on where NULL stands, so every column that may be NULL says it.
    order = "source_version DESC, content_hash DESC, deleted_at DESC NULLS LAST, extra DESC NULLS LAST"
    distinct = warehouse.scalar(f"SELECT COUNT(*) - COUNT(DISTINCT {entity.key}) FROM {landing}") == 0
    if distinct:
        warehouse.execute(f"CREATE TEMPORARY TABLE run_best AS SELECT {names} FROM {landing}")
    else:
        warehouse.execute(
            f"CREATE TEMPORARY TABLE run_best AS SELECT {names} FROM (SELECT {names}, "
            f"ROW_NUMBER() OVER (PARTITION BY {entity.key} ORDER BY {order}) AS rank_in_batch "
            f"FROM {landing}) AS ranked "
            "WHERE rank_in_batch = 1"
        )
    if not warehouse.sql.is_duckdb:
        warehouse.execute("ANALYZE run_best")
    return distinct


def _compare(warehouse: Warehouse, entity: Entity, is_snapshot: bool) -> None:
    """One row per key of the batch that does something, with what: staging is searched this once.

    `is_winner`: the row is new or replaces the stored one; `is_conflict`: same version, other content; `is_advanced`:
    only the version is newer. `subject` and `subject_before` stand there where the subject is not the key itself.
    """
    key, subject = entity.key, entity.subject_key
    # A snapshot brings back what an earlier one lacked, even where the source did not raise the version.
    revived = "OR (stored.deleted_at IS NOT NULL AND best.deleted_at IS NULL)" if is_snapshot else ""
    wins = (
        f"stored.{key} IS NULL "
        "OR (best.source_version > stored.source_version AND (best.content_hash <> stored.content_hash "
        "OR best.deleted_at IS DISTINCT FROM stored.deleted_at)) "
        "OR (best.source_version = stored.source_version AND best.content_hash > stored.content_hash) "
        "OR (best.source_version = stored.source_version AND best.content_hash = stored.content_hash "
        "AND best.deleted_at > COALESCE(stored.deleted_at, TIMESTAMP '0001-01-01 00:00:00')) "
        f"{revived}"
    )
    conflicts = "best.source_version = stored.source_version AND best.content_hash <> stored.content_hash"
    advances = (
        "best.content_hash = stored.content_hash AND best.deleted_at IS NOT DISTINCT FROM stored.deleted_at "
        "AND best.source_version > stored.source_version"
    )
    subjects = f", best.{subject} AS subject, stored.{subject} AS subject_before" if subject != key else ""
    warehouse.execute(
        f"CREATE TEMPORARY TABLE run_compared AS SELECT * FROM (SELECT best.{key}, stored.{key} IS NULL AS is_new, "
        f"COALESCE({wins}, FALSE) AS is_winner, COALESCE({conflicts}, FALSE) AS is_conflict, "
        f"COALESCE({advances}, FALSE) AS is_advanced{subjects} "
        f"FROM run_best AS best LEFT JOIN {entity.table} AS stored ON stored.{key} = best.{key}) AS compared "
        "WHERE is_winner OR is_conflict OR is_advanced"
    )
    if not warehouse.sql.is_duckdb:
        warehouse.execute("ANALYZE run_compared")


def _count_conflicts_within(warehouse: Warehouse, landing: str, entity: Entity) -> int:
    """Rows of the batch that share key and version with the best of their key, but not its content."""
    return warehouse.scalar(
        f"SELECT COUNT(*) FROM {landing} AS landed JOIN run_best AS best ON best.{entity.key} = landed.{entity.key} "
        "AND best.source_version = landed.source_version AND best.content_hash <> landed.content_hash"
    )


def _advance_identical(warehouse: Warehouse, entity: Entity) -> None:
    """A newer version of the same content moves the version (and what no column holds): order of arrival stays free."""
    key = entity.key
    warehouse.execute(
        f"UPDATE {entity.table} SET source_version = best.source_version, extra = best.extra FROM run_best AS best "
        f"WHERE best.{key} = {entity.table}.{key} AND best.content_hash = {entity.table}.content_hash "
        f"AND best.deleted_at IS NOT DISTINCT FROM {entity.table}.deleted_at "
        f"AND best.source_version > {entity.table}.source_version"
    )


def _create_subjects(warehouse: Warehouse, entity: Entity) -> None:
    """The subjects of rows that arrive or are replaced: an event that moves to another ticket touches both."""
    if entity.subject_key == entity.key:
        subjects = f"SELECT {entity.key} AS key, 'upsert' AS operation FROM run_compared WHERE is_winner"
    else:
        subjects = (
            "SELECT DISTINCT key, 'upsert' AS operation FROM ("
            "SELECT subject AS key FROM run_compared WHERE is_winner "
            "UNION ALL SELECT subject_before AS key FROM run_compared WHERE is_winner AND NOT is_new) AS subjects "
            "WHERE key IS NOT NULL"
        )
    warehouse.execute(f"CREATE TEMPORARY TABLE run_subjects AS {subjects}")


def _delete_absent(warehouse: Warehouse, entity: Entity, kept_keys: Iterable[str], parameters: dict) -> int:
    key = entity.key
    create_table(warehouse, "run_kept", {"key": "text"}, temporary=True)
    warehouse.load("run_kept", pa.table({"key": pa.array(list(kept_keys), pa.string())}))
    absent = f"{key} NOT IN (SELECT {key} FROM run_best) AND {key} NOT IN (SELECT key FROM run_kept)"
    count = bury(warehouse, entity, absent, parameters)
    warehouse.execute("DROP TABLE run_kept")
    return count


def bury(warehouse: Warehouse, entity: Entity, absent: str, parameters: dict, at: str = ":window_end") -> int:
    """Marks the source's living rows that meet the condition as deleted at `at` (SQL); how many.

    Their subjects are added to `run_subjects` (key, operation), which the caller hands to `record_changes`.
    """
    gone = f"source = :source AND deleted_at IS NULL AND {absent}"
    source = {"source": parameters["source"]}
    count = warehouse.scalar(f"SELECT COUNT(*) FROM {entity.table} WHERE {gone}", source)
    if count:
        warehouse.execute(
            f"INSERT INTO run_subjects SELECT DISTINCT {entity.subject_key}, 'delete' FROM {entity.table} "
            f"WHERE {gone} AND {entity.subject_key} NOT IN (SELECT key FROM run_subjects)",
            source,
        )
        warehouse.execute(
            f"UPDATE {entity.table} SET deleted_at = {at}, loaded_run_id = :run_id WHERE {gone}", parameters
        )
    return count


def _keep_versions(warehouse: Warehouse, entity: Entity, landing: str, parameters: dict) -> None:
    """Keeps every version of the values that segments are frozen by, whatever order versions arrive in.

    Versions that the source itself gives are all kept, for one between two of them may still come. A version that is
    only the window's end repeats every night, so it is kept where its values differ from the version before it. As in
    staging, the greatest content hash wins within a version.
    """
    if not entity.keeps_versions:
        return
    key, table = entity.key, f"{entity.table}_versions"
    kept = ", ".join(entity.keeps_versions)
    names = f"{key}, source_version, content_hash, {kept}"
    before = ", ".join(f"LAG({name}) OVER by_version AS {name}_before" for name in entity.keeps_versions)
    differs = " OR ".join(f"{name} IS DISTINCT FROM {name}_before" for name in entity.keeps_versions)
    same_version = f"known.{key} = arriving.{key} AND known.source_version = arriving.source_version"
    warehouse.execute(
        f"CREATE TEMPORARY TABLE run_versions AS WITH ranked AS (SELECT {names}, ROW_NUMBER() OVER "
        f"(PARTITION BY {key}, source_version ORDER BY content_hash DESC) AS rank_in_version FROM {landing}), "
        f"arriving AS (SELECT {names} FROM ranked AS arriving WHERE rank_in_version = 1 AND NOT EXISTS (SELECT 1 "
        f"FROM {table} AS known WHERE {same_version} AND COALESCE(known.content_hash, '') >= arriving.content_hash)), "
        f"every_version AS (SELECT {names}, 1 AS is_arriving FROM arriving "
        f"UNION ALL SELECT {names}, 0 AS is_arriving FROM {table} AS known WHERE {key} IN (SELECT {key} FROM arriving) "
        f"AND NOT EXISTS (SELECT 1 FROM arriving WHERE {same_version})), "
        f"compared AS (SELECT *, {before}, ROW_NUMBER() OVER by_version AS ordinal FROM every_version "
        f"WINDOW by_version AS (PARTITION BY {key} ORDER BY source_version)) "
        f"SELECT {names}, CASE WHEN source_version LIKE '____-__-__T__:__:__%' "
        "THEN CAST(SUBSTR(source_version, 1, 19) AS TIMESTAMP) ELSE CAST(:window_end AS TIMESTAMP) END AS valid_from "
        f"FROM compared WHERE is_arriving = 1 AND (ordinal = 1 OR source_version <> :window_version OR {differs})",
        {"window_end": parameters["window_end"], "window_version": f"{parameters['window_end']:%Y-%m-%dT%H:%M:%S.%fZ}"},
    )
    warehouse.execute(
        f"DELETE FROM {table} AS known WHERE EXISTS (SELECT 1 FROM run_versions AS arriving WHERE {same_version})"
    )
    warehouse.execute(f"INSERT INTO {table} ({names}, valid_from) SELECT {names}, valid_from FROM run_versions")
    # A version may arrive late and leave the staging row as it is, so the history has changes of its own.
    touched = f"SELECT DISTINCT {key} AS key, 'upsert' AS operation FROM run_versions"
    record_changes(warehouse, table, parameters["run_id"], touched)
    warehouse.execute("DROP TABLE run_versions")


def record_changes(warehouse: Warehouse, table: str, run_id: str, select: str) -> None:
    """Appends the keys of `select` (columns key, operation) to the change log, together under the next number.

    Readers ask for what stands after a number, never for one row, so that nothing has to be sorted.
    """
    warehouse.execute(
        "INSERT INTO ops.changes (change_id, run_id, table_name, key, operation) "
        "SELECT (SELECT COALESCE(MAX(change_id), 0) + 1 FROM ops.changes), "
        f":run_id, :table_name, key, operation FROM ({select}) AS changed",
        {"run_id": run_id, "table_name": table},
    )
