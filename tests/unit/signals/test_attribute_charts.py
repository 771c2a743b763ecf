"""Charts of shares, rates, counts, means and rare events: qicharts2's figures, textbooks', and a slow second way."""

from __future__ import annotations

import json
import math
import statistics
from itertools import pairwise

import numpy as np
import pytest
from support.oracle_schedules import ORACLES

from hansei.signals.attribute_charts import KINDS, attribute_chart, c4, moving_ranges, ratio
from hansei.signals.limits import Figures
from hansei.signals.run_charts import runs_drawn

ORACLE = json.loads((ORACLES / "spc_attribute.json").read_text(encoding="utf-8"))
NAMES = {"pp": "p_prime", "up": "u_prime"}
LINES = {"cl": "centre", "lcl": "lower", "ucl": "upper", "lcl_2sigma": "near_lower", "ucl_2sigma": "near_upper"}


def floats(numbers) -> np.ndarray:
    return np.array([[np.nan if number is None else number for number in numbers]], dtype="float64")


def grouped(given: dict) -> Figures:
    """The cases of each x side by side: mean, number and standard deviation."""
    cases = {x: [y for label, y in zip(given["x"], given["y"], strict=True) if label == x] for x in given["x"]}
    means, sizes = [statistics.fmean(ys) for ys in cases.values()], [float(len(ys)) for ys in cases.values()]
    spreads = [statistics.stdev(ys) if len(ys) > 1 else None for ys in cases.values()]
    return Figures(floats(means), sizes=floats(sizes), spreads=floats(spreads))


def figures_of(case: dict, groups: np.ndarray) -> Figures:
    given, chart = case["input"], case["chart"]
    if chart == "xbar":
        return grouped(given)
    if chart == "s":
        cases = grouped(given)
        return Figures(cases.spreads, sizes=cases.sizes)
    counts = floats(given["y"])
    if given["n"] is not None:
        return ratio(counts, floats(given["n"]))
    if chart == "ip":
        return Figures(counts, sizes=np.ones(counts.shape))
    return Figures(moving_ranges(counts, groups) if chart == "mr" else counts)


@pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["id"])
def test_lines_equal_the_reference(case):
    given, expected = case["input"], case["expected"]
    groups = np.array([expected["part"]], dtype="int32") - 1
    numbers = np.arange(1, groups.shape[1] + 1)
    figures = figures_of(case, groups)
    left_out = np.isin(numbers, given["exclude_1based"])[None, :]
    name = NAMES.get(case["chart"], case["chart"])
    found = attribute_chart(name, figures, groups, given["freeze"], left_out)
    np.testing.assert_allclose(figures.values * given["multiply"], floats(expected["y"]), rtol=1e-9, atol=1e-12)
    for theirs, ours in LINES.items():
        lines = getattr(found.limits, ours) * given["multiply"]
        np.testing.assert_allclose(lines, floats(expected[theirs]), rtol=1e-9, atol=1e-12, err_msg=theirs)
    assert found.is_beyond[0].tolist() == expected["sigma_signal"]
    if case["chart"] != "mr":
        assert_runs(runs_drawn(figures.values, found.limits.centre, groups, left_out), groups, expected["runs"])


def assert_runs(found, groups: np.ndarray, expected: list[dict]) -> None:
    for part in expected:
        at = (0, int(np.flatnonzero(groups[0] == part["part"] - 1)[0]))
        assert found.useful[at] == part["n_useful"]
        assert bool(found.is_signal[at]) == part["runs_signal"]
        if part["longest_run"] is not None:
            told = (found.longest[at], found.longest_usual[at], found.crossings[at], found.fewest_usual[at])
            assert told == tuple(
                part[name] for name in ("longest_run", "longest_run_max", "n_crossings", "n_crossings_min")
            )


def test_the_constants_are_those_of_the_textbook():
    """Montgomery, appendix VI: c4, A3, B3 and B4 for 2, 5, 10 and 25 cases."""
    printed = {2: (0.7979, 2.659, 0, 3.267), 5: (0.94, 1.427, 0, 2.089)}
    printed |= {10: (0.9727, 0.975, 0.284, 1.716), 25: (0.9896, 0.606, 0.565, 1.435)}
    for size, (mean_spread, a3, b3, b4) in printed.items():
        sizes, alike = np.full((1, 4), float(size)), np.zeros((1, 4), dtype="int32")
        ones = np.ones((1, 4))
        means = attribute_chart("xbar", Figures(ones * 0, sizes=sizes, spreads=ones), alike).limits
        spreads = attribute_chart("s", Figures(ones, sizes=sizes), alike).limits
        found = (c4(np.array(size)), means.upper[0, 0], spreads.lower[0, 0], spreads.upper[0, 0])
        assert found == pytest.approx((mean_spread, a3, b3, b4), abs=5e-4 + 5e-5)


