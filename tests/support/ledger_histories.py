"""Random histories for the time ledger: ties, events before the creation, calendars that change, deletions."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from support.naive_ledger import SEASONS

STATUSES = ("new", "open", "open", "pending", "hold", "solved", "solved", "closed")
TEAMS = ("desk:alpha", "desk:beta", "desk:gamma", None)
AGENTS = ("desk:ann", "desk:bo", None)
NAMED = ("berlin", "lord_howe", "new_york_nights", "adelaide", "kathmandu", "always")
# Nights on which clocks change are met more often than chance would have it.
SWITCHES = (
    datetime(2026, 3, 8, 6),
    datetime(2026, 3, 29),
    datetime(2026, 4, 4, 14),
    datetime(2026, 10, 3, 15),
    datetime(2026, 10, 25),
    datetime(2026, 11, 1, 5),
)


def histories(seed: int, count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of staging.tickets and staging.ticket_events, with every column that they use."""
    chance = random.Random(seed)
    tickets, events = [], []
    for number in range(count):
        ticket = _ticket(chance, number)
        tickets.append(ticket)
        events += _events(chance, ticket)
    return tickets, events


def _ticket(chance: random.Random, number: int) -> dict[str, Any]:
    first, last = chance.choice(SEASONS)
    created = first + timedelta(minutes=chance.randrange((last - first).days * 1440 - 22 * 1440))
    if chance.random() < 0.5:
        created = chance.choice(SWITCHES) + timedelta(minutes=chance.randrange(-2000, 600))
    return {
        "ticket_id": f"desk:{number}",
        "source": "desk",
        "source_version": "1",
        "content_hash": f"{number}",
        "status": "open",
        "priority": chance.choice(("low", "high", None)),
        "channel": chance.choice(("mail", "chat")),
        "brand": chance.choice(("gold", "plain", None)),
        "topic": chance.choice(("billing", "login", None)),
        "customer_id": chance.choice((None, "desk:c1", "desk:c2", "desk:c3")),
        "team_id": chance.choice(TEAMS),
        "assignee_id": chance.choice(AGENTS),
        "opened_by": chance.choice(("customer", "customer", "agent")),
        "created_at": created,
        "has_complete_events": True,
        "deleted_at": None,
    }


def _events(chance: random.Random, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    created = ticket["created_at"]
    at = created - timedelta(minutes=chance.choice((0, 0, 0, 7)))
    end = created + timedelta(days=18)
    current = {"status": None, "team": None, "assignee": None, "priority": None}
    events: list[dict[str, Any]] = []
    for ordinal in range(chance.randrange(1, 16)):
        event = {
            "event_id": f"{ticket['ticket_id']}-{ordinal}",
            "source": "desk",
            "source_version": "1",
            "content_hash": f"{ordinal}",
            "ticket_id": ticket["ticket_id"],
            "occurred_at": at,
            "sequence_number": chance.choice((None, ordinal, ordinal)),
            "event_type": chance.choice(
                ("status", "status", "status", "team", "assignee", "priority", "calendar", "reply", "reply")
            ),
            "value": None,
            "previous_value": None,
            "is_public": None,
            "is_automatic": None,
            "actor_kind": "agent",
            "actor_id": None,
            "deleted_at": created if chance.random() < 0.04 else None,
        }
        events.append(_told(chance, event, current))
        at += timedelta(minutes=chance.choice((0, 0, 1, 30, chance.randrange(60), chance.randrange(2000))))
        if at > end:
            break
    if chance.random() < 0.15:
        hand_over = {**events[-1], "event_id": f"{ticket['ticket_id']}-bot", "event_type": "bot_handoff"}
        events.append({**hand_over, "value": None, "previous_value": None, "sequence_number": 99, "deleted_at": None})
    if chance.random() < 0.1:
        ticket["deleted_at"] = max(at, created) + timedelta(minutes=chance.randrange(3))
    return events


def _told(chance: random.Random, event: dict[str, Any], current: dict[str, str | None]) -> dict[str, Any]:
    """The event with its value; where it tells the value before, that is what it was, or what was never told."""
    kind = event["event_type"]
    if kind == "reply":
        spoken = chance.choice(
            (("agent", False), ("agent", False), ("agent", True), ("customer", False), ("bot", False))
        )
        event |= {"actor_kind": spoken[0], "is_automatic": spoken[1], "is_public": chance.random() < 0.8}
        event["actor_id"] = chance.choice(AGENTS) if spoken[0] == "agent" else None
        return event
    choices = {"status": STATUSES, "team": TEAMS, "assignee": AGENTS, "priority": ("low", "high"), "calendar": NAMED}
    event["value"] = chance.choice(choices[kind])
    if kind in current:
        if chance.random() < 0.5:
            event["previous_value"] = current[kind] or chance.choice([item for item in choices[kind] if item])
        current[kind] = event["value"]
    return event
