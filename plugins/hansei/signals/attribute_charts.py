"""Charts for shares, rates, counts, means and rare events: p, p', u, u', c, g, t, X-bar, S, and their plain kin.

Formulas: Montgomery, Introduction to Statistical Quality Control (p 7.8, u 7.19, c 7.17, X-bar and S 6.29 to 6.31,
individuals 6.33); p' and u': Laney 2002, the limits of p and u widened by sigma z, the spread between periods beyond
chance; g: Benneyan 2001; t: Nelson 1994, judged as the 3.6th root. They give what qicharts2 0.8.1 gives.

A chart of any kind is three numbers per baseline (level, scale, centre) and a sigma per period that follows from level,
scale and the period's own size. Limits lie at three sigma, near lines at two, cut off where no value can be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hansei.signals.limits import Figures, Limits, Sample, average_range, drawn, mean, screened_mean
from hansei.signals.spc import LIMIT

# Average moving range of two normal points in sigmas (d2), and the power that makes times between events near normal.
RANGE_OF_TWO, TIMES_POWER = 1.128, 3.6
# A chart of ranges has its limit at 3.267 average ranges.
RANGES_LIMIT = 3.267

Numbers = np.ndarray


@dataclass(frozen=True)
class Kind:
    """`needs`: fields of Figures without which it cannot be drawn.

    `measure`: of a sample and whether ranges are screened, level, scale and centre, (3, baselines).
    `sigma`: of level, scale and sizes. `power`: values are judged as this root. `floor`, `ceiling`: no line beyond.
    """

    needs: tuple[str, ...]
    measure: Callable[[Sample, bool], Numbers]
    sigma: Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]
    floor: float = -np.inf
    ceiling: float = np.inf
    power: float = 1.0

    def score(self, values: np.ndarray, numbers: Numbers, sizes: np.ndarray | None) -> np.ndarray:
        """How many sigmas each value lies above its level; where nothing varies, 0 or infinite."""
        level, scale, _ = numbers
        with np.errstate(invalid="ignore", divide="ignore"):
            distance = np.power(values, 1 / self.power) - level
            score = distance / self.sigma(level, scale, sizes)
        return np.where(distance == 0, 0.0, score)

    def lines(self, numbers: Numbers, sizes: np.ndarray | None) -> Limits:
        level, scale, centre = numbers
        with np.errstate(invalid="ignore", divide="ignore"):
            sigma = self.sigma(level, scale, sizes)
            lower, upper, near_lower, near_upper = (
                self._line(level + reach * sigma) for reach in (-3.0, 3.0, -2.0, 2.0)
            )
            if self.power != 1:  # below zero there is no root: the lower limit is zero, and there is no near line
                lower = np.where(np.isnan(lower) & ~np.isnan(upper), 0.0, lower)
        return Limits(centre, lower, upper, near_lower, near_upper)

    def _line(self, line: np.ndarray) -> np.ndarray:
        found = np.clip(np.power(line, self.power), self.floor, self.ceiling)
        return np.where(np.isfinite(line), found, np.nan)


class _RangesKind(Kind):
    def lines(self, numbers: Numbers, sizes: np.ndarray | None) -> Limits:
        level = numbers[0]
        upper, zero = RANGES_LIMIT * level, np.where(np.isnan(level), np.nan, 0.0)
        return Limits(level, zero, upper, zero, 2 * upper / 3)


def _pooled(sample: Sample) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nansum(sample.counts, axis=1) / np.nansum(sample.sizes, axis=1)


def _weighted(sample: Sample) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nansum(sample.values * sample.sizes, axis=1) / np.nansum(sample.sizes, axis=1)


def _alone(level: np.ndarray, scale: np.ndarray | None = None) -> Numbers:
    return np.stack([level, np.ones_like(level) if scale is None else scale, level])


def _share_sigma(level: np.ndarray, scale: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return scale * np.sqrt(np.maximum(level * (1 - level), 0) / sizes)


def _rate_sigma(level: np.ndarray, scale: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return scale * np.sqrt(level / sizes)


def sigma_z(sample: Sample, level: np.ndarray, sigma: Callable, is_screened: bool) -> np.ndarray:
    """Laney's sigma z: the spread from period to period in units of what chance alone gives; 1: chance is all."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = (sample.values - level[:, None]) / sigma(level[:, None], 1.0, sample.sizes)
    return average_range(scores, sample.is_next, is_screened) / RANGE_OF_TWO


