"""What each system exports each night: rows as plain dicts, per file name stem and export day.

A day's file tells what had happened by midnight in Hamburg: the first one the whole history, the later ones what is
new or changed. CRM accounts, teams and agents come complete every night.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, time, timedelta

from .bots import help_sessions
from .company import (
    EXPORT_DAYS,
    FIRST_DAY,
    TEAMS,
    Customer,
    agents,
    customers,
    stream,
    utc,
    week_of,
)
from .crm import account_rows
from .effects import bot_confidence
from .operations import checks, contacts, mark_complaints, measurements, postings
from .studies import answered_at, study_answers
from .surveys import Invitation, invite
from .tickets import Event, Ticket, simulate

DAY_ENDS = tuple(utc(datetime.combine(day + timedelta(days=1), time())) for day in EXPORT_DAYS)
LAST = len(EXPORT_DAYS) - 1
Rows = list[list[dict]]  # one list per night

SURVEY_SCALES = {"CSAT": (1, 5), "NPS": (0, 10)}
LATE_TICKETS = {date(2026, 8, 31): 6, date(2026, 9, 7): 8}  # per week of creation
LATE_ANSWERS = 6


def night_of(at: datetime) -> int | None:
    """Number of the night whose file covers an instant, or None after the clock has stopped."""
    night = bisect_right(DAY_ENDS, at)
    return night if night <= LAST else None


def collect() -> dict[str, Rows]:
    """Rows per export, all of them sound; `planting` spoils some."""
    tickets = simulate()
    invitations = invite(tickets)
    _choose_late(tickets, invitations)
    _choose_odd_hours(invitations)
    mark_complaints(tickets)
    return {
        "tickets": _tickets(tickets),
        "ticket_events": _events(tickets),
        "users": _users(),
        "groups": _every_night([{"id": team.id, "name": team.name, "deleted": False} for team in TEAMS]),
        "agents": _agents(),
        "accounts": [account_rows(night) for night in range(len(EXPORT_DAYS))],
        "survey": _answers(invitations),
        "survey_invitations": _invitations(invitations),
        "outages": _outages(),
        "bot_sessions": _bot_sessions(tickets),
        "contacts": _every_night(contacts()),
        "quality_checks": _checks(tickets),
        "costs": [list(postings()), [], []],
        "measurements": [list(measurements()), [], []],
        "studies": _by_night([(answered_at(row), row) for row in study_answers(tickets)]),
        "help_sessions": _by_night([(row["ended_at"], _help_row(row)) for row in help_sessions()]),
    }


def _by_night(rows: list[tuple[datetime, dict]]) -> Rows:
    """The rows by the night whose file covers their instant; what comes after the clock has stopped is left out."""
    nights = _empty()
    for at, row in rows:
        night = night_of(at)
        if night is not None:
            nights[night].append(row)
    return nights


def _help_row(session: dict) -> dict:
    return {**session, "started_at": stamp(session["started_at"]), "ended_at": stamp(session["ended_at"])}


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _empty() -> Rows:
    return [[] for _ in EXPORT_DAYS]


def _every_night(rows: list[dict]) -> Rows:
    return [[dict(row) for row in rows] for _ in EXPORT_DAYS]


def _choose_late(tickets: list[Ticket], invitations: list[Invitation]) -> None:
    """Phone tickets that a branch wrote down offline, and answers on paper: both arrive in the last night only."""
    for monday, count in LATE_TICKETS.items():
        offline = [
            ticket for ticket in tickets
            if ticket.channel == "voice" and ticket.team.id in (11, 12, 15) and week_of(ticket.created.date()) == monday
            and ticket.events[-1].at < DAY_ENDS[0]
        ]  # fmt: skip
        for ticket in offline[:count]:
            ticket.is_late = True
    on_paper = [
        invitation for invitation in invitations
        if invitation.kind == "CSAT" and invitation.answered and invitation.ticket.channel == "email"
        and EXPORT_DAYS[0] - timedelta(days=4) <= invitation.answered.date() <= EXPORT_DAYS[0]
    ]  # fmt: skip
    for invitation in invitations:
        invitation.is_late = bool(invitation.ticket and invitation.ticket.is_late)
    for invitation in on_paper[:LATE_ANSWERS]:
        invitation.is_late = True


def _choose_odd_hours(invitations: list[Invitation]) -> None:
    """One answer in the hour that the clocks repeat in October, one in the hour that they skip in March."""
    for odd in (datetime(2025, 10, 26, 2, 30), datetime(2026, 3, 29, 2, 30)):
        monday = week_of(odd.date())
        for invitation in invitations:
            same_week = invitation.answered and week_of(invitation.answered.date()) == monday
            if invitation.kind == "NPS" and same_week and week_of(invitation.sent.date()) == monday:
                invitation.answered = odd
                break


def _tickets(tickets: list[Ticket]) -> Rows:
    nights = _empty()
    for ticket in tickets:
        if ticket.is_late:
            nights[LAST].append(ticket_row(ticket, DAY_ENDS[LAST]))
            continue
        for night in sorted({night_of(event.at) for event in ticket.events} - {None}):
            nights[night].append(ticket_row(ticket, DAY_ENDS[night]))
    return nights


def ticket_row(ticket: Ticket, until: datetime) -> dict:
    """The ticket as the help desk showed it at `until`."""
    past = [event for event in ticket.events if event.at < until]
    state = {"status": "new", "group_id": ticket.first_team.id, "assignee_id": None, "priority": ticket.priority}
    for event in reversed(past):  # the priority before its first change
        if event.field == "priority":
            state["priority"] = event.previous
    for event in past:
        if event.field in state:
            state[event.field] = event.value
    solved = [event.at for event in past if event.value == "solved"]
    replies = [event.at for event in past if event.kind == "PublicComment" and event.actor_kind == "agent"]
    customer = ticket.customer
    return {
        "id": ticket.id,
        "subject": ticket.subject,
        "description": ticket.description,
        "status": state["status"],
        "priority": state["priority"],
        "via": {"channel": ticket.channel},
        "requester": {
            "id": customer.id,
            "name": customer.name,
            "email": customer.email,
            "locale": "zh-CN" if customer.language == "zh" else "en-GB",
        },
        "submitter_role": "agent" if ticket.channel == "voice" else "end-user",
        "organization_id": _organization(customer),
        "group_id": state["group_id"],
        "assignee_id": state["assignee_id"],
        "spam": False,
        "merged_into": None,
        "deleted_at": None,
        "tags": sorted(
            {ticket.topic, "bot" if ticket.bot_confidence is not None else ticket.channel}
            | ({"complaint"} if ticket.is_complaint else set())
        ),
        "custom_fields": {"topic": ticket.topic},
        "sla": {"met": ticket.is_sla_met if solved else None},
        "metrics": {
            "first_replied_at": stamp(replies[0]) if replies else None,
            "first_solved_at": stamp(solved[0]) if solved else None,
            "solved_at": stamp(solved[-1]) if state["status"] == "solved" else None,
            "reopens": len(solved) - 1 if state["status"] == "solved" else len(solved),
        },
        "created_at": stamp(utc(ticket.created)),
        "updated_at": stamp(past[-1].at),
    }


def _organization(customer: Customer) -> int | None:
    """Number of the customer's organisation, where somebody has entered it."""
    known = customer.account is not None and customer.account.links_by == "organisation"
    return customer.account.organization if known else None


