"""Forecasts with their back-test: errors, seasons that are kept or not, and the outlook of the newest period."""

from __future__ import annotations

import numpy as np
import pytest
from support.oracle_schedules import oracle

from hansei.signals import running_forecasts as running
from hansei.signals.forecast_accuracy import accuracy
from hansei.signals.forecast_seasons import Calendar, factors
from hansei.signals.simple_forecasts import HORIZON, average

NAN = np.nan
MONTHS = np.datetime64("1949-01") + np.arange(240)


def monthly(periods: int) -> Calendar:
    return Calendar.of("month", MONTHS[:periods], HORIZON)


def passengers() -> tuple[np.ndarray, dict]:
    case = oracle("forecast")["airpassengers"][0]
    return np.array([case["y"] + case["actual"]], dtype=float), case


def test_errors_are_values_less_what_was_said_before():
    values = np.random.default_rng(3).normal(50, 5, (4, 30))
    values[1, 12:14] = NAN
    found = running.averaged(values)
    for distance in (1, 4):
        said = average(values).at(distance)
        for column in range(30):
            origin = column - distance
            expected = values[:, column] - said[:, origin] if origin >= running.WARM_UP - 1 else np.full(4, NAN)
            np.testing.assert_allclose(found.errors[distance - 1, :, column], expected)


def test_what_was_said_stands_when_periods_are_added():
    values, _ = passengers()
    for cut in (30, 61, 100):
        early = running.averaged(values[:, :cut], monthly(cut))
        late = running.averaged(values, monthly(values.shape[1]))
        np.testing.assert_array_equal(early.ahead, late.ahead[:, :, :cut])


def test_airline_passengers_keep_their_season_and_win_by_it():
    values, case = passengers()
    known = len(case["y"])
    with_season, without = (running.averaged(values, calendar) for calendar in (monthly(values.shape[1]), None))
    last_year = slice(known, None)
    errors = [np.abs(found.errors[0, 0, last_year]).mean() for found in (with_season, without)]
    assert errors[0] < 0.5 * errors[1]
    # One month ahead, against repeating last year's month (R: snaive over the year that follows).
    assert errors[0] < 0.5 * case["snaive_accuracy"]["MAE"]


def test_factors_are_those_of_the_planted_season():
    season = 1 + 0.3 * np.sin(np.arange(12) / 12 * 2 * np.pi)
    trend = 100 * 1.01 ** np.arange(36)
    values = (np.tile(season, 3) * trend * np.random.default_rng(2).lognormal(0, 0.01, 36))[None]
    stretches = list(factors(values, monthly(36)))
    assert [(first, until) for first, until, _, _ in stretches] == [(24, 27), (27, 30), (30, 33), (33, 36)]
    expected = season / np.exp(np.log(season).mean())
    for _, _, rows, found in stretches:
        assert rows.tolist() == [0]
        np.testing.assert_allclose(found[0], expected, rtol=0.02)


@pytest.mark.parametrize("correlation", [0.0, 0.4])
def test_noise_has_no_season(correlation):
    noise = np.random.default_rng(5).normal(0, 1, (2000, 110))
    for column in range(1, 110):
        noise[:, column] += correlation * noise[:, column - 1]
    weeks = Calendar.of("week", np.datetime64("2024-01-01") + 7 * np.arange(110), HORIZON)
    kept = [len(rows) for _, _, rows, _ in factors(100 + noise, weeks)]
    assert kept and max(kept) < 2000 * 0.03


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda values: np.where(np.arange(28) == 0, NAN, values), id="less than two cycles"),
        pytest.param(lambda values: values - 100, id="values below zero"),
        pytest.param(lambda values: np.where(np.arange(28) == 20, NAN, values), id="a season unseen"),
        pytest.param(lambda values: np.full(values.shape, 7.0), id="a constant"),
    ],
)
def test_no_season_where_it_cannot_be_known(spoil):
    values = np.tile(100 + 30 * np.sin(np.arange(12)), 3)[None, :28]
    assert [rows.tolist() for first, _, rows, _ in factors(values, monthly(28)) if first == 24] == [[0]]
    values = spoil(values)
    assert [rows.tolist() for first, _, rows, _ in factors(values, monthly(values.shape[1])) if first == 24] == []


def test_slots_of_each_grain():
    weeks = Calendar.of("week", np.array(["2026-12-21", "2026-12-28"], dtype="M8[D]"), 2)
    assert weeks.slots.tolist() == [11, 11, 0, 0]  # the fourth day of 2026-12-28 is the last of the year
    assert Calendar.of("day", np.array(["2026-11-29"], dtype="M8[D]"), 2).slots.tolist() == [6, 0, 1]  # a Sunday
    assert Calendar.of("month", np.array(["2026-11-01"], dtype="M8[D]"), 2).slots.tolist() == [10, 11, 0]
    assert Calendar.of("quarter", np.array(["2026-07-01"], dtype="M8[D]"), 2).slots.tolist() == [2, 3, 0]
    with pytest.raises(ValueError, match="no seasons for the grain 'year'"):
        Calendar.of("year", MONTHS[:1], 1)


