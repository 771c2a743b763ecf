"""What we said earlier: values as they were known on a day, and what changed them since."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hansei.indicators.stored import ROW, SAID, VALUES
from hansei.warehouse.engine import Warehouse


def known_at_sql() -> str:
    """SELECT of every finished value as it stood at `:instant` (naive UTC), with `known_since` and `restated_because`.

    Of each value it takes the first thing that was said and not yet taken back then: from ops.restatements what was
    replaced only afterwards, else what stands today. A value that was first said later is not among them.
    """
    same = " AND ".join(f"taken_back.{key} = stored.{key}" for key in ROW)
    before = ", ".join(f"{name}_before AS {name}" for name in SAID)
    keys, said = ", ".join([*ROW, "version"]), ", ".join(SAID)
    return (
        f"WITH taken_back AS (SELECT {keys}, {before}, said_since AS known_since, reason AS restated_because, "
        f"ROW_NUMBER() OVER (PARTITION BY {', '.join(ROW)} ORDER BY restated_at, said_since) AS turn "
        "FROM ops.restatements WHERE restated_at > :instant) "
        f"SELECT {keys}, {said}, known_since, restated_because FROM taken_back "
        "WHERE turn = 1 AND known_since <= :instant "
        f"UNION ALL SELECT {keys}, {said}, known_since, CAST(NULL AS VARCHAR) AS restated_because "
        f"FROM {VALUES} AS stored WHERE known_since <= :instant "
        f"AND state NOT IN ('incomplete', 'immature') AND NOT EXISTS (SELECT 1 FROM taken_back WHERE {same})"
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
