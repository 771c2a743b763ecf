"""A progress bar for commands that read a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from hansei.catalog.sources import Source


@contextmanager
def reading(source: Source, is_quiet: bool = False) -> Iterator[Callable[[str, int], None]]:
    """Yields what extraction calls with (resource, rows so far): one bar over resources, on the error stream.

    Nobody knows beforehand how many rows come, so that the bar counts resources and the text tells rows.
    """
    names = [name for name in source.resources if any(mapping.resource == name for mapping in source.entities)]
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rows]:,} rows"))
    bars = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), disable=is_quiet, transient=True)
    seen: dict[str, int] = {}
    with bars:
        bar = bars.add_task(source.id, total=len(names), rows=0)

        def told(resource: str, rows: int) -> None:
            seen[resource] = rows
            done = names.index(resource) if resource in names else 0
            bars.update(bar, description=f"{source.id} {resource}", completed=done, rows=sum(seen.values()))

        yield told
        bars.update(bar, completed=len(names))
