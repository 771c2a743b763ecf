"""The raw fields that the mappings of a resource read, taken out of a chunk once, trimmed and typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog.sources import Resource, Source
from hansei.errors import SourceError
from hansei.sources.chunks import FILE, RECORD, ROW, SPECIALS, UNREADABLE
from hansei.sources.formats import json_path
from hansei.sources.scratch import WHITESPACE, Scratch, flat, name, positions, quote
from hansei.sources.times import TIMESTAMP, UNIT_SECONDS, localise, read_time

RAW_ROW = "raw_row"
TEXT_FORMATS = ("csv", "tsv", "json", "jsonl")


def resource_paths(source: Source, resource: str) -> dict[str, None]:
    """Every source field that the resource's mappings, filters, versions and cursor read, in order, each once."""
    paths: list[str] = [cursor] if (cursor := source.resources[resource].cursor) else []
    for mapping in source.entities:
        if mapping.resource != resource:
            continue
        for column in [*mapping.columns.values(), *([mapping.deleted_at] if mapping.deleted_at else [])]:
            paths.extend(column.paths)
        paths.extend(rule.path for rule in mapping.where)
        if mapping.version:
            paths.extend(path for path, _ in mapping.version.parts)
    return dict.fromkeys(path for path in paths if path not in SPECIALS)


def roots(paths: dict[str, None] | tuple[str, ...]) -> set[str]:
    """Each path, and the top-level field that it starts in."""
    return {part for path in paths for part in (path, path.split(".")[0].split("[")[0])}


