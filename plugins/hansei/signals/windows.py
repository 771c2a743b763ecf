"""Periods side by side: where phases begin, what lies so many periods back, and patterns that end in a period.

Arrays are (series, periods). No pattern reaches from one phase into the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

import numpy as np

# How a pattern without a good or bad side (alternating, hugging the centre) is marked among the sides 1 and -1.
NO_SIDE = 2


def phase_columns(phases: np.ndarray) -> np.ndarray:
    """Column in which the phase of each period begins."""
    begins = np.ones(phases.shape, dtype=bool)
    begins[:, 1:] = phases[:, 1:] != phases[:, :-1]
    return np.maximum.accumulate(np.where(begins, np.arange(phases.shape[1]), 0), axis=1)


def place_in_phase(phases: np.ndarray) -> np.ndarray:
    """How many periods of its phase lie before each period."""
    return np.arange(phases.shape[1]) - phase_columns(phases)


def rebased(period_starts: np.ndarray, dates: Iterable[date | str], is_unmatched_ignored: bool = False) -> np.ndarray:
    """int32 (periods,): the group of each period, one more from each date on. `period_starts`: datetime64[D].

    A date that is no period's start is an error, for it changes nothing that anybody sees; with
    `is_unmatched_ignored` it is passed over, as the reference package does.
    """
    days = np.array(sorted({str(day) for day in dates}), dtype="datetime64[D]")
    unmatched = days[~np.isin(days, period_starts)]
    if len(unmatched) and not is_unmatched_ignored:
        near = period_starts[np.argmin(np.abs(period_starts - unmatched[0]))] if len(period_starts) else "none"
        raise ValueError(f"rebase date {unmatched[0]} matches no point (nearest: {near}); give the start of a period")
    return np.cumsum(np.isin(period_starts, days)).astype("int32")


def group_sizes(groups: np.ndarray) -> np.ndarray:
    """How many periods the group of each period has, in each series."""
    sizes = np.zeros(groups.shape, dtype="int32")
    for group in np.unique(groups):
        inside = groups == group
        sizes += inside * np.sum(inside, axis=1, keepdims=True, dtype="int32")
    return sizes


def moved(values: np.ndarray, by: int, empty: float = np.nan) -> np.ndarray:
    """Column t holds what was in t - by, `empty` where there is none."""
    found = np.full(values.shape, empty, dtype=values.dtype)
    if by < values.shape[1]:
        found[:, by:] = values[:, : values.shape[1] - by]
    return found


def one_side(place: Callable[[int], np.ndarray], length: int, places: np.ndarray) -> np.ndarray:
    """1 where `place(0)` ... `place(length - 1)`, periods back, are all above zero within one phase, -1 where below.

    `places`: what `place_in_phase` gives.
    """
    with np.errstate(invalid="ignore"):
        above = places >= length - 1
        below = above.copy()
        for back in range(length):
            now = place(back)
            above &= now > 0
            below &= now < 0
    return above.astype("int8") - below.astype("int8")


def spread(ends: np.ndarray, length: int) -> np.ndarray:
    """The marks of each pattern's last point on all of its points; the later pattern wins."""
    marks = np.zeros(ends.shape, dtype="int8")
    for back in range(min(length, ends.shape[1]) - 1, -1, -1):
        later = np.zeros(ends.shape, dtype="int8")
        later[:, : ends.shape[1] - back] = ends[:, back:]
        marks = np.where(marks != 0, marks, later)
    return marks


def first_rule(*marks_by_rule: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the first rule that marks each period, from 1 (0: none), and its side; a mark of NO_SIDE gives 0."""
    rules = np.zeros(marks_by_rule[0].shape, dtype="int8")
    sides = np.zeros(rules.shape, dtype="int8")
    for rule, marks in enumerate(marks_by_rule, start=1):
        free = (rules == 0) & (marks != 0)
        rules[free], sides[free] = rule, marks[free]
    sides[sides == NO_SIDE] = 0
    return rules, sides
