"""The scans that count: all indicators of one table, date and grain together, all segments at once."""

from __future__ import annotations

from collections.abc import Sequence

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.catalog.tables import TableModel
from hansei.indicators import formulas
from hansei.warehouse.dialect import Dialect

INTERVAL_OF = {"day": "INTERVAL '1 day'", "week": "INTERVAL '7 days'", "month": "INTERVAL '1 month'"}


def period_end(grain: str, start: str = "period_start") -> str:
    """SQL of the first day after the period."""
    return f"CAST({start} + {INTERVAL_OF[grain]} AS DATE)"


def segment_expression(dimensions: Sequence[str], prefix: str = "by_") -> str:
    """SQL of the canonical segment id of a grouping-sets row; at most one dimension is grouped in each row."""
    cases = [f"WHEN GROUPING({prefix}{name}) = 0 THEN '{name}=' || {prefix}{name}" for name in dimensions]
    return f"CASE {' '.join(cases)} ELSE 'all' END" if cases else "'all'"


def grouping_sets(dimensions: Sequence[str], prefix: str = "by_") -> str:
    sets = ["(period_start)", *(f"(period_start, {prefix}{name})" for name in dimensions)]
    return f"GROUPING SETS ({', '.join(sets)})"


def count_scan(catalog: Catalog, sql: Dialect, indicators: Sequence[Indicator], grain: str, only: str = "") -> str:
    """SELECT of period_start, segment_id and the parts of each indicator (`<id>__numerator`, ...).

    `only` is a condition on the table that leaves out periods that need not be counted.
    """
    table = catalog.tables[indicators[0].table]
    counted_on = indicators[0].counted_on
    dimensions = _dimensions(indicators)
    period = sql.period_start(grain, counted_on)
    needed = sorted(_columns_read(indicators, table))
    inner = [f"{period} AS period_start"]
    for name in dimensions:
        column = table.segments[name][counted_on]
        inner.append(f"COALESCE({column}, 'unknown') AS by_{name}")
    inner += needed
    limit = f" AND ({only})" if only else ""
    outer = [f"{segment_expression(dimensions)} AS segment_id"]
    for indicator in indicators:
        for part, expression in formulas.components(indicator, table, sql, indicators).items():
            outer.append(f"CAST({expression} AS DOUBLE PRECISION) AS {indicator.id}__{part}")
    return (
        f"SELECT period_start, {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM {table.table} "
        f"WHERE {counted_on} IS NOT NULL{limit}) AS counted GROUP BY {grouping_sets(dimensions)}"
    )


def move_scan(catalog: Catalog, indicator: Indicator) -> str:
    """SELECT of day, segment_id and by how many the open intervals grew or shrank that day (`net_count`)."""
    table = catalog.tables[indicator.table]
    dimensions = indicator.segments
    columns = [f"COALESCE({table.segments[name][indicator.counted_on]}, 'unknown') AS by_{name}" for name in dimensions]
    counted = formulas.counted_rows(indicator, table)

    def side(day: str, step: int) -> str:
        listed = ", ".join([f"{day} AS period_start", f"{step} AS step", *columns])
        return f"SELECT {listed} FROM {table.table} WHERE {day} IS NOT NULL AND {counted}"

    moves = f"{side(indicator.counted_on, 1)} UNION ALL {side(indicator.ends_on, -1)}"
    return (
        f"SELECT period_start AS day, {segment_expression(dimensions)} AS segment_id, SUM(step) AS net_count "
        f"FROM ({moves}) AS moves GROUP BY {grouping_sets(dimensions)}"
    )


def snapshot_scan(sql: Dialect, indicator: Indicator, grain: str) -> str:
    """SELECT of period_start, segment_id and how many intervals are open at each period's end.

    Each day's moves are summed per period and then accumulated: the cost follows intervals, not their length.
    Periods come from the table `run_spine`; a segment begins with its first opening.
    """
    period = sql.period_start(grain, "day")
    return (
        f"WITH moved AS (SELECT {period} AS period_start, segment_id, SUM(net_count) AS net_count "
        f"FROM run_moves_{indicator.id} GROUP BY {period}, segment_id), "
        "first_days AS (SELECT segment_id, MIN(period_start) AS first_day FROM moved GROUP BY segment_id), "
        "every_period AS (SELECT first_days.segment_id, run_spine.period_start FROM first_days "
        f"INNER JOIN run_spine ON run_spine.grain = '{grain}' AND run_spine.period_start >= first_days.first_day) "
        "SELECT every_period.period_start, every_period.segment_id, "
        "CAST(SUM(COALESCE(moved.net_count, 0)) OVER (PARTITION BY every_period.segment_id "
        "ORDER BY every_period.period_start) AS DOUBLE PRECISION) AS open_count "
        "FROM every_period LEFT JOIN moved ON moved.segment_id = every_period.segment_id "
        "AND moved.period_start = every_period.period_start"
    )


def _dimensions(indicators: Sequence[Indicator]) -> list[str]:
    return list(dict.fromkeys(name for indicator in indicators for name in indicator.segments))


def _columns_read(indicators: Sequence[Indicator], table: TableModel) -> set[str]:
    """Columns that the indicators' conditions name; found in the SQL, so that a scan reads nothing else."""
    from sqlglot import exp, parse_one

    read = set()
    for indicator in indicators:
        conditions = [indicator.numerator, indicator.subtrahend, formulas.counted_rows(indicator, table)]
        for condition in filter(None, conditions):
            tree = parse_one(f"SELECT 1 FROM t WHERE {condition}", dialect="postgres")
            read |= {column.name for column in tree.find_all(exp.Column)}
        if indicator.value:
            read.add(indicator.value)
    return read & set(table.columns)
