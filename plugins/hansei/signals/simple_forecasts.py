"""Four simple forecasts and their average, as each period would have made them (METHODS.md 4c).

Arrays are (series, periods), one phase of a process per row; NaN is a period without a usable value, which teaches
nothing: levels are carried over it. Column t of a result uses columns 0 to t only, so that what was said in a period
never changes because later ones came. All four are straight lines in the distance h = 1, 2 ... from the origin.

Back-tests on hospitals' waiting times and weekly deaths: the average of the four is never worse than the automatic
models of the large libraries, and no member is as steady (Makridakis & Hibon 2000 found the same of combinations).
Theta is Assimakopoulos & Nikolopoulos 2000 in the form of Hyndman & Billah 2003: smoothing plus half the trend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HORIZON = 4
LAST = 8
# Smoothing weights that are tried; the one with the least squared one-step errors so far is used.
ALPHAS = np.arange(1, 21) / 20


@dataclass(frozen=True)
class Line:
    """`level` and `slope`, (series, periods): what is said in period t of period t + h is level + slope * h."""

    level: np.ndarray
    slope: np.ndarray

    def at(self, distance: int) -> np.ndarray:
        return self.level + self.slope * distance


def naive(values: np.ndarray) -> np.ndarray:
    """The last usable value, NaN before the first."""
    columns = np.arange(values.shape[1])
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, columns), axis=1)
    found = np.take_along_axis(values, np.maximum(last, 0), axis=1)
    found[last < 0] = np.nan
    return found


def mean_of_last(values: np.ndarray, size: int = LAST) -> np.ndarray:
    """Mean of the last `size` usable values, or of all while there are fewer."""
    usable = ~np.isnan(values)
    counts = np.cumsum(usable, axis=1)
    rows, columns = np.nonzero(usable)
    packed = np.zeros((values.shape[0], values.shape[1] + size))  # usable values side by side, after `size` zeros
    packed[rows, size - 1 + counts[rows, columns]] = values[rows, columns]
    total = sum(np.take_along_axis(packed, counts + size - 1 - back, axis=1) for back in range(size))
    return np.where(counts > 0, total / np.clip(counts, 1, size), np.nan)


def smoothed(values: np.ndarray, alpha: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Simple exponential smoothing: the level in each period, and the weight that gave it.

    The level starts at the first usable value. Without `alpha` each period uses the one of ALPHAS whose one-step
    errors up to then have the least sum of squares, the smallest among equals.
    """
    alphas = ALPHAS[:, None] if alpha is None else np.array([[alpha]])
    levels = np.full((len(alphas), len(values)), np.nan)
    squares = np.zeros(levels.shape)
    found, weights = np.empty(values.shape), np.empty(values.shape)
    rows = np.arange(len(values))
    for column in range(values.shape[1]):
        now = values[:, column]
        starts = np.isnan(levels[0]) & ~np.isnan(now)
        levels[:, starts] = now[starts]
        error = now - levels
        error[:, np.isnan(now)] = 0.0
        squares += error * error
        error *= alphas
        levels += error
        best = np.argmin(squares, axis=0)
        found[:, column] = levels[best, rows]
        weights[:, column] = alphas[best, 0]
    return found, weights


def trend_slope(values: np.ndarray) -> np.ndarray:
    """Least-squares slope per period of the usable values so far; 0 while there are fewer than two."""
    usable = ~np.isnan(values)
    first = np.argmax(usable, axis=1)[:, None]
    # Counted from the first usable point, so that the figures do not hang on where the block begins.
    times = np.where(usable, np.arange(values.shape[1]) - first, 0.0)
    heights = np.where(usable, values - np.take_along_axis(values, first, axis=1), 0.0)
    count, time, height, square, product = (
        np.cumsum(part, axis=1) for part in (usable, times, heights, times * times, times * heights)
    )
    spread = count * square - time * time
    return np.where(spread > 0, (count * product - time * height) / np.where(spread > 0, spread, 1.0), 0.0)


def theta(values: np.ndarray, alpha: float | None = None) -> Line:
    """Smoothing plus half the trend: level + slope / 2 * (h - 1 + (1 - (1 - alpha)^n) / alpha), n usable points."""
    return _theta(values, *smoothed(values, alpha))


def _theta(values: np.ndarray, level: np.ndarray, weights: np.ndarray) -> Line:
    half = trend_slope(values) / 2
    counts = np.cumsum(~np.isnan(values), axis=1)
    lag = (1 - (1 - weights) ** counts) / weights
    return Line(level + half * (lag - 1), half)


def average(values: np.ndarray) -> Line:
    """Mean of naive, mean of the last eight, smoothing and Theta; NaN before the first usable value."""
    level, weights = smoothed(values)
    trended = _theta(values, level, weights)
    return Line((naive(values) + mean_of_last(values) + level + trended.level) / 4, trended.slope / 4)
