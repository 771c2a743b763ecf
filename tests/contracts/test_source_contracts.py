"""Every ready source definition against what its system really answers: the right requests, the right rows."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.contract_cases import (
    EXAMPLES,
    SECRET,
    Case,
    all_cases,
    extract_night,
    ready_definitions,
    required_columns_missing,
    tell_besides,
)
from support.vendor_server import vendor_server

CASES = all_cases()
# Definitions that are tried on the public data that they are about, or on another loader's tables (tests/e2e).
TRIED_ELSEWHERE = {"incident_log", "nps_survey", "ravenstack", "zendesk_warehouse", "zendesk_organizations"}


def _engines() -> list[Any]:
    """One run per case; a database case runs on each engine that it names."""
    return [
        pytest.param(case, engine, id=f"{case.name}-{engine}" if engine else case.name)
        for case in CASES
        for engine in case.said.get("engines", [None])
    ]


def test_every_ready_definition_has_a_case() -> None:
    examples = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    assert examples - TRIED_ELSEWHERE == {case.name for case in CASES}


def test_every_ready_definition_has_a_page_with_its_matrix(repository: Path) -> None:
    """That the matrix is the definition's is held by tests/unit/test_cli.py."""
    pages = repository / "docs" / "sources"
    index = (pages / "ready.md").read_text(encoding="utf-8")
    for case in CASES:
        text = (pages / f"{case.name}.md").read_text(encoding="utf-8")
        assert f"({case.name}.md)" in index
        for heading in ("What it needs", "In five lines", "What is read", "Known gaps", "What becomes of it"):
            assert f"## {heading}" in text, f"{case.name}.md lacks the part {heading!r}"


def test_ready_definitions_are_valid_and_can_be_laid_over_each_other() -> None:
    """A company has several of these systems at once: no two definitions share an id or a file name."""
    catalog, faults = ready_definitions()
    assert [str(fault) for fault in faults] == []
    assert set(catalog.sources) == {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_required_column_is_mapped(case: Case) -> None:
    catalog, _ = ready_definitions()
    assert required_columns_missing(catalog.sources[case.name], catalog) == []


@pytest.mark.parametrize(("case", "engine"), _engines())
def test_the_nights_of_a_case_give_its_rows(
    case: Case, engine: str | None, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name, value in case.said.get("environment", {}).items():
        monkeypatch.setenv(name, str(value).replace("{inbox}", str(inbox)))
    database = _database(engine, tmp_path, request)
    loaded = case.load(tmp_path / "home")
    is_api = any("exchanges" in night for night in case.said["nights"])
    with vendor_server(case.said.get("authentication", {})) if is_api else contextlib.nullcontext() as server:
        connection = case.connection(loaded[2], server.address if server else None, database)
        for number, night in enumerate(case.said["nights"], 1):
            case.prepare(night, inbox, database)
            if server:
                server.expect(case.exchanges(night))
            manifest, rows = extract_night(loaded, connection, night, f"night-{number}")
            if server:
                assert server.shortcomings() == [], f"night {number}"
            _compare(rows, night, number)
            _assert_nobody_is_readable(case, rows)
            # A field that no fixture of the night fills is no fault; one that nobody knows is.
            drift = {str(found) for batch in manifest.entities.values() for found in batch.drift}
            unknown = {found for found in drift if "kind='missing'" not in found}
            assert unknown == set(), f"night {number}: map these fields, or list them under ignore"
            assert manifest.complete_until == night.get("complete_until", night["until"])


BESIDES = [case for case in CASES if "besides" in case.said]


def test_every_definition_that_tells_more_than_rows_is_tried() -> None:
    catalog, _ = ready_definitions()
    telling = {name for name, source in catalog.sources.items() if source.counts or source.keys or source.deleted_keys}
    assert telling == {case.name for case in BESIDES}


@pytest.mark.parametrize("case", BESIDES, ids=lambda case: case.name)
def test_what_a_source_tells_besides_its_rows(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in case.said.get("environment", {}).items():
        monkeypatch.setenv(name, str(value))
    loaded, besides = case.load(tmp_path / "home"), case.said["besides"]
    with vendor_server(case.said.get("authentication", {})) as server:
        server.expect(case.exchanges(besides))
        told = tell_besides(loaded, case.connection(loaded[2], server.address, None), besides)
        assert server.shortcomings() == []
    assert told == besides["told"]


def _database(engine: str | None, tmp_path: Path, request: pytest.FixtureRequest) -> sa.URL | None:
    if engine is None:
        return None
    if engine == "postgresql":
        return request.getfixturevalue("postgres_database")
    return sa.URL.create(engine, database=str(tmp_path / "system.db"))


def _compare(rows: dict[str, list[dict]], night: dict[str, Any], number: int) -> None:
    expected = night["rows"]
    faulty = [row["faults"] for found in rows.values() for row in found if row["faults"]]
    assert len(faulty) == night.get("faulty", 0), f"night {number}: {faulty[:5]}"
    sound = {entity: [row for row in found if not row["faults"]] for entity, found in rows.items()}
    assert {entity for entity in sound if sound[entity]} == set(expected), f"night {number}"
    for entity, wanted in expected.items():
        named = sorted({column for row in wanted for column in row})
        found = [{column: row[column] for column in named} for row in sound[entity]]
        filled = [{column: row.get(column) for column in named} for row in wanted]
        assert sorted(found, key=_order) == sorted(filled, key=_order), f"night {number}: {entity}"


def _order(row: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((column, str(value)) for column, value in row.items())


def _assert_nobody_is_readable(case: Case, rows: dict[str, list[dict]]) -> None:
    """Neither a person of the fixtures nor the secret of the connection stands in any canonical row."""
    spooled = repr(rows)
    assert [word for word in [*case.said["persons"], SECRET] if word in spooled] == []
