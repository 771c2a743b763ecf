"""`hansei ticket explain` and docs/time.md on both engines: the page's ticket, reckoned by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.worked_ticket import AS_OF, TICKET, blocks, history, load, overlaid, printed
from typer.testing import CliRunner

from hansei import cli
from hansei.catalog import Catalog, load_catalog
from hansei.catalog.ledger import Ledger
from hansei.cli.ticket_text import document, text
from hansei.errors import HanseiError
from hansei.indicators.ticket_figures import figures
from hansei.indicators.tickets import TicketRecord, by_segment, owner_sums, ticket_record
from hansei.settings import Settings
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.tables import evolve

HOUR, MINUTE = 3600, 60
# Owner, rule, calendar and business seconds of each span; by hand, Berlin's clock in the comments.
SPANS = [
    ("bot", 2, 10 * MINUTE, 10 * MINUTE),  # Thursday 15:00
    ("queue", 5, 10 * MINUTE, 10 * MINUTE),  # 15:10, the bot hands over
    ("queue", 5, 20 * MINUTE, 20 * MINUTE),  # 15:20, priority high
    ("agent", 7, 20 * MINUTE, 20 * MINUTE),  # 15:40, Ann
    ("customer", 3, 114 * HOUR, 2 * HOUR),  # 16:00, to Tuesday 10:00: the last hour of Thursday, the first of Tuesday
    ("agent", 7, 2 * HOUR, 2 * HOUR),  # Tuesday 10:00
    ("queue", 6, 30 * MINUTE, 30 * MINUTE),  # 12:00, the harbour team, nobody
    ("agent", 7, 13 * HOUR + 30 * MINUTE, 13 * HOUR + 30 * MINUTE),  # 12:30, Bob, by a calendar that never closes
    ("closed", 1, 6 * HOUR, 6 * HOUR),  # Wednesday 02:00
    ("agent", 7, 1 * HOUR, 1 * HOUR),  # 08:00
    ("closed", 1, 96 * HOUR, 96 * HOUR),  # 09:00, to Sunday 09:00
    ("closed", 1, 0, 0),
]
# Hours by the calendar, business hours.
FIGURES = {
    "first_reply": (1, 1),
    "first_resolution": (131, 19),
    "full_resolution": (138, 26),
    "next_reply": (17, 17),
    "requester_wait": (18, 18),
    "agent_work": (17 + 50 / 60, 17 + 50 / 60),
    # The bot's, the queue's before Ann, and the half hour before Bob.
    "unassigned": (70 / 60, 70 / 60),
}


@pytest.fixture
def page_settings(settings: Settings, tmp_path: Path) -> Settings:
    return overlaid(settings, tmp_path / "definitions")


@pytest.fixture
def page_catalog(page_settings: Settings) -> Catalog:
    return load_catalog(page_settings)


@pytest.fixture
def filled(page_settings: Settings, page_catalog: Catalog) -> Iterator[Warehouse]:
    """A warehouse after a night with the page's ticket."""
    with open_warehouse(page_settings) as warehouse:
        evolve(warehouse, page_catalog)
        load(warehouse, page_catalog, history())
        yield warehouse


_RECORDS: dict[str, TicketRecord] = {}


@pytest.fixture
def record(engine_url: sa.URL, request: pytest.FixtureRequest, page_catalog: Catalog) -> TicketRecord:
    """What one night of each engine tells; it is read only, so the engine's first test fills a warehouse for all."""
    engine = engine_url.get_backend_name()
    if engine not in _RECORDS:
        _RECORDS[engine] = ticket_record(request.getfixturevalue("filled"), page_catalog, TICKET)
    return _RECORDS[engine]


def test_the_page_prints_what_the_command_prints(record: TicketRecord, page_catalog: Catalog) -> None:
    assert text(record, page_catalog) + "\n" == printed()


def test_every_span_is_that_of_the_hand_reckoning(record: TicketRecord) -> None:
    found = [
        (segment["owner"], rule, segment["calendar_seconds"], segment["business_seconds"])
        for segment, _, rule in by_segment(record)
    ]
    assert found == SPANS


