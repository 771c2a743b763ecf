"""Services that customers use: since when they are offered, what was promised, and which ones stand on others.

A definition is optional. A service that the outage log names without one counts from the log's first day, without a
target; one that never failed is only known by its definition.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition, Fault
from hansei.catalog.entities import Identifier

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog


class Composition(Definition):
    """How a service depends on others: `series` needs all of them, `parallel` any one of them."""

    how: Literal["series", "parallel"]
    services: tuple[Identifier, ...] = Field(min_length=2)


class MeasuredService(Definition):
    """One service. `service` is its name in the outage log (the id where it is not given).

    A service with `composed_of` has no log of its own: its availability is reckoned from its parts.
    The agreed service time is every second of the reporting days from in_service_from to in_service_to, both included.
    """

    id: Identifier
    title: str
    owner: str
    service: str | None = Field(default=None, min_length=1)
    in_service_from: date | None = None
    in_service_to: date | None = None
    availability_target: float | None = Field(default=None, gt=0, lt=1)
    composed_of: Composition | None = None

    @model_validator(mode="after")
    def _dates_in_order(self) -> MeasuredService:
        if self.in_service_from and self.in_service_to and self.in_service_to < self.in_service_from:
            raise ValueError("in_service_to is earlier than in_service_from")
        if self.composed_of and (self.service or self.in_service_from or self.in_service_to):
            raise ValueError("a composed service has no outage log: remove service, in_service_from and in_service_to")
        return self

    @property
    def log_name(self) -> str:
        """What the outage log, and the column `service` of core, calls it."""
        return self.service or self.id


def check_services(catalog: Catalog) -> Iterator[Fault]:
    """Faults between services: two that claim one name of the log, parts that are missing or composed themselves."""
    owners: dict[str, str] = {}
    for service in catalog.services.values():
        document = catalog.documents["services", service.id]
        first = owners.setdefault(service.log_name, service.id)
        if first != service.id:
            found = f"{service.log_name!r} is the log's name of {first} already"
            yield document.fault(("service",), found, "keep one definition for each service of the log")
        parts = service.composed_of.services if service.composed_of else ()
        for position, part in enumerate(parts):
            location = ("composed_of", "services", position)
            measured = sorted(item.id for item in catalog.services.values() if not item.composed_of)
            if part not in measured:
                known = f"use one of {', '.join(measured)}" if measured else "none is declared yet"
                yield document.fault(location, f"{part!r} is not a service with an outage log", known)
            elif part in parts[:position]:
                yield document.fault(location, f"{part!r} stands twice", "name each part once")
