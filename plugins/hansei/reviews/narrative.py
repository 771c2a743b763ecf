"""What a brief says: sentences made by rules over the evidence, so that no sentence can invent a figure.

Two questions stay apart. Is it good enough? An indicator misses its limit, or meets it. Has it changed? Its word says
so, in the sentence that was stored with it (docs/signals.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from hansei.reviews import figures
from hansei.reviews.evidence import Breach, Evidence, IndicatorEvidence, Judged, Point
from hansei.reviews.figures import agree, contrast, figure, interval, limit, listed, name, plural
from hansei.reviews.standing import (
    WORDS,
    current,
    dimension_word,
    distance,
    is_firm,
    judged_pairs,
    place,
    strongest,
    verdict,
    weight,
)

WEEK = dt.timedelta(weeks=1)


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


@dataclass(frozen=True)
class Headline:
    """The first thing read: what is not ready, what needs a decision, and how the rest stands."""

    not_ready: tuple[str, ...]
    title: str
    standfirst: tuple[str, ...]


def decisions(evidence: Evidence) -> list[Decision]:
    """Everything missed, one decision for each indicator, gravest first; things to watch come last."""
    by_indicator: dict[str, list[Breach]] = {}
    for breach in strongest(evidence.breaches):
        by_indicator.setdefault(breach.indicator_id, []).append(breach)
    found = [_decision(evidence, group) for group in by_indicator.values()]
    return sorted(found, key=lambda d: (not d.needs_decision, weight(d.breach)))


def _decision(evidence: Evidence, group: list[Breach]) -> Decision:
    first = min(group, key=lambda b: (not is_firm(b), b.level != "critical", b.segment_id != "all", weight(b)))
    others = tuple(breach for breach in group if breach is not first)
    indicator = evidence.indicator(first.indicator_id)
    return Decision(
        breach=first,
        others=others,
        title=name(indicator.title),
        place=place(first),
        value=contrast(first),
        limit=limit(first.limit, first.unit, first.is_upper),
        count=plural(first.sample_count, indicator.counts) if first.sample_count and first.unit != "count" else "",
        sentences=tuple(_sentences(evidence, first, others, indicator)),
        look_at=tuple(_look_at(evidence, first, others, indicator)),
        reason=name(first.reason, 240) if first.reason else "",
        owner=name(first.owner or indicator.owner),
        proposal=_proposal(evidence, first),
    )


def _proposal(evidence: Evidence, breach: Breach) -> Proposed | None:
    found = evidence.proposed.get((breach.indicator_id, breach.segment_id))
    if found is None:
        return None
    weeks, days = divmod(found.review_after_days, 7)
    after = plural(found.review_after_days, "day") if days else plural(weeks, "week")
    steps = tuple(name(step, 300) for step in found.steps)
    return Proposed(name(found.action, 300), steps, f"Look at the figure again after {after}.")


def _sentences(
    evidence: Evidence, first: Breach, others: tuple[Breach, ...], indicator: IndicatorEvidence
) -> list[str]:
    """Since when, whether it has changed, what it was before, how sure, and where else."""
    found = [since(first), *changed(evidence, first), *noted_near(indicator, first.first_period)]
    if first.previous_value is not None:
        found.append(f"The week before it was {figure(first.previous_value, first.unit)}.")
    found += certainty(first)
    if others:
        shown = [f"{place(b)} ({contrast(b)})" for b in others[:3]]
        if len(others) > 3:
            shown.append(f"{plural(len(others) - 3, 'other')}")
        found.append(f"Also missed for {listed(shown)}.")
    return found


def since(breach: Breach) -> str:
    """`New this week.` or `Missed 3 weeks in a row, since 19 October 2026 (week 43).`"""
    if breach.consecutive_periods > 1:
        weeks = plural(breach.consecutive_periods, "week")
        first = breach.first_period
        # The run counts weeks beyond either limit, so it may not be told of the critical one alone.
        two = breach.level == "critical" and breach.warning_limit is not None
        what = (
            f"Beyond {figures.bare_limit(breach.warning_limit, breach.unit)}, the warning limit, for"
            if two
            else "Missed"
        )
        return f"{what} {weeks} in a row, since {figures.day(first)} ({figures.week_number(first)})."
    return "New this week." if breach.is_new else "Missed this week."


def changed(evidence: Evidence, judged: Judged) -> list[str]:
    """Whether the figure has changed, in the words of its chart; empty where the chart cannot say."""
    word = evidence.word_of.get((judged.indicator_id, judged.segment_id))
    if word is None or not word.moved:
        return []
    if word.moved != "steady":
        return [word.reason]
    why = "it varies as usual." if word.word == "steady, no target" else f"{word.reason[0].lower()}{word.reason[1:]}"
    return [f"No change: {why} Change the process; do not chase the week."]


def certainty(judged: Judged) -> list[str]:
    """What the interval says about the limit, if there is one."""
    if judged.supported is None or judged.lower_bound is None or judged.upper_bound is None:
        return []
    if judged.supported:
        near = judged.lower_bound if judged.is_upper else judged.upper_bound
        return [f"Hardly chance: even the near end of its interval, {figure(near, judged.unit)}, misses the limit."]
    whole = interval(judged.lower_bound, judged.upper_bound, judged.unit)
    return [f"It may be chance: its interval, {whole}, includes the limit."]


def _look_at(
    evidence: Evidence, first: Breach, others: tuple[Breach, ...], indicator: IndicatorEvidence
) -> Iterable[str]:
    """Where to look first: the segments furthest beyond, or what else that segment misses."""
    if first.segment_id == "all":
        worst = [b for b in others if b.segment_id != "all"] or _beyond(evidence, first, indicator)
        if worst:
            count = plural(worst[0].sample_count, indicator.counts) if worst[0].sample_count else ""
            yield f"{place(worst[0])}: {figure(worst[0].value, first.unit)}" + (f" over {count}" if count else "")
    else:
        same = [b for b in strongest(evidence.breaches) if b.segment_id == first.segment_id and b is not first]
        titles = [name(evidence.indicator(b.indicator_id).title) for b in same if b.indicator_id != first.indicator_id]
        if titles:
            yield f"the same {dimension_word(first.segment_id) or 'segment'} also misses {listed(titles[:3])}"


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


def headline(evidence: Evidence, found: list[Decision]) -> Headline:
    """What is not ready comes first; then decisions, counted; then how the whole service's indicators stand."""
    blocked = not_ready(evidence)
    decide = sum(decision.needs_decision for decision in found)
    watch = len(found) - decide
    judged = list(judged_pairs(evidence).values())
    known = " in what is known" if blocked else ""
    if decide:
        title = f"{plural(decide, 'thing')} {agree(decide, 'needs')} a decision{known}"
    elif judged and not found and set(judged) <= {"not_ready", "too_few_data"}:
        title = "Nothing can be judged this week"
    elif not judged:
        title = "Nothing is judged: no limit is set"
    else:
        title = f"Nothing needs a decision{known or ' this week'}"
    standfirst = [*_standing(judged), *_improved(evidence)]
    most = evidence.maximum_decisions
    if decide > most:
        standfirst.append(f"The {most} that {agree(most, 'weighs')} most come first; all are under Limits missed.")
    if watch:
        standfirst.append(f"{plural(watch, 'more thing')} to watch, which may be chance.")
    return Headline(not_ready=tuple(blocked), title=title, standfirst=tuple(standfirst))


