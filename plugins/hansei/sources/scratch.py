"""An in-memory DuckDB as the vectorised calculator of a batch; it holds one chunk at a time and stores nothing."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

WHITESPACE = " \t\r\n\u00a0\u3000"
# DuckDB reads the record batches of an Arrow table in parallel, so a chunk is handed over in several.
BATCH_ROWS = 25_000


def quote(text: Any) -> str:
    """A SQL text literal."""
    return "'" + str(text).replace("'", "''") + "'"


def name(identifier: str) -> str:
    """A SQL identifier, whatever the source calls it."""
    return '"' + identifier.replace('"', '""') + '"'


def flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column in one piece."""
    if isinstance(column, pa.Array):
        return column
    joined = column.combine_chunks()
    return joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)


def positions(length: int, first: int = 0, kind: pa.DataType | None = None) -> pa.Array:
    """`first, first + 1, ...` of the given length."""
    return pa.array(np.arange(first, first + length, dtype=np.int64), kind or pa.int64())


class Scratch:
    """Runs SELECTs over Arrow tables. Its session is in UTC, so that text with an offset becomes an instant."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")

    def select(self, sql: str, parameters: list | None = None, **relations: pa.Table) -> pa.Table:
        """The result of `sql`, in which each keyword is the name of a relation; rows come in no promised order."""
        for relation, table in relations.items():
            self._connection.register(relation, pa.Table.from_batches(table.to_batches(BATCH_ROWS), table.schema))
        try:
            return self._connection.execute(sql, parameters or []).to_arrow_table()
        finally:
            for relation in relations:
                self._connection.unregister(relation)

    def select_ordered(self, sql: str, key: str, parameters: list | None = None, **relations: pa.Table) -> pa.Table:
        """The result in the order of its integer column `key`. Nearly always it is so already, and a sort is spared."""
        result = self.select(sql, parameters, **relations)
        numbers = result[key].to_numpy()
        return result if np.all(numbers[1:] >= numbers[:-1]) else result.sort_by(key)

    def execute(self, sql: str) -> None:
        self._connection.execute(sql)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
