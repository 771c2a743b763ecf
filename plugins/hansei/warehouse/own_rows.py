"""Rows for the tables that the pipeline declares itself, as Arrow: columns in the table's order, each of its type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
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


def own_columns(table: str, columns: Mapping[str, Any], count: int) -> pa.Table:
    """`count` rows from whole columns, as arrays of numpy or Arrow by name; columns that are not given are NULL."""
    schema = own_schema(table)
    if unknown := sorted(columns.keys() - set(schema.names)):
        raise ValueError(f"{table} has no column {', '.join(unknown)}")
    given = {field.name: pa.nulls(count, field.type) for field in schema} | dict(columns)
    return pa.table([pa.array(given[field.name]).cast(field.type) for field in schema], schema=schema)


def told(codes: np.ndarray, words: Iterable[str]) -> pa.Array:
    """The word of each code, written once each; a negative code is NULL."""
    places = pa.array(codes.astype("int32"), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(places, pa.array(list(words), pa.string()))


def constant(word: str | None, count: int) -> pa.Array:
    """One word in every row."""
    return told(np.full(count, 0 if word is not None else -1), [word or ""])


def numbers(values: np.ndarray) -> pa.Array:
    """Numbers, of which NaN are NULL."""
    return pa.array(values, mask=np.isnan(values))


def known(values: np.ndarray, is_known: np.ndarray) -> pa.Array:
    """Values where they are known, else NULL."""
    return pa.array(values, mask=~is_known)
