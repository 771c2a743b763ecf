"""How large a backlog becomes: what it was, plus what arrives, less what is completed (METHODS.md 4c).

The simulation is counted out: every past week's flow is as likely as any other, and weeks are drawn independently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hansei.signals.simple_forecasts import HORIZON


def backlog_ends(start: int, arrivals: Sequence[int], completed: Sequence[int]) -> list[int]:
    """Backlog at the end of each period of a known flow."""
    return (start + np.cumsum(_net(arrivals, completed))).tolist()


def throughput(completed: Sequence[int]) -> float:
    """Completed per period, on average."""
    return float(np.mean(completed))


@dataclass(frozen=True)
class BacklogAhead:
    """`probabilities[h - 1]`: of each size 0, 1 ... of the backlog h periods ahead; rows sum to 1."""

    probabilities: list[np.ndarray]

    def above(self, limit: float) -> list[float]:
        """Probability of a backlog above the limit, for each period ahead; equal is not above."""
        return [float(row[int(np.floor(max(limit, -1))) + 1 :].sum()) for row in self.probabilities]

    def means(self) -> list[float]:
        return [float(np.arange(len(row)) @ row) for row in self.probabilities]


def simulated(start: int, arrivals: Sequence[int], completed: Sequence[int], horizon: int = HORIZON) -> BacklogAhead:
    """Every way in which the past periods' flows can follow one another; nobody completes what is not there."""
    net = _net(arrivals, completed)
    if start < 0 or not len(net):
        raise ValueError(f"a backlog of {start} and {len(net)} periods of flow say nothing of what follows")
    lowest = int(net.min())
    flow = np.bincount(net - lowest) / len(net)
    now = np.zeros(start + 1)
    now[start] = 1.0
    rows = []
    for _ in range(horizon):
        moved = np.convolve(now, flow)  # place i stands for a backlog of i + lowest
        if lowest < 0:
            emptied = moved[: -lowest + 1].sum()
            now = np.concatenate([[emptied], moved[-lowest + 1 :]])
        else:
            now = np.concatenate([np.zeros(lowest), moved])
        rows.append(now)
    return BacklogAhead(rows)


def _net(arrivals: Sequence[int], completed: Sequence[int]) -> np.ndarray:
    if len(arrivals) != len(completed):
        raise ValueError(f"{len(arrivals)} periods of arrivals, but {len(completed)} of completed work")
    return np.asarray(arrivals, dtype=int) - np.asarray(completed, dtype=int)
