"""The brief's content, laid out for its template: every string is ready to be shown, none is markup but charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from hansei.reviews import charts, figures, honesty, narrative
from hansei.reviews.evidence import (
    Breach,
    Evidence,
    IndicatorEvidence,
    Judged,
    Limit,
    Part,
    Point,
    SegmentSeries,
    check_parts,
    sha256,
)
from hansei.reviews.figures import figure, interval, limit, listed, name, number, plural
from hansei.reviews.narrative import WORDS, current, verdict

CAVEATS = {
    "late_arriving": "some rows arrive late, so that recent weeks may still move",
    "survivorship": "only what was finished is counted; the hardest cases may still be open",
    "self_selected": "only people who chose to answer are counted",
    "source_defined": "the source system decides what counts, not we",
    "small_numbers": "small numbers move a lot by chance",
    "convention": "there is no standard: this is our own convention",
}
DIRECTIONS = {
    "lower_is_better": "lower is better",
    "higher_is_better": "higher is better",
    "neutral": "neither high nor low is better in itself",
}
LEVELS = {"critical": "Critical", "warning": "Warning"}
ORDER = {key: at for at, key in enumerate(("breach_critical", "breach_warning", "within", "no_limit"))}


@dataclass(frozen=True)
class Standing:
    """One figure of this week with everything that must stand beside it."""

    label: str
    place: str
    verdict: str
    word: str
    value: str
    interval: str
    count: str
    previous: str
    spark: Markup

    @property
    def is_judged(self) -> bool:
        return self.verdict not in ("too_few_data", "not_ready", "no_data")

    @property
    def is_unfinished(self) -> bool:
        return self.verdict == "not_ready"


@dataclass(frozen=True)
class Dimension:
    title: str
    rows: tuple[Standing, ...]
    hidden: int


@dataclass(frozen=True)
class Proof:
    """Sample rows, or why there are none to show."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    message: str


@dataclass(frozen=True)
class IndicatorView:
    """One indicator's section and card."""

    id: str
    title: str
    question: str
    version: str
    owner: str
    now: Standing
    asked: str
    limits: tuple[str, ...]
    wide: Markup
    narrow: Markup
    notes: tuple[tuple[str, str], ...]
    missing: tuple[Standing, ...]
    dimensions: tuple[Dimension, ...]
    segment_count: int
    is_count: bool
    facts: tuple[tuple[str, str], ...]
    sql: str
    proof: Proof

    @property
    def is_missed(self) -> bool:
        """The whole service or a segment misses a limit: it is shown first, and large."""
        return bool(self.missing) or self.now.verdict.startswith("breach")


@dataclass(frozen=True)
class Missed:
    """A row of the list of limits missed."""

    indicator_id: str
    title: str
    place: str
    level: str
    value: str
    interval: str
    count: str
    limit: str
    since: str
    owner: str
    reason: str
    is_firm: bool


@dataclass(frozen=True)
class Brief:
    evidence: Evidence
    hash: str
    week: str
    dates: str
    as_of: str
    headline: narrative.Headline
    decisions: tuple[tuple[narrative.Decision, Markup], ...]
    watched: tuple[tuple[narrative.Decision, Markup], ...]
    missed: tuple[Missed, ...]
    indicators: tuple[IndicatorView, ...]
    topics: tuple[honesty.Topic, ...]


def compose(evidence: Evidence, parts: Mapping[str, Part]) -> Brief:
    """The evidence as a brief. Raises EvidenceError where a part is not the one that the evidence refers to."""
    check_parts(evidence, parts)
    found = narrative.decisions(evidence)
    drawn = [(decision, _spark(evidence, decision)) for decision in found]
    return Brief(
        evidence=evidence,
        hash=sha256(evidence),
        week=figures.week_number(evidence.period_start).capitalize(),
        dates=figures.span(evidence.period_start, evidence.period_end),
        as_of=figures.moment(evidence.as_of, evidence.reporting_zone),
        headline=narrative.headline(evidence, found),
        decisions=tuple(d for d in drawn if d[0].needs_decision)[: evidence.maximum_decisions],
        watched=tuple(d for d in drawn if not d[0].needs_decision),
        missed=tuple(_missed(evidence, breach) for breach in narrative.strongest(evidence.breaches)),
        indicators=tuple(_indicator(evidence, indicator, parts) for indicator in evidence.indicators),
        topics=tuple(honesty.topics(evidence)),
    )


def _spark(evidence: Evidence, decision: narrative.Decision) -> Markup:
    indicator = evidence.indicator(decision.breach.indicator_id)
    known = {"all": indicator.series} | {segment.segment_id: segment.series for segment in indicator.segments}
    series = known.get(decision.breach.segment_id, ())
    label = f"{decision.title}, {decision.place}"
    return charts.sparkline(series, evidence.period_start, indicator.unit, label, _own_limit(decision.breach))


