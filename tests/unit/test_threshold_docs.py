"""The examples of docs/thresholds.md are accepted as they stand, and there is one of every kind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from support.definition_faults import faults

from hansei.catalog import load_catalog
from hansei.cli.thresholds import alarm_words, breach_words
from hansei.pipeline.breaching import KINDS
from hansei.settings import load_settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "thresholds.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("examples")
    for text in EXAMPLES:
        given = yaml.safe_load(text)
        folder = directory / ("benchmarks" if "months" in given else "thresholds")
        folder.mkdir(exist_ok=True)
        (folder / f"{given['id']}.yaml").write_text(text, encoding="utf-8")
    return directory


def test_every_example_is_accepted(overlay: Path) -> None:
    assert faults(overlay) == []


def test_every_kind_has_an_example_and_a_line_to_choose_it_by(overlay: Path) -> None:
    catalog = load_catalog(load_settings({"HANSEI_DEFINITIONS": str(overlay)}))
    assert {item.kind for item in catalog.thresholds.values()} == set(KINDS)
    assert len(catalog.rebases) == 1
    for kind in KINDS:
        assert f"| `{kind}` |" in PAGE
        assert f"\n### {kind}\n" in PAGE


def test_every_kind_is_told_in_a_few_words(overlay: Path) -> None:
    catalog = load_catalog(load_settings({"HANSEI_DEFINITIONS": str(overlay)}))
    told = {key: breach_words(item) for key, item in catalog.thresholds.items()}
    assert told == {
        "sla_by_tier": "beyond 0.9 / 0.8 ratio (warning / critical)",
        "satisfaction_as_before": "worse by 10 / 20 percent (warning / critical) than 2025-07-07 to 2026-01-05",
        "backlog_three_weeks": "beyond 40 count (critical), 3 weeks in a row",
        "two_slow_weeks_of_three": "beyond 2 hours (warning), 2 of 3 weeks",
        "topics_below_the_trade": "worse than benchmark topics_of_the_trade",
        "satisfaction_changed": "a change for the worse on the chart",
        "sla_out_of_reach": "will miss 0.95 ratio",
        "late_replies_soon": "likely beyond 4 / 8 hours (warning / critical) within 4 weeks",
    }
    assert alarm_words(catalog.thresholds["sla_by_tier"]) == "opens after 3, closes after 2 at 0.92 ratio"
