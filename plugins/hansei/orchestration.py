"""What the DAGs share with Airflow: defaults, connections, the window of a run, and the line that a failure leaves.

Read by every parse of every DAG file, so nothing heavy is imported at the top: stages load inside their tasks.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hansei.connections import Connection, ConnectionNotFound
from hansei.errors import HanseiError
from hansei.settings import load_settings

log = logging.getLogger("hansei")

# Everything that opens the live warehouse runs here. One slot beside DuckDB, whose file admits one process at a time.
WAREHOUSE_POOL = "hansei_warehouse"
DEFAULT_POOL = "default_pool"  # Airflow's own
OWNER = "service-desk"
RETRY_DELAY = timedelta(seconds=float(os.environ.get("HANSEI_RETRY_DELAY_SECONDS") or 300))
# Long past, so that no interval ever lies before it: Airflow marks such runs successful without running a task.
START_DATE = datetime(2020, 1, 1, tzinfo=UTC)


def default_arguments() -> dict[str, Any]:
    """Defaults of every task: owner, two retries, and one log line when they are used up."""
    return {
        "owner": OWNER,
        "retries": 2,
        "retry_delay": RETRY_DELAY,
        "on_failure_callback": report_failure,
    }


def reporting_zone() -> str:
    """The IANA zone in which nights and weeks end: `service.yaml`, the user's above the shipped one; else UTC."""
    from hansei.catalog.documents import parse, read_document
    from hansei.catalog.loader import SERVICE_FILE
    from hansei.catalog.organisation import Service

    settings = load_settings()
    for root in (*reversed(settings.overlays), settings.include / "definitions"):
        path = root / SERVICE_FILE
        service = parse(read_document(path), Service) if path.exists() else None
        if service is not None:
            return service.reporting_zone
    return "UTC"


def run_stage(name: str, *arguments: Any, **named: Any) -> Any:
    """What the pipeline's stage `name` returns (counts and ids), run with Airflow's own connections."""
    from hansei import pipeline

    return getattr(pipeline, name)(pipeline.context(connection_resolver=airflow_connection), *arguments, **named)


def airflow_connection(connection_id: str) -> Connection:
    """The connection as Airflow knows it, from whichever secrets backend, variable or table holds it."""
    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found = AirflowConnection.get(connection_id)
    except AirflowNotFoundException:
        raise ConnectionNotFound(
            f"connection {connection_id!r}",
            "not known to Airflow (secrets backends, AIRFLOW_CONN_ variables, its own table)",
            f"run `airflow connections add {connection_id} --conn-uri ...` or add it under Admin > Connections",
        ) from None
    return Connection(
        connection_id=connection_id,
        conn_type=found.conn_type,
        host=found.host or None,
        port=found.port,
        login=found.login or None,
        password=found.password or None,
        schema=found.schema or None,
        extra=found.extra_dejson,
    )


def run_of(context: Mapping[str, Any]) -> dict[str, Any]:
    """What `pipeline.open_run` needs to know of the running DAG run; instants are naive and in UTC.

    A manual run has no data interval (None, None). A back-fill, by Airflow or by `window_start` and `window_end` in the
    run's configuration, always comes with these two and a `reason`.
    """
    conf = {key: value for key, value in context["params"].items() if value not in (None, "")}
    start, end = (naive_utc(context.get(key)) for key in ("data_interval_start", "data_interval_end"))
    if context["dag_run"].run_type == "backfill":
        conf = {"reason": "airflow backfill", **conf, "window_start": start.isoformat(), "window_end": end.isoformat()}
    return {
        "run_id": context["run_id"],
        "interval_start": start,
        "interval_end": end,
        "dag_id": context["dag"].dag_id,
        "conf": conf,
    }


def review_period_end(context: Mapping[str, Any], zone: str) -> date | None:
    """The day by which the periods under review have ended: that of the interval's end in `zone`, or the one named.

    None for a manual run that names no `period_end`: the pipeline then takes the last periods that it has data for.
    """
    if named := context["params"].get("period_end"):
        return date.fromisoformat(named)
    end = naive_utc(context.get("data_interval_end"))
    if end is None or context["dag_run"].run_type == "manual":
        return None
    return end.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()


def naive_utc(instant: datetime | None) -> datetime | None:
    """A plain, naive UTC datetime from Airflow's aware (pendulum) one."""
    if instant is None:
        return None
    return datetime.fromtimestamp(instant.timestamp(), UTC).replace(tzinfo=None)


def report_failure(context: Mapping[str, Any]) -> str:
    """Log, and return, one line: what broke, why, and which brief it would spoil. Never raises."""
    from hansei.catalog.loader import examine

    instance = context["task_instance"]
    where = f"{instance.dag_id}.{instance.task_id}"
    if getattr(instance, "map_index", -1) >= 0:
        where += f"[{_mapped_value(context, instance.map_index)}]"
    error = context.get("exception")
    # Only our own errors are known to quote neither secrets nor personal data; of others the kind must do.
    why = str(error) if isinstance(error, HanseiError) else f"{type(error).__name__} (see the traceback above)"
    try:
        spoiled = ", ".join(sorted(examine(load_settings())[0].reviews)) or "no brief"
    except Exception as broken:  # a callback that fails would hide the failure that it reports
        spoiled = f"unknown, {type(broken).__name__} while reading the definitions"
    line = f"{where} failed: {' '.join(why.split())} | spoils: {spoiled}"
    log.error(line)
    return line


def _mapped_value(context: Mapping[str, Any], map_index: int) -> str:
    arguments = getattr(context.get("task"), "op_kwargs", None) or {}
    return str(arguments.get("source") or arguments.get("review_id") or map_index)
