"""Cards and profiles from indicator values: one row per line, so that a total can be taken apart again.

A value counts only where its period is finished, covered by every source, and its state is `ok`; anything else is
missing, and shows as coverage that is not there. Methods: hansei.methods.scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from hansei.catalog.scorecards import Axis, Profile, Scorecard, ScoredIndicator
from hansei.indicators.periods import next_period
from hansei.methods import scores

MISSING = "missing"
NOT_READY = "not_ready"
TOO_LITTLE = "too_little_coverage"
_COLUMNS = ("value", "lower_bound", "upper_bound", "sample_count")


@dataclass(frozen=True)
class Series:
    """One indicator over the places of a grid; NaN where there is no value that counts, `states` say why."""

    value: np.ndarray
    lower_bound: np.ndarray
    upper_bound: np.ndarray
    sample_count: np.ndarray
    states: np.ndarray
    versions: list[int | None]


@dataclass(frozen=True)
class Grid:
    """Values of several indicators by place (period and segment), places in order."""

    places: list[tuple[date, str]]
    series: dict[str, Series]
    whole: np.ndarray  # position of the same period's place `all`, -1 where there is none

    @classmethod
    def of(
        cls, rows: Iterable[Mapping[str, Any]], indicators: Sequence[str], grain: str, ready: Mapping[str, date | None]
    ) -> Grid:
        """From rows of indicators.indicator_values of one grain; `ready`: first day not covered, per indicator."""
        rows = list(rows)
        places = sorted({(row["period_start"], row["segment_id"]) for row in rows})
        at = {place: position for position, place in enumerate(places)}
        empty = {name: cls._empty(len(places)) for name in indicators}
        for row in rows:
            series, position = empty[row["indicator"]], at[row["period_start"], row["segment_id"]]
            until = ready[row["indicator"]]
            is_ready = until is not None and next_period(grain, row["period_start"]) <= until
            has_value = row["value"] is not None or row["state"] != "ok"
            series.states[position] = (row["state"] if has_value else "no_data") if is_ready else NOT_READY
            series.versions[position] = row["version"]
            for name in _COLUMNS if is_ready and row["state"] == "ok" else ():
                getattr(series, name)[position] = np.nan if row[name] is None else row[name]
        whole = np.array([at.get((period, "all"), -1) for period, _ in places], dtype=int)
        return cls(places, empty, whole)

    @staticmethod
    def _empty(length: int) -> Series:
        numbers = [np.full(length, np.nan) for _ in _COLUMNS]
        return Series(*numbers, np.full(length, MISSING, dtype=object), [None] * length)

    def drawn(self, name: str, column: str, pull: float | None) -> np.ndarray:
        """A column of the indicator, in segments drawn towards the whole service's value of the same period."""
        series = self.series[name]
        own = getattr(series, column)
        if pull is None or not len(own):
            return own
        is_segment = np.array([segment != "all" for _, segment in self.places])
        whole = np.where((self.whole >= 0) & is_segment, series.value[self.whole], np.nan)
        return scores.shrunk(own, series.sample_count, whole, pull)


@dataclass(frozen=True)
class Scored:
    """The scores of a group of lines and of the group itself, place by place."""

    score: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    coverage: np.ndarray


def card_lines(card: Scorecard, grid: Grid) -> pa.Table:
    """One row per line of the card: every indicator, every dimension, and `total`; empty where nothing was measured."""
    parts, groups = _group_lines(card, grid)
    stacked = {name: np.column_stack([getattr(group, name) for group in groups]) for name in Scored.__annotations__}
    mean = scores.weighted_mean(stacked["score"], card.shares, stacked["coverage"], card.minimum_coverage)
    lower, upper = scores.mean_bounds(stacked["score"], stacked["lower"], stacked["upper"], mean.weights)
    has_total = ~np.isnan(mean.value)
    for position, (dimension, group, share) in enumerate(zip(card.dimensions, groups, card.shares, strict=True)):
        parts.append(_axis_line(card, grid, "dimension", dimension, group, share, mean.weights[:, position]))
    total = {
        **_head(card, grid, "total"),
        "score": mean.value,
        "lower_score": np.where(has_total, lower, np.nan),
        "upper_score": np.where(has_total, upper, np.nan),
        "coverage_ratio": mean.coverage,
        "state": np.where(has_total, "ok", np.where(mean.coverage > 0, TOO_LITTLE, MISSING)),
    }
    return _in_force(card, _joined([*parts, total], "scorecard", "dimension"))


def profile_lines(card: Profile, grid: Grid) -> pa.Table:
    """One row per axis and per indicator in it; `is_minimum` marks the axis that is lowest of those known."""
    parts, groups = _group_lines(card, grid)
    for axis, group in zip(card.axes, groups, strict=True):
        parts.append(_axis_line(card, grid, "axis", axis, group, None, None))
    axes = np.column_stack([group.score for group in groups])
    lowest = [scores.profile(row).minimum_axis for row in axes]
    for part in parts:
        number = next(position for position, axis in enumerate(card.axes) if axis.id == part["group"])
        part["is_minimum"] = [part["line"] == "axis" and low == number for low in lowest]
    return _in_force(card, _joined(parts, "profile", "axis"))


