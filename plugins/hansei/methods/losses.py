"""What a year of losses can come to: how often (frequency) times how much (severity), by simulation.

The random numbers come from a stored seed, so that the same definition gives the same figures. Every figure is checked
against Panjer's recursion and the moments of compound distributions (Klugman, Panjer & Willmot).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np

LEVELS = (0.90, 0.95, 0.99)
# z of 95 %: a lognormal is asked for by its middle and by what only one case in twenty exceeds.
_Z95 = 1.6448536269514722


@dataclass(frozen=True)
class Poisson:
    """Events that do not attract each other: `mean` of them a year."""

    mean: float

    def draw(self, chance: np.random.Generator, years: int) -> np.ndarray:
        return chance.poisson(self.mean, years)


@dataclass(frozen=True)
class NegativeBinomial:
    """Events that come in clusters: `mean` a year with variance mean + mean² / size. A large size is nearly Poisson."""

    mean: float
    size: float

    def draw(self, chance: np.random.Generator, years: int) -> np.ndarray:
        return chance.negative_binomial(self.size, self.size / (self.size + self.mean), years)


@dataclass(frozen=True)
class Lognormal:
    """Most losses small, few very large; parameters of the logarithm."""

    meanlog: float
    sdlog: float

    @classmethod
    def of(cls, median: float, p95: float) -> Lognormal:
        """From the middle loss and the loss that one case in twenty exceeds."""
        if not 0 < median < p95:
            raise ValueError(f"0 < median {median:g} < p95 {p95:g} does not hold")
        return cls(log(median), log(p95 / median) / _Z95)

    @property
    def mean(self) -> float:
        return exp(self.meanlog + self.sdlog**2 / 2)

    @property
    def sd(self) -> float:
        return self.mean * sqrt(exp(self.sdlog**2) - 1)

    def draw(self, chance: np.random.Generator, count: int) -> np.ndarray:
        return chance.lognormal(self.meanlog, self.sdlog, count)


@dataclass(frozen=True)
class Empirical:
    """Losses that were seen, drawn again; `weights` where some were seen more often than others."""

    values: tuple[float, ...]
    weights: tuple[float, ...] | None = None

    @property
    def _shares(self) -> np.ndarray:
        weights = np.ones(len(self.values)) if self.weights is None else np.asarray(self.weights, dtype=float)
        return weights / weights.sum()

    @property
    def mean(self) -> float:
        return float(np.dot(self.values, self._shares))

    @property
    def sd(self) -> float:
        return float(np.sqrt(np.dot((np.asarray(self.values) - self.mean) ** 2, self._shares)))

    def draw(self, chance: np.random.Generator, count: int) -> np.ndarray:
        return chance.choice(np.asarray(self.values, dtype=float), count, p=self._shares)


@dataclass(frozen=True)
class Pert:
    """A loss estimated as least, most likely and most: a beta distribution that weighs the most likely four times."""

    minimum: float
    mode: float
    maximum: float

    @property
    def shape(self) -> tuple[float, float]:
        """alpha and beta of the beta distribution between minimum and maximum."""
        spread = self.maximum - self.minimum
        return 1 + 4 * (self.mode - self.minimum) / spread, 1 + 4 * (self.maximum - self.mode) / spread

    @property
    def mean(self) -> float:
        return (self.minimum + 4 * self.mode + self.maximum) / 6

    @property
    def sd(self) -> float:
        return sqrt((self.mean - self.minimum) * (self.maximum - self.mean) / 7)

    def quantile(self, p: float) -> float:
        from scipy import special

        return self.minimum + (self.maximum - self.minimum) * float(special.betaincinv(*self.shape, p))

    def draw(self, chance: np.random.Generator, count: int) -> np.ndarray:
        return self.minimum + (self.maximum - self.minimum) * chance.beta(*self.shape, count)


@dataclass(frozen=True)
class Triangular:
    """A loss estimated as least, most likely and most, with straight flanks: more cautious about the ends than PERT."""

    minimum: float
    mode: float
    maximum: float

    @property
    def mean(self) -> float:
        return (self.minimum + self.mode + self.maximum) / 3

    @property
    def sd(self) -> float:
        a, c, b = self.minimum, self.mode, self.maximum
        return sqrt((a * a + b * b + c * c - a * b - a * c - b * c) / 18)

    def quantile(self, p: float) -> float:
        a, c, b = self.minimum, self.mode, self.maximum
        if p <= (c - a) / (b - a):
            return a + sqrt(p * (b - a) * (c - a))
        return b - sqrt((1 - p) * (b - a) * (b - c))

    def draw(self, chance: np.random.Generator, count: int) -> np.ndarray:
        return chance.triangular(self.minimum, self.mode, self.maximum, count)


Frequency = Poisson | NegativeBinomial
Severity = Lognormal | Empirical | Pert | Triangular


@dataclass(frozen=True)
class LossFigures:
    """A year of losses: mean, standard deviation, how likely there is none, and per level in LEVELS the value at risk
    (not exceeded in that share of years) and the expected shortfall (mean of the years beyond it)."""

    mean: float
    sd: float
    no_loss_probability: float
    value_at_risk: dict[float, float]
    expected_shortfall: dict[float, float]


def simulate(
    frequency: Frequency, severity: Severity, years: int, seed: int | Sequence[int], exposure_factor: float = 1.0
) -> np.ndarray:
    """The loss of each of `years` simulated years; the same seed gives the same years."""
    if years < 1:
        raise ValueError("simulate at least one year")
    chance = np.random.default_rng(seed)
    counts = frequency.draw(chance, years)
    amounts = severity.draw(chance, int(counts.sum())) * exposure_factor
    return np.bincount(np.repeat(np.arange(years), counts), weights=amounts, minlength=years)


def figures(losses: np.ndarray, levels: Sequence[float] = LEVELS) -> LossFigures:
    """Figures of simulated years. A value at risk is the smallest loss that the share of years does not exceed."""
    at_risk = {level: float(np.quantile(losses, level, method="inverted_cdf")) for level in levels}
    # Rockafellar & Uryasev 2002: right where many years have the very same loss, too.
    shortfall = {
        level: value + float(np.maximum(losses - value, 0).mean()) / (1 - level) for level, value in at_risk.items()
    }
    spread = float(losses.std(ddof=1)) if len(losses) > 1 else 0.0
    return LossFigures(float(losses.mean()), spread, float((losses == 0).mean()), at_risk, shortfall)


def expected_loss(frequency: Frequency, severity: Severity, exposure_factor: float = 1.0) -> float:
    """Mean loss of a year, exactly: no simulation is needed for it."""
    return frequency.mean * severity.mean * exposure_factor


def loss_sd(frequency: Frequency, severity: Severity, exposure_factor: float = 1.0) -> float:
    """Standard deviation of a year's loss, exactly."""
    spread = frequency.mean if isinstance(frequency, Poisson) else frequency.mean + frequency.mean**2 / frequency.size
    return exposure_factor * sqrt(frequency.mean * severity.sd**2 + spread * severity.mean**2)
