"""Segment ids as text: `all`, `channel=mail`, `channel=mail&team=desk:7` (dimensions in alphabetical order)."""

from __future__ import annotations

from collections.abc import Iterable

# Dimensions whose values are people. Nobody is held up as what drives a change: such a segment is looked into only
# where a review is about it.
OF_PEOPLE = ("account_owner",)
NOBODY = ("unlinked", "unknown")  # what stands in them where no person does


def parse_segment(segment_id: str) -> dict[str, str]:
    """Dimension to value; nothing for `all`. In an id `%` and `&` of a value stand as %25 and %26."""
    if segment_id == "all":
        return {}
    pairs = (part.partition("=")[::2] for part in segment_id.split("&"))
    return {dimension: value.replace("%26", "&").replace("%25", "%") for dimension, value in pairs}


def narrowed(segment_id: str, dimension: str, value: str) -> str:
    """The segment's id with one more dimension to tell it by."""
    own = f"{dimension}={value.replace('%', '%25').replace('&', '%26')}"
    return own if segment_id == "all" else "&".join(sorted([*segment_id.split("&"), own]))


def cut_of(segment_id: str) -> str:
    """By what a segment cuts: `all`, `channel`, `channel&team`."""
    return "&".join(part.partition("=")[0] for part in segment_id.split("&"))


def matches(segment_id: str, wanted: str) -> bool:
    """Whether a segment is the wanted one, or one of `team=*`, `channel=*&team=*`."""
    if "*" not in wanted:
        return segment_id == wanted
    pattern, values = parse_segment(wanted), parse_segment(segment_id)
    return pattern.keys() == values.keys() and all(word in ("*", values[name]) for name, word in pattern.items())


def matches_any(segment_id: str, wanted: Iterable[str]) -> bool:
    """Whether a segment is one of those that a definition names."""
    return any(matches(segment_id, one) for one in wanted)


def lies_within(segment_id: str, about: str) -> bool:
    """Whether a segment is the one that is meant, or a part of it: `channel=mail&team=7` lies within `team=7`."""
    return parse_segment(about).items() <= parse_segment(segment_id).items()


def part_within(segment_id: str, about: str) -> str:
    """What tells a part from the segment that it lies within: `channel=mail` of `channel=mail&team=7` in `team=7`."""
    outer = parse_segment(about)
    found = "all"
    for dimension, value in parse_segment(segment_id).items():
        if dimension not in outer:
            found = narrowed(found, dimension, value)
    return found
