"""Parents that a definition gives (values, grids of words and days), and parents that share a request."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from hansei.catalog.rest_parents import Days, ForEach
from hansei.catalog.windows import Window
from hansei.sources.variables import expand


def given_parents(declared: ForEach, window: Window, place: str) -> list[str]:
    """A JSON object for each value, or for each combination of the grid, the last axis running fastest."""
    if declared.values:
        return [json.dumps({"value": value}) for value in _values(declared.values, place)]
    axes = [_axis(name, axis, window, place) for name, axis in declared.grid.items()]
    return [json.dumps({key: value for part in parts for key, value in part.items()}) for parts in product(*axes)]


def together(parents: list[str], at_once: int) -> list[str]:
    """The parents in groups: each field is the list of its values, in their order; those without one are left out."""
    if at_once == 1:
        return parents
    groups = (parents[start : start + at_once] for start in range(0, len(parents), at_once))
    return [json.dumps(_gathered([json.loads(parent) for parent in group])) for group in groups]


def _gathered(values: list) -> dict | list:
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, dict) for value in present):
        return {key: _gathered([value.get(key) for value in present]) for value in present for key in value}
    return present


def _axis(name: str, axis: tuple[str | int, ...] | Days, window: Window, place: str) -> list[dict]:
    if not isinstance(axis, Days):
        return [{name: value} for value in _values(axis, place)]
    end = (window.end - timedelta(microseconds=1)).replace(tzinfo=UTC).astimezone(ZoneInfo(axis.zone)).date()
    days = [end - timedelta(days=back) for back in reversed(range(axis.days))]
    return [{name: day.isoformat(), f"next_{name}": (day + timedelta(days=1)).isoformat()} for day in days]


def _values(values: tuple[str | int, ...], place: str) -> list[str | int]:
    found: list[str | int] = []
    for value in values:
        if isinstance(value, str) and "${" in value:
            found += [part.strip() for part in expand(value, place).split(",") if part.strip()]
        else:
            found.append(value)
    return found
