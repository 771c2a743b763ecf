"""The only place where engines differ. Models are PostgreSQL-flavoured SQL and call these macros as `sql.<name>`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_DUCKDB_TYPES = {
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
# Text compares by code point on both engines, so that ORDER BY, MIN and MAX agree whatever the server's locale is.
_POSTGRESQL_TYPES = {
    **_DUCKDB_TYPES,
    "key": 'TEXT COLLATE "C"',
    "text": 'TEXT COLLATE "C"',
    "double": "DOUBLE PRECISION",
    "decimal": "NUMERIC(18, 4)",
}

_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w)")


class Dialect:
    """SQL text for one engine, `duckdb` or `postgresql`."""

    def __init__(self, name: str) -> None:
        if name not in ("duckdb", "postgresql"):
            raise ValueError(f"no dialect for engine {name!r}")
        self.name = name
        self.is_duckdb = name == "duckdb"
        # Openings that core.calendar_days has room for in a UTC day; `seeds.opening_pairs` tells it of a warehouse.
        self.opening_pairs = 2

    def type(self, logical: str) -> str:
        """Column type for a table definition."""
        return (_DUCKDB_TYPES if self.is_duckdb else _POSTGRESQL_TYPES)[logical]

    def cast(self, expression: str, logical: str) -> str:
        """`expression` cast to a logical type."""
        bare = self.type(logical).split(" COLLATE", 1)[0]
        return f"CAST({expression} AS {bare})"

    def ratio(self, numerator: str, denominator: str) -> str:
        """Quotient as a double; NULL where the denominator is zero."""
        return f"({self.cast(numerator, 'double')} / NULLIF({self.cast(denominator, 'double')}, 0))"

    def seconds_between(self, start: str, end: str) -> str:
        """Whole seconds from start to end as bigint, both ends rounded down: sums of parts equal the whole."""
        return f"({self.epoch_second(end)} - {self.epoch_second(start)})"

    def epoch_second(self, instant: str) -> str:
        """Whole seconds since 1970 as bigint, rounded down."""
        if self.is_duckdb:
            return f"(EPOCH_US({instant}) // 1000000)"
        return f"CAST(FLOOR(DATE_PART('epoch', {instant})) AS BIGINT)"

    def add_seconds(self, instant: str, seconds: str) -> str:
        """The instant that many seconds later."""
        if self.is_duckdb:
            return f"({instant} + TO_SECONDS({seconds}))"
        return f"({instant} + MAKE_INTERVAL(secs => {seconds}))"

    def second_of_day(self, instant: str) -> str:
        """Seconds since midnight, UTC, as an integer; for instants since 1970."""
        if self.is_duckdb:
            return f"CAST(EPOCH_US({instant}) % 86400000000 // 1000000 AS INTEGER)"
        return f"CAST(FLOOR(DATE_PART('epoch', CAST({instant} AS TIME))) AS INTEGER)"

    def reporting_date(self, instant: str, offsets: str) -> str:
        """Date of a UTC instant in the reporting zone; `offsets` is core.reporting_offsets joined on its UTC day."""
        shift = (
            f"CASE WHEN {self.second_of_day(instant)} < {offsets}.switch_second "
            f"THEN {offsets}.offset_seconds ELSE {offsets}.offset_after_seconds END"
        )
        return f"CAST({self.add_seconds(instant, shift)} AS DATE)"

    def business_position(self, instant: str, days: str) -> str:
        """Open seconds of a calendar from 1970 to the instant, as bigint; NULL for NULL and outside 1970 to 2069.

        `days` is core.calendar_days joined on the calendar and on `utc_date = CAST(instant AS DATE)`. The business
        seconds between two instants are the difference of their positions.
        """
        second = self.second_of_day(instant)
        opened = " + ".join(
            f"LEAST({second}, {days}.end_{number}) - LEAST({second}, {days}.start_{number})"
            for number in range(1, self.opening_pairs + 1)
        )
        # LEAST skips NULL, so a missing instant would count as the end of its day; zero times NULL keeps it missing,
        # and costs a seventh less than a CASE.
        return f"({days}.opened_seconds + {opened} + 0 * {second})"

    def opening_join(self, alias: str, calendar: str, position: str, at: str = "earliest") -> str:
        """JOIN of core.calendar_openings, as `alias`, in which a calendar's line reaches a position; never drops a row.

        Where a position is reached exactly at closing time, `earliest` is the opening that closes then and `latest`
        the next one. `calendar` (its number) and `position` are expressions over tables that stand before the join.
        """
        day, inside = {
            "earliest": (
                f"({position} - 1)",
                f"{position} > {alias}.opened_seconds AND {position} <= {alias}.closed_seconds",
            ),
            "latest": (position, f"{position} >= {alias}.opened_seconds AND {position} < {alias}.closed_seconds"),
        }[at]
        return (
            f"LEFT JOIN core.calendar_openings AS {alias} ON {alias}.calendar_number = {calendar} "
            f"AND {alias}.open_day = {self.int_div(day, '86400')} AND {inside}"
        )

    def opening_instant(self, alias: str, position: str) -> str:
        """Instant at which the joined opening reaches the position; NULL beyond the end of the line."""
        return self.add_seconds(f"{alias}.opened_at", f"({position} - {alias}.opened_seconds)")

    def carried(self, value: str, window: str) -> str:
        """The newest value that is not NULL among the rows of a named window that ends at or before its row."""
        if self.is_duckdb:
            return f"LAST_VALUE({value} IGNORE NULLS) OVER {window}"
        return f"(ARRAY_AGG({value}) FILTER (WHERE {value} IS NOT NULL) OVER {window})[COUNT({value}) OVER {window}]"

    def sequence_since(self, events: str, created_at: str) -> str:
        """Order of an event among those of one instant; those before the creation, which count from it, keep theirs."""
        own = f"COALESCE({events}.sequence_number, 0)"
        early = f"{self.seconds_between(created_at, f'{events}.occurred_at')} * 1000000 + LEAST({own}, 999999)"
        return f"CASE WHEN {events}.occurred_at < {created_at} THEN {early} ELSE {own} END"

    def packed(self, order: str, first: str, second: str = "-1") -> str:
        """A bigint that sorts by `order` (below 2^20) and holds two numbers (-1 to 2^21 - 2); NULL where one is."""
        return f"((CAST({order} AS BIGINT) * 2097152 + {first} + 1) * 2097152 + {second} + 1)"

    def unpacked(self, packed: str, which: str) -> str:
        """The `first` or `second` number of a packed bigint, as an integer."""
        shifted = packed if which == "second" else self.int_div(packed, "2097152")
        return f"CAST({shifted} % 2097152 - 1 AS INTEGER)"

    def int_div(self, numerator: str, denominator: str) -> str:
        """Quotient of two integers that are not negative, as an integer."""
        return f"({numerator} // {denominator})" if self.is_duckdb else f"({numerator} / {denominator})"

    def period_start(self, grain: str, day: str) -> str:
        """First day of the day's period: `day`, ISO `week` (Monday) or `month`."""
        return day if grain == "day" else f"CAST(DATE_TRUNC('{grain}', {day}) AS DATE)"

    def quantile(self, value: str, q: float, among: Sequence[float] = ()) -> str:
        """Quantile with linear interpolation between ranks, NULLs left out.

        `among` names every quantile that is asked of the same values: written as one aggregate, engines sort once.
        """
        asked = sorted({q, *among})
        return f"({self.quantiles(value, asked)})[{asked.index(q) + 1}]"

    def quantiles(self, value: str, ranks: Iterable[float]) -> str:
        """Array of the quantiles at the distinct ranks, in order, with linear interpolation; NULLs are left out."""
        listed = ", ".join(map(repr, sorted(set(ranks))))
        if self.is_duckdb:
            return f"QUANTILE_CONT({value}, [{listed}])"
        return f"PERCENTILE_CONT(CAST(ARRAY[{listed}] AS DOUBLE PRECISION[])) WITHIN GROUP (ORDER BY {value})"

    def overlap_seconds(self, span: str, period: str) -> str:
        """Whole seconds of `span` inside `period`, 0 where they are apart.

        Both are aliases with started_at and ended_at; a span without end lasts to the period's end.
        """
        ended = f"LEAST(COALESCE({span}.ended_at, {period}.ended_at), {period}.ended_at)"
        return f"GREATEST({self.seconds_between(f'GREATEST({span}.started_at, {period}.started_at)', ended)}, 0)"

    def joined_text(self, expression: str) -> str:
        """The distinct values of a group as one text, sorted, with commas between; NULL where there is none."""
        return f"STRING_AGG(DISTINCT {expression}, ',' ORDER BY {expression})"

    def content_hash(self, columns: Sequence[str]) -> str:
        """Aggregate over a group's different rows that tells, in one engine, whether any of them changed."""
        listed = ", ".join(columns)
        if self.is_duckdb:
            return f"BIT_XOR(HASH({listed}))"
        return f"BIT_XOR(HASHTEXTEXTENDED(CAST(ROW({listed}) AS TEXT), 0))"

    def count_of(self, text: str, characters: str) -> str:
        """How many characters of a text are among those listed or in a range (`A-Za-z`), as an integer."""
        # Both engines read this class alike; neither would a class by name.
        return f"(LENGTH({text}) - LENGTH(REGEXP_REPLACE({text}, '[{characters}]', '', 'g')))"

    def matches(self, text: str, pattern: str) -> str:
        """Whether a text holds a match of a regular expression that both engines read alike (no class by name)."""
        return f"REGEXP_MATCHES({text}, {pattern})" if self.is_duckdb else f"{text} ~ {pattern}"

    def text_list(self, values: Sequence[str]) -> str:
        """Literals for an IN list; for definitions' own identifiers only, never for data."""
        return ", ".join(map(_literal, values)) or "NULL"


def _literal(value: str) -> str:
    """A text literal in which SQLAlchemy sees no bound parameter: `x :y` would ask for the value of y."""
    quoted = "'" + value.replace("'", "''") + "'"
    return _PARAMETER.sub("' || ':' || '", quoted)
