"""Service level agreements on both engines: every case of the oracle, and the edges beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from sql.staging_rows import publish
from support.oracle_schedules import calendar_of, oracle, write_calendar

from hansei.catalog import Catalog, load_catalog
from hansei.settings import Settings
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant
from hansei.warehouse.tables import evolve

STATES = {"met": "fulfilled", "breached": "breached", "running_late": "breached", "running": "running"}
CLOCKS = {
    (): ["queue", "agent", "customer", "third_party", "hold", "bot"],
    ("pending",): ["queue", "agent", "third_party", "hold", "bot"],
    ("pending", "hold"): ["queue", "agent"],
}


class Desk:
    """A warehouse with definitions of its own, nights that are run one by one, and the clocks as of any instant."""

    def __init__(self, warehouse: Warehouse, catalog: Catalog) -> None:
        self.warehouse = warehouse
        self.catalog = catalog
        self._night = 0

    def night(self, **rows: list[dict[str, Any]]) -> None:
        self._night += 1
        for entity, given in rows.items():
            publish(self.warehouse, self.catalog.entities[entity], given, run_id=f"night {self._night}")
        plant(self.warehouse, self.catalog, f"night {self._night}")
        refresh_models(self.warehouse, self.catalog, "core", f"night {self._night}")

    def as_of(self, instant: datetime) -> None:
        self.warehouse.execute("DELETE FROM ops.runs")
        self.warehouse.insert("ops.runs", [{"run_id": "run", "as_of": instant}])

    def clocks(self, ticket: str, table: str = "core.ticket_sla_states") -> list[dict[str, Any]]:
        query = f"SELECT * FROM {table} WHERE ticket_id = :ticket ORDER BY metric, turn_number"
        return self.warehouse.rows(query, {"ticket": ticket})


@pytest.fixture
def open_desk(settings: Settings, tmp_path: Path) -> Iterator[Any]:
    opened: list[Any] = []
    overlay = tmp_path / "definitions"

    def open_with(
        service: dict[str, Any], policies: list[dict[str, Any]], calendars: Sequence[dict[str, Any]] = ()
    ) -> Desk:
        for calendar in calendars:
            write_calendar(overlay, calendar)
        for policy in policies:
            write(overlay / "sla" / f"{policy['id']}.yaml", policy)
        if service:
            write(overlay / "service.yaml", service)
        catalog = load_catalog(replace(settings, overlays=(overlay,)))
        manager = open_warehouse(settings)
        warehouse = manager.__enter__()
        opened.append(manager)
        evolve(warehouse, catalog)
        return Desk(warehouse, catalog)

    yield open_with
    for manager in opened:
        manager.__exit__(None, None, None)


def write(path: Path, definition: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(definition), encoding="utf-8")


def policy(name: str, metrics: dict[str, Any], precedence: int = 100, **conditions: list[str]) -> dict[str, Any]:
    versions = [{"valid_from": "2020-01-01", "metrics": metrics}]
    own = {"id": name, "title": name, "owner": "desk", "precedence": precedence, "versions": versions}
    return {**own, "conditions": conditions}


def status_events(ticket: str, history: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {
            "event_id": f"{ticket}:{number}",
            "ticket_id": ticket,
            "occurred_at": datetime.fromisoformat(at),
            "sequence_number": number,
            "event_type": "status",
            "value": status,
        }
        for number, (at, status) in enumerate(history)
    ]


def event(ticket: str, at: str, kind: str, value: str | None = None, **more: Any) -> dict[str, Any]:
    base = {"event_id": f"{ticket}:{kind}:{at}:{value}", "ticket_id": ticket, "event_type": kind, "value": value}
    return {**base, "occurred_at": datetime.fromisoformat(at), **more}


def reply(ticket: str, at: str, actor: str = "agent", **more: Any) -> dict[str, Any]:
    return event(ticket, at, "reply", None, actor_kind=actor, actor_id=f"desk:{actor}", is_public=True, **more)


def ticket(name: str, created: str, status: str = "open", **more: Any) -> dict[str, Any]:
    base = {"ticket_id": name, "created_at": datetime.fromisoformat(created), "status": status}
    return {**base, "has_complete_events": True, **more}


def test_every_case_of_the_oracle(open_desk) -> None:
    content = oracle("sla")
    cases = {f"desk:{case['id']}": case for case in content["cases"]}
    assert len(cases) >= 30
    policies = [
        policy(
            case["id"],
            {"resolution": {"target": f"{case['target_business_min']}m", "clock": CLOCKS[_paused(case)]}},
            precedence=number,
            tag=[case["id"]],
        )
        for number, case in enumerate(cases.values())
    ]
    assignments = [{"brand": name, "calendar": name} for name in content["schedules"]]
    desk = open_desk(
        {"id": "service", "name": "Service", "reporting_zone": "UTC", "calendar_assignments": assignments},
        policies,
        [calendar_of(name, schedule) for name, schedule in content["schedules"].items()],
    )
    histories = {key: [(item["at"], item["status"]) for item in case["status_history"]] for key, case in cases.items()}
    desk.night(
        tickets=[
            ticket(key, histories[key][0][0], histories[key][-1][1], brand=case["schedule"], tags=case["id"])
            for key, case in cases.items()
        ],
        ticket_events=[row for key, history in histories.items() for row in status_events(key, history)],
    )
    wrong = []
    for key, case in cases.items():
        desk.as_of(datetime.fromisoformat(case["evaluated_at"]))
        [clock] = desk.clocks(key)
        breached_at = clock["breached_at"]
        found = {
            "elapsed_min": clock["elapsed_seconds"] / 60,
            "target_min": clock["target_seconds"] / 60,
            "breached": clock["is_breached"],
            "first_breaching_minute_utc": f"{breached_at:%Y-%m-%dT%H:%MZ}" if breached_at else None,
            "remaining_min": clock["remaining_seconds"] / 60,
            "state": STATES[clock["state"]],
        }
        expected = {name: case["expected"][name] for name in found}
        if found != expected:
            wrong.append((case["id"], found, expected))
    assert wrong == []


def _paused(case: dict[str, Any]) -> tuple[str, ...]:
    return tuple(case["paused_statuses"])
