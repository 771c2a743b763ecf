"""Why history moved: which definitions changed between the last night and this one."""

from __future__ import annotations

import json
from typing import Any

from hansei.catalog import Catalog
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.seeds import CALENDARS

_CALENDAR_KEYS = ("calendar", "calendar_assignments", "calendar_change")
# What cannot move a number: who is told, what is judged, and where rows come from.
_HARMLESS = {"thresholds", "rebases", "reviews", "sources", "indicators", "privacy", "playbooks", "topics"}


def rebuild_cause(warehouse: Warehouse, catalog: Catalog, run_id: str) -> str:
    """`calendar`, `sla` or `definition`: why tables were rebuilt in the run (restatements say it as their reason).

    Calendars of a source change without any file: then their seed was planted in this run.
    """
    runs = warehouse.rows("SELECT run_id, definitions_hash FROM ops.runs ORDER BY started_at DESC, run_id DESC")
    hashes = {row["run_id"]: row["definitions_hash"] for row in runs}
    earlier = [digest for name, digest in hashes.items() if name != run_id]
    stored = warehouse.rows("SELECT definitions_hash, definitions FROM ops.definitions_in_force")
    texts = {row["definitions_hash"]: row["definitions"] for row in stored}
    changed: set[str] = set()
    if earlier and hashes.get(run_id) in texts and earlier[0] in texts:
        changed = _changed(json.loads(texts[earlier[0]]), json.loads(texts[hashes[run_id]]))
    planted = "SELECT run_id FROM ops.model_states WHERE model = :model"
    if not changed and warehouse.scalar(planted, {"model": CALENDARS}) == run_id:
        changed = {"calendar"}
    return changed.pop() if changed in ({"calendar"}, {"sla"}) else "definition"


def _changed(before: dict[str, Any], now: dict[str, Any]) -> set[str]:
    """Kinds of definitions that differ and can move a number; those of calendars under one word."""
    kinds = {kind for kind in before.keys() | now.keys() if before.get(kind) != now.get(kind)} - _HARMLESS
    found = {"calendar" if kind == "calendars" else kind for kind in kinds - {"service"}}
    if "service" in kinds:
        services = [next(iter(side.get("service", {}).values()), {}) for side in (before, now)]
        keys = {key for key in services[0].keys() | services[1].keys() if services[0].get(key) != services[1].get(key)}
        found |= {"calendar" if key in _CALENDAR_KEYS else "service" for key in keys}
    return found
