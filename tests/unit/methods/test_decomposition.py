"""Changes taken apart, against Das Gupta's worked examples and exact fractions (oracles/decomposition.json)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.oracle_schedules import oracle

from hansei.methods.decomposition import decompose, factor_effects, structure_effects

CLOSE = {"rel": 1e-9, "abs": 1e-12}


def _decomposed(case: dict):
    segments = case["input"]
    sums = {
        period: [s.get(f"x{period}", s[f"n{period}"] * s.get(f"r{period}", 0)) for s in segments.values()]
        for period in "01"
    }
    counts = {period: [s[f"n{period}"] for s in segments.values()] for period in "01"}
    return decompose(list(segments), counts["0"], sums["0"], counts["1"], sums["1"])


def test_every_segment_of_every_case() -> None:
    cases = oracle("decomposition")["kitagawa_segments"]
    assert len(cases) >= 9
    for case in cases:
        found, expected = _decomposed(case), case["expected"]
        assert (found.rate0, found.rate1) == pytest.approx((expected["rate0"], expected["rate1"]), **CLOSE)
        assert found.change == pytest.approx(expected["total_change"], **CLOSE)
        assert (found.mix, found.rate) == pytest.approx((expected["mix"], expected["rate"]), **CLOSE), case["id"]
        assert {segment.key for segment in found.segments} == set(expected["segments"])
        for segment in found.segments:
            wanted = expected["segments"][segment.key]
            assert segment.rate_effect == pytest.approx(wanted["rate_effect"], **CLOSE), (case["id"], segment.key)
            assert segment.mix_effect == pytest.approx(wanted["mix_effect_centred"], **CLOSE), (case["id"], segment.key)
            for own, given_rate in ((segment.rate0, wanted["r0"]), (segment.rate1, wanted["r1"])):
                assert own == (None if given_rate is None else pytest.approx(given_rate, **CLOSE))
        if case["id"] != "no_change":
            assert [segment.key for segment in found.ranked()] == expected["ranking_by_abs_total"]


def test_kidney_stones_are_a_paradox_and_a_pure_shift_is_none() -> None:
    cases = {case["id"]: case for case in oracle("decomposition")["kitagawa_segments"]}
    assert _decomposed(cases["simpson_kidney_stones"]).is_paradox
    assert not _decomposed(cases["pure_mix"]).is_paradox
    assert not _decomposed(cases["pure_rate"]).is_paradox


def test_a_period_without_a_case_has_nothing_to_compare() -> None:
    assert decompose(["a"], [0], [0], [10], [5]) is None
    assert decompose([], [], [], [], []) is None


numbers = st.integers(0, 400)


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=12))
def test_parts_sum_to_the_change(rows: list[tuple[int, int, int, int]]) -> None:
    n0, n1 = [a for a, _, _, _ in rows], [b for _, b, _, _ in rows]
    x0, x1 = [min(a, c) for a, _, c, _ in rows], [min(b, d) for _, b, _, d in rows]
    found = decompose([str(i) for i in range(len(rows))], n0, x0, n1, x1)
    if found is None:
        assert not sum(n0) or not sum(n1)
        return
    assert found.rate + found.mix == pytest.approx(sum(x1) / sum(n1) - sum(x0) / sum(n0), abs=1e-12)
    back = decompose([str(i) for i in range(len(rows))], n1, x1, n0, x0)
    assert (back.rate, back.mix) == pytest.approx((-found.rate, -found.mix), abs=1e-12)


def test_products_of_factors() -> None:
    compared = 0
    for case in oracle("decomposition")["das_gupta"]:
        if case["rate_function"] != "product of factors" or case["crossclassified"]:
            continue
        before, now = ([case["data"][factor][period] for factor in case["factors"]] for period in (0, 1))
        assert factor_effects(before, now) == pytest.approx(case["result"]["columns"]["diff"][:-1], rel=1e-9)
        compared += 1
    assert compared >= 4


def _table(case: dict) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Sizes and rates of both years, by race and age."""
    data = case["data"]
    shape = (len(set(data["race"])), len(set(data["age"])))
    years = sorted(set(data["pop"]))
    return tuple(
        [
            np.array([v for v, y in zip(data[name], data["pop"], strict=True) if y == year]).reshape(shape)
            for year in years
        ]
        for name in ("size", "rate")
    )


def test_structures_of_two_dimensions() -> None:
    cases = {case["id"]: case for case in oracle("decomposition")["das_gupta"]}
    case = cases["das_gupta_5.3_death_rates_crossclassified"]
    sizes, rates = _table(case)
    age, race, rate = case["result"]["columns"]["diff"][:-1]
    assert structure_effects(sizes[0], rates[0], sizes[1], rates[1]) == pytest.approx([race, age, rate], rel=1e-9)


def test_a_structure_taken_whole() -> None:
    cases = {case["id"]: case for case in oracle("decomposition")["das_gupta"]}
    case = cases["das_gupta_5.3_death_rates_collapsed"]
    sizes, rates = _table(case)
    effects = factor_effects(
        [sizes[0], rates[0]],
        [sizes[1], rates[1]],
        lambda factors: float((factors[0] / factors[0].sum() * factors[1]).sum()),
    )
    assert effects == pytest.approx(case["result"]["columns"]["diff"][:-1], rel=1e-9)
