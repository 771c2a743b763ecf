"""Kind forecast: is one of the next periods likely to lie beyond the limit, as each period would have said?"""

from __future__ import annotations

import numpy as np

from hansei.catalog.measures import Indicator
from hansei.catalog.thresholds import ForecastThreshold
from hansei.indicators.periods import next_period
from hansei.pipeline.breach_cases import TOO_FEW_CASES, Case, no_pattern
from hansei.pipeline.series import Series
from hansei.signals.breaches import Finding
from hansei.signals.forecast_breaches import forecast
from hansei.signals.forecast_seasons import Calendar
from hansei.signals.running_forecasts import SETTLED
from hansei.signals.simple_forecasts import HORIZON

# Places of the sentences: the last of them is told for each whole percent from 50 on.
_UNLIKELY, _TOO_FEW, _TOO_SHORT, _LIKELY = range(4)
_FROM_PERCENT = 50


def forecast_breaches(case: Case) -> Finding:
    threshold: ForecastThreshold = case.threshold
    block, is_usable = case.series.block, ~np.isnan(case.values)
    limits = [np.where(case.holds, case.everywhere(limit), np.nan) for limit in threshold.limits.values()]
    # History from before the threshold counts too; where it does not hold there is no limit.
    calendar = Calendar.of(case.series.grain, block.period_starts, HORIZON)
    shares = share_cases(case.indicator, case.series)
    said = forecast(block.values, block.phases, limits, case.directions, calendar, shares, threshold.horizon)
    breaks = [one.is_likely for one in said]
    is_judged = np.logical_and.reduce([one.distances > 0 for one in said])
    told = np.where(breaks[-1], len(said) - 1, 0)
    probabilities = np.choose(told, [one.probabilities for one in said])
    distances = np.choose(told, [one.distances for one in said])
    with np.errstate(invalid="ignore"):
        percents = np.floor(probabilities * 100 + 1e-9) - _FROM_PERCENT
    cases = np.where(breaks[0], _LIKELY + np.nan_to_num(percents), _UNLIKELY)
    cases = np.where(is_judged, cases, np.where(is_usable, _TOO_SHORT, _TOO_FEW))
    return Finding(
        levels=threshold.levels,
        limits=[case.everywhere(limit) for limit in threshold.limits.values()],
        breaks=breaks,
        is_judged=is_judged,
        is_recovered=is_judged & ~breaks[0],
        cases=cases.astype("int8"),
        sentences=_sentences(threshold.horizon),
        pattern_starts=no_pattern(is_judged),
        is_tested=False,
        columns={"probability": probabilities, "forecast_start": _days(case, distances)},
    )


def share_cases(indicator: Indicator, series: Series) -> np.ndarray:
    """How many cases each share of an indicator's series is one of; NaN where values are no shares of cases."""
    values = series.block.values
    if indicator.unit != "ratio" or indicator.interval_kind != "wilson":
        return np.full(values.shape, np.nan)
    return np.where(np.isnan(values), np.nan, series.stored["denominator"])


def _days(case: Case, distances: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """First day of the period so far ahead of each one, as codes and days; -1 where nothing is said."""
    days = case.series.block.period_starts.tolist()
    for _ in range(HORIZON):
        days.append(next_period(case.series.grain, days[-1]))
    codes = np.where(distances > 0, np.arange(distances.shape[1]) + distances, -1)
    return codes, [day.isoformat() for day in days]


def _sentences(horizon: int) -> tuple[str, ...]:
    within = f"within the next {horizon} {{grain}}s" if horizon > 1 else "in the next {grain}"
    single = f"No single one of the next {horizon} {{grain}}s is" if horizon > 1 else "The next {grain} is not"
    likely = [
        f"A value beyond the {{level}} limit is likely {within} ({percent} %)." for percent in range(_FROM_PERCENT, 101)
    ]
    return (
        f"{single} likely to lie beyond the limit.",
        TOO_FEW_CASES,
        f"Fewer than {SETTLED} usable {{grain}}s of this phase are too few for a forecast.",
        *likely,
    )
