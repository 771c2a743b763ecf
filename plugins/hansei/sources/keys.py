"""Hashes over canonical rows: the content of a row, and the key of an event whose source gives it none."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog.entities import Entity
from hansei.sources.chunks import FILE
from hansei.sources.fields import RAW_ROW
from hansei.sources.scratch import Scratch, flat, name, quote


def textual(entity: Entity, columns: list[str]) -> str:
    """SQL of the columns as one text: `name=value` of those that are not NULL, in order of name.

    The same for whatever input format; a column that is added later, and is NULL, does not change it.
    """
    parts = [f"({quote(column + '=')} || CAST({name(column)} AS VARCHAR) || chr(30))" for column in sorted(columns)]
    return f"concat({', '.join(parts) or quote('')})"


def content_hashes(rows: pa.Table, entity: Entity, scratch: Scratch) -> pa.Array:
    """SHA-256 over the canonical columns of each row, as hex."""
    filled = [column for column in entity.columns if rows[column].null_count < rows.num_rows]
    query = f"SELECT sha256({textual(entity, filled)}) AS hash, {RAW_ROW} FROM rows"
    return flat(scratch.select_ordered(query, RAW_ROW, rows=rows.select([*filled, RAW_ROW]))["hash"])


class EventKeys:
    """Gives rows without a key a hash of their content and of their ordinal among equals in the same file.

    The ordinal starts anew with each file: overlapping exports tell the same event, not another one.
    """

    def __init__(self, entity: Entity, instance: str, index: int, scratch: Scratch) -> None:
        self._entity, self._instance, self._scratch = entity, instance, scratch
        self._counts = f"equals_{index}"
        self._file: str | None = None

    def apply(self, rows: pa.Table) -> pa.Table:
        """The rows with every key filled."""
        parts, key = self._entity.key_when_missing, self._entity.key
        if not parts or rows.num_rows == 0 or rows[key].null_count == 0:
            return rows
        self._start_file(rows[FILE][0].as_py())
        without = rows.filter(pc.is_null(rows[key]))
        query = f"SELECT sha256({textual(self._entity, list(parts))}) AS content, {RAW_ROW} FROM rows"
        hashed = self._scratch.select(query, rows=without.select([*parts, RAW_ROW]))
        query = f"""
          SELECT hashed.{RAW_ROW}, hashed.content, {quote(self._instance + ":")} || sha256(hashed.content || '|' ||
            (row_number() OVER (PARTITION BY hashed.content ORDER BY hashed.{RAW_ROW}) - 1
              + coalesce(known.count, 0))::VARCHAR) AS key
          FROM hashed LEFT JOIN {self._counts} AS known ON known.content = hashed.content"""
        keyed = self._scratch.select_ordered(query, RAW_ROW, hashed=hashed)
        self._remember(hashed)
        filled = pc.replace_with_mask(flat(rows[key]), pc.is_null(flat(rows[key])), flat(keyed["key"]))
        return rows.set_column(rows.column_names.index(key), key, filled)

    def _start_file(self, file: str) -> None:
        if file != self._file:
            self._scratch.execute(f"CREATE OR REPLACE TEMP TABLE {self._counts} (content VARCHAR, count BIGINT)")
            self._file = file

    def _remember(self, hashed: pa.Table) -> None:
        query = f"INSERT INTO {self._counts} SELECT content, count(*) FROM hashed GROUP BY content"
        self._scratch.select(query, hashed=hashed)
        self._scratch.execute(
            f"CREATE OR REPLACE TEMP TABLE {self._counts} AS"
            f" SELECT content, sum(count)::BIGINT AS count FROM {self._counts} GROUP BY content"
        )
