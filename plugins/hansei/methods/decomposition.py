"""Why a share or a mean moved: changed segments (rate) apart from a changed make-up (mix), and chains of factors.

Sources: Kitagawa 1955 (two components, symmetric weights); Das Gupta 1993, chapters 2, 3 and 5 (any number of factors,
structures of several dimensions). A median or percentile does not decompose: decompose the share above a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np


@dataclass(frozen=True)
class SegmentShift:
    """One segment between two periods: its weights (shares of all cases), its rates, and what each moved.

    rate0, rate1 are None where the segment had no case in that period. Effects are in the unit of the rate.
    """

    key: str
    n0: float
    n1: float
    weight0: float
    weight1: float
    rate0: float | None
    rate1: float | None
    rate_effect: float
    mix_effect: float

    @property
    def total(self) -> float:
        return self.rate_effect + self.mix_effect


@dataclass(frozen=True)
class Decomposition:
    """The change of a whole, `rate1 - rate0` = `rate` + `mix`, and its segments in the given order."""

    rate0: float
    rate1: float
    segments: tuple[SegmentShift, ...]

    @property
    def change(self) -> float:
        return self.rate1 - self.rate0

    @property
    def rate(self) -> float:
        """What moved because segments changed."""
        return sum(segment.rate_effect for segment in self.segments)

    @property
    def mix(self) -> float:
        """What moved because the segments' shares of all cases changed."""
        return sum(segment.mix_effect for segment in self.segments)

    @property
    def is_paradox(self) -> bool:
        """Simpson's: the segments together moved against the whole, which only its make-up turned round."""
        return self.rate * self.change < 0 and self.mix * self.change > 0

    def ranked(self) -> list[SegmentShift]:
        """The segments by how much they moved, either way; the key breaks ties."""
        return sorted(self.segments, key=lambda segment: (-abs(segment.total), segment.key))


def decompose(
    keys: Sequence[str], n0: Sequence[float], x0: Sequence[float], n1: Sequence[float], x1: Sequence[float]
) -> Decomposition | None:
    """Kitagawa's symmetric decomposition, mix centred on the mean of both wholes; None where a period has no case.

    n: cases, x: successes or the sum of values, per segment, before (0) and now (1). rate effect (r1 - r0)(w0 + w1)/2,
    mix effect (w1 - w0)((r0 + r1)/2 - (R0 + R1)/2). The rate that a new or vanished segment lacks is taken from the
    other period, so that all of it is mix.
    """
    n0, x0, n1, x1 = (np.asarray(values, dtype=float) for values in (n0, x0, n1, x1))
    if (n0 < 0).any() or (n1 < 0).any():
        raise ValueError("cases are not negative")
    if n0.sum() <= 0 or n1.sum() <= 0:
        return None
    rate_effect, mix_effect = symmetric_effects(n0, x0, n1, x1)
    is_there = (n0 > 0) | (n1 > 0)
    segments = tuple(
        SegmentShift(
            key=key,
            n0=float(n0[i]),
            n1=float(n1[i]),
            weight0=float(n0[i] / n0.sum()),
            weight1=float(n1[i] / n1.sum()),
            rate0=float(x0[i] / n0[i]) if n0[i] > 0 else None,
            rate1=float(x1[i] / n1[i]) if n1[i] > 0 else None,
            rate_effect=float(rate_effect[i]),
            mix_effect=float(mix_effect[i]),
        )
        for i, key in enumerate(keys)
        if is_there[i]
    )
    return Decomposition(float(x0.sum() / n0.sum()), float(x1.sum() / n1.sum()), segments)


