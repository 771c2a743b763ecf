"""Ready source definitions against the vendors' own OpenAPI descriptions: does what they ask for and read exist?

    python scripts/check_vendor_contracts.py DIRECTORY

DIRECTORY holds descriptions as the vendors publish them, named `<definition>.yaml` or `.json`; several of one
definition as `<definition>-<part>.yaml`. Each request of a definition (method, path, query parameters) has to stand in
one of them, and each field that a mapping reads has to be among the properties of its answer, as far as the description
tells them. Exit status 1 where something is unknown. What a description is known to lack stands in KNOWN_GAPS, with
its reason; a gap that these descriptions no longer have is told, so that it can go.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hansei.catalog.documents import parse, read_document
from hansei.catalog.rest import Ask, Request
from hansei.catalog.rest_checks import lead_of
from hansei.catalog.sources import Resource, Source
from hansei.sources.fields import resource_paths
from hansei.sources.rest.lineage import KEY, PARENT, POSITION, VALUE

EXAMPLES = Path(__file__).resolve().parents[1] / "include" / "definitions" / "examples"
# (definition, what the check would say) -> why the definition is right all the same.
_PROSE = "told by the vendor's pages, not by the description"
_APART = "/business_hours/schedules is in no published description; the vendor's pages tell it"
KNOWN_GAPS: dict[tuple[str, str], str] = {
    ("zendesk_api", "metric_events: the answer's records have no sla.target (sla)"): _PROSE,
    ("zendesk_api", "metric_events: the answer's records have no sla.business_hours (sla)"): _PROSE,
    ("zendesk_api", "metric_events: the answer's records have no sla.policy.title (sla)"): _PROSE,
    ("zendesk_api", "ratings: GET /satisfaction_ratings has no parameter start_time"): _PROSE,
    ("zendesk_api", "ratings: GET /satisfaction_ratings has no parameter end_time"): _PROSE,
    ("zendesk_api", "schedules: no description knows GET /business_hours/schedules"): _APART,
    ("zendesk_api", "holidays: no description knows GET /business_hours/schedules/{parent.id}/holidays"): _APART,
    ("hubspot", "deals: no description knows POST /crm/v3/objects/deals/search"): (
        "described under the type's number, /crm/v3/objects/0-3/search; the name stands for it"
    ),
}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads `=` and times as they are written."""


