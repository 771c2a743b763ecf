"""The read copy follows the warehouse night by night, and holds nothing that only the pipeline should see."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from support.small_company import Company, copy_company

from hansei.catalog import load_catalog
from hansei.warehouse import open_read_copy, read_copy
from hansei.warehouse.changes import prune_changes
from hansei.warehouse.publication import record_changes

FOLLOWED = {
    "core.tickets": "ticket_id",
    "core.backlog_intervals": "ticket_id",
    "core.survey_responses": "response_id",
}
VIEWS = {
    "core.backlog_days",
    "core.churn_calibration",
    "core.crm_sync_totals",
    "core.procedure_nodes",
    "core.service_days",
    "core.service_periods",
    "core.status_transitions",
    "core.ticket_sla_states",
    "core.survey_unusable_answers",
    "indicators.benchmark_months",
    "indicators.breaches",
    "indicators.forecast_accuracy",
    "indicators.segments",
    "indicators.servqual_gaps",
    "indicators.survey_participation",
    "indicators.survey_reliability",
    "indicators.verdicts",
    "indicators.monthly_service_overview",
    "indicators.weekly_account_tier_overview",
    "indicators.weekly_channel_overview",
    "indicators.weekly_priority_overview",
    "indicators.weekly_service_overview",
    "indicators.weekly_team_overview",
}
# Reads a count, says so, and reads it again when it is told to: the connection stays open in between.
READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
for _ in range(2):
    print(connection.execute("SELECT COUNT(*) FROM core.tickets WHERE status = 'touched'").fetchone()[0], flush=True)
    sys.stdin.readline()
"""


def contents(rows: list[dict]) -> list[tuple]:
    return sorted((tuple(map(str, row.values())) for row in rows), key=str)


def assert_copy_is_the_warehouse(company: Company) -> None:
    with open_read_copy(company.settings) as copy:
        tables = copy.tables() - {read_copy.COPIED, "ops.quarantined_rows"}
        assert set(FOLLOWED) | {"indicators.breaches", "indicators.segments", "ops.batches"} <= tables
        copied = {table: contents(copy.rows(f"SELECT * FROM {table}")) for table in tables}
    with company.warehouse() as live:
        for table, rows in copied.items():
            assert rows == contents(live.rows(f"SELECT * FROM {table}")), table


