"""How far each source has come and how its last night went: the weekly run waits for it, `sources status` prints it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from hansei.pipeline.context import Context
from hansei.reviews.evidence import SourceReadiness
from hansei.warehouse import Warehouse

FATES = ("received", "accepted", "quarantined", "duplicate", "held", "deleted")


@dataclass(frozen=True)
class SourceState:
    """One source as of now; instants are naive UTC.

    freshness: fresh, warn or late against the limits of its definition, `never` where nothing has arrived.
    run_state: of its last run: published, held, failed, open; `never` where none was. counts: rows of that run by fate.
    key_lists: entity -> when its list of keys was last applied. unexplained: rows per entity in the last tie-out.
    requests: what the newest batch over HTTP took; quota_left: what the interface said then to be left of its quota.
    """

    source: str
    complete_until: datetime | None
    lag: timedelta | None
    freshness: str
    run_id: str | None
    run_state: str
    message: str
    counts: dict[str, int]
    key_lists: dict[str, datetime]
    unexplained: dict[str, int]
    requests: int | None = None
    quota_left: int | None = None
    quota_seen_at: datetime | None = None


def source_states(context: Context, warehouse: Warehouse) -> list[SourceState]:
    """Every source of the catalog, by id."""
    marks = {row["source"]: row["complete_until"] for row in warehouse.rows("SELECT * FROM ops.watermarks")}
    last = _last_runs(warehouse)
    counts = {key: _counts(warehouse, key) for key in {(name, row["run_id"]) for name, row in last.items()}}
    lists = _key_lists(warehouse)
    gaps = _unexplained(warehouse)
    costs = _costs(warehouse)
    found = []
    for name, source in sorted(context.catalog.sources.items()):
        reach, run = marks.get(name), last.get(name, {"run_id": None, "state": "never", "message": None})
        lag = None if reach is None else context.now() - reach
        freshness = "never" if lag is None else "late" if lag > source.freshness.late_after else "fresh"
        if freshness == "fresh" and lag > source.freshness.warn_after:
            freshness = "warn"
        state = SourceState(
            source=name,
            complete_until=reach,
            lag=lag,
            freshness=freshness,
            run_id=run["run_id"],
            run_state=run["state"],
            message=run["message"] or "",
            counts=counts.get((name, run["run_id"]), {}),
            key_lists=lists.get(name, {}),
            unexplained=gaps.get(name, {}),
            **costs.get(name, {}),
        )
        found.append(state)
    return found


def source_readiness(context: Context, warehouse: Warehouse, following: date) -> list[SourceReadiness]:
    """How far each source reaches, against the end of the period."""
    needed = context.catalog.service.midnight(following)
    found = []
    for source in source_states(context, warehouse):
        reach = source.complete_until
        if reach is not None and reach >= needed:
            state, message = "ready", ""
        else:
            state = "never" if reach is None else "late"
            state = "failed" if source.run_state == "failed" else state
            message = source.message
        told = {"source": source.source, "state": state, "message": message}
        found.append(SourceReadiness(complete_until=reach, needed_until=needed, **told))
    return found


def _last_runs(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    query = (
        "SELECT source_runs.source, source_runs.run_id, source_runs.state, source_runs.message "
        "FROM ops.source_runs AS source_runs "
        "INNER JOIN ops.runs AS runs ON runs.run_id = source_runs.run_id ORDER BY runs.as_of, runs.started_at"
    )
    return {row["source"]: row for row in warehouse.rows(query)}


def _counts(warehouse: Warehouse, key: tuple[str, str]) -> dict[str, int]:
    sums = ", ".join(f"CAST(COALESCE(SUM({fate}_count), 0) AS BIGINT) AS {fate}" for fate in FATES)
    query = f"SELECT {sums} FROM ops.batches WHERE source = :source AND run_id = :run_id"
    return warehouse.rows(query, {"source": key[0], "run_id": key[1]})[0]


def _key_lists(warehouse: Warehouse) -> dict[str, dict[str, datetime]]:
    query = (
        "SELECT source, entity, MAX(as_of) AS as_of FROM ops.key_reconciliations "
        "WHERE state = 'applied' GROUP BY source, entity ORDER BY source, entity"
    )
    return _by_entity(warehouse.rows(query), "as_of")


def _unexplained(warehouse: Warehouse) -> dict[str, dict[str, int]]:
    query = (
        "SELECT source, entity, CAST(SUM(ABS(unexplained_count)) AS BIGINT) AS number FROM ops.reconciliations AS told "
        "WHERE as_of = (SELECT MAX(as_of) FROM ops.reconciliations AS newest "
        "WHERE newest.source = told.source AND newest.entity = told.entity) GROUP BY source, entity"
    )
    return _by_entity(warehouse.rows(query), "number")


def _costs(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    """What each source's newest batch over HTTP cost."""
    query = (
        "SELECT source, request_count AS requests, quota_left_count AS quota_left, quota_seen_at "
        "FROM ops.source_runs WHERE request_count IS NOT NULL ORDER BY published_at, window_end"
    )
    return {row["source"]: {key: row[key] for key in row if key != "source"} for row in warehouse.rows(query)}


def _by_entity(rows: list[dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    """A column of the rows, by source and entity."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row["source"], {})[row["entity"]] = row[name]
    return found
