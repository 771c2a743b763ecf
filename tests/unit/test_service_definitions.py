"""Services and procedures as definitions: what is refused, with the file, the line and the next step."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.definition_faults import faults

from hansei.catalog.loader import examine
from hansei.settings import load_settings

PROCEDURE = """\
id: repair
title: Repair
owner: service-desk
applies_to: {channel: [mail], tag: [urgent]}
nodes:
  - {id: identify, when: {event_type: step, value: [identify]}}
  - {id: answer, when: {event_type: reply, actor_kind: [agent], is_public: true}, required: false}
  - {id: solve, when: {event_type: status, value: [solved]}}
"""
API = """\
id: api
title: Booking API
owner: operations
service: booking
in_service_from: 2026-01-01
availability_target: 0.999
"""
SHOP = """\
id: shop
title: Shop
owner: operations
composed_of: {how: series, services: [api, web]}
"""


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    files = {
        "procedures/repair.yaml": PROCEDURE,
        "services/api.yaml": API,
        "services/web.yaml": "id: web\ntitle: Web\nowner: operations\n",
        "services/shop.yaml": SHOP,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_sound_definitions_have_no_fault(overlay: Path) -> None:
    assert faults(overlay) == []
    catalog = examine(load_settings({"HANSEI_DEFINITIONS": str(overlay)}))[0]
    assert catalog.services["api"].log_name == "booking"
    assert catalog.procedures["repair"].required_count == 2


MISTAKES = [
    (
        "procedures/repair.yaml",
        "event_type: step",
        "event_type: stop",
        "repair.yaml:6: nodes.0.when.event_type: 'stop'",
    ),
    ("procedures/repair.yaml", "[solved]", "[resolved]", "repair.yaml:8: nodes.2.when.value: 'resolved' is no value"),
    ("procedures/repair.yaml", "[agent]", "[robot]", "nodes.1.when.actor_kind: 'robot' is no actor_kind of an event"),
    ("procedures/repair.yaml", "id: solve,", "id: identify,", "nodes stand twice: identify"),
    ("procedures/repair.yaml", "[identify]", "[]", "nodes.0.when.value"),
    ("procedures/repair.yaml", "channel: [mail]", "chanel: [mail]", "applies_to.chanel: is not a known key"),
    (
        "procedures/repair.yaml",
        "{event_type: status, value: [solved]}",
        "{event_type: step}",
        "repair.yaml:8: nodes.2.when: an event could execute both identify and solve",
    ),
    (
        "services/web.yaml",
        "owner: operations",
        "owner: operations\nservice: booking",
        "'booking' is the log's name of api",
    ),
    ("services/shop.yaml", "web]", "fax]", "composed_of.services.1: 'fax' is not a service with an outage log"),
    ("services/shop.yaml", "web]", "api]", "composed_of.services.1: 'api' stands twice"),
    ("services/shop.yaml", "owner:", "service: x\nowner:", "a composed service has no outage log"),
    ("services/api.yaml", "0.999", "99.9", "availability_target: 99.9: Input should be less than 1"),
    (
        "services/api.yaml",
        "owner:",
        "in_service_to: 2025-01-01\nowner:",
        "in_service_to is earlier than in_service_from",
    ),
]


@pytest.mark.parametrize("file, old, new, expected", MISTAKES, ids=[case[3] for case in MISTAKES])
def test_a_mistake_is_named_with_its_place(overlay: Path, file: str, old: str, new: str, expected: str) -> None:
    path = overlay / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    found = faults(overlay)
    assert any(expected in fault for fault in found), found


def test_a_procedure_needs_a_required_node(overlay: Path) -> None:
    path = overlay / "procedures/repair.yaml"
    path.write_text(PROCEDURE.split("nodes:")[0] + "nodes: []\n")
    assert any("nodes" in fault for fault in faults(overlay))
    node = "nodes:\n  - {id: a, when: {event_type: step}, required: false}\n"
    path.write_text(PROCEDURE.split("nodes:")[0] + node)
    assert any("no node is required" in fault for fault in faults(overlay))
