"""A mail server and a chat server for whoever is told something; a small company after its first three nights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.chat_server import ChatRoom, chat_server
from support.mail_server import Mailbox, mail_server
from support.shared_nights import after_night, copy_to_server, first_night_on
from support.small_company import Company, copy_company


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def room() -> Iterator[ChatRoom]:
    with chat_server() as room:
        yield room


@pytest.fixture(scope="session")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The small company on DuckDB after its first night; the files of the later nights lie there too.

    One for all files and workers that begin where this ends. Tests copy it (`copy_company`) and leave it as it is.
    """
    return after_night(tmp_path_factory, 1)


@pytest.fixture(scope="session")
def second_night(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The same after its second night."""
    return after_night(tmp_path_factory, 2)


@pytest.fixture(scope="session")
def third_night(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The same after its third night."""
    return after_night(tmp_path_factory, 3)


@pytest.fixture(scope="session")
def first_night_on_server(tmp_path_factory: pytest.TempPathFactory, postgres_url: sa.URL) -> Company:
    """The small company on PostgreSQL after its first night: tests take `copy_to_server`."""
    return first_night_on(postgres_url, tmp_path_factory)


@pytest.fixture(scope="session")
def third_night_on_server(
    first_night_on_server: Company, tmp_path_factory: pytest.TempPathFactory, postgres_url: sa.URL
) -> Company:
    """The same after its third night."""
    company = copy_to_server(first_night_on_server, tmp_path_factory.mktemp("third_night_on_server"))
    company.night(2)
    company.night(3)
    return company


@pytest.fixture(params=["duckdb", "postgresql"])
def begun(request: pytest.FixtureRequest, tmp_path: Path) -> Company:
    """The small company after its first night, for the test alone, once on each engine."""
    if request.param == "duckdb":
        return copy_company(request.getfixturevalue("first_night"), tmp_path / "begun")
    return copy_to_server(request.getfixturevalue("first_night_on_server"), tmp_path / "begun")
