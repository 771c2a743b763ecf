"""History that moves says why: late rows, a new calendar, a new target; and what we said earlier can be asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.small_company import NIGHTS, Company, copy_company

from hansei.indicators.history import known_at


@pytest.fixture
def company(first_night: Company, tmp_path: Path) -> Company:
    return copy_company(first_night, tmp_path)


def reasons(company: Company, run_id: str) -> dict[str, set[str]]:
    rows = company.rows(
        "SELECT DISTINCT reason, indicator FROM ops.restatements WHERE restated_run_id = :run", run=run_id
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["reason"], set()).add(row["indicator"])
    return found


def rewrite(company: Company, file: str, old: str, new: str) -> None:
    path = company.home / "definitions" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_new_calendar_is_the_reason_of_what_it_moves(company: Company) -> None:
    rewrite(company, "calendars/office.yaml", '"09:00-19:00"', '"11:00-19:00"')
    found = reasons(company, company.night(2))
    assert "first_reply_business_median" in found["calendar"]
    assert "definition" not in found
    assert "first_reply_median" not in found.get("calendar", set())


def test_a_new_target_is_the_reason_of_what_it_moves(company: Company) -> None:
    rewrite(company, "sla/standard.yaml", '"*": 4h', '"*": 1m')
    found = reasons(company, company.night(2))
    kept = {"accounts_repeatedly_breached", "renewals_with_open_breaches", "value_exposed_to_breaches"}
    assert found.get("sla") == {"sla_attainment", *kept}  # all of them count clocks that ran late
    assert "definition" not in found


def test_a_new_version_is_the_reason_of_what_it_moves(company: Company) -> None:
    shipped = Path(__file__).resolve().parents[2] / "include/definitions/indicators/resolution/reopen_rate.yaml"
    text = shipped.read_text().replace("version: 1\n", "version: 2\n", 1)
    text = text.replace("numerator: reopen_count > 0", "numerator: reopen_count > 1")
    text += "changes: [{version: 2, by: service-desk, reason: A single thank-you is no reopening}]\n"
    (company.home / "definitions" / "indicators").mkdir(exist_ok=True)
    (company.home / "definitions" / "indicators" / "reopen_rate.yaml").write_text(text)
    found = reasons(company, company.night(2))
    assert "reopen_rate" in found["definition"]
    assert found["definition"] <= {"reopen_rate"}


def test_what_was_said_earlier_can_be_asked_for(begun: Company) -> None:
    """After each night the values are noted; later the same are found again for the instant of that night."""
    company = begun

    def stands() -> dict[tuple, tuple]:
        rows = company.rows("SELECT * FROM indicators.indicator_values WHERE state NOT IN ('incomplete', 'immature')")
        return {key(row): (row["value"], row["sample_count"], row["state"]) for row in rows}

    def key(row: dict) -> tuple:
        return row["indicator"], row["grain"], row["period_start"], row["segment_id"]

    said = {NIGHTS[0]: stands()}
    for number in (2, 3):
        company.night(number)
        said[NIGHTS[number - 1]] = stands()
    assert company.scalar("SELECT COUNT(*) FROM ops.restatements") > 0
    assert said[NIGHTS[0]] != {name: value for name, value in said[NIGHTS[2]].items() if name in said[NIGHTS[0]]}
    for night, expected in said.items():
        found = {}
        with company.warehouse() as warehouse:
            for grain in ("day", "week", "month", "quarter"):
                segments = {name[3] for name in expected if name[1] == grain}
                for segment in segments:
                    for row in known_at(warehouse, night + timedelta(minutes=1), None, grain, segment):
                        found[key(row)] = (row["value"], row["sample_count"], row["state"])
        assert found == expected


def test_before_the_first_night_nothing_was_known(company: Company) -> None:
    with company.warehouse() as warehouse:
        assert known_at(warehouse, datetime(2020, 1, 1)) == []
