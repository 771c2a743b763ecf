"""Runs, their windows and watermarks: what a night asked each source for, and how far each source is complete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hansei.catalog import Catalog
from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.errors import HanseiError, WarehouseError
from hansei.warehouse.engine import Warehouse


@dataclass(frozen=True)
class Run:
    """One run with the window of each source; `as_of` is the instant that its core tables stand for."""

    run_id: str
    kind: str
    as_of: datetime
    windows: dict[str, Window]


def find_run(warehouse: Warehouse, run_id: str) -> Run | None:
    """The run as it was opened; retries and cleared tasks reuse it."""
    rows = warehouse.rows("SELECT kind, as_of FROM ops.runs WHERE run_id = :run_id", {"run_id": run_id})
    if not rows:
        return None
    query = "SELECT source, window_start, window_end FROM ops.source_runs WHERE run_id = :run_id ORDER BY source"
    windows = {
        row["source"]: Window(row["window_start"], row["window_end"])
        for row in warehouse.rows(query, {"run_id": run_id})
    }
    return Run(run_id, rows[0]["kind"], rows[0]["as_of"], windows)


def require_run(warehouse: Warehouse, run_id: str) -> Run:
    run = find_run(warehouse, run_id)
    if run is None:
        raise WarehouseError(f"run {run_id}", "was never opened", "run its first task, open_run, again")
    return run


def core_as_of(warehouse: Warehouse) -> datetime:
    """The instant that core stands for: that of the newest run. Re-running an old night never takes it back."""
    return warehouse.scalar("SELECT MAX(as_of) FROM ops.runs")


def resolve_run(
    warehouse: Warehouse,
    catalog: Catalog,
    run_id: str,
    interval: tuple[datetime | None, datetime | None],
    backfill: Window | None,
    now: datetime,
) -> Run:
    """The windows of a new run. A back-fill names its own; a night starts where each source's gap-free data ends."""
    newest = warehouse.scalar("SELECT MAX(as_of) FROM ops.runs")
    if backfill is not None:
        windows = dict.fromkeys(sorted(catalog.sources), backfill)
        return Run(run_id, "backfill", max(filter(None, (newest, backfill.end))), windows)
    marks = {row["source"]: row["complete_until"] for row in warehouse.rows("SELECT * FROM ops.watermarks")}
    windows = {
        name: _night_window(source, marks.get(name), interval, now) for name, source in sorted(catalog.sources.items())
    }
    ends = [window.end for window in windows.values()]
    as_of = interval[1] or max(ends, default=now)
    return Run(run_id, "night", max(filter(None, (newest, as_of))), windows)


def _night_window(
    source: Source, complete_until: datetime | None, interval: tuple[datetime | None, datetime | None], now: datetime
) -> Window:
    start, end = interval
    end = end or now - source.safety_lag
    if complete_until is None:
        return Window(datetime.fromisoformat(source.starts_at) if source.starts_at else None, end)
    earliest = min(start, complete_until) if start else complete_until
    return Window(earliest - source.look_back, max(end, earliest))


def parse_backfill(conf: dict) -> Window | None:
    """The window that a run's configuration names, None where it names none."""
    names = ("window_start", "window_end")
    if not any(conf.get(name) for name in names):
        return None
    instants = []
    for name in names:
        try:
            instants.append(datetime.fromisoformat(str(conf.get(name))).replace(tzinfo=None))
        except ValueError:
            next_step = "give both window_start and window_end as ISO times in UTC"
            raise HanseiError(f"run configuration: {name}", f"{conf.get(name)!r}", next_step) from None
    if instants[0] >= instants[1]:
        raise HanseiError("run configuration", "window_start is not before window_end", "swap them")
    return Window(*instants)


def move_watermark(warehouse: Warehouse, source: str, complete_until: datetime | None, run_id: str) -> None:
    """Moves a source's watermark forward; a back-fill or an older batch never moves it back."""
    if complete_until is None:
        return
    known = warehouse.scalar("SELECT complete_until FROM ops.watermarks WHERE source = :source", {"source": source})
    if known is not None and known >= complete_until:
        return
    warehouse.execute("DELETE FROM ops.watermarks WHERE source = :source", {"source": source})
    warehouse.insert("ops.watermarks", [{"source": source, "complete_until": complete_until, "run_id": run_id}])


def hold_identity_key(warehouse: Warehouse, key_id: str, run_id: str) -> None:
    """Pseudonyms made with another key would match nothing that is stored: such a run stops before it starts."""
    known = [row["key_id"] for row in warehouse.rows("SELECT key_id FROM ops.identity_keys")]
    if not known:
        warehouse.insert("ops.identity_keys", [{"key_id": key_id, "first_run_id": run_id}])
    elif known != [key_id]:
        found = f"its id is {key_id}, the warehouse's pseudonyms were made with {', '.join(known)}"
        raise HanseiError("HANSEI_IDENTITY_KEY", found, "set the earlier key, or rotate as docs/runbooks says")
