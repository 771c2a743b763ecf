"""Conventions as definitions: the churn rule, the two sides of the CRM comparison, one file of each kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from support.definition_faults import faults

from hansei.catalog.churn import ChurnCondition, ChurnRule
from hansei.catalog.loader import load_catalog
from hansei.settings import load_settings
from hansei.warehouse.practices import churn_bounds

RULE: dict[str, Any] = {
    "id": "rule",
    "version": 1,
    "title": "Risk",
    "owner": "care",
    "source": "our convention",
    "valid_from": "2026-01-01",
    "conditions": [
        {"id": "loyal", "points": -2, "feature": "tenure_day_count", "at_least": 1000, "reason": "stays for long"},
        {"id": "broken", "points": 3, "feature": "sla_breach_count", "at_least": 2, "reason": "broken promises"},
    ],
    "bands": [
        {"id": "low", "from_points": -2, "probability": 0.01},
        {"id": "high", "from_points": 3, "probability": 0.3},
    ],
}


def test_a_rule_whose_bands_cover_every_score_is_taken() -> None:
    rule = ChurnRule.model_validate(RULE)
    assert churn_bounds(rule.conditions[1]) == [("sla_breach_count", ">=", "2.0")]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"bands": RULE["bands"][1:]}, "an account may have -2 points, but the first band begins at 3"),
        ({"bands": RULE["bands"][::-1]}, "in the order of from_points"),
        ({"bands": [RULE["bands"][0], {**RULE["bands"][1], "probability": 0.0}]}, "cannot mean a lower probability"),
        ({"bands": [{**RULE["bands"][0], "probability": 0.005}]}, "multiple of 0.01"),
        ({"conditions": [RULE["conditions"][0]] * 2}, "conditions stand twice: loyal"),
        ({"exposure": 90}, "Extra inputs are not permitted"),
        ({"valid_from": "soon"}, "valid date"),
    ],
)
def test_a_rule_that_would_mislead_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        ChurnRule.model_validate(RULE | change)


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ({"feature": "ticket_count"}, "a feature needs at_least or at_most"),
        ({"at_least": 3}, "these need a feature"),
        ({}, "every account would have the points"),
        ({"status": ["at_risk"], "points": 0}, "no points"),
        ({"feature": "mood", "at_least": 1}, "Input should be 'ticket_count'"),
    ],
)
def test_a_condition_has_to_ask_something(condition: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        ChurnCondition.model_validate({"id": "c", "points": 1, "reason": "because"} | condition)


def write(directory: Path, file: str, content: dict[str, Any]) -> None:
    path = directory / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def test_two_files_of_one_convention_are_a_fault(tmp_path: Path) -> None:
    write(tmp_path, "churn/rule.yaml", RULE)
    assert faults(tmp_path) == ["churn/rule.yaml:1: id: 2 definitions of churn: put all into one file"]


def test_sides_columns_and_sources_that_do_not_exist_are_named(tmp_path: Path) -> None:
    customers, accounts = ({"match": [rule], "fields": ["plan"]} for rule in ("external_id", "email"))
    sync = {"id": "crm_sync", "owner": "me", "source": "ours, of course", "crm_sources": ["sales"]}
    write(tmp_path, "crm_sync/crm_sync.yaml", sync | {"customers": customers, "accounts": accounts})
    rules = yaml.safe_load((load_settings({}).include / "definitions/complaints/complaints.yaml").read_text("utf-8"))
    write(tmp_path, "complaints/complaints.yaml", rules | {"is_complaint": [{"source": ["fax"]}]})
    told = faults(tmp_path)
    assert [line.split(": use")[0] for line in told] == [
        "complaints/complaints.yaml:8: is_complaint.0: source 'fax' is not declared: none is declared yet",
        "crm_sync/crm_sync.yaml:5: crm_sources.0: source 'sales' is not declared: none is declared yet",
        "crm_sync/crm_sync.yaml:10: customers.fields.0: customers has no column 'plan'",
        "crm_sync/crm_sync.yaml:13: accounts.match.0: accounts has no column 'email'",
        "crm_sync/crm_sync.yaml:15: accounts.fields.0: accounts has no column 'plan'",
    ]


def test_the_sides_are_told_by_what_sources_deliver(repository: Path) -> None:
    demo = load_catalog(load_settings({"HANSEI_DEFINITIONS": str(repository / "include" / "demo" / "definitions")}))
    [sync] = demo.crm_sync.values()
    assert sync.sides(demo) == {"tickets": ("helpdesk",), "crm": ("crm",)}
    named = sync.model_copy(update={"ticket_sources": ("feedback",), "crm_sources": ("operations",)})
    assert named.sides(demo) == {"tickets": ("feedback",), "crm": ("operations",)}