def test_every_figure_is_that_of_the_hand_reckoning_and_tied_to_the_ledger(record: TicketRecord) -> None:
    found = figures(record)
    assert [figure for figure in found if not figure.is_tied] == []
    told = {(figure.name, figure.time): figure.seconds for figure in found}
    wanted = {
        (name, time): round(hours * HOUR)
        for name, both in FIGURES.items()
        for time, hours in zip(("calendar", "business"), both, strict=True)
    }
    assert told == wanted


def test_owners_have_all_the_time_there_is(record: TicketRecord) -> None:
    elapsed = datetime(2026, 4, 12, 7) - datetime(2026, 4, 2, 13)
    assert sum(calendar for calendar, _ in owner_sums(record.segments).values()) == elapsed.total_seconds()


def test_each_span_names_the_events_that_began_it(record: TicketRecord, page_catalog: Catalog) -> None:
    began = [[mark["text"] for mark in span["began_with"]] for span in document(record, page_catalog)["ledger"]]
    assert began[2] == ["priority normal -> high by agent desk:ann"]
    assert began[3] == [
        "agent nobody -> desk:ann by system, automatic",
        "status new -> open by agent desk:ann",
    ]
    assert began[6] == [
        "calendar always",
        "team desk:front -> desk:harbour by agent desk:ann",
        "agent desk:ann -> nobody by agent desk:ann",
    ]


def test_messages_say_what_they_count_as(record: TicketRecord, page_catalog: Catalog) -> None:
    meanings = [message["meaning"] for message in document(record, page_catalog)["messages"]]
    assert meanings == [
        "begins turn 1",
        "nothing: a bot wrote it",
        "nothing: a private note",
        "reply: answers turn 1",
        "begins turn 2",
        "waits already: no new turn",
        "reply: answers turn 2",
        "begins turn 3",
        "reply: answers turn 3",
    ]


def test_calendars_say_who_made_the_ticket_follow_them(record: TicketRecord) -> None:
    told = [(row["valid_from"], row["calendar_id"], row["dimension"], row["value"]) for row in record.calendars]
    assert told == [
        (datetime(2026, 4, 2, 13), "office", "default", ""),
        (datetime(2026, 4, 7, 10), "always", "team", "desk:harbour"),
    ]


def test_targets_are_those_of_the_hand_reckoning(record: TicketRecord) -> None:
    found = {
        (row["metric"], row["turn_number"]): (row["elapsed_seconds"] / HOUR, row["state"], row["breached_at"])
        for row in record.targets
    }
    assert found == {
        ("first_reply", 1): (1, "met", None),
        # Two hours of the office until noon, six of the harbour team: 18:00 in Berlin.
        ("next_reply", 2): (16, "breached", datetime(2026, 4, 7, 16)),
        ("next_reply", 3): (1, "met", None),
        # 3 h 30 min until Bob takes it at 12:30, then 12 h 30 min: 01:00 in Berlin.
        ("resolution", 0): (18, "breached", datetime(2026, 4, 7, 23)),
    }


def test_a_calendar_that_the_ticket_names_is_told_apart(page_settings: Settings, page_catalog: Catalog) -> None:
    told = history()
    named = {"occurred_at": told["ticket"]["created_at"], "event_type": "calendar", "value": "always"}
    with open_warehouse(page_settings) as warehouse:
        evolve(warehouse, page_catalog)
        load(warehouse, page_catalog, {**told, "events": [*told["events"], named]})
        record = ticket_record(warehouse, page_catalog, TICKET)
    assert {(row["calendar_id"], row["dimension"]) for row in record.calendars} == {("always", "ticket")}
    assert "the ticket's own events name it" in text(record, page_catalog)


