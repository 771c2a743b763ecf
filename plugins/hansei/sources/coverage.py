"""What a source definition covers: a sample read and mapped, nothing written."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from hansei.catalog.entities import Entity
from hansei.catalog.loader import Catalog
from hansei.catalog.source_mappings import ColumnMapping
from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.connections import Resolver
from hansei.settings import Settings
from hansei.sources import files
from hansei.sources.chunks import Chunk
from hansei.sources.database import read_table
from hansei.sources.drift import Drift
from hansei.sources.extraction import ResourceRun
from hansei.sources.fields import RAW_ROW, Fields
from hansei.sources.mapping import FAULTS, EntityMapper
from hansei.sources.rest import opened_reading
from hansei.sources.scratch import Scratch

EXAMPLES = 5
ASKED_OF_INTERFACES = timedelta(days=7)


@dataclass
class ColumnCoverage:
    """One canonical column in one mapping, `mapping` being its position in the file.

    origin: mapped, defaulted (a default stands by), constant, hashed (a key made of the content) or missing.
    filled_share: of the sampled rows, 0 to 1. faults: count per rule. examples: shapes of values that failed, with
    digits as 9 and letters as a; words themselves only where a value map lacks them and the column is not personal.
    """

    mapping: int
    entity: str
    resource: str
    column: str
    origin: str
    path: str | None
    required: bool
    personal_class: str
    policy: str | None
    filled_share: float
    faults: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)


@dataclass
class ResourceCoverage:
    """One resource of the sample: how much was read, and what no mapping uses."""

    resource: str
    places: list[str]
    sampled_rows: int
    unreadable_rows: int
    unused_fields: list[str]
    drift: list[Drift]


@dataclass
class Coverage:
    """The coverage matrix of a source."""

    source: str
    resources: list[ResourceCoverage]
    columns: list[ColumnCoverage]

    @property
    def is_sound(self) -> bool:
        """Whether the sample was mapped without a fault and without an unreadable row."""
        unreadable = any(resource.unreadable_rows for resource in self.resources)
        return not unreadable and not any(column.faults for column in self.columns)

    def as_dict(self) -> dict:
        """Plain data for JSON."""
        return {**asdict(self), "is_sound": self.is_sound}


def check_source(
    source: Source, catalog: Catalog, settings: Settings, resolver: Resolver, sample_rows: int = 1000
) -> Coverage:
    """Connects, reads a sample of each resource and maps it. Raises SourceError where a resource cannot be read."""
    coverage = Coverage(source.id, [], [])
    with Scratch() as scratch:
        for run in _runs(source, catalog, settings, resolver, scratch):
            examples: dict[tuple[int, str], list[str]] = {}
            rows = unreadable = 0
            for chunk in _sample(run, sample_rows):
                rows += chunk.table.num_rows
                unreadable += len(chunk.unreadable)
                for fields, mapped in run.map(chunk):
                    for mapper, table in mapped:
                        _collect_examples(examples, mapper, table, fields)
            drifts = [drift for found in run.watch.found(run.mappers).values() for drift in found]
            unused = sorted(run.watch.new)
            resource = ResourceCoverage(run.name, run.files, rows, unreadable, unused, drifts)
            coverage.resources.append(resource)
            for mapper in run.mappers:
                coverage.columns += [_column(mapper, column, examples) for column in mapper.entity.columns]
    return coverage


def preview_source(
    source: Source, catalog: Catalog, settings: Settings, resolver: Resolver, limit: int = 20
) -> dict[str, pa.Table]:
    """Up to `limit` canonical rows of each entity, pseudonymised and redacted as they would be stored."""
    tables: dict[str, list[pa.Table]] = {}
    with Scratch() as scratch:
        for run in _runs(source, catalog, settings, resolver, scratch):
            for chunk in _sample(run, limit):
                for _, mapped in run.map(chunk):
                    for mapper, table in mapped:
                        tables.setdefault(mapper.entity.id, []).append(table)
    return {entity: pa.concat_tables(parts).slice(0, limit) for entity, parts in tables.items()}


def _runs(
    source: Source, catalog: Catalog, settings: Settings, resolver: Resolver, scratch: Scratch
) -> Iterator[ResourceRun]:
    now = datetime.now(UTC).replace(tzinfo=None)
    # An interface may have to prepare what it is asked for, so it is asked for a week.
    window = Window(now - ASKED_OF_INTERFACES if source.kind == "rest" else None, now)
    used = {mapping.resource for mapping in source.entities}
    with opened_reading(source, catalog, settings, resolver, window, scratch, is_sample=True) as reading:
        for name in source.resources:
            if name in used:
                yield ResourceRun(source, name, catalog, settings, resolver, window, scratch, reading=reading)


def _sample(run: ResourceRun, limit: int) -> Iterator[Chunk]:
    """The first rows of the newest file, of the query, or of what an interface answers first."""
    if run.source.kind == "database":
        chunks = read_table(run.source, run.name, run.resolver, None, chunk_rows=limit)
        run.files.append(run.resource.table or run.name)
    elif run.reading is not None:
        chunks = run.reading.chunks(run.name, gathered_rows=1)
        run.files.append(run.name)
    else:
        newest = files.find_files(run.source, run.name, run.settings)[-1]
        chunks = files.read_file(newest, run.resource)
        run.files.append(newest.name)
    for chunk in chunks:
        length = min(limit, chunk.table.num_rows)
        yield Chunk(chunk.file, chunk.table.slice(0, length), chunk.rows.slice(0, length), chunk.unreadable)
        break


def _column(mapper: EntityMapper, column: str, examples: dict) -> ColumnCoverage:
    declared, counts = mapper.entity.columns[column], mapper.counts[column]
    mapping = mapper.columns.get(column)
    origin = _origin(mapping, mapper.entity, column)
    filled = counts.rows if origin == "hashed" else counts.filled
    return ColumnCoverage(
        mapping=mapper.index,
        entity=mapper.entity.id,
        resource=mapper.mapping.resource,
        column=column,
        origin=origin,
        path=", ".join(dict.fromkeys(mapping.paths)) or None if mapping else None,
        required=declared.required,
        personal_class=declared.personal_class,
        policy=mapping.policy.kind if mapping and mapping.policy else None,
        filled_share=round(filled / counts.rows, 4) if counts.rows else 0.0,
        faults=dict(counts.faults),
        examples=examples.get((mapper.index, column), []),
    )


def _origin(mapping: ColumnMapping | None, entity: Entity, column: str) -> str:
    if mapping is None:
        return "hashed" if column == entity.key and entity.key_when_missing else "missing"
    if mapping.constant is not None:
        return "constant"
    return "defaulted" if mapping.default is not None else "mapped"


def _collect_examples(examples: dict, mapper: EntityMapper, table: pa.Table, fields: Fields) -> None:
    """Adds the commonest shapes of values that failed, per mapping and column."""
    failed: dict[str, Counter] = {}
    faulty = table.filter(table[FAULTS].is_valid()).select([FAULTS, RAW_ROW]).to_pylist()
    for row in faulty:
        for fault in json.loads(row[FAULTS]):
            mapping = mapper.columns.get(fault["column"])
            if mapping is None or not isinstance(mapping.path, str) or not fields.has(mapping.path):
                continue
            value = fields.values(mapping.path)[row[RAW_ROW]].as_py()
            if value is not None:
                is_word = fault["rule"] == "value_map" and not _is_personal(mapper.entity, fault["column"])
                failed.setdefault(fault["column"], Counter())[str(value) if is_word else shape(str(value))] += 1
    for column, shapes in failed.items():
        examples[mapper.index, column] = [example for example, _ in shapes.most_common(EXAMPLES)]


def _is_personal(entity: Entity, column: str) -> bool:
    return column in entity.columns and entity.columns[column].personal_class != "none"


def shape(value: str) -> str:
    """The form of a value without its content: `31/02/2024` is `99/99/9999`."""
    masked = re.sub(r"[^\W\d_]", lambda match: "A" if match[0].isupper() else "a", re.sub(r"\d", "9", value))
    return masked if len(masked) <= 40 else masked[:39] + "…"
