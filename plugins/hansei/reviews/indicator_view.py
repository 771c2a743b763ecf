"""One indicator as the brief shows it: its figure, charts, segments, and the card that proves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from hansei.indicators.periods import previous_period
from hansei.reviews import asked, charts, figures, narrative, notes, standing
from hansei.reviews.chart_scales import NARROW
from hansei.reviews.evidence import DURATIONS, Evidence, IndicatorEvidence, Limit, Part, Point, SegmentSeries
from hansei.reviews.locales import Locale
from hansei.reviews.standing import current, verdict

MOST_ROWS = 20  # of a dimension; the tail is only counted
MOST_MULTIPLES = 3  # segments drawn beside the whole
ORDER = {key: at for at, key in enumerate(("breach_critical", "breach_warning", "within", "no_limit"))}


@dataclass(frozen=True)
class Standing:
    """One figure of this week with everything that must stand beside it.

    `verdict` (a key) and `word` say how it stands to its limit, `moved` (a key), `moved_word` and `why` whether it has
    changed.
    """

    label: str
    place: str
    verdict: str
    word: str
    moved: str
    moved_word: str
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
    whole: str
    facts: tuple[tuple[str, str], ...]
    sql: str
    proof: Proof

    @property
    def is_missed(self) -> bool:
        """The whole service or a segment misses a limit: it is shown first, and large."""
        return bool(self.missing) or self.now.verdict.startswith("breach")


def view_indicator(
    evidence: Evidence, indicator: IndicatorEvidence, parts: Mapping[str, Part], words: Locale
) -> IndicatorView:
    """Everything that the brief shows of one indicator."""
    here = evidence.period_start
    rows = [_row(evidence, indicator, segment, words) for segment in indicator.segments]
    missing = _ordered([row for row in rows if row[1].verdict.startswith("breach")], indicator)
    now = _standing(evidence, indicator, None, words)
    first = min((p.period_start for p in indicator.series), default=here)
    return IndicatorView(
        id=indicator.indicator_id,
        title=words.name(indicator.title),
        question=words.name(indicator.question, 240),
        version=words.number(indicator.version),
        owner=words.name(indicator.owner),
        now=now,
        stands=standing.in_segments(evidence, indicator, words) or (now.verdict, now.word),
        asked=asked.asked(evidence, indicator, words),
        limits=tuple(asked.limits(evidence, indicator, words)),
        drawings=tuple(_drawings(evidence, indicator, [segment for _, _, segment in missing], words)),
        notes=tuple(
            (letter, words.say("indicators.note", day=words.day(note.date), text=notes.told(note, words, 200)))
            for letter, note in charts.shown_notes(indicator.notes, first, here)
        ),
        missing=tuple(shown for _, shown, _ in missing),
        dimensions=tuple(_dimensions(rows, indicator, words)),
        segment_count=len(rows),
        is_count=indicator.unit == "count",
        whole=words.figure(indicator.whole.value, indicator.unit) if indicator.whole else "",
        facts=tuple(_facts(evidence, indicator, words)),
        sql=indicator.sql,
        proof=_proof(indicator, parts, {r.part_id: r.row_count for r in evidence.parts}, words),
    )


def _drawings(
    evidence: Evidence, indicator: IndicatorEvidence, missing: list[SegmentSeries], words: Locale
) -> Iterable[Drawing]:
    """The whole service's chart; beside it, to the same scale, those of segments that miss their limit."""
    here, uid = evidence.period_start, f"g-{indicator.indicator_id}"
    title = words.name(indicator.title)
    spoken = narrative.alternative(title, indicator, evidence, evidence.about, indicator.series, words)
    if not missing:
        wide = charts.line_chart(indicator, here, uid, spoken, words)
        yield Drawing("", (wide, charts.line_chart(indicator, here, f"{uid}-n", spoken, words, NARROW)))
        return
    shown = [(segment, _of_segment(evidence, indicator, segment)) for segment in missing[:MOST_MULTIPLES]]
    scale = [indicator, *(own for _, own in shown)]
    whole = charts.line_chart(indicator, here, uid, spoken, words, NARROW, scale)
    yield Drawing(words.opened(standing.subject(evidence, words)), (whole,))
    for at, (segment, own) in enumerate(shown, 1):
        where = standing.place(segment, words, evidence.about, segment.label)
        label = words.say("narrative.in_place", title=title, place=where)
        spoken = narrative.alternative(label, indicator, evidence, segment.segment_id, segment.series, words)
        drawn = charts.line_chart(own, here, f"{uid}-{at}", spoken, words, NARROW, scale)
        yield Drawing(words.opened(where), (drawn,))


def _of_segment(evidence: Evidence, indicator: IndicatorEvidence, segment: SegmentSeries) -> IndicatorEvidence:
    """The indicator as if the segment were all there is, with the limits that the segment is judged by."""
    limits = _segment_limits(evidence, indicator, segment.segment_id)
    return indicator.model_copy(update={"series": segment.series, "usual": segment.usual, "limits": limits})


def _segment_limits(evidence: Evidence, indicator: IndicatorEvidence, segment_id: str) -> tuple[Limit, ...]:
    said = evidence.judged.get((indicator.indicator_id, segment_id), ())
    return tuple(dict.fromkeys(limit for judged in said for limit in asked.own_limits(judged)))


Row = tuple[Point, Standing, SegmentSeries]


