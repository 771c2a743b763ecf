"""The money of one improvement: what it takes and what it brings, period by period or on dates."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition

PERIODS_PER_YEAR = {"month": 12, "quarter": 4, "year": 1}


class Repeated(Definition):
    """The same amount several periods running."""

    amount: float
    times: int = Field(ge=1, le=600)


class DatedFlow(Definition):
    """Money on a day: negative goes out, positive comes in."""

    date: date
    amount: float
    note: str | None = None


class Appraisal(Definition):
    """Either `investment` (at the start) with `benefits` and running `costs` per period, or `flows` on dates."""

    title: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    annual_rate: float = Field(gt=-1)
    period: Literal["month", "quarter", "year"] | None = None
    investment: float | None = Field(default=None, ge=0)
    benefits: tuple[float | Repeated, ...] = ()
    costs: tuple[float | Repeated, ...] = ()
    flows: tuple[DatedFlow, ...] = ()

    @model_validator(mode="after")
    def _one_form(self) -> Appraisal:
        by_period = self.investment is not None and self.period is not None and bool(self.benefits)
        named = self.investment is not None or self.period is not None or self.benefits or self.costs
        if self.flows and named:
            raise ValueError("give flows, or period, investment and benefits, not both")
        if not self.flows and not by_period:
            raise ValueError("give period, investment and benefits, or flows on dates")
        if any(cost < 0 for cost in self.spelt_out("costs")):
            raise ValueError("costs are written as positive amounts")
        return self

    def spelt_out(self, key: Literal["benefits", "costs"]) -> list[float]:
        """The amounts of each period, one by one."""
        amounts: list[float] = []
        for item in getattr(self, key):
            amounts.extend([item.amount] * item.times if isinstance(item, Repeated) else [item])
        return amounts
