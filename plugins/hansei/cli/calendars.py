"""`hansei calendars`: opening hours day by day, and business time reckoned by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from hansei.cli.days import day_of
from hansei.cli.output import Json, show
from hansei.errors import DefinitionError, HanseiError
from hansei.settings import Settings, load_settings

if TYPE_CHECKING:
    from hansei.catalog.openings import Openings

app = typer.Typer(no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="Id of the calendar, such as always.")]
At = "by the calendar's own clock (2026-03-27T16:00), or an instant (2026-03-27T15:00Z)."


@dataclass
class _Line:
    """A calendar ready to be asked: its zone, its openings, the names of its closed and special days."""

    zone: str
    openings: Openings
    names: dict[int, str] = field(default_factory=dict)


@app.command("list")
def list_calendars(as_json: Json = False) -> None:
    """Every calendar, of the definitions and, once a night has run, of the sources."""
    from hansei.catalog import load_catalog
    from hansei.catalog.calendars import ALWAYS
    from hansei.catalog.openings import week_seconds

    settings = load_settings()
    catalog = load_catalog(settings)
    service = catalog.service
    followers: dict[str, list[str]] = {service.calendar: ["default"]}
    for item in service.calendar_assignments:
        since = f" from {item.first}" if item.first else ""
        followers.setdefault(item.calendar, []).append(f"{item.dimension} {item.value}{since}")
    rows = [
        {
            "calendar": item.id,
            "name": item.name,
            "zone": item.zone,
            "hours a week": week_seconds(item.week) / 3600,
            "origin": "definition",
            "followed by": "; ".join(followers.get(item.id, [])),
        }
        for item in [ALWAYS, *catalog.calendars.values()]
    ]
    for row in _from_sources(settings, "SELECT * FROM core.calendars WHERE origin = 'source' ORDER BY calendar_id"):
        hours, followed = row["week_seconds"] / 3600, "; ".join(followers.get(row["calendar_id"], []))
        told = {"calendar": row["calendar_id"], "name": row["name"], "zone": row["zone"], "hours a week": hours}
        rows.append({**told, "origin": "source", "followed by": followed})
    show(rows, as_json, "no calendar is defined")


@app.command("show")
def show_calendar(
    name: Id,
    first: Annotated[str, typer.Option("--from", help="First day, as 2026-03-23.")],
    last: Annotated[str, typer.Option("--to", help="Last day, inclusive.")],
    as_json: Json = False,
) -> None:
    """Openings of each day by the calendar's own clock, with the seconds that really pass."""
    from hansei.catalog.openings import day_number

    line = _line(name)
    start, end = day_of("--from", first, "2026-03-23"), day_of("--to", last, "2026-03-23")
    if end < start:
        raise HanseiError("--to", f"{end} is before --from {start}", "swap the two")
    rows = []
    for count in range((end - start).days + 1):
        day = start + timedelta(days=count)
        opened, seconds = _openings_of_day(line, day)
        told = {"day": str(day), "weekday": f"{day:%A}", "openings": ", ".join(opened) or "closed"}
        rows.append({**told, "minutes": seconds / 60, "note": line.names.get(day_number(day), "")})
    show(rows, as_json, "no day in this range")


@app.command()
def minutes(
    name: Id,
    start: Annotated[str, typer.Argument(help=f"Start {At}")],
    end: Annotated[str, typer.Argument(help=f"End {At}")],
    as_json: Json = False,
) -> None:
    """Business minutes between two times."""
    import numpy as np

    line = _line(name)
    instants = [_instant("START", start, line.zone), _instant("END", end, line.zone)]
    first, second = (int(position) for position in line.openings.position(np.array(instants, dtype=np.int64)))
    times = {"start (UTC)": _utc(instants[0]), "end (UTC)": _utc(instants[1])}
    counted = {"business minutes": (second - first) / 60, "calendar minutes": (instants[1] - instants[0]) / 60}
    show([{**times, **counted}], as_json, "")


