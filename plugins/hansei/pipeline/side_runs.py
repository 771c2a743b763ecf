"""Runs that no night opened: a replay of quarantined rows, an erasure, a rotation of the key, housekeeping."""

from __future__ import annotations

from hansei import __version__
from hansei.pipeline.context import Context
from hansei.warehouse import Warehouse


def open_side_run(context: Context, warehouse: Warehouse, kind: str, reason: str) -> str:
    """Id of a new run that stands for what the newest night stood for."""
    earlier = warehouse.scalar("SELECT COUNT(*) FROM ops.runs WHERE kind = :kind", {"kind": kind})
    run_id = f"{kind}-{earlier + 1}-{context.now():%Y-%m-%dT%H:%M:%S}"
    as_of = warehouse.scalar("SELECT MAX(as_of) FROM ops.runs")
    digest = context.catalog.fingerprint(context.catalog.everything())
    record = {"run_id": run_id, "kind": kind, "reason": reason, "as_of": as_of, "state": "running"}
    marks = {"started_at": context.now(), "product_version": __version__, "definitions_hash": digest}
    warehouse.insert("ops.runs", [{**record, **marks}])
    return run_id
