"""From a bad row to a mended definition to a replay, by the commands that an engineer types."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from support.small_company import BAD_RESPONSE, BAD_TICKET, KEYS, Company, copy_company

from hansei import cli


@pytest.fixture
def company(second_night: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    """After two nights: a ticket with an unknown status and an answer above the scale wait."""
    founded = copy_company(second_night, tmp_path)
    environment = {"HANSEI_HOME": str(tmp_path), "HANSEI_DEFINITIONS": str(tmp_path / "definitions"), **KEYS}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return founded


def hansei(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["hansei", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out + captured.err


def test_a_mended_definition_brings_a_row_back(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        return hansei(monkeypatch, capsys, *arguments)

    listed = json.loads(run("quarantine", "list", "--json")[1])
    assert [(row["source"], row["rules"].split(",")[0]) for row in listed] == [
        ("desk", "value_map"),
        ("feedback", "score_not_above_scale"),
    ]
    ticket, answer = (row["id"] for row in listed)
    shown = run("quarantine", "show", ticket)[1]
    assert "wobbling" in shown
    assert BAD_TICKET in shown
    assert "broke value_map on status" in shown
    assert run("quarantine", "show", "ffff")[0] == 1

    # Nothing was mended: nothing passes, and nothing is lost.
    assert "2 rows waited: 0 accepted, 0 known already, 2 still refused" in run("quarantine", "replay")[1]

    before = company.scalar("SELECT COUNT(*) FROM core.tickets")
    company.with_source("desk", lambda text: text.replace("{new: new,", "{wobbling: open, new: new,"))
    code, said = run("quarantine", "replay", ticket)
    assert code == 0, said
    assert "1 rows waited: 1 accepted, 0 known already, 0 still refused" in said
    assert company.scalar("SELECT COUNT(*) FROM core.tickets") == before + 1
    status = company.scalar("SELECT status FROM staging.tickets WHERE ticket_id = :id", id=f"desk:{BAD_TICKET}")
    assert status == "open"
    created = company.rows(
        "SELECT value FROM indicators.indicator_values WHERE indicator = 'tickets_created' AND grain = 'day' "
        "AND segment_id = 'all' AND period_start = :day",
        day=date(2026, 3, 20),
    )
    counted = company.scalar("SELECT COUNT(*) FROM core.tickets WHERE created_date = DATE '2026-03-20'")
    assert created[0]["value"] == counted
    assert company.unbalanced() == []

    code, said = run("quarantine", "discard", answer, "--reason", "a test of the survey tool")
    assert (code, "1 rows discarded" in said) == (0, True)
    assert "no row waits in quarantine" in run("quarantine", "list")[1]
    states = company.rows("SELECT row_key, state, state_reason FROM ops.quarantined_rows ORDER BY row_key")
    assert [(row["row_key"], row["state"]) for row in states] == [
        (f"desk:{BAD_TICKET}", "replayed"),
        (f"feedback:{BAD_RESPONSE}", "discarded"),
    ]
    assert states[1]["state_reason"] == "a test of the survey tool"

    # The corrected version of the next night still wins over the replayed one.
    company.night(3)
    assert company.scalar("SELECT COUNT(*) FROM core.tickets WHERE ticket_id = :id", id=f"desk:{BAD_TICKET}") == 1
