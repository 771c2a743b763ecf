"""Cases of two spans of time, cut by every dimension at once: from one query, any way of cutting can be summed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.catalog.segments import OF_PEOPLE, parse_segment
from hansei.indicators import formulas
from hansei.indicators.explain import of_segment
from hansei.methods.drivers import Cells
from hansei.warehouse import Warehouse

# What can be taken apart: shares, means, and quantiles by the share of cases beyond a limit.
DECOMPOSED = ("ratio", "mean", "net_share", "quantile")


@dataclass(frozen=True)
class Spans:
    """Days counted before the trouble (`before`) and in it (`now`): first day, and the day after the last."""

    before: tuple[date, date]
    now: tuple[date, date]


@dataclass(frozen=True)
class Yardstick:
    """The limit of a quantile's values, and which side of it counts: `share of cases above 4 h`."""

    limit: float
    is_upper: bool

    @property
    def beyond(self) -> str:
        return ">" if self.is_upper else "<"


def cross_section(
    warehouse: Warehouse,
    catalog: Catalog,
    indicator: Indicator,
    spans: Spans,
    segment_id: str = "all",
    yardstick: Yardstick | None = None,
    about: str | None = None,
) -> Cells:
    """The indicator's cases in a segment, by its other dimensions; rates are in the indicator's unit.

    A dimension of people is among them only where it is the one that a review is `about`.
    A quantile needs a yardstick: its cases are then judged one by one, and the rate is the share beyond it.
    """
    fixed = parse_segment(segment_id)
    dimensions = [name for name in indicator.segments if name not in fixed and (name == about or name not in OF_PEOPLE)]
    rows = warehouse.rows(_cross_sql(catalog, indicator, dimensions, spans, segment_id, yardstick))
    cells = {name: np.array([row[f"by_{name}"] for row in rows], dtype=object) for name in dimensions}
    scale = 100.0 if indicator.measure == "net_share" else 1.0
    sums = {
        f"{part}{span}": np.array([float(row[f"{part}{span}"] or 0) for row in rows], dtype=float) * times
        for part, times in (("n", 1.0), ("x", scale), ("q", scale * scale))
        for span in (0, 1)
    }
    is_share = indicator.measure == "ratio" or yardstick is not None
    return Cells({name: found.astype(str) for name, found in cells.items()}, **sums, is_share=is_share)


def _cross_sql(
    catalog: Catalog,
    indicator: Indicator,
    dimensions: Sequence[str],
    spans: Spans,
    segment_id: str,
    yardstick: Yardstick | None,
) -> str:
    table = catalog.tables[indicator.table]
    case, outcome, square = _case(indicator, yardstick)
    keys = [table.segment_of(name, indicator.counted_on) for name in dimensions]
    listed = [f"{key} AS by_{name}" for key, name in zip(keys, dimensions, strict=True)]
    for number, (first, following) in enumerate((spans.before, spans.now)):
        inside = _within(indicator, first, following)
        listed += [
            f"COUNT(CASE WHEN {inside} THEN {case} END) AS n{number}",
            f"SUM(CASE WHEN {inside} THEN {outcome} END) AS x{number}",
            f"SUM(CASE WHEN {inside} THEN {square} END) AS q{number}",
        ]
    where = rows_of(catalog, indicator, spans, segment_id)
    grouped = f" GROUP BY {', '.join(keys)} ORDER BY {', '.join(keys)}" if keys else ""
    return f"SELECT {', '.join(listed)} FROM {table.table} WHERE {where}{grouped}"


def rows_of(catalog: Catalog, indicator: Indicator, spans: Spans, segment_id: str) -> str:
    """Condition that takes the rows which the indicator counts in a segment, of the days of both spans."""
    days = " OR ".join(f"({_within(indicator, *span)})" for span in (spans.before, spans.now))
    table = catalog.tables[indicator.table]
    inside = of_segment(table, indicator.counted_on, segment_id)
    return " AND ".join([f"({days})", formulas.counted_rows(indicator, table), *inside])


def _within(indicator: Indicator, first: date, following: date) -> str:
    return f"{indicator.counted_on} >= DATE '{first}' AND {indicator.counted_on} < DATE '{following}'"


def counted_against(indicator: Indicator, yardstick: Yardstick | None) -> str:
    """Condition that is true of the cases that speak against the service: what should have happened and did not."""
    if yardstick is not None:
        return f"{indicator.value} {yardstick.beyond} {yardstick.limit!r}"
    if indicator.measure == "net_share":
        return f"({indicator.subtrahend})"
    if indicator.measure == "ratio":
        return (
            f"NOT ({indicator.numerator})" if indicator.direction == "higher_is_better" else f"({indicator.numerator})"
        )
    return f"{indicator.value} IS NOT NULL"


def _case(indicator: Indicator, yardstick: Yardstick | None) -> tuple[str, str, str]:
    """SQL of a case (NULL where there is none), of its outcome, and of the outcome's square."""
    if yardstick is not None:
        beyond = f"CASE WHEN {indicator.value} {yardstick.beyond} {yardstick.limit!r} THEN 1 ELSE 0 END"
        return indicator.value, beyond, beyond
    if indicator.measure == "mean":
        square = f"CAST({indicator.value} AS DOUBLE PRECISION) * {indicator.value}"
        return indicator.value, indicator.value, square
    success = f"CASE WHEN {indicator.numerator} THEN 1 ELSE 0 END"
    if indicator.measure == "net_share":
        counted = f"CASE WHEN {indicator.subtrahend} THEN 1 ELSE 0 END"
        return "1", f"{success} - {counted}", f"{success} + {counted}"
    return "1", success, success
