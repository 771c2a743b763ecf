"""Indicator values as a night stores them, of a source that is complete: what judging and scoring start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hansei.warehouse import Warehouse


@dataclass(frozen=True)
class Desk:
    """A source as far as readiness asks for one: which entities it feeds. Nothing is extracted here."""

    entity_ids: tuple[str, ...]
    id: str = "desk"


def store_values(warehouse: Warehouse, rows: Sequence[dict[str, Any]], complete_until: datetime) -> None:
    warehouse.insert("indicators.indicator_values", rows)
    warehouse.insert("ops.watermarks", [{"source": "desk", "complete_until": complete_until, "run_id": "r"}])
