"""Plot-the-dots charts against the reference package's figures, and what was known then against cutting the series."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.oracle_schedules import ORACLES

from hansei.signals import spc
from hansei.signals.verdicts import ASSURANCES, assurance

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
WORDS = {"inconsistent": "hit and miss", "consistent_fail": "will miss", "consistent_pass": "will meet", None: "none"}


def floats(numbers) -> np.ndarray:
    return np.array([[np.nan if number is None else number for number in numbers]], dtype="float64")


def drawn(case: dict) -> tuple[np.ndarray, spc.Chart]:
    given = case["input"]
    groups = np.cumsum(np.isin(given["x"], given["rebase_dates"]))[None, :].astype("int32")
    values = floats(given["y"])
    return values, spc.chart(values, groups, given["fix_after_n_points"], given["screen_outliers"])


@pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["id"])
def test_chart_equals_the_reference(case):
    _, found = drawn(case)
    points = case["expected"]["points"]
    for name, ours in (("mean", found.limits.centre), ("lpl", found.limits.lower), ("upl", found.limits.upper)):
        np.testing.assert_allclose(ours, floats([point[name] for point in points]), rtol=1e-9, atol=1e-12)
    told = list(zip(found.rules[0].tolist(), found.sides[0].tolist(), strict=True))
    assert told == [TYPES[point["special_cause_type"]] for point in points]


@pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["id"])
def test_assurance_equals_the_reference(case):
    _, found = drawn(case)
    target = case["input"]["target"]
    targets = np.full(found.rules.shape, np.nan if target is None else target)
    directions = np.array([SIGNS[case["input"]["improvement_direction"]]])
    codes = assurance(targets, found.limits.lower, found.limits.upper, directions)
    assert ASSURANCES[codes[0, -1]] == WORDS[case["expected"]["assurance"]]


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
