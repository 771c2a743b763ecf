"""A second opinion on the time ledger, written to be plain: minutes looked at one by one, events walked one by one.

It shares nothing with the product. Instants are naive UTC and fall on whole minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MINUTE = timedelta(minutes=1)
WORDS = ("new", "open", "pending", "hold", "solved", "closed", "deleted")
KINDS = {"status": 1, "team": 2, "assignee": 3, "priority": 4, "bot_handoff": 5}
SIX_SPANS = [f"{start}-{end}" for start, end in (("00:00", "06:00"), ("09:30", "12:00"), ("12:30", "18:00"))]
WORKDAYS = DAYS[:5]
# Weeks that meet the changes of clocks in both hemispheres: by the hour, by half an hour, within a shift at night.
CALENDARS: dict[str, dict[str, Any]] = {
    "berlin": {"zone": "Europe/Berlin", "hours": {day: ["09:00-12:00", "13:00-17:00"] for day in WORKDAYS}},
    "lord_howe": {"zone": "Australia/Lord_Howe", "hours": dict.fromkeys(DAYS, SIX_SPANS)},
    "new_york_nights": {"zone": "America/New_York", "hours": {day: ["22:00-06:00"] for day in DAYS}},
    "adelaide": {"zone": "Australia/Adelaide", "hours": {day: ["00:00-04:00", "22:30-24:00"] for day in DAYS[2:]}},
    "kathmandu": {"zone": "Asia/Kathmandu", "hours": {day: ["08:15-16:45"] for day in DAYS[:4]}},
}
# (dimension, value, calendar, first day or None), as a service assigns them; the default is `berlin`.
ASSIGNMENTS = (
    ("team", "desk:alpha", "lord_howe", None),
    ("team", "desk:alpha", "new_york_nights", "2026-03-24"),
    ("team", "desk:alpha", "lord_howe", "2026-10-08"),
    ("team", "desk:beta", "kathmandu", "2026-04-02"),
    ("brand", "gold", "always", "2026-10-20"),
    ("channel", "chat", "adelaide", None),
)
# Spans of which every minute is looked at; histories stay inside.
SEASONS = ((datetime(2026, 3, 1), datetime(2026, 4, 28)), (datetime(2026, 9, 25), datetime(2026, 11, 25)))


@cache
def _open_minutes_before(calendar: str, season: int) -> list[int]:
    """For each minute of a season: how many open ones lie before it."""
    first, last = SEASONS[season]
    counts, count = [], 0
    at = first
    while at <= last:
        counts.append(count)
        count += is_open(calendar, at)
        at += MINUTE
    return counts


def is_open(calendar: str, at: datetime) -> bool:
    """Whether the wall clock of the calendar's zone shows an open minute."""
    if calendar == "always":
        return True
    week = CALENDARS[calendar]
    local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(week["zone"]))
    clock = f"{local.hour:02}:{local.minute:02}"
    today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
    for span in week["hours"].get(today, ()):
        start, end = span.split("-")
        if start <= clock and (clock < end or end < start):
            return True
    for span in week["hours"].get(yesterday, ()):
        start, end = span.split("-")
        if end < start and clock < end:
            return True
    return False


