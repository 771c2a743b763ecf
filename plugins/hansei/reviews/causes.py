"""Why it moved, in words: real change against another make-up, the segments that drive it, where the time went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hansei.catalog.measures import Unit
from hansei.reviews import figures
from hansei.reviews.evidence import Evidence, IndicatorEvidence, Part
from hansei.reviews.explanations import Explanation, MovedDimension, MovedSegment
from hansei.reviews.figures import bare_limit, difference, figure, listed, name, number, plural
from hansei.reviews.standing import cut_word, place, place_in, strongest

MOST_ROWS = 6
MOST_OWNERS = 3
# From this share of the change on, another make-up is worth a sentence, and then the main thing.
NOTABLE_MIX, MOSTLY_MIX = 0.2, 0.5
ROLES = {"driver": "driver", "candidate": "candidate", "other": ""}
OWNERS = {
    "queue": "in the queue",
    "agent": "with an agent",
    "customer": "with the customer",
    "third_party": "with a third party",
    "hold": "on hold",
    "bot": "with the bot",
}


@dataclass(frozen=True)
class CauseRow:
    """A segment in the table: what it was, what it is, and what of the change it holds."""

    place: str
    count: str
    before: str
    now: str
    moved: str
    of_mix: str
    role: str


@dataclass(frozen=True)
class Told:
    """Why it moved in one place."""

    place: str
    sentences: tuple[str, ...]
    rows: tuple[CauseRow, ...]
    examples: tuple[str, ...]
    examples_note: str


@dataclass(frozen=True)
class Cause:
    """One indicator over one span of time: the whole service first, then the segment of the concern."""

    indicator_id: str
    title: str
    compared: str
    told: tuple[Told, ...]


def causes(evidence: Evidence, parts: Mapping[str, Part]) -> list[Cause]:
    """Every explanation of the evidence, an indicator's together, in the order of the breaches."""
    order = {breach.indicator_id: at for at, breach in reversed(list(enumerate(strongest(evidence.breaches))))}
    together: dict[tuple, list[Explanation]] = {}
    for explained in evidence.explanations:
        spans = (explained.before_start, explained.before_end, explained.now_start, explained.now_end)
        together.setdefault((explained.indicator_id, *spans), []).append(explained)
    found = sorted(together.items(), key=lambda item: (order.get(item[0][0], len(order)), item[0]))
    return [_cause(evidence, group, parts) for _, group in found]


def _cause(evidence: Evidence, group: list[Explanation], parts: Mapping[str, Part]) -> Cause:
    first = group[0]
    indicator = evidence.indicator(first.indicator_id)
    now, before = (
        figures.span(start, end)
        for start, end in ((first.now_start, first.now_end), (first.before_start, first.before_end))
    )
    ordered = sorted(group, key=lambda e: (e.segment_id != "all", e.segment_id))
    told = tuple(_told(explained, indicator, parts) for explained in ordered)
    return Cause(indicator.indicator_id, name(indicator.title), f"{now} against {before}", told)


def _told(explained: Explanation, indicator: IndicatorEvidence, parts: Mapping[str, Part]) -> Told:
    examples, note = _examples(explained, indicator, parts)
    return Told(
        place=place(explained, explained.segment_label),
        sentences=tuple(_sentences(explained, indicator)),
        rows=tuple(_rows(explained, indicator)),
        examples=examples,
        examples_note=note,
    )


def told_unit(explained: Explanation, indicator: IndicatorEvidence) -> Unit:
    """The unit of the explained rate: a share where cases beyond a limit are counted."""
    return "ratio" if explained.what == "beyond" else indicator.unit


def _sentences(explained: Explanation, indicator: IndicatorEvidence) -> Iterable[str]:
    unit = told_unit(explained, indicator)
    yield _whole(explained, indicator, unit)
    if not explained.is_sure:
        yield "No more than chance does: what is missed here is how the work is done, not a change of it."
    elif explained.dimensions:
        yield from _make_up(explained, unit)
    if explained.is_sure or explained.path:
        yield from _driven(explained, unit)
    yield from _time(explained, indicator)


def _whole(explained: Explanation, indicator: IndicatorEvidence, unit: Unit) -> str:
    """`The share of tickets above 4 h rose from 8 % (of 900) to 46 % (of 312): +38 percentage points.`"""
    subject = "It"
    if explained.what == "beyond":
        side = "above" if explained.is_upper else "below"
        counted = figures.agree(2, indicator.counts)
        subject = f"The share of {counted} {side} {bare_limit(explained.limit, indicator.unit)}"
    verb = "rose" if explained.change > 0 else "fell"
    before = f"{figure(explained.value_before, unit)} (of {number(explained.count_before)})"
    now = f"{figure(explained.value_now, unit)} (of {number(explained.count_now)})"
    return f"{subject} {verb} from {before} to {now}: {difference(explained.change, unit)}."


