"""The time ledger's rules: who owned an instant of a ticket's life. The first rule that fits decides."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.entities import Identifier

Owner = Literal["queue", "agent", "customer", "third_party", "hold", "bot", "closed"]
OWNERS: tuple[str, ...] = ("queue", "agent", "customer", "third_party", "hold", "bot", "closed")
Status = Literal["new", "open", "pending", "hold", "solved", "closed", "deleted"]


class LedgerRule(Definition):
    """Books the time in which every given condition holds to `owner`.

    status: our words. source_status: the source's own words (custom statuses), as events carry them in source_value.
    team: our keys. is_assigned: whether an agent holds the ticket. before_handoff: a bot holds the ticket that it will
    hand over (an event `bot_handoff` follows).
    """

    owner: Owner
    status: tuple[Status, ...] = ()
    source_status: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    is_assigned: bool | None = None
    before_handoff: bool | None = None

    @property
    def is_unconditional(self) -> bool:
        nothing_listed = not (self.status or self.source_status or self.team)
        return nothing_listed and self.is_assigned is None and self.before_handoff is None


class Ledger(Definition):
    """All rules of one service. `ends` are the statuses with which a ticket's life is over."""

    id: Identifier
    ends: tuple[Status, ...] = ("closed", "deleted")
    rules: tuple[LedgerRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _every_instant_has_an_owner(self) -> Ledger:
        if not self.rules[-1].is_unconditional:
            raise ValueError("the last rule must hold for everything else: give it an owner and no condition")
        early = [str(number) for number, rule in enumerate(self.rules[:-1], 1) if rule.is_unconditional]
        if early:
            raise ValueError(f"rule {', '.join(early)} has no condition, so that no later rule is ever asked")
        return self

    @property
    def reads_source_status(self) -> bool:
        return any(rule.source_status for rule in self.rules)

    @property
    def reads_handoff(self) -> bool:
        return any(rule.before_handoff is not None for rule in self.rules)
