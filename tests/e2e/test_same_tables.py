"""Promise 2: the same input leaves the same tables, however often, in whatever order and on whichever engine."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.small_company import (
    BAD_RESPONSE,
    BAD_TICKET,
    DAYS,
    NIGHTS,
    TICKETS,
    Company,
    assert_same_tables,
    copy_company,
    exports,
    found_company,
    other_key,
)

from hansei import pipeline
from hansei.errors import HanseiError

Tables = dict[str, list[tuple]]
INDICATORS_WITH_VALUES = 9  # NPS has no answers here


@pytest.fixture(scope="module")
def wanted(third_night: Company) -> Tables:
    return third_night.tables()


@pytest.fixture
def company(third_night: Company, tmp_path: Path) -> Company:
    """A copy of the company after its three nights, one after the other."""
    return copy_company(third_night, tmp_path / "copy")


def test_the_company_has_what_the_other_tests_are_about(third_night: Company, wanted: Tables) -> None:
    assert len(wanted["core.tickets"]) == TICKETS
    filled = third_night.scalar("SELECT COUNT(DISTINCT indicator) FROM indicators.indicator_values WHERE state = 'ok'")
    assert filled >= INDICATORS_WITH_VALUES - 3
    assert third_night.scalar("SELECT COUNT(*) FROM ops.restatements WHERE reason = 'late_data'") > 0
    states = third_night.rows("SELECT row_key, state FROM ops.quarantined_rows ORDER BY row_key")
    assert [tuple(row.values()) for row in states] == [
        (f"desk:{BAD_TICKET}", "superseded"),
        (f"feedback:{BAD_RESPONSE}", "waiting"),
    ]
    assert third_night.scalar("SELECT COUNT(*) FROM core.accounts WHERE is_deleted") == 1
    assert third_night.scalar("SELECT tier FROM core.accounts WHERE account_id = 'crm:K3'") == "platinum"
    assert third_night.scalar("SELECT COUNT(*) FROM core.account_versions WHERE account_id = 'crm:K3'") == 2
    assert third_night.unbalanced() == []
    assert third_night.scalar("SELECT COUNT(*) FROM ops.batches") == 15


def test_readers_find_the_same_tables_in_the_copy(third_night: Company, wanted: Tables) -> None:
    assert_same_tables(third_night.copied_tables(), wanted)


def test_a_night_run_again_under_its_own_id_changes_nothing(company: Company, wanted: Tables) -> None:
    batches = company.tables("ops")["ops.batches"]
    company.night(3)
    assert_same_tables(company.tables(), wanted)
    assert company.tables("ops")["ops.batches"] == batches


def test_a_night_run_again_as_another_run_finds_only_duplicates(company: Company, wanted: Tables) -> None:
    restated = company.scalar("SELECT COUNT(*) FROM ops.restatements")
    run_id = company.night(3, run_id="night-3-again")
    assert_same_tables(company.tables(), wanted)
    counts = company.rows("SELECT * FROM ops.batches WHERE run_id = :run_id", run_id=run_id)
    assert sum(row["received_count"] for row in counts) == sum(row["duplicate_count"] for row in counts) > 0
    assert company.scalar("SELECT COUNT(*) FROM ops.restatements") == restated
    assert company.unbalanced() == []


def test_rows_in_another_order_give_the_same_tables(tmp_path: Path, wanted: Tables) -> None:
    company = found_company(tmp_path / "shuffled")
    exports().write(company.inbox, shuffle=7)
    for number in (1, 2, 3):
        company.night(number)
    assert_same_tables(company.tables(), wanted)


def test_postgresql_gives_the_same_tables(third_night_on_server: Company, wanted: Tables) -> None:
    assert_same_tables(third_night_on_server.tables(), wanted)
    assert third_night_on_server.unbalanced() == []


def test_a_missed_night_heals_itself(first_night: Company, tmp_path: Path, wanted: Tables) -> None:
    company = copy_company(first_night, tmp_path / "missed")
    company.night(3)
    assert_same_tables(company.tables(), wanted)
    window = company.rows(
        "SELECT window_start, window_end FROM ops.source_runs WHERE run_id = 'night-3' AND source = 'desk'"
    )
    covered_by_first = datetime(2026, 3, 27, 23)  # midnight of Berlin in winter
    assert [tuple(row.values()) for row in window] == [(covered_by_first, NIGHTS[2])]


def test_a_back_fill_goes_its_way_and_moves_nothing_back(company: Company, wanted: Tables) -> None:
    marks = company.rows("SELECT source, complete_until FROM ops.watermarks ORDER BY source")
    conf = {"window_start": "2026-03-28T00:00:00", "window_end": "2026-03-29T00:00:00", "reason": "a second look"}
    company.night(3, run_id="back-fill", conf=conf)
    run = company.rows("SELECT kind, reason, as_of FROM ops.runs WHERE run_id = 'back-fill'")
    assert [tuple(row.values()) for row in run] == [("backfill", "a second look", NIGHTS[2])]
    windows = company.rows("SELECT DISTINCT window_start, window_end FROM ops.source_runs WHERE run_id = 'back-fill'")
    assert [tuple(row.values()) for row in windows] == [(datetime(2026, 3, 28), datetime(2026, 3, 29))]
    received = company.scalar("SELECT SUM(received_count) FROM ops.batches WHERE run_id = 'back-fill'")
    assert received > 100
    assert company.rows("SELECT source, complete_until FROM ops.watermarks ORDER BY source") == marks
    assert_same_tables(company.tables(), wanted)
    assert company.unbalanced() == []


def test_a_back_fill_of_a_day_that_no_night_covered_brings_its_rows(tmp_path: Path, wanted: Tables) -> None:
    """Night 2 found an empty inbox for its day and night 3 began after it; the back-fill heals what that lost."""
    company = found_company(tmp_path / "gap")
    exports().write(company.inbox, names=lambda name: str(DAYS[1]) not in name)
    company.night(1)
    company.night(3)
    assert company.tables()["core.tickets"] != wanted["core.tickets"]
    exports().write(company.inbox, names=lambda name: str(DAYS[1]) in name)
    conf = {"window_start": "2026-03-27T23:00:00", "window_end": "2026-03-29T00:00:00", "reason": "files came late"}
    company.night(3, run_id="back-fill", conf=conf)
    assert_same_tables(company.tables(), wanted)


@pytest.mark.parametrize(
    "conf",
    [
        {"window_start": "2026-03-28T00:00:00"},
        {"window_start": "yesterday", "window_end": "2026-03-29T00:00:00"},
        {"window_start": "2026-03-29T00:00:00", "window_end": "2026-03-28T00:00:00"},
    ],
)
def test_a_back_fill_whose_window_is_wrong_is_refused_before_anything_is_stored(conf: dict, tmp_path: Path) -> None:
    company = found_company(tmp_path / "wrong")
    with pytest.raises(HanseiError, match="run configuration"):
        pipeline.open_run(company.context(NIGHTS[0]), "back-fill", conf=conf)
    assert company.scalar("SELECT COUNT(*) FROM ops.runs") == 0


def test_a_night_of_the_past_never_takes_core_back(company: Company, wanted: Tables) -> None:
    company.night(2, run_id="an-old-night")
    assert company.scalar("SELECT as_of FROM ops.runs WHERE run_id = 'an-old-night'") == NIGHTS[2]
    assert_same_tables(company.tables(), wanted)


def test_a_failed_source_stops_no_other_and_the_next_night_heals_it(
    first_night: Company, tmp_path: Path, wanted: Tables
) -> None:
    company = copy_company(first_night, tmp_path / "failing")
    mark = "SELECT complete_until FROM ops.watermarks WHERE source = 'crm'"
    before = company.scalar(mark)
    for path in company.inbox.glob("accounts-*"):
        path.rename(path.with_suffix(".away"))
    with pytest.raises(HanseiError, match=r"crm failed .*no file matches") as caught:
        company.night(2)
    assert "desk" not in str(caught.value)
    states = company.rows("SELECT source, state FROM ops.source_runs WHERE run_id = 'night-2' ORDER BY source")
    assert [row["state"] for row in states] == ["failed", "published", "published"]
    assert company.scalar("SELECT state FROM ops.runs WHERE run_id = 'night-2'") == "failed"
    assert company.scalar("SELECT COUNT(*) FROM core.tickets") > 190
    assert company.scalar(mark) == before
    assert company.unbalanced() == []

    for path in company.inbox.glob("accounts-*"):
        path.rename(path.with_suffix(".csv"))
    company.night(3)
    assert_same_tables(company.tables(), wanted)
    assert company.unbalanced() == []


def test_a_changed_identity_key_stops_the_run_before_it_starts(company: Company) -> None:
    before = company.tables("core", "indicators", "ops")
    end = NIGHTS[2] + timedelta(days=1)
    context = other_key(company).context(end)
    with pytest.raises(HanseiError) as caught:
        pipeline.run_night(context, "night-4", (NIGHTS[2], end))
    assert caught.value.place == "HANSEI_IDENTITY_KEY"
    assert "j" * 10 not in str(caught.value)
    assert "set the earlier key" in caught.value.next_step
    assert company.tables("core", "indicators", "ops") == before
