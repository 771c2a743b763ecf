"""What we said earlier: values as they were known on a day, and what changed them since."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hansei.warehouse.engine import Warehouse

_KEYS = ("indicator", "version", "grain", "period_start", "segment_id")
_SAID = ("numerator", "subtrahend", "denominator", "sample_count", "value", "lower_bound", "upper_bound", "state")


def known_at_sql() -> str:
    """SELECT of every finished value as it stood at `:instant` (naive UTC), with `known_since` and `restated_because`.

    Of each value it takes the first thing that was said and not yet taken back then: from ops.restatements what was
    replaced only afterwards, else what stands today. A value that was first said later is not among them.
    """
    same = " AND ".join(f"{{0}}.{key} = {{1}}.{key}" for key in _KEYS if key != "version")
    before = ", ".join(f"{name}_before AS {name}" for name in _SAID)
    keys = ", ".join(_KEYS)
    order = ", ".join(key for key in _KEYS if key != "version")
    return (
        f"WITH taken_back AS (SELECT {keys}, {before}, said_since AS known_since, reason AS restated_because, "
        f"ROW_NUMBER() OVER (PARTITION BY {order} ORDER BY restated_at, said_since) AS turn "
        "FROM ops.restatements WHERE restated_at > :instant) "
        f"SELECT {keys}, {', '.join(_SAID)}, known_since, restated_because FROM taken_back "
        "WHERE turn = 1 AND known_since <= :instant "
        f"UNION ALL SELECT {keys}, {', '.join(_SAID)}, known_since, CAST(NULL AS VARCHAR) AS restated_because "
        "FROM indicators.indicator_values AS stored WHERE known_since <= :instant "
        "AND state NOT IN ('incomplete', 'immature') "
        f"AND NOT EXISTS (SELECT 1 FROM taken_back WHERE {same.format('taken_back', 'stored')})"
    )


def known_at(
    warehouse: Warehouse, instant: datetime, indicator: str | None = None, grain: str = "week", segment_id: str = "all"
) -> list[dict[str, Any]]:
    """Values of one grain and segment as they were known at the instant, oldest period first."""
    limits = {"instant": instant, "grain": grain, "segment": segment_id}
    condition = "grain = :grain AND segment_id = :segment"
    if indicator is not None:
        condition += " AND indicator = :indicator"
        limits["indicator"] = indicator
    query = f"SELECT * FROM ({known_at_sql()}) AS known WHERE {condition} ORDER BY indicator, period_start"
    return warehouse.rows(query, limits)
