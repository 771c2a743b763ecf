"""Rows that a source lists as deleted: buried at its time, brought back by what is newer, by nothing that is older."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from support.counting_desk import SOURCE, Desk, counting_desk

from hansei.errors import SourceError
from hansei.settings import Settings

CLOCK = datetime(2026, 3, 10)
LISTED = (
    SOURCE.split("counts:\n  - entity")[0]
    .replace('    deleted_at: {path: deleted_at, missing: [""]}\n', "")
    .replace("entities:\n", '  graves: {query: "SELECT id, gone_at FROM graves", cursor: gone_at}\nentities:\n', 1)
    + "deleted_keys:\n  - {entity: tickets, resource: graves, key: {path: id}, deleted_at: {path: gone_at}}\n"
)


def filled(tmp_path: Path, settings: Settings, source: str = LISTED) -> Desk:
    desk = counting_desk(tmp_path, settings, CLOCK, source)
    desk.execute("CREATE TABLE graves (id TEXT, gone_at TEXT)")
    for number in range(1, 6):
        desk.open(number, f"2026-03-0{number + 3} 08:00:00")
    return desk


def bury(desk: Desk, number: int | str, at: str) -> None:
    desk.execute("UPDATE tickets SET gone = 1 WHERE id = ?", number)
    desk.execute("INSERT INTO graves VALUES (?, ?)", number, at)


def dead(desk: Desk) -> dict[str, str]:
    rows = desk.rows("SELECT ticket_id, deleted_at FROM staging.tickets WHERE deleted_at IS NOT NULL")
    return {row["ticket_id"]: str(row["deleted_at"]) for row in rows}


def test_listed_rows_are_buried_at_the_sources_time_and_models_follow(tmp_path: Path, settings: Settings) -> None:
    desk = filled(tmp_path, settings)
    desk.night()
    assert dead(desk) == {}
    bury(desk, 2, "2026-03-10 09:30:00")
    bury(desk, 4, "2026-03-10 17:00:00.5")
    bury(desk, 99, "2026-03-10 18:00:00")  # never came
    run = desk.night()
    assert dead(desk) == {"desk:2": "2026-03-10 09:30:00", "desk:4": "2026-03-10 17:00:00.500000"}
    changed = "SELECT key FROM ops.changes WHERE run_id = :run AND operation = 'delete' ORDER BY key"
    assert [row["key"] for row in desk.rows(changed, run=run)] == ["desk:2", "desk:4"]
    core = desk.rows("SELECT ticket_id FROM core.tickets WHERE is_deleted ORDER BY ticket_id")
    assert [row["ticket_id"] for row in core] == ["desk:2", "desk:4"]
    counts = desk.rows("SELECT deleted_count FROM ops.batches WHERE run_id = :run AND entity = 'tickets'", run=run)
    assert counts == [{"deleted_count": 2}]
    told = "SELECT checked_count, failed_count, result FROM ops.check_results WHERE run_id = :run AND check_id = :check"
    found = desk.rows(told, run=run, check="deleted_keys")
    assert [tuple(row.values()) for row in found] == [(3, 0, "passed")]
    desk.night()  # the look-back lists them again
    assert len(dead(desk)) == 2
    assert desk.rows(changed, run=f"night-{CLOCK:%Y-%m-12T0000}") == []


def test_what_is_newer_than_its_deletion_lives_and_what_is_older_stays_dead(tmp_path: Path, settings: Settings) -> None:
    desk = filled(tmp_path, settings)
    desk.night()
    bury(desk, 1, "2026-03-10 09:00:00")
    bury(desk, 2, "2026-03-10 09:00:00")
    desk.execute("UPDATE tickets SET gone = 0 WHERE id = 1")
    desk.change(1, "2026-03-10 12:00:00", "open")  # restored and changed, in the window of its deletion
    desk.night()
    assert set(dead(desk)) == {"desk:2"}
    desk.execute("UPDATE tickets SET gone = 0 WHERE id = 2")
    desk.change(2, "2026-03-10 08:59:00", "open")  # a replica was late: this was before the deletion
    desk.night()
    assert set(dead(desk)) == {"desk:2"}
    desk.change(2, "2026-03-12 08:00:00", "resolved")
    desk.night()
    assert dead(desk) == {}
    assert desk.rows("SELECT status FROM staging.tickets WHERE ticket_id = 'desk:2'") == [{"status": "solved"}]


def test_without_a_time_the_windows_end_stands_in(tmp_path: Path, settings: Settings) -> None:
    source = LISTED.replace(", deleted_at: {path: gone_at}", "").replace(", cursor: gone_at", "")
    desk = filled(tmp_path, settings, source)
    desk.night()
    bury(desk, 3, "2026-03-10 09:00:00")
    desk.night()
    assert dead(desk) == {"desk:3": "2026-03-11 00:00:00"}


def test_entries_that_cannot_be_read_warn_and_a_list_that_cannot_fails_the_night(
    tmp_path: Path, settings: Settings
) -> None:
    desk = filled(tmp_path, settings, LISTED.replace(", cursor: gone_at", ""))
    desk.night()
    bury(desk, 3, "2026-03-10 09:00:00")
    desk.execute("INSERT INTO graves VALUES (NULL, '2026-03-10 09:00:00'), ('5', 'yesterday')")
    run = desk.night()
    assert set(dead(desk)) == {"desk:3"}
    told = "SELECT checked_count, failed_count, result FROM ops.check_results WHERE run_id = :run AND check_id = :check"
    found = desk.rows(told, run=run, check="deleted_keys")
    assert [tuple(row.values()) for row in found] == [(3, 2, "warned")]
    desk.execute("ALTER TABLE graves RENAME TO moved")
    with pytest.raises(SourceError, match="graves"):
        desk.night()
    reach = desk.rows("SELECT complete_until FROM ops.watermarks")
    assert reach == [{"complete_until": datetime(2026, 3, 11)}], "the window stays open"
    desk.execute("ALTER TABLE moved RENAME TO graves")
    bury(desk, 4, "2026-03-11 09:00:00")
    desk.clock = datetime(2026, 3, 13)
    desk.night()
    assert set(dead(desk)) == {"desk:3", "desk:4"}
