"""Periods without any row: zero for what counts, no data for everything else, so that an empty week shows as empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa

from hansei.catalog.measures import ZERO_WITHOUT_ROWS
from hansei.indicators.collection import Collection
from hansei.indicators.periods import period_start, periods_between
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.tables import create_table

Place = tuple[str, str]


def fill_gaps(
    warehouse: Warehouse, collections: Sequence[Collection], stored_first: Mapping[Place, date], today: date
) -> None:
    """Adds rows of the whole service to `run_values` for the periods of the collections that have none.

    `stored_first` is the first period that is stored of an indicator and grain, where any is.
    """
    rows = warehouse.rows(
        "SELECT indicator, grain, MIN(period_start) AS first_day FROM run_values GROUP BY indicator, grain"
    )
    first_days = {(row["indicator"], row["grain"]): row["first_day"] for row in rows}
    gaps: list[tuple[str, str, date]] = []
    zeros = set()
    for collection in collections:
        for item in collection.group:
            if item.measure == "snapshot":
                continue
            zeros |= {item.id} if item.measure in ZERO_WITHOUT_ROWS else set()
            for grain in item.grains:
                place = item.id, grain
                periods = None if collection.periods is None else collection.periods[grain]
                known = first_days.get(place), stored_first.get(place)
                gaps += [(*place, start) for start in _periods_to_fill(grain, periods, *known, today)]
    _load_spine(warehouse, gaps)
    counts = warehouse.sql.text_list(sorted(zeros))
    warehouse.execute(
        "INSERT INTO run_values (indicator, grain, period_start, segment_id, numerator, denominator, sample_count) "
        f"SELECT indicator, grain, period_start, 'all', CASE WHEN indicator IN ({counts}) THEN 0 END, "
        f"CASE WHEN indicator IN ({counts}) THEN NULL ELSE 0 END, 0 FROM run_spine_all AS spine "
        "WHERE NOT EXISTS (SELECT 1 FROM run_values AS counted WHERE counted.indicator = spine.indicator "
        "AND counted.grain = spine.grain AND counted.period_start = spine.period_start "
        "AND counted.segment_id = 'all')"
    )
    warehouse.execute("DROP TABLE run_spine_all")


def _periods_to_fill(
    grain: str, periods: set[date] | None, first_day: date | None, stored_first: date | None, today: date
) -> list[date]:
    """Periods that have to have a row: all; of a part those counted anew, and those before the first stored one."""
    if periods is None:
        return [] if first_day is None else periods_between(grain, first_day, today)
    known = [day for day in (first_day, stored_first) if day is not None]
    if not known:
        return []
    asked = {start for start in periods if start >= period_start(grain, min(known))}
    if first_day is not None and stored_first is not None and first_day < stored_first:
        asked.update(start for start in periods_between(grain, first_day, stored_first) if start < stored_first)
    return sorted(start for start in asked if start <= today)


def _load_spine(warehouse: Warehouse, gaps: Sequence[tuple[str, str, date]]) -> None:
    """The temporary table `run_spine_all` of indicator, grain and period."""
    create_table(
        warehouse, "run_spine_all", {"indicator": "text", "grain": "text", "period_start": "date"}, temporary=True
    )
    if gaps:
        names, grains, days = zip(*gaps, strict=True)
        columns = {"indicator": pa.array(names), "grain": pa.array(grains), "period_start": pa.array(days, pa.date32())}
        warehouse.load("run_spine_all", pa.table(columns))
