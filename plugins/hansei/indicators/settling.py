"""Settling counted parts with what is stored: what differs is written, and what had been said as final is restated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from hansei.catalog.measures import Indicator
from hansei.indicators.stored import ROW, SAID, VALUES
from hansei.indicators.values import values_sql
from hansei.warehouse.engine import Warehouse

_COMPARED = ("version", "sample_count", "state")
_MEASURED = ("numerator", "subtrahend", "denominator", "value")
_KNOWN = ("numerator", "denominator", "sample_count", "value", "state")
_TOLERANCE = 1e-9


class Settlement:
    """Turns the parts in `run_values` into stored values, a few indicators at a time, and counts what it did."""

    def __init__(self, warehouse: Warehouse, run_id: str, as_of: datetime, today: date) -> None:
        self.warehouse = warehouse
        self.run_id = run_id
        self.as_of = as_of
        self.today = today
        self.written = self.removed = self.restated = 0

    def add(self, group: Sequence[Indicator], count: int) -> None:
        """Stores `count` values of indicators of which nothing is stored: nothing to compare, written only once."""
        self._insert(f"({values_sql(self.warehouse.sql, group, self.today)}) AS fresh")
        self.written += count

    def settle(self, group: Sequence[Indicator], because: dict[str, str], stored_rows: str) -> None:
        """Writes what differs from `stored_rows`, a SELECT of the values of the cells that were counted.

        What is replaced is kept if it had been said as final. `because` says why what was said of an indicator is
        restated, where no row is the reason.
        """
        warehouse = self.warehouse
        warehouse.execute(f"CREATE TEMPORARY TABLE run_new AS {values_sql(self.warehouse.sql, group, self.today)}")
        differs = " OR ".join(f"stored.{name} IS DISTINCT FROM fresh.{name}" for name in _COMPARED)
        moved = " OR ".join([differs, *map(_apart, _MEASURED)])
        bounds = " OR ".join(map(_apart, ("lower_bound", "upper_bound")))
        same_row = " AND ".join(f"stored.{name} = fresh.{name}" for name in ROW)
        either = ", ".join(f"COALESCE(fresh.{name}, stored.{name}) AS {name}" for name in ROW)
        warehouse.execute(
            f"CREATE TEMPORARY TABLE run_differing AS SELECT {either}, fresh.segment_id IS NOT NULL AS is_fresh, "
            f"COALESCE({moved}, TRUE) AS has_moved, stored.known_since AS said_since "
            f"FROM run_new AS fresh FULL OUTER JOIN ({stored_rows}) AS stored ON {same_row} "
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
        for name in ("run_new", "run_differing"):
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


def _whens(because: dict[str, str], *causes: str) -> str:
    """WHEN branches that give the indicators with one of the causes their own."""
    named = sorted((name, cause) for name, cause in because.items() if cause in causes)
    return " ".join(f"WHEN stored.indicator = '{name}' THEN '{cause}'" for name, cause in named)


def _apart(name: str) -> str:
    """SQL: a stored and a fresh double differ by more than what summing in another order can do."""
    gap = f"ABS(stored.{name} - fresh.{name}) > {_TOLERANCE} * GREATEST(1.0, ABS(fresh.{name}))"
    return f"((stored.{name} IS NULL) <> (fresh.{name} IS NULL) OR COALESCE({gap}, FALSE))"
