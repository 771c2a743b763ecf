"""Checks between definitions: whatever one names, another has to declare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hansei.catalog.calendar_checks import check_calendars
from hansei.catalog.calendars import zone_names
from hansei.catalog.documents import Fault, Location
from hansei.catalog.measure_checks import check_indicators, condition_fault, fault, known
from hansei.catalog.playbooks import check_playbooks
from hansei.catalog.practices import check_practices
from hansei.catalog.privacy_checks import check_privacy
from hansei.catalog.procedures import check_procedures
from hansei.catalog.recipients import check_recipients
from hansei.catalog.reviews import check_reviews
from hansei.catalog.risks import check_risks
from hansei.catalog.scorecards import check_scorecards
from hansei.catalog.services import check_services
from hansei.catalog.sla import check_agreements
from hansei.catalog.surveys import check_surveys
from hansei.catalog.threshold_checks import check_thresholds
from hansei.catalog.topics import check_topics
from hansei.catalog.translations import check_translations

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog
    from hansei.catalog.source_mappings import EntityMapping
    from hansei.catalog.sources import Source


def cross_check(catalog: Catalog) -> list[Fault]:
    """Every fault that shows only when definitions are read together."""
    return [
        *_check_entities(catalog),
        *_check_tables(catalog),
        *_check_sources(catalog),
        *check_indicators(catalog),
        *check_thresholds(catalog),
        *check_reviews(catalog),
        *check_calendars(catalog),
        *check_services(catalog),
        *check_procedures(catalog),
        *check_agreements(catalog),
        *check_scorecards(catalog),
        *check_risks(catalog),
        *check_practices(catalog),
        *check_privacy(catalog),
        *check_surveys(catalog),
        *check_recipients(catalog),
        *check_playbooks(catalog),
        *check_topics(catalog),
        *check_translations(catalog),
    ]


def _check_entities(catalog: Catalog) -> Iterator[Fault]:
    for entity in catalog.entities.values():
        for name, column in entity.columns.items():
            if column.references and column.references not in catalog.entities:
                location = ("columns", name, "references")
                found = f"entity {column.references!r} is not declared"
                yield fault(catalog, "entities", entity.id, location, found, known(catalog.entities))


def _check_tables(catalog: Catalog) -> Iterator[Fault]:
    for table in catalog.tables.values():
        for index, check in enumerate(table.checks):
            if check.never is not None and (complaint := condition_fault(check.never, table)):
                location = ("checks", index, "never")
                yield fault(
                    catalog, "tables", table.table, location, complaint, "write a SQL condition over its columns"
                )


def _check_sources(catalog: Catalog) -> Iterator[Fault]:
    for source in catalog.sources.values():
        if source.zone and source.zone not in zone_names():
            next_step = "use an IANA zone, for example Europe/Berlin"
            yield fault(catalog, "sources", source.id, ("zone",), f"{source.zone!r} is not a zone", next_step)
        for index, mapping in enumerate(source.entities):
            yield from _check_mapping(catalog, source, index, mapping)
        yield from _check_counts(catalog, source)


def _check_mapping(catalog: Catalog, source: Source, index: int, mapping: EntityMapping) -> Iterator[Fault]:
    here: Location = ("entities", index)
    entity = catalog.entities.get(mapping.entity)
    if entity is None:
        found = f"entity {mapping.entity!r} is not declared"
        yield fault(catalog, "sources", source.id, (*here, "entity"), found, known(catalog.entities))
        return
    columns_at = (*here, "columns")
    for name, column_mapping in mapping.columns.items():
        column = entity.columns.get(name)
        if column is None:
            found = f"{entity.id} has no column {name!r}"
            next_step = known(entity.columns)
            yield fault(catalog, "sources", source.id, (*columns_at, name), found, next_step)
            continue
        if column_mapping.zone and column_mapping.zone not in zone_names():
            location = (*columns_at, name, "zone")
            yield fault(catalog, "sources", source.id, location, f"{column_mapping.zone!r} is not a zone", "use IANA")
        ours = [*(column_mapping.values or {}).values(), column_mapping.default, column_mapping.constant]
        for word in ours if column.values else ():
            if word is not None and word not in column.values:
                location = (*columns_at, name)
                next_step = known(column.values)
                yield fault(catalog, "sources", source.id, location, f"{word!r} is not a value of {name}", next_step)
    for name, column in entity.columns.items():
        hashed = name == entity.key and entity.key_when_missing
        if column.required and name not in mapping.columns and not hashed:
            found = f"required column {name!r} of {entity.id} has no mapping"
            yield fault(catalog, "sources", source.id, columns_at, found, "map it, or give a constant")


def _check_counts(catalog: Catalog, source: Source) -> Iterator[Fault]:
    for index, counts in enumerate(source.counts):
        entity = catalog.entities.get(counts.entity)
        if entity is None:
            continue  # told of its mapping already
        column = entity.columns.get(counts.counted_on)
        if column is None or column.type != "timestamp":
            times = [name for name, declared in entity.columns.items() if declared.type == "timestamp"]
            found = f"{entity.id} has no time {counts.counted_on!r}"
            yield fault(catalog, "sources", source.id, ("counts", index, "counted_on"), found, known(times))
        if counts.zone and counts.zone not in zone_names():
            location = ("counts", index, "zone")
            yield fault(catalog, "sources", source.id, location, f"{counts.zone!r} is not a zone", "use an IANA zone")
        statuses = entity.columns["status"].values if "status" in entity.columns else None
        if counts.status is None:
            continue
        if statuses is None:
            found = f"{entity.id} has no status with declared values"
            yield fault(catalog, "sources", source.id, ("counts", index, "status"), found, "leave status out")
            continue
        for word in (counts.status.values or {}).values():
            if word is not None and word not in statuses:
                location = ("counts", index, "status")
                yield fault(catalog, "sources", source.id, location, f"{word!r} is not a status", known(statuses))
