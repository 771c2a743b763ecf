"""Kind `database`: a table or query of anything that SQLAlchemy opens, streamed, never whole in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import sqlalchemy as sa

from hansei.catalog.sources import Resource, Source
from hansei.catalog.windows import Window
from hansei.connections import Connection, Resolver
from hansei.errors import SourceError
from hansei.sources.chunks import CHUNK_ROWS, Chunk, rechunk, unique_names
from hansei.sources.formats import cell_text
from hansei.sources.scratch import positions
from hansei.sources.variables import expand

FETCH_ROWS = 5_000
_SCHEMA = re.compile(r"^\w+$")
# How a session is told where to look for tables.
_LOOK_IN = {
    "postgresql": "SET search_path TO {quoted}",
    "duckdb": "SET search_path = '{text}'",
    "mysql": "USE {quoted}",
    "mariadb": "USE {quoted}",
    "snowflake": "USE SCHEMA {quoted}",
}
# A clock may stand an hour off where a window ends in the night of its change: fetch a little more, filter exactly.
CLOCK_MARGIN = timedelta(hours=2)


def read_table(
    source: Source, name: str, resolver: Resolver, window: Window | None, chunk_rows: int = CHUNK_ROWS
) -> Iterator[Chunk]:
    """Rows of the resource as chunks; of the window where it has a cursor, else all.

    Raises SourceError, without secrets, where the database cannot be reached or refuses the query.
    """
    resource = source.resources[name]
    connection = resolver(source.connection)
    place = f"source {source.id}, resource {name}"
    try:
        engine = sa.create_engine(connection.sqlalchemy_url(), poolclass=sa.NullPool)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        found = f"connection {source.connection} opens no database ({type(error).__name__})"
        raise SourceError(place, found, "check the connection's type, and that its driver is installed") from None
    path = _search_path(source, place)
    try:
        with engine.connect() as opened:
            _read_only_utc(opened)
            _look_in(opened, path, place)
            statement, parameters = _statement(opened, source, resource, window)
            streamed = opened.execution_options(stream_results=True, max_row_buffer=FETCH_ROWS)
            result = streamed.execute(statement, parameters)
            names = unique_names(result.keys())
            first = 1
            for table in rechunk(_tables(result, names), chunk_rows):
                yield Chunk(name, table, positions(table.num_rows, first))
                first += table.num_rows
            if first == 1:
                yield Chunk(name, pa.table({column: pa.array([], pa.string()) for column in names}), positions(0))
    except sa.exc.SQLAlchemyError as error:
        raise _fault(error, place, connection) from None
    finally:
        engine.dispose()


def _read_only_utc(opened: sa.Connection) -> None:
    """A session in UTC, so that times with and without zone compare alike; read-only where that can be said."""
    if opened.dialect.name == "postgresql":
        opened.exec_driver_sql("SET TRANSACTION READ ONLY")
        opened.exec_driver_sql("SET TIME ZONE 'UTC'")
    elif opened.dialect.name == "duckdb":
        opened.exec_driver_sql("SET TimeZone = 'UTC'")
    elif opened.dialect.name in ("mysql", "mariadb"):
        opened.exec_driver_sql("SET time_zone = '+00:00'")


def _search_path(source: Source, place: str) -> list[str]:
    """The schemas of `search_path`, with its variables filled in."""
    if source.search_path is None:
        return []
    schemas = [schema.strip() for schema in expand(source.search_path, place).split(",")]
    for schema in schemas:
        if not _SCHEMA.match(schema):
            found = f"search_path holds {schema!r}, which is no name of a schema"
            raise SourceError(place, found, "use letters, digits and underscores, and a comma between two schemas")
    return schemas


def _look_in(opened: sa.Connection, schemas: list[str], place: str) -> None:
    """Makes the session find tables that are named without a schema."""
    if not schemas:
        return
    command = _LOOK_IN.get(opened.dialect.name)
    if command is None or (len(schemas) > 1 and "path" not in command):
        found = f"{opened.dialect.name} takes no search_path of {len(schemas)} schemas"
        raise SourceError(place, found, "name the schema in each query, or in the connection")
    quoted = ", ".join(map(opened.dialect.identifier_preparer.quote_identifier, schemas))
    opened.exec_driver_sql(command.format(quoted=quoted, text=",".join(schemas)))


def _statement(
    opened: sa.Connection, source: Source, resource: Resource, window: Window | None
) -> tuple[sa.TextClause, dict[str, Any]]:
    quoted = opened.dialect.identifier_preparer.quote
    if resource.table is not None:
        relation = ".".join(quoted(part) for part in resource.table.split("."))
    else:
        relation = f"({resource.query.strip().rstrip(';')}) source_rows"
        # A colon in the user's SQL (a cast, a time) is not a bound parameter.
        relation = relation.replace("\\:", ":").replace(":", "\\:")
    if resource.cursor is None or window is None:
        return sa.text(f"SELECT * FROM {relation}"), {}
    cursor = quoted(resource.cursor)
    bounds = _bounds(opened, relation, cursor, source, resource, window)
    # Rows without a cursor value belong to no window, so every window asks for them: nothing is lost.
    since = f"{cursor} >= :window_start AND " if "window_start" in bounds else ""
    where = f"({since}{cursor} < :window_end) OR {cursor} IS NULL"
    return sa.text(f"SELECT * FROM {relation} WHERE {where}"), bounds


def _bounds(
    opened: sa.Connection, relation: str, cursor: str, source: Source, resource: Resource, window: Window
) -> dict[str, Any]:
    """The window in the cursor's own terms, which one of its values shows."""
    streamed = opened.execution_options(stream_results=True, max_row_buffer=1)
    probe = streamed.execute(sa.text(f"SELECT {cursor} FROM {relation} WHERE {cursor} IS NOT NULL"))
    row = probe.first()
    sample = row[0] if row else None
    zone = resource.cursor_zone or source.zone
    bounds = {}
    for name, at, margin in (("window_start", window.start, -CLOCK_MARGIN), ("window_end", window.end, CLOCK_MARGIN)):
        if at is not None:
            bounds[name] = _bound(at, margin, sample, zone, resource)
    return bounds


