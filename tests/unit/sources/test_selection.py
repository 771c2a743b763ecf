"""Which files and rows belong to a window, and until when the source is then complete."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hansei.catalog.windows import Window
from hansei.errors import SourceError

DAILY = {"format": "csv", "complete_until": {"by": "file_name", "pattern": r"(\d{4}-\d{2}-\d{2})", "covers": "1d"}}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def write_days(inbox: Path, *days: str) -> str:
    for day in days:
        (inbox / f"tickets-{day}.csv").write_text(f"id,status,created\n{day},open,{day}T12:00:00\n")
    return str(inbox / "tickets-*.csv")


def keys(rows: list[dict]) -> list[str]:
    return [row["ticket_id"].removeprefix("desk:") for row in rows]


def test_rows_are_taken_where_the_cursor_lies_in_the_half_open_window(inbox: Path, ticket_source, extract) -> None:
    lines = [
        "before,2024-03-01T23:59:59",
        "start,2024-03-02T00:00:00",
        "late,2024-03-02T23:59:59",
        "end,2024-03-03T00:00:00",
    ]
    (inbox / "t.csv").write_text("id,created\n" + "".join(f"{line}\n" for line in lines))
    source = ticket_source(
        {"path": str(inbox / "t.csv"), "format": "csv", "cursor": "created", "complete_until": {"by": "cursor"}},
        {"status": {"constant": "open"}},
    )
    manifest, rows = extract(source, Window(at("2024-03-02"), at("2024-03-03")))
    assert keys(rows) == ["start", "late"]
    assert manifest.complete_until == at("2024-03-02T23:59:59")
    assert [row["raw_row"] for row in rows] == [0, 1]

    manifest, rows = extract(source, Window(None, at("2024-03-02")), run_id="first")
    assert keys(rows) == ["before"]

    manifest, rows = extract(source, Window(at("2025-01-01"), at("2025-01-02")), run_id="quiet")
    assert rows == []
    assert manifest.complete_until is None


def test_rows_without_a_readable_cursor_are_never_lost(inbox: Path, ticket_source, extract) -> None:
    (inbox / "t.csv").write_text("id,created,changed\n1,2024-01-01,\n2,2024-01-01,soon\n3,2024-01-01,2020-01-01\n")
    source = ticket_source(
        {"path": str(inbox / "t.csv"), "format": "csv", "cursor": "changed"}, {"status": {"constant": "open"}}
    )
    _, rows = extract(source, Window(at("2024-03-02"), at("2024-03-03")))
    assert keys(rows) == ["1", "2"]


def test_the_cursor_is_read_in_the_declared_zone(inbox: Path, ticket_source, extract) -> None:
    # Midnight in Berlin is 23:00 UTC of the day before, in winter.
    (inbox / "t.csv").write_text("id,created\n1,01/03/2024 00:30\n2,02/03/2024 00:30\n")
    resource = {
        "path": str(inbox / "t.csv"),
        "format": "csv",
        "cursor": "created",
        "cursor_format": "%d/%m/%Y %H:%M",
        "cursor_zone": "Europe/Berlin",
    }
    columns = {"status": {"constant": "open"}, "created_at": {"path": "created", "format": "%d/%m/%Y %H:%M"}}
    _, rows = extract(ticket_source(resource, columns), Window(at("2024-02-29"), at("2024-03-01")))
    assert keys(rows) == ["1"]


def test_only_files_whose_covered_end_lies_in_the_window_are_read(inbox: Path, ticket_source, extract) -> None:
    path = write_days(inbox, "2024-03-01", "2024-03-02", "2024-03-03")
    source = ticket_source({"path": path, **DAILY})
    # The file of the 1st ends at the 2nd, 00:00: the window that ends there takes it, the one that starts there not.
    manifest, rows = extract(source, Window(at("2024-03-01"), at("2024-03-02")), run_id="1")
    assert (keys(rows), manifest.complete_until) == (["2024-03-01"], at("2024-03-02"))
    manifest, rows = extract(source, Window(at("2024-03-02"), at("2024-03-04")), run_id="2")
    assert (keys(rows), manifest.complete_until) == (["2024-03-02", "2024-03-03"], at("2024-03-04"))
    assert manifest.entities["tickets"].files == ("tickets-2024-03-02.csv", "tickets-2024-03-03.csv")
    manifest, rows = extract(source, Window(at("2024-03-04"), at("2024-03-09")), run_id="3")
    assert (keys(rows), manifest.complete_until) == ([], at("2024-03-04"))
    manifest, rows = extract(source, Window(None, at("2024-03-01")), run_id="4")
    assert (keys(rows), manifest.complete_until) == ([], None)


def test_a_chosen_file_is_read_whole_whatever_its_cursor_says(inbox: Path, ticket_source, extract) -> None:
    path = write_days(inbox, "2024-03-02")
    with (inbox / "tickets-2024-03-02.csv").open("a") as file:
        file.write("late,open,2024-01-01T00:00:00\n")
    source = ticket_source({"path": path, "cursor": "created", **DAILY})
    _, rows = extract(source, Window(at("2024-03-02"), at("2024-03-03")))
    assert keys(rows) == ["2024-03-02", "late"]


def test_a_day_in_a_zone_ends_at_its_own_midnight(inbox: Path, ticket_source, extract) -> None:
    # 2024-03-31 has 23 hours in Berlin; it ends at 22:00 UTC, the day before ended at 23:00 UTC.
    path = write_days(inbox, "2024-03-30", "2024-03-31")
    source = ticket_source({"path": path, **DAILY}, zone="Europe/Berlin")
    manifest, rows = extract(source, Window(None, at("2024-03-30T23:00:00")), run_id="1")
    assert (keys(rows), manifest.complete_until) == (["2024-03-30"], at("2024-03-30T23:00:00"))
    manifest, rows = extract(source, Window(at("2024-03-30T23:00:00"), at("2024-03-31T22:00:00")), run_id="2")
    assert (keys(rows), manifest.complete_until) == (["2024-03-31"], at("2024-03-31T22:00:00"))


def test_a_snapshot_by_name_is_read_from_its_newest_night_alone(inbox: Path, ticket_source, extract) -> None:
    path = write_days(inbox, "2024-03-01", "2024-03-02")
    source = ticket_source({"path": path, **DAILY}, delivery="snapshot")
    manifest, rows = extract(source, Window(None, at("2024-03-05")))
    assert keys(rows) == ["2024-03-02"]
    assert manifest.entities["tickets"].is_complete_snapshot is True
    assert manifest.complete_until == at("2024-03-03")


def test_a_name_without_a_date_is_an_error_with_the_pattern(inbox: Path, ticket_source, extract) -> None:
    path = write_days(inbox, "2024-03-01")
    (inbox / "tickets-final.csv").write_text("id,status,created\n")
    with pytest.raises(SourceError, match=r"tickets-final\.csv: the name does not fit the pattern"):
        extract(ticket_source({"path": path, **DAILY}))
    (inbox / "tickets-final.csv").rename(inbox / "tickets-2024-13-01.csv")
    with pytest.raises(SourceError, match="'2024-13-01' in the name is not a time"):
        extract(ticket_source({"path": path, **DAILY}))


def test_files_are_chosen_by_modification_time(inbox: Path, ticket_source, extract) -> None:
    path = write_days(inbox, "a", "b")
    times = {"a": at("2024-03-01T06:00:00+00:00"), "b": at("2024-03-02T06:00:00+00:00")}
    for name, modified in times.items():
        os.utime(inbox / f"tickets-{name}.csv", (modified.timestamp(), modified.timestamp()))
    (inbox / "tickets-a.csv").write_text("id,status,created\na,open,2024-01-01\n")
    (inbox / "tickets-b.csv").write_text("id,status,created\nb,open,2024-01-01\n")
    for name, modified in times.items():
        os.utime(inbox / f"tickets-{name}.csv", (modified.timestamp(), modified.timestamp()))
    resource = {"path": path, "format": "csv", "complete_until": {"by": "modified"}}
    window = Window(at("2024-03-01T12:00:00"), at("2024-03-03"))
    manifest, rows = extract(ticket_source(resource), window, run_id="changes")
    assert (keys(rows), manifest.complete_until) == (["b"], at("2024-03-02T06:00:00"))
    manifest, rows = extract(ticket_source(resource, delivery="snapshot"), window, run_id="snapshot")
    assert keys(rows) == ["a", "b"]
    assert manifest.entities["tickets"].is_complete_snapshot is True
    quiet = Window(at("2024-03-02T06:00:00"), at("2024-03-03"))
    manifest, rows = extract(ticket_source(resource, delivery="snapshot"), quiet, run_id="quiet")
    assert rows == []
    assert manifest.entities["tickets"].is_complete_snapshot is False


@pytest.mark.parametrize(("delivery", "cursor", "expected"), [
    ("snapshot", None, True),
    ("snapshot", "created", False),
    ("changes", None, False),
    ("append", None, False),
])  # fmt: skip
def test_only_a_whole_unfiltered_snapshot_proves_absence(
    inbox: Path, ticket_source, extract, delivery: str, cursor: str | None, expected: bool
) -> None:
    (inbox / "t.csv").write_text("id,status,created\n1,open,2024-01-01\n")
    resource = {"path": str(inbox / "t.csv"), "format": "csv", "cursor": cursor}
    manifest, _ = extract(ticket_source(resource, delivery=delivery))
    assert manifest.entities["tickets"].is_complete_snapshot is expected
    assert manifest.entities["tickets"].delivery == delivery


def test_a_row_whose_key_is_unreadable_takes_the_proof_of_absence_away(inbox: Path, ticket_source, extract) -> None:
    (inbox / "t.csv").write_text("id,status,created\n1,open,2024-01-01\n,open,2024-01-01\n")
    resource = {"path": str(inbox / "t.csv"), "format": "csv"}
    manifest, _ = extract(ticket_source(resource, delivery="snapshot"))
    assert manifest.entities["tickets"].is_complete_snapshot is False


def test_without_a_declaration_the_window_is_complete(inbox: Path, ticket_source, extract) -> None:
    (inbox / "t.csv").write_text("id,status,created\n1,open,2024-01-01\n")
    window = Window(at("2024-01-01"), at("2024-01-02"))
    manifest, _ = extract(ticket_source({"path": str(inbox / "t.csv"), "format": "csv"}), window)
    assert manifest.complete_until == window.end
    assert window.end - window.start == timedelta(days=1)
