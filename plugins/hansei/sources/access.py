"""Whether a source lets us read what its definition names, and what a night will cost it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hansei.catalog.loader import Catalog
from hansei.catalog.sources import DeletedKeys, Source
from hansei.catalog.windows import Window
from hansei.connections import Resolver
from hansei.errors import HanseiError
from hansei.settings import Settings
from hansei.sources import files
from hansei.sources.database import count_rows
from hansei.sources.extraction import ResourceRun
from hansei.sources.rest import opened_reading
from hansei.sources.scratch import Scratch
from hansei.sources.tallies import take_deletions, take_tallies

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Access:
    """One thing to read: a resource, or a tally (`counts of tickets`).

    rows_a_night: rows that changed in the last day, as the source counts them; for files those of the newest one.
    None where neither tells. basis: how they were found.
    """

    name: str
    is_readable: bool
    message: str = ""
    rows_a_night: int | None = None
    basis: str = ""


def check_access(source: Source, catalog: Catalog, settings: Settings, resolver: Resolver) -> Iterator[Access]:
    """Each resource that an entity is read from, then deletions, counts and keys; a refusal of one stops no other."""
    now = datetime.now(UTC).replace(tzinfo=None)
    for name in source.resources:
        if any(mapping.resource == name for mapping in source.entities):
            yield _resource(source, name, catalog, settings, resolver, Window(now - A_DAY, now))
    whole = Window(None, now)
    for deleted in source.deleted_keys:
        yield _deletions(source, deleted, catalog, settings, resolver, Window(now - A_DAY, now))
    for tally in take_tallies(source, catalog, settings, resolver, whole, [keys.entity for keys in source.keys]):
        rows = tally.rows.num_rows if tally.rows is not None else None
        yield Access(f"{tally.kind} of {tally.entity}", rows is not None, tally.message, rows, "whole" if rows else "")


def _deletions(
    source: Source, deleted: DeletedKeys, catalog: Catalog, settings: Settings, resolver: Resolver, night: Window
) -> Access:
    alone = source.model_copy(update={"deleted_keys": (deleted,)})
    try:
        (tally,) = take_deletions(alone, catalog, settings, resolver, night)
    except HanseiError as error:
        return Access(f"deletions of {deleted.entity}", False, str(error))
    return Access(f"deletions of {deleted.entity}", True, tally.message, tally.rows.num_rows, "read for the last day")


def _resource(
    source: Source, name: str, catalog: Catalog, settings: Settings, resolver: Resolver, night: Window
) -> Access:
    try:
        if source.kind == "database":
            return Access(name, True, "", count_rows(source, name, resolver, night), "counted")
        if source.kind == "files":
            newest = files.find_files(source, name, settings)[-1]
            rows = sum(chunk.table.num_rows for chunk in files.read_file(newest, source.resources[name]))
            return Access(name, True, "", rows, f"newest file {newest.name}")
        return _asked(source, name, catalog, settings, resolver, night)
    except HanseiError as error:
        return Access(name, False, str(error))


def _asked(
    source: Source, name: str, catalog: Catalog, settings: Settings, resolver: Resolver, night: Window
) -> Access:
    """An interface over HTTP is read for the last day, as a night would; nothing is kept."""
    means = (catalog, settings, resolver, night)
    with Scratch() as scratch, opened_reading(source, *means, scratch) as reading:
        run = ResourceRun(source, name, *means, scratch, reading=reading)
        rows = sum(table.num_rows for table in run.rows())
    return Access(name, True, "", rows, "read for the last day")
