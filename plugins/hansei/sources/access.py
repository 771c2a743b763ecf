"""Whether a source lets us read what its definition names, and what a night will cost it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hansei.catalog.loader import Catalog
from hansei.catalog.source_tallies import DeletedKeys
from hansei.catalog.sources import Source
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

if TYPE_CHECKING:
    from hansei.sources.rest.reading import Reading

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Access:
    """One thing to read: a resource, or a tally (`counts of tickets`).

    rows_a_night: rows that changed in the last day, as the source counts them; for files those of the newest one.
    None where neither tells. basis: how they were found. requests_a_night: of an interface over HTTP.
    """

    name: str
    is_readable: bool
    message: str = ""
    rows_a_night: int | None = None
    basis: str = ""
    requests_a_night: int | None = None


def check_access(source: Source, catalog: Catalog, settings: Settings, resolver: Resolver) -> Iterator[Access]:
    """Each resource that an entity is read from, then deletions, counts and keys; a refusal of one stops no other."""
    now = datetime.now(UTC).replace(tzinfo=None)
    means, night = (catalog, settings, resolver), Window(now - A_DAY, now)
    names = [name for name in source.resources if any(mapping.resource == name for mapping in source.entities)]
    if source.kind == "rest":
        yield from _interface(source, names, *means, night)
    else:
        yield from (_resource(source, name, settings, resolver, night) for name in names)
    for deleted in source.deleted_keys:
        yield _deletions(source, deleted, *means, night)
    for tally in take_tallies(source, *means, Window(None, now), [keys.entity for keys in source.keys]):
        rows = tally.rows.num_rows if tally.rows is not None else None
        cost = tally.requests if source.kind == "rest" else None
        title = f"{tally.kind} of {tally.entity}"
        yield Access(title, rows is not None, tally.message, rows, "whole" if rows else "", cost)


def _resource(source: Source, name: str, settings: Settings, resolver: Resolver, night: Window) -> Access:
    try:
        if source.kind == "database":
            return Access(name, True, "", count_rows(source, name, resolver, night), "counted")
        newest = files.find_files(source, name, settings)[-1]
        rows = sum(chunk.table.num_rows for chunk in files.read_file(newest, source.resources[name]))
    except HanseiError as error:
        return Access(name, False, str(error))
    return Access(name, True, "", rows, f"newest file {newest.name}")


def _interface(
    source: Source, names: list[str], catalog: Catalog, settings: Settings, resolver: Resolver, night: Window
) -> Iterator[Access]:
    """An interface over HTTP is read for the last day, as a night would; of many parents a few stand for all. Nothing
    is kept, and what two resources share is asked, and counted, with the first."""
    means = (catalog, settings, resolver, night)
    told = 0
    try:
        with Scratch() as scratch, opened_reading(source, *means, scratch, is_sample=True) as reading:
            for name in names:
                run = ResourceRun(source, name, *means, scratch, reading=reading)
                try:
                    found = _asked(run, reading)
                except HanseiError as error:
                    found = Access(name, False, str(error))
                told += 1
                yield found
    except HanseiError as error:
        yield from (Access(name, False, str(error)) for name in names[told:])


def _asked(run: ResourceRun, reading: Reading) -> Access:
    begun = reading.requests_made
    sample = reading.sampled(run.name)
    for_parents = reading.requests_made - begun
    rows = sum(table.num_rows for table in run.rows())
    own = reading.requests_made - begun - for_parents
    basis = f"in the answers of {run.resource.pages_of}" if run.resource.pages_of else "read for the last day"
    if sample.row_factor > 1:
        basis = f"estimated from {sample.parents} of {round(sample.all_parents):,} that are asked for"
    requests = for_parents + round(own * sample.request_factor)
    return Access(run.name, True, "", round(rows * sample.row_factor), basis, requests)


def _deletions(
    source: Source, deleted: DeletedKeys, catalog: Catalog, settings: Settings, resolver: Resolver, night: Window
) -> Access:
    title, alone = f"deletions of {deleted.entity}", source.model_copy(update={"deleted_keys": (deleted,)})
    try:
        (tally,) = take_deletions(alone, catalog, settings, resolver, night)
    except HanseiError as error:
        return Access(title, False, str(error))
    cost = tally.requests if source.kind == "rest" else None
    return Access(title, True, tally.message, tally.rows.num_rows, "read for the last day", cost)
