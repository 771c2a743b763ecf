"""The four forecasts and their average against plain loops over one series, R's figures, and cutting the series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.oracle_schedules import oracle

from hansei.signals import simple_forecasts as simple

NAN = np.nan
histories = st.lists(st.one_of(st.just(NAN), st.floats(-100, 100)), min_size=1, max_size=30)


def by_loop(series: list[float], distance: int) -> float:
    """The average as its description says it, one series and one origin at a time."""
    known = [(place, value) for place, value in enumerate(series) if not np.isnan(value)]
    if not known:
        return NAN
    values = [value for _, value in known]
    best = None
    for alpha in simple.ALPHAS:
        level, squares = values[0], 0.0
        for value in values[1:]:
            squares += (value - level) ** 2
            level += alpha * (value - level)
        if best is None or squares < best[0]:
            best = (squares, alpha, level)
    _, alpha, level = best
    slope = np.polyfit(*zip(*known, strict=True), 1)[0] if len(known) > 1 else 0.0
    trended = level + slope / 2 * (distance - 1 + (1 - (1 - alpha) ** len(known)) / alpha)
    return (values[-1] + np.mean(values[-8:]) + level + trended) / 4


@given(histories, st.integers(1, simple.HORIZON))
def test_the_average_of_each_period_is_that_of_the_series_cut_there(series, distance):
    found = simple.average(np.array([series, series[::-1]])).at(distance)
    for row, whole in enumerate((series, series[::-1])):
        expected = [by_loop(whole[: end + 1], distance) for end in range(len(whole))]
        np.testing.assert_allclose(found[row], expected, rtol=1e-7, atol=1e-7)


@given(histories, st.integers(0, 40))
def test_periods_before_the_first_value_change_nothing(series, empty):
    """So that a block may begin with the oldest of its series."""
    alone = simple.average(np.array([series])).at(3)
    later = simple.average(np.array([[NAN] * empty + series])).at(3)
    np.testing.assert_array_equal(later[:, empty:], alone)


def test_naive_and_smoothing_equal_r_on_airline_passengers():
    case = oracle("forecast")["airpassengers"][0]
    values = np.array([case["y"]], dtype=float)
    assert simple.naive(values)[0, -1] == case["naive"]["mean"][0]
    level, _ = simple.smoothed(values, case["ses"]["alpha"])
    # R also chooses where the level starts; with a weight near 1 that is forgotten at once.
    assert level[0, -1] == pytest.approx(case["ses"]["mean"][0], rel=1e-9)
    assert simple.smoothed(values)[1][0, -1] == 1.0


def test_theta_of_values_without_season_is_near_r():
    """R's forecast::thetaf deseasonalises by classical decomposition, written out here."""
    case = oracle("forecast")["airpassengers"][0]
    values, period = np.array(case["y"], dtype=float), case["period"]
    weights = np.r_[0.5, np.ones(period - 1), 0.5] / period
    ratios = np.full(len(values), NAN)
    ratios[period // 2 : -period // 2] = values[period // 2 : -period // 2] / np.convolve(values, weights, "valid")
    season = np.nanmean(ratios.reshape(-1, period), axis=0)
    season /= season.mean()
    line = simple.theta((values / np.tile(season, len(values) // period))[None])
    found = [line.at(h)[0, -1] * season[h - 1] for h in range(1, case["h"] + 1)]
    # The weight is chosen on a grid of twentieths here, by likelihood there.
    np.testing.assert_allclose(found, case["theta"]["mean"], rtol=0.005)


def test_a_constant_is_forecast_exactly():
    line = simple.average(np.full((1, 20), 0.1))
    np.testing.assert_allclose(line.at(4), 0.1, rtol=1e-15)


def test_mean_of_the_last_three_passes_over_gaps():
    found = simple.mean_of_last(np.array([[1.0, NAN, 3.0, 8.0, NAN, 10.0]]), 3)
    np.testing.assert_allclose(found, [[1, 1, 2, 4, 4, 7]])
