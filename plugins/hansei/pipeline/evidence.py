"""Gathers what a review stands on, once, from the read copy. Rendering afterwards is a pure function of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hansei import __version__
from hansei.catalog.measures import Direction, Indicator, Review
from hansei.catalog.segments import cut_of
from hansei.catalog.units import is_beyond
from hansei.indicators.explain import figure_sql, rows_sql
from hansei.indicators.periods import next_period, previous_period
from hansei.indicators.wording import counting
from hansei.pipeline.card_evidence import gather_cards, gather_profiles
from hansei.pipeline.context import Context
from hansei.pipeline.evidence_series import series_by_segment, usual_by_segment
from hansei.pipeline.explaining import Explaining
from hansei.pipeline.honesty import gather_honesty
from hansei.pipeline.outlook_evidence import gather_outlooks
from hansei.pipeline.proposing import propose
from hansei.pipeline.risk_evidence import gather_registers
from hansei.pipeline.source_states import source_readiness
from hansei.pipeline.voicing import Voicing
from hansei.reviews.evidence import (
    Breach,
    Evidence,
    IndicatorEvidence,
    Judgement,
    Limit,
    Note,
    Part,
    Point,
    SegmentSeries,
    Usual,
    Word,
)
from hansei.signals.verdicts import recognised
from hansei.warehouse import Warehouse

SAMPLE_ROWS = 20
_LEVEL = {"breach_warning": "warning", "breach_critical": "critical"}


class EvidenceGathering:
    """One review's evidence for one period, read from an open read copy."""

    def __init__(
        self, context: Context, warehouse: Warehouse, review: Review, period_start: date, salt_of: Callable[[str], str]
    ) -> None:
        self.context = context
        self.catalog = context.catalog
        self.warehouse = warehouse
        self.review = review
        self.period_start = period_start
        self.following = next_period(review.grain, period_start)
        self.salt_of = salt_of
        self.shown = self.catalog.shown_in(review)
        self.labels = {row["segment_id"]: row["label"] for row in warehouse.rows("SELECT * FROM indicators.segments")}
        newest = "SELECT as_of, definitions_hash FROM ops.runs ORDER BY as_of DESC, started_at DESC LIMIT 1"
        self.run = warehouse.rows(newest)[0]
        self.parts: dict[str, Part] = {}

    def gather(self) -> tuple[Evidence, dict[str, Part]]:
        """The evidence, and the sample rows that live in parts of their own."""
        judgements, breaches = self._judged()
        missed = {(breach.indicator_id, breach.segment_id) for breach in breaches}
        indicators = tuple(self._indicator(self.catalog.indicators[name], missed) for name in self.shown)
        words = self._words()
        explaining = Explaining(
            self.warehouse, self.catalog, self.review.grain, self.period_start, self.labels, self.salt_of
        )
        explanations = explaining.explain(breaches, words)
        self.parts |= explaining.parts
        voicing = Voicing(self.warehouse, self.catalog, self.salt_of)
        comments = tuple(voicing.read(explanations, breaches, words))
        self.parts |= voicing.parts
        proposals = propose(self.catalog, self.review.languages, breaches, words, explanations, self.labels)
        service = self.catalog.service
        evidence = Evidence(
            review_id=self.review.id,
            title=self.review.title,
            service_name=service.name,
            audience=self.review.audience,
            languages=self.review.languages,
            translations={name: texts | voicing.titles_in(name) for name, texts in proposals.translations.items()},
            reporting_zone=service.reporting_zone,
            grain=self.review.grain,
            period_start=self.period_start,
            period_end=self.following - timedelta(days=1),
            as_of=self.run["as_of"],
            product_version=__version__,
            definitions_hash=self.run["definitions_hash"],
            maximum_decisions=self.review.maximum_decisions,
            readiness=tuple(source_readiness(self.context, self.warehouse, self.following)),
            breaches=tuple(breaches),
            judgements=tuple(judgements),
            words=tuple(words),
            explanations=tuple(explanations),
            comments=comments,
            proposals=tuple(proposals.made),
            indicators=indicators,
            **self._sections(),
            honesty=gather_honesty(
                self.warehouse, self.catalog, self.period_start, self.following, self.run["as_of"], self.labels
            ),
            parts=tuple(part.reference() for _, part in sorted(self.parts.items())),
        )
        return evidence, self.parts

    def _sections(self) -> dict[str, Any]:
        """Scorecards, profiles, risks and the outlook."""
        place = (self.warehouse, self.catalog, self.following, self.labels)
        indicators = [self.catalog.indicators[name] for name in self.shown]
        outlooks = gather_outlooks(self.warehouse, self.catalog, indicators, self.review.grain, self.period_start)
        return {
            "cards": tuple(gather_cards(*place)),
            "profiles": tuple(gather_profiles(*place)),
            "registers": tuple(gather_registers(*place)),
            "outlooks": tuple(outlooks),
        }

    def _indicator(self, indicator: Indicator, missed: set[tuple[str, str]]) -> IndicatorEvidence:
        place = (self.warehouse, indicator.id, self.review.grain, self._first(), self.period_start)
        series = series_by_segment(*place)
        charted = {"all", *(segment_id for name, segment_id in missed if name == indicator.id)}
        usual = usual_by_segment(*place, charted)
        sql = figure_sql(self.catalog, self.warehouse.sql, indicator, self.review.grain, self.period_start)
        return IndicatorEvidence(
            indicator_id=indicator.id,
            version=indicator.version,
            title=indicator.title,
            question=indicator.question,
            unit=indicator.unit,
            direction=indicator.direction,
            owner=indicator.owner,
            counts=indicator.counts,
            counting=counting(indicator),
            numerator=_numerator(indicator),
            denominator=indicator.denominator or "",
            exclusions=indicator.exclusions,
            caveats=indicator.caveats,
            counted_on=f"{indicator.table}.{indicator.counted_on}" if indicator.table else "",
            minimum_denominator=indicator.minimum_denominator,
            series=tuple(series.pop("all", ())),
            usual=tuple(usual.pop("all", ())),
            limits=tuple(self._limits(indicator)),
            segments=tuple(self._segments(indicator, series, usual)),
            sql=sql,
            sample_part=self._sample(indicator),
            notes=tuple(
                Note(date=note.date, text=note.text)
                for note in self.review.notes
                if not note.indicators or indicator.id in note.indicators
            ),
        )

    def _first(self) -> date:
        """First period of the history that the review shows."""
        first = self.period_start
        for _ in range(self.review.history_periods - 1):
            first = previous_period(self.review.grain, first)
        return first

    def _segments(
        self, indicator: Indicator, series: dict[str, list[Point]], usual: dict[str, list[Usual]]
    ) -> list[SegmentSeries]:
        shown = [name for name in self.review.segments if name in indicator.segments]
        return [
            SegmentSeries(
                segment_id=segment_id,
                label=self.labels.get(segment_id, segment_id),
                dimension=cut_of(segment_id),
                series=tuple(points),
                usual=tuple(usual.get(segment_id, ())),
            )
            for segment_id, points in sorted(series.items())
            if cut_of(segment_id) in shown
        ]

    def _limits(self, indicator: Indicator) -> list[Limit]:
        """Limits that hold for the whole service; those of segments show where the segment is judged."""
        found = []
        for threshold in self.catalog.thresholds_on(indicator.id, self.review.grain):
            if "all" not in threshold.segments:
                continue
            dates = {"valid_from": threshold.valid_from, "valid_to": threshold.valid_to}
            for level, limit in threshold.limits.items():
                found.append(Limit(value=limit, level=level, threshold_id=threshold.id, **dates))
        return found

    def _sample(self, indicator: Indicator) -> str | None:
        if indicator.measure == "quotient":
            return None
        query = rows_sql(self.catalog, indicator, self.review.grain, self.period_start, limit=SAMPLE_ROWS)
        rows = self.warehouse.rows(query)
        if not rows:
            return None
        part_id = f"rows_{indicator.id}"
        cells = tuple(tuple("" if cell is None else str(cell) for cell in row.values()) for row in rows)
        self.parts[part_id] = Part(part_id=part_id, salt=self.salt_of(part_id), columns=tuple(rows[0]), rows=cells)
        return part_id

    def _judged(self) -> tuple[list[Judgement], list[Breach]]:
        query = (
            "SELECT * FROM indicators.signals WHERE kind <> 'verdict' AND grain = :grain "
            "AND period_start IN (:this, :before) "
            "ORDER BY threshold_id, segment_id, period_start"
        )
        before = previous_period(self.review.grain, self.period_start)
        rows = self.warehouse.rows(query, {"grain": self.review.grain, "this": self.period_start, "before": before})
        earlier = {_key(row): row for row in rows if row["period_start"] == before}
        restated = self._restated_keys()
        judgements, breaches = [], []
        for row in rows:
            if row["period_start"] != self.period_start or row["indicator"] not in self.shown:
                continue
            if not holds_value_against_limit(row, self.catalog.indicators[row["indicator"]].direction):
                continue
            common = self._common(row, earlier.get(_key(row)), restated)
            judgements.append(Judgement(verdict=row["verdict"], **common))
            if row["verdict"] in _LEVEL:
                breaches.append(Breach(**common))
        return judgements, breaches

    def _words(self) -> list[Word]:
        """What the whole service and every segment that the review shows, or a threshold judges, reads this period."""
        query = (
            "SELECT verdicts.indicator, verdicts.segment_id, verdicts.verdict, verdicts.reason, verdicts.pattern_start "
            "FROM indicators.verdicts AS verdicts "
            "WHERE verdicts.grain = :grain AND verdicts.period_start = :this "
            "ORDER BY verdicts.indicator, verdicts.segment_id"
        )
        shown, cuts = set(self.shown), {"all", *self.review.segments}
        sentences = recognised(self.review.grain)
        judged = {
            (threshold.indicator, cut_of(segment))
            for threshold in self.catalog.thresholds.values()
            for segment in threshold.segments
        }
        return [
            Word(
                indicator_id=row["indicator"],
                segment_id=row["segment_id"],
                segment_label=self.labels.get(row["segment_id"], row["segment_id"]),
                word=row["verdict"],
                reason=row["reason"],
                because=sentences.get(row["reason"], ""),
                since=row["pattern_start"],
            )
            for row in self.warehouse.rows(query, {"grain": self.review.grain, "this": self.period_start})
            if row["indicator"] in shown
            and (cut_of(row["segment_id"]) in cuts or (row["indicator"], cut_of(row["segment_id"])) in judged)
        ]

    def _common(self, row: dict[str, Any], before: dict[str, Any] | None, restated: set) -> dict[str, Any]:
        indicator = self.catalog.indicators[row["indicator"]]
        threshold = self.catalog.thresholds[row["threshold_id"]]
        figures = ("value", "lower_bound", "upper_bound", "numerator", "denominator", "sample_count")
        breaches = row["verdict"] in _LEVEL
        return {
            **{name: row[name] for name in figures},
            "indicator_id": indicator.id,
            "segment_id": row["segment_id"],
            "segment_label": self.labels.get(row["segment_id"], row["segment_id"]),
            "threshold_id": threshold.id,
            "level": row["level"],
            "direction": indicator.direction,
            "limit": row["limit_value"],
            "warning_limit": threshold.limits.get("warning"),
            "critical_limit": threshold.limits.get("critical"),
            "unit": indicator.unit,
            "supported": row["is_supported"],
            "owner": row["owner"] or "",
            "reason": row["limit_reason"],
            "valid_from": threshold.valid_from,
            "consecutive_periods": row["consecutive_count"],
            "first_period": row["first_breach_start"],
            "previous_value": before["value"] if before else None,
            "is_new": breaches and row["consecutive_count"] == 1,
            "restated": (row["indicator"], row["segment_id"]) in restated,
        }

    def _restated_keys(self) -> set[tuple[str, str]]:
        query = (
            "SELECT DISTINCT indicator, segment_id FROM ops.restatements "
            "WHERE grain = :grain AND period_start = :period"
        )
        rows = self.warehouse.rows(query, {"grain": self.review.grain, "period": self.period_start})
        return {(row["indicator"], row["segment_id"]) for row in rows}


def holds_value_against_limit(row: dict[str, Any], direction: Direction) -> bool:
    """Whether the brief's two verbs, misses and meets its limit, are true of what a threshold said of a period's value.

    Not so of charts and forecasts, of a row of periods that is not complete yet, and where there is no limit.
    """
    limit, value = row["limit_value"], row["value"]
    if limit is None or row["kind"] in ("spc_concern", "assurance_fail", "forecast"):
        return False
    if value is None or row["verdict"] not in ("within", *_LEVEL):
        return True
    return is_beyond(value, limit, direction) == (row["verdict"] in _LEVEL)


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return row["threshold_id"], row["segment_id"]


def _numerator(indicator: Indicator) -> str:
    if indicator.measure == "net_share":
        return f"({indicator.numerator}) less ({indicator.subtrahend})"
    return indicator.numerator or indicator.value or ""
