"""A person is erased between two nights of a small company: gone everywhere, and not one figure moves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from support.small_company import NIGHTS, Company, exports, found_company

from hansei import board, pipeline
from hansei.errors import HanseiError
from hansei.pipeline import erasing
from hansei.reviews.archive import editions, read_edition
from hansei.sources.privacy import Privacy
from hansei.sources.scratch import Scratch
from hansei.sources.spool import read_part
from hansei.sources.spool_erasure import spooled
from hansei.warehouse import open_read_copy

# Asks for help in March, answers surveys under the same address, and one of her answers waits in quarantine.
CUSTOMER, ADDRESS = "desk:C10", "person10@firm0.example"


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Company:
    home = tmp_path_factory.mktemp("erasure")
    files = exports()
    # The bad answer of the second night is hers, and her tickets are quoted.
    for name, rows in files.files.items():
        for row in rows:
            if row.get("id") == "R-bad":
                row["email"] = ADDRESS
        if name.startswith("survey-"):
            rows[:] = [row | {"comment": row["comment"] or "My lift is stuck again"} for row in rows]
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("module_postgres").render_as_string(hide_password=False)
    made = found_company(home, url)
    files.write(made.inbox)
    made.night(1)
    made.night(2)
    return made


@dataclass
class Told:
    """What the erasure said, and what stood before it."""

    answer: dict[str, Any]
    trial: dict[str, Any]
    values: list[dict]
    restatements: int
    names: set[str]


VALUES = (
    "SELECT indicator, grain, period_start, segment_id, numerator, denominator, sample_count, value, state "
    "FROM indicators.indicator_values ORDER BY indicator, grain, period_start, segment_id"
)


@pytest.fixture(scope="module")
def told(company: Company) -> Told:
    context = company.context(NIGHTS[1] + timedelta(hours=8))
    pipeline.build_review(context, "weekly_brief")
    with Scratch() as scratch:
        (pseudonym,) = Privacy(company.settings, scratch).pseudonyms(pa.array([ADDRESS]), "email").to_pylist()
    names = {CUSTOMER, pseudonym}
    values, restatements = company.rows(VALUES), company.scalar("SELECT COUNT(*) FROM ops.restatements")
    trial = pipeline.erase(context, CUSTOMER, is_trial=True)
    assert company.rows(VALUES) == values and company.scalar("SELECT COUNT(*) FROM ops.erasures") == 0
    # Killed after the warehouse was unlinked, before spool, archive and models were.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasing, "spooled", _killed)
        with pytest.raises(KeyboardInterrupt):
            pipeline.erase(context, CUSTOMER, by="officer", reason="asked for it")
    assert company.scalar("SELECT state FROM ops.erasures") == "running"
    answer = pipeline.erase(context, CUSTOMER, by="officer", reason="asked for it")
    return Told(answer, trial, values, restatements, names)


def _killed(*_: Any) -> None:
    raise KeyboardInterrupt


def test_the_trial_and_the_erasure_count_the_same(told: Told) -> None:
    counts = {name: value for name, value in told.answer.items() if name not in ("state", "erasure_id")}
    assert counts["row_count"] > 3 and counts["spooled_count"] > 3 and counts["payload_count"] == 1
    assert counts["identity_count"] == 2 and counts["part_count"] > 0
    assert {name: told.trial[name] for name in counts} == counts


def test_nobody_finds_the_person_in_any_table(company: Company, told: Told) -> None:
    with company.warehouse() as warehouse:
        _assert_gone(warehouse, told.names)
    with open_read_copy(company.settings) as copy:
        _assert_gone(copy, told.names)
    spare = company.settings.read_copy.with_name("read.previous.duckdb")
    assert not spare.exists()


def _assert_gone(warehouse: Any, names: set[str]) -> None:
    searched = 0
    for table in sorted(warehouse.tables()):
        for column in warehouse.columns(table):
            for name in names:
                query = f"SELECT COUNT(*) FROM {table} WHERE CAST({column} AS TEXT) LIKE :name"
                assert warehouse.scalar(query, {"name": f"%{name}%"}) == 0, (table, column)
                searched += 1
    assert searched > 500


def test_the_spool_holds_no_row_of_the_person(company: Company, told: Told) -> None:
    parts = 0
    for manifest in spooled(company.settings):
        for batch in manifest.entities.values():
            for part in batch.parts:
                text = json.dumps(read_part(manifest, part).to_pylist(), default=str)
                assert not any(f'"{name}"' in text for name in told.names)
                parts += 1
    assert parts >= 5


def test_sample_rows_of_archived_reviews_are_erased_and_their_figures_stay(company: Company, told: Told) -> None:
    (edition,) = editions(company.settings.archive)
    evidence, parts = read_edition(company.settings.archive, edition.review_id, edition.period_start)
    erased = [part for part in parts.values() if part.erased_on]
    assert len(erased) == told.answer["part_count"] and all(not part.rows and not part.salt for part in erased)
    assert {reference.part_id for reference in evidence.parts} == set(parts)
    with board.opened_board(company.settings) as engine:
        (review,) = board.list_reviews(engine)
        stored = board.load_parts(engine, review.review_id)
    assert {part.part_id for part in stored.values() if part.erased_at} == {part.part_id for part in erased}


def test_no_figure_moves_and_nothing_is_restated(company: Company, told: Told) -> None:
    assert company.rows(VALUES) == told.values
    assert company.scalar("SELECT COUNT(*) FROM ops.restatements") == told.restatements
    assert len(told.values) > 100


def test_the_words_are_marked_and_the_quarantined_answer_is_empty(company: Company, told: Told) -> None:
    comments = company.rows(
        "SELECT DISTINCT comment FROM staging.survey_responses WHERE respondent_email LIKE 'erased-%'"
    )
    assert comments == [{"comment": "[erased]"}]
    others = company.scalar("SELECT COUNT(*) FROM staging.survey_responses WHERE respondent_email NOT LIKE 'erased-%'")
    with open_read_copy(company.settings) as copy:
        shared = copy.rows("SELECT respondent_email, comment FROM core.survey_comments")
    assert len(shared) == others > 0
    assert not any(row["respondent_email"].startswith("erased-") or row["comment"] == "[erased]" for row in shared)
    (row,) = company.rows("SELECT state, state_reason, payload FROM ops.quarantined_rows WHERE row_key LIKE '%R-bad'")
    assert row == {"state": "discarded", "state_reason": "of somebody who was erased", "payload": None}


def test_what_was_done_is_logged_without_naming_anybody(company: Company, told: Told) -> None:
    (logged,) = company.rows("SELECT * FROM ops.erasures")
    assert (logged["state"], logged["requested_by"], logged["reason"]) == ("done", "officer", "asked for it")
    assert logged["row_count"] == told.answer["row_count"]
    assert company.rows("SELECT token FROM ops.erased_identities WHERE token NOT LIKE '%erased-%'") == []


def test_asked_again_it_finds_nothing_more(company: Company, told: Told) -> None:
    again = pipeline.erase(company.context(NIGHTS[1]), CUSTOMER)
    assert (again["state"], again["row_count"]) == ("known", 0)
    with pytest.raises(HanseiError, match="nobody is known by that"):
        pipeline.erase(company.context(NIGHTS[1]), "desk:nobody")


def test_the_next_night_finds_the_person_under_the_hash_only(company: Company, told: Told) -> None:
    tokens = "SELECT COUNT(*) FROM staging.{} WHERE customer_id LIKE '%erased-%'"
    customers, tickets = (company.scalar(tokens.format(name)) for name in ("customers", "tickets"))
    company.night(3)
    assert company.scalar(tokens.format("customers")) == customers == 1
    assert company.scalar(tokens.format("tickets")) >= tickets > 0
    with company.warehouse() as warehouse:
        _assert_gone(warehouse, told.names)
    assert company.unbalanced() == []
    test_the_spool_holds_no_row_of_the_person(company, told)