def kind_of(kind: pa.DataType) -> str:
    """The family of a raw column: text, integer, double, decimal, boolean, date, local, instant, nested, other."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (
        ("text", (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)),
        ("boolean", (pa.types.is_boolean,)),
        ("integer", (pa.types.is_integer,)),
        ("double", (pa.types.is_floating,)),
        ("decimal", (pa.types.is_decimal,)),
        ("date", (pa.types.is_date,)),
        ("nested", (pa.types.is_nested,)),
    )
    for family, checks in tests:
        if any(check(kind) for check in checks):
            return family
    if pa.types.is_timestamp(kind):
        return "instant" if kind.tz else "local"
    return "other"


@dataclass(frozen=True)
class TimeSpec:
    """How one time is read: from a path, or as a count of units since a date."""

    path: str
    formats: tuple[str, ...] = ()
    zone: str | None = None
    missing: tuple[str, ...] = ()
    since: str | None = None
    unit: str | None = None


@dataclass
class TimeColumn:
    """A time that was read: names of its columns in `Fields.table`."""

    value: str
    failed: str
    ambiguous: str
    nonexistent: str
    has_odd_times: bool


@dataclass
class Fields:
    """One chunk's fields. `table` holds `raw_row`, `$row`, `$file`, `$unreadable`, a column per path, and times.

    Inside SQL a field has a name of ours (`sql`), since a source may call two fields alike but for their case, and
    may use names that we use.
    """

    scratch: Scratch
    resource: Resource
    raw: pa.Table
    paths: dict[str, None]
    is_json: bool
    json_columns: frozenset[str] = frozenset()
    table: pa.Table = field(init=False)
    kinds: dict[str, str] = field(init=False, default_factory=dict)
    _times: dict[TimeSpec, TimeColumn] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._single = [path for path in self.paths if "*" not in path]
        self._names = {path: f"field_{index}" for index, path in enumerate(self.paths)} | {ROW: ROW, FILE: FILE}
        raw = self.raw.append_column(RAW_ROW, positions(self.raw.num_rows, kind=pa.int32()))
        self._raw_names = neutral_names(self.raw)
        raw = raw.rename_columns([*self._raw_names.values(), RAW_ROW])
        selected = [RAW_ROW, name(ROW), name(FILE), name(UNREADABLE)]
        for path in self.paths:
            value = self._json(path) if self.is_json else self._column(path)
            selected.append(f"{value} AS {self._names[path]}")
        inner = "raw"
        if self.is_json and self._single:
            listed = ", ".join(quote(json_path(path)) for path in self._single)
            parts = f"json_extract_string({name(RECORD)}, [{listed}]) AS parts"
            inner = f"(SELECT *, {parts}, json_type({name(RECORD)}, [{listed}]) AS types FROM raw)"
        query = f"SELECT {', '.join(selected)} FROM {inner}"
        self.table = self.scratch.select_ordered(query, RAW_ROW, raw=raw)
        self.kinds |= {ROW: "integer", FILE: "text"}

    def keep(self, mask: pa.ChunkedArray) -> None:
        """Drops the rows outside the mask; `raw_row` is the position among those that stay."""
        self.raw = self.raw.filter(mask)
        kept = self.table.filter(mask)
        self.table = kept.set_column(0, RAW_ROW, positions(kept.num_rows, kind=pa.int32()))

    def has(self, path: str) -> bool:
        return self.kinds.get(path, "absent") != "absent"

    def has_key(self, path: str) -> str:
        """SQL name of a column of `table`: whether the record has the field, whatever it holds; never NULL."""
        title = f"key {list(self._names).index(path)}"
        if title not in self.table.column_names:
            inside = (name(RECORD), json_path(path)) if self.is_json else self._inside(path)
            is_column = path in self._raw_names and not self.is_json
            holds = "true" if is_column else holds_key(*inside) if inside else "false"
            raw = self.raw.append_column(RAW_ROW, positions(self.raw.num_rows, kind=pa.int32()))
            raw = raw.rename_columns([*self._raw_names.values(), RAW_ROW])
            query = f"SELECT coalesce({holds}, false) AS holds, {RAW_ROW} FROM raw"
            self.table = self.table.append_column(title, self.scratch.select_ordered(query, RAW_ROW, raw=raw)["holds"])
        return name(title)

    def sql(self, path: str) -> str:
        """SQL name of the field in `table`, with its own type."""
        return name(self._names[path])

    def values(self, path: str) -> pa.ChunkedArray:
        """The field's values, trimmed and typed."""
        return self.table[self._names[path]]

    def _json(self, path: str) -> str:
        """SQL of the path's text out of the lists `parts` and `types`, for which each record is parsed once; DuckDB
        takes paths that lead to several values (`tags[*].name`) only one by one."""
        self.kinds[path] = "text"
        if "*" in path:
            return every_text(name(RECORD), json_path(path))
        number = self._single.index(path) + 1
        listed = f"array_to_string(list_sort(json_extract_string(parts[{number}], '$[*]')), ',')"
        value = f"CASE WHEN types[{number}] = 'ARRAY' THEN {listed} ELSE parts[{number}] END"
        return f"nullif(trim({value}, {quote(WHITESPACE)}), '')"

    def _column(self, path: str) -> str:
        if path in self._raw_names:
            column = self._raw_names[path]
            self.kinds[path] = kind_of(self.raw.schema.field(path).type)
            if path in self.json_columns:
                return json_text(f"CASE WHEN json_valid({column}) THEN {column}::JSON END")
            return _typed(column, self.kinds[path])
        inside = self._inside(path)
        self.kinds[path] = "absent" if inside is None else "text"
        if inside is None:
            return "NULL::VARCHAR"
        return every_text(*inside) if "*" in path else json_text(f"json_extract({inside[0]}, {quote(inside[1])})")

    def _inside(self, path: str) -> tuple[str, str] | None:
        """SQL of the JSON in the column that the path begins with, and the path in it; None without such a column."""
        root = path.split(".")[0].split("[")[0]
        if root == path or root not in self._raw_names:
            return None
        column, kind = self._raw_names[root], kind_of(self.raw.schema.field(root).type)
        inside = json_path(path[len(root) :].lstrip(".")) if path[len(root)] == "." else "$" + path[len(root) :]
        if kind == "nested":
            return f"to_json({column})", inside
        return (f"CASE WHEN json_valid({column}) THEN {column} END", inside) if kind == "text" else None

    def text(self, path: str, missing: tuple[str, ...] = ()) -> str:
        """SQL of the field as text, NULL where it is empty or a missing marker."""
        kind, column = self.kinds[path], self.sql(path)
        whole = f"CASE WHEN {column} = trunc({column}) AND abs({column}) < 1e15"
        texts = {
            "text": column,
            "absent": column,
            "double": f"{whole} THEN {column}::BIGINT::VARCHAR ELSE {column}::VARCHAR END",
            "decimal": f"{whole} THEN {column}::HUGEINT::VARCHAR ELSE {column}::VARCHAR END",
            "local": f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%f')",
            "instant": f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%fZ')",
        }
        sql = texts.get(kind, f"CAST({column} AS VARCHAR)")
        if missing:
            sql = f"CASE WHEN {sql} NOT IN ({', '.join(map(quote, missing))}) THEN {sql} END"
        return sql

    def time(self, spec: TimeSpec, place: str) -> TimeColumn:
        """The time column of `spec`; computed once per chunk, however many mappings ask.

        Raises SourceError where every time is a clock time and no zone is declared.
        """
        if spec not in self._times:
            self._times[spec] = self._read_time(spec, place)
        return self._times[spec]

    def _read_time(self, spec: TimeSpec, place: str) -> TimeColumn:
        value, is_naive = self._time_sql(spec)
        text = self.text(spec.path, spec.missing)
        query = (
            f"SELECT {value} AS value, {is_naive} AS is_naive, {text} IS NOT NULL AS is_given, {RAW_ROW} FROM fields"
        )
        wanted = self.table.select([RAW_ROW, self._names[spec.path]])
        read = self.scratch.select_ordered(query, RAW_ROW, fields=wanted)
        local = flat(read["value"]).cast(TIMESTAMP, safe=False)
        naive = pc.and_kleene(flat(read["is_naive"]), local.is_valid()).fill_null(False)
        if spec.zone is None and pc.any(naive).as_py():
            if pc.sum(naive.cast(pa.int64())).as_py() == len(local) - local.null_count:
                found = f"times of {spec.path!r} carry no zone, and none is declared"
                raise SourceError(place, found, "set `zone` of the source or of the column, for example Europe/Berlin")
            local = pc.if_else(naive, pa.scalar(None, TIMESTAMP), local)  # some rows only: they are faults
        known = localise(local, naive, spec.zone or "UTC")
        failed = pc.and_(flat(read["is_given"]), pc.is_null(known.instants))
        titles = [f"time {len(self._times)} {part}" for part in ("value", "failed", "twice", "never")]
        parts = (known.instants, failed, known.ambiguous, known.nonexistent)
        for title, values in zip(titles, parts, strict=True):
            self.table = self.table.append_column(title, values)
        has_odd_times = pc.any(known.ambiguous).as_py() or pc.any(known.nonexistent).as_py() or False
        return TimeColumn(*titles, has_odd_times=has_odd_times)

    def _time_sql(self, spec: TimeSpec) -> tuple[str, str]:
        text = self.text(spec.path, spec.missing)
        if spec.since is not None:
            start = f"TIMESTAMP {quote(datetime.fromisoformat(spec.since))}"
            number = f"TRY_CAST({text} AS DOUBLE)"
            if spec.unit == "months":
                whole = f"CASE WHEN {number} = trunc({number}) AND abs({number}) < 12000 THEN {number}::INTEGER END"
                return f"{start} + to_months({whole})", "true"
            seconds = UNIT_SECONDS[spec.unit]
            return f"{start} + to_microseconds(CAST({number} * {seconds * 1_000_000} AS BIGINT))", "true"
        kind = self.kinds[spec.path]
        if kind in ("local", "instant", "date"):
            return f"CAST({self.sql(spec.path)} AS TIMESTAMP)", "false" if kind == "instant" else "true"
        return read_time(text, spec.formats, also_iso=self.resource.format not in TEXT_FORMATS)


