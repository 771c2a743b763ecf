"""Runs about the centre: has a series stayed on one side for too long, or crossed too seldom? (Anhøj and Olesen 2014)

A run is unusually long beyond round(log2 n) + 3 points (Schilling 2012), crossings are too few below the 5 % quantile
of a fair coin thrown n - 1 times (Chen 2010); n counts the points that do not lie on the centre itself. No limits are
needed, so it serves 10 to 20 points. Arrays are (series, periods).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from functools import lru_cache
from math import comb

import numpy as np

from hansei.signals.windows import NO_SIDE


@dataclass
class Runs:
    """Of the points so far: how many do not lie on the centre, the longest run, how often the centre was crossed.

    `side`, `length`: the run that is going on. All int32, (series,) or (series, periods).
    """

    useful: np.ndarray
    longest: np.ndarray
    crossings: np.ndarray
    side: np.ndarray
    length: np.ndarray

    @classmethod
    def empty(cls, *shape: int) -> Runs:
        return cls(*(np.zeros(shape, dtype="int32") for _ in fields(cls)))

    def add(self, signs: np.ndarray, rows: np.ndarray) -> None:
        """One more point of each of `rows`: 1 above the centre, -1 below, 0 on it or none."""
        at = rows[signs[rows] != 0]
        goes_on = self.side[at] == signs[at]
        self.crossings[at] += ~goes_on & (self.useful[at] > 0)
        self.length[at] = np.where(goes_on, self.length[at] + 1, 1)
        self.side[at] = signs[at]
        self.useful[at] += 1
        self.longest[at] = np.maximum(self.longest[at], self.length[at])

    def clear(self, rows: np.ndarray) -> None:
        for field in fields(self):
            getattr(self, field.name)[rows] = 0

    @property
    def longest_usual(self) -> np.ndarray:
        return np.round(np.log2(np.maximum(self.useful, 1))).astype("int32") + 3

    @property
    def fewest_usual(self) -> np.ndarray:
        table = np.array([fewest_crossings(count) for count in range(int(self.useful.max(initial=0)) + 1)])
        return table[self.useful]

    @property
    def is_signal(self) -> np.ndarray:
        return (self.useful > 0) & ((self.longest > self.longest_usual) | (self.crossings < self.fewest_usual))


@lru_cache(maxsize=4096)
def fewest_crossings(useful: int) -> int:
    """The 5 % quantile of the crossings that `useful` points make by chance."""
    throws = max(useful - 1, 0)
    reached, wanted = 0, Fraction(1, 20) * 2**throws
    for count in range(throws + 1):
        reached += comb(throws, count)
        if reached >= wanted:
            return count
    return throws


def runs_drawn(
    values: np.ndarray, centre: np.ndarray, groups: np.ndarray, is_left_out: np.ndarray | None = None
) -> Runs:
    """The runs of each group as it is drawn today, the same for all periods of a group."""
    signs = _signs(values, centre)
    if is_left_out is not None:
        signs[is_left_out] = 0
    found = Runs.empty(*values.shape)
    for group in np.unique(groups):
        inside = groups == group
        runs = Runs.empty(len(values))
        for column in np.flatnonzero(inside.any(axis=0)):
            runs.add(signs[:, column], np.flatnonzero(inside[:, column]))
        for field in fields(Runs):
            target = getattr(found, field.name)
            target[inside] = np.broadcast_to(getattr(runs, field.name)[:, None], values.shape)[inside]
    return found


def runs_then(values: np.ndarray, centre: np.ndarray, phases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the runs so far say in each period: marks as sides (int8), and the column in which the run going on began.

    `centre`: as it was known in each period. While it moves, the phase is looked through anew; once it stands, each
    point adds to what was counted. A long run speaks while it goes on, on its side. Too few crossings speak on the
    side of the run that is going on.
    """
    marks = np.zeros(values.shape, dtype="int8")
    starts = np.tile(np.arange(values.shape[1], dtype="int32"), (len(values), 1))
    runs, began = Runs.empty(len(values)), np.zeros(len(values), dtype="int32")
    known = np.full(len(values), np.nan)
    for column in range(values.shape[1]):
        now = centre[:, column]
        is_new = (phases[:, column] != phases[:, max(column - 1, 0)]) | (now != known)
        moved = np.flatnonzero(is_new & ~np.isnan(now))
        runs.clear(np.flatnonzero(is_new))
        if len(moved):
            _count_again(runs, began, values, now, phases, moved, column)
        stays = np.flatnonzero(~is_new)
        _add(runs, began, _signs(values[:, column], now), stays, column)
        known = now
        is_long = (runs.length > runs.longest_usual) | (runs.crossings < runs.fewest_usual)
        is_point = ~np.isnan(values[:, column]) & (runs.useful > 0) & is_long
        marks[is_point, column] = np.where(runs.side == 0, NO_SIDE, runs.side)[is_point]
        starts[is_point, column] = began[is_point]
    return marks, starts


def _count_again(
    runs: Runs,
    began: np.ndarray,
    values: np.ndarray,
    centre: np.ndarray,
    phases: np.ndarray,
    rows: np.ndarray,
    last: int,
) -> None:
    own = phases[rows, : last + 1] == phases[rows, last][:, None]
    signs = np.zeros(len(values), dtype="int32")
    for column in range(int(np.argmax(own.any(axis=0))), last + 1):
        signs[rows] = np.where(own[:, column], _signs(values[rows, column], centre[rows]), 0)
        _add(runs, began, signs, rows, column)


def _add(runs: Runs, began: np.ndarray, signs: np.ndarray, rows: np.ndarray, column: int) -> None:
    turns = rows[(signs[rows] != 0) & (signs[rows] != runs.side[rows])]
    began[turns] = column
    runs.add(signs, rows)


def _signs(values: np.ndarray, centre: np.ndarray) -> np.ndarray:
    return np.nan_to_num(np.sign(values - centre)).astype("int32")
