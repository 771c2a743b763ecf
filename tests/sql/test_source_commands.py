"""`hansei sources` over a real ticket system in SQLite: check, status, extract and reconcile."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from support.counting_desk import Desk, counting_desk

from hansei import cli, pipeline
from hansei.catalog.windows import Window
from hansei.settings import Settings
from hansei.sources.spool import read_manifest

CLOCK = datetime(2026, 3, 10)


@pytest.fixture
def desk(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = counting_desk(tmp_path, settings, CLOCK)
    environment = {
        "HANSEI_HOME": settings.home,
        "HANSEI_WAREHOUSE": settings.warehouse_url,
        "HANSEI_DEFINITIONS": tmp_path / "definitions",
        "HANSEI_IDENTITY_KEY": settings.identity_key,
        "HANSEI_QUARANTINE_KEY": settings.quarantine_key,
        "AIRFLOW_CONN_DESK_DB": f"sqlite:///{desk.file}",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    connection = {"conn_type": "sqlite", "schema": str(desk.file)}
    monkeypatch.setenv("AIRFLOW_CONN_DESK_DB", json.dumps(connection))
    for number in range(6):
        desk.open(number + 1, f"2026-03-0{4 + number} 08:00:00", "resolved" if number % 2 else "new")
    desk.open(7, "2026-03-09 10:00:00", spam="perhaps")
    desk.count()
    return desk


def hansei(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["hansei", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return ended.value.code or 0, captured.out + captured.err


def test_the_commands_tell_what_the_source_and_the_warehouse_hold(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    run = desk.night()
    pipeline.share(desk.context, run)

    code, out = hansei(monkeypatch, capsys, "sources", "status", "--json")
    assert code == 0
    (state,) = json.loads(out)
    assert state["complete_until"] == "2026-03-10 00:00:00"
    assert (state["freshness"], state["run_id"], state["run_state"]) == ("late", run, "published")
    assert (state["counts"]["received"], state["counts"]["quarantined"]) == (17, 1)
    assert state["unexplained"] == {"tickets": 0}
    assert list(state["key_lists"]) == ["tickets"]
    assert "late" in hansei(monkeypatch, capsys, "sources", "status", "desk")[1]

    code, out = hansei(monkeypatch, capsys, "sources", "reconcile", "desk", "--json")
    assert code == 0
    assert sum(row["quarantined_count"] for row in json.loads(out)["tickets"]) == 1
    desk.execute("UPDATE counts SET number = 5 WHERE day = '2026-03-04'")
    code, out = hansei(monkeypatch, capsys, "sources", "reconcile", "desk")
    assert code == 1
    assert "4 unexplained" in out
    assert desk.rows("SELECT MAX(their_count) AS most FROM ops.reconciliations") == [{"most": 1}], "nothing was stored"


def test_extract_counts_or_spools_and_moves_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    window = ("--since", "2026-03-06", "--until", "2026-03-10T00:00:00+00:00")
    code, out = hansei(monkeypatch, capsys, "sources", "extract", "desk", *window, "--dry-run", "--json")
    assert code == 0
    found = {item["entity"]: item for item in json.loads(out)["entities"]}
    assert (found["tickets"]["received"], found["tickets"]["refused"]) == (5, 1)
    assert found["tickets"]["broken"] == {"unreadable value": 1}
    assert read_manifest(desk.context.settings, "mine", "desk") is None
    code, out = hansei(monkeypatch, capsys, "sources", "extract", "desk", *window, "--run-id", "mine")
    assert code == 0
    manifest = read_manifest(desk.context.settings, "mine", "desk")
    assert manifest.window == Window(datetime(2026, 3, 6), datetime(2026, 3, 10))
    assert manifest.received == found["tickets"]["received"] + found["ticket_events"]["received"]
    code, out = hansei(
        monkeypatch, capsys, "sources", "extract", "desk", "--since", "2026-03-11", "--until", "2026-03-10"
    )
    assert code == 1
    assert "--since: not before --until" in out


def test_check_names_every_resource_that_is_refused_and_what_a_night_costs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    now = "strftime('%Y-%m-%d %H:%M:%S', 'now', '-1 hour')"
    desk.execute(f"UPDATE tickets SET updated_at = {now} WHERE id < 4")
    code, out = hansei(monkeypatch, capsys, "sources", "check", "desk", "--json")
    told = json.loads(out)
    access = {item["name"]: item for item in told["access"]}
    assert set(access) == {"tickets", "events", "counts of tickets", "keys of tickets"}
    assert (access["tickets"]["rows_a_night"], access["tickets"]["basis"]) == (3, "counted")
    assert access["keys of tickets"]["rows_a_night"] == 7
    assert code == 1, "a value of the sample cannot be read"
    desk.execute("DROP TABLE events")
    desk.execute("DROP TABLE counts")
    code, out = hansei(monkeypatch, capsys, "sources", "check", "desk", "--json")
    told = json.loads(out)
    assert code == 1
    assert [item["name"] for item in told["access"] if not item["is_readable"]] == ["events", "counts of tickets"]
    assert "no such table" in told["access"][1]["message"]
