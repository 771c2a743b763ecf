"""What a brief says: sentences made by rules over the evidence, so that no sentence can invent a figure.

The sentences themselves are messages of the catalogues (`narrative`); `words` is the language that they are told in.

Two questions stay apart. Is it good enough? An indicator misses its limit, or meets it. Has it changed? Its word says
so, in the sentence that was stored with it (docs/signals.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from hansei.catalog.reviews import ReviewGrain
from hansei.indicators.periods import next_period, previous_period
from hansei.reviews import notes, standing
from hansei.reviews.evidence import Breach, Evidence, IndicatorEvidence, Judged, Point
from hansei.reviews.locales import Locale
from hansei.reviews.standing import current, distance, is_firm, place, strongest, verdict, weight


@dataclass(frozen=True)
class Proposed:
    """What a playbook proposes, its steps, and when to look again."""

    action: str
    steps: tuple[str, ...]
    look_again: str


@dataclass(frozen=True)
class Decision:
    """One indicator that misses its limit, with its strongest breach and the others behind it."""

    breach: Breach
    others: tuple[Breach, ...]
    title: str
    place: str
    value: str
    limit: str
    count: str
    sentences: tuple[str, ...]
    look_at: tuple[str, ...]
    reason: str
    owner: str
    proposal: Proposed | None = None

    @property
    def needs_decision(self) -> bool:
        """False where a single week may be chance: then it is a thing to watch."""
        return any(is_firm(breach) for breach in (self.breach, *self.others))


def decisions(evidence: Evidence, words: Locale) -> list[Decision]:
    """Everything missed, one decision for each indicator, gravest first; things to watch come last."""
    by_indicator: dict[str, list[Breach]] = {}
    for breach in strongest(evidence.breaches):
        by_indicator.setdefault(breach.indicator_id, []).append(breach)
    found = [_decision(evidence, group, words) for group in by_indicator.values()]
    return sorted(found, key=lambda d: (not d.needs_decision, weight(d.breach)))


def _decision(evidence: Evidence, group: list[Breach], words: Locale) -> Decision:
    first = min(group, key=lambda b: (not is_firm(b), b.level != "critical", b.segment_id != evidence.about, weight(b)))
    others = tuple(breach for breach in group if breach is not first)
    indicator = evidence.indicator(first.indicator_id)
    is_counted = first.sample_count and first.unit != "count"
    return Decision(
        breach=first,
        others=others,
        title=words.name(indicator.title),
        place=place(first, words, evidence.about),
        value=words.contrast(first),
        limit=words.limit(first.limit, first.unit, first.is_upper),
        count=words.count(first.sample_count, indicator.counts) if is_counted else "",
        sentences=tuple(_sentences(evidence, first, others, indicator, words)),
        look_at=tuple(_look_at(evidence, first, others, indicator, words)),
        reason=words.name(first.reason, 240) if first.reason else "",
        owner=words.name(first.owner or indicator.owner),
        proposal=_proposal(evidence, first, words),
    )


def _proposal(evidence: Evidence, breach: Breach, words: Locale) -> Proposed | None:
    found = evidence.proposed.get((breach.indicator_id, breach.segment_id))
    if found is None:
        return None
    weeks, days = divmod(found.review_after_days, 7)
    by_week = words.with_grain("week")  # its weeks are weeks in a monthly review too
    span = words.count(found.review_after_days, "day") if days else by_week.count(weeks, "week")
    steps = tuple(words.name(step, 300) for step in found.steps)
    return Proposed(words.name(found.action, 300), steps, words.say("narrative.look_again", span=span))


def _sentences(
    evidence: Evidence, first: Breach, others: tuple[Breach, ...], indicator: IndicatorEvidence, words: Locale
) -> list[str]:
    """Since when, whether it has changed, what it was before, how sure, and where else."""
    found = [
        since(first, words),
        *changed(evidence, first, words),
        *noted_near(indicator, first.first_period, words, evidence.grain),
    ]
    if first.previous_value is not None:
        found.append(words.say("narrative.week_before", value=words.figure(first.previous_value, first.unit)))
    found += certainty(first, words)
    if others:
        shown = [
            words.say("narrative.place_and_value", place=place(one, words, evidence.about), value=words.contrast(one))
            for one in others[:3]
        ]
        if len(others) > 3:
            shown.append(words.say("narrative.others", count=len(others) - 3))
        found.append(words.say("narrative.also_missed", places=words.listed(shown)))
    return found


def since(breach: Breach, words: Locale) -> str:
    """`New this week.` or `Missed 3 weeks in a row, since 19 October 2026 (week 43).`"""
    if breach.consecutive_periods == 1:
        return words.say("narrative.new") if breach.is_new else words.say("narrative.missed")
    first = breach.first_period
    run = {
        "weeks": words.count(breach.consecutive_periods, "week"),
        "day": words.day(first),
        "week": words.week(first),
    }
    # The run counts weeks beyond either limit, so it may not be told of the critical one alone.
    if breach.level == "critical" and breach.warning_limit is not None:
        limit = words.bare_limit(breach.warning_limit, breach.unit)
        return words.say("narrative.warned_in_a_row", limit=limit, **run)
    return words.say("narrative.missed_in_a_row", **run)


def changed(evidence: Evidence, judged: Judged, words: Locale) -> list[str]:
    """Whether the figure has changed, in the words of its chart; empty where the chart cannot say."""
    word = evidence.word_of.get((judged.indicator_id, judged.segment_id))
    if word is None or not word.moved:
        return []
    reason = standing.reason(word, evidence.grain, words)
    if word.moved != "steady":
        return [reason]
    has_target = word.word != "steady, no target"
    why = f"{reason[0].lower()}{reason[1:]}" if has_target else words.say("narrative.varies")
    return [words.say("narrative.no_change", why=why)]


def certainty(judged: Judged, words: Locale) -> list[str]:
    """What the interval says about the limit, if there is one."""
    if judged.supported is None or judged.lower_bound is None or judged.upper_bound is None:
        return []
    if judged.supported:
        near = judged.lower_bound if judged.is_upper else judged.upper_bound
        return [words.say("narrative.hardly_chance", value=words.figure(near, judged.unit))]
    whole = words.interval(judged.lower_bound, judged.upper_bound, judged.unit)
    return [words.say("narrative.maybe_chance", interval=whole)]


def _look_at(
    evidence: Evidence, first: Breach, others: tuple[Breach, ...], indicator: IndicatorEvidence, words: Locale
) -> Iterable[str]:
    """Where to look first: the segments furthest beyond, or what else that segment misses."""
    if first.segment_id == evidence.about:
        worst = [b for b in others if b.segment_id != evidence.about] or _beyond(evidence, first, indicator)
        if worst:
            found = {"place": place(worst[0], words, evidence.about), "value": words.figure(worst[0].value, first.unit)}
            if worst[0].sample_count:
                things = words.count(worst[0].sample_count, indicator.counts)
                yield words.say("narrative.look_at_counted", things=things, **found)
            else:
                yield words.say("narrative.look_at", **found)
    else:
        same = [b for b in strongest(evidence.breaches) if b.segment_id == first.segment_id and b is not first]
        same = [b for b in same if b.indicator_id != first.indicator_id]
        titles = [words.name(evidence.indicator(b.indicator_id).title) for b in same]
        if titles:
            cut = standing.own_cut(first.segment_id, evidence.about)
            dimension = standing.cut_word(cut, words) if cut else words.say("narrative.segment")
            yield words.say("narrative.also_misses", dimension=dimension, titles=words.listed(titles[:3]))


def _beyond(evidence: Evidence, first: Breach, indicator: IndicatorEvidence) -> list[Judged]:
    """Segments that lie beyond the whole service's limit though they have none themselves, furthest first."""
    found = []
    for segment in indicator.segments:
        point = current(segment.series, evidence.period_start)
        if point.state == "ok" and point.value is not None:
            update = {
                "segment_id": segment.segment_id,
                "segment_label": segment.label,
                "value": point.value,
                "sample_count": point.sample_count,
            }
            found.append(first.model_copy(update=update))
    return sorted((j for j in found if distance(j) > 0), key=lambda j: (-distance(j), j.segment_id))


