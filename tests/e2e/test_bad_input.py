"""Bad input ends in a clear error or in quarantine: nothing is lost, nobody is named, and the next good run heals."""

from __future__ import annotations

import errno
import gzip
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from support.small_company import (
    DAYS,
    NIGHTS,
    Company,
    assert_same_tables,
    copy_company,
    encode,
    exports,
    found_company,
)

from hansei import pipeline
from hansei.errors import HanseiError
from hansei.sources.spool import read_manifest

FIRST, SECOND, THIRD = DAYS
# Pieces of names, addresses and comments of the company's people; no message may hold one.
PERSONAL = ("Person", "person", "Surname", "@", "furious")


@pytest.fixture(scope="module")
def wanted(third_night: Company) -> dict[str, list[tuple]]:
    """The tables of a company that met nothing but good input on its later nights."""
    return third_night.tables()


@pytest.fixture
def company(first_night: Company, tmp_path: Path) -> Company:
    return copy_company(first_night, tmp_path / "copy")


def deliver_again(company: Company, *days: object) -> None:
    """The exports as they should have been, in the place of whatever lies there."""
    exports().write(company.inbox, names=lambda name: any(str(day) in name for day in days))


def error_of(action: Callable[[], object]) -> HanseiError:
    """The error that the action ends in, which tells place, finding and next step, and no person's data."""
    with pytest.raises(HanseiError) as caught:
        action()
    error = caught.value
    assert error.place and error.found and len(error.next_step) > 5
    assert "Traceback" not in str(error) and 'File "' not in str(error)
    assert not [piece for piece in PERSONAL if piece in str(error)], str(error)
    return error


def second_extraction(company: Company, source: str) -> Callable[[], object]:
    end = NIGHTS[1]
    context = company.context(end)
    pipeline.open_run(context, "night-2", end - timedelta(days=1), end)
    return lambda: pipeline.extract(context, "night-2", source)


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def remove_all(company: Company) -> None:
    for path in company.inbox.glob("tickets-*"):
        path.unlink()


def without_first_column(content: bytes) -> bytes:
    return b"".join(line.split(b",", 1)[1] for line in content.splitlines(keepends=True))