def _row(evidence: Evidence, indicator: IndicatorEvidence, segment: SegmentSeries, words: Locale) -> Row:
    return current(segment.series, evidence.period_start), _standing(evidence, indicator, segment, words), segment


def _standing(
    evidence: Evidence, indicator: IndicatorEvidence, segment: SegmentSeries | None, words: Locale
) -> Standing:
    """This week's figure of a segment, or (None) of the whole service."""
    series = segment.series if segment else indicator.series
    segment_id = segment.segment_id if segment else evidence.about
    title = words.name(indicator.title)
    label = standing.place(segment, words, evidence.about, segment.label) if segment else title
    point, before = (
        current(series, evidence.period_start),
        current(series, previous_period(evidence.grain, evidence.period_start)),
    )
    key = verdict(evidence, indicator.indicator_id, segment_id, series)
    limits = indicator.dated_limits
    if segment:
        limits = _segment_limits(evidence, indicator, segment_id)
    spoken = words.say("narrative.in_place", title=title, place=label) if segment else label
    said = evidence.word_of.get((indicator.indicator_id, segment_id))
    return Standing(
        label=standing.label_in(segment.dimension, segment.label or segment.segment_id, words) if segment else label,
        place=label,
        verdict=key,
        word=standing.stood(evidence, indicator.indicator_id, segment_id, key, words),
        moved=said.moved if said else "",
        moved_word=words.say(f"standing.moved.{said.moved}") if said and said.moved else figures.NOTHING,
        why=standing.reason(said, evidence.grain, words) if said else "",
        value=words.figure(point.value, indicator.unit),
        interval=words.interval(point.lower_bound, point.upper_bound, indicator.unit),
        count=figures.NOTHING if point.sample_count is None else words.count(point.sample_count, indicator.counts),
        previous=words.figure(before.value if before.state == "ok" else None, indicator.unit),
        spark=charts.sparkline(series, evidence.period_start, indicator.unit, spoken, limits, words),
    )


def _ordered(rows: list[Row], indicator: IndicatorEvidence) -> list[Row]:
    """Missed first, then worst first by the indicator's direction; what is not judged comes last."""
    sign = 1 if indicator.direction == "higher_is_better" else -1

    def key(row: Row) -> tuple:
        point, shown, segment = row
        value = sign * point.value if point.value is not None else 0.0
        return (not shown.is_judged, ORDER.get(shown.verdict, len(ORDER)), value, segment.segment_id)

    return sorted(rows, key=key)


def _dimensions(rows: list[Row], indicator: IndicatorEvidence, words: Locale) -> list[Dimension]:
    """The segments by dimension, in the order of the evidence; beyond twenty rows the tail is only counted."""
    found = []
    for dimension in dict.fromkeys(row[2].dimension for row in rows):
        ordered = _ordered([row for row in rows if row[2].dimension == dimension], indicator)
        title = standing.cut_word(dimension, words).capitalize()
        found.append(Dimension(title, tuple(row[1] for row in ordered[:MOST_ROWS]), max(len(ordered) - MOST_ROWS, 0)))
    return found


def _facts(evidence: Evidence, indicator: IndicatorEvidence, words: Locale) -> list[tuple[str, str]]:
    """What an indicator's card says, as term and text; an empty text is left out."""
    least = indicator.minimum_denominator
    facts = {
        "counting": words.text(indicator.counting),
        "value" if indicator.unit in DURATIONS else "numerator": _condition(indicator.numerator),
        "denominator": indicator.denominator,
        "this_week": _fraction(current(indicator.series, evidence.period_start), indicator, words),
        "counted_on": indicator.counted_on,
        "counts": words.thing(indicator.counts),
        "exclusions": words.listed([words.exclusion(name) for name in indicator.exclusions]),
        "caveats": words.say("indicators.between_caveats").join(words.caveat(name) for name in indicator.caveats),
        "minimum": words.count(least, indicator.counts) if least else "",
        "direction": words.say(f"directions.{indicator.direction}"),
        "limits": "\n".join(asked.reasons(evidence, indicator, words)),
        "owner": words.name(indicator.owner),
    }
    return [(words.say(f"indicators.facts.{term}"), text) for term, text in facts.items() if text]


def _condition(text: str) -> str:
    """A condition that every row meets says nothing."""
    return "" if text.strip().upper() == "TRUE" else text


def _fraction(point: Point, indicator: IndicatorEvidence, words: Locale) -> str:
    """`24 of 432 tickets`; empty where the value is no division."""
    if indicator.unit != "ratio" or point.numerator is None or point.denominator is None:
        return ""
    upper, lower = (words.number(v, 0 if v.is_integer() else 2) for v in (point.numerator, point.denominator))
    return words.say("indicators.fraction", number=upper, of=lower, things=words.things(indicator.counts))


def _proof(indicator: IndicatorEvidence, parts: Mapping[str, Part], counts: Mapping[str, int], words: Locale) -> Proof:
    if indicator.sample_part is None:
        return Proof((), (), words.say("indicators.no_rows"))
    part = parts.get(indicator.sample_part)
    if part is None:
        return Proof((), (), words.say("indicators.rows_apart"))
    if part.erased_on is not None:
        return Proof((), (), words.say("indicators.rows_erased", day=words.day(part.erased_on)))
    rows = tuple(tuple(words.name(cell, 120) if cell else "" for cell in row) for row in part.rows)
    message = words.say("indicators.rows_shown", count=counts[part.part_id])
    return Proof(tuple(words.name(column) for column in part.columns), rows, message)
