"""Taking the time of year out of a series, where two full years have shown it (METHODS.md 2.5).

A raw chart of something seasonal floods with signals. With fewer than two full cycles nothing is taken out: one winter
does not tell a season from a change. Weekdays need none of this, since weeks are judged; moving averages are no way
out, because they make runs where there are none.

The season is what the months' means, or one or two waves a year, differ from the mean of the whole. Arrays are
(series, periods), NaN without a usable value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

CYCLES = 2
# Periods in a year: full cycles are counted in these.
YEAR = {"day": 365, "week": 52, "month": 12, "quarter": 4}
Method = Literal["month", "harmonic"]


@dataclass(frozen=True)
class Season:
    """`effect`: what the time of year adds to each period, 0 where it is not known. `is_known`: whether it is."""

    effect: np.ndarray
    is_known: np.ndarray


def season(
    values: np.ndarray,
    period_starts: np.ndarray,
    grain: str,
    method: Method = "month",
    waves: int = 2,
    is_frozen: bool = False,
) -> Season:
    """`period_starts`: datetime64[D], (periods,). `waves`: harmonics a year, 1 or 2, for `method="harmonic"`.

    `is_frozen`: learned from the first two full years alone and taken out of what comes after them, so that later
    points change nothing that was said; else learned from everything and taken out of everything, as a chart is drawn.
    ValueError for an unknown grain or method.
    """
    if grain not in YEAR:
        raise ValueError(f"no yearly season of the grain {grain!r}; known: {', '.join(YEAR)}")
    if method not in ("month", "harmonic") or waves not in (1, 2):
        raise ValueError(f"no season by {method!r} of {waves} waves; month, or harmonic of 1 or 2 waves")
    is_usable = ~np.isnan(values)
    columns = np.arange(values.shape[1])
    first = np.argmax(is_usable, axis=1)
    last = values.shape[1] - 1 - np.argmax(is_usable[:, ::-1], axis=1)
    needed = CYCLES * YEAR[grain]
    has_cycles = is_usable.any(axis=1) & (last - first + 1 >= needed)
    is_after = columns >= (first + needed)[:, None]
    is_basis = is_usable & ~is_after if is_frozen else is_usable
    design = _months(period_starts) if method == "month" else _waves(period_starts, waves)
    effect = _fitted(np.where(is_basis, values, np.nan), design)
    is_known = has_cycles[:, None] & ~np.isnan(effect) & (is_after if is_frozen else np.ones_like(is_after))
    return Season(np.where(is_known, effect, 0.0), is_known)


def _months(period_starts: np.ndarray) -> np.ndarray:
    month = period_starts.astype("datetime64[M]").astype("int64") % 12
    return (month[:, None] == np.unique(month)[None, :]).astype("float64")


def _waves(period_starts: np.ndarray, waves: int) -> np.ndarray:
    year = period_starts.astype("datetime64[Y]")
    length = ((year + 1).astype("datetime64[D]") - year.astype("datetime64[D]")).astype("float64")
    place = (period_starts - year.astype("datetime64[D]")).astype("float64") / length
    columns = [np.ones(len(period_starts))]
    for wave in range(1, waves + 1):
        columns += [np.cos(2 * np.pi * wave * place), np.sin(2 * np.pi * wave * place)]
    return np.stack(columns, axis=1)


def _fitted(basis: np.ndarray, design: np.ndarray) -> np.ndarray:
    """Least squares of each series on the columns of `design`, less the series' mean; NaN where it cannot be solved.

    On months' columns that is each month's mean. A month that a series never showed makes all of its season unknown.
    """
    is_point = ~np.isnan(basis)
    count = is_point.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.nansum(basis, axis=1) / count
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    squares = (is_point.astype("float64") @ products).reshape(-1, design.shape[1], design.shape[1])
    sums = np.where(is_point, basis - centre[:, None], 0.0) @ design
    found = np.full(basis.shape, np.nan)
    can = (count > design.shape[1]) & (np.linalg.matrix_rank(squares) == design.shape[1])
    factors = np.linalg.solve(squares[can], sums[can][:, :, None])[:, :, 0]
    found[can] = factors @ design.T
    return found
