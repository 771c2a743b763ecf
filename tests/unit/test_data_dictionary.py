"""Every table that the pipeline writes itself is described, column by column, and nothing that is not there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from hansei.board.reviews import mirrored_columns
from hansei.catalog import Catalog, load_catalog
from hansei.cli.data_dictionary import data_dictionary, worked_queries
from hansei.errors import HanseiError
from hansei.settings import PROJECT_ROOT, load_settings
from hansei.warehouse import dictionary
from hansei.warehouse.dictionary import ENTRIES
from hansei.warehouse.dictionary_board import BOARD
from hansei.warehouse.dictionary_entries import Entry
from hansei.warehouse.models import tables_read
from hansei.warehouse.tables import OWN_TABLES

PLACE = "plugins/hansei/warehouse/dictionary_entries.py or another dictionary_*.py"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(load_settings({}))


@pytest.fixture(scope="module")
def document(catalog: Catalog) -> str:
    return "\n".join(data_dictionary(catalog))


def faults(
    tables: Mapping[str, Mapping[str, str]], entries: Mapping[str, Entry], shared: Mapping[str, str]
) -> list[str]:
    """What is missing or left over, each with what to do about it."""
    found = [
        f"{PLACE}: {table}: no entry; add its grain, key and the columns {', '.join(tables[table].keys() - shared)}"
        for table in tables.keys() - entries
    ]
    found += [f"{PLACE}: {table}: no such table is owned; remove the entry" for table in entries.keys() - tables]
    for table in tables.keys() & entries.keys():
        entry, columns = entries[table], tables[table]
        if not entry.grain.startswith("one row per ") or not entry.key:
            found.append(f"{PLACE}: {table}: needs a key, and a grain that begins with `one row per`")
        silent = [name for name in columns if len(entry.columns.get(name, shared.get(name, ""))) < 3]
        found += [f"{PLACE}: {table}.{name}: no meaning; add it to the table's columns" for name in silent]
        absent = [name for name in (*entry.columns, *entry.key) if name not in columns]
        found += [f"{PLACE}: {table}.{name}: no such column; remove it" for name in absent]
    return sorted(found)


def own(table: str) -> Mapping[str, str]:
    return ENTRIES[table].columns if table in ENTRIES else {}


def test_every_owned_table_and_column_has_its_meaning() -> None:
    tables = dictionary.owned_tables()
    assert {"ops.runs", "indicators.indicator_values", "indicators.risks", "core.calendars"} <= tables.keys()
    told = faults(tables, ENTRIES, dictionary.SHARED)
    assert not told, "\n" + "\n".join(told)


def test_what_the_board_mirrors_has_its_meaning() -> None:
    mirrored = {f"board.{table}": dict.fromkeys(names, "text") for table, names in mirrored_columns().items()}
    told = faults(mirrored, BOARD, dictionary.SHARED)
    assert not told, "\n" + "\n".join(told)


def test_what_several_tables_share_is_used() -> None:
    """A shared meaning that no table falls back on is left over."""
    used = {name for table, names in dictionary.owned_tables().items() for name in names if name not in own(table)}
    assert set(dictionary.SHARED) - used == set()


@pytest.mark.parametrize(
    ("columns", "entry", "fault"),
    [
        ({"key": "text", "state": "text"}, Entry("one row per key", ("key",), {"key": "The key"}), "t.state: no mean"),
        ({"key": "text"}, Entry("one row per key", ("key",), {"key": "The key", "gone": "Gone"}), "t.gone: no such"),
        ({"key": "text"}, Entry("one row per key", ("other",), {"key": "The key"}), "t.other: no such column"),
        ({"key": "text"}, Entry("all keys", ("key",), {"key": "The key"}), "t: needs a key, and a grain"),
        ({"key": "text"}, Entry("one row per key", (), {"key": "The key"}), "t: needs a key, and a grain"),
        ({"key": "text"}, None, "t: no entry"),
        (None, Entry("one row per key", ("key",), {"key": "The key"}), "t: no such table"),
    ],
)
def test_the_check_itself_sees_a_fault(columns: dict | None, entry: Entry | None, fault: str) -> None:
    tables = {} if columns is None else {"t": columns}
    [found] = faults(tables, {} if entry is None else {"t": entry}, {"run_id": "The run"})
    assert found.startswith(f"{PLACE}: {fault}")


def test_a_shared_meaning_stands_for_a_column() -> None:
    entry = Entry("one row per run", ("run_id",))
    assert faults({"t": {"run_id": "text"}}, {"t": entry}, {"run_id": "The run"}) == []


def test_docs_are_not_written_with_a_column_that_nobody_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OWN_TABLES, "ops.watermarks", {**OWN_TABLES["ops.watermarks"], "mood": "text"})
    with pytest.raises(HanseiError, match=r"ops\.watermarks: no meaning for mood: add them to"):
        dictionary.entry_of("ops.watermarks")
    monkeypatch.delitem(ENTRIES, "ops.watermarks")
    with pytest.raises(HanseiError, match=r"ops\.watermarks: no entry: add it to"):
        dictionary.entry_of("ops.watermarks")


@pytest.mark.parametrize(
    ("column", "kind", "unit"),
    [
        ("week_seconds", "bigint", "seconds"),
        ("coverage_ratio", "double", "ratio"),
        ("value_before", "double", "that of the indicator"),
        ("value_state", "text", ""),
        ("value_at_risk_95", "double", "currency"),
        ("score", "double", "points 0-100"),
        ("score", "integer", ""),  # a risk's score is an order
        ("received_count", "bigint", ""),
    ],
)
def test_a_name_tells_its_unit(column: str, kind: str, unit: str) -> None:
    assert dictionary.unit(column, kind) == unit


def test_the_document_lists_every_table_once_with_every_column(catalog: Catalog, document: str) -> None:
    parts = re.split(r"^### (\w+\.\w+)\n", document, flags=re.MULTILINE)
    described = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert len(described) == len(parts) // 2
    columns = {name: list(model.columns) for name, model in catalog.tables.items()}
    columns |= {name: list(names) for name, names in dictionary.owned_tables().items()}
    assert columns.keys() <= described.keys()
    for name, names in columns.items():
        assert re.findall(r"^\| `(\w+)` \|", described[name], re.MULTILINE) == names, name
        assert re.search(r"^(Table|View)\. Grain: one row per .+ Key: `", described[name], re.MULTILINE), name


def test_the_links_of_the_document_lead_somewhere(document: str) -> None:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", document, flags=re.DOTALL), re.MULTILINE)
    # As GitHub makes anchors: lower case, punctuation gone, spaces to hyphens.
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    within = re.findall(r"\]\(#([^)]*)\)", document)
    assert len(within) > len(dictionary.owned_tables())
    assert set(within) - anchors == set()
    beside = set(re.findall(r"\]\(([^)#]+)", document))
    assert {"entities.md", "indicators/README.md", "scorecards.md", "risks.md"} <= beside
    assert [link for link in beside if not (PROJECT_ROOT / "docs" / link).is_file()] == []


def test_there_are_eleven_worked_queries_that_say_what_they_answer(catalog: Catalog) -> None:
    queries = worked_queries(catalog.include)
    assert [query.name[:3] for query in queries] == [f"{number:02d}_" for number in range(1, 12)]
    for query in queries:
        assert query.grain.startswith("one row per ") and query.grain.endswith("."), query.name
        assert query.question.endswith("?"), query.name
        assert len(query.explanation.split()) >= 30, query.name


def test_worked_queries_read_what_analysts_may_read(catalog: Catalog) -> None:
    known = {*catalog.tables, *dictionary.owned_tables()} - {"ops.quarantined_rows"}
    for query in worked_queries(catalog.include):
        read = tables_read(query.sql)
        assert read, query.name
        assert read <= known, query.name
        assert "{{" not in query.sql, f"{query.name}: an analyst cannot run a template"


def test_a_worked_query_without_its_question_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "sql" / "worked"
    folder.mkdir(parents=True)
    (folder / "01_bare.sql").write_text("-- Grain: one row.\nSELECT 1 AS one\n")
    with pytest.raises(HanseiError, match=r"01_bare\.sql: 1 lines of comment"):
        worked_queries(tmp_path)
