"""The DAG files as Airflow reads them: what they contain, how they are wired, how thin they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.definitions.taskgroup import MappedTaskGroup

from hansei.orchestration import WAREHOUSE_POOL, report_failure

# A new DAG file, or a second DAG in one, has to be entered here.
DAGS_PER_FILE = {
    "nightly_indicators.py": ["nightly_indicators"],
    "improvement_review.py": ["improvement_review"],
    "housekeeping.py": ["housekeeping"],
}


@pytest.fixture(scope="module")
def dag_bag() -> DagBag:
    folder = Path(__file__).resolve().parents[2] / "dags"
    return DagBag(dag_folder=str(folder))


@pytest.fixture(scope="module")
def night(dag_bag: DagBag) -> Any:
    return dag_bag.dags["nightly_indicators"]


@pytest.fixture(scope="module")
def review(dag_bag: DagBag) -> Any:
    return dag_bag.dags["improvement_review"]


def test_every_file_gives_the_dags_it_should(dag_bag: DagBag) -> None:
    assert dag_bag.import_errors == {}
    found: dict[str, list[str]] = {}
    for dag_id, dag in sorted(dag_bag.dags.items()):
        found.setdefault(Path(dag.fileloc).name, []).append(dag_id)
    assert found == DAGS_PER_FILE


def test_every_dag_file_stays_thin(repository: Path) -> None:
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in (repository / "dags").glob("*.py")}
    assert set(lengths) == set(DAGS_PER_FILE)
    assert {name: length for name, length in lengths.items() if length >= 80} == {}


@pytest.mark.parametrize("dag_id", [dag_id for dag_ids in DAGS_PER_FILE.values() for dag_id in dag_ids])
def test_every_dag_says_who_owns_it_and_repeats_safely(dag_bag: DagBag, dag_id: str) -> None:
    dag = dag_bag.dags[dag_id]
    assert {tag.split(":")[0] for tag in dag.tags} == {"owner", "tier"}
    assert dag.doc_md.strip().startswith("### ")
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"
    assert {task.owner for task in dag.tasks} == {"service-desk"}
    assert all(task.on_failure_callback for task in dag.tasks)


def test_the_night_goes_through_its_stages_in_order(night: Any) -> None:
    assert {task.task_id: sorted(task.upstream_task_ids) for task in night.tasks} == {
        "open_run": [],
        "one_source.extract": ["open_run"],
        "one_source.publish": ["one_source.extract", "open_run"],
        "model": ["one_source.publish", "open_run"],
        "measure": ["model"],
        "judge": ["measure"],
        "share": ["judge"],
        "notify": ["share"],
        "close_run": ["share"],
    }
    # Sources are mapped at run time, never listed in the file.
    assert [group_id for group_id, group in night.task_group_dict.items() if isinstance(group, MappedTaskGroup)] == [
        "one_source"
    ]


def test_only_what_opens_no_warehouse_runs_outside_its_pool(night: Any) -> None:
    pools = {task.task_id: task.pool for task in night.tasks}
    assert {pools.pop(name) for name in ("one_source.extract", "notify")} == {"default_pool"}
    assert set(pools.values()) == {WAREHOUSE_POOL}


def test_a_failed_source_does_not_stop_the_models(night: Any) -> None:
    rules = {task.task_id: task.trigger_rule.value for task in night.tasks}
    assert rules.pop("model") == "all_done_min_one_success"
    assert set(rules.values()) == {"all_success"}


def test_each_stage_calls_the_function_of_its_name(night: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    for task in night.tasks:
        if task.task_id in ("open_run", "one_source.extract", "one_source.publish"):
            continue
        monkeypatch.setitem(task.python_callable.__globals__, "run_stage", lambda *given: called.append(given))
        task.python_callable(*task.op_args, run_id="run-1", **task.op_kwargs)
    assert sorted(called) == [(name, "run-1") for name in ("close_run", "judge", "measure", "model", "notify", "share")]


def test_the_source_reports_are_tried_again_but_the_verdict_on_the_run_is_not(night: Any) -> None:
    retries = {task.task_id: task.retries for task in night.tasks}
    assert retries.pop("close_run") == 0
    assert set(retries.values()) == {2}


def test_the_review_waits_without_holding_a_slot(review: Any) -> None:
    assert {task.task_id: sorted(task.upstream_task_ids) for task in review.tasks} == {
        "list_reviews": [],
        "one_review.wait_until_ready": ["list_reviews"],
        "one_review.build_review": ["list_reviews", "one_review.wait_until_ready"],
        "one_review.deliver_reviews": ["list_reviews", "one_review.build_review"],
    }
    sensor = review.task_dict["one_review.wait_until_ready"]
    assert sensor.mode == "reschedule"


PARSE = """
import runpy, sys, time
import airflow.sdk
from airflow.sdk import CronDataIntervalTimetable, Param, PokeReturnValue, dag, task, task_group

before, started = set(sys.modules), time.perf_counter()
runpy.run_path(sys.argv[1])
print(f"{time.perf_counter() - started:.2f}", *sorted(set(sys.modules) - before))
"""


@pytest.mark.parametrize("file", sorted(DAGS_PER_FILE))
def test_reading_a_dag_file_loads_nothing_heavy(repository: Path, file: str) -> None:
    command = [sys.executable, "-c", PARSE, str(repository / "dags" / file)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    seconds, *loaded = answer.stdout.splitlines()[-1].split()
    print(f"{file}: {seconds} s beyond Airflow's own import")  # a figure to look at, never a limit in a test
    assert "hansei.orchestration" in loaded
    heavy = {"pandas", "great_expectations", "duckdb", "altair", "pyarrow", "hansei.pipeline", "hansei.warehouse"}
    assert heavy & set(loaded) == set()


def test_a_failure_leaves_one_line_that_names_the_source_and_the_brief() -> None:
    from hansei.errors import SourceError

    class Instance:
        dag_id, task_id, map_index = "nightly_indicators", "one_source.extract", 1

    class Task:
        op_kwargs = {"source": "crm"}

    error = SourceError("crm: accounts.csv", "no such file", "put it there\nor correct `path`")
    line = report_failure({"task_instance": Instance(), "task": Task(), "exception": error})
    assert line.startswith("nightly_indicators.one_source.extract[crm] failed: crm: accounts.csv: no such file: put it")
    spoiled = line.partition("| spoils: ")[2].split(", ")
    assert "weekly_brief" in spoiled and spoiled == sorted(spoiled)
    assert "\n" not in line


def test_a_foreign_error_is_named_by_its_kind_only() -> None:
    class Instance:
        dag_id, task_id, map_index = "nightly_indicators", "model", -1

    line = report_failure({"task_instance": Instance(), "exception": KeyError("jane@example.org")})
    assert line.startswith("nightly_indicators.model failed: KeyError (see the traceback above)")
    assert "jane" not in line
