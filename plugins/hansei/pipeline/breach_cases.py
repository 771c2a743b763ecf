"""What a threshold is asked about, and how values are held against limits: shared by the kinds of thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.catalog.thresholds import Threshold
from hansei.pipeline.series import Series
from hansei.signals import breaches, spc
from hansei.signals.breaches import Finding

# Places in the sentences of the kinds that hold values against limits.
WITHIN, NOT_YET, BREACH, TOO_FEW, NO_LIMIT = range(5)
TOO_FEW_CASES = "There are too few cases to hold against the limit."


@dataclass(frozen=True)
class Case:
    """One threshold and the series that it judges. `known`: what their charts said, as it was known in each period."""

    threshold: Threshold
    indicator: Indicator
    catalog: Catalog
    series: Series
    known: spc.KnownThen

    @property
    def holds(self) -> np.ndarray:
        """Periods, shape (periods,), that begin while the threshold is valid."""
        starts = self.series.block.period_starts
        holds = starts >= np.datetime64(self.threshold.valid_from, "D")
        if self.threshold.valid_to is not None:
            holds &= starts < np.datetime64(self.threshold.valid_to, "D")
        return holds

    @property
    def values(self) -> np.ndarray:
        """Usable values while the threshold is valid, else NaN."""
        return np.where(self.holds, self.series.block.values, np.nan)

    @property
    def directions(self) -> np.ndarray:
        return self.series.block.directions

    def everywhere(self, number: float) -> np.ndarray:
        """The same limit for every series and period."""
        return np.broadcast_to(np.float64(number), self.series.block.values.shape)

    def beyond(self, limits: np.ndarray) -> np.ndarray:
        return breaches.beyond(self.values, limits, self.directions)


def known_rows(known: spc.KnownThen, places: np.ndarray) -> spc.KnownThen:
    """What the charts of some rows of a block said."""
    limits = spc.Limits(*(getattr(known.limits, item.name)[places] for item in fields(known.limits)))
    return spc.KnownThen(
        limits, *(getattr(known, item.name)[places] for item in fields(known) if item.name != "limits")
    )


def held(
    case: Case,
    limits: Sequence[np.ndarray],
    sentences: Sequence[str],
    recovery: np.ndarray | None = None,
    pattern: Callable[[np.ndarray], np.ndarray] = lambda is_beyond: is_beyond,
    starts: Callable[[np.ndarray], np.ndarray] | None = None,
    is_usable: np.ndarray | None = None,
) -> Finding:
    """Values held against one limit for each level. `pattern`: from "lies beyond" to "is a breach"."""
    is_usable = ~np.isnan(case.values) if is_usable is None else is_usable
    is_judged = is_usable & ~np.isnan(limits[0])
    beyonds = [case.beyond(limit) & is_judged for limit in limits]
    breaks = [pattern(is_beyond) & is_judged for is_beyond in beyonds]
    cases = np.where(breaks[0], BREACH, np.where(beyonds[0], NOT_YET, WITHIN))
    cases = np.where(is_judged, cases, np.where(is_usable, NO_LIMIT, TOO_FEW))
    is_good = ~case.beyond(limits[0] if recovery is None else recovery)
    return Finding(
        levels=case.threshold.levels,
        limits=limits,
        breaks=breaks,
        is_judged=is_judged,
        is_recovered=is_judged & is_good & ~beyonds[0] & ~breaks[0],
        cases=cases.astype("int8"),
        sentences=sentences,
        pattern_starts=(starts or no_pattern)(beyonds[0]),
    )


def no_pattern(is_beyond: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.int32(-1), is_beyond.shape)
