"""The service itself, its calendars, and how its systems' keys are linked."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.entities import Identifier

_INTERVAL = re.compile(r"^([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$")


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone; finding them walks through the zone files, so it is done once."""
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in zone_names():
        raise ValueError("is not an IANA zone, for example Europe/Berlin")
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Service(Definition):
    """Whose quality is improved, and in which zone its days, weeks and months are counted."""

    id: Identifier
    name: str
    reporting_zone: Zone
    language: Literal["en", "zh_CN"] = "en"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.reporting_zone)


class Holiday(Definition):
    """A day on which the calendar is closed, or keeps other hours."""

    date: date
    name: str
    hours: tuple[str, ...] = ()


class Calendar(Definition):
    """Opening hours in one zone; first schema, completed with the business-time engine."""

    id: Identifier
    name: str
    zone: Zone
    hours: dict[Weekday, tuple[str, ...]]
    holidays: tuple[Holiday, ...] = ()

    @model_validator(mode="after")
    def _intervals_are_ordered(self) -> Calendar:
        for day, intervals in self.hours.items():
            previous_end = 0
            for interval in intervals:
                match = _INTERVAL.match(interval)
                if not match:
                    raise ValueError(f"{day}: {interval!r} is not HH:MM-HH:MM")
                start, end = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4]))
                if start >= end or start < previous_end or end > 1440:
                    raise ValueError(f"{day}: {interval!r} overlaps, is empty or ends after 24:00")
                previous_end = end
        return self


class LinkRule(Definition):
    """One way to tell that a key of one system belongs to an account of another."""

    id: Identifier
    rule: Literal["own_id", "external_id", "organisation", "email_hash", "email_domain"]


class Links(Definition):
    """Ordered rules; the first that finds anything decides, and a tie within it leaves the key unlinked."""

    id: Identifier
    account_rules: tuple[LinkRule, ...] = Field(min_length=1)
    public_email_domains: tuple[str, ...] = ()
