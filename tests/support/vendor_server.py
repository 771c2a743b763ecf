"""A vendor's API on loopback, as its documentation has it: it answers what a fixture lists and nothing else.

A fixture is a list of exchanges. Each has `ask` (method and path), `query` and `body` (exactly what has to come), and
`answer` (JSON), or `text`, or `zip` (file name -> JSON); `status` and `headers` where they are not usual. In answers
`{server}` stands for the server's own address, and `{base64: X}` for the base64 of X as JSON (of a text: as it is).
"""

from __future__ import annotations

import base64
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

OF_AN_EXCHANGE = {"ask", "query", "body", "form", "status", "headers", "answer", "text", "zip", "times"}


@dataclass
class Exchange:
    """One request that the vendor knows, what comes back, and how often it came."""

    ask: str
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    form: dict[str, str] | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    answer: Any = None
    text: str | None = None
    zip: dict[str, Any] | None = None
    times: int = 1
    came: int = 0

    def fits(self, ask: str, query: list[tuple[str, str]], body: bytes) -> bool:
        if ask != self.ask or sorted(query) != sorted((key, str(value)) for key, value in self.query.items()):
            return False
        if self.form is not None:
            return dict(parse_qsl(body.decode())) == self.form
        return (json.loads(body) if body else None) == self.body

    def content(self, address: str) -> tuple[str, bytes]:
        """Content type and bytes."""
        if self.zip is not None:
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, document in self.zip.items():
                    archive.writestr(name, document if isinstance(document, str) else json.dumps(document))
            return "application/zip", packed.getvalue()
        if self.text is not None:
            return "text/csv; charset=utf-8", self.text.encode()
        filled = _filled(self.answer, address)
        return "application/json; charset=utf-8", json.dumps(filled, ensure_ascii=False, default=str).encode()


@dataclass
class VendorServer:
    """The server: its address, what it may be asked now, which headers prove who asks, and what went wrong."""

    address: str
    authentication: dict[str, str]
    exchanges: list[Exchange] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    def expect(self, exchanges: list[dict[str, Any]]) -> None:
        """From now on these are the requests that it knows."""
        for exchange in exchanges:
            assert set(exchange) <= OF_AN_EXCHANGE, f"unknown keys in a fixture: {set(exchange) - OF_AN_EXCHANGE}"
        self.exchanges = [Exchange(**exchange) for exchange in exchanges]
        self.unexpected = []

    def shortcomings(self) -> list[str]:
        """What was asked and is not known, and what was never asked or more often than is polite."""
        counts = [
            f"asked {exchange.came} times, not {exchange.times}: {exchange.ask} {exchange.query or exchange.body or ''}"
            for exchange in self.exchanges
            if exchange.came != exchange.times
        ]
        return [*self.unexpected, *counts]

    def reply(self, ask: str, query: list[tuple[str, str]], headers: dict[str, str], body: bytes) -> Exchange:
        fitting = [exchange for exchange in self.exchanges if exchange.fits(ask, query, body)]
        if not fitting:
            self.unexpected.append(f"unknown to the vendor: {ask} {dict(query)} {body.decode(errors='replace')}")
            return Exchange(ask, status=404, answer={"error": "no such request in the fixture"})
        # Of several answers to one question the next one comes: a poll, or a list that grew.
        exchange = next((one for one in fitting if one.came < one.times), fitting[-1])
        exchange.came += 1
        wanted = exchange.headers.get("asks", self.authentication)
        missing = [name for name, value in wanted.items() if headers.get(name.lower()) != value]
        if missing:
            self.unexpected.append(f"not authenticated: {ask} lacks {', '.join(missing)}")
            return Exchange(ask, status=401, answer={"error": "who are you?"})
        return exchange


@contextmanager
def vendor_server(authentication: dict[str, str]) -> Iterator[VendorServer]:
    """A running server; every request needs the headers of `authentication`, but those whose exchange has `asks`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = parse_qsl(parts.query, keep_blank_values=True)
            exchange = server.reply(f"{self.command} {parts.path}", query, headers, body)
            kind, content = exchange.content(server.address)
            self.send_response(exchange.status)
            sent = {name: value for name, value in exchange.headers.items() if name != "asks"}
            for name, value in ({"Content-Type": kind} | sent).items():
                self.send_header(name, str(value).replace("{server}", server.address))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_DELETE = do_PUT = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = VendorServer(f"http://127.0.0.1:{listening.server_port}", authentication)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def _filled(part: Any, address: str) -> Any:
    if isinstance(part, str):
        return part.replace("{server}", address)
    if isinstance(part, list):
        return [_filled(item, address) for item in part]
    if isinstance(part, dict) and set(part) == {"base64"}:
        inner = part["base64"]
        text = inner if isinstance(inner, str) else json.dumps(inner, default=str)
        return base64.b64encode(text.encode()).decode()
    if isinstance(part, dict):
        return {key: _filled(value, address) for key, value in part.items()}
    return part
