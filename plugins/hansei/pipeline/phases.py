"""Where a series begins a new phase: what lies before is another process, and is no longer its yardstick.

A phase begins on the day from which a newer definition of the indicator holds, on the day that a signed entry of
thresholds/ names (kind rebase), and, for what is counted in business time or against service levels, on the day on
which another calendar or policy took over. A calendar that one team, channel or account begins to follow concerns the
segments that name it; in the service as a whole it is one influence of many, and the chart is left to find out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.catalog.segments import matches_any, parse_segment
from hansei.indicators.periods import period_start

SLA_TABLES = ("core.ticket_sla_targets", "core.ticket_sla_states")
_COUNTED = ("value", "numerator", "denominator", "subtrahend", "numerator_value", "denominator_value")


@dataclass(frozen=True)
class PhaseStart:
    """`dimension`: name and value that a segment has to name to be concerned, None for all segments. `segments`: those
    that are concerned, as thresholds name them (`team=*`); none are named where it concerns all. `what`: the version,
    the reason given, or the title of the calendar or policy."""

    day: date
    why: str
    kind: Literal["definition", "rebase", "calendar", "policy"]
    what: str
    dimension: tuple[str, str] | None = None
    segments: tuple[str, ...] = ()

    def concerns(self, segment_id: str) -> bool:
        if self.segments:
            return matches_any(segment_id, self.segments)
        if self.dimension is None:
            return True
        name, value = self.dimension
        return parse_segment(segment_id).get(name) == value


def phase_starts(catalog: Catalog, indicator: Indicator) -> list[PhaseStart]:
    """Every reason to begin anew, oldest first."""
    parts = catalog.parts_of(indicator)
    found = [*_redefined(indicator, *parts), *_rebased(catalog, indicator)]
    if any(_is_business_time(item) for item in parts):
        found.extend(calendar_changes(catalog))
    if any(item.table in SLA_TABLES for item in parts):
        found.extend(_policy_changes(catalog))
    return sorted(found, key=lambda start: (start.day, start.why))


def phase_numbers(starts: list[PhaseStart], grain: str, segments: list[str], period_starts: np.ndarray) -> np.ndarray:
    """int32 (segments, periods): 0 in the first phase, one more from the period that holds each day on.

    Days before the first period or after the last one number nothing; two on one period make one phase.
    """
    numbers = np.zeros((len(segments), len(period_starts)), dtype="int32")
    for row, segment_id in enumerate(segments):
        days = {period_start(grain, start.day) for start in starts if start.concerns(segment_id)}
        marks = np.isin(period_starts, np.array(sorted(days), dtype="datetime64[D]"))
        marks[:1] = False
        numbers[row] = np.cumsum(marks)
    return numbers


def _is_business_time(indicator: Indicator) -> bool:
    counted = " ".join(getattr(indicator, name) or "" for name in _COUNTED)
    return indicator.unit == "business_seconds" or "business" in counted or indicator.table in SLA_TABLES


def _redefined(*indicators: Indicator) -> Iterator[PhaseStart]:
    for item in {part.id: part for part in indicators}.values():
        if item.valid_from is not None and item.version > 1:
            yield PhaseStart(item.valid_from, f"version {item.version} of {item.id}", "definition", str(item.version))


def _rebased(catalog: Catalog, indicator: Indicator) -> Iterator[PhaseStart]:
    for item in catalog.rebases.values():
        if item.indicator == indicator.id:
            why = f"rebased by {item.by}: {item.reason}"
            yield PhaseStart(item.rebased_on, why, "rebase", item.reason, segments=item.segments)


def calendar_changes(catalog: Catalog) -> Iterator[PhaseStart]:
    """Every day on which a team, account, brand, channel or source began to follow another calendar."""
    for item in catalog.service.calendar_assignments:
        if item.first is not None:
            why = f"{item.dimension} {item.value} follows calendar {item.calendar}"
            # Calendars that a source keeps, and the one that never closes, are not among the definitions.
            known = catalog.calendars.get(item.calendar)
            name = known.name if known else item.calendar
            yield PhaseStart(item.first, why, "calendar", name, dimension=(item.dimension, item.value))


def _policy_changes(catalog: Catalog) -> Iterator[PhaseStart]:
    for policy in catalog.sla.values():
        for version in policy.versions[1:]:
            why = f"service levels of {policy.id} changed"
            yield PhaseStart(version.valid_from, why, "policy", policy.title)
