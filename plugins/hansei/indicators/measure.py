"""The stage that measures: recomputes the periods that a changed row entered or left, and notes what it restates.

The result equals a full recomputation: a period's values depend on the rows that are counted in it, and models leave
the old and the new dates of every row that they change. Periods that were unfinished are always computed again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.catalog.tables import TableModel
from hansei.indicators import formulas, scans
from hansei.indicators.collection import GRAINS, VALUES, Collection
from hansei.indicators.periods import local_date, periods_between
from hansei.warehouse.engine import Warehouse

_ROW = ("indicator", "grain", "period_start", "segment_id")
_COMPARED = ("version", "numerator", "subtrahend", "denominator", "sample_count", "state")
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

    def run(self) -> Measured:
        """All indicators, table by table, each table in one transaction with the removal of what it consumed."""
        by_table: dict[str, list[Indicator]] = defaultdict(list)
        for indicator in self.catalog.indicators.values():
            by_table[indicator.table].append(indicator)
        for name in sorted(by_table):
            with self.warehouse.transaction():
                self._measure_table(self.catalog.tables[name], sorted(by_table[name], key=lambda item: item.id))
        self._forget_removed_indicators()
        return Measured(self.written, self.removed, self.restated)

    def _measure_table(self, table: TableModel, indicators: list[Indicator]) -> None:
        redefined = {item.id for item in indicators if self._is_redefined(item)}
        rebuilt = self.warehouse.scalar(f"SELECT MAX(image) FROM {table.touched_table} WHERE image LIKE 'all:%'")
        for group in _groups(indicators):
            whole = [item for item in group if item.id in redefined or rebuilt or item.measure == "snapshot"]
            partial = [item for item in group if item not in whole]
            # A table that is there for the first time restates nothing; one that was rebuilt does, by definition.
            by_definition = {item.id for item in whole if rebuilt or item.id in redefined}
            self._measure_group(table, whole, None, set() if rebuilt == "all:created" else by_definition)
            if partial:
                touched = {grain: self._touched_periods(table, partial, grain) for grain in GRAINS}
                self._measure_group(table, partial, touched, set())
        self.warehouse.execute(f"DELETE FROM {table.touched_table}")
        for indicator in indicators:
            self._remember(indicator)

    def _measure_group(
        self, table: TableModel, group: list[Indicator], periods: dict[str, set[date]] | None, by_definition: set[str]
    ) -> None:
        """Every grain of indicators that share a date column; `periods` None computes all of them."""
        if not group or (periods is not None and not any(periods.values())):
            return
        collection = Collection(self.warehouse, self.catalog, table, group, self.today, periods)
        collection.collect()
        self._settle(group, periods is None, by_definition)
        collection.close()

    def _touched_periods(self, table: TableModel, group: list[Indicator], grain: str) -> set[date]:
        counted_on = group[0].counted_on
        period = self.warehouse.sql.period_start(grain, counted_on)
        touched = f"SELECT DISTINCT {period} AS period_start FROM {table.touched_table} WHERE {counted_on} IS NOT NULL"
        periods = {row["period_start"] for row in self.warehouse.rows(touched)}
        ids = self.warehouse.sql.text_list([item.id for item in group])
        unfinished = (
            f"SELECT DISTINCT period_start FROM {VALUES} "
            f"WHERE grain = :grain AND state = 'incomplete' AND indicator IN ({ids})"
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

    def _settle(self, group: list[Indicator], whole: bool, by_definition: set[str]) -> None:
        """Turns parts into values, writes what differs, and keeps what it replaces if that had been said as final."""
        warehouse = self.warehouse
        fresh = [self._values(item, grain) for item in group for grain in GRAINS if grain in item.grains]
        warehouse.execute(f"CREATE TEMPORARY TABLE run_new AS {' UNION ALL '.join(fresh)}")
        ids = warehouse.sql.text_list([item.id for item in group])
        scope = "" if whole else " AND (grain, period_start) IN (SELECT grain, period_start FROM run_periods)"
        differs = " OR ".join(f"stored.{name} IS DISTINCT FROM fresh.{name}" for name in _COMPARED)
        gap = f"ABS(stored.value - fresh.value) > {_TOLERANCE} * GREATEST(1.0, ABS(fresh.value))"
        same_row = " AND ".join(f"stored.{name} = fresh.{name}" for name in _ROW)
        either = ", ".join(f"COALESCE(fresh.{name}, stored.{name}) AS {name}" for name in _ROW)
        warehouse.execute(
            f"CREATE TEMPORARY TABLE run_differing AS SELECT {either}, fresh.segment_id IS NOT NULL AS is_fresh "
            f"FROM run_new AS fresh FULL OUTER JOIN (SELECT * FROM {VALUES} WHERE indicator IN ({ids}){scope}) "
            f"AS stored ON {same_row} "
            f"WHERE stored.indicator IS NULL OR fresh.indicator IS NULL OR {differs} "
            f"OR ((stored.value IS NULL) <> (fresh.value IS NULL)) OR COALESCE({gap}, FALSE)"
        )
        written, differing = warehouse.rows(
            "SELECT COUNT(CASE WHEN is_fresh THEN 1 END) AS written, COUNT(*) AS differing FROM run_differing"
        )[0].values()
        if differing:
            self._note_restatements(by_definition)
            self._write()
        self.written += written
        self.removed += differing - written
        for name in ("run_new", "run_differing"):
            warehouse.execute(f"DROP TABLE {name}")

    def _values(self, indicator: Indicator, grain: str) -> str:
        """SELECT of the indicator's finished rows from its parts in `run_values`."""
        lower, upper = formulas.bounds(indicator)
        today = f"CAST('{self.today.isoformat()}' AS DATE)"
        state = formulas.state(indicator, scans.period_end(grain), today)
        return (
            f"SELECT indicator, {indicator.version} AS version, grain, period_start, segment_id, numerator, "
            f"subtrahend, denominator, CAST(sample_count AS BIGINT) AS sample_count, "
            f"{formulas.value(indicator)} AS value, {lower} AS lower_bound, {upper} AS upper_bound, {state} AS state "
            f"FROM run_values WHERE indicator = '{indicator.id}' AND grain = '{grain}'"
        )

    def _write(self) -> None:
        keys = f"({', '.join(_ROW)}) IN (SELECT {', '.join(_ROW)} FROM run_differing)"
        names = (
            "indicator, version, grain, period_start, segment_id, numerator, subtrahend, denominator, sample_count, "
            "value, lower_bound, upper_bound, state"
        )
        self.warehouse.execute(f"DELETE FROM {VALUES} WHERE {keys}")
        self.warehouse.execute(
            f"INSERT INTO {VALUES} ({names}, run_id, known_since) SELECT {names}, :run_id, :as_of "
            f"FROM run_new WHERE {keys}",
            {"run_id": self.run_id, "as_of": self.as_of},
        )

    def _note_restatements(self, by_definition: set[str]) -> None:
        """What we said of a finished period, and what we know now. `late_data` changes how many, `correction` what."""
        redefined = self.warehouse.sql.text_list(sorted(by_definition)) if by_definition else "''"
        same_row = " AND ".join(f"{{0}}.{name} = stored.{name}" for name in _ROW)
        count_before = self.warehouse.scalar("SELECT COUNT(*) FROM ops.restatements")
        self.warehouse.execute(
            "INSERT INTO ops.restatements (restated_run_id, restated_at, indicator, version, grain, period_start, "
            "segment_id, said_since, numerator_before, denominator_before, sample_count_before, value_before, "
            "state_before, numerator_after, denominator_after, sample_count_after, value_after, state_after, reason) "
            "SELECT :run_id, :as_of, stored.indicator, stored.version, stored.grain, stored.period_start, "
            "stored.segment_id, stored.known_since, stored.numerator, stored.denominator, stored.sample_count, "
            "stored.value, stored.state, fresh.numerator, fresh.denominator, fresh.sample_count, fresh.value, "
            f"fresh.state, CASE WHEN stored.indicator IN ({redefined}) THEN 'definition' "
            "WHEN COALESCE(stored.sample_count, 0) IS DISTINCT FROM COALESCE(fresh.sample_count, 0) THEN 'late_data' "
            f"ELSE 'correction' END FROM {VALUES} AS stored "
            f"INNER JOIN run_differing AS differing ON {same_row.format('differing')} "
            f"LEFT JOIN run_new AS fresh ON {same_row.format('fresh')} "
            "WHERE stored.state <> 'incomplete'",
            {"run_id": self.run_id, "as_of": self.as_of},
        )
        self.restated += self.warehouse.scalar("SELECT COUNT(*) FROM ops.restatements") - count_before

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
            self.warehouse.execute(f"DELETE FROM {VALUES} WHERE indicator NOT IN ({kept})")
            self.warehouse.execute(
                f"DELETE FROM ops.model_states WHERE model LIKE 'indicator:%' AND SUBSTR(model, 11) NOT IN ({kept})"
            )


def fingerprint(catalog: Catalog, indicator: Indicator) -> str:
    """Hash of everything that moves the indicator's numbers; wording, owner and caveats do not."""
    meaning = indicator.model_dump(
        mode="json", exclude={"title", "question", "owner", "caveats", "valid_from", "direction"}
    )
    table = catalog.tables[indicator.table]
    return catalog.fingerprint(meaning, table.segments, table.exclusions, catalog.service.reporting_zone)


def _groups(indicators: Sequence[Indicator]) -> list[list[Indicator]]:
    """Indicators that one scan can count together: the same date column, snapshots apart."""
    groups: dict[tuple[str, bool], list[Indicator]] = defaultdict(list)
    for indicator in indicators:
        groups[indicator.counted_on, indicator.measure == "snapshot"].append(indicator)
    return list(groups.values())
