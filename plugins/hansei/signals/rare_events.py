"""Rare events: a chart of how much lies between them, said of the periods in which they happen.

Weeks of 0, 0, 0, 1, 0 complaints tell little one by one. What is charted instead is the exposure (cases, or periods)
that passed per event since the last period that had one: a long way means few events, a short way many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansei.signals.limits import Figures
from hansei.signals.windows import place_in_phase


@dataclass(frozen=True)
class Events:
    """Ways between events, (series, most events), NaN behind the last, with the phase and column of each event.

    `open_way`: (series, periods), exposure since the last event, the period itself included; NaN before the first.
    `numbers`: (series, periods), which event is the newest one, -1 before the first.
    """

    ways: np.ndarray
    phases: np.ndarray
    columns: np.ndarray
    open_way: np.ndarray
    numbers: np.ndarray


def between_events(figures: Figures, phases: np.ndarray, is_counted: bool) -> Events:
    """`figures.counts`: events of each period; `sizes`: its exposure (None: each period weighs 1).

    `is_counted`: the way is cases without an event (g), one less than the exposure per event (t). The way to the first
    event of a phase is not known: nobody knows when the one before it was. A period without a value is no exposure.
    """
    counts = np.where(figures.is_usable, figures.counts, 0.0)
    sizes = np.ones(counts.shape) if figures.sizes is None else figures.sizes
    exposure = np.cumsum(np.where(figures.is_usable, sizes, 0.0), axis=1)
    has_event = counts > 0
    numbers = np.cumsum(has_event, axis=1) - 1
    row, column = np.nonzero(has_event)
    shape = (len(counts), int(numbers.max(initial=-1)) + 1)
    columns = np.zeros(shape, dtype="int32")
    columns[row, numbers[row, column]] = column
    is_event = np.arange(shape[1]) <= numbers[:, -1:] if counts.shape[1] else np.zeros(shape, dtype=bool)
    rows = np.arange(len(counts))[:, None]
    reached = exposure[rows, columns]
    ways = np.full(shape, np.nan)
    ways[:, 1:] = (reached[:, 1:] - reached[:, :-1]) / np.where(is_event, counts[rows, columns], np.nan)[:, 1:]
    own_phases = np.where(is_event, phases[rows, columns], 0)
    # Behind the last event the phase goes on, so that nothing begins there.
    own_phases = np.maximum.accumulate(own_phases, axis=1).astype("int32")
    ways[(place_in_phase(own_phases) == 0) | ~is_event] = np.nan
    last = np.take_along_axis(reached, np.maximum(numbers, 0), axis=1) if shape[1] else np.zeros(counts.shape)
    is_after = numbers >= 0
    if shape[1]:
        is_after &= np.take_along_axis(own_phases, np.maximum(numbers, 0), axis=1) == phases
    open_way = np.where(is_after, exposure - last, np.nan)
    less = 1.0 if is_counted else 0.0
    return Events(np.maximum(ways - less, 0.0), own_phases, columns, np.maximum(open_way - less, 0.0), numbers)
