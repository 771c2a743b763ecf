"""Conventions without a standard that a service settles once: CRM comparison, cost allocation, agents' privacy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from hansei.catalog.documents import Definition, Fault
from hansei.catalog.entities import Identifier
from hansei.catalog.measure_checks import known

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

# Of each of these a service has exactly one file.
SINGLE_KINDS = ("complaints", "churn", "crm_sync", "cost_model", "team_privacy")


class SyncedEntity(Definition):
    """How records of both sides are matched (the first rule that finds anything decides), and what is compared."""

    match: tuple[Literal["external_id", "email"], ...] = Field(min_length=1)
    fields: tuple[Identifier, ...] = Field(min_length=1)


class CrmSync(Definition):
    """Which sources are the ticket side and which the CRM side.

    Without a list, the ticket side is every source that delivers tickets, the CRM side every source that delivers
    accounts and no tickets.
    """

    id: Identifier
    owner: str
    source: str = Field(min_length=5)
    ticket_sources: tuple[Identifier, ...] = ()
    crm_sources: tuple[Identifier, ...] = ()
    customers: SyncedEntity
    accounts: SyncedEntity

    def sides(self, catalog: Catalog) -> dict[str, tuple[str, ...]]:
        """Sources of the two sides, `tickets` and `crm`."""
        delivered = {source.id: source.entity_ids for source in catalog.sources.values()}
        tickets = self.ticket_sources or tuple(sorted(key for key, ids in delivered.items() if "tickets" in ids))
        crm = tuple(sorted(key for key, ids in delivered.items() if "accounts" in ids and "tickets" not in ids))
        return {"tickets": tickets, "crm": self.crm_sources or crm}


class CostModel(Definition):
    """How money becomes a cost per contact.

    Costs that name no channel are shared by the channels in which people answer, by their contacts of the month.
    Costs of `bot_channels` and `self_service_channels` stay apart and take no share. `self_service_measure` is the
    measure (entity `measurements`) whose numerator counts the uses of self-service. Only postings in `currency` count.
    """

    id: Identifier
    owner: str
    source: str = Field(min_length=5)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    bot_channels: tuple[str, ...] = ("bot",)
    self_service_channels: tuple[str, ...] = ("self_service",)
    self_service_measure: str = "self_service_uses"


class TeamPrivacy(Definition):
    """When a figure of one agent may be shown at all.

    Below `minimum_cases` it is hidden. A shown one is drawn to the team's: n / (n + shrinkage_cases) of it is the
    agent's own. A team's concentration of work is shown from `minimum_agents` on.
    """

    id: Identifier
    owner: str
    source: str = Field(min_length=5)
    minimum_cases: int = Field(default=10, ge=2)
    shrinkage_cases: int = Field(default=20, ge=1)
    minimum_agents: int = Field(default=5, ge=3)


def check_practices(catalog: Catalog) -> Iterator[Fault]:
    """Faults that show against the rest: one file each; sources and columns that exist."""
    for kind in SINGLE_KINDS:
        defined = getattr(catalog, kind)
        if len(defined) > 1:
            document = catalog.documents[kind, list(defined)[-1]]
            yield document.fault(("id",), f"{len(defined)} definitions of {kind}", "put all into one file")
    for sync in catalog.crm_sync.values():
        document = catalog.documents["crm_sync", sync.id]
        for side in ("ticket_sources", "crm_sources"):
            for position, source in enumerate(getattr(sync, side)):
                if source not in catalog.sources:
                    found = f"source {source!r} is not declared"
                    yield document.fault((side, position), found, known(catalog.sources))
        if both := sorted(set(sync.ticket_sources) & set(sync.crm_sources)):
            yield document.fault(("crm_sources",), f"{', '.join(both)} on both sides", "put each source on one side")
        for name in ("customers", "accounts"):
            columns = catalog.entities[name].columns if name in catalog.entities else {}
            asked: SyncedEntity = getattr(sync, name)
            for key in ("match", "fields"):
                for position, column in enumerate(getattr(asked, key)):
                    if columns and column not in columns:
                        found = f"{name} has no column {column!r}"
                        yield document.fault((name, key, position), found, known(columns))
    for rules in catalog.complaints.values():
        document = catalog.documents["complaints", rules.id]
        asked = [("is_complaint", position, item) for position, item in enumerate(rules.is_complaint)]
        asked += [("grades", position, grade.conditions) for position, grade in enumerate(rules.grades)]
        for key, position, conditions in asked:
            for source in conditions.source:
                if source not in catalog.sources:
                    found = f"source {source!r} is not declared"
                    yield document.fault((key, position), found, known(catalog.sources))
