"""Which segments moved a share or a mean, and how sure that is: drivers apart from candidates, dimension by dimension.

Each dimension is decomposed alone, so that no order of asking decides the answer; then the search goes on inside the
segment that moved most. A segment is a driver only where it moved at least a fifth of the change and its own rate
changed by more than chance would (Newcombe's interval for shares, Welch's for means; p-values after Benjamini and
Hochberg over every segment of every dimension), in a dimension that holds the change better than shuffled labels do:
where everything moved alike, each segment changed, and none of them is why. Whatever else stands out is a candidate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from hansei.methods.decomposition import Decomposition, SegmentShift, decompose, symmetric_effects
from hansei.methods.proportions import adjusted, difference_interval

OTHER = "(other)"
LEAST_CASES = 10  # a segment with fewer in both periods is pooled with its like
DRIVING_SHARE = 0.2
SURE = 0.05
DEEPEST = 3
SHUFFLES = 200
MOST_STRONGEST = 3


@dataclass(frozen=True)
class Cells:
    """Cases of two periods, cut by every dimension at once: one entry per combination.

    dimensions: segment values per dimension. n: cases, x: successes or sums, q: sums of squares (of a share: x again);
    0 before, 1 now.
    """

    dimensions: Mapping[str, np.ndarray]
    n0: np.ndarray
    x0: np.ndarray
    q0: np.ndarray
    n1: np.ndarray
    x1: np.ndarray
    q1: np.ndarray
    is_share: bool = True

    def by(self, dimension: str) -> tuple[list[str], np.ndarray]:
        """The dimension's values in order, and the six sums of each as an array (6, values)."""
        values, codes = np.unique(self.dimensions[dimension], return_inverse=True)
        sums = (self.n0, self.x0, self.q0, self.n1, self.x1, self.q1)
        return values.tolist(), np.array([np.bincount(codes, part, len(values)) for part in sums])

    def within(self, dimension: str, value: str) -> Cells:
        """The cells of one segment, without the dimension that it is told by."""
        mask = self.dimensions[dimension] == value
        rest = {name: found[mask] for name, found in self.dimensions.items() if name != dimension}
        parts = {name: getattr(self, name)[mask] for name in ("n0", "x0", "q0", "n1", "x1", "q1")}
        return replace(self, dimensions=rest, **parts)


@dataclass(frozen=True)
class MovedSegment:
    """A segment's shift, the interval of its own rate's change (None: too little to say), and what that makes it."""

    shift: SegmentShift
    lower: float | None
    upper: float | None
    p: float | None
    role: str  # driver, candidate, other


@dataclass(frozen=True)
class MovedDimension:
    """One way of cutting. `explained`: share of the movement that its three strongest segments hold, 0 to 1.
    `beyond_chance`: how much more the movement is that of few segments than with shuffled labels, 0 to 1, by which
    dimensions are ranked; `p`: how often shuffled labels reach as much, which is sure after Bonferroni."""

    name: str
    parts: Decomposition
    segments: tuple[MovedSegment, ...]
    explained: float
    beyond_chance: float
    p: float
    is_beyond_chance: bool


@dataclass(frozen=True)
class Explanation:
    """Why a rate moved: the dimensions, the one that explains most first, and the way down into the top segments.

    lower, upper: interval of the whole change; None where a period has fewer than ten cases.
    """

    rate0: float
    rate1: float
    n0: float
    n1: float
    lower: float | None
    upper: float | None
    dimensions: tuple[MovedDimension, ...]
    path: tuple[tuple[str, MovedSegment], ...] = ()

    @property
    def change(self) -> float:
        return self.rate1 - self.rate0

    def drivers(self) -> list[tuple[str, MovedSegment]]:
        """Every driver with its dimension, strongest first."""
        found = [(d.name, s) for d in self.dimensions for s in d.segments if s.role == "driver"]
        return sorted(found, key=lambda item: -abs(item[1].shift.total))


