"""Pairwise judgements as people write them: who finds what how many times as important as what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from hansei.catalog.documents import Definition, Document, Fault, Location
from hansei.catalog.entities import Identifier

if TYPE_CHECKING:
    import numpy as np

    from hansei.methods.weights import Weighing

RandomIndex = Literal["saaty_1980", "saaty_2005", "donegan_dodd"]


class Comparison(Definition):
    """`more` is `by` times as important as `than`: 1 equally, 3 somewhat more, 5 clearly, 7 very clearly, 9 by far."""

    more: Identifier
    than: Identifier
    by: float = Field(ge=1, le=9)


class Judge(Definition):
    """One person's comparison of every pair."""

    judge: str
    comparisons: tuple[Comparison, ...]


class Acceptance(Definition):
    """Why weights are used although the judgements contradict each other, and who decided it."""

    reason: str = Field(min_length=10)
    approver: str


class Judgements(Definition):
    """What weights are made of: judges with equal voices, and the table by which they are held consistent."""

    random_index: RandomIndex = "saaty_1980"
    judges: tuple[Judge, ...] = Field(min_length=1)
    accepted: Acceptance | None = None

    def matrix(self, judge: Judge, things: Sequence[str]) -> np.ndarray:
        """The judge's matrix in the order of the things; every pair has to be there."""
        import numpy as np

        at = {name: position for position, name in enumerate(things)}
        found = np.ones((len(things), len(things)))
        for item in judge.comparisons:
            found[at[item.more], at[item.than]] = item.by
            found[at[item.than], at[item.more]] = 1 / item.by
        return found

    def weighing(self, things: Sequence[str], judge: Judge | None = None) -> Weighing:
        """Weights of the things by all judges together, or by one of them."""
        from hansei.methods import weights

        judges = self.judges if judge is None else (judge,)
        joined = weights.together([self.matrix(item, things) for item in judges])
        return weights.weigh(joined, self.random_index)


class WeightSheet(Definition):
    """A file of judgements alone, to try weights before they go into a scorecard."""

    title: str
    things: tuple[Identifier, ...] = Field(min_length=1, max_length=10)
    judgements: Judgements


def judgement_faults(
    document: Document, location: Location, judgements: Judgements, things: Sequence[str]
) -> Iterator[Fault]:
    """Pairs that are unknown, missing or judged twice; then contradictions that nobody has accepted."""
    incomplete = incomplete_faults(document, location, judgements, things)
    if incomplete:
        yield from incomplete
        return
    here = (*location, "judgements")
    found = judgements.weighing(things)
    if not found.is_consistent and judgements.accepted is None:
        said = f"the judgements contradict each other: consistency ratio {found.consistency_ratio:.3f}"
        next_step = f"{doubt_text(found, things)}; or give accepted with a reason and an approver"
        yield document.fault(here, f"{said} is not below 0.10 ({found.random_index})", next_step)


def incomplete_faults(
    document: Document, location: Location, judgements: Judgements, things: Sequence[str]
) -> list[Fault]:
    """What keeps the judgements from being weighed at all: pairs that are unknown, missing or judged twice."""
    here = (*location, "judgements")
    if len(things) > 10:
        found = f"{len(things)} things are compared"
        return [document.fault(here, found, "compare at most 10; group them in a hierarchy")]
    return [
        fault
        for number, judge in enumerate(judgements.judges)
        for fault in _incomplete(document, (*here, "judges", number, "comparisons"), judge, things)
    ]


def _incomplete(document: Document, here: Location, judge: Judge, things: Sequence[str]) -> Iterator[Fault]:
    seen: set[frozenset[str]] = set()
    for position, item in enumerate(judge.comparisons):
        for key in ("more", "than"):
            if (name := getattr(item, key)) not in things:
                yield document.fault((*here, position, key), f"{name!r} is not compared", f"use {', '.join(things)}")
        pair = frozenset((item.more, item.than))
        if len(pair) == 1:
            yield document.fault((*here, position), f"{item.more!r} is compared with itself", "remove it")
        elif pair in seen:
            yield document.fault((*here, position), f"{item.more} and {item.than} are compared twice", "keep one")
        seen.add(pair)
    missing = [f"{a} with {b}" for a, b in combinations(things, 2) if frozenset((a, b)) not in seen]
    if missing:
        yield document.fault(here, f"{judge.judge} has not compared {', '.join(missing)}", "compare every pair once")


def doubt_text(found: Weighing, things: Sequence[str]) -> str:
    """Which judgements to think about again, in words; empty where none contradict each other."""
    doubt = found.doubt
    if doubt is None:
        return ""
    triple = ", ".join(things[position] for position in doubt.triple)
    first, second = things[doubt.first], things[doubt.second]
    judged = f"{first} counts {doubt.judged:.3g} times {second}"
    return f"reconsider {triple}: {judged}, while the other judgements imply {_times(doubt.implied)}"


def _times(factor: float) -> str:
    return f"{factor:.3g} times" if factor >= 1 else f"1/{1 / factor:.3g}"
