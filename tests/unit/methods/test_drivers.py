"""Drivers: planted causes are found, chance is not taken for one, and a changed make-up is told apart."""

from __future__ import annotations

import numpy as np
import pytest

from hansei.methods.drivers import Cells, explain

TEAMS, CHANNELS, PRIORITIES = ("a", "b", "c", "d", "e"), ("mail", "phone", "chat"), ("low", "normal", "high", "urgent")


def _grid() -> dict[str, np.ndarray]:
    teams, channels, priorities = np.meshgrid(TEAMS, CHANNELS, PRIORITIES, indexing="ij")
    return {"team": teams.ravel(), "channel": channels.ravel(), "priority": priorities.ravel()}


def _shares(random: np.random.Generator, cases0, cases1, rate0, rate1) -> Cells:
    n0, n1 = random.poisson(cases0), random.poisson(cases1)
    x0, x1 = random.binomial(n0, rate0), random.binomial(n1, rate1)
    parts = [part.astype(float) for part in (n0, x0, x0, n1, x1, x1)]
    return Cells(_grid(), *parts)


def test_one_team_in_one_channel_is_found_and_followed_down() -> None:
    dimensions = _grid()
    guilty = (dimensions["team"] == "b") & (dimensions["channel"] == "mail")
    random = np.random.default_rng(7)
    cells = _shares(random, np.full(60, 240.0), np.full(60, 80.0), np.full(60, 0.9), np.where(guilty, 0.45, 0.9))
    found = explain(cells)
    guilty_segments = {("team", "b"), ("channel", "mail")}
    # Either may come first: each holds all of the change.
    assert {(name, segment.shift.key) for name, segment in found.path[:2]} == guilty_segments
    assert {(name, segment.shift.key) for name, segment in found.drivers()} == guilty_segments
    assert found.dimensions[-1].name == "priority"
    for dimension in found.dimensions:
        assert dimension.parts.rate + dimension.parts.mix == pytest.approx(found.change)


def test_a_changed_make_up_has_no_driver() -> None:
    dimensions = _grid()
    rate = np.where(dimensions["channel"] == "mail", 0.6, 0.95)
    cases1 = np.where(dimensions["channel"] == "mail", 200.0, 60.0)
    found = explain(_shares(np.random.default_rng(3), np.full(60, 100.0), cases1, rate, rate))
    first = found.dimensions[0]
    assert first.name == "channel" and abs(first.parts.mix) > 5 * abs(first.parts.rate)
    assert found.drivers() == []
    assert first.segments[0].role == "candidate" and first.segments[0].shift.key == "mail"


def test_chance_is_seldom_taken_for_a_driver() -> None:
    random = np.random.default_rng(11)
    blamed = 0
    for _ in range(120):
        found = explain(_shares(random, np.full(60, 60.0), np.full(60, 12.0), np.full(60, 0.85), np.full(60, 0.85)))
        blamed += bool(found and found.drivers())
    assert blamed <= 12  # Benjamini-Hochberg at 5 % over all segments: 6 expected where they are independent


def test_means_are_held_with_welch() -> None:
    random = np.random.default_rng(5)
    dimensions = _grid()
    n0, n1 = np.full(60, 50.0), np.full(60, 20.0)
    now = np.where(dimensions["priority"] == "urgent", 14.0, 8.0)
    values0 = [random.gamma(4, 2.0, int(n)) for n in n0]
    values1 = [random.gamma(4, mean / 4, int(n)) for n, mean in zip(n1, now, strict=True)]
    sums = [np.array([v.sum() for v in values]) for values in (values0, values1)]
    squares = [np.array([(v * v).sum() for v in values]) for values in (values0, values1)]
    cells = Cells(dimensions, n0, sums[0], squares[0], n1, sums[1], squares[1], is_share=False)
    found = explain(cells)
    assert (found.dimensions[0].name, found.dimensions[0].segments[0].shift.key) == ("priority", "urgent")
    moved = found.dimensions[0].segments[0]
    every = [
        np.concatenate([v for v, p in zip(values, dimensions["priority"], strict=True) if p == "urgent"])
        for values in (values0, values1)
    ]
    from scipy import stats

    welch = stats.ttest_ind(every[1], every[0], equal_var=False).confidence_interval()
    assert (moved.lower, moved.upper) == pytest.approx((welch.low, welch.high))


def test_few_cases_are_pooled_and_nothing_moves_nothing() -> None:
    cells = Cells(
        {"team": np.array(["a", "b", "c", "d"])},
        *(np.array(part, dtype=float) for part in ([50, 5, 4, 3], [40, 4, 2, 1], [40, 4, 2, 1])),
        *(np.array(part, dtype=float) for part in ([60, 2, 3, 4], [30, 1, 1, 2], [30, 1, 1, 2])),
    )
    found = explain(cells)
    assert {segment.shift.key for segment in found.dimensions[0].segments} == {"a", "(other)"}
    still = Cells({"team": np.array(["a"])}, *(np.array([10.0]),) * 6)
    assert explain(still) is None
