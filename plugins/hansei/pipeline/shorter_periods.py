"""Counts how the weeks inside a month stood to their limits: a threshold holds for periods of one grain alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

from hansei.catalog.loader import Catalog
from hansei.catalog.reviews import ReviewGrain
from hansei.reviews.shorter_periods import ShorterPeriods
from hansei.warehouse import Warehouse

_SHORTER: dict[ReviewGrain, tuple[str, ...]] = {"week": (), "month": ("day", "week"), "quarter": ("week", "month")}


def read_shorter_periods(
    warehouse: Warehouse, catalog: Catalog, grain: ReviewGrain, span: tuple[date, date], indicators: Iterable[str]
) -> list[ShorterPeriods]:
    """Of the periods that begin in the span (its last day not in it): one for each indicator, segment and grain.

    Left out is what holds no value against a limit, charts and forecasts, and what could not be judged. Periods that
    miss any of several limits count once.
    """
    if not _SHORTER[grain]:
        return []
    query = (
        "SELECT indicator, segment_id, grain, period_start, threshold_id, verdict, limit_value FROM indicators.signals "
        "WHERE kind NOT IN ('verdict', 'spc_concern', 'assurance_fail', 'forecast') AND limit_value IS NOT NULL "
        "AND verdict IN ('within', 'breach_warning', 'breach_critical') "
        f"AND grain IN ({warehouse.sql.text_list(_SHORTER[grain])}) "
        "AND period_start >= :first AND period_start < :following "
        f"AND indicator IN ({warehouse.sql.text_list(sorted(indicators))}) "
        "ORDER BY indicator, segment_id, grain, period_start, threshold_id"
    )
    rows = warehouse.rows(query, {"first": span[0], "following": span[1]})
    grouped = groupby(rows, itemgetter("indicator", "segment_id", "grain"))
    return [_counted(catalog, *key, list(group)) for key, group in grouped]


def _counted(
    catalog: Catalog, indicator: str, segment_id: str, grain: Any, rows: list[dict[str, Any]]
) -> ShorterPeriods:
    newest = rows[-1]
    return ShorterPeriods(
        indicator_id=indicator,
        segment_id=segment_id,
        grain=grain,
        judged_count=len({row["period_start"] for row in rows}),
        missed_count=len({row["period_start"] for row in rows if row["verdict"] != "within"}),
        # What counts as missed lies beyond the milder of two limits, whichever the row tells of.
        limit=catalog.thresholds[newest["threshold_id"]].limits.get("warning", newest["limit_value"]),
        is_upper=catalog.indicators[indicator].direction != "higher_is_better",
    )
