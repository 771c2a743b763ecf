"""Contracts of surveys: what is quarantined, what is kept and counted nowhere, which of several ratings counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sql.staging_rows import WINDOW_END, arriving, publish, version

from hansei.catalog import Catalog
from hansei.catalog.surveys import Benchmark, ScaleContract, ServqualWeights, check_surveys
from hansei.quality.rules import row_rules, scales_for
from hansei.quality.validation import Suite
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

DAY = datetime(2026, 3, 3, 10)
CONTRACT = {
    "id": "stars",
    "title": "Stars",
    "kind": "csat",
    "questions": ["desk:stars"],
    "minimum": 1,
    "maximum": 5,
    "direction": "higher_is_better",
    "formula": "top_box",
    "owner": "tests",
}


def contract(**more: Any) -> ScaleContract:
    return ScaleContract.model_validate(CONTRACT | more)


def instrument(key: str, kind: str, low: float, high: float, is_higher_better: bool = True, **more: Any) -> dict:
    scale = {"scale_minimum": low, "scale_maximum": high, "is_higher_better": is_higher_better}
    return {"survey_id": f"desk:{key}", "name": key, "kind": kind, **scale, **more}


def answer(key: str, survey: str, score: float | None, kind: str = "csat", at: datetime = DAY, **more: Any) -> dict:
    scale = {"scale_minimum": 0, "scale_maximum": 10}
    named = {"response_id": f"desk:{key}", "survey_id": f"desk:{survey}", "survey_kind": kind, "responded_at": at}
    return {**named, "score": score, **scale, **more}


def night(warehouse: Warehouse, catalog: Catalog, run_id: str = "night", **rows: list[dict]) -> None:
    for name, arrived in rows.items():
        publish(warehouse, catalog.entities[name], arrived, run_id=run_id)
    plant(warehouse, catalog, run_id)
    refresh_models(warehouse, catalog, "core", run_id)


def told(warehouse: Warehouse, columns: str, order: str = "response_id") -> list[tuple]:
    rows = warehouse.rows(f"SELECT {columns} FROM core.survey_responses ORDER BY {order}")
    return [tuple(row.values()) for row in rows]


def refused(warehouse: Warehouse, catalog: Catalog, rows: list[dict]) -> dict[str, list[str]]:
    """Rules that each answer breaks, as the intake asks them."""
    entity = catalog.entities["survey_responses"]
    rules = row_rules(entity, WINDOW_END, scales_for(warehouse, catalog, entity))
    found: dict[str, list[str]] = {}
    for outcome in Suite("answers", rules).validate(arriving(entity, rows)):
        for position in outcome.failed_rows:
            found.setdefault(rows[position]["response_id"].removeprefix("desk:"), []).append(outcome.rule.id)
    return found


def test_an_answer_off_the_contracts_scale_is_quarantined(warehouse: Warehouse, catalog: Catalog) -> None:
    """Each row claims a scale from 0 to 10; what the question's contract says stands above that."""
    catalog = replace(catalog, surveys={"stars": contract()})
    publish(
        warehouse, catalog.entities["surveys"], [instrument("effort", "ces", 1, 7), instrument("stars", "csat", 1, 10)]
    )
    rows = [
        answer("kept", "stars", 5),
        answer("above", "stars", 6),
        answer("below", "stars", 0),
        answer("of_source", "effort", 8, "ces"),
        answer("fits_source", "effort", 7, "ces"),
        answer("nobody_knows", "unheard", 9),
        answer("off_its_own", "unheard", 11),
        answer("empty", "stars", None),
        answer("expected", "stars", None, expectation_score=4),
        answer("expected_too_much", "stars", 4, expectation_score=7),
    ]
    assert refused(warehouse, catalog, rows) == {
        "above": ["score_within_contract"],
        "below": ["score_within_contract"],
        "of_source": ["score_within_contract"],
        "off_its_own": ["score_not_above_scale"],
        "empty": ["is_answered"],
        "expected_too_much": ["expectation_within_contract"],
    }


def test_an_answer_without_a_contract_is_kept_and_counted_nowhere(warehouse: Warehouse, catalog: Catalog) -> None:
    instruments = [
        instrument("stars", "csat", 1, 5),
        instrument("odd_effort", "ces", 1, 10),
        instrument("item", "servqual", 1, 7),
        instrument("three", "csat", 1, 3),
    ]
    answers = [
        answer("a", "stars", 5),
        answer("b", "unheard", 5),
        answer("c", "unheard", 4),
        answer("d", "odd_effort", 5, "ces"),
        answer("e", "item", 5, "servqual"),
        answer("f", "three", 3),
        answer("g", "stars", 9),  # came before its contract did
    ]
    night(warehouse, catalog, surveys=instruments, survey_responses=answers)
    assert told(warehouse, "response_id, unusable_reason, is_top_box") == [
        ("desk:a", None, True),
        ("desk:b", "no contract", None),
        ("desk:c", "no contract", None),
        ("desk:d", "the formula does not fit the scale", None),
        ("desk:e", "the item has no dimension", None),
        ("desk:f", "the formula does not fit the scale", True),
        ("desk:g", "off the scale", True),
    ]
    rows = warehouse.rows("SELECT * FROM core.survey_unusable_answers WHERE unusable_reason = 'no contract'")
    assert [(row["survey_id"], row["answer_count"]) for row in rows] == [("desk:unheard", 2)]
    # The contract arrives a night later: its answers count from then on.
    night(warehouse, catalog, "second", surveys=[instrument("unheard", "csat", 1, 5)])
    assert told(warehouse, "unusable_reason, is_top_box")[1:3] == [(None, True), (None, True)]


