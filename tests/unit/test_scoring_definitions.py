"""Scorecards, profiles, quadrants and risks as definitions: what is refused, with file, line and next step."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.definition_faults import faults
from support.few_indicators import FEW

from hansei.catalog.loader import examine
from hansei.settings import load_settings

CARD = """\
id: card
version: 1
title: Card
question: How are we doing?
segments: [all, "team=*"]
judgements:
  judges:
    - judge: head
      comparisons:
        - {more: quality, than: speed, by: 2}
        - {more: quality, than: growth, by: 6}
        - {more: speed, than: growth, by: 3}
dimensions:
  - id: speed
    title: Speed
    indicators:
      - {indicator: first_reply_business_median, worst: 8, best: 1, unit: hours, weight: 40}
      - {indicator: resolution_median, worst: 6, best: 1, unit: days, weight: 60}
  - id: quality
    title: Quality
    indicators:
      - {indicator: csat_top_box, worst: 0.6, best: 0.95, unit: ratio}
      - {indicator: reopen_rate, worst: 0.2, best: 0.02, unit: ratio}
  - id: growth
    title: Growth
owner: service-desk
approver: head of service
"""
PROFILE = """\
id: outline
version: 1
title: Outline
question: Where does it give way?
axes:
  - {id: one, title: One, indicators: [{indicator: reopen_rate, worst: 0.2, best: 0.02, unit: ratio}]}
  - {id: two, title: Two}
  - {id: three, title: Three}
owner: service-desk
"""
QUADRANTS = """\
id: fields
version: 1
title: Fields
question: Who is quick and good?
scorecard: card
efficiency: speed
quality: quality
peers: team
owner: service-desk
"""
RISK = """\
id: danger
version: 1
title: Danger
question: How likely is a bad week?
indicator: csat_top_box
limit: 0.7
unit: ratio
cause: experience
consequence: {customers: 4}
loss:
  currency: EUR
  frequency: {kind: breaching_periods}
  severity: {kind: lognormal, median: 1000, p95: 5000}
  seed: 7
key_indicators:
  - indicator: reopen_rate
    limit: 0.1
    unit: ratio
    leads: Who comes back is less content later.
    owner: service-desk
