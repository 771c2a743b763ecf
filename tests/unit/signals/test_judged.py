"""Charts of every kind as known then, against drawing the series anew up to each period; and which chart is chosen."""

from __future__ import annotations

import numpy as np
import pytest

from hansei.signals import spc
from hansei.signals.attribute_charts import KINDS, attribute_chart, ratio
from hansei.signals.chart_choice import chosen, traits
from hansei.signals.judged import CHARTS, RULES, judged, judged_by_choice
from hansei.signals.limits import Figures, Sample
from hansei.signals.rare_events import between_events
from hansei.signals.run_charts import runs_drawn
from hansei.signals.run_rules import RULE_SETS, zones

VALUE_KINDS = ["xmr", "p", "p_prime", "u", "u_prime", "c", "xbar", "s"]


def some_figures(kind: str, seed: int, series: int = 3, periods: int = 60) -> tuple[Figures, np.ndarray]:
    """Series that drift away from where they began, with gaps, in one or two phases."""
    chance = np.random.default_rng(seed)
    shape = (series, periods)
    sizes = chance.integers(60, 240, shape).astype(float)
    drift = np.exp(np.cumsum(chance.normal(0, 0.06, shape), axis=1)) * np.where(np.arange(periods) < 40, 1, 1.6)
    counts = chance.poisson(sizes * np.clip(0.2 * drift, 0.02, 0.9)).astype(float)
    counts = np.minimum(counts, sizes)
    gap = chance.random(shape) < 0.04
    phases = np.zeros(shape, dtype="int32")
    phases[1:, 26:] = 1
    if kind[0] in "pu":
        figures = ratio(np.where(gap, np.nan, counts), sizes)
    else:
        values = np.where(gap, np.nan, counts)
        figures = Figures(values, counts=values, sizes=sizes, spreads=np.abs(chance.normal(9, 2, shape)))
    return figures, phases


class CutPoints:
    """The points of one series cut at one period, on the lines of a chart drawn of them."""

    def __init__(self, kind: str, figures: Figures, fix_after: int) -> None:
        alike = np.zeros(figures.values.shape, dtype="int32")
        self.values = figures.values
        self.chart = attribute_chart(kind, figures, alike, fix_after)
        self.places = np.arange(alike.shape[1])[None, :]
        scores = KINDS[kind].score(figures.values, self.chart.numbers, figures.sizes)
        self.zones = zones(scores, np.sign(figures.values - self.chart.limits.centre))

    def zone(self, back: int) -> np.ndarray:
        return np.concatenate([np.full((1, back), 99), self.zones], axis=1)[:, : self.zones.shape[1]]

    def step(self, back: int) -> np.ndarray:
        steps = np.concatenate([[[0.0]], np.nan_to_num(np.sign(np.diff(self.values, axis=1)))], axis=1)
        return np.concatenate([np.zeros((1, back)), steps], axis=1)[:, : steps.shape[1]].astype("int8")


def cut(figures: Figures, row: int, columns: np.ndarray) -> Figures:
    parts = (figures.values, figures.counts, figures.sizes, figures.spreads)
    return Figures(*(part if part is None else part[row : row + 1, columns] for part in parts))


def said_when_cut(kind: str, figures: Figures, row: int, columns: np.ndarray, rules: str) -> tuple[int, int]:
    own = cut(figures, row, columns)
    usable = ~np.isnan(own.values[0])
    if not usable[-1] or usable.sum() < spc.LEAST:
        return 0, 0
    points = CutPoints(kind, own, int(np.sum(np.cumsum(usable) <= 20)))
    if rules == "anhoj":
        runs = runs_drawn(own.values, points.chart.limits.centre, np.zeros(own.values.shape, dtype="int32"))
        is_on = runs.length[0, -1] > runs.longest_usual[0, -1] or runs.crossings[0, -1] < runs.fewest_usual[0, -1]
        return (1, int(runs.side[0, -1])) if is_on else (0, 0)
    for number, rule in enumerate(RULE_SETS[rules], start=1):
        mark = int(rule.find(points)[0, -1])
        if mark:
            return number, mark if mark in (1, -1) else 0
    return 0, 0


