"""Tickets and their complete event histories, simulated week by week.

Counts that carry a planted trouble are drawn by quota and times by stratified quantiles: the weekly figures wander
as real ones do, but no week crosses a limit by bad luck alone. Only `random.random` is used, whose sequence Python
guarantees, so one seed gives the same company on every machine.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from statistics import NormalDist

from . import effects, words
from .company import (
    ACCESS,
    CHANNELS,
    FIELD,
    FIRST_DAY,
    HOLIDAY_WEEKS,
    HOLIDAYS,
    PRIORITIES,
    TEAMS,
    TERMINALS,
    TIERS,
    WEEKS,
    Agent,
    Customer,
    Team,
    after_working,
    customers,
    stream,
    team_agents,
    utc,
)

WEEKDAY_SHARES = (0.215, 0.20, 0.19, 0.18, 0.15, 0.035, 0.03)
HOUR_SHARES = (0, 0, 0, 0, 0, 1, 2, 5, 9, 12, 12, 10, 7, 9, 10, 9, 7, 4, 2, 1, 1, 1, 0, 0)
FIRST_REPLY_MINUTES = {"chat": 16, "voice": 14, "email": 62, "web": 58}
PRIORITY_PACE = {"urgent": 0.45, "high": 0.75, "normal": 1.0, "low": 1.4}
TARGET_HOURS = {"urgent": 8, "high": 16, "normal": 40, "low": 60}  # working hours to resolution, as the desk promises
RESOLUTION_SPREAD = 0.9
_NORMAL = NormalDist()


@dataclass(slots=True)
class Event:
    """One thing that happened to a ticket; `at` is UTC."""

    at: datetime
    kind: str
    actor_kind: str
    actor_id: int | None
    field: str | None = None
    previous: str | int | None = None
    value: str | int | None = None
    is_public: bool | None = None
    is_automatic: bool = False
    body: str | None = None


@dataclass(slots=True)
class Ticket:
    """A ticket with everything that will ever happen to it; `created` is Hamburg time."""

    created: datetime
    channel: str
    team: Team
    priority: str
    customer: Customer
    topic: str = ""
    subject: str = ""
    description: str = ""
    id: int = 0
    first_team: Team | None = None
    is_sla_met: bool = True
    bot_confidence: float | None = None
    is_late: bool = False
    is_complaint: bool = False
    events: list[Event] = field(default_factory=list)

    @property
    def tier(self) -> str | None:
        return self.customer.account.tier if self.customer.account else None


@dataclass(slots=True)
class Draws:
    """What fate holds for one ticket: quantiles for its times, flags for its detours."""

    first_reply: float = 0.5
    resolution: float = 0.5
    is_reopened: bool = False
    is_reassigned: bool = False


def simulate() -> list[Ticket]:
    """All tickets that are created before the clock's last day ends, numbered in order of creation."""
    tickets: list[Ticket] = []
    for index in range(WEEKS + 1):  # the week after the last full one has begun when the clock stops
        tickets.extend(_week(index, FIRST_DAY + timedelta(weeks=index)))
    tickets.sort(key=lambda ticket: ticket.created)
    for number, ticket in enumerate(tickets):
        ticket.id = 100_001 + number
    return tickets


def quota(rng: random.Random, count: int, shares: dict) -> list:
    """`count` items in the given shares, largest remainders decided by chance, in random order."""
    items: list = []
    carried = rng.random()
    for item, share in shares.items():
        carried += share * count
        items.extend([item] * (int(carried) - len(items)))
    last = list(shares)[-1]
    items = (items + [last] * count)[:count]
    rng.shuffle(items)
    return items


def strata(rng: random.Random, count: int) -> list[float]:
    """One draw from each of `count` equal slices of (0, 1), in random order."""
    draws = [(position + rng.random()) / count for position in range(count)]
    rng.shuffle(draws)
    return [min(max(draw, 1e-6), 1 - 1e-6) for draw in draws]


