"""`hansei deliveries`: the ledger of what was sent to whom."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from hansei.cli.output import Json, show
from hansei.cli.stores import opened_store
from hansei.errors import HanseiError

app = typer.Typer(no_args_is_help=True)
Identity = Annotated[str, typer.Argument(help="Id of the delivery, see `hansei deliveries list`.")]
Why = Annotated[str, typer.Option(help="Why; it is kept with the delivery.")]


@app.command("list")
def list_all(
    state: Annotated[str | None, typer.Option(help="Only those: sending, sent, failed, unknown, skipped.")] = None,
    recipient: Annotated[str | None, typer.Option(help="Only those to this recipient.")] = None,
    limit: Annotated[int, typer.Option(help="How many, the newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """Deliveries, the newest first: to whom, over which connection, and what became of them."""
    from hansei.board.deliveries import STATES, list_deliveries

    if state is not None and state not in STATES:
        raise HanseiError("--state", f"{state!r}", f"use one of {', '.join(STATES)}")
    with opened_store() as engine:
        found = list_deliveries(engine, (state,) if state else (), recipient, limit)
    names = ("delivery_id", "state", "attempt_count", "changed_at", "subject", "problem")
    rows = [{name: getattr(delivery, name) for name in names} for delivery in found]
    show(rows, as_json, "nothing was sent" if not (state or recipient) else "none of these")


@app.command("show")
def show_one(identity: Identity) -> None:
    """One delivery: what it says, and everything that happened to it."""
    from hansei import pipeline
    from hansei.board.deliveries import delivery_events, load_delivery
    from hansei.pipeline.delivering import text_of
    from hansei.pipeline.edition_messages import formats_of

    with opened_store() as engine:
        delivery = load_delivery(engine, identity)
        events = delivery_events(engine, identity)
    files = formats_of(delivery) if delivery.review_id else ()
    how = ", ".join((delivery.channel_kind, delivery.language, *files))
    typer.echo(f"{identity} ({how}), {delivery.state}, Message-ID {delivery.message_id}")
    for event in events:
        typer.echo(f"  {event['at']:%Y-%m-%d %H:%M:%S} UTC  {event['what']}, {event['who']}: {event['why']}")
    typer.echo(f"\n{delivery.subject}\n")
    typer.echo(text_of(pipeline.context(), delivery))


@app.command()
def send(
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go to whom.")] = False,
) -> None:
    """Tell everybody what they were not told yet, as each night does."""
    from hansei import pipeline

    context = pipeline.context()
    outcomes = pipeline.notify(
        context, f"cli-{context.now():%Y-%m-%dT%H:%M:%S}", is_dry_run=is_dry_run, tell=typer.echo
    )
    if outcomes:
        typer.echo(", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in outcomes.items()))


@app.command()
def resend(identity: Identity, why: Why = ...) -> None:
    """Send a failed, unknown or sent delivery once more, as it was, under the same Message-ID."""
    from hansei import pipeline

    delivery = pipeline.resend(pipeline.context(), identity, getpass.getuser(), _reason(why))
    typer.echo(f"{identity}: {delivery.state}" + (f": {delivery.problem}" if delivery.problem else ""))
    if delivery.state != "sent":
        raise typer.Exit(1)


@app.command()
def skip(identity: Identity, why: Why = ...) -> None:
    """Settle a failed or unknown delivery without sending it: it arrived after all, or nobody needs it any more."""
    from hansei import pipeline
    from hansei.board.deliveries import change_state

    with opened_store() as engine:
        now = pipeline.context().now()
        change_state(engine, identity, "skipped", getpass.getuser(), _reason(why), now)
    typer.echo(f"{identity}: skipped")


@app.command()
def preview(
    recipient: Annotated[str, typer.Argument(help="Id of the recipient.")],
    html: Annotated[Path | None, typer.Option(help="Write the mail as a page here too.")] = None,
) -> None:
    """Show a made-up digest as the recipient would read it, and whether their connections can be used."""
    from hansei import pipeline
    from hansei.catalog.measure_checks import known
    from hansei.pipeline.sample_digest import preview_of

    context = pipeline.context()
    if recipient not in context.catalog.recipients:
        next_step = known(context.catalog.recipients)
        raise HanseiError(f"recipient {recipient!r}", "is not defined", f"{next_step}; docs/notifications.md shows one")
    seen = preview_of(context, context.catalog.recipients[recipient])
    for line in seen.connections:
        typer.echo(line)
    typer.echo(f"\n{seen.subject}\n\n{seen.text}")
    if html is not None:
        html.write_text(seen.html, encoding="utf-8")
        typer.echo(f"{html}: written")


def _reason(why: str) -> str:
    if not why.strip():
        raise HanseiError("--why", "is empty", "say why; it is kept with the delivery")
    return why.strip()
