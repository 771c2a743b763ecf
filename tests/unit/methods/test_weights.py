"""AHP against Saaty's published examples and AHPy (oracles/ahp.json), and what it says of contradictions."""

from __future__ import annotations

import numpy as np
import pytest
from support.oracle_schedules import oracle

from hansei.methods import weights

CLOSE = {"rel": 1e-9, "abs": 1e-12}
CYCLE = [[1, 5, 1 / 5], [1 / 5, 1, 5], [5, 1 / 5, 1]]


def test_the_tables_of_random_indices_are_the_published_ones() -> None:
    meta = oracle("ahp")["meta"]
    for name, key in (("saaty_1980", "ri_saaty_1980"), ("saaty_2005", "ri_saaty_2005"), ("donegan_dodd",) * 2):
        published = meta.get(key) or meta[f"ri_{key}"]
        assert weights.RANDOM_INDEX[name] == {int(size): ri for size, ri in published.items() if int(size) > 2}


def test_every_matrix_of_the_oracle() -> None:
    cases = oracle("ahp")["cases"]
    assert len(cases) >= 14
    for case in cases:
        expected = case["expected"]
        found = weights.weigh(case["matrix"])
        assert found.weights == pytest.approx(expected["weights_eigenvector"], **CLOSE), case["id"]
        assert weights.row_means(case["matrix"]) == pytest.approx(expected["weights_geometric_mean"], **CLOSE)
        assert found.lambda_max == pytest.approx(expected["lambda_max"], **CLOSE)
        assert found.consistency_index == pytest.approx(expected["ci"], **CLOSE)
        assert found.is_consistent == expected["consistent_lt_0_10"]
        for table, key in (("saaty_1980", "saaty1980"), ("saaty_2005", "saaty2005"), ("donegan_dodd",) * 2):
            ratio = weights.weigh(case["matrix"], table).consistency_ratio
            # The oracle's Donegan-Dodd ratios are AHPy's, which stops at 12 decimals.
            assert ratio == pytest.approx(expected.get(f"cr_{key}", 0.0), rel=1e-9, abs=1e-11), (case["id"], table)


def test_published_weights_and_ratios() -> None:
    for case in oracle("ahp")["cases"]:
        published = case["published"] or {}
        if "weights" in published:
            # Printed to two or three digits, by hand for the school.
            assert weights.weigh(case["matrix"]).weights == pytest.approx(published["weights"], abs=0.0051), case["id"]


def test_a_hierarchy_comes_to_the_published_choice() -> None:
    case = oracle("ahp")["hierarchy"][0]
    criteria = weights.weigh(case["criteria"]["matrix"]).weights
    local = []
    for name in case["criteria"]["names"]:
        local.append(weights.weigh(case["matrices"][name]).weights)
        assert local[-1] == pytest.approx(case["local_weights"][name], **CLOSE)
    found = dict(zip(case["alternatives"], weights.composed(criteria, local), strict=True))
    assert found == pytest.approx(case["expected_global"], **CLOSE)
    assert found == pytest.approx(case["published"], abs=0.0005)


def test_a_cycle_is_named_with_the_judgement_that_fits_worst() -> None:
    found = weights.weigh(CYCLE)
    assert not found.is_consistent
    assert found.doubt.triple == (0, 1, 2)
    assert found.doubt.factor == pytest.approx(125)  # 5 * 5 * 5 round the cycle
    assert (found.doubt.judged, found.doubt.implied) == (pytest.approx(5), pytest.approx(1 / 25))


def test_one_wrong_judgement_among_consistent_ones_is_found() -> None:
    true = np.array([0.4, 0.3, 0.2, 0.1])
    matrix = true[:, None] / true[None, :]
    matrix[1, 3], matrix[3, 1] = 1 / 6, 6.0  # was 3: the second is 3 times the fourth
    doubt = weights.weigh(matrix).doubt
    assert (doubt.first, doubt.second) == (3, 1)
    assert doubt.judged == pytest.approx(6)
    assert doubt.implied == pytest.approx(1 / 3)
    assert doubt.factor == pytest.approx(18)


def test_no_contradiction_raises_no_doubt() -> None:
    true = np.array([0.5, 0.25, 0.125, 0.125])
    found = weights.weigh(true[:, None] / true[None, :])
    assert found.weights == pytest.approx(true)
    assert found.doubt is None
    assert found.consistency_ratio == pytest.approx(0, abs=1e-12)


def test_several_judges_are_the_geometric_mean_of_each_judgement() -> None:
    first = [[1, 8, 1], [1 / 8, 1, 1], [1, 1, 1]]
    second = [[1, 2, 1], [1 / 2, 1, 1], [1, 1, 1]]
    joined = weights.together([first, second])
    assert joined[0, 1] == pytest.approx(4)  # sqrt(8 * 2)
    assert joined[1, 0] == pytest.approx(1 / 4)
    assert np.allclose(joined * joined.T, 1)
    assert weights.together([first]) == pytest.approx(np.array(first))


@pytest.mark.parametrize(
    ("matrix", "complaint"),
    [
        ([[1, 2], [2, 1]], "not reciprocal"),
        ([[1, 2]], "square matrix"),
        ([[1, -2], [-0.5, 1]], "positive number"),
        ([[2.0]], "not reciprocal"),
        (np.ones((11, 11)), "11 things are compared"),
        ([[1, float("nan")], [1, 1]], "positive number"),
    ],
)
def test_what_is_no_matrix_of_judgements_is_refused(matrix, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        weights.weigh(matrix)


def test_an_unknown_table_and_no_judges_are_refused() -> None:
    with pytest.raises(ValueError, match="known are saaty_1980"):
        weights.weigh(CYCLE, "saaty_1990")
    with pytest.raises(ValueError, match="no judge"):
        weights.together([])
    with pytest.raises(ValueError, match="different numbers"):
        weights.together([CYCLE, [[1, 2], [0.5, 1]]])
