"""Static thresholds, against hand-verified tables: equal is no breach, gaps and small numbers break a run."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from hansei.catalog.units import in_indicator_unit
from hansei.signals.thresholds import Limits, Observation, judge

MONDAY = date(2026, 1, 5)
FAR = date(2030, 1, 1)
# value, limit, warning, direction, expected: hand-verified.
STATIC = [
    (0.94, 0.95, 0.97, "higher_is_better", "breach_critical"),
    (0.95, 0.95, 0.97, "higher_is_better", "breach_warning"),
    (0.96, 0.95, 0.97, "higher_is_better", "breach_warning"),
    (0.97, 0.95, 0.97, "higher_is_better", "within"),
    (0.98, 0.95, None, "higher_is_better", "within"),
    (25, 24, 20, "lower_is_better", "breach_critical"),
    (24, 24, 20, "lower_is_better", "breach_warning"),
    (20, 24, 20, "lower_is_better", "within"),
    (None, 24, 20, "lower_is_better", "too_few_data"),
    (0, 0, None, "lower_is_better", "within"),
]
# lower and upper end of Wilson's interval around a value below 0.95, and whether the interval supports the breach.
SUPPORT = [
    (0.8, 0.49016247153664183, 0.9433178485456247, True),
    (0.8, 0.7111708344068411, 0.8666330666689676, True),
    (0.93, 0.862504852609265, 0.9656807389327274, False),
    (0.0, 0.0, 0.5614970317550455, True),
]


def week(number: int, value: float | None, state: str = "ok", low: float | None = None, high: float | None = None):
    start = MONDAY + timedelta(weeks=number)
    return Observation(start, start + timedelta(weeks=1), value, low, high, state)


def limits(critical: float | None = 0.8, direction: str = "higher_is_better", **more) -> Limits:
    return Limits(**{"warning": None, "critical": critical, "direction": direction, "valid_from": MONDAY, **more})


@pytest.mark.parametrize(("value", "limit", "warning", "direction", "expected"), STATIC)
def test_a_value_breaks_a_limit_only_beyond_it(value, limit, warning, direction, expected) -> None:
    state = "ok" if value is not None else "no_data"
    verdicts = judge([week(0, value, state)], limits(limit, direction, warning=warning), FAR)
    assert [verdict.verdict for verdict in verdicts] == [expected]


@pytest.mark.parametrize(("value", "low", "high", "supported"), SUPPORT)
def test_the_interval_says_whether_chance_alone_could_explain_a_breach(value, low, high, supported) -> None:
    verdict = judge([week(0, value, low=low, high=high)], limits(0.95), FAR)[0]
    assert verdict.verdict == "breach_critical"
    assert verdict.is_supported is supported


def test_breaches_in_a_row_are_counted_and_anything_else_ends_the_run() -> None:
    values = [0.82, 0.78, 0.77, 0.76, 0.81, 0.79]
    verdicts = judge([week(number, value) for number, value in enumerate(values)], limits(), FAR)
    assert [verdict.consecutive_count for verdict in verdicts] == [0, 1, 2, 3, 0, 1]
    assert verdicts[3].first_breach_start == MONDAY + timedelta(weeks=1)


def test_a_missing_or_small_week_breaks_a_run() -> None:
    missing = [week(0, 0.7), week(2, 0.7)]
    small = [week(0, 0.7), week(1, 0.7, "insufficient"), week(2, 0.7)]
    assert [verdict.consecutive_count for verdict in judge(missing, limits(), FAR)] == [1, 1]
    assert [verdict.consecutive_count for verdict in judge(small, limits(), FAR)] == [1, 0, 1]
    assert judge(small, limits(), FAR)[1].verdict == "too_few_data"


def test_unfinished_weeks_and_weeks_outside_the_dates_are_not_judged() -> None:
    series = [week(-1, 0.5), week(0, 0.5), week(1, 0.5), week(2, 0.5, "incomplete")]
    verdicts = judge(series, limits(valid_to=MONDAY + timedelta(weeks=1)), FAR)
    assert [verdict.period_start for verdict in verdicts] == [MONDAY]


def test_a_week_that_the_sources_do_not_cover_is_not_ready_whatever_its_value() -> None:
    series = [week(0, 0.5), week(1, 0.5)]
    words = [verdict.verdict for verdict in judge(series, limits(), MONDAY + timedelta(weeks=1))]
    assert words == ["breach_critical", "not_ready"]
    assert [verdict.verdict for verdict in judge(series, limits(), None)] == ["not_ready", "not_ready"]


def test_order_of_arrival_does_not_matter() -> None:
    series = [week(number, value) for number, value in enumerate([0.7, 0.9, 0.7, 0.6])]
    assert judge(series, limits(), FAR) == judge(series[::-1], limits(), FAR)


@pytest.mark.parametrize(
    ("limit", "unit", "stored"),
    [(2.25, "hours", 8100), (30, "minutes", 1800), (0.65, "ratio", 0.65), (1, "days", 86400)],
)
def test_limits_are_told_in_the_units_of_people(limit: float, unit: str, stored: float) -> None:
    assert in_indicator_unit(limit, unit) == stored
