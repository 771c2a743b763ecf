"""
### Housekeeping

Once a week: free texts, unmapped fields and customers whose time is over go (`retention` in `privacy/privacy.yaml`),
and an erasure that was stopped half-way is finished. Figures stand: rows stay, what names or quotes a person goes.

**Safe to repeat.** What went is gone; a second run finds nothing. `hansei housekeeping --dry-run` tells what is due.
See `docs/privacy.md`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import CronDataIntervalTimetable, dag, task

from hansei import orchestration
from hansei.orchestration import WAREHOUSE_POOL, run_stage


@dag(
    # Noon of a Sunday: far from the nights, which hold the warehouse.
    schedule=CronDataIntervalTimetable("0 12 * * SUN", timezone=orchestration.reporting_zone()),
    start_date=orchestration.START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=orchestration.default_arguments(),
    tags=["owner:service-desk", "tier:2"],
    doc_md=__doc__,
)
def housekeeping() -> None:
    @task(pool=WAREHOUSE_POOL)
    def housekeep() -> dict[str, Any]:
        return run_stage("housekeep")

    housekeep()


housekeeping()
