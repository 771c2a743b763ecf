"""Run `airflow standalone` and stop all of it together.

On SIGTERM Airflow's own parent process dies and leaves its children running; only SIGINT stops them, and a shell's
background job ignores SIGINT. So it runs in a session of its own, and whatever ends us ends it by SIGINT.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

STOP_SECONDS = 60
HEALTHY_SECONDS = 180


def main() -> int:
    airflow = subprocess.Popen(
        ["airflow", "standalone"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: asked.append(received))
    started = time.monotonic()
    announced = False
    while airflow.poll() is None and not asked:
        if not announced and is_healthy():
            announce()
            announced = True
        if not announced and time.monotonic() - started > HEALTHY_SECONDS:
            print(f"Airflow is not healthy after {HEALTHY_SECONDS} s", file=sys.stderr)
            asked.append(signal.SIGINT)
        time.sleep(0.5)
    stop(airflow)
    return 0 if announced else 1


def announce() -> None:
    passwords = Path(os.environ["AIRFLOW_HOME"], "simple_auth_manager_passwords.json.generated")
    address = os.environ["AIRFLOW__API__BASE_URL"]
    print(f"\nAirflow is at {address}. User admin, password in\n{passwords}. Ctrl-C stops it.\n", flush=True)


def is_healthy() -> bool:
    """True once metadata database and scheduler are well, as Airflow itself says."""
    url = f"http://127.0.0.1:{os.environ['AIRFLOW__API__PORT']}/api/v2/monitor/health"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            health = json.load(answer)
    except OSError:
        return False
    return all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler"))


def stop(airflow: subprocess.Popen) -> None:
    """End the whole session: kindly, and after a minute by force."""
    if airflow.poll() is None:
        airflow.send_signal(signal.SIGINT)
    try:
        airflow.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"Airflow did not stop in {STOP_SECONDS} s: killed", file=sys.stderr)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(airflow.pid, signal.SIGKILL)  # whatever is left of its session


if __name__ == "__main__":
    sys.exit(main())
