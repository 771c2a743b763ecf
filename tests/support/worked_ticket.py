"""The worked example of docs/time.md, taken from the page itself: its definitions, events and printed answer."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from hansei.catalog import Catalog
from hansei.settings import Settings
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

PAGE = Path(__file__).resolve().parents[2] / "docs" / "time.md"
TICKET = "desk:4711"
AS_OF = datetime(2026, 4, 14)
PLAIN = {"source": "desk", "source_version": "1", "content_hash": "0"}


def blocks(language: str) -> list[str]:
    """Contents of the page's code blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def printed() -> str:
    """The answer of `hansei ticket explain` as the page shows it."""
    (answer,) = re.findall(r"<!-- explain -->\n```\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return answer


def write_definitions(folder: Path) -> int:
    """The page's definitions as files of an overlay; how many."""
    count = 0
    for block in blocks("yaml"):
        name = block.splitlines()[0].removeprefix("# ")
        if name.endswith(".yaml"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block, encoding="utf-8")
            count += 1
    return count


def history() -> dict[str, Any]:
    """`ticket` and `events` of the page."""
    (told,) = (yaml.safe_load(block) for block in blocks("yaml") if block.startswith("# events\n"))
    return told


def load(warehouse: Warehouse, catalog: Catalog, told: dict[str, Any], as_of: datetime = AS_OF) -> None:
    """One night in which nothing but this ticket and its events are in staging."""
    columns = {name: warehouse.columns(name) for name in ("staging.tickets", "staging.ticket_events")}
    ticket = {**PLAIN, "has_complete_events": True, **told["ticket"]}
    common = {**PLAIN, "ticket_id": ticket["ticket_id"]}
    events = [
        {**common, "event_id": f"event {n:02}", "sequence_number": n, **event}
        for n, event in enumerate(told["events"], 1)
    ]
    for table, rows in (("staging.tickets", [ticket]), ("staging.ticket_events", events)):
        unknown = {name for row in rows for name in row} - set(columns[table])
        assert not unknown, f"{table} has no column {unknown}"
        warehouse.insert(table, [{name: row.get(name) for name in columns[table]} for row in rows])
    plant(warehouse, catalog, "night")
    warehouse.insert("ops.runs", [{"run_id": "night", "as_of": as_of}])
    refresh_models(warehouse, catalog, "core", "night")


def overlaid(settings: Settings, folder: Path) -> Settings:
    """The settings with the page's definitions laid over the shipped ones."""
    from dataclasses import replace

    assert write_definitions(folder) == 3
    return replace(settings, overlays=(folder,))
