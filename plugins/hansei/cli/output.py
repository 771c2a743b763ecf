"""How commands print: a table for people, `--json` for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def show(rows: Sequence[dict[str, Any]], as_json: bool, empty: str) -> None:
    """Rows as a table, as JSON, or the sentence that says why there are none."""
    if as_json:
        typer.echo(json.dumps(list(rows), default=str, ensure_ascii=False, indent=1))
        return
    if not rows:
        typer.echo(empty)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows[0]:
        is_number = all(isinstance(row[name], (int, float)) for row in rows if row[name] is not None)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    console().print(table)


def console() -> Console:
    return Console(soft_wrap=False, width=None if Console().is_terminal else 160)
