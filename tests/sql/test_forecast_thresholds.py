"""Kind forecast as the night stores it, on both engines: warnings before they are true, and how true they came."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from support.stored_values import Desk, store_values

from hansei.catalog import Catalog
from hansei.catalog.thresholds import ForecastThreshold
from hansei.pipeline.judging import judge_changes
from hansei.pipeline.outlook_evidence import gather_outlooks
from hansei.pipeline.outlooks import look_ahead
from hansei.pipeline.readiness import Readiness
from hansei.signals.running_forecasts import averaged, corrected
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import runner_for
from hansei.warehouse.runs import Run

MONDAY = date(2026, 1, 5)
AS_OF = datetime(2026, 9, 7, 3)
# From four hours on six minutes more each week, with some ups and downs: beyond six hours in the end.
HOURS = [4 + 0.1 * week + (0.06, -0.06, 0.02)[week % 3] for week in range(26)]
LATE = ForecastThreshold(
    id="late_soon",
    indicator="first_reply_median",
    kind="forecast",
    warning=6,
    critical=6.3,
    unit="hours",
    reason="nobody waits longer than six hours",
    approver="a",
    valid_from=MONDAY + timedelta(weeks=4),
)


@pytest.fixture
def judged(catalog: Catalog) -> Catalog:
    return replace(catalog, sources={"desk": Desk(tuple(catalog.entities))}, thresholds={LATE.id: LATE})


def _store(warehouse: Warehouse, indicator: str, values: list[float | None], **more: Any) -> None:
    rows = [
        {
            "indicator": indicator,
            "version": 1,
            "grain": "week",
            "segment_id": "all",
            "period_start": MONDAY + timedelta(weeks=week),
            "run_id": "r",
            "known_since": AS_OF,
            "sample_count": 50,
            "value": value,
            "state": "insufficient" if value is None else "ok",
            **{name: number(value) for name, number in more.items()},
        }
        for week, value in enumerate(values)
    ]
    store_values(warehouse, rows, AS_OF)


def _judge(warehouse: Warehouse, catalog: Catalog) -> list[dict[str, Any]]:
    with warehouse.transaction():
        judge_changes(warehouse, catalog, Run("night", "night", AS_OF, {}), Readiness(warehouse, catalog))
    return warehouse.rows("SELECT * FROM indicators.signals WHERE kind = 'forecast' ORDER BY period_start")


def test_a_rise_is_announced_before_it_is_beyond_the_limit(warehouse: Warehouse, judged: Catalog) -> None:
    values: list[float | None] = [hours * 3600 for hours in HOURS]
    values[13] = None
    _store(warehouse, "first_reply_median", values)
    said = _judge(warehouse, judged)
    assert [row["period_start"] for row in said] == [MONDAY + timedelta(weeks=week) for week in range(4, 26)]
    by_week = dict(enumerate(said, start=4))
    # Eleven weeks are too few for a forecast, though the threshold holds since the fifth; week 13 has no value.
    assert {by_week[week]["verdict"] for week in range(4, 11)} == {"too_few_data"}
    short = "Fewer than 12 usable weeks of this phase are too few for a forecast."
    assert {by_week[week]["reason"] for week in range(4, 11)} == {short}
    assert by_week[13]["reason"] == "There are too few cases to hold against the limit."
    assert (by_week[13]["probability"], by_week[13]["forecast_start"], by_week[13]["is_recovered"]) == (None,) * 3
    for week in (11, 12, 14):
        assert (by_week[week]["verdict"], by_week[week]["probability"]) == ("within", 0), week
        assert by_week[week]["reason"] == "No single one of the next 4 weeks is likely to lie beyond the limit."
        assert by_week[week]["is_recovered"] is True
    first_warning = next(week for week, row in by_week.items() if row["verdict"].startswith("breach"))
    first_beyond = next(week for week, hours in enumerate(HOURS) if hours > 6)
    assert first_warning < first_beyond
    warning = by_week[first_warning]
    assert warning["limit_value"] == 6 * 3600 and warning["level"] == "warning"
    assert 0.5 <= warning["probability"] < 1
    assert warning["reason"] == (
        f"A value beyond the warning limit is likely within the next 4 weeks ({int(warning['probability'] * 100)} %)."
    )
    assert warning["is_alarming"] is True and warning["is_recovered"] is False
    assert warning["period_start"] < warning["forecast_start"] <= warning["period_start"] + timedelta(weeks=4)
    assert by_week[25]["level"] == "critical" and by_week[25]["verdict"] == "breach_critical"
    assert by_week[25]["limit_value"] == 6.3 * 3600
    assert by_week[25]["forecast_start"] > MONDAY + timedelta(weeks=25)
    assert warning["distance"] is None and by_week[25]["distance"] == pytest.approx(HOURS[25] / 6.3 - 1)


def test_the_next_week_alone_is_announced_later(warehouse: Warehouse, judged: Catalog) -> None:
    _store(warehouse, "first_reply_median", [hours * 3600 for hours in HOURS])
    firsts = []
    for horizon in (4, 1):
        catalog = replace(judged, thresholds={LATE.id: LATE.model_copy(update={"horizon": horizon})})
        said = _judge(warehouse, catalog)
        firsts.append(next(row for row in said if row["verdict"].startswith("breach")))
    assert firsts[0]["period_start"] < firsts[1]["period_start"]
    assert "is likely in the next week (" in firsts[1]["reason"]
    assert firsts[1]["forecast_start"] == firsts[1]["period_start"] + timedelta(weeks=1)
    assert said[10]["reason"] == "The next week is not likely to lie beyond the limit."


def test_few_cases_make_a_share_less_certain(warehouse: Warehouse, judged: Catalog) -> None:
    share = LATE.model_copy(
        update={"indicator": "csat_top_box", "unit": "ratio", "warning": 0.8, "critical": None, "id": "csat"}
    )
    catalog = replace(judged, thresholds={"csat": share})
    probabilities = []
    for count in (12, 1200):
        warehouse.execute("DELETE FROM indicators.indicator_values")
        warehouse.execute("DELETE FROM ops.watermarks")
        shares = {
            "numerator": lambda value, count=count: value * count,
            "denominator": lambda value, count=count: count,
        }
        _store(warehouse, "csat_top_box", [0.86, 0.84] * 10, **shares)
        probabilities.append(_judge(warehouse, catalog)[-1]["probability"])
    assert 0.2 < probabilities[0] < 0.5
    assert probabilities[1] < 0.02


def test_what_was_said_is_compared_with_what_came(warehouse: Warehouse, judged: Catalog) -> None:
    _store(warehouse, "first_reply_median", [hours * 3600 for hours in HOURS])
    said = {row["period_start"]: row for row in _judge(warehouse, judged)}
    view = runner_for(warehouse, judged).render(judged.tables["indicators.forecast_accuracy"])
    (found,) = warehouse.rows(view)
    pairs = [
        (row["probability"], float(said[row["forecast_start"]]["value"] > row["limit_value"]), row["verdict"])
        for row in said.values()
        if row["probability"] is not None and row["forecast_start"] in said
    ]
    warnings = [happened for _, happened, verdict in pairs if verdict != "within"]
    share = sum(happened for _, happened, _ in pairs) / len(pairs)
    assert len(pairs) > 10 and 0 < sum(warnings) <= len(warnings) < len(pairs)
    assert found == {
        "threshold_id": "late_soon",
        "indicator": "first_reply_median",
        "grain": "week",
        "forecast_count": len(pairs),
        "happened_count": sum(happened for _, happened, _ in pairs),
        "mean_probability": pytest.approx(sum(one for one, _, _ in pairs) / len(pairs)),
        "brier_score": pytest.approx(sum((one - happened) ** 2 for one, happened, _ in pairs) / len(pairs)),
        "constant_brier_score": pytest.approx(share * (1 - share)),
        "warning_count": len(warnings),
        "true_warning_count": sum(warnings),
    }


def test_the_next_weeks_as_people_see_them(warehouse: Warehouse, judged: Catalog) -> None:
    hours = [hours * 3600 for hours in HOURS]
    _store(warehouse, "first_reply_median", [*hours[:25], None])
    indicator = judged.indicators["first_reply_median"]
    found = look_ahead(warehouse, judged, indicator, "week")
    assert [row.period_start for row in found] == [MONDAY + timedelta(weeks=week) for week in range(25, 29)]
    values = np.array([hours[:25]])
    said = corrected(averaged(values), values)
    for place, row in enumerate(found):
        assert row.forecast == pytest.approx(said.ahead[place, 0, -1])
        assert row.lower < row.upper
        errors = said.errors[place, 0][~np.isnan(said.errors[place, 0])]
        assert row.back_test_count == len(errors) == 25 - 3 - (place + 1)
        assert row.accuracy.mae == pytest.approx(np.abs(errors).mean())
        assert row.accuracy.mase == pytest.approx(np.abs(errors).mean() / np.abs(np.diff(hours[:25])).mean())
    assert look_ahead(warehouse, judged, indicator, "month") == []
    assert look_ahead(warehouse, judged, indicator, "week", "team=desk:7") == []


def test_seven_weeks_are_too_early_to_look_ahead(warehouse: Warehouse, judged: Catalog) -> None:
    _store(warehouse, "first_reply_median", [3600.0] * 7)
    assert look_ahead(warehouse, judged, judged.indicators["first_reply_median"], "week") == []


def _outlook(warehouse: Warehouse, judged: Catalog, at: int) -> Any:
    indicator = judged.indicators["first_reply_median"]
    (found,) = gather_outlooks(warehouse, judged, [indicator], "week", MONDAY + timedelta(weeks=at))
    return found


def test_a_review_looks_ahead_from_its_own_week(warehouse: Warehouse, judged: Catalog) -> None:
    """Neither the figures nor the chance know the later weeks; the chance is what the night said in that week."""
    _store(warehouse, "first_reply_median", [hours * 3600 for hours in HOURS])
    said = {row["period_start"]: row for row in _judge(warehouse, judged)}
    at = next(start for start, row in said.items() if row["verdict"] == "breach_warning")
    week = (at - MONDAY).days // 7
    found = _outlook(warehouse, judged, week)
    assert (found.state, found.usable_count, found.confidence) == ("ok", week + 1, 0.8)
    assert [period.period_start for period in found.periods] == [at + timedelta(weeks=ahead) for ahead in range(1, 5)]
    assert all(period.lower_bound < period.value < period.upper_bound for period in found.periods)
    assert [period.tried for period in found.periods] == [week - 2 - ahead for ahead in range(1, 5)]
    critical, warning = found.chances
    assert (warning.level, warning.limit, warning.is_upper) == ("warning", 6 * 3600, True)
    assert warning.probability == pytest.approx(said[at]["probability"])
    assert warning.period_start == said[at]["forecast_start"]
    assert (critical.limit, critical.probability <= warning.probability) == (6.3 * 3600, True)


def test_why_there_is_no_outlook(warehouse: Warehouse, judged: Catalog) -> None:
    hours: list[float | None] = [hours * 3600 for hours in HOURS[:20]]
    _store(warehouse, "first_reply_median", [*hours[:15], None])
    assert _outlook(warehouse, judged, 10).state == "too_few_periods"
    assert (_outlook(warehouse, judged, 11).state, _outlook(warehouse, judged, 11).usable_count) == ("ok", 12)
    assert (_outlook(warehouse, judged, 15).state, _outlook(warehouse, judged, 15).periods) == ("no_value_now", ())
    assert gather_outlooks(warehouse, judged, [judged.indicators["nps"]], "month", MONDAY)[0].usable_count == 0


def test_an_outlook_tells_how_its_forecasts_compare_with_the_last_value(warehouse: Warehouse, judged: Catalog) -> None:
    """A level that jumps and stays: what looks back is wrong for weeks, the last value only once."""
    levels = [1, 1, 1, 9, 9, 9, 9, 9, 2, 2, 2, 2, 2, 2, 8, 8, 8, 8, 8, 8]
    _store(warehouse, "first_reply_median", [level * 3600.0 for level in levels])
    assert _outlook(warehouse, judged, 19).error_ratio > 1
    warehouse.execute("DELETE FROM indicators.indicator_values")
    warehouse.execute("DELETE FROM ops.watermarks")
    _store(warehouse, "first_reply_median", [3600.0 + 600 * (week % 2) for week in range(26)])
    assert _outlook(warehouse, judged, 25).error_ratio < 1