def _week(index: int, monday: date) -> list[Ticket]:
    rng = stream(f"week {index}")
    growth = 112 + 42 * index / WEEKS
    season = 1 + 0.04 * math.sin(2 * math.pi * (monday.timetuple().tm_yday - 60) / 365)
    volume = growth * season * math.exp(0.035 * _NORMAL.inv_cdf(rng.random())) * HOLIDAY_WEEKS.get(monday, 1.0)
    count = round(volume)
    tickets = []
    choices = (
        quota(rng, count, CHANNELS),
        quota(rng, count, {team: team.share for team in TEAMS}),
        quota(rng, count, PRIORITIES),
        quota(rng, count, {**{tier: share * 0.97 for tier, share in TIERS.items()}, None: 0.03}),
    )
    by_tier = _customers_by_tier()
    for channel, team, priority, tier in zip(*choices, strict=True):
        tickets.append(Ticket(_arrival(rng, monday), channel, team, priority, rng.choice(by_tier[tier])))
    for ticket, draws in zip(tickets, _fates(rng, tickets, monday), strict=True):
        ticket.topic, ticket.subject = words.subject(rng, ticket.team.id, ticket.customer)
        ticket.description = words.description(rng, ticket.customer)
        _live(rng, ticket, draws)
    return tickets


def _customers_by_tier() -> dict[str | None, list[Customer]]:
    people: dict[str | None, list[Customer]] = {tier: [] for tier in (*TIERS, None)}
    for customer in customers():
        if not customer.writes:
            customer = _stand_in(customer)
        tie = customer.account is not None and customer.account.links_by == "tie"
        people[None if customer.account is None or tie else customer.account.tier].append(customer)
    return people


def _stand_in(newcomer: Customer) -> Customer:
    """Somebody of the same tier and language, who writes in the newcomer's place."""
    alike = (
        customer
        for customer in customers()
        if customer.account and customer.writes and customer.language == newcomer.language
        and customer.account.tier == newcomer.account.tier and customer.account.links_by == "organisation"
    )  # fmt: skip
    return next(alike)


def _arrival(rng: random.Random, monday: date) -> datetime:
    """A random Hamburg time within the week; few arrive on holidays."""
    days = [monday + timedelta(days=offset) for offset in range(7)]
    shares = [share * (0.25 if day in HOLIDAYS else 1) for day, share in zip(days, WEEKDAY_SHARES, strict=True)]
    day = days[_pick(rng, shares)]
    hour = _pick(rng, HOUR_SHARES)
    return datetime.combine(day, time(hour)) + timedelta(seconds=int(rng.random() * 3600))


def _pick(rng: random.Random, shares) -> int:
    target = rng.random() * sum(shares)
    for index, share in enumerate(shares):
        target -= share
        if target < 0:
            return index
    return len(shares) - 1


def _fates(rng: random.Random, tickets: list[Ticket], monday: date) -> list[Draws]:
    """Draws per ticket: first replies and detours stratified by team, resolutions by account tier."""
    fates = [Draws() for _ in tickets]
    for team in TEAMS:
        members = [draws for ticket, draws in zip(tickets, fates, strict=True) if ticket.team is team]
        reopen = effects.reopen_chance(team, monday) * (0.85 + 0.3 * rng.random())
        reassign = effects.reassignment_chance(team) * (0.88 + 0.24 * rng.random())
        draws_reopened = quota(rng, len(members), {True: reopen, False: 1 - reopen})
        draws_reassigned = quota(rng, len(members), {True: reassign, False: 1 - reassign})
        for draws, u, reopened, reassigned in zip(
            members, strata(rng, len(members)), draws_reopened, draws_reassigned, strict=True
        ):
            draws.first_reply, draws.is_reopened, draws.is_reassigned = u, reopened, reassigned
    for tier in (*TIERS, None):
        members = [draws for ticket, draws in zip(tickets, fates, strict=True) if ticket.tier == tier]
        for draws, u in zip(members, strata(rng, len(members)), strict=True):
            draws.resolution = u
    return fates


