"""The words by hand: their precedence, targets on the value and on a limit, and a sentence for every one."""

from __future__ import annotations

import numpy as np
import pytest

from hansei.signals import verdicts as rules


def word(value=0.8, target=0.75, direction=1, is_ready=True, variation=rules.COMMON, assured=rules.HIT_AND_MISS) -> str:
    cell = [np.array([[item]]) for item in (float(value), float(target))]
    said = rules.verdicts(
        *cell,
        np.array([direction]),
        np.array([[is_ready]]),
        np.array([[variation]], dtype="int8"),
        np.array([[assured]], dtype="int8"),
    )
    return rules.WORDS[said.words[0, 0]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "steady, meeting target"),
        ({"value": 0.75}, "steady, meeting target"),
        ({"value": 0.74}, "steady, missing target"),
        ({"value": 0.74, "direction": -1}, "steady, meeting target"),
        ({"target": np.nan}, "steady, no target"),
        ({"variation": rules.CONCERN}, "worse"),
        ({"variation": rules.IMPROVEMENT, "value": 0.1}, "better"),
        ({"variation": rules.UP, "direction": 0}, "higher than usual"),
        ({"variation": rules.DOWN, "direction": 0}, "lower than usual"),
        ({"direction": 0}, "steady, no target"),
        ({"variation": rules.UNKNOWN}, "too few data"),
        ({"value": np.nan, "variation": rules.CONCERN}, "too few data"),
        ({"is_ready": False, "variation": rules.CONCERN}, "data not ready"),
        ({"is_ready": False, "value": np.nan}, "data not ready"),
    ],
)
def test_precedence(given, expected):
    assert word(**given) == expected


@pytest.mark.parametrize(
    ("target", "direction", "expected"),
    [
        (3.1, 1, "will miss"),
        (0.9, 1, "will meet"),
        (3.1, -1, "will meet"),
        (0.9, -1, "will miss"),
        (3.0, 1, "hit and miss"),
        (1.0, -1, "hit and miss"),
        (2.0, 1, "hit and miss"),
        (2.0, 0, "none"),
    ],
)
def test_assurance_asks_whether_the_whole_range_lies_on_one_side(target, direction, expected):
    limits = np.array([[1.0]]), np.array([[3.0]])
    code = rules.assurance(np.array([[target]]), *limits, np.array([direction]))[0, 0]
    assert rules.ASSURANCES[code] == expected


def test_every_word_has_a_sentence_without_a_gap():
    changed = {
        rules.WORSE: rules.CONCERN,
        rules.BETTER: rules.IMPROVEMENT,
        rules.HIGHER: rules.UP,
        rules.LOWER: rules.DOWN,
    }
    for place in range(len(rules.WORDS)):
        for rule in ("outside", "trend", "two_of_three", "shift") if place in changed else ("",):
            for assured in range(len(rules.ASSURANCES)):
                for state in ("ok", "insufficient", "no_data", "immature"):
                    told = rules.sentence(place, changed.get(place, rules.COMMON), rule, assured, False, state, "week")
                    assert told.endswith(".")
                    assert "{" not in told
    assert "worse than the one before" in rules.sentence(rules.WORSE, rules.CONCERN, "trend", 0, False, "ok", "week")
