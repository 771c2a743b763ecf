"""XmR charts with the plot-the-dots rules of the NHS "Making Data Count" programme (METHODS.md 2.2).

Arrays are (series, periods); NaN is a period without a usable value: it takes no part in means and breaks every run.
`groups` numbers the phases: each has limits of its own, and no pattern reaches from one into the next.

`chart` marks patterns looking back, as a chart is drawn: all seven points of a run are marked. `known_then` says of
each point what could be said when it was the newest, so that a verdict never changes because later points came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Limits at 2.66 average moving ranges, near lines at two thirds of that; moving ranges beyond 3.267 times their mean
# are left out once, so that one outlier does not widen the limits that should show it.
LIMIT, NEAR, SCREEN = 2.66, 2 * 2.66 / 3, 3.267
RUN, WINDOW = 7, 3
NO_RULE, OUTSIDE, TREND, TWO_OF_THREE, SHIFT = range(5)
RULES = ("", "outside", "trend", "two_of_three", "shift")
_LENGTHS = np.array([1, 1, RUN, WINDOW, RUN], dtype="int32")  # periods of each rule's pattern
# Points of a phase below which nothing is said, and below which its limits are on trial (METHODS.md 2.4).
LEAST, SETTLED = 8, 13


@dataclass(frozen=True)
class Limits:
    """Centre, process limits and near lines, (series, periods). NaN where the moving ranges say nothing."""

    centre: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    near_lower: np.ndarray
    near_upper: np.ndarray

    @classmethod
    def around(cls, centre: np.ndarray, moving_range: np.ndarray) -> Limits:
        reach, near = LIMIT * moving_range, NEAR * moving_range
        return cls(centre, centre - reach, centre + reach, centre - near, centre + near)


@dataclass(frozen=True)
class Chart:
    """`rules`: int8 places in RULES, the first that applies in their order. `sides`: int8, where the rule points: 1
    above the centre or rising, -1 below or falling, 0 without a rule."""

    limits: Limits
    rules: np.ndarray
    sides: np.ndarray


@dataclass(frozen=True)
class KnownThen:
    """What the newest point said in each period. `pattern_starts`: column of the first point of its pattern.

    `counts`: usable points of the phase so far. `guards`: FINE, or why nothing is said: no usable value, too few points
    in the phase, or two thirds of its points or more being one value.
    """

    limits: Limits
    rules: np.ndarray
    sides: np.ndarray
    pattern_starts: np.ndarray
    counts: np.ndarray
    guards: np.ndarray


FINE, NO_VALUE, TOO_SHORT, FLAT_RANGES = range(4)


def chart(values: np.ndarray, groups: np.ndarray, fix_after: int | None = None, is_screened: bool = True) -> Chart:
    """The whole series as it is drawn today. `fix_after`: limits of a group come from its first so many periods."""
    limits = _drawn_limits(values, groups, fix_after, is_screened)
    outside, relative, near = positions(values, limits)
    trend, window, shift = _ends(values, limits, groups)
    marks = (outside * relative, _spread(trend, RUN), _spread(window, WINDOW) * near, _spread(shift, RUN))
    return Chart(limits, *_first_rule(*marks))


def positions(values: np.ndarray, limits: Limits) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outside the limits (0/1), side of the centre (-1, 0, 1) and between near line and limit (0/1); int8."""
    with np.errstate(invalid="ignore"):
        outside = (values > limits.upper) | (values < limits.lower)
        relative = np.nan_to_num(np.sign(values - limits.centre))
        near = ~outside & ((values > limits.near_upper) | (values < limits.near_lower))
    return outside.astype("int8"), relative.astype("int8"), near.astype("int8")


def known_then(values: np.ndarray, phases: np.ndarray, fix_after: int = 20, is_screened: bool = True) -> KnownThen:
    """Each period judged as the last one. Limits follow the phase until it has `fix_after` points, then stand.

    Departures from the reference: fewer than LEAST points say nothing. Where two thirds or more of the baseline's
    points are one and the same value (rare events, a constant), ranges are no measure of what is usual.
    """
    centre, moving_range, counts, is_flat = _growing_baseline(values, phases, fix_after, is_screened)
    limits = Limits.around(centre, moving_range)
    outside, relative, near = positions(values, limits)
    trend, window, shift = _ends(values, limits, phases)
    rules, sides = _first_rule(outside * relative, trend, window * near, shift)
    guards = np.zeros(values.shape, dtype="int8")
    guards[is_flat] = FLAT_RANGES
    guards[counts < LEAST] = TOO_SHORT
    guards[np.isnan(values)] = NO_VALUE
    rules[guards != FINE], sides[guards != FINE] = NO_RULE, 0
    starts = np.arange(values.shape[1], dtype="int32") - _LENGTHS[rules] + 1
    return KnownThen(limits, rules, sides, starts, counts, guards)


