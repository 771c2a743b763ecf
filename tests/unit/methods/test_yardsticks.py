"""Classical forecasts and fitted smoothing against R's forecast package (oracles/forecast.json)."""

from __future__ import annotations

import numpy as np
import pytest
from support.oracle_schedules import oracle

from hansei.methods import smoothing, yardsticks
from hansei.signals.forecast_accuracy import accuracy

Z = 1.959963984540054


def cases() -> list[dict]:
    found = oracle("forecast")["airpassengers"]
    assert found
    return found


@pytest.mark.parametrize("name", ["snaive", "naive", "drift", "mean"])
def test_classical_forecasts_equal_r(name):
    for case in cases():
        ask = {
            "snaive": lambda values, ahead, case=case: yardsticks.seasonal_naive(values, case["period"], ahead),
            "naive": yardsticks.naive,
            "drift": yardsticks.drift,
            "mean": yardsticks.mean,
        }[name]
        found, expected = ask(case["y"], case["h"]), case[name]
        for ours, theirs in ((found.mean, "mean"), (found.lower, "lo95"), (found.upper, "hi95")):
            np.testing.assert_allclose(ours, expected[theirs], rtol=1e-9)
        if expected["sigma2"] is None:
            assert found.sigma2 is None
        else:
            assert found.sigma2 == pytest.approx(expected["sigma2"], rel=1e-9)


@pytest.mark.parametrize(
    ("name", "tolerance", "bounds"),
    [
        # R stops its search for Holt at a slightly greater error, and searches the starting states of Holt-Winters too.
        ("ses", 1e-6, 1e-6),
        ("holt", 0.005, 0.012),
        ("hw_multiplicative", 0.005, 0.015),
    ],
)
def test_smoothing_is_near_r(name, tolerance, bounds):
    for case in cases():
        fit = {
            "ses": lambda case: smoothing.simple(case["y"], case["h"]),
            "holt": lambda case: smoothing.holt(case["y"], case["h"]),
            "hw_multiplicative": lambda case: smoothing.holt_winters(case["y"], case["period"], case["h"]),
        }[name]
        found, expected = fit(case), case[name]
        np.testing.assert_allclose(found.mean, expected["mean"], rtol=tolerance)
        np.testing.assert_allclose(found.mean - Z * np.sqrt(found.variance), expected["lo95"], rtol=bounds)
        np.testing.assert_allclose(found.mean + Z * np.sqrt(found.variance), expected["hi95"], rtol=bounds)
        assert found.sigma2 == pytest.approx(expected["sigma2"], rel=0.03)
        if "alpha" in expected:
            assert found.weights[0] == pytest.approx(expected["alpha"], rel=1e-6)


def test_theta_is_near_r():
    for case in cases():
        found = yardsticks.theta(case["y"], case["period"], case["h"])
        for ours, theirs in ((found.mean, "mean"), (found.lower, "lo95"), (found.upper, "hi95")):
            np.testing.assert_allclose(ours, case["theta"][theirs], rtol=1e-3)


def test_seasons_beat_what_knows_none():
    for case in cases():
        seasonal = smoothing.holt_winters(case["y"], case["period"], case["h"]).mean
        plain = smoothing.holt(case["y"], case["h"]).mean
        scores = [accuracy(case["actual"], one, case["y"], case["period"]).mase for one in (seasonal, plain)]
        assert scores[0] < 0.5 * scores[1]


def test_smoothing_of_a_line_is_the_line():
    found = smoothing.holt(3 + 2 * np.arange(10), 3)
    np.testing.assert_allclose(found.mean, [23, 25, 27], rtol=1e-9)
    assert found.sigma2 == pytest.approx(0, abs=1e-18)


def test_the_fit_is_the_least_of_a_fine_search():
    values = np.random.default_rng(4).normal(50, 4, 40).cumsum() / np.arange(1, 41)

    def squares(alpha: float, start: float) -> float:
        level, total = start, 0.0
        for value in values:
            total += (value - level) ** 2
            level += alpha * (value - level)
        return total

    best = min(squares(a, s) for a in np.linspace(0.001, 0.9999, 60) for s in np.linspace(40, 60, 201))
    assert smoothing.simple(values, 1).sigma2 * (len(values) - 2) <= best * (1 + 1e-9)


def test_a_series_without_season_is_not_freed_of_one():
    values = 100 + np.random.default_rng(1).normal(0, 1, 48)
    assert np.ptp(np.diff(yardsticks.theta(values, 12, 12).mean)) < 1e-9


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: yardsticks.drift([1, 2], 1), "2 values; needed are 3"),
        (lambda: yardsticks.naive([1, np.nan, 3], 1), "none of them missing"),
        (lambda: smoothing.holt([1, 2, 3, 4], 1), "4 values are too few for 4 unknowns"),
        (lambda: smoothing.holt_winters([1, 0] * 20, 12, 1), "all above 0"),
    ],
)
def test_what_cannot_be_forecast(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()
