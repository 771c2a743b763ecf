"""An open warehouse on each engine, with the shipped definitions, and small ways to fill staging."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

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
    return load_catalog(settings)


@pytest.fixture
def warehouse(settings: Settings, catalog: Catalog) -> Iterator[Warehouse]:
    with open_warehouse(settings) as opened:
        evolve(opened, catalog)
        yield opened
