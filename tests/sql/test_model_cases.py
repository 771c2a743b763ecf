"""Cases of a table as folders: `<schema>/<table>/<case>/` holds one YAML per staging table and what is expected.

An input may have `defaults` for all its `rows`; every row of the table is expected, with the columns that it names.
A case may bring its own `service.yaml`, `ledger.yaml` and `calendars.yaml` (a list of calendars).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from support.oracle_schedules import write_calendar

from hansei.catalog import Catalog, load_catalog
from hansei.catalog.ledger import Ledger
from hansei.catalog.organisation import Service
from hansei.settings import Settings
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/*/*/expect.yaml"))
DEFINITIONS = ("service", "ledger")
PLAIN = {"source": "desk", "source_version": "1", "content_hash": "0"}


def test_there_are_cases() -> None:
    assert len(CASES) >= 8


@pytest.mark.parametrize("case", CASES, ids=lambda case: "/".join(case.parts[-3:]))
def test_case(case: Path, warehouse: Warehouse, catalog: Catalog, settings: Settings, tmp_path: Path) -> None:
    table = f"{case.parts[-3]}.{case.parts[-2]}"
    content = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(case.glob("*.yaml"))}
    wanted = content.pop("expect")
    if "calendars" in content:
        for calendar in content.pop("calendars"):
            write_calendar(tmp_path / "definitions", calendar)
        catalog = load_catalog(replace(settings, overlays=(tmp_path / "definitions",)))
    catalog = with_definitions(catalog, {name: content.pop(name) for name in DEFINITIONS if name in content})
    for name, rows in content.items():
        fill(warehouse, f"staging.{name}", rows)
    plant(warehouse, catalog, "run")
    refresh_models(warehouse, catalog, table.split(".")[0], "run")

    names = list(wanted[0])
    assert all(list(row) == names for row in wanted), "every expected row names the same columns"
    key = ", ".join(catalog.tables[table].key)
    assert warehouse.rows(f"SELECT {', '.join(names)} FROM {table} ORDER BY {key}") == wanted


def with_definitions(catalog: Catalog, own: dict) -> Catalog:
    if "service" in own:
        catalog = replace(catalog, service=Service.model_validate(own["service"]))
    if "ledger" in own:
        catalog = replace(catalog, ledger={"ledger": Ledger.model_validate(own["ledger"])})
    return catalog


def fill(warehouse: Warehouse, table: str, content: dict) -> None:
    columns = warehouse.columns(table)
    defaults = {name: value for name, value in PLAIN.items() if name in columns} | content.get("defaults", {})
    rows = [defaults | row for row in content["rows"]]
    unknown = {name for row in rows for name in row} - set(columns)
    assert not unknown, f"{table} has no column {unknown}"
    if table == "staging.ticket_events":
        rows = [{"event_id": f"event {position}", **row} for position, row in enumerate(rows)]
    warehouse.insert(table, [{name: row.get(name) for name in columns} for row in rows])
