"""The shell: `hansei <command>`. Each command is a few lines around a stage, or a reading of the read copy."""

from __future__ import annotations

import sys

import typer

from hansei.cli import (
    alarms,
    calendars,
    definitions,
    deliveries,
    finance,
    housekeeping,
    indicators,
    links,
    nights,
    privacy,
    quarantine,
    references,
    reviews,
    risks,
    scaffold,
    scorecards,
    services,
    sources,
    thresholds,
    tickets,
)
from hansei.errors import DefinitionError, HanseiError

app = typer.Typer(
    name="hansei",
    help="From tickets to checked numbers, honest signals and review documents.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
definitions.register(app)
nights.register(app)
housekeeping.register(app)
references.register(app)
app.add_typer(sources.app, name="sources", help="Look at sources: what they deliver and how it is mapped.")
app.add_typer(quarantine.app, name="quarantine", help="Rows that broke a rule: look, replay, discard.")
app.add_typer(privacy.app, name="privacy", help="Personal data: how it is found, where it slipped through.")
app.add_typer(links.app, name="links", help="How keys of different systems find each other.")
app.add_typer(calendars.app, name="calendars", help="Opening hours, day by day, and business time by hand.")
app.add_typer(indicators.app, name="indicators", help="What is measured, and the rows behind every figure.")
app.add_typer(tickets.app, name="ticket", help="One ticket's time: who had it when, by which rule, and its targets.")
app.add_typer(services.app, name="services", help="Availability of services, and how fast they are restored.")
app.add_typer(thresholds.app, name="thresholds", help="When a number is bad, and when that becomes an alarm.")
app.add_typer(scorecards.app, name="scorecards", help="Indicators on one scale: cards, profiles, quadrants, weights.")
app.add_typer(risks.app, name="risks", help="The risk register: likelihood, consequence, and what a year could cost.")
app.add_typer(finance.app, name="finance", help="Whether an improvement pays.")
app.add_typer(reviews.app, name="review", help="Build and find review documents.")
app.add_typer(alarms.app, name="alarms", help="What stands and why; acknowledge it, mute it, see what happened.")
app.add_typer(deliveries.app, name="deliveries", help="Who was told what, what became of it, and sending it again.")
app.add_typer(scaffold.app, name="new", help="Write a first definition to start from.")


def main() -> None:
    """Runs a command; a mistake that the user can mend is one line on stderr and exit code 1."""
    try:
        app()
    except DefinitionError as error:
        typer.echo(str(error), err=True)
        typer.echo(f"{len(error.faults)} faults", err=True)
        sys.exit(1)
    except HanseiError as error:
        typer.echo(f"hansei: {error}", err=True)
        sys.exit(1)
