"""Kind `rest`: answers of HTTP interfaces as rows. What speaks HTTP is imported only where a source of it is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hansei.catalog.loader import Catalog
from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.connections import Resolver
from hansei.settings import Settings
from hansei.sources.scratch import Scratch

if TYPE_CHECKING:
    from hansei.sources.rest.reading import Reading


@contextmanager
def opened_reading(
    source: Source,
    catalog: Catalog,
    settings: Settings,
    resolver: Resolver,
    window: Window,
    scratch: Scratch,
    run_id: str | None = None,
    is_sample: bool = False,
) -> Iterator[Reading | None]:
    """What all resources of a REST source share while they are read; None for the other kinds, which share nothing.

    run_id: pages are kept for another attempt of that run; without one in memory only. is_sample: ask for few parents.
    """
    if source.kind != "rest":
        yield None
        return
    from hansei.sources.rest.reading import Reading

    reading = Reading(source, catalog, settings, resolver, window, scratch, run_id, is_sample)
    try:
        yield reading
    finally:
        reading.close()
