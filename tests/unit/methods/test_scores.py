"""Scores, cards, profiles and quadrants against oracles/scorecard.json and values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.oracle_schedules import oracle

from hansei.methods import scores

NAN = float("nan")


def _number(value: float | None) -> float:
    return NAN if value is None else value


def test_every_value_between_worst_and_best() -> None:
    cases = oracle("scorecard")["normalisation"]
    assert len(cases) >= 7
    for case in cases:
        found = scores.score(_number(case["value"]), case["worst"], case["best"])
        assert found == pytest.approx(_number(case["expected"]), rel=1e-9, nan_ok=True), case


def test_every_card_with_what_is_missing() -> None:
    cases = oracle("scorecard")["scorecard"]
    assert len(cases) >= 5
    for case in cases:
        names, expected = list(case["dimensions"]), case["expected"]
        found = scores.weighted_mean(
            [[_number(case["dimensions"][name]) for name in names]], [case["weights"][name] for name in names]
        )
        assert found.value[0] == pytest.approx(_number(expected["total"]), rel=1e-9, nan_ok=True)
        assert found.coverage[0] == pytest.approx(expected["coverage_of_weight"], rel=1e-9)
        used = {name: share for name, share in zip(names, found.weights[0], strict=True) if share > 0}
        assert used == pytest.approx(expected["renormalised_weights"], rel=1e-9)
        available = [name for name in names if case["dimensions"][name] is not None]
        assert scores.renormalised(case["weights"], available) == pytest.approx(expected["renormalised_weights"])


def test_below_seventy_percent_of_the_weight_there_is_no_total() -> None:
    weights = [0.3, 0.4, 0.2, 0.1]
    rows = [[80, NAN, 70, 60], [NAN, 90, 70, 60], [80, 90, NAN, NAN]]  # 60 %, 70 %, 70 %
    found = scores.weighted_mean(rows, weights, minimum_coverage=scores.MINIMUM_COVERAGE)
    assert np.isnan(found.value[0])
    assert found.value[1] == pytest.approx((0.4 * 90 + 0.2 * 70 + 0.1 * 60) / 0.7)
    assert found.value[2] == pytest.approx((0.3 * 80 + 0.4 * 90) / 0.7)
    assert found.coverage == pytest.approx([0.6, 0.7, 0.7])


def test_a_half_covered_dimension_counts_half_for_coverage_and_wholly_for_the_mean() -> None:
    found = scores.weighted_mean([[80.0, 40.0]], [0.5, 0.5], covered=[[1.0, 0.5]])
    assert found.value[0] == pytest.approx(60)
    assert found.coverage[0] == pytest.approx(0.75)


def test_the_worst_is_not_the_best() -> None:
    with pytest.raises(ValueError, match="worst equals best"):
        scores.score(1, 2, 2)
    with pytest.raises(ValueError, match="weights"):
        scores.weighted_mean([[1.0]], [0.0])


@given(
    st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-3), st.floats(0, 1e6)
)
def test_better_values_never_score_lower(value: float, worst: float, gap: float, step: float) -> None:
    better = value + step * np.sign(gap)
    before, after = scores.score([value, better], worst, worst + gap)
    assert 0 <= before <= after <= 100


def test_profiles_name_the_lowest_axis_and_no_area() -> None:
    cases = oracle("scorecard")["radar"]
    assert len(cases) >= 5
    for case in cases:
        found = scores.profile(case["axes"])
        assert (found.mean, found.minimum_axis) == (pytest.approx(case["mean"]), case["min_axis"])
        assert not hasattr(found, "area")


def test_a_profile_of_what_is_known() -> None:
    found = scores.profile([NAN, 40, 30, NAN, 30])
    assert (found.minimum_axis, found.minimum, found.mean) == (2, 30, pytest.approx(100 / 3))
    assert scores.profile([NAN, NAN]).minimum_axis is None


def test_quadrants_are_cut_at_the_medians_of_the_peers() -> None:
    for case in oracle("scorecard")["quadrant"]:
        agents = case["agents"]
        found = scores.quadrants([a["efficiency"] for a in agents], [a["quality"] for a in agents])
        assert (found.cut_efficiency, found.cut_quality) == (case["cut_efficiency"], case["cut_quality"])
        assert dict(zip([a["id"] for a in agents], found.names, strict=True)) == case["expected"]


def test_a_peer_with_one_score_has_no_quadrant_and_moves_no_median() -> None:
    found = scores.quadrants([10, 20, 30, 99], [1, 2, 3, NAN])
    assert (found.cut_efficiency, found.cut_quality, found.peer_count) == (20, 2, 3)
    assert found.names[3] is None
    assert scores.quadrants([1, 2], [1, 2]).names == (None, None)


A, B, C = "high_high", "low_high", "low_low"


@pytest.mark.parametrize(
    ("measured", "held"),
    [
        ([A, B, A], [A, A, A]),  # one period elsewhere changes nothing
        ([A, B, B, B], [A, A, B, B]),  # the second one does
        ([A, B, C, C], [A, A, A, C]),  # two different ones are no two running
        ([A, B, None, B, B], [A, A, None, A, B]),  # a gap starts anew
        ([None, A], [None, A]),
        ([], []),
    ],
)
def test_a_quadrant_changes_when_it_was_measured_twice_running(measured: list, held: list) -> None:
    assert scores.settled(measured) == held


def test_small_groups_are_drawn_to_the_mean_of_all() -> None:
    # 10 answers against a pull of 30: a quarter of its own 0.9, three quarters of the group's 0.5.
    assert scores.shrunk(0.9, 10, 0.5, 30) == pytest.approx(0.6)
    assert scores.shrunk(0.9, 10, 0.5, 0) == pytest.approx(0.9)
    assert scores.shrunk([0.9, NAN], [10, 5], [NAN, 0.5], 30) == pytest.approx([0.9, NAN], nan_ok=True)
    assert scores.shrunk(0.9, 0, 0.5, 0) == pytest.approx(0.9)


def test_bounds_of_a_mean_are_those_of_a_sum_of_independent_parts() -> None:
    lower, upper = scores.mean_bounds([50.0, 60.0], [44.0, 60.0 - 8], [56.0, 68.0], [0.5, 0.5])
    assert (lower, upper) == (pytest.approx(55 - 5), pytest.approx(55 + 5))  # half of 6 and of 8: 3, 4, 5
    lower, upper = scores.mean_bounds([50.0, 60.0], [NAN, 52.0], [NAN, 68.0], [0.0, 1.0])
    assert (lower, upper) == (pytest.approx(52), pytest.approx(68))
    assert np.isnan(scores.mean_bounds([50.0, 60.0], [NAN, 52.0], [NAN, 68.0], [0.5, 0.5])[0])
