"""An HTTP interface on this machine that answers as it is told: whole, late, broken, refused, or not at all."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hansei.connections import Connection


@dataclass
class Asked:
    """A request as it came. `body`: the JSON, or the form's fields, or None. `query`: the parameters as written."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: Any = None
    query: str = ""


@dataclass
class Reply:
    """What to answer. body: bytes as they are, anything else as JSON. break_after: bytes before the connection is
    reset. drip: seconds between single bytes. repeat: how often the body is sent (for very large ones)."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    break_after: int | None = None
    drip: float | None = None
    repeat: int = 1

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class RestServer:
    """`answer` makes the reply of a request; replies in `first` are given before, one each. `asked`: what came."""

    port: int = 0
    answer: Callable[[Asked], Reply] = lambda asked: Reply(status=404)
    first: list[Reply] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self, answer: Callable[[Asked], Reply], *first: Reply) -> None:
        self.answer, self.first = answer, list(first)
        self.asked.clear()

    def connection(self, **more: Any) -> Connection:
        fields = {"host": self.url, "login": "robot", "password": "s3cret-of-the-desk", **more}
        return Connection("desk", "http", **fields)


def rows_of(body: bytes, content_type: str) -> Any:
    if not body:
        return None
    if "json" in content_type:
        return json.loads(body)
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


@contextmanager
def rest_server() -> Iterator[RestServer]:
    room = RestServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._take()

        def do_POST(self) -> None:
            self._take()

        def _take(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            params = dict(parse_qsl(parts.query, keep_blank_values=True))
            headers = dict(self.headers.items())
            data = rows_of(body, self.headers.get("Content-Type") or "")
            asked = Asked(self.command, parts.path, params, headers, data, parts.query)
            room.asked.append(asked)
            self._send(room.first.pop(0) if room.first else room.answer(asked))

        def _send(self, reply: Reply) -> None:
            content = reply.content()
            self.send_response_only(reply.status)
            headers = {
                "Date": self.date_time_string(),
                "Content-Type": "application/json",
                "Content-Length": str(len(content) * reply.repeat),
            }
            for name, value in {**headers, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if reply.break_after is not None:
                self.wfile.write(content[: reply.break_after])
                self.wfile.flush()
                # Linger 0 makes close send a reset.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if reply.drip is not None:
                for number in range(len(content)):
                    if room.stopping.is_set():
                        return
                    self.wfile.write(content[number : number + 1])
                    time.sleep(reply.drip)
                return
            for _ in range(reply.repeat):
                self.wfile.write(content)

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True

        def log_message(self, *arguments: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *arguments: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    room.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield room
    finally:
        room.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
