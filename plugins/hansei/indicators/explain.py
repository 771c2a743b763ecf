"""The SQL and the rows behind one figure, so that any number can be tied back to ticket ids."""

from __future__ import annotations

from datetime import date

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.catalog.segments import parse_segment
from hansei.catalog.tables import TableModel
from hansei.indicators import formulas
from hansei.indicators.periods import next_period
from hansei.warehouse.dialect import Dialect


def scope(catalog: Catalog, indicator: Indicator, grain: str, period_start: date, segment_id: str = "all") -> str:
    """Condition that takes the rows of one period and segment."""
    following = next_period(grain, period_start)
    if indicator.measure == "snapshot":
        conditions = [
            f"{indicator.counted_on} < DATE '{following}'",
            f"({indicator.ends_on} IS NULL OR {indicator.ends_on} >= DATE '{following}')",
        ]
    else:
        conditions = [
            f"{indicator.counted_on} >= DATE '{period_start}'",
            f"{indicator.counted_on} < DATE '{following}'",
        ]
    inside = of_segment(catalog.tables[indicator.table], indicator.counted_on, segment_id)
    return "\n  AND ".join([*conditions, *inside])


def of_segment(table: TableModel, counted_on: str, segment_id: str) -> list[str]:
    """Conditions that take the table's rows of one segment, one for each dimension that tells it."""
    found = []
    for dimension, value in parse_segment(segment_id).items():
        quoted = value.replace("'", "''")
        found.append(f"{table.segment_of(dimension, counted_on)} = '{quoted}'")
    return found


def figure_sql(
    catalog: Catalog, sql: Dialect, indicator: Indicator, grain: str, period_start: date, segment_id: str = "all"
) -> str:
    """A query that gives the figure and its parts, to be run on the read copy by anyone who doubts it."""
    if indicator.measure == "quotient":
        return _quotient_sql(catalog, sql, indicator, grain, period_start, segment_id)
    table = catalog.tables[indicator.table]
    where = scope(catalog, indicator, grain, period_start, segment_id)
    if indicator.measure == "snapshot":
        counted = formulas.counted_rows(indicator, table)
        figure = f"SUM({indicator.value})" if indicator.value else "COUNT(*)"
        return f"SELECT {figure} AS value\nFROM {table.table}\nWHERE {where}\n  AND {counted}"
    parts = formulas.components(indicator, table, sql)
    listed = []
    for name, expression in parts.items():
        if name == "ranks":
            values = f"CASE WHEN {formulas.counted_rows(indicator, table)} THEN {indicator.value} END"
            listed.append(f"  {sql.quantile(values, indicator.quantile)} AS value")
        elif name != "sample_count" or expression not in (parts.get("denominator"), parts.get("numerator")):
            listed.append(f"  {expression} AS {name}")
    body = ",\n".join(listed)
    return f"SELECT\n{body}\nFROM {table.table}\nWHERE {where}"


def _quotient_sql(
    catalog: Catalog, sql: Dialect, indicator: Indicator, grain: str, period_start: date, segment_id: str
) -> str:
    """Both parts as queries of their own, one after the other, under a line that says how they are joined."""
    parts = catalog.parts_of(indicator)
    times = f"{indicator.per:g} * " if indicator.per else ""
    title = f"-- {indicator.id} = {times}{parts[0].id} / {parts[1].id}"
    queries = [f"-- {part.id}\n{figure_sql(catalog, sql, part, grain, period_start, segment_id)};" for part in parts]
    return "\n".join([title, *queries])


def rows_sql(
    catalog: Catalog,
    indicator: Indicator,
    grain: str,
    period_start: date,
    segment_id: str = "all",
    limit: int | None = 20,
) -> str:
    """A query for the very rows that are counted, ids first; `is_numerator` tells which fulfil the measure."""
    table = catalog.tables[indicator.table]
    named = (indicator.counted_on, indicator.ends_on, indicator.value, indicator.numerator_value)
    columns = [*table.key, *filter(None, named), *filter(None, [indicator.denominator_value])]
    if indicator.measure in ("ratio", "net_share"):
        columns.append(f"CASE WHEN {indicator.numerator} THEN 1 ELSE 0 END AS is_numerator")
    if indicator.measure == "net_share":
        columns.append(f"CASE WHEN {indicator.subtrahend} THEN 1 ELSE 0 END AS is_subtrahend")
    counted = formulas.counted_rows(indicator, table)
    if indicator.measure == "count":
        counted += f"\n  AND ({indicator.numerator})"
    where = scope(catalog, indicator, grain, period_start, segment_id)
    listed = ", ".join(dict.fromkeys(columns))
    order = ", ".join(table.key)
    query = f"SELECT {listed}\nFROM {table.table}\nWHERE {where}\n  AND {counted}\nORDER BY {order}"
    return query if limit is None else f"{query}\nLIMIT {limit}"
