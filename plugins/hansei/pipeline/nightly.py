"""The stages of a night. Each is safe to repeat: a run's windows are settled once, and what is published stays so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import fsspec

from hansei import __version__
from hansei.catalog.windows import Window
from hansei.errors import HanseiError, SourceError
from hansei.indicators.consistency import compare_channels
from hansei.indicators.measure import Measurement
from hansei.pipeline.alarm_precision import note_precision
from hansei.pipeline.alarming import raise_alarms
from hansei.pipeline.context import Context
from hansei.pipeline.housekeeping import tidy, tidy_changes
from hansei.pipeline.judging import judge_everything
from hansei.pipeline.notifying import notify
from hansei.pipeline.readiness import Readiness
from hansei.pipeline.scoring import score_everything
from hansei.pipeline.tying_out import tie_out_run
from hansei.pipeline.validation import write_validation_page
from hansei.quality.intake import Intake
from hansei.sources.extraction import extract_batch
from hansei.sources.privacy import key_id
from hansei.sources.spool import read_manifest, safe_name
from hansei.sources.tallies import take_deletions, take_tallies
from hansei.warehouse import kept_open, open_warehouse
from hansei.warehouse.key_lists import due_key_lists
from hansei.warehouse.read_copy import publish_read_copy
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.runs import (
    Run,
    core_as_of,
    find_run,
    hold_identity_key,
    parse_backfill,
    require_run,
    resolve_run,
)
from hansei.warehouse.seeds import FOLLOWED_SEEDS, plant
from hansei.warehouse.tables import evolve


def open_run(
    context: Context,
    run_id: str,
    interval_start: datetime | None = None,
    interval_end: datetime | None = None,
    dag_id: str | None = None,
    conf: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Resolves and stores the window of every source; names of the sources to extract.

    Instants are naive UTC. Repeated for a run that exists, it returns what was settled the first time.
    """
    conf = conf or {}
    if not context.catalog.sources:
        next_step = "set HANSEI_DEFINITIONS to a directory with sources/*.yaml; `hansei new source` writes a first one"
        raise HanseiError("definitions", "no source is defined", next_step)
    with open_warehouse(context.settings) as warehouse:
        evolve(warehouse, context.catalog)
        with warehouse.transaction():
            hold_identity_key(warehouse, key_id(context.settings), run_id)
            run = find_run(warehouse, run_id)
            if run is None:
                backfill = parse_backfill(conf)
                run = resolve_run(
                    warehouse, context.catalog, run_id, (interval_start, interval_end), backfill, context.now()
                )
                _store_run(context, warehouse, run, interval_start, interval_end, conf.get("reason"))
            keys_due = due_key_lists(warehouse, context.catalog, run)
    _write_windows(context, run, keys_due)
    return {"run_id": run_id, "as_of": run.as_of.isoformat(), "sources": sorted(run.windows)}


def _store_run(context: Context, warehouse, run: Run, start: datetime | None, end: datetime | None, reason) -> None:
    everything = context.catalog.everything()
    digest = context.catalog.fingerprint(everything)
    record = {
        "run_id": run.run_id,
        "kind": run.kind,
        "reason": reason,
        "interval_start": start,
        "interval_end": end,
        "as_of": run.as_of,
        "started_at": context.now(),
        "ended_at": None,
        "state": "running",
        "product_version": __version__,
        "definitions_hash": digest,
    }
    warehouse.insert("ops.runs", [record])
    windows = [
        {"run_id": run.run_id, "source": name, "window_start": window.start, "window_end": window.end, "state": "open"}
        for name, window in run.windows.items()
    ]
    warehouse.insert("ops.source_runs", windows)
    known = "SELECT COUNT(*) FROM ops.definitions_in_force WHERE definitions_hash = :digest"
    if not warehouse.scalar(known, {"digest": digest}):
        text = json.dumps(everything, sort_keys=True, ensure_ascii=False)
        in_force = {"definitions_hash": digest, "run_id": run.run_id, "as_of": run.as_of, "definitions": text}
        warehouse.insert("ops.definitions_in_force", [in_force])


def _spool_file(context: Context, run_id: str, name: str) -> tuple[Any, str]:
    system, root = fsspec.core.url_to_fs(f"{context.settings.spool.rstrip('/')}/{safe_name(run_id)}")
    system.makedirs(root, exist_ok=True)
    return system, f"{root}/{name}"


