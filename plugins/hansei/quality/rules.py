"""Rules of an entity, built from its declaration: what a row has to keep to be accepted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hansei.catalog.calendars import zone_names
from hansei.catalog.entities import Entity

# The span that the reporting zone's offsets are known for; a time outside it is a typing error, not a time.
EARLIEST = datetime(1970, 1, 1)
LATEST = datetime(2069, 12, 31)
CLOCK_SKEW = timedelta(days=1)


@dataclass(frozen=True)
class Condition:
    """One expectation in Great Expectations' terms. `constants` are columns of one value that it compares with.

    Bounds are compared as pairs of columns: Great Expectations does that in one vector operation, while its own
    "between" calls a Python function for each row.
    """

    expectation: str
    arguments: dict[str, Any] = field(hash=False)
    constants: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Rule:
    """One rule, broken by a row that breaks any of its conditions; `columns` are what it reads."""

    id: str
    severity: str
    columns: tuple[str, ...]
    conditions: tuple[Condition, ...] = field(hash=False)

    @property
    def is_about_absence(self) -> bool:
        return self.conditions[0].expectation == "ExpectColumnValuesToNotBeNull"


def row_rules(entity: Entity, window_end: datetime) -> list[Rule]:
    """Every row rule of the entity: required, values, range and plausible times of its columns, then its own rules."""
    rules = []
    for name, column in entity.columns.items():
        if column.required:
            condition = Condition("ExpectColumnValuesToNotBeNull", {"column": name})
            rules.append(Rule(f"required:{name}", "stop", (name,), (condition,)))
        if column.values:
            condition = Condition("ExpectColumnValuesToBeInSet", {"column": name, "value_set": list(column.values)})
            rules.append(Rule(f"values:{name}", "stop", (name,), (condition,)))
        if column.minimum is not None or column.maximum is not None:
            bounds = []
            if column.minimum is not None:
                bounds.append(_at_least(name, f"minimum of {name}", f"minimum of {name}", float(column.minimum)))
            if column.maximum is not None:
                bounds.append(_at_least(f"maximum of {name}", name, f"maximum of {name}", float(column.maximum)))
            rules.append(Rule(f"range:{name}", "stop", (name,), tuple(bounds)))
        if column.type == "timestamp":
            since = _at_least(name, "earliest time", "earliest time", EARLIEST)
            before = _at_least("latest time", name, "latest time", LATEST)
            rules.append(Rule(f"plausible_time:{name}", "stop", (name,), (since, before)))
    for rule in entity.rules:
        if rule.at_least:
            condition = _at_least(*rule.at_least)
        elif rule.known_zone:
            arguments = {"column": rule.known_zone, "value_set": sorted(zone_names())}
            condition = Condition("ExpectColumnValuesToBeInSet", arguments)
        else:
            condition = _at_least("end of window", rule.not_after_window, "end of window", window_end + CLOCK_SKEW)
        rules.append(Rule(rule.id, rule.severity, rule.columns, (condition,)))
    return rules


def _at_least(larger: str, smaller: str, constant: str | None = None, value: Any = None) -> Condition:
    """larger >= smaller, where both are there."""
    arguments = {"column_A": larger, "column_B": smaller, "or_equal": True}
    arguments["ignore_row_if"] = "either_value_is_missing"
    constants = {} if constant is None else {constant: value}
    return Condition("ExpectColumnPairValuesAToBeGreaterThanB", arguments, constants)
