"""Contract cases: a ready source definition, what its system answers on some nights, and the rows that come of it.

`tests/contracts/<name>/case.yaml` belongs to `include/definitions/examples/<name>`:

    environment: {HANSEI_X: value}      variables of the definition; {inbox} is a folder of the case
    connection: {conn_type: http, ...}  fields of the Airflow connection; {server} is the fixture server's address
    authentication: {Header: value}     what each request has to bring
    persons: [Ada Lovelace, ...]        what must never be stored as it is
    nights:
      - until: 2026-03-02 00:00:00      the window in UTC; `since` where it has a start
        files: {new.csv: first.csv}     fixtures that lie in the inbox from that night on, written an hour before its
                                        end; a list of rows in YAML becomes an Excel file
        statements: first.sql           fixtures of a database
        exchanges: first.yaml           fixtures of an API (support/vendor_server.py)
        faulty: 1                       rows that wait in quarantine (default none)
        rows: {tickets: [{ticket_id: ..., status: ...}, ...]}
    besides:                            what the source tells besides its rows, in one night
      until: 2026-03-02 00:00:00
      days: 2                           how far back it counts here
      exchanges: besides.yaml
      told: {"counts of tickets": [...], "keys of tickets": [...], "deletions of tickets": [...]}

Rows are compared in the columns that the case names; their number is compared in full.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
import yaml

from hansei.catalog.documents import Fault
from hansei.catalog.loader import Catalog, examine
from hansei.catalog.rest_parents import Days
from hansei.catalog.sources import Resource, Source
from hansei.catalog.windows import Window
from hansei.connections import Connection
from hansei.settings import Settings, load_settings
from hansei.sources import spool
from hansei.sources.extraction import extract_batch
from hansei.sources.tallies import take_deletions, take_tallies
from support.databases import execute

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "include" / "definitions" / "examples"
CASES = REPOSITORY / "tests" / "contracts"
KEYS = {
    "HANSEI_IDENTITY_KEY": "a-key-of-the-tests-that-is-no-secret-at-all",
    "HANSEI_QUARANTINE_KEY": "bm8gc2VjcmV0LCBqdXN0IDMyIGJ5dGVzIGZvciB0ZXM=",
}
SECRET = "s3cret-of-the-fixture"


class _PlainTimes(yaml.SafeLoader):
    """Leaves times in answers as they are written."""


_PlainTimes.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))


@dataclass(frozen=True)
class Case:
    """One case as written."""

    name: str
    said: dict[str, Any]

    @property
    def directory(self) -> Path:
        return CASES / self.name

    def load(self, home: Path) -> tuple[Settings, Catalog, Source]:
        """Settings with a home of its own, the catalog of all ready definitions, and the one source of the case."""
        catalog, _ = ready_definitions()
        settings = load_settings({"HANSEI_HOME": str(home), **KEYS})
        return settings, catalog, catalog.sources[self.name]

    def connection(self, source: Source, server: str | None, database: sa.URL | None) -> Connection | None:
        """The connection that the case names, to the fixture server or the fixture database."""
        if source.connection is None:
            return None
        if database is not None:
            kind = database.get_backend_name()
            if kind in ("sqlite", "duckdb"):
                return Connection(source.connection, kind, schema=database.database)
            return Connection(
                source.connection, "postgres", database.host, database.port, database.username, database.password,
                database.database, dict(database.query),
            )  # fmt: skip
        fields = {
            key: value.replace("{server}", server or "") if isinstance(value, str) else value
            for key, value in self.said["connection"].items()
        }
        return Connection(source.connection, **fields)

    def prepare(self, night: dict[str, Any], inbox: Path, database: sa.URL | None) -> None:
        """Puts the fixtures of a night where the source looks for them."""
        for name, fixture in night.get("files", {}).items():
            if name.endswith(".xlsx"):
                _write_workbook(self.directory / fixture, inbox / name)
            else:
                shutil.copy(self.directory / fixture, inbox / name)
            changed = night["until"].replace(tzinfo=UTC).timestamp() - 3600
            os.utime(inbox / name, (changed, changed))
        if statements := night.get("statements"):
            text = (self.directory / statements).read_text(encoding="utf-8")
            execute(database, *(statement for statement in text.split(";\n") if statement.strip()))

    def exchanges(self, night: dict[str, Any]) -> list[dict[str, Any]]:
        return yaml.load((self.directory / night["exchanges"]).read_text(encoding="utf-8"), _PlainTimes)


@cache
def ready_definitions() -> tuple[Catalog, list[Fault]]:
    """All definitions that have a case, laid over the shipped ones at once, and their faults."""
    overlays = os.pathsep.join(str(EXAMPLES / case.name) for case in all_cases())
    return examine(load_settings({"HANSEI_DEFINITIONS": overlays}))


def all_cases() -> list[Case]:
    """Every case of tests/contracts, by name."""
    return [
        Case(path.parent.name, yaml.safe_load(path.read_text(encoding="utf-8")))
        for path in sorted(CASES.glob("*/case.yaml"))
    ]


def extract_night(
    loaded: tuple[Settings, Catalog, Source], connection: Connection | None, night: dict[str, Any], run_id: str
) -> tuple[spool.Manifest, dict[str, list[dict[str, Any]]]]:
    """The manifest of one night and its rows per entity, in the order in which they were spooled."""
    settings, catalog, source = loaded
    window = Window(night.get("since"), night["until"])
    manifest = extract_batch(source, catalog, settings, lambda _: connection, run_id, window)
    rows = {
        entity: pa.concat_tables([spool.read_part(manifest, part) for part in batch.parts]).to_pylist()
        for entity, batch in manifest.entities.items()
        if batch.parts
    }
    return manifest, {entity: found for entity, found in rows.items() if found}


def tell_besides(
    loaded: tuple[Settings, Catalog, Source], connection: Connection | None, besides: dict[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Counts, keys and deletions that the source tells for the night, in order, counted as far back as `days`."""
    settings, catalog, source = loaded
    resources = {name: _shortened(resource, besides["days"]) for name, resource in source.resources.items()}
    source = source.model_copy(update={"resources": resources})
    means = (source, catalog, settings, lambda _: connection, Window(besides.get("since"), besides["until"]))
    tallies = [*take_deletions(*means), *take_tallies(*means, [keys.entity for keys in source.keys])]
    assert [tally.message for tally in tallies if tally.message] == []
    return {f"{tally.kind} of {tally.entity}": _sorted(tally.rows).to_pylist() for tally in tallies}


