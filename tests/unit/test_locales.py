"""What each language makes of figures, dates, numbered things and lists; expected texts are written by hand."""

from __future__ import annotations

import datetime as dt

import pytest

from hansei.catalog.measures import Unit
from hansei.reviews.locales import Locale, locale

EN, ZH = locale("en"), locale("zh_CN")


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        (0.9, "ratio", "at least 90 %", "不低于90%"),
        (0.085, "ratio", "at least 8.5 %", "不低于8.5%"),
        (5 * 86400, "seconds", "at least 5 d", "不低于5天"),
        (5 * 86400, "business_seconds", "at least 120 h", "不低于120小时"),
        (1.5, "per_hundred", "at least 1.5 per 100", "不低于1.5(每100个)"),
        (20, "points", "at least +20 points", "不低于+20分"),
    ],
)
def test_a_limit_reads_as_its_owner_wrote_it(value: float, unit: Unit, english: str, chinese: str) -> None:
    assert plain(EN.limit(value, unit, False)) == english
    assert ZH.limit(value, unit, False) == chinese


@pytest.mark.parametrize(
    ("lower", "upper", "unit", "english", "chinese"),
    [
        (0.821, 0.903, "ratio", "82.1 to 90.3 %", "82.1%至90.3%"),
        (-4.0, 28.0, "points", "−4 to +28 points", "−4至+28分"),
        (3600.0, 9000.0, "seconds", "1 h to 2 h 30 min", "1小时至2小时30分钟"),
        (3.0, 1204.0, "count", "3 to 1,204", "3至1,204"),
        (None, 0.9, "ratio", "–", "–"),
    ],
)
def test_intervals(lower: float | None, upper: float | None, unit: Unit, english: str, chinese: str) -> None:
    assert plain(EN.interval(lower, upper, unit)) == english
    assert ZH.interval(lower, upper, unit) == chinese


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        (0.38, "ratio", "+38.0 percentage points", "+38.0个百分点"),
        (-0.01, "ratio", "−1.0 percentage point", "−1.0个百分点"),
        (1.0, "points", "+1 point", "+1分"),
        (5400.0, "seconds", "+1 h 30 min", "+1小时30分钟"),
        (-90.0, "seconds", "−1 min 30 s", "−1分钟30秒"),
        (0.0, "seconds", "0 min", "0分钟"),
    ],
)
def test_differences(value: float, unit: Unit, english: str, chinese: str) -> None:
    assert plain(EN.difference(value, unit)) == english
    assert ZH.difference(value, unit) == chinese


@pytest.mark.parametrize(
    ("first", "last", "english", "chinese"),
    [
        ((2026, 11, 2), (2026, 11, 8), "2–8 November 2026", "2026年11月2日至8日"),
        ((2026, 10, 26), (2026, 11, 1), "26 October – 1 November 2026", "2026年10月26日至11月1日"),
        ((2026, 12, 28), (2027, 1, 3), "28 December 2026 – 3 January 2027", "2026年12月28日至2027年1月3日"),
    ],
)
def test_spans_say_each_month_and_year_once(first: tuple, last: tuple, english: str, chinese: str) -> None:
    days = dt.date(*first), dt.date(*last)
    assert plain(EN.span(*days)) == english
    assert ZH.span(*days) == chinese


def test_things_are_counted_with_their_noun() -> None:
    assert [plain(EN.count(n, "person")) for n in (0, 1, 1204)] == ["0 people", "1 person", "1,204 people"]
    assert [ZH.count(n, "ticket") for n in (0, 1, 1204)] == ["0张工单", "1张工单", "1,204张工单"]
    assert (EN.things("person"), ZH.things("ticket")) == ("people", "工单")
    # What a definition of somebody's own counts, nobody here has words for.
    assert [plain(EN.count(n, "work_order")) for n in (1, 2)] == ["1 work order", "2 work orders"]
    assert ZH.count(2, "设备") == "2个设备"


@pytest.mark.parametrize(
    ("words", "said"), [(EN, ["", "a", "a and b", "a, b and c"]), (ZH, ["", "a", "a、b", "a、b、c"])]
)
def test_lists(words: Locale, said: list[str]) -> None:
    assert [words.listed(["a", "b", "c"][:n]) for n in range(4)] == said


def test_texts_of_definitions_are_told_in_the_language_where_somebody_translated_them() -> None:
    words = ZH.with_texts({"Weekly brief": "每周简报"})
    assert (words.text("Weekly brief"), words.name("Weekly brief"), words.text("Backlog")) == (
        "每周简报",
        "每周简报",
        "Backlog",
    )
    assert (EN.name(" "), ZH.name(" ")) == ("(no name)", "（无名称）")
    assert ZH.texts == {}


def test_weeks_and_marks_of_an_axis() -> None:
    monday = dt.date(2026, 11, 2)
    assert (plain(EN.week(monday)), EN.axis_month(monday, True), EN.axis_month(monday, False)) == (
        "week 45",
        "Nov 2026",
        "Nov",
    )
    assert (ZH.week_alone(monday), ZH.axis_month(monday, True), ZH.axis_month(monday, False)) == (
        "第45周",
        "2026年11月",
        "11月",
    )
    assert (plain(EN.tick(12600, "seconds", 14400)), ZH.tick(12600, "seconds", 14400)) == ("3.5 h", "3.5小时")


def test_a_message_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match=r"zh_CN.*figures\.nonsense"):
        ZH.say("figures.nonsense")