@pytest.mark.parametrize("rules", [*RULE_SETS, "anhoj"])
@pytest.mark.parametrize("kind", VALUE_KINDS)
def test_known_then_is_the_last_point_of_the_chart_drawn_then(kind, rules):
    figures, phases = some_figures(kind, seed=VALUE_KINDS.index(kind))
    found = judged(kind, figures, phases, 20, rules)
    for row in range(len(phases)):
        for column in range(phases.shape[1]):
            own = np.flatnonzero(phases[row, : column + 1] == phases[row, column])
            told = (int(found.rules[row, column]), int(found.sides[row, column]))
            assert told == said_when_cut(kind, figures, row, own, rules), (row, column)
    assert found.rules.any()


def test_the_default_is_the_chart_of_verdicts_itself():
    figures, phases = some_figures("xmr", 3, series=40)
    one, other = judged("xmr", figures, phases), spc.known_then(figures.values, phases)
    np.testing.assert_array_equal(one.rules, other.rules)
    assert one.names == spc.RULES == ("", *(rule.name for rule in RULE_SETS["plot_the_dots"]))


def weeks_of_events(gaps: list[int], after: int = 0) -> np.ndarray:
    weeks: list[float] = []
    for gap in gaps:
        weeks += [0.0] * (gap - 1) + [1.0]
    return np.array([weeks + [0.0] * after])


def test_rare_events_are_judged_by_the_way_between_them():
    """Seven short ways in a row tell that events have become more frequent, from the first of them on."""
    usual = [14, 3, 9, 4, 12, 6, 10, 2, 13, 7, 5, 11]
    counts = weeks_of_events([*usual, *[4] * 9])
    phases = np.zeros(counts.shape, dtype="int32")
    weeks = np.flatnonzero(counts[0])
    for kind in ("g", "t"):
        found = judged(kind, Figures(counts, counts=counts), phases, 12)
        told = np.flatnonzero(found.rules[0])
        assert told.tolist() == weeks[-3:].tolist()
        assert {spc.RULES[rule] for rule in found.rules[0, told]} == {"shift"}
        assert found.sides[0, told].tolist() == [1, 1, 1]
        assert found.pattern_starts[0, told].tolist() == weeks[12:15].tolist()
        assert found.guards[0, weeks[7]] == spc.TOO_SHORT
        assert found.guards[0, weeks[8]] == spc.FINE


def test_a_long_time_without_an_event_is_told_before_the_next_one():
    counts = weeks_of_events([4, 3, 5, 4, 4, 3, 5, 4, 4, 4, 3, 4], after=60)
    phases = np.zeros(counts.shape, dtype="int32")
    found = judged("g", Figures(counts, counts=counts), phases, 12)
    last = int(np.flatnonzero(counts[0])[-1])
    ways = np.array([3, 5, 4, 4, 3, 5, 4, 4, 4, 3, 4]) - 1.0
    limit = ways.mean() + 3 * np.sqrt(ways.mean() * (ways.mean() + 1))
    first = next(week for week in range(1, 61) if week - 1 > limit)
    assert np.flatnonzero(found.rules[0]).tolist()[0] == last + first
    assert set(found.sides[0, last + first :].tolist()) == {-1}


def test_nothing_is_said_where_a_chart_cannot_tell():
    none = np.zeros((1, 30))
    none[0, 29] = 1.0
    phases = np.zeros(none.shape, dtype="int32")
    for kind in ("p", "u", "c", "p_prime", "xmr", "g", "t"):
        figures = Figures(none if kind == "c" else none / 40, counts=none, sizes=np.full(none.shape, 40.0))
        assert not judged(kind, figures, phases).rules.any(), kind
    unguarded = judged("p", Figures(none / 40, none, np.full(none.shape, 40.0)), phases, is_guarded=False)
    assert unguarded.rules[0, 29] == spc.OUTSIDE


