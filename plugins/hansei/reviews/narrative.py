"""What a brief says: sentences made by rules over the evidence, so that no sentence can invent a figure.

Static limits answer one question only, so there are two verbs: an indicator misses its limit, or meets it. Whether
it has changed is for statistical process control, which comes with `Judged.variation`; nothing is claimed before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from hansei.reviews import figures
from hansei.reviews.evidence import Breach, Evidence, IndicatorEvidence, Judged, Judgement, Point, SegmentSeries
from hansei.reviews.figures import agree, contrast, figure, interval, limit, listed, name, plural

WORDS = {
    "not_ready": "data not ready",
    "too_few_data": "too few data",
    "breach_critical": "misses its limit",
    "breach_warning": "misses its warning limit",
    "within": "meets its limit",
    "no_limit": "no limit set",
    "no_data": "no data",
}
_PRECEDENCE = tuple(WORDS)
_STATE_VERDICTS = {
    "incomplete": "not_ready",
    "immature": "not_ready",
    "insufficient": "too_few_data",
    "no_data": "no_data",
    "ok": "no_limit",
}
LONG_RUN = 3  # METHODS.md section 3: consecutive periods after which an unsupported breach counts all the same
WEEK = dt.timedelta(weeks=1)


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


def is_firm(breach: Breach) -> bool:
    """Worth a decision: critical, beyond its limit with its whole interval (or exact), or missed for long."""
    return breach.level == "critical" or breach.supported is not False or breach.consecutive_periods >= LONG_RUN


def current(series: Iterable[Point], period_start: dt.date) -> Point:
    """The point of that period; where there is none, a point that says so."""
    for point in series:
        if point.period_start == period_start:
            return point
    return Point(period_start=period_start, state="no_data")


def verdict(evidence: Evidence, indicator_id: str, segment_id: str, series: Iterable[Point]) -> str:
    """One key of WORDS: the gravest judgement on an indicator and segment, else what its point's state says."""
    said = evidence.judged.get((indicator_id, segment_id), ())
    found = {one.verdict if isinstance(one, Judgement) else f"breach_{one.level}" for one in said}
    if not found:
        found = {_STATE_VERDICTS[current(series, evidence.period_start).state]}
    return min(found, key=_PRECEDENCE.index)


def place(judged: Judged | SegmentSeries, label: str | None = None) -> str:
    """`the whole service`, `team Billing`, `channel mail`."""
    if judged.segment_id == "all":
        return "the whole service"
    shown = name(label if label is not None else getattr(judged, "segment_label", "") or judged.segment_id)
    dimension = dimension_word(judged.segment_id)
    if "&" in judged.segment_id or not dimension or shown.casefold().startswith(dimension):
        return shown
    return f"{dimension} {shown}"


def dimension_word(segment_id: str) -> str:
    """`account tier` of `account_tier=gold`."""
    return segment_id.partition("=")[0].replace("_", " ") if "=" in segment_id else ""


def distance(judged: Judged) -> float:
    """How far beyond its limit, so that units compare: the overshoot as a share of what the limit allows.

    For a ratio that must be high, what is allowed is the shortfall: 80 % against 90 % is as far as 20 % against 10 %.
    """
    if judged.value is None:
        return 0.0
    beyond = judged.value - judged.limit if judged.is_upper else judged.limit - judged.value
    if judged.unit == "points":
        return beyond / 100
    allowed = 1 - judged.limit if judged.unit == "ratio" and not judged.is_upper else abs(judged.limit)
    return beyond / max(allowed, 0.01 if judged.unit == "ratio" else 1.0)


def weight(breach: Breach) -> tuple:
    """Sort key, gravest first: level, support, then distance; ids break ties."""
    return (
        breach.level != "critical",
        {True: 0, None: 1, False: 2}[breach.supported],
        -distance(breach),
        breach.indicator_id,
        breach.segment_id,
    )


def strongest(breaches: Iterable[Breach]) -> list[Breach]:
    """One breach for each indicator and segment (critical swallows warning), gravest first."""
    chosen: dict[tuple[str, str], Breach] = {}
    for breach in sorted(breaches, key=weight):
        chosen.setdefault((breach.indicator_id, breach.segment_id), breach)
    return list(chosen.values())


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
        sentences=tuple(_sentences(first, others, indicator)),
        look_at=tuple(_look_at(evidence, first, others, indicator)),
        reason=name(first.reason, 240) if first.reason else "",
        owner=name(first.owner or indicator.owner),
    )


def _sentences(first: Breach, others: tuple[Breach, ...], indicator: IndicatorEvidence) -> list[str]:
    """Since when, what it was before, how sure, and where else."""
    found = [since(first), *noted_near(indicator, first.first_period)]
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
    standfirst = list(_standing(judged))
    most = evidence.maximum_decisions
    if decide > most:
        standfirst.append(f"The {most} that {agree(most, 'weighs')} most come first; all are under Limits missed.")
    if watch:
        standfirst.append(f"{plural(watch, 'more thing')} to watch, which may be chance.")
    return Headline(not_ready=tuple(blocked), title=title, standfirst=tuple(standfirst))


def _waits(evidence: Evidence, indicator: IndicatorEvidence) -> bool:
    whole = verdict(evidence, indicator.indicator_id, "all", indicator.series)
    return "not_ready" in (whole, *judged_pairs(evidence, indicator.indicator_id).values())


def judged_pairs(evidence: Evidence, indicator_id: str | None = None) -> dict[tuple[str, str], str]:
    """The verdict of every indicator and segment that has a limit; of one indicator only, if it is named."""
    pairs = [pair for pair in evidence.judged if indicator_id is None or pair[0] == indicator_id]
    return {pair: verdict(evidence, *pair, ()) for pair in pairs}


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


def in_segments(evidence: Evidence, indicator: IndicatorEvidence) -> tuple[str, str] | None:
    """How an indicator stands that is judged in segments only: verdict and words (`1 of 5 teams misses`), or None."""
    pairs = judged_pairs(evidence, indicator.indicator_id)
    if not pairs or (indicator.indicator_id, "all") in pairs:
        return None
    gravest = min(pairs.values(), key=_PRECEDENCE.index)
    judged = [v for v in pairs.values() if v == "within" or v.startswith("breach")]
    if gravest == "not_ready" or not judged:
        return gravest, WORDS[gravest]
    missed = sum(v.startswith("breach") for v in judged)
    noun = segment_noun(pairs)
    if not missed:
        words = f"meets its limit in {plural(len(judged), noun)}"
        return "within", words
    level = "breach_critical" if "breach_critical" in judged else "breach_warning"
    return level, f"{missed} of {plural(len(judged), noun)} {agree(missed, 'misses')}"


def segment_noun(pairs: Iterable[tuple[str, str]]) -> str:
    """`team` where all segments are of one dimension, else `segment`."""
    dimensions = {dimension_word(segment_id) for _, segment_id in pairs}
    return dimensions.pop() if len(dimensions) == 1 and "" not in dimensions else "segment"


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
