"""A web server on this machine that takes a webhook's messages, and fails as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ChatRoom:
    """`posts`: what was posted, in order, also what was refused. `answers` to the next ones: a status, or `hang`."""

    port: int = 0
    posts: list[dict[str, Any]] = field(default_factory=list)
    answers: list[int | str] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)

    @property
    def uri(self) -> str:
        return f"json://desk:s3cret@127.0.0.1:{self.port}/hook/t0ken?disable_tls=true"


@contextmanager
def chat_server() -> Iterator[ChatRoom]:
    room = ChatRoom()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            room.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer = room.answers.pop(0) if room.answers else 200
            if answer == "hang":
                room.hung_up.wait(30)
                return
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    room.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield room
    finally:
        room.hung_up.set()
        server.shutdown()
        server.server_close()
        thread.join()
