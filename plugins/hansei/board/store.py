"""Opening the board store: SQLite beside the embedded warehouse, the schema `board` on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from hansei.errors import HanseiError
from hansei.settings import Settings

SCHEMA = "board"
# The newest migration, so that opening an up-to-date store need not load Alembic. A test holds it.
HEAD = "0006"
MIGRATIONS = Path(__file__).with_name("migrations")
LOCK_WAIT_SECONDS = 30
_MIGRATION_LOCK = 4_858_117_201  # any number that nobody else takes on the same database


class BoardError(HanseiError):
    """The board store cannot be opened, or refuses what is asked of it."""


def open_board(settings: Settings) -> sa.Engine:
    """An engine on the store, with every migration applied; safe when several processes start at once."""
    url = sa.make_url(settings.board_url)
    try:
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
        _migrate(engine)
    except sa.exc.OperationalError as error:
        raise BoardError(
            f"board store {url.render_as_string(hide_password=True)}",
            f"cannot be opened ({_first_line(error)})",
            "check HANSEI_BOARD, that the place exists and that this user may write there",
        ) from None
    return engine


@contextmanager
def opened_board(settings: Settings) -> Iterator[sa.Engine]:
    """The store for as long as the block lasts."""
    engine = open_board(settings)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that holds the store's write lock from its first statement, so that reading first is safe."""
    if engine.dialect.name == "sqlite":
        with engine.execution_options(sqlite_begin="BEGIN IMMEDIATE").begin() as connection:
            yield connection
    else:
        with engine.begin() as connection:
            connection.exec_driver_sql("LOCK TABLE reviews IN SHARE ROW EXCLUSIVE MODE")
            yield connection


def _sqlite(url: sa.URL) -> sa.Engine:
    if url.database:
        file = Path(url.database)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # it holds quotes and sample rows
    engine = sa.create_engine(url, connect_args={"timeout": LOCK_WAIT_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def _configure(connection, _) -> None:
        # Python's driver would begin transactions late and leave DDL outside them: we begin them ourselves.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))

    return engine


def _postgresql(url: sa.URL) -> sa.Engine:
    return sa.create_engine(url, connect_args={"options": f"-csearch_path={SCHEMA} -ctimezone=UTC"}, pool_pre_ping=True)


def _migrate(engine: sa.Engine) -> None:
    if _version(engine) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with _migrating(engine) as connection:
        if (found := _version_in(connection)) is not None and found > HEAD:
            raise BoardError(
                "board store",
                f"is at migration {found}, this release knows {HEAD}",
                "run the newer release, or restore the backup made before its upgrade (docs/runbooks/upgrade.md)",
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _migrating(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction for all migrations, which a second process waits for and then finds done."""
    if engine.dialect.name == "sqlite":
        with engine.execution_options(sqlite_begin="BEGIN IMMEDIATE").begin() as connection:
            yield connection
    else:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            yield connection


def _version(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        return _version_in(connection)


def _version_in(connection: sa.Connection) -> str | None:
    """The migration that the store is at, None for an empty one."""
    if connection.dialect.name == "sqlite":
        known = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    else:
        known = f"SELECT count(*) FROM pg_tables WHERE schemaname = '{SCHEMA}' AND tablename = 'alembic_version'"
    if not connection.exec_driver_sql(known).scalar_one():
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _first_line(error: sa.exc.OperationalError) -> str:
    return str(error.orig).strip().splitlines()[0]
