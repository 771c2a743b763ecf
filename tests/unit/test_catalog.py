"""Definitions: every fault is found at once, and each names file, line, key, what was found and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.definition_faults import faults

from hansei.catalog import documents
from hansei.catalog.loader import examine, load_catalog
from hansei.catalog.thresholds import THRESHOLD_FILE
from hansei.errors import DefinitionError
from hansei.settings import load_settings

SOURCE = """id: desk
kind: files
instance: desk
description: Tickets of a small firm
owner: engineering
resources:
  tickets:
    path: /data/tickets-*.csv
    format: csv
entities:
  - entity: tickets
    resource: tickets
    columns:
      ticket_id: {path: id}
      status: {path: state, values: {neu: new}}
      created_at: {path: created}
"""
THRESHOLD = """id: slow_replies
indicator: first_reply_median
kind: static
grain: week
segments: [all, "team=*"]
warning: 2
critical: 4
unit: hours
reason: Contracts promise an answer within half a working day.
approver: Head of service
valid_from: 2026-01-05
"""


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    directory = tmp_path / "definitions"
    for folder in ("sources", "thresholds", "indicators"):
        (directory / folder).mkdir(parents=True)
    (directory / "sources" / "desk.yaml").write_text(SOURCE)
    (directory / "thresholds" / "slow_replies.yaml").write_text(THRESHOLD)
    return directory


def spoil(overlay: Path, file: str, old: str, new: str) -> None:
    path = overlay / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


RAISED = """version: 2
changes: [{version: 2, by: service-desk, reason: Spam is left out since the filter came}]
"""


def test_shipped_definitions_have_no_fault() -> None:
    catalog, found = examine(load_settings({}))
    assert found == []
    assert len(catalog.entities) == 19
    assert {"tickets_created", "backlog", "csat_top_box", "nps"} <= set(catalog.indicators)


def test_a_sound_overlay_has_no_fault_and_lies_over_the_shipped_definitions(overlay: Path) -> None:
    assert faults(overlay) == []
    (overlay / "service.yaml").write_text("id: service\nname: Small firm\nreporting_zone: Asia/Shanghai\n")
    shipped = load_settings({}).include / "definitions" / "indicators" / "resolution" / "reopen_rate.yaml"
    (overlay / "indicators" / "reopen_rate.yaml").write_text(shipped.read_text().replace("version: 1\n", RAISED))
    catalog = load_catalog(load_settings({"HANSEI_DEFINITIONS": str(overlay)}))
    assert catalog.service.reporting_zone == "Asia/Shanghai"
    assert catalog.indicators["reopen_rate"].version == 2
    assert catalog.indicators["backlog"].version == 1


def test_two_files_of_one_name_in_one_directory_are_a_fault(overlay: Path) -> None:
    (overlay / "indicators" / "speed").mkdir()
    shipped = load_settings({}).include / "definitions" / "indicators" / "resolution" / "reopen_rate.yaml"
    for folder in ("indicators", "indicators/speed"):
        (overlay / folder / "reopen_rate.yaml").write_text(shipped.read_text())
    assert faults(overlay) == [
        "indicators/speed/reopen_rate.yaml:1: (whole file): indicators/reopen_rate.yaml has the same name: "
        "keep one of the two"
    ]


SPOILED = [
    ("sources/desk.yaml", "owner: engineering", "ovner: engineering", "sources/desk.yaml:5: ovner: is not a known key"),
    (
        "sources/desk.yaml",
        "status:",
        "statuss:",
        "sources/desk.yaml:15: entities.0.columns.statuss: tickets has no column",
    ),
    ("sources/desk.yaml", "{neu: new}", "{neu: nwe}", "entities.0.columns.status: 'nwe' is not a value of status"),
    ("sources/desk.yaml", "resource: tickets", "resource: calls", "names resource 'calls', which is not declared"),
    (
        "sources/desk.yaml",
        "      created_at: {path: created}\n",
        "",
        "required column 'created_at' of tickets has no mapping",
    ),
    ("sources/desk.yaml", "entity: tickets", "entity: tickts", "entity 'tickts' is not declared: use one of accounts"),
    ("sources/desk.yaml", "instance: desk", "instance: desk\nzone: Europe/Berln", "'Europe/Berln' is not a zone"),
    ("sources/desk.yaml", "{path: id}", "{path: id, constant: 3}", "give exactly one of path, constant"),
    ("sources/desk.yaml", "id: desk", "id: desk\nid: desk", "sources/desk.yaml:2: id: the key stands twice"),
    ("sources/desk.yaml", "id: desk", "id: help", "'help' in a file named 'desk'"),
    ("sources/desk.yaml", "kind: files", "kind: [files", "not YAML"),
    ("sources/desk.yaml", "kind: files", "<<: *other\nkind: files", "not YAML"),
    ("sources/desk.yaml", "kind: files", "<<: {kind: files}", "desk.yaml:2: <<: merged keys are not understood"),
    ("thresholds/slow_replies.yaml", "first_reply_median", "first_reply", "indicator 'first_reply' is not declared"),
    ("thresholds/slow_replies.yaml", "team=*", "agent=*", "first_reply_median has no segment 'agent'"),
    ("thresholds/slow_replies.yaml", "critical: 4", "critical: 1", "critical 1 is milder than warning 2"),
    ("thresholds/slow_replies.yaml", "unit: hours", "unit: ratio", "'ratio' does not measure first_reply_median"),
    ("thresholds/slow_replies.yaml", "grain: week", "grain: year", "thresholds/slow_replies.yaml:4: grain: 'year'"),
    ("thresholds/slow_replies.yaml", "first_reply_median", "tickets_created", "is neutral, so no value of it is bad"),
]


@pytest.mark.parametrize(("file", "old", "new", "expected"), SPOILED)
def test_each_fault_names_its_place_and_what_to_do(overlay: Path, file: str, old: str, new: str, expected: str) -> None:
    spoil(overlay, file, old, new)
    found = faults(overlay)
    assert any(expected in fault for fault in found), found
    for fault in found:
        place, line, rest = fault.split(":", 2)
        assert place.endswith(".yaml")
        assert line.isdigit()
        assert rest.count(": ") >= 2


def test_all_faults_are_reported_at_once(overlay: Path) -> None:
    spoil(overlay, "sources/desk.yaml", "owner: engineering", "ovner: engineering")
    spoil(overlay, "thresholds/slow_replies.yaml", "critical: 4", "critical: 1")
    with pytest.raises(DefinitionError) as caught:
        load_catalog(load_settings({"HANSEI_DEFINITIONS": str(overlay)}))
    assert len({fault.file.name for fault in caught.value.faults}) == 2


INDICATOR_FAULTS = [
    ("reopen_count > 0", "reopened > 0", "core.tickets has no column 'reopened'"),
    ("reopen_count > 0", "reopen_count >", "is not a SQL condition"),
    ("reopen_count > 0", "1 = (SELECT 1)", "is more than a condition"),
    ("counted_on: first_solved_date", "counted_on: created_at", "is not declared as a date of core.tickets"),
    ("[deleted, merged, spam, bot_only]", "[delted]", "declares no exclusion 'delted'"),
    ("table: core.tickets", "table: core.ticket", "table 'core.ticket' has no model"),
    ("measure: ratio", "measure: quantile", "measure quantile needs quantile, value"),
    ("direction: lower_is_better\n", "", "direction: is missing: add it"),
]


@pytest.mark.parametrize(("old", "new", "expected"), INDICATOR_FAULTS)
def test_an_indicator_is_held_against_its_table(overlay: Path, old: str, new: str, expected: str) -> None:
    shipped = load_settings({}).include / "definitions" / "indicators" / "resolution" / "reopen_rate.yaml"
    (overlay / "indicators" / "reopen_rate.yaml").write_text(shipped.read_text())
    spoil(overlay, "indicators/reopen_rate.yaml", old, new)
    found = faults(overlay)
    assert any(expected in fault for fault in found), found


def test_a_definitions_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    found = examine(load_settings({"HANSEI_DEFINITIONS": str(tmp_path / "nowhere")}))[1]
    assert [fault.found for fault in found] == ["does not exist"]


def test_a_file_that_did_not_change_is_read_once_and_one_that_did_is_read_again(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "slow_replies.yaml"
    path.write_text(THRESHOLD)
    written = path.stat().st_ctime
    monkeypatch.setattr(documents.time, "time", lambda: written + 3)
    first, threshold = documents.read_definition(path, THRESHOLD_FILE)
    assert documents.read_definition(path, THRESHOLD_FILE) == (first, threshold)
    assert documents.read_definition(path, THRESHOLD_FILE)[0] is first
    path.write_text(THRESHOLD.replace("warning: 2", "warning: 3"))
    assert documents.read_definition(path, THRESHOLD_FILE)[1].warning == 3 != threshold.warning


def test_a_file_written_a_moment_ago_is_read_again_because_another_write_may_look_the_same(tmp_path: Path) -> None:
    path = tmp_path / "slow_replies.yaml"
    path.write_text(THRESHOLD)
    first, _ = documents.read_definition(path, THRESHOLD_FILE)
    assert documents.read_definition(path, THRESHOLD_FILE)[0] is not first
