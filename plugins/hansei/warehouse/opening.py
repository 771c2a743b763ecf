"""Opening the warehouse. Every open of the live file goes through here, waits a bounded time, and names the holder."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool, StaticPool

from hansei.errors import WarehouseError
from hansei.settings import Settings
from hansei.warehouse.dialect import Dialect
from hansei.warehouse.engine import SCHEMAS, Warehouse

_HOLDER = re.compile(r"\(PID (\d+)\)")
# Warehouse that stays open between two uses, by its URL; None until its first use.
_kept: dict[str, Warehouse | None] = {}


@contextmanager
def open_warehouse(settings: Settings) -> Iterator[Warehouse]:
    """The live warehouse for reading and writing; schemas exist afterwards.

    Within `kept_open` it is the connection that is kept; after an error that one is closed, whatever it was left with.
    """
    url = settings.warehouse_url
    warehouse = _kept.get(url) or _open(settings)
    if url in _kept:
        _kept[url] = warehouse
    try:
        yield warehouse
    except BaseException:
        if url in _kept:
            _kept[url] = None
            warehouse.close()
        raise
    finally:
        if url not in _kept:
            warehouse.close()


@contextmanager
def kept_open(settings: Settings) -> Iterator[None]:
    """While the block lasts, the warehouse that this process opened first stays open and serves whoever asks for it.

    For stages that follow one another at once: closing a DuckDB file writes everything that was added into its place,
    and opening it reads it again. Nobody else can open the file meanwhile.
    """
    url = settings.warehouse_url
    if url in _kept:
        yield
        return
    _kept[url] = None
    try:
        yield
    finally:
        warehouse = _kept.pop(url)
        if warehouse is not None:
            warehouse.close()


def _open(settings: Settings) -> Warehouse:
    warehouse = _open_duckdb(settings) if settings.is_embedded else _open_postgresql(settings.warehouse_url)
    try:
        there = {row["schema_name"] for row in warehouse.rows("SELECT schema_name FROM information_schema.schemata")}
        for schema in SCHEMAS:
            if schema not in there:
                warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    except BaseException:
        warehouse.close()
        raise
    return warehouse


@contextmanager
def open_read_copy(settings: Settings) -> Iterator[Warehouse]:
    """What reviews, read-only commands and analysts see: the published copy, or PostgreSQL itself."""
    if not settings.is_embedded:
        warehouse = _open_postgresql(settings.warehouse_url, is_writable=False)
    else:
        if not settings.read_copy.exists():
            raise WarehouseError(
                str(settings.read_copy), "there is no read copy yet", "run a night first: `hansei night`"
            )
        warehouse = _duckdb(settings.read_copy, settings, is_writable=False)
    try:
        yield warehouse
    finally:
        warehouse.close()


def _open_duckdb(settings: Settings) -> Warehouse:
    path = settings.warehouse_file
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + settings.lock_wait_seconds
    while True:
        try:
            return _duckdb(path, settings, is_writable=True)
        except sa.exc.DBAPIError as error:
            message = str(error.orig)
            if "lock" not in message.lower():
                raise _unreadable(path, message) from None
            if time.monotonic() >= deadline:
                holder = _HOLDER.search(message)
                who = f"locked by process {holder[1]}" if holder else "locked by another process"
                waited = f"{who} for more than {settings.lock_wait_seconds:g} s"
                next_step = "wait for it to end, or read the published copy (HANSEI_READ_COPY)"
                raise WarehouseError(str(path), waited, next_step) from None
            time.sleep(0.25)


def _unreadable(path: Path, message: str) -> WarehouseError:
    return WarehouseError(str(path), message.splitlines()[0], "see docs/runbooks")


def _duckdb(path: Path, settings: Settings, is_writable: bool) -> Warehouse:
    options: dict[str, Any] = {
        "default_null_order": "nulls_last",
        "preserve_insertion_order": False,
        # What does not fit is spilled beside the file: a night shares its machine with Airflow.
        "memory_limit": settings.memory_limit,
        # What is added goes to the write-ahead log first; a checkpoint after each 16 MB of it, as DuckDB would have it,
        # costs a build of all models a twentieth of its time. Closing the file empties the log.
        "checkpoint_threshold": "256MB",
        # A new file, and a new read copy, is one of DuckDB 1.3: it compresses text in one pass instead of trying two
        # ways, a third less time for the same size. A file that is there keeps the form that it has.
        "storage_compatibility_version": "v1.3.0",
    }
    arguments = {"config": options, "read_only": not is_writable}
    engine = sa.create_engine(f"duckdb:///{path}", poolclass=StaticPool, connect_args=arguments)
    try:
        warehouse = Warehouse(engine, Dialect("duckdb"), is_writable)
    except BaseException:
        engine.dispose()
        raise
    warehouse.execute("SET TimeZone = 'UTC'")
    warehouse.execute("SET integer_division = true")
    warehouse.fit_threads()
    return warehouse


def _open_postgresql(url: str, is_writable: bool = True) -> Warehouse:
    engine = sa.create_engine(
        url, poolclass=NullPool, connect_args={"options": "-c timezone=UTC -c client_min_messages=warning -c jit=off"}
    )
    try:
        return Warehouse(engine, Dialect("postgresql"), is_writable)
    except sa.exc.OperationalError as error:
        engine.dispose()
        place = sa.make_url(url).render_as_string(hide_password=True)
        found = str(error.orig).strip().splitlines()[0]
        raise WarehouseError(place, found, "check HANSEI_WAREHOUSE and that the server runs") from None
