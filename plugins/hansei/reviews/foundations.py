"""What the figures of a review stand on, as evidence: rows and their fate, drift, restatements, what was left out."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from hansei.reviews.base import Figure, Frozen, Identifier, Instant, Text


class BatchCount(Frozen):
    """What became of the rows of one source and entity over the period's nights."""

    source: Text
    entity: Text
    received: int
    accepted: int
    quarantined: int = 0
    duplicate: int = 0
    held: int = 0
    conflict: int = 0

    @property
    def is_balanced(self) -> bool:
        """received = accepted + quarantined + duplicate + held; conflicts are duplicates already."""
        return self.received == self.accepted + self.quarantined + self.duplicate + self.held


class QuarantineCount(Frozen):
    source: Text
    entity: Text
    rule: Text
    count: int


class Drift(Frozen):
    source: Text
    entity: Text
    field: Text
    kind: Literal["new", "missing", "type"]
    first_seen: dt.date
    count: int = 0


class Restated(Frozen):
    """A figure published earlier that is known better now."""

    indicator_id: Identifier
    grain: Text
    period_start: dt.date
    segment_id: Text
    segment_label: Text
    value_before: Figure | None = None
    value_after: Figure | None = None
    known_since: Instant
    reason: Text


class Unlinked(Frozen):
    kind: Literal["account", "customer"]
    count: int
    of: int


class Excluded(Frozen):
    reason: Text
    count: int


class TimeAdjustments(Frozen):
    """Local times that a clock change made ambiguous (the earlier is taken) or non-existent (shifted forward)."""

    ambiguous: int = 0
    nonexistent: int = 0


class CheckWarned(Frozen):
    source: Text
    entity: Text
    check: Text
    message: Text = ""
    checked: int | None = None
    failed: int | None = None


class Explained(Frozen):
    """Rows of a gap by one reason; negative where the source counts fewer."""

    reason: Text
    count: int


class TieOutDay(Frozen):
    day: dt.date
    theirs: int
    ours: int
    explained: tuple[Explained, ...] = ()
    unexplained: int = 0


class TieOut(Frozen):
    """One entity of one source over the days compared. `days`: those that differ most, unexplained ones first."""

    source: Text
    entity: Text
    first_day: dt.date
    last_day: dt.date
    theirs: int
    ours: int
    explained: tuple[Explained, ...] = ()
    unexplained: int = 0
    days: tuple[TieOutDay, ...] = ()


class Honesty(Frozen):
    """What the figures stand on, and what is missing under them."""

    batches: tuple[BatchCount, ...] = ()
    quarantine: tuple[QuarantineCount, ...] = ()
    drift: tuple[Drift, ...] = ()
    restatements: tuple[Restated, ...] = ()
    unlinked: tuple[Unlinked, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    time_adjustments: TimeAdjustments = TimeAdjustments()
    checks_warned: tuple[CheckWarned, ...] = ()
    tie_outs: tuple[TieOut, ...] = ()
