"""One batch: rows of a source in a window -> canonical, pseudonymised rows in the spool."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog.loader import Catalog
from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.connections import Resolver
from hansei.errors import SourceError
from hansei.settings import Settings
from hansei.sources import files
from hansei.sources.chunks import RECORD, SPECIALS, Chunk
from hansei.sources.database import read_table
from hansei.sources.drift import DriftWatch, check_required, extra_fields
from hansei.sources.fields import RAW_ROW, Fields, roots
from hansei.sources.formats import json_path
from hansei.sources.mapping import EXTRA, RAW_PART, EntityMapper
from hansei.sources.matrix import cursor_spec
from hansei.sources.privacy import Privacy, cipher, key_id, seal_extra
from hansei.sources.rest import opened_reading
from hansei.sources.scratch import Scratch, flat, name, positions, quote
from hansei.sources.spool import BatchWriter, EntityBatch, Manifest, TallyPart, discard_pages, read_manifest

if TYPE_CHECKING:
    from hansei.sources.rest.reading import Reading
    from hansei.sources.tallies import Tally

Progress = Callable[[str, int], None]
# So many rows, and all of them unreadable, are a wrong declaration and not a broken file.
HOPELESS_ROWS = 10


def extract_batch(
    source: Source,
    catalog: Catalog,
    settings: Settings,
    resolver: Resolver,
    run_id: str,
    window: Window,
    progress: Progress | None = None,
    tallies: Callable[[], Iterable[Tally]] = tuple,
) -> Manifest:
    """The batch of `source` for `window`, written to the spool; a finished one of the same run is returned as it is.

    progress: called with (resource, raw rows read so far). tallies: asked after the last row, so that no row can be
    newer than what the source says of its rows. Raises SourceError where the source cannot be read as a
    whole, SettingsError where a key is missing; then no batch exists, and the next attempt starts anew.
    """
    finished = read_manifest(settings, run_id, source.id)
    if finished is not None and finished.window == window and finished.key_id == key_id(settings):
        return finished
    key = key_id(settings)
    writer = BatchWriter(settings, run_id, source.id)
    means = (source, catalog, settings, resolver)
    with Scratch() as scratch, opened_reading(*means, window, scratch, run_id) as reading:
        runs = [
            ResourceRun(source, name, catalog, settings, resolver, window, scratch, reading=reading)
            for name in source.resources
            if any(mapping.resource == name for mapping in source.entities)
        ]
        for run in runs:
            run.write(writer, progress)
    writer.close_parts()
    entities = {entity: _entity_batch(source, entity, runs, writer) for entity in source.entity_ids}
    told = list(tallies())
    asked = None if reading is None else reading.asked(sum(tally.requests for tally in told))
    untils = [run.complete_until for run in runs] + [tally.taken_at for tally in told if tally.kind == "deletions"]
    manifest = Manifest(
        location=writer.location,
        run_id=run_id,
        source=source.id,
        instance=source.instance,
        window=window,
        key_id=key,
        complete_until=None if None in untils else min(untils),
        entities=entities,
        raw_parts=writer.raw_parts,
        tallies=tuple(_tally_part(writer, tally) for tally in told),
        asked=asked,
    )
    writer.finish(manifest)
    discard_pages(settings, run_id, source.id)
    return manifest


def _tally_part(writer: BatchWriter, tally: Tally) -> TallyPart:
    part = None if tally.rows is None else writer.write_tally(tally.kind, tally.entity, tally.rows)
    return TallyPart(tally.kind, tally.entity, part, tally.taken_at, tally.message, tally.unreadable)


def _entity_batch(source: Source, entity: str, runs: list[ResourceRun], writer: BatchWriter) -> EntityBatch:
    own = [run for run in runs if any(mapper.entity.id == entity for mapper in run.mappers)]
    deliveries = {source.delivery_of(run.name) for run in own}
    mappers = [mapper for run in own for mapper in run.mappers if mapper.entity.id == entity]
    untils = [run.complete_until for run in own]
    received = writer.received.get(entity, 0)
    drifts = [drift for run in own for drift in run.watch.found(run.mappers).get(entity, [])]
    return EntityBatch(
        received=received,
        parts=tuple(writer.parts.get(entity, ())),
        delivery=deliveries.pop() if len(deliveries) == 1 else "changes",
        is_complete_snapshot=received > 0
        and all(run.is_whole for run in own)
        and not any(run.lost_keys for run in own),
        complete_until=None if None in untils else min(untils),
        drift=tuple(dict.fromkeys(drifts)),
        ambiguous_times=sum(mapper.ambiguous_times for mapper in mappers),
        nonexistent_times=sum(mapper.nonexistent_times for mapper in mappers),
        files=tuple(name for run in own for name in run.files),
    )


@dataclass
class ResourceRun:
    """Reads one resource for one window and maps its rows for every entity that it feeds."""

    source: Source
    name: str
    catalog: Catalog
    settings: Settings
    resolver: Resolver
    window: Window
    scratch: Scratch
    is_replay: bool = False
    reading: Reading | None = None
    files: list[str] = field(default_factory=list)
    complete_until: datetime | None = None
    rows_read: int = 0
    unreadable: int = 0
    _newest: datetime | None = None

    def __post_init__(self) -> None:
        self.resource = self.source.resources[self.name]
        privacy = Privacy(self.settings, self.scratch, self.catalog.privacy_rules)
        self.mappers = [
            EntityMapper(self.source, index, self.catalog.entities[mapping.entity], self.window, privacy, self.scratch)
            for index, mapping in enumerate(self.source.entities)
            if mapping.resource == self.name
        ]
        self.watch = DriftWatch(self.source, self.name)
        self._by_file = self.source.kind == "files" and files.selects_files(self.resource)

    @property
    def is_whole(self) -> bool:
        """Whether absence from this reading means that a row is gone."""
        filtered = self.resource.cursor is not None and not self._by_file
        if self.reading is not None and not self.reading.proves_absence(self.name):
            return False
        return self.source.delivery_of(self.name) == "snapshot" and not filtered and not self.unreadable

    @property
    def lost_keys(self) -> int:
        """Rows whose key could not be read; a snapshot with such rows proves no deletion."""
        return sum(mapper.counts[mapper.entity.key].faults.total() for mapper in self.mappers)

    def write(self, writer: BatchWriter, progress: Progress | None) -> None:
        """Spools every chunk; `complete_until` is known afterwards."""
        taken = 0
        for chunk in self._chunks():
            for fields, mapped in self.map(chunk):
                number = writer.write_raw(self._storable(fields), self.name)
                for mapper, rows in mapped:
                    taken += rows.num_rows
                    numbers = pa.array(np.full(rows.num_rows, number, dtype=np.int32))
                    position = rows.column_names.index(RAW_PART)
                    writer.add(mapper.entity.id, rows.set_column(position, RAW_PART, numbers))
            if progress:
                progress(self.name, self.rows_read)
        place = f"source {self.source.id}, {', '.join(self.files[:3]) or self.name}"
        if self.unreadable == self.rows_read >= HOPELESS_ROWS:
            found = f"none of {self.unreadable} rows can be read as {self.resource.format}"
            raise SourceError(place, found, "correct format, delimiter, quote, skip_rows or records")
        if not taken and not self.resource.may_be_empty:
            found = f"no row in the window {self.window.as_text()}"
            raise SourceError(place, found, "check the export, or set may_be_empty: true")
        self.complete_until = self._complete_until()

    def rows(self) -> Iterator[pa.Table]:
        """Canonical rows of every chunk, nothing spooled: for what is read besides the batch."""
        for chunk in self._chunks():
            for _, mapped in self.map(chunk):
                for _, rows in mapped:
                    yield rows
        self.complete_until = self._complete_until()

    @property
    def covered_until(self) -> datetime | None:
        """The newest instant that what was read tells of; None where the resource declares none."""
        return self._newest

    def map(self, chunk: Chunk) -> Iterator[tuple[Fields, list[tuple[EntityMapper, pa.Table]]]]:
        """At most one (fields, rows per mapping): the chunk's rows of the window. Nothing where there are none."""
        place = f"source {self.source.id}, {chunk.file}"
        raw = self._without_ignored(chunk)
        fields = Fields(self.scratch, self.resource, raw, self.watch.paths, chunk.is_json, chunk.json_columns)
        if not self.is_replay:
            check_required(self.source, self.name, self.catalog.entities, fields, place)
        self.rows_read += raw.num_rows
        self.unreadable += len(chunk.unreadable)
        if self.resource.cursor is not None and not self.is_replay:
            self._keep_window(fields, place)
        unknown = self.watch.unknown_fields(fields.raw, self.scratch, chunk.is_json)
        self.watch.observe(fields)
        if not fields.raw.num_rows:
            return
        extra = self._extra(fields, unknown)
        mapped = []
        for mapper in self.mappers:
            rows = mapper.apply(fields, place)
            if mapper.is_first and extra is not None:
                own = extra.take(flat(rows[RAW_ROW]))
                rows = rows.set_column(rows.column_names.index(EXTRA), EXTRA, own)
            mapped.append((mapper, rows))
        yield fields, mapped

    def _chunks(self) -> Iterator[Chunk]:
        if self.source.kind == "database":
            self.files.append(self.resource.table or self.name)
            yield from read_table(self.source, self.name, self.resolver, self.window)
            return
        if self.source.kind == "rest":
            self.files.append(self.name)
            yield from self._answers()
            return
        found = files.find_files(self.source, self.name, self.settings)
        if self._by_file:
            past = [file.covered_until for file in found if file.covered_until <= self.window.end]
            self._newest = max(past, default=None)
        for file in files.choose(found, self.resource, self.source.delivery_of(self.name), self.window):
            self.files.append(file.name)
            yield from files.read_file(file, self.resource)

    def _answers(self) -> Iterator[Chunk]:
        """What an interface answers: with what the batch has read already, or, read by itself, from nothing."""
        if self.reading is not None:
            yield from self.reading.chunks(self.name)
            return
        means = (self.source, self.catalog, self.settings, self.resolver, self.window, self.scratch)
        with opened_reading(*means) as self.reading:
            yield from self.reading.chunks(self.name)

    def _without_ignored(self, chunk: Chunk) -> pa.Table:
        raw = chunk.with_specials()
        unused = set(self.resource.ignore) - roots(self.watch.paths)
        return raw.select([column for column in raw.column_names if column in SPECIALS or column not in unused])

    def _storable(self, fields: Fields) -> pa.Table:
        """The raw rows without what `ignore` lists, inside JSON records too; numbers may be written otherwise there."""
        unused = [path for path in self.resource.ignore if path not in self.watch.paths]
        if not fields.is_json or not unused:
            return fields.raw
        raw = fields.raw.append_column(RAW_ROW, positions(fields.raw.num_rows))
        query = f"SELECT {name(RECORD)} AS record, {RAW_ROW} FROM raw"
        # A step per object, each over the one before: inside one another the record would be written out 3^n times.
        for parents, keys in _by_parent(unused).items():
            patch = json.dumps(reduce(lambda inner, key: {key: inner}, reversed(parents), dict.fromkeys(keys)))
            is_there = f"json_type(record, {quote(json_path('.'.join(parents)) if parents else '$')}) = 'OBJECT'"
            less = f"CASE WHEN {is_there} THEN json_merge_patch(record, {quote(patch)})::VARCHAR ELSE record END"
            query = f"SELECT {less} AS record, {RAW_ROW} FROM ({query})"
        kept = self.scratch.select_ordered(query, RAW_ROW, raw=raw.select([RECORD, RAW_ROW]))
        return fields.raw.set_column(fields.raw.column_names.index(RECORD), RECORD, flat(kept["record"]))

    def _keep_window(self, fields: Fields, place: str) -> None:
        """Only rows whose cursor lies in the window; those without a readable cursor stay, so that none is lost."""
        time = fields.time(cursor_spec(self.source, self.name), place)
        cursor = fields.table[time.value]
        if not self._by_file:
            inside = pc.less(cursor, pa.scalar(self.window.end, cursor.type))
            if self.window.start is not None:
                inside = pc.and_(inside, pc.greater_equal(cursor, pa.scalar(self.window.start, cursor.type)))
            fields.keep(inside.fill_null(True))
            cursor = cursor.filter(inside.fill_null(False))
            newest = pc.max(cursor).as_py()
            self._newest = max(filter(None, (self._newest, newest)), default=None)

    def _extra(self, fields: Fields, unknown: list[str]) -> pa.Array | None:
        if not unknown:
            return None
        plain = self.source.plain_extra
        private, visible = extra_fields(fields.raw, unknown, plain, self.scratch, fields.is_json)
        return seal_extra(private, visible, cipher(self.settings))

    def _complete_until(self) -> datetime | None:
        """As the definition declares; without a declaration the source answers for any window."""
        if self.reading is not None:
            return self.reading.complete_until(self.name)
        rule = self.resource.complete_until
        if rule is None or rule.by == "window":
            return self.window.end
        return min(self._newest, self.window.end) if self._newest else None


def _by_parent(paths: list[str]) -> dict[tuple[str, ...], list[str]]:
    """The last names of dotted paths by what stands before them."""
    found: dict[tuple[str, ...], list[str]] = {}
    for path in paths:
        *parents, last = path.split(".")
        found.setdefault(tuple(parents), []).append(last)
    return found
