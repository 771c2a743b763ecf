"""Why a concern moved, as evidence: what changed in which segments, what is only another make-up, where time went."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from hansei.reviews.base import Figure, Frozen, Identifier, Text

Role = Literal["driver", "candidate", "other"]


class MovedSegment(Frozen):
    """One segment's part in a change. Effects are in the explanation's unit; the interval is of its rate's change.

    Counts and interval are None where they could tell what is hidden: inside the segment that a review is about.
    """

    dimension: Text
    segment_id: Text
    label: Text
    role: Role
    count_before: int | None = None
    count_now: int | None = None
    rate_before: Figure | None = None
    rate_now: Figure | None = None
    rate_effect: Figure
    mix_effect: Figure
    lower_bound: Figure | None = None
    upper_bound: Figure | None = None

    @property
    def total(self) -> float:
        return self.rate_effect + self.mix_effect


class MovedDimension(Frozen):
    """One way of cutting, with its strongest segments. `explained`: share of the movement that they hold, 0 to 1."""

    dimension: Text
    rate_effect: Figure
    mix_effect: Figure
    is_paradox: bool
    explained: Figure
    is_beyond_chance: bool
    segments: tuple[MovedSegment, ...] = ()


class TimeSpent(Frozen):
    """Mean seconds per ticket that one owner was booked for, before and now."""

    owner: Text
    before: Figure
    now: Figure


class Explanation(Frozen):
    """Why an indicator moved in a segment.

    what: `value` (a share, mean or net share itself) or `beyond` (the share of cases beyond `limit`, for quantiles).
    before_*, now_*: first and last day compared. lower_bound, upper_bound: interval of the change.
    path: drivers, each inside the one before.
    """

    indicator_id: Identifier
    segment_id: Text
    segment_label: Text
    what: Literal["value", "beyond"]
    limit: Figure | None = None
    is_upper: bool = True
    before_start: dt.date
    before_end: dt.date
    now_start: dt.date
    now_end: dt.date
    value_before: Figure
    value_now: Figure
    count_before: int
    count_now: int
    lower_bound: Figure | None = None
    upper_bound: Figure | None = None
    dimensions: tuple[MovedDimension, ...] = ()
    path: tuple[MovedSegment, ...] = ()
    time_spent: tuple[TimeSpent, ...] = ()
    examples_part: Identifier | None = None

    @property
    def change(self) -> float:
        return self.value_now - self.value_before

    @property
    def is_sure(self) -> bool:
        """Whether it changed by more than chance does; where too little is there to say, it did not."""
        return self.lower_bound is not None and not self.lower_bound <= 0 <= self.upper_bound

    @property
    def drivers(self) -> tuple[MovedSegment, ...]:
        """Every driver, the one that moved most first."""
        found = [s for dimension in self.dimensions for s in dimension.segments if s.role == "driver"]
        return tuple(sorted(found, key=lambda s: (-abs(s.total), s.segment_id)))


class Proposal(Frozen):
    """What a playbook proposes for an indicator that misses its limit in a segment, in the review's language."""

    indicator_id: Identifier
    segment_id: Text
    playbook_id: Identifier
    action: Text
    steps: tuple[Text, ...]
    review_after_days: int
