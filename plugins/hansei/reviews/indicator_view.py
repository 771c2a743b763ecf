"""One indicator as the brief shows it: its figure, charts, segments, and the card that proves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from hansei.reviews import charts, figures, narrative, standing
from hansei.reviews.chart_scales import NARROW
from hansei.reviews.evidence import DURATIONS, Evidence, IndicatorEvidence, Judged, Limit, Part, Point, SegmentSeries
from hansei.reviews.figures import figure, interval, limit, listed, name, number, plural
from hansei.reviews.standing import WORDS, current, verdict

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
MOST_ROWS = 20  # of a dimension; the tail is only counted
MOST_MULTIPLES = 3  # segments drawn beside the whole
ORDER = {key: at for at, key in enumerate(("breach_critical", "breach_warning", "within", "no_limit"))}


@dataclass(frozen=True)
class Standing:
    """One figure of this week with everything that must stand beside it.

    `verdict` and `word` say how it stands to its limit, `moved` and `why` whether it has changed.
    """

    label: str
    place: str
    verdict: str
    word: str
    moved: str
    why: str
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
class Drawing:
    """A chart in every size that a page may need; several drawings of one indicator have captions and one scale."""

    caption: str
    charts: tuple[Markup, ...]


@dataclass(frozen=True)
class IndicatorView:
    """One indicator's section and card."""

    id: str
    title: str
    question: str
    version: str
    owner: str
    now: Standing
    stands: tuple[str, str]
    asked: str
    limits: tuple[str, ...]
    drawings: tuple[Drawing, ...]
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


def own_limits(judged: Judged) -> list[Limit]:
    """The limits that a segment is judged by, for its line."""
    known = {"critical": judged.critical_limit, "warning": judged.warning_limit, judged.level: judged.limit}
    shared = {"valid_from": judged.valid_from, "threshold_id": judged.threshold_id, "side": judged.side}
    return [Limit(level=level, value=value, **shared) for level, value in sorted(known.items()) if value is not None]


def view_indicator(evidence: Evidence, indicator: IndicatorEvidence, parts: Mapping[str, Part]) -> IndicatorView:
    """Everything that the brief shows of one indicator."""
    here = evidence.period_start
    rows = [_row(evidence, indicator, segment) for segment in indicator.segments]
    missing = _ordered([row for row in rows if row[1].verdict.startswith("breach")], indicator)
    now = _standing(evidence, indicator, None)
    first = min((p.period_start for p in indicator.series), default=here)
    return IndicatorView(
        id=indicator.indicator_id,
        title=name(indicator.title),
        question=name(indicator.question, 240),
        version=number(indicator.version),
        owner=name(indicator.owner),
        now=now,
        stands=standing.in_segments(evidence, indicator) or (now.verdict, now.word),
        asked=_asked(evidence, indicator),
        limits=tuple(_limits(evidence, indicator)),
        drawings=tuple(_drawings(evidence, indicator, [segment for _, _, segment in missing])),
        notes=tuple(
            (letter, f"{figures.day(note.date)}: {name(note.text, 200)}")
            for letter, note in charts.shown_notes(indicator.notes, first, here)
        ),
        missing=tuple(shown for _, shown, _ in missing),
        dimensions=tuple(_dimensions(rows, indicator)),
        segment_count=len(rows),
        is_count=indicator.unit == "count",
        facts=tuple(_facts(evidence, indicator)),
        sql=indicator.sql,
        proof=_proof(indicator, parts, {r.part_id: r.row_count for r in evidence.parts}),
    )


def _drawings(evidence: Evidence, indicator: IndicatorEvidence, missing: list[SegmentSeries]) -> Iterable[Drawing]:
    """The whole service's chart; beside it, to the same scale, those of segments that miss their limit."""
    here, uid = evidence.period_start, f"g-{indicator.indicator_id}"
    title = name(indicator.title)
    spoken = narrative.alternative(title, indicator, evidence, "all", indicator.series)
    if not missing:
        wide = charts.line_chart(indicator, here, uid, spoken)
        yield Drawing("", (wide, charts.line_chart(indicator, here, f"{uid}-n", spoken, NARROW)))
        return
    shown = [(segment, _of_segment(evidence, indicator, segment)) for segment in missing[:MOST_MULTIPLES]]
    scale = [indicator, *(own for _, own in shown)]
    yield Drawing("The whole service", (charts.line_chart(indicator, here, uid, spoken, NARROW, scale),))
    for at, (segment, own) in enumerate(shown, 1):
        where = standing.place(segment, segment.label)
        spoken = narrative.alternative(f"{title}, {where}", indicator, evidence, segment.segment_id, segment.series)
        drawn = charts.line_chart(own, here, f"{uid}-{at}", spoken, NARROW, scale)
        yield Drawing(where[:1].upper() + where[1:], (drawn,))


def _of_segment(evidence: Evidence, indicator: IndicatorEvidence, segment: SegmentSeries) -> IndicatorEvidence:
    """The indicator as if the segment were all there is, with the limits that the segment is judged by."""
    limits = _segment_limits(evidence, indicator, segment.segment_id)
    return indicator.model_copy(update={"series": segment.series, "usual": segment.usual, "limits": limits})


