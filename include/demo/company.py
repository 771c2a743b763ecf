"""The cast and the calendar of Möwenwerk, a fictitious firm.

Möwenwerk GmbH of Hamburg makes and hosts booking, billing and terminal software for freight forwarders. Its service
desk has five teams. A third of its customers work in China and write Chinese. No company, person, address or number
here is real: mail domains end in `.example`, telephone numbers come from ranges that are kept for fiction.
"""
# ruff: noqa: SIM905 (lists of names are easier to read as one text)

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

SEED = 20260914
ZONE = ZoneInfo("Europe/Berlin")
FIRST_DAY = date(2025, 5, 12)  # Monday of 2025-W20
LAST_WEEK = date(2026, 9, 7)  # Monday of 2026-W37, the last full week and the one that the brief covers
WEEKS = 70

# Each night reads the export of the day that has just ended. The clock stands at Tuesday, 02:00 in Hamburg.
EXPORT_DAYS = (date(2026, 9, 12), date(2026, 9, 13), date(2026, 9, 14))
NIGHTS = tuple(datetime.combine(day + timedelta(days=1), time(2), ZONE) for day in EXPORT_DAYS)

CHANNELS = {"chat": 0.40, "email": 0.27, "web": 0.18, "voice": 0.15}
PRIORITIES = {"normal": 0.55, "low": 0.20, "high": 0.18, "urgent": 0.07}
TIERS = {"Gold": 0.35, "Silber": 0.25, "Bronze": 0.25, "Platin": 0.15}
ACCOUNTS_BY_TIER = {"Platin": 12, "Gold": 42, "Silber": 45, "Bronze": 51}

HOLIDAYS = frozenset(
    date.fromisoformat(day)
    for day in (
        "2025-05-29 2025-06-09 2025-10-03 2025-10-31 2025-12-24 2025-12-25 2025-12-26 2025-12-31 2026-01-01 "
        "2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-05-25"
    ).split()
)
HOLIDAY_WEEKS = {date(2025, 12, 22): 0.38, date(2025, 12, 29): 0.60}  # volume against a common week


@dataclass(frozen=True)
class Team:
    """A team of the desk. share: of all tickets; hours: Monday to Friday, and at the weekend where it works."""

    id: int
    name: str
    share: float
    weekday_hours: tuple[int, int] = (8, 18)
    weekend_hours: tuple[int, int] | None = None


ACCESS = Team(11, "Access and Accounts", 0.10)
BILLING = Team(12, "Billing", 0.27)
INTEGRATIONS = Team(13, "Integrations", 0.26)
TERMINALS = Team(14, "Terminal Operations", 0.28, (6, 22), (8, 16))
FIELD = Team(15, "Field Devices", 0.09)
TEAMS = (ACCESS, BILLING, INTEGRATIONS, TERMINALS, FIELD)

# From this Monday on, Terminal Operations works one shift instead of two, and not at weekends.
SCHEDULE_CHANGE = date(2026, 7, 6)

NEWCOMER = 148  # place of the one account that has only just signed, and has not written yet

_AGENTS_PER_TEAM = {11: 3, 12: 6, 13: 6, 14: 7, 15: 3}
_FIRST_NAMES = (
    "Jana Malte Frieda Jonas Wiebke Torben Svenja Lasse Imke Henrik Maren Bjarne Antje Sönke Greta Thies Nele Eike "
    "Rieke Momme Swantje Fiete Lotte Karsten Birte Arne Femke Hauke Insa Jörn"
).split()
_LAST_NAMES = (
    "Petersen Hansen Brodersen Lorenzen Thomsen Carstens Matthiesen Jessen Clausen Ketelsen Paulsen Harmsen Wittrock "
    "Feddersen Boysen Detlefsen Nissen Andresen Ohlsen Tiedemann Rickmers Vollertsen Asmussen Iversen Krögersen"
).split()
_CHINESE_FAMILY = "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗".split()
_CHINESE_GIVEN = (
    "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 秀英 霞 平 刚 桂英 建国 晓东 雨桐 子涵 梓萱 浩然".split()
)
_HARBOURS = (
    "Altona Bremen Cuxhaven Dagebüll Emden Flensburg Glückstadt Husum Itzehoe Jever Kiel Lübeck Mölln Norden Oldenburg "
    "Plön Rendsburg Stade Tönning Uelzen Varel Wismar Büsum Brunsbüttel Eckernförde"
).split()
_CHINESE_HARBOURS = (
    "Ningbo Qingdao Xiamen Yantian Tianjin Dalian Fuzhou Nansha Zhuhai Nantong Taicang Lianyungang".split()
)
_TRADES = ("Spedition", "Seefracht", "Hafenlogistik", "Containerdienst", "Lagerhaus", "Zollservice")
_CHINESE_TRADES = ("Freight Forwarding", "Shipping Agency", "Container Lines", "Bonded Logistics")


@dataclass(frozen=True)
class Agent:
    id: int
    name: str
    email: str
    team: Team
    started: date


@dataclass(frozen=True)
class Account:
    """An account of the CRM. organization: its number in the help desk; links_by says by which rule it is found."""

    id: str
    name: str
    domain: str
    organization: int
    tier: str
    region: str
    segment: str
    owner: str
    annual_value_cents: int
    started: date
    links_by: str  # organisation, domain, tie


@dataclass(frozen=True)
class Customer:
    id: int
    name: str
    email: str
    phone: str
    language: str
    account: Account | None
    created: date

    @property
    def writes(self) -> bool:
        return self.account is None or self.account.started < FIRST_DAY