def test_a_span_that_lasts_is_told_up_to_the_run(page_settings: Settings, page_catalog: Catalog) -> None:
    """Cut on Thursday at 16:00, when Ann asked; as of Tuesday 09:30: an hour on Thursday, half an hour on Tuesday."""
    told = history()
    ticket = {**told["ticket"], "status": "pending", "team_id": "desk:front"}
    as_of = datetime(2026, 4, 7, 7, 30)
    with open_warehouse(page_settings) as warehouse:
        evolve(warehouse, page_catalog)
        load(warehouse, page_catalog, {"ticket": ticket, "events": told["events"][:8]}, as_of)
        record = ticket_record(warehouse, page_catalog, TICKET)
    last = document(record, page_catalog)["ledger"][-1]
    since = as_of - datetime(2026, 4, 2, 14)
    assert last["ended_at"] is None and last["owner"] == "customer" and last["calendar_seconds"] is None
    assert last["so_far"] == {"calendar_seconds": since.total_seconds(), "business_seconds": 90 * MINUTE}
    assert "still, so far        customer" in text(record, page_catalog)
    assert all(figure.is_tied for figure in figures(record)) and len(figures(record)) >= 6


def test_the_rule_is_the_one_that_the_definitions_number(page_settings: Settings, page_catalog: Catalog) -> None:
    """Other rules, other numbers, the same owners apart from the one that asks for a team."""
    rules = [
        {"owner": "third_party", "team": ["desk:harbour"], "status": ["open"]},
        {"owner": "closed", "status": ["solved", "closed", "deleted"]},
        {"owner": "agent"},
    ]
    ledger = Ledger.model_validate({"id": "ledger", "rules": rules})
    catalog = replace(page_catalog, ledger={"ledger": ledger})
    with open_warehouse(page_settings) as warehouse:
        evolve(warehouse, catalog)
        load(warehouse, catalog, history())
        told = by_segment(ticket_record(warehouse, catalog, TICKET))
        renamed = by_segment(ticket_record(warehouse, page_catalog, TICKET))
    booked = [(segment["owner"], rule) for segment, _, rule in told]
    assert booked[:6] == [("agent", 3)] * 6
    assert booked[6:9] == [("third_party", 1), ("third_party", 1), ("closed", 2)]
    # The rules that are asked, not those of the night, give the numbers: they say what would be booked now.
    assert [rule for _, _, rule in renamed] == [rule for _, rule, _, _ in SPANS]


def test_two_bots_and_agents_at_one_instant_are_all_told(page_settings: Settings, page_catalog: Catalog) -> None:
    told = history()
    at = {"occurred_at": datetime(2026, 4, 2, 13, 50), "event_type": "reply", "is_public": True, "sequence_number": 6}
    more = [
        {**at, "event_id": "a", "actor_kind": "system", "is_automatic": True},
        {**at, "event_id": "b", "actor_kind": "bot"},
        {**at, "event_id": "c", "actor_kind": "agent", "actor_id": "desk:ann"},
        {**at, "event_id": "d", "actor_kind": "agent", "actor_id": "desk:ann"},
    ]
    with open_warehouse(page_settings) as warehouse:
        evolve(warehouse, page_catalog)
        load(warehouse, page_catalog, {**told, "events": [*told["events"], *more]})
        record = ticket_record(warehouse, page_catalog, TICKET)
    found = {m["event_id"]: (m["kind"], m["actor_kind"]) for m in record.messages if m["sent_at"] == at["occurred_at"]}
    assert found["a"] == ("automatic", "system") and found["b"] == ("automatic", "bot")
    assert found["c"] == found["d"] == ("reply", "agent")
    assert len(record.messages) == 9 + 4


