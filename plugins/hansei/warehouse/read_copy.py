"""The copy of core, indicators, ops and board that everybody else reads, replaced as a whole after each night."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from hansei.settings import Settings
from hansei.warehouse.engine import Warehouse

SHARED_SCHEMAS = ("core", "indicators", "ops", "board")
# Payloads stay where only the pipeline reads; the change log is of use to nobody else.
WITHHELD = {"ops.quarantined_rows", "ops.identity_keys", "ops.changes"}
# What the copy remembers of the tables whose changes it follows.
COPIED = "ops.copied_tables"
# Above one changed key in this many rows, writing the table whole is quicker and leaves no gaps in the file.
FEWEST_UNCHANGED = 5


def publish_read_copy(warehouse: Warehouse, settings: Settings, followed: Mapping[str, str]) -> Path | None:
    """Writes the copy beside its place and swaps it in; None on PostgreSQL, where readers have a role instead.

    `followed` maps large tables to the key by which their changes are logged: of those only the changed keys are
    written into what the night before left, so that the cost follows the change and not the history.
    """
    if not warehouse.sql.is_duckdb:
        _grant(warehouse)
        return None
    target = settings.read_copy
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    # One night writes at a time, so whatever lies there was left by one that was killed.
    for left in target.parent.glob(f".{target.name}.*"):
        left.unlink(missing_ok=True)
    if target.exists():
        shutil.copyfile(target, temporary)
    _attach(warehouse, temporary)
    try:
        with warehouse.transaction():
            _fill(warehouse, followed)
    finally:
        warehouse.execute("DETACH read_copy")
    temporary.replace(target)
    return target


def _attach(warehouse: Warehouse, temporary: Path) -> None:
    """Attaches the file as `read_copy`; one that cannot be read, or is of a newer release, is begun anew."""
    literal = str(temporary).replace("'", "''")
    try:
        warehouse.execute(f"ATTACH '{literal}' AS read_copy")
    except DBAPIError:
        temporary.unlink(missing_ok=True)
        warehouse.execute(f"ATTACH '{literal}' AS read_copy")


def _fill(warehouse: Warehouse, followed: Mapping[str, str]) -> None:
    for schema in SHARED_SCHEMAS:
        warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS read_copy.{schema}")
    position = warehouse.scalar("SELECT COALESCE(MAX(change_id), 0) FROM ops.changes")
    fingerprints = {row["model"]: row["fingerprint"] for row in warehouse.rows("SELECT * FROM ops.model_states")}
    copied = _copied(warehouse)
    shared = _shared_tables(warehouse)
    for table in sorted(set(_tables_of(warehouse, "read_copy")) - {*shared, COPIED, "ops.quarantined_rows"}):
        warehouse.execute(f"DROP TABLE read_copy.{table}")
    for table in shared:
        state = copied.get(table)
        if table in followed and state and state["fingerprint"] == fingerprints.get(table):
            _follow(warehouse, table, followed[table], state["position"])
        else:
            warehouse.execute(f"CREATE OR REPLACE TABLE read_copy.{table} AS SELECT * FROM {table}")
    hidden = "SELECT * EXCLUDE (payload, row_key) FROM ops.quarantined_rows"
    warehouse.execute(f"CREATE OR REPLACE TABLE read_copy.ops.quarantined_rows AS {hidden}")
    warehouse.execute(
        f"CREATE OR REPLACE TABLE read_copy.{COPIED} (table_name VARCHAR, fingerprint VARCHAR, position BIGINT)"
    )
    rows = [
        {"table_name": table, "fingerprint": fingerprints.get(table), "position": position}
        for table in sorted(followed)
    ]
    warehouse.insert(f"read_copy.{COPIED}", rows)


def _follow(warehouse: Warehouse, table: str, key: str, position: int) -> None:
    """Exchanges the rows of the keys that changed since the copy was made; all of them where that is many."""
    changed = f"SELECT DISTINCT key FROM ops.changes WHERE table_name = '{table}' AND change_id > {position}"
    count = warehouse.scalar(f"SELECT COUNT(*) FROM ({changed}) AS changed")
    if not count:
        return
    if count * FEWEST_UNCHANGED > warehouse.scalar(f"SELECT COUNT(*) FROM {table}"):
        warehouse.execute(f"CREATE OR REPLACE TABLE read_copy.{table} AS SELECT * FROM {table}")
        return
    warehouse.execute(f"DELETE FROM read_copy.{table} WHERE {key} IN ({changed})")
    warehouse.execute(f"INSERT INTO read_copy.{table} SELECT * FROM {table} WHERE {key} IN ({changed})")


def _copied(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    if COPIED not in _tables_of(warehouse, "read_copy"):
        return {}
    return {row["table_name"]: row for row in warehouse.rows(f"SELECT * FROM read_copy.{COPIED}")}


def _tables_of(warehouse: Warehouse, catalog: str | None = None) -> list[str]:
    where = f"'{catalog}'" if catalog else "CURRENT_DATABASE()"
    query = f"SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = {where}"
    return [f"{row['table_schema']}.{row['table_name']}" for row in warehouse.rows(query)]


def _shared_tables(warehouse: Warehouse) -> list[str]:
    """Tables, and views too: in the copy they are tables, as of the night that made it."""
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
