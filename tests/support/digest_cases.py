"""Digests written by hand: what two people, who read two languages, are told on one Monday."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from hansei.catalog.recipients import Channel, Recipient
from hansei.reviews.digest import Digest, DigestItem, digest_for
from hansei.reviews.digest_message import Setting

AS_OF = datetime(2026, 3, 9, 5, 30)  # a Monday, 06:30 in Berlin
SETTING = Setting("Aurora Care", "Europe/Berlin")
VERA = Recipient(
    id="vera", name="Vera", owners=("service-desk", "billing"), channels=(Channel(connection="desk_mail", kind="mail"),)
)
WEI = VERA.model_copy(update={"id": "wei", "name": "Wei", "language": "zh_CN"})

OPENED = DigestItem(
    alarm_id="first_reply_median-2026-W10",
    event_number=7,
    what="opened",
    severity="major",
    title="First reply, median",
    segment="Billing",
    owner="service-desk",
    value=18_600.0,  # 5 h 10 min
    limit=14_400.0,  # 4 h
    unit="seconds",
    is_upper=True,
    grain="week",
    since=date(2026, 3, 2),
    more="hansei alarms show first_reply_median-2026-W10",
    why={"en": "Beyond the limit for two weeks in a row.", "zh_CN": "连续两周超出限值。"},
)
ESCALATED = replace(
    OPENED,
    alarm_id="csat_good-2026-W08",
    event_number=9,
    what="escalated",
    severity="important",
    title="Satisfied customers",
    segment="",
    value=0.8213,
    limit=0.9,
    unit="ratio",
    is_upper=False,
    grain="month",
    since=date(2026, 2, 1),
    more="https://desk.example.org/alarms/csat_good-2026-W08?a=1&b=2",
    why={"en": "Nobody acknowledged it within 5 days <b>of opening</b>."},
    escalated_to="head-of-service",
)
RECOVERING = replace(
    OPENED,
    alarm_id="backlog-2026-W07",
    event_number=8,
    what="recovering",
    severity="general",
    title="Backlog",
    owner="billing",
    value=1234.0,
    limit=1200.0,
    unit="count",
    more="hansei alarms show backlog-2026-W07",
    why={},
)
CLOSED = replace(
    RECOVERING,
    alarm_id="reopen_rate-2026-W06",
    event_number=10,
    what="closed",
    title="Reopened tickets",
    value=None,
    limit=None,
    grain="day",
    since=date(2026, 2, 3),
    more="hansei alarms show reopen_rate-2026-W06",
)
ITEMS = {"service-desk": [OPENED, ESCALATED], "billing": [RECOVERING, CLOSED]}


def digest(recipient: Recipient = VERA, told_through: int | None = 0) -> Digest:
    return digest_for(recipient, ITEMS, told_through, AS_OF)
