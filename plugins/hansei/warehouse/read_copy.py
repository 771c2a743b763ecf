"""The copy of core, indicators, ops and board that everybody else reads, replaced as a whole after each night.

There are two generations of it: the file that readers open, and beside it the one that it replaced. A night brings the
older one up to date and swaps the two, so that its cost follows the changes of two nights and not the size of a file.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from hansei.settings import Settings
from hansei.warehouse.changes import PRUNED, REBUILT
from hansei.warehouse.engine import Warehouse

SHARED_SCHEMAS = ("core", "indicators", "ops", "board")
# Payloads stay where only the pipeline reads; the change log is of use to nobody else.
WITHHELD = {"ops.quarantined_rows", "ops.identity_keys", "ops.erased_identities", "ops.changes"}
# Rows are only ever added to these, so the copy lacks what stands after the rows that it has.
APPENDED = ("ops.restatements", "ops.drift_findings", "ops.definitions_in_force")
# Large and without a log: what a period holds is compared with what it holds in the copy.
BY_PERIOD = ("indicators.indicator_values",)
PERIOD = ("indicator", "grain", "period_start")
# How many rows, and what stands in them, in whatever order.
_CONTENT = "COUNT(*), SUM(CAST(HASH(held) AS HUGEINT))"
# What the copy remembers of the tables whose changes it follows, and of the warehouse that it was made from.
COPIED = "ops.copied_tables"
# Above one changed row in this many, writing the table whole is quicker and leaves no gaps in the file.
FEWEST_UNCHANGED = 5


def publish_read_copy(
    warehouse: Warehouse, settings: Settings, followed: Mapping[str, str], is_fresh: bool = False
) -> Path | None:
    """Writes the copy beside its place and swaps it in; None on PostgreSQL, where readers have a role instead.

    `followed` maps large tables to the key by which their changes are logged: of those only the changed keys are
    written into what an earlier night left. A fresh copy begins with an empty file and leaves no other generation:
    what was erased must not lie in the free blocks of either.
    """
    if not warehouse.sql.is_duckdb:
        _grant(warehouse)
        return None
    target = settings.read_copy
    target.parent.mkdir(parents=True, exist_ok=True)
    working = target.with_name(f".{target.name}.{os.getpid()}")
    # One night writes at a time, so whatever lies there was left by one that was killed.
    for left in target.parent.glob(f".{target.name}.*"):
        left.unlink(missing_ok=True)
    if is_fresh:
        warehouse.execute(_attachment(working))
    else:
        _begin(warehouse, target, working)
    try:
        with warehouse.transaction():
            _fill(warehouse, followed)
    finally:
        warehouse.execute("DETACH read_copy")
    _swap(working, target)
    if is_fresh:
        spare_of(target).unlink(missing_ok=True)
    return target


def spare_of(target: Path) -> Path:
    """Where the generation lies that the copy replaced."""
    return target.with_name(f"{target.stem}.previous{target.suffix}")


def copied_position(warehouse: Warehouse, settings: Settings) -> int | None:
    """Change up to which both generations of the copy have come; None where there is no copy that follows changes.

    A generation that cannot be read does not count: the next night writes it whole.
    """
    positions = []
    for file in (settings.read_copy, spare_of(settings.read_copy)):
        if warehouse.sql.is_duckdb and file.exists() and _attach(warehouse, file, "READ_ONLY"):
            try:
                positions += [row["position"] for row in _copied(warehouse).values()]
            finally:
                warehouse.execute("DETACH read_copy")
    return min(positions, default=None)


def _begin(warehouse: Warehouse, target: Path, working: Path) -> None:
    """Attaches a file that may be written as `read_copy`: the spare, else a copy of the newest, else an empty one."""
    spare = spare_of(target)
    # A night that was killed while it swapped leaves both names on the one file that readers open.
    if spare.exists() and not (target.exists() and target.samefile(spare)) and not _is_open_here(spare):
        spare.rename(working)
        if _attach(warehouse, working):
            return
        # A reader still holds it, or it is broken, or of a newer release. Whoever reads it keeps it without a name.
        working.unlink()
    if target.exists():
        shutil.copyfile(target, working)
        if _attach(warehouse, working):
            return
        working.unlink()
    if not _attach(warehouse, working):
        warehouse.execute(_attachment(working))


def _swap(working: Path, target: Path) -> None:
    """Readers find the old file or the new one at every moment; the old one becomes the spare."""
    spare = spare_of(target)
    spare.unlink(missing_ok=True)
    # Where files cannot have two names, or there was no copy yet, the next night copies the whole file.
    with suppress(OSError):
        spare.hardlink_to(target)
    working.replace(target)


def _attachment(file: Path, options: str = "") -> str:
    literal = str(file).replace("'", "''")
    return f"ATTACH '{literal}' AS read_copy{f' ({options})' if options else ''}"


def _attach(warehouse: Warehouse, file: Path, options: str = "") -> bool:
    """Whether the file could be attached: it is a database that we can read, and nobody else's lock is on it."""
    try:
        warehouse.execute(_attachment(file, options))
    except duckdb.Error:
        return False
    return True


