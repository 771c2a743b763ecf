"""`hansei links`: which tickets and customers found an account, by which rule, and which did not."""

from __future__ import annotations

from typing import Annotated

import typer

from hansei.cli.output import Json, show

app = typer.Typer(no_args_is_help=True)


@app.callback()
def links() -> None:
    """How keys of different systems find each other."""


@app.command()
def check(limit: Annotated[int, typer.Option(help="Unlinked customers to list.")] = 20, as_json: Json = False) -> None:
    """Tickets per linking rule, then the unlinked customers with the most tickets (keys and pseudonyms only)."""
    from hansei.settings import load_settings
    from hansei.warehouse import open_read_copy

    with open_read_copy(load_settings()) as warehouse:
        by_rule = warehouse.rows(
            "SELECT account_link_rule AS rule, COUNT(*) AS tickets, COUNT(DISTINCT account_id) AS accounts "
            "FROM core.tickets GROUP BY account_link_rule ORDER BY tickets DESC"
        )
        unlinked = warehouse.rows(
            "SELECT COALESCE(customer_id, '(no customer)') AS customer, COUNT(*) AS tickets FROM core.tickets "
            "WHERE account_id IS NULL GROUP BY customer_id ORDER BY tickets DESC, customer LIMIT :limit",
            {"limit": limit},
        )
    if as_json:
        show([{"rules": by_rule, "unlinked": unlinked}], True, "")
        return
    show(by_rule, False, "no ticket yet")
    typer.echo("")
    show(unlinked, False, "every ticket found its account")
