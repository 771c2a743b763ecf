"""Terms that come up together: planted themes are found, noise is not, and the order of the texts does not matter."""

from __future__ import annotations

import random

import pytest

from hansei.methods.emerging import LEAST_TEXTS, Theme, members, themes

SLOTS, LISTS = ("truck", "slot", "cancelled"), ("gate", "list", "outdated")
WORDS = [f"word{number}" for number in range(300)]


def planted(each: int, seed: int = 7) -> list[list[str]]:
    """So many texts about slots, half as many about lists, each with four words of its own."""
    rng = random.Random(seed)
    about = [SLOTS] * each + [LISTS] * (each // 2)
    return [[*theme, *rng.sample(WORDS, 4)] for theme in about]


def test_planted_themes_are_named_by_their_terms_and_counted() -> None:
    found = themes(planted(40))
    assert [(set(theme.terms), theme.count) for theme in found] == [(set(SLOTS), 40), (set(LISTS), 20)]


def test_the_order_of_texts_and_of_their_terms_makes_no_difference() -> None:
    texts = planted(60)
    expected = themes(texts)
    assert len(expected) >= 2
    for seed in range(5):
        rng = random.Random(seed)
        shuffled = [rng.sample(text, len(text)) for text in rng.sample(texts, len(texts))]
        assert themes(shuffled) == expected


@pytest.mark.parametrize("seed", range(5))
def test_texts_without_a_theme_have_none(seed: int) -> None:
    rng = random.Random(seed)
    assert themes([rng.sample(WORDS[:60], 5) for _ in range(200)]) == []


def test_too_few_texts_have_none() -> None:
    texts = planted(40)
    assert themes(texts[: LEAST_TEXTS - 1]) == []
    assert themes([]) == []


def test_texts_of_one_kind_only_do_not_fail() -> None:
    assert themes([["slow"]] * 80) == []
    assert themes([[]] * 80) == []
    assert themes([["a", "b", "c"]] * 40 + [["x", "y", "z"]] * 40) == [
        Theme(("a", "b", "c"), 40),
        Theme(("x", "y", "z"), 40),
    ]


def test_two_of_the_terms_make_a_member() -> None:
    texts = [["slot", "gate"], ["slot", "truck"], ["truck", "slot", "cancelled"], []]
    assert members(texts, SLOTS) == [1, 2]
