"""Faults of agreements and of the ledger's rules that `hansei check` names, each at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hansei.catalog import load_catalog
from hansei.errors import DefinitionError
from hansei.settings import load_settings

FIRST = {"valid_from": "2026-01-01", "metrics": {"first_reply": {"target": "4h"}}}


def faults(overlay: Path, folder: str, *definitions: dict[str, Any]) -> str:
    """What loading the shipped definitions with these laid over them complains about."""
    for definition in definitions:
        path = overlay / folder / f"{definition['id']}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(definition, sort_keys=False), encoding="utf-8")
    settings = load_settings({"HANSEI_HOME": str(overlay / "home"), "HANSEI_DEFINITIONS": str(overlay)})
    with pytest.raises(DefinitionError) as raised:
        load_catalog(settings)
    return str(raised.value)


def policy(name: str = "standard", **more: Any) -> dict[str, Any]:
    return {"id": name, "title": name, "owner": "desk", "versions": [FIRST], **more}


def version(**metric: Any) -> list[dict[str, Any]]:
    return [{"valid_from": "2026-01-01", "metrics": {"first_reply": metric}}]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"conditions": {"source": ["nowhere"]}}, "source 'nowhere' is not declared"),
        ({"versions": version(target="4h", calendar="nowhere")}, "calendar 'nowhere' is not declared"),
        ({"versions": version(target="4h", calendar="always", time="calendar")}, "`time: calendar` is every second"),
        ({"versions": version(target="0m")}, "a target is more than nothing"),
        ({"versions": version(target={"soon": "4h"})}, "soon"),
        ({"versions": version(target="4h", clock=["closed"])}, "take `closed` out of clock"),
        ({"versions": version(target="4h", clock=["nobody"])}, "nobody"),
        ({"versions": [FIRST, FIRST]}, "in the order of valid_from, each date once"),
        ({"versions": []}, "versions"),
        ({"conditions": {"colour": ["red"]}}, "colour"),
    ],
)
def test_a_fault_of_a_policy_is_named_with_its_file(tmp_path: Path, more: dict[str, Any], complaint: str) -> None:
    told = faults(tmp_path, "sla", policy(**more))
    assert complaint in told
    assert "sla/standard.yaml:" in told


def test_two_policies_of_one_precedence_would_apply_by_chance(tmp_path: Path) -> None:
    told = faults(tmp_path, "sla", policy("fast", precedence=5), policy("slow", precedence=5))
    assert "slow.yaml:9: precedence: precedence 5 is that of fast too" in told


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ([{"owner": "closed", "status": ["solved"]}], "the last rule must hold for everything else"),
        ([{"owner": "agent"}, {"owner": "queue"}], "rule 1 has no condition, so that no later rule is ever asked"),
        ([{"owner": "nobody"}], "nobody"),
        ([{"owner": "queue", "status": ["waiting"]}, {"owner": "agent"}], "waiting"),
    ],
)
def test_rules_of_the_ledger_leave_no_instant_without_an_owner(
    tmp_path: Path, rules: list[dict[str, Any]], complaint: str
) -> None:
    assert complaint in faults(tmp_path, "ledger", {"id": "ledger", "rules": rules})


def test_there_is_one_ledger(tmp_path: Path) -> None:
    told = faults(tmp_path, "ledger", {"id": "other", "rules": [{"owner": "agent"}]})
    assert "2 ledgers" in told