def _prime(sigma: Callable) -> Callable[[Sample, bool], Numbers]:
    def measure(sample: Sample, is_screened: bool) -> Numbers:
        level = _pooled(sample)
        return _alone(level, sigma_z(sample, level, sigma, is_screened))

    return measure


def _individuals(sample: Sample, is_screened: bool) -> Numbers:
    return _alone(mean(sample.values), average_range(sample.values, sample.is_next, is_screened) / RANGE_OF_TWO)


def _dots(sample: Sample, is_screened: bool) -> Numbers:
    return _alone(mean(sample.values), average_range(sample.values, sample.is_next, is_screened) * LIMIT / 3)


def _times(sample: Sample, is_screened: bool) -> Numbers:
    with np.errstate(invalid="ignore"):
        roots = np.power(sample.values, 1 / TIMES_POWER)
    level, scale, _ = _individuals(Sample(roots, sample.is_next), is_screened)
    return np.stack([level, scale, np.power(level, TIMES_POWER)])


def _between_events(sample: Sample, is_screened: bool) -> Numbers:
    level = mean(sample.values)
    return np.stack([level, np.ones_like(level), _median(sample.values)])


def _weighted_individuals(sample: Sample, is_screened: bool) -> Numbers:
    """Individuals of unlike size (Taylor 2018): ranges in units of what two such sizes give."""
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.sqrt(1 / sample.sizes[:, 1:] + 1 / sample.sizes[:, :-1])
        ranges = np.sqrt(np.pi / 2) * np.abs(np.diff(sample.values, axis=1)) / expected
    return _alone(_weighted(sample), screened_mean(np.where(sample.is_next, ranges, np.nan), is_screened, 3.2665))


def _within(sample: Sample, spreads: np.ndarray) -> np.ndarray:
    """Standard deviation within periods: the plain mean where all sizes are alike, else pooled."""
    sizes = np.where(np.isnan(sample.values), np.nan, sample.sizes)
    with np.errstate(invalid="ignore", divide="ignore"):
        is_alike = ~np.any(sizes != sizes[:, :1], axis=1, where=~np.isnan(sizes))
        pooled = np.sqrt(np.nansum((sizes - 1) * spreads**2, axis=1) / np.nansum(sizes - 1, axis=1))
    return np.where(is_alike, mean(spreads), pooled)


def _median(values: np.ndarray) -> np.ndarray:
    ordered = np.sort(values, axis=1)  # NaN last
    count = np.sum(~np.isnan(values), axis=1)
    rows = np.arange(len(values))
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, values.shape[1] - 1)
    return (ordered[rows, low] + ordered[rows, high]) / 2


def c4(sizes: np.ndarray) -> np.ndarray:
    """Mean standard deviation of so many normal cases, in sigmas; NaN for one case."""
    from scipy.special import gammaln

    sizes = np.where(np.asarray(sizes) > 1, sizes, np.nan)
    return np.sqrt(2 / (sizes - 1)) * np.exp(gammaln(sizes / 2) - gammaln((sizes - 1) / 2))


