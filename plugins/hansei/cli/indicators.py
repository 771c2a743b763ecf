"""`hansei indicators`: what is measured, and the SQL and rows behind every figure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

import typer

from hansei.cli.days import day_of
from hansei.cli.output import Json, show
from hansei.cli.scaffold import Directory
from hansei.errors import DefinitionError, HanseiError

app = typer.Typer(no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="Id of the indicator.")]
Period = Annotated[str, typer.Option(help="Any day in the period, as 2026-09-07.")]
Grain = Annotated[str, typer.Option(help="day, week, month or quarter.")]
Segment = Annotated[str, typer.Option(help="Segment id such as all, team=desk:7, channel=mail&team=desk:7.")]


def _indicator(name: str):
    from hansei import pipeline

    context = pipeline.context()
    return context, _named(context.catalog, name)


def _named(catalog, name: str):
    if name not in catalog.indicators:
        known = ", ".join(sorted(catalog.indicators))
        raise HanseiError(f"indicator {name!r}", "is not defined", f"use one of: {known}")
    return catalog.indicators[name]


def _start(indicator, grain: str, period: str) -> date:
    from hansei.indicators.periods import period_start

    if grain not in indicator.grains:
        raise HanseiError("--grain", f"{grain!r}", f"use one of: {', '.join(indicator.grains)}")
    return period_start(grain, day_of("--period", period))


def _segment(indicator, segment: str) -> str:
    from hansei.catalog.segments import cut_of

    cuts = ["all", *("&".join(cut) for cut in indicator.cuts)]
    if cut_of(segment) not in cuts or (segment != "all" and "=" not in segment):
        known = ", ".join(["all", *("&".join(f"{name}=..." for name in cut) for cut in indicator.cuts)])
        raise HanseiError("--segment", f"{segment!r}", f"use one of: {known}")
    return segment


@app.command("list")
def list_indicators(
    family: Annotated[str | None, typer.Option(help="Only one family, such as speed or voice.")] = None,
    as_json: Json = False,
) -> None:
    """Every indicator with the question that it answers."""
    from hansei import pipeline

    rows = [
        {
            "indicator": item.id,
            "version": item.version,
            "family": item.family,
            "unit": item.unit,
            "better": item.direction.replace("_is_better", ""),
            "question": item.question,
        }
        for item in pipeline.context().catalog.indicators.values()
        if family in (None, item.family)
    ]
    show(rows, as_json, "no indicator is defined" if family is None else f"no indicator is of the family {family!r}")


@app.command()
def explain(name: Id, as_json: Json = False) -> None:
    """Say what an indicator counts, how, and what to beware of: its page, as the documentation prints it."""
    from hansei.indicators.page import page

    context, indicator = _indicator(name)
    if as_json:
        typer.echo(indicator.model_dump_json(indent=1, exclude_defaults=True))
        return
    typer.echo(page(context.catalog, indicator).rstrip())


@app.command()
def sql(name: Id, period: Period, grain: Grain = "week", segment: Segment = "all") -> None:
    """Print the query that gives the figure from the core tables."""
    from hansei.indicators.explain import figure_sql
    from hansei.warehouse.dialect import Dialect

    context, indicator = _indicator(name)
    dialect = Dialect("duckdb" if context.settings.is_embedded else "postgresql")
    start = _start(indicator, grain, period)
    typer.echo(figure_sql(context.catalog, dialect, indicator, grain, start, _segment(indicator, segment)))


@app.command()
def rows(
    name: Id,
    period: Period,
    grain: Grain = "week",
    segment: Segment = "all",
    limit: Annotated[int, typer.Option(help="Rows to show; 0 for all.")] = 50,
    as_json: Json = False,
) -> None:
    """Show the very rows that the figure counts, ids first."""
    from hansei.indicators.explain import rows_sql
    from hansei.warehouse import open_read_copy

    context, indicator = _indicator(name)
    start = _start(indicator, grain, period)
    segment = _segment(indicator, segment)
    if indicator.measure == "quotient":
        parts = f"{indicator.numerator_indicator} and {indicator.denominator_indicator}"
        raise HanseiError(f"indicator {name!r}", "divides two others", f"ask for the rows of {parts}")
    query = rows_sql(context.catalog, indicator, grain, start, segment, limit or None)
    with open_read_copy(context.settings) as warehouse:
        show(warehouse.rows(query), as_json, "no row is counted in this period and segment")


@app.command()
def compare(name: Id, grain: Grain = "week", segment: Segment = "all", as_json: Json = False) -> None:
    """Count the definition in your files beside the one in force, over all history, before you accept it."""
    from hansei.catalog.loader import examine
    from hansei.indicators.comparison import in_force, side_by_side
    from hansei.indicators.periods import local_date
    from hansei.indicators.values import meaning
    from hansei.settings import load_settings
    from hansei.warehouse import open_read_copy

    settings = load_settings()
    catalog, faults = examine(settings, is_thorough=False)
    # Not accepted yet is just what is looked at here.
    if others := [fault for fault in faults if not (fault.key == "version" and fault.file.stem == name)]:
        raise DefinitionError(others)
    indicator = _named(catalog, name)
    segment = _segment(indicator, segment)
    with open_read_copy(settings) as warehouse:
        old = in_force(warehouse, name)
        if old is None:
            raise HanseiError(f"indicator {name!r}", "no night has counted it yet", "the next night will, as it stands")
        if meaning(old) == meaning(indicator):
            typer.echo(f"{name}: counted as in force (version {old.version}); only words may differ")
            return
        today = local_date(warehouse.scalar("SELECT MAX(as_of) FROM ops.runs"), catalog.service.zone)
        table = side_by_side(warehouse, catalog, old, indicator, today, grain, segment)
    show(table, as_json, "nothing is counted by either definition")
    if not as_json:
        typer.echo(_verdict(old, indicator, table))


def _verdict(old, new, table: list[dict]) -> str:
    """What the comparison found, and what to do next."""
    moved = [row for row in table if row["old"] != row["new"] or row["old n"] != row["new n"]]
    gaps = [abs(row["difference"]) for row in moved if row["difference"] is not None]
    text = f"{len(moved)} of {len(table)} periods differ"
    text += f", by {max(gaps):g} {new.unit} at most. " if gaps else ". "
    if new.version == old.version:
        return text + f"The meaning is another: raise the version to {old.version + 1}."
    if new.untold_versions:
        return text + f"To accept it, add to changes: {{version: {new.version}, by: who, reason: why}}."
    return text + "The next night restates them with the reason `definition`."


@app.command("as-of")
def as_of(
    day: Annotated[str, typer.Argument(help="A day, as 2026-09-07: what was known at its end.")],
    indicator: Annotated[str | None, typer.Option(help="Only this indicator.")] = None,
    grain: Grain = "week",
    segment: Segment = "all",
    as_json: Json = False,
) -> None:
    """Show the values as we knew them at the end of a day, whatever has been restated since."""
    from hansei import pipeline
    from hansei.indicators.history import known_at
    from hansei.warehouse import open_read_copy

    context = _indicator(indicator)[0] if indicator else pipeline.context()
    following = day_of("day", day) + timedelta(days=1)
    instant = context.catalog.service.midnight(following)
    with open_read_copy(context.settings) as warehouse:
        found = known_at(warehouse, instant, indicator, grain, segment)
    names = ("indicator", "version", "period_start", "value", "sample_count", "state", "known_since")
    shown = [{**{name: row[name] for name in names}, "restated since": row["restated_because"] or ""} for row in found]
    show(shown, as_json, "nothing had been said by then")


@app.command()
def distribution(name: Id, grain: Grain = "week", segment: Segment = "all", as_json: Json = False) -> None:
    """Show minimum, quantiles and maximum of a duration, period by period."""
    from hansei.warehouse import open_read_copy

    context, indicator = _indicator(name)
    if not indicator.has_distribution:
        known = ", ".join(sorted(key for key, item in context.catalog.indicators.items() if item.has_distribution))
        raise HanseiError(f"indicator {name!r}", "keeps no distribution", f"use one of: {known}")
    query = (
        "SELECT * FROM indicators.distributions WHERE indicator = :indicator AND grain = :grain "
        "AND segment_id = :segment ORDER BY period_start"
    )
    limits = {"indicator": name, "grain": grain, "segment": _segment(indicator, segment)}
    with open_read_copy(context.settings) as warehouse:
        found = warehouse.rows(query, limits)
    left_out = ("indicator", "version", "grain", "segment_id")
    shown = [{key: value for key, value in row.items() if key not in left_out} for row in found]
    show(shown, as_json, "no value has been counted yet")


@app.command()
def forecast(name: Id, grain: Grain = "week", segment: Segment = "all", as_json: Json = False) -> None:
    """Show what the next four periods will probably be, and how near such forecasts came (docs/forecasts.md)."""
    from hansei.pipeline.outlooks import look_ahead
    from hansei.warehouse import open_read_copy

    context, indicator = _indicator(name)
    if grain not in indicator.grains:
        raise HanseiError("--grain", f"{grain!r}", f"use one of: {', '.join(indicator.grains)}")
    with open_read_copy(context.settings) as warehouse:
        found = look_ahead(warehouse, context.catalog, indicator, grain, _segment(indicator, segment))
    shown = [
        {
            "period_start": row.period_start,
            "forecast": row.forecast,
            "median": row.median,
            "80 % from": row.lower,
            "to": row.upper,
            "unit": indicator.unit,
            "back-tested": row.back_test_count,
            "mean error": row.accuracy and row.accuracy.mae,
            "as multiple of the last step": row.accuracy and row.accuracy.mase,
        }
        for row in found
    ]
    show(shown, as_json, "fewer than 8 usable periods of this phase: too early for a forecast")


@app.command()
def new(name: Id, directory: Directory = None) -> None:
    """Write a first definition to change; the same as `hansei new indicator`."""
    from hansei.cli.scaffold import indicator as write

    write(name, directory)
