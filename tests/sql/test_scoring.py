"""Scores and risks as the night stores them, on both engines: from stored values to tables, safe to repeat."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from support.stored_values import Desk, store_values

from hansei.catalog import Catalog
from hansei.catalog.risks import Risk
from hansei.catalog.scorecards import Profile, Quadrants, Scorecard
from hansei.pipeline.card_evidence import gather_cards, gather_profiles
from hansei.pipeline.readiness import Readiness
from hansei.pipeline.risk_evidence import gather_registers
from hansei.pipeline.scoring import score_everything
from hansei.warehouse import Warehouse
from hansei.warehouse.runs import Run
from hansei.warehouse.scoring_tables import SCORING_TABLES

MONDAY = date(2026, 3, 2)
WEEKS = 8
AS_OF = datetime(2026, 4, 27, 3)
COMMON = {"version": 1, "title": "T", "question": "Q", "owner": "o"}
CSAT = {"indicator": "csat_top_box", "worst": 0.5, "best": 1.0, "unit": "ratio"}
REOPEN = {"indicator": "reopen_rate", "worst": 0.2, "best": 0.0, "unit": "ratio"}
CARD = Scorecard(
    id="card",
    **COMMON,
    approver="a",
    segments=("all", "team=*"),
    dimensions=[
        {"id": "efficiency", "title": "E", "weight": 40, "indicators": [REOPEN]},
        {"id": "quality", "title": "Q", "weight": 50, "indicators": [CSAT]},
        {"id": "growth", "title": "G", "weight": 10},
    ],
)
PROFILE = Profile(
    id="outline",
    **COMMON,
    axes=[
        {"id": "one", "title": "1", "indicators": [CSAT]},
        {"id": "two", "title": "2", "indicators": [REOPEN]},
        {"id": "three", "title": "3"},
    ],
)
QUADRANTS = Quadrants(
    id="fields", **COMMON, scorecard="card", efficiency="efficiency", quality="quality", peers="team", fewest_peers=3
)
RISK = Risk(
    id="danger",
    **COMMON,
    indicator="csat_top_box",
    limit=0.7,
    unit="ratio",
    cause="experience",
    consequence={"customers": 4},
    control="Somebody calls back.",
    loss={
        "currency": "EUR",
        "frequency": {"kind": "breaching_periods"},
        "severity": {"kind": "lognormal", "median": 1000, "p95": 5000},
        "seed": 7,
        "years": 2000,
    },
    key_indicators=[
        {"indicator": "reopen_rate", "limit": 0.1, "unit": "ratio", "leads": "It comes before.", "owner": "o"}
    ],
)


def week(number: int) -> date:
    return MONDAY + timedelta(weeks=number)


@pytest.fixture
def scored(catalog: Catalog) -> Catalog:
    """The shipped catalog with one source, and the definitions of this module in place of the shipped ones."""
    return replace(
        catalog,
        sources={"desk": Desk(tuple(catalog.entities))},
        scorecards={"card": CARD},
        profiles={"outline": PROFILE},
        quadrants={"fields": QUADRANTS},
        risks={"danger": RISK},
    )


def _row(indicator: str, number: float | None, segment: str, at: int, **other: Any) -> dict[str, Any]:
    return {
        "indicator": indicator,
        "version": 1,
        "grain": "week",
        "period_start": week(at),
        "segment_id": segment,
        "numerator": None,
        "denominator": None,
        "sample_count": 40,
        "value": number,
        "lower_bound": None if number is None else number - 0.05,
        "upper_bound": None if number is None else number + 0.05,
        "state": "ok",
        "run_id": "r",
        "known_since": AS_OF,
        **other,
    }


def _values() -> list[dict[str, Any]]:
    """Eight finished weeks, the ninth unfinished; a team with too few answers, a day, and a pair of dimensions."""
    rows = []
    for at in range(WEEKS):
        rows.append(_row("csat_top_box", 0.6 + 0.05 * (at % 4), "all", at))
        rows.append(_row("reopen_rate", 0.05 if at < 6 else 0.15, "all", at))
        for number, team in enumerate("abc"):
            rows.append(_row("csat_top_box", 0.6 + 0.1 * number, f"team={team}", at))
            rows.append(_row("reopen_rate", 0.05 * number, f"team={team}", at))
        rows.append(_row("csat_top_box", 0.9, "team=d", at, state="insufficient", sample_count=4))
        rows.append(_row("csat_top_box", 0.9, "channel=mail&team=a", at))
        rows.append(_row("csat_top_box", 0.9, "channel=mail", at))
    rows.append(_row("csat_top_box", 0.1, "all", WEEKS, state="incomplete"))
    rows.append(_row("csat_top_box", 0.1, "all", 0, grain="day"))
    return rows


def _score(warehouse: Warehouse, catalog: Catalog, run_id: str = "night") -> dict[str, int]:
    readiness = Readiness(warehouse, catalog)
    return score_everything(warehouse, catalog, Run(run_id, "night", AS_OF, {}), readiness)


def _content(warehouse: Warehouse) -> dict[str, list[tuple]]:
    tables = {}
    for table, columns in SCORING_TABLES.items():
        names = ", ".join(name for name in columns if name not in ("run_id", "judged_at"))
        rows = [tuple(row.values()) for row in warehouse.rows(f"SELECT {names} FROM {table}")]
        tables[table] = sorted(rows, key=str)
    return tables


def test_stored_values_become_cards(warehouse: Warehouse, scored: Catalog) -> None:
    store_values(warehouse, _values(), AS_OF)
    _score(warehouse, scored)
    lines = warehouse.rows("SELECT * FROM indicators.scorecards WHERE period_start = :start", {"start": week(1)})
    assert {row["segment_id"] for row in lines} == {"all", "team=a", "team=b", "team=c", "team=d"}
    totals = {row["segment_id"]: row for row in lines if row["line"] == "total"}
    # all: reopen 0.05 of 0.2..0 is 75, csat 0.65 of 0.5..1 is 30; 40 and 50 of the weight, 10 missing.
    assert totals["all"]["score"] == pytest.approx((40 * 75 + 50 * 30) / 90)
    assert totals["all"]["coverage_ratio"] == pytest.approx(0.9)
    # Both scores have intervals: ±25 of reopening, ±10 of csat, weighed 4 to 5.
    half = ((25 * 4 / 9) ** 2 + (10 * 5 / 9) ** 2) ** 0.5
    assert totals["all"]["lower_score"] == pytest.approx(50 - half)
    assert totals["all"]["upper_score"] == pytest.approx(50 + half)
    assert totals["team=c"]["score"] == pytest.approx((40 * 50 + 50 * 60) / 90)
    assert (totals["team=d"]["score"], totals["team=d"]["coverage_ratio"]) == (None, 0)
    weak = next(row for row in lines if row["segment_id"] == "team=d" and row["indicator"] == "csat_top_box")
    assert (weak["state"], weak["score"]) == ("insufficient", None)
    assert warehouse.scalar("SELECT MAX(period_start) FROM indicators.scorecards") == week(WEEKS - 1)
    assert warehouse.scalar("SELECT COUNT(*) FROM indicators.scorecards WHERE run_id = 'night'") > 0


def test_profiles_quadrants_and_risks_are_stored_too(warehouse: Warehouse, scored: Catalog) -> None:
    store_values(warehouse, _values(), AS_OF)
    counts = _score(warehouse, scored)
    lowest = warehouse.rows(
        "SELECT axis, score FROM indicators.profiles WHERE is_minimum AND period_start = :start", {"start": week(1)}
    )
    assert lowest == [{"axis": "one", "score": pytest.approx(30)}]
    quadrants = warehouse.rows(
        "SELECT segment_id, quadrant FROM indicators.quadrants WHERE period_start = :start ORDER BY segment_id",
        {"start": week(1)},
    )
    assert [row["quadrant"] for row in quadrants] == [
        "high_efficiency_low_quality",
        "high_efficiency_high_quality",
        "low_efficiency_high_quality",
    ]
    newest = warehouse.rows("SELECT * FROM indicators.risks WHERE period_start = :start", {"start": week(7)})[0]
    # 0.60 and 0.65 of each four weeks lie below 0.70; 0.70 itself does not.
    assert (newest["breaching_count"], newest["period_count"]) == (4, 8)
    assert newest["probability"] == pytest.approx(4.5 / 9)
    assert (newest["score"], newest["grade"], newest["is_counted"]) == (20, "extreme", True)
    assert (newest["key_indicator_count"], newest["key_indicator_beyond_count"]) == (1, 1)
    assert newest["expected_loss"] > 0
    total = warehouse.rows("SELECT * FROM indicators.risk_totals WHERE period_start = :start", {"start": week(7)})[0]
    assert total["expected_loss"] == pytest.approx(newest["expected_loss"])
    assert total["value_at_risk_95"] == pytest.approx(newest["value_at_risk_95"])
    assert counts["indicators.key_risk_indicators"] == WEEKS
    assert counts["indicators.risks"] == WEEKS


def test_repeated_and_shuffled_it_leaves_the_same_tables(warehouse: Warehouse, scored: Catalog) -> None:
    store_values(warehouse, _values(), AS_OF)
    _score(warehouse, scored)
    before = _content(warehouse)
    assert all(before.values())
    _score(warehouse, scored, "again")
    assert _content(warehouse) == before
    warehouse.execute("DELETE FROM indicators.indicator_values")
    warehouse.insert("indicators.indicator_values", _values()[::-1])
    _score(warehouse, scored, "shuffled")
    assert _content(warehouse) == before


def test_what_the_sources_have_not_covered_is_not_judged(warehouse: Warehouse, scored: Catalog) -> None:
    store_values(warehouse, _values(), complete_until=datetime(2026, 4, 18))  # the week of 13 April is not over
    _score(warehouse, scored)
    assert warehouse.scalar("SELECT MAX(period_start) FROM indicators.risks") == week(5)
    rows = warehouse.rows(
        "SELECT DISTINCT state FROM indicators.scorecards WHERE period_start = :start AND indicator = 'reopen_rate' "
        "AND segment_id = 'all'",
        {"start": week(6)},
    )
    assert rows == [{"state": "not_ready"}]


def test_an_empty_warehouse_gives_empty_tables(warehouse: Warehouse, catalog: Catalog) -> None:
    assert _score(warehouse, catalog) == dict.fromkeys(SCORING_TABLES, 0)


def test_a_definition_that_is_gone_leaves_no_row(warehouse: Warehouse, scored: Catalog) -> None:
    store_values(warehouse, _values(), AS_OF)
    _score(warehouse, scored)
    without = replace(scored, scorecards={}, profiles={}, quadrants={}, risks={})
    assert _score(warehouse, without, "later") == dict.fromkeys(SCORING_TABLES, 0)
    assert not any(_content(warehouse).values())


LABELS = {"team=a": "Zebra desk", "team=b": "anchor desk", "team=c": "Mail desk"}


def test_a_review_gathers_the_cards_that_its_week_holds(warehouse: Warehouse, scored: Catalog) -> None:
    store_values(warehouse, _values(), AS_OF)
    _score(warehouse, scored)
    (card,) = gather_cards(warehouse, scored, week(2), LABELS)
    assert (card.card_id, card.period_start, card.segment_label, card.approver) == ("card", week(1), "", "a")
    # csat was 0.60 the week before: 20 in place of 30.
    assert card.score == pytest.approx((40 * 75 + 50 * 30) / 90)
    assert card.previous_score == pytest.approx((40 * 75 + 50 * 20) / 90)
    assert (card.coverage, card.minimum_coverage, card.state) == (pytest.approx(0.9), 0.7, "ok")
    efficiency, quality, growth = card.groups
    assert (efficiency.title, efficiency.weight, efficiency.coverage) == ("E", 0.4, 1.0)
    assert (growth.score, growth.coverage, growth.state, growth.lines) == (None, 0.0, "missing", ())
    (line,) = quality.lines
    assert (line.title, line.unit, line.value) == (scored.indicators["csat_top_box"].title, "ratio", 0.65)
    assert (line.worst, line.best, line.weight) == (0.5, 1.0, pytest.approx(50 / 90))
    assert line.lost == pytest.approx(50 / 90 * 70)
    assert sum(line.lost for group in card.groups for line in group.lines) == pytest.approx(100 - card.score)
    assert (line.score, line.previous_score) == (pytest.approx(30), pytest.approx(20))
    (team,) = gather_cards(warehouse, scored, week(2), LABELS, "team=c")
    assert (team.score, team.segment_label) == (pytest.approx((40 * 50 + 50 * 60) / 90), "Mail desk")
    assert gather_cards(warehouse, scored, week(0), LABELS) == []
    assert gather_cards(warehouse, scored, week(2), LABELS, "team=nobody") == []


def test_the_newest_card_is_one_with_a_score(warehouse: Warehouse, scored: Catalog) -> None:
    """A week that a source has not covered is stored without any; the first week has none before it."""
    store_values(warehouse, _values(), complete_until=datetime(2026, 3, 10))
    _score(warehouse, scored)
    (card,) = gather_cards(warehouse, scored, week(4), LABELS)
    assert (card.period_start, card.previous_score) == (week(0), None)
    (profile,) = gather_profiles(warehouse, scored, week(4), LABELS)
    assert profile.period_start == week(0)


def test_what_is_declared_since_the_night_is_not_known_yet(warehouse: Warehouse, scored: Catalog) -> None:
    store_values(warehouse, _values(), AS_OF)
    _score(warehouse, scored)
    more = CARD.model_copy(update={"dimensions": (*CARD.dimensions, CARD.dimensions[0].model_copy(update={"id": "x"}))})
    later = replace(scored, scorecards={"card": more, "other": CARD.model_copy(update={"id": "other"})}, risks={})
    (card,) = gather_cards(warehouse, later, week(2), LABELS)
    assert (card.groups[-1].state, card.groups[-1].score, card.groups[-1].lines) == ("missing", None, ())
    assert gather_registers(warehouse, later, week(2), LABELS) == []


def test_a_profile_lists_segments_by_name_and_not_by_score(warehouse: Warehouse, scored: Catalog) -> None:
    store_values(warehouse, _values(), AS_OF)
    catalog = replace(scored, profiles={"outline": PROFILE.model_copy(update={"segments": ("all", "team=*")})})
    _score(warehouse, catalog)
    (profile,) = gather_profiles(warehouse, catalog, week(2), LABELS)
    one, two, three = profile.axes
    assert [place.label for place in one.places] == ["anchor desk", "Mail desk", "team=d", "Zebra desk"]
    assert [place.score for place in one.places] == [pytest.approx(40), pytest.approx(60), None, pytest.approx(20)]
    assert one.places[2].state == "missing"
    assert (one.score, one.previous_score) == (pytest.approx(30), pytest.approx(20))
    assert two.score == pytest.approx(75)
    assert three.score is None and {place.state for place in three.places} == {"missing"}


def test_a_review_gathers_the_register_of_its_week(warehouse: Warehouse, scored: Catalog) -> None:
    store_values(warehouse, _values(), AS_OF)
    second = RISK.model_copy(update={"id": "echo", "loss": None, "title": "Second", "limit": 0.61})
    silent = RISK.model_copy(update={"id": "silent", "indicator": "nps", "title": "Silent", "unit": "points"})
    catalog = replace(scored, risks={"danger": RISK, "echo": second, "silent": silent})
    _score(warehouse, catalog)
    (register,) = gather_registers(warehouse, catalog, week(8), LABELS)
    assert (register.grain, register.period_start, register.waiting) == ("week", week(7), ("Silent",))
    danger, echo = register.risks
    assert (danger.risk_id, danger.breaching_count, danger.period_count) == ("danger", 4, 8)
    assert (danger.probability, danger.likelihood, danger.consequence) == (pytest.approx(0.5), 5, 4)
    assert (danger.score, danger.grade, danger.trend, danger.is_counted) == (20, "extreme", "steady", True)
    assert (danger.value, danger.limit, danger.is_upper, danger.is_breaching) == (0.75, 0.7, False, False)
    (watched,) = danger.key_indicators
    assert (watched.value, watched.limit, watched.is_upper, watched.is_beyond) == (0.15, 0.1, True, True)
    # The same cause, likely alike or less, and without a price: counted with the other.
    assert (echo.is_counted, echo.breaching_count, echo.expected_loss, echo.currency) == (False, 2, None, "")
    assert register.losses.currency == "EUR" and register.losses.cause_count == 1
    assert register.losses.expected_loss == pytest.approx(danger.expected_loss)
    assert danger.value_at_risk_95 == pytest.approx(register.losses.value_at_risk_95)
    assert danger.value_at_risk_95 > danger.expected_loss
    assert gather_registers(warehouse, catalog, week(0), LABELS) == []
