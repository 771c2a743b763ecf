"""Survey invitations and answers: CSAT 1 to 5 after a solved ticket, NPS 0 to 10 once a quarter per customer."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from statistics import NormalDist

from . import effects, words
from .company import FIRST_DAY, WEEKS, ZONE, Customer, customers, stream, week_of
from .tickets import Ticket, quota

RESPONSE_RATES = {"chat": 0.66, "email": 0.44, "web": 0.44, "voice": 0.50}
NPS_RESPONSE_RATE = 0.55
NPS_SHARES = (0.01, 0.01, 0.02, 0.03, 0.03, 0.05, 0.07, 0.14, 0.22, 0.24, 0.18)
_NORMAL = NormalDist()


@dataclass(slots=True)
class Invitation:
    """Somebody was asked; `sent` and `answered` are Hamburg times, `answered` is None without an answer."""

    kind: str
    sent: datetime
    customer: Customer
    ticket: Ticket | None = None
    number: int = 0
    answered: datetime | None = None
    score: int | None = None
    comment: str | None = None
    is_late: bool = False


def invite(tickets: list[Ticket]) -> list[Invitation]:
    """All invitations in the order in which they were sent, with their answers."""
    rng = stream("surveys")
    invitations = _after_tickets(rng, tickets) + _quarterly(rng)
    invitations.sort(key=lambda invitation: (invitation.sent, invitation.kind, invitation.customer.id))
    for number, invitation in enumerate(invitations):
        invitation.number = 300_001 + number
    _score_csat(rng, invitations)
    _score_nps(rng, invitations)
    return invitations


def _after_tickets(rng: random.Random, tickets: list[Ticket]) -> list[Invitation]:
    result = []
    for ticket in tickets:
        solved = next((event.at for event in ticket.events if event.value == "solved"), None)
        sent = solved.astimezone(ZONE).replace(tzinfo=None) + timedelta(minutes=30)
        invitation = Invitation("CSAT", sent, ticket.customer, ticket)
        if rng.random() < RESPONSE_RATES[ticket.channel]:
            delay = math.exp(10.5 + 1.3 * _NORMAL.inv_cdf(rng.random()))
            invitation.answered = sent + timedelta(seconds=int(min(delay, 12 * 86400)))
        result.append(invitation)
    return result


def _quarterly(rng: random.Random) -> list[Invitation]:
    """Each customer is asked every thirteen weeks, on a Tuesday, so that every week has its share."""
    result = []
    for customer in customers():
        if customer.account is None:
            continue
        for week in range(customer.id % 13, WEEKS, 13):
            sent = datetime.combine(FIRST_DAY + timedelta(weeks=week, days=1), datetime.min.time()).replace(hour=9)
            invitation = Invitation("NPS", sent, customer)
            if rng.random() < NPS_RESPONSE_RATE:
                delay = math.exp(10.6 + 1.0 * _NORMAL.inv_cdf(rng.random()))
                invitation.answered = sent + timedelta(seconds=int(min(delay, 20 * 86400)))
            if customer.writes:
                result.append(invitation)
    return result


def _score_csat(rng: random.Random, invitations: list[Invitation]) -> None:
    """Scores by quota within each week and channel of the answer."""

    def cell(invitation: Invitation):
        return (week_of(invitation.answered.date()), invitation.ticket.channel)

    answered = [item for item in invitations if item.kind == "CSAT" and item.answered]
    answered.sort(key=lambda item: (cell(item), item.number))
    for (monday, channel), group in groupby(answered, key=cell):
        members = list(group)
        shares = _swayed(rng, effects.score_shares(channel, monday), low_scores=3)
        scores = quota(rng, len(members), dict(enumerate(shares, start=1)))
        for invitation, score in zip(members, scores, strict=True):
            invitation.score = score
            if rng.random() < (0.55 if score <= 2 else 0.25):
                blames = channel == "chat" and monday >= effects.CHAT_BOT_RELEASE and score <= 3
                invitation.comment = words.comment(rng, invitation.customer, score >= 4, blames)


def _score_nps(rng: random.Random, invitations: list[Invitation]) -> None:
    answered = [item for item in invitations if item.kind == "NPS" and item.answered]
    answered.sort(key=lambda item: (week_of(item.answered.date()), item.number))
    for _, group in groupby(answered, key=lambda item: week_of(item.answered.date())):
        members = list(group)
        scores = quota(rng, len(members), dict(enumerate(_swayed(rng, NPS_SHARES, low_scores=7))))
        for invitation, score in zip(members, scores, strict=True):
            invitation.score = score
            if rng.random() < 0.2:
                invitation.comment = words.comment(rng, invitation.customer, score >= 8, blames_bot=False)


def _swayed(rng: random.Random, shares: tuple[float, ...], low_scores: int) -> list[float]:
    """The shares of one week: the first `low_scores` of them grow or shrink together by about a quarter."""
    sway = math.exp(0.25 * _NORMAL.inv_cdf(rng.random()))
    moved = [share * sway if position < low_scores else share for position, share in enumerate(shares)]
    return [share / sum(moved) for share in moved]
