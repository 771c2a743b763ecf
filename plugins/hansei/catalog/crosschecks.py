"""Checks between definitions: whatever one names, another has to declare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hansei.catalog.calendar_checks import check_calendars
from hansei.catalog.calendars import zone_names
from hansei.catalog.documents import Fault, Location
from hansei.catalog.measures import Indicator
from hansei.catalog.practices import check_practices
from hansei.catalog.procedures import check_procedures
from hansei.catalog.services import check_services
from hansei.catalog.sla import check_agreements

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog
    from hansei.catalog.sources import EntityMapping, Source
    from hansei.catalog.tables import TableModel

_UNITS_OF = {
    "seconds": {"seconds", "minutes", "hours", "days"},
    "business_seconds": {"seconds", "minutes", "hours"},
    "ratio": {"ratio"},
    "count": {"count"},
    "points": {"points"},
}


def cross_check(catalog: Catalog) -> list[Fault]:
    """Every fault that shows only when definitions are read together."""
    return [
        *_check_entities(catalog),
        *_check_tables(catalog),
        *_check_sources(catalog),
        *_check_indicators(catalog),
        *_check_thresholds(catalog),
        *_check_reviews(catalog),
        *check_calendars(catalog),
        *check_services(catalog),
        *check_procedures(catalog),
        *check_agreements(catalog),
        *check_practices(catalog),
    ]


def _fault(catalog: Catalog, kind: str, key: str, location: Location, found: str, next_step: str) -> Fault:
    return catalog.documents[kind, key].fault(location, found, next_step)


def _known(names) -> str:
    return "use one of " + ", ".join(sorted(names)) if names else "none is declared yet"


def _check_entities(catalog: Catalog) -> Iterator[Fault]:
    for entity in catalog.entities.values():
        for name, column in entity.columns.items():
            if column.references and column.references not in catalog.entities:
                location = ("columns", name, "references")
                found = f"entity {column.references!r} is not declared"
                yield _fault(catalog, "entities", entity.id, location, found, _known(catalog.entities))


def _check_tables(catalog: Catalog) -> Iterator[Fault]:
    for table in catalog.tables.values():
        for index, check in enumerate(table.checks):
            if check.never is not None and (complaint := _condition_fault(check.never, table)):
                location = ("checks", index, "never")
                yield _fault(
                    catalog, "tables", table.table, location, complaint, "write a SQL condition over its columns"
                )


def _check_sources(catalog: Catalog) -> Iterator[Fault]:
    for source in catalog.sources.values():
        if source.zone and source.zone not in zone_names():
            next_step = "use an IANA zone, for example Europe/Berlin"
            yield _fault(catalog, "sources", source.id, ("zone",), f"{source.zone!r} is not a zone", next_step)
        for index, mapping in enumerate(source.entities):
            yield from _check_mapping(catalog, source, index, mapping)


def _check_mapping(catalog: Catalog, source: Source, index: int, mapping: EntityMapping) -> Iterator[Fault]:
    here: Location = ("entities", index)
    entity = catalog.entities.get(mapping.entity)
    if entity is None:
        found = f"entity {mapping.entity!r} is not declared"
        yield _fault(catalog, "sources", source.id, (*here, "entity"), found, _known(catalog.entities))
        return
    columns_at = (*here, "columns")
    for name, column_mapping in mapping.columns.items():
        column = entity.columns.get(name)
        if column is None:
            found = f"{entity.id} has no column {name!r}"
            next_step = _known(entity.columns)
            yield _fault(catalog, "sources", source.id, (*columns_at, name), found, next_step)
            continue
        if column_mapping.zone and column_mapping.zone not in zone_names():
            location = (*columns_at, name, "zone")
            yield _fault(catalog, "sources", source.id, location, f"{column_mapping.zone!r} is not a zone", "use IANA")
        ours = [*(column_mapping.values or {}).values(), column_mapping.default, column_mapping.constant]
        for word in ours if column.values else ():
            if word is not None and word not in column.values:
                location = (*columns_at, name)
                next_step = _known(column.values)
                yield _fault(catalog, "sources", source.id, location, f"{word!r} is not a value of {name}", next_step)
    for name, column in entity.columns.items():
        hashed = name == entity.key and entity.key_when_missing
        if column.required and name not in mapping.columns and not hashed:
            found = f"required column {name!r} of {entity.id} has no mapping"
            yield _fault(catalog, "sources", source.id, columns_at, found, "map it, or give a constant")


def _check_indicators(catalog: Catalog) -> Iterator[Fault]:
    for indicator in catalog.indicators.values():
        table = catalog.tables.get(indicator.table)
        if table is None:
            found = f"table {indicator.table!r} has no model"
            known = [name for name, model in catalog.tables.items() if model.dates]
            yield _fault(catalog, "indicators", indicator.id, ("table",), found, _known(known))
            continue
        yield from _check_indicator_columns(catalog, indicator, table)


def _check_indicator_columns(catalog: Catalog, indicator: Indicator, table: TableModel) -> Iterator[Fault]:
    for part in ("counted_on", "ends_on", "value"):
        name = getattr(indicator, part)
        if name is not None and name not in table.columns:
            found = f"{table.table} has no column {name!r}"
            yield _fault(catalog, "indicators", indicator.id, (part,), found, _known(table.columns))
    if indicator.counted_on in table.columns and indicator.counted_on not in table.dates:
        found = f"{indicator.counted_on!r} is not declared as a date of {table.table}"
        yield _fault(catalog, "indicators", indicator.id, ("counted_on",), found, _known(table.dates))
    for position, name in enumerate(indicator.exclusions):
        if name not in table.exclusions:
            found = f"{table.table} declares no exclusion {name!r}"
            location = ("exclusions", position)
            yield _fault(catalog, "indicators", indicator.id, location, found, _known(table.exclusions))
    for position, name in enumerate(indicator.segments):
        if indicator.counted_on not in table.segments.get(name, {}):
            found = f"{table.table} has no segment {name!r} for {indicator.counted_on}"
            usable = [key for key, by_date in table.segments.items() if indicator.counted_on in by_date]
            location = ("segments", position)
            yield _fault(catalog, "indicators", indicator.id, location, found, _known(usable))
    for part in ("numerator", "denominator", "subtrahend"):
        condition = getattr(indicator, part)
        if condition is not None and (complaint := _condition_fault(condition, table)):
            next_step = "write a SQL condition over the table's columns"
            yield _fault(catalog, "indicators", indicator.id, (part,), complaint, next_step)


def _condition_fault(condition: str, table: TableModel) -> str | None:
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(f"SELECT 1 FROM t WHERE {condition}", dialect="postgres")
    except SqlglotError:
        return f"{condition!r} is not a SQL condition"
    if not isinstance(tree, exp.Select) or tree.find(exp.Subquery) or len(list(tree.find_all(exp.Select))) > 1:
        return f"{condition!r} is more than a condition"
    unknown = sorted({column.name for column in tree.find_all(exp.Column)} - set(table.columns))
    return f"{table.table} has no column {', '.join(map(repr, unknown))}" if unknown else None


def _check_thresholds(catalog: Catalog) -> Iterator[Fault]:
    for threshold in catalog.thresholds.values():
        indicator = catalog.indicators.get(threshold.indicator)
        if indicator is None:
            found = f"indicator {threshold.indicator!r} is not declared"
            yield _fault(catalog, "thresholds", threshold.id, ("indicator",), found, _known(catalog.indicators))
            continue
        if indicator.direction == "neutral":
            found = f"{indicator.id} is neutral, so no value of it is bad"
            yield _fault(
                catalog, "thresholds", threshold.id, ("indicator",), found, "choose an indicator with a direction"
            )
        if threshold.grain not in indicator.grains:
            found = f"{indicator.id} is not computed by {threshold.grain}"
            yield _fault(catalog, "thresholds", threshold.id, ("grain",), found, _known(indicator.grains))
        if threshold.unit not in _UNITS_OF[indicator.unit]:
            found = f"{threshold.unit!r} does not measure {indicator.id}, which is in {indicator.unit}"
            yield _fault(catalog, "thresholds", threshold.id, ("unit",), found, _known(_UNITS_OF[indicator.unit]))
        for position, segment in enumerate(threshold.segments):
            dimension = segment.split("=", 1)[0]
            if segment != "all" and dimension not in indicator.segments:
                found = f"{indicator.id} has no segment {dimension!r}"
                location = ("segments", position)
                next_step = _known(["all", *(f"{name}=*" for name in indicator.segments)])
                yield _fault(catalog, "thresholds", threshold.id, location, found, next_step)
        critical, warning = threshold.critical, threshold.warning
        if critical is None or warning is None or critical == warning:
            continue
        if (critical > warning) != (indicator.direction == "lower_is_better"):
            found = f"critical {critical:g} is milder than warning {warning:g}"
            yield _fault(catalog, "thresholds", threshold.id, ("critical",), found, "swap the two")


def _check_reviews(catalog: Catalog) -> Iterator[Fault]:
    for review in catalog.reviews.values():
        for position, name in enumerate(review.indicators):
            if name not in catalog.indicators:
                found = f"indicator {name!r} is not declared"
                location = ("indicators", position)
                yield _fault(catalog, "reviews", review.id, location, found, _known(catalog.indicators))
        known = {segment for indicator in catalog.indicators.values() for segment in indicator.segments}
        for position, name in enumerate(review.segments):
            if name not in known:
                found = f"no indicator has a segment {name!r}"
                yield _fault(catalog, "reviews", review.id, ("segments", position), found, _known(known))