def _make_up(explained: Explanation, unit: Unit) -> Iterable[str]:
    """How much of the change is only another make-up, by the dimension where that is most."""
    change = explained.change
    most = max(explained.dimensions, key=lambda d: (d.mix_effect / change, d.dimension))
    share = most.mix_effect / change
    by = cut_word(most.dimension)
    if share < NOTABLE_MIX:
        yield "The change is real: another make-up of the work explains next to nothing of it."
    elif share < MOSTLY_MIX:
        yield (
            f"{difference(most.mix_effect, unit)} of it are only another make-up by {by}; "
            f"{difference(most.rate_effect, unit)} are real."
        )
    else:
        yield (
            f"Mostly another make-up by {by}: {difference(most.mix_effect, unit)}. "
            f"Within its segments the figure moved by {difference(most.rate_effect, unit)}."
        )
    paradox = next((d for d in explained.dimensions if d.is_paradox), None)
    if paradox is not None:
        yield (
            f"Careful: by {cut_word(paradox.dimension)}, the segments together moved the other way than the whole "
            "(Simpson's paradox)."
        )


def _driven(explained: Explanation, unit: Unit) -> Iterable[str]:
    """The drivers, each inside the one before; where there is none, what comes closest."""
    if not explained.path:
        yield from _undriven(explained)
        return
    first, *deeper = explained.path
    moved = f"from {figure(first.rate_before, unit)} to {figure(first.rate_now, unit)}"
    yield f"Driver: {_place(first)}, {moved}{_held(first.total, explained.change)}."
    for step in deeper:
        moved = f"from {figure(step.rate_before, unit)} to {figure(step.rate_now, unit)}"
        yield f"Within it, {_place(step)} stands out: {moved}."
    beside = [s for s in explained.drivers if s.dimension == first.dimension and s.segment_id != first.segment_id]
    if beside:
        yield f"Also driven by {listed([_place(s) + _held(s.total, explained.change) for s in beside[:2]])}."


def _undriven(explained: Explanation) -> Iterable[str]:
    if not explained.dimensions:
        return
    if not any(dimension.is_beyond_chance for dimension in explained.dimensions):
        words = [cut_word(dimension.dimension) for dimension in explained.dimensions]
        yield f"It moved everywhere alike: no {' or '.join(words)} stands out more than chance would do."
        return
    closest = [s for d in explained.dimensions if d.is_beyond_chance for s in d.segments if s.role == "candidate"][:2]
    if closest:
        verb = figures.agree(len(closest), "is")
        yield f"No segment is a proven driver; {listed([_place(s) for s in closest])} {verb} worth a look first."


def _held(total: float, change: float) -> str:
    """`, which holds 92 % of the change`; where others moved the other way, it holds more than all of it."""
    share = total / change
    return (
        ", which holds all of the change"
        if share >= 0.995
        else f", which holds {number(share * 100)}{figures.NBSP}% of the change"
    )


def _time(explained: Explanation, indicator: IndicatorEvidence) -> Iterable[str]:
    """Where the time went, by the ledger: the owners whose mean per ticket changed most."""
    unit: Unit = "business_seconds" if indicator.unit == "business_seconds" else "seconds"
    moved = [spent for spent in explained.time_spent if figure(spent.before, unit) != figure(spent.now, unit)]
    if moved:
        told = [
            f"{OWNERS.get(s.owner, name(s.owner))} {figure(s.before, unit)} before, {figure(s.now, unit)} now"
            for s in moved[:MOST_OWNERS]
        ]
        yield f"Mean time of one ticket: {'; '.join(told)}."


def _rows(explained: Explanation, indicator: IndicatorEvidence) -> Iterable[CauseRow]:
    """Drivers and candidates of every dimension, then the strongest others of the first."""
    unit = told_unit(explained, indicator)
    every = [(d, s) for d in explained.dimensions for s in d.segments]
    chosen = [pair for pair in every if pair[1].role == "driver"]
    first: list[tuple[MovedDimension, MovedSegment]] = [pair for pair in every if pair[0] is explained.dimensions[0]]
    chosen += [pair for pair in first if pair not in chosen]
    for _, segment in sorted(chosen[:MOST_ROWS], key=lambda pair: -abs(pair[1].total)):
        yield CauseRow(
            place=_place(segment),
            count=f"{number(segment.count_before)} → {number(segment.count_now)}",
            before=figure(segment.rate_before, unit),
            now=figure(segment.rate_now, unit),
            moved=difference(segment.total, unit),
            of_mix=difference(segment.mix_effect, unit),
            role=ROLES[segment.role],
        )


def _place(segment: MovedSegment) -> str:
    return place_in(cut_word(segment.dimension), segment.label)


def _examples(
    explained: Explanation, indicator: IndicatorEvidence, parts: Mapping[str, Part]
) -> tuple[tuple[str, ...], str]:
    """Keys of example cases; what to say instead where they are not at hand."""
    if explained.examples_part is None:
        return (), ""
    part = parts.get(explained.examples_part)
    if part is None:
        return (), "The examples are kept apart from this copy."
    if part.erased_on is not None:
        return (), f"The examples were erased on {figures.day(part.erased_on)}."
    return tuple(name(row[0]) for row in part.rows), f"{plural(len(part.rows), 'example')} that counted against it"