def _is_open_here(file: Path) -> bool:
    """Whether this process has the file open: DuckDB's lock keeps other processes apart, not one from itself."""
    wanted = file.stat()
    for handle in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):
            found = handle.stat()
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                return True
    return False


def _fill(warehouse: Warehouse, followed: Mapping[str, str]) -> None:
    for schema in SHARED_SCHEMAS:
        warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS read_copy.{schema}")
    position = warehouse.scalar("SELECT COALESCE(MAX(change_id), 0) FROM ops.changes")
    began = warehouse.scalar("SELECT MIN(started_at) FROM ops.runs")
    fingerprints = {row["model"]: row["fingerprint"] for row in warehouse.rows("SELECT * FROM ops.model_states")}
    copied = _usable(warehouse, position, began)
    shared, present = _shared_tables(warehouse), _tables_of(warehouse, "read_copy")
    views = _views(warehouse, shared)
    columns, known = _columns(warehouse, "CURRENT_DATABASE()"), _columns(warehouse, "'read_copy'")
    for table, kind in present.items():
        if kind == "VIEW" or table in views or table not in {*shared, COPIED, "ops.quarantined_rows"}:
            warehouse.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} read_copy.{table}")
    for table in shared:
        if table in views:
            continue
        state = copied.get(table)
        if table in followed and state and state["fingerprint"] == fingerprints.get(table):
            _follow(warehouse, table, followed[table], state["position"])
        elif not copied or columns[table] != known.get(table) or present.get(table) != "BASE TABLE":
            _copy_whole(warehouse, table)
        elif table in APPENDED:
            _append(warehouse, table)
        elif table in BY_PERIOD:
            _exchange_rows(warehouse, table)
        elif not _holds_the_same(warehouse, table):
            _copy_whole(warehouse, table)
    _create_views(warehouse, views)
    hidden = "SELECT * EXCLUDE (payload, row_key) FROM ops.quarantined_rows"
    warehouse.execute(f"CREATE OR REPLACE TABLE read_copy.ops.quarantined_rows AS {hidden}")
    _remember(warehouse, sorted(followed), fingerprints, position, began)


def _copy_whole(warehouse: Warehouse, table: str) -> None:
    warehouse.execute(f"CREATE OR REPLACE TABLE read_copy.{table} AS SELECT * FROM {table}")


