"""Quarantined rows mapped again, after a definition or the source has been mended."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from hansei.catalog.loader import Catalog
from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.settings import Settings
from hansei.sources.chunks import FILE, RECORD, ROW, UNREADABLE, Chunk, UnreadableRow
from hansei.sources.extraction import ResourceRun
from hansei.sources.fields import RAW_ROW
from hansei.sources.mapping import part_schema
from hansei.sources.scratch import Scratch, flat

Record = dict


def remap(
    source: Source, catalog: Catalog, settings: Settings, entity: str, records: list[Record], window: Window
) -> pa.Table:
    """Canonical rows of `entity` from raw rows as `spool.raw_rows` gave them, as `part_schema` has it.

    raw_row: position in `records`; one record gives a row for each mapping that takes it, or only for `$mapping`
    where it names one; none where the mapping no longer does. raw_part is NULL. An unreadable row stays unreadable.
    """
    tables = [part_schema(catalog.entities[entity]).empty_table()]
    groups: dict[tuple, list[int]] = {}
    for position, record in enumerate(records):
        key = (record["$resource"], record.get(FILE), record.get("$mapping"), RECORD in record)
        groups.setdefault(key, []).append(position)
    with Scratch() as scratch:
        for (resource, file, mapping, is_json), members in groups.items():
            run = ResourceRun(source, resource, catalog, settings, None, window, scratch, is_replay=True)
            chunk, order = _chunk(file or resource, records, members, is_json)
            for _, mapped in run.map(chunk):
                for mapper, rows in mapped:
                    if mapper.entity.id == entity and mapping in (None, mapper.index):
                        found = pa.array(order[flat(rows[RAW_ROW]).to_numpy()], pa.int32())
                        tables.append(rows.set_column(rows.column_names.index(RAW_ROW), RAW_ROW, found))
    return pa.concat_tables(tables).sort_by(RAW_ROW)


def _chunk(file: str, records: list[Record], members: list[int], is_json: bool) -> tuple[Chunk, np.ndarray]:
    """The records as a chunk, and which record stands at each of its rows: readable ones first."""
    good = [position for position in members if UNREADABLE not in records[position]]
    bad = [position for position in members if UNREADABLE in records[position]]
    rows = pa.array([records[position].get(ROW) or 0 for position in good], pa.int64())
    if is_json:
        texts = [json.dumps(records[position][RECORD], ensure_ascii=False) for position in good]
        table = pa.table({RECORD: pa.array(texts, pa.string())})
    else:
        table = pa.table(
            {name: [_text(records[position].get(name)) for position in good] for name in _names(records, good)}
        )
    nested = frozenset(
        name for position in good for name, value in records[position].items() if isinstance(value, list | dict)
    )
    unreadable = [UnreadableRow(records[position].get(ROW) or 0, records[position][UNREADABLE]) for position in bad]
    return Chunk(file, table, rows, unreadable, nested - {RECORD}), np.array([*good, *bad], dtype=np.int64)


def _names(records: list[Record], members: list[int]) -> Iterable[str]:
    return dict.fromkeys(name for position in members for name in records[position] if not name.startswith("$"))


def _text(value: object) -> str | None:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return None if value is None else str(value)
