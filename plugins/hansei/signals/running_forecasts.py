"""What each period would have said of the next four, and by how much it was wrong: forecasts with their back-test.

One phase of a process per row, (series, periods), NaN outside it and where there is no usable value. Results are
(horizon, series, periods), the first place being one period ahead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hansei.signals.forecast_seasons import Calendar, factors
from hansei.signals.simple_forecasts import HORIZON, Line, average, naive

# Usable points below which there is no forecast, and below which it is the last value (METHODS.md 4c).
LEAST, SETTLED = 8, 12
# A back-test begins at the fourth point: before it, the members of the average have nothing to differ by.
WARM_UP = 4
# Errors of one horizon from which they speak for themselves.
ENOUGH = 20
# Share of the errors so far that an outlook's interval holds.
CONFIDENCE = 0.8
# Errors without overshooting that are taken for granted before the back-test has its say.
PRIOR = 8


@dataclass(frozen=True)
class Forecasts:
    """`ahead[h - 1, s, t]`: what is said in t of t + h. `errors[h - 1, s, t]`: the value of t less what was said of it
    h periods before, NaN where one of them is missing. `counts`: usable points so far, (series, periods)."""

    ahead: np.ndarray
    errors: np.ndarray
    counts: np.ndarray


def averaged(values: np.ndarray, calendar: Calendar | None = None) -> Forecasts:
    """The average of the four simple forecasts; with a calendar, of values freed of the season where there is one."""
    return _with_errors(values, average, calendar)


def repeated(values: np.ndarray) -> Forecasts:
    """The last value, again and again: the forecast of a short series."""
    return _with_errors(values, lambda known: Line(naive(known), np.zeros(known.shape)), None)


def _with_errors(values: np.ndarray, method: Callable[[np.ndarray], Line], calendar: Calendar | None) -> Forecasts:
    counts = np.cumsum(~np.isnan(values), axis=1)
    line = method(values)
    ahead = np.stack([line.at(distance) for distance in range(1, HORIZON + 1)])
    if calendar is not None:
        _put_seasons(ahead, values, method, calendar)
    ahead[:, counts < WARM_UP] = np.nan
    return Forecasts(ahead, _errors(values, ahead), counts)


def _errors(values: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    errors = np.full(ahead.shape, np.nan)
    for distance in range(1, min(HORIZON, values.shape[1] - 1) + 1):
        errors[distance - 1, :, distance:] = values[:, distance:] - ahead[distance - 1, :, :-distance]
    return errors


def _put_seasons(
    ahead: np.ndarray, values: np.ndarray, method: Callable[[np.ndarray], Line], calendar: Calendar
) -> None:
    """Where a season is in force: the forecast of the values without it, and the season of the period ahead."""
    for first, until, rows, found in factors(values, calendar):
        line = method(values[rows, :until] / found[:, calendar.slots[:until]])
        origins = np.arange(first, until)
        for distance in range(1, HORIZON + 1):
            season = found[:, calendar.slots[origins + distance]]
            ahead[distance - 1, rows, first:until] = line.at(distance)[:, first:until] * season


def corrected(forecasts: Forecasts, values: np.ndarray) -> Forecasts:
    """The same without what the back-test shows of overshooting: forecasts that stand high were followed by less.

    The last value follows noise, so that a forecast far from the mean comes back by a share of that distance. The
    share is the least-squares slope of the errors so far on the distances, as if PRIOR errors more had shown none,
    within 0 and 1. Errors are those that the corrected forecasts would have made in their time.
    """
    usable = ~np.isnan(values)
    mean = np.cumsum(np.where(usable, values, 0.0), axis=1) / np.maximum(forecasts.counts, 1)
    ahead = np.empty(forecasts.ahead.shape)
    for place, errors in enumerate(forecasts.errors):
        distance = forecasts.ahead[place] - mean
        before = np.full(distance.shape, np.nan)
        before[:, place + 1 :] = distance[:, : max(distance.shape[1] - place - 1, 0)]
        is_known = ~np.isnan(errors)
        count = np.cumsum(is_known, axis=1)
        product, square = (np.cumsum(np.where(is_known, before * part, 0.0), axis=1) for part in (errors, before))
        slope = product / np.where(square > 0, square, 1.0) * (count / (count + PRIOR))
        ahead[place] = forecasts.ahead[place] + np.clip(slope, -1.0, 0.0) * distance
    return Forecasts(ahead, _errors(values, ahead), forecasts.counts)


@dataclass(frozen=True)
class Outlook:
    """Of the newest period: forecast, lower and upper end, (horizon, series); NaN where nothing is said.

    `median`: as much of forecast and past errors lies above as below. It is not the forecast where forecasts lag, as
    they do behind a steady rise.
    """

    middle: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    median: np.ndarray


def outlook(
    values: np.ndarray,
    calendar: Calendar | None = None,
    confidence: float = CONFIDENCE,
    is_corrected: bool = True,
) -> Outlook:
    """The next four periods as the newest one sees them, with the interval of the errors that were made so far.

    Fewer than SETTLED points repeat the last value, fewer than LEAST say nothing. `is_corrected`: overshooting is taken
    back, as it is for the probability of a breach.
    """
    settled, short = averaged(values, calendar), repeated(values)
    if is_corrected:
        settled = corrected(settled, values)
    count = settled.counts[:, -1]
    is_short = count < SETTLED
    middle = np.where(is_short, short.ahead[:, :, -1], settled.ahead[:, :, -1])
    errors = typical_errors(np.where(is_short[:, None], short.errors, settled.errors))
    middle[:, count < LEAST] = np.nan
    shares = ((1 - confidence) / 2, (1 + confidence) / 2, 0.5)
    return Outlook(middle, *(middle + _quantile(errors, share) for share in shares))


def typical_errors(errors: np.ndarray) -> np.ndarray:
    """Errors to draw from for each horizon, shape (horizon, series, any number), NaN at unused places.

    A horizon with ENOUGH of them uses its own, another the pooled ones in its size.
    """
    pool, size = pooled(errors)
    own = np.full((*errors.shape[:2], pool.shape[1]), np.nan)
    own[:, :, : errors.shape[2]] = errors
    has_enough = np.sum(~np.isnan(errors), axis=2) >= ENOUGH
    return np.where(has_enough[:, :, None], own, pool * size[:, :, None])


def pooled(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Errors of all horizons as multiples of the mean absolute error of their own, (series, any number), and those
    means, (horizon, series): what a short back-test can say of a horizon, from all that it knows."""
    usable = ~np.isnan(errors)
    size = np.where(usable, np.abs(errors), 0.0).sum(axis=2) / np.maximum(usable.sum(axis=2), 1)
    scaled = errors / np.where(size > 0, size, 1.0)[:, :, None]
    return np.concatenate(list(scaled), axis=1), size


def _quantile(errors: np.ndarray, share: float) -> np.ndarray:
    """Linear quantile (R type 7) over the last axis, without NaN; NaN where there is none."""
    ordered = np.sort(errors, axis=2)  # NaN last
    counts = np.sum(~np.isnan(errors), axis=2)
    place = share * np.maximum(counts - 1, 0)
    low = np.floor(place).astype(int)
    lower, upper = (
        np.take_along_axis(ordered, np.minimum(at, errors.shape[2] - 1)[:, :, None], axis=2)[:, :, 0]
        for at in (low, np.minimum(low + 1, np.maximum(counts - 1, 0)))
    )
    return lower + (upper - lower) * (place - low)
