"""
### Improvement review

Builds, archives and sends the review documents that managers read, one mapped group per review that is due.

**Due** is a review whose last week, month or quarter has no published edition yet. Every day at 06:00 in the reporting
zone it looks which are, so that a missed day delays an edition and loses none.

**Waits for readiness.** Every five minutes it looks whether every source has passed the end of the period. At the
review's own deadline it goes on: what is late is greyed and named. A brief is never silently missing.

**An edition that fails** stops no other: those that are good are sent, then the run turns red and names it.

**Safe to repeat.** The same evidence makes no new document, other evidence a revision beside the published one. Each
reader gets an edition once; what may or may not have arrived turns the run red and waits for a person.

**By hand.** Trigger it with `period_end`, the first day after the period, for every review of which one ended then; or
leave it empty for all of them and the last periods with data.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param, PokeReturnValue, dag, get_current_context, task, task_group

from hansei import orchestration
from hansei.orchestration import run_stage

ZONE = orchestration.reporting_zone()


@dag(
    schedule=CronDataIntervalTimetable("0 6 * * *", timezone=ZONE),
    start_date=orchestration.START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=orchestration.default_arguments(),
    tags=["owner:service-desk", "tier:1"],
    doc_md=__doc__,
    params={"period_end": Param(None, type=["null", "string"], format="date", description="the day after the period")},
)
def improvement_review() -> None:
    def period_end() -> Any:
        return orchestration.review_period_end(get_current_context(), ZONE)

    @task
    def list_reviews() -> list[str]:
        return run_stage("due_reviews", period_end(), bool(get_current_context()["params"].get("period_end")))

    @task.sensor(
        mode="reschedule",
        poke_interval=300,
        timeout=timedelta(days=6).total_seconds(),
        map_index_template="{{ task.op_kwargs['review_id'] }}",
    )
    def wait_until_ready(review_id: str) -> PokeReturnValue:
        state = run_stage("readiness", review_id, period_end())
        return PokeReturnValue(is_done=state["is_ready"] or state["is_past_deadline"], xcom_value=state)

    @task(map_index_template="{{ task.op_kwargs['review_id'] }}")
    def build_review(review_id: str) -> dict[str, Any]:
        return run_stage("build_review", review_id, period_end())

    @task(map_index_template="{{ task.op_kwargs['review_id'] }}")
    def deliver_reviews(review_id: str, built: dict[str, Any]) -> dict[str, int]:
        return run_stage("deliver_reviews", review_id, period_end(), get_current_context()["run_id"], built=built)

    @task_group
    def one_review(review_id: str) -> None:
        built = build_review(review_id=review_id)
        wait_until_ready(review_id=review_id) >> built
        deliver_reviews(review_id=review_id, built=built)

    one_review.expand(review_id=list_reviews())


improvement_review()
