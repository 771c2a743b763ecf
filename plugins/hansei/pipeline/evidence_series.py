"""The weeks of an indicator as a review tells them: values, and what was usual as the control chart knew it then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from hansei.reviews.evidence import Point, Usual
from hansei.warehouse import Warehouse

_MOVED = ("worse", "better", "higher", "lower")


def series_by_segment(
    warehouse: Warehouse, indicator_id: str, grain: str, first: date, last: date
) -> dict[str, list[Point]]:
    """Stored values of every segment in order of their periods."""
    query = (
        "SELECT * FROM indicators.indicator_values WHERE indicator = :indicator AND grain = :grain "
        "AND period_start BETWEEN :first AND :last ORDER BY segment_id, period_start"
    )
    series: dict[str, list[Point]] = defaultdict(list)
    for row in warehouse.rows(query, {"indicator": indicator_id, "grain": grain, "first": first, "last": last}):
        names = ("period_start", "value", "lower_bound", "upper_bound", "numerator", "denominator")
        point = {name: row[name] for name in names}
        series[row["segment_id"]].append(Point(**point, sample_count=row["sample_count"], state=row["state"]))
    return series


def usual_by_segment(
    warehouse: Warehouse, indicator_id: str, grain: str, first: date, last: date, segments: Collection[str]
) -> dict[str, list[Usual]]:
    """What was usual in each period, of the segments that are named; nothing of periods without limits or a mark."""
    named = {f"segment_{number}": segment_id for number, segment_id in enumerate(sorted(segments))}
    query = (
        "SELECT segment_id, period_start, variation, centre, lower_limit, upper_limit FROM indicators.verdicts "
        "WHERE indicator = :indicator AND grain = :grain AND period_start BETWEEN :first AND :last "
        f"AND segment_id IN ({', '.join(f':{name}' for name in named)}) AND centre IS NOT NULL "
        "ORDER BY segment_id, period_start"
    )
    found: dict[str, list[Usual]] = defaultdict(list)
    place = {"indicator": indicator_id, "grain": grain, "first": first, "last": last}
    for row in warehouse.rows(query, {**place, **named}):
        moved = row["variation"] if row["variation"] in _MOVED else None
        known = {"period_start": row["period_start"], "centre": row["centre"], "moved": moved}
        found[row["segment_id"]].append(Usual(**known, low=row["lower_limit"], high=row["upper_limit"]))
    return found
