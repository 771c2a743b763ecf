"""Kinds of thresholds as people write them: what each accepts, what it refuses, and what it says of its limits."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from support.definition_faults import faults

from hansei.catalog import load_catalog
from hansei.catalog.alarms import AlarmPolicy
from hansei.settings import load_settings

COMMON = """reason: Agreed with the account managers in January.
approver: Head of service
valid_from: 2026-01-05
"""
BENCHMARK = """id: trade
indicator: csat_top_box
title: What others reach
source: Association of the trade
owner: quality
minimum_count: 10
months: [{month: 2026-01-01, value: 0.8}]
action: Look into it
"""
LIMITS = "warning: 2\ncritical: 4\nunit: hours\n"
KINDS = {
    "static": f"indicator: first_reply_median\nkind: static\n{LIMITS}",
    "consecutive": f"indicator: first_reply_median\nkind: consecutive\n{LIMITS}",
    "m_of_n": f"indicator: first_reply_median\nkind: m_of_n\nm: 2\nn: 3\n{LIMITS}",
    "relative": "indicator: csat_top_box\nkind: relative\nwarning: 10\nunit: percent\n"
    "baseline_from: 2025-07-07\nbaseline_until: 2026-01-05\n",
    "benchmark": "indicator: csat_top_box\nkind: benchmark\nbenchmark: trade\n",
    "spc_concern": "indicator: csat_top_box\nkind: spc_concern\n",
    "assurance_fail": "indicator: csat_top_box\nkind: assurance_fail\ntarget: 0.8\nunit: ratio\nlevel: warning\n",
    "forecast": f"indicator: first_reply_median\nkind: forecast\n{LIMITS}",
    "rebase": "indicator: csat_top_box\nkind: rebase\nrebased_on: 2026-01-05\nreason: The new bot is there to stay.\n"
    "by: Head of service\n",
}
RISK = """id: danger
version: 1
title: Danger
question: How likely is a bad week?
indicator: csat_top_box
threshold: limit
cause: experience
consequence: {customers: 4}
key_indicators:
  - {indicator: reopen_rate, limit: 0.1, unit: ratio, leads: Who comes back is less content later., owner: desk}
