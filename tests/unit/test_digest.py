"""What a digest says: one item per alarm, to whom it concerns, cut with a count, in the reader's language."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
import yaml
from support.digest_cases import AS_OF, CLOSED, ESCALATED, ITEMS, OPENED, RECOVERING, SETTING, VERA, WEI, digest

from hansei.reviews.digest import Digest, digest_for, merge
from hansei.reviews.digest_message import chat_text, mail_html, mail_text, subject
from hansei.reviews.locales import LANGUAGES, locale
from hansei.settings import SHIPPED_INCLUDE


def whats(*numbered: tuple[int | None, str]) -> list[str]:
    """What the merged item of one alarm says, for its events (number, what)."""
    return [item.what for item in merge(replace(OPENED, event_number=n, what=what) for n, what in numbered)]


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([(1, "opened")], "opened"),
        ([(1, "opened"), (2, "raised")], "opened"),
        ([(1, "opened"), (2, "escalated")], "escalated"),
        ([(1, "escalated"), (2, "raised")], "escalated"),
        ([(1, "opened"), (2, "recovering")], "recovering"),
        ([(1, "opened"), (2, "recovering"), (3, "relapsed")], "opened"),
        ([(1, "opened"), (2, "closed")], "closed"),
        ([(2, "raised")], "raised"),
        ([(3, "raised"), (None, "overdue")], "overdue"),
        ([(3, "escalated"), (None, "overdue")], "escalated"),
        ([(3, "closed"), (2, "opened")], "closed"),
    ],
)
def test_an_alarm_is_told_once_by_what_it_has_come_to(events: list, said: str) -> None:
    assert whats(*events) == [said]


def test_the_newest_figures_are_told() -> None:
    raised = replace(OPENED, event_number=8, what="raised", severity="major", value=20_000.0)
    (item,) = merge([raised, replace(OPENED, severity="general")])
    assert (item.what, item.value, item.severity, item.event_number) == ("opened", 20_000.0, "major", 8)


def test_one_event_that_came_by_two_roads_counts_once() -> None:
    everybody = VERA.model_copy(update={"owners": ("*",)})
    both = {"service-desk": [ESCALATED], "head-of-service": [ESCALATED]}
    assert digest_for(everybody, both, 0, AS_OF).items == (ESCALATED,)


def test_only_what_concerns_the_reader_and_was_not_told() -> None:
    billing = VERA.model_copy(update={"owners": ("billing",)})
    assert digest_for(billing, ITEMS, 0, AS_OF).items == (RECOVERING, CLOSED)
    assert digest_for(billing, ITEMS, 8, AS_OF).items == (CLOSED,)
    assert digest_for(billing, ITEMS, 10, AS_OF).items == ()
    grave = VERA.model_copy(update={"minimum_severity": "important"})
    assert digest_for(grave, ITEMS, 0, AS_OF).items == (OPENED, ESCALATED)


def test_an_escalation_reaches_whom_it_names_by_role_or_by_id() -> None:
    head = VERA.model_copy(update={"id": "head", "owners": ("head-of-service",)})
    assert digest_for(head, ITEMS, 0, AS_OF).items == (ESCALATED,)
    by_id = {"service-desk": [replace(ESCALATED, escalated_to="anna"), OPENED]}
    anna = VERA.model_copy(update={"id": "anna", "owners": ("elsewhere",)})
    assert [item.what for item in digest_for(anna, by_id, 0, AS_OF).items] == ["escalated"]


def test_a_first_digest_tells_what_stands_and_not_the_history() -> None:
    closed_long_ago = [replace(CLOSED, alarm_id=f"old-{n}", event_number=n) for n in range(1, 40)]
    first = digest_for(VERA, {**ITEMS, "billing": [*ITEMS["billing"], *closed_long_ago]}, None, AS_OF)
    assert first.items == (OPENED, ESCALATED, RECOVERING)


def test_what_did_not_leave_is_told_with_what_is_new() -> None:
    later = {"service-desk": [replace(OPENED, event_number=12, what="recovering")]}
    told = digest_for(VERA, later, 10, AS_OF, untold=digest().items)
    assert [(item.alarm_id, item.what) for item in told.items] == [
        (ESCALATED.alarm_id, "escalated"),
        (OPENED.alarm_id, "recovering"),
        (RECOVERING.alarm_id, "recovering"),
        (CLOSED.alarm_id, "closed"),
    ]


def test_a_digest_comes_back_from_its_text() -> None:
    text = digest().to_json()
    assert Digest.from_json(text) == digest()
    assert Digest.from_json(text).to_json() == text
    assert "Vera" not in text


def test_the_subject_names_the_gravest_and_counts_the_rest() -> None:
    assert subject(digest(), VERA, SETTING) == (
        "[Aurora Care] Major: First reply, median · Billing (new alarm) and 3 more alarms"
    )
    assert subject(digest(WEI), WEI, SETTING) == (
        "【Aurora Care】重大：First reply, median · Billing（新告警），另有3项告警"
    )
    two = Digest((ESCALATED, CLOSED), AS_OF)
    assert subject(two, VERA, SETTING).endswith("whole service (nobody has reacted yet) and 1 more alarm")
    assert subject(Digest((CLOSED,), AS_OF), VERA, SETTING) == "[Aurora Care] Reopened tickets · Billing (closed)"


def test_a_name_from_outside_can_neither_break_a_line_nor_become_markup() -> None:
    hostile = replace(OPENED, title="Up\r\nBcc: all@aurora.example <img src=x>", segment="<script>", owner="a\nb")
    said = Digest((hostile,), AS_OF)
    assert "\n" not in subject(said, VERA, SETTING) and "\r" not in subject(said, VERA, SETTING)
    assert "<img" not in mail_html(said, VERA, SETTING) and "<script" not in mail_html(said, VERA, SETTING)
    assert "Up Bcc: all@aurora.example <img src=x> · <script>" in mail_text(said, VERA, SETTING)


def test_a_long_list_is_cut_with_a_count() -> None:
    many = Digest(tuple(replace(OPENED, alarm_id=f"alarm-{n:02}") for n in range(33)), AS_OF)
    for text in (mail_text(many, VERA, SETTING), mail_html(many, VERA, SETTING)):
        assert text.count("new alarm") == 20
        assert "and 13 more, not listed here: hansei alarms list" in text
        assert "33 alarms need you now" in text
    assert "另有13项未列出" in mail_text(many, WEI, SETTING)
    assert "not listed" not in mail_text(Digest(many.items[:20], AS_OF), VERA, SETTING)


@pytest.mark.parametrize("limit", [700, 1748, 20_000])
def test_a_chat_message_fits_and_counts_what_it_leaves_out(limit: int) -> None:
    many = Digest(tuple(replace(OPENED, alarm_id=f"alarm-{n:02}") for n in range(33)), AS_OF)
    for reader in (VERA, WEI):
        text = chat_text(many, reader, SETTING, limit)
        assert len(text.encode()) <= limit
        shown = len(re.findall(r"^▲", text, re.MULTILINE))
        assert 0 < shown <= 8
        assert re.search(rf"(and|另有){33 - shown}项未列出|and {33 - shown} more", text)


def test_both_languages_say_the_same_things() -> None:
    """Every sentence exists in each language, with the same parts; what the board records need not be said again."""

    def parts(language: str, name: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}

        def walk(node: Any, path: str) -> None:
            if isinstance(node, dict) and not set(node) <= {"one", "other"}:
                for key, item in node.items():
                    walk(item, f"{path}.{key}")
                return
            sentences = node.values() if isinstance(node, dict) else [node]
            found[path] = {part for sentence in sentences for part in re.findall(r"{(\w+)}", sentence)}

        walk(yaml.safe_load((SHIPPED_INCLUDE / f"templates/locales/{language}/{name}.yaml").read_text("utf-8")), "")
        return found

    english, *others = (parts(language, "digest") for language in LANGUAGES)
    assert len(english) > 30
    assert others == [english]
    english, *others = (parts(language, "alarms") for language in LANGUAGES)
    assert all(other.keys() == english.keys() for other in others)
    assert all(named <= english[path] for other in others for path, named in other.items())


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        (18_600.0, "seconds", "5 h 10 min", "5小时10分钟"),
        (200_000.0, "seconds", "2 d 8 h", "2天8小时"),
        (0.8213, "ratio", "82.1 %", "82.1%"),
        (1234.0, "count", "1,234", "1,234"),
        (12.34, "per_hundred", "12.3 per 100", "12.3(每100个)"),
        (3.5, "weeks", "3.5 weeks", "3.5周"),
        (-4.0, "points", "−4 points", "−4分"),
        (2.5, "score", "2.50", "2.50"),
        (None, "ratio", "–", "–"),
    ],
)
def test_figures_are_said_in_the_readers_language(value: float | None, unit: Any, english: str, chinese: str) -> None:
    assert locale("en").figure(value, unit).replace("\u00a0", " ") == english
    assert locale("zh_CN").figure(value, unit) == chinese


@pytest.mark.parametrize(
    ("grain", "start", "english", "chinese"),
    [
        ("day", date(2026, 3, 8), "8 March 2026", "2026年3月8日"),
        ("week", date(2026, 3, 2), "week 10 (2–8 March 2026)", "2026年第10周(3月2日至8日)"),
        ("week", date(2026, 3, 30), "week 14 (30 March – 5 April 2026)", "2026年第14周(3月30日至4月5日)"),
        (
            "week",
            date(2025, 12, 29),
            "week 1 (29 December 2025 – 4 January 2026)",
            "2026年第1周(2025年12月29日至2026年1月4日)",
        ),
        ("month", date(2026, 2, 1), "February 2026", "2026年2月"),
        ("quarter", date(2026, 4, 1), "Q2 2026", "2026年第2季度"),
    ],
)
def test_periods_are_said_in_the_readers_language(grain: Any, start: date, english: str, chinese: str) -> None:
    assert locale("en").period(grain, start).replace("\u00a0", " ") == english
    assert locale("zh_CN").period(grain, start) == chinese


def test_limits_and_moments() -> None:
    assert locale("en").limit(14_400.0, "seconds", True).replace("\u00a0", " ") == "at most 4 h"
    assert locale("zh_CN").limit(0.9, "ratio", False) == "不低于90%"
    summer = datetime(2026, 6, 30, 22, 30)
    assert locale("zh_CN").moment(summer, "Europe/Berlin") == "2026年7月1日星期三 00:30"
    assert locale("en").moment(summer, "Asia/Shanghai").replace("\u00a0", " ") == "Wednesday 1 July 2026, 06:30"


def test_what_is_overdue_does_not_hide_the_event_that_makes_it_news() -> None:
    overdue = replace(OPENED, event_number=None, what="overdue")
    (item,) = merge([replace(OPENED, event_number=9, what="escalated"), overdue])
    assert (item.what, item.event_number) == ("escalated", 9)
    (item,) = merge([overdue])
    assert (item.what, item.event_number) == ("overdue", None)
