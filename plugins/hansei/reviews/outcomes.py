"""What a channel is given, and the three things that can come of it.

`send` returns (sent), raises NotSent (nothing left, trying again cannot double anything) or Uncertain (it may have
left). Errors name a connection and a kind of trouble; never an address, a token, a URL or the words of another system,
which may hold any of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hansei.errors import HanseiError

CONNECT_SECONDS = 20.0
ANSWER_SECONDS = 60.0
# The right-hand side of a Message-ID where a channel has no sender of its own.
NOBODYS_DOMAIN = "hansei.invalid"
ASK_THEM = "ask the recipient, then `hansei deliveries resend` or `skip`"


class NotSent(HanseiError):
    """Nothing left. `is_temporary`: worth another try in a moment."""

    def __init__(self, place: str, found: str, next_step: str, is_temporary: bool = False) -> None:
        super().__init__(place, found, next_step)
        self.is_temporary = is_temporary


class Uncertain(HanseiError):
    """It may have left, and nobody here can tell."""


@dataclass(frozen=True)
class Attached:
    """A file that goes with a mail. `content_id` is how the HTML names a picture; a file to keep has none."""

    name: str
    media_type: str
    content: bytes = field(repr=False)
    content_id: str = ""


@dataclass(frozen=True)
class Message:
    """What is sent. A mail has `text` and `html`, and may have `pictures` (that its HTML shows) and `files`; a chat
    message has `text` alone. `language` is a BCP 47 tag.
    """

    subject: str
    text: str
    html: str
    message_id: str
    language: str
    pictures: tuple[Attached, ...] = ()
    files: tuple[Attached, ...] = ()


class SendingChannel(Protocol):
    """An opened channel. `limit`: bytes of text that one message may have, None where nothing limits it."""

    @property
    def domain(self) -> str: ...

    @property
    def limit(self) -> int | None: ...

    def send(self, message: Message) -> None: ...


def is_set(extra: Mapping[str, Any], key: str) -> bool:
    """A switch in a connection's extra, which a URI carries as text."""
    return str(extra.get(key, False)).lower() in ("true", "1", "yes")