def _own_limit(judged: Judged) -> list[Limit]:
    return [
        Limit(value=judged.limit, level=judged.level, valid_from=judged.valid_from, threshold_id=judged.threshold_id)
    ]


def _missed(evidence: Evidence, breach: Breach) -> Missed:
    indicator = evidence.indicator(breach.indicator_id)
    weeks = f"{plural(breach.consecutive_periods, 'week')}, since {figures.week_number(breach.first_period)}"
    return Missed(
        indicator_id=breach.indicator_id,
        title=name(indicator.title),
        place=narrative.place(breach),
        level=breach.level,
        value=figures.contrast(breach),
        interval=interval(breach.lower_bound, breach.upper_bound, breach.unit),
        count=plural(breach.sample_count, indicator.counts) if breach.sample_count is not None else figures.NOTHING,
        limit=limit(breach.limit, breach.unit, breach.is_upper),
        since="new" if breach.consecutive_periods == 1 else weeks,
        owner=name(breach.owner or indicator.owner),
        reason=name(breach.reason, 240),
        is_firm=narrative.is_firm(breach),
    )


def _indicator(evidence: Evidence, indicator: IndicatorEvidence, parts: Mapping[str, Part]) -> IndicatorView:
    here = evidence.period_start
    alternative = narrative.alternative(indicator, evidence)
    uid = f"g-{indicator.indicator_id}"
    rows = [_standing(evidence, indicator, segment) for segment in indicator.segments]
    first = min((p.period_start for p in indicator.series), default=here)
    return IndicatorView(
        id=indicator.indicator_id,
        title=name(indicator.title),
        question=name(indicator.question, 240),
        version=number(indicator.version),
        owner=name(indicator.owner),
        now=_standing(evidence, indicator, None),
        asked=_asked(evidence, indicator),
        limits=tuple(_limits(evidence, indicator)),
        wide=charts.line_chart(indicator, here, uid, alternative),
        narrow=charts.line_chart(indicator, here, f"{uid}-n", alternative, charts.NARROW),
        notes=tuple(
            (letter, f"{figures.day(note.date)}: {name(note.text, 200)}")
            for letter, note in charts.shown_notes(indicator.notes, first, here)
        ),
        missing=tuple(_ordered([row for row in rows if row[1].verdict.startswith("breach")], indicator)),
        dimensions=tuple(_dimensions(rows, indicator)),
        segment_count=len(rows),
        is_count=indicator.unit == "count",
        facts=tuple(_facts(evidence, indicator)),
        sql=indicator.sql,
        proof=_proof(indicator, parts, {r.part_id: r.row_count for r in evidence.parts}),
    )


def _standing(evidence: Evidence, indicator: IndicatorEvidence, segment: SegmentSeries | None) -> tuple | Standing:
    """This week's figure of the whole service, or (point, standing, segment) of a segment."""
    series = segment.series if segment else indicator.series
    segment_id = segment.segment_id if segment else "all"
    label = narrative.place(segment, segment.label) if segment else name(indicator.title)
    point, before = current(series, evidence.period_start), current(series, evidence.period_start - narrative.WEEK)
    key = verdict(evidence, indicator.indicator_id, segment_id, series)
    everything = (*evidence.judgements, *evidence.breaches)
    judged = [j for j in everything if (j.indicator_id, j.segment_id) == (indicator.indicator_id, segment_id)]
    limits = list({n: None for j in judged for n in _own_limit(j)}) if segment else indicator.dated_limits
    spoken = f"{name(indicator.title)}, {label}" if segment else label
    standing = Standing(
        label=name(segment.label or segment.segment_id) if segment else label,
        place=label,
        verdict=key,
        word=WORDS[key],
        value=figure(point.value, indicator.unit),
        interval=interval(point.lower_bound, point.upper_bound, indicator.unit),
        count=plural(point.sample_count, indicator.counts) if point.sample_count is not None else figures.NOTHING,
        previous=figure(before.value if before.state == "ok" else None, indicator.unit),
        spark=charts.sparkline(series, evidence.period_start, indicator.unit, spoken, limits),
    )
    return (point, standing, segment) if segment else standing


def _ordered(rows: list[tuple[Point, Standing, SegmentSeries]], indicator: IndicatorEvidence) -> list[Standing]:
    """Missed first, then worst first by the indicator's direction; what is not judged comes last."""
    sign = 1 if indicator.direction == "higher_is_better" else -1

    def key(row: tuple[Point, Standing, SegmentSeries]) -> tuple:
        point, standing, segment = row
        value = sign * point.value if point.value is not None else 0.0
        return (not standing.is_judged, ORDER.get(standing.verdict, len(ORDER)), value, segment.segment_id)

    return [row[1] for row in sorted(rows, key=key)]


