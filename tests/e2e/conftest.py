"""A mail server and a chat server for whoever is told something; a small company after its first night."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.chat_server import ChatRoom, chat_server
from support.mail_server import Mailbox, mail_server
from support.small_company import Company, exports, found_company


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

    One for every file that begins where this ends. Tests copy it (`copy_company`) and leave it as it is.
    """
    company = found_company(tmp_path_factory.mktemp("first_night"))
    exports().write(company.inbox)
    company.night(1)
    return company
