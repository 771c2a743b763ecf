"""What the next periods of a series will probably be, and how near such forecasts came: for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from hansei.catalog import Catalog
from hansei.catalog.measures import Grain, Indicator
from hansei.indicators.periods import next_period
from hansei.pipeline.forecast_breaches import share_cases
from hansei.pipeline.readiness import Readiness
from hansei.pipeline.series import Series, read_series
from hansei.signals.forecast_accuracy import Accuracy, accuracy
from hansei.signals.forecast_breaches import forecast
from hansei.signals.forecast_seasons import Calendar
from hansei.signals.running_forecasts import averaged, corrected, outlook, repeated
from hansei.signals.simple_forecasts import HORIZON
from hansei.warehouse import Warehouse


@dataclass(frozen=True)
class Ahead:
    """One coming period, in the unit of the indicator. `lower` and `upper`: 80 % of the errors so far lie between, half
    of them below `median`.

    `accuracy`: how near the forecasts of earlier periods came, so far ahead; its `mase` is the error as a multiple of
    that of repeating the value of one period before. None where none has come true yet.
    """

    period_start: date
    forecast: float
    lower: float
    upper: float
    median: float
    back_test_count: int
    accuracy: Accuracy | None


@dataclass(frozen=True)
class Known:
    """One series up to the newest usable period of those asked for, in its newest phase: (1, periods).

    Values outside the phase are NaN. `cases`: how many cases each share is one of, NaN for what is no share of cases.
    """

    grain: Grain
    values: np.ndarray
    phases: np.ndarray
    directions: np.ndarray
    starts: np.ndarray
    cases: np.ndarray

    @property
    def usable_count(self) -> int:
        return int(np.count_nonzero(~np.isnan(self.values)))

    @property
    def newest(self) -> date:
        return self.starts[-1].item()

    @property
    def coming(self) -> list[date]:
        """First days of the periods ahead."""
        days = [self.newest]
        for _ in range(HORIZON):
            days.append(next_period(self.grain, days[-1]))
        return days[1:]

    @cached_property
    def calendar(self) -> Calendar:
        return Calendar.of(self.grain, self.starts, HORIZON)

    @cached_property
    def _errors(self) -> np.ndarray:
        """By how much each forecast of the past was wrong, (horizon, 1, periods)."""
        return corrected(averaged(self.values, self.calendar), self.values).errors

    def ahead(self) -> list[Ahead]:
        """The next four periods; empty where it is too early to say."""
        seen, errors = outlook(self.values, self.calendar), self._errors
        if np.isnan(seen.middle).any():
            return []
        known = self.values[0]
        history = known[~np.isnan(known)]
        rows = []
        for place, start in enumerate(self.coming):
            error = errors[place, 0]
            at = np.flatnonzero(~np.isnan(error))
            measured = accuracy(known[at], known[at] - error[at], history) if len(at) else None
            figures = (float(part[place, 0]) for part in (seen.middle, seen.lower, seen.upper, seen.median))
            rows.append(Ahead(start, *figures, len(at), measured))
        return rows

    def error_ratio(self) -> float | None:
        """Mean absolute error of the forecasts so far, over all four periods ahead, as a multiple of that of repeating
        the last value; None where none has come true, or where repeating was never wrong."""
        naive = repeated(self.values).errors
        both = ~np.isnan(self._errors) & ~np.isnan(naive)
        scale = float(np.abs(naive[both]).sum())
        return float(np.abs(self._errors[both]).sum()) / scale if scale else None

    def chance(self, limit: float) -> tuple[float, date] | None:
        """How likely the likeliest of the coming periods lies beyond the limit, and which one that is; None where
        nothing can be said, as of a figure without a bad side."""
        limits = [np.broadcast_to(np.float64(limit), self.values.shape)]
        (said,) = forecast(self.values, self.phases, limits, self.directions, self.calendar, self.cases)
        distance = int(said.distances[0, -1])
        return (float(said.probabilities[0, -1]), self.coming[distance - 1]) if distance else None


def known_series(
    warehouse: Warehouse,
    catalog: Catalog,
    indicators: Sequence[Indicator],
    grain: Grain,
    segment_id: str = "all",
    last: date | None = None,
) -> dict[str, Known]:
    """The segment's series of each indicator that has a usable period, by id; nothing later than `last` is known.

    Values are those that the night judges: finished, of enough cases, from complete sources.
    """
    readiness = Readiness(warehouse, catalog)
    ready = {indicator.id: readiness.day(indicator.id) for indicator in indicators}
    found = {}
    for series in read_series(warehouse, catalog, grain, ready, {}, segment_id):
        for place, (name, _) in enumerate(series.keys):
            known = _known(series.rows(np.array([place])), catalog.indicators[name], last)
            if known is not None:
                found[name] = known
    return found


def _known(series: Series, indicator: Indicator, last: date | None) -> Known | None:
    block = series.block
    usable = ~np.isnan(block.values[0])
    if last is not None:
        usable &= block.period_starts <= np.datetime64(last, "D")
    places = np.flatnonzero(usable)
    if not len(places):
        return None
    end = int(places[-1]) + 1
    phases = block.phases[:, :end]
    is_newest = phases == phases[:, -1:]
    return Known(
        grain=series.grain,
        values=np.where(is_newest, block.values[:, :end], np.nan),
        phases=phases,
        directions=block.directions,
        starts=block.period_starts[:end],
        cases=np.where(is_newest, share_cases(indicator, series)[:, :end], np.nan),
    )


def look_ahead(
    warehouse: Warehouse, catalog: Catalog, indicator: Indicator, grain: Grain, segment_id: str = "all"
) -> list[Ahead]:
    """The next four periods as the newest usable one sees them; empty where it is too early to say."""
    known = known_series(warehouse, catalog, [indicator], grain, segment_id).get(indicator.id)
    return known.ahead() if known else []