def test_a_contract_that_is_a_definition_stands_above_the_sources(warehouse: Warehouse, catalog: Catalog) -> None:
    said = instrument("stars", "csat", 1, 10)
    turned = contract(minimum=1, maximum=6, direction="lower_is_better")
    night(
        warehouse, replace(catalog, surveys={"stars": turned}), surveys=[said],
        survey_responses=[answer("a", "stars", 1), answer("b", "stars", 2), answer("c", "stars", 6)],
    )  # fmt: skip
    assert told(warehouse, "score, turned_score, is_top_box, is_good, is_bad, scale_maximum") == [
        (1, 6, True, True, False, 6),
        (2, 5, True, True, False, 6),
        (6, 1, False, False, True, 6),
    ]
    assert warehouse.scalar("SELECT contract_from FROM core.surveys") == "definition"
    # Without the definition the source's instrument is in force again.
    night(warehouse, catalog, "second")
    assert told(warehouse, "turned_score, is_top_box") == [(1, False), (2, False), (6, False)]


@pytest.mark.parametrize(
    ("scale", "top", "good", "bad"),
    [
        ((1, 5), {4, 5}, {4, 5}, {1, 2}),
        ((1, 7), {6, 7}, {6, 7}, {1, 2}),
        ((0, 1), set(), {1}, {0}),
    ],
)
def test_boxes_by_scale(warehouse: Warehouse, catalog: Catalog, scale, top, good, bad) -> None:
    points = range(scale[0], scale[1] + 1)
    answers = [answer(f"{point}", "stars", point) for point in points]
    night(warehouse, catalog, surveys=[instrument("stars", "csat", *scale)], survey_responses=answers)
    found = told(warehouse, "score, is_top_box, is_good, is_bad")
    assert {row[0] for row in found if row[1]} == top
    assert {row[0] for row in found if row[2]} == good
    assert {row[0] for row in found if row[3]} == bad


def rating(key: str, ticket: str, score: float, hours: int, **more: Any) -> dict:
    return answer(key, "stars", score, at=DAY + timedelta(hours=hours), ticket_id=f"desk:{ticket}", **more)


def test_peer_error_3_a_rating_that_turned_is_told_in_its_own_direction(warehouse: Warehouse, catalog: Catalog) -> None:
    """PEER.md: the flags of "good to bad" and "bad to good" were swapped."""
    answers = [
        rating("1", "worse", 5, 0), rating("2", "worse", 3, 1), rating("3", "worse", 1, 2),
        rating("4", "better", 2, 0), rating("5", "better", 4, 1),
        rating("6", "same", 4, 0), rating("7", "same", 1, 1), rating("8", "same", 4, 2),
        rating("9", "single", 1, 0),
    ]  # fmt: skip
    night(warehouse, catalog, surveys=[instrument("stars", "csat", 1, 5)], survey_responses=answers)
    flags = "response_id, is_superseded, first_score, is_rating_changed, is_good_to_bad, is_bad_to_good"
    last = [row for row in told(warehouse, flags) if not row[1]]
    assert last == [
        ("desk:3", False, 5, True, True, False),
        ("desk:5", False, 2, True, False, True),
        ("desk:8", False, 4, False, False, False),
        ("desk:9", False, 1, False, False, False),
    ]
    assert not any(flag for row in told(warehouse, flags) if row[1] for flag in row[3:])


def test_of_several_ratings_the_last_counts_whenever_they_arrive(warehouse: Warehouse, catalog: Catalog) -> None:
    instruments = [instrument("stars", "csat", 1, 5), instrument("nps", "nps", 0, 10)]
    first = [rating("a", "t", 5, 0), rating("b", "t", 1, 5), rating("c", "u", 3, 0)]
    night(warehouse, catalog, surveys=instruments, survey_responses=first)
    superseded = "response_id, rating_number, rating_count, is_superseded"
    assert told(warehouse, superseded) == [
        ("desk:a", 1, 2, True), ("desk:b", 2, 2, False), ("desk:c", 1, 1, False),
    ]  # fmt: skip
    # A late rating from between, an answer to another survey, and a rating that turns out to be about another ticket.
    moved = rating("b", "u", 1, 5, source_version=version(9))
    other = answer("n", "nps", 9, "nps", DAY + timedelta(hours=9), ticket_id="desk:t")
    night(warehouse, catalog, "second", survey_responses=[rating("d", "t", 4, 2), other, moved])
    assert told(warehouse, superseded) == [
        ("desk:a", 1, 2, True), ("desk:b", 2, 2, False), ("desk:c", 1, 2, True), ("desk:d", 2, 2, False),
        ("desk:n", None, None, False),
    ]  # fmt: skip
    # The last one is withdrawn: the one before counts again.
    gone = rating("d", "t", 4, 2, source_version=version(10), deleted_at=DAY + timedelta(days=1))
    night(warehouse, catalog, "third", survey_responses=[gone])
    assert [row for row in told(warehouse, superseded) if row[0] == "desk:a"] == [("desk:a", 1, 1, False)]


