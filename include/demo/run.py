"""`make demo`: three nights and the weekly brief of the demo company, in Airflow, in one process.

    python include/demo/run.py              run what is new, print the path of the brief
    python include/demo/run.py --fresh      forget everything first
    python include/demo/run.py --prepare    only write the exports and the environment file

Running it again is safe: each night finds that its rows are known, and the brief stays the same one.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

if not __package__:  # started as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from include.demo import environment
from include.demo.company import LAST_WEEK, NIGHTS, week_of
from include.demo.troubles import expected

BRIEF_AFTER = week_of(NIGHTS[-1].date())  # the Monday after the last full week


class DemoFailed(Exception):
    """The one line that a user has to read."""


class Progress:
    """A few lines for people, each with the seconds since the start."""

    def __init__(self, out: TextIO, start: float) -> None:
        self._out, self._start = out, start

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self._start:6.1f} s  {text}", file=self._out, flush=True)

    def plain(self, text: str = "") -> None:
        print(text, file=self._out, flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="demo", description="Runs the demo company.")
    parser.add_argument("--fresh", action="store_true", help="forget earlier runs of the demo first")
    parser.add_argument("--prepare", action="store_true", help="only write the exports and the environment file")
    parser.add_argument("--home", type=Path, default=environment.HOME, help="where the demo lives (.hansei/demo)")
    options = parser.parse_args(arguments)
    home = options.home.absolute()
    start = time.monotonic()
    try:
        prepare(home, Progress(sys.stdout, start), options.fresh)
        if not options.prepare:
            with _quiet(home / "demo.log") as terminal:
                run(home, Progress(terminal, start))
    except DemoFailed as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    return 0


def prepare(home: Path, progress: Progress, fresh: bool = False) -> None:
    """Exports in `<home>/inbox`, the environment file, and both in this process's environment."""
    mark, fingerprint = home / "inbox" / ".made-by", environment.generator_fingerprint()
    is_current = mark.exists() and mark.read_text() == fingerprint
    if (home / "warehouse.duckdb").exists() and not mark.exists():
        raise DemoFailed(f"{home} holds a warehouse that the demo did not make: name another folder with --home")
    if fresh or not is_current:
        _forget(home)
        is_current = False
    environment.enter(home)
    progress.say(f"{expected()['company']}: {home}")
    if not is_current:
        from include.demo.write import write_exports

        files = write_exports(home / "inbox")
        mark.write_text(fingerprint)
        progress.say(f"wrote {len(files)} exports: 70 weeks of tickets, accounts, surveys, outages, bot sessions")


def _forget(home: Path) -> None:
    """Removes what earlier runs made; anything else in the folder stays."""
    for name in ("inbox", "spool", "archive", "airflow"):
        shutil.rmtree(home / name, ignore_errors=True)
    for pattern in ("*.duckdb*", "*.sqlite*", "demo.log", "*.lock"):
        for path in home.glob(pattern):
            path.unlink()


@contextmanager
def _quiet(log: Path) -> Iterator[TextIO]:
    """Sends everything that Airflow and its libraries print to a file; yields the terminal."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    try:
        with os.fdopen(os.dup(kept[0]), "w", encoding="utf-8") as terminal:
            yield terminal
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, original in enumerate(kept, start=1):
            os.dup2(original, number)
            os.close(original)
        os.close(descriptor)


def run(home: Path, progress: Progress) -> None:
    """Airflow's database, its pool, three nights, the brief, and what they found."""
    from hansei.settings import load_settings
    from hansei.warehouse import kept_open

    dags = _airflow()
    progress.say("Airflow is ready")
    for night in NIGHTS:
        # All tasks run in this process, and nobody else is there who would have to wait for the file.
        with kept_open(load_settings()):
            run_id = _run_dag(dags["nightly_indicators"], night, home)
        progress.say(f"night of {night:%A, %d %B %Y}: {_night_in_words(home, run_id)}")
    _run_dag(dags["improvement_review"], NIGHTS[-1], home, {"period_end": BRIEF_AFTER.isoformat()})
    progress.say(f"brief of the week from {LAST_WEEK:%d %B %Y}")
    _tell(home, progress)


def _airflow() -> dict[str, Any]:
    """The DAGs by id, over a migrated database in which the warehouse's pool exists."""
    from airflow.utils import db

    db.upgradedb()
    from airflow.dag_processing.dagbag import DagBag
    from airflow.models.pool import Pool

    from hansei.orchestration import WAREHOUSE_POOL

    Pool.create_or_update_pool(WAREHOUSE_POOL, 1, "the embedded warehouse admits one process at a time", False)
    bag = DagBag(dag_folder=str(environment.REPOSITORY / "dags"))
    if bag.import_errors:
        place, error = next(iter(bag.import_errors.items()))
        raise DemoFailed(f"{place} cannot be read: {error.strip().splitlines()[-1]}")
    return dict(bag.dags)


def _run_dag(dag: Any, moment: datetime, home: Path, conf: dict | None = None) -> str:
    """The id of one run of a DAG as its timetable would start it at `moment`; a failed run ends the demo."""
    run = dag.test(logical_date=moment, run_after=moment, run_conf=conf)
    if run.state != "success":
        raise DemoFailed(f"{dag.dag_id} of {moment:%d %B %Y} failed: {_reason(home / 'demo.log')}")
    return run.run_id


def _reason(log: Path) -> str:
    """The line that the failed task left, else the place to look."""
    sys.stdout.flush()
    reasons = re.findall(r"\S+ failed: .+ \| spoils: [^\[\n]+", log.read_text("utf-8", "replace"))
    return f"{reasons[-1].strip() if reasons else 'no task left a reason'} (all output: {log})"


def _night_in_words(home: Path, run_id: str) -> str:
    from include.demo.summary import Findings

    findings = Findings(home / "read.duckdb")
    try:
        received, accepted, quarantined, repeated = findings.counts(run_id)
    finally:
        findings.close()
    return f"{received:,} rows received, {accepted:,} accepted, {quarantined:,} quarantined, {repeated:,} repeated"


def _tell(home: Path, progress: Progress) -> None:
    """The summary, and as the last line the path of the brief."""
    from include.demo.summary import Findings, newest_brief, troubles_found

    findings = Findings(home / "read.duckdb")
    try:
        breaches, restated, alarms = findings.breaches(LAST_WEEK), findings.restated(), findings.alarms()
    finally:
        findings.close()
    progress.plain()
    progress.plain(
        f"{restated} weekly values were restated by rows that came late; {len(breaches)} thresholds are broken."
    )
    for what, is_found in troubles_found(breaches, expected()["last_full_week"]):
        progress.plain(f"  {'found ' if is_found else 'MISSED'}  {what}")
    progress.plain(f"{len(alarms)} alarms stand (`hansei alarms show ID` tells more):")
    for alarm, severity in alarms:
        progress.plain(f"  {alarm}, {severity}")
    progress.plain()
    progress.plain(f"The brief: {newest_brief(home)}")


if __name__ == "__main__":
    sys.exit(main())