def explain(cells: Cells, seed: int = 0) -> Explanation | None:
    """The change from the first period to the second; None where one of them has no case, or nothing moved.

    `seed` makes the shuffles, and with them the ranking, the same each time.
    """
    found = _explain_once(cells, seed)
    if found is None:
        return None
    path, inside, here = [], cells, found
    while here is not None and len(path) < DEEPEST:
        step = _strongest(here)
        if step is None:
            break
        path.append(step)
        inside = inside.within(step[0], step[1].shift.key)
        here = _explain_once(inside, seed) if inside.dimensions else None
    return replace(found, path=tuple(path))


def _explain_once(cells: Cells, seed: int) -> Explanation | None:
    n0, n1 = float(cells.n0.sum()), float(cells.n1.sum())
    if not n0 or not n1:
        return None
    rate0, rate1 = float(cells.x0.sum()) / n0, float(cells.x1.sum()) / n1
    if rate0 == rate1:
        return None
    drafts = []
    for name in cells.dimensions:
        keys, sums = _pooled(*cells.by(name))
        parts = decompose(keys, sums[0], sums[1], sums[3], sums[4])
        if parts is not None and len(parts.segments) > 1:
            drafts.append((name, parts, {key: sums[:, at] for at, key in enumerate(keys)}))
    tested = [
        (name, segment, *_own_change(sums[segment.key], cells.is_share))
        for name, parts, sums in drafts
        for segment in parts.segments
    ]
    known = [row[4] for row in tested if row[4] is not None]
    corrected = iter(adjusted(known))
    ps = [None if row[4] is None else next(corrected) for row in tested]
    moved: dict[str, list[MovedSegment]] = {}
    for (name, segment, lower, upper, _), p in zip(tested, ps, strict=True):
        role = _role(segment, rate1 - rate0, lower, upper, p)
        moved.setdefault(name, []).append(MovedSegment(segment, lower, upper, p, role))
    sure = SURE / max(len(drafts), 1)  # Bonferroni: each dimension is another chance to stand out
    dimensions = [
        _dimension(name, parts, np.array(list(sums.values())), moved[name], cells.is_share, sure, seed)
        for name, parts, sums in drafts
    ]
    ranked = sorted(dimensions, key=lambda d: (-d.beyond_chance, -d.explained, d.name))
    whole = np.array([part.sum() for part in (cells.n0, cells.x0, cells.q0, cells.n1, cells.x1, cells.q1)])
    lower, upper, _ = _own_change(whole, cells.is_share)
    return Explanation(rate0, rate1, n0, n1, lower, upper, tuple(ranked))


