"""The mapping matrix at work: fields of a resource as canonical rows, each with the faults that it has.

A cast never fails a batch. A row whose value cannot be read carries a fault {column, rule}, and the rule is one of
`cast:<type>`, `value_map`, `missing_required`, `unreadable`; no fault quotes a value.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog.entities import Column, Entity
from hansei.catalog.sources import ColumnMapping, EntityMapping, Source
from hansei.catalog.windows import Window
from hansei.sources.casts import ARROW_TYPES, SQL_TYPES, cast, literal, read_date, unit_factor
from hansei.sources.chunks import FILE, ROW, UNREADABLE
from hansei.sources.fields import RAW_ROW, TEXT_FORMATS, Fields, TimeSpec
from hansei.sources.privacy import Privacy
from hansei.sources.scratch import Scratch, name, quote
from hansei.sources.times import TIMESTAMP, UNIT_SECONDS, iso

VERSION, HASH, EXTRA, DELETED, FAULTS = "source_version", "content_hash", "extra", "deleted_at", "faults"
RAW_PART, MAPPING = "raw_part", "mapping"


@dataclass
class ColumnCounts:
    """What a column met in the rows so far: rows seen, values filled, faults per rule."""

    rows: int = 0
    filled: int = 0
    faults: Counter = field(default_factory=Counter)


@dataclass
class Mapped:
    """Canonical rows of one mapping and chunk; times counted where the zone's clock was ambiguous or skipped them."""

    table: pa.Table
    ambiguous_times: int = 0
    nonexistent_times: int = 0