def test_an_unknown_chart_or_rule_set_is_named():
    figures, phases = some_figures("xmr", 1)
    with pytest.raises(ValueError, match="no chart 'mr' to judge by; known: xmr, p, "):
        judged("mr", figures, phases)
    with pytest.raises(ValueError, match="no rule set 'eight'; known: plot_the_dots, "):
        judged("xmr", figures, phases, rules="eight")
    with pytest.raises(ValueError, match="'p' needs counts and sizes"):
        judged("p", Figures(figures.values), phases)


@pytest.mark.parametrize(
    ("measure", "size", "overdispersion", "count", "empty", "expected"),
    [
        ("share", 120, 1.0, 30, 0.0, "p"),
        ("share", 500, 1.3, 100, 0.0, "p"),
        ("share", 500, 1.31, 100, 0.0, "p_prime"),
        ("share", 1001, 1.0, 300, 0.0, "p_prime"),
        ("share", 19, 1.0, 8, 0.0, "xmr"),
        ("share", 300, 1.0, 0.7, 0.5, "g"),
        ("share", 300, 1.0, 1.9, 0.2, "p"),
        ("rate", 300, 1.0, 40, 0.0, "u"),
        ("rate", 300, 2.0, 40, 0.0, "u_prime"),
        ("rate", 300, 1.0, 0.4, 0.7, "g"),
        ("count", 1, 1.1, 12, 0.0, "c"),
        ("count", 1, 1.6, 12, 0.0, "xmr"),
        ("count", 1, 1.6, 0.3, 0.8, "g"),
        ("other", 300, 1.0, 0.4, 0.7, "xmr"),
        ("share", np.nan, np.nan, np.nan, np.nan, "xmr"),
    ],
)
def test_the_chart_that_suits_the_data(measure, size, overdispersion, count, empty, expected):
    assert chosen(measure, np.array([[size], [overdispersion], [count], [empty]], dtype=float)).tolist() == [expected]


def test_the_traits_of_a_baseline():
    counts, sizes = np.array([[2.0, 0, 1, 0]]), np.array([[10.0, 30, 20, 40]])
    sample = Sample(counts / sizes, np.ones((1, 3), dtype=bool), counts, sizes)
    size, overdispersion, count, empty, is_other = traits(True)(sample)[:, 0]
    assert (size, count, empty, is_other) == (25, 0.75, 0.5, 0)
    level = 3 / 100
    scores = (counts[0] / sizes[0] - level) / np.sqrt(level * (1 - level) / sizes[0])
    assert overdispersion == pytest.approx(np.mean(np.abs(np.diff(scores))) / 1.128)
    rest = traits(True)(Sample(1 - counts / sizes, sample.is_next, sizes - counts, sizes))[:, 0]
    assert rest.tolist() == pytest.approx([25, overdispersion, 0.75, 0.5, 1])


def test_a_chart_is_chosen_once_and_later_points_change_nothing():
    chance = np.random.default_rng(4)
    sizes = chance.integers(80, 200, (6, 80)).astype(float)
    share = np.array([0.2, 0.5, 0.9, 0.004, 0.996, 0.3])[:, None]
    share = np.where(np.arange(80) < 60, share, np.clip(share * 1.3, 0, 0.97))
    share[5] = np.clip(0.3 + chance.normal(0, 0.15, 80), 0.05, 0.95)
    figures = ratio(chance.binomial(sizes.astype(int), share).astype(float), sizes)
    phases = np.zeros(sizes.shape, dtype="int32")
    whole, kinds = judged_by_choice("share", figures, phases)
    assert (kinds[:, :19] == "xmr").all()
    assert kinds[:, 30].tolist() == ["p", "p", "p", "g", "g", "p_prime"]
    part, _ = judged_by_choice("share", cut_all(figures, 50), phases[:, :50])
    np.testing.assert_array_equal(whole.rules[:, :50], part.rules)
    np.testing.assert_array_equal(whole.sides[:, :50], part.sides)
    own = judged("p", figures, phases)
    np.testing.assert_array_equal(whole.sides[0, 20:], own.sides[0, 20:])
    # Of a share near 1 the rest is rare: more of the rest is a lower share.
    assert set(whole.sides[4, 62:].tolist()) >= {-1}
    mirrored, _ = judged_by_choice("share", ratio(sizes - figures.counts, sizes), phases)
    np.testing.assert_array_equal(whole.sides, -mirrored.sides)


