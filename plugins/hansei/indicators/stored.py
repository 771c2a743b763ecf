"""What is stored of the indicators when a night begins to measure: asked once, not once for each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from hansei.catalog.measures import Indicator
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.states import forget, remember, remembered

VALUES = "indicators.indicator_values"
# What names a value, and what is said of it; ops.restatements keeps the latter as it was before.
ROW = ("indicator", "grain", "period_start", "segment_id")
SAID = ("numerator", "subtrahend", "denominator", "sample_count", "value", "lower_bound", "upper_bound", "state")
_PREFIX = "indicator:"


@dataclass(frozen=True)
class Stored:
    """Per indicator and grain: the first and the newest period, and those that were not final."""

    fingerprints: dict[str, str] = field(default_factory=dict)
    first: dict[tuple[str, str], date] = field(default_factory=dict)
    newest: dict[tuple[str, str], date] = field(default_factory=dict)
    unfinished: dict[tuple[str, str], set[date]] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """Every indicator of which anything is stored."""
        return {*self.fingerprints, *(name for name, _ in self.first)}

    def has_any(self, indicators: Iterable[Indicator]) -> bool:
        names = {item.id for item in indicators}
        return any(name in names for name, _ in self.first)


def read_stored(warehouse: Warehouse) -> Stored:
    reached = warehouse.rows(
        "SELECT indicator, grain, MIN(period_start) AS first_start, "
        "MAX(CASE WHEN segment_id = 'all' THEN period_start END) AS newest_start "
        f"FROM {VALUES} GROUP BY indicator, grain"
    )
    unfinished: dict[tuple[str, str], set[date]] = defaultdict(set)
    open_periods = (
        f"SELECT DISTINCT indicator, grain, period_start FROM {VALUES} WHERE state IN ('incomplete', 'immature')"
    )
    for row in warehouse.rows(open_periods):
        unfinished[row["indicator"], row["grain"]].add(row["period_start"])
    return Stored(
        remembered(warehouse, _PREFIX),
        {(row["indicator"], row["grain"]): row["first_start"] for row in reached},
        {(row["indicator"], row["grain"]): row["newest_start"] for row in reached if row["newest_start"]},
        dict(unfinished),
    )


def remember_counted(warehouse: Warehouse, fingerprints: dict[str, str], run_id: str) -> None:
    """Notes by which definition each indicator was counted; only what differs is given."""
    remember(warehouse, {f"{_PREFIX}{name}": text for name, text in fingerprints.items()}, run_id, "measured")


def forget_others(warehouse: Warehouse, kept: Iterable[str], tables: Iterable[str]) -> None:
    """Removes what is stored of indicators that are no longer defined."""
    kept = set(kept)
    names = warehouse.sql.text_list(sorted(kept))
    with warehouse.transaction():
        for table in tables:
            warehouse.execute(f"DELETE FROM {table} WHERE indicator NOT IN ({names})")
        forget(warehouse, {f"{_PREFIX}{name}" for name in remembered(warehouse, _PREFIX).keys() - kept})