def _waits(evidence: Evidence, indicator: IndicatorEvidence) -> bool:
    whole = verdict(evidence, indicator.indicator_id, "all", indicator.series)
    return "not_ready" in (whole, *judged_pairs(evidence, indicator.indicator_id).values())


def _standing(judged: list[str]) -> Iterable[str]:
    """`Of 25 limits, 16 are met, 4 are missed and 5 have too few data.`"""
    met, missed = judged.count("within"), sum(key.startswith("breach") for key in judged)
    few, waiting = judged.count("too_few_data"), judged.count("not_ready")
    told = [
        (met, f"{met} {agree(met, 'is')} met"),
        (missed, f"{missed} {agree(missed, 'is')} missed"),
        (few, f"{few} {agree(few, 'has')} too few data"),
        (waiting, f"{waiting} {agree(waiting, 'waits')} for data"),
    ]
    said = [text for count, text in told if count]
    if met and met == len(judged):
        yield f"All {plural(met, 'limit')} are met." if met > 1 else "The one limit is met."
    elif said:
        yield f"Of {plural(len(judged), 'limit')}, {listed(said)}."


def _improved(evidence: Evidence) -> Iterable[str]:
    """Good news of what is judged, or of the whole service: it is read as seldom as it is told."""
    better = [w for w in evidence.words if w.word == "better"]
    better = [w for w in better if w.segment_id == "all" or (w.indicator_id, w.segment_id) in evidence.judged]
    if better:
        told = [f"{name(evidence.indicator(w.indicator_id).title)} ({place(w)})" for w in better[:3]]
        if len(better) > 3:
            told.append(plural(len(better) - 3, "other"))
        yield f"Changed for the better: {listed(told)}."


