"""What cannot be read as a whole is one clear error that names the file; what is wrong in a row stays in the batch."""

from __future__ import annotations

import errno
import gzip
import json
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from hansei.catalog.windows import Window
from hansei.errors import SourceError
from hansei.sources import spool
from hansei.sources.extraction import extract_batch

HEADER = "id,status,created\n"
GOOD = "1,open,2024-01-01\n"
EVER = datetime(2030, 1, 1)


def file_of(inbox: Path, content: bytes | str, name: str = "export.csv") -> str:
    (inbox / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(inbox / name)


BROKEN = {
    "0 bytes": (b"", {"format": "csv"}, "the file is empty"),
    "only blank lines": (b"\n\n\n", {"format": "csv"}, "not even a header"),
    "truncated gzip": (gzip.compress((HEADER + GOOD * 9999).encode())[:-20], {"format": "csv"}, "breaks off"),
    "not zip": (b"PK\x03\x04nonsense", {"format": "csv"}, "breaks off or is damaged"),
    "not the encoding": (HEADER.encode() + b"1,\xff\xfe,2024-01-01\n", {"format": "csv"}, "not utf-8"),
    "header not the encoding": (b"id,\xff,created\n1,2,3\n", {"format": "csv"}, "not utf-8"),
    "not gb2312": (
        (HEADER + "1,открыт\xff,x\n").encode("utf-8"),
        {"format": "csv", "encoding": "gb2312"},
        "not gb2312",
    ),
    "unknown encoding": ((HEADER + GOOD).encode(), {"format": "csv", "encoding": "klingon"}, "'klingon' is not known"),
    "wrong delimiter": (b"id;status;created\n1;open;2024-01-01\n", {"format": "csv"}, "delimiter: ';'"),
    "a required column gone": (b"id,created\n1,2024-01-01\n", {"format": "csv"}, "'status' (required status) is gone"),
    "not json": (b'{"tickets": [{"id": 1}', {"format": "json", "records": "tickets"}, "not JSON at line 1"),
    "no such records": (b'{"rows": []}', {"format": "json", "records": "tickets"}, "records 'tickets' is not there"),
    "records is no list": (b'{"tickets": 5}', {"format": "json", "records": "tickets"}, "records 'tickets' is"),
    "json lines not the encoding": (b'{"id": 1}\n{"id": "\xff"}\n', {"format": "jsonl"}, "line 2 is not"),
    "not parquet": (b"PAR1nonsense", {"format": "parquet"}, "not readable as Parquet"),
    "not excel": (b"nonsense", {"format": "excel"}, "not readable as Excel"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_names_the_file_what_is_wrong_and_the_next_step(
    name: str, inbox: Path, ticket_source, extract, settings
) -> None:
    content, declared, expected = BROKEN[name]
    source = ticket_source({"path": file_of(inbox, content, "broken.export"), **declared})
    with pytest.raises(SourceError) as caught:
        extract(source)
    assert "broken.export" in caught.value.place
    assert expected in f"{caught.value.found}: {caught.value.next_step}"
    assert caught.value.next_step
    assert spool.read_manifest(settings, "run", "desk") is None


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_without_one_readable_row_is_an_error_and_a_short_one_is_not(
    form: str, inbox: Path, ticket_source, extract
) -> None:
    source = ticket_source({"path": str(inbox / "t"), "format": form})
    (inbox / "t").write_text(HEADER + "1;open;2024-01-01\n" * 20)
    with pytest.raises(SourceError, match=r"desk, t: none of 2[01] rows can be read"):
        extract(source)
    (inbox / "t").write_text(HEADER + "1;open;2024-01-01\n")
    _, rows = extract(source)
    assert {row["faults"] for row in rows} == {'[{"column":null,"rule":"unreadable"}]'}


def test_no_matching_file_is_an_error_with_the_path(inbox: Path, ticket_source, extract) -> None:
    with pytest.raises(SourceError, match=re.escape(str(inbox / "*.csv"))):
        extract(ticket_source({"path": str(inbox / "*.csv"), "format": "csv"}))


def test_an_unset_variable_in_the_path_is_named(ticket_source, extract) -> None:
    with pytest.raises(SourceError, match="NOWHERE_IN_THE_ENVIRONMENT"):
        extract(ticket_source({"path": "${NOWHERE_IN_THE_ENVIRONMENT}/x.csv", "format": "csv"}))


def test_a_source_that_must_answer_and_does_not_is_an_error(inbox: Path, ticket_source, extract) -> None:
    path = file_of(inbox, HEADER)
    with pytest.raises(SourceError, match="no row in the window"):
        extract(ticket_source({"path": path, "format": "csv", "may_be_empty": False}))


def test_rows_with_a_wrong_number_of_fields_are_kept_with_their_text(
    inbox: Path, ticket_source, extract, settings
) -> None:
    content = HEADER + "1,open,2024-01-01\n2,open\n3,open,2024-01-03\n4,open,2024-01-04,surplus\n5,open,2024-01-05\n"
    source = ticket_source({"path": file_of(inbox, content), "format": "csv"}, {"reopen_count": {"path": "$row"}})
    manifest, rows = extract(source)

    assert manifest.entities["tickets"].received == 5
    assert manifest.entities["tickets"].is_complete_snapshot is False
    good = [row for row in rows if row["faults"] is None]
    assert [(row["ticket_id"], row["reopen_count"]) for row in good] == [("desk:1", 1), ("desk:3", 3), ("desk:5", 5)]
    bad = [row for row in rows if row["faults"] is not None]
    assert [json.loads(row["faults"]) for row in bad] == [[{"column": None, "rule": "unreadable"}]] * 2
    raw = spool.raw_rows(manifest, bad[0]["raw_part"], [row["raw_row"] for row in bad], settings)
    assert [(record["$row"], record["$unreadable"]) for record in raw] == [
        (2, "2,open"),
        (4, "4,open,2024-01-04,surplus"),
    ]


def test_a_csv_cut_off_in_a_row_loses_only_that_row(inbox: Path, ticket_source, extract, settings) -> None:
    path = file_of(inbox, HEADER + GOOD + "2,op")
    manifest, rows = extract(ticket_source({"path": path, "format": "csv"}))
    assert [row["ticket_id"] for row in rows] == ["desk:1", None]
    assert spool.raw_rows(manifest, rows[1]["raw_part"], [rows[1]["raw_row"]], settings)[0]["$unreadable"] == "2,op"


def test_a_quote_that_never_ends_loses_no_text(inbox: Path, ticket_source, extract, settings) -> None:
    path = file_of(inbox, HEADER + GOOD + '2,"open,2024-01-02\n3,open,2024-01-03\n')
    manifest, rows = extract(ticket_source({"path": path, "format": "csv"}))
    assert [row["ticket_id"] for row in rows] == ["desk:1", None]
    text = spool.raw_rows(manifest, rows[1]["raw_part"], [rows[1]["raw_row"]], settings)[0]["$unreadable"]
    assert "3,open,2024-01-03" in text


def test_lines_that_are_no_object_are_kept_with_their_text(inbox: Path, ticket_source, extract, settings) -> None:
    good = json.dumps({"id": 1, "status": "open", "created": "2024-01-01"})
    path = file_of(inbox, f'{good}\n{{"id": 2, "sta\n\n[1, 2]\n{good.replace("1,", "3,", 1)}\n', "t.jsonl")
    source = ticket_source({"path": path, "format": "jsonl"}, {"reopen_count": {"path": "$row"}})
    manifest, rows = extract(source)
    assert [(row["ticket_id"], row["reopen_count"]) for row in rows] == [
        ("desk:1", 1),
        ("desk:3", 5),
        (None, None),
        (None, None),
    ]
    raw = spool.raw_rows(manifest, 0, [row["raw_row"] for row in rows[2:]], settings)
    assert [(record["$row"], record["$unreadable"].strip()) for record in raw] == [(2, '{"id": 2, "sta'), (4, "[1, 2]")]


def test_one_record_without_a_required_key_is_a_faulty_row_only(inbox: Path, ticket_source, extract) -> None:
    records = [{"id": 1, "status": "open", "created": "2024-01-01"}, {"id": 2, "created": "2024-01-01"}]
    path = file_of(inbox, "".join(json.dumps(record) + "\n" for record in records), "t.jsonl")
    _, rows = extract(ticket_source({"path": path, "format": "jsonl"}))
    assert [row["faults"] for row in rows] == [None, '[{"column":"status","rule":"missing_required"}]']


def test_clock_times_without_any_zone_are_an_error(inbox: Path, ticket_source, extract) -> None:
    source = ticket_source({"path": file_of(inbox, HEADER + "1,open,2024-01-01 10:00\n"), "format": "csv"}, zone=None)
    with pytest.raises(SourceError, match="carry no zone"):
        extract(source)


def test_a_full_disk_is_an_error_with_the_next_step(
    inbox: Path, ticket_source, extract, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = LocalFileSystem.open

    def full(self, path, mode="rb", **options):
        if mode == "wb" and "part-" in path:
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(self, path, mode, **options)

    monkeypatch.setattr(LocalFileSystem, "open", full)
    source = ticket_source({"path": file_of(inbox, HEADER + GOOD), "format": "csv"})
    with pytest.raises(SourceError, match="No space left on device\\): make room"):
        extract(source)
    assert spool.read_manifest(settings, "run", "desk") is None
    monkeypatch.undo()
    assert extract(source)[0].received == 1


def test_a_spool_that_is_no_directory_is_an_error_with_the_next_step(
    inbox: Path, ticket_source, catalog, settings
) -> None:
    path = file_of(inbox, HEADER + GOOD)
    for location, reason in ((f"{path}/below", "Not a directory|File exists"), ("nowhere://spool", "ValueError")):
        unusable = replace(settings, spool=location)
        with pytest.raises(SourceError, match=rf"cannot be used \(({reason})\): make room or correct HANSEI_SPOOL"):
            extract_batch(
                ticket_source({"path": path, "format": "csv"}), catalog, unusable, None, "run", Window(None, EVER)
            )
