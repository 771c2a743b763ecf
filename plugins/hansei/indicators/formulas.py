"""SQL of an indicator's parts: what is counted, how the parts become a value, and how sure the value is.

Ratios carry Wilson's interval (Wilson 1927), net shares the interval of METHODS.md 1.2 (adjusted Wald below 50
answers). Quantiles and counts carry none here: their intervals are not functions of the stored parts.
"""

from __future__ import annotations

from collections.abc import Sequence

from hansei.catalog.measures import Indicator
from hansei.catalog.tables import TableModel
from hansei.warehouse.dialect import Dialect

Z95 = 1.959963984540054
SMALL_SURVEY = 50


def counted_rows(indicator: Indicator, table: TableModel) -> str:
    """Condition that a row has to meet to be counted at all: the denominator, less the exclusions."""
    excluded = [f"NOT ({table.exclusions[name]})" for name in indicator.exclusions]
    conditions = [f"({indicator.denominator})"] if indicator.denominator else []
    return " AND ".join([*conditions, *excluded]) or "TRUE"


def components(
    indicator: Indicator, table: TableModel, sql: Dialect, together: Sequence[Indicator] = ()
) -> dict[str, str]:
    """SQL aggregates `numerator`, `subtrahend`, `denominator`, `sample_count`, `quantile` over a table's rows.

    `together` are the indicators of the same scan: their quantiles of the same values become one aggregate.
    """
    counted = counted_rows(indicator, table)

    def count(condition: str) -> str:
        return f"COUNT(CASE WHEN {condition} THEN 1 END)"

    parts = {"numerator": "NULL", "subtrahend": "NULL", "denominator": "NULL", "quantile": "NULL"}
    if indicator.measure == "count":
        parts["numerator"] = count(f"({indicator.numerator}) AND {counted}")
        parts["sample_count"] = parts["numerator"]
        return parts
    parts["denominator"] = parts["sample_count"] = count(counted)
    if indicator.measure in ("ratio", "net_share"):
        parts["numerator"] = count(f"({indicator.numerator}) AND {counted}")
    if indicator.measure == "net_share":
        parts["subtrahend"] = count(f"({indicator.subtrahend}) AND {counted}")
    if indicator.measure == "mean":
        parts["numerator"] = f"SUM(CASE WHEN {counted} THEN {indicator.value} END)"
    if indicator.measure == "quantile":
        among = [
            other.quantile
            for other in together
            if other.quantile and other.value == indicator.value and counted_rows(other, table) == counted
        ]
        parts["quantile"] = sql.quantile(f"CASE WHEN {counted} THEN {indicator.value} END", indicator.quantile, among)
    return parts


def value(indicator: Indicator) -> str:
    """SQL of the value from the columns numerator, subtrahend, denominator and quantile of one row."""
    if indicator.measure in ("count", "snapshot"):
        return "numerator"
    if indicator.measure == "quantile":
        return "quantile"
    if indicator.measure == "net_share":
        return "100.0 * (numerator - subtrahend) / NULLIF(denominator, 0)"
    return "numerator / NULLIF(denominator, 0)"


def bounds(indicator: Indicator) -> tuple[str, str]:
    """SQL of the 95 % interval's lower and upper end; NULL where the parts do not give one."""
    if indicator.measure == "ratio":
        share, count, z2 = "(numerator / NULLIF(denominator, 0))", "NULLIF(denominator, 0)", Z95 * Z95
        middle = f"({share} + {z2 / 2!r} / {count}) / (1 + {z2!r} / {count})"
        half = (
            f"{Z95!r} * SQRT({share} * (1 - {share}) / {count} + {z2 / 4!r} / ({count} * {count})) "
            f"/ (1 + {z2!r} / {count})"
        )
        # At none and at all the interval ends exactly there; the formula only comes near, differently on each engine.
        lower = f"CASE WHEN numerator = 0 THEN 0.0 ELSE GREATEST({middle} - {half}, 0.0) END"
        upper = f"CASE WHEN numerator = denominator THEN 1.0 ELSE LEAST({middle} + {half}, 1.0) END"
        return _if_counted(lower), _if_counted(upper)
    if indicator.measure == "net_share":
        small = f"denominator < {SMALL_SURVEY}"
        total = f"CASE WHEN {small} THEN denominator + 3 ELSE NULLIF(denominator, 0) END"
        promoters = f"(CASE WHEN {small} THEN numerator + 0.75 ELSE numerator END / ({total}))"
        detractors = f"(CASE WHEN {small} THEN subtrahend + 0.75 ELSE subtrahend END / ({total}))"
        net = f"({promoters} - {detractors})"
        half = f"{Z95!r} * SQRT(GREATEST({promoters} + {detractors} - {net} * {net}, 0.0) / ({total}))"
        lower, upper = f"GREATEST(100.0 * ({net} - {half}), -100.0)", f"LEAST(100.0 * ({net} + {half}), 100.0)"
        return _if_counted(lower), _if_counted(upper)
    return "CAST(NULL AS DOUBLE PRECISION)", "CAST(NULL AS DOUBLE PRECISION)"


def _if_counted(bound: str) -> str:
    """GREATEST and LEAST skip NULL: without this, nothing counted would read as an interval from 0 to 1."""
    return f"CASE WHEN denominator > 0 THEN {bound} END"


def state(indicator: Indicator, period_end: str, as_of_date: str) -> str:
    """SQL of a row's state; an unfinished period is `incomplete` whatever its numbers are."""
    if indicator.measure in ("count", "snapshot"):
        otherwise = "'ok'"
    else:
        otherwise = (
            "CASE WHEN COALESCE(denominator, 0) = 0 THEN 'no_data' "
            f"WHEN denominator < {indicator.minimum_denominator} THEN 'insufficient' ELSE 'ok' END"
        )
    return f"CASE WHEN {period_end} > {as_of_date} THEN 'incomplete' ELSE {otherwise} END"