def not_ready(evidence: Evidence) -> list[str]:
    """One sentence for each source that does not cover the period; then what that leaves unjudged."""
    found = []
    for source in evidence.readiness:
        if source.state == "ready" or source.covers:
            continue
        who, needed = name(source.source), source.needed_until
        if source.state == "never" or source.complete_until is None:
            sentence = f"Nothing has arrived from {who} yet."
        else:
            until = figures.moment(source.complete_until, evidence.reporting_zone)
            verb = "failed; its data is" if source.state == "failed" else "is late: its data is"
            sentence = f"{who} {verb} complete only until {until}."
        if needed is not None:
            sentence += f" This brief needs it until {figures.moment(needed, evidence.reporting_zone)}."
        found.append(sentence + (f" {name(source.message, 200)}" if source.message else ""))
    waiting = [name(i.title) for i in evidence.indicators if _waits(evidence, i)]
    if waiting:
        found.append(f"Not judged this week: {listed(waiting)}.")
    return found


def noted_near(indicator: IndicatorEvidence, date: dt.date) -> Iterable[str]:
    """Dated notes from the week before that week to the week after: at the same time, which is not yet because."""
    for note in sorted(indicator.notes, key=lambda n: (n.date, n.text)):
        if date - WEEK <= note.date < date + 2 * WEEK:
            yield f"Noted at that time, {figures.day(note.date)}: {name(note.text, 160).rstrip('.')}."


def alternative(
    title: str, indicator: IndicatorEvidence, evidence: Evidence, segment_id: str, series: Iterable[Point]
) -> str:
    """A chart in words, for who cannot see it: this week's figure, verdict, and the line's range."""
    series = tuple(series)
    point = current(series, evidence.period_start)
    word = WORDS[verdict(evidence, indicator.indicator_id, segment_id, series)]
    known = [p for p in series if p.value is not None]
    text = f"{title}, {figures.week_number(evidence.period_start)}: "
    text += f"{figure(point.value, indicator.unit)}, {word}." if point.value is not None else f"{word}."
    said = evidence.word_of.get((indicator.indicator_id, segment_id))
    if said and said.moved:
        text += f" {said.word.capitalize()}." if said.moved == "steady" else f" {said.reason}"
    if known:
        low, high = min(known, key=lambda p: p.value), max(known, key=lambda p: p.value)
        text += (
            f" Over {plural(len(known), 'week')} the lowest was {figure(low.value, indicator.unit)} in the week of"
            f" {figures.day(low.period_start)}, the highest {figure(high.value, indicator.unit)} in the week of"
            f" {figures.day(high.period_start)}."
        )
    else:
        text += " There is nothing to draw yet."
    return text
