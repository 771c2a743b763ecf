"""What every stage is given: settings, the catalog, and a way to resolve connections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from hansei.catalog import Catalog, load_catalog
from hansei.catalog.reviews import Review
from hansei.connections import Connection, resolve
from hansei.errors import HanseiError
from hansei.settings import Settings, load_settings


@dataclass(frozen=True)
class Context:
    settings: Settings
    catalog: Catalog
    resolver: Callable[[str], Connection]
    now: Callable[[], datetime]

    def review(self, review_id: str) -> Review:
        """The definition of that id; HanseiError where there is none."""
        found = self.catalog.reviews.get(review_id)
        if found is None:
            known = ", ".join(sorted(self.catalog.reviews)) or "none is defined"
            raise HanseiError(f"review {review_id!r}", "is not defined", f"use one of: {known}")
        return found


def context(
    settings: Settings | None = None,
    connection_resolver: Callable[[str], Connection] | None = None,
    now: Callable[[], datetime] | None = None,
) -> Context:
    """A context from the environment; DAGs pass Airflow's resolver, tests and replays their own clock."""
    settings = settings or load_settings()
    return Context(settings, load_catalog(settings), connection_resolver or resolve, now or _utc_now)


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
