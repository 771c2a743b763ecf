"""Why it moved, in words: real change against another make-up, the segments that drive it, where the time went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hansei.catalog.measures import Unit
from hansei.reviews import figures
from hansei.reviews.evidence import Evidence, IndicatorEvidence, Part
from hansei.reviews.explanations import Explanation, MovedDimension, MovedSegment
from hansei.reviews.locales import Locale
from hansei.reviews.standing import cut_word, place, place_in, strongest

MOST_ROWS = 6
MOST_OWNERS = 3
# From this share of the change on, another make-up is worth a sentence, and then the main thing.
NOTABLE_MIX, MOSTLY_MIX = 0.2, 0.5


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
    examples: str


@dataclass(frozen=True)
class Cause:
    """One indicator over one span of time: the whole service first, then the segment of the concern."""

    indicator_id: str
    title: str
    compared: str
    told: tuple[Told, ...]


def causes(evidence: Evidence, parts: Mapping[str, Part], words: Locale) -> list[Cause]:
    """Every explanation of the evidence, an indicator's together, in the order of the breaches."""
    order = {breach.indicator_id: at for at, breach in reversed(list(enumerate(strongest(evidence.breaches))))}
    together: dict[tuple, list[Explanation]] = {}
    for explained in evidence.explanations:
        spans = (explained.before_start, explained.before_end, explained.now_start, explained.now_end)
        together.setdefault((explained.indicator_id, *spans), []).append(explained)
    found = sorted(together.items(), key=lambda item: (order.get(item[0][0], len(order)), item[0]))
    return [_cause(evidence, group, parts, words) for _, group in found]


def _cause(evidence: Evidence, group: list[Explanation], parts: Mapping[str, Part], words: Locale) -> Cause:
    first = group[0]
    indicator = evidence.indicator(first.indicator_id)
    now, before = words.span(first.now_start, first.now_end), words.span(first.before_start, first.before_end)
    ordered = sorted(group, key=lambda e: (e.segment_id != evidence.about, e.segment_id))
    return Cause(
        indicator_id=indicator.indicator_id,
        title=words.name(indicator.title),
        compared=words.say("causes.compared", now=now, before=before),
        told=tuple(_told(evidence, explained, parts, words) for explained in ordered),
    )


def _told(evidence: Evidence, explained: Explanation, parts: Mapping[str, Part], words: Locale) -> Told:
    indicator = evidence.indicator(explained.indicator_id)
    return Told(
        place=place(explained, words, evidence.about, explained.segment_label),
        sentences=tuple(_sentences(explained, indicator, words)),
        rows=tuple(_rows(explained, indicator, words)),
        examples=_examples(explained, parts, words),
    )


def told_unit(explained: Explanation, indicator: IndicatorEvidence) -> Unit:
    """The unit of the explained rate: a share where cases beyond a limit are counted."""
    return "ratio" if explained.what == "beyond" else indicator.unit


def _sentences(explained: Explanation, indicator: IndicatorEvidence, words: Locale) -> Iterable[str]:
    unit = told_unit(explained, indicator)
    yield _whole(explained, indicator, unit, words)
    if not explained.is_sure:
        yield words.say("causes.no_change")
    elif explained.dimensions:
        yield from _make_up(explained, unit, words)
    if explained.is_sure or explained.path:
        yield from _driven(explained, unit, words)
    yield from _time(explained, indicator, words)


def _whole(explained: Explanation, indicator: IndicatorEvidence, unit: Unit, words: Locale) -> str:
    """`The share of tickets above 4 h rose from 8 % (of 900) to 46 % (of 312): +38 percentage points.`"""
    verb = "rose" if explained.change > 0 else "fell"
    figures = {
        "before": words.figure(explained.value_before, unit),
        "count_before": words.number(explained.count_before),
        "now": words.figure(explained.value_now, unit),
        "count_now": words.number(explained.count_now),
        "change": words.difference(explained.change, unit),
    }
    if explained.what != "beyond":
        return words.say(f"causes.it_{verb}", **figures)
    side = "above" if explained.is_upper else "below"
    limit, things = words.bare_limit(explained.limit, indicator.unit), words.things(indicator.counts)
    return words.say(f"causes.share_{side}_{verb}", things=things, limit=limit, **figures)


def _make_up(explained: Explanation, unit: Unit, words: Locale) -> Iterable[str]:
    """How much of the change is only another make-up, by the dimension where that is most."""
    change = explained.change
    most = max(explained.dimensions, key=lambda d: (d.mix_effect / change, d.dimension))
    share = most.mix_effect / change
    effects = {"mix": words.difference(most.mix_effect, unit), "real": words.difference(most.rate_effect, unit)}
    if share < NOTABLE_MIX:
        yield words.say("causes.real")
    else:
        key = "causes.partly_mix" if share < MOSTLY_MIX else "causes.mostly_mix"
        yield words.say(key, dimension=cut_word(most.dimension, words), **effects)
    paradox = next((d for d in explained.dimensions if d.is_paradox), None)
    if paradox is not None:
        yield words.say("causes.paradox", dimension=cut_word(paradox.dimension, words))


