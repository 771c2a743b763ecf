"""Every file format gives the same canonical rows, whatever it is packed in."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from hansei.catalog.sources import Resource
from hansei.sources.formats import read_csv
from hansei.sources.privacy import open_extra

HEADER = ["id", "status", "created", "subject", "reopens"]
ROWS = [
    ["1", "open", "2024-03-01T08:00:00", "Printer, third floor", "0"],
    ["2", "solved", "2024-03-01T09:30:00", 'He said "no"\nand left', "2"],
    ["3", "closed", "2024-03-02T10:00:00", "Übergröße 漢字", ""],
]
EXPECTED = [
    ("desk:1", "open", datetime(2024, 3, 1, 8), "Printer, third floor", 0),
    ("desk:2", "solved", datetime(2024, 3, 1, 9, 30), 'He said "no"\nand left', 2),
    ("desk:3", "closed", datetime(2024, 3, 2, 10), "Übergröße 漢字", None),
]
COLUMNS = {"subject": {"path": "subject"}, "reopen_count": {"path": "reopens"}}


def as_csv(delimiter: str = ",", encoding: str = "utf-8", newline: str = "\n") -> bytes:
    lines = [HEADER, *ROWS]
    quoted = ['"' + f'"{delimiter}"'.join(cell.replace('"', '""') for cell in line) + '"' for line in lines]
    return (newline.join(quoted) + newline).encode(encoding)


def as_records() -> list[dict]:
    records = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    for record in records:
        record["id"] = int(record["id"])
        record["reopens"] = int(record["reopens"]) if record["reopens"] else None
    return records


def as_parquet() -> bytes:
    records = as_records()
    for record in records:
        record["created"] = datetime.fromisoformat(record["created"])
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), sink)
    return sink.getvalue()


def as_excel() -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(HEADER)
    for record in as_records():
        sheet.append(
            [*list(record.values())[:2], datetime.fromisoformat(record["created"]), *list(record.values())[3:]]
        )
    sink = io.BytesIO()
    workbook.save(sink)
    return sink.getvalue()


def zipped(content: bytes, name: str = "export") -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(name, content)
    return sink.getvalue()


def lines(records: list[dict]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


FORMATS = {
    "csv": ({"format": "csv"}, as_csv()),
    "csv, windows line ends": ({"format": "csv"}, as_csv(newline="\r\n")),
    "csv with a byte order mark": ({"format": "csv"}, b"\xef\xbb\xbf" + as_csv()),
    "semicolons": ({"format": "csv", "delimiter": ";"}, as_csv(";")),
    "tsv": ({"format": "tsv"}, as_csv("\t")),
    "gb18030": ({"format": "csv", "encoding": "gb18030"}, as_csv(encoding="gb18030")),
    "utf-16": ({"format": "csv", "encoding": "utf-16"}, as_csv(encoding="utf-16")),
    "rows to skip": ({"format": "csv", "skip_rows": 2}, b"Export of the desk\n\n" + as_csv()),
    "gzip": ({"format": "csv"}, gzip.compress(as_csv())),
    "zip": ({"format": "csv"}, zipped(as_csv())),
    "json lines": ({"format": "jsonl"}, lines(as_records())),
    "json lines, gzip": ({"format": "jsonl"}, gzip.compress(lines(as_records()))),
    "json list": ({"format": "json"}, json.dumps(as_records()).encode()),
    "json below a path": (
        {"format": "json", "records": "data.tickets"},
        json.dumps({"data": {"tickets": as_records(), "count": 3}}).encode(),
    ),
    "parquet": ({"format": "parquet"}, as_parquet()),
    "excel": ({"format": "excel"}, as_excel()),
    "excel, named sheet": ({"format": "excel", "sheet": "Sheet"}, as_excel()),
}


@pytest.mark.parametrize("name", FORMATS)
def test_gives_the_same_rows_and_hashes(name: str, inbox: Path, ticket_source, extract) -> None:
    declared, content = FORMATS[name]
    (inbox / "export").write_bytes(content)
    manifest, rows = extract(ticket_source({"path": str(inbox / "export"), **declared}, COLUMNS))

    found = [(row["ticket_id"], row["status"], row["created_at"], row["subject"], row["reopen_count"]) for row in rows]
    assert found == EXPECTED
    assert [row["faults"] for row in rows] == [None, None, None]
    assert manifest.entities["tickets"].received == 3

    (inbox / "plain").write_bytes(as_csv())
    _, plain = extract(ticket_source({"path": str(inbox / "plain"), "format": "csv"}, COLUMNS), run_id="plain")
    assert [row["content_hash"] for row in rows] == [row["content_hash"] for row in plain]
    assert len({row["content_hash"] for row in rows}) == 3


def test_a_zip_of_several_files_is_read_whole(inbox: Path, ticket_source, extract) -> None:
    with zipfile.ZipFile(inbox / "days.zip", "w") as archive:
        archive.writestr("b.csv", "id,status,created\n2,open,2024-01-02\n")
        archive.writestr("a.csv", "id,status,created\n1,open,2024-01-01\n")
    source = ticket_source({"path": str(inbox / "days.zip"), "format": "csv"}, {"topic": {"path": "$file"}})
    _, rows = extract(source)
    assert [(row["ticket_id"], row["topic"]) for row in rows] == [
        ("desk:1", "days.zip/a.csv"),
        ("desk:2", "days.zip/b.csv"),
    ]


def test_a_glob_reads_every_file_once_and_counts_rows_per_file(inbox: Path, ticket_source, extract) -> None:
    for day in (1, 2):
        (inbox / f"day-{day}.csv").write_text(f"id,status,created\n{day}1,open,2024-01-01\n{day}2,open,2024-01-01\n")
    (inbox / "notes.txt").write_text("not for us")
    columns = {"topic": {"path": "$file"}, "reopen_count": {"path": "$row"}}
    _, rows = extract(ticket_source({"path": str(inbox / "*.csv"), "format": "csv"}, columns))
    assert [(row["ticket_id"], row["topic"], row["reopen_count"]) for row in rows] == [
        ("desk:11", "day-1.csv", 1),
        ("desk:12", "day-1.csv", 2),
        ("desk:21", "day-2.csv", 1),
        ("desk:22", "day-2.csv", 2),
    ]


def test_the_path_takes_variables_of_the_environment(inbox: Path, ticket_source, extract, monkeypatch) -> None:
    (inbox / "a.csv").write_text("id,status,created\n1,open,2024-01-01\n")
    monkeypatch.setenv("TEST_INBOX", str(inbox))
    _, rows = extract(ticket_source({"path": "${TEST_INBOX}/a.csv", "format": "csv"}))
    assert len(rows) == 1


def test_json_fields_may_be_nested_listed_or_of_mixed_type(inbox: Path, ticket_source, extract) -> None:
    records = [
        {"id": 7, "status": "open", "created": "2024-01-01", "via": {"channel": "mail"}, "tags": ["vip", "billing"]},
        {"id": "8", "status": "open", "created": "2024-01-01", "via": "chat", "tags": "urgent"},
        {"id": 9.5, "status": "open", "created": "2024-01-01", "via": None, "tags": [], ":@odd key": "x"},
    ]
    (inbox / "t.jsonl").write_bytes(lines(records))
    columns = {"channel": {"path": "via.channel"}, "tags": {"path": "tags"}, "topic": {"path": ":@odd key"}}
    _, rows = extract(ticket_source({"path": str(inbox / "t.jsonl"), "format": "jsonl"}, columns))
    assert [(row["ticket_id"], row["channel"], row["tags"], row["topic"]) for row in rows] == [
        ("desk:7", "mail", "billing,vip", None),
        ("desk:8", None, "urgent", None),
        ("desk:9.5", None, None, "x"),
    ]


def test_an_element_of_a_list_has_a_path(inbox: Path, ticket_source, extract) -> None:
    record = {"id": 1, "status": "open", "created": "2024-01-01", "names": [{"en": "Mail"}, {"en": "Post"}]}
    (inbox / "t.jsonl").write_bytes(lines([record]))
    source = ticket_source({"path": str(inbox / "t.jsonl"), "format": "jsonl"}, {"topic": {"path": "names[1].en"}})
    _, rows = extract(source)
    assert rows[0]["topic"] == "Post"


def test_keys_of_whole_numbers_have_no_fraction(inbox: Path, ticket_source, extract) -> None:
    table = pa.table({"id": pa.array([12.0, 13.0]), "status": ["open"] * 2, "created": [datetime(2024, 1, 1)] * 2})
    pq.write_table(table, inbox / "t.parquet")
    _, rows = extract(ticket_source({"path": str(inbox / "t.parquet"), "format": "parquet"}))
    assert [row["ticket_id"] for row in rows] == ["desk:12", "desk:13"]


def test_a_nested_parquet_column_has_paths(inbox: Path, ticket_source, extract) -> None:
    record = {"id": 1, "status": "open", "created": "2024-01-01", "via": {"channel": "phone", "n": 1}}
    table = pa.Table.from_pylist([record])
    pq.write_table(table, inbox / "t.parquet")
    source = ticket_source(
        {"path": str(inbox / "t.parquet"), "format": "parquet"}, {"channel": {"path": "via.channel"}}
    )
    _, rows = extract(source)
    assert rows[0]["channel"] == "phone"


def test_a_header_without_rows_is_an_empty_batch(inbox: Path, ticket_source, extract) -> None:
    (inbox / "t.csv").write_text("id,status,created\n")
    manifest, rows = extract(ticket_source({"path": str(inbox / "t.csv"), "format": "csv"}))
    assert rows == []
    assert manifest.entities["tickets"].received == 0
    assert manifest.entities["tickets"].is_complete_snapshot is False


def test_a_chunk_boundary_changes_nothing(inbox: Path, ticket_source, extract, monkeypatch) -> None:
    monkeypatch.setattr("hansei.sources.chunks.rechunk.__defaults__", (7,))
    monkeypatch.setattr("hansei.sources.spool.CHUNK_ROWS", 10)
    body = "".join(f"{number},open,2024-01-01\n" for number in range(1, 41))
    (inbox / "t.csv").write_text("id,status,created\n" + body)
    columns = {"reopen_count": {"path": "$row"}}
    manifest, rows = extract(ticket_source({"path": str(inbox / "t.csv"), "format": "csv"}, columns))
    assert [(row["ticket_id"], row["reopen_count"]) for row in rows] == [(f"desk:{n}", n) for n in range(1, 41)]
    assert len(manifest.entities["tickets"].parts) == 4
    assert manifest.raw_parts == 6
    assert {(row["raw_part"], row["raw_row"]) for row in rows} == {((n - 1) // 7, (n - 1) % 7) for n in range(1, 41)}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_fields_that_differ_in_case_or_use_our_names_are_kept_apart(
    form: str, inbox: Path, ticket_source, extract, settings
) -> None:
    record = {"id": "1", "ID": "2", "status": "open", "created": "2024-01-01", "Topic": "a", "topic": "b"}
    record |= {"raw_row": "77", "field_0": "x", "position": "y", 'odd "name" with \\': "z", "Extra": "E", "extra": "e"}
    sink = io.StringIO()
    writer = csv.DictWriter(sink, record)
    writer.writeheader()
    writer.writerow(record)
    text = sink.getvalue() if form == "csv" else json.dumps(record) + "\n"
    (inbox / "t").write_text(text)
    columns = {"topic": {"path": "topic"}, "brand": {"path": "Topic"}, "tags": {"path": 'odd "name" with \\'}}
    columns |= {"language": {"path": "raw_row"}, "channel": {"path": "position"}, "account_id": {"path": "ID"}}
    _, (row,) = extract(ticket_source({"path": str(inbox / "t"), "format": form}, columns))
    found = [row[name] for name in ("ticket_id", "account_id", "topic", "brand", "tags", "language", "channel")]
    assert found == ["desk:1", "desk:2", "b", "a", "z", "77", "y"]
    assert open_extra(row["extra"], settings) == {"field_0": "x", "Extra": "E", "extra": "e"}


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(cells=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=15))
@effort(max_examples=60, deadline=None)
def test_any_text_comes_through_a_csv_unharmed(cells: list[tuple[str, str]], tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("property") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *cells])
    resource = Resource(path=str(path), format="csv")
    with path.open("rb") as stream:
        chunks = list(read_csv(stream, resource, "t.csv"))
    found = [(row["a"], row["b"]) for chunk in chunks for row in chunk.table.to_pylist()]
    assert found == cells
    assert [chunk.unreadable for chunk in chunks] == [[]] * len(chunks)
