"""Playbooks: what people who had the same trouble did about it, proposed where an indicator misses its limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from hansei.catalog.documents import Definition, Fault, Language
from hansei.catalog.durations import Duration
from hansei.catalog.entities import Identifier

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

Situation = Literal["changed", "standing", "any"]
# A text in each language; English is what the others fall back to.
Texts = dict[Language, str]


class Playbook(Definition):
    """One proposal, for some indicators.

    situation: `changed` where the chart says worse, `standing` where the figure varies as usual and misses all the
    same, `any`. dimensions: proposed only where the concern, or what drives it, is a segment of one of them; none
    named: wherever it is. Of several that fit, the one that asks most of the case is proposed. `{place}` in a text is
    the segment. review_after: when the effect is to be looked at.
    """

    id: Identifier
    indicators: tuple[Identifier, ...] = Field(min_length=1)
    situation: Situation = "any"
    dimensions: tuple[Identifier, ...] = ()
    action: Texts
    steps: tuple[Texts, ...] = Field(min_length=1, max_length=5)
    review_after: Duration

    @field_validator("action")
    @classmethod
    def _actionin_english(cls, texts: Texts) -> Texts:
        return in_english(texts)

    @field_validator("steps")
    @classmethod
    def _stepsin_english(cls, steps: tuple[Texts, ...]) -> tuple[Texts, ...]:
        return tuple(in_english(texts) for texts in steps)

    def asks(self, situation: Situation, dimensions: Iterable[str]) -> int | None:
        """How much of the case the playbook asks for, 0 to 2; None where it does not fit."""
        asked = 0
        if self.situation != "any":
            if self.situation != situation:
                return None
            asked += 1
        if self.dimensions:
            if not set(self.dimensions) & set(dimensions):
                return None
            asked += 1
        return asked


def in_english(texts: Texts) -> Texts:
    """The texts; ValueError where English is missing or another word than {place} stands in braces."""
    if "en" not in texts:
        raise ValueError("write it in English too (en): other languages fall back to it")
    for text in texts.values():
        if text.replace("{place}", "").count("{") or text.replace("{place}", "").count("}"):
            raise ValueError("the only word in braces is {place}")
    return texts


def in_language(texts: Texts, language: str) -> str:
    """The text in the language, else in English."""
    return texts.get(language, texts["en"])


def proposed(
    playbooks: Iterable[Playbook], indicator_id: str, situation: Situation, dimensions: Iterable[str]
) -> Playbook | None:
    """The playbook that fits the case best; of equals the first by id."""
    dimensions = tuple(dimensions)
    fitting = [
        (-asked, playbook.id, playbook)
        for playbook in playbooks
        if indicator_id in playbook.indicators and (asked := playbook.asks(situation, dimensions)) is not None
    ]
    return min(fitting, default=(0, "", None), key=lambda item: item[:2])[2]


def check_playbooks(catalog: Catalog) -> Iterator[Fault]:
    """Indicators and dimensions that are not there."""
    known = {dimension for indicator in catalog.indicators.values() for dimension in indicator.segments}
    for playbook in catalog.playbooks.values():
        document = catalog.documents["playbooks", playbook.id]
        for name in playbook.indicators:
            # A service that chose some indicators keeps the shipped playbooks of the others, which stay unused.
            if name not in catalog.indicators and catalog.service.indicators is None:
                yield document.fault(("indicators",), f"{name!r} is not defined", "name an indicator that is")
        for name in playbook.dimensions:
            if name not in known:
                yield document.fault(("dimensions",), f"{name!r} cuts no indicator", f"use one of {sorted(known)}")
