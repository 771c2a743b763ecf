"""Thresholds: when a number is bad. One model for each kind, told apart by `kind`; and dated entries that rebase.

A threshold is a dated file with a reason, an owner and an approver, apart from the indicator's definition, so that a
policy can move without redefining the number. A limit itself is no breach, and a period without a usable value never
counts (METHODS.md 0.4, 3).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, model_validator

from hansei.catalog.alarms import AlarmPolicy
from hansei.catalog.documents import Definition
from hansei.catalog.entities import Identifier
from hansei.catalog.measures import Grain, Unit
from hansei.catalog.units import in_indicator_unit

Level = Literal["warning", "critical"]
LEVELS: tuple[Level, ...] = ("warning", "critical")
# What people say limits in: stored units, and durations in longer ones.
LimitUnit = Unit | Literal["minutes", "hours", "days"]
Chart = Literal["auto", "xmr", "p", "p_prime", "u", "u_prime", "c", "g", "t", "xbar_s"]
RuleSet = Literal["plot_the_dots", "western_electric", "nelson", "anhoj"]


class Threshold(Definition):
    """What every kind has: whose number, at which grain, for which segments, why, by whom, and from when until when.

    `valid_to` is the first day on which it no longer holds. `segments` are `all`, single ones (`team=desk:7`) or all of
    a cut (`team=*`). Raising a limit is a new file with a new `valid_from`.
    """

    id: Identifier
    indicator: Identifier
    kind: str
    grain: Grain = "week"
    segments: tuple[str, ...] = Field(default=("all",), min_length=1)
    reason: str = Field(min_length=10)
    owner: str | None = None
    approver: str
    valid_from: date
    valid_to: date | None = None
    alarm: AlarmPolicy = AlarmPolicy()

    @model_validator(mode="after")
    def _dates_are_in_order(self) -> Threshold:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must be later than valid_from")
        return self

    @property
    def levels(self) -> tuple[Level, ...]:
        """Levels that a breach can have, the mildest first."""
        return tuple(level for level in LEVELS if getattr(self, level, None) is not None)

    @property
    def limits(self) -> dict[Level, float]:
        """Fixed limits in the unit of the stored values, mildest first; empty where they move or no number is set."""
        return {}

    @property
    def target_level(self) -> float | None:
        """The level that a period is held against: the milder fixed limit, in the unit of the stored values."""
        return next(iter(self.limits.values()), None)

    @property
    def recovery(self) -> float | None:
        """The level of recovery in the unit of the stored values; None where it is the mildest limit."""
        return None

    @property
    def is_many(self) -> bool:
        """Whether it may judge many segments at once, so that chance alone makes some of them look bad."""
        return len(self.segments) > 1 or any("*" in segment for segment in self.segments)


class _TwoLevels(Threshold):
    """Numbers for one or both levels, in one unit."""

    warning: float | None = None
    critical: float | None = None

    @model_validator(mode="after")
    def _has_limit(self) -> _TwoLevels:
        if not self.levels:
            raise ValueError("give warning, critical, or both")
        return self


class _FixedLimits(_TwoLevels):
    """Limits that stay where they are while the threshold is valid."""

    unit: LimitUnit

    @property
    def limits(self) -> dict[Level, float]:
        return {level: in_indicator_unit(getattr(self, level), self.unit) for level in self.levels}

    @property
    def recovery(self) -> float | None:
        return in_indicator_unit(self.alarm.recovery, self.unit)


class _OneLevel(Threshold):
    """A yes or no; `level` says how grave a yes is."""

    level: Level = "critical"

    @property
    def levels(self) -> tuple[Level, ...]:
        return (self.level,)

    @model_validator(mode="after")
    def _recovers_by_itself(self) -> _OneLevel:
        if self.alarm.recovery is not None:
            raise ValueError(f"kind {self.kind} has no recovery level: it recovers when it no longer applies")
        return self


class StaticThreshold(_FixedLimits):
    """The period's value lies beyond a fixed limit."""

    kind: Literal["static"]


