"""Why an alarm moved, in one sentence that a manager understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hansei.indicators.periods import period_name

_NAMED = 3  # segments that a sentence names; the others are counted


def why(what: str, grain: str, start: date, parts: Sequence[Mapping[str, Any]]) -> str:
    """`parts`: `label` and `reason` of what came in, or of the part that speaks; `start`: of the moving period."""
    period = period_name(grain, start)
    places = _places([part["label"] for part in parts])
    if what == "opened":
        return f"{places} in {period}: {parts[0]['reason']}".strip()
    return {
        "joined": f"{places} came to it in {period}.",
        "raised": f"It is more serious since {period}.",
        "recovering": f"{period} is good again in every part.",
        "relapsed": f"{period} is bad again: {places}.",
        "restated": f"Figures up to {period} were corrected; by what is known now it is better.",
        "closed": f"With {period} every part has recovered.",
        "retired": "The threshold no longer holds, or nothing is left for it to judge.",
    }[what]


def _places(labels: Sequence[str]) -> str:
    named = [label or "Whole service" for label in labels]
    more = len(named) - _NAMED
    return ", ".join(named[:_NAMED]) + (f" and {more} more" if more > 0 else "")
