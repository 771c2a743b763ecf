"""`hansei quarantine`: rows that broke a rule and wait for a decision."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from hansei.cli.output import Json, show
from hansei.errors import HanseiError

if TYPE_CHECKING:
    from hansei.quality.quarantine import Quarantine

app = typer.Typer(no_args_is_help=True)
Source = Annotated[str | None, typer.Option(help="Only rows of this source.")]
Identity = Annotated[str, typer.Argument(help="Quarantine id, or its beginning.")]


@contextmanager
def _quarantine() -> Iterator[Quarantine]:
    """The quarantine of the live warehouse, for as long as the block lasts."""
    from hansei import pipeline
    from hansei.quality.quarantine import Quarantine
    from hansei.warehouse import open_warehouse
    from hansei.warehouse.tables import evolve

    context = pipeline.context()
    with open_warehouse(context.settings) as warehouse:
        evolve(warehouse, context.catalog)
        yield Quarantine(warehouse, context.settings)


@app.command("list")
def list_rows(source: Source = None, as_json: Json = False) -> None:
    """Waiting rows with the rules that they broke; never their content."""
    with _quarantine() as quarantine:
        rows = quarantine.waiting(source)
    listed = [
        {
            "id": row["quarantine_id"][:12],
            "source": row["source"],
            "entity": row["entity"],
            "rules": ", ".join(dict.fromkeys(reason["rule"] for reason in json.loads(row["reasons"]))),
            "seen": row["seen_count"],
            "since (UTC)": row["quarantined_at"],
        }
        for row in rows
    ]
    show(listed, as_json, "no row waits in quarantine")


@app.command("show")
def show_row(identity: Identity) -> None:
    """One row with every reason and, decrypted, the record as the source sent it. It may hold personal data."""
    with _quarantine() as quarantine:
        rows = quarantine.waiting(identity=identity)
        if len(rows) != 1:
            found = "names no waiting row" if not rows else f"names {len(rows)} rows"
            raise HanseiError(f"quarantine id {identity!r}", found, "see `hansei quarantine list`")
        row = rows[0]
        record = quarantine.payload(row)
    typer.echo(f"{row['source']}.{row['entity']}, since {row['quarantined_at']} UTC, run {row['run_id']}")
    for reason in json.loads(row["reasons"]):
        typer.echo(f"  broke {reason['rule']}" + (f" on {reason['column']}" if reason["column"] else ""))
    typer.echo(json.dumps(record, indent=1, ensure_ascii=False, default=str))


@app.command()
def replay(
    identity: Annotated[str | None, typer.Argument(help="Quarantine id, or its beginning (default: all).")] = None,
    source: Source = None,
) -> None:
    """Map and validate waiting rows again after a fix; those that pass go on like any late row."""
    from hansei import pipeline

    totals = pipeline.replay(pipeline.context(), source, identity, tell=typer.echo)
    typer.echo(
        f"{totals['waiting']} rows waited: {totals['accepted']} accepted, {totals['duplicate']} known already, "
        f"{totals['still_refused']} still refused"
    )


@app.command()
def discard(
    identity: Annotated[str | None, typer.Argument(help="Quarantine id, or its beginning.")] = None,
    source: Source = None,
    reason: Annotated[str, typer.Option(help="Why they may go; kept with each row.")] = ...,
) -> None:
    """Give waiting rows up, for a reason. They stay counted, and their payload stays until it expires."""
    if identity is None and source is None:
        raise HanseiError("discard", "neither an id nor --source", "say which rows; nothing is discarded by default")
    with _quarantine() as quarantine:
        rows = quarantine.waiting(source, identity)
        count = quarantine.mark([row["quarantine_id"] for row in rows], "discarded", reason)
    typer.echo(f"{count} rows discarded")
