"""Kaplan-Meier against R's survival (oracles/survival.json) and cases worked out by hand; alpha against pingouin."""

from __future__ import annotations

import numpy as np
import pytest
from support.oracle_schedules import oracle

from hansei.methods.agreement import cronbach_alpha
from hansei.methods.survival import kaplan_meier


def test_every_curve_and_quantile() -> None:
    cases = oracle("survival")["kaplan_meier"]
    assert len(cases) >= 3
    for case in cases:
        found = kaplan_meier(case["time"], case["event"])
        assert found.times.tolist() == case["times"]
        assert found.at_risk.tolist() == case["n_risk"]
        assert found.survival == pytest.approx(case["survival"], rel=1e-9, abs=1e-12)
        quantiles = case["quantiles"]
        for position, p in enumerate(quantiles["p"]):
            expected = tuple(quantiles[name][position] for name in ("value", "lower95", "upper95"))
            assert found.quantile(p) == expected, (case["id"], p)


def test_leaving_open_cases_out_looks_faster_than_it_is() -> None:
    for case in oracle("survival")["kaplan_meier"]:
        closed = np.median([time for time, event in zip(case["time"], case["event"], strict=True) if event])
        assert closed == case["median_of_closed_only_biased"]
        assert closed <= kaplan_meier(case["time"], case["event"]).quantile(0.5).value


def test_nobody_finished_has_no_median() -> None:
    found = kaplan_meier([1, 2, 3], [False, False, False])
    assert found.survival.tolist() == [1, 1, 1]
    assert found.quantile(0.5) == (None, None, None)


def test_one_case() -> None:
    found = kaplan_meier([4.0], [True])
    assert found.quantile(0.5) == (4.0, None, None)
    assert np.isnan(found.lower[-1])


def test_a_curve_that_rests_on_the_share_gives_the_middle() -> None:
    assert kaplan_meier([2, 6], [True, True]).quantile(0.5).value == 4
    assert kaplan_meier([2, 9], [True, False]).quantile(0.5).value == 5.5


def test_flats_within_and_at_the_end_are_halved_as_in_r() -> None:
    """The seven cases by which R's survival package tests its own quantiles: S = 6/7, then 18/35, then 9/35."""
    found = kaplan_meier([9, 1, 1, 6, 6, 8, 10], [True, True, False, True, True, False, False])
    shares = (13 / 14, 6 / 7, 2 / 3, 1 / 2, 9 / 35, 1 / 10)
    quantiles = [found.quantile(1 - share) for share in shares]
    assert [item.value for item in quantiles] == [1, 3.5, 6, 9, 9.5, None]
    assert [item.lower for item in quantiles] == [1, 1, 1, 6, 6, 9]
    assert [item.upper for item in quantiles] == [None] * 6


@pytest.mark.parametrize(("times", "ended"), [([], []), ([1], [True, False]), ([-1.0], [True]), ([np.nan], [True])])
def test_what_is_no_duration_is_refused(times: list, ended: list) -> None:
    with pytest.raises(ValueError):
        kaplan_meier(times, ended)


def test_a_share_outside_is_refused() -> None:
    with pytest.raises(ValueError, match="not between 0 and 1"):
        kaplan_meier([1], [True]).quantile(1.0)


def test_every_alpha() -> None:
    cases = oracle("survey")["cronbach_alpha"]
    assert len(cases) >= 2
    for case in cases:
        found = cronbach_alpha(case["items"])
        assert found.alpha == pytest.approx(case["alpha"], rel=1e-9)
        assert found.interval == pytest.approx(case["ci95"], abs=5.1e-4)
        assert found.respondent_count == len(case["items"])


def test_incomplete_respondents_are_left_out_and_too_few_have_no_alpha() -> None:
    full = [[1.0, 2.0], [2.0, 2.5], [3.0, 5.0]]
    assert cronbach_alpha([*full, [4.0, np.nan]]) == cronbach_alpha(full)
    assert cronbach_alpha(full[:1]) is None
    assert cronbach_alpha([[1.0], [2.0]]) is None
    assert cronbach_alpha([[1.0, 3.0], [3.0, 1.0]]) is None  # everybody's sum is 4
