"""The outlook of a review: what the next four periods will probably be, as its own period sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from hansei.catalog import Catalog
from hansei.catalog.measures import Grain, Indicator
from hansei.catalog.segments import matches_any
from hansei.catalog.thresholds import Threshold
from hansei.pipeline.outlooks import Known, known_series
from hansei.reviews.prospects import Chance, ComingPeriod, Outlook
from hansei.signals.running_forecasts import CONFIDENCE, SETTLED
from hansei.warehouse import Warehouse

# What no value of a unit can lie beyond.
_ENDS = {"ratio": (0.0, 1.0), "points": (-100.0, 100.0), "count": (0.0, None), "seconds": (0.0, None)}
_ENDS |= {"business_seconds": (0.0, None), "weeks": (0.0, None)}


def gather_outlooks(
    warehouse: Warehouse,
    catalog: Catalog,
    indicators: Sequence[Indicator],
    grain: Grain,
    period_start: date,
    segment_id: str = "all",
) -> list[Outlook]:
    """One outlook for each indicator that has the grain, with or without something to say, in the order given."""
    known = known_series(warehouse, catalog, indicators, grain, segment_id, last=period_start)
    return [
        _outlook(catalog, indicator, grain, known.get(indicator.id), period_start, segment_id)
        for indicator in indicators
        if grain in indicator.grains
    ]


def _outlook(
    catalog: Catalog,
    indicator: Indicator,
    grain: Grain,
    known: Known | None,
    period_start: date,
    segment_id: str,
) -> Outlook:
    told = {"indicator_id": indicator.id, "segment_id": segment_id, "confidence": CONFIDENCE}
    if known is None or known.newest != period_start:
        return Outlook(**told, state="no_value_now", usable_count=known.usable_count if known else 0)
    told["usable_count"] = known.usable_count
    if known.usable_count < SETTLED:
        return Outlook(**told, state="too_few_periods")
    limits = [item for item in catalog.thresholds_on(indicator.id, grain) if matches_any(segment_id, item.segments)]
    return Outlook(
        **told,
        state="ok",
        error_ratio=known.error_ratio(),
        periods=tuple(_periods(known, indicator)),
        chances=tuple(_chances(known, indicator, limits)),
    )


def _periods(known: Known, indicator: Indicator) -> Iterator[ComingPeriod]:
    low, high = _ENDS.get(indicator.unit, (None, None))
    for row in known.ahead():
        figures = {"value": row.median, "lower_bound": row.lower, "upper_bound": row.upper}
        for name, value in figures.items():
            value = value if low is None else max(value, low)
            figures[name] = value if high is None else min(value, high)
        error = row.accuracy.mae if row.accuracy else None
        yield ComingPeriod(period_start=row.period_start, **figures, mean_error=error, tried=row.back_test_count)


def _chances(known: Known, indicator: Indicator, thresholds: Sequence[Threshold]) -> Iterator[Chance]:
    """One for each limit that holds in all coming periods, the gravest level first."""
    first, last = known.coming[0], known.coming[-1]
    limits = {
        (level, limit)
        for item in thresholds
        for level, limit in item.limits.items()
        if item.valid_from <= first and (item.valid_to is None or last < item.valid_to)
    }
    for level, limit in sorted(limits):
        said = known.chance(limit)
        if said is not None:
            yield Chance(
                level=level,
                limit=limit,
                is_upper=indicator.direction == "lower_is_better",
                probability=said[0],
                period_start=said[1],
            )
