"""`hansei scorecards`, `risks` and `finance` as people use them, on the three nights of the small company."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.small_company import Company, copy_company

from hansei import cli

RISK = """\
id: slow_service
version: 1
title: Service is slow
question: How likely is a slow week?
indicator: resolution_business_median
limit: 12
unit: hours
cause: capacity
look_back: 4
fewest_periods: 2
consequence: {customers: 3}
loss:
  currency: EUR
  frequency: {kind: poisson, per_year: 6}
  severity: {kind: triangular, minimum: 100, mode: 200, maximum: 600}
  years: 2000
  seed: 3
key_indicators:
  - {indicator: reopen_rate, limit: 0.1, unit: ratio, leads: Repeated work takes the time., owner: desk}
control: Holidays are planned against arrivals.
owner: desk
"""
APPRAISAL = """\
title: Answers for billing
currency: EUR
annual_rate: 0.08
period: year
investment: 50000
benefits: [{amount: 20000, times: 4}]
"""
JUDGEMENTS = """\
title: What counts
things: [speed, quality, cost]
judgements:
  judges:
    - judge: head
      comparisons:
        - {more: quality, than: speed, by: 3}
        - {more: speed, than: cost, by: 2}
        - {more: quality, than: cost, by: 5}
"""


@pytest.fixture(scope="module")
def company(second_night: Company, tmp_path_factory: pytest.TempPathFactory) -> Company:
    company = copy_company(second_night, tmp_path_factory.mktemp("company"))
    (company.home / "definitions" / "risks").mkdir()
    (company.home / "definitions" / "risks" / "slow_service.yaml").write_text(RISK)
    company.night(3)
    return company


@pytest.fixture
def hansei(company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Any:
    """Runs a command in the company's home; (exit code, what it printed, errors)."""
    monkeypatch.setenv("HANSEI_HOME", str(company.home))
    monkeypatch.setenv("HANSEI_DEFINITIONS", str(company.home / "definitions"))
    return lambda *arguments: _run(monkeypatch, capsys, *arguments)


