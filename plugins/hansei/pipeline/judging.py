"""Values to verdicts: reads series, asks the pure rules of `signals`, stores what they say."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.catalog.segments import matches
from hansei.catalog.thresholds import Threshold
from hansei.indicators.periods import next_period
from hansei.pipeline.readiness import Readiness
from hansei.pipeline.verdicts import SIGNALS, judge_verdicts
from hansei.signals.thresholds import NOT_READY, TOO_FEW_DATA, WITHIN, Limits, Observation, Verdict, judge
from hansei.warehouse import Warehouse
from hansei.warehouse.own_rows import own_rows
from hansei.warehouse.runs import Run


def judge_everything(warehouse: Warehouse, catalog: Catalog, run: Run, readiness: Readiness) -> dict[str, Any]:
    """The word of every finished period, and what every threshold says of it; counts of what thresholds said."""
    rows: list[dict[str, Any]] = []
    with warehouse.transaction():
        judge_verdicts(warehouse, catalog, run, readiness)
        for threshold in sorted(catalog.thresholds.values(), key=lambda item: item.id):
            if threshold.kind != "static":
                continue
            indicator = catalog.indicators[threshold.indicator]
            rows.extend(_judge_one(warehouse, threshold, indicator, readiness.day(indicator.id), run))
        warehouse.execute(f"DELETE FROM {SIGNALS} WHERE kind = 'static'")
        warehouse.load(SIGNALS, own_rows(SIGNALS, rows))
    verdicts: dict[str, int] = defaultdict(int)
    for row in rows:
        verdicts[row["verdict"]] += 1
    return dict(sorted(verdicts.items()))


def _judge_one(
    warehouse: Warehouse, threshold: Threshold, indicator: Indicator, ready_until: date | None, run: Run
) -> list[dict[str, Any]]:
    limits = Limits(
        threshold.limits.get("warning"),
        threshold.limits.get("critical"),
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
        "is_recovered": None if verdict.verdict in (TOO_FEW_DATA, NOT_READY) else verdict.verdict == WITHIN,
        "is_alarming": None if verdict.verdict in (TOO_FEW_DATA, NOT_READY) else verdict.verdict != WITHIN,
        "consecutive_count": verdict.consecutive_count,
        "first_breach_start": verdict.first_breach_start,
        "owner": threshold.owner or indicator.owner,
        "reason": _sentence(verdict, row["grain"]),
        "limit_reason": threshold.reason,
        "run_id": run.run_id,
        "judged_at": run.as_of,
    }


_SAYS = {
    "within": "The value meets the limit.",
    "too_few_data": "There are too few cases to hold against the limit.",
    "not_ready": "A source has not delivered all of this {grain} yet.",
    "breach_warning": "The value lies beyond the warning limit{support}.",
    "breach_critical": "The value lies beyond the critical limit{support}.",
}
_SUPPORT = {True: ", and so does its whole interval", False: ", but its interval does not", None: ""}


def _sentence(verdict: Verdict, grain: str) -> str:
    return _SAYS[verdict.verdict].format(grain=grain, support=_SUPPORT[verdict.is_supported])
