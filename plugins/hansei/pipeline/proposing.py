"""What a playbook proposes for each limit that is missed: by whether the figure changed, and where."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from hansei.catalog import Catalog
from hansei.catalog.playbooks import Playbook, in_language, proposed
from hansei.catalog.reviews import WHOLE
from hansei.catalog.segments import parse_segment
from hansei.reviews.evidence import Breach, Word
from hansei.reviews.explanations import Explanation, Proposal
from hansei.reviews.locales import locale
from hansei.reviews.standing import place_in


@dataclass(frozen=True)
class Proposals:
    """`made` in English; `translations`: language -> English text -> the playbook's text in it."""

    made: list[Proposal]
    translations: dict[str, dict[str, str]]


def propose(
    catalog: Catalog,
    languages: Iterable[str],
    breaches: Iterable[Breach],
    words: Iterable[Word],
    explanations: Iterable[Explanation],
    labels: Mapping[str, str],
    about: str = WHOLE,
) -> Proposals:
    """One proposal for each indicator and segment that misses a limit and has a playbook.

    The place that a proposal names is the segment of the concern; for what the review is about, what drives it.
    """
    moved = {(word.indicator_id, word.segment_id): word.moved for word in words}
    explained = {(one.indicator_id, one.segment_id): one for one in explanations}
    found = Proposals([], {language: {} for language in languages if language != "en"})
    for indicator_id, segment_id in dict.fromkeys((b.indicator_id, b.segment_id) for b in breaches):
        situation = "changed" if moved.get((indicator_id, segment_id)) == "worse" else "standing"
        why = explained.get((indicator_id, segment_id))
        driver = why.path[0] if why and why.path and segment_id == about else None
        fixed = parse_segment(segment_id)
        dimensions = (driver.dimension,) if driver else tuple(fixed)
        playbook = proposed(catalog.playbooks.values(), indicator_id, situation, dimensions)
        if playbook is None:
            continue
        cut, label = (driver.dimension, driver.label) if driver else (_cut(fixed), labels.get(segment_id, segment_id))
        action, *steps = english = _told(playbook, "en", cut, label, fixed or driver)
        found.made.append(
            Proposal(
                indicator_id=indicator_id,
                segment_id=segment_id,
                playbook_id=playbook.id,
                action=action,
                steps=tuple(steps),
                review_after_days=math.ceil(playbook.review_after / timedelta(days=1)),
            )
        )
        for language, translated in found.translations.items():
            translated |= zip(english, _told(playbook, language, cut, label, fixed or driver), strict=True)
    return found


def _cut(fixed: Mapping[str, str]) -> str:
    """The dimension of a segment that has one; two-way segments have labels that say both."""
    return next(iter(fixed)) if len(fixed) == 1 else ""


def _told(playbook: Playbook, language: str, cut: str, label: str, is_part: object) -> list[str]:
    """The action, then the steps, with the place in that language."""
    words = locale(language)
    where = place_in(cut, label, words) if is_part else words.say("standing.whole_service")
    return [in_language(texts, language).replace("{place}", where) for texts in (playbook.action, *playbook.steps)]
