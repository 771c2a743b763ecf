"""SQL of the 95 % interval of a value, from the parts of one row.

wilson: of a share (Wilson 1927). trinomial: of a net share (METHODS of docs/indicators: adjusted Wald below 50
answers, Rocks 2016). student: of a mean, with the t quantile by Cornish and Fisher's expansion (within 0.002 of the
exact one from 5 degrees of freedom on). poisson: of a count and of counts by exposure, Byar's approximation
(Breslow and Day 1987). woodruff: of a quantile, which is read at Wilson's limits of its rank (Woodruff 1952), between
the ranks of `grid` in a straight line.
"""

from __future__ import annotations

from itertools import pairwise

from hansei.warehouse.shares import Z95, wilson

SMALL_SURVEY = 50
NONE = "CAST(NULL AS DOUBLE PRECISION)"
# Distances from the asked rank: close where large samples need it, wide enough for ten values.
_STEPS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)


def grid(quantile: float) -> list[float]:
    """Ranks at which a quantile's neighbourhood is read, the quantile itself among them, in order."""
    near = {round(quantile + side * step, 6) for step in _STEPS for side in (-1, 1)}
    return sorted({0.0, 1.0, *(rank for rank in near if 0 < rank < 1)})


def bounds(measure: str, kind: str) -> tuple[str, str]:
    """SQL of the interval's lower and upper end from the parts of one row; NULL where there is none."""
    if kind == "wilson":
        return tuple(_if_counted(bound) for bound in wilson("(numerator / NULLIF(denominator, 0))", _COUNTED))
    if kind == "trinomial":
        return tuple(_if_counted(bound) for bound in _trinomial())
    if kind == "student":
        return _student()
    if kind == "poisson":
        return _poisson("1.0" if measure == "count" else _COUNTED, "1.0" if measure == "count" else "per")
    if kind == "woodruff":
        return "ranked_lower", "ranked_upper"
    return NONE, NONE


_COUNTED = "NULLIF(denominator, 0)"


def _trinomial() -> tuple[str, str]:
    small = f"denominator < {SMALL_SURVEY}"
    total = f"CASE WHEN {small} THEN denominator + 3 ELSE NULLIF(denominator, 0) END"
    promoters = f"(CASE WHEN {small} THEN numerator + 0.75 ELSE numerator END / ({total}))"
    detractors = f"(CASE WHEN {small} THEN subtrahend + 0.75 ELSE subtrahend END / ({total}))"
    net = f"({promoters} - {detractors})"
    half = f"{Z95!r} * SQRT(GREATEST({promoters} + {detractors} - {net} * {net}, 0.0) / ({total}))"
    return f"GREATEST(100.0 * ({net} - {half}), -100.0)", f"LEAST(100.0 * ({net} + {half}), 100.0)"


def _student() -> tuple[str, str]:
    freedom = "(denominator - 1)"
    first, second = (Z95**3 + Z95) / 4, (5 * Z95**5 + 16 * Z95**3 + 3 * Z95) / 96
    third = (3 * Z95**7 + 19 * Z95**5 + 17 * Z95**3 - 15 * Z95) / 384
    t = f"({Z95!r} + {first!r} / {freedom} + {second!r} / POWER({freedom}, 2) + {third!r} / POWER({freedom}, 3))"
    variance = f"GREATEST(square_sum - numerator * numerator / denominator, 0.0) / {freedom}"
    half = f"{t} * SQRT({variance} / denominator)"
    mean = "numerator / denominator"
    return tuple(f"CASE WHEN denominator > 1 THEN {mean} {sign} {half} END" for sign in "-+")


def _poisson(exposure: str, per: str) -> tuple[str, str]:
    low = f"numerator * POWER(1 - 1 / (9.0 * numerator) - {Z95!r} / (3 * SQRT(numerator)), 3)"
    high = f"(numerator + 1) * POWER(1 - 1 / (9.0 * (numerator + 1)) + {Z95!r} / (3 * SQRT(numerator + 1)), 3)"
    return (
        f"CASE WHEN numerator > 0 THEN {per} * {low} / {exposure} WHEN numerator = 0 THEN 0.0 / {exposure} END",
        f"{per} * {high} / {exposure}",
    )


def _if_counted(bound: str) -> str:
    """GREATEST and LEAST skip NULL: without this, nothing counted would read as an interval from 0 to 1."""
    return f"CASE WHEN denominator > 0 THEN {bound} END"


def at_rank(rank: str, quantile: float) -> str:
    """SQL of the value at a rank (an expression), in a straight line between those of the array `ranks`.

    `ranks` holds the values at `grid(quantile)`.
    """
    branches = [f"WHEN {rank} IS NULL THEN NULL"]
    for position, (below, above) in enumerate(pairwise(grid(quantile)), start=1):
        share = f"({rank} - {below!r}) / {above - below!r}"
        low, high = f"ranks[{position}]", f"ranks[{position + 1}]"
        branches.append(f"WHEN {rank} <= {above!r} THEN {low} + {share} * ({high} - {low})")
    return f"CASE {' '.join(branches)} ELSE ranks[{len(grid(quantile))}] END"
