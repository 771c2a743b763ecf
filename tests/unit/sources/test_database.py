"""Kind `database` on SQLite, DuckDB and PostgreSQL: the same rows, the right window, no secrets, bounded memory."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from hansei.catalog.windows import Window
from hansei.connections import Connection
from hansei.errors import SourceError
from hansei.sources import database
from hansei.sources.fields import kind_of

WINDOW = Window(datetime(2024, 3, 1), datetime(2024, 3, 2))


def connection_of(url: sa.URL, **more: object) -> Connection:
    kind = url.get_backend_name()
    if kind in ("sqlite", "duckdb"):
        return Connection("desk", kind, schema=url.database)
    fields = {"host": url.host, "port": url.port, "login": url.username, "password": url.password}
    return Connection("desk", "postgres", schema=url.database, extra=dict(url.query), **{**fields, **more})


@pytest.fixture(params=["sqlite", "duckdb", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> sa.URL:
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_database")
    return sa.URL.create(request.param, database=str(tmp_path / "desk.db"))


@pytest.fixture
def engine(database_url: sa.URL):
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    yield engine
    engine.dispose()


def tickets_table() -> sa.Table:
    return sa.Table(
        "Tickets", sa.MetaData(),
        sa.Column("id", sa.Integer), sa.Column("status", sa.String), sa.Column("created", sa.DateTime),
        sa.Column("changed", sa.DateTime), sa.Column("worth", sa.Numeric(12, 2)), sa.Column("is_spam", sa.Boolean),
        sa.Column("note: what", sa.String),
    )  # fmt: skip


ROWS = [
    {"id": 1, "changed": datetime(2024, 2, 29, 23, 59, 59)},
    {"id": 2, "changed": datetime(2024, 3, 1)},
    {"id": 3, "changed": datetime(2024, 3, 1, 23, 59, 59, 999999)},
    {"id": 4, "changed": datetime(2024, 3, 2)},
    {"id": 5, "changed": None},
]


@pytest.fixture
def filled(engine: sa.Engine, database_url: sa.URL):
    """A resolver for a database with five tickets."""
    table = tickets_table()
    with engine.begin() as opened:
        table.create(opened)
        common = {"status": "open", "created": datetime(2024, 1, 1, 8), "worth": Decimal("10.50"), "is_spam": True}
        opened.execute(table.insert(), [{**common, "note: what": "100 % : sure", **row} for row in ROWS])
    return lambda _: connection_of(database_url)


COLUMNS = {"is_spam": {"path": "is_spam"}, "topic": {"path": "note: what"}, "updated_at": {"path": "changed"}}


def source_of(ticket_source, resource: dict, columns: dict | None = None, **more):
    return ticket_source(resource, COLUMNS if columns is None else columns, connection="desk", **more)


def test_a_table_is_read_whole_without_a_cursor(filled, ticket_source, extract) -> None:
    manifest, rows = extract(source_of(ticket_source, {"table": "Tickets"}, plain_extra=["worth"]), resolver=filled)
    assert [row["ticket_id"] for row in rows] == [f"desk:{n}" for n in range(1, 6)]
    assert rows[0]["created_at"] == datetime(2024, 1, 1, 8)
    assert rows[0]["is_spam"] is True
    assert rows[0]["topic"] == "100 % : sure"
    assert rows[2]["updated_at"] == datetime(2024, 3, 1, 23, 59, 59, 999999)
    assert rows[0]["extra"] is not None
    assert [row["faults"] for row in rows] == [None] * 5
    assert manifest.complete_until == datetime(2030, 1, 1)


@pytest.mark.parametrize("resource", [
    {"table": "Tickets"},
    {"query": "SELECT * FROM \"Tickets\" WHERE \"note: what\" LIKE '100 % : %' AND created < '2099-01-01 00:00:00';"},
])  # fmt: skip
def test_the_window_cuts_the_cursor_half_open_and_loses_no_null(filled, ticket_source, extract, resource) -> None:
    manifest, rows = extract(source_of(ticket_source, {**resource, "cursor": "changed"}), WINDOW, resolver=filled)
    assert [row["ticket_id"] for row in rows] == ["desk:2", "desk:3", "desk:5"]
    assert manifest.complete_until == WINDOW.end


def test_the_database_itself_filters(filled, ticket_source, monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of(ticket_source, {"table": "Tickets", "cursor": "changed"})
    chunks = list(database.read_table(source, "export", filled, WINDOW))
    assert sum(chunk.table.num_rows for chunk in chunks) == 3


def test_a_local_cursor_is_asked_for_in_its_own_zone(filled, ticket_source, extract) -> None:
    # The clock of Berlin shows 2024-03-01 00:00 at 23:00 UTC of the day before.
    source = source_of(ticket_source, {"table": "Tickets", "cursor": "changed"}, zone="Europe/Berlin")
    _, rows = extract(source, Window(datetime(2024, 2, 29, 23), datetime(2024, 3, 1, 23)), resolver=filled)
    assert [row["ticket_id"] for row in rows] == ["desk:2", "desk:3", "desk:5"]
    assert rows[0]["updated_at"] == datetime(2024, 2, 29, 23)


def test_an_empty_table_is_an_empty_batch(engine, database_url, ticket_source, extract) -> None:
    with engine.begin() as opened:
        tickets_table().create(opened)
    source = source_of(ticket_source, {"table": "Tickets", "cursor": "changed"})
    manifest, rows = extract(source, WINDOW, resolver=lambda _: connection_of(database_url))
    assert (rows, manifest.received) == ([], 0)


def test_a_wrong_name_is_told_in_the_databases_words(filled, ticket_source, extract) -> None:
    with pytest.raises(SourceError, match=r"source desk, resource export: the database says .*[Nn]owhere"):
        extract(source_of(ticket_source, {"table": "Nowhere"}), resolver=filled)
    with pytest.raises(SourceError, match=r"the database says .*elsewhere"):
        extract(source_of(ticket_source, {"table": "Tickets", "cursor": "elsewhere"}), WINDOW, resolver=filled)


def test_a_required_column_gone_is_named(filled, ticket_source, extract) -> None:
    source = source_of(ticket_source, {"query": 'SELECT id, created FROM "Tickets"'}, {})
    with pytest.raises(SourceError, match=r"field 'status' \(required status\) is gone"):
        extract(source, resolver=filled)


def test_a_chunk_is_all_that_memory_holds(engine, database_url, ticket_source) -> None:
    """60,000 rows of 1 kB stream in chunks of 5,000: Python never holds more than a few of them."""
    count, width = 60_000, 1000
    with engine.begin() as opened:
        series = {
            "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT :count) SELECT i FROM n",
            "duckdb": "SELECT i FROM range(1, :count + 1) AS n(i)",
            "postgresql": "SELECT i FROM generate_series(1, :count) AS n(i)",
        }[engine.dialect.name]
        text = {"sqlite": f"printf('%0{width}d', i)"}.get(
            engine.dialect.name, f"lpad(cast(i AS varchar), {width}, '0')"
        )
        statement = f"CREATE TABLE wide AS SELECT i AS id, {text} AS words FROM ({series}) AS n"
        opened.execute(sa.text(statement.replace(":count", str(count))))
    source = source_of(ticket_source, {"table": "wide"})
    tracemalloc.start()
    rows = 0
    for chunk in database.read_table(source, "export", lambda _: connection_of(database_url), None, chunk_rows=5000):
        assert chunk.table.num_rows <= 5000
        rows += chunk.table.num_rows
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == count
    assert peak < count * width * 0.75


def test_times_with_a_zone_are_instants(postgres_database: sa.URL, ticket_source, extract) -> None:
    engine = sa.create_engine(postgres_database, poolclass=sa.NullPool)
    with engine.begin() as opened:
        opened.exec_driver_sql(
            "CREATE TABLE t (id int, status text, created timestamptz, day date, tags text[], doc jsonb)"
        )
        opened.exec_driver_sql(
            "INSERT INTO t VALUES (1, 'open', '2024-03-01 01:30+02', '2024-03-01', '{b,a}', '{\"x\": {\"y\": 5}}'),"
            " (2, 'open', '2024-03-01 00:00+00', NULL, NULL, NULL)"
        )
    columns = {"tags": {"path": "tags"}, "topic": {"path": "doc.x.y"}}
    source = source_of(ticket_source, {"table": "public.t", "cursor": "created"}, columns, zone="Asia/Tokyo")
    _, rows = extract(
        source, Window(datetime(2024, 2, 29), datetime(2024, 3, 1)), "1", lambda _: connection_of(postgres_database)
    )
    assert [(row["ticket_id"], row["created_at"]) for row in rows] == [("desk:1", datetime(2024, 2, 29, 23, 30))]
    assert (rows[0]["topic"], rows[0]["faults"]) == ("5", None)
    assert rows[0]["tags"] == "a,b"


def test_sqlite_text_cursors_may_have_any_declared_form(tmp_path: Path, ticket_source, extract) -> None:
    url = sa.URL.create("sqlite", database=str(tmp_path / "t.db"))
    with sa.create_engine(url).begin() as opened:
        opened.exec_driver_sql("CREATE TABLE t (id, status, created, changed)")
        for key, changed in enumerate(
            ("2024-03-01T11:59:59Z", "2024-03-01T12:00:00Z", "2024-03-01T23:59:59Z"), start=1
        ):
            opened.exec_driver_sql(
                "INSERT INTO t VALUES (?, 'open', '2024-01-01', ?)", (key if key > 1 else "one", changed)
            )
    source = source_of(ticket_source, {"table": "t", "cursor": "changed"}, {"updated_at": {"path": "changed"}})
    window = Window(datetime(2024, 3, 1, 12), datetime(2024, 3, 1, 23, 59, 59))
    _, rows = extract(source, window, resolver=lambda _: connection_of(url))
    assert [row["ticket_id"] for row in rows] == ["desk:2"]
    _, rows = extract(source, Window(None, datetime(2024, 3, 2)), "all", lambda _: connection_of(url))
    assert [row["ticket_id"] for row in rows] == ["desk:one", "desk:2", "desk:3"]  # text and numbers in one column


def test_no_message_shows_the_password(postgres_database: sa.URL, ticket_source, extract) -> None:
    secret = "hunter2-and-more"
    for broken in ({"login": "nobody_here", "password": secret}, {"port": 1, "password": secret}):
        connection = connection_of(postgres_database, **broken)
        with pytest.raises(SourceError) as caught:
            extract(source_of(ticket_source, {"table": "t"}), resolver=lambda _, found=connection: found)
        assert secret not in str(caught.value)
        assert caught.value.__cause__ is None
    unknown = Connection("desk", "no-such-database", password=secret)
    with pytest.raises(SourceError, match="opens no database") as caught:
        extract(source_of(ticket_source, {"table": "t"}), resolver=lambda _: unknown)
    assert secret not in str(caught.value)


def test_a_value_that_breaks_a_query_is_not_quoted(postgres_database: sa.URL, ticket_source, extract) -> None:
    query = "SELECT 'ann@example.com'::text::integer AS id, 'open' AS status, now() AS created"
    with pytest.raises(SourceError) as caught:
        extract(source_of(ticket_source, {"query": query}), resolver=lambda _: connection_of(postgres_database))
    assert "ann@example.com" not in str(caught.value)


def test_the_session_cannot_write(postgres_database: sa.URL, ticket_source, extract) -> None:
    with sa.create_engine(postgres_database, poolclass=sa.NullPool).begin() as opened:
        opened.exec_driver_sql("CREATE TABLE t (id int, status text, created timestamptz)")
        opened.exec_driver_sql(
            "CREATE FUNCTION sneak() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1, NULL, NULL) RETURNING 1'"
        )
    query = "SELECT sneak() AS id, 'open' AS status, now() AS created"
    with pytest.raises(SourceError, match="read-only"):
        extract(source_of(ticket_source, {"query": query}), resolver=lambda _: connection_of(postgres_database))


def test_the_cursors_own_type_decides_the_bounds(ticket_source) -> None:
    resource = source_of(ticket_source, {"table": "t", "cursor": "x", "cursor_format": "%d.%m.%Y"}).resources["export"]
    plain = source_of(ticket_source, {"table": "t", "cursor": "x"}).resources["export"]
    at, margin = datetime(2024, 3, 1, 23, 30), database.CLOCK_MARGIN
    cases = [
        (datetime(2020, 1, 1, tzinfo=UTC), "Asia/Tokyo", plain, at.replace(tzinfo=UTC)),
        (datetime(2020, 1, 1), None, plain, at),
        (datetime(2020, 1, 1), "Asia/Tokyo", plain, datetime(2024, 3, 2, 10, 30)),
        (date(2020, 1, 1), None, plain, date(2024, 3, 2)),
        ("2020-01-01 00:00", None, plain, "2024-03-01 23:30:00"),
        ("2020-01-01T00:00", None, plain, "2024-03-01T23:30:00"),
        ("01.01.2020", None, resource, "01.03.2024"),
    ]
    for sample, zone, declared, expected in cases:
        assert database._bound(at, margin, sample, zone, declared) == expected


def test_raw_rows_of_a_database_are_plain_data(filled, ticket_source, extract, settings) -> None:
    from hansei.sources import spool

    manifest, rows = extract(source_of(ticket_source, {"table": "Tickets"}), resolver=filled)
    record = spool.raw_rows(manifest, 0, [rows[0]["raw_row"]], settings)[0]
    assert json.loads(json.dumps(record)) == record
    assert record["$row"] == 1
    assert record["id"] == "1"
    assert Decimal(record["worth"]) == Decimal("10.5")


def schema_of(url: sa.URL, ticket_source, engine: sa.Engine, schema: str, **more):
    with engine.begin() as opened:
        opened.exec_driver_sql(f"CREATE SCHEMA {schema}")
        opened.exec_driver_sql(
            f"CREATE TABLE {schema}.tickets AS SELECT 1 AS id, 'open' AS status, DATE '2024-01-01' AS created"
        )
    return ticket_source({"table": "tickets"}, connection="desk", **more)


@pytest.mark.parametrize("database_url", ["duckdb", "postgresql"], indirect=True)
def test_tables_without_a_schema_are_looked_for_in_the_search_path(
    database_url, engine, ticket_source, extract, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = schema_of(database_url, ticket_source, engine, "loader", search_path="${DESK_SCHEMA}")
    with pytest.raises(SourceError, match=r"\$\{DESK_SCHEMA\}, which is not set"):
        extract(source, resolver=lambda _: connection_of(database_url))
    monkeypatch.setenv("DESK_SCHEMA", "loader'; DROP TABLE tickets; --")
    with pytest.raises(SourceError, match="which is no name of a schema"):
        extract(source, resolver=lambda _: connection_of(database_url))
    monkeypatch.setenv("DESK_SCHEMA", "loader")
    _, rows = extract(source, resolver=lambda _: connection_of(database_url))
    assert [row["ticket_id"] for row in rows] == ["desk:1"]


def test_a_database_without_schemas_says_so(tmp_path: Path, ticket_source, extract) -> None:
    source = ticket_source({"table": "tickets"}, connection="desk", search_path="loader")
    url = sa.URL.create("sqlite", database=str(tmp_path / "t.db"))
    with pytest.raises(SourceError, match="sqlite takes no search_path"):
        extract(source, resolver=lambda _: connection_of(url))


TYPES = """
  SELECT * FROM (
    SELECT 1 AS place, CAST(7 AS SMALLINT) AS small, CAST(9007199254740993 AS BIGINT) AS large,
      CAST(0.1 AS DOUBLE PRECISION) AS ratio, CAST(10.50 AS DECIMAL(12, 2)) AS worth, TRUE AS yes, '' AS empty,
      'a "quoted", line
and another' AS words, DATE '2024-02-29' AS day, TIMESTAMP '2024-02-29 12:00:00.000001' AS local,
      TIMESTAMP WITH TIME ZONE '2024-02-29 12:00:00+05:30' AS instant
    UNION ALL SELECT 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  ) AS both_rows ORDER BY place"""


@pytest.mark.parametrize("database_url", ["duckdb", "postgresql"], indirect=True)
def test_fast_ways_keep_values_types_and_the_empty_text_apart_from_null(database_url, engine, ticket_source) -> None:
    with engine.begin() as opened:
        opened.exec_driver_sql("CREATE TABLE t (id INTEGER)")
    source = ticket_source({"query": TYPES}, connection="desk")
    (chunk,) = database.read_table(source, "export", lambda _: connection_of(database_url), None)
    first, second = chunk.table.to_pylist()
    assert first == {
        "place": 1, "small": 7, "large": 9007199254740993, "ratio": 0.1, "worth": Decimal("10.50"), "yes": True,
        "empty": "", "words": 'a "quoted", line\nand another', "day": date(2024, 2, 29),
        "local": datetime(2024, 2, 29, 12, 0, 0, 1), "instant": datetime(2024, 2, 29, 6, 30, tzinfo=UTC),
    }  # fmt: skip
    assert {name for name, value in second.items() if value is not None} == {"place"}
    assert [kind_of(field.type) for field in chunk.table.schema] == [
        "integer", "integer", "integer", "double", "decimal", "boolean", "text", "text", "date", "local", "instant"
    ]  # fmt: skip


def test_a_row_of_nothing_but_null_is_a_row(postgres_database: sa.URL, ticket_source) -> None:
    source = ticket_source({"query": "SELECT CAST(NULL AS text) AS id FROM generate_series(1, 3)"}, connection="desk")
    (chunk,) = database.read_table(source, "export", lambda _: connection_of(postgres_database), None)
    assert chunk.table.to_pydict() == {"id": [None, None, None]}


def test_a_column_may_be_empty_for_thousands_of_rows(tmp_path: Path, ticket_source) -> None:
    """Tuples are fetched by the thousand, and the type of a column that holds only NULL there is not known yet."""
    url = sa.URL.create("sqlite", database=str(tmp_path / "t.db"))
    with sa.create_engine(url).begin() as opened:
        opened.exec_driver_sql("CREATE TABLE t (id INTEGER, note TEXT)")
        opened.exec_driver_sql(
            "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 12000)"
            " SELECT i, CASE WHEN i > 11000 THEN 'late' END FROM n"
        )
    source = ticket_source({"table": "t"}, connection="desk")
    (chunk,) = database.read_table(source, "export", lambda _: connection_of(url), None)
    assert chunk.table["note"].null_count == 11_000
    assert chunk.table["note"][-1].as_py() == "late"
