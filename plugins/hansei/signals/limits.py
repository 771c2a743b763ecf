"""What a chart's lines are taken from: the points of a baseline, moved together, and the lines themselves.

Figures are (series, periods). A baseline's points are moved to the left, so that a measure of 20 points costs 20
columns however long the series is, and gives the same to the last bit whatever lies beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hansei.signals.windows import place_in_phase

# Moving ranges beyond 3.267 times their mean (the upper limit of a chart of ranges) are left out once, so that one
# outlier does not widen the limits that should show it (Nelson 1982).
SCREEN = 3.267


@dataclass(frozen=True)
class Limits:
    """Centre, limits at three sigma and near lines at two, (series, periods). NaN where nothing tells them."""

    centre: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    near_lower: np.ndarray
    near_upper: np.ndarray


@dataclass(frozen=True)
class Figures:
    """What is charted, (series, periods), NaN where there is no usable value.

    `values`: what is plotted. `counts` and `sizes`: numerators and denominators, or cases of a mean. `spreads`:
    standard deviation of the cases within the period. None: not known.
    """

    values: np.ndarray
    counts: np.ndarray | None = None
    sizes: np.ndarray | None = None
    spreads: np.ndarray | None = None

    @property
    def is_usable(self) -> np.ndarray:
        return ~np.isnan(self.values)


@dataclass(frozen=True)
class Sample:
    """Points of baselines, (baselines, points), in their order and NaN behind the last one.

    `is_next`: (baselines, points - 1), whether the point after follows directly. A gap leaves out the range across it.
    """

    values: np.ndarray
    is_next: np.ndarray
    counts: np.ndarray | None = None
    sizes: np.ndarray | None = None
    spreads: np.ndarray | None = None

    def first(self, size: int, rows: np.ndarray) -> Sample:
        """The first `size` points of the baselines `rows`."""
        parts = [part if part is None else part[rows, :size] for part in (self.counts, self.sizes, self.spreads)]
        return Sample(self.values[rows, :size], self.is_next[rows, : size - 1], *parts)


# Of a sample: one number per baseline and row, (numbers, baselines).
Measure = Callable[[Sample], np.ndarray]


def mean(values: np.ndarray) -> np.ndarray:
    """Mean of each row, NaN left out."""
    count = np.sum(~np.isnan(values), axis=1)
    return np.where(count > 0, np.nansum(values, axis=1) / np.maximum(count, 1), np.nan)


def average_range(values: np.ndarray, is_next: np.ndarray, is_screened: bool, screen: float = SCREEN) -> np.ndarray:
    """Average moving range of each row; NaN where no range is left, as with a constant."""
    return screened_mean(np.where(is_next, np.abs(np.diff(values, axis=1)), np.nan), is_screened, screen)


def screened_mean(ranges: np.ndarray, is_screened: bool, screen: float = SCREEN) -> np.ndarray:
    average = mean(ranges)
    if not is_screened:
        return average
    with np.errstate(invalid="ignore"):
        return mean(np.where(ranges < screen * average[:, None], ranges, np.nan))


def collected(
    figures: Figures, is_basis: np.ndarray, rows: np.ndarray, is_left_out: np.ndarray | None = None
) -> Sample:
    """The usable points of `is_basis`, (rows, periods), of the series `rows`.

    `is_left_out`: points that count as not there, so that their neighbours are neighbours; a point without a
    usable value is a gap.
    """
    is_point = is_basis & figures.is_usable[rows]
    order = np.broadcast_to(np.arange(is_point.shape[1]), is_point.shape)
    if is_left_out is not None:
        is_point &= ~is_left_out[rows]
        order = np.cumsum(~is_left_out[rows], axis=1)
    at, column = np.nonzero(is_point)
    place = (np.cumsum(is_point, axis=1) - 1)[at, column]
    shape = (len(rows), max(int(place.max(initial=0)) + 1, 2))

    def together(values: np.ndarray | None) -> np.ndarray | None:
        if values is None:
            return None
        found = np.full(shape, np.nan)
        found[at, place] = values[rows[at], column]
        return found

    positions = np.full(shape, -1)
    positions[at, place] = order[at, column]
    is_next = positions[:, 1:] == positions[:, :-1] + 1
    is_next &= positions[:, :-1] >= 0
    return Sample(
        together(figures.values),
        is_next,
        *(together(values) for values in (figures.counts, figures.sizes, figures.spreads)),
    )


def drawn(
    figures: Figures,
    groups: np.ndarray,
    measure: Measure,
    fix_after: int | None = None,
    is_left_out: np.ndarray | None = None,
) -> np.ndarray:
    """Each group measured once, as a chart is drawn today; (numbers, series, periods).

    `fix_after`: a group is measured by its first so many periods.
    """
    places = place_in_phase(groups)
    found: np.ndarray | None = None
    for group in np.unique(groups):
        inside = groups == group
        rows = np.flatnonzero(inside.any(axis=1))
        basis = inside[rows] if fix_after is None else inside[rows] & (places[rows] < fix_after)
        numbers = measure(collected(figures, basis, rows, is_left_out))
        if found is None:
            found = np.full((len(numbers), *groups.shape), np.nan)
        at, column = np.nonzero(inside[rows])
        found[:, rows[at], column] = numbers[:, at]
    return found if found is not None else np.full((0, *groups.shape), np.nan)


def growing(figures: Figures, phases: np.ndarray, measure: Measure, fix_after: int) -> tuple[np.ndarray, np.ndarray]:
    """Each phase measured by its first 1, 2 ... `fix_after` usable points, as they were known in each period.

    (numbers, series, periods), NaN with fewer than two points; and int32, how many usable points there were so far.
    """
    found: np.ndarray | None = None
    counts = np.zeros(phases.shape, dtype="int32")
    for phase in range(int(phases.max(initial=0)) + 1):
        inside = phases == phase
        rows = np.flatnonzero(inside.any(axis=1))
        here = inside[rows]
        so_far = np.cumsum(here & figures.is_usable[rows], axis=1, dtype="int32")
        sample = collected(figures, here & (so_far <= fix_after), rows)
        numbers = _by_size(sample, so_far[:, -1] if so_far.size else np.zeros(0), measure, fix_after)
        if found is None:
            found = np.full((len(numbers), *phases.shape), np.nan)
        at, column = np.nonzero(here)
        counts[rows[at], column] = so_far[at, column]
        found[:, rows[at], column] = numbers[:, at, np.minimum(so_far[at, column], fix_after)]
    return (found if found is not None else np.full((0, *phases.shape), np.nan)), counts


def _by_size(sample: Sample, totals: np.ndarray, measure: Measure, fix_after: int) -> np.ndarray:
    """(numbers, rows, fix_after + 1): what the first so many points measure, NaN where a row has fewer."""
    table: np.ndarray | None = None
    for size in range(2, fix_after + 1):
        reached = np.flatnonzero(totals >= size)
        numbers = measure(sample.first(size, reached))
        if table is None:
            table = np.full((len(numbers), len(totals), fix_after + 1), np.nan)
        table[:, reached, size] = numbers
        if not len(reached):
            break
    return table if table is not None else np.full((0, len(totals), fix_after + 1), np.nan)
