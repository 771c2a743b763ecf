"""`hansei sources`: what a source delivers, how it is mapped, how far it has come and whether it ties out."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hansei.cli.days import instant
from hansei.cli.output import Json, console, show
from hansei.errors import HanseiError

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Id of the source.")]


def _source(name: str):
    from hansei import pipeline

    context = pipeline.context()
    if name not in context.catalog.sources:
        known = ", ".join(sorted(context.catalog.sources)) or "none is defined"
        raise HanseiError(f"source {name!r}", "is not defined", f"use one of: {known}")
    return context, context.catalog.sources[name]


@app.command("list")
def list_sources(as_json: Json = False) -> None:
    """Sources with their kind, owner and how far they are complete."""
    from hansei import pipeline
    from hansei.warehouse import open_read_copy

    context = pipeline.context()
    marks = {}
    if not context.settings.is_embedded or context.settings.read_copy.exists():
        with open_read_copy(context.settings) as warehouse:
            if "ops.watermarks" in warehouse.tables():
                marks = {row["source"]: row["complete_until"] for row in warehouse.rows("SELECT * FROM ops.watermarks")}
    rows = [
        {
            "source": source.id,
            "kind": source.kind,
            "owner": source.owner,
            "entities": ", ".join(source.entity_ids),
            "complete until (UTC)": marks.get(source.id),
        }
        for source in context.catalog.sources.values()
    ]
    show(rows, as_json, "no source is defined: `hansei new source` writes a first one")


@app.command()
def check(
    name: Name,
    sample: Annotated[int, typer.Option(help="Rows to read of each resource.")] = 1000,
    as_json: Json = False,
) -> None:
    """Connect, say what can be read and what a night costs, and print the coverage matrix of a sample."""
    from hansei.sources.access import check_access
    from hansei.sources.coverage import check_source
    from hansei.sources.report import access_report, coverage_report, night_cost

    context, source = _source(name)
    means = (source, context.catalog, context.settings, context.resolver)
    access = list(check_access(*means))
    is_readable = all(item.is_readable for item in access)
    coverage = check_source(*means, sample_rows=sample) if is_readable else None
    if as_json:
        told = {} if coverage is None else coverage.as_dict()
        answer = {"access": [vars(item) for item in access], **told, "is_readable": is_readable}
        typer.echo(json.dumps(answer, default=str, ensure_ascii=False, indent=1))
    else:
        console().print(access_report(source, access))
        if (cost := night_cost(source, access)) is not None:
            typer.echo(cost)
        if coverage is not None:
            console().print(coverage_report(coverage))
    if coverage is None or not coverage.is_sound:
        raise typer.Exit(1)


@app.command()
def preview(
    name: Name, limit: Annotated[int, typer.Option(help="Rows to show of each entity.")] = 5, as_json: Json = False
) -> None:
    """Show canonical rows as they would be stored: pseudonymised and redacted."""
    from hansei.sources.coverage import preview_source
    from hansei.sources.report import preview_report

    context, source = _source(name)
    tables = preview_source(source, context.catalog, context.settings, context.resolver, limit=limit)
    if as_json:
        rows = {entity: table.to_pylist() for entity, table in tables.items()}
        typer.echo(json.dumps(rows, default=str, ensure_ascii=False, indent=1))
    else:
        console().print(preview_report(tables))


@app.command()
def status(
    name: Annotated[str | None, typer.Argument(help="Id of a source (default: all).")] = None, as_json: Json = False
) -> None:
    """How far each source is complete, against its freshness limits, and how its last night went."""
    from hansei import pipeline
    from hansei.pipeline.source_states import source_states
    from hansei.sources.report import spent_budget, state_rows
    from hansei.warehouse import open_read_copy

    context = pipeline.context() if name is None else _source(name)[0]
    with open_read_copy(context.settings) as warehouse:
        states = [state for state in source_states(context, warehouse) if name in (None, state.source)]
    if as_json:
        told = [
            {**vars(state), "budget": spent_budget(context.catalog.sources[state.source], state)} for state in states
        ]
        typer.echo(json.dumps(told, default=str, ensure_ascii=False, indent=1))
        return
    show(state_rows(states), False, "no source is defined: `hansei new source` writes a first one")
    for state in states:
        for line in (state.message, spent_budget(context.catalog.sources[state.source], state)):
            if line:
                typer.echo(f"{state.source}: {line}")


@app.command()
def extract(
    name: Name,
    since: Annotated[str, typer.Option(help="Start of the window, ISO time in UTC.")],
    until: Annotated[str | None, typer.Option(help="End of the window (default: now).")] = None,
    run_id: Annotated[str | None, typer.Option(help="Name of the batch; the same name and window resume it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count and validate; keep nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Read one window into the spool, or count and validate it. No warehouse is touched and no watermark moves."""
    from hansei.catalog.windows import Window
    from hansei.cli.progress import reading
    from hansei.pipeline.extracting import extract_once

    context, source = _source(name)
    window = Window(instant(since, "--since"), instant(until, "--until") or context.now())
    if window.start >= window.end:
        raise HanseiError("--since", "not before --until", "swap them")
    batch = run_id or f"extract-{window.start:%Y%m%dT%H%M%S}-{window.end:%Y%m%dT%H%M%S}"
    with reading(source, is_quiet=as_json) as progress:
        location, found = extract_once(context, source, window, batch, dry_run, progress)
    if as_json:
        answer = {"source": name, "window": window.as_text(), "batch": location, "is_dry_run": dry_run}
        entities = [item.as_dict() for item in found]
        typer.echo(json.dumps({**answer, "entities": entities}, ensure_ascii=False, indent=1))
        return
    rows = [{"entity": item.entity, "received": item.received} for item in found]
    if dry_run:
        for row, item in zip(rows, found, strict=True):
            broken = ", ".join(f"{rule} ({count})" for rule, count in item.broken.most_common())
            row |= {"would be quarantined": item.refused, "rules broken": broken}
    show(rows, False, "the source feeds no entity")
    typer.echo(f"{window.as_text()}: " + ("nothing was kept" if location is None else f"batch {location}"))


@app.command()
def reconcile(
    name: Name,
    everything: Annotated[bool, typer.Option("--all", help="Days and statuses without a gap, too.")] = False,
    as_json: Json = False,
) -> None:
    """Ask the source for its own counts now, hold them against the warehouse, and explain every gap."""
    from hansei.pipeline.tying_out import reconcile_source
    from hansei.sources.report import gap_rows

    context, source = _source(name)
    if not source.counts:
        raise HanseiError(f"source {name!r}", "declares no counts", "declare them as docs/reconciliation.md shows")
    found = reconcile_source(context, source)
    if as_json:
        typer.echo(json.dumps(found, default=str, ensure_ascii=False, indent=1))
    unexplained = sum(abs(row["unexplained_count"]) for rows in found.values() for row in rows)
    if not as_json:
        for entity, rows in found.items():
            totals = {side: sum(row[f"{side}_count"] for row in rows) for side in ("their", "our")}
            show(gap_rows(rows, everything), False, "")
            typer.echo(
                f"{entity}: the source counts {totals['their']}, we count {totals['our']}; {unexplained} unexplained"
            )
    if unexplained:
        raise typer.Exit(1)
