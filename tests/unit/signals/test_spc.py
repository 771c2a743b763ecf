"""Plot-the-dots charts against the reference package's figures, and what was known then against cutting the series."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.oracle_schedules import ORACLES

from hansei.signals import spc
from hansei.signals.verdicts import ASSURANCES, COMMON, CONCERN, DOWN, IMPROVEMENT, UP, assurance, variations
from hansei.signals.windows import group_sizes, rebased, spread

ORACLE = json.loads((ORACLES / "spc.json").read_text(encoding="utf-8"))
SIGNS = {"increase": 1, "decrease": -1, "neutral": 0}
TYPES = {
    "Above UCL": (spc.OUTSIDE, 1),
    "Below LCL": (spc.OUTSIDE, -1),
    "7 Point Trend (Increasing)": (spc.TREND, 1),
    "7 Point Trend (Decreasing)": (spc.TREND, -1),
    "2 in 3 Above CL": (spc.TWO_OF_THREE, 1),
    "2 in 3 Below CL": (spc.TWO_OF_THREE, -1),
    "7 Points Above CL": (spc.SHIFT, 1),
    "7 Points Below CL": (spc.SHIFT, -1),
    "Common Cause": (spc.NO_RULE, 0),
}
POINT_TYPES = {
    COMMON: "common_cause",
    IMPROVEMENT: "special_cause_improvement",
    CONCERN: "special_cause_concern",
    UP: "special_cause_neutral_high",
    DOWN: "special_cause_neutral_low",
}
WORDS = {"inconsistent": "hit and miss", "consistent_fail": "will miss", "consistent_pass": "will meet", None: "none"}


def floats(numbers) -> np.ndarray:
    return np.array([[np.nan if number is None else number for number in numbers]], dtype="float64")


def drawn(case: dict) -> tuple[np.ndarray, np.ndarray, spc.Chart]:
    given = case["input"]
    days = np.array(given["x"], dtype="datetime64[D]")
    groups = rebased(days, given["rebase_dates"], is_unmatched_ignored=True)[None, :]
    values = floats(given["y"])
    return values, groups, spc.chart(values, groups, given["fix_after_n_points"], given["screen_outliers"])


def point_types(sides: np.ndarray, direction: str) -> list[str]:
    codes = variations(sides, np.full(len(sides), SIGNS[direction]))
    return [POINT_TYPES[code] for code in codes.ravel().tolist()]


def column(points: list[dict], name: str) -> list:
    return [point[name] for point in points]


@pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["id"])
def test_chart_equals_the_reference(case):
    values, _, found = drawn(case)
    points = case["expected"]["points"]
    for name, ours in (("mean", found.limits.centre), ("lpl", found.limits.lower), ("upl", found.limits.upper)):
        np.testing.assert_allclose(ours, floats(column(points, name)), rtol=1e-9, atol=1e-12)
    told = list(zip(found.rules[0].tolist(), found.sides[0].tolist(), strict=True))
    assert told == [TYPES[kind] for kind in column(points, "special_cause_type")]
    outside, relative, near = spc.positions(values, found.limits)
    # The reference says "not known" of a point without a value or without limits; here that is no mark.
    for name, ours in (("outside_limits", outside), ("relative_to_mean", relative), ("close_to_limits", near)):
        assert ours[0].tolist() == [int(mark or 0) for mark in column(points, name)], name
    assert point_types(found.sides, case["input"]["improvement_direction"]) == column(points, "point_type")


@pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["id"])
def test_groups_icons_and_warnings_equal_the_reference(case):
    _, groups, found = drawn(case)
    expected = case["expected"]
    types = np.array(point_types(found.sides, case["input"]["improvement_direction"]))
    assert types[-1] == expected["variation_icon"]
    is_short = group_sizes(groups) < spc.SETTLED
    assert is_short[0].tolist() == column(expected["points"], "short_group_warning")
    assert bool(is_short.any()) == bool(expected["warnings"])
    # The reference numbers from 1 where the first point is rebased, and so does `rebased`.
    assert groups[0].tolist() == column(expected["points"], "rebase_group")
    # A group's number is told only where there is more than one.
    for number, group in zip(np.unique(groups).tolist(), expected["groups"], strict=True):
        assert number == group.get("rebase_group", number)
        inside = groups[0] == number
        last = int(np.flatnonzero(inside)[-1])
        lines = [found.limits.centre[0, last], found.limits.lower[0, last], found.limits.upper[0, last]]
        named = [np.nan if group[name] is None else group[name] for name in ("mean_col", "lpl", "upl")]
        np.testing.assert_allclose(lines, named, rtol=1e-9, atol=1e-12)
        assert (int(inside.sum()), types[last]) == (group["n"], group["variation_type"])
        for kind in ("special_cause_improvement", "special_cause_concern"):
            assert int(np.sum(types[inside] == kind)) == group[kind]


@pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["id"])
def test_assurance_equals_the_reference(case):
    _, _, found = drawn(case)
    target = case["input"]["target"]
    targets = np.full(found.rules.shape, np.nan if target is None else target)
    directions = np.array([SIGNS[case["input"]["improvement_direction"]]])
    codes = assurance(targets, found.limits.lower, found.limits.upper, directions)
    assert ASSURANCES[codes[0, -1]] == WORDS[case["expected"]["assurance"]]


def pattern_ends(values: list[float]) -> tuple[np.ndarray, ...]:
    """Trend, window and run on lines at 0, 2 and 3."""
    lines = spc.Limits(*(np.full((1, len(values)), line) for line in (0.0, -3.0, 3.0, -2.0, 2.0)))
    return spc.ends(floats(values), lines, np.zeros((1, len(values)), dtype="int32"))


def placed(given: dict) -> list[float]:
    """Points between near line and limit, or between centre and near line, on their sides."""
    pairs = zip(given["relative_to_mean"], given["close_to_limits"], strict=True)
    return [side * (2.5 if near else 1.0) for side, near in pairs]


UNITS = {
    "seven_point_one_side_mean": lambda given: np.abs(pattern_ends(given["relative_to_mean"])[2]),
    "seven_point_trend": lambda given: pattern_ends(given["y"])[0],
    "part_of_seven": lambda given: np.abs(spread(np.array([given["v"]], dtype="int8"), spc.RUN)),
    "two_in_three": lambda given: np.abs(spread(pattern_ends(placed(given))[1], spc.WINDOW)),
}


@pytest.mark.parametrize("number", range(len(ORACLE["unit_cases"])))
def test_each_rule_equals_the_reference(number):
    case = ORACLE["unit_cases"][number]
    given, expected = case["input"], case["expected"]
    if case["function"] in UNITS:
        assert UNITS[case["function"]](given)[0].tolist() == expected
    elif case["function"] == "part_of_two_in_three":
        ends = np.abs(spread(np.array([given_windows(given)], dtype="int8"), spc.WINDOW))
        assert (ends[0] * np.array(given["close_to_limits"])).tolist() == expected
    elif case["function"] == "point_type":
        _, side = TYPES[given["special_cause_type"]]
        assert point_types(np.array([[side]]), given["improvement_direction"]) == [expected]
    else:
        assert case["function"] == "assurance_type"
        target = np.nan if given["target"] is None else given["target"]
        lines = (np.array([[float(given[name])]]) for name in ("lpl", "upl"))
        codes = assurance(np.array([[target]]), *lines, np.array([SIGNS[given["improvement_direction"]]]))
        assert ASSURANCES[codes[0, 0]] == WORDS[expected]


def given_windows(given: dict) -> list[int]:
    return pattern_ends(placed(given))[1][0].tolist()


def test_one_point_has_a_mean_and_no_limits():
    found = spc.chart(floats([3]), np.zeros((1, 1), dtype="int32"))
    assert found.limits.centre.tolist() == [[3.0]]
    assert np.isnan(found.limits.upper).all()
    assert found.rules.tolist() == [[0]]


def test_a_rebase_date_that_matches_no_point_is_an_error():
    weeks = np.arange("2024-01-01", "2024-06-01", 7, dtype="datetime64[D]")
    assert rebased(weeks, ["2024-02-05"]).tolist() == [0] * 5 + [1] * (len(weeks) - 5)
    with pytest.raises(ValueError, match=r"2024-03-06 matches no point \(nearest: 2024-03-04\)"):
        rebased(weeks, ["2024-02-05", "2024-03-06"])


def cut_by_cut(values: np.ndarray, phases: np.ndarray, fix_after: int) -> list[tuple[int, int]]:
    """The slow way: the chart of the phase's periods up to each one, and its last point."""
    told = []
    for last in range(values.shape[1]):
        own = np.flatnonzero(phases[0, : last + 1] == phases[0, last])
        seen = values[:, own]
        usable = int(np.sum(~np.isnan(seen)))
        if np.isnan(seen[0, -1]) or usable < spc.LEAST:
            told.append((spc.NO_RULE, 0))
            continue
        kept = np.flatnonzero(np.cumsum(~np.isnan(seen[0])) <= fix_after)
        found = spc.chart(seen, np.zeros(seen.shape, dtype="int32"), len(kept))
        told.append((int(found.rules[0, -1]), int(found.sides[0, -1])))
    return told