class RelativeThreshold(_TwoLevels):
    """The period's value is worse than a frozen baseline by `warning` or `critical` (positive: to the bad side).

    `unit` is percent of the baseline, or the unit of the indicator. The baseline is each segment's own: sum of the
    numerators by sum of the denominators where values are quotients of the two, else the mean of the values, over the
    usable periods that begin from `baseline_from` until the day before `baseline_until`; of at least `minimum_periods`.
    """

    kind: Literal["relative"]
    unit: LimitUnit | Literal["percent"]
    baseline_from: date
    baseline_until: date
    minimum_periods: int = Field(default=8, ge=2)

    @model_validator(mode="after")
    def _baseline_lies_before(self) -> RelativeThreshold:
        if self.baseline_until <= self.baseline_from:
            raise ValueError("baseline_until must be later than baseline_from")
        if self.baseline_until > self.valid_from:
            raise ValueError("the baseline must end before valid_from: what is judged is no yardstick for itself")
        return self

    @model_validator(mode="after")
    def _changes_are_for_the_worse(self) -> RelativeThreshold:
        if any(getattr(self, level) <= 0 for level in self.levels):
            raise ValueError("say by how much worse, as a number above 0; the indicator's direction tells which way")
        return self


class ConsecutiveThreshold(_FixedLimits):
    """So many periods in a row lie beyond a fixed limit; a missing or too small period ends the row."""

    kind: Literal["consecutive"]
    periods: int = Field(default=3, ge=2)


class MOfNThreshold(_FixedLimits):
    """`m` of the last `n` periods lie beyond a fixed limit; a missing or too small period is none of the `m`."""

    kind: Literal["m_of_n"]
    m: int = Field(ge=1)
    n: int = Field(ge=2)

    @model_validator(mode="after")
    def _m_fits_into_n(self) -> MOfNThreshold:
        if self.m > self.n:
            raise ValueError(f"{self.m} of {self.n} periods can never be beyond the limit: m is at most n")
        return self


class BenchmarkThreshold(_OneLevel):
    """The indicator is worse than what others reach, month after month.

    `benchmark` names a definition in benchmarks/: it holds the value of each month with its source, how many months in
    a row call for action, the smallest sample, and whether a missing month ends the row.
    """

    kind: Literal["benchmark"]
    grain: Literal["month"] = "month"
    benchmark: Identifier


class SpcConcernThreshold(_OneLevel):
    """The control chart shows a change to the bad side (METHODS.md 2, docs/spc.md).

    `chart`: `auto` takes what suits the data of each segment. `season`: how the time of year is taken out, once two
    full years have shown it; on the XmR chart.
    """

    kind: Literal["spc_concern"]
    chart: Chart = "xmr"
    rules: RuleSet = "plot_the_dots"
    season: Literal["none", "month", "harmonic"] = "none"


class AssuranceFailThreshold(_OneLevel):
    """The usual range lies wholly on the bad side of the target: the process will miss it by design."""

    kind: Literal["assurance_fail"]
    target: float
    unit: LimitUnit

    @property
    def limits(self) -> dict[Level, float]:
        return {self.level: in_indicator_unit(self.target, self.unit)}


class ForecastThreshold(_FixedLimits):
    """One of the next `horizon` periods is likely to lie beyond a fixed limit: a warning before it does.

    The forecast is the average of four simple ones, and probable is at least one in two (docs/forecasts.md).
    """

    kind: Literal["forecast"]
    horizon: int = Field(default=4, ge=1, le=4)

    @model_validator(mode="after")
    def _recovers_by_itself(self) -> ForecastThreshold:
        if self.alarm.recovery is not None:
            raise ValueError("kind forecast has no recovery level: it recovers when a breach is no longer likely")
        return self


class Rebase(Definition):
    """From `rebased_on` on the chart of an indicator starts anew: a known change is expected to last.

    It lies in thresholds/ beside the limits, and is signed: `by` whom, for which `reason`. Without `segments` it holds
    for every segment. METHODS.md 2.4: only after a shift of seven periods or more with a known cause and a date.
    """

    id: Identifier
    kind: Literal["rebase"]
    indicator: Identifier
    segments: tuple[str, ...] = ()
    rebased_on: date
    reason: str = Field(min_length=10)
    by: str = Field(min_length=2)


# A further kind is one more class here, one judging function in pipeline/breaching.py, and its page in docs/.
AnyThreshold = (
    StaticThreshold
    | RelativeThreshold
    | ConsecutiveThreshold
    | MOfNThreshold
    | BenchmarkThreshold
    | SpcConcernThreshold
    | AssuranceFailThreshold
    | ForecastThreshold
)
# What a file in thresholds/ may hold.
THRESHOLD_FILE = TypeAdapter(Annotated[AnyThreshold | Rebase, Field(discriminator="kind")])