def _write_windows(context: Context, run: Run, keys_due: dict[str, list[str]]) -> None:
    """What extraction needs to know lies beside the spool, so that it never has to open the warehouse."""
    windows = {
        name: [window.start.isoformat() if window.start else None, window.end.isoformat()]
        for name, window in run.windows.items()
    }
    try:
        system, path = _spool_file(context, run.run_id, "run.json")
        with system.open(path, "wb") as file:
            asked = {"as_of": run.as_of.isoformat(), "windows": windows, "keys_due": keys_due}
            file.write(json.dumps(asked).encode())
    except OSError as error:
        found = f"cannot be written ({error.strerror or type(error).__name__})"
        next_step = "make room or correct HANSEI_SPOOL, and repeat the run"
        raise HanseiError(f"spool {context.settings.spool}", found, next_step) from None


def _asked(context: Context, run_id: str, source: str) -> tuple[Window, list[str]]:
    """The source's window in the run, and the entities whose key list is due."""
    system, path = _spool_file(context, run_id, "run.json")
    try:
        with system.open(path, "rb") as file:
            run = json.loads(file.read())
        start, end = run["windows"][source]
    except (FileNotFoundError, KeyError):
        raise SourceError(f"run {run_id}", f"has no window for source {source!r}", "run open_run again") from None
    window = Window(datetime.fromisoformat(start) if start else None, datetime.fromisoformat(end))
    return window, run.get("keys_due", {}).get(source, [])


def extract(
    context: Context, run_id: str, source: str, progress: Callable[[str, int], None] | None = None
) -> dict[str, Any]:
    """Spools the source's window; rows received. A failure is left beside the spool for the brief to name."""
    window, keys_due = _asked(context, run_id, source)
    system, note = _spool_file(context, run_id, f"{source}.failed")
    try:
        definition = context.catalog.sources[source]
        means = (definition, context.catalog, context.settings, context.resolver)
        manifest = extract_batch(
            *means,
            run_id,
            window,
            progress=progress,
            tallies=lambda: [*take_deletions(*means, window), *take_tallies(*means, window, keys_due)],
        )
    except HanseiError as error:
        # On a full disk there is no room for the note either; the error itself must still arrive.
        with suppress(OSError), system.open(note, "wb") as file:
            file.write(str(error).encode())
        raise
    if system.exists(note):
        system.rm_file(note)
    return {"batch_id": f"{run_id}/{source}", "received": manifest.received}


def publish(context: Context, run_id: str, source: str) -> dict[str, Any]:
    """Validates the spooled batch and merges it; counts of rows per entity and fate."""
    manifest = read_manifest(context.settings, run_id, source)
    if manifest is None:
        raise SourceError(f"source {source} in run {run_id}", "there is no finished batch", "run its extraction again")
    with open_warehouse(context.settings) as warehouse:
        run = require_run(warehouse, run_id)
        definition = context.catalog.sources[source]
        intake = Intake(warehouse, context.catalog, context.settings, run, definition, manifest)
        counts = intake.publish()
    return {entity: vars(count) for entity, count in counts.items()}


def model(context: Context, run_id: str) -> list[dict[str, Any]]:
    """Brings the core tables up to date with what was published; what happened to each."""
    with open_warehouse(context.settings) as warehouse:
        require_run(warehouse, run_id)
        plant(warehouse, context.catalog, run_id)
        refreshed = refresh_models(warehouse, context.catalog, "core", run_id)
    return [vars(refresh) for refresh in refreshed]


def measure(context: Context, run_id: str) -> dict[str, Any]:
    """Recomputes the indicators of the periods that changed; how many values were written and restated."""
    with open_warehouse(context.settings) as warehouse:
        require_run(warehouse, run_id)
        measured = Measurement(warehouse, context.catalog, run_id, core_as_of(warehouse)).run()
        refresh_models(warehouse, context.catalog, "indicators", run_id)
        compare_channels(warehouse, context.catalog, run_id)
    return vars(measured)


def judge(context: Context, run_id: str) -> dict[str, Any]:
    """Holds finished periods against thresholds, scorecards and risks, and moves alarms; counts of what was said."""
    with open_warehouse(context.settings) as warehouse:
        run = require_run(warehouse, run_id)
        readiness = Readiness(warehouse, context.catalog)
        verdicts = judge_everything(warehouse, context.catalog, run, readiness)
        score_everything(warehouse, context.catalog, run, readiness)
        alarms = raise_alarms(context, warehouse)
        note_precision(context, warehouse, run)
    return {**verdicts, "alarms": alarms}