def test_published_limits_of_a_p_chart():
    """Montgomery: p chart of orange juice cans, 347 of 30 samples of 50, limits 0.0524 and 0.4102."""
    counts = np.array([[12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12]])
    counts = np.concatenate([counts, [[7, 13, 9, 6]]], axis=1).astype(float)
    found = attribute_chart("p", ratio(counts, np.full(counts.shape, 50.0)), np.zeros(counts.shape, dtype="int32"))
    lines = (found.limits.centre[0, 0], found.limits.lower[0, 0], found.limits.upper[0, 0])
    assert lines == pytest.approx((0.2313, 0.0524, 0.4102), abs=6e-5)
    # Samples 15 and 23, as the book says.
    assert (np.flatnonzero(found.is_beyond[0]) + 1).tolist() == [15, 23]


def slow_lines(name: str, points: list[tuple[float, float, float]], of: tuple[float, float, float]) -> tuple:
    """Level and three sigma by hand for one point, from (count, size, spread) of the baseline."""
    total, size = sum(point[0] for point in points), sum(point[1] for point in points)
    level = total / size if name in ("u", "u_prime", "p", "p_prime") else statistics.fmean(p[0] for p in points)
    if name in ("p", "p_prime", "u", "u_prime"):
        variance = level * (1 - level) if name[0] == "p" else level
        sigma = math.sqrt(variance / of[1])
        if "prime" in name:
            scores = [(count / n - level) / math.sqrt(variance / n) for count, n, _ in points]
            sigma *= screened([abs(b - a) for a, b in pairwise(scores)]) / 1.128
        return level, level - 3 * sigma, level + 3 * sigma
    if name == "c":
        return level, level - 3 * math.sqrt(level), level + 3 * math.sqrt(level)
    if name == "g":
        sigma = math.sqrt(level * (level + 1))
        return statistics.median(p[0] for p in points), level - 3 * sigma, level + 3 * sigma
    assert name == "t"
    roots = [p[0] ** (1 / 3.6) for p in points]
    level = statistics.fmean(roots)
    sigma = screened([abs(b - a) for a, b in pairwise(roots)]) / 1.128
    return level**3.6, max(level - 3 * sigma, 0) ** 3.6, (level + 3 * sigma) ** 3.6


def screened(ranges: list[float]) -> float:
    usual = statistics.fmean(ranges)
    return statistics.fmean(item for item in ranges if item < 3.267 * usual)


@pytest.mark.parametrize("name", ["p", "p_prime", "u", "u_prime", "c", "g", "t"])
def test_lines_equal_those_worked_out_one_by_one(name):
    chance = np.random.default_rng(5)
    sizes = chance.integers(40, 400, (3, 30)).astype(float)
    counts = chance.binomial(sizes.astype(int), 0.2).astype(float)
    groups = np.zeros(sizes.shape, dtype="int32")
    groups[:, 18:] = 1
    is_ratio = name[0] in "pu"
    figures = ratio(counts, sizes) if is_ratio else Figures(counts)
    left_out = np.zeros(groups.shape, dtype=bool)
    left_out[:, 4] = True
    found = attribute_chart(name, figures, groups, 14, left_out).limits
    for row in range(3):
        for first, last in ((0, 18), (18, 30)):
            basis = [at for at in range(first, min(last, first + 14)) if at != 4]
            points = [(counts[row, at], sizes[row, at], 0.0) for at in basis]
            for at in range(first, last):
                centre, lower, upper = slow_lines(name, points, (counts[row, at], sizes[row, at], 0.0))
                told = (found.centre[row, at], found.lower[row, at], found.upper[row, at])
                top = 1 if name[0] == "p" else math.inf
                assert told == pytest.approx((centre, max(lower, 0), min(upper, top)), rel=1e-9)


def test_a_period_of_no_cases_has_neither_value_nor_limits():
    figures = ratio(np.array([[3.0, 0, 4, 2, np.nan]]), np.array([[20.0, 0, 22, np.nan, 30]]))
    found = attribute_chart("p", figures, np.zeros((1, 5), dtype="int32"))
    for line in (figures.values, found.limits.upper, found.limits.lower):
        assert np.isnan(line[0]).tolist() == [False, True, False, True, True]
    assert found.limits.centre[0, 0] == pytest.approx(7 / 42)


def test_what_a_chart_needs_is_said():
    values = Figures(np.ones((1, 5)))
    alike = np.zeros((1, 5), dtype="int32")
    with pytest.raises(ValueError, match="'p' needs counts and sizes"):
        attribute_chart("p", values, alike)
    with pytest.raises(ValueError, match="no chart of the kind 'q'; known: xmr, "):
        attribute_chart("q", values, alike)
    with pytest.raises(ValueError, match="above zero"):
        attribute_chart("t", Figures(np.zeros((1, 5))), alike)
    assert set(KINDS) >= {"p", "p_prime", "u", "u_prime", "c", "g", "t", "xbar", "s"}
