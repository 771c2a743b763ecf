"""The tickets of the oracle, as a Zendesk loader leaves them, through extraction, publication and the models.

The expected figures come from two engines that know nothing of this one (oracles/README.md). Every figure of every
ticket is compared; a failure names ticket and figure.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from support import zendesk_raw
from support.oracle_schedules import oracle
from support.real_data import EXAMPLES

NIGHT = datetime(2025, 1, 1)
KEYS = {
    "HANSEI_IDENTITY_KEY": "k" * 40,
    "HANSEI_QUARANTINE_KEY": base64.urlsafe_b64encode(b"public data hides no person here").decode(),
}
# Figure of the oracle -> column of core.tickets that holds it, in seconds where the oracle has minutes.
DURATIONS = {
    "first_reply": "first_reply",
    "first_resolution": "first_resolution",
    "full_resolution": "full_resolution",
    "requester_wait": "requester_wait",
    "agent_wait": "customer",
    "agent_work": "agent_work",
    "on_hold": "hold",
}
INSTANTS = {"first_solved_at": "first_solved_at", "last_solved_at": "solved_at"}
COUNTS = {
    "reopens": "reopen_count",
    "resolutions": "solution_count",
    "public_agent_comments": "agent_comment_count",
    "internal_comments": "internal_note_count",
    "end_user_comments": "customer_message_count",
    "distinct_agents_commenting": "commenting_agent_count",
    "assignee_stations": "assignee_station_count",
    "group_stations": "team_station_count",
    "one_touch": "is_one_touch",
}
# How the oracle books the statuses, as owners of the ledger.
OWNERS_OF = {
    "requester_wait": ("queue", "agent", "hold"),
    "agent_wait": ("customer",),
    "agent_work": ("queue", "agent"),
    "on_hold": ("hold",),
}


@pytest.fixture(scope="module")
def desk(module_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Rows of core.tickets and core.ticket_time_segments after one night over the oracle's tickets, by ticket."""
    from hansei import pipeline
    from hansei.pipeline import nightly
    from hansei.warehouse import open_warehouse

    content = oracle("ticket_metrics")
    home = tmp_path_factory.mktemp("oracle")
    is_embedded = module_url.get_backend_name() == "duckdb"
    raw = module_url.set(database=str(home / "raw.duckdb")) if is_embedded else module_url
    zendesk_raw.write_oracle(raw, content)
    with pytest.MonkeyPatch.context() as patch:
        environment = {
            **KEYS,
            **zendesk_raw.environment(raw),
            "HANSEI_HOME": str(home),
            "HANSEI_WAREHOUSE": module_url.render_as_string(hide_password=False),
            "HANSEI_DEFINITIONS": str(EXAMPLES / "zendesk_warehouse"),
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        context = pipeline.context(now=lambda: NIGHT)
        nightly.open_run(context, "night", None, NIGHT)
        nightly.extract(context, "night", "zendesk")
        nightly.publish(context, "night", "zendesk")
        nightly.model(context, "night")
        with open_warehouse(context.settings) as warehouse:
            tickets = warehouse.rows("SELECT * FROM core.tickets")
            targets = warehouse.rows("SELECT * FROM core.ticket_sla_targets")
            segments = warehouse.rows("SELECT * FROM core.ticket_time_segments ORDER BY ticket_id, segment_number")
    by_ticket: dict[str, list[dict]] = {}
    for segment in segments:
        by_ticket.setdefault(segment["ticket_id"], []).append(segment)
    return {
        "expected": {f"zendesk:{ticket['ticket_id']}": ticket for ticket in content["tickets"]},
        "tickets": {row["ticket_id"]: row for row in tickets},
        "segments": by_ticket,
        "targets": {(row["ticket_id"], row["metric"]): row for row in targets if row["metric"] != "next_reply"},
    }


def compared(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What differs, as `figure: found, not expected`; figures that the oracle does not give are left out."""
    return [f"{name}: {found[name]!r}, not {expected[name]!r}" for name in found if found[name] != expected[name]]


def minutes(seconds: int | None) -> float | None:
    return None if seconds is None else seconds / 60


def figures(ticket: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """A row of core.tickets under the oracle's names; durations only where the oracle has them."""
    found: dict[str, Any] = {name: ticket[column] for name, column in COUNTS.items()}
    found |= {name: None if ticket[column] is None else str(ticket[column]) for name, column in INSTANTS.items()}
    for name, column in DURATIONS.items():
        for time in ("calendar", "business"):
            if f"{name}_{time}_min" in expected:
                found[f"{name}_{time}_min"] = minutes(ticket[f"{column}_{time}_seconds"])
    return found


def test_every_figure_of_every_ticket_is_the_oracles(desk: dict[str, Any]) -> None:
    expected = desk["expected"]
    assert len(expected) == len(desk["tickets"]) == 60
    wrong = []
    for key, ticket in expected.items():
        wanted = ticket["expected"]
        found = figures(desk["tickets"][key], wanted)
        wrong += [f"{key} {text}" for text in compared(found, wanted)]
        assert len(found) >= 17, key
    assert wrong == []


def test_the_ledger_sums_to_the_oracles_times(desk: dict[str, Any]) -> None:
    """The same waits straight from the segments, which core.tickets only adds up."""
    wrong, checked = [], 0
    for key, ticket in desk["expected"].items():
        wanted = ticket["expected"]
        found = {}
        for name, owners in OWNERS_OF.items():
            for time in ("calendar", "business"):
                if f"{name}_{time}_min" in wanted:
                    booked = [row for row in desk["segments"][key] if row["owner"] in owners]
                    found[f"{name}_{time}_min"] = sum(row[f"{time}_seconds"] for row in booked) / 60
        found["unique_assignees"] = len({row["assignee_id"] for row in desk["segments"][key]} - {None})
        wrong += [f"{key} {text}" for text in compared(found, wanted)]
        checked += len(found)
    assert checked == 57 * 8 + 60
    assert wrong == []


def test_segments_follow_the_oracles_statuses_without_gap(desk: dict[str, Any]) -> None:
    for key, ticket in desk["expected"].items():
        rows = desk["segments"][key]
        assert rows[0]["started_at"] == datetime.fromisoformat(ticket["created_at"]), key
        assert [row["ended_at"] for row in rows[:-1]] == [row["started_at"] for row in rows[1:]], key
        told = [event["value"] for event in ticket["events"] if event.get("field") == "status"]
        kept = [row["status"] for row in rows]
        assert [status for status, before in zip(kept, [None, *kept], strict=False) if status != before] == told, key
        life = rows[-1]["started_at"] - rows[0]["started_at"]
        assert timedelta(seconds=sum(row["calendar_seconds"] or 0 for row in rows)) == life, key


def test_error_1_business_hours_targets_count_no_minute_outside_them(desk: dict[str, Any]) -> None:
    """The first of the peer's errors (the others: test_peer_errors.py): every clock of the source's own targets.

    The oracle has no figure where the life of a ticket had not ended (deleted ones).
    """
    wrong, checked = [], 0
    for key, ticket in desk["expected"].items():
        for metric, wanted in ticket["expected"]["sla"].items():
            clock = desk["targets"][key, metric]
            found = {
                "target_business_min": clock["target_seconds"] / 60,
                "elapsed_business_min": clock["elapsed_seconds"] / 60,
                "breached": clock["state"] == "breached",
            }
            if wanted["breached"] is None:
                continue
            checked += 1
            assert clock["is_business_time"]
            assert (clock["breached_at"] is not None) == wanted["breached"], (key, metric)
            wrong += [f"{key} {metric} {text}" for text in compared(found, wanted)]
    assert checked == 60 * 3 - 2 * 3
    assert wrong == []


def test_the_expected_block_is_compared_whole(desk: dict[str, Any]) -> None:
    """No figure of the oracle is forgotten: `total_comments` is a sum of others, `sla` belongs to the targets."""
    for ticket in desk["expected"].values():
        wanted = set(ticket["expected"])
        compared_names = {*COUNTS, *INSTANTS, "unique_assignees"}
        compared_names |= {f"{name}_{time}_min" for name in DURATIONS for time in ("calendar", "business")}
        assert wanted - compared_names == {"total_comments", "sla"}
        spoken = ("public_agent_comments", "internal_comments", "end_user_comments")
        row = desk["tickets"][f"zendesk:{ticket['ticket_id']}"]
        assert sum(row[COUNTS[name]] for name in spoken) == ticket["expected"]["total_comments"]
