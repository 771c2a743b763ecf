"""Seasonal factors for forecasts: from two full cycles on, and only where an F test says that they help.

Weeks, months and quarters are seen by month or quarter of the year, days by day of the week. Factors come from a
two-way layout of logarithms: mean of each cycle and slot = level + trend + slot. They are tested against the same
layout without slots, kept below one percent, and stand until they are worked out anew at the next quarter of a cycle.
Source: METHODS.md 4c (season only with two cycles or more, month factors); the F test is that of nested regressions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

LEAST_CYCLES, MOST_CYCLES = 2, 5
SIGNIFICANT = 0.01
CYCLES = {"day": 7, "week": 52, "month": 12, "quarter": 4}


@dataclass(frozen=True)
class Calendar:
    """`slots`: int, shape (periods + beyond,), which season each period is in, counted from 0 to `size` - 1.

    `cycle`: periods after which the seasons come again.
    """

    slots: np.ndarray
    size: int
    cycle: int

    @classmethod
    def of(cls, grain: str, period_starts: np.ndarray, beyond: int) -> Calendar:
        """Seasons of the periods and of `beyond` more; a week belongs to the month of its fourth day."""
        if grain not in CYCLES:
            raise ValueError(f"no seasons for the grain {grain!r}; known are {', '.join(CYCLES)}")
        days = period_starts.astype("datetime64[D]")
        if grain in ("day", "week"):
            step = 1 if grain == "day" else 7
            later = days[-1] + step * np.arange(1, beyond + 1)
            days = np.concatenate([days, later])
            if grain == "day":
                return cls((days.astype("int64") + 3) % 7, 7, CYCLES[grain])  # 1970-01-01 was a Thursday
            return cls(_month(days + 3), 12, CYCLES[grain])
        step = 1 if grain == "month" else 3
        months = np.concatenate([_month(days), _month(days[-1:]) + step * np.arange(1, beyond + 1)]) % 12
        return cls(months // step, 12 // step, CYCLES[grain])


def _month(days: np.ndarray) -> np.ndarray:
    return days.astype("datetime64[M]").astype("int64") % 12


def factors(values: np.ndarray, calendar: Calendar) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """(first column, column after the last, rows, factors) for each stretch of origins with seasons in force.

    `values`: (series, periods), one phase per row. `rows`: those whose season is kept. `factors`: (rows, slots of the
    calendar), their geometric mean 1. They use columns before the stretch only. A row takes part with two full cycles
    of positive values, at least one in each season of each cycle.
    """
    periods = values.shape[1]
    slots = calendar.slots[:periods]
    is_new = np.concatenate([[False], slots[1:] != slots[:-1]]) & (slots % 3 == 0)
    ends = [end for end in np.flatnonzero(is_new).tolist() if end >= LEAST_CYCLES * calendar.cycle]
    usable = ~np.isnan(values)
    first = np.where(usable.any(axis=1), np.argmax(usable, axis=1), periods)
    for end, until in zip(ends, [*ends[1:], periods], strict=False):
        cycles = np.minimum((end - first) // calendar.cycle, MOST_CYCLES)
        for count in range(LEAST_CYCLES, MOST_CYCLES + 1):
            rows = np.flatnonzero(cycles == count)
            if not len(rows):
                continue
            kept, found = _of_window(values[rows, end - count * calendar.cycle : end], slots[:end], calendar, count)
            if kept.any():
                yield end, until, rows[kept], found[kept]


def _of_window(window: np.ndarray, slots: np.ndarray, calendar: Calendar, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Which rows keep a season, and the factors of all."""
    own = slots[len(slots) - window.shape[1] :]
    cells = np.arange(window.shape[1]) // calendar.cycle * calendar.size + own
    with np.errstate(invalid="ignore", divide="ignore"):
        is_positive = ~(window <= 0).any(axis=1)
        logs = np.log(np.where(window > 0, window, np.nan))
    member = np.zeros((window.shape[1], count * calendar.size))
    member[np.arange(window.shape[1]), cells] = 1.0
    sizes = (~np.isnan(logs)).astype(float) @ member
    is_complete = is_positive & (sizes > 0).all(axis=1)
    means = np.nan_to_num(logs) @ member / np.maximum(sizes, 1)
    times = (np.arange(window.shape[1]) @ member) / np.maximum(member.sum(axis=0), 1)
    trend = np.stack([np.ones_like(times), times / calendar.cycle], axis=1)
    seasons = np.tile(np.eye(calendar.size), (count, 1))
    full = np.hstack([trend[:, 1:], seasons])
    coefficients = means @ np.linalg.pinv(full).T
    effects = coefficients[:, 1:] - coefficients[:, 1:].mean(axis=1, keepdims=True)
    left = np.sum((means - coefficients @ full.T) ** 2, axis=1)
    left_by_trend = np.sum((means - means @ np.linalg.pinv(trend).T @ trend.T) ** 2, axis=1)
    return is_complete & _helps(left_by_trend, left, calendar.size, count), np.exp(effects)


def _helps(left_by_trend: np.ndarray, left: np.ndarray, size: int, count: int) -> np.ndarray:
    """F test of what the seasons explain beyond a trend."""
    from scipy import special

    freedom = count * size - size - 1
    explained = np.maximum(left_by_trend - left, 0.0) / (size - 1)
    needed = special.fdtri(size - 1, freedom, 1 - SIGNIFICANT)
    # Below rounding there is nothing to explain: a constant has no season.
    return (explained > needed * left / freedom) & (explained > 1e-18)
