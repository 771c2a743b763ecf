"""How rows leave a database: Arrow from DuckDB, COPY from PostgreSQL, fetched tuples from everything else.

Each way streams, so that only some thousand rows are held, and gives the same types: instants carry UTC, numbers are
numbers. PostgreSQL's types that CSV cannot carry safely (arrays, JSON, numeric without a scale ...) are fetched as
tuples. Four million rows of six columns cost 2.2, 6.7 and 16 s of CPU in these three ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import sqlalchemy as sa

from hansei.sources.chunks import unique_names
from hansei.sources.formats import cell_text

FETCH_ROWS = 5_000
ARROW_ROWS = 50_000
COPY_BYTES = 8_000_000
# PostgreSQL's object ids of the types that its CSV tells exactly, and what they are in Arrow.
_COPIED = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    25: pa.string(),
    700: pa.float32(),
    701: pa.float64(),
    1042: pa.string(),
    1043: pa.string(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
}
_NUMERIC, _LARGEST_PRECISION = 1700, 38


@dataclass(frozen=True)
class Selection:
    """Rows of a relation: all, or those whose cursor lies within bounds or is NULL: such are in every window."""

    relation: str
    cursor: str | None = None
    bounds: dict[str, Any] = field(default_factory=dict)

    def sql(self, mark: Callable[[str], str], escape: Callable[[str], str] = str, wanted: str = "*") -> str:
        """The SELECT; `mark` writes a bound in the driver's way, `escape` what the user wrote."""
        statement = f"SELECT {wanted} FROM {escape(self.relation)}"
        if not self.bounds:
            return statement
        cursor = escape(self.cursor)
        since = f"{cursor} >= {mark('window_start')} AND " if "window_start" in self.bounds else ""
        return f"{statement} WHERE ({since}{cursor} < {mark('window_end')}) OR {cursor} IS NULL"


def fetch(opened: sa.Connection, selection: Selection) -> Iterator[pa.Table]:
    """The rows in tables of bounded size; where there are none, one empty table that has the columns."""
    if opened.dialect.name == "duckdb":
        tables = _arrow_tables(opened, selection)
    else:
        schema = _copied_schema(opened, selection.relation) if opened.dialect.name == "postgresql" else None
        tables = _copied_tables(opened, selection, schema) if schema else _fetched_tables(opened, selection)
    for table in tables:
        yield table.rename_columns(unique_names(table.column_names))


def sample_value(opened: sa.Connection, relation: str, cursor: str) -> Any:
    """A value that shows of which type the cursor is, or None where the relation holds none.

    Where the database tells the type without running the query, the value is made up from it.
    """
    described = f"SELECT {cursor} FROM {relation} LIMIT 0"
    kind = None
    if opened.dialect.name == "duckdb":
        kind = _driver(opened).execute(described).to_arrow_table().schema.field(0).type
    elif opened.dialect.name == "postgresql":
        with _driver(opened).cursor() as asked:
            kind = _COPIED.get(asked.execute(described).description[0].type_code)
    if kind is not None and pa.types.is_timestamp(kind):
        return datetime(2000, 1, 1, tzinfo=UTC if kind.tz else None)
    if kind is not None and pa.types.is_date(kind):
        return date(2000, 1, 1)
    streamed = opened.execution_options(stream_results=True, max_row_buffer=1)
    escaped = f"SELECT {cursor} FROM {relation} WHERE {cursor} IS NOT NULL".replace(":", "\\:")
    row = streamed.execute(sa.text(escaped)).first()
    return row[0] if row else None


def _driver(opened: sa.Connection) -> Any:
    """The driver's own connection, in the same transaction."""
    return opened.connection.driver_connection