control: Somebody calls back within a day.
owner: service-desk
"""
FILES = {
    "scorecards/card.yaml": CARD,
    "profiles/outline.yaml": PROFILE,
    "quadrants/fields.yaml": QUADRANTS,
    "risks/danger.yaml": RISK,
}


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    return tmp_path


def test_sound_definitions_have_no_fault(overlay: Path) -> None:
    assert faults(overlay) == []
    catalog = examine(load_settings({"HANSEI_DEFINITIONS": str(overlay)}))[0]
    card = catalog.scorecards["card"]
    # Wholly consistent judgements: quality is twice speed and six times growth, so 6 : 3 : 1.
    assert card.shares == pytest.approx([3 / 10, 6 / 10, 1 / 10])
    assert card.dimensions[0].shares == [0.4, 0.6]
    assert card.dimensions[1].shares == [0.5, 0.5]
    assert card.dimensions[0].indicators[0].ends == (8 * 3600, 3600)
    assert card.dimensions[0].indicators[1].ends == (6 * 86400, 86400)


def test_the_shipped_card_weighs_thirty_forty_twenty_ten() -> None:
    catalog, found = examine(load_settings({}))
    assert found == []
    card = catalog.scorecards["balanced_service"]
    names = [dimension.id for dimension in card.dimensions]
    assert dict(zip(names, card.shares, strict=True)) == pytest.approx(
        {"efficiency": 0.3, "quality": 0.4, "collaboration": 0.2, "development": 0.1}
    )
    assert len(catalog.profiles["collaboration"].axes) == 5
    assert set(catalog.risks) >= {"broken_promises", "repeated_work", "slow_first_answers", "unhappy_customers"}


SPOILED = [
    (
        "scorecards/card.yaml",
        "csat_top_box",
        "csat",
        "scorecards/card.yaml:22: dimensions.1.indicators.0.indicator: "
        "indicator 'csat' is not declared: use one of accounts_active",
    ),
    ("scorecards/card.yaml", "worst: 8, best: 1", "worst: 8, best: 8", "8 is the worst, too: set worst and best apart"),
    ("scorecards/card.yaml", "worst: 8, best: 1", "worst: 1, best: 8", "best 8 is worse than worst 1: lower is better"),
    ("scorecards/card.yaml", "unit: hours", "unit: days", "'days' does not measure first_reply_business_median"),
    ("scorecards/card.yaml", "unit: days", "unit: ratio", "card.yaml:18: dimensions.0.indicators.1.unit: 'ratio' does"),
    ("scorecards/card.yaml", "weight: 60", "weight: 50", "card.yaml:16: dimensions.0.indicators: the weights total 90"),
    (
        "scorecards/card.yaml",
        ", weight: 60",
        "",
        "resolution_median has no weight: give every weight, or judgements, or",
    ),
    ("scorecards/card.yaml", "weight: 60", "weight: -1", "Input should be greater than 0"),
    ("scorecards/card.yaml", "title: Growth", "title: Growth\n    weight: 10", "a weight beside judgements"),
    (
        "scorecards/card.yaml",
        "than: growth, by: 3",
        "than: grown, by: 3",
        "'grown' is not compared: use speed, quality",
    ),
    (
        "scorecards/card.yaml",
        "more: speed, than: growth, by: 3",
        "more: growth, than: quality, by: 3",
        "compared twice",
    ),
    ("scorecards/card.yaml", "more: speed, than: growth, by: 3", "more: speed, than: speed, by: 3", "with itself"),
    (
        "scorecards/card.yaml",
        "        - {more: speed, than: growth, by: 3}\n",
        "",
        "head has not compared speed with gro",
    ),
    (
        "scorecards/card.yaml",
        "more: speed, than: growth, by: 3",
        "more: growth, than: speed, by: 9",
        "card.yaml:6: judgements: the judgements contradict each other: consistency ratio 1.",
    ),
    (
        "scorecards/card.yaml",
        "more: speed, than: growth, by: 3",
        "more: growth, than: speed, by: 9",
        "reconsider speed, quality, growth: ",
    ),
    ("scorecards/card.yaml", "by: 3}", "by: 12}", "Input should be less than or equal to 9"),
    ("scorecards/card.yaml", '"team=*"', '"agent=*"', "none of its indicators has a segment 'agent'"),
    ("scorecards/card.yaml", "id: growth", "id: speed", "'speed' stands twice"),
    ("scorecards/card.yaml", "indicator: reopen_rate", "indicator: csat_top_box", "'csat_top_box' stands twice"),
    (
        "scorecards/card.yaml",
        "first_reply_business_median, worst: 8, best: 1, unit: hours",
        "backlog, worst: 900, best: 100, unit: count",
        "backlog is a number that grows with a segment's size",
    ),
    ("scorecards/card.yaml", "first_reply_business_median", "tickets_created", "is neutral, so no value of it is good"),
    ("scorecards/card.yaml", "approver: head of service\n", "", "approver: is missing"),
    ("profiles/outline.yaml", "  - {id: three, title: Three}\n", "", "at least 3 items"),
    ("profiles/outline.yaml", "title: Two}", "title: Two, weight: 3}", "weight: is not a known key"),
    ("profiles/outline.yaml", "best: 0.02", "best: 0.2", "0.2 is the worst, too"),
    ("quadrants/fields.yaml", "scorecard: card", "scorecard: kard", "scorecard 'kard' is not declared: use one of bal"),
    ("quadrants/fields.yaml", "quality: quality", "quality: qualities", "card has no dimension 'qualities'"),
    ("quadrants/fields.yaml", "quality: quality", "quality: speed", "both axes are the same dimension"),
    ("quadrants/fields.yaml", "peers: team", "peers: channel", "card is not computed for channel=*"),
    (
        "risks/danger.yaml",
        "indicator: csat_top_box",
        "indicator: csat",
        "danger.yaml:5: indicator: indicator 'csat' is",
    ),
    ("risks/danger.yaml", "limit: 0.7", "limit: 0.7\nthreshold: low", "give either limit and unit, or threshold"),
    ("risks/danger.yaml", "limit: 0.7\nunit: ratio", "threshold: low", "threshold 'low' is not declared: give limit"),
    ("risks/danger.yaml", "unit: ratio\ncause", "unit: hours\ncause", "'hours' does not measure csat_top_box"),
    ("risks/danger.yaml", "consequence: {customers: 4}", "consequence: {}", "give at least one of money, customers"),
    ("risks/danger.yaml", "customers: 4", "customers: 6", "less than or equal to 5"),
    ("risks/danger.yaml", "p95: 5000", "p95: 500", "p95 500 is not above the median 1000"),
    (
        "risks/danger.yaml",
        "kind: lognormal, median: 1000, p95: 5000",
        "kind: pert, minimum: 5, mode: 1, maximum: 9",
        "5, 1, 9 do not rise",
    ),
    ("risks/danger.yaml", "  seed: 7\n", "", "danger.yaml:10: loss.seed: is missing"),
    (
        "risks/danger.yaml",
        "  - indicator: reopen_rate",
        "  - indicator: reopens",
        "danger.yaml:16: key_indicators.0.indi",
    ),
    ("risks/danger.yaml", "control: Somebody calls back within a day.", "control: none", "at least 10 characters"),
    ("risks/danger.yaml", "cause: exp", "segment: team=*\ncause: exp", "'team=*' is no single segment of csat_top_box"),
    ("risks/danger.yaml", "cause: exp", "segment: agent=1\ncause: exp", "'agent=1' is no single segment"),
    (
        "risks/danger.yaml",
        "cause: exp",
        "fewest_periods: 13\ncause: exp",
        "13 periods are more than it looks back (12)",
    ),
    ("risks/danger.yaml", "csat_top_box", "tickets_created", "is neutral, so no value of it is bad"),
]


@pytest.mark.parametrize(("file", "old", "new", "expected"), SPOILED)
def test_each_fault_names_its_place_and_what_to_do(overlay: Path, file: str, old: str, new: str, expected: str) -> None:
    text = FILES[file]
    assert old in text
    (overlay / file).write_text(text.replace(old, new, 1))
    found = faults(overlay)
    assert any(expected in fault for fault in found), "\n".join(found)


def test_contradictions_may_be_accepted_with_a_reason(overlay: Path) -> None:
    text = CARD.replace("more: speed, than: growth, by: 3", "more: growth, than: speed, by: 9")
    accepted = "judgements:\n  accepted: {reason: decided in the meeting of May, approver: the board}\n"
    (overlay / "scorecards/card.yaml").write_text(text.replace("judgements:\n", accepted, 1))
    assert faults(overlay) == []


def test_two_currencies_cannot_be_added_up(overlay: Path) -> None:
    other = RISK.replace("id: danger", "id: peril").replace("EUR", "USD")
    (overlay / "risks/peril.yaml").write_text(other)
    assert faults(overlay) == [
        "risks/peril.yaml:11: loss.currency: 'USD', while danger is in 'EUR': losses of both are added up: "
        "state every loss in one currency"
    ]


def test_a_risk_may_follow_a_threshold(overlay: Path) -> None:
    (overlay / "thresholds").mkdir()
    (overlay / "thresholds" / "low.yaml").write_text(
        "id: low\nindicator: csat_top_box\nkind: static\nwarning: 0.8\ncritical: 0.75\nunit: ratio\n"
        "reason: Agreed with the account managers.\napprover: head\nvalid_from: 2026-01-05\nvalid_to: 2026-06-01\n"
    )
    (overlay / "risks/danger.yaml").write_text(RISK.replace("limit: 0.7\nunit: ratio", "threshold: low", 1))
    assert faults(overlay) == []
    catalog = examine(load_settings({"HANSEI_DEFINITIONS": str(overlay)}))[0]
    limit = catalog.risks["danger"].resolved(catalog)
    threshold = catalog.thresholds["low"]
    assert limit.value == 0.75
    assert limit.holds_on(threshold.valid_from)
    assert not limit.holds_on(threshold.valid_to)
    (overlay / "risks/danger.yaml").write_text(RISK.replace("limit: 0.1\n    unit: ratio", "threshold: low", 1))
    assert "low limits csat_top_box by week, not reopen_rate by week" in faults(overlay)[0]


def test_an_indicator_that_the_service_does_not_compute_is_missing_and_no_fault(overlay: Path) -> None:
    computed = ", ".join(name for name in FEW if name != "reopen_rate")
    text = f"id: service\nname: Small\nreporting_zone: UTC\nindicators: [{computed}]\n"
    (overlay / "service.yaml").write_text(text)
    # What a review shows is computed, so no review may show it either.
    (overlay / "reviews").mkdir(exist_ok=True)
    for shipped in (load_settings({}).include / "definitions" / "reviews").glob("*.yaml"):
        (overlay / "reviews" / shipped.name).write_text(shipped.read_text().replace("  - reopen_rate\n", ""))
    catalog = examine(load_settings({"HANSEI_DEFINITIONS": str(overlay)}))[0]
    assert "reopen_rate" not in catalog.indicators
    assert [item.indicator for item in catalog.scorecards["card"].dimensions[1].indicators][1] == "reopen_rate"
    assert [fault for fault in faults(overlay) if fault.startswith(tuple(FILES))] == []