def _group_lines(card: Scorecard | Profile, grid: Grid) -> tuple[list[dict[str, Any]], list[Scored]]:
    """The lines of all indicators, and what each group comes to. A group without indicators is missing everywhere."""
    parts: list[dict[str, Any]] = []
    groups = []
    length = len(grid.places)
    for group in card.groups:
        if not group.indicators:
            nothing = np.full(length, np.nan)
            groups.append(Scored(nothing, nothing, nothing, np.zeros(length)))
            continue
        lines = [_scored(item, grid, card.pull) for item in group.indicators]
        stacked = {
            name: np.column_stack([getattr(line, name) for line in lines]) for name in ("score", "lower", "upper")
        }
        mean = scores.weighted_mean(stacked["score"], group.shares)
        lower, upper = scores.mean_bounds(stacked["score"], stacked["lower"], stacked["upper"], mean.weights)
        is_known = ~np.isnan(mean.value)
        bounds = (np.where(is_known, bound, np.nan) for bound in (lower, upper))
        groups.append(Scored(mean.value, *bounds, mean.coverage))
        for position, (item, line, share) in enumerate(zip(group.indicators, lines, group.shares, strict=True)):
            parts.append(_indicator_line(card, grid, group, item, line, share, mean.weights[:, position]))
    return parts, groups


def _scored(item: ScoredIndicator, grid: Grid, pull: float | None) -> Scored:
    worst, best = item.ends
    value, one, other = (
        scores.score(grid.drawn(item.indicator, column, pull), worst, best)
        for column in ("value", "lower_bound", "upper_bound")
    )
    return Scored(value, np.fmin(one, other), np.fmax(one, other), (~np.isnan(value)).astype(float))


def _indicator_line(
    card: Scorecard | Profile,
    grid: Grid,
    group: Axis,
    item: ScoredIndicator,
    line: Scored,
    share: float,
    used: np.ndarray,
) -> dict[str, Any]:
    series = grid.series[item.indicator]
    worst, best = item.ends
    return {
        **_head(card, grid, "indicator"),
        "group": group.id,
        "indicator": item.indicator,
        "indicator_version": series.versions,
        "score": line.score,
        "lower_score": line.lower,
        "upper_score": line.upper,
        "weight_ratio": share,
        "used_weight_ratio": used,
        "coverage_ratio": line.coverage,
        "value": series.value,
        "used_value": grid.drawn(item.indicator, "value", card.pull),
        "worst": worst,
        "best": best,
        "sample_count": series.sample_count,
        "state": series.states,
    }


def _axis_line(
    card: Scorecard | Profile,
    grid: Grid,
    line: str,
    axis: Axis,
    group: Scored,
    share: float | None,
    used: np.ndarray | None,
) -> dict[str, Any]:
    return {
        **_head(card, grid, line),
        "group": axis.id,
        "score": group.score,
        "lower_score": group.lower,
        "upper_score": group.upper,
        "weight_ratio": share,
        "used_weight_ratio": used,
        "coverage_ratio": group.coverage,
        "state": np.where(np.isnan(group.score), MISSING, "ok"),
    }


def _head(card: Scorecard | Profile, grid: Grid, line: str) -> dict[str, Any]:
    return {
        "card": card.id,
        "version": card.version,
        "grain": card.grain,
        "period_start": [period for period, _ in grid.places],
        "segment_id": [segment for _, segment in grid.places],
        "line": line,
    }


_TYPES = {
    "version": pa.int32(),
    "indicator_version": pa.int32(),
    "period_start": pa.date32(),
    "sample_count": pa.int64(),
    "is_minimum": pa.bool_(),
    **dict.fromkeys(("card", "grain", "segment_id", "line", "group", "indicator", "state"), pa.string()),
}


def _joined(parts: list[dict[str, Any]], card: str, group: str) -> pa.Table:
    """The lines below each other; numbers that are not known become NULL."""
    names = list(dict.fromkeys(name for part in parts for name in part))
    tables = []
    for part in parts:
        length = len(part["period_start"])
        columns = [_column(part.get(name), length, _TYPES.get(name, pa.float64())) for name in names]
        tables.append(pa.table(dict(zip(names, columns, strict=True))))
    joined = pa.concat_tables(tables)
    return joined.rename_columns([{"card": card, "group": group}.get(name, name) for name in names])


def _column(values: Any, length: int, kind: pa.DataType) -> pa.Array:
    if values is None or isinstance(values, (str, int, float)):
        return pa.array([values] * length, kind)
    if kind == pa.int64():
        return pa.array(np.asarray(values, dtype=float), pa.float64(), from_pandas=True).cast(kind)
    return pa.array(values, kind, from_pandas=True)


def _in_force(card: Scorecard | Profile, lines: pa.Table) -> pa.Table:
    import pyarrow.compute as pc

    if card.valid_from is None:
        return lines
    return lines.filter(pc.greater_equal(lines["period_start"], pa.scalar(card.valid_from, pa.date32())))
