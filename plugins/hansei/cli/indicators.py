"""`hansei indicators`: what is measured, and the SQL and rows behind every figure."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from hansei.cli.output import Json, show
from hansei.errors import HanseiError

app = typer.Typer(no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="Id of the indicator.")]
Period = Annotated[str, typer.Option(help="Any day in the period, as 2026-09-07.")]
Grain = Annotated[str, typer.Option(help="day, week or month.")]
Segment = Annotated[str, typer.Option(help="Segment id such as all, team=desk:7, channel=mail.")]


def _indicator(name: str):
    from hansei import pipeline

    context = pipeline.context()
    if name not in context.catalog.indicators:
        known = ", ".join(sorted(context.catalog.indicators))
        raise HanseiError(f"indicator {name!r}", "is not defined", f"use one of: {known}")
    return context, context.catalog.indicators[name]


def _start(indicator, grain: str, period: str) -> date:
    from hansei.indicators.periods import period_start

    if grain not in indicator.grains:
        raise HanseiError("--grain", f"{grain!r}", f"use one of: {', '.join(indicator.grains)}")
    try:
        return period_start(grain, date.fromisoformat(period))
    except ValueError:
        raise HanseiError("--period", f"{period!r} is no day", "write it as 2026-09-07") from None


def _segment(context, indicator, segment: str) -> str:
    dimension = segment.split("=", 1)[0]
    if segment != "all" and ("=" not in segment or dimension not in indicator.segments):
        known = ", ".join(["all", *(f"{name}=..." for name in indicator.segments)])
        raise HanseiError("--segment", f"{segment!r}", f"use one of: {known}")
    return segment


@app.command("list")
def list_indicators(as_json: Json = False) -> None:
    """Every indicator with the question that it answers."""
    from hansei import pipeline

    rows = [
        {
            "indicator": item.id,
            "version": item.version,
            "unit": item.unit,
            "better": item.direction.replace("_is_better", ""),
            "question": item.question,
        }
        for item in pipeline.context().catalog.indicators.values()
    ]
    show(rows, as_json, "no indicator is defined")


@app.command()
def sql(name: Id, period: Period, grain: Grain = "week", segment: Segment = "all") -> None:
    """Print the query that gives the figure from the core tables."""
    from hansei.indicators.explain import figure_sql
    from hansei.warehouse.dialect import Dialect

    context, indicator = _indicator(name)
    dialect = Dialect("duckdb" if context.settings.is_embedded else "postgresql")
    start = _start(indicator, grain, period)
    typer.echo(figure_sql(context.catalog, dialect, indicator, grain, start, _segment(context, indicator, segment)))


@app.command()
def rows(
    name: Id,
    period: Period,
    grain: Grain = "week",
    segment: Segment = "all",
    limit: Annotated[int, typer.Option(help="Rows to show.")] = 50,
    as_json: Json = False,
) -> None:
    """Show the very rows that the figure counts, ids first."""
    from hansei.indicators.explain import rows_sql
    from hansei.warehouse import open_read_copy

    context, indicator = _indicator(name)
    start = _start(indicator, grain, period)
    query = rows_sql(context.catalog, indicator, grain, start, _segment(context, indicator, segment), limit)
    with open_read_copy(context.settings) as warehouse:
        show(warehouse.rows(query), as_json, "no row is counted in this period and segment")
