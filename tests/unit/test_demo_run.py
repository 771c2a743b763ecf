"""`make demo` before Airflow starts: its home, its secrets, and what it leaves alone."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from include.demo import environment, run, write  # noqa: E402


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Writes a file instead of the exports; this process's environment is restored afterwards."""
    written: list[Path] = []

    def write_little(directory: Path) -> list[Path]:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "tickets.jsonl").write_text("{}")
        written.append(directory)
        return [directory / "tickets.jsonl"]

    monkeypatch.setattr(write, "write_exports", write_little)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    return written


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path):
    first = environment.settings_of(tmp_path / "demo")
    file = tmp_path / "demo" / "keys.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert environment.settings_of(tmp_path / "demo") == first
    Fernet(first["HANSEI_QUARANTINE_KEY"])
    assert len(first["HANSEI_IDENTITY_KEY"]) >= 32
    assert environment.settings_of(tmp_path / "other")["HANSEI_IDENTITY_KEY"] != first["HANSEI_IDENTITY_KEY"]


def test_nobody_elses_warehouse_or_airflow_is_touched(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "HANSEI_WAREHOUSE", "postgresql+psycopg://production/quality")
    monkeypatch.setitem(os.environ, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://production/airflow")
    environment.enter(tmp_path)
    assert "HANSEI_WAREHOUSE" not in os.environ
    assert "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" not in os.environ
    assert os.environ["AIRFLOW_HOME"] == str(tmp_path / "airflow")


def test_a_folder_with_another_warehouse_is_refused(tmp_path, capsys, quick):
    (tmp_path / "warehouse.duckdb").write_text("mine")
    assert run.main(["--prepare", "--fresh", "--home", str(tmp_path)]) == 1
    assert "did not make" in capsys.readouterr().err
    assert (tmp_path / "warehouse.duckdb").read_text() == "mine"
    assert quick == []


def test_exports_are_written_once_and_again_when_the_generator_changes(tmp_path, monkeypatch, quick):
    assert run.main(["--prepare", "--home", str(tmp_path)]) == 0
    assert run.main(["--prepare", "--home", str(tmp_path)]) == 0
    assert len(quick) == 1
    (tmp_path / "warehouse.duckdb").write_text("of the old generator")
    (tmp_path / "notes.txt").write_text("mine")
    monkeypatch.setattr(environment, "generator_fingerprint", lambda: "another")
    assert run.main(["--prepare", "--home", str(tmp_path)]) == 0
    assert len(quick) == 2
    assert not (tmp_path / "warehouse.duckdb").exists()
    assert (tmp_path / "notes.txt").exists()
    assert (tmp_path / "keys.env").exists()


def test_the_reason_of_a_failed_run_is_the_line_that_its_task_left(tmp_path):
    log = tmp_path / "demo.log"
    log.write_text(
        "2026-09-13 [info] x failed to be interesting\n"
        "[error] nightly_indicators.publish[crm] failed: crm: no file: check the path | spoils: brief [hansei] x\n"
    )
    assert run._reason(log).startswith(
        "nightly_indicators.publish[crm] failed: crm: no file: check the path | spoils: brief ("
    )
    log.write_text("nothing")
    assert "no task left a reason" in run._reason(log)
