"""The stage that measures: recomputes the periods that a changed row entered or left, and notes what it restates.

The result equals a full recomputation: a period's values depend on the rows that are counted in it, and models leave
the old and the new dates of every row that they change. Periods that were unfinished are always computed again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from hansei.catalog import Catalog
from hansei.catalog.measures import GRAINS, Indicator
from hansei.catalog.tables import TableModel
from hansei.indicators import scans
from hansei.indicators.causes import rebuild_cause
from hansei.indicators.collection import DISTRIBUTIONS, Collection, close_values, open_values
from hansei.indicators.gaps import fill_gaps, load_places
from hansei.indicators.periods import local_date, period_start, periods_between
from hansei.indicators.stored import ROW, SAID, VALUES, Stored, forget_others, read_stored, remember_counted
from hansei.indicators.values import describe, fingerprint, values_sql
from hansei.warehouse.engine import Warehouse

_COMPARED = ("version", "sample_count", "state")
_MEASURED = ("numerator", "subtrahend", "denominator", "value")
_KNOWN = ("numerator", "denominator", "sample_count", "value", "state")
_TOLERANCE = 1e-9


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
        self.written = self.removed = self.restated = 0
        self._rebuilt: set[str] = set()
        self._stored = Stored()
        self._collections: list[Collection] = []
        self._because: dict[str, str] = {}

    def run(self) -> Measured:
        """All indicators in one transaction, with the removal of what it consumed."""
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
        return Measured(self.written, self.removed, self.restated)

    def _measure_tables(self, by_table: dict[str, list[Indicator]]) -> None:
        """Counts every table's indicators into `run_values`, then settles them together."""
        open_values(self.warehouse)
        for name in sorted(by_table):
            self._measure_table(self.catalog.tables[name], by_table[name])
        fill_gaps(self.warehouse, self._collections, self._stored.first, self.today)
        group = [item for collection in self._collections for item in collection.group]
        if group:
            self._load_scope()
            self._settle(group, self._because)
        close_values(self.warehouse)

    def _load_scope(self) -> None:
        """Fills `run_scope` with the periods of those indicators of which not all were counted anew."""
        places = [
            (item.id, grain, start)
            for collection in self._collections
            if collection.periods is not None
            for item in collection.group
            for grain, starts in collection.periods.items()
            for start in sorted(starts)
        ]
        load_places(self.warehouse, "run_scope", places)

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
            whole = [item for item in group if is_whole or item.id in because or item.measure == "snapshot"]
            partial = [item for item in group if item not in whole]
            self._measure_group(table, whole, None)
            if partial:
                self._measure_group(table, partial, self._touched_periods(table, partial))
        self._finish(table, indicators)

    def _finish(self, table: TableModel, indicators: list[Indicator]) -> None:
        """What the models left of changed rows is used up, and the definitions that counted them are noted."""
        if table.touched_table:
            self.warehouse.execute(f"DELETE FROM {table.touched_table}")
        self._remember(indicators)

    def _measure_group(self, table: TableModel, group: list[Indicator], periods: dict[str, set[date]] | None) -> None:
        """Every grain of indicators that share a date column; `periods` None computes all of them."""
        if not group or (periods is not None and not any(periods.values())):
            return
        collection = Collection(self.warehouse, self.catalog, table, group, self.today, periods)
        collection.collect()
        collection.close()
        self._collections.append(collection)

    def _measure_quotients(self, quotients: list[Indicator]) -> None:
        """Values of one indicator by those of another: small tables, so all of them; only what differs is written."""
        selects = [scans.quotient_scan(self.catalog, item, VALUES) for item in quotients]
        self.warehouse.execute(f"CREATE TEMPORARY TABLE run_values AS {' UNION ALL '.join(selects)}")
        load_places(self.warehouse, "run_scope", [])
        because = {
            item.id: self._rebuild_cause
            for item in quotients
            if self._rebuilt.intersection(self.catalog.tables_of(item))
        }
        because |= {item.id: "definition" for item in quotients if self._is_redefined(item)}
        self._settle(quotients, because)
        close_values(self.warehouse)
        self._remember(quotients)

    def _touched_periods(self, table: TableModel, group: list[Indicator]) -> dict[str, set[date]]:
        """Per grain the periods to count anew: those that a changed row entered or left, the unfinished, the new."""
        counted_on = group[0].counted_on
        touched = f"SELECT DISTINCT {counted_on} AS day FROM {table.touched_table} WHERE {counted_on} IS NOT NULL"
        days = [row["day"] for row in self.warehouse.rows(touched)]
        found: dict[str, set[date]] = {}
        for grain in GRAINS:
            periods = {period_start(grain, day) for day in days}
            places = [(item.id, grain) for item in group]
            periods.update(*(self._stored.unfinished.get(place, ()) for place in places))
            # A new period begins without any row of its own, so that an empty week shows as empty, not as missing.
            reached = [self._stored.newest[place] for place in places if place in self._stored.newest]
            if reached:
                periods.update(periods_between(grain, min(reached), self.today)[1:])
            found[grain] = periods
        return found

    def _settle(self, group: list[Indicator], because: dict[str, str]) -> None:
        """Turns parts into values, writes what differs, and keeps what it replaces if that had been said as final.

        Of an indicator that `run_scope` names, only those periods were counted; of the others all. `because` says why
        what was said of an indicator is restated, where no row is the reason.
        """
        warehouse = self.warehouse
        describe(warehouse, group, self.catalog.service.repeat_window)
        ids = warehouse.sql.text_list([item.id for item in group])
        if not self._stored.has_any(group):
            # Nothing to compare with, and millions of values need not be written twice.
            self._insert(f"({values_sql(group, self.today)}) AS fresh")
            self.written += warehouse.scalar(f"SELECT COUNT(*) FROM {VALUES} WHERE indicator IN ({ids})")
            warehouse.execute("DROP TABLE run_definitions")
            return
        warehouse.execute(f"CREATE TEMPORARY TABLE run_new AS {values_sql(group, self.today)}")
        differs = " OR ".join(f"stored.{name} IS DISTINCT FROM fresh.{name}" for name in _COMPARED)
        moved = " OR ".join([differs, *map(_apart, _MEASURED)])
        bounds = " OR ".join(map(_apart, ("lower_bound", "upper_bound")))
        same_row = " AND ".join(f"stored.{name} = fresh.{name}" for name in ROW)
        scope = (
            " AND (indicator NOT IN (SELECT indicator FROM run_scope) OR (indicator, grain, period_start) IN "
            "(SELECT indicator, grain, period_start FROM run_scope))"
        )
        either = ", ".join(f"COALESCE(fresh.{name}, stored.{name}) AS {name}" for name in ROW)
        warehouse.execute(
            f"CREATE TEMPORARY TABLE run_differing AS SELECT {either}, fresh.segment_id IS NOT NULL AS is_fresh, "
            f"COALESCE({moved}, TRUE) AS has_moved, stored.known_since AS said_since "
            f"FROM run_new AS fresh FULL OUTER JOIN (SELECT * FROM {VALUES} WHERE indicator IN ({ids}){scope}) "
            f"AS stored ON {same_row} "
            f"WHERE stored.indicator IS NULL OR fresh.indicator IS NULL OR {moved} OR {bounds}"
        )
        written, differing = warehouse.rows(
            "SELECT COUNT(CASE WHEN is_fresh THEN 1 END) AS written, COUNT(*) AS differing FROM run_differing"
        )[0].values()
        if differing:
            self._note_restatements(group, because)
            self._write()
        self.written += written
        self.removed += differing - written
        for name in ("run_new", "run_differing", "run_definitions"):
            warehouse.execute(f"DROP TABLE {name}")

    def _write(self) -> None:
        """Replaces what differs. Where only an interval moved, the value has been known since it was first said."""
        keys = f"({', '.join(ROW)}) IN (SELECT {', '.join(ROW)} FROM run_differing)"
        self.warehouse.execute(f"DELETE FROM {VALUES} WHERE {keys}")
        same_row = " AND ".join(f"differing.{name} = fresh.{name}" for name in ROW)
        since = "CASE WHEN differing.has_moved THEN :as_of ELSE differing.said_since END"
        self._insert(f"run_new AS fresh INNER JOIN run_differing AS differing ON {same_row}", since)

    def _insert(self, rows: str, known_since: str = ":as_of") -> None:
        """Adds rows (aliased `fresh`) to the stored values."""
        names = (*ROW, "version", *SAID, "square_sum")
        fresh = ", ".join(f"fresh.{name}" for name in names)
        self.warehouse.execute(
            f"INSERT INTO {VALUES} ({', '.join(names)}, run_id, known_since) "
            f"SELECT {fresh}, :run_id, {known_since} FROM {rows}",
            {"run_id": self.run_id, "as_of": self.as_of},
        )

    def _note_restatements(self, group: list[Indicator], because: dict[str, str]) -> None:
        """What we said of a finished period, and what we know now. `late_data` changes how many, `correction` what."""
        same_row = " AND ".join(f"{{0}}.{name} = stored.{name}" for name in ROW)
        count_before = self.warehouse.scalar("SELECT COUNT(*) FROM ops.restatements")
        # Another calendar moves no row into a period or out of it; rows that came late do.
        counted = "WHEN COALESCE(stored.sample_count, 0) IS DISTINCT FROM COALESCE(fresh.sample_count, 0)"
        said = [f"{name}_before" for name in SAID]
        known = [f"{name}_after" for name in _KNOWN]
        columns = ["restated_run_id", "restated_at", *ROW, "version", "said_since", *said, *known, "reason"]
        values = [":run_id", ":as_of", *(f"stored.{name}" for name in (*ROW, "version", "known_since", *SAID))]
        values += [f"fresh.{name}" for name in _KNOWN]
        redefined, reckoned = _whens(because, "definition", "sla"), _whens(because, "calendar")
        parts = " ".join(self._cause_of_parts(item) for item in group if item.measure == "quotient")
        reason = f"CASE {redefined} {parts} {counted} THEN 'late_data' {reckoned} ELSE 'correction' END"
        self.warehouse.execute(
            f"INSERT INTO ops.restatements ({', '.join(columns)}) SELECT {', '.join(values)}, {reason} "
            f"FROM {VALUES} AS stored INNER JOIN run_differing AS differing ON {same_row.format('differing')} "
            f"LEFT JOIN run_new AS fresh ON {same_row.format('fresh')} "
            "WHERE differing.has_moved AND stored.state NOT IN ('incomplete', 'immature')",
            {"run_id": self.run_id, "as_of": self.as_of},
        )
        self.restated += self.warehouse.scalar("SELECT COUNT(*) FROM ops.restatements") - count_before

    def _cause_of_parts(self, quotient: Indicator) -> str:
        """WHEN branch: a quotient moves for the reason for which one of its parts did in this run."""
        parts = self.warehouse.sql.text_list([quotient.numerator_indicator, quotient.denominator_indicator])
        same = " AND ".join(f"parts.{name} = stored.{name}" for name in ROW if name != "indicator")
        cause = (
            "(SELECT MAX(parts.reason) FROM ops.restatements AS parts WHERE parts.restated_run_id = :run_id "
            f"AND parts.indicator IN ({parts}) AND {same})"
        )
        return f"WHEN stored.indicator = '{quotient.id}' THEN COALESCE({cause}, 'correction')"

    @cached_property
    def _rebuild_cause(self) -> str:
        """Why tables were made anew in this run: `calendar` or `sla` where that alone changed, else `definition`."""
        return rebuild_cause(self.warehouse, self.catalog, self.run_id)

    def _is_redefined(self, indicator: Indicator) -> bool:
        return self._stored.fingerprints.get(indicator.id) != fingerprint(self.catalog, indicator)

    def _remember(self, indicators: Sequence[Indicator]) -> None:
        fresh = {item.id: fingerprint(self.catalog, item) for item in indicators if self._is_redefined(item)}
        remember_counted(self.warehouse, fresh, self.run_id)


def _whens(because: dict[str, str], *causes: str) -> str:
    """WHEN branches that give the indicators with one of the causes their own."""
    named = sorted((name, cause) for name, cause in because.items() if cause in causes)
    return " ".join(f"WHEN stored.indicator = '{name}' THEN '{cause}'" for name, cause in named)


def _apart(name: str) -> str:
    """SQL: a stored and a fresh double differ by more than what summing in another order can do."""
    gap = f"ABS(stored.{name} - fresh.{name}) > {_TOLERANCE} * GREATEST(1.0, ABS(fresh.{name}))"
    return f"((stored.{name} IS NULL) <> (fresh.{name} IS NULL) OR COALESCE({gap}, FALSE))"


def _groups(indicators: Sequence[Indicator]) -> list[list[Indicator]]:
    """Indicators that one scan can count together: the same date column, snapshots apart."""
    groups: dict[tuple[str, bool], list[Indicator]] = defaultdict(list)
    for indicator in indicators:
        groups[indicator.counted_on, indicator.measure == "snapshot"].append(indicator)
    return list(groups.values())
