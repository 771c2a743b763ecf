"""A mail server and a chat server for whoever is told something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.chat_server import ChatRoom, chat_server
from support.mail_server import Mailbox, mail_server


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def room() -> Iterator[ChatRoom]:
    with chat_server() as room:
        yield room
