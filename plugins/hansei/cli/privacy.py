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