def noted_near(
    indicator: IndicatorEvidence, date: dt.date, words: Locale, grain: ReviewGrain = "week"
) -> Iterable[str]:
    """Dated notes from the period before that one to the one after: at the same time, which is not yet because."""
    first, last = previous_period(grain, date), next_period(grain, next_period(grain, date))
    for note in sorted(indicator.notes, key=lambda n: n.order):
        if first <= note.date < last:
            text = notes.told(note, words, 160).rstrip(".。")
            yield words.say("narrative.noted", day=words.day(note.date), text=text)


def alternative(
    title: str,
    indicator: IndicatorEvidence,
    evidence: Evidence,
    segment_id: str,
    series: Iterable[Point],
    words: Locale,
) -> str:
    """A chart in words, for who cannot see it: this week's figure, verdict, and the line's range."""
    series = tuple(series)
    point = current(series, evidence.period_start)
    key = verdict(evidence, indicator.indicator_id, segment_id, series)
    shown = {
        "title": title,
        "week": words.week(evidence.period_start),
        "verdict": standing.stood(evidence, indicator.indicator_id, segment_id, key, words),
    }
    if point.value is None:
        told = [words.say("narrative.chart_of_nothing", **shown)]
    else:
        told = [words.say("narrative.chart", value=words.figure(point.value, indicator.unit), **shown)]
    said = evidence.word_of.get((indicator.indicator_id, segment_id))
    if said and said.moved == "steady":
        told.append(words.say("narrative.one_word", word=standing.one_word(said, words).capitalize()))
    elif said and said.moved:
        told.append(standing.reason(said, evidence.grain, words))
    return words.together([*told, _reached(series, indicator, words)])


def _reached(series: Iterable[Point], indicator: IndicatorEvidence, words: Locale) -> str:
    """The lowest and the highest value of a line, and when."""
    known = [p for p in series if p.value is not None]
    if not known:
        return words.say("narrative.nothing_to_draw")
    low, high = min(known, key=lambda p: p.value), max(known, key=lambda p: p.value)
    return words.say(
        "narrative.reached",
        weeks=words.count(len(known), "week"),
        low=words.figure(low.value, indicator.unit),
        low_day=words.day(low.period_start),
        high=words.figure(high.value, indicator.unit),
        high_day=words.day(high.period_start),
    )