def _live(rng: random.Random, ticket: Ticket, draws: Draws) -> None:
    """Writes the ticket's whole history into `ticket.events`, in order of time."""
    day, team, events = ticket.created.date(), ticket.team, ticket.events
    pace = PRIORITY_PACE[ticket.priority]
    reply = FIRST_REPLY_MINUTES[ticket.channel] * 60 * pace * effects.first_reply_factor(team, day)
    reply *= math.exp(0.7 * _NORMAL.inv_cdf(draws.first_reply))
    target = TARGET_HOURS[ticket.priority] * 3600
    solve = target / math.exp(1.70 * RESOLUTION_SPREAD) * effects.resolution_factor(ticket.tier, day)
    solve *= math.exp(RESOLUTION_SPREAD * _NORMAL.inv_cdf(draws.resolution))
    solve = max(solve, reply + 240 + 600 * rng.random())
    ticket.is_sla_met = solve <= target
    replied, solved = after_working(team, ticket.created, reply), after_working(team, ticket.created, solve)
    solved = max(solved, replied + timedelta(minutes=4))
    agent = rng.choice(team_agents(team))
    misrouted = team not in (ACCESS, FIELD) and rng.random() < 0.03
    ticket.first_team = ACCESS if misrouted else team

    customer = ("customer", ticket.customer.id)
    opener = ("agent", agent.id) if ticket.channel == "voice" else customer
    _say(events, ticket.created, "Created", opener, value="new", field="status")
    _greet(rng, ticket)
    taken = ticket.created + (replied - ticket.created) * (0.35 + 0.4 * rng.random())
    if misrouted:
        _say(events, taken, "GroupChange", ("agent", rng.choice(team_agents(ACCESS)).id), field="group_id",
             previous=ACCESS.id, value=team.id)  # fmt: skip
    _say(events, taken + timedelta(seconds=20), "AssigneeChange", ("system", None), field="assignee_id",
         value=agent.id, is_automatic=True)  # fmt: skip
    _say(events, replied, "PublicComment", ("agent", agent.id), is_public=True)
    _status(events, replied + timedelta(seconds=1), "new", "pending", agent)
    agent = _detour(rng, ticket, draws, agent, replied, solved)
    status, last = _correspond(rng, ticket, agent, replied, solved)
    solved = max(solved, last + timedelta(minutes=3))
    _say(events, solved, "PublicComment", ("agent", agent.id), is_public=True)
    _status(events, solved + timedelta(seconds=1), status, "solved", agent)
    if draws.is_reopened:
        _reopen(rng, ticket, agent, solved)
    events.sort(key=lambda event: event.at)


def _say(events: list[Event], at: datetime, kind: str, actor: tuple[str, int | None], **rest) -> None:
    events.append(Event(utc(at), kind, *actor, **rest))


def _status(events: list[Event], at: datetime, previous: str, value: str, agent: Agent) -> None:
    _say(events, at, "StatusChange", ("agent", agent.id), field="status", previous=previous, value=value)


def _greet(rng: random.Random, ticket: Ticket) -> None:
    """Auto-reply on mail; the bot on half of the chats. Neither is a first reply."""
    if ticket.channel == "email":
        _say(ticket.events, ticket.created + timedelta(seconds=5), "PublicComment", ("system", None),
             is_public=True, is_automatic=True)  # fmt: skip
    elif ticket.channel == "chat" and rng.random() < 0.5:
        _say(ticket.events, ticket.created + timedelta(seconds=8), "PublicComment", ("bot", 1), is_public=True,
             is_automatic=True)  # fmt: skip
        _say(ticket.events, ticket.created + timedelta(seconds=60), "BotHandoff", ("bot", 1), field="handler",
             previous="bot", value="agent", is_automatic=True)  # fmt: skip
        level = effects.bot_confidence(ticket.created.date()) + 0.12 * _NORMAL.inv_cdf(rng.random())
        ticket.bot_confidence = round(min(max(level, 0.05), 0.99), 2)


