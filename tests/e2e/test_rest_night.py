"""A source written from docs/sources/README.md alone (Redmine's interface): `hansei check` to `hansei night`, twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.rest_server import Asked, Reply, RestServer, rest_server
from typer.testing import CliRunner

from hansei.cli import app
from hansei.settings import load_settings
from hansei.warehouse import open_warehouse

SOURCE = Path(__file__).parent / "redmine.yaml"
KEYS = {
    "HANSEI_IDENTITY_KEY": "k" * 40,
    "HANSEI_QUARANTINE_KEY": "cXVhcmFudGluZS1rZXktb2YtdGhlLXRlc3RzLTMyYnk=",
}
SERVICE = "id: service\nname: Cables\nreporting_zone: UTC\nlanguage: en\nindicators: [tickets_created, backlog]\n"
STATUS = {"1": "New", "2": "In Progress", "3": "Resolved"}


class Redmine:
    """Issues and journals with the shapes, names and rules of Redmine's REST interface."""

    def __init__(self) -> None:
        self.issues: dict[int, dict] = {}

    def open(self, number: int, at: str) -> None:
        self.issues[number] = {
            "id": number,
            "project": {"id": 1, "name": "Support"},
            "tracker": {"id": 3, "name": "Support"},
            "status": {"id": 1, "name": "New", "is_closed": False},
            "priority": {"id": 2, "name": "Normal"},
            "author": {"id": 40 + number, "name": "Rhea Ford"},
            "subject": f"Printer {number} is down, call me: rhea.ford@example.com",
            "custom_fields": [],
            "created_on": at,
            "updated_on": at,
            "closed_on": None,
            "journals": [],
        }

    def change(self, number: int, at: str, status: str, notes: str = "") -> None:
        issue = self.issues[number]
        before = str(issue["status"]["id"])
        detail = {"property": "attr", "name": "status_id", "old_value": before, "new_value": status}
        journal = {"id": number * 100 + len(issue["journals"]), "user": {"id": 9, "name": "Ida Berg"}, "notes": notes}
        issue["journals"].append({**journal, "created_on": at, "private_notes": False, "details": [detail]})
        issue |= {"updated_on": at, "status": {"id": int(status), "name": STATUS[status], "is_closed": False}}

    def __call__(self, asked: Asked) -> Reply:
        if asked.headers.get("X-Redmine-API-Key") != "r3dmine-key":
            return Reply({"errors": ["unauthorized"]}, 401)
        if asked.path == "/issues.json":
            since = asked.params["updated_on"].removeprefix(">=")
            found = sorted(
                (issue for issue in self.issues.values() if issue["updated_on"] >= since),
                key=lambda issue: issue["updated_on"],
            )
            start, size = int(asked.params["offset"]), int(asked.params["limit"])
            page = [{key: issue[key] for key in issue if key != "journals"} for issue in found[start : start + size]]
            return Reply({"issues": page, "total_count": len(found), "offset": start, "limit": size})
        number = int(asked.path.removeprefix("/issues/").removesuffix(".json"))
        return Reply({"issue": self.issues[number]})


@pytest.fixture
def redmine(
    engine_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[RestServer, Redmine]]:
    held = Redmine()
    (tmp_path / "definitions" / "sources").mkdir(parents=True)
    (tmp_path / "definitions" / "service.yaml").write_text(SERVICE)
    (tmp_path / "definitions" / "sources" / "redmine.yaml").write_text(SOURCE.read_text())
    with rest_server() as server:
        server.reset(held)
        connection = {"conn_type": "http", "host": server.url, "password": "r3dmine-key"}
        environment = {
            **KEYS,
            "HANSEI_HOME": str(tmp_path / "home"),
            "HANSEI_WAREHOUSE": engine_url.render_as_string(hide_password=False),
            "HANSEI_DEFINITIONS": str(tmp_path / "definitions"),
            "AIRFLOW_CONN_REDMINE": json.dumps(connection),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield server, held


def hansei(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def rows(query: str) -> list[tuple]:
    with open_warehouse(load_settings()) as warehouse:
        return [tuple(row.values()) for row in warehouse.rows(query)]


def test_two_nights_of_a_rest_source_end_in_the_core_tables(redmine: tuple[RestServer, Redmine]) -> None:
    server, held = redmine
    for number in range(1, 6):
        held.open(number, f"2026-03-01T0{number}:00:00Z")
    held.change(2, "2026-03-01T08:00:00Z", "2", "On it")
    assert "no fault" in hansei("check")
    assert "run first is done" in hansei("night", "--until", "2026-03-02T00:00:00", "--run-id", "first")
    assert rows("SELECT ticket_id, status FROM core.tickets ORDER BY 1") == [
        ("redmine:1", "new"), ("redmine:2", "open"), ("redmine:3", "new"), ("redmine:4", "new"), ("redmine:5", "new"),
    ]  # fmt: skip
    server.asked.clear()
    held.change(1, "2026-03-02T09:00:00Z", "2")
    held.change(1, "2026-03-02T10:00:00Z", "3", "Solved by a new cable")
    hansei("night", "--until", "2026-03-03T00:00:00", "--run-id", "second")
    assert rows("SELECT ticket_id, status FROM core.tickets WHERE ticket_id = 'redmine:1'") == [("redmine:1", "solved")]
    assert rows(
        "SELECT ticket_id, event_type, value, source FROM staging.ticket_events ORDER BY occurred_at, event_id"
    ) == [
        ("redmine:2", "reply", None, "redmine"),
        ("redmine:2", "status", "open", "redmine"),
        ("redmine:1", "status", "open", "redmine"),
        ("redmine:1", "reply", None, "redmine"),
        ("redmine:1", "status", "solved", "redmine"),
    ]
    asked = server.asked[0].params["updated_on"]
    assert asked == ">=2026-03-01T00:00:00Z", "the window of the night and a day of look-back"
    assert (
        rows("SELECT received_count = accepted_count + duplicate_count, is_balanced FROM ops.batches")
        == [(True, True)] * 4
    )
    assert rows("SELECT complete_until FROM ops.watermarks")[0][0].isoformat() == "2026-03-03T00:00:00"
    assert "example.com" not in str(rows("SELECT subject FROM staging.tickets"))
