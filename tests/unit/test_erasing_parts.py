"""Quotes of archived reviews go with their person or their time; every figure and hash of the review stays."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest
from support.small_evidence import MONDAY, small_evidence

from hansei import board, pipeline
from hansei.pipeline.erasing_parts import erase_theirs, expire_quotes
from hansei.pipeline.reviewing import publish_edition
from hansei.reviews.archive import read_edition
from hansei.reviews.comments import QUOTE_COLUMNS, Comments
from hansei.reviews.evidence import Evidence, Part
from hansei.settings import load_settings
from hansei.sources.erasure import Erased, tokens_for

WRITTEN = dt.datetime(2026, 11, 9, 4)


def quote(customer: str, day: str, text: str) -> tuple[str, ...]:
    return (text, day, "1", "1", "5", f"f:{customer}", f"desk:{customer}", f"desk:c-{customer}", "")


QUOTES = Part(
    part_id="quotes_1",
    kind="quotes",
    salt="s" * 32,
    columns=QUOTE_COLUMNS,
    rows=(quote("ada", "2026-11-05", "The bot is slow."), quote("bob", "2026-11-04", "We waited.")),
)
ROWS = Part(part_id="x_rows", salt="t" * 32, columns=("ticket_id",), rows=(("desk:4711",),))
PARTS = {part.part_id: part for part in (QUOTES, ROWS)}


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pipeline.Context:
    monkeypatch.setenv("HANSEI_HOME", str(tmp_path))
    monkeypatch.setenv("HANSEI_QUARANTINE_KEY", "cXVhcmFudGluZS1rZXktb2YtdGhlLXRlc3RzLTMyYnk=")
    return pipeline.context(load_settings(), now=lambda: WRITTEN)


def evidence() -> Evidence:
    spans = {"before_start": dt.date(2026, 5, 4), "before_end": dt.date(2026, 11, 1), "now_end": dt.date(2026, 11, 8)}
    counts = {"read_before": 9, "read_now": 3, "against_before": 4, "against_now": 2, "untold_now": 2}
    comments = Comments(
        indicator_ids=("x",),
        segment_id="all",
        segment_label="",
        now_start=MONDAY,
        quotes_part="quotes_1",
        **spans,
        **counts,
    )
    return small_evidence(*PARTS.values(), series=False, comments=[comments])


@pytest.fixture
def page(context: pipeline.Context) -> Path:
    with board.opened_board(context.settings) as engine:
        _, path = publish_edition(context, engine, evidence(), PARTS)
    assert "The bot is slow." in path.read_text("utf-8")
    return path


def left(context: pipeline.Context) -> tuple[set[str], set[str]]:
    """Ids of the parts that still hold something, in the archive and in the board store."""
    _, parts = read_edition(context.settings.archive, "weekly_brief", MONDAY)
    with board.opened_board(context.settings) as engine:
        (review,) = board.list_reviews(engine)
        stored = board.load_parts(engine, review.review_id)
    return ({key for key, part in parts.items() if part.rows}, {key for key, part in stored.items() if part.salt})


def test_quotes_go_with_one_of_their_authors(context: pipeline.Context, page: Path) -> None:
    ada = Erased(context.settings, tokens_for(context.settings, {"desk:c-ada"}))
    assert erase_theirs(context, ada, "e1", is_trial=True) == 1
    assert left(context) == ({"quotes_1", "x_rows"}, {"quotes_1", "x_rows"})
    assert erase_theirs(context, ada, "e1", is_trial=False) == 1
    assert left(context) == ({"x_rows"}, {"x_rows"})
    shown = page.read_text("utf-8")
    assert "The bot is slow." not in shown and "We waited." not in shown
    assert "The quotes were erased on" in shown and "2 of 3 comments came with a bad rating." in shown
    assert erase_theirs(context, ada, "e1", is_trial=False) == 0


def test_quotes_go_when_the_time_of_their_texts_is_over(context: pipeline.Context, page: Path) -> None:
    """Two years of 365 days after the older of the two, 4 November 2026."""
    assert expire_quotes(context, dt.datetime(2028, 11, 3, 12), is_trial=False) == 0
    assert left(context) == ({"quotes_1", "x_rows"}, {"quotes_1", "x_rows"})
    assert expire_quotes(context, dt.datetime(2028, 11, 4, 12), is_trial=True) == 1
    assert expire_quotes(context, dt.datetime(2028, 11, 4, 12), is_trial=False) == 1
    assert left(context) == ({"x_rows"}, {"x_rows"})
    assert "We waited." not in page.read_text("utf-8")
    assert expire_quotes(context, dt.datetime(2028, 11, 4, 12), is_trial=False) == 0


def test_parts_of_an_edition_that_an_older_release_wrote_are_erased_too(context: pipeline.Context, page: Path) -> None:
    """Its evidence lacks fields that came since; its text and hash stay as they were."""
    file, manifest = page.with_name("evidence.json"), page.with_name("manifest.json")
    older = {key: value for key, value in json.loads(file.read_text("utf-8")).items() if key != "outlooks"}
    text = json.dumps(older, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    file.write_text(text, "utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    manifest.write_text(json.dumps(json.loads(manifest.read_text("utf-8")) | {"evidence_sha256": digest}), "utf-8")
    ada = Erased(context.settings, tokens_for(context.settings, {"desk:c-ada"}))
    assert erase_theirs(context, ada, "e1", is_trial=False) == 1
    assert file.read_text("utf-8") == text and "The bot is slow." not in page.read_text("utf-8")
