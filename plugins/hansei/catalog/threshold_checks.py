"""Checks of thresholds and rebases against the indicators and benchmarks that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from hansei.catalog.documents import Document, Fault
from hansei.catalog.measure_checks import known, undeclared, unit_faults
from hansei.catalog.measures import DataKind, Indicator
from hansei.catalog.segments import cut_of
from hansei.catalog.thresholds import (
    AssuranceFailThreshold,
    BenchmarkThreshold,
    RelativeThreshold,
    SpcConcernThreshold,
    Threshold,
)
from hansei.catalog.units import USABLE_UNITS, is_beyond

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

# Charts that suit each kind of data (docs/spc.md).
CHARTS: dict[DataKind, tuple[str, ...]] = {
    "share": ("auto", "xmr", "p", "p_prime", "g", "t"),
    "rate": ("auto", "xmr", "u", "u_prime", "g", "t"),
    "count": ("auto", "xmr", "c", "g", "t"),
    "mean": ("auto", "xmr", "xbar_s"),
    "other": ("auto", "xmr"),
}


def check_thresholds(catalog: Catalog) -> Iterator[Fault]:
    """Faults of every threshold, and of every dated entry that rebases an indicator."""
    for threshold in catalog.thresholds.values():
        document = catalog.documents["thresholds", threshold.id]
        indicator = catalog.indicators.get(threshold.indicator)
        if indicator is None:
            yield undeclared(catalog, document, ("indicator",), threshold.indicator)
            continue
        yield from _indicator_faults(document, threshold, indicator)
        yield from _segment_faults(document, threshold.segments, indicator)
        yield from _number_faults(document, threshold, indicator)
        if isinstance(threshold, BenchmarkThreshold):
            yield from _benchmark_faults(catalog, document, threshold)
        if isinstance(threshold, SpcConcernThreshold):
            yield from _chart_faults(document, threshold, indicator)
    for rebase in catalog.rebases.values():
        document = catalog.documents["rebases", rebase.id]
        indicator = catalog.indicators.get(rebase.indicator)
        if indicator is None:
            yield undeclared(catalog, document, ("indicator",), rebase.indicator)
            continue
        yield from _segment_faults(document, rebase.segments, indicator)


def _indicator_faults(document: Document, threshold: Threshold, indicator: Indicator) -> Iterator[Fault]:
    if indicator.direction == "neutral":
        found = f"{indicator.id} is neutral, so no value of it is bad"
        yield document.fault(("indicator",), found, "choose an indicator with a direction")
    if threshold.grain not in indicator.grains:
        found = f"{indicator.id} is not computed by {threshold.grain}"
        yield document.fault(("grain",), found, known(indicator.grains))


def _segment_faults(document: Document, segments: Iterable[str], indicator: Indicator) -> Iterator[Fault]:
    usable = ["all", *("&".join(cut) for cut in indicator.cuts)]
    for position, segment in enumerate(segments):
        if cut_of(segment) not in usable:
            found = f"{indicator.id} has no segment {cut_of(segment)!r}"
            next_step = known(["all", *("&".join(f"{name}=*" for name in cut) for cut in indicator.cuts)])
            yield document.fault(("segments", position), found, next_step)


def _number_faults(document: Document, threshold: Threshold, indicator: Indicator) -> Iterator[Fault]:
    """Units, and which of two numbers is the graver; of a change the greater one is, whatever the direction."""
    direction = indicator.direction
    if isinstance(threshold, RelativeThreshold):
        yield from _relative_unit_faults(document, threshold, indicator)
        direction = "lower_is_better"
    elif hasattr(threshold, "unit"):
        yield from unit_faults(document, ("unit",), indicator, threshold.unit)
    numbers = {level: getattr(threshold, level) for level in threshold.levels if hasattr(threshold, level)}
    if direction == "neutral" or not numbers or isinstance(threshold, AssuranceFailThreshold):
        return
    if len(numbers) == 2 and is_beyond(numbers["warning"], numbers["critical"], direction):
        found = f"critical {numbers['critical']:g} is milder than warning {numbers['warning']:g}"
        yield document.fault(("critical",), found, "swap the two")
    level, mildest = next(iter(numbers.items()))
    recovery = threshold.alarm.recovery
    if recovery is not None and is_beyond(recovery, mildest, direction):
        found = f"{recovery:g} lies beyond the {level} limit {mildest:g}, where nothing has recovered"
        yield document.fault(("alarm", "recovery"), found, "put it on the good side of the limit, or leave it out")


def _relative_unit_faults(document: Document, threshold: RelativeThreshold, indicator: Indicator) -> Iterator[Fault]:
    if threshold.unit != "percent":
        if threshold.unit not in USABLE_UNITS[indicator.unit]:
            found = f"{threshold.unit!r} does not measure {indicator.id}, which is in {indicator.unit}"
            yield document.fault(("unit",), found, known(("percent", *USABLE_UNITS[indicator.unit])))
    elif indicator.measure == "net_share" or indicator.unit == "points":
        found = f"{indicator.id} can be 0 or negative, so a change in percent of it means nothing"
        yield document.fault(("unit",), found, f"say the change in {indicator.unit}")


def _benchmark_faults(catalog: Catalog, document: Document, threshold: BenchmarkThreshold) -> Iterator[Fault]:
    benchmark = catalog.benchmarks.get(threshold.benchmark)
    if benchmark is None:
        found = f"benchmark {threshold.benchmark!r} is not declared"
        yield document.fault(("benchmark",), found, known(catalog.benchmarks))
    elif benchmark.indicator != threshold.indicator:
        found = f"{benchmark.id} is a benchmark of {benchmark.indicator}, not of {threshold.indicator}"
        yield document.fault(("benchmark",), found, "choose a benchmark of the same indicator")


def _chart_faults(document: Document, threshold: SpcConcernThreshold, indicator: Indicator) -> Iterator[Fault]:
    usable = CHARTS[indicator.data_kind]
    if threshold.chart not in usable:
        found = f"no chart {threshold.chart!r} can be drawn of {indicator.id}"
        yield document.fault(("chart",), found, known(usable))
    if threshold.season != "none" and threshold.chart != "xmr":
        yield document.fault(("season",), f"no season is taken out of the chart {threshold.chart!r}", "say chart: xmr")
