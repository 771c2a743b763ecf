"""Units and limits: what may limit an indicator, how that reads in its stored unit, and what lies beyond it."""

from __future__ import annotations

from typing import get_args

from hansei.catalog.measures import Direction, Unit

SECONDS_PER_UNIT = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
# Durations may be told in longer units, nothing else may; a day of open hours has no set length.
USABLE_UNITS: dict[str, tuple[str, ...]] = {
    **{unit: (unit,) for unit in get_args(Unit)},
    "seconds": ("seconds", "minutes", "hours", "days"),
    "business_seconds": ("seconds", "minutes", "hours"),
}


def in_indicator_unit(limit: float | None, unit: str) -> float | None:
    """A limit in the unit in which the indicator is stored: durations in seconds, everything else as it is."""
    return None if limit is None else limit * SECONDS_PER_UNIT.get(unit, 1)


def is_beyond(value: float, limit: float, direction: Direction) -> bool:
    """On the bad side of the limit; equal is not."""
    return value > limit if direction == "lower_is_better" else value < limit
