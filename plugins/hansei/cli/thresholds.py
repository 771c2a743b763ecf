"""`hansei thresholds`: when a number is bad, by whose word, and when that becomes an alarm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hansei.cli.output import Json, show
from hansei.indicators.periods import period_name

if TYPE_CHECKING:
    from hansei.catalog.thresholds import Threshold

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
    if threshold.kind == "benchmark":
        return f"worse than benchmark {threshold.benchmark}"
    if threshold.kind == "spc_concern":
        return "a change for the worse on the chart"
    if threshold.kind == "assurance_fail":
        return f"will miss {threshold.target:g} {threshold.unit}"
    numbers = " / ".join(f"{getattr(threshold, level):g}" for level in threshold.levels)
    grave = f"{numbers} {threshold.unit} ({' / '.join(threshold.levels)})"
    if threshold.kind == "relative":
        return f"worse by {grave} than {threshold.baseline_from} to {threshold.baseline_until}"
    if threshold.kind == "consecutive":
        return f"beyond {grave}, {threshold.periods} {threshold.grain}s in a row"
    if threshold.kind == "m_of_n":
        return f"beyond {grave}, {threshold.m} of {threshold.n} {threshold.grain}s"
    if threshold.kind == "forecast":
        return f"likely beyond {grave} within {threshold.horizon} {threshold.grain}s"
    return f"beyond {grave}"


def alarm_words(threshold: Threshold) -> str:
    """When its breaches open and close an alarm, in a few words."""
    alarm = threshold.alarm
    said = f"opens after {alarm.periods_to_open}, closes after {alarm.periods_to_close}"
    if alarm.recovery is not None:
        said += f" at {alarm.recovery:g} {threshold.unit}"
    return said


_SIGNS = {
    "often": "it would flood: more than one alarm in two months is not read any more; ask for more periods in a row",
    "always": "it would stand most of the time: the limit asks for what the process cannot do as it is; "
    "change the process, or the limit",
    "wide": "it would trip very many segments at once: look for the one cause, or judge `all` instead",
}


@app.command()
def rehearse(
    file: Annotated[Path, typer.Argument(help="File of the threshold; it need not lie among the definitions.")],
    months: Annotated[int, typer.Option(min=1, max=120, help="How far to look back.")] = 12,
    incidents: Annotated[
        Path | None, typer.Option(help="CSV file of what you know was bad: day, what and, if known, segment.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What a threshold would have done: its alarms, their length, what it would have missed. Nothing is saved."""
    from dataclasses import asdict

    from hansei import pipeline
    from hansei.pipeline.rehearsing import rehearse as tried

    found = tried(pipeline.context(), file, months, incidents)
    if as_json:
        show([{**asdict(found), "threshold": found.threshold.id}], True, "")
        return
    still = sum(alarm.closed is None for alarm in found.alarms)
    grain = found.threshold.grain
    typer.echo(
        f"{found.threshold.id}, {found.since} to {found.until}, {_many(found.segment_count, 'segment')}: "
        f"{_many(len(found.alarms), 'alarm')}, {_many(found.alarm_days, 'day')} in alarm, {still} still open\n"
    )
    rows = [
        {
            "opens": period_name(grain, alarm.opened),
            "closes": period_name(grain, alarm.closed) if alarm.closed else "still open",
            "days": alarm.days,
            "segments": ", ".join(alarm.segments),
            "breaches": f"{len(alarm.breaches)}, {period_name(grain, alarm.breaches[0])} "
            f"to {period_name(grain, alarm.breaches[-1])}",
        }
        for alarm in found.alarms
    ]
    show(rows, False, "It would have stayed silent.")
    typer.echo(f"\nof {_many(len(found.incidents), 'known incident')} it would have missed {len(found.missed)}")
    for one in found.missed:
        typer.echo(f"  {one.first} {one.segment_id or ''} {one.what}".rstrip())
    for sign in found.signs:
        typer.echo(f"beware: {_SIGNS[sign]}")


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
