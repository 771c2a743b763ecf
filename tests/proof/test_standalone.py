"""A real scheduler: `make airflow` on the demo company, both DAGs scheduled and triggered through REST until green.

What `airflow dags test` cannot show is here: separate processes for tasks, the pool, mapped groups under the scheduler,
the sensor, the execution API on another port, and an end that leaves no process behind.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
import sqlalchemy as sa

pytestmark = pytest.mark.proof

START_SECONDS = 240
RUN_SECONDS = 420
STOP_SECONDS = 90
LAST_WEEK_ENDS = "2026-09-14"  # the Monday after the demo's last full week


class Standalone:
    """`scripts/airflow-standalone.sh` in a home of its own, and its REST API."""

    def __init__(self, repository: Path, directory: Path) -> None:
        self.airflow_home, self.home = directory / "airflow", directory / "hansei"
        self.port = _free_port()
        self.log = directory / "standalone.log"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "PORT": str(self.port),
            "AIRFLOW_HOME": str(self.airflow_home),
            "HANSEI_HOME": str(self.home),
            "HANSEI_RETRY_DELAY_SECONDS": "1",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [repository / "scripts/airflow-standalone.sh"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.token: str | None = None

    def wait_until_up(self) -> None:
        self._wait(lambda: "Airflow is at" in self.log.read_text("utf-8", "replace"), START_SECONDS)
        passwords = json.loads((self.airflow_home / "simple_auth_manager_passwords.json.generated").read_text())
        self.token = self.call("POST", "/auth/token", {"username": "admin", "password": passwords["admin"]})[
            "access_token"
        ]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"}
            | ({"Authorization": f"Bearer {self.token}"} if self.token else {}),
        )
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.loads(answer.read() or b"null")

    def unpause(self, dag_id: str) -> None:
        """Airflow then starts the run of the newest interval by itself."""
        self._wait(lambda: self._knows(dag_id), 120)
        self.call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def _knows(self, dag_id: str) -> bool:
        try:
            self.call("GET", f"/api/v2/dags/{dag_id}")
        except urllib.error.HTTPError:
            return False
        return True

    def trigger(self, dag_id: str, **conf: str) -> str:
        body = {"logical_date": None, "conf": conf}
        return self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)["dag_run_id"]

    def scheduled_run(self, dag_id: str) -> str:
        def runs() -> list[str]:
            found = self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns?run_type=scheduled")["dag_runs"]
            return [run["dag_run_id"] for run in found]

        self._wait(lambda: bool(runs()), 120)
        return runs()[0]

    def settle_waiting(self, dag_id: str, run_id: str) -> None:
        """Ends a run that waits for data of a week that has just ended, as it does until the deadline of a review."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"

        def is_over_or_waits() -> bool:
            found = self.call("GET", f"{path}/taskInstances?limit=100")["task_instances"]
            states = {instance["state"] for instance in found}
            waits = "up_for_reschedule" in states and not states & {"running", "queued", "scheduled"}
            return waits or self.call("GET", path)["state"] in ("success", "failed")

        self._wait(is_over_or_waits, RUN_SECONDS)
        if self.call("GET", path)["state"] == "running":
            self.call("PATCH", path, {"state": "success"})
        self.finished(dag_id, run_id)

    def finished(self, dag_id: str, run_id: str) -> dict[str, list[str]]:
        """Task states by task id of a run that ended well; a run that did not fails here, with its log's last lines."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"
        self._wait(lambda: self.call("GET", path)["state"] in ("success", "failed"), RUN_SECONDS)
        states: dict[str, list[str]] = {}
        for instance in self.call("GET", f"{path}/taskInstances?limit=100")["task_instances"]:
            states.setdefault(instance["task_id"], []).append(instance["state"])
        assert self.call("GET", path)["state"] == "success", f"{states}\n{self._reasons()}"
        return states

    def _reasons(self) -> str:
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return "\n".join([line for line in lines if " failed: " in line or "Error" in line][-20:])

    def _wait(self, is_so: Any, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._is_so(is_so):
            assert self.process.poll() is None, self.log.read_text("utf-8", "replace")[-3000:]
            assert time.monotonic() < deadline, f"not after {seconds} s\n{self._reasons()}"
            time.sleep(1)

    @staticmethod
    def _is_so(is_so: Any) -> bool:
        """A busy machine may leave a question unanswered: that is not yet, until the deadline says otherwise."""
        try:
            return is_so()
        except TimeoutError:
            return False

    def processes(self) -> list[str]:
        """Command lines of every process that was started for this home."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("AIRFLOW_HOME") == str(self.airflow_home):
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:
                continue
        return found

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


@pytest.fixture
def standalone(repository: Path, tmp_path: Path) -> Iterator[Standalone]:
    airflow = Standalone(repository, tmp_path)
    yield airflow
    if airflow.process.poll() is None:
        airflow.stop(signal.SIGTERM)


def test_both_dags_turn_green_under_a_real_scheduler_and_nothing_is_left(standalone: Standalone) -> None:
    standalone.wait_until_up()

    standalone.unpause("nightly_indicators")
    night = standalone.finished("nightly_indicators", standalone.scheduled_run("nightly_indicators"))
    stages = {"open_run", "model", "measure", "judge", "share", "notify", "close_run"}
    assert set(night) == {*stages, "one_source.extract", "one_source.publish"}
    assert len(night["one_source.publish"]) == 6  # help desk, help centre, CRM, feedback, studies, operations
    assert {state for states in night.values() for state in states} == {"success"}
    standalone.finished("nightly_indicators", standalone.trigger("nightly_indicators"))

    standalone.unpause("improvement_review")
    standalone.settle_waiting("improvement_review", standalone.scheduled_run("improvement_review"))
    run_id = standalone.trigger("improvement_review", period_end=LAST_WEEK_ENDS)
    review = standalone.finished("improvement_review", run_id)
    steps = {"wait_until_ready", "build_review", "deliver_reviews"}
    assert set(review) == {"list_reviews", *(f"one_review.{step}" for step in steps)}
    assert {state for states in review.values() for state in states} == {"success"}
    board = sa.create_engine(f"sqlite:///{standalone.home / 'board.sqlite'}")
    with board.connect() as connection:
        query = (
            "SELECT document_path FROM reviews "
            "WHERE about = 'all' AND period_start = '2026-09-07' AND state = 'published'"
        )
        documents = connection.execute(sa.text(query)).scalars().all()
    board.dispose()
    assert documents  # of every weekly review of the whole service
    document = Path(documents[0])
    page = document if document.is_file() else next(document.glob("*.html"))
    assert page.read_text("utf-8").lstrip().lower().startswith("<!doctype html")

    assert len(standalone.processes()) > 4
    assert standalone.stop(signal.SIGINT) == 0
    assert standalone.processes() == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
