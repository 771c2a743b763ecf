"""Random tickets with complete histories, as rows of staging."""

from __future__ import annotations

import random
from datetime import datetime, timedelta


def random_tickets(seed: int, count: int, first_day: datetime) -> tuple[list[dict], list[dict]]:
    """Tickets with complete events over ten weeks, as rows of staging.tickets and staging.ticket_events."""
    chance = random.Random(seed)
    tickets, events = [], []
    for number in range(count):
        created = first_day + timedelta(minutes=chance.randrange(70 * 1440))
        ticket = {
            "ticket_id": f"desk:{number}",
            "source": "desk",
            "source_version": created.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
            "content_hash": f"{number:064d}",
            "status": "new",
            "priority": chance.choice(["low", "normal", "high"]),
            "channel": chance.choice(["mail", "chat", "phone"]),
            "team_id": f"desk:team{chance.randrange(3)}",
            "created_at": created,
            "opened_by": "customer",
            "has_complete_events": True,
            "is_sla_met": chance.random() < 0.8,
        }
        tickets.append(ticket)
        events.extend(_history(chance, ticket, created))
    return tickets, events


def _history(chance: random.Random, ticket: dict, created: datetime) -> list[dict]:
    steps = [("team", ticket["team_id"], None), ("assignee", "desk:a1", None), ("reply", None, True)]
    if chance.random() < 0.2:
        steps.append(("assignee", "desk:a2", None))
    if chance.random() < 0.15:
        steps.append(("team", "desk:team9", None))
    if chance.random() < 0.8:
        steps.append(("status", "solved", None))
        if chance.random() < 0.2:
            steps += [("status", "open", None), ("status", "solved", None)]
        if chance.random() < 0.3:
            steps.append(("status", "closed", None))
    at, events = created, []
    for ordinal, (kind, value, is_public) in enumerate(steps):
        at += timedelta(minutes=chance.randrange(1, 3000))
        events.append(
            {
                "event_id": f"{ticket['ticket_id']}-{ordinal}",
                "source": "desk",
                "source_version": at.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
                "content_hash": f"{ordinal:064d}",
                "ticket_id": ticket["ticket_id"],
                "occurred_at": at,
                "sequence_number": ordinal,
                "event_type": kind,
                "value": value,
                "is_public": is_public,
                "actor_kind": "agent",
            }
        )
    return events
