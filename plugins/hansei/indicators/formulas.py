"""SQL of an indicator's parts: what is counted, and how the parts become a value. Their intervals: intervals.py."""

from __future__ import annotations

from collections.abc import Sequence

from hansei.catalog.measures import ZERO_WITHOUT_ROWS, Indicator
from hansei.catalog.tables import TableModel
from hansei.indicators.intervals import grid
from hansei.warehouse.dialect import Dialect

DISTRIBUTION = {
    "minimum": 0.0,
    "p10": 0.1,
    "p25": 0.25,
    "median": 0.5,
    "p75": 0.75,
    "p90": 0.9,
    "p95": 0.95,
    "maximum": 1.0,
}
# A 95 % rank among fewer values is little more than the largest one: it is not shown.
LEAST_FOR_P95 = 60
# What a scan leaves of each indicator; `ranks` is an array of quantiles, the others are numbers.
SUMS = ("numerator", "subtrahend", "denominator", "sample_count", "square_sum")


def counted_rows(indicator: Indicator, table: TableModel) -> str:
    """Condition that a row has to meet to be counted at all: the denominator, less the exclusions."""
    excluded = [f"NOT ({table.exclusions[name]})" for name in indicator.exclusions]
    conditions = [f"({indicator.denominator})"] if indicator.denominator else []
    return " AND ".join([*conditions, *excluded]) or "TRUE"


def components(
    indicator: Indicator, table: TableModel, sql: Dialect, together: Sequence[Indicator] = ()
) -> dict[str, str]:
    """SQL aggregates over a table's rows: those of SUMS that the measure has, and `ranks` where it is a quantile.

    `together` are the indicators of the same scan: quantiles of the same values become one aggregate.
    """
    counted = counted_rows(indicator, table)
    if indicator.measure == "count":
        numerator = _count(f"({indicator.numerator}) AND {counted}")
        return {"numerator": numerator, "sample_count": numerator}
    if indicator.measure in ("ratio", "net_share"):
        parts = {"numerator": _count(f"({indicator.numerator}) AND {counted}")}
        if indicator.measure == "net_share":
            parts["subtrahend"] = _count(f"({indicator.subtrahend}) AND {counted}")
        return {**parts, "denominator": _count(counted), "sample_count": _count(counted)}
    if indicator.measure == "rate":
        return _rate_parts(indicator, counted)
    values = f"CASE WHEN {counted} THEN {indicator.value} END"
    if indicator.measure == "distinct":
        return {"numerator": f"COUNT(DISTINCT {values})", "sample_count": f"COUNT({values})"}
    if indicator.measure == "total":
        return {"numerator": f"COALESCE(SUM({values}), 0)", "sample_count": f"COUNT({values})"}
    parts = {"denominator": f"COUNT({values})", "sample_count": f"COUNT({values})"}
    if indicator.measure == "mean":
        square = f"CAST({indicator.value} AS DOUBLE PRECISION) * {indicator.value}"
        return {**parts, "numerator": f"SUM({values})", "square_sum": f"SUM(CASE WHEN {counted} THEN {square} END)"}
    return {**parts, "ranks": sql.quantiles(values, ranked_together(indicator, table, together))}


def ranked_together(indicator: Indicator, table: TableModel, together: Sequence[Indicator]) -> list[float]:
    """The quantiles that the array `ranks` of an indicator holds, in order."""
    alike = [indicator, *(other for other in together if _same_values(other, indicator, table))]
    shown = DISTRIBUTION.values() if any(other.has_distribution for other in alike) else ()
    return sorted({*shown, *(rank for other in alike for rank in grid(other.quantile))})


def _same_values(other: Indicator, indicator: Indicator, table: TableModel) -> bool:
    return (
        other.quantile is not None
        and other.value == indicator.value
        and counted_rows(other, table) == counted_rows(indicator, table)
    )


def _rate_parts(indicator: Indicator, counted: str) -> dict[str, str]:
    """Sums of both columns over the rows that have both; the sample is what an interval counts, else the rows."""
    both = f"{indicator.numerator_value} IS NOT NULL AND {indicator.denominator_value} IS NOT NULL AND {counted}"
    denominator = f"SUM(CASE WHEN {both} THEN {indicator.denominator_value} END)"
    return {
        "numerator": f"SUM(CASE WHEN {both} THEN {indicator.numerator_value} END)",
        "denominator": denominator,
        "sample_count": denominator if indicator.interval_kind == "wilson" else _count(both),
    }


def _count(condition: str) -> str:
    return f"COUNT(CASE WHEN {condition} THEN 1 END)"


def value(measure: str) -> str:
    """SQL of the value from the columns numerator, subtrahend, denominator, ranked_value and per of one row."""
    if measure in ZERO_WITHOUT_ROWS:
        return "numerator"
    if measure == "quantile":
        return "ranked_value"
    if measure == "net_share":
        return "100.0 * (numerator - subtrahend) / NULLIF(denominator, 0)"
    times = "per * " if measure in ("rate", "quotient") else ""
    return f"{times}numerator / NULLIF(denominator, 0)"


def state(measure: str, as_of_date: str) -> str:
    """SQL of a row's state from its parts and the columns least, maturity_days, period_end and parts_state.

    An unfinished period is `incomplete` whatever its numbers are, then `immature`. A quotient is what the worse of its
    two indicators is (`parts_state`), or less.
    """
    few = "WHEN COALESCE(denominator, 0) = 0 THEN 'no_data' WHEN denominator < least THEN 'insufficient' "
    if measure == "quotient":
        return (
            "CASE WHEN parts_state IN ('incomplete', 'immature') THEN parts_state "
            f"WHEN numerator IS NULL THEN 'no_data' {few}ELSE parts_state END"
        )
    return (
        f"CASE WHEN period_end > {as_of_date} THEN 'incomplete' "
        f"WHEN CAST(period_end + maturity_days * INTERVAL '1 day' AS DATE) > {as_of_date} THEN 'immature' "
        f"{'' if measure in ZERO_WITHOUT_ROWS else few}ELSE 'ok' END"
    )
