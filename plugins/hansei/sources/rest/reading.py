"""Rows of the resources of a REST source in one window, as chunks of JSON records for the mapping."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from math import ceil

import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog.loader import Catalog
from hansei.catalog.rest_checks import base_of, lead_of
from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.connections import Resolver
from hansei.settings import Settings
from hansei.sources.chunks import RECORD, Chunk
from hansei.sources.fields import every_text, holds_key
from hansei.sources.files import read_stream
from hansei.sources.rest.answers import Asking
from hansei.sources.rest.exchange import Exchange
from hansei.sources.rest.lineage import KEY, PARENT, POSITION, parent_roots, wanted_paths
from hansei.sources.rest.parents import given_parents, together
from hansei.sources.rest.records import EMPTY, hashes_of, items_of, objects_of, place_of, records_of, with_parent
from hansei.sources.rest.store import PageStore
from hansei.sources.rest.walking import Walk
from hansei.sources.scratch import Scratch, flat, positions, quote
from hansei.sources.spool import Asked

# Pages are gathered so that the mapping has something to chew on.
GATHERED_ROWS = 20_000
GATHERED_BYTES = 32 << 20
# A record that came before is known again within so many records; pages overlap with their neighbours.
REMEMBERED = 500_000
SAMPLED_PARENTS = 10


@dataclass(frozen=True)
class Sampled:
    """A part of the questions that a resource takes. parents: how many were asked for; all_parents: how many there
    are, an estimate where they were found by a sample themselves; at_once: how many share a request."""

    parents: int = 1
    all_parents: float = 1
    at_once: int = 1

    @property
    def row_factor(self) -> float:
        return self.all_parents / self.parents if self.parents else 1.0

    @property
    def request_factor(self) -> float:
        asked = ceil(self.parents / self.at_once)
        return ceil(self.all_parents / self.at_once) / asked if asked else 1.0


class Reading:
    """One source, one window. Without `run_id` nothing is kept; a sample asks for few parents."""

    def __init__(
        self,
        source: Source,
        catalog: Catalog,
        settings: Settings,
        resolver: Resolver,
        window: Window,
        scratch: Scratch,
        run_id: str | None = None,
        is_sample: bool = False,
    ) -> None:
        self.source, self.catalog, self.window, self.scratch = source, catalog, window, scratch
        self._is_sample = is_sample
        self.exchange = Exchange(source, resolver(source.connection))
        self.asking = Asking(source, window, self.exchange, scratch)
        described = json.dumps(
            [window.as_text(), source.model_dump(mode="json", include={"api", "resources"})], default=str
        )
        self.store = PageStore(
            settings if run_id else None, run_id or "", source.id, hashlib.sha256(described.encode()).hexdigest()
        )
        self._walks: dict[str, Walk] = {}

    @property
    def requests_made(self) -> int:
        """Requests so far, repeated ones counted, sign-in left out."""
        return self.exchange.budget.requests

    def asked(self, more: int = 0) -> Asked:
        """What the reading cost, and `more` requests that others made for the same batch."""
        budget = self.exchange.budget
        return Asked(budget.requests + more, budget.quota_left, budget.quota_seen_at)

    def sampled(self, name: str) -> Sampled:
        """How much of a resource a sample asks for. Reads the parents, if no one has yet."""
        lead = lead_of(self.source.resources, name)
        declared = self.source.resources[lead].for_each
        if declared is None:
            return Sampled()
        above = self.sampled(declared.resource) if declared.resource is not None else Sampled()
        known = sum(1 for _ in self._every_parent(lead))
        return Sampled(min(known, SAMPLED_PARENTS), known * above.row_factor, declared.at_once)

    def close(self) -> None:
        """Keeps what was read for the next attempt."""
        try:
            self.store.flush()
        finally:
            self.exchange.close()

    def chunks(self, name: str, gathered_rows: int = GATHERED_ROWS) -> Iterator[Chunk]:
        """The resource's rows; those that two pages hold alike come once."""
        resource = self.source.resources[name]
        if resource.format != "json":
            for body in self._walk(name).files():
                yield from read_stream(body, name, resource)
            return
        memory, first = _Memory(self.scratch), 1
        for table in _gathered((memory.fresh(table) for table in self._tables(name)), gathered_rows):
            yield Chunk(name, table, positions(table.num_rows, first))
            first += table.num_rows
        if first == 1:
            yield Chunk(name, EMPTY, positions(0))

    def complete_until(self, name: str) -> datetime:
        """Up to when the resource's rows have no gap. A source whose clock is behind ours knows less than we ask."""
        until = self._walk(lead_of(self.source.resources, name)).complete_until or self.window.end
        clock = self.exchange.server_time
        return until if clock is None else min(until, clock)

    def proves_absence(self, name: str) -> bool:
        """Whether everything was asked for, so that what did not come does not exist."""
        while name is not None:
            resource = self.source.resources[name]
            asked = resource.request is not None and resource.request.asks_window
            chosen = resource.for_each is not None and resource.for_each.where is not None
            if asked or chosen or resource.cursor is not None:
                return False
            name = base_of(resource)
        return True

    def _walk(self, lead: str) -> Walk:
        if lead not in self._walks:
            self._walks[lead] = Walk(self.asking, lead, self.store, self._parents(lead), self._key_path(lead))
        return self._walks[lead]

    def _tables(self, name: str) -> Iterator[pa.Table]:
        """The records page by page, with what they see of their parent."""
        resource = self.source.resources[name]
        if resource.each is not None:
            names, specials = parent_roots(self.source, name), self._specials(name)
            for table in self._tables(resource.pages_of):
                inside = self._inside(resource.pages_of, table)
                if inside.num_rows:
                    yield items_of(self.scratch, inside, resource.each, names, specials)
            return
        lead = lead_of(self.source.resources, name)
        place, is_beside = f"source {self.source.id}, resource {name}", resource.pages_of is not None
        sees_parent = PARENT in self._specials(name)
        for page in self._walk(lead).pages(may_end_early=not self._has_children(lead)):
            if is_beside:
                records = records_of(self.scratch, page.text, resource.records, place, is_optional=True)
            else:
                records = self._walk(lead).records(page.text)
            yield with_parent(self.scratch, records, page.parent) if sees_parent and page.parent else records

    def _specials(self, name: str) -> set[str]:
        roots = {path.split(".")[0] for path in wanted_paths(self.source, name)}
        return roots & {PARENT, POSITION, KEY}

    def _has_children(self, lead: str) -> bool:
        """Whether another resource asks for each record of this one, or of one that shares its pages."""
        parents = [item.for_each.resource for item in self.source.resources.values() if item.for_each is not None]
        return any(lead_of(self.source.resources, parent) == lead for parent in parents if parent is not None)

    def _parents(self, name: str) -> list[str | None]:
        """What the resource is asked for, each once: the wanted fields of its parents as JSON, or (None,)."""
        declared = self.source.resources[name].for_each
        if declared is None:
            return [None]
        every = self._every_parent(name)
        return together(list(islice(every, SAMPLED_PARENTS) if self._is_sample else every), declared.at_once)

    def _every_parent(self, name: str) -> Iterator[str]:
        declared = self.source.resources[name].for_each
        if declared.resource is None:
            yield from given_parents(declared, self.window, f"source {self.source.id}, resource {name}")
            return
        names = parent_roots(self.source, name)
        found: dict[str, None] = {}
        for table in self._tables(declared.resource):
            chosen = self._chosen(declared.where, self._inside(declared.resource, table))
            fresh = dict.fromkeys(objects_of(self.scratch, chosen, names).to_pylist())
            yield from (parent for parent in fresh if parent not in found)
            found |= fresh

    def _inside(self, name: str, records: pa.Table) -> pa.Table:
        """The records whose cursor lies in the window, or cannot be read, as the mapping takes them."""
        if self.source.resources[name].cursor is None or not records.num_rows:
            return records
        times = self.asking.cursor_times(name, records)
        inside = pc.less(times, pa.scalar(self.window.end, times.type))
        if self.window.start is not None:
            inside = pc.and_(inside, pc.greater_equal(times, pa.scalar(self.window.start, times.type)))
        return records.filter(inside.fill_null(True))

    def _chosen(self, where, records: pa.Table) -> pa.Table:
        if where is None or not records.num_rows:
            return records
        path = place_of(where.path)
        value = every_text("record", path) if "*" in path else f"json_extract_string(record, {quote(path)})"
        if where.has_key is not None:
            holds = f"{'' if where.has_key else 'NOT '}{holds_key('record', path)}"
        elif where.is_present is not None:
            holds = f"nullif({value}, '') IS {'NOT ' if where.is_present else ''}NULL"
        else:
            holds = f"{value} IN ({', '.join(map(quote, where.equals))})"
        query = f"SELECT coalesce({holds}, false) AS is_chosen, position FROM items"
        numbered = pa.table({"record": records[RECORD], "position": positions(records.num_rows)})
        return records.filter(flat(self.scratch.select_ordered(query, "position", items=numbered)["is_chosen"]))

    def _key_path(self, name: str) -> str | None:
        """The path of what tells the resource's records apart, if a mapping says so."""
        for mapping in self.source.entities:
            if mapping.resource == name:
                column = mapping.columns.get(self.catalog.entities[mapping.entity].key)
                return column.path if column is not None and isinstance(column.path, str) else None
        return None


class _Memory:
    """Knows again the records that came a while ago; of one page, equal records are all kept."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._recent: set[int] = set()
        self._older: set[int] = set()

    def fresh(self, table: pa.Table) -> pa.Table:
        """The records that no page before held."""
        if not table.num_rows:
            return table
        numbers = hashes_of(self._scratch, table)
        page = set(numbers.tolist())
        known = (page & self._recent) | (page & self._older)
        if known:
            table = table.filter(pa.array([number not in known for number in numbers.tolist()]))
        self._recent |= page
        if len(self._recent) > REMEMBERED:
            self._older, self._recent = self._recent, set()
        return table


def _gathered(tables: Iterator[pa.Table], most_rows: int) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    rows = size = 0
    for table in tables:
        waiting.append(table)
        rows, size = rows + table.num_rows, size + table.nbytes
        if rows >= most_rows or size >= GATHERED_BYTES:
            yield pa.concat_tables(waiting)
            waiting, rows, size = [], 0, 0
    if rows:
        yield pa.concat_tables(waiting)
