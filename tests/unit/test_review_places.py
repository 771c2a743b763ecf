"""The archive keeps its promises on a disk and on an object storage alike (fsspec's memory stands for one)."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from support.small_evidence import MONDAY, small_evidence
from typer.testing import CliRunner

from hansei import board, pipeline
from hansei.cli import app
from hansei.errors import SettingsError
from hansei.pipeline.erasing_parts import erase_theirs
from hansei.pipeline.reviewing import publish_edition
from hansei.pipeline.verifying import verify_review
from hansei.reviews import archive, places
from hansei.reviews.evidence import Part
from hansei.settings import load_settings
from hansei.sources.erasure import Erased

PART = Part(part_id="x_rows", salt="s" * 32, columns=("ticket_id",), rows=(("desk:4711",), ("desk:4712",)))
WEEK = "reviews/weekly_brief/2026-11-02"


@pytest.fixture(params=["path", "file", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param != "memory":
        yield {"path": str(tmp_path / "kept"), "file": f"file://{tmp_path / 'kept'}"}[request.param]
        return
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield "memory://bucket/kept"
    memory.store.clear()


def kept(root: str) -> dict[str, bytes]:
    """Every file below the archive, asked of fsspec alone."""
    system, base = fsspec.core.url_to_fs(root)
    return {name.removeprefix(f"{base}/"): system.cat_file(name) for name in system.find(base)}


def test_an_edition_is_kept_read_revised_and_listed(root: str) -> None:
    place = archive.write_edition(root, small_evidence(PART), {"x_rows": PART})
    before = kept(root)
    expected = [f"{WEEK}/{name}" for name in ("brief.html", "evidence.json", "manifest.json", "parts/x_rows.json")]
    assert sorted(before) == sorted([*expected, "reviews/index.html", "reviews/index.zh_CN.html"])
    assert place.read_bytes() == before[f"{WEEK}/brief.html"]
    assert archive.read_edition(root, "weekly_brief", MONDAY) == (small_evidence(PART), {"x_rows": PART})
    archive.write_edition(root, small_evidence(PART), {"x_rows": PART})
    assert kept(root) == before
    archive.write_edition(root, small_evidence(PART, title="Other"), {"x_rows": PART}, revision=2)
    assert [(e.title, e.revision) for e in archive.editions(root)] == [("Other", 2), ("Weekly brief", 1)]
    assert b'href="weekly_brief/2026-11-02-r2/brief.html"' in kept(root)["reviews/index.html"]
    assert archive.document(root, "weekly_brief", MONDAY, name="brief.pdf") is None


def test_what_breaks_off_before_the_manifest_is_no_edition(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(place: places.Place, content: str | bytes) -> None:
        if place.name == "manifest.json":
            raise KeyboardInterrupt
        places.write_atomically(place, content)

    with monkeypatch.context() as patched:
        patched.setattr(archive, "write_atomically", dying)
        with pytest.raises(KeyboardInterrupt):
            archive.write_edition(root, small_evidence(PART), {"x_rows": PART})
    assert f"{WEEK}/brief.html" in kept(root)
    assert archive.editions(root) == [] and archive.read_manifest(root, "weekly_brief", MONDAY) is None
    archive.write_edition(root, small_evidence(PART), {"x_rows": PART})
    assert [edition.period_start for edition in archive.editions(root)] == [MONDAY]


def test_a_published_edition_is_verified_and_erased_where_it_lies(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANSEI_HOME", str(tmp_path))
    monkeypatch.setenv("HANSEI_ARCHIVE", root)
    context = pipeline.context(load_settings(), now=lambda: dt.datetime(2026, 11, 9, 4))
    with board.opened_board(context.settings) as engine:
        stored, place = publish_edition(context, engine, small_evidence(PART), {"x_rows": PART})
        (listed,) = board.list_reviews(engine)
    assert places.place_of(listed.document_path).read_bytes() == place.read_bytes()
    assert [finding.state for finding in verify_review(context, stored.review_id)] == ["proven"] * 4 + [
        "renders the same"
    ]
    ada = Erased(context.settings, frozenset(), frozenset({"desk:4711"}))
    assert erase_theirs(context, ada, "e1", is_trial=False) == 1
    assert not any(b"desk:4711" in content for content in kept(root).values())
    states = {finding.what: finding.state for finding in verify_review(context, stored.review_id)}
    assert states["part x_rows"] == "erased" and states["document brief.html"] == "proven"
    system, base = fsspec.core.url_to_fs(root)
    system.pipe_file(f"{base}/{WEEK}/brief.html", b"changed")
    said = CliRunner().invoke(app, ["review", "verify", stored.review_id, "--json"])
    assert said.exit_code == 1
    assert {row["what"]: row["state"] for row in json.loads(said.output)}["document brief.html"] == "differs"


@pytest.mark.parametrize("url", ["s3://key:hunter2@bucket/kept", "abfs://box/kept?sas=hunter2", "s3://:hunter2@bucket"])
def test_a_url_with_a_secret_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match="HANSEI_ARCHIVE") as refused:
        load_settings({"HANSEI_ARCHIVE": url})
    assert "hunter2" not in str(refused.value)


def test_a_container_of_an_account_is_no_secret() -> None:
    url = "abfs://box@desk.dfs.core.windows.net/kept"
    assert load_settings({"HANSEI_ARCHIVE": url}).archive == url


def test_a_scheme_that_nobody_knows_is_told() -> None:
    with pytest.raises(SettingsError, match=r"HANSEI_ARCHIVE: scheme 'nowhere' is not known: use a path"):
        places.place_of("nowhere://bucket/kept")


@pytest.mark.skipif(importlib.util.find_spec("s3fs") is not None, reason="the driver is installed here")
def test_a_missing_driver_is_named_with_its_extra() -> None:
    with pytest.raises(SettingsError, match=r"no driver for s3:// .*\.\[s3\]"):
        places.place_of("s3://bucket/kept")
