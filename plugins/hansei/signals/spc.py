"""XmR charts with the plot-the-dots rules of the NHS "Making Data Count" programme (METHODS.md 2.2).

Arrays are (series, periods); NaN is a period without a usable value: it takes no part in means and breaks every run.
`groups` numbers the phases: each has limits of its own, and no pattern reaches from one into the next.

`chart` marks patterns looking back, as a chart is drawn: all seven points of a run are marked. `known_then` says of
each point what could be said when it was the newest, so that a verdict never changes because later points came.
Where a group begins on a date, `windows.rebased` numbers the groups; a group of fewer than SETTLED periods
(`windows.group_sizes`) has limits on trial.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from hansei.signals.limits import Figures, Limits, Sample, average_range, drawn, growing, mean
from hansei.signals.windows import first_rule, moved, one_side, place_in_phase, spread

# Limits at 2.66 average moving ranges, near lines at two thirds of that.
LIMIT, NEAR = 2.66, 2 * 2.66 / 3
RUN, WINDOW = 7, 3
NO_RULE, OUTSIDE, TREND, TWO_OF_THREE, SHIFT = range(5)
RULES = ("", "outside", "trend", "two_of_three", "shift")
LENGTHS = np.array([1, 1, RUN, WINDOW, RUN], dtype="int32")  # periods of each rule's pattern
# Points of a phase below which nothing is said, and below which its limits are on trial (METHODS.md 2.4).
LEAST, SETTLED = 8, 13


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
    in the phase, or two thirds of its points or more being one value. `names`: what the numbers in `rules` are called.
    """

    limits: Limits
    rules: np.ndarray
    sides: np.ndarray
    pattern_starts: np.ndarray
    counts: np.ndarray
    guards: np.ndarray
    names: tuple[str, ...] = RULES

    def of(self, rows: np.ndarray) -> KnownThen:
        """What was said of the series in the given rows."""
        limits = Limits(*(getattr(self.limits, field.name)[rows] for field in fields(Limits)))
        arrays = (self.rules, self.sides, self.pattern_starts, self.counts, self.guards)
        return KnownThen(limits, *(array[rows] for array in arrays), names=self.names)


GUARDS = FINE, NO_VALUE, TOO_SHORT, FLAT_RANGES = range(4)


def chart(values: np.ndarray, groups: np.ndarray, fix_after: int | None = None, is_screened: bool = True) -> Chart:
    """The whole series as it is drawn today. `fix_after`: limits of a group come from its first so many periods."""
    centre, moving_range = drawn(Figures(values), groups, lambda sample: _baseline(sample, is_screened), fix_after)
    limits = around(centre, moving_range)
    outside, relative, near = positions(values, limits)
    trend, window, shift = ends(values, limits, groups)
    marks = (outside * relative, spread(trend, RUN), spread(window, WINDOW) * near, spread(shift, RUN))
    return Chart(limits, *first_rule(*marks))


def around(centre: np.ndarray, moving_range: np.ndarray) -> Limits:
    """Limits from the centre and the average moving range."""
    reach, near = LIMIT * moving_range, NEAR * moving_range
    return Limits(centre, centre - reach, centre + reach, centre - near, centre + near)


def positions(values: np.ndarray, limits: Limits) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outside the limits (0/1), side of the centre (-1, 0, 1) and between near line and limit (0/1); int8."""
    with np.errstate(invalid="ignore"):
        outside = (values > limits.upper) | (values < limits.lower)
        relative = np.nan_to_num(np.sign(values - limits.centre))
        near = ~outside & ((values > limits.near_upper) | (values < limits.near_lower))
    return outside.astype("int8"), relative.astype("int8"), near.astype("int8")


def known_then(
    values: np.ndarray, phases: np.ndarray, fix_after: int = 20, is_screened: bool = True, is_guarded: bool = True
) -> KnownThen:
    """Each period judged as the last one. Limits follow the phase until it has `fix_after` points, then stand.

    Departures from the reference, undone with `is_guarded=False`: fewer than LEAST points say nothing. Where two
    thirds or more of the baseline's points are one and the same value (rare events, a constant), ranges are no measure
    of what is usual.
    """
    numbers, counts = growing(Figures(values), phases, lambda sample: _guarded_baseline(sample, is_screened), fix_after)
    centre, moving_range, flat = numbers
    limits = around(centre, moving_range)
    outside, relative, near = positions(values, limits)
    trend, window, shift = ends(values, limits, phases)
    rules, sides = first_rule(outside * relative, trend, window * near, shift)
    guards = guarded(values, counts, flat == 1) if is_guarded else np.where(np.isnan(values), NO_VALUE, FINE)
    rules[guards != FINE], sides[guards != FINE] = NO_RULE, 0
    starts = np.arange(values.shape[1], dtype="int32") - LENGTHS[rules] + 1
    return KnownThen(limits, rules, sides, starts, counts, guards.astype("int8"))


def guarded(values: np.ndarray, counts: np.ndarray, is_flat: np.ndarray) -> np.ndarray:
    """Why a chart says nothing of a period, int8; FINE where it speaks."""
    guards = np.zeros(values.shape, dtype="int8")
    guards[is_flat] = FLAT_RANGES
    guards[counts < LEAST] = TOO_SHORT
    guards[np.isnan(values)] = NO_VALUE
    return guards


def _baseline(sample: Sample, is_screened: bool) -> np.ndarray:
    """Mean and average moving range."""
    return np.stack([mean(sample.values), average_range(sample.values, sample.is_next, is_screened)])


def _guarded_baseline(sample: Sample, is_screened: bool) -> np.ndarray:
    centre, moving_range = _baseline(sample, is_screened)
    flat = ~(moving_range > 0) | is_mostly_one_value(sample.values)
    return np.stack([centre, moving_range, flat])


def is_mostly_one_value(basis: np.ndarray) -> np.ndarray:
    """Whether two thirds or more of a row's points are one value, which is then the median."""
    with np.errstate(invalid="ignore"):
        ordered = np.sort(basis, axis=1)  # NaN last
        count = np.sum(~np.isnan(basis), axis=1)
        middle = ordered[np.arange(len(basis)), np.maximum(count - 1, 0) // 2]
        return 3 * np.sum(basis == middle[:, None], axis=1) >= 2 * np.maximum(count, 1)


def ends(values: np.ndarray, limits: Limits, phases: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where a trend, a window of three on one side with two near points, and a run on one side end, as sides (int8).

    Levels and lines are those that hold at the last point of the pattern.
    """
    places = place_in_phase(phases)
    steps = values - moved(values, 1)
    steps[places == 0] = np.nan
    trend = one_side(lambda back: moved(steps, back), RUN - 1, places)
    window, shift = (
        one_side(lambda back: moved(values, back) - limits.centre, length, places) for length in (WINDOW, RUN)
    )
    near_count = sum(positions(moved(values, back), limits)[2] for back in range(WINDOW))
    return trend, window * (near_count >= 2), shift
