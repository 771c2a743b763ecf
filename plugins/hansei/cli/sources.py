"""`hansei sources`: what a source delivers and how it is mapped."""

from __future__ import annotations

import json
from typing import Annotated

import typer

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
    """Connect, read a sample and print the coverage matrix: mapped, defaulted, missing, unused, cast failures."""
    from hansei.sources.coverage import check_source
    from hansei.sources.report import coverage_report

    context, source = _source(name)
    coverage = check_source(source, context.catalog, context.settings, context.resolver, sample_rows=sample)
    if as_json:
        typer.echo(json.dumps(coverage.as_dict(), default=str, ensure_ascii=False, indent=1))
    else:
        console().print(coverage_report(coverage))
    if not coverage.is_sound:
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
