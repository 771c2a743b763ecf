"""Charts that a threshold asks for: drawn of the parts that the indicator stores, told in its unit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from hansei.catalog import load_catalog
from hansei.catalog.threshold_checks import CHARTS
from hansei.catalog.thresholds import THRESHOLD_FILE, Chart, RuleSet
from hansei.pipeline.breach_cases import Case
from hansei.pipeline.breaching import find
from hansei.pipeline.charting import charted
from hansei.pipeline.series import Series
from hansei.settings import load_settings
from hansei.signals import spc
from hansei.signals.judged import judged
from hansei.signals.limits import Figures
from hansei.signals.run_rules import RULE_SETS
from hansei.signals.series import Block
from hansei.signals.verdicts import CONCERN, WORSE, sentence

COMMON = {
    "id": "limit",
    "kind": "spc_concern",
    "level": "warning",
    "reason": "changes for the worse are to be seen",
    "approver": "head",
    "valid_from": date(2020, 1, 6),
}


@pytest.fixture(scope="module")
def catalog():
    return load_catalog(load_settings())


def case_of(catalog, indicator: str, stored: dict[str, np.ndarray], **asked) -> Case:
    values = stored["value"]
    starts = np.array([date(2020, 1, 6) + timedelta(weeks=week) for week in range(values.shape[1])], "datetime64[D]")
    declared = catalog.indicators[indicator]
    direction = {"higher_is_better": 1, "lower_is_better": -1}[declared.direction]
    phases = np.zeros(values.shape, dtype="int32")
    block = Block(values, phases, np.full(len(values), direction, dtype="int8"), starts)
    unknown = np.full(values.shape, np.nan)
    series = Series(
        grain="week",
        keys=[(indicator, f"team={row}") for row in range(len(values))],
        block=block,
        is_stored=np.ones(values.shape, dtype=bool),
        is_ready=np.ones(values.shape, dtype=bool),
        states=np.full(values.shape, "ok", dtype=object),
        versions=np.ones(values.shape, dtype="int32"),
        stored={"square_sum": unknown, "lower_bound": unknown, "upper_bound": unknown, **stored},
    )
    threshold = THRESHOLD_FILE.validate_python({**COMMON, "indicator": indicator, **asked})
    return Case(threshold, declared, catalog, series, spc.known_then(values, phases, 20))


def of_parts(numerators: np.ndarray, denominators: np.ndarray, per: float = 1.0) -> dict[str, np.ndarray]:
    return {"numerator": numerators, "denominator": denominators, "value": per * numerators / denominators}


def shares(seed: int, share: float, weeks: int = 60) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(seed)
    sizes = chance.integers(90, 220, (3, weeks)).astype(float)
    return of_parts(chance.binomial(sizes.astype(int), share).astype(float), sizes)


def test_a_share_is_charted_by_its_cases(catalog):
    stored = shares(1, 0.8)
    stored = of_parts(
        np.where(np.arange(60) < 50, stored["numerator"], 0.66 * stored["denominator"]), stored["denominator"]
    )
    case = case_of(catalog, "csat_top_box", stored, chart="p")
    found = find(case)
    level = stored["numerator"][:, :20].sum(axis=1) / stored["denominator"][:, :20].sum(axis=1)
    width = 3 * np.sqrt(level[:, None] * (1 - level[:, None]) / stored["denominator"][:, 30:])
    np.testing.assert_allclose(found.limits[0][:, 30:], level[:, None] - width, rtol=1e-9)
    assert found.breaks[0][:, 50:].all()
    assert found.columns["chart"][1] == ("p",)
    np.testing.assert_array_equal(
        found.breaks[0][:, 30:] & (found.columns["rule"][0][:, 30:] == spc.OUTSIDE),
        stored["value"][:, 30:] < level[:, None] - width,
    )


def test_events_per_exposure_are_told_in_the_unit_of_the_indicator(catalog):
    chance = np.random.default_rng(2)
    exposure = chance.integers(800, 2000, (2, 50)).astype(float)
    per = catalog.indicators["complaint_rate"].per
    stored = of_parts(chance.poisson(exposure * 0.02).astype(float), exposure, per)
    found = charted(case_of(catalog, "complaint_rate", stored, chart="u"))
    level = per * stored["numerator"][:, :20].sum(axis=1) / exposure[:, :20].sum(axis=1)
    np.testing.assert_allclose(found.known.limits.centre[:, 20:], np.repeat(level[:, None], 30, axis=1), rtol=1e-9)
    width = 3 * np.sqrt(level[:, None] * per / exposure[:, 20:])
    np.testing.assert_allclose(found.known.limits.upper[:, 20:], level[:, None] + width, rtol=1e-9)


def test_a_mean_is_charted_by_the_spread_of_its_cases(catalog):
    chance = np.random.default_rng(3)
    cases = chance.normal(4, 1, (40, 25))
    cases[30:] -= 1
    stored = {
        "numerator": cases.sum(axis=1)[None, :],
        "denominator": np.full((1, 40), 25.0),
        "square_sum": (cases**2).sum(axis=1)[None, :],
        "value": cases.mean(axis=1)[None, :],
    }
    found = find(case_of(catalog, "csat_mean_5", stored, chart="xbar_s"))
    # Montgomery, appendix VI: A3 of 25 cases.
    width = 0.606 * cases[:20].std(axis=1, ddof=1).mean()
    assert found.limits[0][0, 25] == pytest.approx(cases[:20].mean() - width, abs=0.002)
    assert found.breaks[0][0, 30:].all()


def test_of_a_high_share_the_rare_event_is_the_bad_one(catalog):
    """One miss of 100 in every fourth week or so; then two in each of five weeks: the fourth tells it."""
    misses = np.zeros((1, 109))
    at = 0
    for gap in [3, 5, 2, 7, 4, 1, 6, 3, 8, 2, 5, 4, 1, 7, 3, 4, 6, 2, 5, 3, 4, 9, 2, 6]:
        at += gap
        misses[0, at] = 1.0
    misses[0, 104:109] = 2.0
    stored = of_parts(100 - misses, np.full(misses.shape, 100.0))
    for chart in ("g", "auto"):
        case = case_of(catalog, "csat_top_box", stored, chart=chart)
        found = charted(case)
        assert not found.known.sides[0, :107].any(), chart
        assert found.known.sides[0, 107] == -1, chart
        assert found.known.names[found.known.rules[0, 107]] == "shift"
        assert found.names[found.kinds[0, 107]] == "g"
        breaks = find(case).breaks[0]
        assert np.flatnonzero(breaks[0]).tolist() == [107, 108]


def test_auto_tells_which_chart_it_took(catalog):
    chance = np.random.default_rng(5)
    sizes = np.full((2, 50), 150.0)
    share = np.stack([np.full(50, 0.7), np.clip(0.7 + chance.normal(0, 0.1, 50), 0, 1)])
    stored = of_parts(chance.binomial(150, share).astype(float), sizes)
    finding = find(case_of(catalog, "csat_top_box", stored, chart="auto", rules="western_electric"))
    codes, names = finding.columns["chart"]
    assert [[names[code] for code in codes[row, [10, 40]]] for row in (0, 1)] == [["xmr", "p"], ["xmr", "p_prime"]]
    assert finding.columns["rule"][1] == ("", *(rule.name for rule in RULE_SETS["western_electric"]))
    bare = find(case_of(catalog, "first_reply_median", {**stored, "value": sizes + share}, chart="auto"))
    assert set(bare.columns["chart"][1]) == {"xmr"}


def test_a_season_is_taken_out_from_the_third_year_on_and_put_back_into_the_lines(catalog):
    chance = np.random.default_rng(6)
    weeks = 190
    days = np.array([date(2020, 1, 6) + timedelta(weeks=week) for week in range(weeks)], "datetime64[D]")
    winter = np.where(np.isin(days.astype("datetime64[M]").astype(int) % 12, (10, 11, 0, 1)), 30.0, 0.0)
    values = 100 + winter + chance.normal(0, 3, (1, weeks))
    stored = {"value": values, "numerator": values, "denominator": np.ones_like(values)}
    plain = charted(case_of(catalog, "first_reply_median", stored)).known
    found = charted(case_of(catalog, "first_reply_median", stored, season="month")).known
    np.testing.assert_array_equal(found.sides[:, :104], plain.sides[:, :104])
    assert found.counts[0, 103:106].tolist() == [104, 1, 2]
    # Of 78 weeks; what is left are the months' means, taken from eight or nine weeks each.
    assert (np.sum(plain.sides[0, 112:] != 0), np.sum(found.sides[0, 112:] != 0)) == (77, 20)
    centre = found.limits.centre[0, 130:]
    assert np.abs(centre - (100 + winter[130:])).max() < 6


def test_every_chart_and_rule_set_that_a_threshold_can_name_is_judged(catalog):
    assert set(RuleSet.__args__) == {*RULE_SETS, "anhoj"}
    assert set(Chart.__args__) == {chart for charts in CHARTS.values() for chart in charts}
    stored = shares(7, 0.6)
    figures = Figures(stored["value"], stored["numerator"], stored["denominator"])
    for rules in RuleSet.__args__:
        known = judged("p", figures, np.zeros(figures.values.shape, dtype="int32"), rules=rules)
        for name in known.names[1:]:
            assert "week" in sentence(WORSE, CONCERN, name, 0, False, "ok", "week")
    case = case_of(catalog, "csat_top_box", stored)
    assert charted(case).known is case.known


def test_data_kinds_follow_from_the_interval_that_a_definition_gives(catalog):
    kinds = {item.id: item.data_kind for item in catalog.indicators.values()}
    expected = {"csat_top_box": "share", "complaint_rate": "rate", "complaint_count": "count", "csat_mean_5": "mean"}
    assert {name: kinds[name] for name in expected} == expected
    assert kinds["first_reply_median"] == "other"
    assert replace(catalog).indicators["first_reply_mean"].data_kind == "mean"