def _segment_limits(evidence: Evidence, indicator: IndicatorEvidence, segment_id: str) -> tuple[Limit, ...]:
    said = evidence.judged.get((indicator.indicator_id, segment_id), ())
    return tuple(dict.fromkeys(limit for judged in said for limit in own_limits(judged)))


Row = tuple[Point, Standing, SegmentSeries]


def _row(evidence: Evidence, indicator: IndicatorEvidence, segment: SegmentSeries) -> Row:
    return current(segment.series, evidence.period_start), _standing(evidence, indicator, segment), segment


def _standing(evidence: Evidence, indicator: IndicatorEvidence, segment: SegmentSeries | None) -> Standing:
    """This week's figure of a segment, or (None) of the whole service."""
    series = segment.series if segment else indicator.series
    segment_id = segment.segment_id if segment else "all"
    label = standing.place(segment, segment.label) if segment else name(indicator.title)
    point, before = current(series, evidence.period_start), current(series, evidence.period_start - narrative.WEEK)
    key = verdict(evidence, indicator.indicator_id, segment_id, series)
    limits = indicator.dated_limits
    if segment:
        limits = _segment_limits(evidence, indicator, segment_id)
    spoken = f"{name(indicator.title)}, {label}" if segment else label
    said = evidence.word_of.get((indicator.indicator_id, segment_id))
    return Standing(
        label=name(segment.label or segment.segment_id) if segment else label,
        place=label,
        verdict=key,
        word=WORDS[key],
        moved=said.moved if said else "",
        why=said.reason if said else "",
        value=figure(point.value, indicator.unit),
        interval=interval(point.lower_bound, point.upper_bound, indicator.unit),
        count=plural(point.sample_count, indicator.counts) if point.sample_count is not None else figures.NOTHING,
        previous=figure(before.value if before.state == "ok" else None, indicator.unit),
        spark=charts.sparkline(series, evidence.period_start, indicator.unit, spoken, limits),
    )


def _ordered(rows: list[Row], indicator: IndicatorEvidence) -> list[Row]:
    """Missed first, then worst first by the indicator's direction; what is not judged comes last."""
    sign = 1 if indicator.direction == "higher_is_better" else -1

    def key(row: Row) -> tuple:
        point, shown, segment = row
        value = sign * point.value if point.value is not None else 0.0
        return (not shown.is_judged, ORDER.get(shown.verdict, len(ORDER)), value, segment.segment_id)

    return sorted(rows, key=key)


def _dimensions(rows: list[Row], indicator: IndicatorEvidence) -> list[Dimension]:
    """The segments by dimension, in the order of the evidence; beyond twenty rows the tail is only counted."""
    found = []
    for dimension in dict.fromkeys(row[2].dimension for row in rows):
        ordered = _ordered([row for row in rows if row[2].dimension == dimension], indicator)
        title = name(dimension.replace("_", " ")).capitalize()
        found.append(Dimension(title, tuple(row[1] for row in ordered[:MOST_ROWS]), max(len(ordered) - MOST_ROWS, 0)))
    return found


def _asked(evidence: Evidence, indicator: IndicatorEvidence) -> str:
    """The one limit to show in a row: the gravest that is missed, else the first that would be."""
    for breach in standing.strongest(evidence.breaches):
        if (breach.indicator_id, breach.segment_id) == (indicator.indicator_id, "all"):
            return limit(breach.limit, breach.unit, breach.is_upper)
    texts = _limits(evidence, indicator)
    if texts:
        return texts[-1].removesuffix(" (warning)")
    pairs = standing.judged_pairs(evidence, indicator.indicator_id)
    own = [b for b in standing.strongest(evidence.breaches) if (b.indicator_id, b.segment_id) in pairs]
    own += [j for j in evidence.judgements if (j.indicator_id, j.segment_id) in pairs]
    if not own:
        return figures.NOTHING
    return f"{limit(own[0].limit, own[0].unit, own[0].is_upper)} per {standing.segment_noun(pairs)}"


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
        ("Value" if indicator.unit in DURATIONS else "Numerator", _condition(indicator.numerator)),
        ("Denominator", indicator.denominator),
        ("This week", _fraction(current(indicator.series, evidence.period_start), indicator)),
        ("Counted on", indicator.counted_on),
        ("Unit counted", indicator.counts),
        ("Left out", listed([name(e.replace("_", " "), 120) for e in indicator.exclusions])),
        ("Read with care", "; ".join(CAVEATS.get(c, name(c.replace("_", " "), 160)) for c in indicator.caveats)),
        ("Judged from", plural(least, indicator.counts) if least else ""),
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


def _condition(text: str) -> str:
    """A condition that every row meets says nothing."""
    return "" if text.strip().upper() == "TRUE" else text


def _fraction(point: Point, indicator: IndicatorEvidence) -> str:
    """`24 of 432 tickets`; empty where the value is no division."""
    if indicator.unit != "ratio" or point.numerator is None or point.denominator is None:
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
