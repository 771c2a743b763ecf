"""The SQL and the rows behind one figure, so that any number can be tied back to ticket ids."""

from __future__ import annotations

from datetime import date

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
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
    if segment_id != "all":
        dimension, value = segment_id.split("=", 1)
        column = catalog.tables[indicator.table].segments[dimension][indicator.counted_on]
        quoted = value.replace("'", "''")
        conditions.append(f"COALESCE({column}, 'unknown') = '{quoted}'")
    return "\n  AND ".join(conditions)


def figure_sql(
    catalog: Catalog, sql: Dialect, indicator: Indicator, grain: str, period_start: date, segment_id: str = "all"
) -> str:
    """A query that gives the figure and its parts, to be run on the read copy by anyone who doubts it."""
    table = catalog.tables[indicator.table]
    where = scope(catalog, indicator, grain, period_start, segment_id)
    if indicator.measure == "snapshot":
        counted = formulas.counted_rows(indicator, table)
        return f"SELECT COUNT(*) AS value\nFROM {table.table}\nWHERE {where}\n  AND {counted}"
    parts = formulas.components(indicator, table, sql)
    listed = [
        f"  {expression} AS {name}"
        for name, expression in parts.items()
        if expression != "NULL"
        and not (name == "sample_count" and expression in (parts["denominator"], parts["numerator"]))
    ]
    body = ",\n".join(listed)
    return f"SELECT\n{body}\nFROM {table.table}\nWHERE {where}"


def rows_sql(
    catalog: Catalog, indicator: Indicator, grain: str, period_start: date, segment_id: str = "all", limit: int = 20
) -> str:
    """A query for the very rows that are counted, ids first; `is_numerator` tells which fulfil the measure."""
    table = catalog.tables[indicator.table]
    columns = [*table.key, indicator.counted_on]
    columns += [indicator.ends_on] if indicator.ends_on else []
    columns += [indicator.value] if indicator.value else []
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
    return f"SELECT {listed}\nFROM {table.table}\nWHERE {where}\n  AND {counted}\nORDER BY {order}\nLIMIT {limit}"
