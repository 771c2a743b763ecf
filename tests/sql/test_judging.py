"""Every kind of threshold as the night stores what it says, on both engines: from stored values to signals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from support.stored_values import Desk, store_values

from hansei.catalog import Catalog
from hansei.catalog.surveys import Benchmark
from hansei.catalog.thresholds import THRESHOLD_FILE
from hansei.errors import HanseiError
from hansei.pipeline.judging import judge_changes, judge_everything
from hansei.pipeline.readiness import Readiness
from hansei.warehouse import Warehouse
from hansei.warehouse.runs import Run

MONDAY = date(2026, 1, 5)
AS_OF = datetime(2026, 11, 15, 3)
COMMON = {
    "indicator": "csat_top_box",
    "reason": "two in three is too few",
    "approver": "head",
    "valid_from": MONDAY,
    "unit": "ratio",
}
NO_UNIT = {key: value for key, value in COMMON.items() if key != "unit"}
# Twenty weeks from 0.78 to 0.82 and back: centre 0.80, moving ranges 0.04, limits 0.80 less and more 2.66 * 0.04.
CALM = [0.78, 0.82] * 10


@pytest.fixture
def judged(catalog: Catalog) -> Catalog:
    return replace(catalog, sources={"desk": Desk(tuple(catalog.entities))}, thresholds={}, rebases={})


def with_threshold(catalog: Catalog, **given: Any) -> Catalog:
    found = THRESHOLD_FILE.validate_python({"id": "limit", **given})
    return replace(catalog, thresholds={**catalog.thresholds, found.id: found})


def week(number: int) -> date:
    return MONDAY + timedelta(weeks=number)


def value(start: date, share: float | None, count: int = 100, segment_id: str = "all", **other: Any) -> dict[str, Any]:
    """A stored share; None is a period without a case."""
    place = {"indicator": "csat_top_box", "version": 2, "grain": "week", "segment_id": segment_id}
    known = {"period_start": start, "run_id": "r", "known_since": AS_OF, "denominator": float(count)}
    figures = {"numerator": share and share * count, "value": share, "sample_count": count}
    return {**place, **known, **figures, "state": "no_data" if share is None else "ok", **other}


def store(warehouse: Warehouse, rows: list[dict[str, Any]]) -> None:
    names = sorted({name for row in rows for name in row})
    store_values(warehouse, [{name: row.get(name) for name in names} for row in rows], AS_OF)


def judge(warehouse: Warehouse, catalog: Catalog, run_id: str = "night") -> int:
    with warehouse.transaction():
        return judge_changes(warehouse, catalog, Run(run_id, "night", AS_OF, {}), Readiness(warehouse, catalog))


def said(warehouse: Warehouse, threshold: str = "limit") -> list[dict[str, Any]]:
    query = "SELECT * FROM indicators.signals WHERE threshold_id = :id ORDER BY segment_id, period_start"
    return warehouse.rows(query, {"id": threshold})


def words(warehouse: Warehouse) -> list[str]:
    return [row["verdict"] for row in said(warehouse)]


def test_a_static_limit_of_two_levels_with_a_level_of_recovery(warehouse, judged):
    shares = [0.85, 0.78, 0.70, 0.80, None, 0.79, 0.82]
    catalog = with_threshold(
        judged, kind="static", warning=0.80, critical=0.75, alarm={"recovery": 0.82}, valid_to=week(6), **COMMON
    )
    rows = [value(week(number), share, lower_bound=0.6, upper_bound=0.79) for number, share in enumerate(shares)]
    store(warehouse, rows)
    judge(warehouse, catalog)
    found = said(warehouse)
    assert [row["verdict"] for row in found] == [
        "within",
        "breach_warning",
        "breach_critical",
        "within",
        "too_few_data",
        "breach_warning",
    ]
    assert [row["limit_value"] for row in found] == [0.80, 0.80, 0.75, 0.80, 0.80, 0.80]
    assert [row["consecutive_count"] for row in found] == [0, 1, 2, 0, 0, 1]
    assert [row["first_breach_start"] for row in found] == [None, week(1), week(1), None, None, week(5)]
    # The interval ends at 0.79: beyond the warning limit of 0.80, not beyond the critical one.
    assert [row["is_supported"] for row in found] == [None, True, False, None, None, True]
    # 0.80 is no breach, and not recovered either: the alarm stays as it is until 0.82 is reached.
    assert [row["is_recovered"] for row in found] == [True, False, False, False, None, False]
    assert [row["is_alarming"] for row in found] == [False, True, True, False, None, True]
    assert [row["distance"] for row in found] == [
        None,
        pytest.approx(0.02 / 0.80),
        pytest.approx(0.05 / 0.75),
        None,
        None,
        pytest.approx(0.01 / 0.80),
    ]
    assert {row["reach"] for row in found} == {1.0}
    assert {row["survives_fdr"] for row in found} == {None}
    assert found[2]["reason"] == "The value lies beyond the critical limit, but its interval does not."
    assert found[2]["limit_reason"] == "two in three is too few"
    assert (found[2]["kind"], found[2]["owner"], found[2]["level"]) == ("static", "customer-experience", "critical")


def test_a_row_of_three_is_not_made_by_weeks_that_are_missing(warehouse, judged):
    shares = [0.7, 0.7, None, 0.7, 0.7, 0.7, 0.7, 0.9]
    store(warehouse, [value(week(number), share) for number, share in enumerate(shares)])
    judge(warehouse, with_threshold(judged, kind="consecutive", critical=0.75, **COMMON))
    found = said(warehouse)
    quiet = ["within", "within", "too_few_data", "within", "within"]
    assert [row["verdict"] for row in found] == [*quiet, "breach_critical", "breach_critical", "within"]
    assert [row["consecutive_count"] for row in found] == [0, 0, 0, 0, 0, 1, 2, 0]
    assert [row["pattern_start"] for row in found][3:] == [week(3)] * 4 + [None]
    assert found[4]["reason"] == "The value lies beyond the limit, but not yet for 3 weeks in a row."
    assert found[5]["reason"] == "The value lies beyond the critical limit for 3 weeks in a row or more."
    assert found[4]["is_recovered"] is False
    assert found[7]["is_recovered"] is True


def test_two_of_three_weeks_are_a_breach_even_in_a_week_that_meets_the_limit(warehouse, judged):
    shares = [0.9, 0.7, 0.7, 0.9, 0.9, None, 0.7]
    store(warehouse, [value(week(number), share) for number, share in enumerate(shares)])
    judge(warehouse, with_threshold(judged, kind="m_of_n", m=2, n=3, critical=0.75, **COMMON))
    found = said(warehouse)
    broken, quiet = "breach_critical", "within"
    assert words(warehouse) == [quiet, quiet, broken, broken, quiet, "too_few_data", quiet]
    assert found[3]["is_recovered"] is False
    assert found[3]["distance"] is None
    assert found[4]["is_recovered"] is True


RELATIVE = {"kind": "relative", "baseline_from": MONDAY, "baseline_until": week(8), "valid_from": week(8)}


@pytest.mark.parametrize(
    ("unit", "warning", "critical", "grave", "verdicts"),
    # 100 cases at 0.9 seven times and 900 at 0.7: 1260 of 1600 cases, 0.7875; the mean of the weeks would be 0.875.
    [
        ("percent", 10, 20, 0.63, ["within", "breach_warning", "breach_critical"]),  # 0.70875 and 0.63
        ("ratio", 0.05, 0.09, 0.6975, ["breach_warning", "breach_critical", "breach_critical"]),  # 0.7375 and 0.6975
    ],
)
def test_a_baseline_of_shares_pools_its_cases(warehouse, judged, unit, warning, critical, grave, verdicts):
    rows = [value(week(number), 0.9) for number in range(7)]
    rows += [value(week(7), 0.7, 900), value(week(8), 0.71), value(week(9), 0.69), value(week(10), 0.60)]
    store(warehouse, rows)
    limit = {**COMMON, **RELATIVE, "unit": unit, "warning": warning, "critical": critical}
    judge(warehouse, with_threshold(judged, **limit))
    found = said(warehouse)
    assert [row["period_start"] for row in found] == [week(8), week(9), week(10)]
    assert [row["verdict"] for row in found] == verdicts
    assert found[2]["limit_value"] == pytest.approx(grave)
    assert found[2]["distance"] == pytest.approx((grave - 0.60) / grave)


def test_a_baseline_of_medians_is_their_mean_and_worse_is_longer(warehouse, judged):
    hours = [1.0, 3.0] * 4 + [2.9, 3.1]
    rows = [
        value(week(number), spent * 3600, indicator="first_reply_median", version=1, numerator=None)
        for number, spent in enumerate(hours)
    ]
    store(warehouse, rows)
    limit = {**COMMON, **RELATIVE, "indicator": "first_reply_median", "unit": "hours", "warning": 1}
    judge(warehouse, with_threshold(judged, **limit, alarm={"recovery": 0.5}))
    found = said(warehouse)
    assert [(row["verdict"], row["limit_value"]) for row in found] == [("within", 10800), ("breach_warning", 10800)]
    # Half an hour more than the mean of two hours is the level of recovery: 2.9 hours are within, not recovered.
    assert [row["is_recovered"] for row in found] == [False, False]


def test_a_baseline_that_is_too_short_or_of_another_phase_says_nothing(warehouse, judged):
    store(warehouse, [value(week(number), 0.9) for number in range(2, 10)])
    limit = {**COMMON, **RELATIVE, "unit": "percent", "warning": 10}
    judge(warehouse, with_threshold(judged, **limit))
    assert words(warehouse) == ["too_few_data"] * 2
    assert said(warehouse)[0]["reason"].startswith("The baseline has fewer than 8 usable weeks")
    enough = with_threshold(judged, **limit, minimum_periods=6)
    judge(warehouse, enough)
    assert words(warehouse) == ["within"] * 2
    begun = {"id": "anew", "kind": "rebase", "indicator": "csat_top_box", "rebased_on": week(9), "by": "head"}
    rebase = THRESHOLD_FILE.validate_python({**begun, "reason": "The new bot is there to stay."})
    judge(warehouse, replace(enough, rebases={"anew": rebase}))
    assert words(warehouse) == ["within", "too_few_data"]


TRADE = {
    "id": "trade",
    "indicator": "csat_top_box",
    "title": "What others reach",
    "source": "Association of the trade",
    "owner": "quality",
    "minimum_count": 30,
    "months": [{"month": "2026-01-01", "value": 0.8}, {"month": "2026-04-01", "value": 0.7}],
    "action": "Look into it",
}


@pytest.mark.parametrize(
    ("missing", "expected"), [("breaks", [0, 0, -1, 0, 0, 0, 1]), ("skipped", [0, 0, -1, 1, 1, 0, 0])]
)
def test_others_are_better_for_three_months(warehouse, judged, missing, expected):
    """Equal is not below; the benchmark falls to 0.7 in April; 29 cases are too few to compare."""
    shares = [0.79, 0.79, 0.5, *([0.69, 0.69, 0.7, 0.69] if missing == "skipped" else [0.7, 0.69, 0.69, 0.69])]
    rows = [
        value(date(2026, 1 + number, 1), share, 29 if number == 2 else 100, grain="month")
        for number, share in enumerate(shares)
    ]
    store(warehouse, rows)
    trade = Benchmark.model_validate({**TRADE, "missing_month": missing})
    catalog = with_threshold(judged, kind="benchmark", benchmark="trade", **{**NO_UNIT, "valid_from": date(2026, 1, 1)})
    judge(warehouse, replace(catalog, benchmarks={"trade": trade}))
    found = said(warehouse)
    known = {"within": 0, "breach_critical": 1, "too_few_data": -1}
    assert [known[row["verdict"]] for row in found] == expected
    assert [row["limit_value"] for row in found] == [0.8] * 3 + [0.7] * 4
    broken = found[expected.index(1)]
    assert broken["reason"] == (
        "The value is worse than what others reach for 3 months in a row or more (Association of the trade)."
    )
    assert broken["pattern_start"] == (date(2026, 5, 1) if missing == "breaks" else date(2026, 1, 1))
    assert found[2]["reason"] == "Fewer than 30 were counted: too few to compare with others."


def test_a_segment_s_own_benchmark_goes_before_that_of_the_whole(warehouse, judged):
    months = [*TRADE["months"], {"month": "2026-02-01", "value": 0.5, "segment": "channel=chat"}]
    rows = [
        value(date(2026, 1 + number, 1), 0.6, segment_id=segment, grain="month")
        for number in range(5)
        for segment in ("channel=chat", "channel=mail")
    ]
    store(warehouse, rows)
    limit = {**NO_UNIT, "valid_from": date(2026, 1, 1), "segments": ["channel=*"]}
    catalog = with_threshold(judged, kind="benchmark", benchmark="trade", **limit)
    judge(warehouse, replace(catalog, benchmarks={"trade": Benchmark.model_validate({**TRADE, "months": months})}))
    found = {row: [] for row in ("channel=chat", "channel=mail")}
    for row in said(warehouse):
        found[row["segment_id"]].append((row["limit_value"], row["verdict"]))
    assert [limit for limit, _ in found["channel=chat"]] == [0.8, 0.5, 0.5, 0.5, 0.5]
    assert {verdict for _, verdict in found["channel=chat"]} == {"within"}
    assert [verdict for _, verdict in found["channel=mail"]] == ["within"] * 2 + ["breach_critical"] * 3


def test_a_chart_that_turns_to_the_bad_side_is_a_concern(warehouse, judged):
    shares = [*CALM, 0.66, 0.95, None]
    store(warehouse, [value(week(number), share) for number, share in enumerate(shares)])
    judge(warehouse, with_threshold(judged, kind="spc_concern", level="warning", **NO_UNIT))
    found = said(warehouse)
    # Above the usual range is better, not a concern.
    assert words(warehouse) == ["too_few_data"] * 7 + ["within"] * 13 + ["breach_warning", "within", "too_few_data"]
    fallen = found[20]
    assert (fallen["rule"], fallen["chart"], fallen["pattern_start"]) == ("outside", "xmr", week(20))
    assert [fallen["centre"], fallen["limit_value"]] == pytest.approx([0.80, 0.6936])
    assert fallen["reason"] == "Worse: this week lies outside the range that is usual."
    assert (fallen["is_supported"], fallen["is_alarming"], fallen["is_recovered"]) == (None, True, False)
    assert found[21]["is_recovered"] is True
    assert found[0]["reason"] == "There are not yet enough weeks to know what is usual."


def test_a_process_that_will_miss_its_target_by_design(warehouse, judged):
    store(warehouse, [value(week(number), share) for number, share in enumerate(CALM)])
    # The usual range ends at 0.9064.
    for target, word in ((0.91, "breach_critical"), (0.90, "within")):
        judge(warehouse, with_threshold(judged, kind="assurance_fail", target=target, **COMMON))
        found = said(warehouse)
        assert words(warehouse)[:7] == ["too_few_data"] * 7
        assert {row["verdict"] for row in found[13:]} == {word}
        assert {row["limit_value"] for row in found} == {target}
    assert found[19]["upper_limit"] == pytest.approx(0.9064)


def test_among_many_teams_one_bad_week_is_no_news_unless_it_is_more_than_chance(warehouse, judged):
    """0.70 of 60 cases has p = 0.026 against a limit of 0.80: below 0.1 alone, not among nine others."""
    others = [value(week(0), 0.85, 60, f"team={letter}") for letter in "bcdefghij"]
    rows = [value(week(0), 0.70, 60, "team=a"), *others, value(week(0), 0.83, 600)]
    rows += [value(week(1), 0.55, 60, "team=a"), *(row | {"period_start": week(1)} for row in others)]
    store(warehouse, rows)
    judge(warehouse, with_threshold(judged, kind="static", critical=0.8, segments=["team=*"], **COMMON))
    found = [row for row in said(warehouse) if row["segment_id"] == "team=a"]
    assert [row["verdict"] for row in found] == ["breach_critical"] * 2
    assert [row["survives_fdr"] for row in found] == [False, True]
    assert [row["is_alarming"] for row in found] == [False, True]
    assert found[0]["reach"] == pytest.approx(0.1)
    assert found[1]["reach"] is None
    # Where several weeks in a row are asked for, they are the evidence.
    patient = {"periods_to_open": 2}
    judge(warehouse, with_threshold(judged, kind="static", critical=0.8, segments=["team=*"], alarm=patient, **COMMON))
    assert [row["is_alarming"] for row in said(warehouse) if row["segment_id"] == "team=a"] == [True, True]


def test_what_a_source_has_not_delivered_is_neither_good_nor_bad(warehouse, judged):
    rows = [value(week(number), 0.7) for number in range(3)]
    rows[0]["state"] = "immature"
    store_values(warehouse, rows, datetime(2026, 1, 20))
    judge(warehouse, with_threshold(judged, kind="static", critical=0.8, **COMMON))
    found = said(warehouse)
    assert [(row["period_start"], row["verdict"]) for row in found] == [
        (week(1), "breach_critical"),
        (week(2), "not_ready"),
    ]
    assert [found[1][name] for name in ("is_alarming", "is_recovered", "distance", "is_supported")] == [None] * 4
    assert found[1]["reason"] == "A source has not delivered all of this week yet."


def test_only_what_changed_is_judged_again_and_a_threshold_that_is_gone_takes_its_rows_along(warehouse, judged):
    store(warehouse, [value(week(number), 0.7) for number in range(3)])
    catalog = with_threshold(judged, kind="static", critical=0.8, **COMMON)
    assert judge(warehouse, catalog) == 6
    assert judge(warehouse, catalog, "again") == 0
    assert judge(warehouse, with_threshold(judged, kind="static", critical=0.6, **COMMON)) == 6
    assert words(warehouse) == ["within"] * 3
    assert judge(warehouse, judged) == 3
    assert said(warehouse) == []
    warehouse.execute("DELETE FROM indicators.indicator_values")
    judge(warehouse, judged)
    assert warehouse.scalar("SELECT COUNT(*) FROM indicators.signals") == 0


def test_the_night_counts_what_thresholds_say(warehouse, judged):
    store(warehouse, [value(week(number), share) for number, share in enumerate([0.7, 0.9, None])])
    catalog = with_threshold(judged, kind="static", critical=0.8, **COMMON)
    run = Run("night", "night", AS_OF, {})
    counts = judge_everything(warehouse, catalog, run, Readiness(warehouse, catalog))
    assert counts == {"breach_critical": 1, "too_few_data": 1, "within": 1}


def rebased(day: date, **other: Any) -> dict[str, Any]:
    entry = {"id": "anew", "kind": "rebase", "indicator": "csat_top_box", "rebased_on": day, "by": "head"}
    return {"anew": THRESHOLD_FILE.validate_python({**entry, "reason": "The new bot is there to stay.", **other})}


def test_a_signed_entry_begins_a_new_phase_in_the_segments_that_it_names(warehouse, judged):
    rows = [value(week(number), 0.8, 40, segment) for number in range(12) for segment in ("all", "team=a", "team=b")]
    store(warehouse, rows)
    # A Wednesday: the week that holds it is the first of the new phase.
    judge(warehouse, replace(judged, rebases=rebased(week(5) + timedelta(days=2), segments=["team=a"])))
    last = {
        row["segment_id"]: (row["phase_start"], row["phase_count"])
        for row in warehouse.rows("SELECT * FROM indicators.signals WHERE period_start = :week", {"week": week(11)})
    }
    assert last == {"all": (MONDAY, 12), "team=a": (week(5), 7), "team=b": (MONDAY, 12)}
    judge(warehouse, replace(judged, rebases=rebased(week(5))))
    starts = warehouse.rows(
        "SELECT DISTINCT phase_start FROM indicators.signals WHERE period_start > :w", {"w": week(6)}
    )
    assert [row["phase_start"] for row in starts] == [week(5)]


@pytest.mark.parametrize(
    ("day", "segments", "nearest"),
    [
        (week(-3), [], "the week of 2026-01-05"),
        (week(40), [], "the week of 2026-01-26"),
        (week(2), ["team=z"], "no finished value"),
        (week(2), [], "the week of 2026-01-12"),
    ],
)
def test_a_rebase_without_a_point_stops_judging_before_anything_is_written(warehouse, judged, day, segments, nearest):
    store(warehouse, [value(week(number), None if number == 2 else 0.8) for number in range(4)])
    catalog = with_threshold(judged, kind="static", critical=0.9, **COMMON)
    with pytest.raises(HanseiError) as caught:
        judge(warehouse, replace(catalog, rebases=rebased(day, segments=segments)))
    assert f"{day} matches no finished period of csat_top_box" in str(caught.value)
    assert "rebase anew" in str(caught.value)
    assert nearest in str(caught.value)
    assert warehouse.scalar("SELECT COUNT(*) FROM indicators.signals") == 0
