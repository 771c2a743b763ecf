"""An in-memory DuckDB as the vectorised calculator of a batch; it holds one chunk at a time and stores nothing."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

WHITESPACE = " \t\r\n\u00a0\u3000"


def quote(text: Any) -> str:
    """A SQL text literal."""
    return "'" + str(text).replace("'", "''") + "'"


def name(identifier: str) -> str:
    """A SQL identifier, whatever the source calls it."""
    return '"' + identifier.replace('"', '""') + '"'


class Scratch:
    """Runs SELECTs over Arrow tables. Its session is in UTC, so that text with an offset becomes an instant."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET preserve_insertion_order = true")

    def select(self, sql: str, parameters: list | None = None, **relations: pa.Table) -> pa.Table:
        """The result of `sql`, in which each keyword is the name of a relation."""
        for relation, table in relations.items():
            self._connection.register(relation, table)
        try:
            return self._connection.execute(sql, parameters or []).to_arrow_table()
        finally:
            for relation in relations:
                self._connection.unregister(relation)

    def execute(self, sql: str) -> None:
        self._connection.execute(sql)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
