"""What thresholds say of a block of series, as rows of indicators.signals."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.catalog.segments import matches_any
from hansei.pipeline.breach_cases import Case
from hansei.pipeline.breaching import find
from hansei.pipeline.series import Series
from hansei.signals import breaches, spc
from hansei.signals.breaches import Finding
from hansei.warehouse.own_rows import constant, known, numbers, own_columns, told
from hansei.warehouse.runs import Run
from hansei.warehouse.signal_tables import SIGNALS

_FIGURES = ("value", "lower_bound", "upper_bound", "numerator", "denominator", "sample_count")
_NOT_READY = "A source has not delivered all of this {grain} yet."
_SUPPORTS = ("", ", but its interval does not", ", and so does its whole interval")


def threshold_rows(catalog: Catalog, series: Series, charts: spc.KnownThen, run: Run) -> list[pa.Table]:
    """Rows of every threshold on an indicator of the block, one table each; the block has one grain.

    `charts`: what the control charts said of the block's series in each period.
    """
    tables = []
    by_name: dict[str, list[int]] = {}
    for place, (name, _) in enumerate(series.keys):
        by_name.setdefault(name, []).append(place)
    for name, places in by_name.items():
        reaches = reaches_of(series, places)
        for threshold in catalog.thresholds_on(name, series.grain):
            chosen = np.array(
                [place for place in places if matches_any(series.keys[place][1], threshold.segments)], dtype=int
            )
            if len(chosen):
                part = series.rows(chosen)
                indicator = catalog.indicators[name]
                case = Case(threshold, indicator, catalog, part, charts.of(chosen))
                tables.append(_rows(case, reaches[chosen - places[0]], run))
    return tables


def reaches_of(series: Series, places: list[int]) -> np.ndarray:
    """Share of each period's cases of the whole service that lie in each of one indicator's segments, NaN unknown."""
    counts = series.stored["sample_count"][places]
    whole = [row for row, place in enumerate(places) if series.keys[place][1] == "all"]
    if not whole:
        return np.full(counts.shape, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.minimum(counts / np.where(counts[whole] > 0, counts[whole], np.nan), 1.0)
    shares[whole] = np.where(series.is_stored[places][whole], 1.0, np.nan)
    return shares


@dataclass(frozen=True)
class Said:
    """What one threshold says of every period, as arrays (series, periods).

    `words`: places in breaches.WORDS; `levels`: in the finding's levels, with their `limits`. `is_told`: there was
    something to say, good or bad. `supports`, `survives`: 1 yes, 0 no, -1 unknown.
    """

    finding: Finding
    words: np.ndarray
    levels: np.ndarray
    limits: np.ndarray
    supports: np.ndarray
    survives: np.ndarray
    is_told: np.ndarray
    is_breach: np.ndarray
    is_alarming: np.ndarray
    distances: np.ndarray


def say(case: Case) -> Said:
    """The kind's finding, read with the readiness of the sources, intervals and the other segments."""
    finding = find(case)
    words = finding.words(case.series.is_ready)
    is_breach = np.isin(words, (breaches.WARNING, breaches.CRITICAL))
    levels = finding.told_level()
    limits = np.choose(levels, finding.limits)
    survives = _survives(case, finding, is_breach)
    distances = breaches.distances(case.values, limits, case.directions)
    return Said(
        finding=finding,
        words=words,
        levels=levels,
        limits=limits,
        supports=_supports(case, finding, limits, is_breach),
        survives=survives,
        is_told=is_breach | (words == breaches.WITHIN),
        is_breach=is_breach,
        # Where one period is enough to open an alarm it has to be more than chance; a row of them is its own evidence.
        is_alarming=is_breach & ((case.threshold.alarm.periods_to_open > 1) | (survives != 0)),
        distances=np.where(is_breach, distances, np.nan),
    )


def reached_rows(case: Case) -> np.ndarray:
    """Whether a row is written of the period: stored, finished, and while the threshold holds."""
    return case.series.is_stored & case.holds & (case.series.states != "immature")


