"""An analyst adds an indicator, finds it in table, page and brief the next night, and changes it in the open."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from support.small_company import KEYS, NIGHTS, Company, copy_company

from hansei import cli, pipeline


@pytest.fixture(scope="module")
def company(first_night: Company, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """After three nights, of which the last two know an indicator of the company's own."""
    founded = copy_company(first_night, tmp_path_factory.mktemp("own"))
    path = founded.home / "definitions" / "service.yaml"
    path.write_text(path.read_text().replace("indicators: [", "indicators: [my_rate, "))
    with pytest.MonkeyPatch.context() as patch:
        assert hansei(patch, founded, "indicators", "new", "my_rate") == 0
        assert hansei(patch, founded, "check") == 0
    founded.night(2)
    founded.night(3)
    return founded


def hansei(patch: pytest.MonkeyPatch, company: Company, *arguments: str) -> int:
    home = str(company.home)
    for name, value in {"HANSEI_HOME": home, "HANSEI_DEFINITIONS": f"{home}/definitions", **KEYS}.items():
        patch.setenv(name, value)
    patch.setattr("sys.argv", ["hansei", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code or 0


def test_it_is_in_the_table_and_says_what_its_rows_say(company: Company) -> None:
    week = date(2026, 3, 16)
    [row] = company.rows(
        "SELECT numerator, denominator, value FROM indicators.indicator_values WHERE indicator = 'my_rate' "
        "AND grain = 'week' AND segment_id = 'all' AND period_start = :week",
        week=week,
    )
    counted = company.rows(
        "SELECT agent_reply_count FROM core.tickets WHERE is_solved AND agent_reply_count IS NOT NULL "
        "AND NOT is_deleted AND NOT is_merged AND NOT is_spam AND NOT is_bot_only "
        "AND solved_date >= :week AND solved_date < :following",
        week=week,
        following=date(2026, 3, 23),
    )
    assert row["denominator"] == len(counted) > 0
    assert row["numerator"] == sum(ticket["agent_reply_count"] == 1 for ticket in counted)


def test_it_is_in_the_brief(company: Company) -> None:
    built = pipeline.build_review(company.context(NIGHTS[2]), "weekly_brief", date(2026, 3, 30))
    page = Path(built["editions"][0]["path"]).read_text(encoding="utf-8")
    assert "What readers see" in page
    assert "my_rate" in page


def test_it_explains_itself(company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    assert hansei(monkeypatch, company, "indicators", "explain", "my_rate") == 0
    said = capsys.readouterr().out
    assert "agent_reply_count = 1" in said
    assert "0.67541" in said  # 412 of 610, the worked row


def test_another_meaning_is_compared_before_it_is_accepted(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    path = company.home / "definitions" / "indicators" / "my_rate.yaml"
    accepted = path.read_text()

    def run(*arguments: str) -> tuple[int, str]:
        code = hansei(monkeypatch, company, *arguments)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    try:
        assert "counted as in force" in run("indicators", "compare", "my_rate")[1]
        changed = accepted.replace("agent_reply_count = 1", "agent_reply_count > 9")
        path.write_text(changed)
        assert "raise the version to 2" in run("indicators", "compare", "my_rate")[1]
        path.write_text(changed.replace("version: 1", "version: 2"))
        code, said = run("check")
        assert code == 1
        assert "version 2 has not been accepted" in said
        code, said = run("indicators", "compare", "my_rate", "--json")
        rows = json.loads(said)
        assert code == 0
        assert any(row["old"] != row["new"] for row in rows)
        stored = {
            str(row["period_start"]): row["value"]
            for row in company.rows(
                "SELECT period_start, value FROM indicators.indicator_values WHERE indicator = 'my_rate' "
                "AND grain = 'week' AND segment_id = 'all'"
            )
        }
        assert {row["period"]: row["old"] for row in rows} == stored
        assert all(row["new"] == 0 for row in rows if row["old"] is not None)
        assert "add to changes: {version: 2" in run("indicators", "compare", "my_rate")[1]
        path.write_text(
            path.read_text() + "changes: [{version: 2, by: desk, reason: Only the longest talks shall count}]\n"
        )
        assert run("check")[0] == 0
    finally:
        path.write_text(accepted)
