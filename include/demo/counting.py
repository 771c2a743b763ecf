"""What the help desk counts of its own, and four tickets that it counts and we do not.

The report counts every ticket that the help desk knows, by the clock of its maker in New York: merged ones, spam,
deleted ones, those that the bot answered alone, and those that wait in our quarantine. `troubles.yaml` lists them.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from .company import EXPORT_DAYS
from .exports import LAST, Rows

NEW_YORK = ZoneInfo("America/New_York")
DAYS = 28
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
MERGED, SPAM, DELETED, BOT_ONLY = 990_101, 990_102, 990_103, 990_104


def add_uncounted(exports: dict[str, Rows]) -> None:
    """One ticket each that is merged, spam, deleted and answered by the bot alone; all in the first night."""
    tickets, events = exports["tickets"][0], exports["ticket_events"][0]
    like = next(row for row in tickets if row["via"]["channel"] == "chat" and row["created_at"] > "2026-09-01")
    survivor = next(row["id"] for row in tickets if row["created_at"] > "2026-09-07")
    day = "2026-09-08T08:{:02}:00Z"
    for minute, (number, changes) in enumerate(
        {
            MERGED: {"merged_into": survivor},
            SPAM: {"spam": True},
            DELETED: {"deleted_at": "2026-09-09T08:00:00Z"},
            BOT_ONLY: {"status": "solved"},
        }.items()
    ):
        at = day.format(minute)
        metrics = {"first_replied_at": None, "first_solved_at": None, "solved_at": None, "reopens": 0}
        fields = {"id": number, "status": "new", "assignee_id": None, "sla": {"met": None}, "metrics": metrics}
        tickets.append({**json.loads(json.dumps(like)), **fields, "created_at": at, "updated_at": at, **changes})
        told = [("Created", "end-user", None, None)]
        if number == BOT_ONLY:
            told += [("PublicComment", "bot", None, None), ("StatusChange", "bot", "new", "solved")]
        events.extend(_event(events[0], number, 4 * minute + at_step, at, *step) for at_step, step in enumerate(told))


def _event(
    like: dict, ticket: int, number: int, at: str, kind: str, role: str, previous: str | None, value: str | None
) -> dict:
    is_status = kind == "StatusChange"
    return {
        **dict.fromkeys(like),
        "id": 99_001_000 + number,
        "ticket_id": ticket,
        "created_at": at,
        "sequence": number,
        "type": kind,
        "field_name": "status" if is_status else None,
        "public": True if kind == "PublicComment" else None,
        "automatic": role == "bot",
        "author": {"role": role, "id": 1 if role == "bot" else None},
        "previous_value": previous,
        "value": value,
    }


def report(tickets: Rows) -> Rows:
    """Per night the tickets that the help desk knows, by day of creation and status, four weeks back.

    The last one was made after midnight, when a ticket had come that the export does not have yet; in New York it was
    still the evening before.
    """
    known: dict[int, dict] = {}
    nights: Rows = []
    for day, rows in zip(EXPORT_DAYS, tickets, strict=True):
        for row in rows:
            if isinstance(row, dict) and _is_countable(row) and _is_newer(row, known.get(row["id"])):
                known[row["id"]] = row
        counts = Counter((_day(row), row["status"]) for row in known.values())
        if day == EXPORT_DAYS[LAST]:
            counts[day, "new"] += 1
        first = day - timedelta(days=DAYS - 1)
        nights.append([
            {"day": created.isoformat(), "status": status, "tickets": count}
            for (created, status), count in sorted(counts.items())
            if first <= created
        ])  # fmt: skip
    return nights


def _is_countable(row: dict) -> bool:
    """Whether the help desk can show the row in a report: it has a number, a status that it knows and a day."""
    created = row["created_at"] or ""
    return bool(row["id"]) and row["status"] in STATUSES and "2025" <= created[:4] <= "2026" and created.endswith("Z")


def _is_newer(row: dict, known: dict | None) -> bool:
    return known is None or row["updated_at"] >= known["updated_at"]


def _day(row: dict) -> date:
    created = datetime.strptime(row["created_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return created.astimezone(NEW_YORK).date()
