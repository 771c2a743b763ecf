"""The classical forecasts that every other one has to beat: last value, last year's, drift, mean, Theta.

In the form of R's forecast::naive, snaive, rwf(drift = TRUE), meanf and thetaf, intervals included. Sources: Hyndman &
Athanasopoulos 2021, Forecasting: Principles and Practice, 5.2 and 5.5; Hyndman & Billah 2003 for Theta.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from hansei.methods.smoothing import classical_seasons, simple


@dataclass(frozen=True)
class Forecast:
    """Mean and interval of 1 ... h periods ahead, in the unit of the series.

    `sigma2`: variance of the one-step errors; None for the mean and for Theta, as in R.
    """

    mean: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    sigma2: float | None


def naive(values: Sequence[float], horizon: int, confidence: float = 0.95) -> Forecast:
    """The last value, for good."""
    return seasonal_naive(values, 1, horizon, confidence)


def seasonal_naive(values: Sequence[float], period: int, horizon: int, confidence: float = 0.95) -> Forecast:
    """The value of a cycle ago."""
    known = _known(values, period + 1)
    sigma2 = float(np.mean((known[period:] - known[:-period]) ** 2))
    places = np.arange(horizon)
    return _normal(known[len(known) - period + places % period], sigma2 * (places // period + 1), confidence, sigma2)


def drift(values: Sequence[float], horizon: int, confidence: float = 0.95) -> Forecast:
    """The last value, and on along the line from the first to it."""
    known = _known(values, 3)
    steps, ahead = len(known) - 1, np.arange(1, horizon + 1)
    slope = (known[-1] - known[0]) / steps
    sigma2 = float(np.sum((np.diff(known) - slope) ** 2) / (steps - 1))
    return _normal(known[-1] + slope * ahead, sigma2 * ahead * (1 + ahead / steps), confidence, sigma2)


def mean(values: Sequence[float], horizon: int, confidence: float = 0.95) -> Forecast:
    """The mean of all values, with Student's t."""
    from scipy import stats

    known = _known(values, 2)
    half = stats.t.ppf((1 + confidence) / 2, len(known) - 1) * known.std(ddof=1) * sqrt(1 + 1 / len(known))
    middle = np.full(horizon, known.mean())
    return Forecast(middle, middle - half, middle + half, None)


def theta(values: Sequence[float], period: int, horizon: int, confidence: float = 0.95) -> Forecast:
    """Smoothing plus half the trend, of the values without their season where there is one (a test at 10 %)."""
    known = _known(values, 3)
    season = np.ones(period)
    if period > 1 and len(known) > 2 * period and (known > 0).all() and _is_seasonal(known, period):
        season = classical_seasons(known, period)
    places = np.arange(len(known) + horizon) % period
    plain = known / season[places[: len(known)]]
    level = simple(plain, 1)
    (alpha,) = level.weights
    half = np.polyfit(np.arange(len(plain)), plain, 1)[0] / 2
    ahead = np.arange(horizon)
    middle = (level.mean[0] + half * (ahead + (1 - (1 - alpha) ** len(plain)) / alpha)) * season[places[len(known) :]]
    return _normal(middle, level.sigma2 * (1 + ahead * alpha**2), confidence, None)


def _is_seasonal(values: np.ndarray, period: int) -> bool:
    """Whether the autocorrelation at the period is beyond what shorter ones explain (R: thetaf)."""
    distances = values - values.mean()
    shares = [float(distances[lag:] @ distances[: len(values) - lag]) for lag in range(1, period + 1)]
    correlations = np.array(shares) / float(distances @ distances)
    spread = sqrt((1 + 2 * float(np.sum(correlations[:-1] ** 2))) / len(values))
    return abs(correlations[-1]) / spread > 1.6448536269514722


def _normal(middle: np.ndarray, variance: np.ndarray, confidence: float, sigma2: float | None) -> Forecast:
    from scipy import special

    half = float(special.ndtri((1 + confidence) / 2)) * np.sqrt(variance)
    return Forecast(middle, middle - half, middle + half, sigma2)


def _known(values: Sequence[float], least: int) -> np.ndarray:
    known = np.asarray(values, dtype=float)
    if len(known) < least or np.isnan(known).any():
        raise ValueError(f"{len(known)} values; needed are {least} or more, none of them missing")
    return known
