"""What the models of business time render from definitions: ledger rules and numbers that stand for our own words."""

from __future__ import annotations

from typing import Any

from hansei.catalog import Catalog
from hansei.catalog.calendars import DIMENSIONS
from hansei.catalog.ledger import OWNERS, Ledger, LedgerRule
from hansei.catalog.sla import PRIORITIES
from hansei.warehouse.dialect import Dialect

# Values of events are numbers while a refresh lasts. Ours are fixed, and in an order that makes sense of two changes
# at one instant: solved comes after open. Anything else is numbered from 101 on (work/event_values.sql).
WORD_NUMBERS = {
    **{
        word: number for number, word in enumerate(("new", "open", "pending", "hold", "solved", "closed", "deleted"), 1)
    },
    **{word: number for number, word in enumerate(PRIORITIES, 11)},
}
KINDS = {
    "calendar": 0,
    "status": 1,
    "team": 2,
    "assignee": 3,
    "priority": 4,
    "handoff": 5,
    # Messages, in the order in which those of one instant are read.
    "outbound": 10,
    "opened": 11,
    "customer": 12,
    "opening": 13,
    "reply": 14,
    "note": 15,
    "automatic": 16,
}
# What help desks call these times (METHODS.md 1.1), as owners of the ledger.
SUMMED_OWNERS = {
    "requester_wait": ("queue", "agent", "third_party", "hold", "bot"),
    "agent_work": ("queue", "agent"),
}
_COLUMN_OF = {
    "team": "NULLIF(carried_marks.team_id, '')",
    "account": "COALESCE(own_accounts.account_id, account_links.account_id)",
    "brand": "tickets.brand",
    "channel": "tickets.channel",
    "source": "tickets.source",
}


class Conditions:
    """SQL conditions of ledger rules over the columns of work/ticket_segments.sql."""

    def __init__(self, ledger: Ledger, dialect: Dialect) -> None:
        self.ledger = ledger
        self._listed = dialect.text_list

    def of_rule(self, rule: LedgerRule, values: str) -> str:
        """All conditions of the rule, as one; `values` is what work.event_values is called."""
        conditions = []
        if rule.status:
            conditions.append(f"status_number IN ({numbers(rule.status)})")
        if rule.source_status:
            conditions.append(f"source_number IN ({self._numbers_of(rule.source_status, values)})")
        if rule.team:
            conditions.append(f"team_number IN ({self._numbers_of(rule.team, values)})")
        if rule.is_assigned is not None:
            conditions.append(f"COALESCE(assignee_number, 0) {'>' if rule.is_assigned else '='} 0")
        if rule.before_handoff is not None:
            before = "COALESCE(marked_at < handed_off_at, FALSE)"
            conditions.append(before if rule.before_handoff else f"NOT {before}")
        return " AND ".join(conditions)

    def _numbers_of(self, wanted: tuple[str, ...], values: str) -> str:
        return f"SELECT value_number FROM {values} WHERE value IN ({self._listed(wanted)})"


def numbers(words: tuple[str, ...]) -> str:
    """Numbers of our own words, for an IN list."""
    return ", ".join(str(WORD_NUMBERS[word]) for word in words)


def owner_sum(owners: tuple[str, ...], time: str) -> str:
    return " + ".join(f"owner_times.{owner}_{time}_seconds" for owner in owners)


def rendering_context(catalog: Catalog, dialect: Dialect) -> dict[str, Any]:
    """Names that models may use beside `sql`, `rows`, `service` and `links`."""
    ledger = next(iter(catalog.ledger.values()))
    assignments = catalog.service.calendar_assignments
    dimensions = {item.dimension for item in assignments} | {"source"}
    return {
        "ledger": ledger,
        "conditions": Conditions(ledger, dialect),
        "owners": OWNERS,
        "kinds": KINDS,
        "word_numbers": WORD_NUMBERS,
        "closed_numbers": numbers(("solved", "closed")),
        "end_numbers": numbers(ledger.ends),
        "summed_owners": SUMMED_OWNERS,
        "owner_sum": owner_sum,
        "calendars": {
            "dimensions": [name for name in DIMENSIONS if name in dimensions],
            "has_history": any(item.first is not None for item in assignments),
            "column_of": _COLUMN_OF,
        },
    }
