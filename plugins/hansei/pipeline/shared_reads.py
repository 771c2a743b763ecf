"""What all editions of a review and period read alike, asked of the read copy once: fifty teams cost one pass."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any

from hansei.catalog.measures import Indicator
from hansei.catalog.reviews import WHOLE, Review
from hansei.catalog.segments import cut_of, parse_segment
from hansei.errors import HanseiError
from hansei.indicators.cross_sections import Spans, Yardstick, cross_section
from hansei.indicators.periods import next_period, periods_before, previous_period
from hansei.methods.drivers import Cells
from hansei.methods.suppression import hidden_cells
from hansei.pipeline.context import Context
from hansei.pipeline.evidence_series import series_by_segment, usual_by_segment
from hansei.pipeline.honesty import gather_honesty
from hansei.pipeline.noting import longest_outages
from hansei.pipeline.shorter_periods import read_shorter_periods
from hansei.pipeline.source_states import source_readiness
from hansei.reviews.evidence import Note, Point, SourceReadiness, Usual
from hansei.reviews.foundations import Honesty
from hansei.reviews.shorter_periods import ShorterPeriods
from hansei.warehouse import Warehouse

# A segment that was quiet has an edition as long as it had anything in so many periods.
QUIET_PERIODS = 4
# What has no team, account or tier is nobody's to read about.
NOBODYS = ("unknown", "unassigned", "unlinked")
Cell = tuple[str, date]  # segment id and period


class SharedReads:
    """Of one review and period, from an open read copy. Everything is read when it is first asked for, and kept."""

    def __init__(self, context: Context, warehouse: Warehouse, review: Review, period_start: date) -> None:
        self.context, self.catalog = context, context.catalog
        self.warehouse, self.review, self.period_start = warehouse, review, period_start
        self.following = next_period(review.grain, period_start)
        self._series: dict[str, Mapping[str, list[Point]]] = {}
        self._hidden: dict[str, set[Cell]] = {}
        self._cells: dict[tuple[str, Spans, Yardstick | None], Cells] = {}

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """Ids of the indicators that the review shows; in one about a dimension those that are cut by it."""
        dimension = self.review.dimension
        indicators = [self.catalog.indicators[name] for name in self.catalog.shown_in(self.review)]
        return tuple(one.id for one in indicators if dimension is None or dimension in one.segments)

    @cached_property
    def abouts(self) -> tuple[str, ...]:
        """What the review has editions about: segments with any value in this period or the few before it.

        Raises HanseiError where the one segment that the definition names has none.
        """
        if self.review.about == WHOLE:
            return (WHOLE,)
        first = periods_before(self.review.grain, self.period_start, QUIET_PERIODS)
        query = (
            "SELECT DISTINCT segment_id FROM indicators.indicator_values WHERE grain = :grain "
            "AND period_start BETWEEN :first AND :last AND segment_id LIKE :like "
            f"AND indicator IN ({self.warehouse.sql.text_list(self.shown)}) ORDER BY segment_id"
        )
        named = {"grain": self.review.grain, "first": first, "last": self.period_start}
        rows = self.warehouse.rows(query, named | {"like": f"{self.review.dimension}=%"})
        found = [row["segment_id"] for row in rows if cut_of(row["segment_id"]) == self.review.dimension]
        if not self.review.about.endswith("=*"):
            if self.review.about not in found:
                place, unknown = f"review {self.review.id}: about", f"{self.review.about!r} has no values of late"
                raise HanseiError(place, unknown, f"use one of {', '.join(found[:12]) or 'those that come'}")
            return (self.review.about,)
        return tuple(one for one in found if parse_segment(one)[self.review.dimension] not in NOBODYS)

    @cached_property
    def labels(self) -> dict[str, str]:
        rows = self.warehouse.rows("SELECT segment_id, label FROM indicators.segments")
        return {row["segment_id"]: row["label"] for row in rows}

    @cached_property
    def run(self) -> dict[str, Any]:
        """`as_of` and `definitions_hash` of the newest night."""
        newest = "SELECT as_of, definitions_hash FROM ops.runs ORDER BY as_of DESC, started_at DESC LIMIT 1"
        return self.warehouse.rows(newest)[0]

    @cached_property
    def readiness(self) -> tuple[SourceReadiness, ...]:
        return tuple(source_readiness(self.context, self.warehouse, self.following))

    @cached_property
    def honesty(self) -> Honesty:
        place = (self.warehouse, self.catalog, self.review.grain, self.period_start, self.following)
        return gather_honesty(*place, self.run["as_of"], self.labels)

    @cached_property
    def first(self) -> date:
        """First period of the history that the review shows."""
        return periods_before(self.review.grain, self.period_start, self.review.history_periods - 1)

    @cached_property
    def outages(self) -> list[Note]:
        """The longest outages of the history that the review shows, as notes."""
        return longest_outages(self.warehouse, self.first, self.following)

    @cached_property
    def signals(self) -> list[dict[str, Any]]:
        """What thresholds say of this period and the one before, by threshold, segment and period."""
        query = (
            "SELECT * FROM indicators.signals WHERE kind <> 'verdict' AND grain = :grain "
            "AND period_start IN (:this, :before) "
            "ORDER BY threshold_id, segment_id, period_start"
        )
        before = previous_period(self.review.grain, self.period_start)
        return self.warehouse.rows(query, {"grain": self.review.grain, "this": self.period_start, "before": before})

    @cached_property
    def shorter(self) -> list[ShorterPeriods]:
        """How the weeks of a month stood to limits that hold for weeks."""
        span = (self.period_start, self.following)
        return read_shorter_periods(self.warehouse, self.catalog, self.review.grain, span, self.shown)

    @cached_property
    def verdicts(self) -> list[dict[str, Any]]:
        """The one word of every indicator and segment this period, and since when its phase lasts."""
        query = (
            "SELECT * FROM indicators.verdicts WHERE grain = :grain AND period_start = :this "
            "ORDER BY indicator, segment_id"
        )
        return self.warehouse.rows(query, {"grain": self.review.grain, "this": self.period_start})

    @cached_property
    def restated(self) -> set[tuple[str, str]]:
        """Indicator and segment of every value of this period that was restated."""
        query = (
            "SELECT DISTINCT indicator, segment_id FROM ops.restatements "
            "WHERE grain = :grain AND period_start = :period"
        )
        rows = self.warehouse.rows(query, {"grain": self.review.grain, "period": self.period_start})
        return {(row["indicator"], row["segment_id"]) for row in rows}

    @cached_property
    def oldest(self) -> date | None:
        """First period of which anything is stored."""
        query = "SELECT MIN(period_start) FROM indicators.indicator_values WHERE grain = :grain"
        return self.warehouse.scalar(query, {"grain": self.review.grain})

    def series(self, indicator_id: str) -> Mapping[str, list[Point]]:
        """Stored values of every segment that editions may show, in order of their periods."""
        if indicator_id not in self._series:
            place = (self.warehouse, indicator_id, self.review.grain, self.first, self.period_start)
            self._series[indicator_id] = series_by_segment(*place, self._cuts)
        return self._series[indicator_id]

    @cached_property
    def _cuts(self) -> set[str]:
        """The whole service, and what the review cuts by; about a dimension, that with each of them."""
        dimension, shown = self.review.dimension, self.review.segments
        if dimension is None:
            return {WHOLE, *shown}
        return {WHOLE, dimension, *("&".join(sorted((dimension, name))) for name in shown)}

    def usual(self, indicator_id: str) -> Mapping[str, list[Usual]]:
        """What was usual, of what editions are about and of segments that miss a limit this period."""
        return self._usual.get(indicator_id, {})

    @cached_property
    def _usual(self) -> dict[str, dict[str, list[Usual]]]:
        segments = {*self.abouts, *(row["segment_id"] for row in self._missed)}
        return usual_by_segment(self.warehouse, self.review.grain, self.first, self.period_start, self.shown, segments)

    @cached_property
    def _missed(self) -> list[dict[str, Any]]:
        now = [row for row in self.signals if row["period_start"] == self.period_start]
        return [row for row in now if row["verdict"] in ("breach_warning", "breach_critical")]

    def cells(self, indicator: Indicator, spans: Spans, yardstick: Yardstick | None) -> Cells:
        """The indicator's cases of two spans, cut by every dimension at once."""
        key = (indicator.id, spans, yardstick)
        if key not in self._cells:
            asked = {"yardstick": yardstick, "about": self.review.dimension}
            self._cells[key] = cross_section(self.warehouse, self.catalog, indicator, spans, **asked)
        return self._cells[key]

    def hidden(self, indicator_id: str) -> set[Cell]:
        """Cells inside the review's segments that are too small to be shown, and those that would tell them.

        Every edition is taken into account, and the totals that reviews of the whole service show.
        """
        if indicator_id not in self._hidden:
            ids: dict[tuple[str, tuple[str, str]], str] = {}
            tables: dict[tuple[str, date], dict[tuple[str, str], float]] = {}
            for segment_id, points in self.series(indicator_id).items():
                parts, cut = parse_segment(segment_id), cut_of(segment_id)
                cell = tuple(parts.values())
                if len(parts) != 2 or self.review.dimension not in parts:
                    continue
                ids[cut, cell] = segment_id
                for point in points:
                    counts = tables.setdefault((cut, point.period_start), {})
                    # What has no count may be of anybody, so it counts as small.
                    counts[cell] = 1 if point.sample_count is None else point.sample_count
            self._hidden[indicator_id] = {
                (ids[cut, cell], period)
                for (cut, period), counts in tables.items()
                for cell in hidden_cells(counts, self.least)
            }
        return self._hidden[indicator_id]

    @cached_property
    def least(self) -> int:
        """Fewest cases that a cell inside a segment is shown with."""
        return max((one.minimum_cases for one in self.catalog.team_privacy.values()), default=0)
