"""When breaches become an alarm, when it closes again, and who is told if nobody reacts."""

from __future__ import annotations

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition

# Days without a reaction after which an alarm is escalated, where its threshold names somebody but no number of days.
ESCALATE_AFTER_DAYS = 7


class AlarmPolicy(Definition):
    """How a threshold's breaches open and close an alarm.

    `periods_to_open` and `periods_to_close` count periods in a row; one without a usable value counts for neither and
    ends a row of breaches. `recovery` is the level at which a period counts as recovered, in the threshold's unit and
    apart from the limit, so that an alarm does not flutter around it; without one it is the mildest limit. Whoever
    `escalate_to` names hears of an alarm that nobody acknowledged for `escalate_after_days`.
    """

    periods_to_open: int = Field(default=1, ge=1)
    periods_to_close: int = Field(default=2, ge=1)
    recovery: float | None = None
    escalate_to: str | None = Field(default=None, min_length=2)
    escalate_after_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _days_concern_somebody(self) -> AlarmPolicy:
        if self.escalate_after_days is not None and self.escalate_to is None:
            raise ValueError("escalate_after_days needs escalate_to: whom to tell")
        return self

    @property
    def patience_days(self) -> int | None:
        """Days without a reaction before the alarm is escalated; None where it is not."""
        if self.escalate_to is None:
            return None
        return self.escalate_after_days or ESCALATE_AFTER_DAYS
