"""Three studies of one tool, in one file: effort after tickets (CES 2.0), SERVQUAL each quarter, SERVPERF by phone.

Their scale contracts are definitions (definitions/surveys/); the tool also asks a question that has none.
"""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta

from .company import FIRST_DAY, WEEKS, ZONE, Customer, customers, stream, utc
from .effects import CHAT_BOT_RELEASE
from .tickets import Ticket

EFFORT_SHARE = 0.12  # of solved tickets
PANEL, PANEL_ROUND_WEEKS = 26, 13
CALLS_A_MONTH = 14
DIMENSIONS = {"tangibles": 4, "reliability": 5, "responsiveness": 4, "assurance": 4, "empathy": 5}
# Mean gap of each dimension: promises are kept less than expected, people are as kind as expected.
GAPS = {"tangibles": -0.2, "reliability": -1.1, "responsiveness": -0.8, "assurance": -0.4, "empathy": 0.0}
ITEMS = [(f"SQ{number:02d}", dimension) for number, dimension in enumerate(
    [name for name, count in DIMENSIONS.items() for _ in range(count)], start=1)]  # fmt: skip


def study_answers(tickets: list[Ticket]) -> list[dict]:
    """Every answer, in the order in which they were given; `answered_at` is a Hamburg time."""
    rng = stream("studies")
    answers = _effort(rng, tickets) + _panel(rng) + _calls(rng)
    answers.sort(key=lambda row: (row["answered_at"], row["sitting"], row["question"]))
    for number, row in enumerate(answers, start=1):
        row["answer_id"] = f"S{number:06d}"
    return answers


def _row(question: str, sitting: str, customer: Customer, at: datetime, score: int | None, **more: object) -> dict:
    named = {"answer_id": "", "question": question, "sitting": sitting, "customer_id": customer.id}
    said = {"answered_at": at.strftime("%Y-%m-%d %H:%M:%S"), "score": "" if score is None else score}
    return {**named, "ticket_id": "", **said, "expected": "", **more}


def _effort(rng: random.Random, tickets: list[Ticket]) -> list[dict]:
    """How easy it was, 1 to 7; since the new bot less so on chat. Some say how they feel too, which nobody can read."""
    rows = []
    for ticket in tickets:
        solved = next((event.at for event in ticket.events if event.value == "solved"), None)
        if solved is None or ticket.is_late or rng.random() > EFFORT_SHARE:
            continue
        at = solved.astimezone(ZONE).replace(tzinfo=None) + timedelta(hours=2 + rng.randrange(40))
        is_hard = ticket.channel == "chat" and ticket.created.date() >= CHAT_BOT_RELEASE
        score = min(7, max(1, round(rng.gauss(4.2 if is_hard else 5.6, 1.3))))
        sitting = f"E{ticket.id}"
        rows.append(_row("CES2", sitting, ticket.customer, at, score, ticket_id=ticket.id))
        if rng.random() < 0.02:
            rows.append(_row("MOOD", sitting, ticket.customer, at, rng.randrange(1, 6), ticket_id=ticket.id))
    return rows


def _panel(rng: random.Random) -> list[dict]:
    """SERVQUAL: each quarter a panel says of 22 items what it expects and gets; now and then one is left out."""
    rows = []
    members = rng.sample([person for person in customers() if person.account and person.writes], PANEL)
    for week in range(8, WEEKS, PANEL_ROUND_WEEKS):
        for person in members:
            at = datetime.combine(FIRST_DAY + timedelta(weeks=week, days=rng.randrange(5)), time(10, rng.randrange(60)))
            mood = rng.gauss(0, 0.5)
            for item, dimension in ITEMS:
                expected = min(7, max(1, round(rng.gauss(6.0, 0.7))))
                perceived = min(7, max(1, round(expected + GAPS[dimension] + mood + rng.gauss(0, 0.6))))
                score = None if rng.random() < 0.02 else perceived
                rows.append(_row(item, f"P{week}-{person.id}", person, at, score, expected=expected))
    return rows


def _calls(rng: random.Random) -> list[dict]:
    """SERVPERF: each month a few are called and asked one thing of each dimension, without expectations."""
    rows = []
    people = [person for person in customers() if person.writes]
    for week in range(2, WEEKS, 4):
        for person in rng.sample(people, CALLS_A_MONTH):
            at = datetime.combine(FIRST_DAY + timedelta(weeks=week, days=rng.randrange(5)), time(14, rng.randrange(60)))
            for number, gap in enumerate(GAPS.values(), start=1):
                score = min(7, max(1, round(rng.gauss(6.0 + gap, 0.9))))
                rows.append(_row(f"SP{number}", f"C{week}-{person.id}", person, at, score))
    return rows


def answered_at(row: dict) -> datetime:
    """The UTC instant of an answer."""
    return utc(datetime.strptime(row["answered_at"], "%Y-%m-%d %H:%M:%S"))
