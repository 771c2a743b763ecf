"""
### Nightly indicators

Extracts each source's window, validates it, publishes it to the warehouse, and brings core tables, indicators and
signals up to date, moves alarms, and tells people what changed. One mapped group per source, so that a source that
fails stops no other: models run on what arrived, the run ends red, and the brief names the source.

**Safe to repeat.** `open_run` settles the windows once and stores them under the run id; retries and cleared tasks
reuse them. A missed night heals itself: each window begins where the last complete one ended.

**Back-fill.** `airflow backfill create --dag-id nightly_indicators --from-date ... --to-date ...`, or trigger with
`window_start`, `window_end` (UTC) and a `reason`. See `docs/runbooks/backfill.md`.

**When it is red.** The failed task's log ends with one line: what broke and which brief it would spoil. See
`docs/runbooks/night-failed.md`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param, dag, get_current_context, task, task_group

from hansei import orchestration
from hansei.orchestration import DEFAULT_POOL, WAREHOUSE_POOL, run_stage

OPTIONAL_TEXT = {"default": None, "type": ["null", "string"]}


@dag(
    schedule=CronDataIntervalTimetable("0 2 * * *", timezone=orchestration.reporting_zone()),
    start_date=orchestration.START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=orchestration.default_arguments(),
    dagrun_timeout=timedelta(hours=12),
    tags=["owner:service-desk", "tier:1"],
    doc_md=__doc__,
    params={
        "window_start": Param(**OPTIONAL_TEXT, description="back-fill only: first instant, UTC"),
        "window_end": Param(**OPTIONAL_TEXT, description="back-fill only: instant after the last, UTC"),
        "reason": Param(**OPTIONAL_TEXT, description="back-fill only: why; it is kept with the run"),
    },
)
def nightly_indicators() -> None:
    @task(pool=WAREHOUSE_POOL)
    def open_run() -> list[str]:
        return run_stage("open_run", **orchestration.run_of(get_current_context()))["sources"]

    @task(map_index_template="{{ task.op_kwargs['source'] }}")
    def extract(source: str, run_id: str | None = None) -> dict[str, Any]:
        return run_stage("extract", run_id, source)

    @task(map_index_template="{{ task.op_kwargs['source'] }}", pool=WAREHOUSE_POOL)
    def publish(source: str, run_id: str | None = None) -> dict[str, Any]:
        return run_stage("publish", run_id, source)

    @task_group
    def one_source(source: str) -> None:
        extract(source=source) >> publish(source=source)

    @task(pool=WAREHOUSE_POOL)
    def stage(name: str, run_id: str | None = None) -> Any:
        return run_stage(name, run_id)

    opened = open_run()
    # Runs where a source failed, but not where the run itself could not be opened.
    model = stage.override(task_id="model", trigger_rule="all_done_min_one_success")("model")
    measure, judge, share = (stage.override(task_id=name)(name) for name in ("measure", "judge", "share"))
    # Opens the board only, so that a slow mail server keeps nobody from the warehouse.
    notify = stage.override(task_id="notify", pool=DEFAULT_POOL)("notify")
    # Reports failed sources by raising: nothing is gained by asking again.
    close_run = stage.override(task_id="close_run", retries=0)("close_run")
    [opened, one_source.expand(source=opened)] >> model >> measure >> judge >> share >> [notify, close_run]


nightly_indicators()
