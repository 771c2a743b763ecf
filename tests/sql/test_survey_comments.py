"""Comments as the read copy has them: they come with their answer, and go when their time is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sql.staging_rows import publish, version

from hansei.catalog import Catalog
from hansei.catalog.topics import Topic
from hansei.pipeline.context import Context
from hansei.pipeline.retaining import expire_texts
from hansei.settings import Settings
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

NOW = datetime(2026, 9, 15)
STARS = {"survey_id": "desk:stars", "name": "stars", "kind": "csat", "scale_minimum": 1, "scale_maximum": 5}


def answer(key: str, score: int, comment: str | None, at: datetime = NOW, number: int = 1) -> dict[str, Any]:
    scale = {"survey_id": "desk:stars", "survey_kind": "csat", "scale_minimum": 1, "scale_maximum": 5}
    named = {"response_id": f"desk:{key}", "score": score, "comment": comment, "responded_at": at}
    return {**named, **scale, "source_version": version(number)}


def night(warehouse: Warehouse, catalog: Catalog, run_id: str, answers: list[dict]) -> None:
    publish(warehouse, catalog.entities["surveys"], [STARS | {"is_higher_better": True}], run_id=run_id)
    publish(warehouse, catalog.entities["survey_responses"], answers, run_id=run_id)
    plant(warehouse, catalog, run_id)
    refresh_models(warehouse, catalog, "core", run_id)


def told(warehouse: Warehouse) -> dict[str, tuple]:
    rows = warehouse.rows("SELECT response_id, stance, comment FROM core.survey_comments")
    return {row["response_id"].removeprefix("desk:"): (row["stance"], row["comment"]) for row in rows}


def test_a_comment_follows_its_answer(warehouse: Warehouse, catalog: Catalog) -> None:
    night(warehouse, catalog, "1", [answer("a", 1, "Slow"), answer("b", 5, None), answer("c", 5, "Fine")])
    assert told(warehouse) == {"a": ("against", "Slow"), "c": ("for", "Fine")}
    later = [answer("a", 5, "Slow", number=2), answer("b", 5, "Friendly", number=2), answer("c", 5, None, number=2)]
    night(warehouse, catalog, "2", later)
    assert told(warehouse) == {"a": ("for", "Slow"), "b": ("for", "Friendly")}


def test_a_comment_past_its_time_leaves_and_the_answer_stays(
    settings: Settings, warehouse: Warehouse, catalog: Catalog
) -> None:
    context = Context(settings, catalog, lambda name: None, lambda: NOW)
    old = answer("old", 1, "Slow", datetime(2024, 9, 14))
    night(warehouse, catalog, "1", [old, answer("young", 1, "Slow too", datetime(2024, 9, 16))])
    assert expire_texts(context, warehouse, NOW, "2") == 1
    refresh_models(warehouse, catalog, "core", "2")
    assert told(warehouse) == {"young": ("against", "Slow too")}
    answers = warehouse.rows("SELECT response_id, has_comment, is_bad FROM core.survey_responses ORDER BY response_id")
    assert [tuple(row.values()) for row in answers] == [("desk:old", True, True), ("desk:young", True, True)]
    assert expire_texts(context, warehouse, NOW, "3") == 0


def labelled(repository: Path) -> list[tuple[str, set[str], str]]:
    """(stance, topics, text) of the comments that somebody has read."""
    lines = (repository / "tests/data/topic_comments.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(stance, set(topics.split(",")) - {"-"}, text) for stance, topics, text in rows]


def test_topics_are_those_that_a_reader_sees(repository: Path, warehouse: Warehouse, catalog: Catalog) -> None:
    """docs/voices.md tells these figures; wrong and missed ones are shown when they change."""
    scores = {"against": 1, "between": 3, "for": 5}
    read = labelled(repository)
    answers = [answer(f"{number}", scores[stance], text) for number, (stance, _, text) in enumerate(read)]
    night(warehouse, catalog, "1", answers)
    found: dict[int, set[str]] = {}
    for row in warehouse.rows("SELECT response_id, topic_id FROM core.survey_comment_topics"):
        found.setdefault(int(row["response_id"].removeprefix("desk:")), set()).add(row["topic_id"])
    both = [(number, meant, found.get(number, set())) for number, (_, meant, _) in enumerate(read)]
    wrong = {(read[number][2], topic) for number, meant, said in both for topic in said - meant}
    missed = {(read[number][2], topic) for number, meant, said in both for topic in meant - said}
    right = sum(len(meant & said) for _, meant, said in both)
    assert (len(read), right) == (103, 113)
    assert wrong == {("修好没多久又坏了。", "product_fault")}
    assert missed == {("Thank you for nothing.", "not_solved")}


def test_another_taxonomy_is_looked_for_in_every_comment(warehouse: Warehouse, catalog: Catalog) -> None:
    night(
        warehouse,
        catalog,
        "1",
        [answer("a", 1, "The bot is slow"), answer("b", 1, "Late again"), answer("c", 5, "Bot")],
    )
    rows = "SELECT response_id, topic_id, topic_rank FROM core.survey_comment_topics ORDER BY response_id, topic_rank"
    told = [("desk:a", "bot", 1), ("desk:a", "waiting", 2), ("desk:c", "bot", 1)]
    assert [tuple(row.values()) for row in warehouse.rows(rows)] == told
    late = Topic(id="late", title={"en": "Late"}, precedence=1, speaks="against", words={"en": ["late"], "zh": ["晚"]})
    refresh_models(warehouse, replace(catalog, topics={"late": late}), "core", "2")
    assert [tuple(row.values()) for row in warehouse.rows(rows)] == [("desk:b", "late", 1)]
    refresh_models(warehouse, replace(catalog, topics={}), "core", "3")
    assert warehouse.rows(rows) == []
