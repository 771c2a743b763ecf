"""Who is told what changed: people, the owners that they answer for, and the channels that reach them.

A channel names an Airflow connection. Addresses and tokens stand there and nowhere else: not in a definition, a log,
the ledger of deliveries or an error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, get_args

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition, Fault, Language
from hansei.catalog.entities import Identifier
from hansei.catalog.measure_checks import fault, known

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

Severity = Literal["general", "important", "major"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # mildest first
EVERYBODY = "*"
_CONNECTION_ID = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


class Channel(Definition):
    """One way to reach somebody: the id of an Airflow connection, and what is spoken over it."""

    connection: str
    kind: Literal["mail", "chat"]

    # Not a pattern of the field: its fault would quote the value, and what does not look like an id may be a secret.
    @model_validator(mode="after")
    def _names_a_connection(self) -> Channel:
        if not _CONNECTION_ID.fullmatch(self.connection):
            raise ValueError(
                "connection is not the id of a connection (value not shown); addresses and tokens belong into the "
                "Airflow connection"
            )
        return self


class Recipient(Definition):
    """A person, or a room that several read.

    `owners` are the owners, as indicators and thresholds name them, whose alarms concern the recipient; `*` is all of
    them; without any the recipient gets reviews alone. Escalations that name one of these, or the recipient's own id,
    come too. Milder alarms than `minimum_severity` are not told. On `weekdays` what happened since Friday is told on
    Monday.
    """

    id: Identifier
    name: str = Field(min_length=1)
    language: Language = "en"
    owners: tuple[str, ...] = ()
    minimum_severity: Severity = "general"
    channels: tuple[Channel, ...] = Field(min_length=1)
    when: Literal["every_night", "weekdays"] = "every_night"

    @model_validator(mode="after")
    def _says_nothing_twice(self) -> Recipient:
        connections = Counter(channel.connection for channel in self.channels)
        if doubled := [name for name, count in connections.items() if count > 1]:
            raise ValueError(f"channels: {', '.join(doubled)} stands twice")
        if len(set(self.owners)) < len(self.owners):
            raise ValueError("owners: one stands twice")
        if EVERYBODY in self.owners and len(self.owners) > 1:
            raise ValueError(f"owners: {EVERYBODY!r} is all of them, and stands alone")
        return self

    def answers_for(self, name: str) -> bool:
        """Whether an alarm owned by, or escalated to, `name` concerns the recipient."""
        return name == self.id or EVERYBODY in self.owners or name in self.owners

    def wants(self, severity: Severity) -> bool:
        return SEVERITIES.index(severity) >= SEVERITIES.index(self.minimum_severity)


def check_recipients(catalog: Catalog) -> Iterator[Fault]:
    """Owners that no indicator and no threshold names: nothing would ever reach the recipient."""
    named = {item.owner for item in (*catalog.indicators.values(), *catalog.thresholds.values()) if item.owner}
    named |= {item.alarm.escalate_to for item in catalog.thresholds.values() if item.alarm.escalate_to}
    for recipient in catalog.recipients.values():
        for position, owner in enumerate(recipient.owners):
            if owner != EVERYBODY and owner not in named:
                found = f"no indicator and no threshold has the owner {owner!r}"
                yield fault(catalog, "recipients", recipient.id, ("owners", position), found, known(named))