def _driven(explained: Explanation, unit: Unit, words: Locale) -> Iterable[str]:
    """The drivers, each inside the one before; where there is none, what comes closest."""
    if not explained.path:
        yield from _undriven(explained, words)
        return
    first, *deeper = explained.path
    yield _held("driver", first, explained, words, **_moved(first, unit, words))
    for step in deeper:
        yield words.say("causes.within", place=_place(step, words), **_moved(step, unit, words))
    beside = [s for s in explained.drivers if s.dimension == first.dimension and s.segment_id != first.segment_id]
    if beside:
        places = [_held("held", s, explained, words) for s in beside[:2]]
        yield words.say("causes.beside", places=words.listed(places))


def _moved(segment: MovedSegment, unit: Unit, words: Locale) -> dict[str, str]:
    return {"before": words.figure(segment.rate_before, unit), "now": words.figure(segment.rate_now, unit)}


def _undriven(explained: Explanation, words: Locale) -> Iterable[str]:
    if not explained.dimensions:
        return
    if not any(dimension.is_beyond_chance for dimension in explained.dimensions):
        named = [cut_word(dimension.dimension, words) for dimension in explained.dimensions]
        yield words.say("causes.everywhere", dimensions=words.say("figures.alternatives").join(named))
        return
    closest = [s for d in explained.dimensions if d.is_beyond_chance for s in d.segments if s.role == "candidate"][:2]
    if closest:
        places = words.listed([_place(s, words) for s in closest])
        yield words.say("causes.candidates", count=len(closest), places=places)


def _held(what: str, segment: MovedSegment, explained: Explanation, words: Locale, **parts: str) -> str:
    """What share of the change a segment holds; where others moved the other way, it is more than all of it."""
    share = segment.total / explained.change
    where = _place(segment, words)
    if share >= 0.995:
        return words.say("causes.driver_of_all" if what == "driver" else "causes.held_all", place=where, **parts)
    return words.say(f"causes.{what}", place=where, percent=words.number(share * 100), **parts)


def _time(explained: Explanation, indicator: IndicatorEvidence, words: Locale) -> Iterable[str]:
    """Where the time went, by the ledger: the owners whose mean per ticket changed most."""
    unit: Unit = "business_seconds" if indicator.unit == "business_seconds" else "seconds"
    spent = [(s.owner, words.figure(s.before, unit), words.figure(s.now, unit)) for s in explained.time_spent]
    told = [
        words.say("causes.owner_time", owner=_owner(owner, words), before=before, now=now)
        for owner, before, now in spent
        if before != now
    ]
    if told:
        yield words.say("causes.time", owners=words.say("causes.between_owners").join(told[:MOST_OWNERS]))


def _owner(owner: str, words: Locale) -> str:
    return words.say(f"causes.owners.{owner}") if words.knows(f"causes.owners.{owner}") else words.name(owner)


def _rows(explained: Explanation, indicator: IndicatorEvidence, words: Locale) -> Iterable[CauseRow]:
    """Drivers and candidates of every dimension, then the strongest others of the first."""
    unit = told_unit(explained, indicator)
    every = [(d, s) for d in explained.dimensions for s in d.segments]
    chosen = [pair for pair in every if pair[1].role == "driver"]
    first: list[tuple[MovedDimension, MovedSegment]] = [pair for pair in every if pair[0] is explained.dimensions[0]]
    chosen += [pair for pair in first if pair not in chosen]
    for _, segment in sorted(chosen[:MOST_ROWS], key=lambda pair: -abs(pair[1].total)):
        counts = (segment.count_before, segment.count_now)
        before, now = (figures.NOTHING if count is None else words.number(count) for count in counts)
        yield CauseRow(
            place=_place(segment, words),
            count=words.say("causes.counts", before=before, now=now),
            moved=words.difference(segment.total, unit),
            of_mix=words.difference(segment.mix_effect, unit),
            role="" if segment.role == "other" else words.say(f"causes.roles.{segment.role}"),
            **_moved(segment, unit, words),
        )


def _place(segment: MovedSegment, words: Locale) -> str:
    return place_in(segment.dimension, segment.label, words)


def _examples(explained: Explanation, parts: Mapping[str, Part], words: Locale) -> str:
    """Keys of example cases, or what to say instead where they are not at hand."""
    if explained.examples_part is None:
        return ""
    part = parts.get(explained.examples_part)
    if part is None:
        return words.say("causes.examples_apart")
    if part.erased_on is not None:
        return words.say("causes.examples_erased", day=words.day(part.erased_on))
    keys = words.say("figures.list_between").join(words.name(row[0]) for row in part.rows)
    return words.say("causes.examples", count=len(part.rows), keys=keys)
