"""What has to hold between the resources of a REST source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hansei.catalog.sources import Resource

PARENT_PREFIX = "$parent."


def check_rest(resources: Mapping[str, Resource]) -> None:
    """Raises ValueError where a resource stands on one that is missing, on itself, or lacks what its request names."""
    for name, resource in resources.items():
        _check_origin(resources, name)
        request = resource.request
        if request is None:
            continue
        asked = [part for ask in (request, *request.steps()) for group, part in ask.placeholders if group == "parent"]
        if bool(asked) != (resource.for_each is not None):
            raise ValueError(f"resource {name}: {{parent.PATH}} in the request and for_each belong together")
        if resource.for_each is not None and resource.for_each.resource is not None:
            check_batches(resources, resource.for_each.resource, asked)
        needs_cursor = bool(request.window.ordered) or (request.paging is not None and request.paging.limit is not None)
        if needs_cursor and resource.cursor is None:
            raise ValueError(f"resource {name}: window.ordered and pages.limit need cursor")
        if resource.format != "json" and (request.pages is not None or resource.records is not None):
            raise ValueError(f"resource {name}: pages and records are for answers in JSON")


def _check_origin(resources: Mapping[str, Resource], name: str) -> None:
    """Follows pages_of and for_each to the resource that asks."""
    seen = [name]
    while (base := base_of(resources[seen[-1]])) is not None:
        if base not in resources:
            raise ValueError(f"resource {seen[-1]} names resource {base!r}, which is not declared")
        if base in seen:
            raise ValueError(f"resource {name} stands on itself: {' -> '.join([*seen, base])}")
        if resources[base].format != "json":
            raise ValueError(f"resource {seen[-1]} stands on {base}, whose answers are not JSON")
        seen.append(base)


def check_batches(resources: Mapping[str, Resource], name: str, paths: Iterable[str]) -> None:
    """Raises ValueError where a path of the resource's rows leads to a parent that shared its request with others."""
    prefix, asked = PARENT_PREFIX, name
    while asked is not None:
        resource = resources[asked]
        if resource.for_each is not None and resource.for_each.at_once > 1:
            found = next((path for path in paths if path.startswith(prefix)), None)
            if found is not None:
                message = f"{found}: a row does not know which of {resource.for_each.at_once} parents it belongs to"
                raise ValueError(f"resource {name}: {message}; take the key from the row itself")
        if resource.pages_of is None or resource.each is not None:
            prefix += PARENT_PREFIX
        asked = base_of(resource)


def base_of(resource: Resource) -> str | None:
    """The resource on whose records this one stands, or None."""
    return resource.pages_of or (resource.for_each.resource if resource.for_each else None)


def lead_of(resources: Mapping[str, Resource], name: str) -> str:
    """The resource whose requests bring the records: itself, or the end of its `pages_of`."""
    while (base := resources[name].pages_of) is not None:
        name = base
    return name
