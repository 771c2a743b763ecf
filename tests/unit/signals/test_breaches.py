"""Limits held against values, in the hand-verified tables of the oracle and against a second, naive way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from support.oracle_schedules import oracle

from hansei.methods import proportions
from hansei.signals import breaches

CASES = oracle("breach")
SIGNS = {"higher_better": 1, "lower_better": -1}


def one(numbers) -> np.ndarray:
    """One series; None is no usable value."""
    return np.array([[np.nan if number is None else number for number in numbers]], dtype="float64")


def beyond(case: dict, name: str = "threshold") -> np.ndarray:
    values = one(case["values"])
    limit = case[name]
    limits = one(limit) if isinstance(limit, list) else np.full(values.shape, limit)
    return breaches.beyond(values, limits, np.array([SIGNS[case["direction"]]]))


def random_series(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Values and limits of 12 series with gaps, and values that equal their limit."""
    source = np.random.default_rng(seed)
    values = source.integers(0, 6, (12, 40)).astype("float64")
    values[source.random(values.shape) < 0.15] = np.nan
    return values, source.integers(1, 5, values.shape).astype("float64")


@pytest.mark.parametrize("case", CASES["static"], ids=str)
def test_a_value_breaks_a_limit_only_beyond_it(case: dict) -> None:
    values, direction = one([case["value"]]), np.array([SIGNS[case["direction"]]])
    given = {"warning": case["warning"], "critical": case["threshold"]}
    levels = [level for level, limit in given.items() if limit is not None]
    limits = [one([given[level]]) for level in levels]
    finding = breaches.Finding(
        levels=levels,
        limits=limits,
        breaks=[breaches.beyond(values, limit, direction) for limit in limits],
        is_judged=~np.isnan(values),
        is_recovered=np.zeros(values.shape, dtype=bool),
        cases=np.zeros(values.shape, dtype="int8"),
        sentences=("",),
        pattern_starts=np.full(values.shape, -1, dtype="int32"),
    )
    words = {"breach": "breach_critical", "warning": "breach_warning", "ok": "within", "no_data": "too_few_data"}
    said = finding.words(np.ones(values.shape, dtype=bool))
    assert breaches.WORDS[said[0, 0]] == words[case["expected"]]
    assert breaches.WORDS[finding.words(np.zeros(values.shape, dtype=bool))[0, 0]] == "not_ready"


@pytest.mark.parametrize("case", CASES["consecutive"], ids=lambda case: case["id"])
def test_periods_in_a_row(case: dict) -> None:
    options = case["options"]
    values = one(case["values"])
    if "ns" in options:
        values[one(options["ns"]) < options["min_n"]] = np.nan
    missing = np.isnan(values)
    is_beyond = beyond(case) & ~missing
    skipped = missing if options.get("gap") == "skip" else None
    lengths = breaches.row_lengths(is_beyond, skipped)
    triggers = breaches.in_a_row(is_beyond, case["k"], skipped)
    found = [
        {"run": int(length), "trigger": bool(on), "new_trigger": bool(on and length == case["k"]), "insufficient": gap}
        for length, on, gap in zip(lengths[0], triggers[0], missing[0].tolist(), strict=True)
    ]
    assert found == case["expected"]


@pytest.mark.parametrize("case", CASES["m_of_n"], ids=str)
def test_m_of_the_last_n_periods(case: dict) -> None:
    assert breaches.m_of_n(beyond(case), case["m"], case["n"])[0].tolist() == case["expected"]


@pytest.mark.parametrize("case", CASES["hysteresis"], ids=str)
def test_a_level_of_recovery_apart_from_the_limit(case: dict) -> None:
    is_off = ~np.isnan(one(case["values"])) & ~beyond(case, "off")
    assert breaches.latched(beyond(case, "on"), is_off)[0].tolist() == case["expected"]


@pytest.mark.parametrize("case", CASES["proportion_support"], ids=str)
def test_the_interval_says_whether_chance_could_explain_a_breach(case: dict) -> None:
    lower, upper = proportions.interval(case["x"], case["n"])
    assert [lower, upper] == pytest.approx(case["wilson95"], rel=1e-9, abs=1e-12)
    point, target, direction = one([case["point"]]), one([case["target"]]), np.array([1])
    is_breach = breaches.beyond(point, target, direction)
    assert bool(is_breach[0, 0]) is case["point_breach"]
    supported = breaches.is_supported(one([lower]), one([upper]), target, direction)
    assert bool((is_breach & supported)[0, 0]) is case["statistically_supported"]
    # The score test is the one that Wilson's interval inverts, so the two never contradict each other.
    chance = breaches.share_chances(point, one([case["n"]]), target, direction)[0, 0]
    assert bool(chance < 0.025) is case["statistically_supported"]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("is_skipping", [False, True])
