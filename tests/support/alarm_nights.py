"""Nights of a service whose signals are written as letters, one a week: `!` breach, `.` recovered, `-` between the two
levels, `s` too few data, `?` not ready, a blank for no row. What the alarms make of them is read back as words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hansei import board
from hansei.board import alarms
from hansei.catalog import Catalog
from hansei.catalog.alarms import AlarmPolicy
from hansei.catalog.thresholds import StaticThreshold
from hansei.connections import resolve
from hansei.indicators.periods import next_period, periods_between
from hansei.pipeline import Context
from hansei.pipeline.alarming import raise_alarms
from hansei.settings import Settings
from hansei.warehouse import Warehouse

MONDAY = date(2026, 6, 29)  # of 2026-W27
# verdict, is_alarming, is_recovered
SAID = {
    "!": ("breach_critical", True, False),
    "-": ("within", False, False),
    ".": ("within", False, True),
    "s": ("too_few_data", None, None),
    "?": ("not_ready", None, None),
}
Signals = Mapping[tuple[str, str], str]  # threshold id and segment id, to letters


def threshold(identity: str, **other: Any) -> StaticThreshold:
    """A weekly threshold on csat_top_box, whose alarms open at once and close after two good weeks."""
    policy = {name: other.pop(name) for name in list(other) if name in AlarmPolicy.model_fields}
    given = {"indicator": "csat_top_box", "unit": "ratio", "critical": 0.65, "owner": "customer-experience", **other}
    return StaticThreshold(
        id=identity,
        kind="static",
        reason="two in three is the floor",
        approver="head of service",
        valid_from=date(2026, 1, 1),
        alarm=AlarmPolicy(**policy),
        **given,
    )


@dataclass
class AlarmNights:
    """A warehouse and a board whose nights judge what they are given."""

    warehouse: Warehouse
    settings: Settings
    catalog: Catalog
    figures: dict[str, Any] = field(default_factory=dict)  # columns of every signal that breaches

    def context(self, now: datetime | None = None) -> Context:
        return Context(self.settings, self.catalog, resolve, lambda: now or datetime(2026, 10, 1))

    def use(self, *thresholds: StaticThreshold) -> None:
        self.catalog = replace(self.catalog, thresholds={one.id: one for one in thresholds})

    def night(self, signals: Signals, as_of: datetime | None = None) -> dict[str, int]:
        """Stores the signals as the night's judging leaves them, and raises alarms; counts of events."""
        rows = [row for key, letters in signals.items() for row in self._rows(*key, letters)]
        longest = max(map(len, signals.values()), default=0)
        as_of = as_of or datetime.combine(MONDAY, datetime.min.time()) + timedelta(weeks=longest)
        with self.warehouse.transaction():
            self.warehouse.execute("DELETE FROM indicators.signals")
            self.warehouse.insert("indicators.signals", rows)
            self.warehouse.execute("DELETE FROM ops.runs")
            self.warehouse.insert("ops.runs", [{"run_id": "night", "as_of": as_of}])
        return raise_alarms(self.context(), self.warehouse)

    def _rows(self, threshold_id: str, segment_id: str, letters: str) -> Iterator[dict[str, Any]]:
        limit = self.catalog.thresholds[threshold_id]
        starts = periods_between(limit.grain, MONDAY, MONDAY + timedelta(days=400))
        for start, letter in zip(starts, letters, strict=False):
            if letter == " ":
                continue
            verdict, is_alarming, is_recovered = SAID[letter]
            figures = {"distance": 0.1, "reach": 0.1, "level": "critical"} | self.figures
            yield {
                "kind": "static",
                "threshold_id": threshold_id,
                "indicator": limit.indicator,
                "grain": limit.grain,
                "period_start": start,
                "segment_id": segment_id,
                "verdict": verdict,
                "is_alarming": is_alarming,
                "is_recovered": is_recovered,
                "value": None if is_alarming is None else 0.5 if is_alarming else 0.8,
                "limit_value": 0.65,
                "owner": limit.owner,
                "reason": "The value lies beyond the limit." if is_alarming else "The value meets the limit.",
                **(figures if is_alarming else dict.fromkeys(figures)),
            }

    @contextmanager
    def board(self) -> Iterator[sa.Engine]:
        engine = board.open(self.settings)
        try:
            yield engine
        finally:
            engine.dispose()

    def alarms(self) -> dict[str, str]:
        """State of every alarm, by id."""
        with self.board() as engine:
            return {alarm.alarm_id: alarm.state for alarm in reversed(alarms.list_alarms(engine))}

    def events(self, alarm_id: str | None = None) -> list[str]:
        """What happened, and in which period: `opened 2026-06-29`."""
        with self.board() as engine:
            found = alarms.events_of(engine, alarm_id)
        return [f"{event.what} {event.period_start or ''}".strip() for event in found]

    def kept(self) -> dict[str, list[tuple]]:
        """Everything that the board keeps of alarms."""
        names = ("alarms", "alarm_parts", "alarm_events", "alarm_book")
        with self.board() as engine, engine.connect() as connection:
            return {
                name: sorted(tuple(map(str, row)) for row in connection.execute(sa.text(f"SELECT * FROM {name}")))
                for name in names
            }


def week(number: int) -> str:
    """First day of the week with this place in the letters, 0 for the first."""
    start = MONDAY
    for _ in range(number):
        start = next_period("week", start)
    return start.isoformat()
