"""A real SMTP server on this machine, for as long as a block lasts: it keeps what it took, and fails as it is told."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


@dataclass
class Mailbox:
    """`taken`: messages that the server accepted, in order; the answers are those to the next commands, first first."""

    port: int
    taken: list[EmailMessage] = field(default_factory=list)
    recipient_answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    on_data: Callable[[], None] = lambda: None

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:  # noqa: N802 (aiosmtpd's name)
        if self.recipient_answers:
            return self.recipient_answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802
        answer = self.data_answers.pop(0) if self.data_answers else "250 taken"
        if answer == "drop after taking":
            self._take(envelope)
            server.transport.abort()
            return "250 nobody hears this"
        if answer.startswith("250"):
            self._take(envelope)
            self.on_data()
        return answer

    def _take(self, envelope) -> None:
        self.taken.append(message_from_bytes(envelope.content, policy=default))

    @property
    def message_ids(self) -> list[str]:
        return [message["Message-ID"] for message in self.taken]

    def wait_for(self, count: int, seconds: float = 60.0) -> None:
        """Until the server took that many messages."""
        deadline = time.monotonic() + seconds
        while len(self.taken) < count:
            assert time.monotonic() < deadline, f"{len(self.taken)} of {count} messages after {seconds} s"
            time.sleep(0.01)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return SMTP(self.handler, enable_SMTPUTF8=False)


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    # The server stands for somebody else's: what it logs of its guests is not what we log.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    mailbox = Mailbox(free_port())
    controller = _Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
