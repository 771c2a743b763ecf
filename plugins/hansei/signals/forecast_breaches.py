"""Will one of the next four periods lie beyond its limit? Asked of every period as the newest of its time.

Source: METHODS.md 4c. Fewer than twelve usable points of a phase say nothing: the last value alone, with the few errors
that are known by then, warned falsely too often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hansei.signals.breach_probabilities import LIKELY, bands, by_errors, of_shares
from hansei.signals.forecast_seasons import Calendar
from hansei.signals.running_forecasts import Forecasts, averaged, corrected
from hansei.signals.simple_forecasts import HORIZON

# Series worked on at once: what they need fits the processor's cache better than a whole block.
_PORTION = 1000


@dataclass(frozen=True)
class ForecastBreaches:
    """(series, periods). `probabilities`: of the likeliest of the next four periods, NaN where nothing is said.

    `bands`: int8 places in breach_probabilities.BANDS, -1 where nothing is said. `is_likely`: the highest band.
    `distances`: int8, how many periods ahead the likeliest lies, 0 where nothing is said.
    """

    probabilities: np.ndarray
    bands: np.ndarray
    is_likely: np.ndarray
    distances: np.ndarray


def forecast(
    values: np.ndarray,
    phases: np.ndarray,
    limits: Sequence[np.ndarray],
    directions: np.ndarray,
    calendar: Calendar | None = None,
    denominators: np.ndarray | None = None,
    horizon: int = HORIZON,
    is_corrected: bool = True,
) -> list[ForecastBreaches]:
    """What each period says of the next ones, for each of several limits.

    `limits`: each of the shape of `values`, in their unit, NaN where none is in force. `directions`: as in a Block; a
    neutral series (0) has no bad side and is not judged. `calendar`: gives seasons, and reaches four periods further.
    `denominators`: of the shape of `values`, cases behind a share of cases; NaN all along a series of another kind.
    `horizon`: how many periods ahead are asked about, at most HORIZON. `is_corrected`: overshooting is taken back as
    the back-test shows it; METHODS.md does not say so.
    """
    probabilities = np.full((len(limits), *values.shape), np.nan)
    distances = np.zeros(probabilities.shape, dtype="int8")
    has_cases = np.zeros(len(values), dtype=bool) if denominators is None else ~np.isnan(denominators).all(axis=1)
    for rows, phase in _pieces(phases, directions, has_cases):
        here = phases[rows] == phase
        own = np.where(here, values[rows], np.nan)
        forecasts = averaged(own, calendar)
        if is_corrected:
            forecasts = corrected(forecasts, own)
        cases = np.where(here, denominators[rows], np.nan) if has_cases[rows[0]] else None
        for level, limit in enumerate(limits):
            said, places = _worst(forecasts, limit[rows], -directions[rows], cases, horizon)
            is_said = ~np.isnan(own) & ~np.isnan(said)
            spots, columns = np.nonzero(is_said)
            probabilities[level, rows[spots], columns] = said[is_said]
            distances[level, rows[spots], columns] = places[is_said] + 1
    found = [bands(part) for part in probabilities]
    return [
        ForecastBreaches(said, band, band == LIKELY, ahead)
        for said, band, ahead in zip(probabilities, found, distances, strict=True)
    ]


def _pieces(phases: np.ndarray, directions: np.ndarray, has_cases: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
    """Rows that have a phase, and its number; never rows of both kinds at once, and not too many."""
    for is_share in (False, True):
        wanted = np.flatnonzero((has_cases == is_share) & (directions != 0))
        for first in range(0, len(wanted), _PORTION):
            some = wanted[first : first + _PORTION]
            for phase in range(int(phases[some].max(initial=0)) + 1):
                rows = some[(phases[some] == phase).any(axis=1)]
                if len(rows):
                    yield rows, phase


def _worst(
    forecasts: Forecasts, limits: np.ndarray, sides: np.ndarray, cases: np.ndarray | None, horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """The greatest probability over the horizon, the nearest among equals, and its place there."""
    if cases is not None:
        return of_shares(forecasts, limits, sides, cases, horizon)
    by_horizon = by_errors(forecasts, limits, sides)[:horizon]
    places = np.argmax(np.nan_to_num(by_horizon, nan=-1.0), axis=0)
    return np.take_along_axis(by_horizon, places[None], axis=0)[0], places.astype("int8")
