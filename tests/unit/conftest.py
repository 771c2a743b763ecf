"""The board store on each of its engines, for the tests of everything that lives in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hansei import board
from hansei.settings import Settings, load_settings


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return load_settings({"HANSEI_HOME": str(tmp_path / "home")})
    url = request.getfixturevalue("postgres_database").render_as_string(hide_password=False)
    return load_settings({"HANSEI_HOME": str(tmp_path / "home"), "HANSEI_WAREHOUSE": url})


@pytest.fixture
def engine(settings: Settings) -> Iterator[sa.Engine]:
    engine = board.open(settings)
    yield engine
    engine.dispose()
