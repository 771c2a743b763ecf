"""The service itself, and how its systems' keys are linked."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from hansei.catalog.calendars import CalendarAssignment, Zone
from hansei.catalog.documents import Definition
from hansei.catalog.entities import Identifier


class Service(Definition):
    """Whose quality is improved, in which zone its days are counted, and who follows which calendar since when.

    `calendar_change` says what a ticket that changes calendars is reckoned by: each piece of its time by the
    calendar in force then, or all of it by the last one, as Zendesk does.
    """

    id: Identifier
    name: str
    reporting_zone: Zone
    language: Literal["en", "zh_CN"] = "en"
    calendar: str = "always"
    calendar_assignments: tuple[CalendarAssignment, ...] = ()
    calendar_change: Literal["piecewise", "last"] = "piecewise"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.reporting_zone)


class LinkRule(Definition):
    """One way to tell that a key of one system belongs to an account of another."""

    id: Identifier
    rule: Literal["own_id", "external_id", "organisation", "email_hash", "email_domain"]


class Links(Definition):
    """Ordered rules; the first that finds anything decides, and a tie within it leaves the key unlinked."""

    id: Identifier
    account_rules: tuple[LinkRule, ...] = Field(min_length=1)
    public_email_domains: tuple[str, ...] = ()
