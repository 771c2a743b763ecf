"""Scores: how near a value is to its best, means of scores with what is missing shown, profiles and quadrants.

NaN stands for what is not known, and is never read as zero. Shares are 0 to 1, scores 0 to 100.
Sources: linear worst-to-best scale as in NICE inContact's scorecards; Kaplan & Norton 1992; Zou & Donner 2008 (MOVER).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

MINIMUM_COVERAGE = 0.7
MINIMUM_PEERS = 3
# Two engines may differ in the last digits of what is the same number; a tie with a cut must not hang on them.
_TIE = 1e-9


def score(value: ArrayLike, worst: ArrayLike, best: ArrayLike) -> np.ndarray:
    """100 * (worst - value) / (worst - best), held within 0 and 100; which way is better follows from the two ends.

    NaN for NaN. ValueError where worst equals best, because nothing lies between them.
    """
    worst, best = np.asarray(worst, dtype=float), np.asarray(best, dtype=float)
    if (worst == best).any():
        raise ValueError("worst equals best, so that nothing lies between them")
    return np.clip(100 * (worst - np.asarray(value, dtype=float)) / (worst - best), 0, 100)


@dataclass(frozen=True)
class Mean:
    """Weighted means of rows of scores; `weights` are those used: they sum to 1 over what a row has."""

    value: np.ndarray
    weights: np.ndarray
    coverage: np.ndarray


def weighted_mean(
    scores: ArrayLike, weights: ArrayLike, covered: ArrayLike | None = None, minimum_coverage: float = 0.0
) -> Mean:
    """The mean of each row of `scores` (last axis) over what it has, and the share of the weight that this covers.

    `covered` is how far each score itself is covered (default: wholly). Below the minimum coverage a row has no value.
    """
    scores = np.asarray(scores, dtype=float)
    weights = np.asarray(weights, dtype=float)
    if (weights < 0).any() or weights.sum() <= 0:
        raise ValueError("weights are not negative, and not all of them zero")
    present = np.where(np.isnan(scores), 0.0, weights)
    used = present.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(used > 0, present / used, 0.0)
    parts = present if covered is None else present * np.asarray(covered, dtype=float)
    coverage = parts.sum(axis=-1) / weights.sum()
    value = (np.nan_to_num(scores) * shares).sum(axis=-1)
    has_value = (used[..., 0] > 0) & (coverage >= minimum_coverage - _TIE)
    return Mean(np.where(has_value, value, np.nan), shares, coverage)


def mean_bounds(
    scores: ArrayLike, lower: ArrayLike, upper: ArrayLike, weights: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a weighted sum of independent scores from their intervals, which need not be symmetric (MOVER).

    NaN where a score that carries weight has no interval. `weights` are those that were used; they sum to 1.
    """
    scores, weights = np.asarray(scores, dtype=float), np.asarray(weights, dtype=float)
    carries = weights > 0

    def reach(bound: ArrayLike) -> np.ndarray:
        gaps = np.where(carries, weights * (scores - np.asarray(bound, dtype=float)), 0.0)
        return np.sqrt((gaps**2).sum(axis=-1))

    middle = np.where(carries, weights * scores, 0.0).sum(axis=-1)
    return np.clip(middle - reach(lower), 0, 100), np.clip(middle + reach(upper), 0, 100)


def shrunk(value: ArrayLike, count: ArrayLike, group_mean: ArrayLike, pull: float) -> np.ndarray:
    """The value drawn towards its group's mean: n / (n + pull) of its own, the rest of the group's.

    `pull` is how many observations the group's mean is worth; without a known group mean the value stays.
    """
    if pull < 0:
        raise ValueError(f"a pull of {pull:g} is negative")
    value, count, group = (np.asarray(item, dtype=float) for item in (value, count, group_mean))
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.where(count + pull > 0, count / (count + pull), 1.0)
    return np.where(np.isnan(group), value, own * value + (1 - own) * group)


@dataclass(frozen=True)
class Profile:
    """Axes of a profile with the lowest one, which is what to look at first; None where no axis is known.

    There is no area on purpose: the area of the polygon depends on the order in which the axes are drawn.
    """

    mean: float
    minimum_axis: int | None
    minimum: float


def profile(axes: ArrayLike) -> Profile:
    """The mean and the lowest of the axes that are known; of equal ones the first."""
    axes = np.asarray(axes, dtype=float)
    known = axes[~np.isnan(axes)]
    if not len(known):
        return Profile(float("nan"), None, float("nan"))
    lowest = int(np.argmax(np.nan_to_num(axes, nan=np.inf) <= known.min() + _TIE))
    return Profile(float(known.mean()), lowest, float(known.min()))


@dataclass(frozen=True)
class Quadrants:
    """Which peers are high on each axis, cut at the peers' medians; NaN cuts and no answer below the fewest peers."""

    cut_efficiency: float
    cut_quality: float
    peer_count: int
    names: tuple[str | None, ...]


def quadrants(efficiency: ArrayLike, quality: ArrayLike, fewest_peers: int = MINIMUM_PEERS) -> Quadrants:
    """The quadrant of each peer that has both scores: `high` is at or above the median of those peers."""
    efficiency, quality = np.asarray(efficiency, dtype=float), np.asarray(quality, dtype=float)
    known = ~(np.isnan(efficiency) | np.isnan(quality))
    count = int(known.sum())
    if count < fewest_peers:
        return Quadrants(float("nan"), float("nan"), count, (None,) * len(known))
    cuts = float(np.median(efficiency[known])), float(np.median(quality[known]))
    words = [
        f"{_height(e, cuts[0])}_efficiency_{_height(q, cuts[1])}_quality" if has else None
        for e, q, has in zip(efficiency, quality, known, strict=True)
    ]
    return Quadrants(*cuts, count, tuple(words))


def _height(value: float, cut: float) -> str:
    return "high" if value >= cut - _TIE else "low"


def settled(measured: Sequence[str | None]) -> list[str | None]:
    """The quadrant that holds in each period: a new one holds once it was measured twice running.

    `measured` is one peer's quadrant in consecutive periods, None where it was not measured; a gap starts no change.
    """
    held: str | None = None
    previous: str | None = None
    result: list[str | None] = []
    for name in measured:
        if name is not None and (held is None or name == previous):
            held = name
        result.append(None if name is None else held)
        previous = name
    return result


def renormalised(weights: Mapping[Hashable, float], available: Sequence[Hashable]) -> dict[Hashable, float]:
    """The weights of what is available, summing to 1; empty where nothing is."""
    total = sum(weights[name] for name in available)
    return {name: weights[name] / total for name in available} if total > 0 else {}
