"""The verdict of a forecast: said in time, not said without cause, not changed by later periods or by neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from hansei.signals.breach_probabilities import LIKELY, UNLIKELY
from hansei.signals.forecast_breaches import forecast
from hansei.signals.forecast_seasons import Calendar
from hansei.signals.simple_forecasts import HORIZON

NAN = np.nan


def one_phase(values: np.ndarray) -> np.ndarray:
    return np.zeros(values.shape, dtype="int32")


def said(values, limit, direction=1, phases=None, **more):
    values = np.atleast_2d(np.asarray(values, dtype=float))
    groups = one_phase(values) if phases is None else np.atleast_2d(phases)
    limits = np.broadcast_to(np.asarray(limit, dtype=float), values.shape)
    return forecast(values, groups, [limits], np.full(len(values), direction), **more)[0]


def test_a_steady_decline_is_announced_before_it_arrives():
    values = 0.95 - 0.01 * np.arange(20)
    found = said(values, 0.78)
    breach = int(np.argmax(values < 0.78))
    first = int(np.argmax(found.is_likely[0]))
    assert found.is_likely[0, first] and breach - HORIZON <= first < breach
    assert found.distances[0, first] == HORIZON


def test_constant_on_the_limit_is_not_beyond_it():
    assert np.nanmax(said(np.full(30, 0.1), 0.1).probabilities) == 0
    assert np.nanmin(said(np.full(30, 0.0999), 0.1).probabilities) == 1


def test_nothing_is_said_before_twelve_points_nor_of_a_period_without_value():
    values = np.linspace(5, 6, 16)
    values[3], values[13] = NAN, NAN
    found = said(values, 4)
    assert np.isnan(found.probabilities[0]).tolist() == [True] * 12 + [False, True, False, False]
    assert found.bands[0, 11] == -1 and found.distances[0, 11] == 0
    assert found.bands[0, 12] == LIKELY or found.bands[0, 12] == UNLIKELY


def test_a_new_phase_starts_from_nothing():
    values = np.r_[np.full(20, 10.0), np.full(20, 50.0)] + np.tile([0.5, -0.5], 20)
    phases = np.r_[np.zeros(20), np.ones(20)].astype("int32")
    found = said(values, 45, direction=1, phases=phases)
    assert (found.probabilities[0, 11:20] == 1).all()
    assert np.isnan(found.probabilities[0, 20:31]).all()
    alone = said(values[20:], 45, direction=1)
    np.testing.assert_array_equal(found.probabilities[0, 20:], alone.probabilities[0])


def test_neutral_and_limitless_series_are_not_judged():
    values = np.linspace(1, 9, 20)
    assert np.isnan(said(values, 5, direction=0).probabilities).all()
    limits = np.where(np.arange(20) < 15, NAN, 5.0)
    assert np.isnan(said(values, limits).probabilities[0]).tolist() == [True] * 15 + [False] * 5


@pytest.mark.parametrize("is_share", [False, True])
def test_later_periods_and_other_series_change_nothing(is_share):
    generator = np.random.default_rng(11)
    values = np.clip(generator.normal(0.8, 0.05, (1500, 130)), 0.01, 1)
    values[generator.random(values.shape) < 0.03] = NAN
    phases = (np.arange(130)[None, :] >= generator.integers(20, 300, (1500, 1))).astype("int32")
    weeks = Calendar.of("week", np.datetime64("2024-01-01") + 7 * np.arange(130), HORIZON)
    cases = np.broadcast_to(np.where(np.arange(1500)[:, None] % 2 == 0, 40.0, NAN), values.shape) if is_share else None
    limits, directions = np.full(values.shape, 0.78), np.tile([1, -1], 750)
    whole = forecast(values, phases, [limits], directions, weeks, cases)[0]
    rows = np.array([3, 900, 1400])
    for cut in (60, 118):
        calendar = Calendar(weeks.slots[: cut + HORIZON], weeks.size, weeks.cycle)
        (part,) = forecast(
            values[rows, :cut],
            phases[rows, :cut],
            [limits[rows, :cut]],
            directions[rows],
            calendar,
            None if cases is None else cases[rows, :cut],
        )
        np.testing.assert_array_equal(part.probabilities, whole.probabilities[rows, :cut])
        np.testing.assert_array_equal(part.distances, whole.distances[rows, :cut])


@pytest.mark.parametrize("correlation", [0.0, 0.4])
def test_noise_far_from_its_limit_is_hardly_ever_announced(correlation):
    noise = np.random.default_rng(1).normal(0, 1, (1000, 72))
    for column in range(1, 72):
        noise[:, column] = correlation * noise[:, column - 1] + np.sqrt(1 - correlation**2) * noise[:, column]
    found = said(noise[:, 20:], 2.5, direction=-1)
    assert np.isfinite(found.probabilities).sum() == 1000 * 41
    assert found.is_likely.sum() / (1000 * 41) < 0.002


def test_nothing_to_judge():
    empty = np.full((0, 5), NAN)
    assert forecast(empty, one_phase(empty), [empty], np.zeros(0))[0].bands.shape == (0, 5)
    assert (said(np.full(30, NAN), 1).bands == -1).all()
    assert (said(np.full(3, 2.0), 1).bands == -1).all()


def test_two_limits_at_once_are_each_alone():
    values = np.random.default_rng(9).normal(5, 1, (20, 60))
    limits = [np.full(values.shape, limit) for limit in (5.0, 4.0)]
    both = forecast(values, one_phase(values), limits, np.ones(20))
    for limit, found in zip(limits, both, strict=True):
        (alone,) = forecast(values, one_phase(values), [limit], np.ones(20))
        np.testing.assert_array_equal(found.probabilities, alone.probabilities)
        np.testing.assert_array_equal(found.bands, alone.bands)
        np.testing.assert_array_equal(found.distances, alone.distances)
    # The graver limit is never the likelier one to be broken.
    assert (both[1].probabilities <= both[0].probabilities)[:, 11:].all()
    assert both[0].is_likely.any() and not both[0].is_likely.all()
