"""`hansei check`, `hansei plan`, `hansei keys`: before anything runs."""

from __future__ import annotations

import base64
import dataclasses
import json
import secrets
import time
from pathlib import Path
from typing import Annotated

import typer

from hansei.catalog.documents import Fault
from hansei.catalog.loader import examine
from hansei.cli.output import Json, show
from hansei.errors import HanseiError
from hansei.settings import Settings, load_settings


def register(app: typer.Typer) -> None:
    app.command()(check)
    app.command()(plan)
    app.command()(keys)


def check(
    directories: Annotated[
        list[Path] | None, typer.Argument(help="Overlays, each checked by itself [default: HANSEI_DEFINITIONS]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Validate every definition and report all faults at once."""
    settings = load_settings()
    overlays = [settings.overlays]
    for directory in directories or []:
        if not directory.is_dir():
            raise HanseiError(
                f"directory {directory}", "does not exist", "name a folder with sources/, indicators/ ..."
            )
    if directories:
        overlays = [(directory.absolute(),) for directory in directories]
    checked = [_checked(dataclasses.replace(settings, overlays=overlay), as_json) for overlay in overlays]
    faults = [fault for found in checked for fault in found]
    if as_json:
        listed = [
            {"file": str(f.file), "line": f.line, "key": f.key, "found": f.found, "next_step": f.next_step}
            for f in faults
        ]
        typer.echo(json.dumps(listed, ensure_ascii=False, indent=1))
    if faults:
        raise typer.Exit(1)


def _checked(settings: Settings, is_silent: bool) -> tuple[Fault, ...]:
    """The faults of one set of definitions, told unless the caller tells them."""
    started = time.monotonic()
    catalog, faults = examine(settings)
    if not is_silent:
        for fault in faults:
            typer.echo(str(fault))
        counts = ", ".join(f"{len(getattr(catalog, kind))} {kind}" for kind in _COUNTED)
        verdict = f"{len(faults)} faults" if faults else "no fault"
        where = f"{settings.overlays[-1].name}: " if settings.overlays else ""
        typer.echo(f"{where}{verdict} in {counts} ({time.monotonic() - started:.1f} s)")
    return tuple(faults)


def plan(as_json: Json = False) -> None:
    """Show what the next night will rebuild, and why, without doing it."""
    from hansei.catalog import load_catalog
    from hansei.indicators.values import fingerprint
    from hansei.warehouse import open_warehouse
    from hansei.warehouse.refresh import runner_for
    from hansei.warehouse.tables import planned_evolution

    settings = load_settings()
    catalog = load_catalog(settings)
    with open_warehouse(settings) as warehouse:
        rows = [
            {"what": name, "next night": "create" if "." not in name.split(".", 1)[1] else "add the column"}
            for name in planned_evolution(warehouse, catalog)
        ]
        has_states = "ops.model_states" in warehouse.tables()
        if has_states:
            runner = runner_for(warehouse, catalog)
            for schema in ("core", "indicators"):
                for step in runner.plan(warehouse, schema):
                    rows.append({"what": step.table, "next night": _WORDS[step.reason]})
            known = {
                row["model"]: row["fingerprint"]
                for row in warehouse.rows(
                    "SELECT model, fingerprint FROM ops.model_states WHERE model LIKE 'indicator:%'"
                )
            }
            for indicator in catalog.indicators.values():
                stored = known.get(f"indicator:{indicator.id}")
                if stored != fingerprint(catalog, indicator):
                    word = "compute for the first time" if stored is None else _WORDS["definition"]
                    rows.append({"what": f"indicator {indicator.id}", "next night": word})
    shown = [row for row in rows if row["next night"] != _WORDS["nothing"]]
    show(shown, as_json, "nothing to rebuild: the next night follows what changes")


_COUNTED = (
    "entities",
    "sources",
    "indicators",
    "thresholds",
    "reviews",
    "calendars",
    "sla",
    "scorecards",
    "risks",
    "recipients",
    "tables",
)
_WORDS = {
    "nothing": "nothing",
    "changes": "recompute what changed",
    "created": "create",
    "definition": "rebuild: its definition, SQL or upstream changed",
}


def keys() -> None:
    """Print fresh secrets as environment lines; keep them safe, a lost identity key cannot be recovered."""
    typer.echo(f"HANSEI_IDENTITY_KEY={secrets.token_urlsafe(48)}")
    typer.echo(f"HANSEI_QUARANTINE_KEY={base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}")