def _detour(
    rng: random.Random, ticket: Ticket, draws: Draws, agent: Agent, replied: datetime, solved: datetime
) -> Agent:
    """Notes, a changed priority, and a reassignment; returns the agent who holds the ticket afterwards."""
    events, team = ticket.events, ticket.team
    span = solved - replied
    if rng.random() < 0.22:
        _say(events, replied + span * 0.2, "PrivateComment", ("agent", agent.id), is_public=False)
    if rng.random() < 0.05 and ticket.priority in ("normal", "low"):
        _say(events, replied + span * 0.25, "PriorityChange", ("agent", agent.id), field="priority",
             previous="low" if ticket.priority == "normal" else "normal", value=ticket.priority)  # fmt: skip
    if not draws.is_reassigned:
        return agent
    new = rng.choice([other for other in team_agents(team) if other is not agent])
    if rng.random() < 0.3:  # by way of another team, and back
        other_team = rng.choice([other for other in TEAMS if other is not team and other is not TERMINALS])
        guest = rng.choice(team_agents(other_team))
        for part, group, old, holder in ((0.3, other_team, team, guest), (0.42, team, other_team, new)):
            actor = agent if holder is guest else guest
            _say(events, replied + span * part, "GroupChange", ("agent", actor.id), field="group_id",
                 previous=old.id, value=group.id)  # fmt: skip
            _say(events, replied + span * part + timedelta(seconds=1), "AssigneeChange", ("agent", actor.id),
                 field="assignee_id", previous=actor.id, value=holder.id)  # fmt: skip
    else:
        _say(events, replied + span * 0.3, "AssigneeChange", ("agent", agent.id), field="assignee_id",
             previous=agent.id, value=new.id)  # fmt: skip
    return new


def _correspond(
    rng: random.Random, ticket: Ticket, agent: Agent, replied: datetime, solved: datetime
) -> tuple[str, datetime]:
    """Questions and answers between first reply and solution; returns the status and time of the last one."""
    span, status, last = solved - replied, "pending", replied
    if span > timedelta(minutes=40) and rng.random() < 0.38:
        asked = replied + span * (0.5 + 0.2 * rng.random())
        _say(ticket.events, asked, "PublicComment", ("customer", ticket.customer.id), is_public=True,
             body=words.follow_up(rng, ticket.customer))  # fmt: skip
        _say(ticket.events, asked + timedelta(seconds=1), "StatusChange", ("system", None), field="status",
             previous="pending", value="open", is_automatic=True)  # fmt: skip
        status, last = "open", asked
    return status, last


def _reopen(rng: random.Random, ticket: Ticket, agent: Agent, solved: datetime) -> None:
    delay = 3600 * math.exp(2.3 + 0.7 * _NORMAL.inv_cdf(rng.random()))
    asked = after_working(TERMINALS, solved, 0) + timedelta(seconds=int(min(delay, 6 * 86400)))
    _say(ticket.events, asked, "PublicComment", ("customer", ticket.customer.id), is_public=True,
         body=words.follow_up(rng, ticket.customer))  # fmt: skip
    _say(ticket.events, asked + timedelta(seconds=1), "StatusChange", ("system", None), field="status",
         previous="solved", value="open", is_automatic=True)  # fmt: skip
    again = after_working(ticket.team, asked, 3600 * math.exp(1 + 0.6 * _NORMAL.inv_cdf(rng.random())))
    _say(ticket.events, again, "PublicComment", ("agent", agent.id), is_public=True)
    _status(ticket.events, again + timedelta(seconds=1), "open", "solved", agent)