def test_every_query_of_the_page_gives_rows(filled: Warehouse) -> None:
    queries = blocks("sql")
    assert len(queries) == 4
    found = [filled.rows(query) for query in queries]
    hours = {(row["team_id"], row["owner"]): float(row["business_hours"]) for row in found[0]}
    assert hours["desk:harbour", "agent"] == pytest.approx(14.5)
    assert hours["desk:front", "customer"] == pytest.approx(2)
    assert [(row["from_team_id"], row["to_team_id"], float(row["answered_after_hours"])) for row in found[1]] == [
        ("desk:front", "desk:harbour", 14)
    ]
    beyond = {row["metric"]: (row["ended_count"], row["met_count"], row["worst_seconds_beyond"]) for row in found[2]}
    assert beyond["next_reply"] == (2, 1, 8 * HOUR) and beyond["resolution"] == (1, 0, 2 * HOUR)
    assert [(row["team_id"], row["open_count"]) for row in found[3]] == [("desk:harbour", 1)]


@pytest.mark.parametrize(
    ("asked", "next_step"),
    [
        ("chat:4711", "did you mean desk:4711?"),
        ("4711", "did you mean desk:4711?"),
        ("desk:1", "keys look like desk:4711"),
        ("'; DROP TABLE core.tickets; --", "keys look like desk:4711"),
    ],
)
def test_an_unknown_ticket_says_what_is_near(
    filled: Warehouse, page_catalog: Catalog, asked: str, next_step: str
) -> None:
    with pytest.raises(HanseiError) as refused:
        ticket_record(filled, page_catalog, asked)
    assert str(refused.value).startswith(f"ticket {asked!r}: is not known: {next_step}")
    assert ticket_record(filled, page_catalog, TICKET).ticket["ticket_id"] == TICKET


def test_before_any_night_the_next_step_is_one(warehouse: Warehouse, catalog: Catalog) -> None:
    with pytest.raises(HanseiError, match="run a night first"):
        ticket_record(warehouse, catalog, TICKET)


@pytest.fixture
def shell(page_settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HANSEI_DEFINITIONS", str(tmp_path / "definitions"))
    monkeypatch.setenv("HANSEI_HOME", str(page_settings.home))
    monkeypatch.setenv("HANSEI_WAREHOUSE", page_settings.warehouse_url)


def test_the_command_prints_the_page_and_a_document(
    shell: None, page_settings: Settings, page_catalog: Catalog
) -> None:
    with open_warehouse(page_settings) as warehouse:
        evolve(warehouse, page_catalog)
        load(warehouse, page_catalog, history())
        before = warehouse.rows("SELECT * FROM ops.model_states ORDER BY model")
    plain = CliRunner().invoke(cli.app, ["ticket", "explain", TICKET], catch_exceptions=False)
    assert plain.output == printed()
    answer = CliRunner().invoke(cli.app, ["ticket", "explain", TICKET, "--json"], catch_exceptions=False)
    told = json.loads(answer.output)
    assert set(told) == {
        "ticket",
        "as_of",
        "reporting_zone",
        "calendars",
        "rules",
        "ledger",
        "messages",
        "turns",
        "handoffs",
        "owner_sums",
        "figures",
        "targets",
    }
    assert told["as_of"] == str(AS_OF) and told["reporting_zone"] == "Europe/Berlin"
    assert [(span["owner"], span["rule"]) for span in told["ledger"]] == [span[:2] for span in SPANS]
    assert set(told["ledger"][0]) == {
        "segment_number",
        "started_at",
        "ended_at",
        "owner",
        "status",
        "team_id",
        "assignee_id",
        "calendar_seconds",
        "business_seconds",
        "calendar_seconds_before",
        "business_seconds_before",
        "so_far",
        "rule",
        "began_with",
    }
    with open_warehouse(page_settings) as warehouse:
        assert warehouse.rows("SELECT * FROM ops.model_states ORDER BY model") == before


def test_the_page_tells_the_shipped_rules(catalog: Catalog) -> None:
    from support.worked_ticket import PAGE

    from hansei.cli.ticket_text import rule_text

    page = PAGE.read_text(encoding="utf-8")
    rules = catalog.ledger["ledger"].rules
    assert len(rules) == 7
    for number, rule in enumerate(rules, 1):
        assert f"| {number} | `{rule.owner}` | {rule_text(rule)} |" in page
    assert timedelta(0) < AS_OF - datetime(2026, 4, 12)
