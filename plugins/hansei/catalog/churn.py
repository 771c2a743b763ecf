"""The churn-risk rule: points per condition, a probability per band of points, and the windows that it looks through.

A rule that can be read beats a model that cannot: each account's points can be told in a sentence. Its calibration is
computed from what became of the accounts (core.churn_calibration).
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.entities import Identifier

Feature = Literal[
    "ticket_count",
    "urgent_ticket_count",
    "sla_breach_count",
    "complaint_count",
    "low_csat_count",
    "detractor_count",
    "renewal_day_count",
    "tenure_day_count",
    "annual_value",
]


class ChurnCondition(Definition):
    """Points for an account of which everything that is given holds.

    feature: a figure of the look-back window, or of the day itself: days to the renewal, days as a customer, annual
    value. status, tier, segment: any of these words, as in force on that day.
    """

    id: Identifier
    points: int
    reason: str = Field(min_length=5)
    feature: Feature | None = None
    at_least: float | None = None
    at_most: float | None = None
    status: tuple[str, ...] = ()
    tier: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _asks_something(self) -> ChurnCondition:
        is_bounded = self.at_least is not None or self.at_most is not None
        if (self.feature is None) == is_bounded:
            raise ValueError("a feature needs at_least or at_most, and these need a feature")
        if not (is_bounded or self.status or self.tier or self.segment):
            raise ValueError("give a feature, status, tier or segment: else every account would have the points")
        if self.points == 0:
            raise ValueError("no points: a condition that changes nothing says nothing")
        return self


class ChurnBand(Definition):
    """The share of accounts with so many points or more (up to the next band) that leave within the horizon.

    A probability is in whole hundredths: points cannot know more, and sums of money and errors stay exact.
    """

    id: Identifier
    from_points: int
    probability: float = Field(ge=0, le=1, multiple_of=0.01)


class ChurnRule(Definition):
    """Scores every account each Monday from the `look_back_weeks` full weeks before it; nothing looks further.

    The probabilities are for leaving within `horizon_weeks`. Scores of weeks before `valid_from` are back-casts: what
    the rule would have said. An account is exposed for `exposure_days` after a breached service level, has repeated
    breaches from `repeated_breach_count` of them within that time, and a renewal counts `renewal_days` ahead.
    """

    id: Identifier
    version: int = Field(ge=1)
    title: str
    owner: str
    source: str = Field(min_length=5)
    valid_from: date
    horizon_weeks: int = Field(default=26, ge=1, le=260)
    look_back_weeks: int = Field(default=13, ge=1, le=104)
    exposure_days: int = Field(default=90, ge=1)
    repeated_breach_count: int = Field(default=2, ge=2)
    renewal_days: int = Field(default=90, ge=1)
    conditions: tuple[ChurnCondition, ...] = Field(min_length=1)
    bands: tuple[ChurnBand, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _bands_cover_every_score(self) -> ChurnRule:
        for what, listed in (("conditions", self.conditions), ("bands", self.bands)):
            names = [item.id for item in listed]
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{what} stand twice: {', '.join(twice)}")
        starts = [band.from_points for band in self.bands]
        if starts != sorted(set(starts)):
            raise ValueError("bands: give them in the order of from_points, each number once")
        lowest = sum(condition.points for condition in self.conditions if condition.points < 0)
        if starts[0] > lowest:
            raise ValueError(f"an account may have {lowest} points, but the first band begins at {starts[0]}")
        chances = [band.probability for band in self.bands]
        if chances != sorted(chances):
            raise ValueError("bands: more points cannot mean a lower probability")
        return self
