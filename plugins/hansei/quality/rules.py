"""Rules of an entity, built from its declaration: what a row has to keep to be accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hansei.catalog import Catalog
from hansei.catalog.calendars import zone_names
from hansei.catalog.entities import Entity, RowRule
from hansei.warehouse.engine import Warehouse

# The span that the reporting zone's offsets are known for; a time outside it is a typing error, not a time.
EARLIEST = datetime(1970, 1, 1)
LATEST = datetime(2069, 12, 31)
CLOCK_SKEW = timedelta(days=1)
Scales = Mapping[str, tuple[float, float]]  # survey question -> its lowest and highest answer


@dataclass(frozen=True)
class Condition:
    """One expectation in Great Expectations' terms. `constants` are columns of one value that it compares with,
    `lookups` columns whose values another column's value finds, `firsts` the first value that is there of several.

    Bounds are compared as pairs of columns: Great Expectations does that in one vector operation, while its own
    "between" calls a Python function for each row.
    """

    expectation: str
    arguments: dict[str, Any] = field(hash=False)
    constants: dict[str, Any] = field(default_factory=dict, hash=False)
    lookups: dict[str, tuple[str, Mapping[str, float]]] = field(default_factory=dict, hash=False)
    firsts: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


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


def scales_for(warehouse: Warehouse, catalog: Catalog, entity: Entity) -> Scales:
    """Scales of every survey question, where a rule of the entity asks for them: by definition, else by instrument."""
    if not any(rule.within_contract for rule in entity.rules):
        return {}
    rows = warehouse.rows("SELECT survey_id, scale_minimum, scale_maximum FROM staging.surveys")
    scales = {row["survey_id"]: (row["scale_minimum"], row["scale_maximum"]) for row in rows}
    for contract in catalog.surveys.values():
        scales |= dict.fromkeys(contract.dimensions, (contract.minimum, contract.maximum))
    return scales


def row_rules(entity: Entity, window_end: datetime, scales: Scales | None = None) -> list[Rule]:
    """Every row rule of the entity: required, values, range and plausible times of its columns, then its own rules.

    `scales`: those of `scales_for`.
    """
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
    rules += [
        Rule(rule.id, rule.severity, rule.columns, _conditions(rule, window_end, scales or {})) for rule in entity.rules
    ]
    return rules


def _conditions(rule: RowRule, window_end: datetime, scales: Scales) -> tuple[Condition, ...]:
    if rule.at_least:
        return (_at_least(*rule.at_least),)
    if rule.known_zone:
        arguments = {"column": rule.known_zone, "value_set": sorted(zone_names())}
        return (Condition("ExpectColumnValuesToBeInSet", arguments),)
    if rule.any_present:
        name = f"any of {', '.join(rule.any_present)}"
        return (Condition("ExpectColumnValuesToNotBeNull", {"column": name}, firsts={name: rule.any_present}),)
    if rule.within_contract:
        survey, answer = rule.within_contract
        bounds = []
        for position, word in enumerate(("lowest", "highest")):
            name = f"{word} answer of {survey}"
            pair = (answer, name) if word == "lowest" else (name, answer)
            found = (survey, {key: float(scale[position]) for key, scale in scales.items()})
            bounds.append(replace(_at_least(*pair), lookups={name: found}))
        return tuple(bounds)
    return (_at_least("end of window", rule.not_after_window, "end of window", window_end + CLOCK_SKEW),)


def _at_least(larger: str, smaller: str, constant: str | None = None, value: Any = None) -> Condition:
    """larger >= smaller, where both are there."""
    arguments = {"column_A": larger, "column_B": smaller, "or_equal": True}
    arguments["ignore_row_if"] = "either_value_is_missing"
    constants = {} if constant is None else {constant: value}
    return Condition("ExpectColumnPairValuesAToBeGreaterThanB", arguments, constants)
