"""Dated entries that rebase a chart, held against the periods that there are: a date without a point is a mistake."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from hansei.catalog import Catalog
from hansei.catalog.measures import Grain
from hansei.catalog.segments import matches_any
from hansei.catalog.thresholds import Rebase
from hansei.errors import HanseiError
from hansei.indicators.periods import period_start
from hansei.warehouse import Warehouse


def require_points(warehouse: Warehouse, catalog: Catalog, grains: dict[str, Iterable[Grain]]) -> None:
    """Raises HanseiError for the first rebase in whose period no segment that it concerns has a finished value.

    `grains`: the grains at which each indicator is judged; a date has to match at one of them.
    """
    for rebase in sorted(catalog.rebases.values(), key=lambda item: item.id):
        if not any(_has_point(warehouse, rebase, grain) for grain in grains.get(rebase.indicator, ())):
            document = catalog.documents.get(("rebases", rebase.id))
            place = f"{document.path}: rebase {rebase.id}" if document else f"rebase {rebase.id}"
            found = f"{rebase.rebased_on} matches no finished period of {rebase.indicator}"
            raise HanseiError(place, found, _next_step(warehouse, rebase))


def _has_point(warehouse: Warehouse, rebase: Rebase, grain: Grain) -> bool:
    rows = warehouse.rows(
        "SELECT DISTINCT segment_id FROM indicators.indicator_values WHERE indicator = :indicator AND grain = :grain "
        "AND period_start = :start AND state <> 'incomplete' AND value IS NOT NULL",
        {"indicator": rebase.indicator, "grain": grain, "start": period_start(grain, rebase.rebased_on)},
    )
    return any(_concerns(rebase, row["segment_id"]) for row in rows)


def _concerns(rebase: Rebase, segment_id: str) -> bool:
    return not rebase.segments or matches_any(segment_id, rebase.segments)


def _next_step(warehouse: Warehouse, rebase: Rebase) -> str:
    rows = warehouse.rows(
        "SELECT DISTINCT grain, segment_id, period_start FROM indicators.indicator_values "
        "WHERE indicator = :indicator AND grain <> 'day' AND state <> 'incomplete' AND value IS NOT NULL",
        {"indicator": rebase.indicator},
    )
    starts: set[tuple[date, str]] = {
        (row["period_start"], row["grain"]) for row in rows if _concerns(rebase, row["segment_id"])
    }
    if not starts:
        return "remove the entry: there is no finished value to begin at"
    nearest, grain = min(starts, key=lambda item: (abs(item[0] - rebase.rebased_on), item))
    return f"correct rebased_on; the nearest finished period is the {grain} of {nearest}"
