"""Rules of an entity, built from its declaration: what a row has to keep to be accepted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hansei.catalog.entities import Entity

# The span that the reporting zone's offsets are known for; a time outside it is a typing error, not a time.
EARLIEST = datetime(1970, 1, 1)
LATEST = datetime(2070, 1, 1)
CLOCK_SKEW = timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """One rule in Great Expectations' terms; `columns` are what it reads."""

    id: str
    severity: str
    columns: tuple[str, ...]
    expectation: str
    arguments: dict[str, Any] = field(hash=False)


def row_rules(entity: Entity, window_end: datetime) -> list[Rule]:
    """Every row rule of the entity: required, values, range and plausible times of its columns, then its own rules."""
    rules = []
    for name, column in entity.columns.items():
        if column.required:
            rules.append(_rule("required", "stop", (name,), "ExpectColumnValuesToNotBeNull", column=name))
        if column.values:
            arguments = {"column": name, "value_set": list(column.values)}
            rules.append(_rule("values", "stop", (name,), "ExpectColumnValuesToBeInSet", **arguments))
        if column.minimum is not None or column.maximum is not None:
            arguments = {"column": name, "min_value": column.minimum, "max_value": column.maximum}
            rules.append(_rule("range", "stop", (name,), "ExpectColumnValuesToBeBetween", **arguments))
        if column.type == "timestamp":
            arguments = {"column": name, "min_value": EARLIEST, "max_value": LATEST, "strict_max": True}
            rules.append(_rule("plausible_time", "stop", (name,), "ExpectColumnValuesToBeBetween", **arguments))
    for rule in entity.rules:
        if rule.at_least:
            larger, smaller = rule.at_least
            arguments = {"column_A": larger, "column_B": smaller, "or_equal": True}
            arguments["ignore_row_if"] = "either_value_is_missing"
            expectation = "ExpectColumnPairValuesAToBeGreaterThanB"
        else:
            arguments = {"column": rule.not_after_window, "max_value": window_end + CLOCK_SKEW}
            expectation = "ExpectColumnValuesToBeBetween"
        rules.append(Rule(rule.id, rule.severity, rule.columns, expectation, arguments))
    return rules


def _rule(kind: str, severity: str, columns: tuple[str, ...], expectation: str, **arguments: Any) -> Rule:
    return Rule(f"{kind}:{columns[0]}", severity, columns, expectation, arguments)
