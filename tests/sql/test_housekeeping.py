"""What a night clears away, and what it must leave."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from hansei.catalog import Catalog
from hansei.pipeline.context import Context
from hansei.pipeline.housekeeping import tidy
from hansei.settings import Settings
from hansei.sources.spool import batch_location
from hansei.warehouse import Warehouse
from hansei.warehouse.runs import Run

NOW = datetime(2026, 9, 15)


def spooled(settings: Settings, warehouse: Warehouse, run_id: str, age_days: int, state: str) -> Path:
    as_of = NOW - timedelta(days=age_days)
    warehouse.insert("ops.runs", [{"run_id": run_id, "as_of": as_of, "kind": "night"}])
    warehouse.insert("ops.source_runs", [{"run_id": run_id, "source": "desk", "state": state, "window_end": as_of}])
    location = Path(batch_location(settings, run_id, "desk"))
    location.mkdir(parents=True)
    (location / "manifest.json").write_text("{}")
    return location


def test_only_batches_that_were_published_a_week_ago_go(
    settings: Settings, catalog: Catalog, warehouse: Warehouse
) -> None:
    old = spooled(settings, warehouse, "old", 8, "published")
    young = spooled(settings, warehouse, "young", 6, "published")
    held = spooled(settings, warehouse, "held", 30, "held")
    failed = spooled(settings, warehouse, "failed", 30, "failed")
    context = Context(settings, catalog, lambda name: None, lambda: NOW)
    assert tidy(context, warehouse, Run("now", "night", NOW, {})) == {"batches": 1, "payloads": 0}
    assert [path.exists() for path in (old, young, held, failed)] == [False, True, True, True]


def test_payloads_go_when_their_time_is_over_and_the_rows_stay_counted(
    settings: Settings, catalog: Catalog, warehouse: Warehouse
) -> None:
    for name, state, days in (("a", "waiting", 0), ("b", "waiting", 1), ("c", "discarded", -5)):
        expires = NOW + timedelta(days=days)
        row = {"quarantine_id": name, "state": state, "payload": "secret", "reasons": "[]", "expires_at": expires}
        warehouse.insert("ops.quarantined_rows", [row])
    context = Context(settings, catalog, lambda name: None, lambda: NOW)
    assert tidy(context, warehouse, Run("now", "night", NOW, {}))["payloads"] == 2
    rows = warehouse.rows("SELECT quarantine_id, state, payload FROM ops.quarantined_rows ORDER BY quarantine_id")
    assert [tuple(row.values()) for row in rows] == [
        ("a", "expired", None),
        ("b", "waiting", "secret"),
        ("c", "discarded", None),
    ]
