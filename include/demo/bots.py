"""Sessions of the help centre: people read articles on a topic, vote on them, and write a ticket or do not."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from .company import FIRST_DAY, WEEKS, customers, stream, utc

SESSIONS_A_WEEK = 26
# How often an article settles the matter. The one on invoices was never brought up to date after the new tariff.
TOPIC_RATES = {"invoice": 0.78, "password": 0.86, "slots": 0.74, "gate": 0.70, "edi": 0.66}
TARIFF_CHANGE = datetime(2026, 5, 1)
INVOICE_RATE_AFTER = 0.52


def help_sessions() -> list[dict]:
    """Every session in the order in which they began; times are UTC."""
    rng = stream("help centre")
    people = [person for person in customers() if person.writes]
    sessions = []
    for week in range(WEEKS):
        for _ in range(SESSIONS_A_WEEK):
            day = FIRST_DAY + timedelta(weeks=week, days=rng.choice((0, 1, 2, 3, 4, 4, 5, 6)))
            started = datetime.combine(day, time(7 + rng.randrange(13), rng.randrange(60), rng.randrange(60)))
            topic = rng.choice(tuple(TOPIC_RATES))
            is_stale = topic == "invoice" and started >= TARIFF_CHANGE
            helps = rng.random() < (INVOICE_RATE_AFTER if is_stale else TOPIC_RATES[topic])
            begun = utc(started)
            sessions.append(
                {
                    "user_id": rng.choice(people).id if rng.random() < 0.9 else None,
                    "topic": topic,
                    "started_at": begun,
                    "ended_at": begun + timedelta(seconds=40 + rng.randrange(500)),
                    "opened_contact_form": not helps or rng.random() < 0.3,
                    "vote": None if rng.random() < 0.5 else "yes" if helps else "no",
                }
            )
    sessions.sort(key=lambda row: (row["started_at"], row["topic"], str(row["user_id"])))
    for number, row in enumerate(sessions, start=1):
        row["session_id"] = f"H{number:06d}"
    return sessions
