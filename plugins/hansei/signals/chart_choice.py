"""Which chart suits a series: the rule of METHODS.md 2.1, for definitions that say `auto`.

The XmR chart asks nothing of the distribution and is the default. A chart of shares or rates knows that a period of
few cases varies more; it is chosen where its assumptions hold. What is chosen follows from the baseline alone, so that
later points never change what was said.
"""

from __future__ import annotations

import numpy as np

from hansei.signals.attribute_charts import KINDS, sigma_z
from hansei.signals.limits import Measure, Sample, mean

# Kinds of data. A mean's or quantile's series carries no spread within its periods, so X-bar has to be asked for.
MEASURES = ("share", "rate", "count", "other")
# Shares of fewer cases swing by whole cases; of more, any change of the mix lies outside limits of chance alone.
LEAST_CASES, MOST_CASES = 20, 1000
# Spread from period to period in units of chance beyond which it is not chance alone.
OVERDISPERSED = 1.3
# Rare: fewer events a period, and a third or more of the periods without any.
RARE_EVENTS, EMPTY_PERIODS = 2.0, 1 / 3


def traits(is_share: bool, is_screened: bool = True) -> Measure:
    """What the choice needs of a baseline, (5, baselines): mean size, sigma z, mean count of the rarer outcome, share
    of periods without it, and whether the rarer outcome is what is not counted (a share above one half).

    Figures with `counts` and, where cases are divided by, `sizes`; without sizes every period weighs 1.
    """
    sigma = KINDS["p" if is_share else "u"].sigma

    def measure(sample: Sample) -> np.ndarray:
        sizes = np.where(np.isnan(sample.values), np.nan, 1.0) if sample.sizes is None else sample.sizes
        whole = Sample(sample.counts / sizes, sample.is_next, sample.counts, sizes)
        level = np.nansum(sample.counts, axis=1) / np.nansum(sizes, axis=1)
        is_other = is_share & (level > 0.5)
        rarer = np.where(is_other[:, None], sizes - sample.counts, sample.counts)
        is_empty = np.where(np.isnan(rarer), np.nan, rarer == 0)
        return np.stack([mean(sizes), sigma_z(whole, level, sigma, is_screened), mean(rarer), mean(is_empty), is_other])

    return measure


def chosen(measure: str, traits: np.ndarray) -> np.ndarray:
    """Names of KINDS, object, of the shape of each of the first four `traits`.

    Where a trait is unknown (NaN), the XmR chart. ValueError for a kind of data that is not among MEASURES.
    """
    if measure not in MEASURES:
        raise ValueError(f"no kind of data {measure!r}; known: {', '.join(MEASURES)}")
    size, overdispersion, count, empty = traits[:4]
    found = np.full(size.shape, "xmr", dtype=object)
    if measure == "other":
        return found
    is_known = ~np.isnan(size) & ~np.isnan(count)
    is_rare = is_known & (count < RARE_EVENTS) & (empty >= EMPTY_PERIODS)
    is_wide = overdispersion > OVERDISPERSED
    if measure == "share":
        found[is_known & (size >= LEAST_CASES)] = "p"
        found[is_known & ((size > MOST_CASES) | (is_wide & (size >= LEAST_CASES)))] = "p_prime"
    elif measure == "rate":
        found[is_known] = "u"
        found[is_known & (is_wide | (count > MOST_CASES))] = "u_prime"
    else:
        found[is_known & ~is_wide] = "c"
    found[is_rare] = "g"
    return found
