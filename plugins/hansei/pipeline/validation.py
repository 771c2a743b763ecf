"""Fills the validation page from what the night wrote about itself."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from hansei import __version__
from hansei.indicators.periods import local_date
from hansei.pipeline.context import Context
from hansei.pipeline.tie_out_totals import tie_outs_of
from hansei.reviews.foundations import TieOut
from hansei.reviews.places import place_of, write_atomically
from hansei.reviews.rendering import render_validation
from hansei.reviews.validation_page import Check, EntityValidation, Night, SourceValidation, ValidationPage
from hansei.warehouse import Warehouse
from hansei.warehouse.runs import Run

NIGHTS_SHOWN = 14
_STATES = {"published": "done", "failed": "failed", "held": "held"}
_FATES = ("received", "accepted", "quarantined", "duplicate", "held", "conflict")


def write_validation_page(context: Context, warehouse: Warehouse, run: Run) -> str:
    """Renders the page of one run into the archive; its path."""
    page = gather_validation(context, warehouse, run)
    target = place_of(context.settings.archive) / "validation" / f"{run.as_of:%Y-%m-%d}.html"
    write_atomically(target, render_validation(page))
    return str(target)


def gather_validation(context: Context, warehouse: Warehouse, run: Run) -> ValidationPage:
    """What came in, what became of it and what every check found, per source and entity of the run."""
    identity = {"run_id": run.run_id}
    checks: dict[tuple[str, str], list[Check]] = defaultdict(list)
    query = "SELECT * FROM ops.check_results WHERE run_id = :run_id ORDER BY source, entity, check_id"
    for row in warehouse.rows(query, identity):
        if row["source"]:
            checks[row["source"], row["entity"]].append(_check(row))
    batches = {
        (row["source"], row["entity"]): row
        for row in warehouse.rows("SELECT * FROM ops.batches WHERE run_id = :run_id", identity)
    }
    nights = _nights(context, warehouse)
    tied = {(item.source, item.entity): item for item in tie_outs_of(warehouse, run.run_id)}
    sources = []
    query = "SELECT * FROM ops.source_runs WHERE run_id = :run_id ORDER BY source"
    for row in warehouse.rows(query, identity):
        entities = [
            _entity(
                name, row, batches[source, name], checks[source, name], nights[source, name], tied.get((source, name))
            )
            for source, name in sorted(batches)
            if source == row["source"]
        ]
        state = _STATES.get(row["state"], "not_run")
        reach = row["complete_until"]
        sources.append(
            SourceValidation(
                source=row["source"],
                state=state,
                message=row["message"] or "",
                complete_until=reach,
                entities=tuple(entities),
            )
        )
    return ValidationPage(
        service_name=context.catalog.service.name,
        reporting_zone=context.catalog.service.reporting_zone,
        run_id=run.run_id,
        as_of=run.as_of,
        product_version=__version__,
        sources=tuple(sources),
    )


def _check(row: dict[str, Any]) -> Check:
    level = row["scope"] if row["scope"] in ("row", "batch", "reference") else "batch"
    return Check(
        name=row["check_id"],
        level=level,
        severity=row["severity"],
        checked=row["checked_count"],
        failed=row["failed_count"],
        result=row["result"],
        message=row["message"] or "",
    )


def _entity(
    name: str,
    source_run: dict[str, Any],
    batch: dict[str, Any],
    checks: list[Check],
    nights: list[Night],
    tie_out: TieOut | None,
) -> EntityValidation:
    fates = {fate: batch[f"{fate}_count"] for fate in _FATES}
    window = {"window_start": source_run["window_start"], "window_end": source_run["window_end"]}
    told = {"checks": tuple(checks), "nights": tuple(nights[-NIGHTS_SHOWN:]), "tie_out": tie_out}
    return EntityValidation(entity=name, **told, **window, **fates)


def _nights(context: Context, warehouse: Warehouse) -> dict[tuple[str, str], list[Night]]:
    zone = context.catalog.service.zone
    found: dict[tuple[str, str], dict[date, Night]] = defaultdict(dict)
    for row in warehouse.rows("SELECT * FROM ops.batches ORDER BY as_of, run_id"):
        result = "warned" if row["held_count"] else "failed" if row["quarantined_count"] else "passed"
        day = local_date(row["as_of"], zone)
        counts = {"received": row["received_count"], "quarantined": row["quarantined_count"]}
        found[row["source"], row["entity"]][day] = Night(date=day, result=result, **counts)
    return defaultdict(list, {key: list(nights.values()) for key, nights in found.items()})
