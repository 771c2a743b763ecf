"""Weights from pairwise judgements: Saaty's analytic hierarchy process (AHP).

A judgement says how many times as important one thing is as another, on the scale 1 to 9. The weights are the
principal eigenvector of the matrix of judgements; its consistency ratio says how far these contradict one another.
Sources: Saaty 1980; Forman & Peniwati 1998 (several judges: geometric mean of each judgement); Donegan & Dodd 1991.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

# Mean consistency index of random matrices of each size. Published tables differ, so a result names its table.
RANDOM_INDEX: dict[str, dict[int, float]] = {
    "saaty_1980": {3: 0.58, 4: 0.90, 5: 1.12, 6: 1.24, 7: 1.32, 8: 1.41, 9: 1.45, 10: 1.49},
    "saaty_2005": {3: 0.52, 4: 0.89, 5: 1.11, 6: 1.25, 7: 1.35, 8: 1.40, 9: 1.45, 10: 1.49},
    "donegan_dodd": {
        3: 0.4914,
        4: 0.8286,
        5: 1.0591,
        6: 1.1797,
        7: 1.2519,
        8: 1.3171,
        9: 1.3733,
        10: 1.4055,
    },
}
ACCEPTED_BELOW = 0.10
MOST_THINGS = 10
_RECIPROCAL_WITHIN = 1e-6


@dataclass(frozen=True)
class Doubt:
    """The three judgements that contradict each other most, as positions of the things compared.

    `factor` is how far going round the triple misses 1 (1: no contradiction): a is x times b and b is y times c, but a
    is not x*y times c. Of the three, (`first`, `second`) is farthest from what all other judgements imply by going
    through a third thing: it was judged `judged`, they imply `implied` (their geometric mean).
    """

    triple: tuple[int, int, int]
    factor: float
    first: int
    second: int
    judged: float
    implied: float


@dataclass(frozen=True)
class Weighing:
    """Weights (they sum to 1), how consistent the judgements are, and where they contradict each other most."""

    weights: np.ndarray
    lambda_max: float
    consistency_index: float
    consistency_ratio: float
    random_index: str
    doubt: Doubt | None

    @property
    def is_consistent(self) -> bool:
        return self.consistency_ratio < ACCEPTED_BELOW


def weigh(matrix: Sequence[Sequence[float]] | np.ndarray, random_index: str = "saaty_1980") -> Weighing:
    """Weights of a reciprocal matrix; `matrix[i][j]` is how many times as important i is as j.

    Two things or fewer cannot contradict each other: their ratio is 0. ValueError where the matrix is not square,
    positive and reciprocal, is larger than the tables reach (10), or the table is unknown.
    """
    judged = _reciprocal(matrix)
    size = len(judged)
    if random_index not in RANDOM_INDEX:
        raise ValueError(f"no table of random indices {random_index!r}; known are {', '.join(RANDOM_INDEX)}")
    values, vectors = np.linalg.eig(judged)
    principal = int(np.argmax(values.real))
    weights = np.abs(vectors[:, principal].real)
    weights /= weights.sum()
    largest = float(values[principal].real)
    if size <= 2:
        return Weighing(weights, largest, 0.0, 0.0, random_index, None)
    index = (largest - size) / (size - 1)
    # Rounding can put a consistent matrix a hair below its size, and no ratio is negative.
    ratio = max(index, 0.0) / RANDOM_INDEX[random_index][size]
    return Weighing(weights, largest, index, ratio, random_index, _doubt(judged))


def together(matrices: Sequence[Sequence[Sequence[float]] | np.ndarray]) -> np.ndarray:
    """One matrix of several judges with equal voices: the geometric mean of each judgement, which stays reciprocal."""
    judged = [_reciprocal(matrix) for matrix in matrices]
    if not judged:
        raise ValueError("no judge has judged anything")
    if len({len(matrix) for matrix in judged}) > 1:
        raise ValueError("the judges compare different numbers of things")
    return np.exp(np.mean([np.log(matrix) for matrix in judged], axis=0))


def row_means(matrix: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    """Weights by the geometric mean of each row: equal to the eigenvector where nothing contradicts, else near it."""
    means = np.exp(np.log(_reciprocal(matrix)).mean(axis=1))
    return means / means.sum()


def composed(criteria: Sequence[float] | np.ndarray, local: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    """Weights over a hierarchy: each row of `local` holds the weights under one criterion (distributive mode)."""
    return np.asarray(criteria, dtype=float) @ np.asarray(local, dtype=float)


def _reciprocal(matrix: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    judged = np.asarray(matrix, dtype=float)
    if judged.ndim != 2 or judged.shape[0] != judged.shape[1] or judged.size == 0:
        raise ValueError(f"judgements form a square matrix, not one of shape {judged.shape}")
    if len(judged) > MOST_THINGS:
        raise ValueError(f"{len(judged)} things are compared; beyond {MOST_THINGS} group them in a hierarchy")
    if not np.isfinite(judged).all() or (judged <= 0).any():
        raise ValueError("a judgement is a positive number")
    apart = np.argwhere(np.abs(judged * judged.T - 1) > _RECIPROCAL_WITHIN)
    if len(apart):
        row, column = map(int, apart[0])
        raise ValueError(
            f"judgements ({row}, {column}) = {judged[row, column]:g} and ({column}, {row}) = {judged[column, row]:g} "
            "are not reciprocal"
        )
    return judged


def _doubt(judged: np.ndarray) -> Doubt | None:
    """The triple that misses 1 by the largest factor (Koczkodaj 1993); None where every triple agrees."""
    triples = list(combinations(range(len(judged)), 3))
    gaps = [abs(float(np.log(judged[a, b] * judged[b, c] * judged[c, a]))) for a, b, c in triples]
    # Contradictions of the same size differ in the last digit by the order of multiplication: the first one counts.
    worst = next(position for position, gap in enumerate(gaps) if gap >= max(gaps) - 1e-9)
    if gaps[worst] < 1e-9:
        return None
    misfits = [
        (round(abs(float(np.log(judged[i, j] / _implied(judged, i, j)))), 9), -i, -j)
        for i, j in combinations(triples[worst], 2)
    ]
    first, second = (-position for position in max(misfits)[1:])
    if judged[first, second] < 1:
        first, second = second, first
    implied = _implied(judged, first, second)
    return Doubt(triples[worst], float(np.exp(gaps[worst])), first, second, float(judged[first, second]), implied)


def _implied(judged: np.ndarray, first: int, second: int) -> float:
    """How many times as important `first` is as `second` by way of every third thing; the judgement itself left out."""
    others = [third for third in range(len(judged)) if third not in (first, second)]
    return float(np.exp(np.mean([np.log(judged[first, third] * judged[third, second]) for third in others])))
