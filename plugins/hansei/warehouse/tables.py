"""Tables that the pipeline itself declares: staging from the entities, others from here. They grow, never shrink."""

from __future__ import annotations

from collections.abc import Mapping

from hansei.catalog import Catalog
from hansei.catalog.entities import STAGING_COLUMNS, Entity
from hansei.errors import WarehouseError
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.reconciliation_tables import RECONCILIATION_TABLES
from hansei.warehouse.scoring_tables import SCORING_TABLES
from hansei.warehouse.signal_tables import SIGNAL_TABLES

Columns = Mapping[str, str]

OWN_TABLES: dict[str, dict[str, str]] = {
    "ops.runs": {
        "run_id": "text",
        "kind": "text",
        "reason": "text",
        "interval_start": "timestamp",
        "interval_end": "timestamp",
        "as_of": "timestamp",
        "started_at": "timestamp",
        "ended_at": "timestamp",
        "state": "text",
        "product_version": "text",
        "definitions_hash": "text",
    },
    "ops.source_runs": {
        "run_id": "text",
        "source": "text",
        "window_start": "timestamp",
        "window_end": "timestamp",
        "state": "text",
        "message": "text",
        "complete_until": "timestamp",
        "published_at": "timestamp",
        "request_count": "bigint",
        "quota_left_count": "bigint",
        "quota_seen_at": "timestamp",
    },
    "ops.watermarks": {"source": "text", "complete_until": "timestamp", "run_id": "text"},
    "ops.batches": {
        "run_id": "text",
        "source": "text",
        "entity": "text",
        "as_of": "timestamp",
        "received_count": "bigint",
        "accepted_count": "bigint",
        "quarantined_count": "bigint",
        "duplicate_count": "bigint",
        "held_count": "bigint",
        "conflict_count": "bigint",
        "deleted_count": "bigint",
        "ambiguous_time_count": "bigint",
        "nonexistent_time_count": "bigint",
        "state": "text",
        "is_balanced": "boolean",
    },
    "ops.check_results": {
        "run_id": "text",
        "source": "text",
        "entity": "text",
        "check_id": "text",
        "scope": "text",
        "severity": "text",
        "checked_count": "bigint",
        "failed_count": "bigint",
        "result": "text",
        "message": "text",
    },
    "ops.drift_findings": {
        "run_id": "text",
        "source": "text",
        "entity": "text",
        "field": "text",
        "kind": "text",
        "row_count": "bigint",
        "as_of": "timestamp",
    },
    "ops.quarantined_rows": {
        "quarantine_id": "text",
        "run_id": "text",
        "source": "text",
        "entity": "text",
        "row_key": "text",
        "source_version": "text",
        "reasons": "text",
        "payload": "text",
        "quarantined_at": "timestamp",
        "seen_count": "integer",
        "state": "text",
        "state_reason": "text",
        "expires_at": "timestamp",
    },
    "ops.changes": {
        "change_id": "bigint",
        "run_id": "text",
        "table_name": "text",
        "key": "text",
        "operation": "text",
    },
    "ops.model_states": {
        "model": "text",
        "fingerprint": "text",
        "position": "bigint",
        "run_id": "text",
        "rebuilt_because": "text",
    },
    "ops.restatements": {
        "restated_run_id": "text",
        "restated_at": "timestamp",
        "indicator": "text",
        "version": "integer",
        "grain": "text",
        "period_start": "date",
        "segment_id": "text",
        "said_since": "timestamp",
        "numerator_before": "double",
        "subtrahend_before": "double",
        "denominator_before": "double",
        "sample_count_before": "bigint",
        "value_before": "double",
        "lower_bound_before": "double",
        "upper_bound_before": "double",
        "state_before": "text",
        "numerator_after": "double",
        "denominator_after": "double",
        "sample_count_after": "bigint",
        "value_after": "double",
        "state_after": "text",
        "reason": "text",
    },
    "ops.identity_keys": {"key_id": "text", "first_run_id": "text"},
    "ops.erased_identities": {"token": "text", "erasure_id": "text", "key_id": "text"},
    "ops.erasures": {
        "erasure_id": "text",
        "requested_at": "timestamp",
        "requested_by": "text",
        "reason": "text",
        "run_id": "text",
        "identity_count": "bigint",
        "row_count": "bigint",
        "text_count": "bigint",
        "payload_count": "bigint",
        "spooled_count": "bigint",
        "part_count": "bigint",
        "state": "text",
        "ended_at": "timestamp",
    },
    "ops.definitions_in_force": {
        "definitions_hash": "text",
        "run_id": "text",
        "as_of": "timestamp",
        "definitions": "text",
    },
}

