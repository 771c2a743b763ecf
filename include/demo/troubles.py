"""Reads the answers to the planted troubles."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ANSWERS = Path(__file__).with_name("troubles.yaml")


@cache
def expected() -> dict[str, Any]:
    """The whole of `troubles.yaml`; `accounting` as {source: {entity: [counts per night]}} with named counts."""
    answers = yaml.safe_load(ANSWERS.read_text(encoding="utf-8"))
    names = ("received", "accepted", "quarantined", "duplicate", "held")
    for entities in answers["accounting"].values():
        for entity, nights in entities.items():
            entities[entity] = [dict(zip(names, counts, strict=True)) for counts in nights]
    return answers


def quarantined(night: int, entity: str) -> list[dict[str, Any]]:
    """The bad rows of one entity in one night, counted from 1."""
    return [row for row in expected()["quarantined"] if (row["night"], row["entity"]) == (night, entity)]
