"""What a control chart that a threshold asks for is drawn of, and what it said of each period.

The kind of an indicator's data decides which charts suit it (`Indicator.data_kind`, docs/spc.md). Lines are told in the
unit of the stored values, with the season that was taken out put back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hansei.catalog.thresholds import SpcConcernThreshold
from hansei.pipeline.breach_cases import Case
from hansei.pipeline.verdicts import FIXED_AFTER
from hansei.signals.judged import RARE, judged, judged_by_choice
from hansei.signals.limits import Figures, Limits
from hansei.signals.seasons import season
from hansei.signals.spc import KnownThen

XMR = "xmr"


@dataclass(frozen=True)
class Charted:
    """`kinds`: int8 places in `names`, (series, periods): which chart told it."""

    known: KnownThen
    kinds: np.ndarray
    names: tuple[str, ...]


def charted(case: Case) -> Charted:
    """What the chart and rules of a threshold of kind spc_concern said; the words' own chart where it asks for that."""
    threshold: SpcConcernThreshold = case.threshold
    shape = case.series.block.values.shape
    if threshold.season != "none":
        return Charted(_without_season(case, threshold), np.zeros(shape, dtype="int8"), (XMR,))
    if (threshold.chart, threshold.rules) == (XMR, "plot_the_dots"):
        return Charted(case.known, np.zeros(shape, dtype="int8"), (XMR,))
    figures, scale = _figures(case)
    phases, fix_after = case.series.block.phases, FIXED_AFTER[case.series.grain]
    if threshold.chart == "auto":
        measure = {"mean": "other"}.get(case.indicator.data_kind, case.indicator.data_kind)
        known, kinds = judged_by_choice(measure, figures, phases, fix_after, threshold.rules)
        names, places = np.unique(kinds, return_inverse=True)
        return Charted(_scaled(known, scale), places.reshape(shape).astype("int8"), tuple(names.tolist()))
    kind = {"xbar_s": "xbar"}.get(threshold.chart, threshold.chart)
    # Of a share, the rare event to watch is the bad one.
    is_other = kind in RARE and case.indicator.data_kind == "share" and case.indicator.direction == "higher_is_better"
    if is_other:
        figures = replace(figures, counts=figures.sizes - figures.counts)
    known = judged(kind, figures, phases, fix_after, threshold.rules)
    if is_other:
        known = replace(known, sides=-known.sides)
    return Charted(_scaled(known, scale), np.zeros(shape, dtype="int8"), (threshold.chart,))


def _figures(case: Case) -> tuple[Figures, float]:
    """What is charted, and by how much its lines are to be multiplied to be in the unit of the stored values."""
    stored, values = case.series.stored, case.series.block.values
    numerators, denominators = (
        np.where(np.isnan(values), np.nan, stored[name]) for name in ("numerator", "denominator")
    )
    kind = case.indicator.data_kind
    if kind in ("share", "rate"):
        with np.errstate(invalid="ignore", divide="ignore"):
            plain = numerators / denominators
        return Figures(np.where(np.isfinite(plain), plain, np.nan), numerators, denominators), case.indicator.per or 1.0
    if kind == "count":
        return Figures(values, counts=values), 1.0
    if kind == "mean":
        with np.errstate(invalid="ignore", divide="ignore"):
            squares = np.maximum(stored["square_sum"] - numerators**2 / denominators, 0.0)
            spreads = np.sqrt(squares / np.where(denominators > 1, denominators - 1, np.nan))
        return Figures(values, sizes=denominators, spreads=spreads), 1.0
    return Figures(values), 1.0


def _scaled(known: KnownThen, scale: float) -> KnownThen:
    lines = known.limits
    return replace(known, limits=Limits(*(scale * line for line in vars(lines).values())))


def _without_season(case: Case, threshold: SpcConcernThreshold) -> KnownThen:
    """The XmR chart of what is left without the time of year, from the third year on; until then the plain chart.

    The season taken out is another process to the chart, so that a phase begins where it is first taken out.
    """
    block, grain = case.series.block, case.series.grain
    found = season(block.values, block.period_starts, grain, threshold.season, is_frozen=True)
    phases = block.phases + np.maximum.accumulate(found.is_known, axis=1).astype("int32")
    figures = Figures(block.values - found.effect)
    known = judged(XMR, figures, phases, FIXED_AFTER[grain], threshold.rules)
    return replace(known, limits=Limits(*(line + found.effect for line in vars(known.limits).values())))
