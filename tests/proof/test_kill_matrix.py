"""Promise 1 under kill -9: wherever a night dies, the same run started again leaves what an undisturbed one leaves.

Night 3 is killed after night 2 was missed, so that one run meets late rows, duplicates, a quarantined row and the
newer version that supersedes it, a raised tier and a deleted account.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.databases import create_database, drop_database
from support.kill_points import KillPoint, night_in_a_process
from support.small_company import NIGHTS, Company, assert_same_tables, copy_company, exports, found_company

from hansei import board, pipeline
from hansei.board import tables
from hansei.warehouse.read_copy import spare_of

pytestmark = pytest.mark.proof

NIGHTLY = "hansei.pipeline.nightly"
INTAKE = "hansei.quality.intake"
PUBLICATION = "hansei.warehouse.publication"
REFRESH = "hansei.warehouse.refresh:Family"
MEASURE = "hansei.indicators.measure"
SPOOL = "hansei.sources.spool"
READ_COPY = "hansei.warehouse.read_copy"
ALARMING = "hansei.pipeline.alarming"
BOARD_ALARMS = "hansei.board.alarms"
# Three slow weeks in a row: what opens the company's alarm is only known in night 3.
SLOW_REPLIES = """\
id: slow_replies
indicator: first_reply_median
kind: static
grain: week
segments: [all, "team=*"]
critical: 1
unit: minutes
reason: A minute is what this test allows.
owner: service-desk
approver: head of service
valid_from: 2026-03-01
alarm: {periods_to_open: 3}
"""


def before(target: str, ordinal: int = 1, where: str = "") -> KillPoint:
    return KillPoint("before", target, ordinal, where)


def after(target: str, ordinal: int = 1, where: str = "") -> KillPoint:
    return KillPoint("after", target, ordinal, where)


BETWEEN_STAGES = [
    after(f"{NIGHTLY}:_store_run"),  # the run is written but not committed
    before(f"{NIGHTLY}:_write_windows"),  # committed, and extraction cannot know its windows yet
    after(f"{NIGHTLY}:open_run"),
    after(f"{NIGHTLY}:extract", 1),
    after(f"{NIGHTLY}:publish", 1),
    after(f"{NIGHTLY}:extract", 2),
    after(f"{NIGHTLY}:publish", 2),
    after(f"{NIGHTLY}:publish", 3),
    after(f"{NIGHTLY}:model"),
    after(f"{NIGHTLY}:measure"),
    after(f"{NIGHTLY}:judge"),
    after(f"{NIGHTLY}:share"),
]
INSIDE_EXTRACT = [
    after(f"{SPOOL}:BatchWriter.write_raw", 3),
    after(f"{SPOOL}:BatchWriter._write_part", 3),
    before(f"{SPOOL}:BatchWriter.finish", 2),  # every part is there, the manifest is not
]
INSIDE_PUBLISH = [
    after(f"{INTAKE}:land", 3),
    after(f"{PUBLICATION}:_keep_versions"),
    after(f"{INTAKE}:Intake._publish_entity", 3),  # two entities of the source are merged, the third is not
    after(f"{INTAKE}:Intake._close", 2),  # everything is written, nothing is committed
    before(f"{INTAKE}:discard_raw", 2),  # committed, and the raw rows are still in the spool
]
INSIDE_MODEL = [
    after(f"{REFRESH}._refresh_one", 2),
    # Models of one family work on keys that were looked up once; each commits by itself.
    after(f"{REFRESH}._refresh_one", 1, "table='core.ticket_time_segments'"),
    after(f"{REFRESH}._exchange", 1, "table='core.tickets'"),  # rows are replaced, the position has not moved
    before(f"{REFRESH}._refresh_one", 1, "table='core.backlog_intervals'"),
    after(f"{REFRESH}._refresh_one", 1, "table='core.first_contact_resolutions'"),
]
INSIDE_MEASURE = [
    after(f"{MEASURE}:Measurement._settle_collected", 1),
    after(f"{MEASURE}:Measurement._measure_table", 1),
    after(f"{MEASURE}:Measurement._measure_table", 2),
]
INSIDE_ALARMS = [
    before(f"{ALARMING}:read_found"),
    after(f"{BOARD_ALARMS}:open_alarm"),  # the alarm is written and not committed
    before(f"{BOARD_ALARMS}:keep_book"),  # everything else is written and not committed
    after(f"{NIGHTLY}:raise_alarms"),  # committed, and the stage is not over
    before(f"{NIGHTLY}:notify"),
    after(f"{NIGHTLY}:notify"),
]
INSIDE_SHARE = [
    after(f"{NIGHTLY}:judge_everything"),
    after(f"{NIGHTLY}:mirror_board"),
    before(f"{NIGHTLY}:publish_read_copy"),
    before("os:replace", 1, "read.duckdb"),
    after("os:replace", 1, "read.duckdb"),
]
# With both generations of the read copy there, the older one is renamed, written, linked and swapped in.
INSIDE_SWAP = [
    after("os:rename", 1, "read.previous.duckdb"),
    after(f"{READ_COPY}:_fill"),
    after("os:link", 1, "read.previous.duckdb"),  # both names are on the file that readers open
    after("os:replace", 1, "read.duckdb"),
]
MATRIX = [
    *BETWEEN_STAGES,
    *INSIDE_EXTRACT,
    *INSIDE_PUBLISH,
    *INSIDE_MODEL,
    *INSIDE_MEASURE,
    *INSIDE_ALARMS,
    *INSIDE_SHARE,
]
ON_POSTGRESQL = [
    before(f"{NIGHTLY}:_write_windows"),
    after(f"{INTAKE}:Intake._close", 2),
    before(f"{INTAKE}:discard_raw", 2),
    after(f"{REFRESH}._exchange", 1, "table='core.tickets'"),
    after(f"{MEASURE}:Measurement._settle_collected", 1),
    before(f"{BOARD_ALARMS}:keep_book"),
    after(f"{NIGHTLY}:raise_alarms"),
]
# What no two runs share: ciphertexts are salted, and how often a killed run had begun is its own affair.
SALTED = ("ops.quarantined_rows", "ops.definitions_in_force", "ops.changes", "ops.model_states", "ops.check_results")


def everything(company: Company) -> dict[str, list[tuple]]:
    """Core, indicators, staging and the pipeline's own books, as far as two runs of one night can agree on them."""
    tables = company.tables("core", "indicators", "staging", "ops")
    found = {name: rows for name, rows in tables.items() if name not in SALTED and not name.endswith("_touched")}
    query = "SELECT source, entity, row_key, reasons, seen_count, state FROM ops.quarantined_rows ORDER BY row_key"
    found["quarantine"] = [tuple(row.values()) for row in company.rows(query)]
    query = (
        "SELECT table_name, key, operation, COUNT(*) AS times FROM ops.changes WHERE run_id = 'night-3' "
        "AND table_name LIKE 'staging.%' GROUP BY table_name, key, operation ORDER BY table_name, key, operation"
    )
    found["changes"] = [tuple(row.values()) for row in company.rows(query)]
    query = (
        "SELECT run_id, source, entity, check_id, result, checked_count, failed_count FROM ops.check_results "
        "WHERE scope <> 'model' ORDER BY run_id, source, entity, check_id"
    )
    found["checks"] = [tuple(row.values()) for row in company.rows(query)]
    return found | alarms_of(company)