class EntityMapper:
    """One entry of `source.entities`; keeps counts over the chunks of a batch."""

    def __init__(
        self, source: Source, index: int, entity: Entity, window: Window, privacy: Privacy, scratch: Scratch
    ) -> None:
        self.source, self.index, self.entity, self.window = source, index, entity, window
        self.mapping: EntityMapping = source.entities[index]
        self.resource = source.resources[self.mapping.resource]
        self.counts = {column: ColumnCounts() for column in entity.columns}
        self._privacy, self._scratch = privacy, scratch
        self._ordinals = f"ordinals_{index}"
        self._file: str | None = None

    def apply(self, fields: Fields, place: str) -> Mapped:
        """The chunk's rows that the filter takes, as canonical columns with version, hash, faults and raw_row.

        Unreadable rows come last and only with the resource's first mapping, so that each is counted once.
        """
        times = self._times(fields, place)
        cast_rows = self._scratch.select(self._cast_sql(fields, times), fields=fields.table)
        cast_rows = self._protect(cast_rows)
        finished = self._finish(cast_rows, fields)
        self._count(cast_rows)
        twice = sum(self._sum(cast_rows, f"twice {column}") for column in times)
        never = sum(self._sum(cast_rows, f"never {column}") for column in times)
        return Mapped(finished, twice, never)

    def _columns(self) -> dict[str, ColumnMapping]:
        columns = dict(self.mapping.columns)
        if "has_complete_events" in self.entity.columns and "has_complete_events" not in columns:
            columns["has_complete_events"] = ColumnMapping(constant=self.source.events == "complete")
        if self.mapping.deleted_at is not None:
            columns[DELETED] = self.mapping.deleted_at
        return columns

    def _column(self, column: str) -> Column:
        if column == DELETED:
            return Column(type="timestamp", meaning="When the row was deleted")
        return self.entity.columns[column]

    def _times(self, fields: Fields, place: str) -> dict[str, object]:
        """Time columns that the mapping needs: per canonical timestamp, `known:<column>`, and version parts."""
        times: dict[str, object] = {}
        for column, mapping in self._columns().items():
            zone = mapping.zone or self.source.zone
            missing = (*self.source.missing, *mapping.missing)
            if self._column(column).type == "timestamp" and isinstance(mapping.path, str):
                spec = TimeSpec(mapping.path, _tuple(mapping.format), zone, missing, mapping.since, mapping.unit)
                times[column] = fields.time(spec if mapping.since else _plain(spec), place)
            if mapping.known_at:
                spec = TimeSpec(mapping.known_at, _tuple(mapping.format), zone, missing)
                times[f"known:{column}"] = fields.time(spec, place)
        version = self.mapping.version
        for path, kind in version.parts if version else ():
            if kind == "timestamp":
                zone = version.zone or self.source.zone
                spec = TimeSpec(path, _tuple(version.format), zone, self.source.missing)
                times[f"version:{path}"] = fields.time(spec, place)
        if self.resource.cursor:
            times["cursor"] = fields.time(cursor_spec(self.source, self.mapping.resource), place)
        return times

    def _cast_sql(self, fields: Fields, times: dict) -> str:
        columns = self._columns()
        texts, words, finals = [], [], [RAW_ROW, name(ROW), name(FILE), f"{self._row_time(times)} AS row_time"]
        for column, mapping in columns.items():
            if column in times:
                continue
            texts.append(f"{self._text(fields, mapping)} AS {name('t ' + column)}")
            words.append(f"{self._word(column, mapping)} AS {name('w ' + column)}")
        finals.append(f"{self._version_sql(fields, times)} AS {VERSION}")
        finals.append(f"{self._version_fault(fields, times)} AS {name('fault ' + VERSION)}")
        for column, mapping in columns.items():
            value, fault = self._final(fields, column, mapping, times)
            finals += [f"{value} AS {name(column)}", f"{fault} AS {name('fault ' + column)}"]
        for key, time in times.items():
            taken = key in columns
            finals.append(f"{name(time.ambiguous) if taken else 'false'} AS {name('twice ' + key)}")
            finals.append(f"{name(time.nonexistent) if taken else 'false'} AS {name('never ' + key)}")
        for column, declared in self.entity.columns.items():
            if column not in columns:
                finals.append(f"NULL::{SQL_TYPES[declared.type]} AS {name(column)}")
                finals.append(f"NULL::VARCHAR AS {name('fault ' + column)}")
        if self.mapping.deleted_at is None:
            finals.append(f"NULL::TIMESTAMP AS {DELETED}")
        where = f"{name(UNREADABLE)} IS NULL" + (f" AND {self._where(fields)}" if self.mapping.where else "")
        inner = f"SELECT {', '.join(['*', *texts])} FROM fields WHERE {where}"
        inner = f"SELECT {', '.join(['*', *words])} FROM ({inner})"
        known = f"SELECT {', '.join(finals)} FROM ({inner})"
        return self._hide_future(known, times)

    def _hide_future(self, query: str, times: dict) -> str:
        """Values that only a later time makes known are NULL, and so are their faults."""
        hidden = [key.removeprefix("known:") for key in times if key.startswith("known:")]
        if not hidden:
            return f"SELECT * FROM ({query}) ORDER BY {RAW_ROW}"
        known = ", ".join(f"known_{index}" for index in range(len(hidden)))
        replaced = []
        for index, column in enumerate(hidden):
            for title in (column, f"fault {column}"):
                replaced.append(f"CASE WHEN known_{index} <= row_time THEN {name(title)} END AS {name(title)}")
        extra = ", ".join(
            f"{name(times[f'known:{column}'].value)} AS known_{index}" for index, column in enumerate(hidden)
        )
        query = query.replace("SELECT ", f"SELECT {extra}, ", 1)
        return f"SELECT * EXCLUDE ({known}) REPLACE ({', '.join(replaced)}) FROM ({query}) ORDER BY {RAW_ROW}"

    def _row_time(self, times: dict) -> str:
        """Time at which the row was true: its version's first time, else its cursor, else the window's end."""
        for key, time in times.items():
            if key.startswith("version:"):
                return name(time.value)
        if "cursor" in times:
            return name(times["cursor"].value)
        return f"TIMESTAMP {quote(self.window.end)}"

    def _text(self, fields: Fields, mapping: ColumnMapping) -> str:
        if mapping.constant is not None:
            return literal("text", mapping.constant)
        missing = (*self.source.missing, *mapping.missing)
        own = (mapping.path,) if isinstance(mapping.path, str) else mapping.path
        parts = [fields.text(path, missing) for path in own]
        text = parts[0] if len(parts) == 1 else f"nullif(concat_ws(' ', {', '.join(parts)}), '')"
        if mapping.extract == "email_domain":
            return f"nullif(regexp_extract(lower({text}), '@([^@\\s<>]+?)>?$', 1), '')"
        return text

    def _word(self, column: str, mapping: ColumnMapping) -> str:
        """The text in our words: value map, then default where the field is missing."""
        text = name("t " + column)
        word = text
        if mapping.values is not None:
            cases = " ".join(
                f"WHEN {quote(theirs)} THEN {literal('text', ours) if ours is not None else 'NULL'}"
                for theirs, ours in mapping.values.items()
            )
            other = literal("text", mapping.other) if mapping.other is not None else "NULL"
            word = f"CASE {text} {cases} ELSE {other} END" if cases else other
        if mapping.default is not None:
            word = f"CASE WHEN {text} IS NULL THEN {literal('text', mapping.default)} ELSE {word} END"
        return word

    def _final(self, fields: Fields, column: str, mapping: ColumnMapping, times: dict) -> tuple[str, str]:
        """SQL of (value, fault) of one canonical column."""
        declared = self._column(column)
        faults = []
        if column in times:
            value = name(times[column].value)
            faults.append(f"WHEN {name(times[column].failed)} THEN 'cast:timestamp'")
            if mapping.default is not None:
                value = f"CASE WHEN {name(times[column].failed)} THEN NULL ELSE coalesce({value}, TIMESTAMP {quote(mapping.default)}) END"
        else:
            text, word = name("t " + column), name("w " + column)
            value = self._value(column, declared, mapping, word)
            if mapping.values is not None and mapping.other is None:
                listed = ", ".join(map(quote, mapping.values)) or "NULL"
                faults.append(f"WHEN {text} IS NOT NULL AND {text} NOT IN ({listed}) THEN 'value_map'")
            faults.append(f"WHEN {word} IS NOT NULL AND ({value}) IS NULL THEN 'cast:{declared.type}'")
        if mapping.plus is not None:
            number = fields.text(mapping.plus.path, (*self.source.missing, *mapping.missing))
            micros = UNIT_SECONDS[mapping.plus.unit] * 1_000_000
            added = f"to_microseconds(CAST(TRY_CAST({number} AS DOUBLE) * {micros} AS BIGINT))"
            faults.append(
                f"WHEN {number} IS NOT NULL AND TRY_CAST({number} AS DOUBLE) IS NULL THEN 'cast:{declared.type}'"
            )
            value = f"CAST({value} + {added} AS {SQL_TYPES[declared.type]})"
        if declared.required and not (column == self.entity.key and self.entity.key_when_missing):
            faults.append(f"WHEN ({value}) IS NULL THEN 'missing_required'")
        if mapping.policy == "drop":
            value = f"NULL::{SQL_TYPES[declared.type]}"
        return value, f"CASE {' '.join(faults)} END" if faults else "NULL::VARCHAR"

    def _value(self, column: str, declared: Column, mapping: ColumnMapping, word: str) -> str:
        if declared.type == "key" or (mapping.instance and declared.type == "text"):
            return f"{quote((mapping.instance or self.source.instance) + ':')} || {word}"
        if declared.type == "date":
            if mapping.since is not None:
                return self._date_since(mapping, word)
            return read_date(word, _tuple(mapping.format), self.resource.format not in TEXT_FORMATS)
        if declared.type == "timestamp":  # a constant, or several fields joined
            return f"TRY_CAST({word} AS TIMESTAMP)"
        return cast(declared.type, word, mapping.decimal or self.source.decimal, unit_factor(mapping, declared, column))

    def _date_since(self, mapping: ColumnMapping, word: str) -> str:
        number = f"TRY_CAST({word} AS DOUBLE)"
        step = (
            f"to_months(CAST({number} AS INTEGER))"
            if mapping.unit == "months"
            else f"to_microseconds(CAST({number} * {UNIT_SECONDS[mapping.unit] * 1_000_000} AS BIGINT))"
        )
        return f"CAST(DATE {quote(mapping.since)} + {step} AS DATE)"

    def _where(self, fields: Fields) -> str:
        rule = self.mapping.where
        text = fields.text(rule.path, self.source.missing)
        if rule.equals is not None:
            return f"coalesce({text} IN ({', '.join(map(quote, rule.equals))}), false)"
        return f"{text} IS {'NOT ' if rule.is_present else ''}NULL"

    def _version_parts(self, fields: Fields, times: dict) -> list[tuple[str, str, str]]:
        """(text or NULL, whether it failed, rule) of each part; a missing part orders lowest."""
        parts = []
        for path, kind in self.mapping.version.parts:
            if kind == "timestamp":
                time = times[f"version:{path}"]
                parts.append((f"strftime({name(time.value)}, '%Y-%m-%dT%H:%M:%S.%fZ')", name(time.failed), kind))
            else:
                text = fields.text(path, self.source.missing)
                digits = f"regexp_extract({text}, '^(\\d{{1,20}})(\\.0+)?$', 1)"
                padded = f"lpad(nullif({digits}, ''), 20, '0')"
                parts.append((padded, f"({text} IS NOT NULL AND {padded} IS NULL)", kind))
        return parts

    def _version_sql(self, fields: Fields, times: dict) -> str:
        if self.mapping.version is None:
            return quote(iso(self.window.end))
        parts = [f"coalesce({text}, '0')" for text, _, _ in self._version_parts(fields, times)]
        return " || '|' || ".join(parts)

    def _version_fault(self, fields: Fields, times: dict) -> str:
        if self.mapping.version is None:
            return "NULL::VARCHAR"
        cases = [f"WHEN {failed} THEN 'cast:{kind}'" for _, failed, kind in self._version_parts(fields, times)]
        return f"CASE {' '.join(cases)} END"

    def _protect(self, rows: pa.Table) -> pa.Table:
        """The rows with personal data pseudonymised, redacted or dropped, before anything is stored."""
        for column, mapping in self._columns().items():
            if column == DELETED:
                continue
            position = rows.column_names.index(column)
            declared = self.entity.columns[column]
            protected = self._privacy.protect(rows[column], declared, mapping.policy)
            if protected is not rows[column]:
                rows = rows.set_column(position, column, protected)
        return rows

    def _finish(self, rows: pa.Table, fields: Fields) -> pa.Table:
        """Event keys, content hashes and the faults as JSON; unreadable rows appended."""
        rows = self._with_keys(rows)
        titles = [column.removeprefix("fault ") for column in rows.column_names if column.startswith("fault ")]
        listed = ", ".join(
            f"CASE WHEN {name('fault ' + title)} IS NOT NULL THEN"
            f' \'{{"column":"{title}","rule":"\' || {name("fault " + title)} || \'"}}\' END'
            for title in titles
        )
        faults = f"list_filter([{listed}], fault -> fault IS NOT NULL)"
        columns = ", ".join(
            f"CAST({name(column)} AS {SQL_TYPES[declared.type]}) AS {name(column)}"
            for column, declared in self.entity.columns.items()
        )
        query = f"""
          SELECT {columns}, {VERSION}, {content_hash(self.entity)} AS {HASH}, {DELETED},
            CASE WHEN len({faults}) > 0 THEN '[' || array_to_string({faults}, ',') || ']' END AS {FAULTS}, {RAW_ROW}
          FROM rows ORDER BY {RAW_ROW}"""
        finished = self._scratch.select(query, rows=rows)
        if self.index == first_mapping(self.source, self.mapping.resource):
            finished = pa.concat_tables([finished, self._unreadable(fields, finished.schema)])
        return finished.append_column(MAPPING, pa.array([self.index] * finished.num_rows, pa.int32()))

    def _unreadable(self, fields: Fields, schema: pa.Schema) -> pa.Table:
        """Rows that could not be parsed, with nothing but a fault; their text waits in the raw part."""
        query = f"""
          SELECT sha256(concat_ws('|', {name(FILE)}, {name(ROW)}::VARCHAR)) AS {HASH}, {RAW_ROW}
          FROM fields WHERE {name(UNREADABLE)} IS NOT NULL ORDER BY {RAW_ROW}"""
        found = self._scratch.select(query, fields=fields.table)
        given = {
            HASH: found[HASH],
            RAW_ROW: found[RAW_ROW],
            VERSION: pa.array([iso(self.window.end)] * found.num_rows, pa.string()),
            FAULTS: pa.array(['[{"column":null,"rule":"unreadable"}]'] * found.num_rows, pa.string()),
        }
        columns = [given.get(item.name, pa.nulls(found.num_rows, item.type)) for item in schema]
        return pa.table(columns, schema=schema)

    def _with_keys(self, rows: pa.Table) -> pa.Table:
        """Rows without a key get a hash of their content and of their ordinal among equals in the same file.

        The ordinal starts anew with each file: overlapping exports tell the same event, not another one.
        """
        parts, key = self.entity.key_when_missing, self.entity.key
        if not parts or rows.num_rows == 0 or not pc.any(rows[key].is_null()).as_py():
            return rows
        file = rows[FILE][0].as_py()
        if file != self._file:
            self._scratch.execute(f"CREATE OR REPLACE TEMP TABLE {self._ordinals} (content VARCHAR, equals BIGINT)")
            self._file = file
        content = textual(self.entity, parts)
        keyed = f"SELECT *, sha256({content}) AS content FROM rows"
        numbered = f"""
          SELECT keyed.* EXCLUDE (content), keyed.content AS content,
            row_number() OVER (PARTITION BY keyed.content ORDER BY {RAW_ROW}) - 1 + coalesce(known.equals, 0) AS ordinal
          FROM ({keyed}) AS keyed LEFT JOIN {self._ordinals} AS known ON known.content = keyed.content
          WHERE keyed.{name(key)} IS NULL"""
        hashed = self._scratch.select(numbered, rows=rows)
        self._scratch.select(
            f"INSERT INTO {self._ordinals} SELECT content, count(*) FROM hashed GROUP BY content", hashed=hashed
        )
        self._scratch.execute(
            f"CREATE OR REPLACE TEMP TABLE {self._ordinals} AS"
            f" SELECT content, sum(equals)::BIGINT AS equals FROM {self._ordinals} GROUP BY content"
        )
        prefix = quote(self.source.instance + ":")
        query = f"""
          SELECT rows.* REPLACE (coalesce(rows.{name(key)}, {prefix} || sha256(content || '|' || ordinal::VARCHAR))
            AS {name(key)})
          FROM rows LEFT JOIN hashed ON hashed.{RAW_ROW} = rows.{RAW_ROW} ORDER BY rows.{RAW_ROW}"""
        return self._scratch.select(query, rows=rows, hashed=hashed.select([RAW_ROW, "content", "ordinal"]))

    def _count(self, rows: pa.Table) -> None:
        for column, counts in self.counts.items():
            counts.rows += rows.num_rows
            counts.filled += rows.num_rows - rows[column].null_count
            faults = rows[f"fault {column}"].drop_null()
            counts.faults.update({pair["values"]: pair["counts"] for pair in faults.value_counts().to_pylist()})

    @staticmethod
    def _sum(rows: pa.Table, column: str) -> int:
        return pc.sum(rows[column].cast(pa.int64())).as_py() or 0