def neutral_names(raw: pa.Table) -> dict[str, str]:
    """A name for each raw column that no two share in SQL, whatever their case; our own columns keep theirs."""
    ours = (*SPECIALS, RECORD)
    return {column: column if column in ours else f"raw_{index}" for index, column in enumerate(raw.column_names)}


def _typed(column: str, kind: str) -> str:
    if kind == "text":
        return f"nullif(trim({column}::VARCHAR, {quote(WHITESPACE)}), '')"
    if kind == "instant":
        return f"CAST({column} AT TIME ZONE 'UTC' AS TIMESTAMP)"
    if kind == "local":
        return f"CAST({column} AS TIMESTAMP)"
    if kind == "nested":
        return json_text(f"to_json({column})")
    if kind == "double":
        return f"CASE WHEN isfinite({column}) THEN {column}::DOUBLE END"
    return column if kind != "other" else f"CAST({column} AS VARCHAR)"


def every_text(document: str, path: str) -> str:
    """SQL of every value that a path with `*` leads to, as one text: sorted, with commas between, NULL without any."""
    return f"nullif(array_to_string(list_sort(json_extract_string({document}, {quote(path)})), ','), '')"


def holds_key(document: str, path: str) -> str:
    """SQL of whether a JSON document has anything at the path, be it null."""
    if "*" in path:
        return f"len(json_extract({document}, {quote(path)})) > 0"
    return f"json_exists({document}, {quote(path)})"


def json_text(part: str) -> str:
    """SQL of a JSON value as text: strings bare, lists sorted and joined by a comma, null and '' as NULL."""
    listed = f"array_to_string(list_sort(json_extract_string({part}, '$[*]')), ',')"
    scalar = f"({part} ->> '$')"
    value = f"CASE WHEN starts_with({part}::VARCHAR, '[') THEN {listed} ELSE {scalar} END"
    return f"nullif(trim({value}, {quote(WHITESPACE)}), '')"
