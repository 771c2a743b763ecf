"""The state of an alarm as a function of what happened to it, and what a night adds because time has passed.

    open -> acknowledged -> recovering -> closed
    muted covers all but closed, until a night wakes the alarm

Pure: events in, words out. Nothing reads a clock, so that the same events always give the same state.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

State = Literal["open", "acknowledged", "muted", "recovering", "closed"]
What = Literal[
    "opened",
    "joined",
    "raised",
    "recovering",
    "relapsed",
    "restated",
    "closed",
    "retired",
    "escalated",
    "woken",
    "acknowledged",
    "muted",
]
# What each event does to the trouble itself; the others leave it as it is.
_CONDITIONS = {
    "opened": "breaching",
    "relapsed": "breaching",
    "recovering": "recovering",
    "restated": "recovering",  # or closed, which `is_end` says
    "closed": "closed",
    "retired": "closed",
}


@dataclass(frozen=True)
class Situation:
    """Where an alarm stands. `waits_since`: from when on nobody has reacted; naive UTC."""

    condition: Literal["none", "breaching", "recovering", "closed"] = "none"
    severity: str = "general"
    is_acknowledged: bool = False
    muted_until: date | None = None
    is_escalated: bool = False
    waits_since: datetime | None = None

    @property
    def state(self) -> State | None:
        """None before anything happened."""
        if self.condition == "none":
            return None
        if self.condition == "closed":
            return "closed"
        if self.muted_until is not None:
            return "muted"
        if self.condition == "recovering":
            return "recovering"
        return "acknowledged" if self.is_acknowledged else "open"

    def after(
        self, what: str, at: datetime, severity: str | None = None, until: date | None = None, is_end: bool = False
    ) -> Situation:
        """The situation after one event. `until`: of a mute; `is_end`: the event closes the alarm."""
        condition = "closed" if is_end else _CONDITIONS.get(what, self.condition)
        now = replace(self, condition=condition, severity=severity or self.severity)
        if what == "acknowledged":
            return replace(now, is_acknowledged=True)
        if what == "muted":
            return replace(now, muted_until=until)
        if what == "escalated":
            return replace(now, is_escalated=True)
        if what in ("opened", "woken"):
            return replace(now, muted_until=None, is_escalated=False, waits_since=at)
        return now

    def is_overdue(self, at: datetime, after_days: int) -> bool:
        """Whether nobody has acknowledged the alarm for so long; never while it is muted or recovers."""
        return self.state == "open" and at - self.waits_since >= timedelta(days=after_days)

    def wakes(self, today: date) -> bool:
        """Whether its mute has run out; `today` in the reporting zone."""
        return self.state == "muted" and today >= self.muted_until


def situation_of(events: Iterable) -> Situation:
    """The situation after these events (`what`, `at`, `severity`, `until`, `to_state`), oldest first."""
    situation = Situation()
    for event in events:
        situation = situation.after(event.what, event.at, event.severity, event.until, event.to_state == "closed")
    return situation
