"""What a playbook proposes for each limit that is missed: by whether the figure changed, and where."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from hansei.catalog import Catalog
from hansei.catalog.playbooks import in_language, proposed
from hansei.catalog.segments import parse_segment
from hansei.reviews.evidence import Breach, Word
from hansei.reviews.explanations import Explanation, Proposal
from hansei.reviews.standing import cut_word, place_in


def propose(
    catalog: Catalog,
    language: str,
    breaches: Iterable[Breach],
    words: Iterable[Word],
    explanations: Iterable[Explanation],
    labels: Mapping[str, str],
) -> Iterator[Proposal]:
    """One proposal for each indicator and segment that misses a limit and has a playbook.

    The place that a proposal names is the segment of the concern; for the whole service, what drives it.
    """
    moved = {(word.indicator_id, word.segment_id): word.moved for word in words}
    explained = {(one.indicator_id, one.segment_id): one for one in explanations}
    for indicator_id, segment_id in dict.fromkeys((b.indicator_id, b.segment_id) for b in breaches):
        situation = "changed" if moved.get((indicator_id, segment_id)) == "worse" else "standing"
        why = explained.get((indicator_id, segment_id))
        driver = why.path[0] if why and why.path and segment_id == "all" else None
        fixed = parse_segment(segment_id)
        dimensions = (driver.dimension,) if driver else tuple(fixed)
        found = proposed(catalog.playbooks.values(), indicator_id, situation, dimensions)
        if found is None:
            continue
        where = "the whole service" if language == "en" else "整个服务"
        if driver or fixed:
            dimension = driver.dimension if driver else next(iter(fixed))
            label = driver.label if driver else labels.get(segment_id, segment_id)
            where = place_in(cut_word(dimension) if language == "en" and len(fixed) < 2 else "", label)
        yield Proposal(
            indicator_id=indicator_id,
            segment_id=segment_id,
            playbook_id=found.id,
            action=in_language(found.action, language).replace("{place}", where),
            steps=tuple(in_language(step, language).replace("{place}", where) for step in found.steps),
            review_after_days=math.ceil(found.review_after / timedelta(days=1)),
        )
