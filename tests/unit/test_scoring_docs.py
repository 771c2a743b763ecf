"""The examples of docs/scorecards.md and docs/risks.md: they are valid, and give the figures that the text says."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from hansei.catalog.appraisals import Appraisal
from hansei.catalog.judgements import Judgements
from hansei.catalog.risks import HeldLimit, Risk
from hansei.catalog.scorecards import Scorecard
from hansei.indicators.appraisals import appraise
from hansei.indicators.risks import Observed, Simulations, risk_rows
from hansei.indicators.scorecards import Grid, card_lines
from hansei.warehouse.scoring_tables import SCORING_TABLES


def _blocks(repository: Path, name: str) -> list[dict[str, Any]]:
    text = (repository / "docs" / name).read_text("utf-8")
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


def _block(repository: Path, name: str, *keys: str) -> dict[str, Any]:
    """The first example that has all the keys."""
    return next(block for block in _blocks(repository, name) if set(keys) <= set(block))


def test_the_card_scores_as_the_worked_example_says(repository: Path) -> None:
    card = Scorecard(**_block(repository, "scorecards.md", "dimensions"))
    day = date(2026, 3, 2)
    rows = [
        {"indicator": name, "version": 1, "period_start": day, "segment_id": "all", "value": value, "state": "ok"}
        | {"lower_bound": None, "upper_bound": None, "sample_count": 50}
        for name, value in (("csat_top_box", 0.76), ("reopen_rate", 0.065))
    ]
    names = ["csat_top_box", "reopen_rate"]
    lines = card_lines(card, Grid.of(rows, names, "week", dict.fromkeys(names, date(2026, 4, 6)))).to_pylist()
    scores = {row["indicator"] or row["dimension"] or "total": row["score"] for row in lines}
    assert scores["csat_top_box"] == pytest.approx(45.7, abs=0.05)
    assert scores["reopen_rate"] == pytest.approx(75.0)
    assert scores["quality"] == pytest.approx(57.4, abs=0.05)
    assert (scores["development"], scores["total"]) == (None, None)
    assert lines[-1]["coverage_ratio"] == pytest.approx(0.4)


def test_the_judgements_weigh_as_the_text_says(repository: Path) -> None:
    judgements = Judgements(**_block(repository, "scorecards.md", "judgements")["judgements"])
    found = judgements.weighing(["efficiency", "quality", "collaboration"])
    assert found.weights == pytest.approx([0.297, 0.540, 0.163], abs=0.0005)
    assert found.is_consistent


def test_the_appraisal_pays_as_the_text_says(repository: Path) -> None:
    figures = appraise(Appraisal(**_block(repository, "scorecards.md", "annual_rate")))
    assert figures["npv"] == pytest.approx(3955.55, abs=0.005)
    assert figures["irr_per_year"] == pytest.approx(0.406, abs=0.0005)
    assert figures["payback_periods"] == pytest.approx(17.25)
    assert figures["discounted_payback_periods"] == pytest.approx(18.3, abs=0.05)


def test_the_risk_is_graded_as_the_worked_example_says(repository: Path) -> None:
    risk = Risk(**_block(repository, "risks.md", "consequence"))
    values = [0.75] * 3 + [0.9] * 9
    periods = [Observed(date.fromordinal(date(2026, 3, 2).toordinal() + 7 * n), v, "ok") for n, v in enumerate(values)]
    row = risk_rows(risk, periods, HeldLimit(risk.limit), "higher_is_better", Simulations())[-1]
    assert row["probability"] == pytest.approx(0.269, abs=0.0005)
    assert (row["likelihood"], row["consequence"], row["score"], row["grade"]) == (4, 4, 16, "extreme")
    assert row["probability"] * 365.25 / 7 == pytest.approx(14, abs=0.1)


def test_the_docs_name_every_key_and_every_table(repository: Path) -> None:
    told = "".join((repository / "docs" / name).read_text("utf-8") for name in ("scorecards.md", "risks.md"))
    for model in (Scorecard, Risk):
        for key in set(model.model_fields) - {"source"}:
            assert key in told, key
    for table in SCORING_TABLES:
        assert table in told, table
