"""The shell: `hansei <command>`. Each command is a few lines around a stage or a reading of the read copy."""

from __future__ import annotations

import typer

app = typer.Typer()
