"""Gathers what a review stands on, once, from the read copy. Rendering afterwards is a pure function of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hansei import __version__
from hansei.catalog.measures import Direction, Indicator
from hansei.catalog.reviews import WHOLE
from hansei.catalog.segments import cut_of, lies_within, matches_any, part_within
from hansei.catalog.units import is_beyond
from hansei.indicators.explain import figure_sql, rows_sql
from hansei.indicators.wording import counting
from hansei.pipeline.card_evidence import gather_cards, gather_profiles
from hansei.pipeline.explaining import Explaining
from hansei.pipeline.noting import notes_of
from hansei.pipeline.outlook_evidence import gather_outlooks
from hansei.pipeline.owned_accounts import gather_accounts
from hansei.pipeline.proposing import propose
from hansei.pipeline.risk_evidence import gather_registers
from hansei.pipeline.shared_reads import SharedReads
from hansei.pipeline.translating import with_translations
from hansei.pipeline.voicing import Voicing
from hansei.reviews.comments import Comments
from hansei.reviews.evidence import (
    Breach,
    Evidence,
    IndicatorEvidence,
    Judgement,
    Limit,
    Part,
    Point,
    SegmentSeries,
    Word,
)
from hansei.reviews.foundations import Honesty
from hansei.reviews.shorter_periods import ShorterPeriods
from hansei.signals.verdicts import recognised

SAMPLE_ROWS = 20
_LEVEL = {"breach_warning": "warning", "breach_critical": "critical"}


class EvidenceGathering:
    """The evidence of one edition: a review's for one period, about the whole service or one of its segments."""

    def __init__(self, shared: SharedReads, salt_of: Callable[[str], str], about: str = WHOLE) -> None:
        self.shared, self.salt_of, self.about = shared, salt_of, about
        self.catalog, self.warehouse, self.review = shared.catalog, shared.warehouse, shared.review
        self.period_start, self.following = shared.period_start, shared.following
        self.labels = shared.labels
        self.is_page = shared.review.layout == "one_page"  # has no room for rows, causes and comments
        self.parts: dict[str, Part] = {}

    def gather(self) -> tuple[Evidence, dict[str, Part]]:
        """The evidence, and the sample rows that live in parts of their own."""
        judgements, breaches = self._judged()
        missed = {(breach.indicator_id, breach.segment_id) for breach in breaches}
        indicators = tuple(self._indicator(self.catalog.indicators[name], missed) for name in self.shared.shown)
        words = self._words()
        explaining = Explaining(self.shared, self.about, self.salt_of)
        explanations = explaining.explain(breaches, words)
        voicing = Voicing(self.warehouse, self.catalog, self.about, self.salt_of)
        comments: tuple[Comments, ...] = ()
        if not self.is_page:
            comments = tuple(voicing.read(explanations, breaches, words))
            self.parts |= explaining.parts | voicing.parts
        proposals = propose(self.catalog, self.review.languages, breaches, words, explanations, self.labels, self.about)
        service = self.catalog.service
        evidence = Evidence(
            review_id=self.review.id,
            title=self.review.title,
            service_name=service.name,
            audience=self.review.audience,
            about=self.about,
            about_label="" if self.about == WHOLE else self.labels.get(self.about, self.about),
            minimum_cases=0 if self.about == WHOLE else self.shared.least,
            languages=self.review.languages,
            reporting_zone=service.reporting_zone,
            grain=self.review.grain,
            period_start=self.period_start,
            period_end=self.following - timedelta(days=1),
            as_of=self.shared.run["as_of"],
            product_version=__version__,
            definitions_hash=self.shared.run["definitions_hash"],
            **self._layout(),
            maximum_decisions=self.review.maximum_decisions,
            readiness=self.shared.readiness,
            breaches=tuple(breaches),
            judgements=tuple(judgements),
            words=tuple(words),
            shorter=tuple(self._shorter()),
            explanations=() if self.is_page else tuple(explanations),
            comments=comments,
            proposals=tuple(proposals.made),
            indicators=indicators,
            **self._sections(),
            honesty=self._honesty(),
            parts=tuple(part.reference() for _, part in sorted(self.parts.items())),
        )
        told = {name: texts | voicing.titles_in(name) for name, texts in proposals.translations.items()}
        return with_translations(self.catalog, evidence, told), self.parts

    def _layout(self) -> dict[str, Any]:
        whole = self.catalog.reviews.get(self.review.whole_review or "")
        named = {} if whole is None else {"whole_review": whole.id, "whole_title": whole.title}
        return {"layout": self.review.layout} | named

    def _sections(self) -> dict[str, Any]:
        """Scorecards and outlook of what the edition is about; profiles and risks are of the whole service."""
        place = (self.warehouse, self.catalog, self.following, self.labels)
        indicators = [self.catalog.indicators[name] for name in self.shared.shown]
        period = (self.review.grain, self.period_start)
        found = {
            "accounts": gather_accounts(self.warehouse, self.catalog, self.period_start, self.following, self.about),
            "cards": tuple(gather_cards(*place, self.about)),
            "outlooks": tuple(gather_outlooks(self.warehouse, self.catalog, indicators, *period, self.about)),
        }
        if self.about == WHOLE:
            found |= {"profiles": tuple(gather_profiles(*place)), "registers": tuple(gather_registers(*place))}
        return found

    def _indicator(self, indicator: Indicator, missed: set[tuple[str, str]]) -> IndicatorEvidence:
        series, usual = self.shared.series(indicator.id), self.shared.usual(indicator.id)
        charted = {segment_id for name, segment_id in missed if name == indicator.id}
        place = (indicator, self.review.grain, self.period_start, self.about)
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
            series=tuple(series.get(self.about, ())),
            usual=tuple(usual.get(self.about, ())),
            whole=self._whole(indicator),
            limits=tuple(self._limits(indicator)),
            segments=tuple(self._segments(indicator, charted)),
            sql=figure_sql(self.catalog, self.warehouse.sql, *place),
            sample_part=self._sample(indicator),
            notes=notes_of(
                self.catalog,
                self.review,
                indicator,
                self.about,
                (self.shared.first, self.following),
                self.shared.outages,
                self.labels,
            ),
        )

    def _whole(self, indicator: Indicator) -> Point | None:
        """The whole service's figure of the period, to compare a segment with."""
        if self.about == WHOLE:
            return None
        points = self.shared.series(indicator.id).get(WHOLE, ())
        return next((one for one in points if one.period_start == self.period_start), None)

    def _segments(self, indicator: Indicator, charted: set[str]) -> list[SegmentSeries]:
        """The segments that the review cuts by; inside a segment only cells that may be shown."""
        shown = [name for name in self.review.segments if name in indicator.segments]
        found = []
        for segment_id, points in sorted(self.shared.series(indicator.id).items()):
            part = part_within(segment_id, self.about)
            if cut_of(part) not in shown or not lies_within(segment_id, self.about):
                continue
            own = [self._shown(indicator.id, segment_id, point) for point in points]
            usual = self.shared.usual(indicator.id).get(segment_id, ()) if segment_id in charted else ()
            usual = [one for one in usual if not self._is_hidden(indicator.id, segment_id, one.period_start)]
            found.append(
                SegmentSeries(
                    segment_id=segment_id,
                    label=self.labels.get(part, part),
                    dimension=cut_of(part),
                    series=tuple(own),
                    usual=tuple(usual),
                )
            )
        return [one for one in found if self.about == WHOLE or any(point.state == "ok" for point in one.series)]

    def _shown(self, indicator_id: str, segment_id: str, point: Point) -> Point:
        """The point, or one that says that there is too little to show."""
        if self._is_hidden(indicator_id, segment_id, point.period_start):
            return Point(period_start=point.period_start, state="insufficient")
        return point

    def _is_hidden(self, indicator_id: str, segment_id: str, period: date) -> bool:
        """Whether the cell is too small to be shown inside a segment, or would tell one that is."""
        if segment_id == self.about or self.about == WHOLE:
            return False
        return (segment_id, period) in self.shared.hidden(indicator_id)

    def _is_told(self, indicator_id: str, segment_id: str) -> bool:
        """Whether the edition tells of the segment this period."""
        return lies_within(segment_id, self.about) and not self._is_hidden(indicator_id, segment_id, self.period_start)

    def _label(self, segment_id: str) -> str:
        """What the segment is called; inside what the edition is about, by that which tells it from the rest."""
        own = segment_id if segment_id == self.about else part_within(segment_id, self.about)
        return self.labels.get(own, own)

    def _honesty(self) -> Honesty:
        """That of the whole service, since all its editions stand on it; restated is what this edition is about."""
        found = self.shared.honesty
        if self.about == WHOLE:
            return found
        restated = [one for one in found.restatements if one.segment_id == self.about]
        return found.model_copy(update={"restatements": tuple(restated)})

    def _limits(self, indicator: Indicator) -> list[Limit]:
        """Limits that hold for the edition's subject; those of its segments show where the segment is judged."""
        found = []
        for threshold in self.catalog.thresholds_on(indicator.id, self.review.grain):
            if not matches_any(self.about, threshold.segments):
                continue
            dates = {"valid_from": threshold.valid_from, "valid_to": threshold.valid_to}
            for level, limit in threshold.limits.items():
                found.append(Limit(value=limit, level=level, threshold_id=threshold.id, **dates))
        return found

    def _sample(self, indicator: Indicator) -> str | None:
        if indicator.measure == "quotient" or self.is_page:
            return None
        place = (indicator, self.review.grain, self.period_start, self.about)
        query = rows_sql(self.catalog, *place, limit=SAMPLE_ROWS)
        rows = self.warehouse.rows(query)
        if not rows:
            return None
        part_id = f"rows_{indicator.id}"
        self.parts[part_id] = Part.of_rows(part_id, self.salt_of(part_id), rows)
        return part_id

    def _judged(self) -> tuple[list[Judgement], list[Breach]]:
        rows = [row for row in self.shared.signals if row["indicator"] in self.shared.shown]
        earlier = {_key(row): row for row in rows if row["period_start"] != self.period_start}
        judgements, breaches = [], []
        for row in rows:
            if row["period_start"] != self.period_start or not self._is_told(row["indicator"], row["segment_id"]):
                continue
            if not holds_value_against_limit(row, self.catalog.indicators[row["indicator"]].direction):
                continue
            common = self._common(row, earlier.get(_key(row)))
            judgements.append(Judgement(verdict=row["verdict"], **common))
            if row["verdict"] in _LEVEL:
                breaches.append(Breach(**common))
        return judgements, breaches

    def _shorter(self) -> list[ShorterPeriods]:
        """Those of the edition's subject; of the whole service those of its segments too, which hide nothing."""
        return [one for one in self.shared.shorter if self.about in (WHOLE, one.segment_id)]

    def _words(self) -> list[Word]:
        """What the edition's subject reads, and every segment that it shows or that a threshold judges."""
        shown, cuts = set(self.shared.shown), {WHOLE, *self.review.segments}
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
                segment_label=self._label(row["segment_id"]),
                word=row["verdict"],
                reason=row["reason"],
                because=sentences.get(row["reason"], ""),
                since=row["pattern_start"],
            )
            for row in self.shared.verdicts
            if row["indicator"] in shown
            and self._is_told(row["indicator"], row["segment_id"])
            and (
                cut_of(part_within(row["segment_id"], self.about)) in cuts
                or (row["indicator"], cut_of(row["segment_id"])) in judged
            )
        ]

    def _common(self, row: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
        indicator = self.catalog.indicators[row["indicator"]]
        threshold = self.catalog.thresholds[row["threshold_id"]]
        figures = ("value", "lower_bound", "upper_bound", "numerator", "denominator", "sample_count")
        breaches = row["verdict"] in _LEVEL
        if before and self._is_hidden(indicator.id, row["segment_id"], before["period_start"]):
            before = None
        return {
            **{name: row[name] for name in figures},
            "indicator_id": indicator.id,
            "segment_id": row["segment_id"],
            "segment_label": self._label(row["segment_id"]),
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
            "restated": (row["indicator"], row["segment_id"]) in self.shared.restated,
        }


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