def _arrow_tables(opened: sa.Connection, selection: Selection) -> Iterator[pa.Table]:
    bound = [selection.bounds] if selection.bounds else []
    reader = _driver(opened).execute(selection.sql(lambda name: f"${name}"), *bound).to_arrow_reader(ARROW_ROWS)
    is_empty = True
    for batch in reader:
        is_empty = False
        yield _plain(pa.Table.from_batches([batch]))
    if is_empty:
        yield _plain(reader.schema.empty_table())


def _plain(table: pa.Table) -> pa.Table:
    """Bytes as hexadecimal text, times in microseconds; the mapping knows all other types."""
    for position, column in enumerate(table.schema):
        values = table.column(position)
        if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            values = pa.array([cell_text(value) for value in values.to_pylist()], pa.string())
        elif pa.types.is_timestamp(column.type) and column.type.unit != "us":
            values = pc.cast(values, pa.timestamp("us", column.type.tz), safe=False)
        elif pa.types.is_large_string(column.type):
            values = values.cast(pa.string())
        else:
            continue
        table = table.set_column(position, column.name, values)
    return table


def _copied_schema(opened: sa.Connection, relation: str) -> pa.Schema | None:
    """The columns as COPY gives them, or None where one of them has a type that CSV cannot carry."""
    with _driver(opened).cursor() as asked:
        described = asked.execute(f"SELECT * FROM {relation} LIMIT 0").description
    fields = []
    for name, column in zip(unique_names(column.name for column in described), described, strict=True):
        kind = _COPIED.get(column.type_code)
        if column.type_code == _NUMERIC and column.precision and column.precision <= _LARGEST_PRECISION:
            kind = pa.decimal128(column.precision, column.scale) if 0 <= column.scale <= column.precision else None
        if kind is None:
            return None
        fields.append(pa.field(name, kind))
    return pa.schema(fields)


def _copied_tables(opened: sa.Connection, selection: Selection, schema: pa.Schema) -> Iterator[pa.Table]:
    from psycopg.sql import Literal

    connection = _driver(opened)
    statement = selection.sql(lambda name: Literal(selection.bounds[name]).as_string(connection))
    parse = arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    read = arrow_csv.ReadOptions(column_names=schema.names, block_size=COPY_BYTES * 4)
    # PostgreSQL writes NULL as nothing and the empty text as two quotes.
    convert = arrow_csv.ConvertOptions(
        column_types=schema,
        null_values=[""],
        true_values=["t"],
        false_values=["f"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    is_empty = True
    with connection.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)") as copy:
        for block in _blocks(copy):
            is_empty = False
            yield arrow_csv.read_csv(pa.BufferReader(block), read, parse, convert)
    if is_empty:
        yield schema.empty_table()


def _blocks(copy: Any) -> Iterator[bytes]:
    """Whole rows of a COPY, some megabytes at a time; libpq hands over one row after the other."""
    rows, size = [], 0
    for row in copy:
        rows.append(bytes(row))
        size += len(row)
        if size >= COPY_BYTES:
            yield b"".join(rows)
            rows, size = [], 0
    if rows:
        yield b"".join(rows)


def _fetched_tables(opened: sa.Connection, selection: Selection) -> Iterator[pa.Table]:
    # A colon in the user's SQL (a cast, a time) is not a bound parameter.
    statement = selection.sql(lambda name: f":{name}", lambda text: text.replace(":", "\\:"))
    streamed = opened.execution_options(stream_results=True, max_row_buffer=FETCH_ROWS)
    result = streamed.execute(sa.text(statement), selection.bounds)
    names = unique_names(result.keys())
    is_empty = True
    for rows in result.partitions(FETCH_ROWS):
        is_empty = False
        yield pa.table([_array(values) for values in zip(*rows, strict=True)], names=names)
    if is_empty:
        yield pa.table({column: pa.array([], pa.string()) for column in names})


def _array(values: tuple) -> pa.Array:
    """Values with their own type; those that Arrow cannot hold together, and bytes, become text."""
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        array = None
    if array is None or pa.types.is_binary(array.type):
        return pa.array([cell_text(value) for value in values], pa.string())
    return array