def cut_all(figures: Figures, periods: int) -> Figures:
    parts = (figures.values, figures.counts, figures.sizes)
    return Figures(*(part[:, :periods] for part in parts))


def rare_figures(seed: int) -> tuple[Figures, np.ndarray]:
    chance = np.random.default_rng(seed)
    counts = chance.poisson(0.35, (30, 120)).astype(float)
    counts[:, 80:] += chance.poisson(0.5, (30, 40))
    values = np.where(chance.random(counts.shape) < 0.03, np.nan, counts)
    phases = np.zeros(counts.shape, dtype="int32")
    phases[::4, 60:] = 1
    return Figures(values, counts=values, sizes=chance.integers(1, 4, counts.shape).astype(float)), phases


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("kind", CHARTS)
def test_neither_later_points_nor_other_series_change_what_was_said(kind, rules):
    figures, phases = rare_figures(3) if kind in ("g", "t") else some_figures(kind, 3, series=30, periods=120)
    whole = judged(kind, figures, phases, 20, rules)
    assert whole.rules.any()
    parts = (figures.values, figures.counts, figures.sizes, figures.spreads)
    early = Figures(*(part if part is None else part[:, :75] for part in parts))
    some = np.array([17, 4, 8])
    alone = Figures(*(part if part is None else part[some] for part in parts))
    for name in ("rules", "sides", "pattern_starts", "counts", "guards"):
        said = getattr(whole, name)
        np.testing.assert_array_equal(said[:, :75], getattr(judged(kind, early, phases[:, :75], 20, rules), name))
        np.testing.assert_array_equal(said[some], getattr(judged(kind, alone, phases[some], 20, rules), name))
    assert (whole.pattern_starts >= 0).all()
    assert (whole.pattern_starts <= np.arange(phases.shape[1])).all()


@pytest.mark.parametrize("kind", CHARTS)
def test_nothing_is_said_of_no_series_no_periods_and_series_without_a_value(kind):
    for shape in ((0, 30), (3, 0), (2, 1), (2, 40)):
        empty = np.full(shape, np.nan)
        figures = Figures(empty, counts=empty, sizes=empty, spreads=empty)
        for rules in RULES:
            found = judged(kind, figures, np.zeros(shape, dtype="int32"), 20, rules)
            assert found.rules.shape == shape
            assert not found.rules.any()
            assert set(found.guards.ravel().tolist()) <= {spc.NO_VALUE}


def ways_by_hand(counts: list[float], sizes: list[float], less: float) -> list[tuple[int, float]]:
    """(period, way) of each event of one phase, the first period's without a way left out."""
    found, passed, seen = [], 0.0, False
    for period, (count, size) in enumerate(zip(counts, sizes, strict=True)):
        if np.isnan(count):
            continue
        passed += size
        if count:
            found += [(period, max(passed / count - less, 0.0))] * int(count) if seen else []
            passed, seen = 0.0, True
    return found


@pytest.mark.parametrize("is_counted", [True, False])
def test_ways_between_events_are_those_counted_one_by_one(is_counted):
    figures, phases = rare_figures(9)
    found = between_events(figures, phases, is_counted)
    for row in range(len(phases)):
        expected = []
        for phase in np.unique(phases[row]):
            own = np.flatnonzero(phases[row] == phase)
            ways = ways_by_hand(figures.values[row, own].tolist(), figures.sizes[row, own].tolist(), float(is_counted))
            expected += [(int(own[period]), way) for period, way in ways]
        at = np.flatnonzero(~np.isnan(found.ways[row]))
        assert found.columns[row, at].tolist() == [period for period, _ in expected]
        np.testing.assert_allclose(found.ways[row, at], [way for _, way in expected])