def _events(tickets: list[Ticket]) -> Rows:
    nights = _empty()
    for ticket in tickets:
        for position, event in enumerate(ticket.events, start=1):
            night = night_of(event.at)
            if night is not None:
                nights[LAST if ticket.is_late else night].append(_event_row(ticket, position, event))
    for rows in nights:
        rows.sort(key=lambda row: (row["created_at"], row["id"]))
    return nights


def _event_row(ticket: Ticket, position: int, event: Event) -> dict:
    """Who holds a ticket stands in old_id and new_id, everything else that changes in previous_value and value."""
    is_holder = event.field in ("group_id", "assignee_id")
    return {
        "id": ticket.id * 100 + position,
        "ticket_id": ticket.id,
        "created_at": stamp(event.at),
        "sequence": position,
        "type": event.kind,
        "field_name": event.field,
        "previous_value": None if is_holder else event.previous,
        "value": None if is_holder else event.value,
        "old_id": event.previous if is_holder else None,
        "new_id": event.value if is_holder else None,
        "public": event.is_public,
        "automatic": event.is_automatic,
        "author": {"id": event.actor_id, "role": "end-user" if event.actor_kind == "customer" else event.actor_kind},
        "body": event.body,
    }


def _users() -> Rows:
    nights = _empty()
    for customer in customers():
        row = {
            "id": customer.id,
            "name": customer.name,
            "email": customer.email,
            "phone": customer.phone,
            "locale": "zh-CN" if customer.language == "zh" else "en-GB",
            "organization_id": _organization(customer),
            "created_at": stamp(utc(datetime.combine(customer.created, time(9)))),
            "updated_at": stamp(utc(datetime.combine(customer.created, time(9)))),
        }
        nights[0].append(row)
        if customer.id % 200 == 3:  # three of them have a new number
            moved = {**row, "phone": customer.phone[:-1] + "0", "updated_at": "2026-09-13T08:00:00Z"}
            nights[1].append(moved)
    return nights


