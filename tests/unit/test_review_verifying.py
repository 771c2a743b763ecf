"""A document is proven against its evidence and parts; what somebody changed, lost or erased is told apart."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.small_evidence import small_evidence
from typer.testing import CliRunner

from hansei import board, pipeline
from hansei.cli import app
from hansei.pipeline.reviewing import publish_edition
from hansei.pipeline.verifying import verify_review
from hansei.reviews.evidence import Part
from hansei.settings import load_settings

PART = Part(part_id="x_rows", salt="s" * 32, columns=("ticket",), rows=(("desk:4711",), ("desk:4712",)))


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pipeline.Context:
    monkeypatch.setenv("HANSEI_HOME", str(tmp_path))
    return pipeline.context(load_settings(), now=lambda: dt.datetime(2026, 11, 9, 4))


@pytest.fixture
def published(context: pipeline.Context) -> tuple[str, Path]:
    evidence = small_evidence(PART)
    with board.opened_board(context.settings) as engine:
        stored, path = publish_edition(context, engine, evidence, {"x_rows": PART})
    return stored.review_id, path


def states(context: pipeline.Context, review_id: str) -> dict[str, str]:
    return {finding.what: finding.state for finding in verify_review(context, review_id)}


PROVEN = {
    "evidence in the board store": "proven",
    "part x_rows": "proven",
    "evidence in the archive": "proven",
    "document brief.html": "proven",
    "brief.html made again": "renders the same",
}


def test_what_was_published_is_proven(context: pipeline.Context, published: tuple[str, Path]) -> None:
    assert states(context, published[0]) == PROVEN
    said = CliRunner().invoke(app, ["review", "verify", published[0], "--json"])
    assert said.exit_code == 0
    assert [row["state"] for row in json.loads(said.output)] == ["proven"] * 4 + ["renders the same"]


def test_a_changed_page_is_noticed(context: pipeline.Context, published: tuple[str, Path]) -> None:
    page = published[1].read_text("utf-8")
    published[1].write_text(page.replace(">12<", ">21<"), "utf-8")
    assert page != published[1].read_text("utf-8")
    assert states(context, published[0]) == PROVEN | {"document brief.html": "differs"}
    assert CliRunner().invoke(app, ["review", "verify", published[0]]).exit_code == 1


def test_a_lost_page_and_changed_evidence_are_noticed(context: pipeline.Context, published: tuple[str, Path]) -> None:
    archived = published[1].with_name("evidence.json")
    archived.write_text(archived.read_text("utf-8").replace('"value":12.0', '"value":13.0'), "utf-8")
    published[1].unlink()
    assert states(context, published[0]) == PROVEN | {
        "evidence in the archive": "differs",
        "document brief.html": "missing",
        "brief.html made again": "not rendered",
    }


def test_a_part_that_was_changed_in_the_board_store_is_noticed(
    context: pipeline.Context, published: tuple[str, Path]
) -> None:
    with board.opened_board(context.settings) as engine, engine.begin() as connection:
        told = PART.model_copy(update={"rows": (("desk:1",), ("desk:2",))}).model_dump_json()
        connection.execute(sa.text("UPDATE review_parts SET content = :told"), {"told": told})
    assert states(context, published[0]) == PROVEN | {"part x_rows": "differs"}


def test_an_erased_part_is_told_and_the_document_can_be_made_without_it(
    context: pipeline.Context, published: tuple[str, Path], tmp_path: Path
) -> None:
    before = tmp_path / "before.html"
    made = CliRunner().invoke(app, ["review", "render", published[0], "--to", str(before)])
    assert made.exit_code == 0 and before.read_bytes() == published[1].read_bytes()
    with board.opened_board(context.settings) as engine:
        board.erase_part(engine, published[0], "x_rows", "vera", "asked to", dt.datetime(2026, 11, 20))
    assert states(context, published[0]) == PROVEN | {"part x_rows": "erased"}
    after = tmp_path / "after.html"
    assert CliRunner().invoke(app, ["review", "render", published[0], "--to", str(after)]).exit_code == 0
    page = after.read_text("utf-8")
    assert "erased on 20" in page and "desk:4711" not in page and "desk:4711" in before.read_text("utf-8")


def test_a_version_that_renders_otherwise_is_told_apart_from_a_change(
    context: pipeline.Context, published: tuple[str, Path]
) -> None:
    """As an older release would have left it: other bytes, and a manifest that names them."""
    page = published[1].read_bytes().replace(b"</body>", b"<!-- older --></body>")
    published[1].write_bytes(page)
    manifest = published[1].with_name("manifest.json")
    told = json.loads(manifest.read_text("utf-8"))
    told["documents"][0]["sha256"] = hashlib.sha256(page).hexdigest()
    manifest.write_text(json.dumps(told), "utf-8")
    assert states(context, published[0]) == PROVEN | {"brief.html made again": "renders differently"}
    said = CliRunner().invoke(app, ["review", "verify", published[0], "--json"])
    assert said.exit_code == 3
    assert json.loads(said.output)[-1]["told"].startswith("Hansei 0.1.0 -> ")
