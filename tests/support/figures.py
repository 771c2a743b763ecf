"""How tests read figures from what a night leaves. The SQL runs on DuckDB and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = list[dict[str, Any]]


def seconds(later: str, earlier: str) -> str:
    return f"CAST(EXTRACT(EPOCH FROM ({later} - {earlier})) AS DOUBLE PRECISION)"


def spread(value: str) -> str:
    """SQL of mean, median, p90, minimum and maximum, percentiles by linear interpolation."""
    return (
        f"AVG({value}) AS mean, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY {value}) AS median, "
        f'PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY {value}) AS p90, MIN({value}) AS "min", MAX({value}) AS "max"'
    )


def only(rows: Rows) -> dict[str, Any]:
    [row] = rows
    return row


def renamed(rows: Rows, column: str, words: dict[str, str]) -> Rows:
    """The rows with our words turned back into the source's, ordered by them."""
    return sorted(({**row, column: words[row[column]]} for row in rows), key=lambda row: row[column])


def month(rows: Rows) -> Rows:
    return [{**row, "month": str(row["month"])[:7]} for row in rows]


def indicator_total(warehouse, indicator: str, grain: str = "month", segment: str = "all") -> dict[str, Any]:
    """Components of an indicator, summed over all its periods."""
    return only(
        warehouse.rows(
            "SELECT SUM(numerator) AS numerator, SUM(subtrahend) AS subtrahend, SUM(denominator) AS denominator "
            "FROM indicators.indicator_values "
            "WHERE indicator = :indicator AND grain = :grain AND segment_id = :segment",
            {"indicator": indicator, "grain": grain, "segment": segment},
        )
    )


def indicator_by(warehouse, indicator: str, dimension: str) -> dict[str, dict[str, float]]:
    """Value of a dimension -> components of the indicator, summed over all months."""
    rows = warehouse.rows(
        "SELECT segment_id, SUM(numerator) AS numerator, SUM(denominator) AS denominator "
        "FROM indicators.indicator_values WHERE indicator = :indicator AND grain = 'month' "
        "AND segment_id LIKE :dimension AND segment_id NOT LIKE '%&%' GROUP BY segment_id",
        {"indicator": indicator, "dimension": f"{dimension}=%"},
    )
    return {row["segment_id"].split("=", 1)[1]: row for row in rows}


def indicator_series(warehouse, indicator: str, grain: str) -> dict[str, dict[str, Any]]:
    """Start of the period -> the indicator's row for the whole service."""
    rows = warehouse.rows(
        "SELECT * FROM indicators.indicator_values WHERE indicator = :indicator AND grain = :grain "
        "AND segment_id = 'all' ORDER BY period_start",
        {"indicator": indicator, "grain": grain},
    )
    return {str(row["period_start"]): row for row in rows}


def named(*figures: Callable[[Any], Any]) -> dict[str, Callable[[Any], Any]]:
    return {figure.__name__: figure for figure in figures}
