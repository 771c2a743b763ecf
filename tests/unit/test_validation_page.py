"""The validation page: the identity of every batch, and no check that passes on nothing."""

from __future__ import annotations

import datetime as dt

import pytest

from hansei.reviews.rendering import render_validation
from hansei.reviews.validation_page import ValidationPage, lay_out

HOSTILE = "<script>alert(1)</script>"


def page(checks: list[dict] = (), state: str = "done", **counts: int) -> ValidationPage:
    entity = {
        "entity": "tickets",
        "received": 10,
        "accepted": 7,
        "quarantined": 1,
        "duplicate": 2,
        "checks": checks,
        "nights": [{"date": "2026-11-08", "result": "warned", "received": 10, "quarantined": 1}],
    } | counts
    return ValidationPage.model_validate(
        {
            "service_name": "Desk",
            "reporting_zone": "Europe/Berlin",
            "run_id": "scheduled__2026-11-09",
            "as_of": dt.datetime(2026, 11, 9, 3),
            "product_version": "0.1.0",
            "sources": [{"source": "desk", "state": state, "entities": [entity]}],
        }
    )


def check(**more: object) -> dict:
    return {"name": "status is known", "severity": "stop", "checked": 10, "failed": 0, "result": "passed"} | more


def test_a_batch_that_adds_up_says_so() -> None:
    entity = lay_out(page([check()])).sources[0].entities[0]
    assert entity.balance == "adds up"
    assert entity.identity[0] == ("received", "10")


def test_a_row_that_went_missing_is_the_headline() -> None:
    view = lay_out(page([check()], accepted=6))
    assert view.title == "1\u00a0batch does not add up"
    assert view.sources[0].entities[0].balance == "does not add up: 1 unaccounted for"


@pytest.mark.parametrize(
    ("checks", "state", "title"),
    [
        ([check()], "done", "Everything that arrived was accounted for"),
        ([check(result="failed", failed=2)], "done", "1\u00a0check found rows to set aside"),
        ([check()], "failed", "1\u00a0source failed"),
    ],
)
def test_headline(checks: list[dict], state: str, title: str) -> None:
    assert lay_out(page(checks, state)).title == title


def test_a_check_that_saw_no_row_did_not_pass() -> None:
    entity = lay_out(page([check(checked=0)])).sources[0].entities[0]
    assert [view.word for view in entity.quiet] == ["nothing to look at"]
    assert entity.quiet_words == "1\u00a0check had nothing to look at"
    assert entity.result == "not run"


def test_no_check_at_all_is_said() -> None:
    view = lay_out(page())
    assert "No check ran: nothing here is proven." in view.standfirst
    assert view.sources[0].entities[0].result == "not run"


def test_checks_that_found_something_come_first_and_open() -> None:
    checks = [check(name="a"), check(name="b", severity="warn", result="warned"), check(name="c", result="failed")]
    entity = lay_out(page(checks)).sources[0].entities[0]
    assert [view.name for view in entity.checks] == ["c", "b"]
    assert [view.name for view in entity.quiet] == ["a"]


def test_page_reads_offline_and_runs_nothing() -> None:
    html = render_validation(page([check(name=HOSTILE, message=HOSTILE, result="failed")]))
    assert "<script" not in html and "&lt;script&gt;" in html
    assert "http://" not in html and "https://" not in html and "url(" not in html
    assert "default-src 'none'" in html
    assert html == render_validation(page([check(name=HOSTILE, message=HOSTILE, result="failed")]))
