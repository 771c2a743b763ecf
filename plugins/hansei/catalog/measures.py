"""Indicators: what a number means. When it is bad is a threshold's business, who reads it a review's."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Literal

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.durations import Duration
from hansei.catalog.entities import Identifier

Direction = Literal["higher_is_better", "lower_is_better", "neutral"]
Grain = Literal["day", "week", "month", "quarter"]
GRAINS: tuple[Grain, ...] = ("day", "week", "month", "quarter")
Measure = Literal[
    "count", "total", "distinct", "ratio", "rate", "mean", "quantile", "net_share", "snapshot", "quotient"
]
Unit = Literal[
    "ratio",
    "seconds",
    "business_seconds",
    "count",
    "points",
    "currency",
    "per_hundred",
    "per_thousand",
    "score",
    "weeks",
    "index",
]
# A share of cases, events per exposure, events alone, a mean of cases; anything else is a bare number.
DataKind = Literal["share", "rate", "count", "mean", "other"]
Interval = Literal["wilson", "trinomial", "student", "woodruff", "poisson", "none"]
Caveat = Literal["late_arriving", "survivorship", "self_selected", "source_defined", "small_numbers", "convention"]
Family = Literal["speed", "resolution", "voice", "channels", "customers", "cost", "team", "elsewhere"]
Perspective = Literal["efficiency", "quality", "collaboration", "development"]
ServqualDimension = Literal["tangibles", "reliability", "responsiveness", "assurance", "empathy"]

_NEEDED: dict[str, set[str]] = {
    "count": {"numerator"},
    "total": {"value"},
    "distinct": {"value"},
    "ratio": {"numerator", "denominator"},
    "rate": {"numerator_value", "denominator_value"},
    "mean": {"value"},
    "quantile": {"value", "quantile"},
    "net_share": {"numerator", "denominator", "subtrahend"},
    "snapshot": {"ends_on"},
    "quotient": {"numerator_indicator", "denominator_indicator"},
}
_ALLOWED: dict[str, set[str]] = {
    "total": {"denominator"},
    "distinct": {"denominator"},
    "rate": {"denominator", "per"},
    "mean": {"denominator"},
    "quantile": {"denominator"},
    "snapshot": {"denominator", "value"},
    "quotient": {"per"},
}
_PARTS = tuple(sorted(set().union(*_NEEDED.values(), *_ALLOWED.values())))
_INTERVALS: dict[str, tuple[Interval, ...]] = {
    "count": ("none", "poisson"),
    "ratio": ("wilson", "none"),
    "rate": ("none", "wilson", "poisson"),
    "mean": ("student", "none"),
    "quantile": ("woodruff", "none"),
    "net_share": ("trinomial", "none"),
    "quotient": ("none", "poisson"),
}
# No row of these measures means 0, not unknown.
ZERO_WITHOUT_ROWS = ("count", "total", "distinct", "snapshot")
ADDITIVE = ("count", "total", "ratio", "rate", "mean", "net_share")


class Change(Definition):
    """Who accepted a version of a definition, and why its numbers may differ from those of the version before."""

    version: int = Field(ge=2)
    by: str = Field(min_length=2)
    reason: str = Field(min_length=10)


class Example(Definition):
    """The parts of a worked row, as they would stand in indicators.indicator_values."""

    numerator: float | None = None
    subtrahend: float | None = None
    denominator: float | None = None
    square_sum: float | None = None
    value: float | None = None


class Indicator(Definition):
    """One measure. `measure` says how the parts become a value:

    count: rows that meet `numerator`. total: the sum of `value`. distinct: how many different `value` there are.
    ratio: numerator rows / denominator rows. rate: `per` times the sum of `numerator_value` by that of
    `denominator_value`. mean: sum / count of `value`. quantile: the q-quantile of `value`, linear between ranks
    (percentile_cont). net_share: 100 * (numerator rows - subtrahend rows) / denominator rows, as NPS needs. snapshot:
    intervals that are open at the period's end, or the sum of their `value`. quotient: `per` times the value of one
    indicator by that of another, in the same period and segment.
    `denominator` is the condition that a row has to meet to be counted at all. Durations are in `seconds`;
    `business_seconds` are told in hours, because a day of open hours has no set length. A period is `immature` until
    `matures_after` has passed since its end. `has_distribution` keeps the minimum, seven quantiles and the maximum of
    a quantile's values in indicators.distributions. `shown_in` names reviews that show the indicator after those that
    they list themselves, so that an own indicator needs no change of a review.
    """

    id: Identifier
    version: int = Field(ge=1)
    title: str
    question: str
    family: Family
    measure: Measure
    unit: Unit
    direction: Direction
    table: str | None = None
    counted_on: Identifier | None = None
    counts: Literal["event", "ticket", "person", "answer", "account", "session", "item"]
    numerator: str | None = None
    denominator: str | None = None
    subtrahend: str | None = None
    value: Identifier | None = None
    numerator_value: Identifier | None = None
    denominator_value: Identifier | None = None
    numerator_indicator: Identifier | None = None
    denominator_indicator: Identifier | None = None
    per: float | None = Field(default=None, gt=0)
    quantile: float | None = Field(default=None, gt=0, lt=1)
    ends_on: Identifier | None = None
    has_distribution: bool = False
    interval: Interval | None = None
    exclusions: tuple[Identifier, ...] = ()
    segments: tuple[Identifier, ...] = ()
    pairs: tuple[tuple[Identifier, Identifier], ...] = ()
    grains: tuple[Grain, ...] = GRAINS
    minimum_denominator: int = Field(default=10, ge=0)
    matures_after: Duration | Literal["repeat_window"] | None = None
    perspective: Perspective | None = None
    servqual_dimension: ServqualDimension | None = None
    source: str | None = None
    owner: str
    shown_in: tuple[Identifier, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    example: Example | None = None
    valid_from: date | None = None
    changes: tuple[Change, ...] = ()

    @model_validator(mode="after")
    def _parts_fit_measure(self) -> Indicator:
        needed = _NEEDED[self.measure]
        given = {part for part in _PARTS if getattr(self, part) is not None}
        if missing := sorted(needed - given):
            raise ValueError(f"measure {self.measure} needs {', '.join(missing)}")
        if surplus := sorted(given - needed - _ALLOWED.get(self.measure, set())):
            raise ValueError(f"measure {self.measure} does not use {', '.join(surplus)}")
        placed = [name for name in ("table", "counted_on", "exclusions") if getattr(self, name)]
        if self.measure == "quotient" and placed:
            raise ValueError(f"a quotient takes {', '.join(placed)} from its two indicators: remove it here")
        if self.measure != "quotient" and not (self.table and self.counted_on):
            raise ValueError(f"measure {self.measure} needs table and counted_on")
        return self

    @model_validator(mode="after")
    def _meaning_is_whole(self) -> Indicator:
        if self.has_distribution and self.measure != "quantile":
            raise ValueError("has_distribution is for quantiles: their values are ranked already")
        if self.measure == "ratio" and self.unit != "ratio":
            raise ValueError("measure ratio has the unit ratio")
        if self.unit == "ratio" and (self.measure in ("quotient", "count") or self.per is not None):
            raise ValueError("the unit ratio is for shares up to 1: use index, per_hundred or per_thousand")
        usable = _INTERVALS.get(self.measure, ("none",))
        if self.interval is not None and self.interval not in usable:
            raise ValueError(f"measure {self.measure} has the intervals {', '.join(usable)}")
        for pair in self.pairs:
            if pair[0] == pair[1] or not set(pair) <= set(self.segments):
                raise ValueError(f"pairs: {' and '.join(pair)} have to be two different segments of the indicator")
        return self

    @property
    def untold_versions(self) -> list[int]:
        """Versions above the first of which nobody has said why they were accepted."""
        told = {change.version for change in self.changes}
        return [number for number in range(2, self.version + 1) if number not in told]

    @property
    def interval_kind(self) -> Interval:
        """The interval in force: the one that is asked for, else the usual one of the measure."""
        return self.interval or _INTERVALS.get(self.measure, ("none",))[0]

    @property
    def data_kind(self) -> DataKind:
        """What its values are to a control chart: the interval that a definition gives says so."""
        if self.interval_kind == "poisson":
            return "count" if self.measure == "count" else "rate"
        if self.interval_kind == "wilson":
            return "share"
        return "mean" if self.measure == "mean" else "other"

    def maturity_days(self, repeat_window: timedelta) -> int:
        """Whole days after a period's end until its rows can be judged; `repeat_window` is the service's."""
        wait = repeat_window if self.matures_after == "repeat_window" else self.matures_after
        return math.ceil(wait / timedelta(days=1)) if wait else 0

    @property
    def cuts(self) -> tuple[tuple[str, ...], ...]:
        """Every way in which the indicator is cut: one dimension, or two in alphabetical order."""
        return (*((name,) for name in self.segments), *(tuple(sorted(pair)) for pair in self.pairs))

    def cuts_by(self, grain: Grain) -> tuple[tuple[str, ...], ...]:
        """How a grain is cut. Days are not cut two ways: cells of a few rows, and many times more of them."""
        return tuple(cut for cut in self.cuts if grain != "day" or len(cut) == 1)