def _rows(case: Case, reaches: np.ndarray, run: Run) -> pa.Table:
    """One row per stored and finished period in which the threshold holds."""
    series, threshold, said = case.series, case.threshold, say(case)
    at = np.nonzero(reached_rows(case))
    lengths = breaches.row_lengths(said.is_breach)
    starts, count = series.block.period_starts, len(at[0])
    firsts, patterns = breaches.row_starts(said.is_breach, lengths)[at], said.finding.pattern_starts[at]
    is_told = said.is_told[at]
    columns: dict[str, Any] = {
        "kind": constant(threshold.kind, count),
        "threshold_id": constant(threshold.id, count),
        "indicator": constant(threshold.indicator, count),
        "segment_id": told(at[0], [segment_id for _, segment_id in series.keys]),
        "owner": constant(threshold.owner or case.indicator.owner, count),
        "version": series.versions[at],
        "grain": constant(series.grain, count),
        "period_start": starts[at[1]],
        "verdict": told(said.words[at], breaches.WORDS),
        "reason": _reasons(series.grain, said, at),
        "level": told(said.levels[at], said.finding.levels),
        "limit_value": numbers(said.limits[at]),
        "limit_reason": constant(threshold.reason, count),
        "is_supported": known(said.supports[at] > 0, said.supports[at] >= 0),
        "survives_fdr": known(said.survives[at] > 0, said.survives[at] >= 0),
        "is_alarming": known(said.is_alarming[at], is_told),
        "is_recovered": known(said.finding.is_recovered[at], is_told),
        "distance": numbers(said.distances[at]),
        "reach": numbers(reaches[at]),
        "consecutive_count": lengths[at],
        "first_breach_start": known(starts[firsts], firsts >= 0),
        "pattern_start": known(starts[patterns], (patterns >= 0) & is_told),
        "run_id": constant(run.run_id, count),
        "judged_at": pa.array([run.as_of] * count, pa.timestamp("us")),
    }
    for name, given in said.finding.columns.items():
        columns[name] = numbers(given[at]) if isinstance(given, np.ndarray) else told(given[0][at], given[1])
    columns |= {name: numbers(series.stored[name][at]) for name in _FIGURES}
    return own_columns(SIGNALS, columns, count)


def _supports(case: Case, finding: Finding, limits: np.ndarray, is_breach: np.ndarray) -> np.ndarray:
    """int8: 1 where the whole interval lies beyond the limit, 0 where not, -1 without such a breach or an interval."""
    if not finding.is_tested:
        return np.full(limits.shape, -1, dtype="int8")
    lower, upper = (case.series.stored[name] for name in ("lower_bound", "upper_bound"))
    bounds = np.where(case.directions[:, None] > 0, upper, lower)
    supports = breaches.is_supported(lower, upper, limits, case.directions).astype("int8")
    supports[~(is_breach & case.beyond(limits)) | np.isnan(bounds)] = -1
    return supports


def _survives(case: Case, finding: Finding, is_breach: np.ndarray) -> np.ndarray:
    """int8: 1 where the breach is more than chance among all judged segments of the period, 0 where not, -1 unknown."""
    if not (finding.is_tested and case.threshold.is_many):
        return np.full(is_breach.shape, -1, dtype="int8")
    chances = np.where(finding.is_judged, _chances(case, finding.limits[0]), np.nan)
    found = breaches.survives(chances).astype("int8")
    found[~is_breach | np.isnan(chances)] = -1
    return found


def _chances(case: Case, limits: np.ndarray) -> np.ndarray:
    indicator: Indicator = case.indicator
    stored = case.series.stored
    if indicator.unit == "ratio" and indicator.interval_kind == "wilson":
        return breaches.share_chances(case.values, stored["denominator"], limits, case.directions)
    return breaches.interval_chances(case.values, stored["lower_bound"], stored["upper_bound"], limits, case.directions)


def _reasons(grain: str, said: Said, at: tuple) -> pa.Array:
    """One sentence per row; all that there can be are written once."""
    finding = said.finding
    templates = (*finding.sentences, _NOT_READY)
    is_silent = said.words[at] == breaches.NOT_READY
    places = np.where(is_silent, len(finding.sentences), finding.cases[at]).astype("int32")
    codes = (places * len(finding.levels) + said.levels[at]) * len(_SUPPORTS) + said.supports[at] + 1
    sentences = [
        template.format(grain=grain, level=level, support=support)
        for template, level, support in product(templates, finding.levels, _SUPPORTS)
    ]
    return told(codes, sentences)
