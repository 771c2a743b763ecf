"""What is judged and what comes out, in the shapes that every rule of this package shares.

A block holds many series side by side: row = one indicator and segment, column = one period of their grain. Column 0
is the first period that any of them has, so that a column is the same period for all. NaN is "no usable value": missing,
too few data, unfinished or not ready. Such a period breaks every run and takes no part in any mean (METHODS.md 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Block:
    """`values`, `numerators`, `denominators`, `lower_bounds`, `upper_bounds`: float64, shape (series, periods).

    `phases`: int32 of the same shape, 0 in the first phase and one more from each period at which the process was
    rebased or its definition changed. `directions`: int8, shape (series,), 1 higher is better, -1 lower is better,
    0 neutral. `period_starts`: datetime64[D], shape (periods,), ascending and without gaps in the grain.
    """

    values: np.ndarray
    numerators: np.ndarray
    denominators: np.ndarray
    lower_bounds: np.ndarray
    upper_bounds: np.ndarray
    phases: np.ndarray
    directions: np.ndarray
    period_starts: np.ndarray


FindingState = Literal["breach_critical", "breach_warning", "within", "too_few_data", "not_ready"]


@dataclass(frozen=True)
class Finding:
    """What one threshold says of one segment in one finished period: all that an alarm needs to know.

    `is_recovered`: the value lies on the good side of the recovery level, which is milder than the limit. `distance`:
    how far beyond the limit, as a share of what the limit allows (0 where it is not). `reach`: the share of the
    service's cases of that period that fall into the segment, 0 to 1; None where it is not known. `is_supported`: the
    interval, corrected for the number of segments, lies beyond the limit too; None where there is no interval.
    """

    threshold_id: str
    indicator: str
    segment_id: str
    grain: str
    period_start: date
    next_start: date
    state: FindingState
    value: float | None
    limit: float
    is_supported: bool | None
    is_recovered: bool
    distance: float
    reach: float | None
    reason: str
