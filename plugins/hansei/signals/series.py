"""What is judged and what comes out, in the shapes that every rule of this package shares.

A block holds many series side by side: row = one indicator and segment, column = one period of their grain. Column 0
is the first period that any of them has, so that a column is the same period for all. NaN is "no usable value":
missing, too few data, unfinished or not ready. Such a period breaks every run and takes no part in any mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Block:
    """`values`: float64, shape (series, periods).

    `phases`: int32 of the same shape, 0 in the first phase and one more from each period at which the process was
    rebased or its definition changed. `directions`: int8, shape (series,), 1 higher is better, -1 lower is better,
    0 neutral. `period_starts`: datetime64[D], shape (periods,), ascending and without gaps in the grain.
    """

    values: np.ndarray
    phases: np.ndarray
    directions: np.ndarray
    period_starts: np.ndarray
