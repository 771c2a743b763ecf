"""What a source says of its rows besides the rows: how many it counts per day and status, the key of each, and the
keys of those that were deleted.

All are read through the same mapping as rows are, from a resource that no entity maps. Counts and keys are read whole,
and a source that cannot tell them loses no night: the tally then holds the reason instead of figures. Deletions belong
to a window like rows do, so that a night which cannot read them has to come again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog.entities import Column, Entity
from hansei.catalog.loader import Catalog
from hansei.catalog.source_mappings import ColumnMapping, EntityMapping
from hansei.catalog.source_tallies import DeletedKeys, KeyList, SourceCounts
from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.connections import Resolver
from hansei.errors import HanseiError, SourceError
from hansei.settings import Settings
from hansei.sources.extraction import ResourceRun
from hansei.sources.mapping import FAULTS
from hansei.sources.matrix import DELETED
from hansei.sources.rest import opened_reading
from hansei.sources.scratch import Scratch
from hansei.sources.times import TIMESTAMP

Kind = Literal["counts", "keys", "deletions"]
ALL_STATUSES = "all"  # where a source counts days only
COUNTS_SCHEMA = pa.schema([("day", pa.date32()), ("status", pa.string()), ("count", pa.int64())])
KEYS_SCHEMA = pa.schema([("key", pa.string())])
DELETIONS_SCHEMA = pa.schema([("key", pa.string()), ("deleted_at", TIMESTAMP)])
Declared = SourceCounts | KeyList | DeletedKeys


@dataclass(frozen=True)
class Tally:
    """One tally of one entity. `rows` is None where it could not be read, and `message` says why.

    rows: as COUNTS_SCHEMA (each day and status once), KEYS_SCHEMA (each key once) or DELETIONS_SCHEMA (each key once,
    with its newest deletion, deleted_at NULL where none is told). taken_at: naive UTC; up to when what it tells is
    known. unreadable: rows that were left out. requests: what it cost an interface over HTTP.
    """

    kind: Kind
    entity: str
    rows: pa.Table | None
    taken_at: datetime | None
    message: str = ""
    unreadable: int = 0
    requests: int = 0

    def as_error(self) -> SourceError:
        """Why there are no rows, for somebody who asked for them."""
        return SourceError(f"{self.kind} of {self.entity}", self.message, "mend the source or its definition")


def take_tallies(
    source: Source,
    catalog: Catalog,
    settings: Settings,
    resolver: Resolver,
    window: Window,
    keys_due: Collection[str] = (),
) -> Iterator[Tally]:
    """Every count that the source declares, then the key list of each entity in `keys_due`; nothing raises."""
    reading = _Reading(source, catalog, settings, resolver, window)
    for counts in source.counts:
        yield reading.tally("counts", counts)
    for keys in source.keys:
        if keys.entity in keys_due:
            yield reading.tally("keys", keys)


def take_deletions(
    source: Source, catalog: Catalog, settings: Settings, resolver: Resolver, window: Window
) -> Iterator[Tally]:
    """What the source says it deleted in the window. Raises SourceError where it cannot be read."""
    reading = _Reading(source, catalog, settings, resolver, window)
    for deleted in source.deleted_keys:
        with Scratch() as scratch:
            yield reading.deletions(deleted, scratch)


@dataclass(frozen=True)
class _Reading:
    source: Source
    catalog: Catalog
    settings: Settings
    resolver: Resolver
    window: Window

    def tally(self, kind: Literal["counts", "keys"], declared: SourceCounts | KeyList) -> Tally:
        now = datetime.now(UTC).replace(tzinfo=None)
        try:
            with Scratch() as scratch:
                rows, taken_at, requests = (self._counts if kind == "counts" else self._keys)(declared, scratch)
        except HanseiError as error:
            return Tally(kind, declared.entity, None, now, str(error))
        return Tally(kind, declared.entity, rows, taken_at or now, requests=requests)

    def _counts(self, counts: SourceCounts, scratch: Scratch) -> tuple[pa.Table, datetime | None, int]:
        columns = {"day": counts.day, "count": counts.count}
        if counts.status is not None:
            columns["status"] = counts.status
        with self._run(counts.resource, _count_entity(), columns, self._days(counts), scratch) as run:
            rows, faulty = _read(run, ["day", "status", "count"])
            taken_at, requests = _covered_until(run), _requests(run)
        if faulty:
            found = f"{faulty} of its rows have no readable day, status or count"
            raise SourceError(self._place(counts), found, "correct the mapping of the counts")
        if counts.status is None:
            rows = rows.set_column(1, "status", pa.array([ALL_STATUSES] * rows.num_rows, pa.string()))
        summed = rows.group_by(["day", "status"]).aggregate([("count", "sum")])
        named = summed.rename_columns(["day", "status", "count"])
        return named.select(COUNTS_SCHEMA.names).cast(COUNTS_SCHEMA), taken_at, requests

    def _days(self, counts: SourceCounts) -> Window:
        """The days that are compared, for sources that can be asked for a part: from a midnight in their zone."""
        zone = ZoneInfo(counts.zone or self.source.zone or "UTC")
        day = self.window.end.replace(tzinfo=UTC).astimezone(zone).date() - timedelta(days=counts.days - 1)
        start = datetime.combine(day, time(), zone).astimezone(UTC).replace(tzinfo=None)
        return Window(start, self.window.end)

    def _keys(self, keys: KeyList, scratch: Scratch) -> tuple[pa.Table, datetime | None, int]:
        declared = self.catalog.entities[keys.entity]
        columns = {declared.key: keys.key}
        with self._run(keys.resource, _key_entity(declared), columns, Window(None, self.window.end), scratch) as run:
            rows, faulty = _read(run, [declared.key])
            taken_at, is_whole, requests = _covered_until(run), run.is_whole, _requests(run)
        if faulty or not is_whole:
            found = f"{faulty} keys cannot be read" if faulty else "the list was not read to its end"
            raise SourceError(self._place(keys), found, "an incomplete list deletes nothing; mend it and wait a night")
        listed = pc.unique(rows.column(0).combine_chunks())
        if not len(listed):
            raise SourceError(self._place(keys), "the list is empty", "an empty list deletes nothing; check the export")
        return pa.table([listed.cast(pa.string())], schema=KEYS_SCHEMA), taken_at, requests

    def deletions(self, deleted: DeletedKeys, scratch: Scratch) -> Tally:
        entity = self.catalog.entities[deleted.entity]
        means = (_key_entity(entity), {entity.key: deleted.key}, self.window, scratch)
        with self._run(deleted.resource, *means, deleted_at=deleted.deleted_at) as run:
            rows, faulty = _read(run, [entity.key, DELETED])
            until, requests = run.complete_until, _requests(run)
        named = rows.rename_columns(DELETIONS_SCHEMA.names).cast(DELETIONS_SCHEMA)
        newest = named.group_by("key").aggregate([("deleted_at", "max")]).rename_columns(DELETIONS_SCHEMA.names)
        message = f"{faulty} of its entries have no readable key or time" if faulty else ""
        return Tally("deletions", entity.id, newest.select(DELETIONS_SCHEMA.names), until, message, faulty, requests)

    def _place(self, declared: Declared) -> str:
        return f"source {self.source.id}, resource {declared.resource}"

    @contextmanager
    def _run(
        self,
        resource: str,
        entity: Entity,
        columns: dict[str, ColumnMapping],
        window: Window,
        scratch: Scratch,
        deleted_at: ColumnMapping | None = None,
    ) -> Iterator[ResourceRun]:
        """The resource read whole, at its newest, as rows of a passing entity."""
        mapping = EntityMapping(entity=entity.id, resource=resource, columns=columns, deleted_at=deleted_at)
        whole = self.source.resources[resource].model_copy(update={"delivery": "snapshot"})
        resources = {**self.source.resources, resource: whole}
        source = self.source.model_copy(update={"entities": (mapping,), "resources": resources})
        catalog = replace(self.catalog, entities={**self.catalog.entities, entity.id: entity})
        means = (catalog, self.settings, self.resolver, window, scratch)
        with opened_reading(source, *means) as reading:
            yield ResourceRun(source, resource, *means, reading=reading)


def _read(run: ResourceRun, columns: list[str]) -> tuple[pa.Table, int]:
    """The named columns of every readable row, and how many rows have a fault."""
    tables, faulty = [], 0
    for rows in run.rows():
        faults = rows[FAULTS].is_valid()
        faulty += pc.sum(faults).as_py() or 0
        tables.append(rows.filter(pc.invert(faults)).select(columns))
    if not tables:
        kinds = {"day": pa.date32(), "count": pa.int64(), DELETED: TIMESTAMP}
        return pa.schema([(name, kinds.get(name, pa.string())) for name in columns]).empty_table(), faulty
    return pa.concat_tables(tables), faulty


def _requests(run: ResourceRun) -> int:
    return run.reading.requests_made if run.reading is not None else 0


def _covered_until(run: ResourceRun) -> datetime | None:
    """For files the end of what the newest one covers, where that is declared; a live source answers as of now."""
    rule = run.resource.complete_until
    return run.covered_until if rule is not None and rule.by in ("file_name", "modified") else None


def _count_entity() -> Entity:
    return Entity(
        id="source_counts",
        grain="one row per day and status",
        key="count_id",
        columns={
            "count_id": Column(type="key", meaning="Not used"),
            "day": Column(type="date", required=True, meaning="Day that the source counts"),
            "status": Column(type="text", meaning="Status in our words"),
            "count": Column(type="bigint", required=True, minimum=0, meaning="How many rows the source counts"),
        },
    )


def _key_entity(entity: Entity) -> Entity:
    """The entity as its key alone."""
    column = entity.columns[entity.key].model_copy(update={"required": True})
    return Entity(id=entity.id, grain=entity.grain, key=entity.key, columns={entity.key: column})