UNREADABLE = {
    "every file is missing": ("desk", remove_all, ["resource tickets", "no file matches", "export"]),
    "an encoding that is not the declared one": (
        "desk",
        lambda c: rewrite(
            c.inbox / f"customers-{SECOND}.csv", lambda text: text.replace(b"Number0", "Nümber".encode("latin-1"))
        ),
        [f"customers-{SECOND}.csv", "not utf-8"],
    ),
    "an encoding that is not the declared one, in JSON": (
        "desk",
        lambda c: rewrite(c.inbox / f"events-{SECOND}.jsonl", lambda text: text.replace(b"agent", b"\xff\xfe", 1)),
        [f"events-{SECOND}.jsonl", "line", "encoding"],
    ),
    "a truncated gzip": (
        "desk",
        lambda c: rewrite(c.inbox / f"tickets-{SECOND}.csv.gz", lambda packed: packed[: len(packed) // 2]),
        [f"tickets-{SECOND}.csv.gz", "breaks off or is damaged", "deliver it again"],
    ),
    "a damaged gzip": (
        "desk",
        lambda c: rewrite(
            c.inbox / f"tickets-{SECOND}.csv.gz", lambda packed: packed[:200] + b"\0" * 40 + packed[240:]
        ),
        [f"tickets-{SECOND}.csv.gz", "breaks off or is damaged", "deliver it again"],
    ),
    "another delimiter": (
        "crm",
        lambda c: rewrite(c.inbox / f"accounts-{SECOND}.csv", lambda text: text.replace(b",", b";")),
        [f"accounts-{SECOND}.csv", "one single column", "delimiter: ';'"],
    ),
    "a file without a byte": (
        "crm",
        lambda c: (c.inbox / f"accounts-{SECOND}.csv").write_bytes(b""),
        [f"accounts-{SECOND}.csv", "empty", "deliver the file again"],
    ),
    "another file without a byte": (
        "feedback",
        lambda c: (c.inbox / f"survey-{SECOND}.csv").write_bytes(b""),
        [f"survey-{SECOND}.csv", "empty", "deliver the file again"],
    ),
    "an archive without a byte": (
        "desk",
        lambda c: (c.inbox / f"tickets-{SECOND}.csv.gz").write_bytes(gzip.compress(b"")),
        [f"tickets-{SECOND}.csv.gz", "empty", "deliver the file again"],
    ),
    "a required column that is gone": (
        "crm",
        lambda c: rewrite(c.inbox / f"accounts-{SECOND}.csv", without_first_column),
        [f"accounts-{SECOND}.csv", "'number' (required account_id)", "is gone"],
    ),
    "a file whose name has another shape": (
        "crm",
        lambda c: (c.inbox / "accounts-2026-03-99.csv").write_bytes(b"number\n1\n"),
        ["accounts-2026-03-99.csv", "2026-03-99", "complete_until"],
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_as_a_whole_is_a_clear_error_and_leaves_no_batch(case: str, company: Company) -> None:
    source, spoil, pieces = UNREADABLE[case]
    before = company.tables("indicators", "staging", "ops")
    spoil(company)
    extraction = second_extraction(company, source)
    error = error_of(extraction)
    assert not [piece for piece in pieces if piece not in str(error)], str(error)
    assert read_manifest(company.settings, "night-2", source) is None
    assert error_of(lambda: pipeline.publish(company.context(NIGHTS[1]), "night-2", source)).next_step
    after = company.tables("indicators", "staging", "ops")
    opened = {"ops.runs", "ops.source_runs", "ops.definitions_in_force"}
    assert {name for name in after if after[name] != before[name]} <= opened

    (company.inbox / "accounts-2026-03-99.csv").unlink(missing_ok=True)
    deliver_again(company, FIRST, SECOND, THIRD)
    assert extraction()["received"] > 0  # the same run, tried again


def test_a_night_of_unreadable_sources_names_each_and_the_next_one_heals(company: Company, wanted: dict) -> None:
    for case in ("a truncated gzip", "another delimiter", "another file without a byte"):
        UNREADABLE[case][1](company)
    marks = company.rows("SELECT * FROM ops.watermarks ORDER BY source")
    error = error_of(lambda: company.night(2))
    for source in ("crm failed", "desk failed", "feedback failed"):
        assert source in str(error)
    assert company.rows("SELECT * FROM ops.watermarks ORDER BY source") == marks
    assert company.scalar("SELECT COUNT(*) FROM ops.batches WHERE run_id = 'night-2'") == 0
    deliver_again(company, SECOND)
    company.night(3)
    assert_same_tables(company.tables(), wanted)
    assert company.unbalanced() == []


@pytest.fixture(scope="module")
def night_of_bad_rows(first_night: Company, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Night 2 with rows that cannot be accepted among those that can; then the night itself."""
    company = copy_company(first_night, tmp_path_factory.mktemp("bad_rows"))
    files = exports().files
    tickets = files[f"tickets-{SECOND}.csv.gz"]
    tickets[0]["created_at"] = "2026-02-30T10:00:00Z"  # no such day
    tickets[1]["created_at"] = "9999-12-31T23:59:59Z"  # a day, but no creation
    tickets[2]["status"] = ""
    other = {"channel": "fax", "updated_at": tickets[4]["created_at"], "status": "open"}
    tickets += [tickets[4] | other, dict(tickets[5])]  # an older row of one key, and one row twice
    accounts = files[f"accounts-{SECOND}.csv"]
    accounts[2]["value"] = "much"  # a number became a word
    answers = files[f"survey-{SECOND}.csv"]
    for answer in answers:
        answer["score"] = f"{answer['score']} stars"  # on every row
    for name in (f"tickets-{SECOND}.csv.gz", f"accounts-{SECOND}.csv", f"survey-{SECOND}.csv"):
        (company.inbox / name).write_bytes(encode(name, files[name]))
    with (company.inbox / f"accounts-{SECOND}.csv").open("a") as file:
        file.write('K9,O9,"Fir')  # the transfer broke off, inside quotes
    company.night(2)
    return company


def test_bad_rows_wait_in_quarantine_with_their_reasons_and_the_good_ones_go_on(night_of_bad_rows: Company) -> None:
    company = night_of_bad_rows
    query = "SELECT entity, row_key, reasons FROM ops.quarantined_rows WHERE state = 'waiting' ORDER BY entity, row_key"
    waiting = company.rows(query)
    by_entity: dict[str, list] = {}
    for row in waiting:
        by_entity.setdefault(row["entity"], []).append(row)
        assert not [piece for piece in PERSONAL if piece in row["reasons"]]
    tickets = exports().files[f"tickets-{SECOND}.csv.gz"]
    bad = {f"desk:{tickets[position]['id']}" for position in range(3)} | {"desk:T0150"}
    assert {row["row_key"] for row in by_entity["tickets"]} == bad
    assert {row["row_key"] for row in by_entity["accounts"]} == {"crm:K2", None}
    assert len(by_entity["survey_responses"]) == len(exports().files[f"survey-{SECOND}.csv"]) == 5
    reasons = {row["row_key"]: row["reasons"] for row in waiting}
    assert "cast:timestamp" in reasons[f"desk:{tickets[0]['id']}"]
    assert "created_at" in reasons[f"desk:{tickets[1]['id']}"]
    assert "required:status" in reasons[f"desk:{tickets[2]['id']}"]
    assert "cast:decimal" in reasons["crm:K2"]
    assert "unreadable" in reasons[None]
    counts = {row["entity"]: row for row in company.rows("SELECT * FROM ops.batches WHERE run_id = 'night-2'")}
    assert counts["tickets"]["received_count"] == len(tickets) + 2
    assert (counts["tickets"]["quarantined_count"], counts["tickets"]["duplicate_count"]) == (4, 2)
    assert counts["accounts"]["quarantined_count"] == 2
    assert company.unbalanced() == []
    drift = company.rows("SELECT entity, kind FROM ops.drift_findings WHERE run_id = 'night-2' AND field = 'score'")
    assert [tuple(row.values()) for row in drift] == [("survey_responses", "type")]


def test_a_snapshot_with_unreadable_rows_deletes_nothing(night_of_bad_rows: Company) -> None:
    assert night_of_bad_rows.scalar("SELECT COUNT(*) FROM staging.accounts WHERE deleted_at IS NOT NULL") == 0


def test_no_value_of_a_person_is_stored_in_the_open(night_of_bad_rows: Company) -> None:
    """Owners are pseudonyms, comments are redacted, payloads encrypted: the pieces stand in no column of any table."""
    checked = 0
    for table, rows in night_of_bad_rows.tables("staging", "core", "ops").items():
        for row in rows:
            checked += 1
            open_text = [text for text in row if isinstance(text, str) and ("Surname" in text or "@firm" in text)]
            assert not open_text, table
    assert checked > 1000


def test_corrected_rows_in_a_back_fill_heal_everything(
    night_of_bad_rows: Company, wanted: dict, tmp_path: Path
) -> None:
    company = copy_company(night_of_bad_rows, tmp_path / "healed")
    deliver_again(company, SECOND)
    company.night(3)
    conf = {"window_start": "2026-03-27T23:00:00", "window_end": "2026-03-29T00:00:00", "reason": "corrected export"}
    company.night(3, run_id="corrected", conf=conf)
    assert_same_tables(company.tables(), wanted)
    assert company.unbalanced() == []


def test_a_newer_good_version_takes_its_quarantined_row_out_of_waiting(
    night_of_bad_rows: Company, tmp_path: Path
) -> None:
    company = copy_company(night_of_bad_rows, tmp_path / "superseded")
    query = "SELECT state, state_reason FROM ops.quarantined_rows WHERE row_key = 'desk:T0150'"
    assert [row["state"] for row in company.rows(query)] == ["waiting"]
    company.night(3)
    assert [tuple(row.values()) for row in company.rows(query)] == [("superseded", "a newer good version arrived")]
    assert company.scalar("SELECT status FROM staging.tickets WHERE ticket_id = 'desk:T0150'") == "open"


def test_files_with_a_header_alone_are_empty_batches_and_delete_nothing(company: Company, wanted: dict) -> None:
    for name, records in exports().files.items():
        if str(SECOND) in name and name.endswith(".csv"):
            header = encode(name, records).splitlines(keepends=True)[0]
            (company.inbox / name).write_bytes(header)
    (company.inbox / f"events-{SECOND}.jsonl").write_bytes(b"")
    company.night(2)
    counts = {row["entity"]: row for row in company.rows("SELECT * FROM ops.batches WHERE run_id = 'night-2'")}
    for entity in ("accounts", "customers", "ticket_events", "survey_responses"):
        assert (counts[entity]["received_count"], counts[entity]["deleted_count"]) == (0, 0)
    assert company.scalar("SELECT COUNT(*) FROM core.accounts WHERE NOT is_deleted") == 10
    assert company.unbalanced() == []
    deliver_again(company, SECOND)
    company.night(3)
    conf = {"window_start": "2026-03-27T23:00:00", "window_end": "2026-03-29T00:00:00", "reason": "the real files"}
    company.night(3, run_id="the-real-files", conf=conf)
    assert_same_tables(company.tables(), wanted)


def test_a_source_that_must_not_be_silent_fails_when_it_answers_nothing(company: Company) -> None:
    company.with_source("crm", lambda text: text.replace("format: csv\n", "format: csv\n    may_be_empty: false\n"))
    (company.inbox / f"accounts-{SECOND}.csv").write_text("number,desk_id,company,tier,owner,value,changed\n")
    error = error_of(second_extraction(company, "crm"))
    assert "no row in the window" in error.found
    assert "may_be_empty" in error.next_step


def test_a_day_without_a_file_leaves_the_watermark_and_comes_with_the_next_night(
    company: Company, wanted: dict
) -> None:
    for path in company.inbox.glob(f"*{SECOND}*"):
        path.unlink()
    marks = company.rows("SELECT source, complete_until FROM ops.watermarks ORDER BY source")
    company.night(2)
    assert company.rows("SELECT source, complete_until FROM ops.watermarks ORDER BY source") == marks
    deliver_again(company, SECOND)
    company.night(3)
    assert_same_tables(company.tables(), wanted)


@pytest.mark.parametrize("what", ["part", "raw", "manifest", "run.json"])
def test_a_spool_without_room_is_a_clear_error_and_the_same_run_goes_on_when_there_is_room(
    what: str, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_local = LocalFileSystem._open

    def refuse(self: LocalFileSystem, path: str, mode: str = "rb", **more: object) -> object:
        if "w" in mode and what in Path(path).name:
            raise OSError(errno.ENOSPC, "No space left on device", path)
        return open_local(self, path, mode=mode, **more)

    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "_open", refuse)
        error = error_of(lambda: second_extraction(company, "desk")())
        assert "No space left on device" in error.found
        assert "make room" in error.next_step
    assert read_manifest(company.settings, "night-2", "desk") is None
    assert second_extraction(company, "desk")()["received"] == 115


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes a disk of so many bytes, or gives the one that is there so many; needs the right to mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted: list[bool] = []

    def of_size(size: int) -> Path:
        options = f"remount,size={size}" if mounted else f"size={size}"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], capture_output=True)
        if done.returncode:
            pytest.skip("a disk of its own needs the right to mount (root)")
        mounted.append(True)
        return disk

    yield of_size
    if mounted:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_warehouse_without_room_is_a_clear_error_and_the_same_run_heals(
    first_night: Company, small_disk: Callable[[int], Path], tmp_path: Path, wanted: dict
) -> None:
    company = copy_company(first_night, tmp_path / "full")
    live = company.settings.warehouse_file
    disk = small_disk(live.stat().st_size + 200_000)
    (disk / live.name).write_bytes(live.read_bytes())
    full = found_company(company.home, f"duckdb:///{disk / live.name}")
    error = error_of(lambda: full.night(2))
    assert "no space left" in error.found
    assert "make room" in error.next_step
    small_disk(200_000_000)
    full.night(2)
    full.night(3)
    assert_same_tables(full.tables(), wanted)
    assert full.unbalanced() == []
