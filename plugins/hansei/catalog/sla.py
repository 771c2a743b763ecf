"""Service level agreements: which tickets a policy covers, what it times, which time counts, and since when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from hansei.catalog.calendar_checks import unknown_calendar
from hansei.catalog.documents import Definition, Fault
from hansei.catalog.durations import parse_duration
from hansei.catalog.entities import Identifier
from hansei.catalog.ledger import OWNERS, Owner

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

Metric = Literal["first_reply", "next_reply", "periodic_update", "resolution", "requester_wait", "agent_work"]
METRICS = ("first_reply", "next_reply", "periodic_update", "resolution", "requester_wait", "agent_work")
Priority = Literal["low", "normal", "high", "urgent"]
PRIORITIES = ("low", "normal", "high", "urgent")
# Clocks that run through a ticket's life; the others run from one message to another.
LIFE_METRICS = ("resolution", "requester_wait", "agent_work")
# Which owners' time counts where a policy does not say it (METHODS.md 1.1: vendors' meaning of the metrics).
DEFAULT_CLOCKS: dict[str, tuple[str, ...]] = {
    "first_reply": ("queue", "agent", "customer", "third_party", "hold", "bot"),
    "next_reply": ("queue", "agent", "customer", "third_party", "hold", "bot"),
    "periodic_update": ("queue", "agent", "customer", "third_party", "hold", "bot"),
    "resolution": ("queue", "agent", "third_party", "hold", "bot"),
    "requester_wait": ("queue", "agent", "third_party", "hold", "bot"),
    "agent_work": ("queue", "agent"),
}


def _target(value: Any) -> Any:
    """`4h`, or a target per priority: `{urgent: 1h, normal: 8h}`."""
    if isinstance(value, dict):
        return {key: parse_duration(item) for key, item in value.items()}
    return {"*": parse_duration(value)}


Target = Annotated[dict[Literal["low", "normal", "high", "urgent", "*"], timedelta], BeforeValidator(_target)]


class Conditions(Definition):
    """Which tickets are meant. Every condition that is given has to hold; within one, any of its values.

    priority and team are those in force when the target is set, the others the ticket's own.
    """

    priority: tuple[Priority, ...] = ()
    team: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    brand: tuple[str, ...] = ()
    account_tier: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    source: tuple[Identifier, ...] = ()


class SlaMetric(Definition):
    """One clock. target: one duration, or one per priority. time: `business` follows the ticket's calendar, or the one
    that `calendar` names.

    clock: the ledger owners whose time counts; default: all for replies and updates, all but the customer for
    resolution and requester wait, queue and agent for agent work.
    """

    target: Target
    time: Literal["business", "calendar"] = "business"
    calendar: Identifier | None = None
    clock: tuple[Owner, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> SlaMetric:
        if any(duration <= timedelta(0) for duration in self.target.values()):
            raise ValueError("a target is more than nothing")
        if "closed" in self.clock:
            raise ValueError("time after the solution never counts; take `closed` out of clock")
        if self.calendar and self.time == "calendar":
            raise ValueError("`time: calendar` is every second; give a calendar with `time: business`, or take it out")
        return self

    def owners(self, metric: str) -> tuple[str, ...]:
        """Owners whose time counts, in the order of the ledger's list."""
        return tuple(owner for owner in OWNERS if owner in self.clock) or DEFAULT_CLOCKS[metric]


class SlaVersion(Definition):
    """What a policy asks from a date on."""

    valid_from: date
    metrics: dict[Metric, SlaMetric] = Field(min_length=1)
    reason: str | None = None


class SlaPolicy(Definition):
    """A policy. Of several that fit a ticket the one with the lowest `precedence` applies."""

    id: Identifier
    title: str
    owner: str
    precedence: int = Field(default=100, ge=0)
    conditions: Conditions = Conditions()
    versions: tuple[SlaVersion, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _versions_are_ordered(self) -> SlaPolicy:
        starts = [version.valid_from for version in self.versions]
        if starts != sorted(set(starts)):
            raise ValueError("versions: give them in the order of valid_from, each date once")
        return self


def check_agreements(catalog: Catalog) -> Iterator[Fault]:
    """One ledger; policies whose sources and calendars exist, and no two that would apply to the same by chance."""
    if len(catalog.ledger) > 1:
        document = catalog.documents["ledger", list(catalog.ledger)[-1]]
        yield document.fault(("id",), f"{len(catalog.ledger)} ledgers", "put all rules into one file")
    ranks: dict[int, str] = {}
    for policy in sorted(catalog.sla.values(), key=lambda item: item.id):
        document = catalog.documents["sla", policy.id]
        for index, source in enumerate(policy.conditions.source):
            if source not in catalog.sources:
                known = ", ".join(sorted(catalog.sources)) or "none is declared yet"
                place = ("conditions", "source", index)
                yield document.fault(place, f"source {source!r} is not declared", f"use one of {known}")
        for index, version in enumerate(policy.versions):
            for name, metric in version.metrics.items():
                if metric.calendar and (fault := unknown_calendar(catalog, metric.calendar)):
                    yield document.fault(("versions", index, "metrics", name, "calendar"), *fault)
        if policy.precedence in ranks:
            found = f"precedence {policy.precedence} is that of {ranks[policy.precedence]} too"
            yield document.fault(("precedence",), found, "give each policy its own; the lowest that fits applies")
        ranks.setdefault(policy.precedence, policy.id)
