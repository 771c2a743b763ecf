"""Kinds of thresholds that hold a value against a limit: fixed, relative to a baseline, or what others reach.

Each turns the definition into limits and asks the pure rules of `signals`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hansei.catalog.surveys import Benchmark
from hansei.catalog.thresholds import BenchmarkThreshold, ConsecutiveThreshold, MOfNThreshold, RelativeThreshold
from hansei.catalog.units import in_indicator_unit
from hansei.pipeline.breach_cases import TOO_FEW_CASES, Case, held
from hansei.pipeline.series import Series
from hansei.signals import breaches
from hansei.signals.breaches import Finding

# Values of these measures are numerator by denominator, times `per`: periods are pooled as sums, never as a mean.
_QUOTIENTS = ("ratio", "rate", "mean")


def _fixed(case: Case, sentences: Sequence[str], **pattern: Callable[[np.ndarray], np.ndarray]) -> Finding:
    threshold = case.threshold
    limits = [case.everywhere(limit) for limit in threshold.limits.values()]
    recovery = None if threshold.recovery is None else case.everywhere(threshold.recovery)
    return held(case, limits, sentences, recovery, **pattern)


def static_breaches(case: Case) -> Finding:
    sentences = (
        "The value meets the limit.",
        "",
        "The value lies beyond the {level} limit{support}.",
        TOO_FEW_CASES,
    )
    return _fixed(case, sentences)


def consecutive_breaches(case: Case) -> Finding:
    threshold: ConsecutiveThreshold = case.threshold
    least = threshold.periods
    sentences = (
        "The value meets the limit.",
        f"The value lies beyond the limit, but not yet for {least} {{grain}}s in a row.",
        f"The value lies beyond the {{level}} limit for {least} {{grain}}s in a row or more{{support}}.",
        TOO_FEW_CASES,
    )
    return _fixed(
        case,
        sentences,
        pattern=lambda is_beyond: breaches.in_a_row(is_beyond, least),
        starts=lambda is_beyond: breaches.row_starts(is_beyond, breaches.row_lengths(is_beyond)),
    )


def m_of_n_breaches(case: Case) -> Finding:
    threshold: MOfNThreshold = case.threshold
    m, n = threshold.m, threshold.n
    sentences = (
        f"Fewer than {m} of the last {n} {{grain}}s lie beyond the limit, and this one meets it.",
        f"The value lies beyond the limit, but not yet {m} of the last {n} {{grain}}s do.",
        f"{m} or more of the last {n} {{grain}}s lie beyond the {{level}} limit{{support}}.",
        TOO_FEW_CASES,
    )
    return _fixed(case, sentences, pattern=lambda is_beyond: breaches.m_of_n(is_beyond, m, n))


def relative_breaches(case: Case) -> Finding:
    threshold: RelativeThreshold = case.threshold
    baseline = _baseline(case)
    worse = -case.directions[:, None]

    def moved(by: float) -> np.ndarray:
        if threshold.unit == "percent":
            return baseline + worse * np.abs(baseline) * by / 100
        return baseline + worse * in_indicator_unit(by, threshold.unit)

    recovery = None if threshold.alarm.recovery is None else moved(threshold.alarm.recovery)
    sentences = (
        "The value is not worse than its baseline by more than is allowed.",
        "",
        "The value is worse than its baseline by more than the {level} limit allows{support}.",
        "There are too few cases to compare with the baseline.",
        f"The baseline has fewer than {threshold.minimum_periods} usable {{grain}}s, or a new phase began after it: "
        "give the threshold a newer baseline.",
    )
    return held(case, [moved(getattr(threshold, level)) for level in threshold.levels], sentences, recovery)


def _baseline(case: Case) -> np.ndarray:
    """The frozen level of each series in the periods of its baseline's own phase, else NaN: one process per yardstick.

    The baseline's phase is that of its last usable period.
    """
    threshold: RelativeThreshold = case.threshold
    block, stored = case.series.block, case.series.stored
    starts = block.period_starts
    since, until = (np.datetime64(day, "D") for day in (threshold.baseline_from, threshold.baseline_until))
    is_used = ~np.isnan(block.values) & (starts >= since) & (starts < until)
    phase = np.max(np.where(is_used, block.phases, -1), axis=1, initial=-1)[:, None]
    is_used &= block.phases == phase
    count = is_used.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        if case.indicator.measure in _QUOTIENTS:
            sums = [np.where(is_used, stored[name], 0).sum(axis=1) for name in ("numerator", "denominator")]
            level = sums[0] / sums[1] * (case.indicator.per or 1)
        else:
            level = np.where(is_used, block.values, 0).sum(axis=1) / count
    level = np.where(count >= threshold.minimum_periods, level, np.nan)
    return np.where(block.phases == phase, level[:, None], np.nan)


def benchmark_breaches(case: Case) -> Finding:
    threshold: BenchmarkThreshold = case.threshold
    benchmark = case.catalog.benchmarks[threshold.benchmark]
    least = benchmark.consecutive_months
    enough = case.series.stored["sample_count"] >= benchmark.minimum_count
    is_usable = ~np.isnan(case.values) & enough
    limits = benchmark_limits(benchmark, case.series)
    skipped = None
    if benchmark.missing_month == "skipped":
        skipped = ~is_usable & case.holds
    sentences = (
        f"The value is not worse than what others reach ({benchmark.source}).",
        f"The value is worse than what others reach, but not yet for {least} months in a row.",
        f"The value is worse than what others reach for {least} months in a row or more{{support}} "
        f"({benchmark.source}).",
        f"Fewer than {benchmark.minimum_count} were counted: too few to compare with others.",
        "No benchmark is stored for this month.",
    )
    return held(
        case,
        [limits],
        sentences,
        pattern=lambda is_beyond: breaches.in_a_row(is_beyond, least, skipped),
        starts=lambda is_beyond: breaches.row_starts(is_beyond, breaches.row_lengths(is_beyond, skipped)),
        is_usable=is_usable,
    )


def benchmark_limits(benchmark: Benchmark, series: Series) -> np.ndarray:
    """What others reached, by series and period: a segment's own value, else that of the whole; NaN where none is."""
    starts = series.block.period_starts
    segments = {"all", *(item.segment for item in benchmark.months)}
    lines = {segment_id: np.full(starts.shape, np.nan) for segment_id in segments}
    for item in sorted(benchmark.months, key=lambda item: item.month):
        lines[item.segment][starts >= np.datetime64(item.month, "D")] = item.value
    own = np.stack([lines.get(segment_id, lines["all"]) for _, segment_id in series.keys])
    return np.where(np.isnan(own), lines["all"], own)
