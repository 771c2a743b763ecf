"""Collecting the parts of indicators, period by period, into the table `run_values` from which values are made.

What adds up is counted once by day and summed for longer periods; quantiles do not add up, and are taken from the
rows of each period anew (METHODS.md 1.1: percentiles do not add or average).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.measures import ADDITIVE, GRAINS, Indicator
from hansei.catalog.tables import TableModel
from hansei.indicators import formulas, intervals, scans
from hansei.indicators.periods import next_period, periods_between, previous_period
from hansei.indicators.scans import PartColumns
from hansei.indicators.scope import Part
from hansei.indicators.stored import VALUES
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.tables import create_table

DISTRIBUTIONS = "indicators.distributions"
PARTS = (*formulas.SUMS, "ranked_value", "ranked_lower", "ranked_upper")


def open_values(warehouse: Warehouse) -> None:
    """The temporary table `run_values`, to which every collection of a run adds its parts."""
    columns = {"indicator": "text", "grain": "text", "period_start": "date", "segment_id": "text"}
    create_table(warehouse, "run_values", {**columns, **dict.fromkeys(PARTS, "double")}, temporary=True)


def close_values(warehouse: Warehouse) -> None:
    warehouse.execute("DROP TABLE IF EXISTS run_values")


class Collection:
    """The parts of indicators of one table and date column; of the cells of `part` alone, where it is given."""

    def __init__(
        self,
        warehouse: Warehouse,
        catalog: Catalog,
        table: TableModel,
        group: Sequence[Indicator],
        today: date,
        part: Part | None,
    ) -> None:
        self.warehouse = warehouse
        self.catalog = catalog
        self.table = table
        self.group = group
        self.today = today
        self.part = part
        self.periods = part.periods if part else None
        self._temporary: list[str] = []
        self._taken: list[str] = []

    def collect(self) -> None:
        """Adds the parts at every grain to `run_values`."""
        additive = [item for item in self.group if item.measure in ADDITIVE]
        if additive:
            only = self._only({day for grain in GRAINS for day in self._days(grain)}, "run_needed_days")
            # Days are summed to longer periods, so they are cut as those are.
            cuts = scans.every_cut(additive, "week")
            self._create("run_days", scans.count_scan(self.catalog, self.warehouse.sql, additive, "day", cuts, only))
        day_parts = scans.part_columns(self.warehouse.sql, additive, self.table)
        for indicator in self.group:
            if indicator.measure == "snapshot":
                self._collect_snapshot(indicator)
        for grain in GRAINS:
            asked = [item for item in self.group if grain in item.grains]
            if self.periods is not None and not self.periods[grain]:
                continue
            counted_anew = [item for item in asked if item.measure in ("quantile", "distinct")]
            if counted_anew:
                self._collect_rows(counted_anew, grain)
            summed = [item for item in asked if item in additive]
            if summed:
                self._collect_sums(summed, grain, day_parts)
        self._write_taken()

    def close(self) -> None:
        """Drops the tables of the scans."""
        for name in self._temporary:
            self.warehouse.execute(f"DROP TABLE {name}")

    def _create(self, table: str, select: str) -> None:
        self.warehouse.execute(f"CREATE TEMPORARY TABLE {table} AS {select}")
        self._temporary.append(table)

    def _create_empty(self, table: str, columns: dict[str, str]) -> None:
        create_table(self.warehouse, table, columns, temporary=True)
        self._temporary.append(table)

    def _create_days(self, table: str, rows: Sequence[tuple[str, date]]) -> None:
        """A temporary table of grain and period."""
        self._create_empty(table, {"grain": "text", "period_start": "date"})
        grains, days = zip(*rows, strict=True) if rows else ((), ())
        columns = {"grain": pa.array(grains, pa.string()), "period_start": pa.array(days, pa.date32())}
        self.warehouse.load(table, pa.table(columns))

    def _days(self, grain: str) -> Iterator[date]:
        """Every day of the periods of this grain that are asked."""
        for start in self.periods[grain] if self.periods else ():
            length = (next_period(grain, start) - start).days
            yield from (start + timedelta(days=number) for number in range(length))

    def _only(self, days: set[date], table: str) -> str:
        """Condition on the date column that takes these days, a mere span where none between them is missing."""
        if self.periods is None:
            return ""
        column = self.group[0].counted_on
        first, last = min(days), max(days)
        if (last - first).days + 1 == len(days):
            return f"{column} BETWEEN CAST('{first}' AS DATE) AND CAST('{last}' AS DATE)"
        self._create_days(table, [("day", day) for day in sorted(days)])
        return f"{column} IN (SELECT period_start FROM {table})"

    def _collect_sums(self, summed: Sequence[Indicator], grain: str, parts: PartColumns) -> None:
        period = self.warehouse.sql.period_start(grain, "period_start")
        select = "SELECT * FROM run_days"
        if grain != "day":
            names = dict.fromkeys(name for (owner, _), name in parts.names.items() if owner in {i.id for i in summed})
            sums = ", ".join(f"SUM({name}) AS {name}" for name in names)
            select = (
                f"SELECT {period} AS period_start, segment_id, cut, {sums} FROM run_days "
                f"GROUP BY {period}, segment_id, cut"
            )
        totals = f"run_sums_{grain}"
        if grain == "day" and self.part is None:
            totals = "run_days"
        else:
            self._create(totals, self._own_cells(select, grain))
        self._take(totals, summed, grain, parts)

    def _collect_rows(self, asked: Sequence[Indicator], grain: str) -> None:
        """What does not add up over days, quantiles and distinct counts, is taken from the rows of the period."""
        only = self._only(set(self._days(grain)), f"run_needed_{grain}")
        wide = f"run_wide_{grain}"
        cuts = scans.every_cut(asked, grain)
        select = scans.count_scan(self.catalog, self.warehouse.sql, asked, grain, cuts, only)
        self._create(wide, self._own_cells(select, grain))
        parts = scans.part_columns(self.warehouse.sql, asked, self.table)
        self._take(wide, [item for item in asked if item.measure != "quantile"], grain, parts)
        ranked = [item for item in asked if item.measure == "quantile"]
        if ranked:
            self._take_ranked(wide, ranked, grain, parts)
            self._keep_distributions(wide, [item for item in ranked if item.has_distribution], ranked, grain, parts)

    def _own_cells(self, select: str, grain: str) -> str:
        """Of rows of cells those that are counted anew."""
        return f"SELECT * FROM ({select}) AS counted WHERE {self.part.holds(grain)}" if self.part else select

    def _take(self, wide: str, asked: Sequence[Indicator], grain: str, parts: PartColumns) -> None:
        """Each indicator's own columns and segments out of a table that holds those of all."""
        selects = []
        for item in asked:
            own = [parts.names.get((item.id, part), intervals.NONE) for part in formulas.SUMS]
            selects.append(self._own_rows(item, wide, grain, own))
        self._taken += selects

    def _write_taken(self) -> None:
        """Everything that was summed, in one statement."""
        if self._taken:
            names = f"indicator, grain, period_start, segment_id, {', '.join(formulas.SUMS)}"
            self.warehouse.execute(f"INSERT INTO run_values ({names}) {' UNION ALL '.join(self._taken)}")

    def _own_rows(self, item: Indicator, wide: str, grain: str, columns: Iterable[str]) -> str:
        cuts = self.warehouse.sql.text_list(["all", *map(scans.cut_name, item.cuts_by(grain))])
        listed = ", ".join([f"'{item.id}' AS indicator", f"'{grain}' AS grain", "period_start", "segment_id", *columns])
        return f"SELECT {listed} FROM {wide} WHERE cut IN ({cuts})"

    def _take_ranked(self, wide: str, ranked: Sequence[Indicator], grain: str, parts: PartColumns) -> None:
        """Quantiles and the ends of their intervals; those of one rank are read out of their arrays together."""
        for quantile in sorted({item.quantile for item in ranked}):
            alike = [item for item in ranked if item.quantile == quantile]
            selects = []
            for item in alike:
                held = formulas.ranked_together(item, self.table, ranked)
                own = [f"{parts.of(item, 'ranks')}[{held.index(rank) + 1}]" for rank in intervals.grid(quantile)]
                count = parts.of(item, "denominator")
                limits = f"CASE WHEN {count} > 0 THEN {count} END AS counted"
                has_interval = f"{'FALSE' if item.interval_kind == 'none' else 'TRUE'} AS has_interval"
                columns = [f"{count} AS denominator", limits, has_interval, f"ARRAY[{', '.join(own)}] AS ranks"]
                selects.append(self._own_rows(item, wide, grain, columns))
            ranks = f"run_ranks_{grain}_{round(quantile * 10000)}"
            self._create(ranks, " UNION ALL ".join(selects))
            lower, upper = intervals.wilson(repr(quantile), "counted")
            value = f"ranks[{intervals.grid(quantile).index(quantile) + 1}]"
            ends = [
                f"CASE WHEN has_interval THEN {intervals.at_rank(rank, quantile)} END"
                for rank in ("rank_lower", "rank_upper")
            ]
            names = "indicator, grain, period_start, segment_id, denominator"
            limits = ", ".join(
                f"CASE WHEN counted > 0 THEN {end} END AS {name}"
                for end, name in ((lower, "rank_lower"), (upper, "rank_upper"))
            )
            self.warehouse.execute(
                f"INSERT INTO run_values ({names}, sample_count, ranked_value, ranked_lower, ranked_upper) "
                f"SELECT {names}, denominator, {value}, {', '.join(ends)} "
                f"FROM (SELECT *, {limits} FROM {ranks}) AS ranked"
            )

    def _keep_distributions(
        self, wide: str, shown: Sequence[Indicator], ranked: Sequence[Indicator], grain: str, parts: PartColumns
    ) -> None:
        """Replaces the distribution of each period that is counted by the one that the scan just ranked."""
        selects = []
        for item in shown:
            held = formulas.ranked_together(item, self.table, ranked)
            count, ranks = parts.of(item, "denominator"), parts.of(item, "ranks")
            columns = {name: f"{ranks}[{held.index(rank) + 1}]" for name, rank in formulas.DISTRIBUTION.items()}
            columns["p95"] = f"CASE WHEN {count} >= {formulas.LEAST_FOR_P95} THEN {columns['p95']} END"
            counts = [f"{item.version} AS version", f"CAST({count} AS BIGINT) AS sample_count"]
            selects.append(f"{self._own_rows(item, wide, grain, [*counts, *columns.values()])} AND {count} > 0")
        if not selects:
            return
        ids = self.warehouse.sql.text_list([item.id for item in shown])
        only = f" AND {self.part.holds(grain)}" if self.part else ""
        self.warehouse.execute(f"DELETE FROM {DISTRIBUTIONS} WHERE indicator IN ({ids}) AND grain = '{grain}'{only}")
        names = ["indicator", "grain", "period_start", "segment_id", "version", "sample_count", *formulas.DISTRIBUTION]
        self.warehouse.execute(f"INSERT INTO {DISTRIBUTIONS} ({', '.join(names)}) {' UNION ALL '.join(selects)}")

    def _collect_snapshot(self, indicator: Indicator) -> None:
        """What is open at each period's end; of a part from its first period on, beginning with what is stored."""
        grains = [grain for grain in GRAINS if grain in indicator.grains]
        begins = {grain: min(self.periods[grain]) for grain in grains if self.periods[grain]} if self.periods else {}
        since = min(begins.values()) if begins else None
        self._create(f"run_moves_{indicator.id}", scans.move_scan(self.catalog, indicator, since))
        first = since or self.warehouse.scalar(f"SELECT MIN(day) FROM run_moves_{indicator.id}")
        if first is None:
            return
        grains = [grain for grain in grains if grain in begins or not begins]
        spine = [
            (grain, day) for grain in grains for day in periods_between(grain, begins.get(grain, first), self.today)
        ]
        self._create_days(f"run_spine_{indicator.id}", spine)
        for grain in grains:
            begin = begins.get(grain)
            opening = _stored_opening(indicator, grain, begin) if begin else ""
            select = scans.snapshot_scan(self.warehouse.sql, indicator, grain, opening, begin)
            self.warehouse.execute(
                "INSERT INTO run_values (indicator, grain, period_start, segment_id, numerator, sample_count) "
                f"SELECT '{indicator.id}', '{grain}', period_start, segment_id, open_value, open_count "
                f"FROM ({select}) AS snapshots"
            )


def _stored_opening(indicator: Indicator, grain: str, begin: date) -> str:
    """SELECT of what was open when the period `begin` began, as moves of its first day: the stored period before it."""
    return (
        f"SELECT CAST('{begin}' AS DATE) AS day, segment_id, sample_count AS net_count, numerator AS net_value "
        f"FROM {VALUES} WHERE indicator = '{indicator.id}' AND grain = '{grain}' "
        f"AND period_start = CAST('{previous_period(grain, begin)}' AS DATE)"
    )