def _agents() -> Rows:
    return _every_night(
        [
            {
                "id": agent.id,
                "name": agent.name,
                "email": agent.email,
                "role": "agent",
                "active": True,
                "default_group_id": agent.team.id,
            }
            for agent in agents()
        ]
    )


def _answers(invitations: list[Invitation]) -> Rows:
    nights = _empty()
    for invitation in invitations:
        night = night_of(utc(invitation.answered)) if invitation.answered else None
        if night is None:
            continue
        ticket, customer = invitation.ticket, invitation.customer
        nights[LAST if invitation.is_late else night].append(
            {
                "Response ID": invitation.number + 500_000,
                "Survey": invitation.kind,
                "Invitation ID": invitation.number,
                "Ticket": ticket.id if ticket else None,
                "Channel": ticket.channel if ticket else None,
                "Customer ID": customer.id,
                "E-mail": customer.email,
                "Answered at": invitation.answered,
                "Score": invitation.score,
                "Comment": invitation.comment,
                "Language": customer.language,
            }
        )
    return nights


def _invitations(invitations: list[Invitation]) -> Rows:
    rng = stream("bounces")
    nights = _empty()
    for invitation in invitations:
        bounced = rng.random() < 0.03 and invitation.answered is None
        night = night_of(utc(invitation.sent))
        if night is None:
            continue
        late = invitation.ticket is not None and invitation.ticket.is_late
        nights[LAST if late else night].append(
            {
                "invitation_id": invitation.number,
                "survey": invitation.kind,
                "ticket_id": invitation.ticket.id if invitation.ticket else "",
                "customer_id": invitation.customer.id,
                "sent_at": invitation.sent.strftime("%Y-%m-%d %H:%M:%S"),
                "bounced": "yes" if bounced else "no",
            }
        )
    return nights


def _outages() -> Rows:
    """28 outages of four services; none in the last two nights, so that their files are empty."""
    rng = stream("outages")
    starts = sorted(
        utc(datetime.combine(FIRST_DAY, time(5)) + timedelta(minutes=rng.randrange(480 * 1440))) for _ in range(28)
    )
    nights = _empty()
    for number, started in enumerate(starts, start=1):
        planned = rng.random() < 0.25
        detected = started + timedelta(minutes=0 if planned else rng.randrange(1, 25))
        acknowledged = detected + timedelta(minutes=rng.randrange(1, 20))
        nights[0].append(
            {
                "outage_id": f"OUT-{number:03d}",
                "service": rng.choice(("booking", "edi-gateway", "terminal-slots", "billing")),
                "started_at": stamp(started),
                "detected_at": stamp(detected),
                "acknowledged_at": stamp(acknowledged),
                "restored_at": stamp(acknowledged + timedelta(minutes=rng.randrange(8, 240))),
                "planned": "yes" if planned else "no",
                "cause": "maintenance" if planned else rng.choice(("deployment", "network", "database", "partner")),
            }
        )
    return nights


def _checks(tickets: list[Ticket]) -> Rows:
    nights = _empty()
    for checked, row in checks(tickets):
        night = night_of(checked)
        if night is not None:
            nights[night].append(row)
    return nights


def _bot_sessions(tickets: list[Ticket]) -> Rows:
    """Sessions that a person took over, each with its ticket, and about as many that the bot finished alone."""
    rng = stream("bot sessions")
    nights = _empty()
    people = customers()
    number = 700_000
    for ticket in tickets:
        if ticket.bot_confidence is None or ticket.is_late:
            continue
        for is_handed_off in (True, False)[: 2 if rng.random() < 0.9 else 1]:
            number += 1
            started = utc(ticket.created) + timedelta(minutes=0 if is_handed_off else rng.randrange(1, 300))
            night = night_of(started + timedelta(minutes=10))
            if night is None:
                continue
            confidence = ticket.bot_confidence
            if not is_handed_off:
                confidence = min(0.99, bot_confidence(ticket.created.date()) + 0.2 * rng.random())
            nights[night].append(
                {
                    "session_id": f"B{number}",
                    "channel": "chat",
                    "user_id": ticket.customer.id if is_handed_off else rng.choice(people).id,
                    "ticket_id": ticket.id if is_handed_off else None,
                    "topic": ticket.topic,
                    "started_at": stamp(started),
                    "ended_at": stamp(started + timedelta(seconds=rng.randrange(45, 540))),
                    "confidence": round(confidence, 2),
                    "handed_off": is_handed_off,
                    "resolved": None if is_handed_off else rng.random() < 0.8,
                }
            )
    return nights
