"""`hansei thresholds`: when a number is bad, by whose word, and when that becomes an alarm."""

from __future__ import annotations

import typer

from hansei.catalog.thresholds import (
    AssuranceFailThreshold,
    BenchmarkThreshold,
    ConsecutiveThreshold,
    ForecastThreshold,
    MOfNThreshold,
    RelativeThreshold,
    SpcConcernThreshold,
    Threshold,
)
from hansei.cli.output import Json, show

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_thresholds(as_json: Json = False) -> None:
    """Every threshold as it is defined; one that no longer holds says until when it did."""
    from hansei import pipeline

    rows = [
        {
            "threshold": item.id,
            "kind": item.kind,
            "indicator": item.indicator,
            "grain": item.grain,
            "segments": ", ".join(item.segments),
            "a breach is": breach_words(item),
            "an alarm": alarm_words(item),
            "owner": item.owner,
            "approver": item.approver,
            "from": item.valid_from,
            "until": item.valid_to,
            "reason": item.reason,
        }
        for _, item in sorted(pipeline.context().catalog.thresholds.items())
    ]
    if not as_json:
        # The reason is for scripts and the file itself: a table of sentences is hard to read.
        rows = [{key: said for key, said in row.items() if key != "reason"} for row in rows]
    show(rows, as_json, "no threshold is defined: docs/thresholds.md has an example of each kind")


@app.command("rebases")
def list_rebases(as_json: Json = False) -> None:
    """The dated entries from which charts start anew: whose word it was, and why."""
    from hansei import pipeline

    rows = [
        {
            "entry": item.id,
            "indicator": item.indicator,
            "segments": ", ".join(item.segments) or "every segment",
            "from": item.rebased_on,
            "by": item.by,
            "reason": item.reason,
        }
        for _, item in sorted(pipeline.context().catalog.rebases.items())
    ]
    show(rows, as_json, "no chart is rebased")


def breach_words(threshold: Threshold) -> str:
    """What the threshold calls a breach, in a few words."""
    if isinstance(threshold, BenchmarkThreshold):
        return f"worse than benchmark {threshold.benchmark}"
    if isinstance(threshold, SpcConcernThreshold):
        return "a change for the worse on the chart"
    if isinstance(threshold, AssuranceFailThreshold):
        return f"will miss {threshold.target:g} {threshold.unit}"
    numbers = " / ".join(f"{getattr(threshold, level):g}" for level in threshold.levels)
    grave = f"{numbers} {threshold.unit} ({' / '.join(threshold.levels)})"
    if isinstance(threshold, RelativeThreshold):
        return f"worse by {grave} than {threshold.baseline_from} to {threshold.baseline_until}"
    if isinstance(threshold, ConsecutiveThreshold):
        return f"beyond {grave}, {threshold.periods} {threshold.grain}s in a row"
    if isinstance(threshold, MOfNThreshold):
        return f"beyond {grave}, {threshold.m} of {threshold.n} {threshold.grain}s"
    if isinstance(threshold, ForecastThreshold):
        return f"likely beyond {grave} within {threshold.horizon} {threshold.grain}s"
    return f"beyond {grave}"


def alarm_words(threshold: Threshold) -> str:
    """When its breaches open and close an alarm, in a few words."""
    alarm = threshold.alarm
    said = f"opens after {alarm.periods_to_open}, closes after {alarm.periods_to_close}"
    if alarm.recovery is not None:
        said += f" at {alarm.recovery:g} {threshold.unit}"
    return said
