"""`hansei alarms`: what stands, why, and the two things that a person does about it."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from hansei.cli.output import Json, show
from hansei.cli.stores import opened_store
from hansei.errors import HanseiError

if TYPE_CHECKING:
    from hansei.board.alarms import Alarm, Event, Part

app = typer.Typer(no_args_is_help=True)
Identity = Annotated[str, typer.Argument(help="Id of the alarm, see `hansei alarms list`.")]
Why = Annotated[str, typer.Option(help="Why, in your own words; it is kept with the alarm.")]
By = Annotated[str | None, typer.Option(help="Who you are (default: the name that you are logged in with).")]
_STANDING = ("open", "acknowledged", "muted", "recovering")


@app.command("list")
def list_all(
    state: Annotated[
        str | None, typer.Option(help="open, acknowledged, muted, recovering, closed or all (default: all but closed).")
    ] = None,
    as_json: Json = False,
) -> None:
    """What stands, the gravest first."""
    from hansei.board.alarms import list_alarms, parts_of

    if state not in (None, "all", "closed", *_STANDING):
        raise HanseiError("--state", f"{state!r}", f"use one of {', '.join((*_STANDING, 'closed', 'all'))}")
    states = () if state == "all" else _STANDING if state is None else (state,)
    with opened_store() as engine:
        found = list_alarms(engine, states)
        parts = parts_of(engine, [alarm.alarm_id for alarm in found])
    rows = [_row(alarm, parts[alarm.alarm_id]) for alarm in sorted(found, key=_gravest_first)]
    show(rows, as_json, "no alarm stands" if state is None else "none of these")


@app.command("show")
def show_one(identity: Identity, as_json: Json = False) -> None:
    """What is wrong, where, since when, and what happened."""
    from hansei import pipeline
    from hansei.board.alarms import events_of, load_alarm, parts_of

    with opened_store() as engine:
        alarm = load_alarm(engine, identity)
        parts = parts_of(engine, [identity])[identity]
        events = events_of(engine, identity)
    if as_json:
        show([{**vars(alarm), "parts": [vars(part) for part in parts]}], True, "")
        return
    for line in _told(pipeline.context().catalog, alarm, parts):
        typer.echo(line)
    typer.echo("")
    for event in events:
        typer.echo(_line(event))


@app.command()
def ack(identity: Identity, why: Why = ..., by: By = None) -> None:
    """Say that you take care: the alarm stops calling, and closes when the number is good again."""
    from hansei import pipeline
    from hansei.board.alarms import acknowledge

    with opened_store() as engine:
        alarm = acknowledge(engine, identity, _who(by), _reason(why), pipeline.context().now())
    typer.echo(f"{identity}: {_state(alarm)}")


@app.command()
def mute(
    identity: Identity,
    until: Annotated[str, typer.Option(help="First day on which it may call again: 2026-08-31.")] = ...,
    why: Why = ...,
    by: By = None,
) -> None:
    """Ask for quiet until a day: the alarm is still followed, and calls again on that day if it is not over."""
    from hansei import pipeline
    from hansei.board import alarms
    from hansei.indicators.periods import local_date

    context = pipeline.context()
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise HanseiError("--until", f"{until!r} is no day", "write it as 2026-08-31") from None
    now = context.now()
    today = local_date(now, context.catalog.service.zone)
    with opened_store() as engine:
        alarm = alarms.mute(engine, identity, day, _who(by), _reason(why), now, today)
    typer.echo(f"{identity}: {_state(alarm)}")


@app.command()
def history(identity: Identity, as_json: Json = False) -> None:
    """Everything that happened to the alarm: when, what, who and why."""
    from hansei.board.alarms import events_of, load_alarm

    with opened_store() as engine:
        load_alarm(engine, identity)
        events = events_of(engine, identity)
    if as_json:
        show([vars(event) for event in events], True, "")
        return
    for event in events:
        typer.echo(_line(event))


def _gravest_first(alarm: Alarm) -> tuple:
    from hansei.catalog.recipients import SEVERITIES

    return alarm.state == "closed", -SEVERITIES.index(alarm.severity), alarm.first_period, alarm.alarm_id


def _row(alarm: Alarm, parts: list[Part]) -> dict:
    from hansei.pipeline.alarm_news import leading_part

    lead = leading_part(parts)
    return {
        "alarm_id": alarm.alarm_id,
        "state": _state(alarm),
        "severity": alarm.severity,
        "owner": alarm.owner,
        "where": lead.segment_label or "Whole service",
        "parts": len(parts),
        "reason": lead.reason,
    }


def _state(alarm: Alarm) -> str:
    return f"muted until {alarm.muted_until}" if alarm.state == "muted" else alarm.state


def _told(catalog, alarm: Alarm, parts: list[Part]) -> Iterator[str]:
    from hansei.indicators.periods import period_name
    from hansei.reviews.locales import locale

    words = locale("en")
    indicator = catalog.indicators.get(alarm.indicator)
    yield f"{indicator.title if indicator else alarm.indicator}: {_state(alarm)}, {alarm.severity}"
    yield f"  since {period_name(alarm.grain, alarm.first_period)}; owner {alarm.owner}"
    if alarm.state == "open" and alarm.escalate_to:
        yield f"  {alarm.escalate_to} is told if nobody acknowledges it within {alarm.escalate_after_days} days"
    for part in parts:
        told = f"  {part.segment_label or 'Whole service'} ({part.threshold_id}): {part.state}"
        if part.value is not None and indicator is not None:
            told += f", {words.figure(part.value, indicator.unit)} in {period_name(part.grain, part.period_start)}"
            if part.limit_value is not None:
                told += f", the limit is {words.figure(part.limit_value, indicator.unit)}"
        yield f"{told}. {part.reason}"


def _line(event: Event) -> str:
    change = f" ({event.from_state} -> {event.to_state})" if event.from_state not in (None, event.to_state) else ""
    more = f" until {event.until}" if event.until else ""
    more = f" as {event.severity}" if event.what in ("opened", "raised") else more
    return f"  {event.at:%Y-%m-%d %H:%M} UTC  {event.what}{more}{change}, {event.who}: {event.why}"


def _who(by: str | None) -> str:
    if by is not None and not by.strip():
        raise HanseiError("--by", "is empty", "give a name, or leave it out")
    return by.strip() if by else getpass.getuser()


def _reason(why: str) -> str:
    if not why.strip():
        raise HanseiError("--why", "is empty", "say why; it is kept with the alarm")
    return why.strip()
