"""Exponential smoothing fitted as a model: simple, Holt's trend, Holt-Winters with multiplicative seasons.

These are the yardsticks that the average of simple forecasts (signals/simple_forecasts.py) is measured against, in the
form of R's forecast::ses, holt and hw: the weights are those of the least squared one-step errors, searched by scipy.
Starting states of the additive models follow from the weights by least squares, those of Holt-Winters are given.
Source: Hyndman, Koehler, Ord & Snyder 2008, Forecasting with Exponential Smoothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

# Bounds of the weights, as R has them.
LEAST, MOST = 1e-4, 0.9999


@dataclass(frozen=True)
class Smoothing:
    """`weights`: alpha, beta, gamma, as many as the model has. `mean` and `variance`: of 1 ... h periods ahead.

    `sigma2`: squared one-step errors per degree of freedom, relative errors where seasons multiply.
    """

    weights: tuple[float, ...]
    sigma2: float
    mean: np.ndarray
    variance: np.ndarray


def simple(values: Sequence[float], horizon: int) -> Smoothing:
    """One level. At least three values."""
    return _additive(np.asarray(values, dtype=float), horizon, np.ones((1, 1)), 1)


def holt(values: Sequence[float], horizon: int) -> Smoothing:
    """Level and trend. At least five values."""
    return _additive(np.asarray(values, dtype=float), horizon, np.array([[1.0, 1.0], [0.0, 1.0]]), 2)


def _additive(values: np.ndarray, horizon: int, transition: np.ndarray, size: int) -> Smoothing:
    """x' = F x + g e, y = (1 ... 1) x + e, from the weights and starting states of the least squared errors."""
    if len(values) <= 2 * size:
        raise ValueError(f"{len(values)} values are too few for {2 * size} unknowns")

    def errors(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One-step errors and the last state; errors are linear in the starting state."""
        of_values, of_start = np.empty(len(values)), np.empty((len(values), size))
        state, effect = np.zeros(size), np.eye(size)
        for place, value in enumerate(values):
            of_values[place], of_start[place] = value - state.sum(), effect.sum(axis=0)
            state = transition @ state + weights * of_values[place]
            effect = transition @ effect - np.outer(weights, of_start[place])
        start = np.linalg.lstsq(of_start, of_values, rcond=None)[0]
        return of_values - of_start @ start, state + effect @ start

    def weights_of(shares: np.ndarray) -> np.ndarray:
        """alpha within its bounds, beta a share of it."""
        alpha = np.clip(shares[0], LEAST, MOST)
        return np.array([alpha, np.clip(shares[1] * alpha, LEAST, alpha)][:size]) if size > 1 else np.array([alpha])

    shares = _search(lambda shares: float(np.sum(errors(weights_of(shares))[0] ** 2)), size)
    weights = weights_of(shares)
    error, state = errors(weights)
    sigma2 = float(np.sum(error**2) / (len(values) - 2 * size))
    mean, moves = np.empty(horizon), np.empty(horizon)
    moved = weights.copy()
    for ahead in range(horizon):
        mean[ahead], moves[ahead] = state.sum(), moved.sum()
        state, moved = transition @ state, transition @ moved
    variance = sigma2 * (1 + np.concatenate([[0.0], np.cumsum(moves[:-1] ** 2)]))
    return Smoothing(tuple(weights.tolist()), sigma2, mean, variance)


def _search(loss: Callable[[np.ndarray], float], size: int) -> np.ndarray:
    """Weights of the least loss, each within 0 and 1; the best of several searches, since there may be many valleys."""
    from scipy import optimize

    starts = [np.full(size, level) for level in (0.1, 0.5, 0.9)]
    ask = {
        "method": "Nelder-Mead",
        "bounds": [(0.0, 1.0)] * size,
        "options": {"xatol": 1e-8, "fatol": 1e-10, "maxfev": 5000},
    }
    found = [optimize.minimize(lambda point: np.log(loss(point) + 1e-300), start, **ask) for start in starts]
    return min(found, key=lambda one: one.fun).x


def holt_winters(values: Sequence[float], period: int, horizon: int) -> Smoothing:
    """Level, trend and seasons that multiply, with relative errors (R: hw(seasonal = "multiplicative")).

    Positive values, three full cycles at least: the starting states come from a classical decomposition of these.
    R goes on to search the states as well, and stops after 2,000 steps, close to where it began.
    """
    known = np.asarray(values, dtype=float)
    if len(known) < 3 * period or (known <= 0).any():
        raise ValueError(f"{len(known)} values: multiplied seasons need three cycles of {period}, all above 0")
    season = classical_seasons(known[: 3 * period], period)
    slope, level = np.polyfit(np.arange(1, period + 1), known[:period] / season, 1)

    def run(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[float]]:
        return _run_winters(known, weights, float(level), float(slope), season.tolist())

    def weights_of(shares: np.ndarray) -> np.ndarray:
        alpha = np.clip(shares[0], LEAST, MOST)
        return np.array([alpha, np.clip(shares[1], LEAST, alpha), np.clip(shares[2], LEAST, 1 - alpha)])

    weights = weights_of(_search(lambda shares: float(np.sum((known - run(weights_of(shares))[0]) ** 2)), 3))
    said, state, seasons = run(weights)
    sigma2 = float(np.sum((known / said - 1) ** 2) / (len(known) - period - 4))
    return Smoothing(tuple(weights.tolist()), sigma2, *_winters_ahead(weights, state, seasons, sigma2, horizon))


def classical_seasons(values: np.ndarray, period: int) -> np.ndarray:
    """Mean ratio of each season to the centred moving average of one cycle; their mean is 1. Two cycles at least."""
    half = period // 2
    weights = np.ones(period) if period % 2 else np.concatenate([[0.5], np.ones(period - 1), [0.5]])
    middle = np.convolve(values, weights / period, "valid")
    ratios = np.full(-(-len(values) // period) * period, np.nan)
    ratios[half : half + len(middle)] = values[half : half + len(middle)] / middle
    found = np.nanmean(ratios.reshape(-1, period), axis=0)
    return found / found.mean()


def _run_winters(
    values: np.ndarray, weights: np.ndarray, level: float, slope: float, seasons: list[float]
) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """One-step forecasts, the last level and trend, and the seasons to come, nearest first."""
    alpha, beta, gamma = weights.tolist()
    seasons = list(seasons)
    said = []
    for place, value in enumerate(values.tolist()):
        at = place % len(seasons)
        base = level + slope
        forecast = base * seasons[at]
        error = value / forecast - 1 if forecast else 0.0
        level, slope = base * (1 + alpha * error), slope + beta * base * error
        seasons[at] *= 1 + gamma * error
        said.append(forecast)
    turn = len(values) % len(seasons)
    return np.array(said), np.array([level, slope]), seasons[turn:] + seasons[:turn]


def _winters_ahead(
    weights: np.ndarray, state: np.ndarray, seasons: list[float], sigma2: float, horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance ahead: products of two states (Hyndman et al. 2008, chapter 6, class 3)."""
    period = len(seasons)
    level_move, level_shock = np.array([[1.0, 1.0], [0.0, 1.0]]), np.outer(weights[:2], [1.0, 1.0])
    turn, season_shock = np.roll(np.eye(period), 1, axis=0), np.zeros((period, period))
    season_shock[0, -1] = weights[2]
    move, shock = np.kron(turn, level_move), np.kron(season_shock, level_shock)
    cross = np.kron(season_shock, level_move) + np.kron(turn, level_shock)
    pick = np.kron(np.eye(period)[-1], [1.0, 1.0])
    product = np.kron(seasons[::-1], state)  # the season to come stands last
    spread = np.zeros((len(product), len(product)))
    mean, variance = np.empty(horizon), np.empty(horizon)
    for ahead in range(horizon):
        mean[ahead] = pick @ product
        variance[ahead] = (1 + sigma2) * pick @ spread @ pick + sigma2 * mean[ahead] ** 2
        square = np.outer(product, product)
        spread = move @ spread @ move.T + sigma2 * (
            move @ spread @ shock.T
            + shock @ spread @ move.T
            + cross @ (spread + square) @ cross.T
            + sigma2 * shock @ (3 * spread + 2 * square) @ shock.T
        )
        product = move @ product + sigma2 * (shock @ product)
    return mean, variance
