"""Two questions, one word: has it changed, and does it meet its target? (DESIGN: the six words, in their precedence.)

`data not ready` · `too few data` · `worse` · `better` · `steady, missing target` · `steady, meeting target`

Two cases have no place among the six and say so in words of their own: without a target a steady process reads
`steady, no target`; an indicator without a good side that moved reads `higher than usual` or `lower than usual`.
Variation comes from a control chart; assurance asks whether the usual range lies wholly on one side of the target.
Of a process that hits and misses, the period's own value decides the word: equal to the target is meeting it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

WORDS = (
    "data not ready",
    "too few data",
    "worse",
    "better",
    "higher than usual",
    "lower than usual",
    "steady, missing target",
    "steady, meeting target",
    "steady, no target",
)
NOT_READY, TOO_FEW, WORSE, BETTER, HIGHER, LOWER, MISSING, MEETING, NO_TARGET = range(len(WORDS))
VARIATIONS = ("not judged", "worse", "better", "higher", "lower", "common cause")
UNKNOWN, CONCERN, IMPROVEMENT, UP, DOWN, COMMON = range(len(VARIATIONS))
ASSURANCES = ("none", "will meet", "will miss", "hit and miss")
NONE, WILL_MEET, WILL_MISS, HIT_AND_MISS = range(len(ASSURANCES))


@dataclass(frozen=True)
class Verdicts:
    """int8 codes of shape (series, periods): places in WORDS and ASSURANCES."""

    words: np.ndarray
    assurances: np.ndarray


def variations(sides: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Codes of VARIATIONS: the side to which a chart points, 1, -1 or 0, read with the indicator's direction."""
    good = sides * directions[:, None]
    found = np.full(sides.shape, COMMON, dtype="int8")
    found[good < 0], found[good > 0] = CONCERN, IMPROVEMENT
    is_neutral = np.broadcast_to(directions[:, None] == 0, found.shape)
    found[is_neutral & (sides > 0)], found[is_neutral & (sides < 0)] = UP, DOWN
    return found