def _follow(warehouse: Warehouse, table: str, key: str, position: int) -> None:
    """Exchanges the rows of the keys that changed since the copy was made; all of them where that is many."""
    newer = f"FROM ops.changes WHERE table_name = '{table}' AND change_id > {position}"
    changed = f"SELECT DISTINCT key {newer}"
    count, rebuilt = warehouse.rows(
        f"SELECT COUNT(DISTINCT key) AS count, COUNT(CASE WHEN {REBUILT} THEN 1 END) AS rebuilt {newer}"
    )[0].values()
    if rebuilt or count * FEWEST_UNCHANGED > warehouse.scalar(f"SELECT COUNT(*) FROM {table}"):
        _copy_whole(warehouse, table)
    elif count:
        # By row number: the few rows are found by their key alone, and only then read in all their columns.
        found = f"rowid IN (SELECT rowid FROM {{0}} WHERE {key} IN ({changed}))"
        copied = f"read_copy.{table}"
        warehouse.execute(f"DELETE FROM {copied} WHERE {found.format(copied)}")
        warehouse.execute(f"INSERT INTO {copied} SELECT * FROM {table} WHERE {found.format(table)}")


def _append(warehouse: Warehouse, table: str) -> None:
    """Adds the rows after those that the copy has: where nothing is removed, a row's number is its place in time."""
    known = warehouse.scalar(f"SELECT COUNT(*) FROM read_copy.{table}")
    if warehouse.scalar(f"SELECT COUNT(*) FROM {table} WHERE rowid < {known}") != known:
        _copy_whole(warehouse, table)
    else:
        warehouse.execute(f"INSERT INTO read_copy.{table} SELECT * FROM {table} WHERE rowid >= {known}")


def _exchange_rows(warehouse: Warehouse, table: str) -> None:
    """Exchanges the rows of every indicator's period that holds others than the copy; all where that is many."""
    place = ", ".join(PERIOD)
    held = f"SELECT {place}, {_CONTENT} FROM {{0}} AS held GROUP BY {place}"
    live, copied = held.format(table), held.format(f"read_copy.{table}")
    differing = f"({live} EXCEPT {copied}) UNION ALL ({copied} EXCEPT {live})"
    warehouse.execute(
        f"CREATE OR REPLACE TEMPORARY TABLE run_exchanged AS SELECT DISTINCT {place} FROM ({differing}) AS differing"
    )
    exchanged = f"WHERE ({place}) IN (SELECT {place} FROM run_exchanged)"
    newer, all_rows = warehouse.rows(
        f"SELECT (SELECT COUNT(*) FROM {table} {exchanged}) AS newer, (SELECT COUNT(*) FROM {table}) AS all_rows"
    )[0].values()
    if newer * FEWEST_UNCHANGED > all_rows:
        _copy_whole(warehouse, table)
    else:
        warehouse.execute(f"DELETE FROM read_copy.{table} {exchanged}")
        warehouse.execute(f"INSERT INTO read_copy.{table} SELECT * FROM {table} {exchanged}")
    warehouse.execute("DROP TABLE run_exchanged")


def _holds_the_same(warehouse: Warehouse, table: str) -> bool:
    """Whether the copy has the very rows of a table, by the sum of their hashes, which is quicker than writing."""
    held = f"SELECT ({_CONTENT}) FROM {{0}} AS held"
    return warehouse.scalar(f"SELECT ({held.format(table)}) = ({held.format(f'read_copy.{table}')})")


def _columns(warehouse: Warehouse, catalog: str) -> dict[str, list[tuple[str, str]]]:
    """Per table of a database its columns, each with its type."""
    found: dict[str, list[tuple[str, str]]] = {}
    query = (
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        f"WHERE database_name = {catalog} ORDER BY schema_name, table_name, column_index"
    )
    for schema, table, column, kind in (tuple(row.values()) for row in warehouse.rows(query)):
        found.setdefault(f"{schema}.{table}", []).append((column, kind))
    return found


def _usable(warehouse: Warehouse, position: int, began: Any) -> dict[str, dict[str, Any]]:
    """What the file remembers, if it was made from this warehouse and the log still holds all that came after."""
    pruned = warehouse.scalar(f"SELECT COALESCE(MAX(position), 0) FROM ops.model_states WHERE model = '{PRUNED}'")
    copied = _copied(warehouse)
    is_ours = all(row.get("began") == began and pruned <= row["position"] <= position for row in copied.values())
    return copied if is_ours else {}


