"""The window of time that a run asks a source for. All instants are naive and in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Window:
    """Half open: `start <= t < end`. `start` None reaches back to the source's beginning."""

    start: datetime | None
    end: datetime

    def as_text(self) -> str:
        start = self.start.isoformat() if self.start else "the beginning"
        return f"{start} to {self.end.isoformat()} UTC"
