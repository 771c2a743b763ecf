"""How likely a coming period lies beyond a limit: from past errors, from shares of cases, from a known spread.

Nothing is drawn at random: what resampling approaches is counted out, so that two runs say the same.
Arrays are (series, periods), forecasts and errors (horizon, series, periods) as running_forecasts.py makes them.
`sides`: 1 where a value above its limit is bad, -1 where one below is. Equal is not beyond (METHODS.md 0.4).
"""

from __future__ import annotations

import numpy as np

from hansei.signals.running_forecasts import ENOUGH, SETTLED, Forecasts, pooled
from hansei.signals.simple_forecasts import HORIZON, mean_of_last

# Probability from which each band begins (METHODS.md 4c); a bound belongs to the band that it begins.
BAND_FROM = (0.10, 0.50)
BANDS = ("unlikely", "possible", "likely")
UNLIKELY, POSSIBLE, LIKELY = range(len(BANDS))
# Relative distance below which a value counts as equal to its limit.
ROUNDING = 1e-9
# Terms of the shorter tail up to which a beta-binomial is summed; a longer one is that of a beta of the same mean and
# variance, within 0.01.
SUMMED = 30


def bands(probabilities: np.ndarray) -> np.ndarray:
    """int8 places in BANDS, -1 where there is no probability."""
    found = np.searchsorted(BAND_FROM, probabilities, side="right").astype("int8")
    return np.where(np.isnan(probabilities), np.int8(-1), found)


