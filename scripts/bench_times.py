"""Tasks of `make bench` for business time: all core tables from loaded staging tables, and a night of 1 %.

The data is that of `peer/zendesk_shaped.py`: raw tables of N tickets over two years. They are put into staging first
(scripts/raw_staging.py), which is not part of the figure, as the peer starts from loaded raw tables too.
"""

from __future__ import annotations

import time

BEGUN = (time.monotonic(), time.process_time())  # before anything heavy is imported: start-up is part of the figure

import resource  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from datetime import timedelta  # noqa: E402
from pathlib import Path  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[1]
GENERATOR = REPOSITORY.parent / "shared" / "peer" / "zendesk_shaped.py"
DEFINITIONS = REPOSITORY / "include" / "definitions" / "examples" / "zendesk_warehouse"
# What `fivetran/dbt_zendesk` took for a full rebuild of the same data on two cores, as PEER.md has it.
PEER = {
    ("duckdb", 20_000): "22 s, 15 CPU s, 0.5 GB",
    ("duckdb", 200_000): "103 s (best 47), 72 CPU s, 2.6 GB",
    ("postgresql", 20_000): "160 s, 111 CPU s (best tuning)",
    ("postgresql", 200_000): "not finished after 897 s, 4.2 GB",
}
AIMS = {
    ("duckdb", 200_000): "under 5 CPU s and 1 GB",
    ("postgresql", 200_000): "under 40 s",
    ("duckdb", 2_000_000): "under 60 s and 8 GB",
}
NEW_DAYS = 14
# Every column that the models read, so that the scan is the least that any build has to do.
SCANNED = {
    "staging.tickets": "ticket_id, status, priority, channel, brand, team_id, assignee_id, customer_id, account_id, "
    "created_at",
    "staging.ticket_events": "ticket_id, occurred_at, sequence_number, event_type, value, previous_value, is_public, "
    "is_automatic, actor_kind, actor_id",
    "staging.sla_targets": "ticket_id, metric, applied_at, target_seconds, is_business_time, policy",
}


def raw_folder(tickets: int, workplace: Path) -> Path:
    """A folder of raw tables; generated where it does not exist, which takes minutes for millions of tickets."""
    folder = workplace / f"raw-{tickets}"
    if not (folder / "counts.json").exists():
        if not GENERATOR.exists():
            raise SystemExit(f"{GENERATOR}: no such file: the generator of the raw data has to lie beside the project")
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(GENERATOR), str(tickets), str(folder), "--no-csv"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def _opened():
    from hansei.catalog import load_catalog
    from hansei.settings import load_settings
    from hansei.warehouse import open_warehouse

    settings = load_settings()
    return open_warehouse(settings), load_catalog(settings)


def task_fill(folder: str) -> dict[str, float]:
    """Staging tables from a folder of raw tables; rows of the raw tables and of staging."""
    import json

    from raw_staging import fill_staging

    from hansei.warehouse.tables import evolve

    manager, catalog = _opened()
    with manager as warehouse:
        evolve(warehouse, catalog)
        counts = fill_staging(warehouse, catalog, Path(folder))
    raw = json.loads((Path(folder) / "counts.json").read_text())
    raw_rows = sum(value for value in raw.values() if isinstance(value, int))
    return {"raw rows": raw_rows, "staging rows": sum(counts.values()), "seconds": time.monotonic() - BEGUN[0]}


def task_build() -> dict[str, float]:
    """All core tables anew, start-up included; then the plain scan that no build can be faster than."""
    from hansei.warehouse.refresh import refresh_models
    from hansei.warehouse.seeds import plant

    manager, catalog = _opened()
    with manager as warehouse:
        plant(warehouse, catalog, "build")
        refreshed = refresh_models(warehouse, catalog, "core", "build")
        figures = {"rows": sum(item.row_count for item in refreshed)}
        figures |= _spent(*BEGUN)
        begun = time.monotonic(), time.process_time()
        for table, columns in SCANNED.items():
            counted = ", ".join(f"COUNT({name})" for name in columns.split(", "))
            warehouse.rows(f"SELECT {counted} FROM {table}")
        figures |= {f"scan {name}": value for name, value in _spent(*begun).items() if name != "peak GB"}
    return figures