def test_the_copy_equals_the_warehouse_after_every_night(
    first_night: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = copy_company(first_night, tmp_path)
    assert_copy_is_the_warehouse(company)
    followed = []
    original = read_copy._follow
    monkeypatch.setattr(read_copy, "FEWEST_UNCHANGED", 1)
    monkeypatch.setattr(read_copy, "_follow", lambda *given: (followed.append(given[1]), original(*given)))
    for number in (2, 3):
        company.night(number)
        assert_copy_is_the_warehouse(company)
        assert spare_position(company) < position(company)
    assert set(FOLLOWED) <= set(followed)

    company.settings.read_copy.write_bytes(b"not a database")
    company.night(3, run_id="again")
    assert_copy_is_the_warehouse(company)


def test_payloads_keys_and_landing_are_not_in_the_copy(second_night: Company) -> None:
    with open_read_copy(second_night.settings) as copy:
        schemas = {table.split(".")[0] for table in copy.tables()}
        assert schemas <= {"core", "indicators", "ops", "board"}
        assert not {"ops.changes", "ops.identity_keys"} & copy.tables()
        assert not {"payload", "row_key"} & set(copy.columns("ops.quarantined_rows"))
        assert copy.scalar("SELECT COUNT(*) FROM ops.quarantined_rows") > 0


@pytest.fixture(scope="module")
def shared(first_night: Company, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The company after one night, with both generations of its copy. Tests copy it and leave it as it is."""
    company = copy_company(first_night, tmp_path_factory.mktemp("shared"))
    publish(company)
    return company


@pytest.fixture
def company(shared: Company, tmp_path: Path) -> Company:
    return copy_company(shared, tmp_path / "copy")


def publish(company: Company) -> None:
    with company.warehouse() as live:
        read_copy.publish_read_copy(live, company.settings, FOLLOWED)


def position(company: Company, file: Path | None = None) -> int:
    with duckdb.connect(str(file or company.settings.read_copy), read_only=True) as copy:
        return copy.execute(f"SELECT MAX(position) FROM {read_copy.COPIED}").fetchone()[0]


def spare_position(company: Company) -> int:
    return position(company, read_copy.spare_of(company.settings.read_copy))


def touch(company: Company, number: int) -> None:
    """Changes one ticket in core, as a model would, and says so in the log."""
    with company.warehouse() as live:
        ticket = live.scalar(f"SELECT ticket_id FROM core.tickets ORDER BY ticket_id LIMIT 1 OFFSET {number}")
        live.execute("UPDATE core.tickets SET status = 'touched' WHERE ticket_id = :id", {"id": ticket})
        record_changes(live, "core.tickets", f"touch-{number}", f"SELECT '{ticket}' AS key, 'upsert' AS operation")


def test_no_file_is_copied_where_the_generation_before_can_be_brought_up_to_date(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(shutil, "copyfile")
    spare = read_copy.spare_of(company.settings.read_copy)
    for number in range(3):
        older, newer = spare.stat().st_ino, company.settings.read_copy.stat().st_ino
        touch(company, number)
        publish(company)
        assert (company.settings.read_copy.stat().st_ino, spare.stat().st_ino) == (older, newer)
        assert_copy_is_the_warehouse(company)


def test_views_stay_views_where_all_that_they_read_is_in_the_copy(company: Company) -> None:
    with company.warehouse() as live:
        live.execute("CREATE VIEW core.touched_tickets AS SELECT * FROM core.tickets WHERE status = 'touched'")
        live.execute("CREATE VIEW core.landed AS SELECT COUNT(*) AS events FROM staging.ticket_events")
    publish(company)
    touch(company, 0)
    publish(company)
    assert_copy_is_the_warehouse(company)
    with duckdb.connect(str(company.settings.read_copy), read_only=True) as copy:
        query = "SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE NOT internal"
        assert {row[0] for row in copy.execute(query).fetchall()} == VIEWS | {"core.touched_tickets"}
        assert copy.execute("SELECT COUNT(*) FROM core.touched_tickets").fetchone() == (1,)
        assert copy.execute("SELECT events FROM core.landed").fetchone()[0] > 0


@pytest.mark.parametrize("generation", ["newest", "spare"])
def test_who_reads_an_old_file_keeps_reading_it(company: Company, generation: str) -> None:
    files = {"newest": company.settings.read_copy, "spare": read_copy.spare_of(company.settings.read_copy)}
    command = [sys.executable, "-c", READER, str(files[generation])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout.readline() == "0\n"
        for number in range(3):
            touch(company, number)
            publish(company)
            assert_copy_is_the_warehouse(company)
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "0\n"
        reader.communicate("\n")
    assert reader.returncode == 0


def test_a_reader_in_the_same_process_keeps_its_file_too(company: Company) -> None:
    with duckdb.connect(str(company.settings.read_copy), read_only=True) as reader:
        for number in range(3):
            touch(company, number)
            publish(company)
        assert reader.execute("SELECT COUNT(*) FROM core.tickets WHERE status = 'touched'").fetchone() == (0,)
    assert_copy_is_the_warehouse(company)


def test_a_model_that_was_rebuilt_is_copied_whole(company: Company) -> None:
    with company.warehouse() as live:
        live.execute("UPDATE core.tickets SET status = 'rebuilt'")
        record_changes(live, "core.tickets", "rebuild", "SELECT '*' AS key, 'rebuild' AS operation")
    for number in range(2):
        publish(company)
        assert_copy_is_the_warehouse(company)
        touch(company, number)


def test_a_copy_from_before_the_log_was_cleared_is_written_whole(company: Company, tmp_path: Path) -> None:
    backup = tmp_path / "backup.duckdb"
    shutil.copyfile(company.settings.read_copy, backup)
    for number in range(3):
        touch(company, number)
        publish(company)
    with company.warehouse() as live:
        copied = read_copy.copied_position(live, company.settings)
        due = live.scalar("SELECT MAX(as_of) FROM ops.runs") + timedelta(days=1)
        live.execute("UPDATE ops.changes SET run_id = (SELECT MAX(run_id) FROM ops.runs)")
        live.execute(f"UPDATE ops.model_states SET position = {copied} WHERE position > 0")
        prune_changes(live, load_catalog(company.settings), due, "night-1", copied)
        assert live.scalar("SELECT MIN(change_id) FROM ops.changes") > position(company, backup) + 1
    shutil.copyfile(backup, company.settings.read_copy)
    read_copy.spare_of(company.settings.read_copy).unlink()
    publish(company)
    assert_copy_is_the_warehouse(company)


def test_a_copy_of_another_warehouse_is_written_whole(company: Company) -> None:
    with company.warehouse() as live:
        live.execute("UPDATE ops.runs SET started_at = started_at + INTERVAL '1 day'")
        live.execute("UPDATE core.tickets SET status = 'of another warehouse'")
    publish(company)
    assert_copy_is_the_warehouse(company)
