"""One open connection to the warehouse, on either engine; `opening` makes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from hansei.errors import WarehouseError
from hansei.warehouse.dialect import Dialect
from hansei.warehouse.threads import is_small

SCHEMAS = ("landing", "staging", "core", "indicators", "ops", "board")
_WRITER_LOCK = 7_240_011
# How the engines say that a table or a column is not there, and its name.
_MISSING = re.compile(
    r"Table with name (?P<table>\S+) does not exist|Referenced column \"(?P<column>[^\"]+)\" not found"
    r"|does not have a column named \"(?P<named>[^\"]+)\"|(?P<told>(?:relation|column) \S+ does not exist)"
)
_PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
_ROWS_A_STATEMENT = 200


class Warehouse:
    """One open connection to a warehouse, with the dialect that its SQL is written in.

    Statements run inside `with warehouse.transaction():`; on PostgreSQL writing transactions follow one another.
    Outside of one each statement is a transaction of its own. DuckDB is handed its statements directly, on the
    connection that SQLAlchemy opened: SQLAlchemy's own way costs as much as a small statement takes.
    """

    def __init__(self, engine: sa.Engine, dialect: Dialect, is_writable: bool) -> None:
        self.engine = engine
        self.sql = dialect
        self.is_writable = is_writable
        self._connection = engine.connect()
        self._has_one_thread = False

    def close(self) -> None:
        self._connection.close()
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Nested use joins the transaction that is open."""
        if self._connection.in_transaction():
            yield
            return
        self.fit_threads()
        with self._naming_trouble(), self._connection.begin():
            if not self.sql.is_duckdb and self.is_writable:
                self._connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITER_LOCK})
            yield

    def fit_threads(self) -> None:
        """One thread for a small DuckDB file, and all of them as soon as it has grown."""
        if self.sql.is_duckdb and is_small(Path(self.engine.url.database)) != self._has_one_thread:
            self._has_one_thread = not self._has_one_thread
            self._raw().execute("SET threads = 1" if self._has_one_thread else "RESET threads")

    @contextmanager
    def _naming_trouble(self) -> Iterator[None]:
        """Says what a user can mend: a full disk, and a store that an older release left to its readers."""
        try:
            yield
        except (sa.exc.DBAPIError, duckdb.Error) as error:
            place = self.engine.url.render_as_string(hide_password=True)
            if "No space left on device" in str(error):
                next_step = "make room and repeat the run: nothing of this step was stored, what came before it stands"
                raise WarehouseError(place, "there is no space left on its disk", next_step) from None
            missing = None if self.is_writable else _MISSING.search(str(error))
            if missing is None:
                raise
            told = missing["told"] or (f"no table {missing['table']}" if missing["table"] else None)
            found = told or f"no column {missing['column'] or missing['named']}"
            next_step = (
                "a night of this release brings it: run `hansei night` (the DAG nightly_indicators), then repeat"
            )
            raise WarehouseError(place, f"it was last written by an older release: {found}", next_step) from error

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> int:
        """Runs one statement with bound parameters; number of rows that it touched (-1 where unknown)."""
        if self.sql.is_duckdb:
            found = self._native(statement, parameters)
            touched = found.fetchone() if found.description and found.description[0][0] == "Count" else None
            return touched[0] if touched else -1
        with self.transaction():
            return self._connection.execute(sa.text(statement), dict(parameters or {})).rowcount

    def rows(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows of a small result as dictionaries."""
        if self.sql.is_duckdb:
            found = self._native(query, parameters)
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        with self.transaction():
            result = self._connection.execute(sa.text(query), dict(parameters or {}))
            return [dict(row) for row in result.mappings()]

    def scalar(self, query: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """First column of the first row, None where there is no row."""
        if self.sql.is_duckdb:
            row = self._native(query, parameters).fetchone()
            return None if row is None else row[0]
        with self.transaction():
            return self._connection.execute(sa.text(query), dict(parameters or {})).scalar()

    def insert(self, table: str, records: Iterable[Mapping[str, Any]]) -> int:
        """Inserts a handful of records of the same keys with bound parameters; bulk goes through `load`."""
        records = [dict(record) for record in records]
        if not records:
            return 0
        names = list(records[0])
        columns = ", ".join(names)
        with self.transaction():
            if self.sql.is_duckdb:
                for start in range(0, len(records), _ROWS_A_STATEMENT):
                    some = records[start : start + _ROWS_A_STATEMENT]
                    self._insert_some(f"INSERT INTO {table} ({columns}) VALUES", names, some)
            else:
                values = ", ".join(f":{name}" for name in names)
                self._connection.execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), records)
        return len(records)

    def _insert_some(self, beginning: str, names: list[str], records: Sequence[Mapping[str, Any]]) -> None:
        """Records in one statement, which DuckDB is seven times quicker at than at one for each."""
        row = f"({', '.join('?' * len(names))})"
        values = [record[name] for record in records for name in names]
        self._raw().execute(f"{beginning} {', '.join([row] * len(records))}", values)

    def _native(self, statement: str, parameters: Mapping[str, Any] | None) -> Any:
        """DuckDB's result of a statement with `:name` parameters, as SQLAlchemy writes them; `\\:` is a colon."""
        named = dict.fromkeys(_PARAMETER.findall(statement))
        text = _PARAMETER.sub(r"$\1", statement).replace("\\:", ":")
        with self._naming_trouble():
            if named:
                return self._raw().execute(text, {name: parameters[name] for name in named})
            return self._raw().execute(text)

    def arrow(self, query: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """A larger result as an Arrow table."""
        if self.sql.is_duckdb:
            return self._native(query, parameters).to_arrow_table()
        with self.transaction():
            cursor = self._connection.execute(sa.text(query), dict(parameters or {}))
            names = list(cursor.keys())
            records = cursor.fetchall()
        columns = list(zip(*records, strict=True)) if records else [() for _ in names]
        return pa.table({name: pa.array(list(column)) for name, column in zip(names, columns, strict=True)})

    def load(self, table: str, data: pa.Table) -> None:
        """Appends an Arrow table to an existing one, by column name: Arrow into DuckDB, COPY into PostgreSQL."""
        if data.num_rows == 0:
            return
        columns = ", ".join(data.column_names)
        with self.transaction():
            if self.sql.is_duckdb:
                raw = self._raw()
                # As a stream of its own: for a table as such DuckDB imports pyarrow.dataset and pandas.
                raw.register("arriving_rows", data.__arrow_c_stream__())
                try:
                    raw.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM arriving_rows")
                finally:
                    raw.unregister("arriving_rows")
            else:
                _copy_into(self._connection.connection.driver_connection, table, columns, data)

    def tables(self) -> set[str]:
        """Names `schema.table` of every table and view in our schemas."""
        query = "SELECT table_schema, table_name FROM information_schema.tables"
        return {
            f"{row['table_schema']}.{row['table_name']}" for row in self.rows(query) if row["table_schema"] in SCHEMAS
        }

    def columns(self, table: str) -> list[str]:
        """Column names of `schema.table` in their order; empty where there is no such table."""
        if self.sql.is_duckdb:
            # Ten times quicker than its information schema; a table that is not there leaves the transaction whole.
            try:
                return [column for column, *_ in self._raw().execute(f"DESCRIBE {table}").fetchall()]
            except duckdb.CatalogException:
                return []
        schema, name = table.split(".", 1)
        query = (
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = :schema AND table_name = :name ORDER BY ordinal_position"
        )
        return [row["column_name"] for row in self.rows(query, {"schema": schema, "name": name})]

    def _raw(self) -> Any:
        """The DuckDB connection below SQLAlchemy, for Arrow in and out; the transaction is the same."""
        return self._connection.connection.driver_connection


def _copy_into(connection: Any, table: str, columns: str, data: pa.Table) -> None:
    """COPY in the transaction of the connection; ADBC would need a second one, and publication is one transaction."""
    import pyarrow.csv as arrow_csv

    options = arrow_csv.WriteOptions(include_header=False, quoting_style="needed", batch_size=16_384)
    # An unquoted empty field is NULL and a quoted one is the empty text, which is how Arrow writes them.
    statement = f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for batch in _writable(data).to_batches(max_chunksize=65_536):
            sink = pa.BufferOutputStream()
            arrow_csv.write_csv(pa.Table.from_batches([batch]), sink, options)
            copy.write(sink.getvalue().to_pybytes())


def _writable(data: pa.Table) -> pa.Table:
    """Dictionaries and large texts as plain text, the forms that the CSV writer knows."""
    fields = []
    for field in data.schema:
        plain = pa.types.is_dictionary(field.type) or pa.types.is_large_string(field.type)
        fields.append(pa.field(field.name, pa.string()) if plain else field)
    return data.cast(pa.schema(fields))
