"""An open warehouse on each engine, with the shipped definitions, and small ways to fill staging."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.few_indicators import few

from hansei.catalog import Catalog, load_catalog
from hansei.settings import Settings, load_settings
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.tables import evolve


@pytest.fixture
def settings(engine_url: sa.URL, tmp_path: Path) -> Settings:
    url = engine_url.render_as_string(hide_password=False)
    keys = {"HANSEI_IDENTITY_KEY": "k" * 40, "HANSEI_QUARANTINE_KEY": "cXVhcmFudGluZS1rZXktb2YtdGhlLXRlc3RzLTMyYnk="}
    return load_settings({"HANSEI_HOME": str(tmp_path / "home"), "HANSEI_WAREHOUSE": url, **keys})


@pytest.fixture
def catalog(settings: Settings) -> Catalog:
    shipped = load_catalog(settings)
    return dataclasses.replace(shipped, indicators=few(shipped.indicators))


@pytest.fixture
def warehouse(settings: Settings, catalog: Catalog) -> Iterator[Warehouse]:
    with open_warehouse(settings) as opened:
        evolve(opened, catalog)
        yield opened


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def module_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.URL]:
    """As `engine_url`, an empty warehouse on each engine, but one for all tests of a module."""
    if request.param == "duckdb":
        yield sa.URL.create("duckdb", database=str(tmp_path_factory.mktemp("module") / "warehouse.duckdb"))
        return
    server = request.getfixturevalue("postgres_url")
    name = f"module_{uuid.uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' STRATEGY file_copy")
    yield server.set(database=name)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(url: sa.URL, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