MOST_ROWS = 20


def _dimensions(rows: list[tuple[Point, Standing, SegmentSeries]], indicator: IndicatorEvidence) -> list[Dimension]:
    """The segments by dimension, in the order of the evidence; beyond twenty rows the tail is only counted."""
    found = []
    for dimension in dict.fromkeys(row[2].dimension for row in rows):
        ordered = _ordered([row for row in rows if row[2].dimension == dimension], indicator)
        title = name(dimension.replace("_", " ")).capitalize()
        found.append(Dimension(title, tuple(ordered[:MOST_ROWS]), max(len(ordered) - MOST_ROWS, 0)))
    return found


def _asked(evidence: Evidence, indicator: IndicatorEvidence) -> str:
    """The one limit to show in a row: the gravest that is missed, else the first that would be."""
    for breach in narrative.strongest(evidence.breaches):
        if (breach.indicator_id, breach.segment_id) == (indicator.indicator_id, "all"):
            return limit(breach.limit, breach.unit, breach.is_upper)
    texts = _limits(evidence, indicator)
    return texts[-1].removesuffix(" (warning)") if texts else figures.NOTHING


def _limits(evidence: Evidence, indicator: IndicatorEvidence) -> list[str]:
    """`at most 4 h`, critical first; a warning limit says so where there are both."""
    active = [found for found in indicator.dated_limits if found.holds(evidence.period_start)]
    both = len({n.level for n in active}) > 1
    texts = []
    for threshold in sorted(active, key=lambda n: (n.level, n.value)):
        upper = threshold.side == "at_most" if threshold.side else indicator.direction != "higher_is_better"
        text = limit(threshold.value, indicator.unit, upper)
        texts.append(f"{text} (warning)" if both and threshold.level == "warning" else text)
    return texts


def _facts(evidence: Evidence, indicator: IndicatorEvidence) -> list[tuple[str, str]]:
    """What an indicator's card says, as term and text; an empty text is left out."""
    least = indicator.minimum_denominator
    reasons = {
        (j.level, j.limit, j.valid_from): (limit(j.limit, j.unit, j.is_upper), j.reason)
        for j in (*evidence.judgements, *evidence.breaches)
        if j.indicator_id == indicator.indicator_id
    }
    facts = [
        ("How it is counted", indicator.counting),
        ("Numerator", indicator.numerator),
        ("Denominator", indicator.denominator),
        ("This week", _fraction(current(indicator.series, evidence.period_start), indicator)),
        ("Counted on", indicator.counted_on.replace("_", " ")),
        ("Unit counted", indicator.counts),
        ("Left out", listed([name(e.replace("_", " "), 120) for e in indicator.exclusions])),
        ("Read with care", "; ".join(CAVEATS.get(c, name(c.replace("_", " "), 160)) for c in indicator.caveats)),
        ("Judged from", "" if least is None else plural(least, indicator.counts)),
        ("Direction", DIRECTIONS[indicator.direction]),
        (
            "Limits",
            "\n".join(
                f"{LEVELS[level]}: {text}, since {figures.day(valid_from)}. {name(reason, 240)}"
                for (level, _, valid_from), (text, reason) in sorted(reasons.items(), key=lambda item: item[0])
            ),
        ),
        ("Owner", name(indicator.owner)),
    ]
    return [(term, text) for term, text in facts if text]


def _fraction(point: Point, indicator: IndicatorEvidence) -> str:
    """`24 of 432 tickets`; empty where the value is no division."""
    if point.numerator is None or point.denominator is None:
        return ""
    upper, lower = (number(v, 0 if v.is_integer() else 2) for v in (point.numerator, point.denominator))
    return f"{upper} of {lower}{figures.NBSP}{figures.agree(0, indicator.counts)}"


def _proof(indicator: IndicatorEvidence, parts: Mapping[str, Part], counts: Mapping[str, int]) -> Proof:
    if indicator.sample_part is None:
        return Proof((), (), "No sample rows were kept for this figure.")
    part = parts.get(indicator.sample_part)
    if part is None:
        return Proof((), (), "The sample rows are kept apart from this copy.")
    if part.erased_on is not None:
        return Proof((), (), f"The sample rows were erased on {figures.day(part.erased_on)}.")
    rows = tuple(tuple(name(cell, 120) if cell else "" for cell in row) for row in part.rows)
    return Proof(
        tuple(name(column) for column in part.columns), rows, f"{plural(counts[part.part_id], 'row')} as a sample"
    )