def alarms_of(company: Company) -> dict[str, list[tuple]]:
    """All that the board keeps of alarms, to the last column: a repeated night may not even move an instant."""
    engine = board.open(company.settings)
    found = {}
    with engine.connect() as connection:
        for table in ("alarms", "alarm_parts", "alarm_events", "alarm_book"):
            columns = tables.metadata.tables[table]
            rows = connection.execute(sa.select(columns).order_by(*columns.primary_key))
            found[f"board.{table}"] = [tuple(row) for row in rows]
    engine.dispose()
    return found


def employ(home: Path, warehouse_url: str | None = None) -> Company:
    """The company, with a threshold whose alarm opens in night 3."""
    company = found_company(home, warehouse_url)
    (home / "definitions" / "thresholds" / "slow_replies.yaml").write_text(SLOW_REPLIES)
    return company


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The company after its first night."""
    company = employ(tmp_path_factory.mktemp("prepared"))
    exports().write(company.inbox)
    company.night(1)
    return company


@pytest.fixture(scope="module")
def undisturbed(prepared: Company, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple]]:
    company = copy_company(prepared, tmp_path_factory.mktemp("undisturbed"))
    assert night_in_a_process(company, 3) == 0
    assert company.unbalanced() == []
    found = everything(company)
    opened = {row[1]: row[3] for row in found["board.alarm_events"]}
    assert opened == {"source_sla_attainment-2026-W12": NIGHTS[0], "first_reply_median-2026-W13": NIGHTS[2]}
    return found


@pytest.mark.parametrize("point", MATRIX, ids=str)
def test_a_night_killed_anywhere_is_finished_by_the_same_run(
    point: KillPoint, prepared: Company, undisturbed: dict[str, list[tuple]], tmp_path: Path
) -> None:
    company = copy_company(prepared, tmp_path / "killed")
    assert night_in_a_process(company, 3, point) == -9, "the point was never reached"
    assert company.unbalanced() == []
    assert night_in_a_process(company, 3) == 0
    assert_same_tables(everything(company), undisturbed)
    assert company.unbalanced() == []
    assert_nothing_is_left_over(company)


@pytest.fixture(scope="module")
def prepared_twice(prepared: Company, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The company after its first night, whose read copy was published twice: both generations are there."""
    company = copy_company(prepared, tmp_path_factory.mktemp("prepared_twice"))
    pipeline.share(company.context(NIGHTS[0]), "night-1")
    assert spare_of(company.settings.read_copy).exists()
    return company