def assurance(targets: np.ndarray, lower: np.ndarray, upper: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Codes of ASSURANCES. A target on a limit is inside the range (METHODS 2.2); NaN anywhere, or neutral: none."""
    good_side = directions[:, None]
    above, below = targets > upper, targets < lower
    found = np.full(targets.shape, HIT_AND_MISS, dtype="int8")
    found[(above & (good_side > 0)) | (below & (good_side < 0))] = WILL_MISS
    found[(below & (good_side > 0)) | (above & (good_side < 0))] = WILL_MEET
    found[np.isnan(targets) | np.isnan(lower) | np.isnan(upper) | (good_side == 0)] = NONE
    return found


def verdicts(
    values: np.ndarray,
    targets: np.ndarray,
    directions: np.ndarray,
    is_ready: np.ndarray,
    variations: np.ndarray,
    assurances: np.ndarray,
) -> Verdicts:
    """The word of every series and period; `values` NaN where there is no usable one, `targets` NaN where none is set.

    A period whose chart has too few points to say what is usual is `too few data` as well.
    """
    words = np.full(values.shape, NO_TARGET, dtype="int8")
    has_target = ~np.isnan(targets) & (directions[:, None] != 0)
    misses = np.where(directions[:, None] > 0, values < targets, values > targets)
    words[has_target & misses] = MISSING
    words[has_target & ~misses] = MEETING
    for variation, word in ((DOWN, LOWER), (UP, HIGHER), (IMPROVEMENT, BETTER), (CONCERN, WORSE)):
        words[variations == variation] = word
    words[np.isnan(values) | (variations == UNKNOWN)] = TOO_FEW
    words[~is_ready] = NOT_READY
    return Verdicts(words, assurances)


_PATTERNS = {
    "outside": "this {period} lies outside the range that is usual",
    "trend": "each of the last six {period}s was {side} than the one before",
    "two_of_three": "two of the last three {period}s lie near the edge of the usual range",
    "shift": "the last seven {period}s all lie on the {side} side of the usual level",
    "beyond_three_sigma": "this {period} lies outside the range that is usual",
    "two_of_three_beyond_two_sigma": "two of the last three {period}s lie near the edge of what is usual, or beyond it",
    "four_of_five_beyond_one_sigma": "four of the last five {period}s lie well off the usual level, on the {side} side",
    "eight_on_one_side": "the last eight {period}s all lie on the {side} side of the usual level",
    "nine_on_one_side": "the last nine {period}s all lie on the {side} side of the usual level",
    "six_rising_or_falling": "each of the last five {period}s was {side} than the one before",
    "fourteen_alternating": "the last fourteen {period}s went up and down in turn",
    "fifteen_within_one_sigma": "the last fifteen {period}s lie unusually close to the usual level",
    "eight_beyond_one_sigma_on_both_sides": "none of the last eight {period}s lies near the usual level",
    "unusual_runs": "the {period}s stay on one side of the usual level for unusually long, now on the {side} one",
}
# Documents tell these in other languages, from the message catalogues, by the same keys.
REASONS = {
    "immature": "Rows of this {period} can still change it: what it waits for has not happened yet.",
    "incomplete": "A source has not delivered all of this {period} yet.",
    "insufficient": "There are too few cases in this {period}.",
    "no_data": "There are no cases in this {period}.",
    "too_short": "There are not yet enough {period}s to know what is usual.",
    "flat": "Most periods have the same value, so a chart of ranges cannot tell what is unusual.",
    "no_target": "It varies as usual; no target is set.",
    "will_miss": "The usual range lies wholly beyond the target: without a change it will go on missing it.",
    "may_miss": "It varies as usual, and the target lies within that range: some {period}s meet it, not this one.",
    "misses": "It varies as usual; this {period} misses the target.",
    "will_meet": "It varies as usual, and all of that range meets the target.",
    "may_meet": "It varies as usual, and the target lies within that range: this {period} meets it, others may not.",
    "meets": "It varies as usual; this {period} meets the target.",
}
_MISSES = {WILL_MISS: "will_miss", HIT_AND_MISS: "may_miss"}
_MEETS = {WILL_MEET: "will_meet", HIT_AND_MISS: "may_meet"}
_SIDES = {CONCERN: "worse", IMPROVEMENT: "better", UP: "higher", DOWN: "lower"}
_MOVED = {WORSE: CONCERN, BETTER: IMPROVEMENT, HIGHER: UP, LOWER: DOWN}


def sentence(word: int, variation: int, rule: str, assured: int, is_flat: bool, state: str, period: str) -> str:
    """Why the word was said, in one sentence for a manager.

    `rule`: which pattern of the chart was seen. `is_flat`: the chart could not judge, because most periods have one
    value. `state`: of the value, as stored. `period`: what the grain is called.
    """
    if word in _MOVED:
        return _moved(word, _SIDES[variation], rule, period)
    return REASONS[_reason(word, assured, is_flat, state)].format(period=period)


def _moved(word: int, side: str, rule: str, period: str) -> str:
    return f"{WORDS[word].capitalize()}: {_PATTERNS[rule].format(period=period, side=side)}."


def _reason(word: int, assured: int, is_flat: bool, state: str) -> str:
    """A key of REASONS."""
    if word == NOT_READY:
        return "immature" if state == "immature" else "incomplete"
    if word == TOO_FEW:
        if state == "ok":
            return "flat" if is_flat else "too_short"
        return "insufficient" if state == "insufficient" else "no_data"
    if word == NO_TARGET:
        return "flat" if is_flat else "no_target"
    return _MISSES.get(assured, "misses") if word == MISSING else _MEETS.get(assured, "meets")


@cache
def recognised(period: str) -> Mapping[str, str]:
    """Every sentence of that grain -> `reasons.<key of REASONS>` or `patterns.<rule>`."""
    found = {text.format(period=period): f"reasons.{key}" for key, text in REASONS.items()}
    for word, variation in _MOVED.items():
        for rule in _PATTERNS:
            found.setdefault(_moved(word, _SIDES[variation], rule, period), f"patterns.{rule}")
    return found