def by_errors(forecasts: Forecasts, limits: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Share of forecast + error beyond the limit, over all errors known at each origin; (horizon, series, periods).

    A horizon with fewer than ENOUGH errors uses those of all, scaled (running_forecasts.pooled). NaN below SETTLED.
    """
    signs = sides[:, None].astype(float)
    room = signs * (limits - forecasts.ahead) + ROUNDING * np.abs(limits)
    errors = signs * forecasts.errors
    usable = ~np.isnan(errors)
    counts = np.cumsum(usable, axis=2)
    first = int(np.argmax(usable.any(axis=(0, 1))))
    found = np.full(room.shape, np.nan)
    is_asked = (forecasts.counts >= SETTLED) & ~np.isnan(limits)
    for origin in np.flatnonzero(is_asked.any(axis=0)).tolist():
        known = errors[:, :, first : origin + 1]
        for place in np.flatnonzero((counts[:, :, origin] >= ENOUGH).any(axis=1)).tolist():
            hits = np.count_nonzero(known[place] > room[place, :, origin, None], axis=1)
            found[place, :, origin] = hits / np.maximum(counts[place, :, origin], 1)
        few = np.flatnonzero((counts[:, :, origin].min(axis=0) < ENOUGH) & is_asked[:, origin])
        if len(few):
            own = counts[:, few, origin] >= ENOUGH
            found[:, few, origin] = np.where(own, found[:, few, origin], _by_pool(known[:, few], room[:, few, origin]))
    found[:, ~is_asked] = np.nan
    return found


def _by_pool(errors: np.ndarray, room: np.ndarray) -> np.ndarray:
    pool, size = pooled(errors)
    counts = np.maximum(np.sum(~np.isnan(pool), axis=1), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A horizon that never erred adds nothing to its forecast: that lies beyond, or it does not.
        room = np.where(size > 0, room / size, np.where(room < 0, -np.inf, np.inf))
    return np.stack([np.count_nonzero(pool > row[:, None], axis=1) / counts for row in room])


def of_shares(
    forecasts: Forecasts, limits: np.ndarray, sides: np.ndarray, denominators: np.ndarray, horizon: int = HORIZON
) -> tuple[np.ndarray, np.ndarray]:
    """Of shares of cases: the greatest probability over the first `horizon` periods ahead, and its place there;
    both (series, periods).

    As many cases are expected as the last eight periods had on average. Their number on the bad side is
    beta-binomial: its mean is the forecast, its spread that of the errors made so far, and at least that of a share
    known from eight such periods. NaN where there is no denominator, and below SETTLED points.
    """
    signs = sides[:, None].astype(float)
    expected = np.maximum(np.rint(mean_of_last(denominators)), 1.0)
    usable = ~np.isnan(forecasts.errors)
    totals = np.cumsum(np.where(usable, forecasts.errors**2, 0.0), axis=2)
    counts = np.cumsum(usable, axis=2)
    own, of_all = totals / np.maximum(counts, 1), totals.sum(axis=0) / np.maximum(counts.sum(axis=0), 1)
    variance = np.where(counts >= ENOUGH, own, of_all)
    # A share seen as 0 or 1 throughout may still be otherwise next time.
    edge = 0.5 / (expected + 1)
    means = np.clip(forecasts.ahead, edge, 1 - edge)
    spread = np.sqrt(np.maximum(variance, means * (1 - means) / expected))
    nearness = signs * (means - limits) / spread
    worst = np.argmax(np.nan_to_num(nearness[:horizon], nan=-np.inf), axis=0)
    mean, variance = (np.take_along_axis(part, worst[None], axis=0)[0] for part in (means, variance))
    found = np.full(limits.shape, np.nan)
    at = (forecasts.counts >= SETTLED) & ~np.isnan(limits) & ~np.isnan(expected) & ~np.isnan(mean)
    # Seen from the bad side: what is bad is a small share of good cases.
    is_low = np.broadcast_to(signs < 0, at.shape)[at]
    good, limit = (np.where(is_low, part[at], 1 - part[at]) for part in (mean, limits))
    found[at] = share_below(good, variance[at], expected[at], limit)
    return found, worst.astype("int8")


def share_below(means: np.ndarray, variances: np.ndarray, cases: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Probability that a share of so many cases comes out below its limit, beta-binomial of that mean and variance.

    Flat arrays of one length; means strictly within 0 and 1, whole cases. Cases of one period are correlated by what
    the variance has beyond the binomial one, and by 1 / (8 n + 2) at least: the level is known from eight periods.
    """
    binomial = means * (1 - means) / cases
    surplus = (variances / binomial - 1) / np.maximum(cases - 1, 1)
    correlation = np.clip(surplus, 1 / (8 * cases + 2), 0.99)
    allowed = np.ceil(limits * cases - ROUNDING * cases) - 1  # the most good cases that are still below the limit
    found = np.zeros(means.shape)
    found[allowed >= cases] = 1.0
    terms = np.minimum(allowed + 1, cases - allowed)
    for rows, method in (((terms >= 1) & (terms <= SUMMED), _summed), (terms > SUMMED, _as_beta)):
        found[rows] = method(means[rows], correlation[rows], cases[rows], allowed[rows])
    return found


def _summed(means: np.ndarray, correlation: np.ndarray, cases: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Beta-binomial probability of at most `allowed` good cases, term by term from the nearer end."""
    from scipy import special

    strength = 1 / correlation - 1
    is_mirrored = allowed + 1 > cases - allowed  # then the bad cases are counted, and the rest is the answer
    yes = np.where(is_mirrored, 1 - means, means) * strength
    no = strength - yes
    terms = np.where(is_mirrored, cases - allowed, allowed + 1).astype(int)
    order = np.argsort(-terms, kind="stable")  # so that those with terms left are a leading slice
    yes, no, cases, left = yes[order], no[order], cases[order], -terms[order]
    term = np.exp(special.betaln(yes, no + cases) - special.betaln(yes, no))
    total = term.copy()
    for seen in range(1, -int(left.min(initial=0))):
        some = slice(0, int(np.searchsorted(left, -seen)))
        term = term[some] * ((cases[some] - seen + 1) / seen * (yes[some] + seen - 1) / (no[some] + cases[some] - seen))
        total[some] += term
    found = np.empty(means.shape)
    found[order] = np.minimum(total, 1.0)
    return np.where(is_mirrored, 1 - found, found)


def _as_beta(means: np.ndarray, correlation: np.ndarray, cases: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """The same by a beta distribution of equal mean and variance, cut half a case above."""
    from scipy import special

    strength = cases / (1 + (cases - 1) * correlation) - 1
    return special.betainc(means * strength, (1 - means) * strength, np.minimum((allowed + 0.5) / cases, 1.0))


def of_normal(mean: float, spread: float, limit: float, side: int) -> float:
    """Probability beyond the limit where the forecast is normal with a known standard deviation."""
    from scipy import special

    if not spread > 0:
        raise ValueError(f"a standard deviation of {spread!r} is no spread; it has to be above 0")
    return float(special.ndtr(side * (mean - limit) / spread))


def of_true_share(successes: int, cases: int, limit: float, side: int) -> float:
    """Probability that the true share behind so many of so many cases lies beyond the limit, by Jeffreys' prior."""
    from scipy import special

    if not 0 <= successes <= cases:
        raise ValueError(f"{successes} of {cases} is no share")
    below = float(special.betainc(successes + 0.5, cases - successes + 0.5, limit))
    return below if side < 0 else 1 - below
