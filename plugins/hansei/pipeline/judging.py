"""Values to verdicts: reads series, asks the pure rules of `signals`, stores what they say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator, Threshold
from hansei.catalog.segments import matches
from hansei.catalog.units import in_indicator_unit
from hansei.indicators.periods import local_date, next_period
from hansei.signals.thresholds import Limits, Observation, Verdict, judge
from hansei.warehouse import Warehouse
from hansei.warehouse.models import ModelRunner
from hansei.warehouse.own_rows import own_rows
from hansei.warehouse.refresh import runner_for
from hansei.warehouse.runs import Run

SIGNALS = "indicators.signals"


def judge_thresholds(warehouse: Warehouse, catalog: Catalog, run: Run) -> dict[str, Any]:
    """Judges every finished period of every threshold anew and replaces the static signals; counts of verdicts."""
    runner = runner_for(warehouse, catalog)
    rows: list[dict[str, Any]] = []
    with warehouse.transaction():
        for threshold in sorted(catalog.thresholds.values(), key=lambda item: item.id):
            indicator = catalog.indicators[threshold.indicator]
            tables = catalog.tables_of(indicator)
            ready_until = ready_day(warehouse, catalog, feeding_sources(runner, catalog, tables))
            rows.extend(_judge_one(warehouse, threshold, indicator, ready_until, run))
        warehouse.execute(f"DELETE FROM {SIGNALS} WHERE kind = 'static'")
        warehouse.load(SIGNALS, own_rows(SIGNALS, rows))
    verdicts: dict[str, int] = defaultdict(int)
    for row in rows:
        verdicts[row["verdict"]] += 1
    return dict(sorted(verdicts.items()))


def feeding_sources(runner: ModelRunner, catalog: Catalog, tables: Iterable[str]) -> set[str]:
    """Sources whose rows the tables are made of, from what their SQL reads."""
    seen, waiting = set(), [*tables]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in catalog.tables:
            waiting.extend(runner.upstreams(catalog.tables[name]))
    entities = {name.split(".", 1)[1] for name in seen if name.startswith("staging.")}
    return {source.id for source in catalog.sources.values() if entities & set(source.entity_ids)}


def ready_day(warehouse: Warehouse, catalog: Catalog, sources: set[str]) -> date | None:
    """First day that some of the sources does not cover to its end; None where one never was complete."""
    marks = {row["source"]: row["complete_until"] for row in warehouse.rows("SELECT * FROM ops.watermarks")}
    reached: list[datetime | None] = [marks.get(source) for source in sources]
    if not reached or None in reached:
        return None
    return local_date(min(reached), catalog.service.zone)


def _judge_one(
    warehouse: Warehouse, threshold: Threshold, indicator: Indicator, ready_until: date | None, run: Run
) -> list[dict[str, Any]]:
    limits = Limits(
        in_indicator_unit(threshold.warning, threshold.unit),
        in_indicator_unit(threshold.critical, threshold.unit),
        indicator.direction,
        threshold.valid_from,
        threshold.valid_to,
    )
    series: dict[str, list[dict[str, Any]]] = defaultdict(list)
    query = "SELECT * FROM indicators.indicator_values WHERE indicator = :indicator AND grain = :grain"
    for row in warehouse.rows(query, {"indicator": indicator.id, "grain": threshold.grain}):
        if any(matches(row["segment_id"], wanted) for wanted in threshold.segments):
            series[row["segment_id"]].append(row)
    signals = []
    for segment_id, values in sorted(series.items()):
        by_period = {row["period_start"]: row for row in values}
        for verdict in judge([_observe(row) for row in values], limits, ready_until):
            signals.append(_signal(threshold, indicator, segment_id, by_period[verdict.period_start], verdict, run))
    return signals


def _observe(row: dict[str, Any]) -> Observation:
    following = next_period(row["grain"], row["period_start"])
    return Observation(
        row["period_start"], following, row["value"], row["lower_bound"], row["upper_bound"], row["state"]
    )


def _signal(
    threshold: Threshold, indicator: Indicator, segment_id: str, row: dict[str, Any], verdict: Verdict, run: Run
) -> dict[str, Any]:
    said = {
        name: row[name]
        for name in ("version", "grain", "period_start", "value", "lower_bound", "upper_bound", "sample_count")
    }
    return {
        **said,
        "threshold_id": threshold.id,
        "kind": threshold.kind,
        "indicator": indicator.id,
        "segment_id": segment_id,
        "numerator": row["numerator"],
        "denominator": row["denominator"],
        "verdict": verdict.verdict,
        "level": verdict.level,
        "limit_value": verdict.limit,
        "is_supported": verdict.is_supported,
        "consecutive_count": verdict.consecutive_count,
        "first_breach_start": verdict.first_breach_start,
        "owner": threshold.owner or indicator.owner,
        "reason": threshold.reason,
        "run_id": run.run_id,
        "judged_at": run.as_of,
    }