OWN_TABLES["indicators.indicator_values"] = {
    "indicator": "text",
    "version": "integer",
    "grain": "text",
    "period_start": "date",
    "segment_id": "text",
    "numerator": "double",
    "subtrahend": "double",
    "denominator": "double",
    "square_sum": "double",
    "sample_count": "bigint",
    "value": "double",
    "lower_bound": "double",
    "upper_bound": "double",
    "state": "text",
    "run_id": "text",
    "known_since": "timestamp",
}
OWN_TABLES["indicators.distributions"] = {
    "indicator": "text",
    "version": "integer",
    "grain": "text",
    "period_start": "date",
    "segment_id": "text",
    "sample_count": "bigint",
    "minimum": "double",
    "p10": "double",
    "p25": "double",
    "median": "double",
    "p75": "double",
    "p90": "double",
    "p95": "double",
    "maximum": "double",
}
OWN_TABLES["indicators.channel_consistency"] = {
    "indicator": "text",
    "grain": "text",
    "period_start": "date",
    "judged_channel_count": "bigint",
    "small_channel_count": "bigint",
    "pooled_value": "double",
    "lowest_channel": "text",
    "lowest_value": "double",
    "highest_channel": "text",
    "highest_value": "double",
    "value_range": "double",
    "consistency_index": "double",
    "chi_square": "double",
    "degrees_of_freedom": "bigint",
    "p_value": "double",
    "run_id": "text",
}
OWN_TABLES.update(RECONCILIATION_TABLES)
OWN_TABLES.update(SIGNAL_TABLES)
OWN_TABLES.update(SCORING_TABLES)
# Columns that tell when and by which run a row came to be; promise 2 (same input, same tables) leaves them out.
VOLATILE = frozenset({"run_id", "known_since", "judged_at", "loaded_run_id"})

_INDEXES = {
    "indicators.indicator_values": "indicator, grain, period_start",
    "ops.changes": "change_id",
    "ops.batches": "run_id",
    "ops.quarantined_rows": "quarantine_id",
}


def staging_columns(entity: Entity) -> dict[str, str]:
    """Columns of the entity's staging table, name to logical type."""
    own = {name: column.type for name, column in entity.columns.items()}
    return {**own, **{name: kind for name, (kind, _) in STAGING_COLUMNS.items()}}


def version_columns(entity: Entity) -> dict[str, str]:
    """Columns of the table that keeps every version of the entity's segment values."""
    kept = {name: entity.columns[name].type for name in entity.keeps_versions}
    return {entity.key: "text", "source_version": "text", "content_hash": "text", "valid_from": "timestamp", **kept}


def declared_tables(catalog: Catalog) -> dict[str, dict[str, str]]:
    """Every table that the pipeline owns by declaration, with its columns."""
    tables = dict(OWN_TABLES)
    for entity in catalog.entities.values():
        tables[entity.table] = staging_columns(entity)
        if entity.keeps_versions:
            tables[f"{entity.table}_versions"] = version_columns(entity)
    return tables


def create_table(warehouse: Warehouse, table: str, columns: Columns, temporary: bool = False) -> None:
    """Creates the table if it is not there."""
    body = ", ".join(f"{name} {warehouse.sql.type(kind)}" for name, kind in columns.items())
    keyword = "CREATE TEMPORARY TABLE" if temporary else "CREATE TABLE IF NOT EXISTS"
    warehouse.execute(f"{keyword} {table} ({body})")


def evolve(warehouse: Warehouse, catalog: Catalog) -> list[str]:
    """Creates what is missing and adds new nullable columns; names of what changed.

    A column that the catalog no longer has stays, with its data. A changed type is refused, because the rows
    that are there could not be told apart from rows of the new kind.
    """
    changed = []
    with warehouse.transaction():
        existing = _existing_columns(warehouse)
        for table, columns in declared_tables(catalog).items():
            if table not in existing:
                create_table(warehouse, table, columns)
                _index(warehouse, catalog, table)
                changed.append(table)
                continue
            for name, kind in columns.items():
                found = existing[table].get(name)
                if found is None:
                    warehouse.execute(f"ALTER TABLE {table} ADD COLUMN {name} {warehouse.sql.type(kind)}")
                    changed.append(f"{table}.{name}")
                elif found != _reported_type(kind):
                    place = f"{table}.{name}"
                    told = f"is {found} in the warehouse and {kind} in the definition"
                    raise WarehouseError(place, told, "give the new meaning a new column name, or restore the old type")
    return changed


def planned_evolution(warehouse: Warehouse, catalog: Catalog) -> list[str]:
    """What `evolve` would create or add, without doing it."""
    existing = _existing_columns(warehouse)
    planned = []
    for table, columns in declared_tables(catalog).items():
        if table not in existing:
            planned.append(table)
        else:
            planned.extend(f"{table}.{name}" for name in columns if name not in existing[table])
    return planned


def _existing_columns(warehouse: Warehouse) -> dict[str, dict[str, str]]:
    query = "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
    found: dict[str, dict[str, str]] = {}
    for row in warehouse.rows(query):
        reported = row["data_type"].lower().split("(")[0]
        kind = _REPORTED.get(reported, reported)
        found.setdefault(f"{row['table_schema']}.{row['table_name']}", {})[row["column_name"]] = kind
    return found


# What information_schema says on either engine, in one word per kind of value.
_REPORTED = {
    "varchar": "text",
    "character varying": "text",
    "text": "text",
    "double precision": "double",
    "numeric": "decimal",
    "boolean": "boolean",
    "timestamp without time zone": "timestamp",
}


def _reported_type(kind: str) -> str:
    return "text" if kind == "key" else kind


def _index(warehouse: Warehouse, catalog: Catalog, table: str) -> None:
    """Indexes for PostgreSQL; DuckDB scans faster than its indexes can be kept."""
    if warehouse.sql.is_duckdb:
        return
    schema, name = table.split(".", 1)
    columns = _INDEXES.get(table)
    if schema == "staging":
        entity = catalog.entities[name.removesuffix("_versions")]
        columns = entity.key
        if entity.subject_key != entity.key and table == entity.table:
            warehouse.execute(f"CREATE INDEX ON {table} ({entity.subject_key})")
    if columns:
        warehouse.execute(f"CREATE INDEX ON {table} ({columns})")
