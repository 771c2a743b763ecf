"""What is stored of the indicators when a night begins to measure: asked once, not once for each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from hansei.catalog.measures import Indicator
from hansei.warehouse.engine import Warehouse

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
    states = warehouse.rows(f"SELECT model, fingerprint FROM ops.model_states WHERE model LIKE '{_PREFIX}%'")
    return Stored(
        {row["model"].removeprefix(_PREFIX): row["fingerprint"] for row in states},
        {(row["indicator"], row["grain"]): row["first_start"] for row in reached},
        {(row["indicator"], row["grain"]): row["newest_start"] for row in reached if row["newest_start"]},
        dict(unfinished),
    )


def remember(warehouse: Warehouse, fingerprints: dict[str, str], run_id: str) -> None:
    """Notes by which definition each indicator was counted; only what differs is written."""
    if not fingerprints:
        return
    names = warehouse.sql.text_list([f"{_PREFIX}{name}" for name in sorted(fingerprints)])
    warehouse.execute(f"DELETE FROM ops.model_states WHERE model IN ({names})")
    rest = {"position": 0, "run_id": run_id, "rebuilt_because": "measured"}
    rows = [{"model": f"{_PREFIX}{name}", "fingerprint": text, **rest} for name, text in sorted(fingerprints.items())]
    warehouse.insert("ops.model_states", rows)


def forget_others(warehouse: Warehouse, kept: Iterable[str], tables: Iterable[str]) -> None:
    """Removes what is stored of indicators that are no longer defined."""
    names = warehouse.sql.text_list(sorted(kept))
    models = warehouse.sql.text_list([f"{_PREFIX}{name}" for name in sorted(kept)])
    with warehouse.transaction():
        for table in tables:
            warehouse.execute(f"DELETE FROM {table} WHERE indicator NOT IN ({names})")
        warehouse.execute(f"DELETE FROM ops.model_states WHERE model LIKE '{_PREFIX}%' AND model NOT IN ({models})")
