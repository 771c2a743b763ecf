"""A small ticket source in any format, and its batch as plain rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from support.rest_server import RestServer, rest_server

from hansei.catalog.loader import Catalog, examine
from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.settings import Settings, load_settings
from hansei.sources import spool
from hansei.sources.extraction import extract_batch

IDENTITY_KEY = "a-key-of-the-tests-that-is-no-secret-at-all"
QUARANTINE_KEY = "bm8gc2VjcmV0LCBqdXN0IDMyIGJ5dGVzIGZvciB0ZXM="
EVER = Window(None, datetime(2030, 1, 1))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    keys = {"HANSEI_IDENTITY_KEY": IDENTITY_KEY, "HANSEI_QUARANTINE_KEY": QUARANTINE_KEY}
    return load_settings({"HANSEI_HOME": str(tmp_path / "hansei"), **keys})


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return examine(load_settings({}))[0]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    directory = tmp_path / "inbox"
    directory.mkdir()
    return directory


TICKET_COLUMNS = {
    "ticket_id": {"path": "id"},
    "status": {"path": "status"},
    "created_at": {"path": "created"},
}


@pytest.fixture
def ticket_source() -> Callable[..., Source]:
    """ticket_source(resource, columns=None, **more) -> Source; see `_ticket_source`."""
    return _ticket_source


def _ticket_source(resource: dict, columns: dict | None = None, **more: object) -> Source:
    """A source of tickets with one resource `export`; `columns` are added to id, status and created."""
    mapping_keys = ("version", "where", "deleted_at")
    mapping = {key: more.pop(key) for key in mapping_keys if key in more}
    entity = more.pop("entity", "tickets")
    base = TICKET_COLUMNS if entity == "tickets" else {}
    definition = {
        "id": "desk",
        "kind": "files" if "path" in resource else "database",
        "instance": "desk",
        "description": "A test",
        "owner": "nobody",
        "zone": "UTC",
        "resources": {"export": {key: value for key, value in resource.items() if value is not None}},
        "entities": [
            {"entity": entity, "resource": "export", "columns": {**base, **(columns or {})}, **mapping},
        ],
        **more,
    }
    return Source.model_validate(definition)


Extract = Callable[..., tuple[spool.Manifest, list[dict]]]


@pytest.fixture
def extract(catalog: Catalog, settings: Settings) -> Extract:
    """extract(source, window=EVER, run_id="run", resolver=None, entity=None) -> (manifest, rows of the entity)."""

    def run(source, window=EVER, run_id="run", resolver=None, entity=None):
        manifest = extract_batch(source, catalog, settings, resolver, run_id, window)
        parts = manifest.entities[entity or source.entities[0].entity].parts
        rows = pa.concat_tables([spool.read_part(manifest, part) for part in parts]).to_pylist() if parts else []
        return manifest, rows

    return run


@pytest.fixture(scope="module")
def server() -> Iterator[RestServer]:
    with rest_server() as running:
        yield running
