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
from hansei.indicators.collection import DISTRIBUTIONS, VALUES, Collection
from hansei.indicators.periods import local_date, periods_between
from hansei.indicators.values import describe, fingerprint, values_sql
from hansei.warehouse.engine import Warehouse

_ROW = ("indicator", "grain", "period_start", "segment_id")
_COMPARED = ("version", "numerator", "subtrahend", "denominator", "sample_count", "state")
_SAID = ("numerator", "subtrahend", "denominator", "sample_count", "value", "lower_bound", "upper_bound", "state")
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

    def run(self) -> Measured:
        """All indicators, table by table, each table in one transaction with the removal of what it consumed."""
        by_table: dict[str, list[Indicator]] = defaultdict(list)
        quotients = []
        for indicator in sorted(self.catalog.indicators.values(), key=lambda item: item.id):
            (by_table[indicator.table] if indicator.table else quotients).append(indicator)
        for name in sorted(by_table):
            with self.warehouse.transaction():
                self._measure_table(self.catalog.tables[name], by_table[name])
        if quotients:
            with self.warehouse.transaction():
                self._measure_quotients(quotients)
        self._forget_removed_indicators()
        return Measured(self.written, self.removed, self.restated)

    def _measure_table(self, table: TableModel, indicators: list[Indicator]) -> None:
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
        for group in _groups(indicators):
            is_whole = rebuilt or table.kind == "view"
            whole = [item for item in group if is_whole or item.id in because or item.measure == "snapshot"]
            partial = [item for item in group if item not in whole]
            self._measure_group(table, whole, None, because)
            if partial:
                touched = {grain: self._touched_periods(table, partial, grain) for grain in GRAINS}
                self._measure_group(table, partial, touched, because)
        if table.touched_table:
            self.warehouse.execute(f"DELETE FROM {table.touched_table}")
        for indicator in indicators:
            self._remember(indicator)

    def _measure_group(
        self, table: TableModel, group: list[Indicator], periods: dict[str, set[date]] | None, because: dict[str, str]
    ) -> None:
        """Every grain of indicators that share a date column; `periods` None computes all of them.

        `because` says of an indicator why what was said of it earlier is restated, where no row is the reason.
        """
        if not group or (periods is not None and not any(periods.values())):
            return
        collection = Collection(self.warehouse, self.catalog, table, group, self.today, periods)
        collection.collect()
        scope = "" if periods is None else " AND (grain, period_start) IN (SELECT grain, period_start FROM run_periods)"
        self._settle(group, scope, because)
        collection.close()

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
        self._settle(quotients, "", because)
        self.warehouse.execute("DROP TABLE run_values")
        for indicator in quotients:
            self._remember(indicator)

    def _touched_periods(self, table: TableModel, group: list[Indicator], grain: str) -> set[date]:
        counted_on = group[0].counted_on
        period = self.warehouse.sql.period_start(grain, counted_on)
        touched = f"SELECT DISTINCT {period} AS period_start FROM {table.touched_table} WHERE {counted_on} IS NOT NULL"
        periods = {row["period_start"] for row in self.warehouse.rows(touched)}
        ids = self.warehouse.sql.text_list([item.id for item in group])
        unfinished = (
            f"SELECT DISTINCT period_start FROM {VALUES} "
            f"WHERE grain = :grain AND state IN ('incomplete', 'immature') AND indicator IN ({ids})"
        )
        periods |= {row["period_start"] for row in self.warehouse.rows(unfinished, {"grain": grain})}
        # A new period begins without any row of its own, so that an empty week shows as empty, not as missing.
        begun = (
            f"SELECT MIN(newest) FROM (SELECT MAX(period_start) AS newest FROM {VALUES} "
            f"WHERE grain = :grain AND segment_id = 'all' AND indicator IN ({ids}) GROUP BY indicator) AS reached"
        )
        newest = self.warehouse.scalar(begun, {"grain": grain})
        if newest is not None:
            periods |= set(periods_between(grain, newest, self.today)[1:])
        return periods

    def _settle(self, group: list[Indicator], scope: str, because: dict[str, str]) -> None:
        """Turns parts into values, writes what differs, and keeps what it replaces if that had been said as final.

        `scope` limits the stored values that the fresh ones are compared with.
        """
        warehouse = self.warehouse
        describe(warehouse, group, self.catalog.service.repeat_window)
        ids = warehouse.sql.text_list([item.id for item in group])
        said = f"SELECT COUNT(*) FROM {VALUES} WHERE indicator IN ({ids})"
        if not warehouse.scalar(said):
            # Nothing to compare with, and millions of values need not be written twice.
            self._insert(f"({values_sql(group, self.today)}) AS fresh")
            self.written += warehouse.scalar(said)
            warehouse.execute("DROP TABLE run_definitions")
            return
        warehouse.execute(f"CREATE TEMPORARY TABLE run_new AS {values_sql(group, self.today)}")
        differs = " OR ".join(f"stored.{name} IS DISTINCT FROM fresh.{name}" for name in _COMPARED)
        moved = f"{differs} OR {_apart('value')}"
        bounds = " OR ".join(map(_apart, ("lower_bound", "upper_bound")))
        same_row = " AND ".join(f"stored.{name} = fresh.{name}" for name in _ROW)
        either = ", ".join(f"COALESCE(fresh.{name}, stored.{name}) AS {name}" for name in _ROW)
        warehouse.execute(
            f"CREATE TEMPORARY TABLE run_differing AS SELECT {either}, fresh.segment_id IS NOT NULL AS is_fresh, "
            f"COALESCE({moved}, TRUE) AS has_moved "
            f"FROM run_new AS fresh FULL OUTER JOIN (SELECT * FROM {VALUES} WHERE indicator IN ({ids}){scope}) "
            f"AS stored ON {same_row} "
            f"WHERE stored.indicator IS NULL OR fresh.indicator IS NULL OR {moved} OR {bounds}"
        )
        written, differing = warehouse.rows(
            "SELECT COUNT(CASE WHEN is_fresh THEN 1 END) AS written, COUNT(*) AS differing FROM run_differing"
        )[0].values()
        if differing:
            self._note_restatements(because)
            self._write()
        self.written += written
        self.removed += differing - written
        for name in ("run_new", "run_differing", "run_definitions"):
            warehouse.execute(f"DROP TABLE {name}")

    def _write(self) -> None:
        keys = f"({', '.join(_ROW)}) IN (SELECT {', '.join(_ROW)} FROM run_differing)"
        self.warehouse.execute(f"DELETE FROM {VALUES} WHERE {keys}")
        self._insert(f"run_new WHERE {keys}")

    def _insert(self, rows: str) -> None:
        """Adds rows to the stored values, as known from this run on."""
        names = (
            "indicator, version, grain, period_start, segment_id, numerator, subtrahend, denominator, square_sum, "
            "sample_count, value, lower_bound, upper_bound, state"
        )
        self.warehouse.execute(
            f"INSERT INTO {VALUES} ({names}, run_id, known_since) SELECT {names}, :run_id, :as_of FROM {rows}",
            {"run_id": self.run_id, "as_of": self.as_of},
        )

    def _note_restatements(self, because: dict[str, str]) -> None:
        """What we said of a finished period, and what we know now. `late_data` changes how many, `correction` what."""
        same_row = " AND ".join(f"{{0}}.{name} = stored.{name}" for name in _ROW)
        count_before = self.warehouse.scalar("SELECT COUNT(*) FROM ops.restatements")
        # Another calendar moves no row into a period or out of it; rows that came late do.
        counted = "WHEN COALESCE(stored.sample_count, 0) IS DISTINCT FROM COALESCE(fresh.sample_count, 0)"
        said = [f"{name}_before" for name in _SAID]
        known = [f"{name}_after" for name in _KNOWN]
        columns = ["restated_run_id", "restated_at", *_ROW, "version", "said_since", *said, *known, "reason"]
        values = [":run_id", ":as_of", *(f"stored.{name}" for name in (*_ROW, "version", "known_since", *_SAID))]
        values += [f"fresh.{name}" for name in _KNOWN]
        reason = (
            f"CASE {_whens(because, 'definition', 'sla')} {counted} THEN 'late_data' {_whens(because, 'calendar')} "
        )
        reason += "ELSE 'correction' END"
        self.warehouse.execute(
            f"INSERT INTO ops.restatements ({', '.join(columns)}) SELECT {', '.join(values)}, {reason} "
            f"FROM {VALUES} AS stored INNER JOIN run_differing AS differing ON {same_row.format('differing')} "
            f"LEFT JOIN run_new AS fresh ON {same_row.format('fresh')} "
            "WHERE differing.has_moved AND stored.state NOT IN ('incomplete', 'immature')",
            {"run_id": self.run_id, "as_of": self.as_of},
        )
        self.restated += self.warehouse.scalar("SELECT COUNT(*) FROM ops.restatements") - count_before

    @cached_property
    def _rebuild_cause(self) -> str:
        """Why tables were made anew in this run: `calendar` or `sla` where that alone changed, else `definition`."""
        return rebuild_cause(self.warehouse, self.catalog, self.run_id)

    def _is_redefined(self, indicator: Indicator) -> bool:
        known = self.warehouse.scalar(
            "SELECT fingerprint FROM ops.model_states WHERE model = :model", {"model": f"indicator:{indicator.id}"}
        )
        return known != fingerprint(self.catalog, indicator)

    def _remember(self, indicator: Indicator) -> None:
        model = {"model": f"indicator:{indicator.id}"}
        self.warehouse.execute("DELETE FROM ops.model_states WHERE model = :model", model)
        state = {"fingerprint": fingerprint(self.catalog, indicator), "position": 0, "run_id": self.run_id}
        self.warehouse.insert("ops.model_states", [{**model, **state, "rebuilt_because": "measured"}])

    def _forget_removed_indicators(self) -> None:
        kept = self.warehouse.sql.text_list(sorted(self.catalog.indicators))
        with self.warehouse.transaction():
            for table in (VALUES, DISTRIBUTIONS):
                self.warehouse.execute(f"DELETE FROM {table} WHERE indicator NOT IN ({kept})")
            self.warehouse.execute(
                f"DELETE FROM ops.model_states WHERE model LIKE 'indicator:%' AND SUBSTR(model, 11) NOT IN ({kept})"
            )


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
