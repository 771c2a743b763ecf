"""Limits held against values: what lies beyond, in a row, m of n, and which of many breaches are more than chance.

Arrays are (series, periods) unless said otherwise; NaN is a period without a usable value, or without a limit. A value
equal to its limit is no breach (METHODS.md 0.4). A period without a usable value never counts (METHODS.md 3).
`directions`: (series,), 1 higher is better, -1 lower is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

WORDS = ("within", "breach_warning", "breach_critical", "too_few_data", "not_ready")
WITHIN, WARNING, CRITICAL, TOO_FEW, NOT_READY = range(len(WORDS))
BREACHES = {"warning": WARNING, "critical": CRITICAL}
# Of the breaches that are let pass as real, at most this share is expected to be chance (METHODS.md 3).
FALSE_DISCOVERY_RATE = 0.1
# Half the width of a 95 % interval in standard errors.
_Z95 = 1.959963984540054


@dataclass(frozen=True)
class Finding:
    """What one threshold says of every period.

    `levels` are words of BREACHES, the mildest first; `limits` and `breaks` have one array for each: the limit, and
    whether the level is broken. `is_judged`: there is a usable value and something to hold it against. `is_recovered`:
    the value is good enough to count toward the end of an alarm. `cases`: int8 places in `sentences`, which say why and
    may name {grain}, {level} and {support}. `pattern_starts`: int32 column in which what is broken begins, -1 for none.
    `is_tested`: whether a value's distance from its limit can be chance. `columns`: further figures of the row by name,
    as numbers, or as codes with their words (-1 for none).
    """

    levels: Sequence[str]
    limits: Sequence[np.ndarray]
    breaks: Sequence[np.ndarray]
    is_judged: np.ndarray
    is_recovered: np.ndarray
    cases: np.ndarray
    sentences: Sequence[str]
    pattern_starts: np.ndarray
    is_tested: bool = True
    columns: dict[str, np.ndarray | tuple[np.ndarray, Sequence[str]]] = field(default_factory=dict)

    @property
    def is_breach(self) -> np.ndarray:
        """Whether any level is broken."""
        return np.logical_or.reduce(self.breaks)

    def words(self, is_ready: np.ndarray) -> np.ndarray:
        """int8 places in WORDS: the gravest level that is broken, or why nothing is said."""
        found = np.full(is_ready.shape, WITHIN, dtype="int8")
        for level, is_broken in zip(self.levels, self.breaks, strict=True):
            found[is_broken] = BREACHES[level]
        found[~self.is_judged] = TOO_FEW
        found[~is_ready] = NOT_READY
        return found

    def told_level(self) -> np.ndarray:
        """int8 places in `levels`: the gravest that is broken, else the mildest."""
        found = np.zeros(self.is_judged.shape, dtype="int8")
        for place, is_broken in enumerate(self.breaks):
            found[is_broken] = place
        return found


def beyond(values: np.ndarray, limits: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Whether a value lies on the bad side of its limit; False where there is none of the two."""
    with np.errstate(invalid="ignore"):
        return np.where(directions[:, None] > 0, values < limits, values > limits)


def row_lengths(is_true: np.ndarray, is_skipped: np.ndarray | None = None) -> np.ndarray:
    """int32: how many periods in a row are true up to each one; 0 where a period is not, and ends the row.

    `is_skipped` periods are passed over: they neither count nor end the row, and carry its length so far.
    """
    count = np.cumsum(is_true, axis=1, dtype="int32")
    ends = ~is_true if is_skipped is None else ~is_true & ~is_skipped
    return count - np.maximum.accumulate(np.where(ends, count, np.int32(0)), axis=1)


def row_starts(is_true: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """int32: column of the first period of the row that each true period is in, -1 elsewhere."""
    begins = is_true & (lengths == 1)
    columns = np.arange(is_true.shape[1], dtype="int32")
    starts = np.maximum.accumulate(np.where(begins, columns, np.int32(-1)), axis=1)
    return np.where(is_true, starts, np.int32(-1))


def in_a_row(is_beyond: np.ndarray, least: int, is_skipped: np.ndarray | None = None) -> np.ndarray:
    """Whether the period is at least the `least`-th beyond its limit in a row."""
    return is_beyond & (row_lengths(is_beyond, is_skipped) >= least)


def m_of_n(is_beyond: np.ndarray, m: int, n: int) -> np.ndarray:
    """Whether `m` or more of the last `n` periods, this one included, lie beyond; a missing one is none of them."""
    count = np.cumsum(is_beyond, axis=1, dtype="int32")
    count[:, n:] -= count[:, :-n].copy()
    return count >= m


def latched(is_on: np.ndarray, is_off: np.ndarray) -> np.ndarray:
    """What was switched on stays on until it is switched off (hysteresis); a period that is neither changes nothing."""
    columns = np.arange(1, is_on.shape[1] + 1, dtype="int32")
    last_on = np.maximum.accumulate(np.where(is_on, columns, np.int32(0)), axis=1)
    last_off = np.maximum.accumulate(np.where(is_off, columns, np.int32(0)), axis=1)
    return last_on > last_off


def distances(values: np.ndarray, limits: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """How far a value lies beyond its limit, as a share of the limit's size; NaN if it does not, or the limit is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        far = (limits - values) * directions[:, None] / np.abs(limits)
    return np.where(beyond(values, limits, directions) & (limits != 0), far, np.nan)


def is_supported(lower: np.ndarray, upper: np.ndarray, limits: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Whether the whole interval lies beyond the limit."""
    return beyond(np.where(directions[:, None] > 0, upper, lower), limits, directions)


def share_chances(values: np.ndarray, counts: np.ndarray, limits: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """One-sided p-value of each share of `counts` cases if its true share were the limit (score test).

    It is the test that Wilson's interval inverts: the 95 % interval lies beyond the limit where p is below 0.025.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(limits * (1 - limits) / counts)
        return _upper_tail((limits - values) * directions[:, None] / error)


def interval_chances(
    values: np.ndarray, lower: np.ndarray, upper: np.ndarray, limits: np.ndarray, directions: np.ndarray
) -> np.ndarray:
    """As `share_chances`, for values of which only a 95 % interval is known.

    The half of the interval that points to the limit is read as 1.96 standard errors.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.abs(values - np.where(values > limits, lower, upper)) / _Z95
        return _upper_tail((limits - values) * directions[:, None] / error)


def survives(chances: np.ndarray, rate: float = FALSE_DISCOVERY_RATE) -> np.ndarray:
    """Which p-values of a period survive Benjamini and Hochberg among all series judged in it; NaN are not judged.

    The same as holding adjusted p-values (methods.proportions) against `rate`: the greatest p-value that is not above
    its rank's share of the rate, and all below it, survive.
    """
    ranked = np.sort(np.ascontiguousarray(chances.T), axis=1)  # NaN last
    count = np.sum(~np.isnan(ranked), axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        is_low = ranked * count / np.arange(1, ranked.shape[1] + 1) <= rate
        greatest = np.max(np.where(is_low, ranked, -1.0), axis=1, initial=-1.0)
        return chances <= greatest


def _upper_tail(z: np.ndarray) -> np.ndarray:
    from scipy import special

    return special.ndtr(-z)
