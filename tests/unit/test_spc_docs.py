"""docs/spc.md: its example is accepted as it stands, and it tells of every chart, rule set and kind of data."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from support.definition_faults import faults

from hansei.catalog.threshold_checks import CHARTS
from hansei.catalog.thresholds import Chart, RuleSet
from hansei.signals import chart_choice, spc
from hansei.signals.run_rules import RULE_SETS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "spc.md").read_text(encoding="utf-8")


def test_the_example_is_accepted(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "thresholds").mkdir()
    (tmp_path / "thresholds" / f"{yaml.safe_load(example)['id']}.yaml").write_text(example, encoding="utf-8")
    assert faults(tmp_path) == []


def test_every_chart_and_every_rule_set_has_its_line() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    first_cells = " ".join(line.split("|")[1] for line in lines)
    for name in {*Chart.__args__, *RuleSet.__args__} - {"auto"}:
        assert f"`{name}`" in first_cells, name
    for name in {rule.name for rules in RULE_SETS.values() for rule in rules} | {"unusual_runs"}:
        assert f"`{name}`" in PAGE, name


def test_the_charts_of_each_kind_of_data_are_those_that_the_check_accepts() -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("|")]
    told = {cells[2].strip(): {name.strip() for name in cells[3].split(",")} for cells in rows if len(cells) == 6}
    kinds = {
        "share": "share",
        "events per exposure": "rate",
        "events": "count",
        "mean of cases": "mean",
        "a bare number": "other",
    }
    assert {kind: {"auto", *told[name]} for name, kind in kinds.items()} == {k: set(v) for k, v in CHARTS.items()}


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert f"from {chart_choice.LEAST_CASES} cases on" in PAGE
    assert (
        f"above {chart_choice.MOST_CASES:,} cases a period, or where sigma z is above {chart_choice.OVERDISPERSED}"
        in PAGE
    )
    assert f"fewer than {chart_choice.RARE_EVENTS:.0f} events a period" in PAGE
    assert f"fewer than {spc.LEAST} usable points" in PAGE
    assert f"below {spc.SETTLED} points" in PAGE