def share(context: Context, run_id: str) -> dict[str, Any]:
    """Closes the night's books, then publishes what others read: the read copy and the validation page."""
    with open_warehouse(context.settings) as warehouse:
        run = require_run(warehouse, run_id)
        with warehouse.transaction():
            _note_failures(context, warehouse, run)
            tie_out_run(context, warehouse, run)
            mirror_board(context, warehouse)
            tidied = tidy(context, warehouse, run)
        tidied["changes"] = tidy_changes(context, warehouse, run)
        page = write_validation_page(context, warehouse, run)
        copy = publish_copy(context, warehouse)
    return {"read_copy": str(copy) if copy else None, "validation_page": page, "tidied": tidied}


def publish_copy(context: Context, warehouse, is_fresh: bool = False) -> Path | None:
    """The read copy, which follows the models that log their changes; a fresh one takes nothing from earlier ones."""
    models = context.catalog.tables.values()
    followed = {model.table: model.refresh_key for model in models if model.refresh == "keys"}
    return publish_read_copy(warehouse, context.settings, {**followed, **FOLLOWED_SEEDS}, is_fresh)


def _note_failures(context: Context, warehouse, run: Run) -> None:
    query = "SELECT source FROM ops.source_runs WHERE run_id = :run_id AND state NOT IN ('published', 'held')"
    for row in warehouse.rows(query, {"run_id": run.run_id}):
        system, note = _spool_file(context, run.run_id, f"{row['source']}.failed")
        message = system.cat_file(note).decode() if system.exists(note) else "not published; see the task's log"
        warehouse.execute(
            "UPDATE ops.source_runs SET state = 'failed', message = :message "
            "WHERE run_id = :run_id AND source = :source",
            {"message": message, "run_id": run.run_id, "source": row["source"]},
        )
    failed = warehouse.scalar(
        "SELECT COUNT(*) FROM ops.source_runs WHERE run_id = :run_id AND state = 'failed'", {"run_id": run.run_id}
    )
    warehouse.execute(
        "UPDATE ops.runs SET state = :state, ended_at = :now WHERE run_id = :run_id",
        {"state": "failed" if failed else "done", "now": context.now(), "run_id": run.run_id},
    )


def mirror_board(context: Context, warehouse) -> None:
    """Copies the board store's metadata into the warehouse for analysts; beside PostgreSQL it is there already."""
    if not context.settings.is_embedded:
        return
    from hansei import board

    with board.opened_board(context.settings) as engine:
        for table, rows in board.mirror_rows(engine).items():
            warehouse.execute(f"DROP TABLE IF EXISTS board.{table}")
            if rows:
                # AT is a word of the SQL language on some engines.
                rows = [{("happened_at" if name == "at" else name): row[name] for name in row} for row in rows]
                names = list(rows[0])
                columns = ", ".join(f"{name} VARCHAR" for name in names)
                warehouse.execute(f"CREATE TABLE board.{table} ({columns})")
                text = [{name: None if row[name] is None else str(row[name]) for name in names} for row in rows]
                warehouse.insert(f"board.{table}", text)


def close_run(context: Context, run_id: str) -> dict[str, Any]:
    """Ends the run red where a source failed or was held, after everything else was brought up to date."""
    with open_warehouse(context.settings) as warehouse:
        query = (
            "SELECT source, state, message FROM ops.source_runs "
            "WHERE run_id = :run_id AND state <> 'published' ORDER BY source"
        )
        troubled = warehouse.rows(query, {"run_id": run_id})
    if troubled:
        named = "; ".join(f"{row['source']} {row['state']} ({row['message']})" for row in troubled)
        raise SourceError(f"run {run_id}", named, "mend the source and clear its tasks; the next night heals the rest")
    return {"run_id": run_id, "state": "done"}


def run_night(
    context: Context,
    run_id: str,
    interval: tuple[datetime | None, datetime | None] = (None, None),
    conf: dict[str, Any] | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """All stages of one night in one process, as the DAG orders them; a failed source stops no other."""
    opened = open_run(context, run_id, *interval, conf=conf)
    received: dict[str, int] = {}
    for source in opened["sources"]:  # nobody holds the warehouse while sources are asked
        with _telling_failure(source, tell):
            received[source] = extract(context, run_id, source)["received"]
    with kept_open(context.settings):
        for source, count in received.items():
            with _telling_failure(source, tell):
                counts = publish(context, run_id, source)
                accepted = sum(fates["accepted"] for fates in counts.values())
                tell(f"{source}: {count} rows received, {accepted} accepted")
        for stage in (model, measure, judge, share):
            stage(context, run_id)
            tell(f"{stage.__name__}: done")
    try:
        notify(context, run_id, tell=tell)
    finally:
        closed = close_run(context, run_id)
    return closed


@contextmanager
def _telling_failure(source: str, tell: Callable[[str], None]) -> Iterator[None]:
    try:
        yield
    except HanseiError as error:
        tell(f"{source}: failed: {error}")
