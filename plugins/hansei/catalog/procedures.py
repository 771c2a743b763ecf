"""Procedures: the declared order of work (SOP) that tickets of a kind are held against."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from hansei.catalog.documents import Definition, Fault
from hansei.catalog.entities import Identifier

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

Words = Annotated[tuple[str, ...], Field(min_length=1)]
# Event types whose values are our own words: the entity and column that list them.
_WORDED = {"status": ("tickets", "status"), "priority": ("tickets", "priority")}
MAXIMUM_NODES = 50


class Conditions(Definition):
    """Which tickets: every key that is given has to hold, by equality with one of its values."""

    channel: Words | None = None
    topic: Words | None = None
    priority: Words | None = None
    team: Words | None = None
    tag: Words | None = None
    brand: Words | None = None


class When(Definition):
    """Which events execute a node: of this type and, where given, with one of these values and by such an actor."""

    event_type: str
    value: Words | None = None
    actor_kind: Words | None = None
    is_public: bool | None = None

    def meets(self, other: When) -> bool:
        """Whether one event could execute both."""
        return (
            self.event_type == other.event_type
            and _share(self.value, other.value)
            and _share(self.actor_kind, other.actor_kind)
            and (self.is_public is None or other.is_public is None or self.is_public == other.is_public)
        )


def _share(ours: tuple[str, ...] | None, theirs: tuple[str, ...] | None) -> bool:
    return ours is None or theirs is None or bool(set(ours) & set(theirs))


class Node(Definition):
    """One step of the procedure. What may be left out is declared with `required: false`."""

    id: Identifier
    when: When
    required: bool = True


class Procedure(Definition):
    """Steps in the order in which they have to happen, for the tickets that meet `applies_to` (empty: all)."""

    id: Identifier
    title: str
    owner: str
    applies_to: Conditions = Conditions()
    nodes: tuple[Node, ...] = Field(min_length=1, max_length=MAXIMUM_NODES)

    @model_validator(mode="after")
    def _nodes_are_distinct(self) -> Procedure:
        names = [node.id for node in self.nodes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"nodes stand twice: {', '.join(twice)}; each node is one place in the order")
        if not any(node.required for node in self.nodes):
            raise ValueError("no node is required, so that nothing could be judged")
        return self

    @property
    def required_count(self) -> int:
        return sum(node.required for node in self.nodes)


def check_procedures(catalog: Catalog) -> Iterator[Fault]:
    """Faults that show against the entities: words that no event has, and events that two nodes would claim."""
    for procedure in catalog.procedures.values():
        document = catalog.documents["procedures", procedure.id]
        for position, node in enumerate(procedure.nodes):
            here = ("nodes", position, "when")
            for key, word, known in _unknown_words(catalog, node.when):
                yield document.fault((*here, key), f"{word!r} is no {key} of an event", f"use one of {known}")
        for (_, first), (position, second) in combinations(enumerate(procedure.nodes), 2):
            if first.when.meets(second.when):
                found = f"an event could execute both {first.id} and {second.id}"
                next_step = "give each node values or actors of its own"
                yield document.fault(("nodes", position, "when"), found, next_step)


def _unknown_words(catalog: Catalog, when: When) -> Iterator[tuple[str, str, str]]:
    """(key, word, known words) of each word of the condition that no event can have."""
    asked = {"event_type": ("ticket_events", "event_type"), "actor_kind": ("ticket_events", "actor_kind")}
    if when.event_type in _WORDED:
        asked["value"] = _WORDED[when.event_type]
    for key, (entity, column) in asked.items():
        given = getattr(when, key)
        words = (given,) if isinstance(given, str) else given or ()
        known = catalog.entities[entity].columns[column].values if entity in catalog.entities else None
        yield from ((key, word, ", ".join(known)) for word in words if known and word not in known)