def utc(local: datetime) -> datetime:
    """A naive Hamburg time as an aware UTC time."""
    return local.replace(tzinfo=ZONE).astimezone(ZoneInfo("UTC"))


def week_of(day: date) -> date:
    """The Monday of the day's ISO week."""
    return day - timedelta(days=day.weekday())


def stream(topic: str) -> random.Random:
    """A random stream of its own for each topic, so that a change in one leaves the others alone."""
    return random.Random(f"{SEED}:{topic}")


@cache
def opening(team: Team, day: date) -> tuple[int, int] | None:
    """Opening and closing hour of a team on a day, or None where it is closed."""
    if day in HOLIDAYS:
        return None
    if team is TERMINALS and day >= SCHEDULE_CHANGE:
        return (8, 16) if day.weekday() < 5 else None
    return team.weekday_hours if day.weekday() < 5 else team.weekend_hours


def after_working(team: Team, start: datetime, seconds: float) -> datetime:
    """The local time at which `seconds` of the team's open hours have passed since `start`."""
    day, left = start.date(), seconds
    while True:
        hours = opening(team, day)
        if hours:
            opens = datetime.combine(day, time(hours[0]))
            closes = datetime.combine(day, time(hours[1]))
            begin = max(start, opens)
            room = (closes - begin).total_seconds()
            if room > 0:
                if left < room:
                    return begin + timedelta(seconds=round(left))
                left -= room
        day += timedelta(days=1)


@cache
def agents() -> tuple[Agent, ...]:
    """The 25 agents, each in one team for the whole time."""
    rng = stream("agents")
    first, last = rng.sample(_FIRST_NAMES, 25), rng.sample(_LAST_NAMES, 25)
    people: list[Agent] = []
    for team in TEAMS:
        for _ in range(_AGENTS_PER_TEAM[team.id]):
            given, family = first[len(people)], last[len(people)]
            email = f"{_ascii(given)}.{_ascii(family)}@moewenwerk.example"
            started = date(2019, 1, 1) + timedelta(days=rng.randrange(1800))
            people.append(Agent(2001 + len(people), f"{given} {family}", email, team, started))
    return tuple(people)


@cache
def team_agents(team: Team) -> tuple[Agent, ...]:
    return tuple(agent for agent in agents() if agent.team is team)


@cache
def accounts() -> tuple[Account, ...]:
    """150 accounts. Most name their help-desk organisation; some are found by mail domain only, two share a domain."""
    rng = stream("accounts")
    tiers = [tier for tier, count in ACCOUNTS_BY_TIER.items() for _ in range(count)]
    rng.shuffle(tiers)
    names = [(f"{trade} {harbour}", "Nordsee") for harbour in _HARBOURS for trade in _TRADES]
    chinese = [(f"{harbour} {trade}", "China") for harbour in _CHINESE_HARBOURS for trade in _CHINESE_TRADES]
    names = rng.sample(names, 105) + rng.sample(chinese, 45)
    rng.shuffle(names)
    value = {"Platin": 180_000, "Gold": 72_000, "Silber": 28_000, "Bronze": 9_000}
    result = []
    for index, ((name, region), tier) in enumerate(zip(names, tiers, strict=True)):
        form = "GmbH" if region == "Nordsee" else "Co. Ltd."
        links_by = "tie" if index in (58, 59) else "domain" if index % 12 == 7 else "organisation"
        domain = "hafenverbund.example" if links_by == "tie" else f"{_ascii(name).replace(' ', '-')}.example"
        result.append(
            Account(
                id=f"A-{1001 + index}",
                name=f"{name} {form}",
                domain=domain,
                organization=7001 + index,
                tier=tier,
                region=region,
                segment=rng.choice(("Forwarder", "Carrier", "Terminal", "Warehouse")),
                owner=rng.choice(("Ocke Sievers", "Telse Wulff", "Merle Dircks", "Broder Hinrichs")),
                annual_value_cents=round(value[tier] * (0.6 + 0.8 * rng.random())) * 100 + rng.randrange(100),
                started=date(2016, 1, 1) + timedelta(days=rng.randrange(3200)),
                links_by=links_by,
            )
        )
    result[NEWCOMER] = replace(result[NEWCOMER], started=date(2026, 9, 10))
    return tuple(result)


@cache
def customers() -> tuple[Customer, ...]:
    """Four people of each account, and 20 who write from a public mail service and belong to none."""
    rng = stream("customers")
    people: list[Customer] = []
    used: set[str] = set()
    for account in [account for account in accounts() for _ in range(4)] + [None] * 20:
        chinese = account is not None and account.region == "China"
        number = 500_001 + len(people)
        if chinese:
            name = rng.choice(_CHINESE_FAMILY) + rng.choice(_CHINESE_GIVEN)
            local, phone = f"user{number}", f"+86 138 0013 {8000 + len(people):04d}"
        else:
            given, family = rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES)
            name, local = f"{given} {family}", f"{_ascii(given)}.{_ascii(family)}"
            phone = f"+49 40 66969 {100 + len(people):03d}"
        domain = account.domain if account else "freemail.example"
        if f"{local}@{domain}" in used:
            local = f"{local}{number % 1000}"
        used.add(f"{local}@{domain}")
        created = date(2024, 1, 8) + timedelta(days=rng.randrange(480))
        people.append(Customer(number, name, f"{local}@{domain}", phone, "zh" if chinese else "en", account, created))
    return tuple(people)


def _ascii(text: str) -> str:
    """Lower case, umlauts written out, as in mail addresses."""
    for umlaut, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.lower().replace(umlaut, plain)
    return text