def _bound(at: datetime, margin: timedelta, sample: Any, zone: str | None, resource: Resource) -> Any:
    if isinstance(sample, datetime) and sample.tzinfo is not None:
        return at.replace(tzinfo=UTC)
    local = at
    if zone and zone != "UTC":
        local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) + margin
    if isinstance(sample, str):
        if resource.cursor_format:
            formats = resource.cursor_format
            return local.strftime(formats if isinstance(formats, str) else formats[0])
        return local.isoformat("T" if "T" in sample else " ")
    if isinstance(sample, date) and not isinstance(sample, datetime):
        return (local if margin < timedelta(0) else local + timedelta(days=1)).date()
    return local


def _tables(result: sa.CursorResult, names: list[str]) -> Iterator[pa.Table]:
    for rows in result.partitions(FETCH_ROWS):
        columns = [_array(values) for values in zip(*rows, strict=True)]
        yield pa.table(columns, names=names)


def _array(values: tuple) -> pa.Array:
    """Values with their own type; those that Arrow cannot hold together, and bytes, become text."""
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        array = None
    if array is None or pa.types.is_binary(array.type):
        return pa.array([cell_text(value) for value in values], pa.string())
    return array


def _fault(error: sa.exc.SQLAlchemyError, place: str, connection: Connection) -> SourceError:
    """The database's own words only where they cannot quote data; the password never."""
    original = getattr(error, "orig", None)
    reason = type(original or error).__name__
    if original is not None and not isinstance(error, sa.exc.DataError | sa.exc.IntegrityError):
        reason += f": {str(original).strip().splitlines()[0]}" if str(original).strip() else ""
    if connection.password:
        reason = reason.replace(connection.password, "***")
    return SourceError(
        place, f"the database says {reason}", f"check connection {connection.connection_id} and the query"
    )
