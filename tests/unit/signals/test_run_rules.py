"""Western Electric's and Nelson's rules against qcc's figures, rules without limits by cutting the series."""

from __future__ import annotations

import json
from itertools import groupby

import numpy as np
import pytest
from scipy import stats
from support.oracle_schedules import ORACLES

from hansei.signals.run_charts import fewest_crossings, runs_then
from hansei.signals.run_rules import RULE_SETS, FixedPoints
from hansei.signals.windows import NO_SIDE

ORACLE = json.loads((ORACLES / "spc_rules.json").read_text(encoding="utf-8"))
SETS = {"WER": "western_electric", "NEL": "nelson"}


def points_of(values, centre: float = 0.0, sigma: float = 1.0) -> FixedPoints:
    row = np.array([values], dtype="float64")
    return FixedPoints(row, np.array(centre), np.array(sigma), np.arange(row.shape[1])[None, :])


def found_at(name: str, points: FixedPoints) -> list[int]:
    rule = RULE_SETS[SETS[name[:3]]][int(name[3]) - 1]
    return (np.flatnonzero(rule.find(points)[0]) + 1).tolist()


@pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["id"])
def test_rules_equal_the_reference(case):
    given = case["input"]
    points = points_of(given["y"], given["center"], given["sigma"])
    expected = case["expected_violating_indices_1based"]
    assert len(expected) == 12
    assert {name: found_at(name, points) for name in expected} == {name: sorted(at) for name, at in expected.items()}


# What no case of the oracle shows; worked out by hand.
@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("NEL4", [0, 2] * 6 + [0], []),
        ("NEL4", [0, 2] * 7 + [0], [14, 15]),
        ("NEL4", [0, 2] * 4 + [2] + [0, 2] * 4, []),
        ("NEL7", [0.9, -0.9] * 7, []),
        ("NEL7", [1.0, 0.0] * 8 + [1.1], [15, 16]),
        ("NEL8", [1.1] * 8, []),
        ("NEL8", [1.1] * 7 + [-1.1, 0.9], [8]),
        ("NEL3", [1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2], [6, 7, 13]),
        ("NEL2", [0.1] * 9 + [-0.1] * 9 + [0.1], [9, 18]),
        ("NEL2", [0.1] * 8 + [0] + [0.1], []),
        ("WER2", [2.5, -2.5, 2.5, 0, 2.1], [3, 5]),
        ("WER3", [1.1, 1.1, 0, 1.1, 1.1, 0], [5]),
        ("WER1", [3.0, -3.0, 3.01, -3.01], [3, 4]),
    ],
)
def test_rules_at_their_edges(name, values, expected):
    assert found_at(name, points_of(values)) == expected


@pytest.mark.parametrize(
    "name", [f"WER{number}" for number in range(2, 5)] + [f"NEL{number}" for number in range(2, 9)]
)
def test_a_missing_period_or_a_new_phase_breaks_every_pattern(name):
    rule = RULE_SETS[SETS[name[:3]]][int(name[3]) - 1]
    chance = np.random.default_rng(3)
    values = np.concatenate([chance.normal(0, 1.2, (400, 40)), np.cumsum(chance.normal(0, 1, (400, 40)), axis=1)])
    values = np.concatenate([values, np.tile([0.1, -0.2], (5, 20)), np.tile([1.2, -1.3], (5, 20))])
    whole = np.broadcast_to(np.arange(40), values.shape)
    before = rule.find(FixedPoints(values, np.array(0.0), np.array(1.0), whole))
    assert before[:, 20 : 20 + rule.length - 1].any()
    gap = values.copy()
    gap[:, 20] = np.nan
    phases = np.where(np.arange(40) < 20, np.arange(40), np.arange(40) - 20)
    for points in (
        FixedPoints(gap, np.array(0.0), np.array(1.0), whole),
        FixedPoints(values, np.array(0.0), np.array(1.0), np.broadcast_to(phases, values.shape)),
    ):
        after = rule.find(points)
        np.testing.assert_array_equal(after[:, :20], before[:, :20])
        assert not after[:, 20 : 20 + rule.length - 1].any()
        np.testing.assert_array_equal(after[:, 20 + rule.length :], before[:, 20 + rule.length :])


def test_mirrored_points_point_to_the_other_side():
    values = np.cumsum(np.random.default_rng(2).normal(0, 0.7, 300))
    for rules in RULE_SETS.values():
        for rule in rules:
            one, other = rule.find(points_of(values)), rule.find(points_of(-values))
            sided = one != NO_SIDE
            np.testing.assert_array_equal(np.where(sided, -one, one), other)


def test_fewest_crossings_are_the_binomial_quantile():
    assert [fewest_crossings(count) for count in range(1, 200)] == [
        int(stats.binom.ppf(0.05, count - 1, 0.5)) if count > 1 else 0 for count in range(1, 200)
    ]


def runs_by_hand(values: list[float], centre: float) -> int:
    """The side of the run going on where the series cut here signals."""
    signs = [1 if value > centre else -1 for value in values if not np.isnan(value) and value != centre]
    if not signs or np.isnan(values[-1]):
        return 0
    runs = [(side, len(list(run))) for side, run in groupby(signs)]
    is_long = runs[-1][1] > round(np.log2(len(signs))) + 3
    is_seldom = len(runs) - 1 < fewest_crossings(len(signs))
    return runs[-1][0] if is_long or is_seldom else 0


@pytest.mark.parametrize("seed", range(6))
def test_runs_known_then_are_those_of_the_series_cut_there(seed):
    chance = np.random.default_rng(seed)
    values = chance.normal(0, 1, (4, 60)) + np.cumsum(chance.normal(0, 0.2, (4, 60)), axis=1)
    values[chance.random(values.shape) < 0.06] = np.nan
    phases = np.zeros(values.shape, dtype="int32")
    phases[seed % 2 :: 2, 25:] = 1
    centre = np.where(np.arange(60) < 15, chance.normal(0, 0.2, (4, 60)), 0.1)
    marks, starts = runs_then(values, centre, phases)
    for row in range(4):
        for column in range(60):
            own = np.flatnonzero(phases[row, : column + 1] == phases[row, column])
            expected = runs_by_hand(values[row, own].tolist(), centre[row, column])
            assert marks[row, column] == expected, (row, column)
            if expected:
                run = values[row, starts[row, column] : column + 1] - centre[row, column]
                assert (np.sign(run[~np.isnan(run)]) == expected).all()
    assert marks.any()
