"""What the brief says of comments: sentences by rule, in both languages, and what stands where quotes are gone."""

from __future__ import annotations

import datetime as dt
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from hansei.reviews.comments import Comments
from hansei.reviews.evidence import Evidence
from hansei.reviews.locales import locale
from hansei.reviews.voices import Voiced, view_voices

GOLDEN = Path(__file__).parents[1] / "golden"


def module(name: str):
    spec = importlib.util.spec_from_file_location(name, GOLDEN / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


CASES = module("brief_cases")


def told(language: str = "en", parts: dict | None = None, **changed: Any) -> Voiced:
    evidence: Evidence = CASES.evidence("breaching")
    read = Comments.model_validate(evidence.comments[0].model_dump() | changed)
    evidence = evidence.model_copy(update={"comments": (read,)})
    (found,) = view_voices(evidence, CASES.parts() if parts is None else parts, locale(language))
    return found


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_a_topic_that_rose_is_told_with_both_counts() -> None:
    assert [plain(sentence) for sentence in told().sentences] == [
        "18 of 46 comments came with a bad rating.",
        "Before, it was 60 of 402.",
        "More of them than before name “Bot and automatic answers”: 11 of 18 (61 %), before 3 of 60 (5 %).",
        "Fewer of them name “Not solved”: 0 of 18 (0 %), before 21 of 60 (35 %).",
        "2 name none of the known topics.",
        "Of those, 2 speak of slot, cancelled and truck (before: 7).",
    ]


def test_it_is_told_in_chinese() -> None:
    found = told("zh_CN")
    assert found.sentences[0] == "共46条意见，其中18条附有差评。"
    assert found.sentences[4:] == ("有2条不涉及任何已知话题。", "其中2条谈到slot、cancelled、truck（此前7条）。")
    assert (found.rows[0].now, found.rows[0].before) == ("18条中11条（61%）", "60条中3条（5%）")
    assert found.quotes[0].note == "评分1（量表1至5），2026年11月5日"


def quiet_topics() -> list[dict[str, Any]]:
    topics = [topic.model_dump() for topic in CASES.evidence("breaching").comments[0].topics]
    return [topic | {"lower_bound": -0.1, "upper_bound": 0.1} for topic in topics]


def test_where_nothing_rose_the_most_named_are_told() -> None:
    found = told(topics=quiet_topics(), untold_now=1, unnamed=())
    assert [plain(sentence) for sentence in found.sentences[2:]] == [
        "Most often they name “Bot and automatic answers” (11 comments) and “Waiting” (4 comments); "
        "no topic is named more often than before by more than chance does.",
        "1 names none of the known topics.",
    ]


def test_where_nobody_was_dissatisfied_before_nothing_is_compared() -> None:
    alone = [topic | {"count_before": 0, "lower_bound": None, "upper_bound": None} for topic in quiet_topics()]
    found = told(topics=alone, against_before=0, read_before=0, untold_now=0, unnamed=())
    assert len(found.sentences) == 2 and "chance" not in found.sentences[1]
    assert {(row.before, row.changed) for row in found.rows} == {("–", "–")}


def test_only_topics_of_now_stand_in_the_table() -> None:
    assert [row.title for row in told().rows] == ["Bot and automatic answers", "Waiting", "Reaching a person"]
    assert [row.is_more for row in told().rows] == [True, False, False]
    assert told().rows[0].changed == "+24 to +79"


@pytest.mark.parametrize(("erased", "note"), [(True, "The quotes were erased on"), (False, "kept apart")])
def test_quotes_that_are_gone_are_said_to_be(erased: bool, note: str) -> None:
    part = CASES.voice_cases.quotes().erased(dt.date(2026, 12, 1))
    found = told(parts={part.part_id: part} if erased else {})
    assert found.quotes == () and note in found.quotes_note