def _run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["hansei", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_the_lists_name_what_is_defined(hansei: Any) -> None:
    listed = {row["id"]: row["kind"] for row in json.loads(hansei("scorecards", "list", "--json")[1])}
    assert listed == {"balanced_service": "scorecard", "collaboration": "profile", "efficiency_quality": "quadrants"}
    risks = {row["risk"]: row for row in json.loads(hansei("risks", "list", "--json")[1])}
    assert risks["slow_service"]["limit"] == "12 hours"
    assert risks["slow_service"]["has_loss"] is True


def test_a_card_shows_the_published_figures_line_by_line(hansei: Any, company: Company) -> None:
    rows = json.loads(hansei("scorecards", "show", "balanced_service", "--period", "2026-03-20", "--json")[1])
    assert {row["period_start"] for row in rows} == {"2026-03-16"}
    assert rows[-1]["line"] == "total"
    # Efficiency, quality and collaboration again, from the values and the shipped ends and weights.
    stored = {
        row["indicator"]: row["value"]
        for row in company.rows(
            "SELECT indicator, value FROM indicators.indicator_values WHERE grain = 'week' AND state = 'ok' "
            "AND segment_id = 'all' AND period_start = DATE '2026-03-16'"
        )
    }
    lines = {row["indicator"]: row for row in rows if row["line"] == "indicator" and row["state"] == "ok"}
    assert {"resolution_business_median", "csat_top_box", "reopen_rate"} <= set(lines)
    for name, row in lines.items():
        assert row["value"] == pytest.approx(stored[name])
        share = (row["worst"] - stored[name]) / (row["worst"] - row["best"])
        assert row["score"] == pytest.approx(100 * min(max(share, 0), 1))
    dimensions = {row["dimension"]: row for row in rows if row["line"] == "dimension"}
    quality = [row for row in lines.values() if row["dimension"] == "quality"]
    weighed = sum(row["score"] * row["weight_ratio"] for row in quality) / sum(row["weight_ratio"] for row in quality)
    assert dimensions["quality"]["score"] == pytest.approx(weighed)
    assert dimensions["development"]["score"] is None
    known = [row for row in dimensions.values() if row["score"] is not None]
    total = sum(row["score"] * row["weight_ratio"] for row in known) / sum(row["weight_ratio"] for row in known)
    assert rows[-1]["score"] == pytest.approx(total)
    covered = sum(row["coverage_ratio"] * row["weight_ratio"] for row in dimensions.values())
    assert rows[-1]["coverage_ratio"] == pytest.approx(covered)


def test_cards_read_as_tables(hansei: Any) -> None:
    _, out, _ = hansei("scorecards", "show", "balanced_service")
    assert "Balanced service scorecard, week of 2026-03-23, version 1" in out
    assert "development" in out
    assert "missing" in out
    _, out, _ = hansei("scorecards", "show", "collaboration", "--segment", "team=desk:G1")
    assert "keeping_hold" in out
    _, out, _ = hansei("scorecards", "show", "efficiency_quality")
    assert out.strip() == "efficiency_quality has not been scored yet: a night scores the periods that are finished"


def test_the_register_and_the_history_of_a_risk(hansei: Any) -> None:
    register = json.loads(hansei("risks", "show", "--json")[1])[0]
    found = {row["risk"]: row for row in register["risks"]}
    slow = found["slow_service"]
    assert slow["state"] == "ok"
    assert slow["expected_loss"] == pytest.approx(6 * 300)  # six a year, 300 each on average
    assert slow["period_count"] == 3
    assert found["broken_promises"]["state"] == "too_few_periods"
    assert register["total"][0]["expected_loss"] == pytest.approx(1800)
    _, out, _ = hansei("risks", "show")
    assert "causes with a price: 1, each counted once" in out
    assert "expected loss 1,800 EUR a year" in out
    _, out, _ = hansei("risks", "show", "slow_service")
    assert "2026-03-09" in out
    assert "early sign reopen_rate" in out


def test_given_weights_are_told_as_such(hansei: Any) -> None:
    rows = json.loads(hansei("scorecards", "weights", "balanced_service", "--json")[1])
    given = {row["thing"]: row["weight"] for row in rows if row["of"] == "Balanced service scorecard"}
    assert given == {"efficiency": 0.3, "quality": 0.4, "collaboration": 0.2, "development": 0.1}
    assert {row["consistency_ratio"] for row in rows} == {None}


def test_judgements_become_weights_with_their_consistency(hansei: Any, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.yaml"
    sheet.write_text(JUDGEMENTS)
    code, out, _ = hansei("scorecards", "weights", str(sheet), "--json")
    rows = {row["thing"]: row for row in json.loads(out)}
    # Of three things the eigenvector is the geometric mean of the rows: 1/3 * 2, 3 * 5 and 1/2 * 1/5.
    parts = {"speed": (2 / 3) ** (1 / 3), "quality": 15 ** (1 / 3), "cost": 0.1 ** (1 / 3)}
    for name, part in parts.items():
        assert rows[name]["weight"] == pytest.approx(part / sum(parts.values()), abs=1e-6)
    assert code == 0
    assert 0 < rows["cost"]["consistency_ratio"] < 0.1
    assert rows["cost"]["random_index"] == "saaty_1980"


def test_contradicting_judgements_are_shown_and_refused(hansei: Any, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.yaml"
    sheet.write_text(JUDGEMENTS.replace("more: quality, than: cost, by: 5", "more: cost, than: quality, by: 4"))
    code, out, error = hansei("scorecards", "weights", str(sheet))
    assert code == 1
    assert "reconsider speed, quality, cost" in out
    assert "is not below 0.10" in error
    assert len(error.strip().splitlines()) == 1
    sheet.write_text(JUDGEMENTS.replace("        - {more: speed, than: cost, by: 2}\n", ""))
    code, _, error = hansei("scorecards", "weights", str(sheet))
    assert code == 1
    assert "sheet.yaml:6: judgements.judges.0.comparisons: head has not compared speed with cost" in error


def test_an_improvement_is_appraised(hansei: Any, tmp_path: Path) -> None:
    file = tmp_path / "billing.yaml"
    file.write_text(APPRAISAL)
    figures = json.loads(hansei("finance", "appraise", str(file), "--json")[1])
    # The first case of oracles/finance.json, from numpy-financial and exact fractions.
    assert figures["roi_ratio"] == pytest.approx(0.6)
    assert figures["npv"] == pytest.approx(16242.536800886639)
    assert figures["npv_excel"] == pytest.approx(16242.536800886639 / 1.08)
    assert figures["irr_per_year"] == pytest.approx(0.21862269609834195)
    assert figures["payback_periods"] == pytest.approx(2.5)
    assert figures["discounted_payback_periods"] == pytest.approx(2.90288, abs=1e-6)
    _, out, _ = hansei("finance", "appraise", str(file))
    assert "16,242.54" in out


def test_a_monthly_appraisal_compounds_and_counts_running_costs(hansei: Any, tmp_path: Path) -> None:
    file = tmp_path / "monthly.yaml"
    text = "period: month\ninvestment: 1200\nbenefits: [{amount: 150, times: 12}]\ncosts: [{amount: 50, times: 12}]\n"
    file.write_text(f"title: T\ncurrency: EUR\nannual_rate: 0.0\n{text}")
    figures = json.loads(hansei("finance", "appraise", str(file), "--json")[1])
    assert figures["npv"] == pytest.approx(0)
    assert figures["irr_per_year"] == pytest.approx(0, abs=1e-9)
    assert figures["roi_ratio"] == pytest.approx(0)  # 1800 back for 1200 and 600
    assert (figures["payback_periods"], figures["payback_years"]) == (pytest.approx(12), pytest.approx(1))


def test_several_rates_of_return_are_said_to_be_several(hansei: Any, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "title: Mine\ncurrency: EUR\nannual_rate: 0.15\nflows:\n"
        "  - {date: 2025-01-01, amount: -1000}\n  - {date: 2026-01-01, amount: 2300}\n"
        "  - {date: 2027-01-01, amount: -1320}\n"
    )
    code, out, _ = hansei("finance", "appraise", str(file))
    assert code == 0
    assert "2 internal rates of return exist" in out
    assert "10.00% a year" in out
    assert "20.00% a year" in out
    figures = json.loads(hansei("finance", "appraise", str(file), "--json")[1])
    assert figures["irr_per_year"] is None
    assert figures["npv"] == pytest.approx(-1000 + 2300 / 1.15 - 1320 / 1.15**2)


MISTAKES = [
    (["scorecards", "show", "card"], "scorecard 'card': is not defined: use one of: balanced_service, collaboration"),
    (["scorecards", "show", "balanced_service", "--period", "x"], "--period: 'x' is no day: write it as 2026-09-07"),
    (
        ["scorecards", "show", "balanced_service", "--period", "2020-01-01"],
        "nothing was scored in the week of 2019-12-30 (balanced_service, all): choose one from 2026-03-09 to",
    ),
    (["scorecards", "weights", "efficiency_quality"], "quadrants have no weights: ask for the scorecard balanced_serv"),
    (["scorecards", "weights", "nowhere.yaml"], "nowhere.yaml: is no file"),
    (["risks", "show", "flood"], "risk 'flood': is not defined: use one of: broken_promises"),
    (["finance", "appraise", "nowhere.yaml"], "nowhere.yaml: is no file: name a YAML file"),
]


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES)
def test_a_mistake_is_one_clear_line(hansei: Any, arguments: list[str], expected: str) -> None:
    code, _, error = hansei(*arguments)
    assert code == 1
    assert expected in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("investment: 50000\n", "", "give period, investment and benefits, or flows on dates"),
        ("period: year", "period: decade", "billing.yaml:4: period: 'decade'"),
        ("currency: EUR", "currency: euro", "billing.yaml:2: currency: 'euro'"),
        ("benefits:", "costs: [-3]\nbenefits:", "costs are written as positive amounts"),
        ("benefits:", "gains:", "gains: is not a known key"),
        ("benefits:", "flows: [{date: 2026-01-01, amount: 2}]\nbenefits:", "not both"),
    ],
)
def test_a_fault_of_an_appraisal_names_its_line(
    hansei: Any, tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    file = tmp_path / "billing.yaml"
    assert old in APPRAISAL
    file.write_text(APPRAISAL.replace(old, new))
    code, _, error = hansei("finance", "appraise", str(file))
    assert code == 1
    assert complaint in error


def test_before_the_first_night_it_says_how_to_begin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("HANSEI_HOME", str(tmp_path))
    for command in (["scorecards", "show", "balanced_service"], ["risks", "show"]):
        code, _, error = _run(monkeypatch, capsys, *command)
        assert code == 1
        assert "there is no read copy yet: run a night first" in error
