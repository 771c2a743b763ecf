"""One thread serves a small DuckDB file; a file that has grown gets DuckDB's own number."""

import duckdb

from hansei.settings import load_settings
from hansei.warehouse import open_warehouse, threads

THREADS = "SELECT current_setting('threads')"


def sparse(file, size):
    with file.open("wb") as opened:
        opened.truncate(size)


def test_the_log_counts_with_its_file(tmp_path):
    file = tmp_path / "warehouse.duckdb"
    assert threads.is_small(file)
    sparse(file, 64 * 1024**2 - 100)
    assert threads.is_small(file)
    sparse(tmp_path / "warehouse.duckdb.wal", 100)
    assert not threads.is_small(file)


def test_a_warehouse_that_grows_gets_every_thread_from_its_next_transaction_on(tmp_path, monkeypatch):
    with duckdb.connect() as untouched:
        usual = untouched.execute(THREADS).fetchone()[0]
    with open_warehouse(load_settings({"HANSEI_HOME": str(tmp_path)})) as warehouse:
        assert warehouse.scalar(THREADS) == 1
        with warehouse.transaction():
            monkeypatch.setattr(threads, "SMALL_BYTES", 1)
            warehouse.execute("CREATE TABLE staging.grown AS SELECT 1 AS one")
            assert warehouse.scalar(THREADS) == 1
        with warehouse.transaction():
            assert warehouse.scalar(THREADS) == usual
        monkeypatch.undo()
        with warehouse.transaction():
            assert warehouse.scalar(THREADS) == 1
