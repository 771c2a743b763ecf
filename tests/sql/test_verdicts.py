"""The words as the night stores them, on both engines: from stored values to signals, safe and cheap to repeat."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from support.stored_values import Desk, store_values

from hansei.catalog import Catalog
from hansei.catalog.thresholds import StaticThreshold
from hansei.pipeline.judging import judge_changes
from hansei.pipeline.readiness import Readiness
from hansei.warehouse import Warehouse
from hansei.warehouse.runs import Run

MONDAY = date(2026, 1, 5)
AS_OF = datetime(2026, 6, 15, 3)
# Twenty weeks from 0.78 to 0.82 and back: centre 0.80, moving ranges 0.04, limits 0.80 less and more 2.66 * 0.04.
CALM = [0.78, 0.82] * 10
FALL = [0.66, 0.81]
# Rows of one judging: the words of 22 weeks, and what the threshold says of them.
BOTH = 44
LIMIT = StaticThreshold(
    id="floor",
    indicator="csat_top_box",
    kind="static",
    warning=0.79,
    unit="ratio",
    reason="two in three is too few",
    approver="a",
    valid_from=MONDAY,
)


@pytest.fixture
def judged(catalog: Catalog) -> Catalog:
    return replace(catalog, sources={"desk": Desk(tuple(catalog.entities))}, thresholds={"floor": LIMIT})


def _row(week: int, value: float, **other: Any) -> dict[str, Any]:
    place = {"indicator": "csat_top_box", "version": 1, "grain": "week", "segment_id": "all"}
    start = {"period_start": MONDAY + timedelta(weeks=week), "run_id": "r", "known_since": AS_OF}
    figures = {"numerator": value * 50, "denominator": 50.0, "sample_count": 50, "value": value, "state": "ok"}
    return {**place, **start, **figures, **other}


def _fill(warehouse: Warehouse, complete_until: datetime = AS_OF) -> None:
    store_values(warehouse, [_row(week, value) for week, value in enumerate([*CALM, *FALL])], complete_until)


def _judge(warehouse: Warehouse, catalog: Catalog, run_id: str = "night") -> int:
    with warehouse.transaction():
        run = Run(run_id, "night", AS_OF, {})
        return judge_changes(warehouse, catalog, run, Readiness(warehouse, catalog))


def _said(warehouse: Warehouse) -> list[dict[str, Any]]:
    return warehouse.rows("SELECT * FROM indicators.signals WHERE kind = 'verdict' ORDER BY segment_id, period_start")


def test_a_fall_below_the_usual_range_is_worse_and_everything_before_is_steady(warehouse, judged):
    _fill(warehouse)
    assert _judge(warehouse, judged) == BOTH
    said = _said(warehouse)
    words = [row["verdict"] for row in said]
    # Seven weeks are too few to know what is usual; a week at 0.78 misses 0.79 and one at 0.82 meets it.
    assert words[:7] == ["too few data"] * 7
    assert words[7:20] == ["steady, meeting target", *["steady, missing target", "steady, meeting target"] * 6]
    assert words[20:] == ["worse", "steady, meeting target"]
    fallen = said[20]
    assert (fallen["variation"], fallen["rule"], fallen["chart"]) == ("worse", "outside", "xmr")
    assert fallen["assurance"] == "hit and miss"
    assert [fallen["centre"], fallen["lower_limit"], fallen["upper_limit"]] == pytest.approx([0.80, 0.6936, 0.9064])
    assert fallen["pattern_start"] == MONDAY + timedelta(weeks=20)
    assert fallen["reason"] == "Worse: this week lies outside the range that is usual."
    assert said[7]["phase_count"] == 8
    assert [row["is_trial"] for row in said] == [True] * 12 + [False] * 10


def test_nothing_is_said_of_a_week_that_a_source_does_not_cover(warehouse, judged):
    _fill(warehouse, complete_until=datetime(2026, 5, 28))
    _judge(warehouse, judged)
    assert [row["verdict"] for row in _said(warehouse)][-2:] == ["data not ready", "data not ready"]
    assert _said(warehouse)[-1]["variation"] == "not judged"


def test_judging_again_writes_nothing_until_something_changed(warehouse, judged):
    _fill(warehouse)
    _judge(warehouse, judged)
    before = _said(warehouse)
    assert _judge(warehouse, judged, "again") == 0
    assert _said(warehouse) == before
    later = AS_OF + timedelta(days=1)
    warehouse.execute(
        "UPDATE indicators.indicator_values SET value = 0.80, known_since = :later WHERE period_start = :week",
        {"later": later, "week": MONDAY + timedelta(weeks=20)},
    )
    assert _judge(warehouse, judged, "restated") == BOTH
    assert [row["verdict"] for row in _said(warehouse)][20] == "steady, meeting target"


@pytest.mark.parametrize("change", ["value = 0.80", "sample_count = 49", "lower_bound = 0.1"])
def test_a_value_that_is_restated_as_of_the_same_instant_is_judged_again(warehouse, judged, change):
    """As a back-fill does, and a run that is repeated: nothing but the value itself tells that it moved."""
    _fill(warehouse)
    _judge(warehouse, judged)
    week = {"week": MONDAY + timedelta(weeks=20)}
    warehouse.execute(f"UPDATE indicators.indicator_values SET {change} WHERE period_start = :week", week)
    assert _judge(warehouse, judged, "repeated") == BOTH
    assert _judge(warehouse, judged, "repeated once more") == 0


def test_another_target_is_held_against_every_week_again(warehouse, judged):
    _fill(warehouse)
    _judge(warehouse, judged)
    stricter = LIMIT.model_copy(update={"warning": 0.95})
    assert _judge(warehouse, replace(judged, thresholds={"floor": stricter})) == BOTH
    said = _said(warehouse)
    assert {row["assurance"] for row in said[7:20]} == {"will miss"}
    assert said[19]["verdict"] == "steady, missing target"
    assert said[19]["reason"].endswith("without a change it will go on missing it.")


def test_an_indicator_that_is_gone_takes_its_words_along(warehouse, judged):
    _fill(warehouse)
    _judge(warehouse, judged)
    kept = {key: item for key, item in judged.indicators.items() if key != "csat_top_box"}
    _judge(warehouse, replace(judged, indicators=kept, thresholds={}))
    assert _said(warehouse) == []


def test_a_newer_definition_begins_a_new_phase(warehouse, judged):
    _fill(warehouse)
    newer = judged.indicators["csat_top_box"].model_copy(
        update={"version": 2, "valid_from": MONDAY + timedelta(weeks=15)}
    )
    _judge(warehouse, replace(judged, indicators={**judged.indicators, "csat_top_box": newer}))
    said = _said(warehouse)
    assert said[14]["phase_count"] == 15
    assert [row["phase_count"] for row in said[15:]] == [1, 2, 3, 4, 5, 6, 7]
    assert {row["phase_start"] for row in said[15:]} == {MONDAY + timedelta(weeks=15)}
    assert {row["verdict"] for row in said[15:]} == {"too few data"}
