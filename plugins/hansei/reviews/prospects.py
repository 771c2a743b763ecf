"""What became of earlier actions, what could go wrong, and what the next periods will probably be, as evidence."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from hansei.catalog.measures import Grain, Unit
from hansei.reviews.base import Figure, Frozen, Identifier, Text

Band = Annotated[int, Field(ge=1, le=5)]
Grade = Literal["low", "moderate", "high", "extreme"]
Effect = Literal["worked", "likely_worked", "no_evidence", "worse", "too_early"]


class EarlierAction(Frozen):
    """An action that was taken up before, and what its indicator has done since: from `before` to `after`, in `unit`.

    effect: METHODS.md's judgement, `too_early` until enough periods have passed.
    """

    action_id: Identifier
    title: Text
    owner: Text = ""
    indicator_id: Identifier
    indicator_title: Text
    unit: Unit
    segment_id: Text = "all"
    segment_label: Text = ""
    since: dt.date
    effect: Effect
    before: Figure | None = None
    after: Figure | None = None


class KeyIndicator(Frozen):
    """A key risk indicator: one that moves before the risk does."""

    indicator_id: Identifier
    title: Text
    unit: Unit
    segment_id: Text = "all"
    segment_label: Text = ""
    value: Figure | None = None
    limit: Figure
    is_upper: bool
    is_beyond: bool | None = None
    leads: Text = ""
    owner: Text = ""


class Risk(Frozen):
    """One risk of the register in one period. value and limit are in `unit`, losses in `currency` for a year.

    probability: that the next period lies beyond the limit, from `breaching_count` of `period_count`; None, and no
    likelihood, score or grade, where there are too few. is_counted: False where a graver risk has the same cause.
    """

    risk_id: Identifier
    title: Text
    cause: Text
    owner: Text = ""
    control: Text = ""
    indicator_id: Identifier
    indicator_title: Text
    unit: Unit
    segment_id: Text = "all"
    segment_label: Text = ""
    value: Figure | None = None
    limit: Figure
    is_upper: bool
    is_breaching: bool | None = None
    breaching_count: int
    period_count: int
    probability: Figure | None = None
    likelihood: Band | None = None
    consequence: Band
    score: int | None = None
    grade: Grade | None = None
    residual_score: int | None = None
    residual_grade: Grade | None = None
    trend: Literal["rising", "falling", "steady"] | None = None
    is_counted: bool = True
    currency: Text = ""
    expected_loss: Figure | None = None
    value_at_risk_95: Figure | None = None
    key_indicators: tuple[KeyIndicator, ...] = ()


class Losses(Frozen):
    """What a year could cost over all causes, each counted once and independent of the others."""

    currency: Text
    cause_count: int
    priced_cause_count: int
    expected_loss: Figure
    no_loss_probability: Figure
    value_at_risk_95: Figure


class Register(Frozen):
    """The risks that share a grain, in its newest finished period, gravest first.

    waiting: titles of risks that have no figure of that period yet.
    """

    grain: Grain
    period_start: dt.date
    risks: tuple[Risk, ...] = ()
    waiting: tuple[Text, ...] = ()
    losses: Losses | None = None


class ComingPeriod(Frozen):
    """One period ahead: the forecast with the errors so far, half of them below `value`, and `confidence` of the
    outlook's between the bounds.

    mean_error: mean absolute error of the `tried` forecasts so far ahead that have come true.
    """

    period_start: dt.date
    value: Figure
    lower_bound: Figure
    upper_bound: Figure
    mean_error: Figure | None = None
    tried: int = 0


class Chance(Frozen):
    """How likely the likeliest of the coming periods lies beyond a limit."""

    level: Literal["warning", "critical"]
    limit: Figure
    is_upper: bool
    probability: Figure
    period_start: dt.date


class Outlook(Frozen):
    """What the next periods of an indicator will probably be, or (`state`) why nothing sound can be said.

    usable_count: usable periods of the newest phase. error_ratio: mean absolute error of the forecasts so far as a
    multiple of that of repeating the last value; None where none has come true.
    """

    indicator_id: Identifier
    segment_id: Text = "all"
    state: Literal["ok", "too_few_periods", "no_value_now"]
    usable_count: int
    confidence: Figure
    error_ratio: Figure | None = None
    periods: tuple[ComingPeriod, ...] = ()
    chances: tuple[Chance, ...] = ()
