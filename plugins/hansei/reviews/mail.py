"""Mail over SMTP, step by step: only so can it be told whether a message had been handed over when the line broke.

Apprise's mail writes a Message-ID of its own, and smtplib's `sendmail` hides at which step it failed.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any

from hansei.connections import Connection
from hansei.reviews.outcomes import (
    ANSWER_SECONDS,
    ASK_THEM,
    CONNECT_SECONDS,
    NOBODYS_DOMAIN,
    Message,
    NotSent,
    Uncertain,
    is_set,
)

BEFORE = "before the message was handed over"


@dataclass(frozen=True)
class MailChannel:
    """A mail server and one address there, from an Airflow SMTP connection with the extras of Airflow's own hook.

    TLS from the first byte (port 465); with `disable_ssl` STARTTLS (port 587); with `disable_tls` too, clear text.
    """

    connection: Connection
    sender: str = field(repr=False)
    address: str = field(repr=False)

    @property
    def domain(self) -> str:
        return parseaddr(self.sender)[1].rpartition("@")[2] or NOBODYS_DOMAIN

    @property
    def limit(self) -> None:
        return None

    def send(self, message: Message) -> None:
        mail = self.compose(message).as_bytes()
        server = self._connected()
        try:
            self._envelope(server)
            self._hand_over(server, mail)
            with suppress(smtplib.SMTPException, OSError):
                server.quit()  # whatever this meets, what counts was answered before
        finally:
            server.close()

    def compose(self, message: Message) -> EmailMessage:
        """The mail as it is put on the wire, lines ending in CRLF."""
        mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
        mail["Subject"] = message.subject
        mail["From"] = self.sender
        mail["To"] = self.address
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = message.message_id
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office reply, no loop
        mail.set_content(message.text)
        mail.add_alternative(message.html, subtype="html")
        page = mail.get_payload()[-1]
        for picture in message.pictures:
            kind, _, subtype = picture.media_type.partition("/")
            cid = f"<{picture.content_id}>"
            page.add_related(picture.content, kind, subtype, cid=cid, filename=picture.name, disposition="inline")
        for file in message.files:
            kind, _, subtype = file.media_type.partition("/")
            mail.add_attachment(file.content, kind, subtype, filename=file.name)
        mail["Content-Language"] = message.language  # last: setting the content drops such headers
        return mail

    def _connected(self) -> smtplib.SMTP:
        extra, host = self.connection.extra, self.connection.host
        is_ssl = not is_set(extra, "disable_ssl")
        timeout = float(extra.get("timeout") or CONNECT_SECONDS)
        port = self.connection.port or (465 if is_ssl else 587)
        server: smtplib.SMTP | None = None
        try:
            if is_ssl:
                server = smtplib.SMTP_SSL(host, port, timeout=timeout, context=_tls(extra))
            else:
                server = smtplib.SMTP(host, port, timeout=timeout)
                if not is_set(extra, "disable_tls"):
                    server.starttls(context=_tls(extra))
            if self.connection.login:
                server.login(self.connection.login, self.connection.password or "")
            server.ehlo_or_helo_if_needed()
            server.sock.settimeout(ANSWER_SECONDS)
        except (smtplib.SMTPException, OSError) as error:
            if server is not None:
                server.close()
            raise self._not_sent(error) from None
        return server

    def _envelope(self, server: smtplib.SMTP) -> None:
        try:
            answers = (server.mail(parseaddr(self.sender)[1]), server.rcpt(parseaddr(self.address)[1]))
        except (smtplib.SMTPException, OSError) as error:
            raise self._not_sent(error) from None
        for code, _ in answers:
            if not 200 <= code < 300:
                raise self._refused(code, BEFORE)

    def _hand_over(self, server: smtplib.SMTP, mail: bytes) -> None:
        try:
            code, _ = server.data(mail)
        except smtplib.SMTPDataError as error:  # the answer to DATA itself
            raise self._refused(error.smtp_code, BEFORE) from None
        except (smtplib.SMTPException, OSError) as error:
            found = f"the line broke while the message was being handed over ({_kind(error)})"
            raise Uncertain(self._place, found, ASK_THEM) from None
        if not 200 <= code < 300:
            # An error after the message is a promise not to deliver it (RFC 5321, 4.2.5).
            raise self._refused(code, "after it had read the message")

    @property
    def _place(self) -> str:
        return f"connection {self.connection.connection_id!r}"

    def _refused(self, code: int, when: str) -> NotSent:
        is_temporary = 400 <= code < 500
        next_step = "it is tried again" if is_temporary else "correct sender, address or rights in the connection"
        return NotSent(self._place, f"the mail server answered {code} {when}", next_step, is_temporary)

    def _not_sent(self, error: Exception) -> NotSent:
        if isinstance(error, smtplib.SMTPResponseException):
            return self._refused(error.smtp_code, BEFORE)
        if isinstance(error, smtplib.SMTPNotSupportedError):
            next_step = "have TLS turned on at the server; disable_tls in the extra goes without, in clear text"
            return NotSent(self._place, "the mail server does not offer the TLS or login asked for", next_step)
        if isinstance(error, ssl.SSLCertVerificationError):
            return NotSent(self._place, "the mail server's certificate is not to be trusted", "have it mended")
        found = f"the mail server cannot be reached ({_kind(error)})"
        return NotSent(self._place, found, "check host, port, disable_ssl, disable_tls and the network", True)


def open_mail(connection: Connection, recipient_id: str) -> MailChannel:
    """The channel to the recipient; NotSent where the connection lacks a host, a sender or their address.

    The extra's `to` is an address, or addresses by recipient id, so that one connection serves several people.
    """
    place = f"connection {connection.connection_id!r}"
    if connection.conn_type != "smtp" or not connection.host:
        found = f"has type {connection.conn_type!r}" if connection.conn_type != "smtp" else "has no host"
        raise NotSent(place, found, "mail needs a connection of type smtp with a host")
    if connection.extra.get("auth_type", "basic") != "basic":
        raise NotSent(place, "asks for OAuth 2", "give a login and an application password instead")
    told = connection.extra.get("to")
    address = told.get(recipient_id) if isinstance(told, Mapping) else told
    sender = connection.extra.get("from_email")
    for name, value in (("from_email", sender), ("to", address)):
        if (
            not isinstance(value, str)
            or not value.isascii()
            or "@" not in parseaddr(value)[1]
            or set(value) & {*"\r\n"}
        ):
            next_step = f"give {name} in the connection's extra; `to` may hold one address per recipient id"
            raise NotSent(place, f"has no usable {name} for recipient {recipient_id!r} (value not shown)", next_step)
    return MailChannel(connection, sender, address)


def _tls(extra: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if extra.get("ssl_context") == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _kind(error: Exception) -> str:
    # smtplib calls a silence a broken line, and keeps what it was as the context.
    causes = (error, error.__context__)
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "no answer in time"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "its name is not known"
    return "refused" if isinstance(error, ConnectionRefusedError) else type(error).__name__
