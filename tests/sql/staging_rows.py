"""Rows of canonical entities as an accepted batch has them, with every column that a test does not name left NULL."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from hansei.catalog.entities import Entity
from hansei.sources.casts import ARROW_TYPES
from hansei.warehouse import Warehouse
from hansei.warehouse.publication import MergeCounts, land, merge
from hansei.warehouse.tables import staging_columns

WINDOW_END = datetime(2026, 3, 28)


def version(number: int) -> str:
    """Version texts that follow one another, a day apart."""
    return f"{datetime(2026, 3, 1) + timedelta(days=number):%Y-%m-%dT%H:%M:%S.%fZ}"


def arriving(entity: Entity, rows: list[dict[str, Any]]) -> pa.Table:
    """The rows as a part of a batch; `content_hash` is made from the entity's columns where it is not given."""
    columns = {name: kind for name, kind in staging_columns(entity).items() if name not in ("source", "loaded_run_id")}
    complete = [{"source_version": version(1), **row} for row in rows]
    for row in complete:
        own = {name: str(value) for name, value in row.items() if name in entity.columns}
        row.setdefault("content_hash", hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest())
    arrays = [pa.array([row.get(name) for row in complete], ARROW_TYPES[kind]) for name, kind in columns.items()]
    return pa.table(arrays, names=list(columns))


def publish(
    warehouse: Warehouse,
    entity: Entity,
    rows: list[dict[str, Any]],
    *,
    source: str = "desk",
    run_id: str = "run",
    window_end: datetime = WINDOW_END,
    is_snapshot: bool = False,
    kept_keys: tuple[str, ...] = (),
) -> MergeCounts:
    """Lands and merges one batch."""
    with warehouse.transaction():
        landed = land(warehouse, source, entity, [arriving(entity, rows)])
        return merge(warehouse, entity, source, run_id, window_end, landed, is_snapshot, kept_keys)
