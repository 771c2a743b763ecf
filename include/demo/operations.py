"""What runs beside the desk: complaints, sampled checks, costs, what other systems measure, and the CRM's contacts.

Each has a random stream of its own, so that nothing else of the demo moves with it.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from .company import EXPORT_DAYS, FIRST_DAY, TEAMS, Customer, agents, customers, stream, utc, week_of
from .effects import CHAT_BOT_RELEASE
from .tickets import Ticket

COMPLAINT_SHARE, CHAT_COMPLAINT_SHARE = 0.012, 0.045  # of all tickets; of chats since the new bot
CHECKS_PER_TEAM_AND_WEEK = 3
ITEMS_PER_CHECK = 14
ERROR_SHARE = {"Field Devices": 0.075}
SALARIES = 780_00  # cents, each agent and month: the part of their time that tickets take
# Kind, channel (none: everybody's), cents a month.
STANDING_COSTS = (
    ("telephony", "voice", 3_150_00),
    ("software", "", 1_900_00),
    ("rent", "", 2_400_00),
    ("software", "bot", 620_00),
    ("software", "self_service", 1_150_00),
)
_SHARES = {  # measure -> part, denominator, share that fulfils it
    "vulnerabilities_repaired_in_time": (("booking", 26, 0.92), ("terminals", 18, 0.78)),
    "data_encrypted": (("databases", 34, 0.97), ("backups", 12, 0.92)),
    "intrusions_detected": (("all sites", 10, 0.85),),
    "training_completed": (("service desk", 25, 0.88),),
    "skills_covered": (("service desk", 38, 0.82),),
    "knowledge_coverage": (("English", 120, 0.74), ("Chinese", 120, 0.58)),
    "knowledge_accuracy": (("English", 30, 0.90), ("Chinese", 30, 0.80)),
}


def mark_complaints(tickets: list[Ticket]) -> None:
    """Some customers complain; on chat more of them do since the new bot."""
    rng = stream("complaints")
    for ticket in tickets:
        is_new_bot = ticket.channel == "chat" and ticket.created.date() >= CHAT_BOT_RELEASE
        ticket.is_complaint = rng.random() < (CHAT_COMPLAINT_SHARE if is_new_bot else COMPLAINT_SHARE)


def checks(tickets: list[Ticket]) -> Iterator[tuple[datetime, dict]]:
    """(when, row): a few solved tickets of each team and week, looked at on the Monday after."""
    rng = stream("quality checks")
    by_week: dict[tuple[date, int], list[Ticket]] = defaultdict(list)
    for ticket in tickets:
        solved = [event for event in ticket.events if event.value == "solved"]
        if solved and not ticket.is_late:
            by_week[week_of(solved[-1].at.date()), ticket.team.id].append(ticket)
    for number, ((monday, team), solved_tickets) in enumerate(sorted(by_week.items())):
        for place in range(min(CHECKS_PER_TEAM_AND_WEEK, len(solved_tickets))):
            ticket = solved_tickets[int(rng.random() * len(solved_tickets))]
            chance = ERROR_SHARE.get(ticket.team.name, 0.035)
            wrong = sum(rng.random() < chance for _ in range(ITEMS_PER_CHECK))
            yield (
                utc(datetime.combine(monday + timedelta(days=7), time(10 + place))),
                {
                    "check_id": f"QC-{number * CHECKS_PER_TEAM_AND_WEEK + place:05d}",
                    "ticket": ticket.id,
                    "team": team,
                    "checked_at": f"{monday + timedelta(days=7)} {10 + place}:00:00",
                    "items": ITEMS_PER_CHECK,
                    "items_in_error": wrong,
                    "corrected": sum(rng.random() < 0.8 for _ in range(wrong)),
                    "errors": wrong + sum(rng.random() < 0.25 for _ in range(wrong)),
                },
            )


def _month_ends() -> Iterator[date]:
    """Last days of the full months that the first export covers."""
    day = date(FIRST_DAY.year, FIRST_DAY.month + 1, 1)
    while day + timedelta(days=31) < EXPORT_DAYS[0]:
        end = day.replace(day=monthrange(day.year, day.month)[1])
        yield end
        day = end + timedelta(days=1)


def postings() -> Iterator[dict]:
    """What the books say of each month: salaries by team, and standing costs."""
    for end in _month_ends():
        salaries = [("staff", "", SALARIES * sum(agent.team is team for agent in agents()), team.id) for team in TEAMS]
        standing = [(kind, channel, cents, "") for kind, channel, cents in STANDING_COSTS]
        for place, (kind, channel, cents, team) in enumerate([*salaries, *standing], start=1):
            yield {
                "posting": f"{end:%Y%m}-{place:02d}",
                "day": end.isoformat(),
                "kind": kind,
                "channel": channel,
                "team": team,
                "amount": f"{cents // 100}.{cents % 100:02d}",
                "currency": "EUR",
            }


def measurements() -> Iterator[dict]:
    """What the scanner, the learning system, the knowledge base and the meters report each month."""
    rng = stream("measurements")
    for end in _month_ends():
        reported = [
            (measure, part, sum(rng.random() < share for _ in range(count)), count)
            for measure, parts in _SHARES.items()
            for part, count, share in parts
        ]
        reported.append(("energy_per_contact", "head office", 3900 + int(rng.random() * 900), 560))
        reported.append(("self_service_uses", "help centre", 5200 + int(rng.random() * 1400), ""))
        for place, (measure, part, numerator, denominator) in enumerate(reported, start=1):
            yield {
                "report": f"{end:%Y%m}-{place:02d}",
                "measure": measure,
                "month_end": end.isoformat(),
                "part": part,
                "numerator": numerator,
                "denominator": denominator,
            }


def contacts() -> list[dict]:
    """The CRM's people: most of those who write to the desk, as sales keep them, so not always as the desk does."""
    rng = stream("contacts")
    rows = []
    for customer in customers():
        fate = rng.random()
        if customer.account is None or fate < 0.06:
            continue  # nobody in sales knows them
        rows.append(_contact(customer, fate, number=len(rows) + 1))
    return rows


def _contact(customer: Customer, fate: float, number: int) -> dict:
    email, phone, language = customer.email, customer.phone, customer.language
    if fate < 0.09:
        phone = ""
    elif fate < 0.14:
        phone = f"{phone[:-2]}77"  # an old number
    elif fate < 0.40:
        phone = phone.replace(" ", "")  # the same number in other words
    if 0.14 <= fate < 0.17:
        language = "zh" if language == "en" else "en"
    return {
        "contact": f"C-{number:04d}",
        "name": customer.name.upper() if 0.40 <= fate < 0.50 else customer.name,
        "email": email.title() if fate > 0.9 else email,
        "phone": phone,
        "language": language,
        "desk_number": customer.id if fate < 0.8 else "",  # the others are found by their address
        "changed": "2026-09-01 08:00:00",
    }
