"""What models render from a service's conventions: complaints, churn, CRM comparison, cost allocation, privacy."""

from __future__ import annotations

from typing import Any

from hansei.catalog import Catalog
from hansei.catalog.churn import ChurnCondition
from hansei.catalog.practices import SINGLE_KINDS
from hansei.warehouse.shares import wilson

# Where a complaint's conditions look: at what was in force when it came in.
COMPLAINT_COLUMNS = {
    "priority": "created_priority",
    "team": "first_team_id",
    "channel": "channel",
    "topic": "topic",
    "brand": "brand",
    "account_tier": "created_account_tier",
    "source": "source",
    "type": "ticket_type",
}
PROCEDURE_COLUMNS = {
    "channel": "channel",
    "topic": "topic",
    "priority": "priority",
    "team": "team_id",
    "brand": "brand",
}


def practice_context(catalog: Catalog) -> dict[str, Any]:
    """Names that models may use beside those of `warehouse.ledger`."""
    found = {kind: next(iter(getattr(catalog, kind).values())) for kind in SINGLE_KINDS}
    sides = found["crm_sync"].sides(catalog)
    return {
        **found,
        "crm_sides": sides,
        "personal_columns": {
            name: [key for key, column in catalog.entities[name].columns.items() if column.personal_class == "direct"]
            for name in ("customers", "accounts")
        },
        "complaint_columns": COMPLAINT_COLUMNS,
        "procedure_columns": PROCEDURE_COLUMNS,
        "churn_bounds": churn_bounds,
        "wilson": wilson,
    }


def churn_bounds(condition: ChurnCondition) -> list[tuple[str, str, str]]:
    """(column, operator, number) of the condition's bounds; numbers as SQL literals."""
    bounds = ((">=", condition.at_least), ("<=", condition.at_most))
    return [(condition.feature, sign, repr(float(bound))) for sign, bound in bounds if bound is not None]
