"""Chat messages through Apprise: Slack, Teams, DingTalk, Feishu, WeCom, webhooks.

Apprise answers only whether all went well. Whether a message may be sent again hangs on what happened on the wire, so
the HTTP exchanges of a call are watched: who refused before anything was accepted, and who fell silent.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

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

CHAT_BYTES = 20_000  # where a service names no limit, or a larger one
_TITLE_BYTES = 300  # kept free for the subject, which some services put into the text
_TRY_AGAIN = (408, 429, 500, 503)
# Said by something in between, which does not know whether the service took the message.
_KNOWS_NOTHING = (502, 504)
_watching = threading.Lock()
Exchange = int | Exception  # an HTTP status, or why there is none


@dataclass(frozen=True)
class ChatChannel:
    """One chat service, as Apprise's plugin for it."""

    connection_id: str
    plugin: Any = field(repr=False)

    @property
    def domain(self) -> str:
        return NOBODYS_DOMAIN

    @property
    def limit(self) -> int:
        return min(self.plugin.body_maxlen or CHAT_BYTES, CHAT_BYTES) - _TITLE_BYTES

    def send(self, message: Message) -> None:
        place = f"connection {self.connection_id!r}"
        with _exchanges() as seen:
            try:
                is_sent = self.plugin.notify(title=message.subject, body=message.text, body_format="text")
            except Exception as error:  # a plugin's own fault, of any type, must not pass for a message that left
                raise _failure(place, seen, type(error).__name__) from None
        if not is_sent:
            raise _failure(place, seen, "the service did not say that it took the message")


def open_chat(connection: Connection) -> ChatChannel:
    """The channel of the connection's Apprise URL; NotSent where there is none, or where it goes in clear text.

    The URL stands in `config.path` of the extra of a connection of type `apprise`, as Airflow's provider has it; or the
    connection itself is that URL, its type being Apprise's scheme.
    """
    import apprise

    place = f"connection {connection.connection_id!r}"
    # Its log quotes URLs and answers; what matters of them is in our own errors.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    plugin = apprise.Apprise.instantiate(_url(connection, place), suppress_exceptions=True)
    if plugin is None:
        raise NotSent(place, "is no URL that Apprise understands (value not shown)", "see docs/notifications.md")
    if isinstance(plugin, apprise.plugins.N_MGR["mailto"]):
        raise NotSent(place, "is a mail address", "use kind: mail and an smtp connection, which keeps the Message-ID")
    # A plugin without a plain scheme always speaks TLS.
    if plugin.protocol and not plugin.secure and not is_set(connection.extra, "disable_tls"):
        next_step = "use the scheme with TLS, or set disable_tls in the connection's extra"
        raise NotSent(place, "speaks without TLS", next_step)
    plugin.socket_connect_timeout, plugin.socket_read_timeout = CONNECT_SECONDS, ANSWER_SECONDS
    return ChatChannel(connection.connection_id, plugin)


def _url(connection: Connection, place: str) -> str:
    if connection.conn_type == "apprise":
        config = connection.extra.get("config")
        try:
            config = json.loads(config) if isinstance(config, str) else config
        except json.JSONDecodeError:
            config = None
        if not isinstance(config, Mapping) or not isinstance(config.get("path"), str):
            raise NotSent(place, "has no single config.path in its extra", 'give {"config": {"path": "APPRISE URL"}}')
        return config["path"]
    login = quote(connection.login or "", safe="")
    password = f":{quote(connection.password, safe='')}" if connection.password else ""
    port = f":{connection.port}" if connection.port else ""
    at = "@" if login or password else ""
    options = {key: value for key, value in connection.extra.items() if key != "disable_tls"}
    query = f"?{urlencode(options)}" if options else ""
    path = f"/{connection.schema}" if connection.schema else ""
    return f"{connection.conn_type}://{login}{password}{at}{connection.host or ''}{port}{path}{query}"


@contextmanager
def _exchanges() -> Iterator[list[Exchange]]:
    """What each HTTP request of this thread came to, in order, while the block lasts."""
    import requests

    seen: list[Exchange] = []
    here = threading.get_ident()
    with _watching:
        original = requests.Session.send

        def send(session: requests.Session, request: Any, **options: Any) -> requests.Response:
            outcome: Exchange | None = None
            try:
                response = original(session, request, **options)
                outcome = response.status_code
                return response
            except Exception as error:
                outcome = error
                raise
            finally:
                if outcome is not None and threading.get_ident() == here:
                    seen.append(outcome)

        requests.Session.send = send
        try:
            yield seen
        finally:
            requests.Session.send = original


def _failure(place: str, seen: list[Exchange], found: str) -> NotSent | Uncertain:
    """NotSent only where every exchange shows that nothing was taken."""
    statuses = [exchange for exchange in seen if isinstance(exchange, int)]
    if seen and all(isinstance(exchange, Exception) and _never_connected(exchange) for exchange in seen):
        return NotSent(place, "the service cannot be reached", "check host, port, certificate and network", True)
    is_refusal = all(status >= 400 and status not in _KNOWS_NOTHING for status in statuses)
    # A single answer of 200 that Apprise does not count as success is the service's own refusal, in its body.
    if seen and len(statuses) == len(seen) and (is_refusal or (len(seen) == 1 and statuses[0] < 300)):
        told = ", ".join(map(str, dict.fromkeys(statuses)))
        is_temporary = any(status in _TRY_AGAIN for status in statuses)
        next_step = (
            "it is tried again" if is_temporary else "correct the token, the rights or the URL in the connection"
        )
        return NotSent(place, f"the service answered {told} and did not take the message", next_step, is_temporary)
    return Uncertain(place, found, ASK_THEM)


def _never_connected(error: BaseException) -> bool:
    """Whether the request failed before a byte of it was sent: no name, no connection, no trusted certificate."""
    import ssl

    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    waiting, known = [error], set()
    while waiting:
        cause = waiting.pop()
        if id(cause) in known:
            continue
        known.add(id(cause))
        if isinstance(cause, NewConnectionError | ConnectTimeoutError | ssl.SSLCertVerificationError):
            return True
        linked = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        waiting += [item for item in linked if isinstance(item, BaseException)]
    return False
