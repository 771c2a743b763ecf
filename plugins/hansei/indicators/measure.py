"""The stage that measures: recomputes the periods that a changed row entered or left, and notes what it restates.

The result equals a full recomputation: a period's values depend on the rows that are counted in it, and models leave
the old and the new dates of every row that they change. Periods that were unfinished are always computed again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from hansei.catalog import Catalog
from hansei.catalog.measures import ADDITIVE, Indicator
from hansei.catalog.tables import TableModel
from hansei.indicators import scans
from hansei.indicators.causes import rebuild_cause
from hansei.indicators.collection import DISTRIBUTIONS, Collection, close_values, open_values
from hansei.indicators.gaps import fill_gaps
from hansei.indicators.periods import local_date
from hansei.indicators.scope import Part, Scope
from hansei.indicators.settling import Settlement
from hansei.indicators.stored import VALUES, Stored, forget_others, read_stored, remember_counted
from hansei.indicators.values import describe, fingerprint
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.touched import widen_images

# Values that are held before they are settled: more are not compared in one statement, whatever history there is.
_HELD = 500_000


@dataclass(frozen=True)
class Measured:
    """What the stage did: values written, values removed, and how many of them restate something said earlier."""

    written: int
    removed: int
    restated: int


class Measurement:
    """One run of the stage on an open warehouse."""

    def __init__(self, warehouse: Warehouse, catalog: Catalog, run_id: str, as_of: datetime) -> None:
        self.warehouse = warehouse
        self.catalog = catalog
        self.run_id = run_id
        self.as_of = as_of
        self.today = local_date(as_of, catalog.service.zone)
        self.settlement = Settlement(warehouse, run_id, as_of, self.today)
        self._rebuilt: set[str] = set()
        self._stored = Stored()
        self._collections: list[Collection] = []
        self._because: dict[str, str] = {}

    def run(self) -> Measured:
        """All indicators in one transaction, with the removal of what it consumed."""
        widen_images(self.warehouse, self.catalog)
        self._stored = read_stored(self.warehouse)
        by_table: dict[str, list[Indicator]] = defaultdict(list)
        quotients = []
        for indicator in sorted(self.catalog.indicators.values(), key=lambda item: item.id):
            (by_table[indicator.table] if indicator.table else quotients).append(indicator)
        with self.warehouse.transaction():
            self._measure_tables(by_table)
            if quotients:
                self._measure_quotients(quotients)
        if self._stored.names - self.catalog.indicators.keys():
            forget_others(self.warehouse, self.catalog.indicators, (VALUES, DISTRIBUTIONS))
        settled = self.settlement
        return Measured(settled.written, settled.removed, settled.restated)

    def _measure_tables(self, by_table: dict[str, list[Indicator]]) -> None:
        """Counts every table's indicators into `run_values`, and settles them as soon as there are many."""
        self._scope = Scope(self.warehouse, self._stored, self.today)
        open_values(self.warehouse)
        for name in sorted(by_table):
            self._measure_table(self.catalog.tables[name], by_table[name])
            if self._collections and self.warehouse.scalar("SELECT COUNT(*) FROM run_values") > _HELD:
                self._settle_collected()
                close_values(self.warehouse)
                open_values(self.warehouse)
        self._settle_collected()
        close_values(self.warehouse)
        self._scope.close()

    def _settle_collected(self) -> None:
        fill_gaps(self.warehouse, self._collections, self._stored.first, self.today)
        group = [item for collection in self._collections for item in collection.group]
        self._collections.clear()
        if group:
            self._settle(group, self._because)

    def _settle(self, group: Sequence[Indicator], because: dict[str, str]) -> None:
        """Stores the values of indicators whose parts are in `run_values`, some indicators at a time."""
        describe(self.warehouse, group, self.catalog.service.repeat_window)
        counts = {
            row["indicator"]: row["counted"]
            for row in self.warehouse.rows("SELECT indicator, COUNT(*) AS counted FROM run_values GROUP BY indicator")
        }
        for items in _shares(group, counts):
            fresh = [item for item in items if not self._stored.has_any([item])]
            if fresh:
                self.settlement.add(fresh, sum(counts.get(item.id, 0) for item in fresh))
            if known := [item for item in items if item not in fresh]:
                self.settlement.settle(known, because, self._scope.stored_rows(VALUES, known))
        self.warehouse.execute("DROP TABLE run_definitions")

    def _measure_table(self, table: TableModel, indicators: list[Indicator]) -> None:
        empty = f"SELECT COUNT(*) FROM (SELECT 1 FROM {table.table} LIMIT 1) AS first_row"
        if not self._stored.has_any(indicators) and not self.warehouse.scalar(empty):
            # Nothing was ever said and nothing is there: no source delivers it.
            self._finish(table, indicators)
            return
        because = {item.id: "definition" for item in indicators if self._is_redefined(item)}
        rebuilt = None
        if table.touched_table:
            query = f"SELECT MAX(image) FROM {table.touched_table} WHERE image LIKE 'all:%'"
            rebuilt = self.warehouse.scalar(query)
        if rebuilt == "all:created":
            because = {}
        elif rebuilt:
            self._rebuilt.add(table.table)
            because = {item.id: because.get(item.id, self._rebuild_cause) for item in indicators}
        self._because |= because
        for group in _groups(indicators):
            is_whole = rebuilt or table.kind == "view"
            whole = [item for item in group if is_whole or item.id in because or self._is_unsaid(item)]
            self._measure_group(table, whole, None)
            others = [item for item in group if item not in whole]
            for item in others:
                if item.measure == "snapshot" and (part := self._scope.add_snapshot(table, item)):
                    self._measure_group(table, [item], part)
            # What adds up is often moved by other changes than what has to be ranked, which costs far more.
            for is_additive in (True, False):
                partial = [
                    item for item in others if item.measure != "snapshot" and (item.measure in ADDITIVE) is is_additive
                ]
                part = self._scope.add(table, partial) if partial else None
                if part:
                    self._measure_group(table, partial, part)
        self._finish(table, indicators)

    def _is_unsaid(self, item: Indicator) -> bool:
        """A snapshot of which nothing is stored, on which a later one could stand."""
        return item.measure == "snapshot" and not self._stored.has_any([item])

    def _finish(self, table: TableModel, indicators: list[Indicator]) -> None:
        """What the models left of changed rows is used up, and the definitions that counted them are noted."""
        if table.touched_table:
            self.warehouse.execute(f"DELETE FROM {table.touched_table}")
        self._remember(indicators)

    def _measure_group(self, table: TableModel, group: list[Indicator], part: Part | None) -> None:
        """Every grain of indicators that share a date column: the cells of `part`, all of them where it is None."""
        if not group:
            return
        collection = Collection(self.warehouse, self.catalog, table, group, self.today, part)
        collection.collect()
        collection.close()
        self._collections.append(collection)

    def _measure_quotients(self, quotients: list[Indicator]) -> None:
        """Values of one indicator by those of another: small tables, so all of them; only what differs is written."""
        selects = [scans.quotient_scan(self.catalog, item, VALUES) for item in quotients]
        self.warehouse.execute(f"CREATE TEMPORARY TABLE run_values AS {' UNION ALL '.join(selects)}")
        because = {
            item.id: self._rebuild_cause
            for item in quotients
            if self._rebuilt.intersection(self.catalog.tables_of(item))
        }
        because |= {item.id: "definition" for item in quotients if self._is_redefined(item)}
        self._settle(quotients, because)
        close_values(self.warehouse)
        self._remember(quotients)

    @cached_property
    def _rebuild_cause(self) -> str:
        """Why tables were made anew in this run: `calendar` or `sla` where that alone changed, else `definition`."""
        return rebuild_cause(self.warehouse, self.catalog, self.run_id)

    def _is_redefined(self, indicator: Indicator) -> bool:
        return self._stored.fingerprints.get(indicator.id) != fingerprint(self.catalog, indicator)

    def _remember(self, indicators: Sequence[Indicator]) -> None:
        fresh = {item.id: fingerprint(self.catalog, item) for item in indicators if self._is_redefined(item)}
        remember_counted(self.warehouse, fresh, self.run_id)


def _groups(indicators: Sequence[Indicator]) -> list[list[Indicator]]:
    """Indicators that one scan can count together: the same date column, snapshots apart."""
    groups: dict[tuple[str, bool], list[Indicator]] = defaultdict(list)
    for indicator in indicators:
        groups[indicator.counted_on, indicator.measure == "snapshot"].append(indicator)
    return list(groups.values())


def _shares(group: Sequence[Indicator], counts: Mapping[str, int]) -> Iterator[list[Indicator]]:
    """The indicators in their order, together until there are `_HELD` rows of them."""
    share: list[Indicator] = []
    rows = 0
    for item in group:
        if share and rows + counts.get(item.id, 0) > _HELD:
            yield share
            share, rows = [], 0
        share.append(item)
        rows += counts.get(item.id, 0)
    yield share