@pytest.mark.parametrize("point", INSIDE_SWAP, ids=str)
def test_readers_find_a_whole_copy_wherever_the_swap_is_killed(
    point: KillPoint, prepared_twice: Company, undisturbed: dict[str, list[tuple]], tmp_path: Path
) -> None:
    company = copy_company(prepared_twice, tmp_path / "killed")
    known = company.copied_table("core.tickets")
    assert night_in_a_process(company, 3, point) == -9, "the point was never reached"
    is_swapped = point.target == "os:replace"
    assert (company.copied_table("core.tickets") == known) is not is_swapped
    assert night_in_a_process(company, 3) == 0
    assert_same_tables(everything(company), undisturbed)
    assert_nothing_is_left_over(company)
    # The generation that this night left as the spare is sound as well: the next one takes it up.
    pipeline.share(company.context(NIGHTS[2]), "night-3")
    assert_same_tables(company.copied_tables(), company.tables())


def assert_nothing_is_left_over(company: Company) -> None:
    """No half-written file, no raw row that publication had to discard, and a read copy of this night."""
    left = [path.name for path in company.home.rglob(".*") if path.is_file()]
    left += [path.name for path in (company.home / "spool" / "night-3").rglob("raw-*")]
    assert left == []
    manifests = sorted((company.home / "spool" / "night-3").rglob("manifest.json"))
    assert [path.parent.name for path in manifests] == ["crm", "desk", "feedback"]
    assert all(json.loads(path.read_text())["run_id"] == "night-3" for path in manifests)
    assert company.is_copied()


@pytest.fixture(scope="module")
def prepared_server(
    postgres_url: sa.URL, prepared: Company, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Company, str]]:
    """The company after its first night on PostgreSQL, and the name of the database that tests copy."""
    name = "killed_template"
    create_database(postgres_url, name)
    home = tmp_path_factory.mktemp("server")
    company = employ(home, postgres_url.set(database=name).render_as_string(hide_password=False))
    exports().write(company.inbox)
    company.night(1)
    yield company, name
    drop_database(postgres_url, name)


@pytest.mark.parametrize("point", ON_POSTGRESQL, ids=str)
def test_a_night_killed_on_postgresql_is_finished_by_the_same_run(
    point: KillPoint,
    prepared_server: tuple[Company, str],
    postgres_url: sa.URL,
    undisturbed: dict[str, list[tuple]],
    tmp_path: Path,
) -> None:
    company, template = prepared_server
    name = f"killed_{ON_POSTGRESQL.index(point)}"
    create_database(postgres_url, name, template)
    try:
        copy_company(company, tmp_path / "killed")
        url = postgres_url.set(database=name).render_as_string(hide_password=False)
        killed = found_company(tmp_path / "killed", url)
        assert night_in_a_process(killed, 3, point) == -9, "the point was never reached"
        assert night_in_a_process(killed, 3) == 0
        assert_same_tables(everything(killed), undisturbed)
        assert killed.unbalanced() == []
    finally:
        drop_database(postgres_url, name)
