"""The risk register: what could go wrong, which indicator shows it coming, what it would cost, who holds it down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition, Document, Fault, Location
from hansei.catalog.entities import Identifier
from hansei.catalog.measure_checks import unit_faults
from hansei.catalog.measures import Grain
from hansei.catalog.scorecards import undeclared_faults
from hansei.catalog.segments import parse_segment
from hansei.catalog.units import in_indicator_unit

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

Band = Annotated[int, Field(ge=1, le=5)]
Money = Annotated[float, Field(ge=0)]


class Consequence(Definition):
    """How bad it would be, 1 negligible to 5 catastrophic, seen from each side that applies; the gravest counts."""

    money: Band | None = None
    customers: Band | None = None
    contract: Band | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Consequence:
        if self.money is None and self.customers is None and self.contract is None:
            raise ValueError("give at least one of money, customers, contract")
        return self

    @property
    def gravest(self) -> int:
        return max(band for band in (self.money, self.customers, self.contract) if band is not None)


class Residual(Definition):
    """What is expected to remain once the control works."""

    likelihood: Band
    consequence: Band


class Limit(Definition):
    """What is too far: a `limit` in `unit`, or the critical (else warning) limit of a `threshold` in force.

    Beyond it is on the bad side of the indicator's direction; equal is not beyond.
    """

    indicator: Identifier
    segment: str = "all"
    limit: float | None = None
    unit: str | None = None
    threshold: Identifier | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> Limit:
        if (self.limit is None) == (self.threshold is None) or (self.limit is None) != (self.unit is None):
            raise ValueError("give either limit and unit, or threshold")
        return self

    def resolved(self, catalog: Catalog) -> HeldLimit:
        """The limit in the unit in which the indicator is stored, and the days in which it holds."""
        if self.threshold is None:
            return HeldLimit(in_indicator_unit(self.limit, self.unit))
        found = catalog.thresholds[self.threshold]
        return HeldLimit(list(found.limits.values())[-1], found.valid_from, found.valid_to)


@dataclass(frozen=True)
class HeldLimit:
    """A limit in an indicator's own unit, and the days from which and until which it holds (None: always)."""

    value: float
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)


class KeyIndicator(Limit):
    """A key risk indicator: one that moves before the risk does. `leads` says why it does."""

    leads: str = Field(min_length=10)
    owner: str


class PoissonFrequency(Definition):
    """Losses that do not attract each other, so many a year on average."""

    kind: Literal["poisson"]
    per_year: float = Field(ge=0)


class ClusteredFrequency(Definition):
    """Losses that come in clusters (negative binomial): the smaller the size, the stronger."""

    kind: Literal["negative_binomial"]
    per_year: float = Field(gt=0)
    size: float = Field(gt=0)


class BreachFrequency(Definition):
    """As many losses a year as periods are expected to breach: the likelihood times the periods of a year."""

    kind: Literal["breaching_periods"]


class LognormalSeverity(Definition):
    """Most losses near `median`, one in twenty above `p95`."""

    kind: Literal["lognormal"]
    median: float = Field(gt=0)
    p95: float = Field(gt=0)

    @model_validator(mode="after")
    def _rises(self) -> LognormalSeverity:
        if self.p95 <= self.median:
            raise ValueError(f"p95 {self.p95:g} is not above the median {self.median:g}")
        return self


class EstimatedSeverity(Definition):
    """Least, most likely and most, as an expert says it."""

    kind: Literal["pert", "triangular"]
    minimum: Money
    mode: Money
    maximum: Money

    @model_validator(mode="after")
    def _rises(self) -> EstimatedSeverity:
        if not self.minimum <= self.mode <= self.maximum or self.minimum == self.maximum:
            raise ValueError(f"{self.minimum:g}, {self.mode:g}, {self.maximum:g} do not rise")
        return self


class EmpiricalSeverity(Definition):
    """Losses that happened, drawn again."""

    kind: Literal["empirical"]
    values: Annotated[tuple[Money, ...], Field(min_length=1)]


