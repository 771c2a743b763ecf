"""`hansei services`: how reliable each service was, in any span of days."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hansei.cli.days import day_of
from hansei.cli.output import Json, show

if TYPE_CHECKING:
    from hansei.catalog.organisation import Service

app = typer.Typer(no_args_is_help=True)


@app.callback()
def services() -> None:
    """How reliable services were."""


@app.command()
def figures(
    since: Annotated[str, typer.Option("--from", help="First day, as 2026-09-01.")],
    until: Annotated[str, typer.Option("--until", help="First day after the span, as 2026-10-01.")],
    as_json: Json = False,
) -> None:
    """Availability, MTBF, MTTR and MTTA per service, with the counts and seconds that they come from."""
    from hansei import pipeline
    from hansei.indicators.reliability import service_figures
    from hansei.warehouse import open_read_copy

    context = pipeline.context()
    service = context.catalog.service
    start, end = _midnight("--from", since, service), _midnight("--until", until, service)
    with open_read_copy(context.settings) as warehouse:
        rows = service_figures(warehouse, context.catalog, start, end)
    show(rows, as_json, "no service was offered in these days")


def _midnight(option: str, day: str, service: Service) -> datetime:
    """Start of the day in the reporting zone, as naive UTC."""
    return service.midnight(day_of(option, day, "2026-09-01"))
