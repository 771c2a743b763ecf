"""`hansei housekeeping`: what is kept only for a time goes now."""

from __future__ import annotations

from typing import Annotated

import typer

from hansei.cli.output import Json, show


def register(app: typer.Typer) -> None:
    app.command()(housekeeping)


def housekeeping(
    is_trial: Annotated[bool, typer.Option("--dry-run", help="Only count what is due.")] = False,
    as_json: Json = False,
) -> None:
    """Let texts, unmapped fields and persons go whose time is over (`retention` in privacy/privacy.yaml)."""
    from hansei import pipeline

    found = pipeline.housekeep(pipeline.context(), is_trial, tell=lambda text: typer.echo(text, err=True))
    show([found], as_json, "nothing is due")
