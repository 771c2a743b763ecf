"""Which fields of a record others stand on: the lists inside it, and what rows made of it see as `$parent`."""

from __future__ import annotations

from collections.abc import Iterator

from hansei.catalog.rest_checks import lead_of
from hansei.catalog.sources import Source
from hansei.sources.fields import resource_paths, roots

PARENT, POSITION, KEY, VALUE = "$parent", "$position", "$key", "value"


def wanted_paths(source: Source, name: str) -> set[str]:
    """Every path of the resource's records that a mapping or a resource below it reads."""
    paths = set(resource_paths(source, name))
    for below, resource in source.resources.items():
        holds_list = resource.pages_of == name and resource.each is not None
        if holds_list or (resource.for_each is not None and resource.for_each.resource == name):
            paths |= parent_paths(source, below)
    return paths


def parent_paths(source: Source, name: str) -> set[str]:
    """The paths of its parent that the resource reads, in its request, its filter and its rows."""
    resource = source.resources[name]
    paths = {path.removeprefix(f"{PARENT}.") for path in wanted_paths(source, name) if path.startswith(f"{PARENT}.")}
    if resource.request is not None:
        asks = (resource.request, *resource.request.steps())
        paths |= {part for ask in asks for group, part in ask.placeholders if group == "parent"}
        if resource.for_each is not None and resource.for_each.where is not None:
            paths.add(resource.for_each.where.path)
        for beside in _side_loaded(source, name):
            own = wanted_paths(source, beside)
            paths |= {path.removeprefix(f"{PARENT}.") for path in own if path.startswith(f"{PARENT}.")}
    return paths


def parent_roots(source: Source, name: str) -> list[str]:
    """The top-level fields of the parent that its rows and requests need, in a fixed order."""
    return sorted({path.split(".")[0].split("[")[0] for path in parent_paths(source, name)})


def known_roots(source: Source, name: str) -> set[str]:
    """Top-level fields that are no drift, although no mapping of the resource itself names them."""
    if source.kind != "rest":
        return set()
    lists = {
        resource.each
        for resource in source.resources.values()
        if resource.pages_of == name and resource.each is not None
    }
    return roots(tuple(wanted_paths(source, name) | lists))


def _side_loaded(source: Source, lead: str) -> Iterator[str]:
    for name, resource in source.resources.items():
        if resource.pages_of is not None and resource.each is None and lead_of(source.resources, name) == lead:
            yield name
