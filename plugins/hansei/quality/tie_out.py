"""Tie-out: what a source counts of its own against what our tables count, by day and status, each gap explained.

`gap = theirs - ours`, and `gap = sum of the explanations + unexplained` holds for every cell. Explanations that follow
from rows are exact: rows that we keep but do not count (deleted, merged, spam, bot-only), rows that wait (quarantined,
held), and rows that fall on another day because the source counts in another zone than reports do. The last one is a
bounded inference: what the source counted after our rows end (late).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.entities import Entity
from hansei.catalog.source_tallies import SourceCounts
from hansei.catalog.sources import Source
from hansei.quality.waiting_rows import WAITING_SCHEMA, waiting_rows
from hansei.settings import Settings
from hansei.sources.tallies import ALL_STATUSES
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.tables import create_table

EXCLUSIONS = ("deleted", "merged", "spam", "bot_only")
EXPLANATIONS = (*EXCLUSIONS, "quarantined", "held", "time_zone", "late")
Place = tuple[date, str]


@dataclass
class Cell:
    """One day and status: both counts, and what explains their difference."""

    theirs: int = 0
    ours: int = 0
    explained: Counter = field(default_factory=Counter)

    @property
    def gap(self) -> int:
        return self.theirs - self.ours

    @property
    def unexplained(self) -> int:
        return self.gap - sum(self.explained.values())

    def as_row(self, place: Place) -> dict[str, Any]:
        """The cell as a row of `ops.reconciliations`, without run, source and entity."""
        explained = {f"{name}_count": self.explained[name] for name in EXPLANATIONS}
        counts = {"their_count": self.theirs, "our_count": self.ours, "gap_count": self.gap}
        return {"day": place[0], "status": place[1], **counts, **explained, "unexplained_count": self.unexplained}


class TieOut:
    """One entity of one source, compared as far back as both the declaration and the source's count reach.

    theirs: columns day, status, count. taken_at: when the source counted; complete_until: where our rows of it end.
    """

    def __init__(
        self, warehouse: Warehouse, catalog: Catalog, settings: Settings, source: Source, counts: SourceCounts
    ) -> None:
        self.warehouse, self.catalog, self.settings = warehouse, catalog, settings
        self.source, self.counts = source, counts
        self.entity: Entity = catalog.entities[counts.entity]
        self.zone = ZoneInfo(counts.zone or source.zone or "UTC")
        self.status = "stored.status" if counts.status is not None else f"'{ALL_STATUSES}'"
        self.cells: dict[Place, Cell] = defaultdict(Cell)

    def compare(self, theirs: pa.Table, taken_at: datetime, complete_until: datetime | None) -> dict[Place, Cell]:
        """Every cell that either side counts, in order of day and status."""
        self.cells.clear()
        told = theirs.to_pylist()
        if not told:
            return {}
        reach = complete_until or taken_at
        last = max(max(row["day"] for row in told), self._day(reach))
        first = max(min(row["day"] for row in told), self._day(reach) - timedelta(days=self.counts.days - 1))
        self._plant_days(first, last)
        for row in told:
            if row["day"] >= first:
                self.cells[row["day"], row["status"] or "none"].theirs += row["count"]
        self._count_ours()
        unplaced = self._place_waiting()
        self._drop_days()
        is_later = complete_until is not None and taken_at > complete_until
        if is_later:
            self._explain_unfinished_days(complete_until)
        self._fill(unplaced)
        if is_later:
            self._explain_moves(taken_at, complete_until)
        return {place: self.cells[place] for place in sorted(self.cells) if first <= place[0] <= last}

    def _day(self, instant: datetime) -> date:
        return instant.replace(tzinfo=UTC).astimezone(self.zone).date()

    def _plant_days(self, first: date, last: date) -> None:
        """Temporary table `run_days`: where each day begins and ends, in the source's zone and in the reports'."""
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        records = []
        for basis, zone in (("source", self.zone), ("reporting", self.catalog.service.zone)):
            for day in days:
                start, end = (_midnight(zone, day + timedelta(days=more)) for more in (0, 1))
                records.append({"basis": basis, "day": day, "started_at": start, "ended_at": end})
        columns = {"basis": "text", "day": "date", "started_at": "timestamp", "ended_at": "timestamp"}
        create_table(self.warehouse, "run_days", columns, temporary=True)
        schema = [("basis", pa.string()), ("day", pa.date32())]
        schema += [("started_at", pa.timestamp("us")), ("ended_at", pa.timestamp("us"))]
        self.warehouse.load("run_days", pa.Table.from_pylist(records, pa.schema(schema)))
        self.since = min(record["started_at"] for record in records)

    def _drop_days(self) -> None:
        self.warehouse.execute("DROP TABLE run_days")

    def _count_ours(self) -> None:
        """Our counts by the reports' days; what the source's days and rules make of the same rows explains a gap."""
        for row in self.warehouse.rows(self._rows_query(), {"source": self.source.id, "since": self.since}):
            kinds = [kind for kind in EXCLUSIONS if row[f"is_{kind}"]]
            status, count = row["status"] or "none", row["row_count"]
            theirs, ours = (row["their_day"], status), (row["our_day"], status)
            if not kinds:
                self.cells[ours].ours += count
                if theirs != ours:
                    self.cells[ours].explained["time_zone"] -= count
                    self.cells[theirs].explained["time_zone"] += count
            elif not set(kinds) & set(self.counts.leaves_out):
                self.cells[theirs].explained[kinds[0]] += count
        for place in [place for place in self.cells if place[0] is None]:
            del self.cells[place]  # a row at the edge lies in the days of one zone only

    def _rows_query(self) -> str:
        key, table = self.entity.key, self.catalog.tables.get(f"core.{self.entity.id}")
        conditions = {**dict.fromkeys(EXCLUSIONS, "FALSE"), "deleted": "stored.deleted_at IS NOT NULL"}
        joined, status = "", self.status
        if table is not None and set(table.exclusions) & set(EXCLUSIONS) and self.warehouse.columns(table.table):
            known = {kind: table.exclusions[kind] for kind in EXCLUSIONS if kind in table.exclusions}
            flags = ", ".join(f"({condition}) AS has_{kind}" for kind, condition in known.items())
            named = "status, " if self.counts.status is not None else ""
            joined = f"LEFT JOIN (SELECT {key}, {named}{flags} FROM {table.table}) AS modelled USING ({key}) "
            conditions |= {kind: f"COALESCE(modelled.has_{kind}, FALSE)" for kind in known}
            if named:
                # Under `deleted` core keeps no status; the source's last word is what it counts by.
                status = "COALESCE(NULLIF(modelled.status, 'deleted'), stored.status)"
        flags = ", ".join(f"{condition} AS is_{kind}" for kind, condition in conditions.items())
        return (
            "SELECT their_day, our_day, status, is_deleted, is_merged, is_spam, is_bot_only, COUNT(*) AS row_count "
            f"FROM (SELECT theirs.day AS their_day, ours.day AS our_day, {status} AS status, {flags} "
            f"FROM {self.entity.table} AS stored {joined}"
            f"{self._joined('source', 'theirs', self._at)}{self._joined('reporting', 'ours', self._at)}"
            f"WHERE stored.source = :source AND {self._at} >= :since) AS counted "
            "WHERE their_day IS NOT NULL OR our_day IS NOT NULL "
            "GROUP BY their_day, our_day, status, is_deleted, is_merged, is_spam, is_bot_only"
        )

    @property
    def _at(self) -> str:
        return f"stored.{self.counts.counted_on}"

    def _joined(self, basis: str, name: str, at: str) -> str:
        return (
            f"LEFT JOIN run_days AS {name} ON {name}.basis = '{basis}' "
            f"AND {at} >= {name}.started_at AND {at} < {name}.ended_at "
        )

    def _place_waiting(self) -> list[tuple[str, date | None, int]]:
        """Rows that wait are counted where they would stand; those that cannot be placed come back: why, day, count."""
        waiting = waiting_rows(self.warehouse, self.catalog, self.settings, self.source, self.counts)
        if not waiting.num_rows:
            return []
        kinds = {"reason": "text", "key": "text", "happened_at": "timestamp", "status": "text"}
        create_table(self.warehouse, "run_waiting", kinds, temporary=True)
        self.warehouse.load("run_waiting", waiting.cast(WAITING_SCHEMA))
        waits_as = "waiting.status" if self.counts.status is not None else f"'{ALL_STATUSES}'"
        query = (
            "SELECT reason, is_undated, is_keyless, day, status, day_before, status_before, COUNT(*) AS row_count "
            "FROM (SELECT "
            "waiting.reason, waiting.happened_at IS NULL AS is_undated, waiting.key IS NULL AS is_keyless, "
            f"fresh.day, {waits_as} AS status, "
            f"known.day AS day_before, {self.status} AS status_before FROM run_waiting AS waiting "
            f"{self._joined('source', 'fresh', 'waiting.happened_at')}"
            f"LEFT JOIN {self.entity.table} AS stored ON stored.{self.entity.key} = waiting.key "
            f"AND stored.deleted_at IS NULL {self._joined('source', 'known', self._at)}) AS placed "
            "GROUP BY reason, is_undated, is_keyless, day, status, day_before, status_before"
        )
        unplaced = []
        for row in self.warehouse.rows(query):
            is_known, count = row["day_before"] is not None, row["row_count"]
            if row["day"] is not None and row["status"] is not None and not row["is_keyless"]:
                self.cells[row["day"], row["status"]].explained[row["reason"]] += count
                if is_known:
                    self.cells[row["day_before"], row["status_before"]].explained[row["reason"]] -= count
            elif not is_known and (row["is_undated"] or row["day"] is not None):
                unplaced.append((row["reason"], row["day"], count))
        self.warehouse.execute("DROP TABLE run_waiting")
        return unplaced

    def _fill(self, unplaced: list[tuple[str, date | None, int]]) -> None:
        """Waiting rows whose key, day or status nobody can read explain what the source has more: at most so many."""
        for reason, day, count in sorted(unplaced, key=lambda row: (row[1] is None, row[1] or date.min, row[0])):
            for _, cell in self._short(day):
                taken = min(count, cell.unexplained)
                cell.explained[reason] += taken
                count -= taken

    def _short(self, day: date | None = None) -> Iterator[tuple[Place, Cell]]:
        """Cells where the source counts more than we can explain."""
        for place in sorted(self.cells):
            if self.cells[place].unexplained > 0 and day in (None, place[0]):
                yield place, self.cells[place]

    def _explain_unfinished_days(self, complete_until: datetime) -> None:
        """Rows that are new on days which had not ended where our rows end."""
        for (day, _), cell in self._short():
            if _midnight(self.zone, day + timedelta(days=1)) > complete_until:
                cell.explained["late"] += cell.unexplained

    def _explain_moves(self, taken_at: datetime, complete_until: datetime) -> None:
        """Rows whose status has moved since our rows end: the day's sum stays as it is.

        No more rows are taken to have moved than in as long a time before.
        """
        left = self._usual_changes(taken_at, complete_until)
        for day in sorted({place[0] for place in self.cells}):
            more = [cell for place, cell in self._short() if place[0] == day]
            fewer = [cell for place, cell in sorted(self.cells.items()) if place[0] == day and cell.unexplained < 0]
            moved = sum(cell.unexplained for cell in more)
            if moved > left or moved != -sum(cell.unexplained for cell in fewer):
                continue
            left -= moved
            for cell in (*more, *fewer):
                cell.explained["late"] += cell.unexplained

    def _usual_changes(self, taken_at: datetime, complete_until: datetime) -> int:
        """How many rows the source changed in the time before `complete_until` that passed until it counted."""
        if "updated_at" not in self.entity.columns:
            return 0
        since = complete_until - max(taken_at - complete_until, timedelta(hours=1))
        return self.warehouse.scalar(
            f"SELECT COUNT(*) FROM {self.entity.table} WHERE source = :source AND updated_at >= :since",
            {"source": self.source.id, "since": since},
        )


def _midnight(zone: ZoneInfo, day: date) -> datetime:
    """Start of the day in the zone, as naive UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC).replace(tzinfo=None)