def _spread_sigma(level: np.ndarray, scale: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    expected = c4(sizes)
    return level * np.sqrt(1 - expected**2) / expected


_RATIO = ("counts", "sizes")
KINDS: dict[str, Kind] = {
    "xmr": Kind((), _dots, lambda level, scale, sizes: scale),
    "i": Kind((), _individuals, lambda level, scale, sizes: scale),
    "ip": Kind(("sizes",), _weighted_individuals, lambda level, scale, sizes: scale / np.sqrt(sizes)),
    "mr": _RangesKind((), lambda sample, _: _alone(mean(sample.values)), lambda level, scale, sizes: level * np.nan),
    "run": Kind((), lambda sample, _: _alone(_median(sample.values)), lambda level, scale, sizes: level * np.nan),
    "p": Kind(_RATIO, lambda sample, _: _alone(_pooled(sample)), _share_sigma, 0.0, 1.0),
    "p_prime": Kind(_RATIO, _prime(_share_sigma), _share_sigma, 0.0, 1.0),
    "u": Kind(_RATIO, lambda sample, _: _alone(_pooled(sample)), _rate_sigma, 0.0),
    "u_prime": Kind(_RATIO, _prime(_rate_sigma), _rate_sigma, 0.0),
    "c": Kind((), lambda sample, _: _alone(mean(sample.values)), lambda level, scale, sizes: np.sqrt(level), 0.0),
    "g": Kind((), _between_events, lambda level, scale, sizes: np.sqrt(level * (level + 1)), 0.0),
    "t": Kind((), _times, lambda level, scale, sizes: scale, power=TIMES_POWER),
    "xbar": Kind(
        ("sizes", "spreads"),
        lambda sample, _: _alone(_weighted(sample), _within(sample, sample.spreads)),
        lambda level, scale, sizes: scale / (c4(sizes) * np.sqrt(sizes)),
    ),
    # Its values are the standard deviations themselves.
    "s": Kind(("sizes",), lambda sample, _: _alone(_within(sample, sample.values)), _spread_sigma, 0.0),
}


@dataclass(frozen=True)
class AttributeChart:
    """`is_beyond`: the value lies outside its limits (strictly). `numbers`: level, scale, centre of each period."""

    limits: Limits
    is_beyond: np.ndarray
    numbers: Numbers


def kind_of(name: str, figures: Figures) -> Kind:
    """The kind, once the figures that it needs are there; ValueError names what is missing."""
    if name not in KINDS:
        raise ValueError(f"no chart of the kind {name!r}; known: {', '.join(KINDS)}")
    kind = KINDS[name]
    missing = [field for field in kind.needs if getattr(figures, field) is None]
    if missing:
        raise ValueError(f"a chart of the kind {name!r} needs {' and '.join(missing)}")
    if name == "t" and np.any(figures.values <= 0):
        raise ValueError("a chart of times between events needs times above zero")
    return kind


def attribute_chart(
    name: str,
    figures: Figures,
    groups: np.ndarray,
    fix_after: int | None = None,
    is_left_out: np.ndarray | None = None,
    is_screened: bool = True,
) -> AttributeChart:
    """The whole series as it is drawn today.

    `groups`, `fix_after`: as in `spc.chart`. `is_left_out`: points that are plotted but do not enter the lines.
    `is_screened=False` keeps every moving range, as the textbooks do (i, ip, p', u', t).
    """
    kind = kind_of(name, figures)
    numbers = drawn(figures, groups, lambda sample: kind.measure(sample, is_screened), fix_after, is_left_out)
    limits = kind.lines(numbers, figures.sizes)
    with np.errstate(invalid="ignore"):
        is_beyond = (figures.values > limits.upper) | (figures.values < limits.lower)
    return AttributeChart(limits, is_beyond, numbers)


def ratio(counts: np.ndarray, sizes: np.ndarray) -> Figures:
    """Figures of a share or rate: none where either part is missing, or there is nothing to divide by."""
    with np.errstate(invalid="ignore", divide="ignore"):
        values = counts / sizes
    is_whole = np.isfinite(values)
    return Figures(*(np.where(is_whole, part, np.nan) for part in (values, counts, sizes)))


def moving_ranges(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """What a chart of ranges plots: how far each value lies from the one before, NaN where a group begins."""
    ranges = np.full(values.shape, np.nan)
    ranges[:, 1:] = np.abs(np.diff(values, axis=1))
    ranges[:, 1:][groups[:, 1:] != groups[:, :-1]] = np.nan
    return ranges
