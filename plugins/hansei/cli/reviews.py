"""`hansei review`: build and find review documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hansei.catalog.reviews import Format
from hansei.cli.days import day_of
from hansei.cli.output import Json, show
from hansei.cli.stores import opened_store

app = typer.Typer(no_args_is_help=True)


@app.command()
def build(
    review: Annotated[str, typer.Argument(help="Id of the review definition.")] = "weekly_brief",
    period_end: Annotated[str | None, typer.Option(help="First day after the period (default: the last one).")] = None,
    about: Annotated[str | None, typer.Option(help="Only the edition about this segment: team=desk:7.")] = None,
) -> None:
    """Gather the evidence, render, archive and publish the editions of a review; prints where they are."""
    from hansei import pipeline

    following = day_of("--period-end", period_end, "2026-09-14") if period_end else None
    built = pipeline.build_review(pipeline.context(), review, following, about)
    for edition in built["editions"]:
        typer.echo(f"{edition['review_id']}: {edition['path']}")
    pipeline.raise_for_failed(review, built)


@app.command()
def deliver(
    review: Annotated[str, typer.Argument(help="Id of the review definition.")] = "weekly_brief",
    period_end: Annotated[str | None, typer.Option(help="First day after the period (default: the newest).")] = None,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go to whom.")] = False,
) -> None:
    """Send the published editions to their readers, as the DAG does; nobody gets one twice."""
    from hansei import pipeline

    following = day_of("--period-end", period_end, "2026-09-14") if period_end else None
    context = pipeline.context()
    run_id = f"cli-{context.now():%Y-%m-%dT%H:%M:%S}"
    outcomes = pipeline.deliver_reviews(context, review, following, run_id, is_dry_run, typer.echo)
    if outcomes:
        typer.echo(", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in outcomes.items()))


@app.command("list")
def list_reviews(as_json: Json = False) -> None:
    """Editions in the board store, the newest first."""
    from hansei import board

    with opened_store() as engine:
        stored = board.list_reviews(engine)
    names = ("review_id", "period_start", "state", "built_at", "evidence_hash", "document_path")
    rows = [{name: getattr(review, name) for name in names} for review in stored]
    for row in rows:
        row["evidence_hash"] = row["evidence_hash"][:12]
    show(rows, as_json, "no review was built yet: `hansei review build`")


@app.command("show")
def show_review(review_id: Annotated[str, typer.Argument(help="Id of the edition, see `hansei review list`.")]) -> None:
    """Print the evidence of one edition as JSON."""
    from hansei import board

    with opened_store() as engine:
        typer.echo(board.load_review(engine, review_id).evidence)


@app.command()
def verify(
    review_id: Annotated[str, typer.Argument(help="Id of the edition, see `hansei review list`.")],
    as_json: Json = False,
) -> None:
    """Prove documents against evidence and parts, and make them again; tells what was erased.

    Exit code 1 where something differs or is missing, 3 where all is proven but renders differently.
    """
    from hansei import pipeline
    from hansei.pipeline.verifying import verify_review

    found = verify_review(pipeline.context(), review_id)
    rows = [{"what": finding.what, "state": finding.state, "told": finding.told} for finding in found]
    show(rows, as_json, "nothing to verify")
    if not all(finding.is_well for finding in found):
        raise typer.Exit(1)
    if any(finding.is_other_rendering for finding in found):
        raise typer.Exit(3)


@app.command()
def render(
    review_id: Annotated[str, typer.Argument(help="Id of the edition, see `hansei review list`.")],
    to: Annotated[Path | None, typer.Option(help="File to write (default: review.FORMAT).")] = None,
    form: Annotated[Format, typer.Option("--format", help="html, pdf or docx.")] = "html",
    language: Annotated[str | None, typer.Option(help="One of the edition's languages (default: its first).")] = None,
) -> None:
    """Make a document anew from its stored evidence; what was published stays as it is."""
    from hansei import pipeline
    from hansei.pipeline.verifying import render_again

    typer.echo(str(render_again(pipeline.context(), review_id, to or Path(f"review.{form}"), form, language)))
