"""Static thresholds: does a finished period's value lie beyond its limit, and does its interval agree?

A static threshold says only whether a value misses its limit; whether anything changed is another question. A value
equal to the limit is no breach (METHODS.md 0.4). A period that is missing or too small never counts, and breaks a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from hansei.catalog.units import is_beyond

TOO_FEW_DATA = "too_few_data"
NOT_READY = "not_ready"
WITHIN = "within"
BREACH = {"warning": "breach_warning", "critical": "breach_critical"}


@dataclass(frozen=True)
class Observation:
    """One period of one series; `next_start` is the first day after it, which tells what follows what."""

    period_start: date
    next_start: date
    value: float | None
    lower_bound: float | None
    upper_bound: float | None
    state: str


@dataclass(frozen=True)
class Verdict:
    """What a threshold says of one period. `limit` is the one that was broken, else the first that would be."""

    period_start: date
    verdict: str
    level: str
    limit: float
    is_supported: bool | None
    consecutive_count: int
    first_breach_start: date | None


@dataclass(frozen=True)
class Limits:
    """Limits in the indicator's own unit, and the days from which and until which they hold."""

    warning: float | None
    critical: float | None
    direction: Literal["higher_is_better", "lower_is_better"]
    valid_from: date
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    @property
    def mildest(self) -> tuple[str, float]:
        return ("warning", self.warning) if self.warning is not None else ("critical", self.critical)

    def broken_by(self, value: float) -> tuple[str, float] | None:
        """The gravest limit that the value lies beyond."""
        for level, limit in (("critical", self.critical), ("warning", self.warning)):
            if limit is not None and is_beyond(value, limit, self.direction):
                return level, limit
        return None

    def is_supported(self, observation: Observation, limit: float) -> bool | None:
        """Whether the whole interval lies beyond the limit; None where there is no interval."""
        bound = observation.lower_bound if self.direction == "lower_is_better" else observation.upper_bound
        return None if bound is None else is_beyond(bound, limit, self.direction)


def judge(series: Sequence[Observation], limits: Limits, ready_until: date | None) -> list[Verdict]:
    """One verdict per finished period in which the limits hold, oldest first.

    `ready_until` is the first day that the sources do not cover completely; None: nothing is covered.
    """
    verdicts: list[Verdict] = []
    run_length, run_start, run_reaches = 0, None, None
    for observation in sorted(series, key=lambda item: item.period_start):
        if observation.state in ("incomplete", "immature") or not limits.holds_on(observation.period_start):
            continue
        level, limit = limits.mildest
        broken = None
        if ready_until is None or observation.next_start > ready_until:
            word = NOT_READY
        elif observation.state != "ok" or observation.value is None:
            word = TOO_FEW_DATA
        else:
            broken = limits.broken_by(observation.value)
            word = BREACH[broken[0]] if broken else WITHIN
        if broken:
            level, limit = broken
            follows = run_length and run_reaches == observation.period_start
            run_length, run_start = (run_length + 1, run_start) if follows else (1, observation.period_start)
            run_reaches = observation.next_start
        else:
            run_length, run_start, run_reaches = 0, None, None
        supported = limits.is_supported(observation, limit) if broken else None
        verdicts.append(Verdict(observation.period_start, word, level, limit, supported, run_length, run_start))
    return verdicts
