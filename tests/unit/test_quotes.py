"""Which comments may be quoted, and where they are cut."""

from __future__ import annotations

import pytest

from hansei.reviews.quotes import cut, is_quotable


@pytest.mark.parametrize(
    "comment",
    [
        "The bot sent me in circles before a person answered.",
        "EDI messages fail, the API answers 502. I gave up.",
        "Nobody was responsible. It was closed anyway!",
        "等的时间太长了。",
        "API报错，没人解决。",
    ],
)
def test_what_names_nobody_may_be_quoted(comment: str) -> None:
    assert is_quotable(comment, "zh" if "。" in comment else "en")


@pytest.mark.parametrize(
    ("comment", "language"),
    [
        ("Jessica was rude.", "en"),
        ("It took days. Tom never answered.", "en"),
        ("I waited for Jessica all day.", "en"),
        ("The agent, Mr Miller, was rude.", "en"),
        ("Jessica and Tom are slow.", "en"),
        ("Call me at [phone].", "en"),
        ("Regards, [name]", "en"),
        ("客服小王态度很差。", "zh"),
        ("李经理不回复。", "zh"),
        ("Es dauert zu lange.", "other"),
    ],
)
def test_what_may_name_somebody_is_passed_over(comment: str, language: str) -> None:
    assert not is_quotable(comment, language)


@pytest.mark.parametrize(
    ("comment", "shown"),
    [
        ("short enough", "short enough"),
        ("two\n  lines", "two lines"),
        ("one two three", "one two three"),
        ("one two threes", "one two…"),
        ("one two, threes", "one two…"),
        ("supercalifragilistic", "supercalifra…"),
        ("机器人听不懂，一直问同样的问题", "机器人听不懂…"),
        ("机器人一直问同样的问题和别的事情", "机器人一直问同样的问题和…"),
    ],
)
def test_a_long_comment_is_cut_where_a_word_ends(comment: str, shown: str) -> None:
    assert cut(comment, longest=13) == shown
