"""The service itself, and how its systems' keys are linked."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from hansei.catalog.calendars import CalendarAssignment, Zone
from hansei.catalog.documents import Definition, Language
from hansei.catalog.durations import Duration
from hansei.catalog.entities import Identifier


class Service(Definition):
    """Whose quality is improved, in which zone its days are counted, and who follows which calendar since when.

    `calendar_change` says what a ticket that changes calendars is reckoned by: each piece of its time by the
    calendar in force then, or all of it by the last one, as Zendesk does. `snapshot_time` is the time of day at which
    the backlog of a day is counted. `repeat_window` says how long after its solution (or its creation:
    `repeat_window_from`) another ticket of the customer shows that the first was no answer. `indicators` names the
    indicators or families of them that are computed, beside those that reviews and thresholds name; all, where it is
    not given.
    """

    id: Identifier
    name: str
    reporting_zone: Zone
    language: Language = "en"
    calendar: str = "always"
    calendar_assignments: tuple[CalendarAssignment, ...] = ()
    calendar_change: Literal["piecewise", "last"] = "piecewise"
    snapshot_time: time = time(23, 59, 59)
    repeat_window: Duration = timedelta(days=7)
    repeat_window_from: Literal["solved", "created"] = "solved"
    indicators: tuple[Identifier, ...] | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.reporting_zone)

    def midnight(self, day: date) -> datetime:
        """The naive UTC instant at which the day begins in the reporting zone."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC).replace(tzinfo=None)

    @property
    def snapshot_seconds_before_midnight(self) -> int:
        """Counted back from the end of the day, so that a switch of the clocks at night does not move it."""
        at = self.snapshot_time
        return 86400 - (at.hour * 3600 + at.minute * 60 + at.second)

    @property
    def repeat_window_seconds(self) -> int:
        return int(self.repeat_window.total_seconds())


class LinkRule(Definition):
    """One way to tell that a key of one system belongs to an account of another."""

    id: Identifier
    rule: Literal["own_id", "external_id", "organisation", "email_hash", "email_domain"]


class Links(Definition):
    """Ordered rules; the first that finds anything decides, and a tie within it leaves the key unlinked."""

    id: Identifier
    account_rules: tuple[LinkRule, ...] = Field(min_length=1)
    public_email_domains: tuple[str, ...] = ()
