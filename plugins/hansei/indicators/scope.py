"""What a night counts anew: the cells (period and segment) that a changed row entered or left, and whole periods.

A value depends on the rows of its cell alone, and models leave images of every row that they change, as it was and as
it is: a cell in which no image differs in what an indicator reads stands as it is. Counted whole, in every segment,
are periods that were not final, and those that begin. What is open at a period's end depends on all earlier moves: it
is counted from the first day on which a move differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from hansei.catalog.measures import ADDITIVE, GRAINS, Indicator
from hansei.catalog.tables import TableModel
from hansei.indicators import scans
from hansei.indicators.periods import period_start, periods_between
from hansei.indicators.stored import Stored
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.tables import create_table

CELLS, WHOLE = "run_cells", "run_whole"


@dataclass(frozen=True)
class Part:
    """The cells of indicators that share a table and a date; `periods` per grain: in which anything is counted."""

    name: str
    periods: dict[str, set[date]]

    def holds(self, grain: str) -> str:
        """SQL condition on period_start and segment_id of rows of this grain: it belongs to what is counted anew."""
        own = f"part = '{self.name}' AND grain = '{grain}'"
        return (
            f"(period_start IN (SELECT period_start FROM {WHOLE} WHERE {own}) OR (period_start, segment_id) IN "
            f"(SELECT period_start, segment_id FROM {CELLS} WHERE {own}))"
        )


class Scope:
    """The parts of one run, in two temporary tables. An indicator that is in none of them is counted as a whole."""

    def __init__(self, warehouse: Warehouse, stored: Stored, today: date) -> None:
        self.warehouse = warehouse
        self.stored = stored
        self.today = today
        self._part_of: dict[str, str] = {}
        columns = {"part": "text", "grain": "text", "period_start": "date"}
        create_table(warehouse, WHOLE, columns, temporary=True)
        create_table(warehouse, CELLS, {**columns, "segment_id": "text"}, temporary=True)

    def add(self, table: TableModel, group: Sequence[Indicator]) -> Part | None:
        """The part of the group's indicators; None where nothing of them has to be counted."""
        kind = "sums" if group[0].measure in ADDITIVE else "ranks"
        name = f"{table.table} {group[0].counted_on} {kind}"
        self.warehouse.execute(f"INSERT INTO {CELLS} {_cells_sql(self.warehouse, table, group, name)}")
        found = f"SELECT DISTINCT grain, period_start FROM {CELLS} WHERE part = '{name}'"
        periods = {grain: self._whole_periods(grain, group) for grain in GRAINS}
        self._load_whole(name, periods)
        for row in self.warehouse.rows(found):
            periods[row["grain"]].add(row["period_start"])
        self._part_of |= {item.id: name for item in group}
        return Part(name, periods) if any(periods.values()) else None

    def add_snapshot(self, table: TableModel, item: Indicator) -> Part | None:
        """The part of a snapshot: every period from the first move on in which the changed rows differ.

        What was open at the end of the period before is stored and stands, so nothing earlier is counted.
        """
        moved = self.warehouse.scalar(scans.first_move_scan(table, item)) if table.touched_table else None
        periods: dict[str, set[date]] = {grain: set() for grain in GRAINS}
        for grain in item.grains:
            begins = self._whole_periods(grain, [item]) | ({period_start(grain, moved)} if moved else set())
            if begins:
                periods[grain] = set(periods_between(grain, min(begins), self.today))
        self._load_whole(item.id, periods)
        self._part_of[item.id] = item.id
        return Part(item.id, periods) if any(periods.values()) else None

    def stored_rows(self, values: str, group: Sequence[Indicator]) -> str:
        """SELECT of the stored values of these indicators that a run has counted anew."""
        parts: dict[str | None, list[str]] = {}
        for item in group:
            parts.setdefault(self._part_of.get(item.id), []).append(item.id)
        selects = []
        for name, ids in parts.items():
            select = f"SELECT * FROM {values} WHERE indicator IN ({self.warehouse.sql.text_list(ids)})"
            if name:
                own = f"WHERE part = '{name}'"
                select += (
                    f" AND ((grain, period_start) IN (SELECT grain, period_start FROM {WHOLE} {own}) OR "
                    "(grain, period_start, segment_id) IN "
                    f"(SELECT grain, period_start, segment_id FROM {CELLS} {own}))"
                )
            selects.append(select)
        return " UNION ALL ".join(selects)

    def close(self) -> None:
        for table in (CELLS, WHOLE):
            self.warehouse.execute(f"DROP TABLE {table}")

    def _load_whole(self, name: str, periods: dict[str, set[date]]) -> None:
        places = [(grain, day) for grain in GRAINS for day in sorted(periods[grain])]
        if places:
            grains, days = zip(*places, strict=True)
            columns = {"grain": pa.array(grains), "period_start": pa.array(days, pa.date32())}
            self.warehouse.load(WHOLE, pa.table({"part": pa.array([name] * len(places)), **columns}))

    def _whole_periods(self, grain: str, group: Sequence[Indicator]) -> set[date]:
        """The periods that were not final, and the new: they begin without any row of their own, and show as empty."""
        places = [(item.id, grain) for item in group]
        periods = set().union(*(self.stored.unfinished.get(place, ()) for place in places))
        reached = [self.stored.newest[place] for place in places if place in self.stored.newest]
        if reached:
            periods.update(periods_between(grain, min(reached), self.today)[1:])
        return periods


def _cells_sql(warehouse: Warehouse, table: TableModel, group: Sequence[Indicator], name: str) -> str:
    """SELECT of part, grain, period_start and segment_id of what the changed rows of a table entered or left."""
    days = scans.cell_scan(group, table)
    selects = [
        f"SELECT DISTINCT '{name}' AS part, '{grain}' AS grain, "
        f"{warehouse.sql.period_start(grain, 'period_start')} AS period_start, segment_id FROM touched_days"
        for grain in GRAINS
    ]
    return f"WITH touched_days AS ({days}) {' UNION ALL '.join(selects)}"
