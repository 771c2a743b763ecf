"""What a brief says about its data: totals that add up, rules in words, restatements told once."""

from __future__ import annotations

import datetime as dt

from hansei.reviews import honesty
from hansei.reviews.evidence import Evidence
from hansei.reviews.foundations import Honesty
from hansei.reviews.locales import locale

EN = locale("en")

MONDAY = dt.date(2026, 11, 2)


def evidence(**facts: object) -> Evidence:
    indicator = {
        "indicator_id": "reopen_rate",
        "version": 1,
        "title": "Reopened",
        "question": "?",
        "unit": "ratio",
        "direction": "lower_is_better",
    }
    return Evidence.model_validate(
        {
            "review_id": "weekly_brief",
            "title": "Weekly brief",
            "service_name": "Desk",
            "reporting_zone": "UTC",
            "period_start": MONDAY,
            "period_end": "2026-11-08",
            "as_of": dt.datetime(2026, 11, 9, 3),
            "product_version": "0.1.0",
            "definitions_hash": "ab",
            "indicators": [indicator],
            "honesty": Honesty.model_validate(facts),
        }
    )


def said(title: str, **facts: object) -> list[str]:
    topic = next(topic for topic in honesty.topics(evidence(**facts), EN) if topic.title == title)
    return [sentence.replace("\u00a0", " ") for sentence in topic.sentences]


def batch(**counts: int) -> dict:
    return {"source": "desk", "entity": "tickets", "received": 10, "accepted": 10} | counts


def restated(**more: object) -> dict:
    return {
        "indicator_id": "reopen_rate",
        "grain": "week",
        "period_start": "2026-10-26",
        "segment_id": "all",
        "segment_label": "",
        "value_before": 0.0512,
        "value_after": 0.0538,
        "known_since": dt.datetime(2026, 11, 4),
        "reason": "late_data",
    } | more


def test_nothing_to_tell_is_told_quietly() -> None:
    topics = honesty.topics(evidence(), EN)
    assert all(topic.is_quiet and len(topic.sentences) == 1 for topic in topics)
    assert len(topics) == 10


def test_rows_are_summed_over_batches() -> None:
    found = said(
        "Rows that arrived", batches=[batch(accepted=7, quarantined=1, duplicate=2), batch(held=10, accepted=0)]
    )
    assert found == [
        "20 rows arrived: 7 accepted, 2 known already, 1 set aside and 10 held back with their batch.",
        "None is unaccounted for.",
    ]


def test_a_batch_that_does_not_add_up_is_named() -> None:
    found = said("Rows that arrived", batches=[batch(accepted=9)])
    assert found[1] == "The rows of desk tickets do not add up: tell whoever runs the pipeline."


def test_rules_are_told_in_words_by_source_and_entity() -> None:
    rules = {
        "value_map:status": 3,
        "cast:timestamp": 2,
        "missing_required:ticket_id": 1,
        "range:bot_confidence_ratio": 1,
        "solved_not_before_created:solved_at, created_at": 1,
        "unreadable": 1,
    }
    rows = [{"source": "desk", "entity": "ticket_events", "rule": rule, "count": n} for rule, n in rules.items()]
    assert said("Rows set aside", quarantine=rows) == [
        "9 rows wait for somebody to look at; no figure counts them.",
        "desk, ticket events: unknown status (3), unreadable time (2), no ticket id (1), bot confidence ratio out of "
        "range (1), “solved not before created” broken (1), 1 more rule.",
    ]


def test_restatements_are_counted_and_those_of_the_whole_come_first() -> None:
    rows = [
        restated(segment_id="team=1", segment_label="A", value_after=0.09),
        restated(),
        restated(value_after=0.0512),
    ]
    assert said("Figures restated", restatements=rows) == [
        "3 weekly figures were restated: late data.",
        "Reopened, week 44: we said 5.1 %, now it is 5.4 %.",
        "Reopened, A, week 44: we said 5.1 %, now it is 9.0 %.",
    ]


def test_a_small_restatement_shows_the_digits_that_moved() -> None:
    found = said("Figures restated", restatements=[restated(value_after=0.05121)])
    assert found[1] == "Reopened, week 44: we said 5.120 %, now it is 5.121 %."


def test_restatements_of_figures_that_the_brief_does_not_show_are_left_out() -> None:
    assert said("Figures restated", restatements=[restated(indicator_id="other")]) == [
        "No figure published earlier has moved."
    ]


def test_a_long_list_is_cut_and_counted() -> None:
    drift = [
        {"source": "desk", "entity": "tickets", "field": f"f{n}", "kind": "new", "first_seen": "2026-11-05", "count": 1}
        for n in range(20)
    ]
    found = said("Sources that changed shape", drift=drift)
    assert len(found) == 13 and found[-1] == "And 8 more."


def tied(**more: object) -> dict:
    days = {"source": "desk", "entity": "tickets", "first_day": "2026-10-05", "last_day": "2026-11-08"}
    return days | {"theirs": 812, "ours": 812} | more


def test_a_source_that_counts_as_we_do_is_one_sentence_and_no_table() -> None:
    topic = next(
        topic for topic in honesty.topics(evidence(tie_outs=[tied()]), EN) if topic.title == "What the sources count"
    )
    assert not topic.is_quiet
    assert len(topic.sentences) == 1
    assert topic.sentences[0].endswith("we count the same, day by day.")
    assert topic.table is None


def test_gaps_are_told_by_reason_and_the_worst_days_stand_in_a_table() -> None:
    day = {
        "day": "2026-11-03",
        "theirs": 31,
        "ours": 27,
        "explained": [{"reason": "merged", "count": 1}],
        "unexplained": 3,
    }
    gap = tied(theirs=816, explained=[{"reason": "merged", "count": 1}], unexplained=3, days=[day])
    (told,) = said("What the sources count", tie_outs=[gap])
    assert told.endswith("we count 812: 1 merged; 3 are unexplained.")
    topic = next(
        topic for topic in honesty.topics(evidence(tie_outs=[gap]), EN) if topic.title == "What the sources count"
    )
    assert topic.table.headings == ("Day", "Theirs", "Ours", "Difference")
    assert [cell.replace("\u00a0", " ") for cell in topic.table.rows[0][1:]] == [
        "31",
        "27",
        "1 merged and 3 unexplained",
    ]


def test_what_checks_and_rules_found_is_told_in_the_readers_language() -> None:
    rule = {"source": "desk", "entity": "tickets", "rule": "solved_not_before_created:solved_at", "count": 2}
    missing = rule | {"rule": "required:customer_id"}
    double = {"source": "desk", "entity": "tickets", "check": "unique_key", "message": "rows share key and version"}
    unknown = double | {"check": "reference:team_id", "message": "team_id names no known row of teams"}
    found = evidence(quarantine=[rule, missing], checks_warned=[double | {"checked": 90, "failed": 3}, unknown])
    topics = {topic.title: topic.sentences for topic in honesty.topics(found, locale("zh_CN"))}
    assert topics["被搁置的行"][1] == "desk，工单：缺少customer id（2）、违反“解决不早于创建”（2）。"
    assert topics["发出警告的检查"] == (
        "desk，工单：与本批次另一行的键和版本相同的行（90行中有3行）。",
        "desk，工单：team id没有对应的已知行。",
    )
    english = {topic.title: topic.sentences for topic in honesty.topics(found, EN)}
    assert english["Rows set aside"][1] == "desk, tickets: no customer id (2), “solved not before created” broken (2)."
    assert english["Checks that warned"][1] == "desk, tickets: team_id names no known row of teams."
