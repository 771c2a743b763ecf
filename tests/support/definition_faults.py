"""Faults of definitions as people read them, with paths that begin in the overlay."""

from __future__ import annotations

from pathlib import Path

from hansei.catalog.loader import examine
from hansei.settings import load_settings


def faults(overlay: Path) -> list[str]:
    found = examine(load_settings({"HANSEI_DEFINITIONS": str(overlay)}))[1]
    return [str(fault).removeprefix(f"{overlay}/") for fault in found]
