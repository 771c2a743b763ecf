"""What limits say of the periods inside a longer one: a month has few limits of its own, its weeks have them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hansei.reviews.base import Figure, Frozen, Identifier, Text


class ShorterPeriods(Frozen):
    """How an indicator's days, weeks or months inside the review's period stood to their limits in one segment.

    `judged_count` of them were held against a limit, and `missed_count` missed it. `limit` is that of the newest one,
    the milder of two.
    """

    indicator_id: Identifier
    segment_id: Text
    grain: Literal["day", "week", "month"]
    judged_count: int = Field(ge=1)
    missed_count: int = Field(ge=0)
    limit: Figure
    is_upper: bool
