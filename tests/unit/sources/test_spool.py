"""A batch is whole or is none, is kept for a retry, and is told apart by run and source."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from hansei.catalog.windows import Window
from hansei.errors import SourceError
from hansei.sources import spool
from hansei.sources.extraction import extract_batch
from hansei.sources.mapping import part_schema

WINDOW = Window(datetime(2024, 1, 1), datetime(2024, 1, 2))


@pytest.fixture
def resource(inbox: Path) -> dict:
    (inbox / "t.csv").write_text("id,status,created\n1,open,2024-01-01\n2,open\n")
    return {"path": str(inbox / "t.csv"), "format": "csv"}


def test_a_manifest_reads_back_as_it_was_written(resource, ticket_source, extract, settings) -> None:
    manifest, _ = extract(ticket_source(resource, {"topic": {"path": "gone"}}), WINDOW)
    again = spool.read_manifest(settings, "run", "desk")
    assert again == manifest
    assert again.window == WINDOW
    assert again.received == 2
    assert again.entities["tickets"].drift[0].kind == "missing"


def test_parts_have_the_declared_types(resource, ticket_source, extract, catalog) -> None:
    manifest, _ = extract(ticket_source(resource), WINDOW)
    part = spool.read_part(manifest, manifest.entities["tickets"].parts[0])
    assert part.schema == part_schema(catalog.entities["tickets"])
    assert part.schema.field("created_at").type == pa.timestamp("us")
    assert part.schema.field("reopen_count").type == pa.int32()


def test_a_finished_batch_is_returned_without_reading_again(resource, ticket_source, extract, inbox: Path) -> None:
    source = ticket_source(resource)
    first, _ = extract(source, WINDOW)
    (inbox / "t.csv").unlink()
    again, rows = extract(source, WINDOW)
    assert again == first
    assert len(rows) == 2


def test_another_window_or_key_replaces_the_batch(resource, ticket_source, extract, inbox: Path) -> None:
    source = ticket_source(resource)
    extract(source, WINDOW)
    (inbox / "t.csv").write_text("id,status,created\n7,open,2024-01-01\n")
    manifest, rows = extract(source, Window(None, WINDOW.end))
    assert [row["ticket_id"] for row in rows] == ["desk:7"]
    assert manifest.window.start is None


def test_a_failed_attempt_leaves_no_batch_and_the_next_starts_anew(
    inbox: Path, ticket_source, extract, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inbox / "a.csv").write_text("id,status,created\n1,open,2024-01-01\n")
    (inbox / "b.csv").write_text("id;status;created\n")
    source = ticket_source({"path": str(inbox / "*.csv"), "format": "csv"})
    with pytest.raises(SourceError):
        extract(source, WINDOW)
    location = Path(spool.batch_location(settings, "run", "desk"))
    assert list(location.glob("raw-*"))  # the first file was read
    assert spool.read_manifest(settings, "run", "desk") is None
    (inbox / "b.csv").write_text("id,status,created\n2,open,2024-01-01\n")
    manifest, rows = extract(source, WINDOW)
    assert [row["ticket_id"] for row in rows] == ["desk:1", "desk:2"]
    assert len(list(location.glob("raw-*"))) == manifest.raw_parts == 2


KILLED = textwrap.dedent("""
    import os, signal, sys
    from datetime import datetime
    from hansei.catalog.loader import examine
    from hansei.catalog.sources import Source
    from hansei.catalog.windows import Window
    from hansei.settings import load_settings
    from hansei.sources import spool
    from hansei.sources.extraction import extract_batch

    step = sys.argv[2]
    write, finish = spool.BatchWriter._write, spool.BatchWriter.finish

    def killing(self, name, content):
        write(self, name, content)
        if name.startswith(step):
            os.kill(os.getpid(), signal.SIGKILL)

    def killing_finish(self, manifest):
        self._system.mv = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        finish(self, manifest)

    spool.BatchWriter._write = killing
    if step == "manifest":
        spool.BatchWriter.finish = killing_finish
    settings = load_settings()
    source = Source.model_validate_json(sys.argv[1])
    window = Window(datetime(2024, 1, 1), datetime(2024, 1, 2))
    extract_batch(source, examine(settings)[0], settings, None, "run", window)
""")


@pytest.mark.parametrize("step", ["raw-00000", "tickets/part", "manifest"])
def test_a_killed_extraction_leaves_no_batch_and_a_retry_heals(
    step: str, resource, ticket_source, extract, settings, repository: Path
) -> None:
    source = ticket_source(resource)
    environment = {
        **os.environ,
        "PYTHONPATH": str(repository / "plugins"),
        "HANSEI_HOME": str(settings.home),
        "HANSEI_IDENTITY_KEY": settings.identity_key,
        "HANSEI_QUARANTINE_KEY": settings.quarantine_key,
    }
    command = [sys.executable, "-c", KILLED, source.model_dump_json(exclude_none=True, exclude_defaults=True), step]
    killed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert spool.read_manifest(settings, "run", "desk") is None
    assert any(Path(spool.batch_location(settings, "run", "desk")).rglob("*"))

    manifest, rows = extract(source, WINDOW)
    assert manifest.received == len(rows) == 2
    files = sorted(path.name for path in Path(manifest.location).rglob("*") if path.is_file())
    assert files == ["manifest.json", "part-00000.parquet", "raw-00000.fernet"]


def test_run_ids_of_airflow_become_directories_that_never_meet(settings) -> None:
    names = {spool.safe_name(run) for run in ("manual__2024-01-01T00:00:00+00:00", "manual__2024-01-01T00_00_00_00_00")}
    assert len(names) == 2
    assert all("/" not in name and ":" not in name for name in names)
    assert spool.safe_name("plain") == "plain"


def test_raw_rows_can_be_discarded_and_are_then_a_clear_error(resource, ticket_source, extract, settings) -> None:
    manifest, rows = extract(ticket_source(resource), WINDOW)
    assert spool.discard_raw(manifest) == manifest.raw_parts
    with pytest.raises(SourceError, match="extract the batch again"):
        spool.raw_rows(manifest, rows[0]["raw_part"], [0], settings)
    assert spool.read_part(manifest, manifest.entities["tickets"].parts[0]).num_rows == 2
    spool.discard_batch(settings, "run", "desk")
    assert not Path(manifest.location).exists()


def test_the_spool_may_lie_behind_any_fsspec_url(resource, ticket_source, catalog, settings) -> None:
    remote = replace(settings, spool="memory://spool-of-a-test")
    manifest = extract_batch(ticket_source(resource), catalog, remote, None, "run", WINDOW)
    assert spool.read_manifest(remote, "run", "desk") == manifest
    assert spool.read_part(manifest, manifest.entities["tickets"].parts[0]).num_rows == 2
    assert extract_batch(ticket_source(resource), catalog, remote, None, "run", WINDOW) == manifest
