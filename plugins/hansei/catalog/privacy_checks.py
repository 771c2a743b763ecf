"""Treatments of personal data that a column cannot bear: `hansei check` refuses them before a row is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hansei.catalog.documents import Fault, Location
from hansei.catalog.entities import Column, Entity
from hansei.catalog.measure_checks import fault, known
from hansei.catalog.privacy import PrivacyRules, Treatment

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

_PERIODS = ("month", "quarter", "year")
_PARTS_OF_TEXT = ("domain", "country")
_NUMBERS = ("integer", "bigint", "double", "decimal")


def check_privacy(catalog: Catalog) -> Iterator[Fault]:
    """Treatments that a column cannot bear, and names that nothing declares."""
    if len(catalog.privacy) > 1:
        document = catalog.documents["privacy", list(catalog.privacy)[-1]]
        yield document.fault(("id",), f"{len(catalog.privacy)} definitions of privacy", "put all into one file")
    for rules in catalog.privacy.values():
        yield from _check_rules(catalog, rules)
    for source in catalog.sources.values():
        for index, mapping in enumerate(source.entities):
            entity = catalog.entities.get(mapping.entity)
            for name, own in mapping.columns.items() if entity else ():
                column = entity.columns.get(name)
                if column is None:
                    continue
                location = ("entities", index, "columns", name)
                if own.policy is not None and (complaint := senseless(entity, name, own.policy)):
                    yield fault(catalog, "sources", source.id, (*location, "policy"), *complaint)
                if own.names and (own.policy.kind != "redact" if own.policy else column.personal_class != "free_text"):
                    next_step = "give `names` to a column of class free_text, or with the policy redact"
                    found = "is no free text that is redacted"
                    yield fault(catalog, "sources", source.id, (*location, "names"), found, next_step)


def _check_rules(catalog: Catalog, rules: PrivacyRules) -> Iterator[Fault]:
    for place, treatment in rules.columns.items():
        entity, _, name = place.partition(".")
        where: Location = ("columns", place)
        if entity not in catalog.entities:
            yield fault(catalog, "privacy", rules.id, where, f"no entity {entity!r}", known(catalog.entities))
        elif name not in catalog.entities[entity].columns:
            found, columns = f"{entity} has no column {name!r}", catalog.entities[entity].columns
            yield fault(catalog, "privacy", rules.id, where, found, known(columns))
        elif complaint := senseless(catalog.entities[entity], name, treatment):
            yield fault(catalog, "privacy", rules.id, where, *complaint)
    for entity in catalog.entities.values():
        for name, column in entity.columns.items():
            treatment = rules.classes[column.personal_class]
            if f"{entity.id}.{name}" not in rules.columns and (complaint := senseless(entity, name, treatment)):
                where = ("classes", column.personal_class)
                yield fault(catalog, "privacy", rules.id, where, f"{entity.id}.{name}: {complaint[0]}", complaint[1])
    for index, kept in enumerate(rules.retention.texts):
        where = ("retention", "texts", index)
        if kept.entity not in catalog.entities:
            yield fault(catalog, "privacy", rules.id, where, f"no entity {kept.entity!r}", known(catalog.entities))
            continue
        columns = catalog.entities[kept.entity].columns
        if not any(column.personal_class == "free_text" for column in columns.values()):
            yield fault(catalog, "privacy", rules.id, where, f"{kept.entity} has no free text", "leave it out")
        if kept.counted_from not in columns or columns[kept.counted_from].type not in ("timestamp", "date"):
            times = [name for name, column in columns.items() if column.type in ("timestamp", "date")]
            found = f"{kept.counted_from!r} is no time of {kept.entity}"
            yield fault(catalog, "privacy", rules.id, (*where, "counted_from"), found, known(times))


def senseless(entity: Entity, name: str, treatment: Treatment) -> tuple[str, str] | None:
    """What is wrong with the treatment of a column, and the next step; None where nothing is."""
    column, kind = entity.columns[name], treatment.kind
    if kind == "keep":
        if column.personal_class == "direct" and not treatment.because:
            return "keeps what names a person, without a reason", "write `{keep: why it may stay}`, or pseudonymise it"
        return None
    ruled = {used for rule in entity.rules for used in rule.columns}
    if kind != "pseudonymise" and (name == entity.key or column.required or name in ruled):
        return f"{kind} takes away what {entity.id} cannot do without", "keep it, or pseudonymise a key"
    return _unfit(column, treatment)


def _unfit(column: Column, treatment: Treatment) -> tuple[str, str] | None:
    """Where the treatment does not suit the type or the use of the column."""
    kind, is_text = treatment.kind, column.type == "text"
    if kind == "drop":
        return None
    if kind == "pseudonymise" and column.type not in ("text", "key"):
        return f"a {column.type} has no pseudonym", "generalise it, or drop it"
    if column.type == "key" and kind != "pseudonymise":
        return f"{kind} would give many rows one key", "pseudonymise it, or drop it"
    if column.values:
        return f"{kind} of one of a few listed words", "keep it, or drop it"
    if kind in ("redact", "mask") and not is_text:
        return f"{kind} works on text, not on {column.type}", "generalise it, or drop it"
    if kind == "redact" and column.personal_class == "direct":
        return "redaction finds patterns, and a name alone has none", "pseudonymise, mask or drop it"
    if column.identity == "email" and kind != "pseudonymise":
        next_step = "pseudonymise it; keep its domain in a column of its own (`path` may be read twice)"
        return f"{kind}: persons are found again by the pseudonym of their address", next_step
    if kind == "generalise":
        return _uncoarse(column, treatment)
    return None


def _uncoarse(column: Column, treatment: Treatment) -> tuple[str, str] | None:
    if treatment.to in _PERIODS and column.type not in ("timestamp", "date"):
        return f"a {column.type} has no {treatment.to}", "give a part of it ({first: N}), or a {band: N} of numbers"
    if treatment.band and column.type not in _NUMBERS:
        return f"a {column.type} has no bands", "generalise it to month, quarter or year, or to its first signs"
    if (treatment.first or treatment.to in _PARTS_OF_TEXT) and column.type != "text":
        return (
            f"a {column.type} has no {treatment.to or 'first signs'}",
            "generalise it to month, quarter, year or a band",
        )
    if treatment.to == "domain" and column.identity in ("phone", "name"):
        return f"a {column.identity} has no domain", "drop it, or pseudonymise it"
    if treatment.to == "country" and column.identity == "name":
        return "a name has no country prefix", "drop it, or pseudonymise it"
    return None
