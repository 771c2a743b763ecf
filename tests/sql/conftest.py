"""An open warehouse on each engine, with the shipped definitions, and small ways to fill staging."""

from __future__ import annotations

import dataclasses
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.databases import create_database, drop_database
from support.few_indicators import few

from hansei.catalog import Catalog, load_catalog
from hansei.settings import Settings, load_settings
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.tables import evolve


def _settings(url: sa.URL, home: Path) -> Settings:
    keys = {"HANSEI_IDENTITY_KEY": "k" * 40, "HANSEI_QUARANTINE_KEY": "cXVhcmFudGluZS1rZXktb2YtdGhlLXRlc3RzLTMyYnk="}
    warehouse = url.render_as_string(hide_password=False)
    return load_settings({"HANSEI_HOME": str(home), "HANSEI_WAREHOUSE": warehouse, **keys})


def _grow(url: sa.URL, home: Path) -> None:
    settings = _settings(url, home)
    with open_warehouse(settings) as opened:
        evolve(opened, load_catalog(settings))


@pytest.fixture(scope="session")
def grown_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with every declared table and no row: to copy it is quicker than to make 80 tables."""
    folder = tmp_path_factory.mktemp("grown")
    _grow(sa.URL.create("duckdb", database=str(folder / "warehouse.duckdb")), folder)
    return folder / "warehouse.duckdb"


@pytest.fixture(scope="session")
def grown_database(postgres_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same as a database of the session's server, for CREATE DATABASE ... TEMPLATE."""
    create_database(postgres_url, "grown")
    _grow(postgres_url.set(database="grown"), tmp_path_factory.mktemp("grown"))
    return "grown"


@contextmanager
def _grown(request: pytest.FixtureRequest, folder: Path) -> Iterator[sa.URL]:
    """URL of a warehouse on the engine of the fixture's parameter: the declared tables stand in it, empty."""
    if request.param == "duckdb":
        file = folder / "warehouse.duckdb"
        shutil.copyfile(request.getfixturevalue("grown_file"), file)
        yield sa.URL.create("duckdb", database=str(file))
        return
    server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("grown_database")
    name = f"grown_{uuid.uuid4().hex[:12]}"
    create_database(server, name, template)
    yield server.set(database=name)
    drop_database(server, name)


@pytest.fixture(params=["duckdb", "postgresql"])
def engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.URL]:
    """As for other tests a warehouse of its own for each test, on each engine; here the declared tables are there."""
    with _grown(request, tmp_path) as url:
        yield url


@pytest.fixture
def settings(engine_url: sa.URL, tmp_path: Path) -> Settings:
    return _settings(engine_url, tmp_path / "home")


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
    """As `engine_url`, but one for all tests of a module."""
    with _grown(request, tmp_path_factory.mktemp("module")) as url:
        yield url
