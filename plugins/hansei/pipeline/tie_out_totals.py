"""`ops.reconciliations` summed for people: per source and entity, and the days that differ most."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime
from typing import Any

from hansei.quality.tie_out import EXPLANATIONS
from hansei.reviews.foundations import Explained, TieOut, TieOutDay
from hansei.reviews.tie_outs import MOST_DAYS
from hansei.warehouse import Warehouse

_COUNTS = ("their", "our", *EXPLANATIONS, "unexplained")


def newest_tie_outs(warehouse: Warehouse, as_of: datetime) -> list[TieOut]:
    """The newest comparison of each source and entity that was known then."""
    if "ops.reconciliations" not in warehouse.tables():
        return []  # the read copy of an earlier release
    newest = (
        "SELECT source, entity, MAX(as_of) AS as_of FROM ops.reconciliations WHERE as_of <= :as_of "
        "GROUP BY source, entity"
    )
    joined = (
        f"INNER JOIN ({newest}) AS newest ON newest.source = told.source AND newest.entity = told.entity "
        "AND newest.as_of = told.as_of"
    )
    return _summed(warehouse, joined, {"as_of": as_of})


def tie_outs_of(warehouse: Warehouse, run_id: str) -> list[TieOut]:
    """What one run compared."""
    return _summed(warehouse, "WHERE told.run_id = :run_id", {"run_id": run_id})


def _summed(warehouse: Warehouse, chosen: str, parameters: dict[str, Any]) -> list[TieOut]:
    sums = ", ".join(f"CAST(SUM({name}_count) AS BIGINT) AS {name}" for name in _COUNTS)
    query = (
        f"SELECT told.source, told.entity, told.day, {sums}, "
        "CAST(SUM(ABS(unexplained_count)) AS BIGINT) AS doubted "
        f"FROM ops.reconciliations AS told {chosen} GROUP BY told.source, told.entity, told.day"
    )
    days: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in warehouse.rows(query, parameters):
        days[row["source"], row["entity"]].append(row)
    return [_tie_out(source, entity, rows) for (source, entity), rows in sorted(days.items())]


def _tie_out(source: str, entity: str, rows: list[dict[str, Any]]) -> TieOut:
    totals: Counter = Counter()
    for row in rows:
        totals.update({name: row[name] for name in (*_COUNTS, "doubted")})
    days = sorted((_day(row) for row in rows), key=_order)
    return TieOut(
        source=source,
        entity=entity,
        first_day=min(row["day"] for row in rows),
        last_day=max(row["day"] for row in rows),
        theirs=totals["their"],
        ours=totals["our"],
        explained=_explained(totals),
        unexplained=totals["doubted"],
        days=tuple(day for day in days if day.explained or day.unexplained)[:MOST_DAYS],
    )


def _day(row: dict[str, Any]) -> TieOutDay:
    counts = {"theirs": row["their"], "ours": row["our"], "unexplained": row["doubted"]}
    return TieOutDay(day=row["day"], explained=_explained(row), **counts)


def _explained(counts: Any) -> tuple[Explained, ...]:
    return tuple(Explained(reason=name, count=counts[name]) for name in EXPLANATIONS if counts[name])


def _order(day: TieOutDay) -> tuple[int, int, date]:
    return (-day.unexplained, -abs(day.theirs - day.ours), day.day)
