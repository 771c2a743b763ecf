"""The mapping matrix as SQL: one SELECT per mapping and chunk, from source fields to canonical columns and faults."""

from __future__ import annotations

from dataclasses import dataclass, field

from hansei.catalog.entities import Column, Entity
from hansei.catalog.row_filters import RowFilter
from hansei.catalog.source_mappings import ColumnMapping, EntityMapping
from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.sources.casts import SQL_TYPES, cast, cast_native, literal, read_date, unit_factor
from hansei.sources.chunks import FILE, ROW, UNREADABLE
from hansei.sources.fields import RAW_ROW, TEXT_FORMATS, Fields, TimeColumn, TimeSpec
from hansei.sources.scratch import name, quote
from hansei.sources.times import UNIT_SECONDS, iso

VERSION, DELETED = "source_version", "deleted_at"


def columns_of(source: Source, mapping: EntityMapping, entity: Entity) -> dict[str, ColumnMapping]:
    """The mapping's columns, with those that the source's declarations imply."""
    columns = dict(mapping.columns)
    if "has_complete_events" in entity.columns and "has_complete_events" not in columns:
        columns["has_complete_events"] = ColumnMapping(constant=source.events == "complete")
    if mapping.deleted_at is not None:
        columns[DELETED] = mapping.deleted_at
    return columns


