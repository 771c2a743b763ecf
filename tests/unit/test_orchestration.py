"""What a DAG run tells the stages: its window, its week, its connections."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hansei import orchestration
from hansei.connections import Connection, ConnectionNotFound


def run(run_type: str, interval: tuple[datetime, datetime] | None = None, **params: Any) -> dict[str, Any]:
    context = {
        "run_id": f"{run_type}__1",
        "dag": SimpleNamespace(dag_id="nightly_indicators"),
        "dag_run": SimpleNamespace(run_type=run_type),
        "params": {"window_start": None, "window_end": None, "reason": None, "period_end": None, **params},
    }
    if interval:
        context |= {"data_interval_start": interval[0], "data_interval_end": interval[1]}
    return context


BERLIN = ZoneInfo("Europe/Berlin")
# The night in which Berlin's clocks go forward: 23 hours.
NIGHT = (datetime(2026, 3, 28, 2, 0, tzinfo=BERLIN), datetime(2026, 3, 29, 3, 0, tzinfo=BERLIN))


def test_a_scheduled_run_gives_its_interval_in_naive_utc() -> None:
    assert orchestration.run_of(run("scheduled", NIGHT)) == {
        "run_id": "scheduled__1",
        "interval_start": datetime(2026, 3, 28, 1, 0),
        "interval_end": datetime(2026, 3, 29, 1, 0),
        "dag_id": "nightly_indicators",
        "conf": {},
    }


def test_a_manual_run_has_no_interval() -> None:
    given = orchestration.run_of(run("manual"))
    assert (given["interval_start"], given["interval_end"], given["conf"]) == (None, None, {})


def test_a_manual_backfill_names_its_window_and_reason() -> None:
    named = {"window_start": "2026-03-01T00:00:00", "window_end": "2026-03-08T00:00:00", "reason": "CRM was down"}
    assert orchestration.run_of(run("manual", **named))["conf"] == named


def test_a_backfill_by_airflow_becomes_a_named_window() -> None:
    conf = orchestration.run_of(run("backfill", NIGHT))["conf"]
    assert conf == {
        "window_start": "2026-03-28T01:00:00",
        "window_end": "2026-03-29T01:00:00",
        "reason": "airflow backfill",
    }


@pytest.mark.parametrize(
    ("end", "zone", "expected"),
    [
        (datetime(2026, 11, 23, 6, 0, tzinfo=BERLIN), "Europe/Berlin", date(2026, 11, 23)),
        (datetime(2026, 11, 25, 6, 0, tzinfo=BERLIN), "Europe/Berlin", date(2026, 11, 25)),
        # Sunday evening in UTC is already Monday in Auckland.
        (datetime(2026, 11, 22, 17, 0, tzinfo=UTC), "Pacific/Auckland", date(2026, 11, 23)),
        (datetime(2026, 11, 22, 17, 0, tzinfo=UTC), "UTC", date(2026, 11, 22)),
    ],
)
def test_reviewed_periods_have_ended_by_the_day_of_the_zone(end: datetime, zone: str, expected: date) -> None:
    assert orchestration.review_period_end(run("scheduled", (end, end)), zone) == expected


def test_a_manual_review_takes_the_named_week_or_leaves_it_open() -> None:
    assert orchestration.review_period_end(run("manual", NIGHT, period_end="2026-03-02"), "UTC") == date(2026, 3, 2)
    assert orchestration.review_period_end(run("manual", NIGHT), "UTC") is None


def test_nights_end_in_the_zone_of_the_users_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    assert orchestration.reporting_zone() == "UTC"
    (tmp_path / "service.yaml").write_text("id: service\nname: Desk\nreporting_zone: Asia/Shanghai\n", "utf-8")
    monkeypatch.setenv("HANSEI_DEFINITIONS", str(tmp_path))
    assert orchestration.reporting_zone() == "Asia/Shanghai"


def test_airflows_connection_becomes_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk import Connection as AirflowConnection

    known = AirflowConnection(conn_id="crm", uri="postgresql://u:pw@h:5433/d?sslmode=require")
    monkeypatch.setattr(AirflowConnection, "get", lambda _: known)
    expected = Connection("crm", "postgres", "h", 5433, "u", "pw", "d", {"sslmode": "require"})
    assert orchestration.airflow_connection("crm") == expected


def test_a_connection_that_airflow_lacks_says_how_to_add_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.exceptions import AirflowNotFoundException

    def unknown(connection_id: str) -> None:
        raise AirflowNotFoundException(connection_id)

    monkeypatch.setattr(AirflowConnection, "get", unknown)
    with pytest.raises(ConnectionNotFound, match="airflow connections add crm"):
        orchestration.airflow_connection("crm")