control: Somebody calls back within a day.
owner: desk
"""


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    (tmp_path / "thresholds").mkdir()
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "trade.yaml").write_text(BENCHMARK)
    return tmp_path


def write(overlay: Path, kind: str, old: str = "", new: str = "") -> None:
    text = f"id: limit\n{KINDS[kind]}" + (COMMON if kind != "rebase" else "")
    assert old in text
    (overlay / "thresholds" / "limit.yaml").write_text(text.replace(old, new, 1) if old else text + new)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_accepted_as_it_is_shown(overlay: Path, kind: str) -> None:
    write(overlay, kind)
    assert faults(overlay) == []
    catalog = load_catalog(load_settings({"HANSEI_DEFINITIONS": str(overlay)}))
    found = catalog.rebases if kind == "rebase" else catalog.thresholds
    assert {key: item.kind for key, item in found.items()} == {"limit": kind}


@pytest.mark.parametrize(
    ("kind", "levels", "limits"),
    [
        ("static", ("warning", "critical"), {"warning": 7200, "critical": 14400}),
        ("consecutive", ("warning", "critical"), {"warning": 7200, "critical": 14400}),
        ("m_of_n", ("warning", "critical"), {"warning": 7200, "critical": 14400}),
        ("relative", ("warning",), {}),
        ("benchmark", ("critical",), {}),
        ("spc_concern", ("critical",), {}),
        ("assurance_fail", ("warning",), {"warning": 0.8}),
        ("forecast", ("warning", "critical"), {"warning": 7200, "critical": 14400}),
    ],
)
def test_limits_are_told_in_the_unit_of_the_values(overlay: Path, kind: str, levels: tuple, limits: dict) -> None:
    write(overlay, kind)
    threshold = load_catalog(load_settings({"HANSEI_DEFINITIONS": str(overlay)})).thresholds["limit"]
    assert threshold.levels == levels
    assert threshold.limits == limits
    assert threshold.target_level == (next(iter(limits.values())) if limits else None)


WRONG = [
    (
        "static",
        "kind: static",
        "kind: statik",
        "thresholds/limit.yaml:3: kind: 'statik' is no kind: use one of static,",
    ),
    ("static", "warning: 2\ncritical: 4\n", "", "give warning, critical, or both"),
    ("static", "critical: 4", "critical: 1", "critical 1 is milder than warning 2: swap the two"),
    ("static", "", "valid_to: 2026-01-05\n", "valid_to must be later than valid_from"),
    ("static", "", "segments: []\n", "limit.yaml:10: segments"),
    ("static", "", "alarm: {recovery: 3}\n", "alarm.recovery: 3 lies beyond the warning limit 2"),
    ("static", "", "alarm: {periods_to_open: 0}\n", "limit.yaml:10: alarm.periods_to_open"),
    ("static", "", "alarm: {escalate_after_days: 3}\n", "escalate_after_days needs escalate_to"),
    ("consecutive", "", "periods: 1\n", "limit.yaml:10: periods"),
    ("m_of_n", "m: 2", "m: 4", "4 of 3 periods can never be beyond the limit"),
    ("relative", "baseline_until: 2026-01-05", "baseline_until: 2026-01-12", "the baseline must end before valid_from"),
    ("relative", "baseline_until: 2026-01-05", "baseline_until: 2025-07-07", "baseline_until must be later"),
    ("relative", "warning: 10", "warning: -10", "as a number above 0"),
    ("relative", "warning: 10", "warning: 10\ncritical: 5", "critical 5 is milder than warning 10"),
    ("relative", "unit: percent", "unit: hours", "'hours' does not measure csat_top_box"),
    ("relative", "csat_top_box", "nps", "a change in percent of it means nothing: say the change in points"),
    ("relative", "", "alarm: {recovery: 12}\n", "12 lies beyond the warning limit 10"),
    ("benchmark", "benchmark: trade", "benchmark: trades", "benchmark 'trades' is not declared: use one of trade"),
    ("benchmark", "csat_top_box", "reopen_rate", "trade is a benchmark of csat_top_box, not of reopen_rate"),
    ("benchmark", "", "grain: week\n", "limit.yaml:8: grain: 'week'"),
    ("spc_concern", "", "chart: u\n", "limit.yaml:7: chart: no chart 'u' can be drawn of csat_top_box"),
    ("spc_concern", "", "chart: p\nseason: month\n", "limit.yaml:8: season: no season is taken out of the chart 'p'"),
    ("spc_concern", "", "alarm: {recovery: 1}\n", "kind spc_concern has no recovery level"),
    ("assurance_fail", "unit: ratio", "unit: hours", "'hours' does not measure csat_top_box"),
    ("forecast", "", "horizon: 5\n", "limit.yaml:10: horizon"),
    ("forecast", "", "alarm: {recovery: 1}\n", "kind forecast has no recovery level"),
    ("rebase", "csat_top_box", "csat", "indicator 'csat' is not declared"),
    ("rebase", "", "segments: [agent=*]\n", "csat_top_box has no segment 'agent'"),
    ("rebase", "by: Head of service\n", "", "by: is missing: add it"),
]


@pytest.mark.parametrize(("kind", "old", "new", "expected"), WRONG)
def test_each_fault_names_its_place(overlay: Path, kind: str, old: str, new: str, expected: str) -> None:
    write(overlay, kind, old, new)
    found = faults(overlay)
    assert len(found) == 1, found
    assert expected in found[0]


@pytest.mark.parametrize(("kind", "recovery", "stored"), [("static", "1.5", 5400), ("static", "2", 7200)])
def test_recovery_lies_apart_from_the_limit_in_its_unit(overlay: Path, kind: str, recovery: str, stored: float) -> None:
    write(overlay, kind, "", f"alarm: {{recovery: {recovery}, periods_to_close: 3}}\n")
    assert faults(overlay) == []
    threshold = load_catalog(load_settings({"HANSEI_DEFINITIONS": str(overlay)})).thresholds["limit"]
    assert threshold.recovery == stored
    assert threshold.alarm.periods_to_close == 3


def test_an_alarm_is_escalated_only_to_somebody() -> None:
    assert AlarmPolicy().patience_days is None
    assert AlarmPolicy(escalate_to="head").patience_days == 7
    assert AlarmPolicy(escalate_to="head", escalate_after_days=2).patience_days == 2


def test_a_risk_cannot_follow_a_threshold_without_a_fixed_limit(overlay: Path) -> None:
    write(overlay, "relative")
    (overlay / "risks").mkdir()
    (overlay / "risks" / "danger.yaml").write_text(RISK)
    assert [fault for fault in faults(overlay) if "limit of kind relative has no fixed limit" in fault]


def test_a_threshold_of_many_segments_says_so(overlay: Path) -> None:
    for segments, is_many in (("[all]", False), ('["team=*"]', True), ("[all, team=a]", True)):
        write(overlay, "static", "", f"segments: {segments}\n")
        threshold = load_catalog(load_settings({"HANSEI_DEFINITIONS": str(overlay)})).thresholds["limit"]
        assert (threshold.is_many, threshold.valid_from) == (is_many, date(2026, 1, 5))
