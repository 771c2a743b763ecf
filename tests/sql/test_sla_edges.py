"""Clocks that stop, pause, go on and change their target: one desk, one night, each ticket reckoned by hand.

The office is open from Monday to Friday, 9 to 17 UTC; the early team from 6 to 14. 17 March 2025 is a Monday.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sql.test_sla import Desk, event, policy, reply, status_events, ticket, write
from support.oracle_schedules import write_calendar

from hansei.catalog import load_catalog
from hansei.settings import load_settings
from hansei.warehouse import open_warehouse
from hansei.warehouse.tables import evolve

HOUR = 3600
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
KEYS = {"HANSEI_IDENTITY_KEY": "k" * 40, "HANSEI_QUARANTINE_KEY": "cXVhcmFudGluZS1rZXktb2YtdGhlLXRlc3RzLTMyYnk="}
MON, TUE, WED, THU = "2025-03-17", "2025-03-18", "2025-03-19", "2025-03-20"


def calendar(name: str, hours: str) -> dict[str, Any]:
    return {"id": name, "name": name, "zone": "UTC", "hours": {day: [hours] for day in WEEKDAYS}}


STANDARD = {
    **policy("standard", {}, brand=["own"]),
    "versions": [
        {
            "valid_from": "2020-01-01",
            "metrics": {
                "first_reply": {"target": {"normal": "4h", "*": "6h"}},
                "next_reply": {"target": "4h"},
                "resolution": {"target": "16h"},
                "periodic_update": {"target": "24h", "time": "calendar"},
            },
        },
        {"valid_from": THU, "metrics": {"first_reply": {"target": "2h"}}},
    ],
}
POLICIES = [
    STANDARD,
    policy("urgent", {"first_reply": {"target": "1h"}}, precedence=10, brand=["own"], priority=["urgent"]),
    policy(
        "pausing", {"first_reply": {"target": "2h", "clock": ["queue", "agent"]}}, precedence=101, brand=["pausing"]
    ),
    policy("nights", {"resolution": {"target": "20h", "calendar": "always"}}, precedence=102, brand=["nights"]),
    policy("tiered", {"first_reply": {"target": "30m"}}, precedence=5, account_tier=["gold"]),
    policy("teams", {"first_reply": {"target": "4h"}}, precedence=103, team=["desk:early", "desk:late"]),
]


def case(
    name: str, created: str, *events: dict[str, Any], status: str = "open", **more: Any
) -> tuple[dict, list[dict]]:
    own = {"brand": "own", "priority": "normal", **more}
    return ticket(name, created, status, **own), list(events)


def statuses(name: str, *history: tuple[str, str]) -> list[dict[str, Any]]:
    return status_events(name, [(at, word) for at, word in history])


CASES = [
    case(
        "t:reopened",
        f"{MON} 09:00",
        *statuses("t:reopened", (f"{MON} 12:00", "solved"), (f"{TUE} 09:00", "open"), (f"{TUE} 16:00", "solved")),
        status="solved",
    ),
    case("t:unanswered", f"{MON} 10:00", *statuses("t:unanswered", (f"{MON} 11:00", "solved")), status="solved"),
    case(
        "t:written_while_closed",
        f"{MON} 09:00",
        reply("t:written_while_closed", f"{MON} 09:30"),
        *statuses("t:written_while_closed", (f"{MON} 10:00", "solved"), (f"{MON} 13:00", "open")),
        reply("t:written_while_closed", f"{MON} 12:00", "customer"),
        reply("t:written_while_closed", f"{MON} 14:00"),
    ),
    case(
        "t:thanks",
        f"{MON} 09:00",
        reply("t:thanks", f"{MON} 09:30"),
        *statuses("t:thanks", (f"{MON} 10:00", "solved"), (f"{WED} 10:00", "closed")),
        reply("t:thanks", f"{MON} 12:00", "customer"),
        status="closed",
    ),
    case(
        "t:raised",
        f"{MON} 09:00",
        event("t:raised", f"{MON} 11:00", "priority", "urgent", previous_value="normal"),
        reply("t:raised", f"{MON} 12:30"),
        priority="urgent",
    ),
    case(
        "t:raised_too_late",
        f"{MON} 09:00",
        reply("t:raised_too_late", f"{MON} 12:30"),
        event("t:raised_too_late", f"{MON} 15:00", "priority", "urgent", previous_value="normal"),
        priority="urgent",
    ),
    case("t:before_the_version", f"{WED} 10:00", reply("t:before_the_version", f"{THU} 11:00")),
    case("t:after_the_version", f"{THU} 10:00", reply("t:after_the_version", f"{THU} 11:00")),
    case("t:no_priority", f"{MON} 09:00", reply("t:no_priority", f"{MON} 10:00"), priority=None),
    case("t:at_closing_time", f"{MON} 13:00", reply("t:at_closing_time", f"{TUE} 09:00")),
    case("t:a_second_more", f"{MON} 13:00", reply("t:a_second_more", f"{TUE} 09:00:01")),
    case("t:paused", f"{MON} 09:00", *statuses("t:paused", (f"{MON} 11:00", "pending")), status="pending"),
    case(
        "t:updates",
        f"{MON} 09:00",
        reply("t:updates", f"{MON} 10:00"),
        reply("t:updates", f"{TUE} 12:00"),
    ),
    case(
        "t:pausing",
        f"{MON} 09:00",
        *statuses("t:pausing", (f"{MON} 10:00", "pending"), (f"{MON} 12:00", "open")),
        reply("t:pausing", f"{MON} 13:30"),
        brand="pausing",
    ),
    case(
        "t:nights",
        f"{MON} 16:00",
        *statuses("t:nights", (f"{MON} 20:00", "pending"), (f"{TUE} 06:00", "open"), (f"{WED} 06:00", "solved")),
        status="solved",
        brand="nights",
    ),
    case(
        "t:two_calendars",
        f"{MON} 12:00",
        event("t:two_calendars", f"{MON} 16:00", "team", "desk:late", previous_value="desk:early"),
        reply("t:two_calendars", f"{TUE} 11:00"),
        brand="other",
        team_id="desk:late",
    ),
    case("t:of_the_source", f"{MON} 09:00", reply("t:of_the_source", f"{MON} 12:00"), brand="foreign"),
    case("t:taken_away", f"{MON} 09:00", reply("t:taken_away", f"{MON} 12:00"), brand="foreign"),
    case("t:gold", f"{MON} 09:00", reply("t:gold", f"{MON} 09:30"), account_id="crm:gold"),
]


def target(number: int, key: str, at: str, seconds: int | None) -> dict[str, Any]:
    own = {"sla_target_id": f"desk:{number}", "ticket_id": key, "metric": "first_reply", "policy": "theirs"}
    return {**own, "applied_at": datetime.fromisoformat(at), "target_seconds": seconds, "is_business_time": True}


TARGETS = [
    target(1, "t:of_the_source", f"{MON} 09:00:03", 2 * HOUR),
    target(2, "t:of_the_source", f"{MON} 14:00", HOUR),
    target(3, "t:taken_away", f"{MON} 09:00", 2 * HOUR),
    target(4, "t:taken_away", f"{MON} 11:00", None),
    target(5, "t:reopened", f"{MON} 09:00", HOUR),
]


@pytest.fixture(scope="module")
def desk(module_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("agreements")
    overlay = home / "definitions"
    for hours in (calendar("office", "09:00-17:00"), calendar("early", "06:00-14:00")):
        write_calendar(overlay, hours)
    for definition in POLICIES:
        write(overlay / "sla" / f"{definition['id']}.yaml", definition)
    assignments = [{"team": "desk:early", "calendar": "early"}]
    service = {"id": "service", "name": "Service", "reporting_zone": "UTC", "calendar": "office"}
    write(overlay / "service.yaml", {**service, "calendar_assignments": assignments})
    url = module_url.render_as_string(hide_password=False)
    settings = load_settings({"HANSEI_HOME": str(home), "HANSEI_WAREHOUSE": url, **KEYS})
    catalog = load_catalog(replace(settings, overlays=(overlay,)))
    with open_warehouse(settings) as warehouse:
        evolve(warehouse, catalog)
        opened = Desk(warehouse, catalog)
        opened.night(
            accounts=[{"account_id": "crm:gold", "name": "Gold", "tier": "gold"}],
            tickets=[row for row, _ in CASES],
            ticket_events=[row for _, rows in CASES for row in rows],
            sla_targets=TARGETS,
        )
        opened.as_of(datetime.fromisoformat(f"{TUE} 15:00"))
        yield opened


def one(desk: Desk, key: str, metric: str, turn: int | None = None) -> dict[str, Any]:
    rows = [row for row in desk.clocks(key) if row["metric"] == metric and turn in (None, row["turn_number"])]
    assert len(rows) == 1, (key, metric, rows)
    return rows[0]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_reopening_continues_the_clock(desk: Desk) -> None:
    clock = one(desk, "t:reopened", "resolution")
    assert (clock["state"], clock["elapsed_seconds"], clock["ended_by"]) == ("met", 10 * HOUR, "closing")
    # Six hours were left at Tuesday 16:00: one on Tuesday, five on Wednesday.
    assert (clock["ended_at"], clock["due_at"]) == (at(f"{TUE} 16:00"), at(f"{WED} 14:00"))


def test_closing_stops_what_waits_for_a_reply(desk: Desk) -> None:
    clock = one(desk, "t:unanswered", "first_reply")
    assert (clock["state"], clock["elapsed_seconds"], clock["ended_by"]) == ("met", HOUR, "closing")


def test_a_message_to_a_closed_ticket_waits_from_the_reopening_on(desk: Desk) -> None:
    clock = one(desk, "t:written_while_closed", "next_reply")
    assert (clock["started_at"], clock["ended_at"]) == (at(f"{MON} 13:00"), at(f"{MON} 14:00"))
    assert (clock["elapsed_seconds"], clock["ended_by"], clock["applied_by"]) == (HOUR, "reply", "turn")
    assert [row["metric"] for row in desk.clocks("t:thanks") if row["metric"] == "next_reply"] == []


def test_the_target_in_force_when_the_clock_stops_applies(desk: Desk) -> None:
    clock = one(desk, "t:raised", "first_reply")
    assert (clock["policy_id"], clock["target_seconds"], clock["applied_by"]) == ("urgent", HOUR, "priority")
    assert (clock["state"], clock["elapsed_seconds"]) == ("breached", 3.5 * HOUR)
    assert (clock["applied_at"], clock["breached_at"]) == (at(f"{MON} 11:00"), at(f"{MON} 10:00"))
    clock = one(desk, "t:raised_too_late", "first_reply")
    assert (clock["policy_id"], clock["target_seconds"], clock["state"]) == ("standard", 4 * HOUR, "met")
    assert clock["priority"] == "normal"


def test_a_version_applies_to_what_begins_with_it(desk: Desk) -> None:
    before, after = (one(desk, f"t:{name}_the_version", "first_reply") for name in ("before", "after"))
    assert (before["target_seconds"], before["elapsed_seconds"], before["state"]) == (4 * HOUR, 9 * HOUR, "breached")
    assert (after["target_seconds"], str(after["policy_version"]), after["state"]) == (2 * HOUR, THU, "met")
    assert one(desk, "t:no_priority", "first_reply")["target_seconds"] == 6 * HOUR


def test_breach_is_elapsed_time_and_never_the_wall_clock_against_the_due_time(desk: Desk) -> None:
    """Due at closing time, answered at the next opening: no second was lost. One second later one was."""
    kept, broken = (one(desk, f"t:{name}", "first_reply") for name in ("at_closing_time", "a_second_more"))
    assert kept["due_at"] == broken["due_at"] == at(f"{MON} 17:00")
    assert (kept["state"], kept["elapsed_seconds"], kept["remaining_seconds"]) == ("met", 4 * HOUR, 0)
    assert (broken["state"], broken["elapsed_seconds"]) == ("breached", 4 * HOUR + 1)
    assert broken["breached_at"] == at(f"{TUE} 09:00")


def test_what_has_not_ended_is_told_as_of_the_run_and_stored_without_it(desk: Desk) -> None:
    paused = one(desk, "t:paused", "resolution")
    assert (paused["state"], paused["elapsed_seconds"], paused["due_at"]) == ("paused", 2 * HOUR, None)
    late = one(desk, "t:paused", "first_reply")
    # 8 hours on Monday and 6 on Tuesday; 4 are allowed.
    assert (late["state"], late["is_breached"], late["elapsed_seconds"]) == ("running_late", True, 14 * HOUR)
    assert late["breached_at"] == at(f"{MON} 13:00")
    [stored] = [row for row in desk.clocks("t:paused", "core.ticket_sla_targets") if row["metric"] == "first_reply"]
    assert (stored["state"], stored["elapsed_seconds"], stored["breached_at"]) == ("running", 0, None)
    assert (stored["due_at"], stored["late_at"]) == (at(f"{MON} 13:00"), at(f"{MON} 13:00"))


def test_updates_are_due_from_one_message_of_an_agent_to_the_next(desk: Desk) -> None:
    first, second = (one(desk, "t:updates", "periodic_update", turn) for turn in (1, 2))
    assert (first["state"], first["elapsed_seconds"]) == ("breached", 26 * HOUR)
    assert first["breached_at"] == at(f"{TUE} 10:00")
    assert (second["state"], second["elapsed_seconds"], second["due_at"]) == ("running", 3 * HOUR, at(f"{WED} 12:00"))


def test_a_clock_for_a_reply_can_pause_with_owners_of_its_own(desk: Desk) -> None:
    clock = one(desk, "t:pausing", "first_reply")
    assert (clock["state"], clock["elapsed_seconds"]) == ("breached", 2.5 * HOUR)
    assert clock["due_at"] == clock["breached_at"] == at(f"{MON} 13:00")


def test_a_policy_can_name_its_calendar(desk: Desk) -> None:
    """4 hours on Monday and 24 from Tuesday 6:00 on, nights included; the ticket's own office is closed by then."""
    clock = one(desk, "t:nights", "resolution")
    assert (clock["calendar_id"], clock["elapsed_seconds"], clock["state"]) == ("always", 28 * HOUR, "breached")
    assert clock["due_at"] == clock["breached_at"] == at(f"{TUE} 22:00")


