"""What customers say, as the brief shows it: topics of comments with bad ratings, before and now, and a few quotes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hansei.reviews import figures, standing
from hansei.reviews.comments import QUOTE_COLUMNS, Comments, TopicCount
from hansei.reviews.evidence import Evidence, Part
from hansei.reviews.locales import Locale
from hansei.reviews.quotes import LONGEST

MOST_RISEN, MOST_NAMED, MOST_ROWS = 2, 2, 6


@dataclass(frozen=True)
class TopicRow:
    """A topic in the table: how many of how many comments name it, and how its share changed."""

    title: str
    now: str
    before: str
    changed: str
    is_more: bool


@dataclass(frozen=True)
class Quote:
    text: str
    note: str


@dataclass(frozen=True)
class Voiced:
    """What was written in one place over one span of time. `concerns`: (indicator id, title) of what is amiss there."""

    concerns: tuple[tuple[str, str], ...]
    place: str
    compared: str
    sentences: tuple[str, ...]
    rows: tuple[TopicRow, ...]
    quotes: tuple[Quote, ...]
    quotes_note: str


def view_voices(evidence: Evidence, parts: Mapping[str, Part], words: Locale) -> tuple[Voiced, ...]:
    """Every place of which comments were read, in the order of the evidence."""
    return tuple(_voiced(evidence, found, parts, words) for found in evidence.comments)


def _voiced(evidence: Evidence, found: Comments, parts: Mapping[str, Part], words: Locale) -> Voiced:
    quotes, note = _quotes(found, parts, words)
    return Voiced(
        concerns=tuple((one, words.name(evidence.indicator(one).title)) for one in found.indicator_ids),
        place=standing.place(found, words, evidence.about),
        compared=words.say(
            "voices.compared",
            now=words.span(found.now_start, found.now_end),
            before=words.span(found.before_start, found.before_end),
        ),
        sentences=tuple(_sentences(found, words)),
        rows=tuple(_row(found, topic, words) for topic in found.topics[:MOST_ROWS] if topic.count_now),
        quotes=quotes,
        quotes_note=note,
    )


def _sentences(found: Comments, words: Locale) -> Iterable[str]:
    """How much was read, what is named more often than before or else most often, and how many name nothing known."""
    yield words.say("voices.read", against=words.number(found.against_now), count=found.read_now)
    if found.read_before:
        yield words.say("voices.read_before", against=words.number(found.against_before), count=found.read_before)
    risen = [topic for topic in found.topics if topic.is_more]
    for topic in risen[:MOST_RISEN]:
        yield words.say("voices.risen", topic=words.name(topic.title), **_shares(found, topic, words))
    named = [topic for topic in found.topics if topic.count_now][:MOST_NAMED]
    if named and not risen:
        told = [words.say("voices.named", topic=words.name(t.title), count=t.count_now) for t in named]
        yield words.say("voices.most" if found.against_before else "voices.most_alone", topics=words.listed(told))
    for topic in [topic for topic in found.topics if topic.is_less][:1]:
        yield words.say("voices.fallen", topic=words.name(topic.title), **_shares(found, topic, words))
    if found.untold_now:
        yield words.say("voices.untold", count=found.untold_now)
    for unnamed in found.unnamed:
        counts = {"before": words.number(unnamed.count_before), "count": unnamed.count_now}
        yield words.say(
            "voices.unnamed", terms=words.listed([figures.line(term, 30) for term in unnamed.terms]), **counts
        )


def _shares(found: Comments, topic: TopicCount, words: Locale) -> dict[str, str]:
    return {
        "now": _of(topic.count_now, found.against_now, words),
        "before": _of(topic.count_before, found.against_before, words),
    }


def _of(count: int, whole: int, words: Locale) -> str:
    """`28 of 45 (62 %)`"""
    if not whole:
        return figures.NOTHING
    return words.say(
        "voices.of", part=words.number(count), whole=words.number(whole), share=words.percent(count / whole)
    )


def _row(found: Comments, topic: TopicCount, words: Locale) -> TopicRow:
    changed = figures.NOTHING
    if topic.lower_bound is not None and topic.upper_bound is not None:
        low, high = (words.number(100 * bound, signed=True) for bound in (topic.lower_bound, topic.upper_bound))
        changed = words.say("voices.changed", low=low, high=high)
    return TopicRow(words.name(topic.title), **_shares(found, topic, words), changed=changed, is_more=topic.is_more)


def _quotes(found: Comments, parts: Mapping[str, Part], words: Locale) -> tuple[tuple[Quote, ...], str]:
    """The quotes; what to say instead where they are not at hand."""
    if found.quotes_part is None:
        return (), ""
    part = parts.get(found.quotes_part)
    if part is None:
        return (), words.say("voices.quotes_apart")
    if part.erased_on is not None:
        return (), words.say("voices.quotes_erased", day=words.day(part.erased_on))
    return tuple(_quote(dict(zip(QUOTE_COLUMNS, row, strict=True)), words) for row in part.rows), ""


def _quote(row: Mapping[str, str], words: Locale) -> Quote:
    told = {name: row[name] for name in ("score", "scale_minimum", "scale_maximum")}
    day = words.day(dt.date.fromisoformat(row["responded_date"]))
    return Quote(text=figures.line(row["comment"], LONGEST), note=words.say("voices.rated", day=day, **told))