@pytest.mark.parametrize("seed", range(25))
def test_what_was_known_then_is_the_last_point_of_the_series_cut_there(seed):
    chance = np.random.default_rng(seed)
    values = np.cumsum(chance.normal(0, 0.6, (1, 70)), axis=1) + chance.normal(0, 1, (1, 70))
    values[chance.random((1, 70)) < 0.05] = np.nan
    phases = np.zeros((1, 70), dtype="int32")
    if seed % 2:
        phases[:, 30:] = 1
    found = spc.known_then(values, phases)
    told = list(zip(found.rules[0].tolist(), found.sides[0].tolist(), strict=True))
    assert told == cut_by_cut(values, phases, 20)
    assert any(rule for rule, _ in told)


def test_later_points_change_nothing_that_was_said():
    values = np.random.default_rng(3).normal(50, 4, (40, 90))
    phases = np.zeros(values.shape, dtype="int32")
    whole, part = spc.known_then(values, phases), spc.known_then(values[:, :60], phases[:, :60])
    for name in ("rules", "sides", "counts", "guards"):
        np.testing.assert_array_equal(getattr(whole, name)[:, :60], getattr(part, name))
    np.testing.assert_array_equal(whole.limits.upper[:, :60], part.limits.upper)


def test_rare_events_and_constants_raise_nothing():
    """On the pure method one event after 19 empty weeks marks every point (METHODS.md 2.1)."""
    rare = np.array([[0.0] * 19 + [1.0] + [0.0] * 20, [5.0] * 39 + [6.0]])
    found = spc.known_then(rare, np.zeros(rare.shape, dtype="int32"))
    assert not found.rules.any()
    assert set(found.guards[:, 12:].ravel().tolist()) == {spc.FLAT_RANGES}


def test_a_mirrored_series_says_the_mirrored_thing():
    values = np.cumsum(np.random.default_rng(8).normal(0, 1, (30, 60)), axis=1)
    phases = np.zeros(values.shape, dtype="int32")
    one, other = spc.known_then(values, phases), spc.known_then(-values, phases)
    assert one.rules.any()
    np.testing.assert_array_equal(one.rules, other.rules)
    np.testing.assert_array_equal(one.sides, -other.sides)
