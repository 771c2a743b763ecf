"""A warehouse that is kept open between stages: one connection, and a file that is free afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hansei.settings import Settings
from hansei.warehouse import kept_open, open_warehouse

COUNT_TEMPORARY = "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'run_left'"


def test_who_opens_it_within_the_block_gets_the_connection_that_is_open(settings: Settings) -> None:
    with kept_open(settings):
        with open_warehouse(settings) as first:
            first.execute("CREATE TEMPORARY TABLE run_left (key INTEGER)")
        with open_warehouse(settings) as second:
            assert second is first
            assert second.scalar(COUNT_TEMPORARY) == 1
    with open_warehouse(settings) as later:
        assert later.scalar(COUNT_TEMPORARY) == 0


def test_after_an_error_the_next_use_finds_nothing_that_the_failed_one_left(settings: Settings) -> None:
    with kept_open(settings):
        with pytest.raises(ZeroDivisionError):
            _fail(settings)
        with open_warehouse(settings) as next_one:
            assert next_one.scalar(COUNT_TEMPORARY) == 0


def _fail(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        warehouse.execute("CREATE TEMPORARY TABLE run_left (key INTEGER)")
        raise ZeroDivisionError


@pytest.mark.parametrize("engine_url", ["duckdb"], indirect=True)
def test_another_process_may_open_the_file_after_the_block(settings: Settings) -> None:
    other = [sys.executable, "-c", "import sys, duckdb; duckdb.connect(sys.argv[1])", str(settings.warehouse_file)]
    with kept_open(settings):
        with open_warehouse(settings):
            pass
        assert subprocess.run(other, capture_output=True, check=False).returncode != 0
    assert subprocess.run(other, capture_output=True, check=False).returncode == 0


def test_parameters_colons_and_many_records_reach_the_engine_as_they_were_written(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        warehouse.execute("CREATE TABLE ops.written (number INTEGER, word TEXT)")
        records = [{"number": number, "word": f"it's :{number} $1"} for number in range(450)]
        assert warehouse.insert("ops.written", records) == 450
        query = "SELECT number, word, CAST(number AS TEXT) || '\\:x' AS joined FROM ops.written WHERE word = :word"
        found = warehouse.rows(query, {"word": "it's :449 $1", "unused": 1})
        assert found == [{"number": 449, "word": "it's :449 $1", "joined": "449:x"}]
        assert warehouse.execute("DELETE FROM ops.written WHERE number < :limit", {"limit": 400}) == 400