def test_due_and_breach_follow_the_calendars_that_the_ticket_followed(desk: Desk) -> None:
    """2 hours of the early team, closed until the other has it at 16:00, an hour until 17:00, an hour on Tuesday."""
    clock = one(desk, "t:two_calendars", "first_reply")
    assert (clock["policy_id"], clock["elapsed_seconds"], clock["state"]) == ("teams", 5 * HOUR, "breached")
    assert clock["due_at"] == clock["breached_at"] == at(f"{TUE} 10:00")
    assert (clock["applied_by"], clock["team_id"]) == ("creation", "desk:late")


def test_targets_of_the_source_apply_where_no_policy_of_ours_does(desk: Desk) -> None:
    clock = one(desk, "t:of_the_source", "first_reply")
    assert (clock["policy_id"], clock["applied_by"]) == ("source:theirs", "source")
    assert (clock["target_seconds"], clock["elapsed_seconds"], clock["state"]) == (2 * HOUR, 3 * HOUR, "breached")
    assert desk.clocks("t:taken_away") == []
    assert one(desk, "t:reopened", "first_reply")["policy_id"] == "standard"


def test_the_policy_of_lowest_precedence_that_fits_applies(desk: Desk) -> None:
    clock = one(desk, "t:gold", "first_reply")
    assert (clock["policy_id"], clock["target_seconds"], clock["state"]) == ("tiered", HOUR / 2, "met")
