"""How good forecasts were: errors, scaled errors, and whether stated probabilities and intervals came true.

Sources: Hyndman & Koehler 2006 (MASE); Koenker & Bassett 1978 (pinball loss); Brier 1950. One series at a time;
every function raises ValueError where there is nothing to compare, or lengths differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Numbers = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Accuracy:
    """Mean absolute error and root mean square error in the unit of the series; `mape` and `smape` in percent.

    `mape` is None where a true value is 0, `smape` (200 |e| / (|y| + |f|), 0 to 200) where value and forecast are.
    `mase`: the mean absolute error as a multiple of what repeating the value of a period ago costs on the training
    values; None where that is 0 or there is no such value.
    """

    mae: float
    rmse: float
    mape: float | None
    smape: float | None
    mase: float | None


def accuracy(true: Numbers, forecast: Numbers, training: Numbers, period: int = 1) -> Accuracy:
    actual, said = _pair(true, forecast)
    error = np.abs(actual - said)
    both = np.abs(actual) + np.abs(said)
    mae = float(error.mean())
    scale = naive_error(training, period)
    return Accuracy(
        mae,
        float(np.sqrt((error**2).mean())),
        float((100 * error / np.abs(actual)).mean()) if (actual != 0).all() else None,
        float((200 * error / both).mean()) if (both > 0).all() else None,
        mae / scale if scale else None,
    )


def naive_error(training: Numbers, period: int = 1) -> float | None:
    """Mean absolute difference of values `period` apart, None where there are none."""
    known = np.asarray(training, dtype=float)
    if period < 1:
        raise ValueError(f"a period of {period} does not lead back; it is 1 or more")
    return float(np.abs(known[period:] - known[:-period]).mean()) if len(known) > period else None


def pinball(true: Numbers, quantile: Numbers, share: float) -> float:
    """Mean loss of a forecast of the quantile `share`: share * e where the value lies above, (share - 1) * e below."""
    actual, said = _pair(true, quantile)
    if not 0 < share < 1:
        raise ValueError(f"a quantile of {share!r} is none; it lies between 0 and 1")
    error = actual - said
    return float(np.maximum(share * error, (share - 1) * error).mean())


def brier(happened: Numbers, probability: Numbers) -> float:
    """Mean squared difference of stated probability and what happened (0 or 1): 0 is perfect, 1/4 is a coin's."""
    actual, said = _pair(happened, probability)
    if not (((actual == 0) | (actual == 1)).all() and ((said >= 0) & (said <= 1)).all()):
        raise ValueError("what happened is 0 or 1, and a probability lies within 0 and 1")
    return float(((said - actual) ** 2).mean())


def coverage(true: Numbers, lower: Numbers, upper: Numbers) -> float:
    """Share of values within their interval, ends included."""
    actual, low = _pair(true, lower)
    _, high = _pair(true, upper)
    return float(((actual >= low) & (actual <= high)).mean())


def _pair(true: Numbers, said: Numbers) -> tuple[np.ndarray, np.ndarray]:
    actual, forecast = np.asarray(true, dtype=float), np.asarray(said, dtype=float)
    if actual.shape != forecast.shape or not actual.size:
        raise ValueError(f"{actual.size} values cannot be held against {forecast.size} forecasts")
    return actual, forecast
