"""Rare events: a chart of how much lies between them, said of the periods in which they happen.

Weeks of 0, 0, 0, 1, 0 complaints tell little one by one. What is charted instead is the exposure (cases, or periods)
that passed from event to event: a long way means few events, a short way many. When within its period an event
happened is not known: the events of one period share the way since the period before that had one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansei.signals.limits import Figures

# Events of one period beyond so many add no points; by then they are not rare.
MOST_POINTS = 10


@dataclass(frozen=True)
class Events:
    """Ways between events, (series, most events), NaN behind the last, with the phase and column of each event.

    `open_way`: (series, periods), exposure since the last event, the period itself included; NaN where the phase had
    none. `numbers`: (series, periods), which event is the newest one, -1 before the first.
    """

    ways: np.ndarray
    phases: np.ndarray
    columns: np.ndarray
    open_way: np.ndarray
    numbers: np.ndarray


def between_events(figures: Figures, phases: np.ndarray, is_counted: bool) -> Events:
    """`figures.counts`: events of each period; `sizes`: its exposure (None: each period weighs 1).

    `is_counted`: the way is cases without an event (g), one less than the exposure per event (t). The way to the first
    events of a phase is not known: nobody knows when the one before them was. A period without a value is no exposure.
    """
    counts = np.where(figures.is_usable, figures.counts, 0.0)
    sizes = np.ones(counts.shape) if figures.sizes is None else figures.sizes
    exposure = np.cumsum(np.where(figures.is_usable, sizes, 0.0), axis=1)
    less = 1.0 if is_counted else 0.0
    since = exposure - _at_the_last(exposure, counts, phases, is_before=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        way = np.maximum(since / counts - less, 0.0)
    points = np.minimum(np.ceil(counts), MOST_POINTS).astype("int64")
    numbers = np.cumsum(points, axis=1) - 1
    shape = (len(counts), int(numbers.max(initial=-1)) + 1)
    row, column = np.nonzero(points)
    repeats = points[row, column]
    rows, columns = np.repeat(row, repeats), np.repeat(column, repeats)
    totals = points.sum(axis=1)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(totals) - totals, totals)
    ways, at, own = np.full(shape, np.nan), np.zeros(shape, dtype="int32"), np.zeros(shape, dtype="int32")
    ways[rows, place], at[rows, place], own[rows, place] = way[rows, columns], columns, phases[rows, columns]
    open_way = exposure - _at_the_last(exposure, counts, phases, is_before=False)
    # Behind the last event its phase goes on, so that nothing begins there.
    return Events(ways, np.maximum.accumulate(own, axis=1), at, np.maximum(open_way - less, 0.0), numbers)


def _at_the_last(exposure: np.ndarray, counts: np.ndarray, phases: np.ndarray, is_before: bool) -> np.ndarray:
    """Exposure that had passed when the last event of the phase so far happened; NaN where there was none.

    `is_before`: of the last one before the period itself.
    """
    column = np.where(counts > 0, np.arange(counts.shape[1]), -1)
    if is_before:
        column = np.concatenate([np.full((len(column), 1), -1), column[:, :-1]], axis=1)[:, : counts.shape[1]]
    last = np.maximum.accumulate(column, axis=1)
    place = np.maximum(last, 0)
    is_own = (last >= 0) & (np.take_along_axis(phases, place, axis=1) == phases)
    return np.where(is_own, np.take_along_axis(exposure, place, axis=1), np.nan)
