"""What the demo's three nights found, read from the read copy that the last night published."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from .troubles import expected


class Findings:
    """Queries on the read copy; every answer is a list of rows."""

    def __init__(self, read_copy: Path) -> None:
        import duckdb

        self._connection = duckdb.connect(str(read_copy), read_only=True)

    def close(self) -> None:
        self._connection.close()

    def rows(self, query: str, *parameters: Any) -> list[tuple]:
        return self._connection.execute(query, parameters).fetchall()

    def counts(self, run_id: str) -> tuple[int, int, int, int]:
        """Rows received, accepted, quarantined and repeated in one run."""
        query = """
            SELECT SUM(received_count), SUM(accepted_count), SUM(quarantined_count), SUM(duplicate_count)
            FROM ops.batches
            WHERE run_id = ?
        """
        return self.rows(query, run_id)[0]

    def restated(self) -> int:
        """Weekly values that changed after they had been published."""
        return self.rows("SELECT COUNT(*) FROM ops.restatements WHERE grain = 'week'")[0][0]

    def breaches(self, week: date) -> list[tuple[str, str]]:
        """(indicator, segment) of every threshold that is broken in the week."""
        query = """
            SELECT DISTINCT indicator, segment_id FROM indicators.signals
            WHERE grain = 'week' AND period_start = ? AND starts_with(verdict, 'breach') ORDER BY 1, 2
        """
        return self.rows(query, week)

    def alarms(self) -> list[tuple[str, str]]:
        """(id, severity) of the alarms that stand, the gravest first."""
        query = """
            SELECT alarm_id, severity FROM board.alarms WHERE state <> 'closed'
            ORDER BY list_position(['major', 'important', 'general'], severity), alarm_id
        """
        return self.rows(query)


def troubles_found(breaches: list[tuple[str, str]], week: str) -> list[tuple[str, bool]]:
    """The planted troubles that break a threshold in `week`: what happened, and whether the pipeline found it."""
    planted = [trouble for trouble in expected()["troubles"] if week in trouble.get("breaches", [])]
    return [(trouble["what"], (trouble["indicator"], trouble["segment"]) in breaches) for trouble in planted]


def newest_brief(home: Path) -> Path:
    """The document of the latest weekly brief in the archive."""
    briefs = sorted(
        (home / "archive" / "reviews" / "weekly_brief").rglob("brief.html"), key=lambda path: path.stat().st_mtime
    )
    if not briefs:
        raise FileNotFoundError(f"no brief in {home / 'archive'}")
    return briefs[-1]
