"""Sessions, issues, consistency and benchmarks against the oracles and against plain counting, on both engines."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from scipy import stats
from sql.staging_rows import publish, version
from support.real_data import DATA

from hansei.catalog import Catalog, load_catalog
from hansei.catalog.surveys import Benchmark
from hansei.indicators.consistency import chi_square_tail, compare_channels
from hansei.indicators.measure import Measurement
from hansei.settings import Settings
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

ORACLES = DATA.parent / "oracles"
DAY = datetime(2026, 3, 3, 10)
AS_OF = datetime(2026, 5, 20)
HOUR = timedelta(hours=1)


def oracle(name: str) -> dict[str, list[dict]]:
    file = ORACLES / f"{name}.json"
    if not file.is_file():
        pytest.skip(f"{file} is not here")
    return json.loads(file.read_text(encoding="utf-8"))


class Channels:
    """A warehouse in which sessions, tickets and customers arrive night by night."""

    def __init__(self, warehouse: Warehouse, catalog: Catalog) -> None:
        self.warehouse = warehouse
        kept = {name: item for name, item in catalog.indicators.items() if item.family == "channels"}
        self.catalog = replace(catalog, indicators=kept, reviews={})

    def night(self, run_id: str = "night", **rows: list[dict]) -> None:
        for name, arrived in rows.items():
            publish(self.warehouse, self.catalog.entities[name], arrived, run_id=run_id)
        plant(self.warehouse, self.catalog, run_id)
        refresh_models(self.warehouse, self.catalog, "core", run_id)

    def measure(self) -> None:
        Measurement(self.warehouse, self.catalog, "night", AS_OF).run()

    def value(self, indicator: str, segment: str = "all") -> dict[str, Any]:
        query = (
            "SELECT value, numerator, denominator, state FROM indicators.indicator_values "
            "WHERE indicator = :indicator AND grain = 'month' AND segment_id = :segment AND period_start = :month"
        )
        asked = {"indicator": indicator, "segment": segment, "month": DAY.date().replace(day=1)}
        [row] = self.warehouse.rows(query, asked)
        return row

    def rows(self, select: str) -> list[tuple]:
        return [tuple(row.values()) for row in self.warehouse.rows(select)]


@pytest.fixture
def channels(warehouse: Warehouse, settings: Settings) -> Channels:
    return Channels(warehouse, load_catalog(settings))


def session(number: object, customer: str | None, at: datetime = DAY, **more: Any) -> dict[str, Any]:
    named = {"conversation_id": f"bot:{number}", "customer_id": customer, "channel": "bot", "started_at": at}
    return {**named, **more}


def ticket(number: object, customer: str | None, at: datetime, **more: Any) -> dict[str, Any]:
    return {"ticket_id": f"desk:{number}", "customer_id": customer, "status": "open", "created_at": at, **more}


def test_bot_sessions_are_those_of_the_oracle(channels: Channels) -> None:
    cases = oracle("misc")["bot"]
    assert cases
    sessions, tickets = [], []
    for number, case in enumerate(cases):
        for row in case["conversations"]:
            person = f"desk:{number}-{row['id']}"
            resolved = None if row["resolved_flag"] is None else bool(row["resolved_flag"])
            said = {"is_handed_off": bool(row["handoff"]), "is_resolved": resolved, "channel": f"case{number}"}
            sessions.append(session(person, person, **said))
            if row["agent_contact_within_72h"]:
                tickets.append(ticket(person, person, DAY + 71 * HOUR))
    channels.night(conversations=sessions, tickets=tickets)
    channels.measure()
    for number, case in enumerate(cases):
        expected, segment = case["expected"], f"channel=case{number}"
        found = {
            "handoff_rate": "bot_handoff_rate",
            "containment_rate": "bot_containment",
            "true_containment_no_repeat": "bot_true_containment",
            "resolved_without_agent": "bot_resolved_without_agent",
            "resolution_rate_of_answered": "bot_resolution_stated",
        }
        for figure, indicator in found.items():
            assert channels.value(indicator, segment)["value"] == pytest.approx(expected[figure], rel=1e-9), figure
        assert channels.value("bot_containment", segment)["denominator"] == expected["n"]
        stated = channels.value("bot_resolution_stated", segment)["denominator"]
        assert expected["n"] - stated == expected["unknown_resolution"]


def test_what_a_person_does_within_72_hours(channels: Channels) -> None:
    """The window ends 72 hours after the end of the session, and its last second belongs to it."""
    ends = {"ended_at": DAY + HOUR, "topic": "billing", "has_contact_intent": True, "kind": "self_service"}
    channels.night(
        conversations=[
            session("in_time", "desk:a", **ends),
            session("too_late", "desk:b", **ends),
            session("ticket_before", "desk:c", **ends),
            session("bot_ticket", "desk:d", **ends),
            session("spam", "desk:e", **ends),
            session("nobody", None, **ends),
            session("other_key", "chat:f", **ends),
            session("own_ticket", "desk:g", ticket_id="desk:late", **ends),
            session("voted", "desk:h", is_resolved=True, **ends),
        ],
        tickets=[
            ticket("a", "desk:a", DAY + 73 * HOUR),
            ticket("b", "desk:b", DAY + 73 * HOUR + timedelta(seconds=1)),
            ticket("c", "desk:c", DAY - timedelta(seconds=1)),
            ticket("d", "desk:d", DAY + HOUR),
            ticket("e", "desk:e", DAY + HOUR, is_spam=True),
            ticket("f", "desk:f", DAY + 2 * HOUR),
            ticket("late", "desk:g", DAY + 900 * HOUR),
            ticket("h", "desk:h", DAY + HOUR),
        ],
        ticket_events=[
            {"event_id": "desk:1", "ticket_id": "desk:d", "occurred_at": DAY + HOUR, "event_type": "reply",
             "actor_kind": "bot", "is_public": True}
        ],
        customers=[
            {"customer_id": "chat:f", "email": "same pseudonym"}, {"customer_id": "desk:f", "email": "same pseudonym"},
        ],
    )  # fmt: skip
    found = channels.rows(
        "SELECT conversation_id, is_truly_contained, is_deflected, is_solved_by_content, next_ticket_id "
        "FROM core.conversations ORDER BY conversation_id"
    )
    bot_only = channels.rows("SELECT is_bot_only FROM core.tickets WHERE ticket_id = 'desk:d'") == [(True,)]
    assert found == [
        ("bot:bot_ticket", bot_only, False, False, "desk:d"),
        ("bot:in_time", False, False, False, "desk:a"),
        ("bot:nobody", None, None, None, None),
        ("bot:other_key", False, False, False, "desk:f"),
        ("bot:own_ticket", True, False, False, "desk:late"),
        ("bot:spam", True, True, True, None),
        ("bot:ticket_before", True, True, True, None),
        ("bot:too_late", True, True, True, "desk:b"),
        ("bot:voted", False, False, True, "desk:h"),
    ]
    channels.measure()
    # Nobody known: neither deflected nor not.
    assert channels.value("deflection_rate")["denominator"] == 8
    assert channels.value("knowledge_topic_resolution", "topic=billing")["numerator"] == 4


def test_a_session_is_judged_when_its_72_hours_are_over(channels: Channels) -> None:
    channels.night(conversations=[session(number, f"desk:{number}", datetime(2026, 4, 30)) for number in range(40)])
    states = []
    for as_of in (datetime(2026, 4, 30, 12), datetime(2026, 5, 4), datetime(2026, 5, 5)):
        Measurement(channels.warehouse, channels.catalog, f"at {as_of}", as_of).run()
        states += channels.rows(
            "SELECT state FROM indicators.indicator_values WHERE indicator = 'bot_true_containment' "
            "AND grain = 'month' AND segment_id = 'all' AND period_start = DATE '2026-04-01'"
        )
    assert states == [("incomplete",), ("immature",), ("ok",)]


def test_issues_and_switches_are_those_of_the_oracle(channels: Channels) -> None:
    cases = oracle("misc")["channels"]
    assert cases
    sessions, tickets, people = [], [], {}
    for number, case in enumerate(cases):
        for issue in case["issues"]:
            person = f"desk:{number}{issue['issue']}"
            people[person] = number
            for position, (channel, minutes) in enumerate(issue["contacts"]):
                at, key = DAY + timedelta(minutes=minutes), f"{person}-{position}"
                if channel == "bot":
                    sessions.append(session(key, person, at))
                else:
                    tickets.append(ticket(key, person, at, channel=channel))
    channels.night(conversations=sessions, tickets=tickets)
    for number, case in enumerate(cases):
        own = channels.warehouse.sql.text_list([person for person, place in people.items() if place == number])
        [found] = channels.rows(
            "SELECT COUNT(*) AS issues, COUNT(CASE WHEN has_channel_switch THEN 1 END) AS switched, "
            "CAST(SUM(switch_count) AS BIGINT) AS switches, COUNT(CASE WHEN is_repeated THEN 1 END) AS repeated "
            f"FROM core.contact_issues WHERE person_id IN ({own})"
        )
        expected = case["expected"]
        assert found[0] == len(case["issues"])
        assert found[1] / found[0] == pytest.approx(expected["channel_switch_rate"], rel=1e-9)
        assert found[2:] == (expected["switches"], expected["repeat_contact_issues"])
    channels.measure()
    [rate] = {case["expected"]["channel_switch_rate"] for case in cases}
    assert channels.value("channel_switch_rate")["value"] == pytest.approx(rate, rel=1e-9)


def test_an_issue_ends_after_14_days_of_silence_and_keeps_to_one_topic(channels: Channels) -> None:
    day = timedelta(days=1)
    channels.night(
        tickets=[
            ticket(1, "desk:a", DAY, topic="billing", channel="mail"),
            ticket(2, "desk:a", DAY + 14 * day, topic="billing", channel="mail"),
            ticket(3, "desk:a", DAY + 28 * day + timedelta(seconds=1), topic="billing", channel="chat"),
            ticket(4, "desk:a", DAY + day, topic="access", channel="chat"),
            ticket(5, "desk:b", DAY, channel="chat"),
            ticket(6, None, DAY),
            ticket(7, None, DAY),
        ],
        # The ticket that came of a session in the same channel is that contact; in another it is a switch.
        conversations=[
            session("s", "desk:b", DAY - HOUR, channel="chat", ticket_id="desk:5"),
            session("t", "desk:a", DAY + day - HOUR, channel="bot", topic="access", ticket_id="desk:4"),
        ],
    )
    found = channels.rows(
        "SELECT issue_id, topic, channel, contact_count, switch_count FROM core.contact_issues ORDER BY issue_id"
    )
    assert found == [
        ("session bot:s", "unknown", "chat", 1, 0),
        ("session bot:t", "access", "bot", 2, 1),
        ("ticket desk:1", "billing", "mail", 2, 0),
        ("ticket desk:3", "billing", "chat", 1, 0),
        ("ticket desk:6", "unknown", "unknown", 1, 0),
        ("ticket desk:7", "unknown", "unknown", 1, 0),
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nights_leave_the_tables_of_one_build(channels: Channels, seed: int) -> None:
    """Tickets change hands, sessions change people, e-mail addresses join and part: always as if built at once."""
    chance = random.Random(seed)
    own = ("core.conversations", "core.contacts", "core.issue_contacts", "core.contact_issues", "core.survey_responses")
    latest: dict[str, dict[str, dict]] = {
        name: {} for name in ("tickets", "conversations", "customers", "survey_responses")
    }
    channels.night("instruments", surveys=[SURVEY])
    for number in range(1, 5):
        night = {name: arrivals(chance, name, number) for name in latest}
        channels.night(f"night {number}", **night)
    stored = {table: content(channels, table) for table in own}
    assert all(stored.values())
    for table in own:
        channels.warehouse.execute(f"DELETE FROM ops.model_states WHERE model = '{table}'")
    channels.night("again")
    for table in own:
        assert content(channels, table) == stored[table], table


SURVEY = {"survey_id": "desk:csat", "name": "csat", "kind": "csat", "scale_minimum": 1, "scale_maximum": 5,
          "is_higher_better": True}  # fmt: skip


def arrivals(chance: random.Random, entity: str, night: int) -> list[dict]:
    """A few rows of few keys, so that the same ones come again and again with other contents."""
    people = [f"{system}:{number}" for number in range(4) for system in ("desk", "chat")] + [None]
    rows: dict[str, dict] = {}
    for _ in range(12 if night == 1 else 4):
        at = DAY + timedelta(hours=chance.randrange(24 * 40))
        number = chance.randrange(12)
        gone = {"deleted_at": AS_OF if chance.random() < 0.1 else None, "source_version": version(night)}
        if entity == "tickets":
            words = {"topic": chance.choice(["a", "b", None]), "channel": chance.choice(["chat", "mail"])}
            row = {**ticket(number, chance.choice(people), at, is_spam=chance.random() < 0.1), **words}
        elif entity == "conversations":
            words = {"topic": chance.choice(["a", "b", None]), "is_handed_off": chance.random() < 0.3}
            own = chance.choice([None, f"desk:{chance.randrange(12)}"])
            row = {**session(number, chance.choice(people), at, ticket_id=own), **words, "channel": "chat"}
        elif entity == "customers":
            row = {"customer_id": chance.choice(people[:-1]), "email": chance.choice(["x", "y", None])}
        else:
            about = {"ticket_id": f"desk:{chance.randrange(4)}", "survey_id": "desk:csat", "survey_kind": "csat"}
            scale = {"score": chance.randrange(1, 6), "scale_minimum": 1, "scale_maximum": 5}
            row = {"response_id": f"desk:{number}", "responded_at": at, **about, **scale}
        rows[next(iter(row.values()))] = {**row, **gone}
    return list(rows.values())


def content(channels: Channels, table: str) -> list[tuple]:
    model = channels.catalog.tables[table]
    return sorted(channels.rows(f"SELECT {', '.join(model.columns)} FROM {table}"), key=repr)


def put(channels: Channels, rows: list[dict]) -> None:
    channels.warehouse.execute("DELETE FROM indicators.indicator_values")
    channels.warehouse.insert("indicators.indicator_values", rows)


def test_consistency_is_that_of_the_oracle(channels: Channels) -> None:
    cases = oracle("misc")["channel_consistency"]
    assert cases
    rows = []
    for number, case in enumerate(cases):
        place = {"indicator": "bot_containment", "grain": "month", "period_start": date(2025, number + 1, 1)}
        for row in case["rows"]:
            parts = {"numerator": row["csat"] * row["n"], "denominator": row["n"], "value": row["csat"], "state": "ok"}
            rows.append({**place, "segment_id": f"channel={row['channel']}", **parts})
        small = {"numerator": 0, "denominator": 5, "value": 0.0, "state": "insufficient"}
        rows.append({**place, "segment_id": "channel=fax", **small})
    channels.night()
    put(channels, rows)
    assert compare_channels(channels.warehouse, channels.catalog, "night") == len(cases)
    found = channels.warehouse.rows("SELECT * FROM indicators.channel_consistency ORDER BY period_start")
    for row, case in zip(found, cases, strict=True):
        expected = case["expected"]
        values = {item["channel"]: item["csat"] for item in case["rows"]}
        figures = ("pooled_value", "value_range", "consistency_index", "chi_square", "p_value")
        wanted = [expected[name] for name in ("pooled", "range", "consistency_index_1_minus_range", "chi2", "p")]
        assert [row[name] for name in figures] == pytest.approx(wanted, rel=1e-9)
        assert row["degrees_of_freedom"] == expected["df"]
        assert (row["judged_channel_count"], row["small_channel_count"]) == (len(values), 1)
        assert (row["lowest_channel"], row["highest_channel"]) == (
            min(values, key=values.get),
            max(values, key=values.get),
        )


def test_channels_without_difference_or_without_company_are_not_tested(channels: Channels) -> None:
    place = {"grain": "month", "period_start": date(2025, 1, 1), "state": "ok", "denominator": 50}
    alike = [
        {**place, "indicator": "bot_containment", "segment_id": f"channel={name}", "numerator": 50, "value": 1.0}
        for name in "ab"
    ]
    alone = [{**place, "indicator": "bot_handoff_rate", "segment_id": "channel=a", "numerator": 5, "value": 0.1}]
    means = [
        {
            **place,
            "indicator": "contacts_per_issue",
            "segment_id": f"channel={name}",
            "numerator": 50 * mean,
            "value": mean,
        }
        for name, mean in (("a", 1.5), ("b", 2.0))
    ]
    channels.night()
    put(channels, alike + alone + means)
    compare_channels(channels.warehouse, channels.catalog, "night")
    found = channels.rows(
        "SELECT indicator, value_range, consistency_index, chi_square, p_value FROM indicators.channel_consistency "
        "ORDER BY indicator"
    )
    assert found == [("bot_containment", 0, 1, None, None), ("contacts_per_issue", 0.5, None, None, None)]


@pytest.mark.parametrize("freedom", range(1, 12))
def test_the_tail_of_chi_square_is_scipys(freedom: int) -> None:
    for value in (1e-9, 0.1, 1, freedom, 10.5, 60, 400):
        assert chi_square_tail(value, freedom) == pytest.approx(stats.chi2.sf(value, freedom), rel=1e-9)


def benchmark(case: dict) -> Benchmark:
    """The oracle's case as a definition; its months are those of 2024 and 2025."""
    months, options = len(case["values"]), case["options"]
    thresholds = case["threshold"] if isinstance(case["threshold"], list) else [case["threshold"]] * months
    named = {"id": case["id"], "title": "T", "source": "the oracle", "owner": "tests", "action": "Revise it"}
    rules = {
        "indicator": "bot_containment" if case["direction"] == "higher_better" else "bot_handoff_rate",
        "consecutive_months": case["k"],
        "minimum_count": options.get("min_n", 1),
        "missing_month": "skipped" if options.get("gap") == "skip" else "breaks",
        "months": [{"month": month(number), "value": value} for number, value in enumerate(thresholds)],
    }
    return Benchmark.model_validate({**named, **rules})


