"""Rows for the tables that the pipeline declares itself, as Arrow: columns in the table's order, each of its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from hansei.warehouse.tables import OWN_TABLES

_ARROW = {
    "text": pa.string(),
    "date": pa.date32(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
}


def own_schema(table: str) -> pa.Schema:
    """The Arrow schema of one of OWN_TABLES."""
    return pa.schema([(name, _ARROW[kind]) for name, kind in OWN_TABLES[table].items()])


def own_rows(table: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The rows as the table's columns; what a row lacks is NULL."""
    return pa.table(
        [pa.array([row.get(field.name) for row in rows], field.type) for field in own_schema(table)],
        schema=own_schema(table),
    )
