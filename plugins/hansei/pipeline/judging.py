"""What the night says of finished periods: one word each, and what every threshold says; from values to signals.

An indicator is judged by week, by its finest longer grain where it has no weeks, and by every grain for which a
threshold is set or a review is written. What was said of a period stands: each is judged as the newest of its time. An
indicator is judged again only when a finished value, its definition, a threshold, a phase or the readiness of its
sources changed.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.measures import Grain, Indicator
from hansei.catalog.thresholds import BenchmarkThreshold
from hansei.indicators.periods import period_start
from hansei.indicators.values import meaning
from hansei.pipeline.phases import phase_starts
from hansei.pipeline.readiness import Readiness
from hansei.pipeline.rebasing import require_points
from hansei.pipeline.series import READ, read_series
from hansei.pipeline.threshold_rows import threshold_rows
from hansei.pipeline.verdicts import FIXED_AFTER, verdict_rows
from hansei.signals import spc
from hansei.warehouse import Warehouse
from hansei.warehouse.runs import Run
from hansei.warehouse.signal_tables import SIGNALS
from hansei.warehouse.states import forget, remember, remembered

_MARK = "verdicts:"
# Raise it when the way of judging changes, so that every indicator is judged again.
_METHOD = 2


def judge_everything(warehouse: Warehouse, catalog: Catalog, run: Run, readiness: Readiness) -> dict[str, int]:
    """Judges what changed since it was judged last; how often each thing is said by thresholds, over all periods.

    Raises HanseiError, and writes nothing, where the date of a rebase matches no period.
    """
    with warehouse.transaction():
        judge_changes(warehouse, catalog, run, readiness)
    said = f"SELECT verdict, COUNT(*) AS period_count FROM {SIGNALS} WHERE kind <> 'verdict' GROUP BY verdict"
    return {row["verdict"]: row["period_count"] for row in sorted(warehouse.rows(said), key=lambda row: row["verdict"])}


def judge_changes(warehouse: Warehouse, catalog: Catalog, run: Run, readiness: Readiness) -> int:
    """As `judge_everything`, in the transaction of the caller; how many rows were written."""
    grains = _judged_grains(catalog)
    by_indicator: dict[str, list[Grain]] = {}
    for grain, indicators in grains.items():
        for indicator in indicators:
            by_indicator.setdefault(indicator.id, []).append(grain)
    require_points(warehouse, catalog, by_indicator)
    written = 0
    reached = _reached(warehouse)
    marks = remembered(warehouse, _MARK)
    judged: set[str] = set()
    for grain, indicators in sorted(grains.items()):
        prints = {
            indicator.id: _fingerprint(catalog, indicator, grain, reached[indicator.id, grain], readiness)
            for indicator in indicators
            if (indicator.id, grain) in reached
        }
        judged.update(f"{grain}:{name}" for name in prints)
        fresh = {name: digest for name, digest in prints.items() if marks.get(f"{grain}:{name}") != digest}
        if fresh:
            sizes = {name: reached[name, grain].value_count for name in fresh}
            written += _judge_again(warehouse, catalog, run, readiness, grain, sizes)
            remember(warehouse, {f"{_MARK}{grain}:{name}": fresh[name] for name in fresh}, run.run_id, "judged")
    gone = sorted(marks.keys() - judged)
    for mark in gone:
        _remove(warehouse, *mark.split(":"))
    forget(warehouse, [f"{_MARK}{mark}" for mark in gone])
    return written


def _judged_grains(catalog: Catalog) -> dict[Grain, list[Indicator]]:
    found: dict[Grain, list[Indicator]] = {}
    for indicator in sorted(catalog.indicators.values(), key=lambda item: item.id):
        usual = next((grain for grain in ("week", "month", "quarter") if grain in indicator.grains), None)
        asked = {item.grain for item in catalog.thresholds.values() if item.indicator == indicator.id}
        asked |= {review.grain for review in catalog.reviews.values() if indicator.id in catalog.shown_in(review)}
        for grain in sorted((asked & set(indicator.grains)) | ({usual} if usual else set())):
            found.setdefault(grain, []).append(indicator)
    return found


@dataclass(frozen=True)
class _Reached:
    """Of one indicator and grain: how many finished values there are, and a hash of what is said of them.

    When a value became known does not tell: a back-fill and a repeated run restate as of the same instant as before.
    """

    value_count: int
    content_hash: str


def _reached(warehouse: Warehouse) -> dict[tuple[str, str], _Reached]:
    rows = warehouse.rows(
        f"SELECT indicator, grain, COUNT(*) AS value_count, {warehouse.sql.content_hash(READ)} AS content_hash "
        "FROM indicators.indicator_values WHERE state <> 'incomplete' GROUP BY indicator, grain"
    )
    return {(row["indicator"], row["grain"]): _Reached(row["value_count"], str(row["content_hash"])) for row in rows}


def _fingerprint(catalog: Catalog, indicator: Indicator, grain: str, reached: _Reached, readiness: Readiness) -> str:
    """Hash of everything that moves what is said: values, definition, phases, thresholds, and how far sources reach."""
    starts = [
        (str(start.day), start.why, start.dimension, start.segments) for start in phase_starts(catalog, indicator)
    ]
    ready = readiness.day(indicator.id)
    own = [meaning(indicator), indicator.direction, indicator.owner, starts, astuple(reached)]
    reach = str(ready and period_start(grain, ready))
    thresholds = catalog.thresholds_on(indicator.id, grain)
    others = [catalog.benchmarks[item.benchmark] for item in thresholds if isinstance(item, BenchmarkThreshold)]
    return catalog.fingerprint(_METHOD, *own, reach, *thresholds, *others)


def _judge_again(
    warehouse: Warehouse, catalog: Catalog, run: Run, readiness: Readiness, grain: str, sizes: dict[str, int]
) -> int:
    """Replaces what is said of the indicators that `sizes` names, with how many values each has; rows written."""
    _remove(warehouse, grain, *sizes)
    ready = {name: readiness.day(name) for name in sizes}
    written = 0
    for series in read_series(warehouse, catalog, grain, ready, sizes):
        known = spc.known_then(series.block.values, series.block.phases, FIXED_AFTER[grain])
        said = [verdict_rows(catalog, series, known, run), *threshold_rows(catalog, series, known, run)]
        rows = pa.concat_tables(said)
        warehouse.load(SIGNALS, rows)
        written += rows.num_rows
    return written


def _remove(warehouse: Warehouse, grain: str, *indicators: str) -> None:
    names = warehouse.sql.text_list(sorted(indicators))
    warehouse.execute(f"DELETE FROM {SIGNALS} WHERE grain = '{grain}' AND indicator IN ({names})")
