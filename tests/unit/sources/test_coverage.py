"""The coverage matrix tells what is mapped, what is not, and in which form values failed, without quoting them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from hansei.errors import SourceError
from hansei.sources.coverage import check_source, preview_source, shape
from hansei.sources.report import coverage_report, preview_report


@pytest.fixture
def source(inbox: Path, ticket_source):
    lines = [
        "id,status,created,solved,subject,requester,colour",
        "1,parked,2024-01-01,31/02/2024,Hello Ann Lee,ann@example.com,red",
        "2,open,2024-01-01,,,bo@example.com,",
        "3,open,2024-01-01,01/02/2024,,,blue",
        "4,open,2024-01-01",
    ]
    (inbox / "t.csv").write_text("\n".join(lines) + "\n")
    columns = {
        "status": {"path": "status", "values": {"open": "open"}},
        "priority": {"path": "rank", "default": "normal"},
        "channel": {"constant": "mail"},
        "solved_at": {"path": "solved", "format": "%d/%m/%Y"},
        "subject": {"path": "subject"},
        "requester_email": {"path": "requester"},
    }
    return ticket_source({"path": str(inbox / "t.csv"), "format": "csv"}, columns)


def test_every_column_is_told_with_origin_share_and_faults(source, catalog, settings) -> None:
    coverage = check_source(source, catalog, settings, None)
    by_name = {column.column: column for column in coverage.columns}
    assert set(by_name) == set(catalog.entities["tickets"].columns)
    origins = {name: column.origin for name, column in by_name.items()}
    assert origins["ticket_id"] == "mapped"
    assert origins["priority"] == "defaulted"
    assert origins["channel"] == origins["has_complete_events"] == "constant"
    assert origins["closed_at"] == "missing"
    assert by_name["solved_at"].filled_share == pytest.approx(1 / 3, abs=1e-4)
    assert by_name["solved_at"].faults == {"cast:timestamp": 1}
    assert by_name["solved_at"].examples == ["99/99/9999"]
    assert by_name["status"].faults == {"value_map": 1}
    assert by_name["status"].examples == ["parked"]
    assert by_name["ticket_id"].faults == {}
    resource = coverage.resources[0]
    assert (resource.sampled_rows, resource.unreadable_rows, resource.unused_fields) == (3, 1, ["colour"])
    assert {(drift.field, drift.kind) for drift in resource.drift} == {("colour", "new"), ("rank", "missing")}
    assert coverage.is_sound is False
    assert json.loads(json.dumps(coverage.as_dict()))["source"] == "desk"


def test_only_the_sample_is_read(source, catalog, settings) -> None:
    coverage = check_source(source, catalog, settings, None, sample_rows=2)
    assert coverage.resources[0].sampled_rows == 2


def test_nothing_is_written(source, catalog, settings) -> None:
    check_source(source, catalog, settings, None)
    preview_source(source, catalog, settings, None)
    assert not settings.home.exists()


def test_a_preview_shows_rows_as_they_would_be_stored(source, catalog, settings) -> None:
    rows = preview_source(source, catalog, settings, None, limit=1)["tickets"].to_pylist()
    assert [row["ticket_id"] for row in rows] == ["desk:1"]
    assert rows[0]["subject"] == "Hello [name]"
    assert len(rows[0]["requester_email"]) == 64


def test_the_printed_report_holds_matrix_and_findings_but_no_person(source, catalog, settings) -> None:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(coverage_report(check_source(source, catalog, settings, None)))
    console.print(preview_report(preview_source(source, catalog, settings, None)))
    text = console.export_text()
    for expected in ("ticket_id *", "99/99/9999", "parked", "no mapping uses colour", "1 rows are unreadable",
                     "field rank: is declared, and was not there", "not mapped: ", "Hello [name]"):  # fmt: skip
        assert expected in text
    assert "ann@example.com" not in text
    assert "Ann Lee" not in text


def test_a_source_that_cannot_be_read_says_so(source, catalog, settings, inbox: Path) -> None:
    (inbox / "t.csv").unlink()
    with pytest.raises(SourceError, match="no file matches"):
        check_source(source, catalog, settings, None)


@pytest.mark.parametrize(("value", "expected"), [
    ("31/02/2024", "99/99/9999"),
    ("Ann Lee-7", "Aaa Aaa-9"),
    ("漢字 é", "aa a"),
    ("x" * 60, "a" * 39 + "…"),
])  # fmt: skip
def test_a_shape_keeps_form_and_hides_content(value: str, expected: str) -> None:
    assert shape(value) == expected
