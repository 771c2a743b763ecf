"""The time of year taken out: the weekly deaths of the oracle, waves that are known, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.oracle_schedules import ORACLES

from hansei.signals import spc
from hansei.signals.seasons import season

CASES = {case["id"]: case for case in json.loads((ORACLES / "spc.json").read_text(encoding="utf-8"))["cases"]}
RAW, PLAIN = CASES["ons_weekly_deaths_2014_2019"], CASES["ons_weekly_deaths_deseasonalised"]
DAYS = np.array(RAW["input"]["x"], dtype="datetime64[D]")
DEATHS = np.array([RAW["input"]["y"]], dtype="float64")


def flagged(values: np.ndarray) -> int:
    return int(np.sum(spc.chart(values, np.zeros(values.shape, dtype="int32")).rules != 0))


def test_weekly_deaths_without_their_months_are_the_published_series():
    """METHODS.md 2.5: 263 of 313 weeks flagged, 134 after the months' means are taken out."""
    found = season(DEATHS, DAYS, "week")
    assert found.is_known.all()
    np.testing.assert_allclose(DEATHS - found.effect, [PLAIN["input"]["y"]], rtol=1e-9)
    assert (flagged(DEATHS), flagged(DEATHS - found.effect)) == (263, 134)


def test_waves_take_out_most_of_the_season_too():
    one, two = (season(DEATHS, DAYS, "week", "harmonic", waves) for waves in (1, 2))
    assert flagged(DEATHS - two.effect) < 180
    spreads = [np.std(DEATHS - taken) for taken in (0, one.effect, two.effect)]
    assert spreads[0] > spreads[1] > spreads[2]
    place = np.array([day.timetuple().tm_yday - 1 for day in DAYS.tolist()]) / np.where(
        DAYS.astype("datetime64[Y]") == np.datetime64("2016"), 366, 365
    )
    known = 50 + 3 * np.cos(2 * np.pi * place) - 2 * np.sin(4 * np.pi * place)
    found = season(known[None, :], DAYS, "week", "harmonic")
    shape = known - known.mean()
    np.testing.assert_allclose(found.effect[0], shape - shape.mean(), atol=0.02)


def test_less_than_two_full_years_take_nothing_out():
    for periods, is_known in ((103, False), (104, True)):
        found = season(DEATHS[:, :periods], DAYS[:periods], "week")
        assert found.is_known.all() == found.is_known.any() == is_known
        assert found.effect.any() == is_known


def test_a_frozen_season_never_changes_what_was_said():
    part, whole = (season(DEATHS[:, :end], DAYS[:end], "week", is_frozen=True) for end in (200, 313))
    np.testing.assert_array_equal(whole.effect[:, :200], part.effect)
    assert np.flatnonzero(whole.is_known[0])[0] == 104
    first = {month: [] for month in range(12)}
    for day, value in zip(DAYS[:104].tolist(), DEATHS[0, :104], strict=True):
        first[day.month - 1].append(value)
    means = np.array([np.mean(first[day.month - 1]) for day in DAYS[104:].tolist()])
    np.testing.assert_allclose(whole.effect[0, 104:], means - DEATHS[0, :104].mean(), rtol=1e-9)


def test_gaps_are_left_out_and_a_month_never_seen_makes_the_season_unknown():
    gappy = np.repeat(DEATHS, 2, axis=0)
    gappy[0, 5::9] = np.nan
    gappy[1, [day.month == 8 for day in DAYS.tolist()]] = np.nan
    found = season(gappy, DAYS, "week")
    assert (found.is_known[0].all(), found.is_known[1].any()) == (True, False)
    august = np.array([day.month == 8 for day in DAYS.tolist()])
    assert found.effect[0, august] == pytest.approx(np.nanmean(gappy[0, august]) - np.nanmean(gappy[0]))


def test_what_has_no_season_is_refused():
    with pytest.raises(ValueError, match="grain 'hour'; known: day, week, month, quarter"):
        season(DEATHS, DAYS, "hour")
    with pytest.raises(ValueError, match="harmonic of 1 or 2 waves"):
        season(DEATHS, DAYS, "week", "harmonic", 3)
