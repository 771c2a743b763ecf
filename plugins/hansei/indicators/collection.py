"""Collecting the parts of indicators, period by period, into the table `run_values` from which values are made.

What adds up is counted once by day and summed for longer periods; quantiles do not add up, and are taken from the
rows of each period anew (METHODS.md 1.1: percentiles do not add or average).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.catalog.tables import TableModel
from hansei.indicators import scans
from hansei.indicators.periods import periods_between
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.tables import create_table

VALUES = "indicators.indicator_values"
GRAINS = ("day", "week", "month")
PARTS = ("numerator", "subtrahend", "denominator", "sample_count", "quantile")
_SUMS = ("numerator", "subtrahend", "denominator", "sample_count")


class Collection:
    """The parts of indicators of one table and date column. `periods` per grain: only these; None: all."""

    def __init__(
        self,
        warehouse: Warehouse,
        catalog: Catalog,
        table: TableModel,
        group: Sequence[Indicator],
        today: date,
        periods: dict[str, set[date]] | None,
    ) -> None:
        self.warehouse = warehouse
        self.catalog = catalog
        self.table = table
        self.today = today
        self.periods = periods
        self.additive = [item for item in group if item.measure not in ("quantile", "snapshot")]
        self._scanned: list[str] = []
        self._begin(group)

    def _begin(self, group: Sequence[Indicator]) -> None:
        """The scan by day, for everything that adds up."""
        if self.additive:
            needed = ""
            if self.periods is not None:
                for grain in GRAINS:
                    self._load_days(f"run_touched_{grain}", sorted(self.periods[grain]))
                day = self.additive[0].counted_on
                needed = " OR ".join(
                    f"{self.warehouse.sql.period_start(grain, day)} IN (SELECT period_start FROM run_touched_{grain})"
                    for grain in GRAINS
                )
            select = scans.count_scan(self.catalog, self.warehouse.sql, self.additive, "day", needed)
            self._create("run_days", select)
        for indicator in group:
            if indicator.measure == "snapshot":
                select = scans.move_scan(self.catalog, indicator)
                self._create(f"run_moves_{indicator.id}", select)

    def collect(self, asked: Sequence[Indicator], grain: str) -> None:
        """Fills `run_values` with the parts of these indicators at one grain; `run_periods` names the periods."""
        self._load_days("run_periods", sorted(self.periods[grain]) if self.periods else [])
        self.warehouse.execute("DROP TABLE IF EXISTS run_values")
        columns = {"indicator": "text", "period_start": "date", "segment_id": "text", **dict.fromkeys(PARTS, "double")}
        create_table(self.warehouse, "run_values", columns, temporary=True)
        ranked = [item for item in asked if item.measure == "quantile"]
        if ranked:
            self._collect_quantiles(ranked, grain)
        for indicator in asked:
            if indicator.measure == "snapshot":
                self._collect_snapshot(indicator, grain)
                continue
            if indicator in self.additive:
                self._collect_sums(indicator, grain)
            self._fill_gaps(indicator, grain)

    def close(self) -> None:
        """Drops the tables of the scans."""
        for name in self._scanned:
            self.warehouse.execute(f"DROP TABLE {name}")

    def _create(self, table: str, select: str) -> None:
        self.warehouse.execute(f"CREATE TEMPORARY TABLE {table} AS {select}")
        self._scanned.append(table)

    def _load_days(self, table: str, days: list[date]) -> None:
        self.warehouse.execute(f"DROP TABLE IF EXISTS {table}")
        create_table(self.warehouse, table, {"period_start": "date"}, temporary=True)
        self.warehouse.load(table, pa.table({"period_start": pa.array(days, pa.date32())}))

    def _collect_sums(self, indicator: Indicator, grain: str) -> None:
        sql = self.warehouse.sql
        period = sql.period_start(grain, "period_start")
        only = f" AND {period} IN (SELECT period_start FROM run_periods)" if self.periods else ""
        sums = ", ".join(f"SUM({indicator.id}__{part})" for part in _SUMS)
        dimensions = sql.text_list(["all", *indicator.segments])
        self.warehouse.execute(
            f"INSERT INTO run_values (indicator, period_start, segment_id, {', '.join(_SUMS)}) "
            f"SELECT :id, {period}, segment_id, {sums} FROM run_days "
            f"WHERE SPLIT_PART(segment_id, '=', 1) IN ({dimensions}){only} GROUP BY {period}, segment_id",
            {"id": indicator.id},
        )

    def _collect_quantiles(self, ranked: Sequence[Indicator], grain: str) -> None:
        sql = self.warehouse.sql
        period = sql.period_start(grain, ranked[0].counted_on)
        only = f"{period} IN (SELECT period_start FROM run_periods)" if self.periods else ""
        select = scans.count_scan(self.catalog, sql, ranked, grain, only)
        self.warehouse.execute(f"CREATE TEMPORARY TABLE run_wide AS {select}")
        for indicator in ranked:
            parts = ", ".join(f"{indicator.id}__{part}" for part in PARTS)
            dimensions = sql.text_list(["all", *indicator.segments])
            self.warehouse.execute(
                f"INSERT INTO run_values (indicator, period_start, segment_id, {', '.join(PARTS)}) "
                f"SELECT :id, period_start, segment_id, {parts} FROM run_wide "
                f"WHERE SPLIT_PART(segment_id, '=', 1) IN ({dimensions})",
                {"id": indicator.id},
            )
        self.warehouse.execute("DROP TABLE run_wide")

    def _collect_snapshot(self, indicator: Indicator, grain: str) -> None:
        first = self.warehouse.scalar(f"SELECT MIN(day) FROM run_moves_{indicator.id}")
        if first is None:
            return
        self._load_days("run_spine", periods_between(grain, first, self.today))
        select = scans.snapshot_scan(self.warehouse.sql, indicator, grain)
        self.warehouse.execute(
            "INSERT INTO run_values (indicator, period_start, segment_id, numerator, sample_count) "
            f"SELECT :id, period_start, segment_id, open_count, open_count FROM ({select}) AS snapshots",
            {"id": indicator.id},
        )

    def _fill_gaps(self, indicator: Indicator, grain: str) -> None:
        """Rows of the whole service for periods without any row: zero for counts, no_data for everything else."""
        first = self.warehouse.scalar(
            "SELECT MIN(period_start) FROM run_values WHERE indicator = :id", {"id": indicator.id}
        )
        only_periods = self.periods is not None
        if only_periods:
            known = f"SELECT MIN(period_start) FROM {VALUES} WHERE indicator = :id AND grain = :grain"
            stored = self.warehouse.scalar(known, {"id": indicator.id, "grain": grain})
            first = min(filter(None, (first, stored)), default=None)
        if first is None:
            return
        self._load_days("run_spine", periods_between(grain, first, self.today))
        zero = "0" if indicator.measure == "count" else "NULL"
        denominator = "NULL" if indicator.measure == "count" else "0"
        known = (
            f"AND NOT EXISTS (SELECT 1 FROM {VALUES} AS stored WHERE stored.indicator = :id AND stored.grain = :grain "
            "AND stored.period_start = run_spine.period_start AND stored.segment_id = 'all' "
            "AND stored.period_start NOT IN (SELECT period_start FROM run_periods))"
        )
        self.warehouse.execute(
            "INSERT INTO run_values (indicator, period_start, segment_id, numerator, denominator, sample_count) "
            f"SELECT :id, period_start, 'all', {zero}, {denominator}, 0 FROM run_spine "
            "WHERE NOT EXISTS (SELECT 1 FROM run_values AS counted WHERE counted.indicator = :id "
            "AND counted.segment_id = 'all' AND counted.period_start = run_spine.period_start) "
            + (known if only_periods else ""),
            {"id": indicator.id, "grain": grain} if only_periods else {"id": indicator.id},
        )
