"""`hansei night`: all stages of one night without a scheduler."""

from __future__ import annotations

from typing import Annotated

import typer

from hansei.cli.days import instant
from hansei.errors import HanseiError


def register(app: typer.Typer) -> None:
    app.command()(night)


def night(
    until: Annotated[str | None, typer.Option(help="End of the window, ISO time in UTC (default: now).")] = None,
    since: Annotated[str | None, typer.Option(help="Start of the window, for a back-fill; needs --reason.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why a back-fill is run; kept with the run.")] = None,
    run_id: Annotated[str | None, typer.Option(help="Name of the run; the same name resumes it.")] = None,
) -> None:
    """Extract, validate, publish, model, measure, judge, share and notify, in this process."""
    from hansei import pipeline

    context = pipeline.context()
    end = instant(until, "--until")
    conf = {}
    if since is not None:
        if reason is None or end is None:
            raise HanseiError("--since", "a back-fill without --until or --reason", "say until when, and why")
        conf = {"window_start": instant(since, "--since").isoformat(), "window_end": end.isoformat(), "reason": reason}
    name = run_id or f"cli-{(end or context.now()):%Y-%m-%dT%H:%M:%S}{'-backfill' if conf else ''}"
    pipeline.run_night(context, name, (None, None if conf else end), conf, tell=typer.echo)
    typer.echo(f"run {name} is done")