def symmetric_effects(n0: np.ndarray, x0: np.ndarray, n1: np.ndarray, x1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rate and mix effects of the segments on the last axis; other axes are decompositions of their own.

    Every one of them has a case in both periods. A segment without any case has no effect.
    """
    whole0, whole1 = (n.sum(axis=-1, keepdims=True) for n in (n0, n1))
    weight0, weight1 = n0 / whole0, n1 / whole1
    middle = (x0.sum(axis=-1, keepdims=True) / whole0 + x1.sum(axis=-1, keepdims=True) / whole1) / 2
    own0, own1 = _rates(x0, n0), _rates(x1, n1)
    rate0, rate1 = np.where(n0 > 0, own0, own1), np.where(n1 > 0, own1, own0)
    return (rate1 - rate0) * (weight0 + weight1) / 2, (weight1 - weight0) * ((rate0 + rate1) / 2 - middle)


def _rates(x: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Rates, 0 where there is no case."""
    return np.divide(x, n, out=np.zeros_like(n), where=n > 0)


def factor_effects(
    before: Sequence, now: Sequence, whole: Callable[[Sequence], float] = lambda factors: float(np.prod(factors))
) -> list[float]:
    """What each factor moved of `whole(now) - whole(before)`: Das Gupta's standardisation; they sum to the change.

    before, now: the factors of each period, numbers or arrays; `whole` makes the rate of them (default: the product).
    Each effect is the mean over all orders in which the factors could have changed one after the other.
    """
    count = len(before)
    if len(now) != count or not count:
        raise ValueError(f"{count} factors before and {len(now)} now: give the same ones")
    effects = []
    for factor in range(count):
        others = [other for other in range(count) if other != factor]
        effect = 0.0
        for size in range(count):
            steps = [
                _swapped(before, now, (*changed, factor), whole) - _swapped(before, now, changed, whole)
                for changed in combinations(others, size)
            ]
            effect += sum(steps) / (count * comb(count - 1, size))
        effects.append(effect)
    return effects


def _swapped(before: Sequence, now: Sequence, changed: tuple[int, ...], whole: Callable[[Sequence], float]) -> float:
    return whole([now[i] if i in changed else before[i] for i in range(len(before))])


def structure_effects(sizes0: np.ndarray, rates0: np.ndarray, sizes1: np.ndarray, rates1: np.ndarray) -> list[float]:
    """What each dimension of the make-up moved, then what the cells' rates moved; they sum to the change.

    All are tables of one shape. The make-up's dimensions are weighed with the mean of both periods' rates, the rates
    with the mean of both make-ups (Das Gupta 1993, chapter 5).
    """
    factors0, factors1 = _structure_factors(sizes0), _structure_factors(sizes1)
    mean_rates = (np.asarray(rates0, dtype=float) + rates1) / 2
    effects = factor_effects(factors0, factors1, lambda factors: float((np.prod(factors, axis=0) * mean_rates).sum()))
    mean_shares = (np.prod(factors0, axis=0) + np.prod(factors1, axis=0)) / 2
    return [*effects, float(((np.asarray(rates1, dtype=float) - rates0) * mean_shares).sum())]


def _structure_factors(sizes: np.ndarray) -> list[np.ndarray]:
    """One factor for each dimension of a table of cases, whose product is each cell's share of all cases.

    sizes: cases by as many dimensions as wanted, none of them 0. A dimension's factor is the geometric mean of its
    conditional shares, given every set of the other dimensions (Das Gupta 1993, chapter 5).
    """
    sizes = np.asarray(sizes, dtype=float)
    if (sizes <= 0).any():
        raise ValueError("every cell of a structure needs a case: pool small ones first")
    count = sizes.ndim
    factors = []
    for dimension in range(count):
        others = [other for other in range(count) if other != dimension]
        logarithm = np.zeros_like(sizes)
        for size in range(count):
            for given in combinations(others, size):
                share = _margin(sizes, (*given, dimension)) / _margin(sizes, given)
                logarithm = logarithm + np.log(share) / (count * comb(count - 1, size))
        factors.append(np.exp(logarithm))
    return factors


def _margin(sizes: np.ndarray, kept: tuple[int, ...]) -> np.ndarray:
    """Sums over the dimensions that are not kept, in a shape that divides the table."""
    return sizes.sum(axis=tuple(axis for axis in range(sizes.ndim) if axis not in kept), keepdims=True)
