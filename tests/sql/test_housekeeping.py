"""What a night clears away, and what it must leave."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from hansei.catalog import Catalog
from hansei.pipeline.context import Context
from hansei.pipeline.housekeeping import tidy
from hansei.settings import Settings
from hansei.sources.spool import batch_location, pages_location
from hansei.warehouse import Warehouse
from hansei.warehouse.changes import prune_changes
from hansei.warehouse.publication import record_changes
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.runs import Run
from hansei.warehouse.seeds import plant

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
    assert tidy(context, warehouse, Run("now", "night", NOW, {})) == {"batches": 1, "pages": 0, "payloads": 0}
    assert [path.exists() for path in (old, young, held, failed)] == [False, True, True, True]


def half_read(
    settings: Settings,
    warehouse: Warehouse,
    run_id: str,
    age_days: int,
    state: str | None,
    written_days_ago: int,
    begun: datetime | None = None,
) -> Path:
    """Pages of a run (that no night knows where `state` is None), last written to so many days ago."""
    if state is not None:
        as_of = NOW - timedelta(days=age_days)
        row = {"run_id": run_id, "as_of": as_of, "kind": "night", "state": state, "started_at": begun or as_of}
        warehouse.insert("ops.runs", [row])
    location = Path(pages_location(settings, run_id, "desk"))
    location.mkdir(parents=True)
    for name, days in (("key", written_days_ago + 5), ("tickets-00000.fernet", written_days_ago)):
        (location / name).write_bytes(b"sealed")
        at = time.time() - days * 86_400
        os.utime(location / name, (at, at))
    return location


def test_pages_that_nobody_goes_on_with_go_after_the_days_of_the_spool(
    settings: Settings, catalog: Catalog, warehouse: Warehouse
) -> None:
    means = (settings, warehouse)
    pages = {
        "failed": half_read(*means, "scheduled__2026-09-01T02:00:00+00:00", 14, "failed", 14),
        "killed": half_read(*means, "killed", 9, "running", 9),
        "failed, but tried again yesterday": half_read(*means, "tried", 12, "failed", 1),
        "failed of late": half_read(*means, "of late", 3, "failed", 14),
        "by hand": half_read(*means, "extract-20260901", 0, None, 8),
        "by hand of late": half_read(*means, "extract-20260910", 0, None, 6),
        "open": half_read(*means, "open", 8, "running", 8, begun=NOW),
    }
    context = Context(settings, catalog, lambda name: None, lambda: NOW)
    assert tidy(context, warehouse, Run("now", "night", NOW, {}))["pages"] == 3
    left = {name for name, path in pages.items() if path.exists()}
    assert left == {"failed, but tried again yesterday", "failed of late", "by hand of late", "open"}
    begun = NOW + timedelta(days=1)
    later = {"run_id": "later", "as_of": begun, "kind": "night", "state": "running", "started_at": begun}
    warehouse.insert("ops.runs", [later])
    assert tidy(context, warehouse, Run("later", "night", NOW, {}))["pages"] == 1, "its process must be gone"
    assert not pages["open"].exists()


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


def log(warehouse: Warehouse, run_id: str, age_days: int, table: str = "staging.tickets") -> int:
    """Appends one change of a run of that age; its number."""
    if not warehouse.scalar("SELECT COUNT(*) FROM ops.runs WHERE run_id = :run_id", {"run_id": run_id}):
        warehouse.insert("ops.runs", [{"run_id": run_id, "as_of": NOW - timedelta(days=age_days), "kind": "night"}])
    record_changes(warehouse, table, run_id, f"SELECT '{run_id}' AS key, 'upsert' AS operation")
    return warehouse.scalar("SELECT MAX(change_id) FROM ops.changes")


def logged(warehouse: Warehouse) -> set[str]:
    query = "SELECT DISTINCT run_id FROM ops.changes WHERE table_name LIKE 'staging.%'"
    return {row["run_id"] for row in warehouse.rows(query)}


def refresh(warehouse: Warehouse, catalog: Catalog, run_id: str) -> dict[str, str]:
    """Two refreshes: models that come early consume in the second what later ones announced in the first."""
    plant(warehouse, catalog, run_id)
    reasons = {}
    for _ in range(2):
        for done in refresh_models(warehouse, catalog, "core", run_id):
            reasons.setdefault(done.table, done.reason)
    return reasons


DUE = NOW - timedelta(days=7)


def test_changes_go_when_they_are_old_and_every_model_has_consumed_them(warehouse: Warehouse, catalog: Catalog) -> None:
    for run_id, days in (("oldest", 9), ("old", 8)):
        log(warehouse, run_id, days)
        assert prune_changes(warehouse, catalog, NOW - timedelta(days=30), "now", None) == 0
    refresh(warehouse, catalog, "old")
    waiting = log(warehouse, "waiting", 8)
    log(warehouse, "young", 6)
    prune_changes(warehouse, catalog, DUE, "now", None)
    assert logged(warehouse) == {"waiting", "young"}, "a model has not seen them yet"
    assert refresh(warehouse, catalog, "young")["core.tickets"] == "changes"
    last = log(warehouse, "young", 6, "staging.customers")
    assert prune_changes(warehouse, catalog, DUE, "now", None) == 1
    assert logged(warehouse) == {"young"}
    assert warehouse.scalar("SELECT position FROM ops.model_states WHERE model = 'ops.changes'") == waiting
    assert log(warehouse, "next", 0) == last + 1


def test_changes_stay_until_both_generations_of_the_read_copy_hold_them(warehouse: Warehouse, catalog: Catalog) -> None:
    first, second = log(warehouse, "first", 9), log(warehouse, "second", 8)
    refresh(warehouse, catalog, "second")
    log(warehouse, "young", 1, "staging.customers")
    refresh(warehouse, catalog, "young")
    assert prune_changes(warehouse, catalog, DUE, "now", first - 1) == 0
    prune_changes(warehouse, catalog, DUE, "now", first)
    assert logged(warehouse) == {"second", "young"}
    prune_changes(warehouse, catalog, DUE, "now", second)
    assert logged(warehouse) == {"young"}


def test_the_newest_change_stays_however_old_and_its_number_is_not_used_again(
    warehouse: Warehouse, catalog: Catalog
) -> None:
    log(warehouse, "first", 30)
    newest = log(warehouse, "second", 20)
    assert prune_changes(warehouse, catalog, DUE, "now", None) == 1
    assert log(warehouse, "third", 0) == newest + 1


def test_a_model_that_was_away_while_the_log_was_cleared_is_built_anew(warehouse: Warehouse, catalog: Catalog) -> None:
    log(warehouse, "first", 30)
    refresh(warehouse, catalog, "first")
    tables = {name: model for name, model in catalog.tables.items() if name != "core.backlog_intervals"}
    log(warehouse, "second", 20)
    prune_changes(warehouse, replace(catalog, tables=tables), DUE, "now", None)
    assert refresh(warehouse, catalog, "second")["core.backlog_intervals"] == "created"
