"""The audit reads documents too: definitions in force, evidence, and the parts of archived reviews."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa

from hansei import board
from hansei.board.tables import review_parts, reviews
from hansei.catalog import Catalog
from hansei.pipeline.auditing import audit
from hansei.pipeline.context import Context
from hansei.reviews.archive import EVIDENCE
from hansei.settings import Settings
from hansei.warehouse import open_warehouse

NOW = datetime(2026, 3, 10)
HARMLESS = {"headline": ["Replies are late", {"figures": [4912345678, "+4.2 %"], "run": "night-2026-03-09"}]}
REVIEW = {
    "definition_id": "weekly", "about": "all", "period_start": date(2026, 3, 2),
    "period_end": date(2026, 3, 8), "title": "Week 10", "audience": "managers", "language": "en",
    "as_of": NOW, "built_at": NOW, "evidence_hash": "0" * 64, "definitions_hash": "d", "state": "built",
}  # fmt: skip
PART = {"part_id": "p", "kind": "quotes", "salted_hash": "0" * 64, "salt": "s"}


def keep(settings: Settings, definitions: dict, evidence: dict, part: dict) -> None:
    with open_warehouse(settings) as warehouse:
        text = {"definitions_hash": "d", "run_id": "night", "as_of": NOW, "definitions": json.dumps(definitions)}
        warehouse.execute("DELETE FROM ops.definitions_in_force")
        warehouse.insert("ops.definitions_in_force", [text])
    with board.opened_board(settings) as engine, engine.begin() as connection:
        revision = connection.scalar(sa.select(sa.func.count()).select_from(reviews)) + 1
        own = {"review_id": f"r{revision}", "revision": revision, "evidence": json.dumps(evidence)}
        connection.execute(sa.insert(reviews).values(**REVIEW, **own))
        connection.execute(sa.insert(review_parts).values(**PART, review_id=f"r{revision}", content=json.dumps(part)))
    edition = Path(settings.archive) / "reviews" / "weekly" / "2026-03-02"
    (edition / "parts").mkdir(parents=True, exist_ok=True)
    (edition / EVIDENCE).write_text(json.dumps(evidence))
    (edition / "parts" / "quotes_1.json").write_text(json.dumps(part))


def found(settings: Settings, catalog: Catalog) -> dict[tuple[str, str], tuple[int, str]]:
    slips = audit(Context(settings, catalog, lambda name: None, lambda: NOW)).slips
    return {(slip.place, slip.kind): (slip.text_count, slip.shape) for slip in slips}


def test_texts_in_documents_are_looked_at_one_by_one(settings: Settings, catalog: Catalog) -> None:
    owned = {"tickets": {"owner": "desk@example.com", "approver": "ann@example.com", "title": "Tickets"}}
    keep(settings, owned, HARMLESS, {"quotes": ["It works again"]})
    assert found(settings, catalog) == {}, "who answers for a definition stands there on purpose"

    definitions = {"tickets": {"owner": "desk@example.com", "reason": "bo@example.com asked for it"}}
    evidence = {**HARMLESS, "causes": [{"examples": [{"subject": "call +49 40 1234567"}, {"subject": "fine"}]}]}
    keep(settings, definitions, evidence, {"quotes": [{"text": "Dear Ms Ford, thank you"}, {"text": "a@b.example"}]})
    expected = {
        ("ops.definitions_in_force.definitions", "e-mail"): (1, "aa@aaaaaaa.aaa"),
        ("board.reviews.evidence", "phone"): (1, "+99 99 9999999"),
        ("archive.evidence", "phone"): (1, "+99 99 9999999"),
    }
    for place in ("board.review_parts.content", "archive.parts.quotes_1"):
        expected |= {(place, "name"): (1, "aaaa"), (place, "e-mail"): (1, "a@a.aaaaaaa")}
    assert found(settings, catalog) == expected


def test_what_an_erased_part_leaves_is_no_slip(settings: Settings, catalog: Catalog) -> None:
    keep(settings, {}, HARMLESS, {})
    with board.opened_board(settings) as engine, engine.begin() as connection:
        connection.execute(sa.update(review_parts).values(content="erased on 2026-03-09", salt=None, erased_at=NOW))
    assert found(settings, catalog) == {}
