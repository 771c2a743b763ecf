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
    kind: Annotated[str, typer.Argument(help="files or database")],
    name: Annotated[str, typer.Argument(help="Id of the source: lower-case letters, digits, underscores.")],
    directory: Directory = None,
) -> None:
    """Write sources/NAME.yaml: one mapping of tickets to complete."""
    if kind not in _SOURCES:
        raise HanseiError("kind", f"{kind!r}", f"use one of: {', '.join(_SOURCES)}")
    path = _write(directory, "sources", name, _SOURCES[kind].replace("NAME", name))
    typer.echo(f"{path}: fill in the paths, then `hansei check` and `hansei sources check {name}`")


@app.command()
def indicator(
    name: Annotated[str, typer.Argument(help="Id of the indicator: lower-case letters, digits, underscores.")],
    directory: Directory = None,
) -> None:
    """Write indicators/NAME.yaml: a ratio over core.tickets to change."""
    path = _write(directory, "indicators", name, _INDICATOR.replace("NAME", name))
    typer.echo(f"{path}: change it, then `hansei check` and `hansei plan`")


def _write(directory: Path | None, folder: str, name: str, text: str) -> Path:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise HanseiError("name", f"{name!r}", "use lower-case letters, digits and underscores, starting with a letter")
    overlays = load_settings().overlays
    if directory is None and not overlays:
        raise HanseiError("HANSEI_DEFINITIONS", "not set", "set it to a directory of your own, or give --directory")
    path = (directory or overlays[0]) / folder / f"{name}.yaml"
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
}
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
