"""What a review's definitions say in its other languages: the texts that its evidence holds, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from hansei.catalog import Catalog
from hansei.catalog.translations import translated
from hansei.indicators.wording import counting, counting_parts
from hansei.reviews.evidence import Evidence
from hansei.reviews.locales import locale

# Long, and without any text of a definition.
_WITHOUT_TEXTS = {"series", "usual", "sql", "translations"}


def with_translations(catalog: Catalog, evidence: Evidence, proposed: Mapping[str, Mapping[str, str]]) -> Evidence:
    """The evidence with translations for each of its languages but English; `proposed`: those of its proposals."""
    texts = set(_texts(evidence))
    found = {
        language: _known(catalog, language, texts) | dict(proposed.get(language, {}))
        for language in evidence.languages
        if language != "en"
    }
    return evidence.model_copy(update={"translations": found})


def _known(catalog: Catalog, language: str, texts: Iterable[str]) -> dict[str, str]:
    words = locale(language)
    known = translated(catalog, language)
    for indicator in catalog.indicators.values():
        key, parts = counting_parts(indicator)
        known[counting(indicator)] = words.say(f"counting.{key}", **parts)
    return {text: known[text] for text in texts if text in known}


def _texts(content: Any) -> Iterator[str]:
    """Every text in the evidence, at any depth."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, BaseModel):
        for name in type(content).model_fields:
            if name not in _WITHOUT_TEXTS:
                yield from _texts(getattr(content, name))
    elif isinstance(content, (tuple, list)):
        for item in content:
            yield from _texts(item)