def open_seconds(calendar: str, start: datetime, end: datetime) -> int:
    season = next(number for number, (first, last) in enumerate(SEASONS) if first <= start and end <= last)
    first = SEASONS[season][0]
    counts = _open_minutes_before(calendar, season)
    return 60 * (counts[(end - first) // MINUTE] - counts[(start - first) // MINUTE])


@dataclass
class Naive:
    """What a ticket's events come to. `spans`: (from, to or None, status, team, assignee, owner, calendar).

    They are cut by calendars too; `last_mark` is the last thing that happened to the ticket itself.
    """

    last_mark: datetime
    is_over: bool = False
    spans: list[tuple] = field(default_factory=list)
    transitions: list[tuple] = field(default_factory=list)
    handoffs: list[tuple] = field(default_factory=list)
    turns: list[tuple] = field(default_factory=list)
    solution_count: int = 0
    reopen_count: int = 0

    def business_seconds(self, start: datetime, end: datetime) -> int:
        """Open seconds between two instants of the life, each piece by the calendar that was followed then."""
        total = 0
        for from_at, to_at, *_, calendar in self.spans:
            low, high = max(start, from_at), min(end, to_at or end)
            if low < high:
                total += open_seconds(calendar, low, high)
        return total


def walk(ticket: dict[str, Any], events: list[dict[str, Any]]) -> Naive:
    """Every instant of the ticket's life by a plain state machine over its events, deleted ones left out."""
    created = ticket["created_at"]
    known = [event for event in events if event.get("deleted_at") is None]
    known.sort(key=_order)
    at_of = {id(event): max(event["occurred_at"], created) for event in known}
    changes = [event for event in known if event["event_type"] in KINDS]
    state = {
        "status": _initial(changes, "status") or "new",
        "team": _initial(changes, "team", ticket.get("team_id")),
        "assignee": _initial(changes, "assignee", ticket.get("assignee_id")),
    }
    handed_off = min((at_of[id(event)] for event in changes if event["event_type"] == "bot_handoff"), default=None)
    named: str | None = None
    marks = {created} | {at_of[id(event)] for event in changes}
    if ticket.get("deleted_at"):
        marks.add(max(ticket["deleted_at"], created))
    naive = Naive(last_mark=max(marks))
    named_at: dict[datetime, list[str]] = {}
    for event in known:
        if event["event_type"] == "calendar":
            early = event["occurred_at"] <= created + timedelta(seconds=5)
            named_at.setdefault(created if early else event["occurred_at"], []).append(event["value"])
    latest = max([naive.last_mark, *at_of.values()])
    cuts = {_start_of(calendar, day) for _, _, calendar, day in ASSIGNMENTS if day}
    marks |= set(named_at) | {cut for cut in cuts if created < cut <= latest}

    entries: list[tuple[datetime, str]] = []
    held_since, seen_teams = created, [state["team"]]
    ordered = sorted(marks)
    for position, mark in enumerate(ordered):
        if mark > created and not entries:
            entries.append((created, state["status"]))
        for event in (event for event in changes if at_of[id(event)] == mark):
            kind, value = event["event_type"], event["value"]
            if kind == "status" and value != state["status"]:
                _count_solutions(naive, state["status"], value)
                entries.append((mark, value))
            if kind == "team" and value != state["team"]:
                if value and state["team"]:
                    naive.handoffs.append((mark, state["team"], value, value in seen_teams, held_since))
                seen_teams.append(value)
                held_since = mark
            if kind in state:
                state[kind] = value
        if ticket.get("deleted_at") and max(ticket["deleted_at"], created) == mark and state["status"] != "deleted":
            state["status"] = "deleted"
            entries.append((mark, "deleted"))
        named = named_at.get(mark, [named])[-1]
        ended = ordered[position + 1] if position + 1 < len(ordered) else None
        calendar = _calendar(ticket, state["team"], named, mark)
        owner = _owner(state["status"], state["assignee"], handed_off is not None and mark < handed_off)
        naive.spans.append((mark, ended, state["status"], state["team"], state["assignee"], owner, calendar))
    naive.is_over = state["status"] in ("closed", "deleted")
    if not entries:
        entries.append((created, state["status"]))
    naive.transitions = [(later, status, after, entered) for (entered, status), (later, after) in pairwise(entries)]
    naive.turns = _turns(ticket, known, at_of)
    return naive


def _order(event: dict[str, Any]) -> tuple:
    kind = KINDS.get(event["event_type"], 9)
    return (
        event["occurred_at"],
        event["sequence_number"] or 0,
        _rank(event["value"]),
        kind,
        _rank(event.get("previous_value")),
    )


def _rank(value: str | None) -> tuple[int, int, str]:
    """Nothing first, then our words in the order of a ticket's life, then whatever a source names."""
    if value is None:
        return 0, 0, ""
    return (1, WORDS.index(value), "") if value in WORDS else (2, 0, value)


def _initial(changes: list[dict[str, Any]], kind: str, stated: str | None = None) -> str | None:
    of_kind = [event for event in changes if event["event_type"] == kind]
    return of_kind[0].get("previous_value") if of_kind else stated


def _count_solutions(naive: Naive, before: str, after: str) -> None:
    was, is_now = before in ("solved", "closed"), after in ("solved", "closed")
    naive.solution_count += is_now and not was
    naive.reopen_count += was and not is_now and after != "deleted"


def _owner(status: str, assignee: str | None, is_before_handoff: bool) -> str:
    if status in ("solved", "closed", "deleted"):
        return "closed"
    if is_before_handoff:
        return "bot"
    if status == "pending":
        return "customer"
    if status == "hold":
        return "hold"
    return "queue" if status == "new" or assignee is None else "agent"


def _start_of(calendar: str, day: str) -> datetime:
    zone = ZoneInfo("UTC" if calendar == "always" else CALENDARS[calendar]["zone"])
    return datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def _calendar(ticket: dict[str, Any], team: str | None, named: str | None, at: datetime) -> str:
    """Named by the ticket itself, else its team's, its brand's, its channel's, else the service's."""
    if named:
        return named
    for dimension, value in (("team", team), ("brand", ticket.get("brand")), ("channel", ticket.get("channel"))):
        begun = [
            (_start_of(calendar, day) if day else datetime(1970, 1, 1), calendar)
            for kind, who, calendar, day in ASSIGNMENTS
            if kind == dimension and who == value
        ]
        begun = [item for item in begun if item[0] <= at]
        if begun:
            return max(begun)[1]
    return "berlin"


def _turns(ticket: dict[str, Any], known: list[dict[str, Any]], at_of: dict[int, datetime]) -> list[tuple]:
    """(number, from, replied at or None): several messages in a row are one turn, from the first on."""
    created, is_outbound = ticket["created_at"], ticket["opened_by"] == "agent"
    turns: list[list] = [[0 if is_outbound else 1, created, None]]
    number = 0 if is_outbound else 1
    is_customer_waiting = not is_outbound
    messages = [event for event in known if event["event_type"] == "reply" and event["is_public"]]
    messages.sort(key=lambda event: (at_of[id(event)], event["sequence_number"] or 0, event["actor_kind"] == "agent"))
    for event in messages:
        at = at_of[id(event)]
        if event["actor_kind"] == "customer" and not is_customer_waiting:
            number += 1
            turns.append([number, at, None])
            is_customer_waiting = True
        elif event["actor_kind"] == "agent" and not event["is_automatic"]:
            if is_outbound and event["occurred_at"] <= created:
                continue
            for turn in turns:
                turn[2] = turn[2] or at
            is_customer_waiting = False
    return [tuple(turn) for turn in turns]
