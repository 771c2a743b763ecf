"""What a source's fields no longer are: new ones, gone ones, changed types. And what the mapping cannot do without."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog.entities import Entity
from hansei.catalog.source_mappings import EntityMapping
from hansei.catalog.sources import Source
from hansei.errors import SourceError
from hansei.sources.chunks import RECORD, SPECIALS
from hansei.sources.fields import Fields, neutral_names, resource_paths, roots
from hansei.sources.formats import json_name, json_path
from hansei.sources.mapping import EntityMapper, first_mapping
from hansei.sources.rest.lineage import known_roots
from hansei.sources.scratch import Scratch, flat, name, positions, quote

# A column whose values fail this often has changed its type; fewer failures are faults of single rows.
TYPE_DRIFT_SHARE = 0.1
TYPE_DRIFT_COUNT = 2


@dataclass(frozen=True)
class Drift:
    """One field that differs from its declaration; `count` rows show it."""

    field: str
    kind: str  # new, missing, type
    count: int


@dataclass
class DriftWatch:
    """Counts over the chunks of one resource which fields came, and as what."""

    source: Source
    resource: str
    rows: int = 0
    new: Counter = field(default_factory=Counter)
    absent: Counter = field(default_factory=Counter)
    seen_keys: set[str] = field(default_factory=set)
    json_types: dict[str, Counter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.paths = resource_paths(self.source, self.resource)
        self.known = roots(self.paths) | set(self.source.resources[self.resource].ignore)
        self.known |= known_roots(self.source, self.resource)

    def unknown_fields(self, raw: pa.Table, scratch: Scratch, is_json: bool) -> list[str]:
        """Fields that no mapping names and no `ignore` lists; counted as new."""
        if is_json:
            query = f"SELECT json_keys({name(RECORD)}) AS keys, count(*) AS rows FROM raw GROUP BY keys"
            keys: Counter = Counter()
            for row in scratch.select(query, raw=raw.select([RECORD])).to_pylist():
                keys.update(dict.fromkeys(row["keys"] or (), row["rows"]))
            self.seen_keys.update(keys)
            unknown = {key: rows for key, rows in keys.items() if key not in self.known}
        else:
            fields = [column for column in raw.column_names if column not in SPECIALS and column not in self.known]
            unknown = {column: _filled(raw[column]) for column in fields}
        self.new.update(unknown)
        return sorted(unknown)

    def observe(self, fields: Fields) -> None:
        """Counts the declared fields that are gone and, for JSON, as which types the others came."""
        self.rows += fields.raw.num_rows
        if not fields.is_json:
            self.absent.update({path: fields.raw.num_rows for path in self.paths if not fields.has(path)})
            return
        single = [path for path in self.paths if "*" not in path]
        listed = ", ".join(quote(json_path(path)) for path in single)
        # Records of one source come in few combinations of types, so the groups are few.
        query = f"SELECT json_type({name(RECORD)}, [{listed}]) AS types, count(*) AS rows FROM raw GROUP BY types"
        for row in fields.scratch.select(query, raw=fields.raw.select([RECORD])).to_pylist() if single else ():
            for path, kind in zip(single, row["types"] or (), strict=False):
                if kind not in (None, "NULL"):
                    self.json_types.setdefault(path, Counter())[_family(kind)] += row["rows"]

    def found(self, mappers: list[EntityMapper]) -> dict[str, list[Drift]]:
        """Drift per entity: new fields with the resource's first entity, the rest with each entity that it touches."""
        first = self.source.entities[first_mapping(self.source, self.resource)].entity
        result: dict[str, list[Drift]] = {
            first: [Drift(path, "new", count) for path, count in sorted(self.new.items())]
        }
        gone = dict(self.absent)
        if self.seen_keys:
            gone = {path: self.rows for path in self.paths if path.split(".")[0].split("[")[0] not in self.seen_keys}
        mixed = {path: types.total() - max(types.values()) for path, types in self.json_types.items() if len(types) > 1}
        for mapper in mappers:
            used = {path for column in mapper.mapping.columns.values() for path in column.paths}
            drifts = [Drift(path, "missing", count) for path, count in sorted(gone.items()) if path in used]
            drifts += [Drift(path, "type", count) for path, count in sorted(mixed.items()) if path in used]
            drifts += [drift for drift in _failing(mapper) if drift.field not in mixed]
            known = result.setdefault(mapper.entity.id, [])
            known.extend(drift for drift in drifts if drift not in known)
        return result


