"""Whether the questions of one scale measure one thing: Cronbach's alpha."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Alpha:
    """Cronbach's alpha, its interval (Feldt 1965), and how many complete answers it rests on.

    It can be negative: then the questions contradict each other, most often because one is worded the other way round.
    """

    alpha: float
    interval: tuple[float, float]
    respondent_count: int


def cronbach_alpha(answers: ArrayLike, confidence: float = 0.95) -> Alpha | None:
    """Alpha of a table of answers, one row per respondent, one column per question; NaN where one was not answered.

    Respondents who left a question out are left out whole. None where fewer than two questions or complete
    respondents remain, or all of them have the same sum.
    """
    from scipy import special

    table = np.asarray(answers, dtype=float)
    if table.ndim != 2:
        raise ValueError(f"answers form a table of respondents and questions, not one of shape {table.shape}")
    table = table[~np.isnan(table).any(axis=1)]
    people, questions = table.shape
    if people < 2 or questions < 2:
        return None
    total = float(table.sum(axis=1).var(ddof=1))
    if total == 0:
        return None
    alpha = questions / (questions - 1) * (1 - float(table.var(axis=0, ddof=1).sum()) / total)
    tail = (1 - confidence) / 2
    freedom = people - 1, (people - 1) * (questions - 1)
    low, high = (1 - (1 - alpha) * float(special.fdtri(*freedom, level)) for level in (1 - tail, tail))
    return Alpha(alpha, (low, high), people)
