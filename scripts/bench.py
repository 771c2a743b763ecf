"""`make bench`: what the main job costs on this machine. Prints figures beside the aims; records nothing by itself.

    python scripts/bench.py                    everything
    python scripts/bench.py parse load night   only these
    python scripts/bench.py night --tickets 200000
    python scripts/bench.py indicators --tickets 1000000 [--warehouse postgresql://...]
    python scripts/bench.py signals
    python scripts/bench.py rest
    python scripts/bench.py times --sizes 200000 2000000 --workplace FOLDER [--warehouse postgresql://...]

Every measurement runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import bench_indicators
import bench_rest
import bench_signals
import bench_times
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

REPOSITORY = Path(__file__).resolve().parents[1]
AIMS = {
    "parse": "each DAG file under 1 s beyond Airflow's own import",
    "load": "1 million rows loaded, validated and published under 60 s and 2 GB",
    "night": "a night of 1 % under 10 % of the full load",
    "indicators": "1 million tickets, 400k answers: 20 s and 3 GB on DuckDB, 120 s on PostgreSQL; a night of 1 % 3 s",
    "signals": "20,000 series of 150 points judged in 20 s and 1 GB on 2 cores; false alarms and delays as they are",
    "rest": "100,000 records through paging from a local server under 60 s, and no more memory for three times as many",
    "times": "core tables from staging: 200k tickets 5 CPU s and 1 GB, 2 million 60 s and 8 GB; 1 % under 5 % of it",
}
NOW = datetime(2026, 9, 14)
HISTORY_DAYS = 730
SOURCE = """id: desk
kind: files
instance: desk
description: Generated tickets
owner: bench
zone: UTC
delivery: changes
resources:
  tickets:
    path: {directory}/tickets-*.parquet
    format: parquet
    complete_until: {{by: file_name, pattern: "tickets-(\\\\d{{4}}-\\\\d{{2}}-\\\\d{{2}})", covers: 1d}}
entities:
  - entity: tickets
    resource: tickets
    version: {{path: updated_at}}
    columns:
      ticket_id: {{path: id}}
      subject: {{path: subject}}
      requester_email: {{path: email}}
      status: {{path: status, values: {{new: new, open: open, solved: solved, closed: closed}}}}
      priority: {{path: priority, values: {{low: low, normal: normal, high: high, urgent: urgent}}}}
      channel: {{path: channel}}
      customer_id: {{path: requester}}
      team_id: {{path: team}}
      assignee_id: {{path: agent}}
      created_at: {{path: created_at}}
      updated_at: {{path: updated_at}}
      first_replied_at: {{path: first_replied_at}}
      solved_at: {{path: solved_at}}
      reopen_count: {{path: reopens}}
      reassignment_count: {{path: reassignments}}
      is_sla_met: {{path: sla_met}}
