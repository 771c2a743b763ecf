"""A quarantined row, mapped again after the definition was mended, is the row that it would have been."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hansei.catalog.windows import Window
from hansei.sources import spool
from hansei.sources.replay import remap

WINDOW = Window(None, datetime(2030, 1, 1))
COMPARED = (
    "ticket_id",
    "status",
    "created_at",
    "solved_at",
    "source_version",
    "content_hash",
    "faults",
    "topic",
    "tags",
    "brand",
)


def statuses(*words: str) -> dict:
    return {"status": {"path": "status", "values": {word: word for word in words}}, "topic": {"path": "$file"}}


def replay_all(source, manifest, rows, catalog, settings) -> list[dict]:
    by_part: dict[int, list[dict]] = {}
    for row in rows:
        by_part.setdefault(row["raw_part"], []).append(row)
    records = []
    for part, members in by_part.items():
        wanted, mappings = [row["raw_row"] for row in members], [row["mapping"] for row in members]
        records += spool.raw_rows(manifest, part, wanted, settings, mappings)
    records = json.loads(json.dumps(records))  # as a quarantine stores them
    return remap(source, catalog, settings, "tickets", records, WINDOW).to_pylist()


def test_csv_rows_come_out_as_a_fresh_extraction_would_have_them(inbox, ticket_source, extract, catalog, settings):
    (inbox / "t.csv").write_text(
        "id,status,created,changed\n1,open,2024-01-01,2024-01-05\n2,parked,2024-01-01,2024-01-06\n"
    )
    resource = {"path": str(inbox / "t.csv"), "format": "csv"}
    version = {"path": ["changed", "$row"], "type": ["timestamp", "sequence"]}
    manifest, rows = extract(ticket_source(resource, statuses("open"), version=version))
    bad = [row for row in rows if row["faults"]]
    assert [row["ticket_id"] for row in bad] == ["desk:2"]
    mended = ticket_source(resource, statuses("open", "parked"), version=version)
    replayed = replay_all(mended, manifest, bad, catalog, settings)
    _, fresh = extract(mended, run_id="fresh")
    assert [{key: row[key] for key in COMPARED} for row in replayed] == [{key: fresh[1][key] for key in COMPARED}]
    assert replayed[0]["raw_row"] == 0
    assert replayed[0]["raw_part"] is None


def test_json_and_typed_rows_survive_the_way_through_json(
    inbox: Path, ticket_source, extract, catalog, settings
) -> None:
    moment = datetime(2024, 1, 1, 12, 30, 15, 250000)
    record = {
        "id": 7,
        "status": "parked",
        "created": moment.isoformat(),
        "via": {"end": "2024-02-01"},
        "tags": ["b", "a"],
    }
    (inbox / "t.jsonl").write_text(json.dumps(record) + "\n")
    pq.write_table(pa.Table.from_pylist([{**record, "created": moment}]), inbox / "t.parquet")
    for form in ("jsonl", "parquet"):
        resource = {"path": str(inbox / f"t.{form}"), "format": form}
        columns = {"solved_at": {"path": "via.end"}, "tags": {"path": "tags"}, "brand": {"path": "tags[0]"}}
        broken = ticket_source(resource, {**statuses("open"), **columns})
        manifest, rows = extract(broken, run_id=form)
        assert rows[0]["faults"] is not None
        mended = ticket_source(resource, {**statuses("parked"), **columns})
        replayed = replay_all(mended, manifest, rows, catalog, settings)
        _, fresh = extract(mended, run_id=f"{form}-fresh")
        assert [{key: row[key] for key in COMPARED} for row in replayed] == [{key: fresh[0][key] for key in COMPARED}]
        assert replayed[0]["created_at"] == moment
        assert (replayed[0]["tags"], replayed[0]["brand"]) == ("a,b", "b")


def test_an_unreadable_row_stays_unreadable_and_positions_hold(inbox, ticket_source, extract, catalog, settings):
    (inbox / "t.csv").write_text("id,status,created\n1,parked,2024-01-01\n2,parked\n3,parked,2024-01-01\n")
    resource = {"path": str(inbox / "t.csv"), "format": "csv"}
    manifest, rows = extract(ticket_source(resource, statuses("open")))
    assert len(rows) == 3
    order = [rows[2], rows[0], rows[1]]  # the unreadable one first
    replayed = replay_all(ticket_source(resource, statuses("parked")), manifest, order, catalog, settings)
    assert [(row["raw_row"], row["ticket_id"]) for row in replayed] == [(0, None), (1, "desk:1"), (2, "desk:3")]
    assert replayed[0]["faults"] == '[{"column":null,"rule":"unreadable"}]'


def test_a_row_replays_only_through_the_mapping_that_refused_it(
    inbox, ticket_source, extract, catalog, settings
) -> None:
    (inbox / "t.csv").write_text("id,at,team,status\n1,2024-01-01,blue,open\n1,later,red,solved\n")
    base = {"ticket_id": {"path": "id"}, "occurred_at": {"path": "at"}}
    mappings = [
        {"entity": "ticket_events", "resource": "export",
         "columns": {**base, "event_type": {"constant": kind}, "value": {"path": kind}}}
        for kind in ("team", "status")
    ]  # fmt: skip
    resource = {"path": str(inbox / "t.csv"), "format": "csv"}
    source = ticket_source(resource, entities=mappings)
    manifest, rows = extract(source)
    bad = [row for row in rows if row["faults"] and row["event_type"] == "status"]
    assert len(bad) == 1
    records = spool.raw_rows(manifest, bad[0]["raw_part"], [bad[0]["raw_row"]], settings, [bad[0]["mapping"]])
    replayed = remap(source, catalog, settings, "ticket_events", records, WINDOW).to_pylist()
    assert [(row["event_type"], row["value"]) for row in replayed] == [("status", "solved")]


def test_no_records_give_an_empty_table(inbox: Path, ticket_source, catalog, settings) -> None:
    source = ticket_source({"path": str(inbox / "t.csv"), "format": "csv"})
    assert remap(source, catalog, settings, "tickets", [], WINDOW).num_rows == 0
