"""`hansei new`: a first definition to start from, with its test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from hansei.errors import HanseiError
from hansei.settings import load_settings

app = typer.Typer(no_args_is_help=True)
Directory = Annotated[
    Path | None, typer.Option(help="Definitions directory (default: the first of HANSEI_DEFINITIONS).")
]


@app.command()
def source(
    kind: Annotated[str, typer.Argument(help="files, database or rest")],
    name: Annotated[str, typer.Argument(help="Id of the source: lower-case letters, digits, underscores.")],
    directory: Directory = None,
) -> None:
    """Write sources/NAME.yaml, one mapping of tickets to complete, and tests/test_NAME.py, which maps a first row."""
    if kind not in _SOURCES:
        raise HanseiError("kind", f"{kind!r}", f"use one of: {', '.join(_SOURCES)}")
    path = _write(directory, "sources", f"{name}.yaml", name, _SOURCES[kind].replace("NAME", name))
    text = _TEST.replace("RECORD = RECORD", f"RECORD = {_RECORD if kind == 'rest' else _ROW}").replace("NAME", name)
    test = _write(directory, "tests", f"test_{name}.py", name, text)
    typer.echo(f"{path}: fill in the paths, then `hansei check` and `hansei sources check {name}`")
    typer.echo(f"{test}: put a real row into it, without real persons; `pytest {test}`")


@app.command()
def indicator(
    name: Annotated[str, typer.Argument(help="Id of the indicator: lower-case letters, digits, underscores.")],
    directory: Directory = None,
) -> None:
    """Write indicators/NAME.yaml: a ratio over core.tickets to change."""
    path = _write(directory, "indicators", f"{name}.yaml", name, _INDICATOR.replace("NAME", name))
    typer.echo(f"{path}: change it, then `hansei check` and `hansei plan`")


def _write(directory: Path | None, folder: str, file: str, name: str, text: str) -> Path:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise HanseiError("name", f"{name!r}", "use lower-case letters, digits and underscores, starting with a letter")
    overlays = load_settings().overlays
    if directory is None and not overlays:
        raise HanseiError("HANSEI_DEFINITIONS", "not set", "set it to a directory of your own, or give --directory")
    path = (directory or overlays[0]) / folder / file
    if path.exists():
        raise HanseiError(str(path), "exists already", "choose another name, or edit it")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


_TICKETS = """entities:
  - entity: tickets
    resource: tickets
    version: {path: updated_at}          # which state of a ticket is the newer one
    columns:
      ticket_id: {path: id}
      status:
        path: status
        values: {new: new, open: open, pending: pending, solved: solved, closed: closed}
      priority: {path: priority, values: {low: low, normal: normal, high: high, urgent: urgent}}
      channel: {path: channel}
      customer_id: {path: requester_id}
      team_id: {path: team_id}
      created_at: {path: created_at}
      updated_at: {path: updated_at}
      solved_at: {path: solved_at}
"""
_HEAD = """id: NAME
kind: {kind}
instance: NAME                           # prefix of our keys: NAME:123
description: What this system is, in one sentence
owner: who-answers-for-it
zone: UTC                                # zone of times that carry none
delivery: changes                        # snapshot | changes | append
events: none                             # complete: every change of a ticket is in ticket_events
look_back: 2d
"""
_SOURCES = {
    "files": _HEAD.format(kind="files")
    + """resources:
  tickets:
    path: /data/NAME/tickets-*.csv
    format: csv                          # csv, tsv, json, jsonl, parquet, excel; .gz and .zip are read too
    encoding: utf-8
    delimiter: ","
    complete_until: {by: file_name, pattern: "tickets-(\\\\d{4}-\\\\d{2}-\\\\d{2})", covers: 1d}
"""
    + _TICKETS,
    "database": _HEAD.format(kind="database")
    + """connection: NAME                         # id of an Airflow connection
resources:
  tickets:
    table: public.tickets                # or query: SELECT ...
    cursor: updated_at
"""
    + _TICKETS,
    "rest": _HEAD.format(kind="rest")
    + """connection: NAME                         # id of an Airflow connection: host, login, password
api:
  base_url: /api/v1                      # below the connection's host
  auth: {kind: bearer}                   # docs/sources/README.md lists the others
  rate: {per_minute: 60}
resources:
  tickets:
    request:
      path: /tickets
      params:
        updated_after: "{window.start}"
        updated_before: "{window.end}"
        page: "{page.number}"
        per_page: "{page.size}"
      pages: {by: page, size: 100, short_page_ends: true}
    records: tickets                     # path of the list in the answer
    cursor: updated_at
"""
    + _TICKETS,
}
_ROW = """{
    "$resource": "tickets",
    "id": "4711",
    "status": "open",
    "priority": "high",
    "channel": "mail",
    "requester_id": "7",
    "team_id": "2",
    "created_at": "2026-03-01T08:00:00Z",
    "updated_at": "2026-03-01T09:30:00Z",
}"""
_RECORD = """{
    "$resource": "tickets",
    "$record": {
        "id": 4711,
        "status": "open",
        "priority": "high",
        "channel": "mail",
        "requester_id": 7,
        "team_id": 2,
        "created_at": "2026-03-01T08:00:00Z",
        "updated_at": "2026-03-01T09:30:00Z",
    },
}"""
_TEST = '''"""What a row of NAME becomes. Run by pytest; it asks no server."""

from datetime import datetime
from pathlib import Path

from hansei.catalog import load_catalog
from hansei.catalog.windows import Window
from hansei.settings import load_settings
from hansei.sources.replay import remap

DEFINITIONS = Path(__file__).resolve().parents[1]
KEYS = {"HANSEI_IDENTITY_KEY": "only-for-this-test-and-no-secret-at-all", "HANSEI_QUARANTINE_KEY": "A" * 43 + "="}
RECORD = RECORD


def test_a_row_becomes_a_ticket(tmp_path: Path) -> None:
    settings = load_settings({"HANSEI_HOME": str(tmp_path), "HANSEI_DEFINITIONS": str(DEFINITIONS), **KEYS})
    catalog = load_catalog(settings)
    window = Window(None, datetime(2026, 3, 2))
    (row,) = remap(catalog.sources["NAME"], catalog, settings, "tickets", [RECORD], window).to_pylist()
    assert row["faults"] is None
    assert row["ticket_id"] == "NAME:4711"
    assert row["status"] == "open"
    assert row["created_at"] == datetime(2026, 3, 1, 8)
'''
_INDICATOR = """id: NAME
version: 1
title: What readers see
question: Which question does it answer?
family: resolution                       # speed, resolution, voice, channels, customers, cost, team, elsewhere
measure: ratio                           # or count, total, distinct, rate, mean, quantile, snapshot ...
unit: ratio                              # or seconds, business_seconds, count, points, currency, score, index ...
direction: higher_is_better              # or lower_is_better, neutral
table: core.tickets
counted_on: solved_date
counts: ticket
numerator: agent_reply_count = 1
denominator: is_solved AND agent_reply_count IS NOT NULL
exclusions: [deleted, merged, spam, bot_only]
segments: [channel, team, priority, account_tier]
minimum_denominator: 30
owner: who-answers-for-it
shown_in: [weekly_brief]                 # reviews that show it
caveats: [late_arriving]
example: {numerator: 412, denominator: 610}
"""