def _baseline(values: np.ndarray, is_screened: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mean and average moving range of each row; NaN where there is none. A gap leaves out the ranges beside it."""
    ranges = np.abs(np.diff(values, axis=1))
    average = _mean(ranges)
    if is_screened:
        with np.errstate(invalid="ignore"):
            average = _mean(np.where(ranges < SCREEN * average[:, None], ranges, np.nan))
    return _mean(values), average


def _mean(values: np.ndarray) -> np.ndarray:
    count = np.sum(~np.isnan(values), axis=1)
    return np.where(count > 0, np.nansum(values, axis=1) / np.maximum(count, 1), np.nan)


def _drawn_limits(values: np.ndarray, groups: np.ndarray, fix_after: int | None, is_screened: bool) -> Limits:
    centre, moving_range = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    places = _place_in_phase(groups)
    for group in np.unique(groups):
        inside = groups == group
        basis = inside if fix_after is None else inside & (places < fix_after)
        mean, average = _baseline(np.where(basis, values, np.nan), is_screened)
        centre[inside] = np.broadcast_to(mean[:, None], values.shape)[inside]
        moving_range[inside] = np.broadcast_to(average[:, None], values.shape)[inside]
    return Limits.around(centre, moving_range)


def _growing_baseline(
    values: np.ndarray, phases: np.ndarray, fix_after: int, is_screened: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean and average moving range of the first 1, 2 ... `fix_after` usable points of each phase, at each period."""
    shape = values.shape
    centre, moving_range = np.full(shape, np.nan), np.full(shape, np.nan)
    counts, is_flat = np.zeros(shape, dtype="int32"), np.zeros(shape, dtype=bool)
    for phase in range(int(phases.max(initial=0)) + 1):
        inside = phases == phase
        rows = np.flatnonzero(inside.any(axis=1))
        here = inside[rows]
        own = np.where(here, values[rows], np.nan)
        so_far = np.cumsum(~np.isnan(own), axis=1)
        for size in range(2, fix_after + 1):
            at = here & ((so_far == size) | ((so_far > size) & (size == fix_after)))
            reached = np.flatnonzero(at.any(axis=1))
            if not len(reached):
                continue
            basis = np.where(so_far[reached] <= size, own[reached], np.nan)
            mean, average = _baseline(basis, is_screened)
            flat = ~(average > 0) | _is_mostly_one_value(basis)
            spots, across = np.nonzero(at[reached])
            places = (rows[reached][spots], across)
            centre[places], moving_range[places], is_flat[places] = mean[spots], average[spots], flat[spots]
        spots, across = np.nonzero(here)
        counts[rows[spots], across] = so_far[spots, across]
    return centre, moving_range, counts, is_flat


def _is_mostly_one_value(basis: np.ndarray) -> np.ndarray:
    """Whether two thirds or more of a row's points are one value, which is then the median."""
    with np.errstate(invalid="ignore"):
        ordered = np.sort(basis, axis=1)  # NaN last
        count = np.sum(~np.isnan(basis), axis=1)
        middle = ordered[np.arange(len(basis)), np.maximum(count - 1, 0) // 2]
        return 3 * np.sum(basis == middle[:, None], axis=1) >= 2 * np.maximum(count, 1)


def phase_columns(phases: np.ndarray) -> np.ndarray:
    """Column in which the phase of each period begins."""
    begins = np.ones(phases.shape, dtype=bool)
    begins[:, 1:] = phases[:, 1:] != phases[:, :-1]
    return np.maximum.accumulate(np.where(begins, np.arange(phases.shape[1]), 0), axis=1)


def _place_in_phase(phases: np.ndarray) -> np.ndarray:
    """How many periods of its phase lie before each period."""
    return np.arange(phases.shape[1]) - phase_columns(phases)


def _moved(values: np.ndarray, by: int) -> np.ndarray:
    """Column t holds what was in t - by, NaN where there is none."""
    moved = np.full(values.shape, np.nan)
    if by < values.shape[1]:
        moved[:, by:] = values[:, : values.shape[1] - by]
    return moved


def _ends(values: np.ndarray, limits: Limits, phases: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where a trend, a window of three on one side with two near points, and a run on one side end, as sides.

    Levels and lines are those that hold at the last point of the pattern.
    """
    steps = values - _moved(values, 1)
    steps[_place_in_phase(phases) == 0] = np.nan
    trend = _one_side(lambda back: _moved(steps, back), RUN - 1, phases)
    window, shift = (
        _one_side(lambda back: _moved(values, back) - limits.centre, length, phases) for length in (WINDOW, RUN)
    )
    near_count = sum(positions(_moved(values, back), limits)[2] for back in range(WINDOW))
    return trend, window * (near_count >= 2), shift


def _one_side(place: Callable[[int], np.ndarray], length: int, phases: np.ndarray) -> np.ndarray:
    """1 where `place(0)` ... `place(length - 1)`, periods back, are all above zero within one phase, -1 where below."""
    with np.errstate(invalid="ignore"):
        above = _place_in_phase(phases) >= length - 1
        below = above.copy()
        for back in range(length):
            now = place(back)
            above &= now > 0
            below &= now < 0
    return above.astype("int8") - below.astype("int8")


def _spread(ends: np.ndarray, length: int) -> np.ndarray:
    """The marks of each pattern's last point on all of its points; the later pattern wins."""
    marks = np.zeros(ends.shape, dtype="int8")
    for back in range(min(length, ends.shape[1]) - 1, -1, -1):
        later = np.zeros(ends.shape, dtype="int8")
        later[:, : ends.shape[1] - back] = ends[:, back:]
        marks = np.where(marks != 0, marks, later)
    return marks


def _first_rule(*sides_by_rule: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rules = np.zeros(sides_by_rule[0].shape, dtype="int8")
    sides = np.zeros(rules.shape, dtype="int8")
    for rule, side in enumerate(sides_by_rule, start=1):
        free = (rules == NO_RULE) & (side != 0)
        rules[free], sides[free] = rule, side[free]
    return rules, sides