def _copied(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    if COPIED not in _tables_of(warehouse, "read_copy"):
        return {}
    return {row["table_name"]: row for row in warehouse.rows(f"SELECT * FROM read_copy.{COPIED}")}


def _remember(
    warehouse: Warehouse, tables: list[str], fingerprints: Mapping[str, str], position: int, began: Any
) -> None:
    columns = "table_name VARCHAR, fingerprint VARCHAR, position BIGINT, began TIMESTAMP"
    warehouse.execute(f"CREATE OR REPLACE TABLE read_copy.{COPIED} ({columns})")
    state = {"position": position, "began": began}
    rows = [{"table_name": table, "fingerprint": fingerprints.get(table), **state} for table in tables]
    warehouse.insert(f"read_copy.{COPIED}", rows)


def _views(warehouse: Warehouse, shared: list[str]) -> dict[str, str]:
    """Statement per view all of whose sources are in the copy too, sources first. Others are copied as tables."""
    query = "SELECT schema_name, view_name, sql FROM duckdb_views() WHERE database_name = CURRENT_DATABASE()"
    found = {f"{row['schema_name']}.{row['view_name']}": row["sql"] for row in warehouse.rows(query)}
    statements = {name: sql for name, sql in found.items() if name in shared}
    reads = {name: _sources(name, sql) for name, sql in statements.items()}
    there = set(shared) - set(statements)
    ordered: dict[str, str] = {}
    while ready := [name for name in sorted(statements) if name not in ordered and reads[name] <= there]:
        ordered |= {name: statements[name] for name in ready}
        there.update(ready)
    return ordered


@cache
def _sources(view: str, statement: str) -> frozenset[str]:
    """Tables and views that a view reads; a name without a schema is that of a subquery."""
    tables = sqlglot.parse_one(statement, dialect="duckdb").find_all(exp.Table)
    return frozenset({f"{table.db}.{table.name}" for table in tables if table.db} - {view})


def _create_views(warehouse: Warehouse, views: Mapping[str, str]) -> None:
    """In the copy as the default, so that the names in the views mean the tables beside them."""
    live = warehouse.scalar("SELECT CURRENT_DATABASE()")
    warehouse.execute("USE read_copy")
    try:
        for statement in views.values():
            warehouse.execute(statement.replace(":", "\\:"))
    finally:
        warehouse.execute(f'USE "{live}"')


def _tables_of(warehouse: Warehouse, catalog: str | None = None) -> dict[str, str]:
    """Name -> `BASE TABLE` or `VIEW`."""
    where = f"'{catalog}'" if catalog else "CURRENT_DATABASE()"
    query = f"SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_catalog = {where}"
    rows = sorted(warehouse.rows(query), key=lambda row: tuple(row.values()))
    return {f"{row['table_schema']}.{row['table_name']}": row["table_type"] for row in rows}


def _shared_tables(warehouse: Warehouse) -> list[str]:
    names = _tables_of(warehouse)
    touched = [name for name in names if name.endswith("_touched")]
    withheld = WITHHELD | set(touched)
    return sorted(name for name in names if name.split(".")[0] in SHARED_SCHEMAS and name not in withheld)


def _grant(warehouse: Warehouse) -> None:
    """Gives the role hansei_reader what analysts may see, if the server has that role."""
    if not warehouse.scalar("SELECT COUNT(*) FROM pg_roles WHERE rolname = 'hansei_reader'"):
        return
    with warehouse.transaction():
        for schema in SHARED_SCHEMAS:
            warehouse.execute(f"GRANT USAGE ON SCHEMA {schema} TO hansei_reader")
            warehouse.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO hansei_reader")
        for table in sorted(WITHHELD):
            warehouse.execute(f"REVOKE ALL ON {table} FROM hansei_reader")