def task_night(spread: str, share: float) -> dict[str, float]:
    """A night in which 1 % of the tickets get another event; start-up apart. `spread` is `new` or `even`."""
    from hansei.warehouse.publication import record_changes
    from hansei.warehouse.refresh import refresh_models

    manager, catalog = _opened()
    run_id = f"night {spread}"
    with manager as warehouse:
        _touch(warehouse, spread, share, run_id)
        record_changes(
            warehouse, "staging.ticket_events", run_id, "SELECT ticket_id AS key, 'upsert' AS operation FROM bench_keys"
        )
        begun = time.monotonic(), time.process_time()
        refreshed = refresh_models(warehouse, catalog, "core", run_id)
        figures = {"start-up": begun[0] - BEGUN[0], **_spent(*begun)}
        figures["tickets"] = max(item.key_count for item in refreshed if item.table == "core.tickets")
    return figures


def _touch(warehouse, spread: str, share: float, run_id: str) -> None:
    """One more change of status on each chosen ticket: for `new` 90 % of them among those of the last 14 days."""
    total, last = warehouse.rows("SELECT COUNT(*) AS n, MAX(created_at) AS last FROM staging.tickets")[0].values()
    wanted = int(total * share)
    since = last - timedelta(days=NEW_DAYS)
    parts = {"even": [(wanted, "TRUE")]}.get(
        spread, [(wanted * 9 // 10, f"created_at >= TIMESTAMP '{since}'"), (wanted // 10, "TRUE")]
    )
    chosen = " UNION ".join(
        f"(SELECT ticket_id FROM staging.tickets WHERE {where} ORDER BY MD5(ticket_id || '{run_id}') LIMIT {count})"
        for count, where in parts
    )
    warehouse.execute("DROP TABLE IF EXISTS bench_keys")
    warehouse.execute(f"CREATE TEMPORARY TABLE bench_keys AS {chosen}")
    warehouse.execute(
        "INSERT INTO staging.ticket_events (event_id, ticket_id, occurred_at, sequence_number, event_type, value, "
        f"source, loaded_run_id) SELECT ticket_id || ' {run_id}', ticket_id, TIMESTAMP '{last}', 1, 'status', 'open', "
        f"'zendesk', '{run_id}' FROM bench_keys"
    )


def _spent(wall: float, cpu: float) -> dict[str, float]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"seconds": time.monotonic() - wall, "cpu": time.process_time() - cpu, "peak GB": peak}


TASKS = {"fill": task_fill, "build": task_build, "touch": task_night}


def report(measured, workplace: Path, sizes: list[int], warehouse: str | None) -> None:
    """Runs the tasks for each size and prints figures beside the aims, the peer's and the plain scan."""
    engine = "postgresql" if warehouse else "duckdb"
    for tickets in sizes:
        place = workplace / f"{engine}-{tickets}"
        fill = measured("fill", place, "--raw", str(raw_folder(tickets, workplace)))
        build = measured("build", place)
        key = engine, tickets
        rate = fill["raw rows"] / build["seconds"]
        print(f"  {tickets:,} tickets, {fill['raw rows']:,.0f} raw rows, {engine}; aim: {AIMS.get(key, 'none')}")
        print(f"    staging filled apart in {fill['seconds']:.1f} s")
        print(
            f"    all core tables {build['seconds']:6.1f} s {build['cpu']:6.1f} CPU s {build['peak GB']:5.2f} GB, "
            f"start-up included; {rate:,.0f} raw rows/s, {build['rows']:,.0f} rows written"
        )
        print(f"    plain scan of the columns read {build['scan seconds']:.2f} s, {build['scan cpu']:.2f} CPU s")
        print(f"    the peer: {PEER.get(key, 'not measured')}")
        for spread in ("new", "even"):
            night = measured("touch", place, "--spread", spread)
            part = 100 * night["seconds"] / build["seconds"]
            told = "90 % from the last 14 days" if spread == "new" else "evenly spread"
            print(
                f"    night of {night['tickets']:,.0f} tickets, {told}: {night['seconds']:.1f} s = {part:.1f} % "
                f"({night['cpu']:.1f} CPU s = {100 * night['cpu'] / build['cpu']:.1f} %), {night['peak GB']:.2f} GB"
            )
