"""What the next periods of one series will probably be, and how near such forecasts came: for people to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from hansei.catalog import Catalog
from hansei.catalog.measures import Grain, Indicator
from hansei.indicators.periods import next_period
from hansei.pipeline.readiness import Readiness
from hansei.pipeline.series import read_series
from hansei.signals.forecast_accuracy import Accuracy, accuracy
from hansei.signals.forecast_seasons import Calendar
from hansei.signals.running_forecasts import averaged, outlook
from hansei.signals.simple_forecasts import HORIZON
from hansei.warehouse import Warehouse


@dataclass(frozen=True)
class Ahead:
    """One coming period, in the unit of the indicator. `lower` and `upper`: 80 % of the errors so far lie between.

    `accuracy`: how near the forecasts of earlier periods came, so far ahead; its `mase` is the error as a multiple of
    that of repeating the value of one period before. None where none has come true yet.
    """

    period_start: date
    forecast: float
    lower: float
    upper: float
    back_test_count: int
    accuracy: Accuracy | None


def look_ahead(
    warehouse: Warehouse, catalog: Catalog, indicator: Indicator, grain: Grain, segment_id: str = "all"
) -> list[Ahead]:
    """The next four periods as the newest usable one sees them; empty where it is too early to say.

    Values are those that the night judges: finished, of enough cases, of the newest phase, from complete sources.
    """
    ready = {indicator.id: Readiness(warehouse, catalog).day(indicator.id)}
    for series in read_series(warehouse, catalog, grain, ready, {}):
        places = [place for place, key in enumerate(series.keys) if key == (indicator.id, segment_id)]
        if places:
            block = series.rows(np.array(places)).block
            return _of_newest(grain, block.values, block.phases, block.period_starts)
    return []


def _of_newest(grain: Grain, values: np.ndarray, phases: np.ndarray, starts: np.ndarray) -> list[Ahead]:
    usable = np.flatnonzero(~np.isnan(values[0]))
    if not len(usable):
        return []
    end = int(usable[-1]) + 1
    known = np.where(phases[:, :end] == phases[:, end - 1 : end], values[:, :end], np.nan)
    calendar = Calendar.of(grain, starts[:end], HORIZON)
    seen, back_test = outlook(known, calendar), averaged(known, calendar)
    if np.isnan(seen.middle).any():
        return []
    history = known[0][~np.isnan(known[0])]
    rows, start = [], starts[end - 1].item()
    for place in range(HORIZON):
        start = next_period(grain, start)
        error = back_test.errors[place, 0]
        at = np.flatnonzero(~np.isnan(error))
        measured = accuracy(known[0, at], known[0, at] - error[at], history) if len(at) else None
        figures = (float(part[place, 0]) for part in (seen.middle, seen.lower, seen.upper))
        rows.append(Ahead(start, *figures, len(at), measured))
    return rows
