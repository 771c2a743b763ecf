"""The example definitions against the public data that they are about; skipped where the data is not there."""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from hansei.catalog.loader import examine
from hansei.catalog.windows import Window
from hansei.settings import load_settings
from hansei.sources import spool
from hansei.sources.coverage import check_source
from hansei.sources.extraction import extract_batch

EVER = Window(None, datetime(2030, 1, 1))
KEYS = {"HANSEI_IDENTITY_KEY": "k" * 40, "HANSEI_QUARANTINE_KEY": "bm8gc2VjcmV0LCBqdXN0IDMyIGJ5dGVzIGZvciB0ZXM="}
# Read before a test begins: its environment is cleared of HANSEI_.
REAL_DATA = os.environ.get("HANSEI_DATA")


@pytest.fixture
def data(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of public data, named by HANSEI_DATA or beside the checkout."""
    folder = Path(REAL_DATA or repository.parent / "shared" / "data")
    if not (folder / "README.md").exists():
        pytest.skip(f"no public data: HANSEI_DATA is not set and {folder} is not there")
    monkeypatch.setenv("HANSEI_DATA", str(folder))
    return folder


@pytest.fixture
def example(repository: Path, data: Path, tmp_path: Path):
    """example(name) -> (settings, catalog, source) of an example directory, which has no faults."""

    def load(name: str):
        keys = {
            "HANSEI_IDENTITY_KEY": "k" * 40,
            "HANSEI_QUARANTINE_KEY": "bm8gc2VjcmV0LCBqdXN0IDMyIGJ5dGVzIGZvciB0ZXM=",
        }
        overlay = repository / "include" / "definitions" / "examples" / name
        settings = load_settings({"HANSEI_HOME": str(tmp_path), "HANSEI_DEFINITIONS": str(overlay), **keys})
        catalog, faults = examine(settings)
        assert [str(fault) for fault in faults if overlay in fault.file.parents] == []
        return settings, catalog, catalog.sources[name]

    return load


def extract(loaded, window: Window = EVER, run_id: str = "run") -> tuple[spool.Manifest, dict[str, pa.Table]]:
    settings, catalog, source = loaded
    manifest = extract_batch(source, catalog, settings, None, run_id, window)
    tables = {
        entity: pa.concat_tables([spool.read_part(manifest, part) for part in batch.parts])
        for entity, batch in manifest.entities.items()
        if batch.parts
    }
    return manifest, tables


def test_incident_log_gives_every_event_and_the_final_states(example) -> None:
    manifest, tables = extract(example("incident_log"))
    tickets = tables["tickets"]
    assert manifest.entities["tickets"].received == 59_354
    assert len(pc.unique(tickets["ticket_id"])) == 9_202
    assert tickets["faults"].null_count == tables["ticket_events"]["faults"].null_count + 59_354 - 215_104
    assert tickets["faults"].null_count == 59_354
    assert manifest.entities["tickets"].drift == ()
    last = tickets.sort_by("source_version").group_by("ticket_id", use_threads=False).aggregate(
        [(column, "last") for column in ("status", "is_sla_met", "reopen_count", "solved_at")]
    )  # fmt: skip
    assert Counter(last["status_last"].to_pylist()) == {"closed": 9_202}
    assert pc.sum(last["is_sla_met_last"].cast(pa.int64())).as_py() == 3_719
    assert pc.sum(last["reopen_count_last"]).as_py() == 161
    solved = tickets.group_by("ticket_id").aggregate([("solved_at", "max")])
    assert solved["solved_at_max"].null_count == 783


def test_incident_log_night_by_night_is_the_whole_and_never_looks_ahead(example) -> None:
    loaded = example("incident_log")
    edges = [None, *(datetime(2016, 3, day) for day in (1, 31)), datetime(2030, 1, 1)]
    hashes: Counter = Counter()
    for night, (start, end) in enumerate(itertools.pairwise(edges)):
        manifest, tables = extract(loaded, Window(start, end), f"night-{night}")
        tickets = tables["tickets"]
        assert manifest.complete_until == end
        for column in ("updated_at", "solved_at", "closed_at"):
            assert pc.max(tickets[column]).as_py() is None or pc.max(tickets[column]).as_py() < end
        hashes.update(tickets["content_hash"].to_pylist())
    _, whole = extract(loaded, EVER, "whole")
    assert hashes == Counter(whole["tickets"]["content_hash"].to_pylist())
    assert hashes.total() == 59_354


def test_incident_log_days_match_the_reference(example, data: Path) -> None:
    expected = json.loads((data / "reference.json").read_text())["uci_incident_event_log"]
    first = expected["events_per_update_day_first_10"]["value"]
    loaded = example("incident_log")
    for night, row in enumerate(first[:2]):
        day = datetime.fromisoformat(row["day"])
        window = Window(day, day.replace(day=1, month=3) if day.day == 29 else day.replace(day=day.day + 1))
        manifest, tables = extract(loaded, window, f"night-{night}")
        assert manifest.entities["tickets"].received == row["events"]
        assert len(pc.unique(tables["tickets"]["ticket_id"])) == row["incidents"]


def test_ravenstack_gives_every_account_ticket_answer_and_churn_event(example) -> None:
    manifest, tables = extract(example("ravenstack"))
    received = {entity: batch.received for entity, batch in manifest.entities.items()}
    assert (received["accounts"], received["tickets"], received["survey_responses"]) == (500, 2_000, 1_175)
    assert Counter(tables["measurements"]["measure"].to_pylist())["churn"] == 600
    assert all(table["faults"].null_count == table.num_rows for table in tables.values())
    assert pc.round(pc.mean(tables["survey_responses"]["score"]), 6).as_py() == 3.981277
    assert Counter(tables["accounts"]["status"].to_pylist())["churned"] == 110
    minutes = pc.divide(
        pc.subtract(tables["tickets"]["first_replied_at"], tables["tickets"]["created_at"]).cast(pa.int64()), 60_000_000
    )
    assert pc.round(pc.mean(minutes), 6).as_py() == 88.48
    assert manifest.entities["tickets"].is_complete_snapshot is True


def test_nps_survey_gives_every_answer(example) -> None:
    manifest, tables = extract(example("nps_survey"))
    answers = tables["survey_responses"]
    assert manifest.entities["survey_responses"].received == 13_612 + 13_893
    assert answers["faults"].null_count == answers.num_rows
    nps = answers.filter(pc.equal(answers["survey_kind"], "nps"))
    promoters = pc.sum(pc.greater_equal(nps["score"], 9).cast(pa.int64())).as_py()
    detractors = pc.sum(pc.less_equal(nps["score"], 6).cast(pa.int64())).as_py()
    assert (nps.num_rows, promoters, detractors) == (13_612, 8_465, 1_194)
    months = Counter(at.strftime("%Y-%m") for at in nps["responded_at"].to_pylist())
    assert (months["2014-01"], months["2015-02"], months["2013-12"]) == (2_976, 393, 18)
    assert any("é" in comment for comment in nps["comment"].to_pylist() if comment)


@pytest.mark.parametrize("name", ["incident_log", "ravenstack", "nps_survey"])
def test_each_example_is_covered_without_a_fault(example, name: str) -> None:
    settings, catalog, source = example(name)
    coverage = check_source(source, catalog, settings, None)
    assert coverage.is_sound
    assert [resource.unused_fields for resource in coverage.resources] == [[]] * len(coverage.resources)
