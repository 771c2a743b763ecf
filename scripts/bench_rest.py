"""Measures kind `rest`: records through paging from a server on this machine, and whether memory grows with them."""

from __future__ import annotations

import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

START = datetime(2026, 3, 1)
SOURCE = """id: desk
kind: rest
instance: desk
description: Generated tickets behind an interface
owner: bench
connection: desk
api: {{base_url: /}}
resources:
  tickets:
    request:
      path: /tickets
      params: {{updated_since: "{{window.start}}", after: "{{page.cursor}}", per_page: "{page}"}}
      pages: {{by: cursor, at: next}}
    records: data
    cursor: updated_at
entities:
  - entity: tickets
    resource: tickets
    version: {{path: updated_at}}
    columns:
      ticket_id: {{path: id}}
      subject: {{path: subject}}
      requester_email: {{path: requester.email}}
      status: {{path: status}}
      priority: {{path: priority}}
      channel: {{path: via.channel}}
      tags: {{path: tags}}
      customer_id: {{path: requester.id}}
      created_at: {{path: created_at}}
      updated_at: {{path: updated_at}}
"""
# (records, a page): the aim; the same in small pages; three times as many, for the memory
SIZES = ((100_000, 1000), (100_000, 100), (300_000, 1000))


def record(number: int) -> dict:
    """About 900 bytes, as a help desk's JSON has them."""
    changed = START + timedelta(milliseconds=80 * number % 86_000_000)
    return {
        "id": number,
        "url": f"https://desk.example.com/api/v2/tickets/{number}.json",
        "subject": f"Invoice {number} is wrong, mail from jane.doe@example.com",
        "description": "The amount does not match the order that we placed last week. " * 6,
        "status": ("new", "open", "pending", "solved")[number % 4],
        "priority": ("low", "normal", "high", "urgent")[number % 4],
        "via": {"channel": ("mail", "chat", "web")[number % 3], "source": {"from": {}, "to": {}, "rel": None}},
        "tags": ["billing", f"region-{number % 17}"],
        "requester": {"id": number * 7 % 20_000, "email": f"user{number * 7 % 20_000}@example.org"},
        "created_at": f"{START - timedelta(days=number % 700):%Y-%m-%dT%H:%M:%SZ}",
        "updated_at": f"{changed:%Y-%m-%dT%H:%M:%S}.{changed.microsecond // 1000:03d}Z",
    }


def serve(records: int, ports: multiprocessing.Queue) -> None:
    """Answers pages until it is ended; in a process of its own, so that neither time nor memory is the reader's."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            first, size = int(asked.get("after", ["0"])[0]), int(asked["per_page"][0])
            last = min(first + size, records)
            following = str(last) if last < records else None
            body = json.dumps({"data": [record(number) for number in range(first, last)], "next": following}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ports.put(server.server_address[1])
    server.serve_forever()


def task_rest(records: int, page: int) -> dict[str, float]:
    """One extraction of all records; seconds, CPU seconds and peak memory of the reader alone."""
    from hansei.catalog.loader import examine
    from hansei.catalog.windows import Window
    from hansei.connections import Connection
    from hansei.settings import load_settings
    from hansei.sources.extraction import extract_batch

    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "sources").mkdir()
        (Path(directory) / "sources" / "desk.yaml").write_text(SOURCE.format(page=page))
        settings = load_settings()
        catalog = examine(load_settings({"HANSEI_DEFINITIONS": directory}))[0]
        ports: multiprocessing.Queue = multiprocessing.Queue()
        server = multiprocessing.Process(target=serve, args=(records, ports), daemon=True)
        server.start()
        connection = Connection("desk", "http", host=f"http://127.0.0.1:{ports.get()}")
        window = Window(START, START + timedelta(days=1))
        begun, cpu = time.monotonic(), time.process_time()
        manifest = extract_batch(
            catalog.sources["desk"], catalog, settings, lambda _: connection, f"bench-{records}-{page}", window
        )
        figures = {"seconds": time.monotonic() - begun, "cpu": time.process_time() - cpu}
        server.kill()
        server.join()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {**figures, "received": manifest.received, "peak GB": peak}


def report_rest(run: Callable[..., dict[str, float]]) -> None:
    for records, page in SIZES:
        figures = run("rest", "--sizes", str(records), str(page))
        told = f"{figures['received']:9,.0f} records, {page:5} a page"
        spent = f"{figures['seconds']:6.1f} s {figures['cpu']:6.1f} CPU s {figures['peak GB']:.2f} GB"
        print(f"  {told} {spent}", flush=True)
