"""Topics as definitions: what a phrase finds, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from hansei.catalog.documents import Fault
from hansei.catalog.loader import examine, load_catalog
from hansei.catalog.topics import Topic
from hansei.settings import load_settings


def topic(en: str = "nothing", zh: str = "无") -> Topic:
    return Topic(id="t", title={"en": "T"}, precedence=1, words={"en": [en], "zh": [zh]})


@pytest.mark.parametrize(
    ("phrase", "text", "is_found"),
    [
        ("bot", "the bot.", True),
        ("bot", "chat-bot", True),
        ("bot", "both", False),
        ("bot", "robot", False),
        ("wait*", "we waited", True),
        ("wait*", "await", False),
        ("too long", "too  long", True),
        ("too long", "too-long", True),
        ("too long", "too. long", False),
        ("not ... help", "did not help", True),
        ("not ... help", "did not really help me", True),
        ("not ... help", "it did not. they help", False),
        ("not ... help", "not helping", False),
        ("not ... help*", "not helping", True),
        ("not ... help", "not " + "x" * 60 + " help", False),
        ("didn't", "i didn't", True),
    ],
)
def test_english_phrases_are_whole_words_within_a_sentence(phrase: str, text: str, is_found: bool) -> None:
    assert bool(re.search(topic(en=phrase).pattern, text)) is is_found


@pytest.mark.parametrize(
    ("phrase", "text", "is_found"),
    [
        ("机器人", "聊天机器人听不懂", True),
        ("没有...解决", "还没有完全解决。", True),
        ("没有...解决", "没有。解决", False),
    ],
)
def test_chinese_phrases_are_found_as_they_stand(phrase: str, text: str, is_found: bool) -> None:
    assert bool(re.search(topic(zh=phrase).pattern, text)) is is_found


@pytest.mark.parametrize(
    ("en", "zh"),
    [("(bot", "无"), ("Bot", "无"), ("bot|x", "无"), ("* bot", "无"), ("bot", "bot"), ("bot", "无.*"), ("", "无")],
)
def test_what_is_no_phrase_is_refused(en: str, zh: str) -> None:
    with pytest.raises(ValidationError):
        topic(en, zh)


def test_two_topics_of_one_precedence_are_a_fault(tmp_path: Path) -> None:
    (tmp_path / "topics").mkdir()
    words = "words: {en: [slot], zh: [时段]}\n"
    (tmp_path / "topics" / "slots.yaml").write_text(f"id: slots\ntitle: {{en: Slots}}\nprecedence: 10\n{words}")
    _, faults = examine(load_settings({"HANSEI_DEFINITIONS": str(tmp_path)}), is_thorough=False)
    file = tmp_path / "topics" / "slots.yaml"
    assert faults == [Fault(file, 3, "precedence", "10 is also that of bot", "give each topic its own")]


def test_every_shipped_topic_speaks_both_languages() -> None:
    topics = load_catalog(load_settings({})).topics
    assert {"bot", "waiting", "praise"} <= topics.keys()
    assert all(set(topic.title) == {"en", "zh_CN"} for topic in topics.values())