@dataclass
class Matrix:
    """Builds the SELECT of one mapping over one chunk's `fields`.

    The result has raw_row, $row, $file, source_version, `fault source_version`, and per mapped column its value and,
    where it can have any, `fault <column>`. `times` tells which column of `fields` holds each time.
    """

    source: Source
    mapping: EntityMapping
    entity: Entity
    window: Window
    fields: Fields
    place: str
    columns: dict[str, ColumnMapping] = field(init=False)
    times: dict[str, TimeColumn] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.resource = self.source.resources[self.mapping.resource]
        self.columns = columns_of(self.source, self.mapping, self.entity)
        for column, mapping in self.columns.items():
            if self.declared(column).type == "timestamp" and isinstance(mapping.path, str):
                unit = mapping.unit if mapping.since else None
                self._time(column, mapping.path, mapping, since=mapping.since, unit=unit)
            if mapping.known_at:
                self._time(f"known:{column}", mapping.known_at, mapping)
        version = self.mapping.version
        for path, kind in version.parts if version else ():
            if kind == "timestamp":
                zone = version.zone or self.source.zone
                spec = TimeSpec(path, formats_of(version.format), zone, self.source.missing)
                self.times[f"version:{path}"] = self.fields.time(spec, self.place)
        if self.resource.cursor:
            spec = cursor_spec(self.source, self.mapping.resource)
            self.times["cursor"] = self.fields.time(spec, self.place)

    def declared(self, column: str) -> Column:
        if column == DELETED:
            return Column(type="timestamp", meaning="When the row was deleted")
        return self.entity.columns[column]

    def sql(self) -> str:
        """The SELECT over the relation `fields`; rows outside the filter and unreadable ones are left out."""
        texts, words = [], []
        finals = [
            RAW_ROW,
            name(ROW),
            name(FILE),
            f"{self._version()} AS {VERSION}",
            f"{self._version_fault()} AS {name('fault ' + VERSION)}",
        ]
        for column, mapping in self.columns.items():
            if column not in self.times and self._native(column, mapping) is None:
                texts.append(f"{self._text(mapping)} AS {name('t ' + column)}")
                words.append(f"{self._word(column, mapping)} AS {name('w ' + column)}")
        for column, mapping in self.columns.items():
            value, fault = self._value_and_fault(column, mapping)
            finals.append(f"{value} AS {name(column)}")
            if fault:
                finals.append(f"{fault} AS {name('fault ' + column)}")
            time = self.times.get(column)
            if time and time.has_odd_times:
                finals.append(f"{name(time.ambiguous)} AS {name('twice ' + column)}")
                finals.append(f"{name(time.nonexistent)} AS {name('never ' + column)}")
        where = " AND ".join([f"{name(UNREADABLE)} IS NULL", *map(self._holds, self.mapping.where)])
        inner = f"SELECT {', '.join(['*', *texts])} FROM fields WHERE {where}"
        inner = f"SELECT {', '.join(['*', *words])} FROM ({inner})" if words else inner
        return f"SELECT {', '.join(finals)} FROM ({inner})"

    def _time(self, key: str, path: str, mapping: ColumnMapping, **since: str | None) -> None:
        zone = mapping.zone or self.source.zone
        spec = TimeSpec(path, formats_of(mapping.format), zone, self._missing(mapping), **since)
        self.times[key] = self.fields.time(spec, self.place)

    def _missing(self, mapping: ColumnMapping) -> tuple[str, ...]:
        return (*self.source.missing, *mapping.missing)

    def _row_time(self) -> str:
        """Time at which the row was true: its version's first time, else its cursor, else the window's end."""
        for key, time in self.times.items():
            if key.startswith("version:"):
                return name(time.value)
        if "cursor" in self.times:
            return name(self.times["cursor"].value)
        return f"TIMESTAMP {quote(self.window.end)}"

    def _native(self, column: str, mapping: ColumnMapping) -> str | None:
        """SQL of a value that needs no way through text, or None."""
        steps = (mapping.values, mapping.default, mapping.extract, mapping.same_as, mapping.turned)
        plain = all(step is None for step in steps)
        if not plain or not isinstance(mapping.path, str) or mapping.since or self._missing(mapping):
            return None
        kind = self.fields.kinds[mapping.path]
        factor = unit_factor(mapping, self.declared(column), column)
        return cast_native(self.declared(column).type, kind, self.fields.sql(mapping.path), factor)

    def _text(self, mapping: ColumnMapping) -> str:
        if mapping.constant is not None:
            return literal(mapping.constant)
        own = (mapping.path,) if isinstance(mapping.path, str) else mapping.path
        parts = [self.fields.text(path, self._missing(mapping)) for path in own]
        text = parts[0] if len(parts) == 1 else f"nullif(concat_ws(' ', {', '.join(parts)}), '')"
        if mapping.extract == "email_domain":
            return f"nullif(regexp_extract(lower({text}), '@([^@\\s<>]+?)>?$', 1), '')"
        if mapping.extract is not None:
            return f"nullif(regexp_extract({text}, {quote(mapping.extract)}, 1), '')"
        return text

    def _word(self, column: str, mapping: ColumnMapping) -> str:
        """The text in our words: value map, then default where the field is missing."""
        text = name("t " + column)
        word = text
        if mapping.values is not None:
            other = literal(mapping.other) if mapping.other is not None else "NULL"
            cases = " ".join(
                f"WHEN {quote(theirs)} THEN {literal(ours) if ours is not None else 'NULL'}"
                for theirs, ours in mapping.values.items()
            )
            word = f"CASE {text} {cases} ELSE {other} END" if cases else other
            word = f"CASE WHEN {text} IS NOT NULL THEN {word} END"
        if mapping.same_as is not None:
            word = f"CASE WHEN {self._is_same(mapping)} THEN {literal(mapping.same_as.then)} ELSE {word} END"
        if mapping.default is not None:
            word = f"CASE WHEN {text} IS NULL THEN {literal(mapping.default)} ELSE {word} END"
        return word

    def _is_same(self, mapping: ColumnMapping) -> str:
        """SQL of whether the text equals the other field's; never NULL."""
        other = self.fields.text(mapping.same_as.path, self.source.missing)
        return f"coalesce({self._text(mapping)} = {other}, false)"

    def _value_and_fault(self, column: str, mapping: ColumnMapping) -> tuple[str, str | None]:
        declared = self.declared(column)
        value, faults = self._value(column, mapping)
        if mapping.plus is not None:
            number = self.fields.text(mapping.plus.path, self._missing(mapping))
            micros = UNIT_SECONDS[mapping.plus.unit] * 1_000_000
            added = f"to_microseconds(CAST(TRY_CAST({number} AS DOUBLE) * {micros} AS BIGINT))"
            unread = f"{number} IS NOT NULL AND TRY_CAST({number} AS DOUBLE) IS NULL"
            faults.append(f"WHEN {unread} THEN 'cast:{declared.type}'")
            value = f"CAST({value} + {added} AS {SQL_TYPES[declared.type]})"
        is_hashed_key = column == self.entity.key and self.entity.key_when_missing
        is_required = declared.required and not is_hashed_key
        if mapping.when is not None:
            holds = self._holds(mapping.when)
            value = f"CASE WHEN {holds} THEN {value} END"
            faults.insert(0, f"WHEN NOT {holds} THEN {quote('missing_required') if is_required else 'NULL'}")
        if is_required:
            faults.append(f"WHEN ({value}) IS NULL THEN 'missing_required'")
        fault = f"CASE {' '.join(faults)} END" if faults else None
        if mapping.known_at:
            known = f"{name(self.times[f'known:{column}'].value)} <= {self._row_time()}"
            value = f"CASE WHEN {known} THEN {value} END"
            fault = f"CASE WHEN {known} THEN {fault} END" if fault else None
        return value, fault

    def _value(self, column: str, mapping: ColumnMapping) -> tuple[str, list[str]]:
        """SQL of the value before duration and knowledge, and its faults as WHEN clauses."""
        declared = self.declared(column)
        if column in self.times:
            time = self.times[column]
            value, faults = name(time.value), [f"WHEN {name(time.failed)} THEN 'cast:timestamp'"]
            if mapping.default is not None:
                default = f"coalesce({value}, TIMESTAMP {quote(mapping.default)})"
                value = f"CASE WHEN NOT {name(time.failed)} THEN {default} END"
            return value, faults
        if (native := self._native(column, mapping)) is not None:
            return native, [
                f"WHEN {self.fields.sql(mapping.path)} IS NOT NULL AND {native} IS NULL THEN 'cast:{declared.type}'"
            ]
        word, faults = name("w " + column), []
        if mapping.values is not None and mapping.other is None:
            text, listed = name("t " + column), ", ".join(map(quote, mapping.values)) or "NULL"
            untold = f"{text} IS NOT NULL AND {text} NOT IN ({listed})"
            if mapping.same_as is not None:
                untold += f" AND NOT {self._is_same(mapping)}"
            faults.append(f"WHEN {untold} THEN 'value_map'")
        if declared.type == "key" or (mapping.instance and declared.type == "text"):
            return f"{quote((mapping.instance or self.source.instance) + ':')} || {word}", faults
        if declared.type == "text":
            return word, faults
        value = self._cast(column, mapping, word)
        return value, [*faults, f"WHEN {word} IS NOT NULL AND ({value}) IS NULL THEN 'cast:{declared.type}'"]

    def _cast(self, column: str, mapping: ColumnMapping, word: str) -> str:
        declared = self.declared(column)
        if declared.type == "date" and mapping.since is not None:
            return self._date_since(mapping, word)
        if declared.type == "date":
            return read_date(word, formats_of(mapping.format), self.resource.format not in TEXT_FORMATS)
        if declared.type == "timestamp":  # a constant
            return f"TRY_CAST({word} AS TIMESTAMP)"
        value = cast(
            declared.type, word, mapping.decimal or self.source.decimal, unit_factor(mapping, declared, column)
        )
        if mapping.turned is not None:
            around, last = mapping.turned.around, int(mapping.turned.closes)
            turned = f"(({value} + {mapping.turned.by - last}) % {around} + {around}) % {around} + {last}"
            return f"CAST({turned} AS {SQL_TYPES[declared.type]})"
        return value

    def _date_since(self, mapping: ColumnMapping, word: str) -> str:
        number = f"TRY_CAST({word} AS DOUBLE)"
        step = (
            f"to_months(CAST({number} AS INTEGER))"
            if mapping.unit == "months"
            else f"to_microseconds(CAST({number} * {UNIT_SECONDS[mapping.unit] * 1_000_000} AS BIGINT))"
        )
        return f"CAST(DATE {quote(mapping.since)} + {step} AS DATE)"

    def _holds(self, rule: RowFilter) -> str:
        """SQL of the condition; never NULL."""
        if rule.has_key is not None:
            return f"{'' if rule.has_key else 'NOT '}{self.fields.has_key(rule.path)}"
        text = self.fields.text(rule.path, self.source.missing)
        if rule.equals is not None:
            return f"coalesce({text} IN ({', '.join(map(quote, rule.equals))}), false)"
        return f"{text} IS {'NOT ' if rule.is_present else ''}NULL"

    def _version_parts(self) -> list[tuple[str, str, str]]:
        """(text or NULL, whether it failed, kind) of each part."""
        parts = []
        for path, kind in self.mapping.version.parts:
            if kind == "timestamp":
                time = self.times[f"version:{path}"]
                parts.append((f"strftime({name(time.value)}, '%Y-%m-%dT%H:%M:%S.%fZ')", name(time.failed), kind))
            else:
                text = self.fields.text(path, self.source.missing)
                digits = f"regexp_extract({text}, '^(\\d{{1,20}})(\\.0+)?$', 1)"
                padded = f"lpad(nullif({digits}, ''), 20, '0')"
                parts.append((padded, f"({text} IS NOT NULL AND {padded} IS NULL)", kind))
        return parts

    def _version(self) -> str:
        """The version as text that orders right; a missing part orders lowest."""
        if self.mapping.version is None:
            return quote(iso(self.window.end))
        return " || '|' || ".join(f"coalesce({text}, '0')" for text, _, _ in self._version_parts())

    def _version_fault(self) -> str:
        if self.mapping.version is None:
            return "NULL::VARCHAR"
        cases = [f"WHEN {failed} THEN 'cast:{kind}'" for _, failed, kind in self._version_parts()]
        return f"CASE {' '.join(cases)} END"


def cursor_spec(source: Source, resource: str) -> TimeSpec:
    """How the resource's cursor is read."""
    declared = source.resources[resource]
    zone = declared.cursor_zone or source.zone
    return TimeSpec(declared.cursor, formats_of(declared.cursor_format), zone, source.missing)


def formats_of(formats: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (formats,) if isinstance(formats, str) else tuple(formats or ())
