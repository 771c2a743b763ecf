"""Steps of the redaction over whole columns: a change is made only in texts in which RE2 finds that it may be due."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc


def changed_where(texts: pa.Array, searched: str, change: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """The texts, those in which the pattern is found as `change` makes them."""
    mask = pc.match_substring_regex(texts, searched).fill_null(False)
    if not pc.any(mask).as_py():
        return texts
    return pc.replace_with_mask(texts, mask, change(texts.filter(mask)))


def each(change: Callable[[str], str]) -> Callable[[pa.Array], pa.Array]:
    """A change of single texts, in Python, as one of many."""
    return lambda texts: pa.array([change(text) for text in texts.to_pylist()], pa.string())


def any_of(*patterns: str) -> str:
    """A pattern that finds what any of them finds."""
    return "|".join(f"(?:{pattern})" for pattern in patterns)