class Loss(Definition):
    """How often and how much, simulated over `years` years from `seed`; amounts are in `currency`."""

    currency: str = Field(pattern=r"^[A-Z]{3}$")
    frequency: PoissonFrequency | ClusteredFrequency | BreachFrequency = Field(discriminator="kind")
    severity: LognormalSeverity | EstimatedSeverity | EmpiricalSeverity = Field(discriminator="kind")
    exposure_factor: float = Field(default=1.0, gt=0, le=1)
    years: int = Field(default=20_000, ge=1_000, le=1_000_000)
    seed: int = Field(ge=0)


class Risk(Limit):
    """One risk. How likely it is comes from how often the indicator was beyond its limit in the last periods."""

    id: Identifier
    version: int = Field(ge=1)
    title: str
    question: str
    cause: Identifier
    grain: Grain = "week"
    look_back: int = Field(default=12, ge=4, le=60)
    fewest_periods: int = Field(default=4, ge=1)
    consequence: Consequence
    loss: Loss | None = None
    key_indicators: tuple[KeyIndicator, ...] = ()
    control: str = Field(min_length=10)
    residual: Residual | None = None
    owner: str
    source: str | None = None
    valid_from: date | None = None


def check_risks(catalog: Catalog) -> Iterator[Fault]:
    """Every fault of the register that shows against the indicators, and amounts that could not be added up."""
    currencies: dict[str, str] = {}
    for risk in sorted(catalog.risks.values(), key=lambda item: item.id):
        document = catalog.documents["risks", risk.id]
        yield from _limit_faults(catalog, document, (), risk, risk.grain)
        for position, item in enumerate(risk.key_indicators):
            yield from _limit_faults(catalog, document, ("key_indicators", position), item, risk.grain)
        if risk.fewest_periods > risk.look_back:
            found = f"{risk.fewest_periods} periods are more than it looks back ({risk.look_back})"
            yield document.fault(("fewest_periods",), found, "make it smaller")
        if risk.loss is not None:
            currencies.setdefault(risk.loss.currency, risk.id)
            if len(currencies) > 1 and risk.loss.currency != next(iter(currencies)):
                first, by = next(iter(currencies.items()))
                found = f"{risk.loss.currency!r}, while {by} is in {first!r}: losses of both are added up"
                yield document.fault(("loss", "currency"), found, "state every loss in one currency")


def _limit_faults(catalog: Catalog, document: Document, here: Location, item: Limit, grain: str) -> Iterator[Fault]:
    indicator = catalog.indicators.get(item.indicator)
    if indicator is None:
        yield from undeclared_faults(catalog, document, (*here, "indicator"), item.indicator)
        return
    yield from _threshold_faults(catalog, document, here, item, grain)
    if item.unit is not None:
        yield from unit_faults(document, (*here, "unit"), indicator, item.unit)
    if indicator.direction == "neutral":
        found = f"{indicator.id} is neutral, so no value of it is bad"
        yield document.fault((*here, "indicator"), found, "choose an indicator with a direction")
    if grain not in indicator.grains:
        found = f"{indicator.id} is not computed by {grain}"
        yield document.fault((*here, "indicator"), found, f"use one of {', '.join(indicator.grains)}")
    unknown = parse_segment(item.segment).keys() - set(indicator.segments)
    if unknown or "*" in item.segment:
        found = f"{item.segment!r} is no single segment of {indicator.id}"
        usable = ", ".join(["all", *(f"{name}=..." for name in indicator.segments)])
        yield document.fault((*here, "segment"), found, f"use one of {usable}")


def _threshold_faults(catalog: Catalog, document: Document, here: Location, item: Limit, grain: str) -> Iterator[Fault]:
    if item.threshold is None:
        return
    place = (*here, "threshold")
    threshold = catalog.thresholds.get(item.threshold)
    if threshold is None:
        usable = sorted(key for key, other in catalog.thresholds.items() if other.indicator == item.indicator)
        next_step = f"use one of {', '.join(usable)}" if usable else f"give limit and unit: {item.indicator} has none"
        yield document.fault(place, f"threshold {item.threshold!r} is not declared", next_step)
    elif (threshold.indicator, threshold.grain) != (item.indicator, grain):
        found = f"{item.threshold} limits {threshold.indicator} by {threshold.grain}, not {item.indicator} by {grain}"
        yield document.fault(place, found, "choose a threshold of the same indicator and grain")
    elif not threshold.limits:
        found = f"{item.threshold} of kind {threshold.kind} has no fixed limit"
        yield document.fault(place, found, "choose a threshold with one, or give limit and unit")