def _filled(column: pa.ChunkedArray) -> int:
    if pa.types.is_string(column.type):
        return len(column) - column.null_count - (pc.sum(pc.equal(column, "").cast(pa.int64())).as_py() or 0)
    return len(column) - column.null_count


def _family(kind: str) -> str:
    """A JSON type; all numbers are one."""
    return "number" if kind in ("BIGINT", "UBIGINT", "DOUBLE", "HUGEINT") else kind


def _failing(mapper: EntityMapper) -> list[Drift]:
    drifts = []
    for column, counts in mapper.counts.items():
        failures = sum(count for rule, count in counts.faults.items() if rule.startswith("cast:"))
        mapping = mapper.mapping.columns.get(column)
        if mapping is None or failures < TYPE_DRIFT_COUNT or failures < TYPE_DRIFT_SHARE * (counts.filled + failures):
            continue
        drifts.append(Drift(mapping.paths[0] if mapping.paths else column, "type", failures))
    return drifts


def check_required(source: Source, resource: str, entities: dict[str, Entity], fields: Fields, place: str) -> None:
    """Raises SourceError where a column that rows cannot do without has lost its field.

    Only for tables: a JSON record may leave out a key, so there each row is judged by itself.
    """
    if fields.is_json:
        return
    needed = [(path, "the cursor") for path in [source.resources[resource].cursor] if path]
    for mapping in source.entities:
        if mapping.resource == resource:
            needed += _needed(mapping, entities[mapping.entity])
    gone = {path: use for path, use in needed if path not in SPECIALS and not fields.has(path)}
    if not gone:
        return
    columns = [column for column in fields.raw.column_names if column not in SPECIALS]
    listed = ", ".join(f"{path!r} ({use})" for path, use in gone.items())
    if len(columns) == 1:
        found = f"one single column instead of {listed}: the delimiter seems to be another"
        guess = next((sign for sign in (";", "\t", "|", ",") if sign in columns[0]), None)
        raise SourceError(place, found, f"set `delimiter: {guess!r}`" if guess else "set `delimiter`")
    raise SourceError(place, f"field {listed} is gone", "correct the mapping's path, or have the field delivered again")


def _needed(mapping: EntityMapping, entity: Entity) -> list[tuple[str, str]]:
    needed = []
    for column, declared in entity.columns.items():
        own = mapping.columns.get(column)
        if own and declared.required and own.default is None and not (column == entity.key and entity.key_when_missing):
            needed += [(path, f"required {column}") for path in own.paths]
    if mapping.version:
        needed += [(path, "the version") for path, _ in mapping.version.parts]
    needed += [(rule.path, "the filter") for rule in mapping.where if rule.has_key is None]
    return needed


def extra_fields(
    raw: pa.Table, unknown: list[str], plain: tuple[str, ...], scratch: Scratch, is_json: bool
) -> tuple[pa.Array, pa.Array]:
    """Unknown fields of each row as (private, plain) JSON objects; NULL where a row has none."""
    sql_names = neutral_names(raw)
    columns = []
    for names in ([key for key in unknown if key not in plain], [key for key in unknown if key in plain]):
        pairs = ", ".join(f"{quote(key)}, {_extra_value(key, raw, sql_names, is_json)}" for key in names)
        merged = f"json_merge_patch('{{}}', json_object({pairs}))::VARCHAR"
        columns.append(f"nullif({merged}, '{{}}')" if names else "NULL::VARCHAR")
    query = f"SELECT {columns[0]} AS private, {columns[1]} AS plain, position FROM raw"
    renamed = raw.rename_columns(list(sql_names.values())).append_column("position", positions(raw.num_rows))
    found = scratch.select_ordered(query, "position", raw=renamed)
    return flat(found["private"]), flat(found["plain"])


def _extra_value(key: str, raw: pa.Table, sql_names: dict[str, str], is_json: bool) -> str:
    if is_json:
        return f"json_extract({name(RECORD)}, {quote('$.' + json_name(key))})"
    column = sql_names[key]
    return f"nullif({column}, '')" if pa.types.is_string(raw.schema.field(key).type) else column
