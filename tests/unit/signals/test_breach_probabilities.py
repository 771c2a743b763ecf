"""Probabilities against R's figures, scipy's beta-binomial, plain counting and, as a whole, against what came true."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from support.oracle_schedules import oracle

from hansei.signals import breach_probabilities as chances
from hansei.signals.forecast_breaches import forecast
from hansei.signals.running_forecasts import ENOUGH, averaged, corrected, typical_errors
from hansei.signals.simple_forecasts import HORIZON

NAN = np.nan


def test_every_normal_case():
    cases = oracle("forecast")["breach_probability_normal"]
    assert len(cases) >= 4
    for case in cases:
        side = {"value below threshold": -1, "value above threshold": 1}[case["breach_when"]]
        found = chances.of_normal(case["forecast_mean"], case["forecast_sd"], case["threshold"], side)
        assert found == pytest.approx(case["probability"], rel=1e-9)


def test_every_true_share():
    cases = oracle("forecast")["breach_probability_beta"]
    assert len(cases) >= 3
    for case in cases:
        given = (case["successes"], case["n"], case["target"])
        expected = case["probability_true_rate_below_target"]
        assert chances.of_true_share(*given, side=-1) == pytest.approx(expected, rel=1e-9)
        assert chances.of_true_share(*given, side=1) == pytest.approx(1 - expected, rel=1e-9)


def test_what_is_no_spread_and_no_share():
    with pytest.raises(ValueError, match="it has to be above 0"):
        chances.of_normal(1, 0, 2, 1)
    with pytest.raises(ValueError, match="5 of 4 is no share"):
        chances.of_true_share(5, 4, 0.5, 1)


def test_a_bound_belongs_to_the_band_it_begins():
    found = chances.bands(np.array([0, 0.0999, 0.1, 0.4999, 0.5, 1, NAN]))
    assert found.tolist() == [0, 0, 1, 1, 2, 2, -1]


@pytest.mark.parametrize("side", [1, -1])
def test_the_share_of_errors_is_counted_one_by_one(side):
    values = np.random.default_rng(4).normal(100, 10, (3, 45))
    values[2, 20:24] = NAN
    limits = np.full(values.shape, 100.0 + 8 * side)
    forecasts = averaged(values)
    found = chances.by_errors(forecasts, limits, np.full(3, side))
    checked = {True: 0, False: 0}
    for row in range(3):
        for origin in range(11, 45):
            if forecasts.counts[row, origin] < 12:
                assert np.isnan(found[:, row, origin]).all()
                continue
            known = forecasts.errors[:, row : row + 1, : origin + 1]
            for place in range(HORIZON):
                errors = known[place][~np.isnan(known[place])]
                if len(errors) < ENOUGH:
                    errors = typical_errors(known)[place, 0]
                    errors = errors[~np.isnan(errors)]
                checked[len(errors) >= ENOUGH] += 1
                reached = forecasts.ahead[place, row, origin] + errors
                expected = np.mean(side * reached > side * limits[row, origin])
                assert found[place, row, origin] == pytest.approx(expected), (row, origin, place)
    assert checked[True] > 200


def test_a_short_tail_of_the_beta_binomial_equals_scipy():
    for mean, variance, cases, limit in [
        (0.9, 0.02, 10, 0.95),
        (0.9, 0.02, 10, 0.9),  # nine of ten is equal to the limit, so not below
        (0.5, 0.03, 30, 0.4),
        (0.999, 0.0001, 12, 0.95),
        (0.02, 0.01, 1, 0.5),
        (0.7, 0.05, 7, 0.999),
        (0.95, 0.001, 300, 0.93),
        (0.02, 0.0003, 500, 0.03),
    ]:
        found = chances.share_below(*(np.array([float(item)]) for item in (mean, variance, cases, limit)))[0]
        surplus = (variance / (mean * (1 - mean) / cases) - 1) / max(cases - 1, 1)
        strength = 1 / np.clip(surplus, 1 / (8 * cases + 2), 0.99) - 1
        below = [good for good in range(cases + 1) if good < limit * cases - 1e-9]
        expected = stats.betabinom.pmf(below, cases, mean * strength, (1 - mean) * strength).sum()
        assert found == pytest.approx(expected, abs=1e-9), (mean, variance, cases, limit)


@pytest.mark.parametrize("cases", [31, 62, 400, 2000])
@pytest.mark.parametrize("mean", [0.03, 0.5, 0.85, 0.95])
def test_many_cases_come_near_the_beta_binomial(cases, mean):
    for correlation in (0.005, 0.05):
        variance = mean * (1 - mean) / cases * (1 + (cases - 1) * correlation)
        strength = 1 / max(correlation, 1 / (8 * cases + 2)) - 1
        for limit in (mean - 0.05, mean, mean + 0.03):
            found = chances.share_below(*(np.array([float(item)]) for item in (mean, variance, cases, limit)))[0]
            most = np.ceil(limit * cases - 1e-9 * cases) - 1
            expected = stats.betabinom.cdf(most, cases, mean * strength, (1 - mean) * strength)
            assert found == pytest.approx(expected, abs=0.01), (correlation, limit)


def test_a_limit_that_no_share_can_pass():
    ones = np.ones(2)
    found = chances.share_below(0.5 * ones, 0.01 * ones, 20 * ones, np.array([0.0, 1.2]))
    assert found.tolist() == [0, 1]


def test_the_bad_side_of_a_share_is_its_mirror():
    values = np.clip(np.random.default_rng(6).normal(0.9, 0.04, (2, 40)), 0, 1)
    cases = np.full(values.shape, 25.0)
    limits = np.full(values.shape, 0.88)
    below = forecast(values, np.zeros(values.shape, "int32"), [limits], np.ones(2), None, cases)[0]
    above = forecast(1 - values, np.zeros(values.shape, "int32"), [1 - limits], -np.ones(2), None, cases)[0]
    np.testing.assert_allclose(below.probabilities, above.probabilities, atol=1e-9)
    assert np.nanmax(below.probabilities) > 0.1


def test_few_cases_are_less_certain_than_many():
    values = np.full((3, 30), 0.9)
    cases = np.array([[10.0], [100.0], [1000.0]]) * np.ones((3, 30))
    limits = np.full((3, 30), 0.85)
    found = forecast(values, np.zeros((3, 30), "int32"), [limits], np.ones(3), None, cases)[0].probabilities[:, -1]
    assert found[0] > found[1] > found[2]
    assert 0.2 < found[0] < 0.4 and found[2] < 0.02


@pytest.mark.parametrize("correlation", [0.0, 0.7])
def test_stated_probabilities_come_nearer_the_truth_by_the_correction(correlation):
    """600 series of 80 points: among like probabilities of the fourth period ahead, how many went beyond."""
    noise = np.random.default_rng(12).normal(0, 1, (600, 80))
    for column in range(1, 80):
        noise[:, column] = correlation * noise[:, column - 1] + np.sqrt(1 - correlation**2) * noise[:, column]
    limits = np.full(noise.shape, 0.8)
    happened = noise[:, 34:] > 0.8
    plain = averaged(noise)
    scores, misses = [], []
    for forecasts in (plain, corrected(plain, noise)):
        said = chances.by_errors(forecasts, limits, np.ones(600))[3, :, 30:76]
        scores.append(np.mean((said - happened) ** 2))
        bins = np.digitize(said, [0.1, 0.2, 0.3, 0.4, 0.5])
        misses.append(sum(abs((said - happened)[bins == one].mean()) * np.mean(bins == one) for one in np.unique(bins)))
    assert scores[1] < 0.96 * scores[0]
    assert misses[1] < 0.8 * misses[0] and misses[1] < 0.1
