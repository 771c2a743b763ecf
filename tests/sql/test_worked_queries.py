"""The worked queries of docs/data_dictionary.md, as they are printed, against the answers by other means.

A small company with nights of its own: topics, a second version of its agreement, tickets that are told below to the
minute, and a calendar that changes before the second and the third night. The other means are the exported records,
plain Python over other tables than the query reads, and what was noted after each night.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, pairwise
from statistics import mean, median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from support.small_company import AGREEMENT, CALENDAR, DAYS, NIGHTS, SERVICE, Company, Exports, exports, found_company

from hansei.catalog import Catalog, load_catalog
from hansei.cli.data_dictionary import worked_queries
from hansei.settings import PROJECT_ROOT
from hansei.warehouse import dictionary
from hansei.warehouse.dictionary import ENTRIES

BERLIN = ZoneInfo("Europe/Berlin")
SECOND_VERSION = date(2026, 3, 23)
STRICTER = f"""\
  - valid_from: {SECOND_VERSION}
    metrics:
      first_reply: {{target: {{"*": 2h}}}}
      resolution: {{target: 8h, clock: [queue, agent]}}
"""
HOUR = 3600
# Long enough for a week that is immature on two nights running.
REPEATED_WITHIN = timedelta(days=10)
FOREVER = datetime(2070, 1, 1)
UNFINISHED = ("incomplete", "immature")
Row = dict[str, Any]
Values = dict[tuple[str, date], Row]


@dataclass(frozen=True)
class Warehouse:
    """The company after its nights, what it had exported, and its weekly values as noted after each."""

    company: Company
    exported: Exports
    noted: list[Values]

    def ask(self, number: int) -> list[Row]:
        """Rows of a worked query, just as it is printed."""
        return self.company.rows(worked_queries(PROJECT_ROOT / "include")[number - 1].sql)

    @property
    def catalog(self) -> Catalog:
        return load_catalog(self.company.settings)


@pytest.fixture(scope="module")
def filled(module_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    home = tmp_path_factory.mktemp("company")
    company = found_company(home, module_url.render_as_string(hide_password=False))
    company.with_source(
        "desk",
        lambda text: text.replace(
            "channel: {path: channel}", "channel: {path: channel}\n      topic: {path: topic, missing: ['']}"
        ),
    )
    (home / "definitions" / "sla" / "standard.yaml").write_text(AGREEMENT + STRICTER)
    (home / "definitions" / "service.yaml").write_text(SERVICE + f"repeat_window: {REPEATED_WITHIN.days}d\n")
    exported = with_comments(with_told_tickets(with_topics(exports())))
    exported.write(company.inbox)
    company.night(1)
    noted = [weekly_values(company)]
    for night, hours in ((2, "11:00-19:00"), (3, "12:00-19:00")):
        calendar = CALENDAR.replace("09:00-19:00", hours)
        assert calendar != CALENDAR
        (home / "definitions" / "calendars" / "office.yaml").write_text(calendar)
        company.night(night)
        noted.append(weekly_values(company))
    return Warehouse(company, exported, noted)


def with_topics(exported: Exports) -> Exports:
    for name, rows in exported.files.items():
        if name.startswith("tickets-"):
            for row in rows:
                row["topic"] = ("billing", "login", "")[int(row["id"][1:]) % 3]
    return exported


# What unhappy customers write by turns, and what a reader says that it is about.
COMPLAINTS = {
    "We waited too long.": {"waiting"},
    "The bot is slow.": {"bot", "waiting"},
    "机器人答非所问": {"bot", "not_solved"},
    "Pity.": {"none"},
}


def with_comments(exported: Exports) -> Exports:
    low = [row for name, rows in exported.files.items() if "survey" in name for row in rows if row["score"] <= 2]
    for row, comment in zip(low, cycle(COMPLAINTS), strict=False):
        row["comment"] = comment
    return exported


def with_told_tickets(exported: Exports) -> Exports:
    """Tickets of Monday 16 March, 9:00 in Berlin, when the desk is open until 17:00.

    H1 goes from G7 to G8 at 10:00, back at 12:00, and is answered at 13:00. H2 goes from G7 to G8 at 11:00 and is not
    answered. H3 goes from G8 to G9 at 10:30 and is answered at 11:00. H4 and H5 are solved with one answer, for
    customers who never come back.
    """
    steps = {
        "H0001": ("C95", "routing", [("09:00", "G7"), ("10:00", "G8"), ("12:00", "G7"), ("13:00", "reply")]),
        "H0002": ("C96", "routing", [("09:00", "G7"), ("11:00", "G8")]),
        "H0003": ("C97", "routing", [("09:00", "G8"), ("10:30", "G9"), ("11:00", "reply")]),
        "H0004": ("C98", "billing", [("09:00", "G9"), ("10:00", "reply"), ("10:30", "solved")]),
        "H0005": ("C99", "login", [("09:00", "G9"), ("10:00", "reply"), ("10:30", "solved")]),
    }
    tickets, events = exported.files[f"tickets-{DAYS[0]}.csv.gz"], exported.files[f"events-{DAYS[0]}.jsonl"]
    for ticket, (requester, topic, told) in steps.items():
        words = [word for _, word in told]
        team = [word for word in words if word.startswith("G")][-1]
        own = {"id": ticket, "status": "solved" if "solved" in words else "open", "group": team, "assignee": ""}
        times = {"created_at": utc(told[0][0]), "updated_at": utc(told[-1][0])}
        about = {"requester": requester, "sla_met": "", "channel": "mail", "topic": topic}
        tickets.append(tickets[0] | own | times | about)
        for number, (clock, word) in enumerate(told):
            kind = {"reply": "reply", "solved": "status"}.get(word, "team")
            said = {"holder": word if kind == "team" else None, "value": word if kind == "status" else None}
            event = {"id": f"{ticket}-{number}", "ticket": ticket, "at": utc(clock), "number": number, "type": kind}
            events.append(events[0] | event | said | {"role": "agent"})
    return exported


def utc(clock: str) -> str:
    local = datetime.fromisoformat(f"2026-03-16T{clock}").replace(tzinfo=BERLIN)
    return local.astimezone(ZoneInfo("UTC")).replace(tzinfo=None).isoformat() + "Z"


def weekly_values(company: Company) -> Values:
    rows = company.rows("SELECT * FROM indicators.indicator_values WHERE grain = 'week' AND segment_id = 'all'")
    return {(row["indicator"], row["period_start"]): row for row in rows}


@dataclass
class Told:
    """One ticket as the exported files tell it, events in order."""

    ticket_id: str
    row: Row
    created: datetime
    events: list[tuple[datetime, str, str | None]]

    def last(self, kind: str, until: datetime = FOREVER) -> str | None:
        found = [value for at, event, value in self.events if event == kind and at <= until]
        return found[-1] if found else None

    @property
    def solutions(self) -> list[datetime]:
        """Instants at which it became solved and was not."""
        found, status = [], "new"
        for at, event, value in self.events:
            if event == "status":
                if value == "solved" != status:
                    found.append(at)
                status = value
        return found

    @property
    def solved_at(self) -> datetime | None:
        """Last solution, None while it is open again."""
        return self.solutions[-1] if self.last("status") == "solved" else None

    @property
    def is_reopened(self) -> bool:
        solved = self.solutions
        return (
            any(event == "status" and value == "open" and at >= solved[0] for at, event, value in self.events)
            if solved
            else False
        )

    @property
    def moves(self) -> list[tuple[str, str]]:
        teams = [value for _, event, value in self.events if event == "team"]
        return [(one, other) for one, other in pairwise(teams) if one != other]


def told_tickets(exported: Exports) -> list[Told]:
    """Every ticket of the files that the last night has read, the bad row and what it spoiled left out."""
    rows: dict[str, Row] = {}
    events: dict[str, Row] = {}
    for name, records in exported.files.items():
        if name.startswith("tickets-"):
            good = (record for record in records if record["status"] != "wobbling")
            for record in good:
                if record["id"] not in rows or rows[record["id"]]["updated_at"] <= record["updated_at"]:
                    rows[record["id"]] = record
        elif name.startswith("events-"):
            events |= {record["id"]: record for record in records}
    found = []
    for ticket, row in sorted(rows.items()):
        created = instant(row["created_at"])
        own = sorted(
            (event for event in events.values() if event["ticket"] == ticket),
            key=lambda event: (event["at"], event["number"]),
        )
        history = [
            (max(instant(event["at"]), created), event["type"], event["holder"] or event["value"]) for event in own
        ]
        found.append(Told(ticket, row, created, history))
    return found


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z"))


def local_day(at: datetime) -> date:
    return at.replace(tzinfo=ZoneInfo("UTC")).astimezone(BERLIN).date()


def test_the_tickets_behind_a_figure_are_those_that_were_solved(filled: Warehouse) -> None:
    week = date(2026, 3, 23)
    expected = {
        f"desk:{ticket.ticket_id}": ticket.is_reopened
        for ticket in told_tickets(filled.exported)
        if ticket.solutions and week <= local_day(ticket.solutions[0]) < week + timedelta(days=7)
    }
    rows = filled.ask(1)
    assert {row["period_start"] for row in rows} == {week}
    assert {row["ticket_id"]: row["is_in_numerator"] for row in rows} == expected
    assert {(row["numerator"], row["denominator"]) for row in rows} == {(sum(expected.values()), len(expected))}
    assert len(rows) == len(expected) > 30
    assert 0 < sum(expected.values()) < len(expected)


def test_team_by_channel_is_what_counting_tickets_gives(filled: Warehouse) -> None:
    """The query sums stored weeks; here the tickets of the same weeks are counted one by one."""
    cells: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for ticket in filled.company.rows("SELECT * FROM core.tickets WHERE first_solved_date < '2026-03-30'"):
        cells[ticket["channel"], ticket["solved_team_id"]].append(ticket["reopen_count"] > 0)
    rows = filled.ask(2)
    assert {(row["channel"], row["team_id"]): (row["reopened_count"], row["solved_count"]) for row in rows} == {
        cell: (sum(found), len(found)) for cell, found in cells.items()
    }
    assert len(rows) >= 9
    assert all(row["reopen_ratio"] == pytest.approx(row["reopened_count"] / row["solved_count"]) for row in rows)
    assert [row["reopen_ratio"] for row in rows] == sorted((row["reopen_ratio"] for row in rows), reverse=True)
    assert {row["label"] for row in rows} == {f"{channel}, {team}" for channel, team in cells}
    assert all(row["has_enough_data"] == (row["solved_count"] >= 30) for row in rows)


def test_the_time_of_the_slowest_is_what_their_sums_say(filled: Warehouse) -> None:
    """The query adds up spans of the ledger; the sums per owner in core.tickets were made apart from it."""
    tickets = filled.company.rows("SELECT * FROM core.tickets WHERE solved_at IS NOT NULL")
    newest = max(ticket["solved_date"] for ticket in tickets)
    tickets = [ticket for ticket in tickets if (newest - ticket["solved_date"]).days < 28]
    tickets.sort(key=lambda ticket: (-ticket["full_resolution_calendar_seconds"], ticket["ticket_id"]))
    slowest = tickets[: len(tickets) // 10]
    assert len(slowest) > 10
    expected = {}
    for time in ("calendar", "business"):
        owners = {owner: sum(ticket[f"{owner}_{time}_seconds"] for ticket in slowest) for owner in ("queue", "agent")}
        whole = sum(ticket[f"full_resolution_{time}_seconds"] for ticket in slowest)
        expected[time] = owners | {"closed": whole - sum(owners.values())}
    rows = {row["owner"]: row for row in filled.ask(3)}
    for time, owners in expected.items():
        assert {owner: row[f"{time}_hours"] for owner, row in rows.items()} == pytest.approx(
            {owner: seconds / HOUR for owner, seconds in owners.items()}
        )
    assert sum(row["calendar_ratio"] for row in rows.values()) == pytest.approx(1)
    whole = sum(expected["calendar"].values())
    assert rows["queue"]["calendar_ratio"] == pytest.approx(expected["calendar"]["queue"] / whole)
    assert rows["queue"]["ticket_count"] == len(slowest)


def test_the_handoff_map_counts_every_move(filled: Warehouse) -> None:
    moves = Counter(
        (f"desk:{one}", f"desk:{other}") for ticket in told_tickets(filled.exported) for one, other in ticket.moves
    )
    rows = {(row["from_team_id"], row["to_team_id"]): row for row in filled.ask(4)}
    assert {route: row["handoff_count"] for route, row in rows.items()} == moves
    assert sum(moves.values()) > 30


def test_the_handoff_map_tells_the_waits_of_the_tickets_that_were_made_for_it(filled: Warehouse) -> None:
    found = {
        (row["from_team_id"], row["to_team_id"]): (
            row["handoff_count"],
            row["return_count"],
            row["mean_held_before_business_hours"],
            row["replied_count"],
            row["mean_reply_after_business_hours"],
        )
        for row in filled.ask(4)
    }
    assert found["desk:G7", "desk:G8"] == (2, 0, pytest.approx((1 + 2) / 2), 1, pytest.approx(3))
    assert found["desk:G8", "desk:G7"] == (1, 1, pytest.approx(2), 1, pytest.approx(1))
    assert found["desk:G8", "desk:G9"] == (1, 0, pytest.approx(1.5), 1, pytest.approx(0.5))


def test_sla_breaches_are_times_beyond_the_version_that_applied(filled: Warehouse) -> None:
    """The times are those of core.tickets, the targets are typed in here."""
    targets = {False: {"first_reply": 4, "resolution": 16}, True: {"first_reply": 2, "resolution": 8}}
    excesses: dict[tuple[date, str], list[float]] = defaultdict(list)
    for ticket in filled.company.rows("SELECT * FROM core.tickets"):
        is_new = ticket["created_date"] >= SECOND_VERSION
        version = SECOND_VERSION if is_new else date(2025, 1, 1)
        times = {"first_reply": ticket["first_reply_business_seconds"]}
        if ticket["solved_at"] is not None:
            times["resolution"] = ticket["queue_business_seconds"] + ticket["agent_business_seconds"]
        for metric, seconds in times.items():
            if seconds is not None:
                excesses[version, metric].append(seconds / HOUR - targets[is_new][metric])
    rows = {(row["policy_version"], row["metric"]): row for row in filled.ask(5)}
    assert rows.keys() == excesses.keys()
    assert len(rows) == 4
    for key, found in excesses.items():
        beyond = [excess for excess in found if excess > 0]
        row = rows[key]
        assert (row["policy_id"], row["applied_by"]) == ("standard", "creation")
        assert (row["judged_count"], row["breached_count"]) == (len(found), len(beyond))
        assert row["breached_ratio"] == pytest.approx(len(beyond) / len(found))
        assert row["median_excess_hours"] == pytest.approx(median(beyond))


def moved(noted: Row, now: Row | None) -> bool:
    """Whether a value that was finished is another one now."""
    if now is None or any(noted[name] != now[name] for name in ("sample_count", "state", "denominator")):
        return True
    values = noted["value"], now["value"]
    return (None in values and values != (None, None)) or (
        None not in values and not math.isclose(*values, rel_tol=1e-9, abs_tol=1e-9)
    )


def finished(values: Values) -> Values:
    return {key: row for key, row in values.items() if row["state"] not in UNFINISHED}


def test_restated_values_lead_from_what_was_noted_to_what_was_noted_next(filled: Warehouse) -> None:
    expected = {}
    for night, (before, after) in zip(NIGHTS[1:], pairwise(filled.noted), strict=True):
        changed = {key: (row, after[key]) for key, row in finished(before).items() if moved(row, after.get(key))}
        expected |= {(night, *key): said for key, said in changed.items()}
    rows = {(row["restated_at"], row["indicator"], row["period_start"]): row for row in filled.ask(6)}
    assert rows.keys() == expected.keys()
    for place, row in rows.items():
        before, after = expected[place]
        assert (row["value_before"], row["sample_count_before"]) == (before["value"], before["sample_count"])
        assert (row["value_after"], row["sample_count_after"]) == (after["value"], after["sample_count"])
        assert (row["state_before"], row["state_after"]) == (before["state"], after["state"])
        assert row["difference"] == pytest.approx(after["value"] - before["value"])
        assert row["said_since"] == before["known_since"]
        assert row["is_newest"] == ((NIGHTS[2], *place[1:]) not in rows or place[0] == NIGHTS[2])
        is_recounted = before["sample_count"] != after["sample_count"]
        # A quotient (weeks_of_work) moves for the reason of its parts.
        assert is_recounted == (row["reason"] == "late_data") or place[1] == "weeks_of_work", place
        counts_time = "business" in place[1] or place[1] in ("sla_attainment", "weeks_of_work")
        assert counts_time or row["reason"] != "calendar", place
    assert {"late_data", "calendar"} <= {row["reason"] for row in rows.values()}
    assert {row["is_newest"] for row in rows.values()} == {True, False}


def test_backlog_age_is_that_of_the_tickets_open_at_the_end_of_the_day(filled: Warehouse) -> None:
    snapshot = datetime(2026, 3, 29, 21, 59, 59)  # a second to midnight in Berlin, by summer time since that morning
    ages: dict[str, list[float]] = defaultdict(list)
    for ticket in told_tickets(filled.exported):
        if ticket.created <= snapshot and ticket.last("status", snapshot) != "solved":
            team = ticket.last("team", snapshot) or ticket.row["group"]  # nobody has said yet who got it first
            ages[f"desk:{team}"].append((snapshot - ticket.created) / timedelta(days=1))
    edges = (("under_1_day", 0, 1), ("from_1_day", 1, 3), ("from_3_days", 3, 7), ("from_7_days", 7, 30))
    rows = {row["team_id"]: row for row in filled.ask(7)}
    assert {row["snapshot_date"] for row in rows.values()} == {date(2026, 3, 29)}
    assert rows.keys() == ages.keys()
    assert {"desk:G0", "desk:G1", "desk:G2", "desk:G8"} <= rows.keys()
    for team, found in ages.items():
        row = rows[team]
        assert row["open_ticket_count"] == len(found)
        for name, low, high in edges:
            assert row[f"{name}_count"] == sum(low <= age < high for age in found), (team, name)
        assert row["from_30_days_count"] == 0
        assert row["mean_age_days"] == pytest.approx(mean(found))
        assert row["oldest_age_days"] == pytest.approx(max(found))


def test_first_contact_by_topic_is_what_the_records_say(filled: Warehouse) -> None:
    tickets = told_tickets(filled.exported)
    expected: dict[str, Counter] = defaultdict(Counter)
    for ticket in tickets:
        solved = ticket.solved_at
        if solved is None or solved + REPEATED_WITHIN > NIGHTS[2]:
            continue
        topic = ticket.row["topic"] or "unknown"
        replies = sum(event == "reply" for _, event, _ in ticket.events)
        is_one = replies == 1 and not ticket.is_reopened and not ticket.moves
        came_back = any(
            other.row["requester"] == ticket.row["requester"]
            and (other.created, other.ticket_id) > (ticket.created, ticket.ticket_id)
            and other.created <= solved + REPEATED_WITHIN
            and "" in (other.row["topic"], ticket.row["topic"], other.row["topic"].replace(ticket.row["topic"], ""))
            for other in tickets
        )
        fate = "several_contacts" if not is_one else "came_back" if came_back else "first_contact"
        expected[topic].update([fate])
    rows = {row["topic"]: row for row in filled.ask(8)}
    assert rows.keys() == expected.keys() == {"billing", "login", "unknown"}
    for topic, fates in expected.items():
        row = rows[topic]
        assert row["judged_count"] == fates.total()
        for fate in ("several_contacts", "came_back", "first_contact"):
            assert row[f"{fate}_count"] == fates[fate], (topic, fate)
        assert row["first_contact_ratio"] == pytest.approx(fates["first_contact"] / fates.total())
    assert sum(expected.values(), Counter()).keys() == {"several_contacts", "came_back", "first_contact"}


def test_scores_and_speed_by_tier_are_counted_apart(filled: Warehouse) -> None:
    company = filled.company
    speeds: dict[str, list[float]] = defaultdict(list)
    for ticket in company.rows("SELECT * FROM core.tickets WHERE solved_at IS NOT NULL"):
        speeds[ticket["solved_account_tier"]].append(ticket["full_resolution_business_seconds"] / HOUR)
    given = {
        f"feedback:{row['id']}": row["score"]
        for name, rows in filled.exported.files.items()
        if name.startswith("survey-")
        for row in rows
        if row["score"] <= 5
    }
    tiers = {row["response_id"]: row["account_tier"] for row in company.rows("SELECT * FROM core.survey_responses")}
    assert tiers.keys() == given.keys()
    scores: dict[str, list[float]] = defaultdict(list)
    for response, tier in tiers.items():
        scores[tier].append((given[response] - 1) / 4 * 100)
    rows = {row["account_tier"]: row for row in filled.ask(9)}
    assert rows.keys() == speeds.keys() | scores.keys()
    assert {"gold", "silver", "bronze", "unlinked"} <= rows.keys()
    for tier, row in rows.items():
        assert (row["solved_ticket_count"], row["answer_count"]) == (len(speeds[tier]), len(scores[tier]))
        assert row["median_resolution_business_hours"] == pytest.approx(median(speeds[tier]))
        assert row["mean_score_pct"] == (pytest.approx(mean(scores[tier])) if scores[tier] else None)
    solved = sum(ticket.solved_at is not None for ticket in told_tickets(filled.exported))
    assert sum(row["solved_ticket_count"] for row in rows.values()) == solved


def test_topics_of_unhappy_customers_are_counted_before_and_now(filled: Warehouse) -> None:
    counts: dict[bool, Counter] = {True: Counter(), False: Counter()}
    comments: Counter = Counter()
    for row in [row for name, rows in filled.exported.files.items() if "survey" in name for row in rows]:
        if row["comment"] in COMPLAINTS:
            answered = datetime.fromisoformat(row["answered"]).replace(tzinfo=BERLIN).astimezone(UTC)
            is_recent = answered.replace(tzinfo=None) >= NIGHTS[2] - timedelta(days=14)
            comments[is_recent] += 1
            counts[is_recent].update(COMPLAINTS[row["comment"]])
    rows = {row["topic_id"]: row for row in filled.ask(11)}
    assert rows.keys() == {"bot", "waiting", "not_solved", "none"}
    assert comments[True] > 4 and comments[False] > 2
    for topic, row in rows.items():
        assert (row["recent_count"], row["earlier_count"]) == (counts[True][topic], counts[False][topic])
        assert row["recent_ratio"] == pytest.approx(counts[True][topic] / comments[True])
        assert row["earlier_ratio"] == pytest.approx(counts[False][topic] / comments[False])


def test_the_earlier_night_is_told_as_it_was_noted(filled: Warehouse) -> None:
    rows = {(row["indicator"], row["period_start"]): row for row in filled.ask(10)}
    _, earlier, now = filled.noted
    said = finished(earlier)
    # Where the bounds alone move, a row is written anew (`known_since`) and nothing is restated: that is lost here.
    kept = {key for key, row in said.items() if moved(row, now[key]) or row["known_since"] == now[key]["known_since"]}
    lost = {key for key in said if said[key]["lower_bound"] != now[key]["lower_bound"]} - kept
    assert kept <= rows.keys() <= said.keys() and said.keys() - kept == lost
    for key, row in rows.items():
        before, after = said[key], now[key]
        then = (row["value_then"], row["sample_count_then"], row["state_then"])
        assert then == (before["value"], before["sample_count"], before["state"])
        assert (row["value_now"], row["sample_count_now"]) == (after["value"], after["sample_count"])
        assert (row["restated_because"] is not None) == moved(before, after)
    assert 0 < sum(row["restated_because"] is not None for row in rows.values()) < len(rows)


def keyed_tables(catalog: Catalog) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from ((model.table, model.key) for model in catalog.tables.values())
    yield from ((name, ENTRIES[name].key) for name in dictionary.owned_tables())


def test_the_keys_that_the_dictionary_names_tell_rows_apart(filled: Warehouse) -> None:
    """Columns too are there as described, in the tables that the nights have made."""
    counted = 0
    with filled.company.warehouse() as warehouse:
        for table, key in keyed_tables(filled.catalog):
            query = f"SELECT COUNT(*) FROM {table} GROUP BY {', '.join(key)} HAVING COUNT(*) > 1"
            assert warehouse.rows(query) == [], table
            counted += warehouse.scalar(f"SELECT COUNT(*) FROM {table}") > 0
        described = dictionary.owned_tables()
        assert {name: warehouse.columns(name) for name in described} == {
            name: list(columns) for name, columns in described.items()
        }
    assert counted > 30
