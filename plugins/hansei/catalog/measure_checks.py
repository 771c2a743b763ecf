"""Checks of indicators against the tables and one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from hansei.catalog.conditions import NoCondition, condition_columns
from hansei.catalog.documents import Document, Fault, Location
from hansei.catalog.measures import Indicator
from hansei.catalog.units import USABLE_UNITS

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog
    from hansei.catalog.tables import TableModel

_MANY = 60


def fault(catalog: Catalog, kind: str, key: str, location: Location, found: str, next_step: str) -> Fault:
    return catalog.documents[kind, key].fault(location, found, next_step)


def known(names: Iterable[str]) -> str:
    """The names to choose from; of many the first dozen, since a wall of them helps nobody."""
    listed = sorted(names)
    if len(listed) > _MANY:
        return f"use one of {', '.join(listed[:12])} ... ({len(listed)} in all)"
    return "use one of " + ", ".join(listed) if listed else "none is declared yet"


def check_indicators(catalog: Catalog) -> Iterator[Fault]:
    """Faults of every indicator: what it names, its table has to have; a share cannot exceed 1."""
    for indicator in catalog.indicators.values():
        if indicator.untold_versions:
            found = f"version {indicator.untold_versions[0]} has not been accepted"
            next_step = f"look at `hansei indicators compare {indicator.id}`, then say by whom and why under changes"
            yield fault(catalog, "indicators", indicator.id, ("version",), found, next_step)
        for position, name in enumerate(indicator.shown_in):
            if name not in catalog.reviews:
                found, location = f"review {name!r} is not declared", ("shown_in", position)
                yield fault(catalog, "indicators", indicator.id, location, found, known(catalog.reviews))
        if indicator.measure == "quotient":
            yield from _check_quotient(catalog, indicator)
            continue
        table = catalog.tables.get(indicator.table)
        if table is None:
            found = f"table {indicator.table!r} has no model"
            next_step = known(name for name, model in catalog.tables.items() if model.dates)
            yield fault(catalog, "indicators", indicator.id, ("table",), found, next_step)
            continue
        yield from _check_columns(catalog, indicator, table)
        yield from _check_cuts(catalog, indicator, table)
        if indicator.measure == "rate" and (indicator.unit == "ratio" or indicator.interval_kind == "wilson"):
            yield from _check_share(catalog, indicator, table)


def undeclared(catalog: Catalog, document: Document, location: Location, name: str) -> Fault:
    """The fault of naming an indicator that nobody has declared."""
    return document.fault(location, f"indicator {name!r} is not declared", known(catalog.indicators))


def _check_columns(catalog: Catalog, indicator: Indicator, table: TableModel) -> Iterator[Fault]:
    for part in ("counted_on", "ends_on", "value", "numerator_value", "denominator_value"):
        name = getattr(indicator, part)
        if name is not None and name not in table.columns:
            found = f"{table.table} has no column {name!r}"
            yield fault(catalog, "indicators", indicator.id, (part,), found, known(table.columns))
    for part in ("counted_on", "ends_on"):
        name = getattr(indicator, part)
        if name in table.columns and name not in table.dates:
            found = f"{name!r} is not declared as a date of {table.table}"
            yield fault(catalog, "indicators", indicator.id, (part,), found, known(table.dates))
    for position, name in enumerate(indicator.exclusions):
        if name not in table.exclusions:
            found = f"{table.table} declares no exclusion {name!r}"
            location = ("exclusions", position)
            yield fault(catalog, "indicators", indicator.id, location, found, known(table.exclusions))
    for part in ("numerator", "denominator", "subtrahend"):
        condition = getattr(indicator, part)
        if condition is not None and (complaint := condition_fault(condition, table)):
            next_step = "write a SQL condition over the table's columns"
            yield fault(catalog, "indicators", indicator.id, (part,), complaint, next_step)


def _check_cuts(catalog: Catalog, indicator: Indicator, table: TableModel) -> Iterator[Fault]:
    for position, name in enumerate(indicator.segments):
        if indicator.counted_on not in table.segments.get(name, {}):
            found = f"{table.table} has no segment {name!r} for {indicator.counted_on}"
            usable = [key for key, by_date in table.segments.items() if indicator.counted_on in by_date]
            yield fault(catalog, "indicators", indicator.id, ("segments", position), found, known(usable))


def _check_share(catalog: Catalog, indicator: Indicator, table: TableModel) -> Iterator[Fault]:
    """Of two sums only the table itself can promise that one is a part of the other."""
    promise = f"{indicator.numerator_value} > {indicator.denominator_value}"
    if not any(check.never == promise and check.severity == "stop" for check in table.checks):
        found = f"{table.table} does not promise that {indicator.numerator_value} is a part of its denominator"
        next_step = f"add a stop check `never: {promise}` to the table, or choose another unit or interval"
        yield fault(catalog, "indicators", indicator.id, ("numerator_value",), found, next_step)


def _check_quotient(catalog: Catalog, indicator: Indicator) -> Iterator[Fault]:
    for part in ("numerator_indicator", "denominator_indicator"):
        other = catalog.indicators.get(getattr(indicator, part))
        if other is None or other.measure == "quotient":
            found = f"{getattr(indicator, part)!r} is no indicator that is counted on a table"
            usable = [item.id for item in catalog.indicators.values() if item.measure != "quotient"]
            yield fault(catalog, "indicators", indicator.id, (part,), found, known(usable))
            continue
        for what in ("grains", "cuts"):
            if missing := [item for item in getattr(indicator, what) if item not in getattr(other, what)]:
                words = missing[0] if what == "grains" else "&".join(missing[0])
                found = f"{other.id} is not computed by {words}"
                place = "grains" if what == "grains" else "segments" if len(missing[0]) == 1 else "pairs"
                yield fault(catalog, "indicators", indicator.id, (place,), found, f"remove it, or add it to {other.id}")


def condition_fault(condition: str, table: TableModel) -> str | None:
    """Why the condition cannot be asked of the table; None where it can."""
    try:
        unknown = sorted(condition_columns(condition) - set(table.columns))
    except NoCondition as error:
        return str(error)
    return f"{table.table} has no column {', '.join(map(repr, unknown))}" if unknown else None


def unit_faults(document: Document, place: Location, indicator: Indicator, unit: str) -> Iterator[Fault]:
    """A unit that does not measure the indicator."""
    usable = USABLE_UNITS[indicator.unit]
    if unit not in usable:
        found = f"{unit!r} does not measure {indicator.id}, which is in {indicator.unit}"
        yield document.fault(place, found, known(usable))
