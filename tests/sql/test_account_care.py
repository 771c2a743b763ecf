"""Accounts on both engines: broken promises and how long they count, renewals, accounts that left, the churn rule."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sql.staging_rows import publish, version
from support.real_data import DATA

from hansei.catalog import Catalog, load_catalog
from hansei.catalog.churn import ChurnRule
from hansei.catalog.loader import chosen
from hansei.catalog.sla import SlaPolicy
from hansei.indicators.measure import Measurement
from hansei.settings import Settings
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

ORACLE: Path = DATA.parent / "oracles" / "risk.json"
MONDAY = datetime(2026, 1, 5)
FIRST_VERSION = "2025-01-01T00:00:00.000000Z"
PROMISE = {
    "id": "promise",
    "title": "An answer within an hour",
    "owner": "service-desk",
    "versions": [{"valid_from": "2020-01-01", "metrics": {"first_reply": {"target": "1h", "time": "calendar"}}}],
}


@pytest.fixture
def catalog(settings: Settings) -> Catalog:
    shipped = load_catalog(settings)
    promise = SlaPolicy.model_validate(PROMISE)
    return replace(shipped, sla={"promise": promise}, indicators=chosen(shipped.indicators, ["customers"])[0])


def with_rule(catalog: Catalog, **changes: Any) -> Catalog:
    [rule] = catalog.churn.values()
    return replace(catalog, churn={rule.id: ChurnRule.model_validate(rule.model_dump() | changes)})


def night(warehouse: Warehouse, catalog: Catalog, run_id: str = "run", as_of: datetime | None = None) -> None:
    plant(warehouse, catalog, run_id)
    refresh_models(warehouse, catalog, "core", run_id)
    if as_of:
        warehouse.insert("ops.runs", [{"run_id": run_id, "as_of": as_of}])
        Measurement(warehouse, catalog, run_id, as_of).run()


def account(number: int, **more: Any) -> dict[str, Any]:
    return {
        "account_id": f"crm:{number}",
        "source_version": FIRST_VERSION,
        "tier": "gold",
        "status": "active",
        "started_date": date(2025, 1, 1),
        "annual_value": 1000,
        **more,
    }


def ticket(number: int, created: datetime, owner: int, replied: datetime | None = None) -> tuple[dict, list[dict]]:
    """A ticket of account `owner`, answered and solved at `replied` or still waiting."""
    key = f"desk:{number}"
    row = {
        "ticket_id": key,
        "status": "solved" if replied else "open",
        "account_id": f"crm:{owner}",
        "created_at": created,
        "has_complete_events": True,
        "assignee_id": "desk:a",
        "team_id": "desk:t",
    }
    if replied is None:
        return row, []
    event = {"ticket_id": key, "occurred_at": replied, "actor_kind": "agent", "source_version": version(1)}
    return row, [
        {**event, "event_id": f"{key}r", "event_type": "reply", "is_public": True, "sequence_number": 1},
        {**event, "event_id": f"{key}s", "event_type": "status", "value": "solved", "sequence_number": 2},
    ]


def fill(warehouse: Warehouse, catalog: Catalog, accounts: list[dict], tickets: list[tuple[dict, list[dict]]]) -> None:
    publish(warehouse, catalog.entities["accounts"], accounts, source="crm")
    if tickets:
        publish(warehouse, catalog.entities["tickets"], [row for row, _ in tickets])
        publish(warehouse, catalog.entities["ticket_events"], [event for _, events in tickets for event in events])


def spans(warehouse: Warehouse, kind: str) -> list[tuple]:
    query = (
        "SELECT account_id, started_date, ended_date, annual_value, account_tier FROM core.account_spans "
        f"WHERE kind = '{kind}' ORDER BY account_id, started_date"
    )
    return [tuple(row.values()) for row in warehouse.rows(query)]


def value(warehouse: Warehouse, indicator: str, start: date, grain: str = "week", segment: str = "all") -> float | None:
    query = (
        "SELECT value FROM indicators.indicator_values WHERE indicator = :indicator AND grain = :grain "
        "AND period_start = :start AND segment_id = :segment"
    )
    return warehouse.scalar(query, {"indicator": indicator, "grain": grain, "start": start, "segment": segment})


def test_days_of_exposure_are_those_that_counting_each_day_finds(warehouse: Warehouse, catalog: Catalog) -> None:
    chance = random.Random(4)
    tickets, breaches = [], {1: [], 2: [], 3: []}
    for number in range(60):
        owner = chance.choice((1, 1, 2, 3))
        created = MONDAY + timedelta(days=chance.randrange(500), hours=9)
        late = chance.random() < 0.4
        tickets.append(ticket(number, created, owner, created + timedelta(minutes=90 if late else 30)))
        if late:
            breaches[owner].append(created.date())
    fill(warehouse, catalog, [account(number) for number in breaches], tickets)
    night(warehouse, catalog)
    checked = 0
    for kind, least in (("exposed", 1), ("repeatedly_breached", 2)):
        found = spans(warehouse, kind)
        for owner, days in breaches.items():
            own = [row for row in found if row[0] == f"crm:{owner}"]
            for number in range(700):
                day = MONDAY.date() + timedelta(days=number)
                within = sum(timedelta(0) <= day - broken < timedelta(days=90) for broken in days)
                assert sum(row[1] <= day < row[2] for row in own) == (within >= least), (kind, owner, day)
                checked += within >= least
    assert checked > 500


def test_what_broken_promises_cost_is_told_at_the_end_of_each_week(warehouse: Warehouse, catalog: Catalog) -> None:
    day = timedelta(days=1)
    late = timedelta(hours=2)
    fill(
        warehouse,
        catalog,
        [
            account(1, annual_value=5000),
            account(2, tier="silver", owner="ann", annual_value=700),
            account(3, annual_value=None),
        ],
        [
            ticket(1, MONDAY, 1, MONDAY + late),
            ticket(2, MONDAY + 10 * day, 1, MONDAY + 10 * day + late),
            ticket(3, MONDAY + 1 * day, 2, MONDAY + 1 * day + late),
            ticket(4, MONDAY, 3, MONDAY + late),
        ],
    )
    night(warehouse, catalog, as_of=MONDAY + 140 * day)
    assert [row[:3] for row in spans(warehouse, "repeatedly_breached")] == [
        ("crm:1", date(2026, 1, 15), date(2026, 4, 5))  # second breach, until the first is 90 days old
    ]
    weeks = {name: MONDAY.date() + number * 7 * day for name, number in (("first", 0), ("second", 1), ("last", 13))}
    exposed = {name: value(warehouse, "value_exposed_to_breaches", start) for name, start in weeks.items()}
    # The first breaches end their 90 days on 5 April (a Sunday); the week from 6 April sees the second one alone.
    assert exposed == {"first": 5700, "second": 5700, "last": 5000}
    by_tier = value(warehouse, "value_exposed_to_breaches", weeks["first"], segment="account_tier=silver")
    assert by_tier == 700
    by_owner = [
        value(warehouse, "value_exposed_to_breaches", weeks["first"], segment=f"account_owner={who}")
        for who in ("ann", "unknown")
    ]
    assert by_owner == [700, 5000]
    repeated = {name: value(warehouse, "accounts_repeatedly_breached", start) for name, start in weeks.items()}
    assert repeated == {"first": None, "second": 1, "last": 0}  # the figure begins with the first such account


def test_a_renewal_counts_while_it_is_near_and_a_clock_is_late(warehouse: Warehouse, catalog: Catalog) -> None:
    """Renewal on 1 May: from 31 January on. The ticket waits since 20 January, 9:00, and is late from 10:00."""
    waiting = ticket(1, datetime(2026, 1, 20, 9), 1)
    accounts = [account(1, renewal_date=date(2026, 5, 1)), account(2, renewal_date=date(2027, 5, 1))]
    fill(warehouse, catalog, accounts, [waiting, ticket(2, datetime(2026, 1, 20, 9), 2)])
    night(warehouse, catalog, as_of=datetime(2026, 2, 16, 2))
    breach = warehouse.rows("SELECT * FROM core.account_breaches ORDER BY account_id")[0]
    assert (breach["breached_at"], breach["is_expected"]) == (datetime(2026, 1, 20, 10), True)
    assert [row[:3] for row in spans(warehouse, "openly_breached")] == [
        ("crm:1", date(2026, 1, 20), None),
        ("crm:2", date(2026, 1, 20), None),
    ]
    near = [row[:3] for row in spans(warehouse, "renewal_openly_breached")]
    assert near[0] == ("crm:1", date(2026, 1, 31), date(2026, 5, 2))
    weeks = [date(2026, 1, 19), date(2026, 1, 26), date(2026, 2, 9)]
    assert [value(warehouse, "renewals_with_open_breaches", week) for week in weeks] == [None, 1, 1]

    answered = ticket(1, datetime(2026, 1, 20, 9), 1, datetime(2026, 2, 17, 9))
    publish(warehouse, catalog.entities["tickets"], [{**answered[0], "source_version": version(2)}])
    publish(warehouse, catalog.entities["ticket_events"], answered[1])
    night(warehouse, catalog, "second", as_of=datetime(2026, 2, 24, 2))
    assert [row[:3] for row in spans(warehouse, "renewal_openly_breached") if row[0] == "crm:1"] == [
        ("crm:1", date(2026, 1, 31), date(2026, 2, 17))
    ]
    assert value(warehouse, "renewals_with_open_breaches", date(2026, 2, 16)) == 0


def test_an_account_leaves_with_the_value_and_tier_of_the_day_before(warehouse: Warehouse, catalog: Catalog) -> None:
    """Dated by the CRM, by the change of its status, or by nobody: then it counts in no period."""
    entity = catalog.entities["accounts"]
    publish(
        warehouse,
        entity,
        [
            account(1, churned_date=date(2026, 3, 10), annual_value=900),
            account(2, annual_value=400),
            account(3, status="churned"),
            account(4),
        ],
        source="crm",
    )
    later = {"source_version": "2026-03-20T08:00:00.000000Z"}
    left = [
        account(1, churned_date=date(2026, 3, 10), annual_value=0, tier="none", status="churned", **later),
        account(2, annual_value=0, tier="none", status="churned", **later),
    ]
    publish(warehouse, entity, left, source="crm")
    night(warehouse, catalog, as_of=datetime(2026, 4, 2))
    rows = warehouse.rows("SELECT * FROM core.account_churns ORDER BY account_id")
    names = ("account_id", "churned_date", "dated_by", "annual_value", "account_tier")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("crm:1", date(2026, 3, 10), "churned_date", 900, "gold"),
        ("crm:2", date(2026, 3, 20), "status", 400, "gold"),
        ("crm:3", None, "status", 1000, "gold"),
    ]
    march = date(2026, 3, 1)
    assert value(warehouse, "churned_value", march, "month") == 1300
    assert value(warehouse, "churned_accounts", march, "month", "account_tier=gold") == 2


RULE = {
    "look_back_weeks": 2,
    "horizon_weeks": 4,
    "conditions": [
        {"id": "broken", "points": 2, "feature": "sla_breach_count", "at_least": 2, "reason": "twice or more"},
        {
            "id": "renews",
            "points": 1,
            "feature": "renewal_day_count",
            "at_least": 0,
            "at_most": 30,
            "reason": "is near",
        },
        {"id": "warned", "points": 4, "status": ["at_risk"], "reason": "the owner says so"},
    ],
    "bands": [
        {"id": "low", "from_points": 0, "probability": 0.1},
        {"id": "some", "from_points": 1, "probability": 0.25},
        {"id": "high", "from_points": 3, "probability": 0.5},
    ],
}


def scores(warehouse: Warehouse, owner: int) -> dict[date, tuple]:
    query = (
        "SELECT scored_date, points, reasons, band, churn_probability_ratio, churned_count FROM core.churn_scores "
        f"WHERE account_id = 'crm:{owner}' ORDER BY scored_date"
    )
    return {row["scored_date"]: tuple(row.values())[1:] for row in warehouse.rows(query)}


def monday(number: int) -> date:
    return MONDAY.date() + timedelta(weeks=number)


def test_points_come_and_go_and_nothing_looks_ahead(warehouse: Warehouse, catalog: Catalog) -> None:
    catalog = with_rule(catalog, **RULE)
    late, day = timedelta(hours=2), timedelta(days=1)
    tickets = [
        ticket(1, MONDAY + 1 * day, 1, MONDAY + 1 * day + late),  # week 0
        ticket(2, MONDAY + 8 * day, 1, MONDAY + 8 * day + late),  # week 1: two within two weeks for Monday 2 alone
        ticket(3, MONDAY + 8 * day, 2, MONDAY + 8 * day + late),
        ticket(4, MONDAY + 42 * day, 2, MONDAY + 42 * day + late),
    ]
    accounts = [account(1, renewal_date=monday(4)), account(2, churned_date=monday(5) + 2 * day)]
    fill(warehouse, catalog, accounts, tickets)
    warned = {"source_version": f"{monday(5) + day}T08:00:00.000000Z", "status": "at_risk"}
    publish(warehouse, catalog.entities["accounts"], [account(1, renewal_date=monday(60), **warned)], source="crm")
    night(warehouse, catalog, as_of=MONDAY + 50 * day)

    assert scores(warehouse, 1) == {
        monday(1): (1, "renews", "some", 0.25, 0),
        monday(2): (3, "broken,renews", "high", 0.5, 0),
        monday(3): (1, "renews", "some", 0.25, 0),
        monday(4): (1, "renews", "some", 0.25, 0),
        monday(5): (0, "", "low", 0.1, 0),  # the CRM warned on the day after
        monday(6): (4, "warned", "high", 0.5, 0),
    }
    # It leaves in week 5: within four weeks of Monday 2, not of Monday 1; from Monday 6 on it is no customer.
    assert {day: row[4] for day, row in scores(warehouse, 2).items()} == {
        monday(1): 0, monday(2): 1, monday(3): 1, monday(4): 1, monday(5): 1,
    }  # fmt: skip

    before = scores(warehouse, 1)
    later = ticket(5, MONDAY + 43 * day, 1, MONDAY + 43 * day + late)
    publish(warehouse, catalog.entities["tickets"], [later[0]])
    publish(warehouse, catalog.entities["ticket_events"], later[1])
    night(warehouse, catalog, "second")
    after = scores(warehouse, 1)
    assert all(after[day] == before[day] for day in before)


def test_what_the_crm_first_told_later_scores_no_earlier_monday(warehouse: Warehouse, catalog: Catalog) -> None:
    """Its first known version reaches back for the tier that tickets are counted by, never for a score."""
    catalog = with_rule(catalog, **RULE)
    told = {"status": "at_risk", "source_version": f"{monday(3) + timedelta(days=1)}T08:00:00.000000Z"}
    left = account(2, status="churned", churned_date=monday(4), source_version=told["source_version"])
    tickets = [ticket(number, MONDAY + timedelta(days=1, weeks=number), 1) for number in range(6)]
    fill(warehouse, catalog, [account(1, renewal_date=monday(1), **told), left], tickets)
    night(warehouse, catalog)
    points = {day: row[0] for day, row in scores(warehouse, 1).items()}
    assert points == {monday(1): 0, monday(2): 0, monday(3): 0, monday(4): 4, monday(5): 4}
    tiers = warehouse.rows("SELECT DISTINCT account_tier FROM core.churn_scores WHERE account_id = 'crm:1'")
    assert [row["account_tier"] for row in tiers] == ["gold"]
    # That it left was told after it had: until that day it was a customer, and nobody knew better.
    assert {day: row[0] for day, row in scores(warehouse, 2).items()} == {monday(1): 0, monday(2): 0, monday(3): 0}


def test_revenue_at_risk_is_the_oracles(warehouse: Warehouse, catalog: Catalog) -> None:
    if not ORACLE.is_file():
        pytest.skip(f"no oracles: {ORACLE} does not exist; set HANSEI_DATA to the folder of the public data sets")
    [case] = json.loads(ORACLE.read_text(encoding="utf-8"))["revenue_at_risk"]
    by_chance = sorted(case["customers"], key=lambda customer: customer["p_churn"])
    bands = [
        {"id": f"band_{number}", "from_points": number, "probability": customer["p_churn"]}
        for number, customer in enumerate(by_chance)
    ]
    conditions = [
        {"id": f"in_{number}", "points": number, "segment": [f"s{number}"], "reason": "as the oracle says"}
        for number in range(1, len(by_chance))
    ]
    catalog = with_rule(catalog, bands=bands, conditions=conditions)
    accounts = [
        account(number, segment=f"s{number}", annual_value=customer["arr"]) for number, customer in enumerate(by_chance)
    ]
    created = MONDAY + timedelta(days=1)
    tickets = [ticket(number, created + timedelta(weeks=number), 1, None) for number in range(3)]
    fill(warehouse, catalog, accounts, tickets)
    night(warehouse, catalog, as_of=MONDAY + timedelta(days=16))
    assert value(warehouse, "revenue_at_risk", monday(1)) == pytest.approx(case["revenue_at_risk"], rel=1e-9)
    assert value(warehouse, "accounts_active", monday(1)) == len(by_chance)
    severe = value(warehouse, "revenue_at_risk", monday(1), segment=f"churn_band={bands[-1]['id']}")
    assert severe == pytest.approx(by_chance[-1]["arr"] * by_chance[-1]["p_churn"], rel=1e-9)
    assert value(warehouse, "tickets_per_account", monday(1)) == pytest.approx(1 / len(by_chance), rel=1e-9)


def test_calibration_is_that_of_a_second_reckoning(warehouse: Warehouse, catalog: Catalog) -> None:
    """Forty accounts in three bands; every other one of the highest leaves. Only whole horizons apart are judged."""
    catalog = with_rule(
        catalog,
        horizon_weeks=4,
        conditions=[
            {"id": "b", "points": 1, "segment": ["b", "c"], "reason": "second or third kind"},
            {"id": "c", "points": 1, "segment": ["c"], "reason": "third kind"},
        ],
        bands=[
            {"id": "first", "from_points": 0, "probability": 0.02},
            {"id": "second", "from_points": 1, "probability": 0.2},
            {"id": "third", "from_points": 2, "probability": 0.6},
        ],
    )
    chances = {"a": 0.02, "b": 0.2, "c": 0.6}
    leaves = monday(6) + timedelta(days=2)
    accounts = [
        account(number, segment="abc"[number % 3], churned_date=leaves if number % 3 == 2 and number % 2 else None)
        for number in range(40)
    ]
    tickets = [ticket(number, MONDAY + timedelta(days=1, weeks=number), 1, None) for number in range(16)]
    fill(warehouse, catalog, accounts, tickets)
    night(warehouse, catalog, as_of=MONDAY + timedelta(weeks=16))

    points = []
    for number in range(1, 16):
        day = monday(number)
        if (day - date(1970, 1, 5)).days % 28 or day + timedelta(days=28) > monday(16):
            continue
        for row in accounts:
            if row["churned_date"] is None or row["churned_date"] > day:
                has_left = row["churned_date"] is not None and row["churned_date"] < day + timedelta(days=28)
                points.append((chances[row["segment"]], int(has_left)))
    assert len(points) > 80 and sum(left for _, left in points) == 6
    table = {
        (row["group_kind"], row["group_id"]): row for row in warehouse.rows("SELECT * FROM core.churn_calibration")
    }
    everything = table["all", "all"]
    assert (everything["score_count"], everything["churned_count"]) == (len(points), 6)
    brier = sum((chance - left) ** 2 for chance, left in points) / len(points)
    assert everything["brier_score"] == pytest.approx(brier, rel=1e-9)
    assert everything["expected_count"] == pytest.approx(sum(chance for chance, _ in points), rel=1e-9)
    for band, chance in (("first", 0.02), ("second", 0.2), ("third", 0.6)):
        own = [left for other, left in points if other == chance]
        assert (table["band", band]["score_count"], table["band", band]["churned_count"]) == (len(own), sum(own))
    deciles = [table["decile", f"{number:02d}"] for number in range(1, 11)]
    assert sum(row["score_count"] for row in deciles) == len(points)
    assert max(row["score_count"] for row in deciles) - min(row["score_count"] for row in deciles) <= 1
    means = [row["expected_ratio"] for row in deciles]
    assert means == sorted(means) and deciles[-1]["churned_count"] + deciles[-2]["churned_count"] > 0
