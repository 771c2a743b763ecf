"""Rows of a source that arrived and are not in staging: those in quarantine, and those of a batch that is held."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.entities import Entity
from hansei.catalog.source_tallies import SourceCounts
from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.quality.quarantine import Quarantine
from hansei.settings import Settings
from hansei.sources.replay import remap
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.publication import landing_table

WAITING_SCHEMA = pa.schema(
    [("reason", pa.string()), ("key", pa.string()), ("happened_at", pa.timestamp("us")), ("status", pa.string())]
)


def waiting_rows(
    warehouse: Warehouse, catalog: Catalog, settings: Settings, source: Source, counts: SourceCounts
) -> pa.Table:
    """One row per waiting key (and per row whose key cannot be read), as WAITING_SCHEMA; unreadable values are NULL."""
    entity = catalog.entities[counts.entity]
    records = _held(warehouse, source, entity, counts) or []
    seen = {record["key"] for record in records}
    for record in _quarantined(warehouse, catalog, settings, source, counts):
        if record["key"] is None or record["key"] not in seen:
            seen.add(record["key"])
            records.append(record)
    return pa.Table.from_pylist(records, WAITING_SCHEMA)


def _held(warehouse: Warehouse, source: Source, entity: Entity, counts: SourceCounts) -> list[dict[str, Any]]:
    """Rows of the newest batch, where it is held: it still lies in the landing table."""
    query = "SELECT held_count FROM ops.batches WHERE source = :source AND entity = :entity ORDER BY as_of DESC, run_id"
    newest = warehouse.rows(query, {"source": source.id, "entity": entity.id})
    table = landing_table(source.id, entity)
    if not newest or not newest[0]["held_count"] or table not in warehouse.tables():
        return []
    status = "status" if "status" in entity.columns else "NULL"
    return warehouse.rows(
        f"SELECT 'held' AS reason, {entity.key} AS key, MAX({counts.counted_on}) AS happened_at, "
        f"MAX({status}) AS status FROM {table} WHERE deleted_at IS NULL GROUP BY {entity.key}"
    )


def _quarantined(
    warehouse: Warehouse, catalog: Catalog, settings: Settings, source: Source, counts: SourceCounts
) -> list[dict[str, Any]]:
    """Newest first; mapped again from what the source sent, as far as that can be read."""
    entity = catalog.entities[counts.entity]
    quarantine = Quarantine(warehouse, settings)
    rows = [row for row in quarantine.waiting(source.id) if row["entity"] == entity.id and row["payload"]]
    if not rows:
        return []
    records = [quarantine.payload(row) for row in reversed(rows)]
    window = Window(None, max(row["quarantined_at"] for row in rows))
    columns = [entity.key, counts.counted_on, *(["status"] if "status" in entity.columns else [])]
    mapped = remap(source, catalog, settings, entity.id, records, window).select([*columns, "raw_row"])
    found: dict[int, dict[str, Any]] = {}
    for row in mapped.to_pylist():
        found.setdefault(row["raw_row"], row)
    return [
        {
            "reason": "quarantined",
            "key": row[entity.key],
            "happened_at": row[counts.counted_on],
            "status": row.get("status"),
        }
        for _, row in sorted(found.items())
    ]
