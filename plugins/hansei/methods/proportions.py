"""Shares and rates with their uncertainty: one share, two shares compared, events per exposure, many tests at once.

Intervals are (lower, upper); None where nothing was observed. scipy gives the exact ones.
Sources: Wilson 1927; Clopper & Pearson 1934; Agresti & Coull 1998; Brown, Cai & DasGupta 2001; Newcombe 1998a, b.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

Interval = tuple[float, float]
METHODS = ("wilson", "wilson_cc", "clopper_pearson", "agresti_coull", "jeffreys", "wald")
_SCIPY = {"wilson_cc": "wilsoncc", "clopper_pearson": "exact"}


def interval(x: int, n: int, method: str = "wilson", confidence: float = 0.95) -> Interval | None:
    """Interval of the share x / n; None where n is 0.

    `wilson_cc` is Wilson's with continuity correction. `jeffreys` is the plain Beta(1/2, 1/2) posterior interval,
    without the change at 0 and n that Brown et al. propose. `wald` is there to compare with; it collapses at 0 and n.
    """
    from scipy import special

    _check(x, n)
    if method not in METHODS:
        raise ValueError(f"no interval {method!r}; known are {', '.join(METHODS)}")
    if n == 0:
        return None
    if method in _SCIPY:
        from scipy import stats  # takes seconds to import, and a review needs Wilson's only

        found = stats.binomtest(int(x), int(n)).proportion_ci(confidence, _SCIPY[method])
        return float(found.low), float(found.high)
    tail = (1 - confidence) / 2
    if method == "jeffreys":
        ends = special.betaincinv(x + 0.5, n - x + 0.5, [tail, 1 - tail])
        return float(ends[0]), float(ends[1])
    z = float(special.ndtri(1 - tail))
    if method == "wilson":
        middle, half = x + z * z / 2, z * sqrt(x * (n - x) / n + z * z / 4)
        ends = ((middle - half) / (n + z * z), (middle + half) / (n + z * z))
        return max(ends[0], 0.0) if x else 0.0, min(ends[1], 1.0) if x < n else 1.0
    # Agresti and Coull's is Wald's around Wilson's middle, as if z² answers had been added, half of them yes.
    added = z * z if method == "agresti_coull" else 0.0
    share, count = (x + added / 2) / (n + added), n + added
    half = z * sqrt(share * (1 - share) / count)
    return max(share - half, 0.0), min(share + half, 1.0)


@dataclass(frozen=True)
class TwoShares:
    """The first share less the second, Newcombe's hybrid score interval of it (method 10), and tests of equality."""

    difference: float
    interval: Interval
    chi2: float | None
    p_chi2: float | None
    p_fisher: float
    p_barnard: float | None


def difference_interval(x1: int, n1: int, x2: int, n2: int, confidence: float = 0.95) -> Interval | None:
    """Newcombe's hybrid score interval (method 10) of the first share less the second; None without an observation."""
    first, second = interval(x1, n1, "wilson", confidence), interval(x2, n2, "wilson", confidence)
    if first is None or second is None:
        return None
    difference = x1 / n1 - x2 / n2
    below = sqrt((x1 / n1 - first[0]) ** 2 + (second[1] - x2 / n2) ** 2)
    above = sqrt((first[1] - x1 / n1) ** 2 + (x2 / n2 - second[0]) ** 2)
    return difference - below, difference + above


def compare(x1: int, n1: int, x2: int, n2: int, confidence: float = 0.95) -> TwoShares | None:
    """Two independent shares; None where one has no observation. Chi² is without correction.

    Chi² and Barnard's test (pooled) are None where nobody or everybody says yes: there is nothing to test.
    """
    from scipy import stats

    ends = difference_interval(x1, n1, x2, n2, confidence)
    if ends is None:
        return None
    difference = x1 / n1 - x2 / n2
    table = [[x1, n1 - x1], [x2, n2 - x2]]
    p_fisher = float(stats.fisher_exact(table).pvalue)
    if x1 + x2 in (0, n1 + n2):
        return TwoShares(difference, ends, None, None, p_fisher, None)
    chi2, p_chi2, *_ = stats.chi2_contingency(table, correction=False)
    # scipy sets the two samples side by side, as columns.
    p_barnard = float(stats.barnard_exact(np.transpose(table)).pvalue)
    return TwoShares(difference, ends, float(chi2), float(p_chi2), p_fisher, p_barnard)


def rate_interval(events: int, exposure: float, confidence: float = 0.95) -> Interval | None:
    """Exact interval of events per exposure (Garwood 1936); None where there was no exposure."""
    from scipy import special

    if events < 0 or exposure < 0:
        raise ValueError(f"{events} events in an exposure of {exposure:g}: neither is negative")
    if exposure == 0:
        return None
    tail = (1 - confidence) / 2
    lower = float(special.gammaincinv(events, tail)) if events else 0.0
    return lower / exposure, float(special.gammaincinv(events + 1, 1 - tail)) / exposure


@dataclass(frozen=True)
class RateRatio:
    """How many times the first rate is the second, with its exact conditional interval and the p-value of equality.

    `ratio` and the upper end are None where the second has no event: they have no bound.
    """

    ratio: float | None
    interval: tuple[float, float | None]
    p: float


def rate_ratio(
    events1: int, exposure1: float, events2: int, exposure2: float, confidence: float = 0.95
) -> RateRatio | None:
    """Two rates compared through the share of the first in all events (Clopper-Pearson); None without any event."""
    from scipy import stats

    if min(exposure1, exposure2) <= 0 or min(events1, events2) < 0:
        raise ValueError("exposures are positive, events not negative")
    if events1 + events2 == 0:
        return None
    test = stats.binomtest(events1, events1 + events2, exposure1 / (exposure1 + exposure2))
    low, high = test.proportion_ci(confidence, "exact")
    scale = exposure2 / exposure1
    upper = None if high == 1 else float(high / (1 - high) * scale)
    ratio = None if events2 == 0 else events1 / events2 * scale
    return RateRatio(ratio, (float(low / (1 - low) * scale), upper), float(test.pvalue))


def adjusted(p: Sequence[float], method: str = "benjamini_hochberg") -> list[float]:
    """p-values of many tests made at once, in the given order: `benjamini_hochberg`, `holm` or `bonferroni`."""
    values = np.asarray(p, dtype=float)
    if np.isnan(values).any() or (values < 0).any() or (values > 1).any():
        raise ValueError("p-values lie within 0 and 1")
    count = len(values)
    if method == "bonferroni":
        return np.minimum(values * count, 1.0).tolist()
    order = np.argsort(values, kind="stable")
    back = np.argsort(order, kind="stable")
    if method == "holm":
        stepped = np.maximum.accumulate(values[order] * (count - np.arange(count)))
    elif method == "benjamini_hochberg":
        stepped = np.minimum.accumulate((values[order] * count / np.arange(1, count + 1))[::-1])[::-1]
    else:
        raise ValueError(f"no adjustment {method!r}; known are benjamini_hochberg, holm, bonferroni")
    return np.minimum(stepped, 1.0)[back].tolist()


def _check(x: int, n: int) -> None:
    if not 0 <= x <= n:
        raise ValueError(f"{x} of {n} is no share")
