"""Up to which day the sources of an indicator are complete: nothing is judged on data that is not there yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from hansei.catalog import Catalog
from hansei.indicators.periods import local_date
from hansei.warehouse import Warehouse
from hansei.warehouse.models import ModelRunner
from hansei.warehouse.refresh import runner_for


class Readiness:
    """Asks the watermarks once; an indicator is as ready as the latest of the sources that feed its tables."""

    def __init__(self, warehouse: Warehouse, catalog: Catalog) -> None:
        self._catalog = catalog
        self._runner = runner_for(warehouse, catalog)
        self._marks = {row["source"]: row["complete_until"] for row in warehouse.rows("SELECT * FROM ops.watermarks")}
        self._days: dict[tuple[str, ...], date | None] = {}

    def day(self, indicator: str) -> date | None:
        """First day that some source does not cover to its end; None where one never was complete."""
        tables = self._catalog.tables_of(self._catalog.indicators[indicator])
        if tables not in self._days:
            self._days[tables] = self._covered(feeding_sources(self._runner, self._catalog, tables))
        return self._days[tables]

    def _covered(self, sources: set[str]) -> date | None:
        reached: list[datetime | None] = [self._marks.get(source) for source in sources]
        if not reached or None in reached:
            return None
        return local_date(min(reached), self._catalog.service.zone)


def feeding_sources(runner: ModelRunner, catalog: Catalog, tables: Iterable[str]) -> set[str]:
    """Sources whose rows the tables are made of, from what their SQL reads."""
    seen, waiting = set(), [*tables]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in catalog.tables:
            waiting.extend(runner.upstreams(catalog.tables[name]))
    entities = {name.split(".", 1)[1] for name in seen if name.startswith("staging.")}
    return {source.id for source in catalog.sources.values() if entities & set(source.entity_ids)}
