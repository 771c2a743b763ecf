"""Indicators and thresholds: what a number means, and when it is bad. They are two things on purpose."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.entities import Identifier

Direction = Literal["higher_is_better", "lower_is_better", "neutral"]
Grain = Literal["day", "week", "month"]
Caveat = Literal["late_arriving", "survivorship", "self_selected", "source_defined", "small_numbers", "convention"]


class Indicator(Definition):
    """One measure. `measure` says how the parts become a value:

    count: rows that meet `numerator`. ratio: numerator rows / denominator rows. mean: sum / count of `value`.
    quantile: the q-quantile of `value`, linear between ranks (percentile_cont). net_share: 100 * (numerator rows -
    subtrahend rows) / denominator rows, as NPS needs. snapshot: intervals that are open at the period's end.
    Durations are in `seconds`; `business_seconds` are told in hours, because a day of open hours has no set length.
    """

    id: Identifier
    version: int = Field(ge=1)
    title: str
    question: str
    measure: Literal["count", "ratio", "mean", "quantile", "net_share", "snapshot"]
    unit: Literal["ratio", "seconds", "business_seconds", "count", "points"]
    direction: Direction
    table: str
    counted_on: Identifier
    counts: Literal["event", "ticket", "person", "answer"]
    numerator: str | None = None
    denominator: str | None = None
    subtrahend: str | None = None
    value: Identifier | None = None
    quantile: float | None = Field(default=None, gt=0, lt=1)
    ends_on: Identifier | None = None
    exclusions: tuple[Identifier, ...] = ()
    segments: tuple[Identifier, ...] = ()
    grains: tuple[Grain, ...] = ("day", "week", "month")
    minimum_denominator: int = Field(default=10, ge=0)
    owner: str
    caveats: tuple[Caveat, ...] = ()
    valid_from: date | None = None

    @model_validator(mode="after")
    def _parts_fit_measure(self) -> Indicator:
        needed = {
            "count": {"numerator"},
            "ratio": {"numerator", "denominator"},
            "mean": {"value"},
            "quantile": {"value", "quantile"},
            "net_share": {"numerator", "denominator", "subtrahend"},
            "snapshot": {"ends_on"},
        }[self.measure]
        parts = ("numerator", "denominator", "subtrahend", "value", "quantile", "ends_on")
        given = {part for part in parts if getattr(self, part) is not None}
        allowed = needed | ({"denominator"} if self.measure in ("mean", "quantile") else set())
        if missing := sorted(needed - given):
            raise ValueError(f"measure {self.measure} needs {', '.join(missing)}")
        if surplus := sorted(given - allowed):
            raise ValueError(f"measure {self.measure} does not use {', '.join(surplus)}")
        return self


class Threshold(Definition):
    """A dated limit on one indicator at one grain. Raising it is a new file with a new valid_from."""

    id: Identifier
    indicator: Identifier
    kind: Literal["static"]
    grain: Grain = "week"
    segments: tuple[str, ...] = ("all",)
    warning: float | None = None
    critical: float | None = None
    unit: Literal["ratio", "seconds", "minutes", "hours", "days", "count", "points"]
    reason: str = Field(min_length=10)
    owner: str | None = None
    approver: str
    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _has_limit(self) -> Threshold:
        if self.warning is None and self.critical is None:
            raise ValueError("give warning, critical, or both")
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must be later than valid_from")
        return self


class ReviewNote(Definition):
    """A dated remark that charts show, such as a schedule change."""

    date: date
    text: str
    indicators: tuple[Identifier, ...] = ()


class Review(Definition):
    """A review document: for whom, how often, with which indicators."""

    id: Identifier
    title: str
    audience: str
    owner: str
    grain: Grain = "week"
    language: Literal["en", "zh_CN"] = "en"
    indicators: tuple[Identifier, ...] = Field(min_length=1)
    segments: tuple[Identifier, ...] = ()
    history_periods: int = Field(default=52, ge=4)
    deadline_hours: int = Field(default=56, ge=1)
    maximum_decisions: int = Field(default=3, ge=1, le=3)
    notes: tuple[ReviewNote, ...] = ()
