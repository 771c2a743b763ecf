"""Lines of cards, profiles, quadrants and the register from a handful of values, worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from hansei.catalog.risks import HeldLimit, Risk
from hansei.catalog.scorecards import Profile, Quadrants, Scorecard
from hansei.indicators.quadrants import quadrant_rows
from hansei.indicators.risks import Observed, Simulations, mark_counted, observed, risk_rows, total_rows
from hansei.indicators.scorecards import Grid, card_lines, profile_lines

MONDAY = date(2026, 3, 2)
READY = MONDAY + timedelta(weeks=20)
COMMON = {"version": 1, "title": "T", "question": "Q", "owner": "o"}
CARD = Scorecard(
    id="card",
    **COMMON,
    approver="a",
    segments=("all", "team=*"),
    minimum_coverage=0.7,
    dimensions=[
        {
            "id": "speed",
            "title": "S",
            "weight": 30,
            "indicators": [
                {"indicator": "reply", "worst": 8, "best": 2, "unit": "hours", "weight": 75},
                {"indicator": "solve", "worst": 10, "best": 0, "unit": "days", "weight": 25},
            ],
        },
        {
            "id": "quality",
            "title": "Q",
            "weight": 60,
            "indicators": [{"indicator": "csat", "worst": 0.5, "best": 1.0, "unit": "ratio"}],
        },
        {"id": "growth", "title": "G", "weight": 10},
    ],
)
NAMES = ("reply", "solve", "csat")


def week(number: int) -> date:
    return MONDAY + timedelta(weeks=number)


def value(indicator: str, number: float | None, segment: str = "all", at: int = 0, **other: Any) -> dict[str, Any]:
    row = {"indicator": indicator, "version": 3, "period_start": week(at), "segment_id": segment, "value": number}
    return {**row, "lower_bound": None, "upper_bound": None, "sample_count": 30, "state": "ok", **other}


def lines(card: Scorecard, rows: list[dict[str, Any]], **ready: date | None) -> list[dict[str, Any]]:
    grid = Grid.of(rows, NAMES, "week", {name: ready.get(name, READY) for name in NAMES})
    return card_lines(card, grid).to_pylist()


def line(rows: list[dict[str, Any]], name: str, segment: str = "all", at: int = 0) -> dict[str, Any]:
    """The line of an indicator, a dimension, or the total."""
    found = [
        row
        for row in rows
        if (row["segment_id"], row["period_start"]) == (segment, week(at))
        and name in (row["indicator"] or (row["dimension"] if row["line"] == "dimension" else row["line"]),)
    ]
    assert len(found) == 1, (name, segment, len(found))
    return found[0]


FULL = [value("reply", 5 * 3600), value("solve", 8 * 86400), value("csat", 0.9)]


def test_a_card_line_by_line() -> None:
    rows = lines(CARD, FULL)
    assert len(rows) == 3 + 3 + 1
    reply, solve, csat = (line(rows, name) for name in NAMES)
    assert (reply["score"], solve["score"], csat["score"]) == pytest.approx((50, 20, 80))
    assert (reply["worst"], reply["best"], reply["value"], reply["indicator_version"]) == (28800, 7200, 18000, 3)
    assert (reply["weight_ratio"], reply["used_weight_ratio"], reply["coverage_ratio"]) == (0.75, 0.75, 1)
    speed, quality, growth, total = (line(rows, name) for name in ("speed", "quality", "growth", "total"))
    assert speed["score"] == pytest.approx(0.75 * 50 + 0.25 * 20)  # 42.5
    assert quality["score"] == pytest.approx(80)
    assert (growth["score"], growth["coverage_ratio"], growth["state"]) == (None, 0, "missing")
    assert growth["weight_ratio"] == pytest.approx(0.1)
    assert total["score"] == pytest.approx((30 * 42.5 + 60 * 80) / 90)
    assert total["coverage_ratio"] == pytest.approx(0.9)
    assert speed["used_weight_ratio"] == pytest.approx(30 / 90)
    assert (total["state"], total["dimension"], total["indicator"]) == ("ok", None, None)


@pytest.mark.parametrize(
    ("missing", "state"),
    [
        (value("csat", 0.9, state="insufficient"), "insufficient"),
        (value("csat", None, state="no_data"), "no_data"),
        (value("csat", 0.9, state="immature"), "immature"),
        (None, "missing"),
    ],
)
def test_what_does_not_count_is_missing_and_never_zero(missing: dict | None, state: str) -> None:
    rows = lines(CARD, [*FULL[:2], *([missing] if missing else [])])
    csat, quality, total = (line(rows, name) for name in ("csat", "quality", "total"))
    assert (csat["score"], csat["value"], csat["state"]) == (None, None, state)
    assert (quality["score"], quality["coverage_ratio"]) == (None, 0)
    assert (total["score"], total["state"]) == (None, "too_little_coverage")
    assert total["coverage_ratio"] == pytest.approx(0.3)


def test_a_period_that_a_source_has_not_covered_is_not_scored() -> None:
    rows = lines(CARD, FULL, csat=week(1) - timedelta(days=1))
    assert line(rows, "csat")["state"] == "not_ready"
    assert line(rows, "total")["score"] is None
    assert line(lines(CARD, FULL, csat=week(1)), "csat")["state"] == "ok"
    assert line(lines(CARD, FULL, csat=None), "csat")["state"] == "not_ready"


def test_part_of_a_dimension_covers_part_of_its_weight() -> None:
    total = line(lines(CARD, [FULL[0], FULL[2]]), "total")
    assert total["coverage_ratio"] == pytest.approx(0.3 * 0.75 + 0.6)
    assert total["score"] == pytest.approx((30 * 50 + 60 * 80) / 90)


def test_nothing_measured_is_no_line() -> None:
    assert lines(CARD, []) == []


def test_bounds_follow_the_values_bounds_and_end_where_one_is_unknown() -> None:
    rows = lines(CARD, [*FULL[:2], value("csat", 0.9, lower_bound=0.8, upper_bound=0.95)])
    assert (line(rows, "csat")["lower_score"], line(rows, "csat")["upper_score"]) == pytest.approx((60, 90))
    assert (line(rows, "quality")["lower_score"], line(rows, "quality")["upper_score"]) == pytest.approx((60, 90))
    assert line(rows, "total")["lower_score"] is None
    known = [{**row, "lower_bound": row["value"], "upper_bound": row["value"]} for row in FULL[:2]]
    total = line(lines(CARD, [*known, value("csat", 0.9, lower_bound=0.8, upper_bound=0.95)]), "total")
    assert total["lower_score"] == pytest.approx(total["score"] - 20 * 60 / 90)
    assert total["upper_score"] == pytest.approx(total["score"] + 10 * 60 / 90)


def test_small_teams_are_drawn_to_the_whole_service() -> None:
    drawn = CARD.model_copy(update={"pull": 30.0})
    rows = [value("csat", 0.6), value("csat", 0.9, "team=a", sample_count=10), value("csat", 0.9, "team=b", at=1)]
    found = lines(drawn, rows)
    # A quarter of its own 0.9 and three quarters of 0.6; the whole service itself is not drawn.
    assert line(found, "csat", "team=a")["used_value"] == pytest.approx(0.675)
    assert line(found, "csat", "team=a")["value"] == 0.9
    assert line(found, "csat", "team=a")["score"] == pytest.approx(35)
    assert line(found, "csat")["used_value"] == 0.6
    assert line(found, "csat", "team=b", at=1)["used_value"] == 0.9  # nothing to be drawn to in that week


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = [
        value(name, 0.1 * number + 1, f"team={number}", at) for name in NAMES for number in range(4) for at in (0, 1)
    ]
    assert lines(CARD, rows) == lines(CARD, rows[::-1])


def test_a_card_begins_with_the_day_it_is_valid_from() -> None:
    dated = CARD.model_copy(update={"valid_from": week(1)})
    assert {row["period_start"] for row in lines(dated, [*FULL, value("csat", 0.9, at=1)])} == {week(1)}


def test_a_profile_marks_its_lowest_axis() -> None:
    profile = Profile(
        id="outline",
        **COMMON,
        axes=[
            {"id": "one", "title": "1", "indicators": CARD.dimensions[1].model_dump()["indicators"]},
            {
                "id": "two",
                "title": "2",
                "indicators": [CARD.dimensions[0].indicators[0].model_dump() | {"weight": None}],
            },
            {"id": "three", "title": "3"},
        ],
    )
    grid = Grid.of([*FULL, value("csat", 0.55, at=1)], NAMES, "week", dict.fromkeys(NAMES, READY))
    rows = [row for row in profile_lines(profile, grid).to_pylist() if row["line"] == "axis"]
    found = {(row["period_start"], row["axis"]): (row["score"], row["is_minimum"]) for row in rows}
    assert found[week(0), "one"] == (pytest.approx(80), False)
    assert found[week(0), "two"] == (pytest.approx(50), True)
    assert found[week(0), "three"] == (None, False)
    assert found[week(1), "one"] == (pytest.approx(10), True)
    assert "total" not in {row["line"] for row in rows}


def test_quadrants_with_one_period_of_hysteresis() -> None:
    item = Quadrants(
        id="fields", **COMMON, scorecard="card", efficiency="speed", quality="quality", peers="team", fewest_peers=3
    )
    # Team a is the best in weeks 0 and 1, the worst from week 2; week 4 is missing; unassigned is nobody's team.
    best, middle, worst = (3600 * 2, 0.95), (3600 * 5, 0.75), (3600 * 8, 0.55)
    rows = []
    for at in (0, 1, 2, 3, 5):
        places = {"a": best if at < 2 else worst, "b": middle, "c": worst if at < 2 else best, "unassigned": worst}
        for team, (reply, csat) in places.items():
            rows += [value("reply", reply, f"team={team}", at), value("csat", csat, f"team={team}", at)]
    grid = Grid.of(rows, NAMES, "week", dict.fromkeys(NAMES, READY))
    found = quadrant_rows(item, CARD, card_lines(CARD, grid))
    assert {row["segment_id"] for row in found} == {"team=a", "team=b", "team=c"}
    high, low = "high_efficiency_high_quality", "low_efficiency_low_quality"
    own = {row["period_start"]: row for row in found if row["segment_id"] == "team=a"}
    assert [own[week(at)]["measured_quadrant"] for at in (0, 1, 2, 3, 5)] == [high, high, low, low, low]
    assert [own[week(at)]["quadrant"] for at in (0, 1, 2, 3, 5)] == [high, high, high, low, low]
    assert (own[week(0)]["peer_count"], own[week(0)]["cut_efficiency"], own[week(0)]["cut_quality"]) == (3, 50, 50)
    # At the median is high.
    assert {row["quadrant"] for row in found if row["segment_id"] == "team=b"} == {high}


def test_a_gap_between_periods_starts_no_change_of_quadrant() -> None:
    item = Quadrants(
        id="fields", **COMMON, scorecard="card", efficiency="speed", quality="quality", peers="team", fewest_peers=3
    )
    rows = []
    for at, reply in ((0, 2), (1, 8), (3, 8), (4, 8)):
        for team, hours in (("a", reply), ("b", 5), ("c", 10 - reply)):
            rows += [value("reply", 3600 * hours, f"team={team}", at), value("csat", 0.8, f"team={team}", at)]
    grid = Grid.of(rows, NAMES, "week", dict.fromkeys(NAMES, READY))
    found = quadrant_rows(item, CARD, card_lines(CARD, grid))
    held = [row["quadrant"].split("_")[0] for row in found if row["segment_id"] == "team=a"]
    assert held == ["high", "high", "high", "low"]  # week 2 is missing between the first two low ones


def risk(name: str = "danger", cause: str = "capacity", **other: Any) -> Risk:
    definition = {
        "id": name,
        **COMMON,
        "indicator": "csat",
        "limit": 0.7,
        "unit": "ratio",
        "cause": cause,
        "consequence": {"money": 2, "customers": 4},
        "control": "Somebody calls back.",
        **other,
    }
    return Risk(**definition)


LOSS = {
    "currency": "EUR",
    "frequency": {"kind": "breaching_periods"},
    "severity": {"kind": "empirical", "values": [100, 300]},
    "seed": 5,
    "years": 4000,
}


def history(*values: float | None) -> list[Observed]:
    return [Observed(week(at), item, "ok" if item else "insufficient") for at, item in enumerate(values)]


def judged(item: Risk, periods: list[Observed], limit: HeldLimit | None = None) -> list[dict[str, Any]]:
    return risk_rows(item, periods, limit or HeldLimit(0.7), "higher_is_better", Simulations())


def test_likelihood_is_the_smoothed_share_of_breaching_periods() -> None:
    rows = judged(risk(), history(0.6, 0.8, None, 0.7, 0.65, 0.9))
    assert [row["is_breaching"] for row in rows] == [True, False, None, False, True, False]
    assert [row["state"] for row in rows] == ["too_few_periods"] * 4 + ["ok", "ok"]
    assert "likelihood" not in rows[3]
    assert (rows[4]["breaching_count"], rows[4]["period_count"]) == (2, 4)  # the week without data is no evidence
    assert rows[4]["probability"] == pytest.approx(2.5 / 5)
    assert (rows[4]["likelihood"], rows[4]["likelihood_word"]) == (5, "almost certain")
    assert (rows[4]["consequence"], rows[4]["score"], rows[4]["grade"]) == (4, 20, "extreme")
    assert rows[5]["probability"] == pytest.approx(2.5 / 6)
    assert (rows[5]["likelihood"], rows[5]["score"], rows[5]["grade"]) == (4, 16, "extreme")


def test_only_the_last_periods_are_looked_at() -> None:
    rows = judged(risk(look_back=4), history(0.1, 0.1, 0.9, 0.9, 0.9, 0.9))
    assert rows[-1]["breaching_count"] == 0
    assert rows[-1]["probability"] == pytest.approx(0.5 / 5)
    assert (rows[3]["breaching_count"], rows[3]["likelihood"]) == (2, 5)


def test_a_calendar_week_that_is_missing_is_looked_back_over_all_the_same() -> None:
    periods = [item for item in history(0.1, 0.9, 0.9, 0.9, 0.9, 0.9) if item.period_start != week(2)]
    assert judged(risk(look_back=5), periods)[-1]["period_count"] == 4
    assert judged(risk(look_back=5), periods)[-1]["breaching_count"] == 0


def test_the_trend_compares_bands_four_periods_apart() -> None:
    rows = judged(risk(look_back=4), history(*[0.9] * 4, *[0.1] * 4, *[0.9] * 4))
    trends = [row.get("trend") for row in rows]
    assert trends[:4] == [None] * 4
    assert (trends[7], trends[11]) == ("rising", "falling")
    assert rows[7]["probability_change"] == pytest.approx((4.5 - 0.5) / 5)
    assert judged(risk(), history(*[0.9] * 9))[-1]["trend"] == "steady"


def test_a_limit_counts_only_while_it_holds() -> None:
    rows = judged(risk(), history(*[0.1] * 8), HeldLimit(0.7, week(3), week(7)))
    assert [row["period_start"] for row in rows] == [week(at) for at in (3, 4, 5, 6)]
    assert rows[-1]["period_count"] == 4
    assert judged(risk(), history(*[0.1] * 8), HeldLimit(0.7, week(9))) == []


def test_what_remains_after_the_control() -> None:
    row = judged(risk(residual={"likelihood": 2, "consequence": 3}), history(0.1))[0]
    assert (row["residual_score"], row["residual_grade"]) == (6, "moderate")


def test_losses_follow_the_probability() -> None:
    row = judged(risk(loss=LOSS), history(*[0.1] * 12))[-1]
    per_year = 12.5 / 13 * 365.25 / 7
    assert row["expected_loss"] == pytest.approx(per_year * 200)
    # The simulated quantile of a nearly normal sum: sd = sqrt(rate * mean square of a loss).
    spread = (per_year * (100**2 + 300**2) / 2) ** 0.5
    assert row["value_at_risk_95"] == pytest.approx(per_year * 200 + 1.645 * spread, rel=0.02)
    assert row["value_at_risk_90"] <= row["value_at_risk_95"] <= row["value_at_risk_99"]
    assert row["expected_shortfall_95"] > row["value_at_risk_95"]
    assert (row["seed"], row["simulated_years"], row["currency"]) == (5, 4000, "EUR")


def test_risks_of_one_cause_are_counted_once() -> None:
    register = {
        "big": risk("big", loss={**LOSS, "severity": {"kind": "empirical", "values": [500]}}),
        "small": risk("small", loss=LOSS),
        "other": risk("other", cause="knowledge", loss=LOSS),
        "unpriced": risk("unpriced", cause="law"),
    }
    simulations = Simulations()
    rows = [
        row
        for item in register.values()
        for row in risk_rows(item, history(*[0.1] * 5), HeldLimit(0.7), "higher_is_better", simulations)
    ]
    mark_counted(rows)
    newest = {row["risk"]: row for row in rows if row["period_start"] == week(4)}
    assert {name: row["is_counted"] for name, row in newest.items()} == {
        "big": True,
        "small": False,
        "other": True,
        "unpriced": True,
    }
    total = total_rows(rows, register, simulations)[-1]
    assert (total["risk_count"], total["cause_count"], total["priced_cause_count"]) == (4, 3, 2)
    assert total["expected_loss"] == pytest.approx(newest["big"]["expected_loss"] + newest["other"]["expected_loss"])
    # Causes are independent, so bad years of both seldom meet.
    apart = newest["big"]["value_at_risk_95"] + newest["other"]["value_at_risk_95"]
    assert newest["big"]["value_at_risk_95"] < total["value_at_risk_95"] < apart
    assert total["period_start"] == week(4)
    assert total["highest_score"] == 20


def test_of_equally_grave_risks_of_a_cause_the_first_by_id_counts() -> None:
    rows = [row for item in (risk("beta"), risk("alpha")) for row in judged(item, history(*[0.1] * 4))]
    mark_counted(rows)
    assert [row["risk"] for row in rows if row["is_counted"]] == ["alpha"]


def test_adding_a_risk_does_not_move_the_figures_of_another() -> None:
    alone = judged(risk("one", loss=LOSS), history(*[0.1] * 5))[-1]
    simulations = Simulations()
    for name in ("zero", "one"):
        rows = risk_rows(risk(name, loss=LOSS), history(*[0.1] * 5), HeldLimit(0.7), "higher_is_better", simulations)
    assert rows[-1] == alone


def test_periods_that_no_source_has_covered_are_not_observed() -> None:
    rows = [value("csat", 0.6, at=at) for at in (1, 0)] + [value("csat", 0.6, "team=a"), value("reply", 1.0)]
    found = observed(rows, "csat", "all", "week", week(2))
    assert [item.period_start for item in found] == [week(0), week(1)]
    assert [item.period_start for item in observed(rows, "csat", "all", "week", week(1))] == [week(0)]
    assert observed(rows, "csat", "all", "week", None) == []