def _pooled(keys: list[str], sums: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Segments with fewer than ten cases in both periods become one."""
    few = (sums[0] < LEAST_CASES) & (sums[3] < LEAST_CASES)
    if few.sum() < 2:
        return keys, sums
    kept = [key for key, is_few in zip(keys, few, strict=True) if not is_few]
    return [*kept, OTHER], np.column_stack([sums[:, ~few], sums[:, few].sum(axis=1)])


def _own_change(sums: np.ndarray, is_share: bool) -> tuple[float | None, float | None, float | None]:
    """Interval and p-value of the segment's own change; None where a period has too few cases to say."""
    n0, x0, q0, n1, x1, q1 = sums
    if min(n0, n1) < LEAST_CASES:
        return None, None, None
    if is_share:
        return _two_shares(int(x1), int(n1), int(x0), int(n0))
    return _welch(n0, x0, q0, n1, x1, q1)


def _two_shares(x1: int, n1: int, x0: int, n0: int) -> tuple[float, float, float]:
    """Newcombe's interval of the first share less the second, and the p-value of chi² (1 where all are alike)."""
    from scipy import special

    low, high = difference_interval(x1, n1, x0, n0)
    pooled = (x0 + x1) / (n0 + n1)
    spread = pooled * (1 - pooled) * (1 / n0 + 1 / n1)
    p = 1.0 if spread == 0 else float(2 * special.ndtr(-abs(x1 / n1 - x0 / n0) / sqrt(spread)))
    return low, high, p


def _welch(n0, x0, q0, n1, x1, q1) -> tuple[float | None, float | None, float | None]:
    """Welch's interval and test of the difference of two means."""
    from scipy import special

    variances = [max((q - x * x / n) / (n - 1), 0.0) / n for n, x, q in ((n0, x0, q0), (n1, x1, q1))]
    error = sqrt(sum(variances))
    difference = float(x1 / n1 - x0 / n0)
    if error == 0:
        return difference, difference, 1.0 if difference == 0 else 0.0
    freedom = sum(variances) ** 2 / (variances[0] ** 2 / (n0 - 1) + variances[1] ** 2 / (n1 - 1))
    half = float(special.stdtrit(freedom, 0.975)) * error
    p = float(2 * special.stdtr(freedom, -abs(difference) / error))
    return difference - half, difference + half, p


def _role(shift: SegmentShift, change: float, lower: float | None, upper: float | None, p: float | None) -> str:
    """driver, candidate or other: how much of the change a segment holds, and whether its own rate changed."""
    if shift.key == OTHER or shift.total * change <= 0 or abs(shift.total) < DRIVING_SHARE * abs(change):
        return "other"
    is_sure = p is not None and p <= SURE and not lower <= 0 <= upper
    return "driver" if is_sure and shift.rate_effect * change > 0 else "candidate"


def _dimension(
    name: str,
    parts: Decomposition,
    sums: np.ndarray,
    segments: list[MovedSegment],
    is_share: bool,
    sure: float,
    seed: int,
) -> MovedDimension:
    totals = np.array([[segment.shift.total for segment in segments]])
    shuffled = _concentration(_shuffled(sums, is_share, seed), parts.change)
    own = float(_concentration(totals, parts.change)[0])
    chance = float(shuffled.mean())
    beyond = max((own - chance) / (1 - chance), 0.0) if chance < 1 else 0.0
    p = float((1 + (shuffled >= own).sum()) / (1 + len(shuffled)))
    explained = float(np.sort(_along(totals, parts.change))[0, -MOST_STRONGEST:].sum())
    if p > sure:
        segments = [replace(s, role="candidate" if s.role == "driver" else s.role) for s in segments]
    ordered = sorted(segments, key=lambda s: (-abs(s.shift.total), s.shift.key))
    return MovedDimension(name, parts, tuple(ordered), explained, beyond, p, p <= sure)


def _along(totals: np.ndarray, change: float) -> np.ndarray:
    """Each segment's share of all movement in the direction of the change; (shuffles, segments)."""
    along = np.clip(totals * np.sign(change), 0, None)
    whole = along.sum(axis=1, keepdims=True)
    return np.divide(along, whole, out=np.zeros_like(along), where=whole > 0)


def _concentration(totals: np.ndarray, change: float) -> np.ndarray:
    """How much the movement is that of few segments: the sum of squared shares, 1 where it is that of one alone."""
    return (_along(totals, change) ** 2).sum(axis=1)


def _shuffled(sums: np.ndarray, is_share: bool, seed: int) -> np.ndarray:
    """Totals (shuffles, segments) where labels mean nothing: each period's cases dealt to the segments anew.

    sums: (segments, 6). Sizes of segments over both periods stay; outcomes of means are drawn with the cases' spread.
    """
    n0, x0, q0, n1, x1, q1 = sums.T
    random = np.random.default_rng(seed)
    sizes = np.rint(n0 + n1).astype(np.int64)
    dealt0 = random.multivariate_hypergeometric(sizes, round(n0.sum()), SHUFFLES, method="marginals").astype(float)
    dealt1 = sizes - dealt0
    drawn = []
    for n, x, q, dealt in ((n0, x0, q0, dealt0), (n1, x1, q1, dealt1)):
        rate = x.sum() / n.sum()
        spread = rate * (1 - rate) if is_share else max(q.sum() / n.sum() - rate * rate, 0.0)
        drawn.append(dealt * rate + random.standard_normal(dealt.shape) * np.sqrt(max(spread, 0.0) * dealt))
    return sum(symmetric_effects(dealt0, drawn[0], dealt1, drawn[1]))


def _strongest(explanation: Explanation) -> tuple[str, MovedSegment] | None:
    """The driver that moved most, of the dimension that explains most; None where nothing is sure."""
    for dimension in explanation.dimensions:
        for segment in dimension.segments:
            if segment.role == "driver":
                return dimension.name, segment
    return None
