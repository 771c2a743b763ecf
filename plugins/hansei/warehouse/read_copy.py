"""The copy of core, indicators, ops and board that everybody else reads, replaced as a whole after each night."""

from __future__ import annotations

import os
from pathlib import Path

from hansei.settings import Settings
from hansei.warehouse.engine import Warehouse

SHARED_SCHEMAS = ("core", "indicators", "ops", "board")
# Payloads and pseudonymised rows of no meaning yet stay where only the pipeline reads.
WITHHELD = {"ops.quarantined_rows", "ops.identity_keys"}


def publish_read_copy(warehouse: Warehouse, settings: Settings) -> Path | None:
    """Writes the copy beside its place and swaps it in; None on PostgreSQL, where readers have a role instead."""
    if not warehouse.sql.is_duckdb:
        _grant(warehouse)
        return None
    target = settings.read_copy
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    # One night writes at a time, so whatever lies there was left by one that was killed.
    for left in target.parent.glob(f".{target.name}.*"):
        left.unlink(missing_ok=True)
    literal = str(temporary).replace("'", "''")
    warehouse.execute(f"ATTACH '{literal}' AS read_copy")
    try:
        with warehouse.transaction():
            for schema in SHARED_SCHEMAS:
                warehouse.execute(f"CREATE SCHEMA read_copy.{schema}")
            for table in _shared_tables(warehouse):
                warehouse.execute(f"CREATE TABLE read_copy.{table} AS SELECT * FROM {table}")
            hidden = "SELECT * EXCLUDE (payload, row_key) FROM ops.quarantined_rows"
            warehouse.execute(f"CREATE TABLE read_copy.ops.quarantined_rows AS {hidden}")
    finally:
        warehouse.execute("DETACH read_copy")
    temporary.replace(target)
    return target


def _shared_tables(warehouse: Warehouse) -> list[str]:
    """Tables, and views too: in the copy they are tables, as of the night that made it."""
    query = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = CURRENT_DATABASE()"
    names = [f"{row['table_schema']}.{row['table_name']}" for row in warehouse.rows(query)]
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