"""
THRESHOLD = """id: desk_sla
indicator: source_sla_attainment
kind: static
grain: week
segments: [all, team=*]
critical: 0.7
unit: ratio
reason: a limit to judge by while measuring speed
owner: bench
approver: bench
valid_from: 2024-09-01
"""


def ticket_rows(ids: np.ndarray, chance: np.random.Generator, updated: np.ndarray | None = None) -> pa.Table:
    """Sound ticket rows for these ids: the same id has the same creation time whenever it is written."""
    count = len(ids)
    created_s = (ids * 48_271 % (HISTORY_DAYS * 86_400)).astype("int64")
    start = np.datetime64(NOW - timedelta(days=HISTORY_DAYS + 1), "us")
    created = start + (created_s * 1_000_000).astype("timedelta64[us]")
    replied = created + chance.integers(60, 50_000, count).astype("timedelta64[s]")
    solved = created + chance.integers(60_000, 2_000_000, count).astype("timedelta64[s]")
    latest = np.datetime64(NOW, "us") if updated is not None else np.datetime64(NOW - timedelta(days=1), "us")
    is_solved = solved < latest
    seen = np.minimum(np.maximum(np.where(is_solved, solved, replied), created), latest - np.timedelta64(1, "s"))
    words = np.array(
        ["printer down", "mail from jane.doe@example.com", "invoice 4711 is wrong", "cannot log in", "thanks"]
    )
    people = ids * 7 % 200_000

    def pick(values: list[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(chance.integers(0, len(values), count), values).cast(pa.string())

    return pa.table(
        {
            "id": pa.array(ids),
            "subject": pa.array(words[chance.integers(0, len(words), count)]),
            "email": pa.array(np.char.add(np.char.add("user", people.astype("U8")), "@example.org")),
            "status": pa.array(np.where(is_solved, "solved", "open")),
            "priority": pick(["low", "normal", "high", "urgent"]),
            "channel": pick(["mail", "chat", "phone", "web"]),
            "requester": pa.array(people),
            "team": pa.array(ids % 24),
            "agent": pa.array(ids % 400),
            "created_at": pa.array(created),
            "updated_at": pa.array(updated if updated is not None else seen),
            "first_replied_at": pa.array(np.where(replied < latest, replied, np.datetime64("NaT"))),
            "solved_at": pa.array(np.where(is_solved, solved, np.datetime64("NaT"))),
            "reopens": pa.array((chance.random(count) < 0.08).astype("int32")),
            "reassignments": pa.array(chance.integers(0, 3, count).astype("int32")),
            "sla_met": pa.array(chance.random(count) < 0.85),
        }
    )


def write_company(directory: Path, tickets: int) -> None:
    """The full export of the day before, and one day's export that touches one ticket in a hundred."""
    chance = np.random.default_rng(11)
    (directory / "definitions" / "sources").mkdir(parents=True)
    (directory / "definitions" / "thresholds").mkdir()
    (directory / "definitions" / "sources" / "desk.yaml").write_text(SOURCE.format(directory=directory))
    (directory / "definitions" / "thresholds" / "desk_sla.yaml").write_text(THRESHOLD)
    before, last = (NOW - timedelta(days=days) for days in (2, 1))
    ids = np.arange(1, tickets + 1, dtype="int64")
    with pq.ParquetWriter(
        directory / f"tickets-{before:%Y-%m-%d}.parquet", ticket_rows(ids[:1], chance).schema
    ) as file:
        for first in range(0, tickets, 250_000):
            file.write_table(ticket_rows(ids[first : first + 250_000], chance))
    age = HISTORY_DAYS + 1 - ids * 48_271 % (HISTORY_DAYS * 86_400) / 86_400
    recent, changed = ids[age < 15], tickets // 100
    near = chance.choice(recent, min(len(recent), changed * 9 // 10), replace=False)
    far = chance.choice(ids[age >= 15], changed - len(near), replace=False)
    moment = np.datetime64(NOW - timedelta(hours=3), "us")
    touched = np.sort(np.concatenate([near, far]))
    pq.write_table(
        ticket_rows(touched, chance, np.full(changed, moment)), directory / f"tickets-{last:%Y-%m-%d}.parquet"
    )


def measured(
    task: str, directory: Path, *arguments: str, definitions: Path | None = None, warehouse: str | None = None
) -> dict[str, float]:
    """Runs one task of this file in a process of its own; its figures and its peak memory in GB."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HANSEI_")},
        "HANSEI_HOME": str(directory / "home"),
        "HANSEI_DEFINITIONS": str(definitions or directory / "definitions"),
        **({"HANSEI_WAREHOUSE": warehouse} if warehouse else {}),
        "HANSEI_IDENTITY_KEY": "identity-key-of-the-benchmark-only-0123456789",
        "HANSEI_QUARANTINE_KEY": "cXVhcmFudGluZS1rZXktb2YtdGhlLXRlc3RzLTMyYnk=",
        "PYTHONPATH": str(REPOSITORY / "plugins"),
    }
    command = [sys.executable, __file__, "--task", task, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{task}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def task_load(first: bool) -> dict[str, float]:
    """One night, stage by stage; seconds per stage. Great Expectations' import is counted as start-up."""
    started = time.monotonic()
    import great_expectations  # noqa: F401

    from hansei import pipeline

    end = NOW - timedelta(days=1) if first else NOW
    context = pipeline.context(now=lambda: end)
    figures: dict[str, float] = {"start-up": time.monotonic() - started}

    def timed(name: str, stage, *arguments):
        begun, cpu = time.monotonic(), time.process_time()
        result = stage(context, run_id, *arguments)
        figures[name] = time.monotonic() - begun
        figures[f"{name} cpu"] = time.process_time() - cpu
        return result

    run_id = f"bench-{end:%Y-%m-%d}"
    timed("open", lambda *given: pipeline.open_run(*given, interval_start=end - timedelta(days=1), interval_end=end))
    figures["rows"] = timed("extract", pipeline.extract, "desk")["received"]
    counts = timed("publish", pipeline.publish, "desk")["tickets"]
    figures["accepted"] = counts["accepted"]
    figures["published GB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    for name in ("model", "measure", "judge", "share"):
        timed(name, getattr(pipeline, name))
    figures["peak GB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return figures


def task_parse() -> dict[str, float]:
    """Seconds that each DAG file takes to execute once Airflow itself is imported."""
    import airflow.sdk  # noqa: F401
    from airflow.sdk import CronDataIntervalTimetable  # noqa: F401

    figures = {}
    for path in sorted((REPOSITORY / "dags").glob("*.py")):
        begun = time.monotonic()
        exec(compile(path.read_text(), str(path), "exec"), {"__name__": path.stem})
        figures[path.name] = time.monotonic() - begun
    return figures


STAGES = ("open", "extract", "publish", "model", "measure", "judge", "share")


def bench_parse(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, seconds in measured("parse", Path(directory)).items():
            print(f"  {name:28} {seconds:6.2f} s")


def bench_load(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory:
        write_company(Path(directory), 1_000_000)
        figures = measured("load", Path(directory), "--first")
    seconds = figures["extract"] + figures["publish"]
    print(f"  loaded, validated, published {seconds:6.1f} s, {figures['rows'] / seconds:,.0f} rows/s")
    _print_stages(figures)


def bench_night(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory:
        write_company(Path(directory), options.tickets or 2_000_000)
        full = measured("load", Path(directory), "--first")
        night = measured("load", Path(directory))
    total, part = (sum(figures[stage] for stage in STAGES) for figures in (full, night))
    print(f"  full load of {full['rows']:,.0f} tickets {total:6.1f} s")
    _print_stages(full)
    print(f"  night of {night['rows']:,.0f} tickets {part:6.1f} s = {100 * part / total:.1f} % of the full load")
    _print_stages(night)


def bench_core(options: argparse.Namespace) -> None:
    run = partial(measured, definitions=bench_times.DEFINITIONS, warehouse=options.warehouse)
    with tempfile.TemporaryDirectory() as directory:
        bench_times.report(run, options.workplace or Path(directory), options.sizes, options.warehouse)


def bench_indicators_of(options: argparse.Namespace) -> None:
    tickets = options.tickets or 1_000_000
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "definitions").mkdir()
        arguments = ("--tickets", str(tickets))
        figures = measured("indicators", Path(directory), *arguments, warehouse=options.warehouse)
    bench_indicators.report(figures, tickets)


def bench_signals_of(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "definitions").mkdir()
        run = partial(measured, directory=Path(directory), warehouse=options.warehouse)
        bench_signals.report_speed(run("judging"), run("stage"))
        bench_signals.report_simulation(run("simulation"))


def bench_rest_of(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "definitions").mkdir()
        bench_rest.report_rest(partial(_measured_in, Path(directory)))


def _measured_in(directory: Path, task: str, *arguments: str) -> dict[str, float]:
    return measured(task, directory, *arguments)


def _print_stages(figures: dict[str, float]) -> None:
    for stage in STAGES:
        print(f"    {stage:10} {figures[stage]:7.2f} s   {figures[f'{stage} cpu']:7.2f} CPU s")
    memory = f"peak memory {figures['published GB']:.2f} GB after publication, {figures['peak GB']:.2f} GB in the end"
    print(f"    {memory}; start-up apart: {figures['start-up']:.1f} s")


def machine() -> str:
    """Processor, cores, memory, and the versions that decide speed."""
    import duckdb

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    cores = len(os.sched_getaffinity(0))
    names = [
        line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    model = names[0] if names else platform.machine()
    python = platform.python_version()
    return f"{model}, {cores} cores, {memory:.0f} GB, Python {python}, DuckDB {duckdb.__version__}"


BENCHES = {
    "parse": bench_parse,
    "load": bench_load,
    "night": bench_night,
    "indicators": bench_indicators_of,
    "signals": bench_signals_of,
    "rest": bench_rest_of,
    "times": bench_core,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=[*AIMS, []], help=f"any of {', '.join(AIMS)} (default: all)")
    parser.add_argument("--tickets", type=int, help="history of `night` (2 million) and `indicators` (1 million)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[200_000, 2_000_000], help="tickets, for `times`")
    parser.add_argument("--workplace", type=Path, help="folder in which `times` keeps its raw data and warehouses")
    parser.add_argument("--warehouse", help="an empty PostgreSQL warehouse for `times` (default: DuckDB)")
    own = ["load", "parse", "indicators", "rest", *bench_signals.TASKS, *bench_times.TASKS]
    parser.add_argument("--task", choices=own, help=argparse.SUPPRESS)
    parser.add_argument("--raw", help=argparse.SUPPRESS)
    parser.add_argument("--spread", choices=["new", "even"], help=argparse.SUPPRESS)
    parser.add_argument("--first", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        tasks = {"load": lambda: task_load(options.first), "parse": task_parse, "build": bench_times.task_build}
        tasks |= {"fill": lambda: bench_times.task_fill(options.raw)}
        tasks |= {"touch": lambda: bench_times.task_night(options.spread, 0.01)}
        tasks |= {"indicators": lambda: bench_indicators.task_indicators(options.tickets)}
        tasks |= {"rest": lambda: bench_rest.task_rest(*options.sizes)}
        tasks |= bench_signals.TASKS
        print(json.dumps(tasks[options.task]()))
        return
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {machine()}")
    for name in options.what or AIMS:
        print(f"{name} (aim: {AIMS[name]})")
        BENCHES[name](options)


if __name__ == "__main__":
    main()