def test_who_answered_beside_who_did_not(warehouse: Warehouse, catalog: Catalog) -> None:
    """8 asked by chat, 2 of them answer; 4 asked by mail, 3 answer; one more bounced."""
    tickets, invitations, answers = [], [], []
    for channel, sent, answered in (("chat", 8, 2), ("mail", 4, 3)):
        for number in range(sent + (channel == "mail")):
            key = f"desk:{channel}{number}"
            tickets.append({"ticket_id": key, "status": "open", "created_at": DAY, "channel": channel})
            asked = {"invitation_id": key, "survey_id": "desk:stars", "ticket_id": key, "sent_at": DAY}
            invitations.append({**asked, "is_bounced": number == sent})
            if number < answered:
                answers.append(answer(f"{channel}{number}", "stars", 5, invitation_id=key))
    night(warehouse, catalog, tickets=tickets, survey_invitations=invitations, survey_responses=answers)
    refresh_models(warehouse, catalog, "indicators", "night")
    rows = warehouse.rows(
        "SELECT segment_value, delivered_count, answered_count, response_ratio, answered_share_ratio, "
        "unanswered_share_ratio, share_difference FROM indicators.survey_participation "
        "WHERE dimension = 'channel' AND grain = 'month' ORDER BY segment_value"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("chat", 8, 2, 0.25, 0.4, pytest.approx(6 / 7), pytest.approx(0.4 - 6 / 7)),
        ("mail", 4, 3, 0.75, 0.6, pytest.approx(1 / 7), pytest.approx(0.6 - 1 / 7)),
    ]
    # An answer whose invitation is withdrawn from it leaves the invitation unanswered again.
    lost = answer("chat0", "stars", 5, source_version=version(9))
    night(warehouse, catalog, "second", survey_responses=[lost])
    query = "SELECT COUNT(*) FROM core.survey_invitations WHERE is_answered"
    assert warehouse.scalar(query) == 4


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"formula": "net_promoter"}, "is read by top_box or good_bad"),
        ({"kind": "ces", "formula": "effort_1"}, "effort_1 .CES 1.0. needs the scale 1 to 5, lower_is_better"),
        ({"kind": "ces", "formula": "effort_2"}, "effort_2 .CES 2.0. needs the scale 1 to 7"),
        ({"kind": "nps", "formula": "net_promoter"}, "net_promoter needs the scale 0 to 10"),
        ({"maximum": 3}, "top_box needs a scale of four points or more"),
        ({"maximum": 1}, "maximum must lie above minimum"),
        ({"good_from": 2, "bad_to": 3}, "bad_to must lie below good_from"),
        ({"questions": []}, "either questions, or items"),
        ({"direction": "up"}, "higher_is_better"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_contract_that_cannot_be_read_is_refused(changes: dict, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        contract(**changes)


def test_weights_share_out_a_hundred_points(catalog: Catalog) -> None:
    shipped = catalog.servqual_weights["servqual"].model_dump()
    shipped["weights"]["empathy"] += 1
    with pytest.raises(ValidationError, match="sum to 101, not to 100"):
        ServqualWeights.model_validate(shipped)
    del shipped["weights"]["empathy"]
    with pytest.raises(ValidationError, match="no weight for empathy"):
        ServqualWeights.model_validate(shipped)


def test_faults_between_definitions_are_named(catalog: Catalog) -> None:
    from hansei.catalog.documents import Document

    definition = {"id": "b", "indicator": "unheard", "title": "T", "source": "s", "owner": "o", "action": "a",
                  "months": [{"month": "2026-01-01", "value": 0.5, "segment": "weather=rain"}]}  # fmt: skip
    items = {
        "b": Benchmark.model_validate(definition),
        "c": Benchmark.model_validate(definition | {"id": "c", "indicator": "csat_top_box"}),
    }
    surveys = {"stars": contract(), "again": contract(id="again")}
    documents = {
        (kind, key): Document(f"{key}.yaml")
        for kind, some in (("surveys", surveys), ("benchmarks", items))
        for key in some
    }
    changed = replace(catalog, surveys=surveys, benchmarks=items, documents=documents)
    found = [fault.found for fault in check_surveys(changed)]
    assert found == [
        "'desk:stars' has a contract in 'stars' already",
        "indicator 'unheard' is not declared",
        "csat_top_box has no segment 'weather=rain'",
    ]
    with pytest.raises(ValidationError, match="by its first day"):
        Benchmark.model_validate(definition | {"months": [{"month": "2026-01-02", "value": 0.5}]})
