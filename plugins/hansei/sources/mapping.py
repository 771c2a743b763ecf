"""The mapping at work: a chunk's fields as canonical rows, each with the faults that it has.

A cast never fails a batch. A row whose value cannot be read carries a fault {column, rule}, and the rule is one of
`cast:<type>`, `value_map`, `missing_required`, `unreadable`; no fault quotes a value.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog.entities import Entity
from hansei.catalog.source_mappings import EntityMapping
from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.sources.casts import ARROW_TYPES
from hansei.sources.chunks import FILE, ROW, UNREADABLE
from hansei.sources.fields import RAW_ROW, Fields
from hansei.sources.keys import EventKeys, content_hashes
from hansei.sources.matrix import DELETED, VERSION, Matrix, columns_of
from hansei.sources.privacy import Privacy
from hansei.sources.redaction_names import without_declared
from hansei.sources.scratch import Scratch, flat, name, quote
from hansei.sources.times import TIMESTAMP, iso

HASH, EXTRA, FAULTS, RAW_PART, MAPPING = "content_hash", "extra", "faults", "raw_part", "mapping"
UNREADABLE_FAULT = '[{"column":null,"rule":"unreadable"}]'


def part_schema(entity: Entity) -> pa.Schema:
    """Schema of a part in the spool: the canonical columns, then what the pipeline says about the row."""
    own = [pa.field(column, ARROW_TYPES[declared.type]) for column, declared in entity.columns.items()]
    more = [(VERSION, pa.string()), (HASH, pa.string()), (EXTRA, pa.string()), (DELETED, TIMESTAMP)]
    more += [(FAULTS, pa.string()), (RAW_PART, pa.int32()), (RAW_ROW, pa.int32()), (MAPPING, pa.int32())]
    return pa.schema([*own, *(pa.field(*item) for item in more)])


def first_mapping(source: Source, resource: str) -> int:
    """Index of the first mapping of a resource: unreadable rows and `extra` go with it."""
    return next(index for index, mapping in enumerate(source.entities) if mapping.resource == resource)


@dataclass
class ColumnCounts:
    """What a column met in the rows so far: rows seen, values filled, faults per rule."""

    rows: int = 0
    filled: int = 0
    faults: Counter = field(default_factory=Counter)


class EntityMapper:
    """One entry of `source.entities`; counts over the chunks of a batch what it met."""

    def __init__(
        self, source: Source, index: int, entity: Entity, window: Window, privacy: Privacy, scratch: Scratch
    ) -> None:
        self.source, self.index, self.entity, self.window = source, index, entity, window
        self.mapping: EntityMapping = source.entities[index]
        self.columns = columns_of(source, self.mapping, entity)
        self.counts = {column: ColumnCounts() for column in entity.columns}
        self.ambiguous_times = self.nonexistent_times = 0
        self._privacy, self._scratch = privacy, scratch
        self._keys = EventKeys(entity, source.instance, index, scratch)

    @property
    def is_first(self) -> bool:
        return self.index == first_mapping(self.source, self.mapping.resource)

    def apply(self, fields: Fields, place: str) -> pa.Table:
        """The chunk's rows that the filter takes, as `part_schema`; `extra` and `raw_part` are still NULL.

        Unreadable rows come last and only with the resource's first mapping, so that each is counted once.
        """
        matrix = Matrix(self.source, self.mapping, self.entity, self.window, fields, place)
        rows = self._scratch.select_ordered(matrix.sql(), RAW_ROW, fields=fields.table)
        self._count(rows)
        for column, declared in self.entity.columns.items():
            if column in self.columns:
                protected = self._protect(self._without_own_names(rows, column, fields), column)
                rows = rows.set_column(rows.column_names.index(column), column, protected)
            else:
                rows = rows.append_column(column, pa.nulls(rows.num_rows, ARROW_TYPES[declared.type]))
        rows = self._keys.apply(rows)
        finished = self._finish(rows)
        return pa.concat_tables([finished, self._unreadable(fields)]) if self.is_first else finished

    def _without_own_names(self, rows: pa.Table, column: str, fields: Fields) -> pa.ChunkedArray:
        """The column's texts without the names that the row carries in other fields, where the mapping names them."""
        texts = rows[column]
        for path in self.columns[column].names:
            names = flat(fields.values(path)).take(flat(rows[RAW_ROW])).cast(pa.string())
            texts = pa.chunked_array([without_declared(flat(texts), names)], pa.string())
        return texts

    def _protect(self, values: pa.ChunkedArray, column: str) -> pa.ChunkedArray:
        """The values as they may be stored; a key that is a person's own (an e-mail address) keeps its prefix."""
        declared, mapping = self.entity.columns[column], self.columns[column]
        treatment = mapping.policy or self._privacy.treatment(self.entity.id, column, declared)
        if declared.type != "key" or treatment.kind != "pseudonymise":
            return self._privacy.protect(values, declared, treatment)
        prefix = f"{mapping.instance or self.source.instance}:"
        hidden = self._privacy.protect(pc.utf8_slice_codeunits(values, len(prefix)), declared, treatment)
        return pc.binary_join_element_wise(prefix, hidden, "")

    def _finish(self, rows: pa.Table) -> pa.Table:
        schema = part_schema(self.entity)
        found = {
            HASH: content_hashes(rows, self.entity, self._scratch),
            FAULTS: self._faults(rows),
            MAPPING: pa.array([self.index], pa.int32()).take(pa.array([0] * rows.num_rows, pa.int8())),
        }
        columns = []
        for item in schema:
            values = found.get(item.name)
            if values is None:
                known = item.name in rows.column_names
                values = rows[item.name] if known else pa.nulls(rows.num_rows, item.type)
            columns.append(values.cast(item.type))
        return pa.table(columns, schema=schema)

    def _faults(self, rows: pa.Table) -> pa.Array:
        """The faults of each row as a JSON list, NULL where it has none."""
        faulty = [title for title in rows.column_names if title.startswith("fault ")]
        faulty = [title for title in faulty if rows[title].null_count < rows.num_rows]
        if not faulty:
            return pa.nulls(rows.num_rows, pa.string())
        listed = ", ".join(
            f'\'{{"column":"{title.removeprefix("fault ")}","rule":"\' || {name(title)} || \'"}}\'' for title in faulty
        )
        query = f"""
          SELECT CASE WHEN len(faults) > 0 THEN '[' || array_to_string(faults, ',') || ']' END AS faults, {RAW_ROW}
          FROM (SELECT list_filter([{listed}], lambda fault: fault IS NOT NULL) AS faults, {RAW_ROW} FROM rows)"""
        return flat(self._scratch.select_ordered(query, RAW_ROW, rows=rows.select([*faulty, RAW_ROW]))[FAULTS])

    def _unreadable(self, fields: Fields) -> pa.Table:
        """Rows that could not be parsed, with nothing but a fault; their text waits in the raw part."""
        query = f"""
          SELECT sha256(concat_ws('|', {name(FILE)}, {name(ROW)}::VARCHAR)) AS {HASH}, {RAW_ROW},
            {quote(iso(self.window.end))} AS {VERSION}, {quote(UNREADABLE_FAULT)} AS {FAULTS},
            {self.index}::INTEGER AS {MAPPING}
          FROM fields WHERE {name(UNREADABLE)} IS NOT NULL"""
        wanted = fields.table.select([RAW_ROW, ROW, FILE, UNREADABLE])
        found = self._scratch.select_ordered(query, RAW_ROW, fields=wanted)
        schema = part_schema(self.entity)
        given = set(found.column_names)
        columns = [
            found[item.name].cast(item.type) if item.name in given else pa.nulls(found.num_rows, item.type)
            for item in schema
        ]
        return pa.table(columns, schema=schema)

    def _count(self, rows: pa.Table) -> None:
        for column, counts in self.counts.items():
            counts.rows += rows.num_rows
            if column in self.columns:
                counts.filled += rows.num_rows - rows[column].null_count
            if f"fault {column}" in rows.column_names:
                met = rows[f"fault {column}"].drop_null().value_counts().to_pylist()
                counts.faults.update({pair["values"]: pair["counts"] for pair in met})
        for title in rows.column_names:
            if title.startswith("twice "):
                self.ambiguous_times += pc.sum(rows[title].cast(pa.int64())).as_py() or 0
            if title.startswith("never "):
                self.nonexistent_times += pc.sum(rows[title].cast(pa.int64())).as_py() or 0