for _tag in ("value", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", lambda loader, node: node.value)


@dataclass
class Description:
    """One OpenAPI document."""

    path: Path
    content: dict[str, Any] = field(repr=False)

    def operation(self, verb: str, path: str) -> tuple[dict, dict] | None:
        """(path item, operation) of the longest described path that `path` ends like, whatever variables are called."""
        fitting = [one for one, item in self.content["paths"].items() if verb.lower() in item and _fits(path, one)]
        if not fitting:
            return None
        item = self.content["paths"][max(fitting, key=lambda one: (one.count("/"), -one.count("{")))]
        return item, item[verb.lower()]

    def resolved(self, schema: Any) -> dict:
        while isinstance(schema, dict) and "$ref" in schema:
            target: Any = self.content
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            schema = target
        return schema if isinstance(schema, dict) else {}

    def answer(self, operation: dict) -> dict:
        """The schema of the JSON answer; empty where none is told."""
        for status, response in operation["responses"].items():
            if str(status).startswith("2"):
                for kind, content in (self.resolved(response).get("content") or {}).items():
                    if "json" in kind:
                        return self.resolved(content.get("schema", {}))
        return {}

    def property_of(self, schema: dict, name: str) -> dict | None:
        """The schema of a property; {} where the schema leaves open what there is, None where it knows no such one."""
        schema = self.resolved(schema)
        variants = [part for key in ("allOf", "oneOf", "anyOf") for part in schema.get(key, [])]
        if schema.get("type") == "array" or "items" in schema:
            return self.property_of(schema.get("items", {}), name)
        properties = schema.get("properties") or {}
        if name in properties:
            return self.resolved(properties[name])
        found = [self.property_of(part, name) for part in variants]
        known = [part for part in found if part is not None]
        if known:
            return next((part for part in known if part), {})
        extra = schema.get("additionalProperties")
        is_open = (not properties and not variants) or (extra not in (None, False))
        return self.resolved(extra) if is_open and isinstance(extra, dict) else {} if is_open else None

    def missing_field(self, schema: dict, path: str) -> str | None:
        """The first part of a dotted path that the schema does not know; None where it knows all or is open."""
        for part in path.split("."):
            found = self.property_of(schema, part.split("[")[0])
            if found is None:
                return part
            if not found:
                return None
            schema = found
        return None


def _fits(path: str, template: str) -> bool:
    """Whether the asked path is the described one, whatever prefix either has; `{x}` is one part."""
    asked, told = (re.sub(r"\.json$", "", text).strip("/").split("/") for text in (path, template))
    length = min(len(asked), len(told))
    pairs = zip(asked[-length:], told[-length:], strict=True)
    fixed = [part for part in told if not part.startswith("{")]
    return bool(fixed) and all(a == b or b.startswith("{") for a, b in pairs)


def descriptions(directory: Path, name: str) -> list[Description]:
    """The descriptions of one definition."""
    found = [*directory.glob(f"{name}.*"), *directory.glob(f"{name}-*.*")]
    return [
        Description(path, yaml.load(path.read_text(encoding="utf-8"), _Loader))
        for path in sorted(found)
        if path.suffix in (".yaml", ".yml", ".json")
    ]


def complaints(source: Source, told: list[Description]) -> Iterator[str]:
    """What a definition asks for or reads that no description knows."""
    for name, resource in source.resources.items():
        if resource.request is not None:
            for ask in (resource.request, *resource.request.steps()):
                yield from _ask_complaints(source, name, ask, told)
        yield from _field_complaints(source, name, resource, told)


def _found(source: Source, ask: Ask, told: list[Description]) -> tuple[Description, dict, dict] | None:
    path = f"{source.api.base_url.rstrip('/')}/{ask.path.lstrip('/')}"
    for description in told:
        operation = description.operation(ask.verb, path)
        if operation is not None:
            return description, *operation
    return None


def _ask_complaints(source: Source, name: str, ask: Ask, told: list[Description]) -> Iterator[str]:
    found = _found(source, ask, told)
    if found is None:
        yield f"{name}: no description knows {ask.verb} {ask.path}"
        return
    description, item, operation = found
    listed = [description.resolved(one) for one in [*item.get("parameters", []), *operation.get("parameters", [])]]
    known = {one["name"] for one in listed if one.get("in") == "query"}
    for parameter in ask.params:
        if parameter not in known and parameter.split("[")[0] not in known:
            yield f"{name}: {ask.verb} {ask.path} has no parameter {parameter}"


def _field_complaints(source: Source, name: str, resource: Resource, told: list[Description]) -> Iterator[str]:
    lead = source.resources[lead_of(source.resources, name)]
    found = _found(source, _answering(lead.request), told)
    if found is None or resource.format != "json":
        return
    description, _, operation = found
    levels = [lead.records or ""] if resource.request is not None else _levels(source.resources, name)
    schema: dict | None = description.answer(operation)
    for part in ".".join(filter(None, levels)).split("."):
        if part and schema:
            schema = description.property_of(schema, part)
    if schema is None:
        yield f"{name}: the answer has no {'.'.join(filter(None, levels))}"
    elif schema:
        for path in resource_paths(source, name):
            if path.split(".")[0] in (PARENT, KEY, POSITION, VALUE):
                continue
            missing = description.missing_field(schema, path)
            if missing is not None:
                yield f"{name}: the answer's records have no {path}" + (f" ({missing})" if missing != path else "")


def _answering(request: Request) -> Ask:
    return request.export.download if request.export is not None else request


def _levels(resources: dict[str, Resource], name: str) -> list[str]:
    """The paths from the answer down to the items of a resource that shares another's pages."""
    resource = resources[name]
    if resource.pages_of is None:
        return [resource.records or ""]
    if resource.each is None:
        return [resource.records or ""]
    return [*_levels(resources, resource.pages_of), resource.each]


def check(directory: Path) -> tuple[list[str], list[str], list[str]]:
    """(definitions that were checked, complaints that no known gap explains, known gaps that nothing complains of)."""
    checked, unexplained, closed = [], [], []
    for path in sorted(EXAMPLES.glob("*/sources/*.yaml")):
        told = descriptions(directory, path.stem)
        source = parse(read_document(path), Source)
        if source is None or source.kind != "rest" or not told:
            continue
        checked.append(f"{source.id} against {', '.join(one.path.name for one in told)}")
        found = dict.fromkeys(complaints(source, told))
        gaps = [complaint for name, complaint in KNOWN_GAPS if name == source.id]
        unexplained += [f"{source.id}: {complaint}" for complaint in found if complaint not in gaps]
        closed += [f"{source.id}: {complaint}" for complaint in gaps if complaint not in found]
    return checked, unexplained, closed


def main() -> int:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print(__doc__)
        return 2
    checked, unexplained, closed = check(Path(sys.argv[1]))
    print("\n".join([f"checked {line}" for line in checked] or ["no description belongs to a definition"]))
    print("".join(f"these descriptions no longer have the known gap {line}\n" for line in closed), end="")
    print(
        "\n".join(unexplained) or f"{len(checked)} definitions ask for nothing and read nothing that is not described"
    )
    return 1 if unexplained or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
