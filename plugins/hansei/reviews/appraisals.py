"""Where the service stands on scales of its own, as evidence: scorecards with their lines, profiles axis by axis."""

from __future__ import annotations

import datetime as dt

from hansei.catalog.measures import Grain, Unit
from hansei.reviews.base import Figure, Frozen, Identifier, Text


class Scored(Frozen):
    """A score from 0 to 100 with its interval, and that of the period before; None where too little is known."""

    score: Figure | None = None
    lower_score: Figure | None = None
    upper_score: Figure | None = None
    previous_score: Figure | None = None
    state: Text = "ok"


class ScoredLine(Scored):
    """An indicator on a card's scale: `worst` scores 0, `best` 100; both and `value` in `unit`.

    weight: its share of the total as it was counted, 0 to 1, without what is missing. state: why there is no score.
    """

    indicator_id: Identifier
    title: Text
    unit: Unit
    value: Figure | None = None
    worst: Figure
    best: Figure
    weight: Figure

    @property
    def lost(self) -> float:
        """Points of the total that it lacks: 0 at its best."""
        return self.weight * (100 - self.score) if self.score is not None else 0.0


class ScoredGroup(Scored):
    """A dimension of a card. weight: its share as defined; coverage: the share of its own lines that is known."""

    group_id: Identifier
    title: Text
    weight: Figure
    coverage: Figure
    lines: tuple[ScoredLine, ...] = ()


class Card(Scored):
    """A scorecard for one period and segment; its own score is the total, None below `minimum_coverage`."""

    card_id: Identifier
    version: int
    title: Text
    question: Text
    owner: Text = ""
    approver: Text = ""
    grain: Grain
    period_start: dt.date
    segment_id: Text = "all"
    segment_label: Text = ""
    coverage: Figure
    minimum_coverage: Figure
    groups: tuple[ScoredGroup, ...] = ()


class Place(Frozen):
    """A segment on an axis; no score where too few cases stand behind it."""

    segment_id: Text
    label: Text
    score: Figure | None = None
    lower_score: Figure | None = None
    upper_score: Figure | None = None
    state: Text = "ok"


class Axis(Scored):
    """One axis of a profile: the whole service's own score, and each segment's."""

    axis_id: Identifier
    title: Text
    places: tuple[Place, ...] = ()


class Profile(Frozen):
    """Axes side by side, never made into one number."""

    profile_id: Identifier
    title: Text
    question: Text
    grain: Grain
    period_start: dt.date
    axes: tuple[Axis, ...] = ()
