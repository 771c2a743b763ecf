"""How long it takes when some are not finished yet: the Kaplan-Meier estimate.

Leaving open cases out makes everything look faster than it is; here they count for as long as they have lasted.
Source: Kaplan & Meier 1958; Greenwood 1926; interval on the log scale and quantiles as in R's survival 3.8 (survfit).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

# R's sqrt(.Machine$double.eps): within it a share counts as reached exactly.
_REACHED = 1.4901161193847656e-08


class Quantile(NamedTuple):
    """A time by which the share p has finished, and its interval; None where the curve does not come that far."""

    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Survival:
    """The share not finished after each distinct time, with its interval, and how many were under way just before.

    Where nobody is left the interval is NaN: the method has none.
    """

    times: np.ndarray
    survival: np.ndarray
    at_risk: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def quantile(self, p: float) -> Quantile:
        """Time by which the share `p` has finished; the middle of the flat part where the curve rests exactly there."""
        if not 0 < p < 1:
            raise ValueError(f"a share of {p:g} is not between 0 and 1")
        curves = (self.survival, self.lower, self.upper)
        return Quantile(*(_crossing(self.times, 1 - curve, p) for curve in curves))


def kaplan_meier(times: ArrayLike, finished: ArrayLike, confidence: float = 0.95) -> Survival:
    """The estimate from how long each case lasted, and whether it finished (True) or is still open (False).

    ValueError for no case, a negative or missing time, or lengths that differ.
    """
    from scipy import special

    durations, ended = np.asarray(times, dtype=float), np.asarray(finished, dtype=bool)
    if durations.shape != ended.shape or durations.ndim != 1 or not len(durations):
        raise ValueError("give as many ends as durations, and at least one")
    if np.isnan(durations).any() or (durations < 0).any():
        raise ValueError("a duration is a number that is not negative")
    distinct, position = np.unique(durations, return_inverse=True)
    left = np.bincount(position)
    events = np.bincount(position, weights=ended).astype(int)
    at_risk = len(durations) - np.concatenate([[0], np.cumsum(left)[:-1]])
    survival = np.cumprod(1 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(np.where(events > 0, events / (at_risk * (at_risk - events.astype(float))), 0.0))
        reach = float(special.ndtri((1 + confidence) / 2)) * np.sqrt(variance)
        lower, upper = survival * np.exp(-reach), np.minimum(survival * np.exp(reach), 1.0)
    gone = survival == 0
    return Survival(distinct, survival, at_risk, np.where(gone, np.nan, lower), np.where(gone, np.nan, upper))


def _crossing(times: np.ndarray, finished: np.ndarray, p: float) -> float | None:
    """First time at which a rising curve reaches p; where it rests at p, halfway to where it leaves it again."""
    known = ~np.isnan(finished)
    times_known, curve = times[known], finished[known]
    reached = np.flatnonzero(curve >= p - _REACHED)
    if not len(reached):
        return None
    first = float(times_known[reached[0]])
    if curve[reached[0]] > p + _REACHED:
        return first
    beyond = np.flatnonzero(curve > p + _REACHED)
    # A curve that ends on the share itself rests there until the last case that was watched.
    return (first + float(times_known[beyond[0]] if len(beyond) else times[-1])) / 2
