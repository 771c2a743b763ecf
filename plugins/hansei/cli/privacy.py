"""`hansei privacy`: what is known of persons: how well it is taken out, where it slipped through, and its erasure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hansei.cli.output import Json, show

app = typer.Typer(no_args_is_help=True)


@app.command()
def measure(
    sentences: Annotated[Path, typer.Argument(exists=True, help="Marked sentences: language, tab, {kind|text}.")],
    as_json: Json = False,
) -> None:
    """How much of what you marked in sentences of your own the redaction finds, and how much else it takes."""
    from hansei.sources.redaction_measure import measure, read_sentences

    rows = [
        {
            "kind": found.kind,
            "marked": found.marked,
            "found": found.taken_out,
            "recall": _share(found.recall),
            "replaced": found.set,
            "rightly": found.rightly_set,
            "precision": _share(found.precision),
        }
        for found in measure(read_sentences(sentences))
    ]
    show(rows, as_json, "no sentence")


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


@app.command()
def erase(
    customer: Annotated[str | None, typer.Option(help="Our key of the customer, such as helpdesk:4711.")] = None,
    email: Annotated[str | None, typer.Option(help="An address of theirs; it is kept nowhere.")] = None,
    by: Annotated[str, typer.Option(help="Who asks for it; kept in ops.erasures.")] = "",
    reason: Annotated[str, typer.Option(help="Why; kept in ops.erasures. Name nobody here.")] = "",
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    is_trial: Annotated[bool, typer.Option("--dry-run", help="Only count what would be erased.")] = False,
    as_json: Json = False,
) -> None:
    """Unlink one person everywhere; figures stand. It may be stopped and asked for again."""
    import getpass

    from hansei import pipeline
    from hansei.errors import HanseiError

    if not customer and not email:
        raise HanseiError("privacy erase", "neither --customer nor --email", "say whom, by one of them or both")
    context = pipeline.context()
    found = pipeline.erase(context, customer, email, is_trial=True)
    if not is_trial and not is_sure:
        rows, payloads = found["row_count"], found["payload_count"]
        typer.confirm(f"{rows} rows and {payloads} payloads; this cannot be undone. Erase?", abort=True)
    if not is_trial:
        asked = by or getpass.getuser()
        found = pipeline.erase(context, customer, email, asked, reason, tell=lambda text: typer.echo(text, err=True))
    if found["state"] == "known":
        typer.echo("erased earlier, and nothing has come back", err=True)
    show([found], as_json, "nothing was found")


@app.command()
def audit(as_json: Json = False) -> None:
    """Look through every store for what looks like personal data: counts and shapes, no values. Exit code 1: found."""
    from hansei import pipeline
    from hansei.pipeline.auditing import audit

    found = audit(pipeline.context())
    rows = [
        {
            "store": slip.store,
            "place": slip.place,
            "kind": slip.kind,
            "texts": slip.text_count,
            "shape": slip.shape,
            "accepted until": slip.accepted_until,
        }
        for slip in found.slips
    ]
    show(rows, as_json, "nothing looks like personal data")
    typer.echo(f"{found.texts} texts in {found.columns} columns looked through", err=True)
    raise typer.Exit(0 if found.is_clean else 1)


@app.command()
def rotate(
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the warehouse to a new HANSEI_IDENTITY_KEY: hash again, then extract everything once more."""
    from hansei import pipeline
    from hansei.pipeline.rotating import rotate

    if not is_sure:
        typer.confirm("Everything is extracted again under the new key. Go on?", abort=True)
    done = rotate(pipeline.context(), tell=typer.echo)
    typer.echo(f"run {done['run_id']} is done: the warehouse is under the new key")