def month(number: int) -> date:
    return date(2024 + number // 12, number % 12 + 1, 1)


@pytest.mark.parametrize("is_row_missing", [False, True], ids=["no value", "no row"])
def test_months_below_a_benchmark_are_those_of_the_oracle(channels: Channels, is_row_missing: bool) -> None:
    """A month without a value stands in the table as no_data; should the row be missing too, it still breaks a run."""
    cases = oracle("breach")["consecutive"]
    assert any(case["id"] == "knowledge_topic_3_months" for case in cases)
    for case in cases:
        item = benchmark(case)
        channels.catalog = replace(channels.catalog, benchmarks={item.id: item})
        channels.night(f"{case['id']}")
        refresh_models(channels.warehouse, channels.catalog, "indicators", case["id"])
        counts = case["options"].get("ns", [50] * len(case["values"]))
        rows = [
            {"indicator": item.indicator, "grain": "month", "period_start": month(number), "segment_id": "all",
             "value": value, "sample_count": 0 if value is None else counts[number],
             "state": "no_data" if value is None else "ok"}
            for number, value in enumerate(case["values"]) if not (is_row_missing and value is None)
        ]  # fmt: skip
        if not rows:
            continue
        put(channels, rows)
        found = {
            row["period_start"]: row for row in channels.warehouse.rows("SELECT * FROM indicators.benchmark_months")
        }
        for number, expected in enumerate(case["expected"]):
            row = found.get(month(number))
            if row is None:
                assert is_row_missing
                assert expected["insufficient"]
                continue
            names = ("consecutive_count", "is_triggered", "is_newly_triggered", "is_insufficient")
            told = dict(
                zip(("run", "trigger", "new_trigger", "insufficient"), (row[name] for name in names), strict=True)
            )
            assert told == expected, (case["id"], number)


def test_a_segment_is_held_against_its_own_benchmark_first(channels: Channels) -> None:
    item = Benchmark.model_validate(
        {
            "id": "topics", "indicator": "knowledge_topic_resolution", "title": "T", "source": "s", "owner": "o",
            "action": "a", "minimum_count": 1,
            "months": [{"month": "2025-01-01", "value": 0.8},
                       {"month": "2025-01-01", "value": 0.5, "segment": "topic=x"},
                       {"month": "2025-02-01", "value": 0.4, "segment": "topic=x"}],
        }
    )  # fmt: skip
    channels.catalog = replace(channels.catalog, benchmarks={item.id: item})
    channels.night()
    refresh_models(channels.warehouse, channels.catalog, "indicators", "night")
    base = {"indicator": "knowledge_topic_resolution", "grain": "month", "value": 0.45, "sample_count": 9}
    put(channels, [
        {**base, "segment_id": segment, "period_start": date(2025, number, 1), "state": state}
        for segment in ("all", "topic=x", "topic=y")
        for number, state in ((1, "ok"), (2, "ok"), (3, "immature"))
    ])  # fmt: skip
    found = channels.rows(
        "SELECT segment_id, benchmark_value, is_below FROM indicators.benchmark_months "
        "ORDER BY segment_id, period_start"
    )
    assert found == [
        ("all", 0.8, True), ("all", 0.8, True), ("topic=x", 0.5, True), ("topic=x", 0.4, False),
        ("topic=y", 0.8, True), ("topic=y", 0.8, True),
    ]  # fmt: skip