@pytest.mark.parametrize("is_corrected", [True, False])
def test_the_outlook_takes_quantiles_of_past_errors(is_corrected):
    values = np.random.default_rng(8).normal(20, 2, (3, 40))
    found = running.outlook(values, confidence=0.8, is_corrected=is_corrected)
    back_test = running.averaged(values)
    if is_corrected:
        back_test = running.corrected(back_test, values)
    for place in range(HORIZON):
        for row in range(3):
            errors = back_test.errors[place, row]
            errors = errors[~np.isnan(errors)]
            assert len(errors) >= running.ENOUGH
            expected = back_test.ahead[place, row, -1] + np.quantile(errors, [0.1, 0.9])
            np.testing.assert_allclose([found.lower[place, row], found.upper[place, row]], expected)
            middle = back_test.ahead[place, row, -1] + np.median(errors)
            np.testing.assert_allclose(found.median[place, row], middle)


def test_a_short_series_repeats_its_last_value_and_a_very_short_one_says_nothing():
    values = np.array([[NAN, 5.0, 7, 6, 8, 5, 7, 6, 9], [NAN, NAN, 7, 6, 8, 5, 7, 6, 9]])
    found = running.outlook(values)
    np.testing.assert_array_equal(found.middle[:, 0], [9, 9, 9, 9])
    assert (found.lower[:, 0] < 9).all() and (found.upper[:, 0] > 9).all()
    assert np.isnan(found.middle[:, 1]).all() and np.isnan(found.upper[:, 1]).all()


def test_pooled_errors_are_scaled_to_the_wanted_horizon():
    errors = np.full((2, 1, 4), NAN)
    errors[0, 0, :3], errors[1, 0, :2] = [1, -2, 3], [4, -8]
    found = running.typical_errors(errors)
    np.testing.assert_allclose(sorted(found[0, 0][~np.isnan(found[0, 0])]), sorted([1, -2, 3, 4 / 3, -8 / 3]))
    np.testing.assert_allclose(sorted(found[1, 0][~np.isnan(found[1, 0])]), sorted([3, -6, 9, 4, -8]))


def test_the_interval_of_noise_covers_what_it_says():
    """800 series of 60 points: the share of next values within the 80 % interval, per horizon."""
    values = np.random.default_rng(21).normal(0, 1, (800, 64))
    found = running.outlook(values[:, :60])
    for place in range(HORIZON):
        inside = (values[:, 60 + place] >= found.lower[place]) & (values[:, 60 + place] <= found.upper[place])
        assert 0.76 < inside.mean() < 0.84


def test_four_months_at_once_are_nearer_than_last_year_s():
    values, case = passengers()
    found = running.averaged(values, monthly(values.shape[1]))
    true = case["actual"][:HORIZON]
    said = found.ahead[:, 0, len(case["y"]) - 1]
    ours, last_year = (accuracy(true, one, case["y"], 12).mase for one in (said, case["snaive"]["mean"][:HORIZON]))
    assert ours < 0.7 * last_year


def test_overshooting_is_taken_back_and_a_trend_is_not():
    noise = np.random.default_rng(17).normal(0, 1, (500, 60))
    trend = 0.3 * np.arange(60) + 0.1 * noise
    for values, least, most in ((noise, 0.85, 0.92), (trend, 0.95, 1.05)):
        plain = running.averaged(values)
        better = running.corrected(plain, values)
        ratio = np.nanmean(better.errors[3, :, 30:] ** 2) / np.nanmean(plain.errors[3, :, 30:] ** 2)
        assert least < ratio < most


def test_the_share_taken_back_is_that_of_a_regression_up_to_then():
    values = np.random.default_rng(19).normal(10, 1, (1, 40))
    plain = running.averaged(values)
    better = running.corrected(plain, values)
    for origin in (15, 39):
        distances = [plain.ahead[1, 0, t - 2] - values[0, : t - 1].mean() for t in range(5, origin + 1)]
        errors = [values[0, t] - plain.ahead[1, 0, t - 2] for t in range(5, origin + 1)]
        slope = np.dot(distances, errors) / np.dot(distances, distances) * len(errors) / (len(errors) + running.PRIOR)
        expected = plain.ahead[1, 0, origin] + slope * (plain.ahead[1, 0, origin] - values[0, : origin + 1].mean())
        assert slope < 0
        assert better.ahead[1, 0, origin] == pytest.approx(expected)