@app.command()
def after(
    name: Id,
    start: Annotated[str, typer.Argument(help=f"Start {At}")],
    budget: Annotated[float, typer.Argument(metavar="MINUTES", help="Business minutes that have to pass.")],
    as_json: Json = False,
) -> None:
    """When that many business minutes will have passed; at closing time both that instant and the next opening."""
    import numpy as np

    if budget < 0:
        raise HanseiError("MINUTES", f"{budget:g}", "give a number of at least 0")
    line = _line(name)
    instant = _instant("START", start, line.zone)
    position = int(line.openings.position(np.array([instant], dtype=np.int64))[0]) + round(budget * 60)
    rows = []
    for at in ("earliest", "latest"):
        found = line.openings.instant(position, at)
        # Without a budget the earliest such instant may lie before the start: nothing was open in between.
        found = None if found is None else max(found, instant)
        local = None if found is None else datetime.fromtimestamp(found, ZoneInfo(line.zone)).isoformat(" ")
        rows.append({"which": at, "UTC": None if found is None else _utc(found), line.zone: local})
    show(rows, as_json, "")


def _line(name: str) -> _Line:
    from hansei.catalog import load_catalog
    from hansei.catalog.calendars import ALWAYS
    from hansei.catalog.closed_days import work_out
    from hansei.catalog.openings import Hours, openings

    settings = load_settings()
    catalog = load_catalog(settings)
    calendars = catalog.calendars
    if name == ALWAYS.id:
        return _Line(ALWAYS.zone, openings(Hours(ALWAYS.zone, ALWAYS.week)))
    if name in calendars:
        document = catalog.documents["calendars", name]
        worked_out = work_out(calendars[name], document.path.parent, catalog.home)
        if worked_out.troubles:
            raise DefinitionError([document.fault(t.location, t.found, t.next_step) for t in worked_out.troubles])
        return _Line(calendars[name].zone, openings(worked_out.hours), worked_out.names)
    delivered = _from_sources(settings, "SELECT calendar_id, zone FROM core.calendars WHERE origin = 'source'")
    zones = {row["calendar_id"]: row["zone"] for row in delivered}
    if name not in zones:
        known = ", ".join([ALWAYS.id, *sorted(calendars), *sorted(zones)])
        raise HanseiError(f"calendar {name!r}", "is not known", f"use one of: {known}")
    return _planted_line(settings, name, zones[name])


def _planted_line(settings: Settings, name: str, zone: str) -> _Line:
    import numpy as np

    from hansei.catalog.openings import Openings

    query = (
        "SELECT MIN(opened_at) AS opened_at, MAX(closed_at) AS closed_at FROM core.calendar_openings "
        "WHERE calendar_id = :name GROUP BY opening_number ORDER BY opening_number"
    )
    rows = _from_sources(settings, query, {"name": name})
    edges = [[_seconds(row["opened_at"]), _seconds(row["closed_at"])] for row in rows]
    starts, ends = np.array(edges, dtype=np.int64).T
    return _Line(zone, Openings(starts, ends))


def _from_sources(settings: Settings, query: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Rows of the planted tables; none before the first night."""
    if settings.is_embedded and not settings.read_copy.exists():
        return []
    from hansei.warehouse import open_read_copy

    with open_read_copy(settings) as warehouse:
        if "core.calendars" not in warehouse.tables():
            return []
        return warehouse.rows(query, parameters)


def _openings_of_day(line: _Line, day: date) -> tuple[list[str], int]:
    """(`09:00-17:00`, ...) and open seconds of one day of the zone's clock."""
    import numpy as np

    from hansei.catalog.calendars import DAY
    from hansei.catalog.openings import day_number, to_utc

    midnight = day_number(day) * DAY
    start, end = (int(edge) for edge in to_utc(np.array([midnight, midnight + DAY], dtype=np.int64), line.zone))
    starts = np.maximum(line.openings.starts, start)
    ends = np.minimum(line.openings.ends, end)
    inside = starts < ends
    clock = ZoneInfo(line.zone)
    told, seconds = [], 0
    for first, second in zip(starts[inside].tolist(), ends[inside].tolist(), strict=True):
        until = "24:00" if second == end else f"{datetime.fromtimestamp(second, clock):%H:%M}"
        told.append(f"{datetime.fromtimestamp(first, clock):%H:%M}-{until}")
        seconds += second - first
    return told, seconds


def _instant(argument: str, text: str, zone: str) -> int:
    import numpy as np

    from hansei.catalog.openings import to_utc

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise HanseiError(
            argument, f"{text!r} is no time", "write it as 2026-03-27T16:00 or 2026-03-27T15:00Z"
        ) from None
    if at.tzinfo is None:
        return int(to_utc(np.array([_seconds(at)], dtype=np.int64), zone)[0])
    return _seconds(at.astimezone(UTC))


def _seconds(at: datetime) -> int:
    return int((at.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds())


def _utc(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
