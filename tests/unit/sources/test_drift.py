"""Fields that a definition does not know, no longer finds, or finds as something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def drift_of(manifest) -> set[tuple[str, str, int]]:
    return {(drift.field, drift.kind, drift.count) for drift in manifest.entities["tickets"].drift}


def csv_of(inbox: Path, text: str, **more) -> dict:
    (inbox / "t.csv").write_text(text)
    return {"path": str(inbox / "t.csv"), "format": "csv", **more}


def lines_of(inbox: Path, records: list[dict], **more) -> dict:
    (inbox / "t.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return {"path": str(inbox / "t.jsonl"), "format": "jsonl", **more}


BASE = {"id": 1, "status": "open", "created": "2024-01-01"}


def test_an_unknown_field_is_new_unless_it_is_ignored(inbox: Path, ticket_source, extract) -> None:
    text = "id,status,created,colour,size\n1,open,2024-01-01,red,XL\n2,open,2024-01-01,,XL\n"
    manifest, rows = extract(ticket_source(csv_of(inbox, text, ignore=["size"]), plain_extra=["colour"]))
    assert drift_of(manifest) == {("colour", "new", 1)}
    assert [json.loads(row["extra"]) if row["extra"] else None for row in rows] == [{"colour": "red"}, None]


def test_an_unknown_key_of_some_json_records_is_counted_where_it_is(inbox: Path, ticket_source, extract) -> None:
    records = [{**BASE, "mood": {"now": "bad"}}, BASE, {**BASE, "mood": None}]
    manifest, rows = extract(ticket_source(lines_of(inbox, records), plain_extra=["mood"]))
    assert drift_of(manifest) == {("mood", "new", 2)}
    assert [json.loads(row["extra"]) if row["extra"] else None for row in rows] == [
        {"mood": {"now": "bad"}},
        None,
        None,
    ]


def test_a_mapped_field_that_is_gone_is_missing_and_its_column_null(inbox: Path, ticket_source, extract) -> None:
    source = ticket_source(
        csv_of(inbox, "id,status,created\n1,open,2024-01-01\n"), {"topic": {"path": "subject.topic"}}
    )
    manifest, rows = extract(source, run_id="csv")
    assert drift_of(manifest) == {("subject.topic", "missing", 1)}
    assert rows[0]["topic"] is None

    source = ticket_source(lines_of(inbox, [BASE, BASE]), {"topic": {"path": "subject.topic"}})
    manifest, _ = extract(source, run_id="json")
    assert drift_of(manifest) == {("subject.topic", "missing", 2)}


def test_a_sparse_json_key_is_no_drift(inbox: Path, ticket_source, extract) -> None:
    source = ticket_source(lines_of(inbox, [{**BASE, "topic": "x"}, BASE, BASE]), {"topic": {"path": "topic"}})
    manifest, _ = extract(source)
    assert drift_of(manifest) == set()


def test_a_json_field_of_two_types_has_changed_its_type(inbox: Path, ticket_source, extract) -> None:
    records = [{**BASE, "reopens": 1}, {**BASE, "reopens": 2}, {**BASE, "reopens": "3"}, {**BASE, "reopens": None}]
    manifest, rows = extract(ticket_source(lines_of(inbox, records), {"reopen_count": {"path": "reopens"}}))
    assert drift_of(manifest) == {("reopens", "type", 1)}
    assert [row["reopen_count"] for row in rows] == [1, 2, 3, None]


@pytest.mark.parametrize(
    ("failures", "total", "expected"), [(5, 10, {("reopens", "type", 5)}), (1, 10, set()), (2, 40, set())]
)
def test_many_cast_failures_are_a_changed_type_and_few_are_not(
    inbox: Path, ticket_source, extract, failures: int, total: int, expected: set
) -> None:
    cells = ["many"] * failures + ["3"] * (total - failures)
    text = "id,status,created,reopens\n" + "".join(f"{n},open,2024-01-01,{cell}\n" for n, cell in enumerate(cells))
    manifest, rows = extract(ticket_source(csv_of(inbox, text), {"reopen_count": {"path": "reopens"}}))
    assert drift_of(manifest) == expected
    assert sum(row["faults"] is not None for row in rows) == failures


def test_repeated_headings_are_told_apart(inbox: Path, ticket_source, extract) -> None:
    text = "id,status,created,note,note,\n1,open,2024-01-01,a,b,c\n"
    manifest, rows = extract(ticket_source(csv_of(inbox, text), {"topic": {"path": "note"}}))
    assert drift_of(manifest) == {("note (2)", "new", 1), ("column 6", "new", 1)}
    assert rows[0]["topic"] == "a"
