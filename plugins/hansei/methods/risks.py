"""Likelihood, consequence and what they come to: the 5 x 5 matrix, expected loss, revenue at risk.

Sources: NPSA 2008, A risk matrix for risk managers; Brown, Cai & DasGupta 2001 (Jeffreys' prior). An ordinal product
has known faults (Cox 2008): that is why expected loss and value at risk always stand beside it (losses.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan

# Probability from which each likelihood 2 to 5 begins. NPSA says "> 50 %" for 5; exactly 50 % is 5 here, by convention.
LIKELIHOOD_FROM = (0.001, 0.01, 0.10, 0.50)
LIKELIHOOD_WORDS = ("rare", "unlikely", "possible", "likely", "almost certain")
CONSEQUENCE_WORDS = ("negligible", "minor", "moderate", "major", "catastrophic")
# Score from which each grade begins. No product of two numbers up to 5 is 7, 11, 13 or 14.
_GRADE_FROM = ((15, "extreme"), (8, "high"), (4, "moderate"), (1, "low"))


def likelihood(probability: float) -> int:
    """Band 1 to 5 of a probability; a bound belongs to the band that it begins."""
    if isnan(probability) or not 0 <= probability <= 1:
        raise ValueError(f"{probability!r} is no probability")
    return 1 + sum(probability >= bound for bound in LIKELIHOOD_FROM)


def smoothed_probability(breaching: int, periods: int) -> float:
    """(x + 1/2) / (n + 1): how likely the next period breaches, after x of n did (Jeffreys); never quite 0 or 1."""
    if not 0 <= breaching <= periods:
        raise ValueError(f"{breaching} of {periods} periods is no share")
    return (breaching + 0.5) / (periods + 1)


def risk_score(likelihood_band: int, consequence: int) -> int:
    """Likelihood times consequence, 1 to 25."""
    for name, band in (("likelihood", likelihood_band), ("consequence", consequence)):
        if band not in (1, 2, 3, 4, 5):
            raise ValueError(f"a {name} of {band!r} is not a whole number from 1 to 5")
    return likelihood_band * consequence


def grade(score: int) -> str:
    """`low` (1-3), `moderate` (4-6), `high` (8-12) or `extreme` (15-25)."""
    if not 1 <= score <= 25:
        raise ValueError(f"a score of {score!r} is not within 1 and 25")
    return next(word for start, word in _GRADE_FROM if score >= start)


def annual_loss(annual_rate: float, single_loss: float, exposure_factor: float = 1.0) -> float:
    """Annual loss expectancy: how often a year, times what one costs, times the share of it that is lost."""
    if min(annual_rate, single_loss, exposure_factor) < 0 or exposure_factor > 1:
        raise ValueError("a rate and a loss are not negative, an exposure factor lies within 0 and 1")
    return annual_rate * single_loss * exposure_factor


def revenue_at_risk(customers: Iterable[tuple[float, float]]) -> float:
    """Sum of (revenue, probability of leaving); both are for the same horizon, each customer stands once."""
    total = 0.0
    for revenue, probability in customers:
        if not 0 <= probability <= 1:
            raise ValueError(f"{probability!r} is no probability")
        total += revenue * probability
    return total