def _sorted(rows: pa.Table) -> pa.Table:
    return rows.sort_by([(name, "ascending") for name in rows.column_names])


def _shortened(resource: Resource, days: int) -> Resource:
    """The resource with so many days in its grid, where it has one."""
    if resource.for_each is None:
        return resource
    grid = {
        name: axis.model_copy(update={"days": days}) if isinstance(axis, Days) else axis
        for name, axis in resource.for_each.grid.items()
    }
    return resource.model_copy(update={"for_each": resource.for_each.model_copy(update={"grid": grid})})


def _write_workbook(fixture: Path, path: Path) -> None:
    """An Excel file from a YAML list of rows, the first one being the head; times become Excel's own."""
    import openpyxl

    workbook = openpyxl.Workbook()
    for row in yaml.safe_load(fixture.read_text(encoding="utf-8")):
        workbook.active.append(row)
    workbook.save(path)


def required_columns_missing(source: Source, catalog: Catalog) -> list[str]:
    """Required columns that a mapping of the source leaves out; a key that is hashed where it is missing is none."""
    missing = []
    for mapping in source.entities:
        entity = catalog.entities[mapping.entity]
        for name, column in entity.columns.items():
            is_hashed = name == entity.key and entity.key_when_missing
            if column.required and name not in mapping.columns and not is_hashed:
                missing.append(f"{mapping.entity} of {mapping.resource} lacks {name}")
    return missing
