"""Intervals and tests of shares against R, scipy, statsmodels and Newcombe's tables (oracles/proportion.json)."""

from __future__ import annotations

import pytest
from support.oracle_schedules import oracle

from hansei.methods import proportions

CLOSE = {"rel": 1e-9, "abs": 1e-12}


def test_one_share_at_every_confidence() -> None:
    compared = 0
    for case in oracle("proportion")["one_sample"]:
        for confidence, expected in case["expected"].items():
            assert set(expected) == set(proportions.METHODS)
            for method, ends in expected.items():
                found = proportions.interval(case["x"], case["n"], method, int(confidence[1:]) / 100)
                assert found == pytest.approx(ends, **CLOSE), (case["x"], case["n"], confidence, method)
                compared += 1
    assert compared >= 16 * 3 * 6


def test_published_intervals() -> None:
    published = oracle("proportion")["published"]
    assert len(published) >= 8
    for case in published:
        found = proportions.interval(case["x"], case["n"], case["method"])
        assert found == pytest.approx([case["lo"], case["hi"]], abs=5.1e-5), case


def test_two_shares() -> None:
    cases = oracle("proportion")["two_sample"]
    assert len(cases) >= 10
    for case in cases:
        found = proportions.compare(case["x1"], case["n1"], case["x2"], case["n2"])
        assert found.difference == pytest.approx(case["difference"], **CLOSE)
        assert found.interval == pytest.approx(case["newcombe_hybrid_score_95"], **CLOSE)
        if case["published_newcombe_method10"]:
            assert found.interval == pytest.approx(case["published_newcombe_method10"], abs=5.1e-5)
        for name in ("chi2", "p_chi2", "p_fisher", "p_barnard"):
            expected = case["chi2_uncorrected" if name == "chi2" else name]
            # Barnard's p is the maximum over an unknown share, which scipy looks for and does not know.
            close = {"rel": 1e-6} if name == "p_barnard" else {"rel": 1e-9}
            assert getattr(found, name) == (expected if expected is None else pytest.approx(expected, **close)), case


def test_rates_of_events() -> None:
    cases = oracle("proportion")["poisson_rate"]
    assert len(cases) >= 5
    for case in cases:
        found = proportions.rate_interval(case["events"], case["exposure"])
        assert found == pytest.approx(case["ci95"], rel=1e-9)


def test_ratios_of_rates() -> None:
    cases = oracle("proportion")["poisson_rate_ratio"]
    assert len(cases) >= 2
    for case in cases:
        found = proportions.rate_ratio(case["events1"], case["exposure1"], case["events2"], case["exposure2"])
        assert found.ratio == pytest.approx(case["ratio"], rel=1e-9)
        assert found.interval == pytest.approx(case["ci95"], rel=1e-9)
        assert found.p == pytest.approx(case["p"], rel=1e-9)


def test_many_tests_at_once() -> None:
    cases = oracle("proportion")["p_adjust"]
    assert len(cases) >= 4
    for case in cases:
        for name, method in (("BH", "benjamini_hochberg"), ("holm", "holm"), ("bonferroni", "bonferroni")):
            assert proportions.adjusted(case["p"], method) == pytest.approx(case[name], rel=1e-9), (case["p"], name)


def test_nothing_observed_has_no_interval() -> None:
    assert proportions.interval(0, 0) is None
    assert proportions.compare(0, 0, 1, 2) is None
    assert proportions.rate_interval(0, 0.0) is None
    assert proportions.rate_ratio(0, 10, 0, 10) is None
    assert proportions.rate_ratio(3, 10, 0, 10).ratio is None
    assert proportions.rate_ratio(3, 10, 0, 10).interval[1] is None
    assert proportions.adjusted([]) == []


@pytest.mark.parametrize(("x", "n"), [(3, 2), (-1, 2)])
def test_what_is_no_share_is_refused(x: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        proportions.interval(x, n)


def test_unknown_words_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="known are wilson"):
        proportions.interval(1, 2, "exact")
    with pytest.raises(ValueError, match="known are benjamini_hochberg"):
        proportions.adjusted([0.1], "fdr")
