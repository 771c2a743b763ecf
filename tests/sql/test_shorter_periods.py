"""How the weeks of a month stood to a limit for weeks, on both engines: what a monthly review tells of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from support.stored_values import Desk, store_values

from hansei.catalog import Catalog
from hansei.catalog.thresholds import StaticThreshold
from hansei.pipeline.judging import judge_changes
from hansei.pipeline.readiness import Readiness
from hansei.pipeline.shorter_periods import read_shorter_periods
from hansei.warehouse import Warehouse
from hansei.warehouse.runs import Run

MONDAY = date(2026, 1, 5)
AS_OF = datetime(2026, 6, 15, 3)
# Every other week misses the limit of 0.79, and the last two miss the critical one too.
WEEKS = [0.78, 0.82] * 8 + [0.60, 0.60]
LIMIT = StaticThreshold(
    id="floor",
    indicator="csat_top_box",
    kind="static",
    warning=0.79,
    critical=0.65,
    unit="ratio",
    reason="two in three is too few",
    approver="a",
    valid_from=MONDAY,
)


def _row(week: int, value: float) -> dict:
    place = {"indicator": "csat_top_box", "version": 1, "grain": "week", "segment_id": "all"}
    start = {"period_start": MONDAY + timedelta(weeks=week), "run_id": "r", "known_since": AS_OF}
    figures = {"numerator": value * 50, "denominator": 50.0, "sample_count": 50, "value": value, "state": "ok"}
    return {**place, **start, **figures}


@pytest.mark.parametrize(
    ("month", "following", "judged_count", "missed_count"),
    [
        (date(2026, 3, 1), date(2026, 4, 1), 5, 3),  # Mondays 2 to 30 March, of which 2, 16 and 30 miss it
        (date(2026, 4, 1), date(2026, 5, 1), 4, 2),  # 13 and 27 April, the latter by both limits
    ],
)
def test_the_weeks_that_begin_in_a_month_are_counted(
    warehouse: Warehouse, catalog: Catalog, month: date, following: date, judged_count: int, missed_count: int
) -> None:
    known = replace(catalog, sources={"desk": Desk(tuple(catalog.entities))}, thresholds={"floor": LIMIT})
    store_values(warehouse, [_row(week, value) for week, value in enumerate(WEEKS)], AS_OF)
    with warehouse.transaction():
        judge_changes(warehouse, known, Run("night", "night", AS_OF, {}), Readiness(warehouse, known))
    (found,) = read_shorter_periods(warehouse, known, "month", (month, following), ["csat_top_box", "nps"])
    assert (found.indicator_id, found.segment_id, found.grain) == ("csat_top_box", "all", "week")
    assert (found.judged_count, found.missed_count) == (judged_count, missed_count)
    assert (found.limit, found.is_upper) == (0.79, False)
    assert read_shorter_periods(warehouse, known, "week", (month, following), ["csat_top_box"]) == []
