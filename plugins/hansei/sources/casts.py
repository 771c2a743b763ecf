"""SQL that turns text into one canonical type, or into NULL where it is none. Nothing is rounded silently."""

from __future__ import annotations

import pyarrow as pa

from hansei.catalog.entities import Column, ColumnType
from hansei.catalog.source_mappings import ColumnMapping, Scalar
from hansei.sources.scratch import quote
from hansei.sources.times import UNIT_SECONDS

ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "key": pa.string(),
    "text": pa.string(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "decimal": pa.decimal128(18, 4),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
}
SQL_TYPES: dict[ColumnType, str] = {
    "key": "VARCHAR",
    "text": "VARCHAR",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "decimal": "DECIMAL(18, 4)",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
}
_TRUE = ("true", "t", "yes", "y", "1", "on")
_FALSE = ("false", "f", "no", "n", "0", "off")


def cast(kind: ColumnType, text: str, decimal: str = ".", factor: float = 1.0) -> str:
    """SQL of `text` as `kind`; NULL where the text is no such value. Dates are read by `read_date`."""
    if kind in ("key", "text"):
        return text
    if kind == "boolean":
        yes, no = (", ".join(map(quote, words)) for words in (_TRUE, _FALSE))
        return f"CASE WHEN lower({text}) IN ({yes}) THEN true WHEN lower({text}) IN ({no}) THEN false END"
    number = f"replace(replace(replace({text}, '.', ''), ' ', ''), ',', '.')" if decimal == "," else text
    target = SQL_TYPES[kind]
    if kind in ("integer", "bigint") and factor == 1.0:
        whole = f"CASE WHEN regexp_full_match({number}, '[+-]?\\d+(\\.0*)?') THEN split_part({number}, '.', 1) END"
        return f"TRY_CAST({whole} AS {target})"
    double = f"TRY_CAST({number} AS DOUBLE)"
    finite = f"CASE WHEN isfinite({double}) THEN {double}{f' * {factor!r}' if factor != 1.0 else ''} END"
    if kind in ("integer", "bigint"):
        return f"TRY_CAST(round({finite}) AS {target})"
    if kind == "decimal" and factor == 1.0:  # not by way of DOUBLE, which does not hold every cent
        plain = f"CASE WHEN regexp_full_match({number}, '[+-]?(\\d+\\.?\\d*|\\.\\d+)') THEN {number} END"
        return f"coalesce(TRY_CAST({plain} AS {target}), TRY_CAST({finite} AS {target}))"
    return f"TRY_CAST({finite} AS {target})"


def cast_native(kind: ColumnType, family: str, column: str, factor: float = 1.0) -> str | None:
    """SQL of a native value as `kind` without the way through text; None where that way is the right one."""
    if kind == "boolean" and family == "boolean":
        return column
    if kind in ("integer", "bigint") and family == "integer" and factor == 1.0:
        return f"TRY_CAST({column} AS {SQL_TYPES[kind]})"
    if kind in ("double", "decimal") and family in ("integer", "double", "decimal"):
        return f"TRY_CAST({column}{f' * {factor!r}' if factor != 1.0 else ''} AS {SQL_TYPES[kind]})"
    if kind == "date" and family in ("date", "local", "instant"):
        return f"CAST({column} AS DATE)"
    return None


def read_date(text: str, formats: tuple[str, ...], also_iso: bool) -> str:
    """SQL of the date as written; the time of day and the zone, where there are any, are left out."""
    readings = [f"CAST(try_strptime({text}, [{', '.join(map(quote, formats))}]) AS DATE)"] if formats else []
    if also_iso or not formats:
        tail = f"(length({text}) = 10 OR substr({text}, 11, 1) IN ('T', ' '))"
        readings.append(f"CASE WHEN {tail} THEN TRY_CAST(substr({text}, 1, 10) AS DATE) END")
    return f"coalesce({', '.join(readings)})"


def literal(value: Scalar) -> str:
    """A constant of a definition as SQL text, before the cast."""
    if isinstance(value, bool):
        return quote("true" if value else "false")
    return quote(value)


def unit_factor(mapping: ColumnMapping, column: Column, name: str) -> float:
    """What a number in the source's unit is multiplied by to be in the column's unit."""
    if mapping.unit is None or mapping.since is not None:
        return 1.0
    if mapping.unit == "percent":
        return 0.01 if (column.unit or "").startswith("ratio") or name.endswith("_ratio") else 1.0
    if mapping.unit not in UNIT_SECONDS:
        return 1.0
    target = column.unit if column.unit in UNIT_SECONDS else "seconds"
    return UNIT_SECONDS[mapping.unit] / UNIT_SECONDS[target]