def textual(entity: Entity, columns: tuple[str, ...]) -> str:
    """SQL of the columns as one text: `name=value` of those that are not NULL, the same for whatever input format."""
    parts = []
    for column in sorted(columns):
        kind, value = entity.columns[column].type, name(column)
        text = f"strftime({value}, '%Y-%m-%dT%H:%M:%S.%fZ')" if kind == "timestamp" else f"CAST({value} AS VARCHAR)"
        parts.append(f"({quote(column + '=')} || {text} || chr(30))")
    return f"concat({', '.join(parts)})"


def content_hash(entity: Entity) -> str:
    """SQL of the SHA-256 over the canonical columns. A column that is added later, and is NULL, does not change it."""
    return f"sha256({textual(entity, tuple(entity.columns))})"


def first_mapping(source: Source, resource: str) -> int:
    """Index of the first mapping of a resource: unreadable rows and `extra` go with it."""
    return next(index for index, mapping in enumerate(source.entities) if mapping.resource == resource)


def cursor_spec(source: Source, resource: str) -> TimeSpec:
    """How the resource's cursor is read."""
    declared = source.resources[resource]
    return TimeSpec(
        declared.cursor, _tuple(declared.cursor_format), declared.cursor_zone or source.zone, source.missing
    )


def arrow_schema(entity: Entity) -> pa.Schema:
    """Schema of a part in the spool."""
    own = [pa.field(column, ARROW_TYPES[declared.type]) for column, declared in entity.columns.items()]
    more = [(VERSION, pa.string()), (HASH, pa.string()), (EXTRA, pa.string()), (DELETED, TIMESTAMP)]
    more += [(FAULTS, pa.string()), (RAW_PART, pa.int32()), (RAW_ROW, pa.int32()), (MAPPING, pa.int32())]
    return pa.schema([*own, *(pa.field(*item) for item in more)])


def _tuple(formats: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (formats,) if isinstance(formats, str) else tuple(formats or ())


def _plain(spec: TimeSpec) -> TimeSpec:
    """Without what does not matter, so that the same time is read once for several columns."""
    return TimeSpec(spec.path, spec.formats, spec.zone, spec.missing)
