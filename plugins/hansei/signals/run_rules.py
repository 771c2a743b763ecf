"""Patterns by which a chart says that something changed: Western Electric 1 to 4, Nelson 1 to 8, plot-the-dots.

Each rule marks the period in which its pattern is complete, and every later one in which it still is (as qcc 3.0 does),
with the side to which it points: 1 above or rising, -1 below or falling, NO_SIDE where a pattern has none. All
comparisons are strict. A period without a usable value breaks every pattern, and none reaches over a phase's start.

Default is plot-the-dots: every further rule adds false alarms (docs/benchmarks.md has them counted).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hansei.signals.windows import NO_SIDE, moved, one_side

# A zone is a side times how far out: 1 within one sigma, 2 beyond one, 3 beyond two, 4 beyond three; 0 on the centre.
NOWHERE = 99


class Points(Protocol):
    """Series as rules see them. `places`: periods of the phase that lie before each one, (series, periods)."""

    places: np.ndarray

    def zone(self, back: int) -> np.ndarray:
        """int8 zone of the point so many periods before each one, on the lines of that one; NOWHERE without a point."""
        ...

    def step(self, back: int) -> np.ndarray:
        """int8, whether that point lies above (1), below (-1) or level with (0) the one before it; 0 without one."""
        ...


def zones(scores: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """int8 zones from how many sigmas each point lies from the level, and on which side of the centre."""
    with np.errstate(invalid="ignore"):
        out = np.abs(scores)
        zone = (np.nan_to_num(sides) * (1 + (out > 1) + (out > 2) + (out > 3))).astype("int8")
    zone[np.isnan(scores)] = NOWHERE
    return zone


def _side(points: Points, back: int, least: int = 1) -> np.ndarray:
    """1 or -1 where the point lies in zone `least` or further out, else 0."""
    zone = points.zone(back)
    above, below = (zone >= least) & (zone != NOWHERE), zone <= -least
    return above.astype("int8") - below.astype("int8")


def beyond_limits(points: Points) -> np.ndarray:
    return _side(points, 0, 4)


def same_side(length: int) -> Callable[[Points], np.ndarray]:
    """So many in a row on one side of the centre."""
    return lambda points: one_side(lambda back: _side(points, back), length, points.places)


def steady_steps(length: int) -> Callable[[Points], np.ndarray]:
    """So many points, each above, or each below, the one before."""
    return lambda points: one_side(points.step, length - 1, points.places - 1)


def some_beyond(need: int, of: int, zone: int) -> Callable[[Points], np.ndarray]:
    """This point and at least `need` of the last `of` in that zone or further out, all of those on one side."""

    def find(points: Points) -> np.ndarray:
        marks = np.zeros(points.places.shape, dtype="int8")
        window = [_side(points, back, zone) for back in range(of)]
        is_whole = _is_whole(points, of)
        for side in (1, -1):
            count = sum((item == side).astype("int8") for item in window)
            marks[is_whole & (window[0] == side) & (count >= need)] = side
        return marks

    return find


def near_limits(points: Points) -> np.ndarray:
    """Plot-the-dots: two of three between near line and limit, this one among them, all three on one side."""
    is_near = [np.abs(points.zone(back)) == 3 for back in range(3)]
    count = sum(item.astype("int8") for item in is_near)
    return same_side(3)(points) * (is_near[0] & (count >= 2))


def alternating(points: Points, length: int = 14) -> np.ndarray:
    """So many points in a row that go up and down in turn."""
    turns = np.ones(points.places.shape, dtype=bool)
    for back in range(length - 2):
        turns &= points.step(back) * points.step(back + 1) < 0
    return NO_SIDE * (turns & (points.places >= length - 1)).astype("int8")


def hugging(points: Points, length: int = 15) -> np.ndarray:
    """So many in a row within one sigma of the centre."""
    is_within = points.places >= length - 1
    for back in range(length):
        is_within = is_within & (np.abs(points.zone(back)) <= 1)
    return NO_SIDE * is_within.astype("int8")


def mixture(points: Points, length: int = 8) -> np.ndarray:
    """So many in a row beyond one sigma, some above and some below."""
    is_out = points.places >= length - 1
    has_above, has_below = np.zeros(is_out.shape, dtype=bool), np.zeros(is_out.shape, dtype=bool)
    for back in range(length):
        side = _side(points, back, 2)
        is_out = is_out & (side != 0)
        has_above |= side > 0
        has_below |= side < 0
    return NO_SIDE * (is_out & has_above & has_below).astype("int8")


def _is_whole(points: Points, length: int) -> np.ndarray:
    is_whole = points.places >= length - 1
    for back in range(length):
        is_whole = is_whole & (points.zone(back) != NOWHERE)
    return is_whole


@dataclass(frozen=True)
class Rule:
    """`length`: periods of the pattern, its last one included."""

    name: str
    length: int
    find: Callable[[Points], np.ndarray]


RULE_SETS: dict[str, tuple[Rule, ...]] = {
    "plot_the_dots": (
        Rule("outside", 1, beyond_limits),
        Rule("trend", 7, steady_steps(7)),
        Rule("two_of_three", 3, near_limits),
        Rule("shift", 7, same_side(7)),
    ),
    "western_electric": (
        Rule("beyond_three_sigma", 1, beyond_limits),
        Rule("two_of_three_beyond_two_sigma", 3, some_beyond(2, 3, 3)),
        Rule("four_of_five_beyond_one_sigma", 5, some_beyond(4, 5, 2)),
        Rule("eight_on_one_side", 8, same_side(8)),
    ),
    "nelson": (
        Rule("beyond_three_sigma", 1, beyond_limits),
        Rule("nine_on_one_side", 9, same_side(9)),
        Rule("six_rising_or_falling", 6, steady_steps(6)),
        Rule("fourteen_alternating", 14, alternating),
        Rule("two_of_three_beyond_two_sigma", 3, some_beyond(2, 3, 3)),
        Rule("four_of_five_beyond_one_sigma", 5, some_beyond(4, 5, 2)),
        Rule("fifteen_within_one_sigma", 15, hugging),
        Rule("eight_beyond_one_sigma_on_both_sides", 8, mixture),
    ),
}


class FixedPoints:
    """Points of series whose centre and sigma are given, and stand."""

    def __init__(self, values: np.ndarray, centre: np.ndarray, sigma: np.ndarray, places: np.ndarray) -> None:
        self.places = places
        self._zones = zones((values - centre) / sigma, np.sign(values - centre))
        steps = np.sign(values - moved(values, 1))
        steps[places == 0] = np.nan
        self._steps = np.nan_to_num(steps).astype("int8")

    def zone(self, back: int) -> np.ndarray:
        return moved(self._zones, back, NOWHERE)

    def step(self, back: int) -> np.ndarray:
        return moved(self._steps, back, 0)
