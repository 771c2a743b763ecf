"""How figures are written, in English; other languages share the rounding (test_locales.py)."""

from __future__ import annotations

import datetime as dt

import pytest

from hansei.reviews.evidence import Judgement
from hansei.reviews.locales import locale

EN = locale("en")


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.874, "ratio", "87.4 %"),
        (0.8745, "ratio", "87.5 %"),  # half up, as by hand; binary floats would give 87.4 or 87.5 by luck
        (0.0005, "ratio", "0.1 %"),
        (1.0, "ratio", "100.0 %"),
        (12300.0, "seconds", "3 h 25 min"),
        (3599.0, "seconds", "1 h"),
        (599.0, "seconds", "9 min 59 s"),
        (40.0, "seconds", "40 s"),
        (0.0, "seconds", "0 min"),
        (47 * 3600 + 59 * 60, "seconds", "47 h 59 min"),
        (2 * 86400 + 5 * 3600 + 1700, "seconds", "2 d 5 h"),
        (-90.0, "seconds", "−1 min 30 s"),
        (2 * 86400 + 5 * 3600 + 1700, "business_seconds", "53 h"),
        (47 * 3600 + 59 * 60, "business_seconds", "47 h 59 min"),
        (40.0, "business_seconds", "40 s"),
        (12.4, "points", "+12 points"),
        (-4.0, "points", "−4 points"),
        (1.0, "points", "+1 point"),
        (0.3, "points", "0 points"),
        (1234.0, "count", "1,234"),
        (7.25, "count", "7.3"),
        (None, "ratio", "–"),
    ],
)
def test_figure_carries_its_unit(value: float | None, unit: str, text: str) -> None:
    assert plain(EN.figure(value, unit)) == text


@pytest.mark.parametrize(
    ("value", "unit", "is_upper", "text"),
    [
        (0.9, "ratio", False, "at least 90 %"),
        (0.085, "ratio", True, "at most 8.5 %"),
        (4 * 3600, "seconds", True, "at most 4 h"),
        (5 * 86400, "seconds", True, "at most 5 d"),
        (5 * 86400, "business_seconds", True, "at most 120 h"),
        (750, "count", True, "at most 750"),
        (20, "points", False, "at least +20 points"),
    ],
)
def test_limit_reads_as_its_owner_wrote_it(value: float, unit: str, is_upper: bool, text: str) -> None:
    assert plain(EN.limit(value, unit, is_upper)) == text


def judged(value: float, limit: float, unit: str) -> Judgement:
    return Judgement(
        indicator_id="x",
        segment_id="all",
        segment_label="",
        threshold_id="t",
        level="critical",
        direction="lower_is_better",
        limit=limit,
        value=value,
        unit=unit,
        valid_from=dt.date(2026, 1, 1),
        verdict="breach_critical",
    )


@pytest.mark.parametrize(
    ("value", "limit", "unit", "text"),
    [
        (0.9004, 0.9, "ratio", "90.04 %"),
        (0.95, 0.9, "ratio", "95.0 %"),
        (4 * 3600 + 12, 4 * 3600, "seconds", "4 h 12 s"),
        (30.2, 30, "points", "+30.2 points"),
    ],
)
def test_a_missed_limit_never_reads_the_same_as_the_value(value: float, limit: float, unit: str, text: str) -> None:
    assert plain(EN.contrast(judged(value, limit, unit))) == text


@pytest.mark.parametrize(
    ("lower", "upper", "unit", "text"),
    [
        (0.821, 0.903, "ratio", "82.1 to 90.3 %"),
        (-4.0, 28.0, "points", "−4 to +28 points"),
        (3600.0, 7200.0, "seconds", "1 h to 2 h"),
        (None, 0.9, "ratio", "–"),
    ],
)
def test_interval(lower: float | None, upper: float | None, unit: str, text: str) -> None:
    assert plain(EN.interval(lower, upper, unit)) == text


def test_weeks_are_iso_and_spans_say_each_month_and_year_once() -> None:
    assert plain(EN.period("week", dt.date(2026, 11, 2))) == "week 45 (2–8 November 2026)"
    assert plain(EN.period("week", dt.date(2026, 10, 26))) == "week 44 (26 October – 1 November 2026)"
    assert plain(EN.period("week", dt.date(2026, 12, 28))) == "week 53 (28 December 2026 – 3 January 2027)"


def test_moments_are_told_on_the_reporting_zones_clock() -> None:
    instant = dt.datetime(2026, 11, 8, 23, 30, tzinfo=dt.UTC)
    assert plain(EN.moment(instant, "Europe/Berlin")) == "Monday 9 November 2026, 00:30"
    assert plain(EN.moment(instant, "America/New_York")) == "Sunday 8 November 2026, 18:30"


def test_counts_agree_with_their_words() -> None:
    assert plain(EN.count(1, "ticket")) == "1 ticket"
    assert plain(EN.count(1204, "ticket")) == "1,204 tickets"
    assert plain(EN.count(2, "person")) == "2 people"
    assert EN.listed(["a", "b", "c"]) == "a, b and c"


def test_names_from_outside_are_cut_and_kept_in_their_direction() -> None:
    assert EN.name("a\n b") == "a b"
    assert len(EN.name("x" * 10_000)) == 60
    assert EN.name("שלום") == "\u2068שלום\u2069"
    assert EN.name(" ") == "(no name)"


@pytest.mark.parametrize(
    ("value", "unit", "largest", "text"),
    [
        (12600, "seconds", 14400, "3.5 h"),
        (1800, "seconds", 3600, "30 min"),
        (864000, "seconds", 1728000, "10 d"),
        (0, "seconds", 7200, "0 min"),
        (864000, "business_seconds", 1728000, "240 h"),
        (20, "points", 40, "20"),
        (0.025, "ratio", 0.1, "2.5 %"),
    ],
)
def test_axis_marks_are_short(value: float, unit: str, largest: float, text: str) -> None:
    assert plain(EN.tick(value, unit, largest)) == text
