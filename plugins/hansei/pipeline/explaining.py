"""Why concerns moved: the weeks of a trouble against those before it, taken apart by every dimension.

Before are at most half a year of periods of the same phase that ended when the trouble began, never the week before
alone: a comparison with one week explains that week's chance. Now are the periods of the trouble, at most eight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hansei.catalog.measures import Indicator
from hansei.catalog.reviews import WHOLE
from hansei.catalog.segments import narrowed, parse_segment
from hansei.indicators.cross_sections import (
    DECOMPOSED,
    Spans,
    Yardstick,
    counted_against,
    rows_of,
)
from hansei.indicators.periods import previous_period
from hansei.methods import drivers
from hansei.pipeline.shared_reads import SharedReads
from hansei.reviews.evidence import Breach, Part, Word
from hansei.reviews.explanations import Explanation, MovedDimension, MovedSegment, TimeSpent
from hansei.reviews.standing import weight

# Periods before at most (half a year; of quarters a year), and of the trouble; and before at least.
MOST_BEFORE = {"week": 26, "month": 6, "quarter": 4}
MOST_NOW = {"week": 8, "month": 2, "quarter": 1}
LEAST_BEFORE = 4
MOST_SEGMENTS, EXAMPLES = 5, 5
MOST_CONCERNS = 2  # places of one indicator that are explained beside the whole service
# Indicators of these tables are counted per ticket, so that the ledger can say where their time went.
_TICKET_TABLE = "core.tickets"
_RATES = ("rate_before", "rate_now", "rate_effect", "mix_effect")


@dataclass(frozen=True)
class Concern:
    """Where and since when an indicator is a concern; `breach` is the limit that it misses, if any."""

    segment_id: str
    since: date
    breach: Breach | None = None


class Explaining:
    """Explains concerns about a segment (`all`: the whole service) and inside it, from an open read copy.

    Parts with example rows are kept in `parts`. Inside a segment nothing is told that a small cell could be worked
    out from: no counts, rates of two digits, and no part of fewer cases than may be shown.
    """

    def __init__(self, shared: SharedReads, about: str, salt_of: Callable[[str], str]) -> None:
        self.shared, self.about, self.salt_of = shared, about, salt_of
        self.warehouse, self.catalog, self.grain = shared.warehouse, shared.catalog, shared.review.grain
        self.period_start, self.following = shared.period_start, shared.following
        self.labels = shared.labels
        self.parts: dict[str, Part] = {}
        started = [row for row in shared.verdicts if row["phase_start"] is not None]
        self._phases = {(row["indicator"], row["segment_id"]): row["phase_start"] for row in started}

    def explain(self, breaches: Iterable[Breach], words: Iterable[Word]) -> list[Explanation]:
        """Of each indicator that misses a limit or got worse: what the review is about, then where it is missed."""
        concerns: dict[str, list[Concern]] = {}
        for breach in sorted(breaches, key=weight):
            concerns.setdefault(breach.indicator_id, []).append(Concern(breach.segment_id, breach.first_period, breach))
        for word in words:
            if word.moved == "worse" and word.since is not None and word.segment_id == self.about:
                concerns.setdefault(word.indicator_id, []).append(Concern(self.about, word.since))
        return [found for name in sorted(concerns) for found in self._of_indicator(name, concerns[name])]

    def _of_indicator(self, indicator_id: str, concerns: list[Concern]) -> Iterator[Explanation]:
        """One span of time for an indicator: since its gravest concern began."""
        indicator = self.catalog.indicators[indicator_id]
        first = concerns[0]
        spans = self._spans(first.since, self._phases.get((indicator_id, first.segment_id)))
        yardstick = self._yardstick(indicator, first.breach)
        if indicator.measure not in DECOMPOSED or spans is None or (indicator.measure == "quantile" and not yardstick):
            return
        told = list(dict.fromkeys(concern.segment_id for concern in concerns))[:MOST_CONCERNS]
        for segment_id in dict.fromkeys((self.about, *told)):
            found = self._explained(indicator, segment_id, spans, yardstick, is_concern=segment_id in told)
            if found is not None:
                yield found

    def _spans(self, start: date, phase_start: date | None) -> Spans | None:
        """What is compared with what; None where too little lies before the trouble."""
        now_start = self.period_start
        for _ in range(MOST_NOW[self.grain] - 1):
            if now_start > start:
                now_start = previous_period(self.grain, now_start)
        earliest = self._first_period(start, phase_start)
        return Spans((earliest, start), (now_start, self.following)) if earliest is not None else None

    def _first_period(self, start: date, phase_start: date | None) -> date | None:
        """First period to compare with. A trouble that began with its phase is compared with the phase before."""
        first, starts = start, []
        while len(starts) < MOST_BEFORE[self.grain]:
            first = previous_period(self.grain, first)
            starts.append(first)
        starts = [begun for begun in starts if self.shared.oldest is not None and begun >= self.shared.oldest]
        own = [begun for begun in starts if phase_start is not None and begun >= phase_start]
        chosen = own if len(own) >= LEAST_BEFORE else starts
        return chosen[-1] if len(chosen) >= LEAST_BEFORE else None

    def _yardstick(self, indicator: Indicator, breach: Breach | None) -> Yardstick | None:
        if indicator.measure != "quantile":
            return None
        if breach is not None:
            return Yardstick(breach.limit, breach.is_upper)
        for threshold in self.catalog.thresholds_on(indicator.id, self.grain):
            for limit in threshold.limits.values():
                return Yardstick(limit, indicator.direction != "higher_is_better")
        return None

    def _explained(
        self, indicator: Indicator, segment_id: str, spans: Spans, yardstick: Yardstick | None, is_concern: bool
    ) -> Explanation | None:
        cells = self.shared.cells(indicator, spans, yardstick)
        for dimension, value in parse_segment(segment_id).items():
            cells = cells.within(dimension, value)
        found = drivers.explain(cells)
        if found is None:
            return None
        path, inside = [], segment_id
        for dimension, segment in found.path:
            if not self._may_be_told(segment):
                break
            moved = self._segment(dimension, segment, inside)
            path.append(moved)
            inside = moved.segment_id
        # Where the driver cannot be told, the others would be taken for it.
        dimensions = found.dimensions if path or not found.path else ()
        return Explanation(
            indicator_id=indicator.id,
            segment_id=segment_id,
            segment_label=self.labels.get(segment_id, segment_id),
            what="value" if yardstick is None else "beyond",
            limit=yardstick.limit if yardstick else None,
            is_upper=yardstick.is_upper if yardstick else indicator.direction != "higher_is_better",
            before_start=spans.before[0],
            before_end=spans.before[1] - timedelta(days=1),
            now_start=spans.now[0],
            now_end=spans.now[1] - timedelta(days=1),
            value_before=found.rate0,
            value_now=found.rate1,
            count_before=round(found.n0),
            count_now=round(found.n1),
            lower_bound=found.lower,
            upper_bound=found.upper,
            dimensions=tuple(self._dimension(dimension, segment_id) for dimension in dimensions),
            path=tuple(path),
            time_spent=tuple(self._time_spent(indicator, segment_id, spans)) if is_concern else (),
            examples_part=self._examples(indicator, inside, spans, yardstick) if is_concern else None,
        )

    def _may_be_told(self, moved: drivers.MovedSegment) -> bool:
        """Inside a segment no part of fewer cases than may be shown is told, nor what such parts add up to."""
        shift = moved.shift
        return self.about == WHOLE or (shift.key != drivers.OTHER and min(shift.n0, shift.n1) >= self.shared.least)

    def _dimension(self, dimension: drivers.MovedDimension, inside: str) -> MovedDimension:
        told = [one for one in dimension.segments if self._may_be_told(one)]
        return MovedDimension(
            dimension=dimension.name,
            rate_effect=dimension.parts.rate,
            mix_effect=dimension.parts.mix,
            is_paradox=dimension.parts.is_paradox,
            explained=dimension.explained,
            is_beyond_chance=dimension.is_beyond_chance,
            segments=tuple(self._segment(dimension.name, one, inside) for one in told[:MOST_SEGMENTS]),
        )

    def _segment(self, dimension: str, moved: drivers.MovedSegment, inside: str) -> MovedSegment:
        shift = moved.shift
        own = narrowed("all", dimension, shift.key)
        segment = MovedSegment(
            dimension=dimension,
            segment_id=narrowed(inside, dimension, shift.key),
            label=self.labels.get(own, "all others, each small" if shift.key == drivers.OTHER else shift.key),
            role=moved.role,
            count_before=round(shift.n0),
            count_now=round(shift.n1),
            rate_before=shift.rate0,
            rate_now=shift.rate1,
            rate_effect=shift.rate_effect,
            mix_effect=shift.mix_effect,
            lower_bound=moved.lower,
            upper_bound=moved.upper,
        )
        if self.about == WHOLE:
            return segment
        # Counts of one week's brief less those of the next one's would be the week's, and bounds tell counts.
        hidden = dict.fromkeys(("count_before", "count_now", "lower_bound", "upper_bound"))
        rough = {name: _rough(getattr(segment, name)) for name in _RATES}
        return segment.model_copy(update=hidden | rough)

    def _time_spent(self, indicator: Indicator, segment_id: str, spans: Spans) -> list[TimeSpent]:
        """From the ledger, for durations that end with a solution: mean seconds per ticket and owner."""
        if indicator.table != _TICKET_TABLE or "solved" not in (indicator.counted_on or ""):
            return []
        if indicator.unit not in ("seconds", "business_seconds", "ratio"):
            return []
        seconds = "business_seconds" if indicator.unit == "business_seconds" else "calendar_seconds"
        is_now = f"CASE WHEN {indicator.counted_on} >= DATE '{spans.now[0]}' THEN 1 ELSE 0 END"
        query = (
            f"WITH counted AS (SELECT ticket_id, {is_now} AS is_now FROM {indicator.table} "
            f"WHERE {rows_of(self.catalog, indicator, spans, segment_id)}), "
            "sizes AS (SELECT is_now, COUNT(*) AS ticket_count FROM counted GROUP BY is_now) "
            f"SELECT spans.owner, counted.is_now, CAST(SUM(spans.{seconds}) AS DOUBLE PRECISION) / "
            "MAX(sizes.ticket_count) AS mean_seconds FROM counted "
            "INNER JOIN sizes ON sizes.is_now = counted.is_now "
            "INNER JOIN core.ticket_time_segments AS spans ON spans.ticket_id = counted.ticket_id "
            "WHERE spans.owner <> 'closed' GROUP BY spans.owner, counted.is_now"
        )
        means: dict[str, list[float]] = {}
        for row in self.warehouse.rows(query):
            means.setdefault(row["owner"], [0.0, 0.0])[row["is_now"]] = row["mean_seconds"] or 0.0
        spent = [TimeSpent(owner=owner, before=before, now=now) for owner, (before, now) in means.items()]
        return sorted(spent, key=lambda one: (-abs(one.now - one.before), one.owner))

    def _examples(self, indicator: Indicator, segment_id: str, spans: Spans, yardstick: Yardstick | None) -> str | None:
        """A part with five cases of now that speak against the service, the farthest off first."""
        table = self.catalog.tables[indicator.table]
        key, now = ", ".join(table.key), Spans(spans.now, spans.now)
        against = counted_against(indicator, yardstick)
        worst = f"{indicator.value} DESC" if indicator.value else f"{indicator.counted_on} DESC"
        shown = [*table.key, indicator.counted_on, *([indicator.value] if indicator.value else [])]
        rows: list[dict[str, Any]] = self.warehouse.rows(
            f"SELECT {', '.join(shown)} FROM {table.table} WHERE {rows_of(self.catalog, indicator, now, segment_id)} "
            f"AND {against} ORDER BY {worst}, {key} LIMIT {EXAMPLES}"
        )
        if not rows:
            return None
        part_id = f"examples_{indicator.id}_{len(self.parts) + 1}"
        self.parts[part_id] = Part.of_rows(part_id, self.salt_of(part_id), rows)
        return part_id


def _rough(value: float | None) -> float | None:
    """The value at two significant digits."""
    return None if value is None else float(f"{value:.2g}")
