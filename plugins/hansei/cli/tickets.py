"""`hansei ticket`: everything about one ticket's time, and why it is so."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hansei.cli.output import Json

app = typer.Typer(no_args_is_help=True)


@app.callback()
def ticket() -> None:
    """One ticket at a time."""


@app.command()
def explain(
    ticket_id: Annotated[str, typer.Argument(metavar="ID", help="Our key of the ticket, as helpdesk:100113.")],
    as_json: Json = False,
) -> None:
    """Calendars, ledger with its rules, turns, hand-offs, sums and targets of one ticket. It changes nothing."""
    from hansei.catalog import load_catalog
    from hansei.cli.ticket_text import document, text
    from hansei.indicators.tickets import ticket_record
    from hansei.settings import load_settings
    from hansei.warehouse import open_warehouse

    settings = load_settings()
    catalog = load_catalog(settings)
    # Events stay in the warehouse: the read copy has none, so a night that is under way is waited for.
    with open_warehouse(settings) as warehouse:
        record = ticket_record(warehouse, catalog, ticket_id)
    if as_json:
        typer.echo(json.dumps(document(record, catalog), default=str, ensure_ascii=False, indent=1))
    else:
        typer.echo(text(record, catalog))
