"""Kind `database`: a table or query of anything that SQLAlchemy opens, streamed, never whole in memory."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import psycopg
import pyarrow as pa
import sqlalchemy as sa

from hansei.catalog.sources import Resource, Source
from hansei.catalog.windows import Window
from hansei.connections import Connection, Resolver
from hansei.errors import SourceError
from hansei.sources.chunks import CHUNK_ROWS, Chunk, rechunk
from hansei.sources.fetching import Selection, fetch, sample_value
from hansei.sources.scratch import positions
from hansei.sources.variables import expand

# A clock may stand an hour off where a window ends in the night of its change: fetch a little more, filter exactly.
CLOCK_MARGIN = timedelta(hours=2)
# DuckDB's errors that may hold a value of a row.
_QUOTING = duckdb.ConversionException | duckdb.InvalidInputException | duckdb.OutOfRangeException
_SCHEMA = re.compile(r"^\w+$")
# How a session is told where to look for tables.
_LOOK_IN = {
    "postgresql": "SET search_path TO {quoted}",
    "duckdb": "SET search_path = '{text}'",
    "mysql": "USE {quoted}",
    "mariadb": "USE {quoted}",
    "snowflake": "USE SCHEMA {quoted}",
}


def read_table(
    source: Source, name: str, resolver: Resolver, window: Window | None, chunk_rows: int = CHUNK_ROWS
) -> Iterator[Chunk]:
    """Rows of the resource as chunks; of the window where it has a cursor, else all.

    Raises SourceError, without secrets, where the database cannot be reached or refuses the query.
    """
    with _opened(source, name, resolver) as opened:
        yield from _chunks(name, fetch(opened, _selection(opened, source, source.resources[name], window)), chunk_rows)


def count_rows(source: Source, name: str, resolver: Resolver, window: Window) -> int:
    """How many rows the resource has in the window, as the database counts them. Raises as `read_table` does."""
    with _opened(source, name, resolver) as opened:
        selection = _selection(opened, source, source.resources[name], window)
        statement = sa.text(selection.sql(lambda bound: f":{bound}", lambda text: text.replace(":", "\\:"), "COUNT(*)"))
        return opened.execute(statement, selection.bounds).scalar()


@contextmanager
def _opened(source: Source, name: str, resolver: Resolver) -> Iterator[sa.Connection]:
    """A session that reads for the resource; whatever goes wrong inside comes out as a SourceError."""
    connection = resolver(source.connection)
    place = f"source {source.id}, resource {name}"
    schemas = _search_path(source, place)
    engine = _engine(source, connection, place)
    try:
        with engine.connect() as opened:
            _read_only_utc(opened)
            _look_in(opened, schemas, place)
            yield opened
    except (sa.exc.SQLAlchemyError, psycopg.Error, duckdb.Error) as error:
        raise _fault(error, place, connection) from None
    except pa.ArrowException:
        found = "a value of the database cannot be read as its column's type"
        raise SourceError(place, found, "cast the column to text in a query") from None
    finally:
        engine.dispose()


def _chunks(name: str, tables: Iterator[pa.Table], chunk_rows: int) -> Iterator[Chunk]:
    """The tables as chunks; an empty one where there is no row, for the columns are to be seen."""
    first_table = next(tables)
    first = 1
    for table in rechunk(itertools.chain([first_table], tables), chunk_rows):
        yield Chunk(name, table, positions(table.num_rows, first))
        first += table.num_rows
    if first == 1:
        yield Chunk(name, first_table, positions(0))


def _engine(source: Source, connection: Connection, place: str) -> sa.Engine:
    try:
        url = connection.sqlalchemy_url()
        # A loader may want to write to the file once we have read it: never hold it as a writer.
        options = {"connect_args": {"read_only": True}} if url.get_backend_name() == "duckdb" else {}
        return sa.create_engine(url, poolclass=sa.NullPool, **options)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        found = f"connection {source.connection} opens no database ({type(error).__name__})"
        raise SourceError(place, found, "check the connection's type, and that its driver is installed") from None


def _read_only_utc(opened: sa.Connection) -> None:
    """A session in UTC, so that times with and without zone compare alike; read-only where that can be said."""
    if opened.dialect.name == "postgresql":
        opened.exec_driver_sql("SET TRANSACTION READ ONLY")
        opened.exec_driver_sql("SET TIME ZONE 'UTC'")
        opened.exec_driver_sql("SET datestyle TO 'ISO'")
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


def _selection(opened: sa.Connection, source: Source, resource: Resource, window: Window | None) -> Selection:
    quoted = opened.dialect.identifier_preparer.quote
    if resource.table is not None:
        relation = ".".join(quoted(part) for part in resource.table.split("."))
    else:
        relation = f"({resource.query.strip().rstrip(';')}) source_rows".replace("\\:", ":")
    if resource.cursor is None or window is None:
        return Selection(relation)
    cursor = quoted(resource.cursor)
    sample = sample_value(opened, relation, cursor)
    return Selection(relation, cursor, _bounds(sample, source, resource, window))


def _bounds(sample: Any, source: Source, resource: Resource, window: Window) -> dict[str, Any]:
    """The window in the cursor's own terms, which one of its values shows."""
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


def _fault(error: Exception, place: str, connection: Connection) -> SourceError:
    """The database's own words only where they cannot quote data; the password never."""
    original = getattr(error, "orig", None) or error
    reason = type(original).__name__
    quotes_data = sa.exc.DataError | sa.exc.IntegrityError | psycopg.DataError | psycopg.IntegrityError | _QUOTING
    is_told = isinstance(original, psycopg.Error | duckdb.Error) or isinstance(error, sa.exc.DBAPIError)
    if is_told and not isinstance(error, quotes_data) and not isinstance(original, quotes_data):
        text = str(original).strip()
        reason += f": {text.splitlines()[0]}" if text else ""
    if connection.password:
        reason = reason.replace(connection.password, "***")
    return SourceError(
        place, f"the database says {reason}", f"check connection {connection.connection_id} and the query"
    )
