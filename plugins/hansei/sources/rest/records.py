"""Records out of JSON answers: set-based, in DuckDB, with every number as the source wrote it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from hansei.errors import SourceError
from hansei.sources.chunks import RECORD
from hansei.sources.formats import json_name, json_path
from hansei.sources.rest.lineage import KEY, PARENT, POSITION, VALUE
from hansei.sources.scratch import Scratch, flat, positions, quote

EMPTY = pa.table({RECORD: pa.array([], pa.string())})


def place_of(path: str | None) -> str:
    """A path as DuckDB reads it: `a.b[0]` with every name quoted, or a JSONPath as it is."""
    if path is None:
        return "$"
    return path if path.startswith("$") and not path.startswith(("$parent", "$key", "$position")) else json_path(path)


def is_json(scratch: Scratch, text: str) -> bool:
    return scratch.select("SELECT json_valid(?) AS valid", [text])["valid"][0].as_py()


def values_at(scratch: Scratch, text: str, paths: Sequence[str]) -> dict[str, Any]:
    """The plain value at each path; None where there is none."""
    if not paths:
        return {}
    found = scratch.select("SELECT json_extract(?, ?) AS found", [text, [place_of(path) for path in paths]])
    values = found["found"][0].as_py()
    return {path: None if value is None else json.loads(value) for path, value in zip(paths, values, strict=True)}


def records_of(scratch: Scratch, text: str, path: str | None, place: str, is_optional: bool = False) -> pa.Table:
    """`$record` per item of the list at `path`; one object is one record, a plain value stands under `value`.

    Raises SourceError where there is neither list nor object, unless `is_optional`.
    """
    where = place_of(path)
    if "*" in where:
        lists = f"json_extract(text, {quote(where)})"
    else:
        kind = scratch.select("SELECT json_type(?, ?) AS kind", [text, where])["kind"][0].as_py()
        if kind not in ("ARRAY", "OBJECT"):
            if is_optional or kind == "NULL":
                return EMPTY
            seen = "is not there" if kind is None else f"is {kind.lower()}"
            what = f"records {path!r}" if path else "the answer"
            raise SourceError(place, f"{what} {seen}", "set `records` to the path of the list of records")
        items_at = f"json_extract(text, {quote(where + '[*]')})"
        lists = items_at if kind == "ARRAY" else f"[json_extract(text, {quote(where)})]"
    query = f"SELECT unnest({lists})::VARCHAR AS record FROM (SELECT ? AS text)"
    items = scratch.select(query, [text])
    if "*" in where:
        flattened = "CASE json_type(record) WHEN 'ARRAY' THEN json_extract(record, '$[*]')::VARCHAR[] ELSE [record] END"
        items = scratch.select(f"SELECT unnest({flattened}) AS record FROM items", items=items)
    items = items.append_column("position", positions(items.num_rows))
    query = (
        "SELECT CASE WHEN json_type(record) = 'OBJECT' THEN record "
        f"ELSE '{{{json_name(VALUE)}:' || record || '}}' END AS record, position FROM items WHERE record <> 'null'"
    )
    return pa.table({RECORD: flat(scratch.select_ordered(query, "position", items=items)["record"])})


def objects_of(scratch: Scratch, records: pa.Table, names: Sequence[str]) -> pa.Array:
    """Of each record the JSON object that holds only these fields."""
    pairs = ", ".join(f"{quote(name)}, json_extract(record, {quote('$.' + json_name(name))})" for name in names)
    query = f"SELECT json_object({pairs})::VARCHAR AS kept, position FROM items"
    return flat(scratch.select_ordered(query, "position", items=_numbered(records))["kept"])


def with_parent(scratch: Scratch, records: pa.Table, parent: str) -> pa.Table:
    """The records, each with the JSON object `parent` as `$parent`."""
    query = f"SELECT {_joined('record', [_member(PARENT, '?')])} AS record, position FROM items"
    found = scratch.select_ordered(query, "position", [parent], items=_numbered(records))
    return pa.table({RECORD: flat(found["record"])})


def items_of(scratch: Scratch, records: pa.Table, path: str, names: Sequence[str], specials: set[str]) -> pa.Table:
    """One record per item of the list (or entry of the object) at `path` of each record.

    names: the fields of the record that its items see as `$parent`. specials: which of `$parent`, `$position`, `$key`
    are wanted. An item that is no object stands under `value`.
    """
    pairs = ", ".join(f"{quote(name)}, json_extract(record, {quote('$.' + json_name(name))})" for name in names)
    members = {
        PARENT: f"json_object({pairs})::VARCHAR",
        POSITION: "row_number() OVER (PARTITION BY position ORDER BY element)::VARCHAR",
        KEY: "to_json(key)::VARCHAR",
    }
    own = f"CASE WHEN type = 'OBJECT' THEN value ELSE '{{{json_name(VALUE)}:' || value || '}}' END"
    listed = quote(place_of(path))
    added = [_member(special, sql) for special, sql in members.items() if special in specials]
    query = f"""
      SELECT {_joined(own, added)} AS record,
        row_number() OVER (ORDER BY position, element) - 1 AS ordinal
      FROM (
        SELECT record, position, item.key, item.value::VARCHAR AS value, item.type, item.id AS element
        FROM items, json_each(record, {listed}) AS item
        WHERE json_type(record, {listed}) IN ('ARRAY', 'OBJECT')
      )"""
    found = scratch.select_ordered(query, "ordinal", items=_numbered(records))
    return pa.table({RECORD: flat(found["record"])})


def hashes_of(scratch: Scratch, records: pa.Table, path: str | None = None) -> np.ndarray:
    """A number of 64 bits for each record, or for its value at `path`; equal texts have equal numbers."""
    value = "record" if path is None else f"coalesce(json_extract_string(record, {quote(place_of(path))}), record)"
    query = f"SELECT hash({value}) AS number, position FROM items"
    return scratch.select_ordered(query, "position", items=_numbered(records))["number"].to_numpy()


def _numbered(records: pa.Table) -> pa.Table:
    return pa.table({"record": records[RECORD], "position": positions(records.num_rows)})


def _member(key: str, sql: str) -> str:
    return f"'{json_name(key)}:' || {sql}"


def _joined(record: str, members: list[str]) -> str:
    """SQL of a JSON object's text with further members at its end."""
    if not members:
        return record
    listed = " || ',' || ".join(members)
    return f"left({record}, -1) || CASE WHEN ({record}) = '{{}}' THEN '' ELSE ',' END || {listed} || '}}'"