def test_rows_against_walking_through_each_series(seed: int, is_skipping: bool) -> None:
    values, limits = random_series(seed)
    missing = np.isnan(values)
    is_beyond = breaches.beyond(values, limits, np.full(len(values), -1))
    lengths = breaches.row_lengths(is_beyond, missing if is_skipping else None)
    starts = breaches.row_starts(is_beyond, lengths)
    for row in range(len(values)):
        length, start = 0, -1
        for column in range(values.shape[1]):
            if values[row, column] > limits[row, column]:
                length, start = length + 1, start if length else column
                assert starts[row, column] == start
            else:
                length = length if missing[row, column] and is_skipping else 0
                assert starts[row, column] == -1
            assert lengths[row, column] == length


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("m", "n"), [(1, 2), (2, 3), (3, 3), (4, 60)])
def test_m_of_n_against_counting_each_window(seed: int, m: int, n: int) -> None:
    values, limits = random_series(seed)
    is_beyond = breaches.beyond(values, limits, np.full(len(values), 1))
    found = breaches.m_of_n(is_beyond, m, n)
    for column in range(values.shape[1]):
        window = values[:, max(column - n + 1, 0) : column + 1] < limits[:, max(column - n + 1, 0) : column + 1]
        assert (found[:, column] == (window.sum(axis=1) >= m)).all()


def test_how_far_beyond_is_a_share_of_the_limit() -> None:
    values, limits = one([30, 24, 20, 1, None]), one([24, 24, 24, 0, 24])
    assert breaches.distances(values, limits, np.array([-1]))[0] == pytest.approx(
        [0.25, np.nan, np.nan, np.nan, np.nan], nan_ok=True
    )
    assert breaches.distances(one([0.6]), one([0.8]), np.array([1]))[0, 0] == pytest.approx(0.25)
    # Points may be negative: ten points below a limit of -20 are half its size.
    assert breaches.distances(one([-30]), one([-20]), np.array([1]))[0, 0] == pytest.approx(0.5)


def test_chances_of_shares_are_half_of_those_of_the_chi_square_test() -> None:
    chance = breaches.share_chances(one([0.8]), one([10]), one([0.95]), np.array([1]))[0, 0]
    assert chance == pytest.approx(stats.chisquare([8, 2], [9.5, 0.5]).pvalue / 2, rel=1e-9)
    # On the good side of the limit more than half of all samples would look worse.
    assert breaches.share_chances(one([0.99]), one([10]), one([0.95]), np.array([1]))[0, 0] > 0.5
    # One case where none may be is no chance.
    assert breaches.share_chances(one([0.1]), one([10]), one([0.0]), np.array([-1]))[0, 0] == 0


def test_chances_of_other_values_come_from_the_half_of_the_interval_that_points_to_the_limit() -> None:
    lower, upper = one([10.0] * 3), one([30.0] * 3)
    chances = breaches.interval_chances(one([20.0] * 3), lower, upper, one([10.0, 20.0, 30.0]), np.array([-1]))
    assert chances[0] == pytest.approx([0.025, 0.5, 0.975], abs=1e-12)


def test_many_segments_are_judged_together() -> None:
    """One p-value of 0.04 is news among two segments and none among twenty; what is not judged is no test."""
    two = np.array([[0.04, 0.04], [0.9, np.nan]])
    assert breaches.survives(two).tolist() == [[True, True], [False, False]]
    twenty = np.concatenate([[[0.04]], np.linspace(0.2, 1, 19)[:, None]])
    assert not breaches.survives(twenty).any()


@pytest.mark.parametrize("case", oracle("proportion")["p_adjust"], ids=lambda case: len(case["p"]))
def test_what_survives_agrees_with_the_adjusted_p_values(case: dict) -> None:
    chances = np.array(case["p"])[:, None]
    for rate in (0.05, 0.06, 0.1, 0.5):
        assert breaches.survives(chances, rate)[:, 0].tolist() == [p <= rate for p in case["BH"]]


def test_periods_are_judged_side_by_side_as_each_alone() -> None:
    chances = np.random.default_rng(7).random((9, 40)) ** 3
    chances[np.random.default_rng(8).random(chances.shape) < 0.2] = np.nan
    together = breaches.survives(chances)
    assert 0 < together.sum() < together.size / 2
    for column in range(chances.shape[1]):
        is_test = ~np.isnan(chances[:, column])
        alone = proportions.adjusted(chances[is_test, column].tolist())
        assert together[is_test, column].tolist() == [p <= breaches.FALSE_DISCOVERY_RATE for p in alone]
        assert not together[~is_test, column].any()
