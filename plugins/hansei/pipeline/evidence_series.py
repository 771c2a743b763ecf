"""The weeks of an indicator as a review tells them: values, and what was usual as the control chart knew it then."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter

from hansei.catalog.segments import cut_of
from hansei.reviews.evidence import Point, Usual
from hansei.warehouse import Warehouse

_MOVED = ("worse", "better", "higher", "lower")


def series_by_segment(
    warehouse: Warehouse, indicator_id: str, grain: str, first: date, last: date, cuts: Collection[str]
) -> dict[str, list[Point]]:
    """Stored values of the segments of the given cuts (`all`, `team`, `channel&team`), in order of their periods."""
    names = sorted({cut.partition("&")[0] for cut in cuts})
    beginnings = ", ".join(f":cut_{number}" for number in range(len(names)))
    query = (
        "SELECT * FROM indicators.indicator_values WHERE indicator = :indicator AND grain = :grain "
        "AND period_start BETWEEN :first AND :last "
        f"AND SPLIT_PART(segment_id, '=', 1) IN ({beginnings}) ORDER BY segment_id, period_start"
    )
    place = {"indicator": indicator_id, "grain": grain, "first": first, "last": last}
    wanted = {f"cut_{number}": name for number, name in enumerate(names)}
    fields = ("period_start", "value", "lower_bound", "upper_bound", "numerator", "denominator")
    series: dict[str, list[Point]] = {}
    for segment_id, rows in groupby(warehouse.rows(query, place | wanted), itemgetter("segment_id")):
        if cut_of(segment_id) in cuts:
            series[segment_id] = [
                Point(**{name: row[name] for name in fields}, sample_count=row["sample_count"], state=row["state"])
                for row in rows
            ]
    return series


def usual_by_segment(
    warehouse: Warehouse, grain: str, first: date, last: date, indicators: Sequence[str], segments: Collection[str]
) -> dict[str, dict[str, list[Usual]]]:
    """What was usual in each period, by indicator and segment; nothing of periods without limits or a mark.

    One query for all: the words of a large service are not sorted by indicator, and each pass looks at all of them.
    """
    named = {f"segment_{number}": segment_id for number, segment_id in enumerate(sorted(segments))}
    query = (
        "SELECT indicator, segment_id, period_start, variation, centre, lower_limit, upper_limit "
        "FROM indicators.signals WHERE kind = 'verdict' AND grain = :grain AND period_start BETWEEN :first AND :last "
        f"AND indicator IN ({warehouse.sql.text_list(indicators)}) "
        f"AND segment_id IN ({', '.join(f':{name}' for name in named)}) AND centre IS NOT NULL "
        "ORDER BY indicator, segment_id, period_start"
    )
    found: dict[str, dict[str, list[Usual]]] = {}
    for row in warehouse.rows(query, {"grain": grain, "first": first, "last": last, **named}):
        moved = row["variation"] if row["variation"] in _MOVED else None
        known = {"period_start": row["period_start"], "centre": row["centre"], "moved": moved}
        told = Usual(**known, low=row["lower_limit"], high=row["upper_limit"])
        found.setdefault(row["indicator"], {}).setdefault(row["segment_id"], []).append(told)
    return found
