"""An old and a new definition of an indicator, counted side by side over history before one replaces the other."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from pydantic import ValidationError

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.errors import HanseiError
from hansei.indicators.collection import Collection, close_values, open_values
from hansei.indicators.gaps import fill_gaps
from hansei.indicators.values import describe, values_sql
from hansei.warehouse.engine import Warehouse


def in_force(warehouse: Warehouse, name: str) -> Indicator | None:
    """The definition by which the newest night counted; None where it did not know the indicator."""
    query = (
        "SELECT in_force.definitions FROM ops.definitions_in_force AS in_force INNER JOIN ops.runs AS runs "
        "ON runs.definitions_hash = in_force.definitions_hash ORDER BY runs.started_at DESC, runs.run_id DESC LIMIT 1"
    )
    text = warehouse.scalar(query)
    stored = json.loads(text)["indicators"].get(name) if text else None
    if stored is None:
        return None
    try:
        return Indicator.model_validate(stored)
    except ValidationError:
        place = f"indicator {name!r}"
        found = "the definition of the newest night is of an older release and cannot be counted by this one"
        raise HanseiError(place, found, "run a night with the old definition first, then compare") from None


def side_by_side(
    warehouse: Warehouse, catalog: Catalog, old: Indicator, new: Indicator, today: date, grain: str, segment_id: str
) -> list[dict[str, Any]]:
    """One row per period: old and new value and count, and the difference; oldest first."""
    before = _counted(warehouse, catalog, old, today, grain, segment_id)
    after = _counted(warehouse, catalog, new, today, grain, segment_id)
    rows = []
    for period in sorted(before.keys() | after.keys()):
        was, now = before.get(period, {}), after.get(period, {})
        values = was.get("value"), now.get("value")
        rows.append(
            {
                "period": period,
                "old": values[0],
                "new": values[1],
                "difference": None if None in values else values[1] - values[0],
                "old n": was.get("sample_count"),
                "new n": now.get("sample_count"),
                "old state": was.get("state"),
                "new state": now.get("state"),
            }
        )
    return rows


def _counted(
    warehouse: Warehouse, catalog: Catalog, indicator: Indicator, today: date, grain: str, segment_id: str
) -> dict[date, dict[str, Any]]:
    """The indicator's values by period, in temporary tables only."""
    if indicator.measure == "quotient":
        parts = f"{indicator.numerator_indicator} and {indicator.denominator_indicator}"
        raise HanseiError(f"indicator {indicator.id!r}", "is a quotient of two others", f"compare {parts}")
    plain = indicator.model_copy(update={"has_distribution": False, "grains": (grain,)})
    table = catalog.tables.get(plain.table)
    if table is None:
        raise HanseiError(f"indicator {indicator.id!r}", f"counted on {plain.table}, which is no more", "write it anew")
    collection = Collection(warehouse, catalog, table, [plain], today, None)
    open_values(warehouse)
    try:
        collection.collect()
        fill_gaps(warehouse, [collection], {}, today)
        describe(warehouse, [plain], catalog.service.repeat_window)
        query = f"SELECT * FROM ({values_sql(warehouse.sql, [plain], today)}) AS counted WHERE segment_id = :segment"
        rows = warehouse.rows(query, {"segment": segment_id})
    finally:
        collection.close()
        close_values(warehouse)
        warehouse.execute("DROP TABLE IF EXISTS run_definitions")
    return {row["period_start"]: row for row in rows}
