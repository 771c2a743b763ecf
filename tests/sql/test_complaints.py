"""Complaints on both engines: what is one, its grade, its due dates in open hours and by the clock, extensions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from sql.staging_rows import publish, version

from hansei.catalog import Catalog, load_catalog
from hansei.catalog.complaints import ComplaintRules
from hansei.catalog.loader import chosen
from hansei.indicators.measure import Measurement
from hansei.settings import Settings
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

FRIDAY = datetime(2026, 3, 6, 15)
OFFICE = {
    "id": "office",
    "name": "Office",
    "zone": "UTC",
    "hours": {day: ["09:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")},
}
RULES: dict[str, Any] = {
    "id": "complaints",
    "title": "Complaints",
    "owner": "care",
    "source": "ISO 10002:2018",
    "is_complaint": [{"tag": ["complaint"]}, {"type": ["grievance"], "channel": ["mail", "phone"]}],
    "grades": [
        {
            "id": "grave",
            "title": "Grave",
            "conditions": {"priority": ["urgent"]},
            "acknowledge": {"within": "4h", "time": "business"},
            "resolve": {"within": "16h", "time": "business"},
        },
        {"id": "plain", "title": "Plain", "acknowledge": {"within": "1d"}, "resolve": {"within": "5d"}},
    ],
}


@pytest.fixture
def catalog(settings: Settings, tmp_path: Path) -> Catalog:
    """The shipped definitions, with these rules and a calendar of opening hours laid over them."""
    overlay = tmp_path / "definitions"
    service = {"id": "service", "name": "Service", "reporting_zone": "UTC", "calendar": "office"}
    for name, content in (("calendars/office", OFFICE), ("complaints/complaints", RULES), ("service", service)):
        path = overlay / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    shipped = load_catalog(replace(settings, overlays=(overlay,)))
    of_complaints = [name for name in shipped.indicators if name.startswith("complaint_")]
    return replace(shipped, indicators=chosen(shipped.indicators, of_complaints)[0])


def night(warehouse: Warehouse, catalog: Catalog, run_id: str = "run", as_of: datetime | None = None) -> None:
    plant(warehouse, catalog, run_id)
    refresh_models(warehouse, catalog, "core", run_id)
    if as_of:
        Measurement(warehouse, catalog, run_id, as_of).run()


def add(
    warehouse: Warehouse, catalog: Catalog, name: str, *, replied: datetime | None, solved: datetime | None, **more: Any
) -> None:
    key = f"desk:{name}"
    row = {
        "ticket_id": key,
        "status": "solved" if solved else "open",
        "created_at": FRIDAY,
        "priority": "normal",
        "has_complete_events": True,
        **more,
    }
    publish(warehouse, catalog.entities["tickets"], [row])
    happened = {"actor_kind": "agent", "ticket_id": key, "source_version": version(1)}
    events = [
        {**happened, "event_id": f"{key}r", "occurred_at": replied, "event_type": "reply", "is_public": True},
        {**happened, "event_id": f"{key}s", "occurred_at": solved, "event_type": "status", "value": "solved"},
    ]
    if told := [event for event in events if event["occurred_at"]]:
        publish(warehouse, catalog.entities["ticket_events"], told)


def complaints(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    rows = warehouse.rows("SELECT * FROM core.complaints ORDER BY ticket_id")
    return {row["ticket_id"].removeprefix("desk:"): row for row in rows}


def test_tags_and_types_make_a_complaint_and_conditions_its_grade(warehouse: Warehouse, catalog: Catalog) -> None:
    nobody = {"replied": None, "solved": None}
    add(warehouse, catalog, "tagged", tags="billing,complaint", **nobody)
    add(warehouse, catalog, "alike", tags="complaints,no-complaint", **nobody)  # a tag is a whole word
    add(warehouse, catalog, "urgent", tags="complaint", priority="urgent", **nobody)
    add(warehouse, catalog, "typed", ticket_type="grievance", channel="phone", **nobody)
    add(warehouse, catalog, "elsewhere", ticket_type="grievance", channel="chat", **nobody)
    add(warehouse, catalog, "plain", **nobody)
    night(warehouse, catalog)
    grades = {name: row["grade"] for name, row in complaints(warehouse).items()}
    assert grades == {"tagged": "plain", "urgent": "grave", "typed": "plain"}


def test_a_later_priority_does_not_change_the_grade(warehouse: Warehouse, catalog: Catalog) -> None:
    add(warehouse, catalog, "raised", tags="complaint", priority="urgent", replied=None, solved=None)
    raised = {
        "event_id": "raised",
        "ticket_id": "desk:raised",
        "occurred_at": FRIDAY + timedelta(hours=1),
        "event_type": "priority",
        "previous_value": "low",
        "value": "urgent",
    }
    publish(warehouse, catalog.entities["ticket_events"], [raised])
    night(warehouse, catalog)
    assert complaints(warehouse)["raised"]["grade"] == "plain"


MINUTE = timedelta(minutes=1)
# Friday 15:00, open to 17:00 and on Monday from 9:00: 4 open hours end on Monday at 11:00, 16 on Tuesday at 15:00.
GRAVE_ACKNOWLEDGED, GRAVE_RESOLVED = datetime(2026, 3, 9, 11), datetime(2026, 3, 10, 15)
PLAIN_ACKNOWLEDGED, PLAIN_RESOLVED = FRIDAY + timedelta(days=1), FRIDAY + timedelta(days=5)


@pytest.mark.parametrize(
    ("priority", "acknowledged", "resolved"),
    [("urgent", GRAVE_ACKNOWLEDGED, GRAVE_RESOLVED), ("low", PLAIN_ACKNOWLEDGED, PLAIN_RESOLVED)],
)
def test_the_limit_itself_is_on_time_and_a_minute_later_is_not(
    warehouse: Warehouse, catalog: Catalog, priority: str, acknowledged: datetime, resolved: datetime
) -> None:
    same = {"tags": "complaint", "priority": priority}
    add(warehouse, catalog, "kept", replied=acknowledged, solved=resolved, **same)
    add(warehouse, catalog, "late", replied=acknowledged + MINUTE, solved=resolved + MINUTE, **same)
    add(warehouse, catalog, "open", replied=None, solved=None, **same)
    night(warehouse, catalog)
    found = complaints(warehouse)
    for row in found.values():
        assert (row["acknowledge_due_at"], row["resolve_due_at"]) == (acknowledged, resolved)
        assert (row["acknowledge_due_date"], row["resolve_due_date"]) == (acknowledged.date(), resolved.date())
    verdicts = {name: (row["is_acknowledged_on_time"], row["is_resolved_on_time"]) for name, row in found.items()}
    assert verdicts == {"kept": (True, True), "late": (False, False), "open": (False, False)}


def test_an_answer_outside_hours_takes_no_open_time(warehouse: Warehouse, catalog: Catalog) -> None:
    """On Monday before nine only two open hours have passed, however long the weekend was."""
    sunday = datetime(2026, 3, 8, 12)
    add(warehouse, catalog, "w", replied=sunday, solved=sunday, tags="complaint", priority="urgent")
    night(warehouse, catalog)
    row = complaints(warehouse)["w"]
    assert row["is_acknowledged_on_time"] and row["is_resolved_on_time"]


def test_a_later_date_that_was_agreed_is_the_new_due_date(warehouse: Warehouse, catalog: Catalog) -> None:
    later, earlier = PLAIN_RESOLVED + timedelta(days=10), PLAIN_RESOLVED - timedelta(days=1)
    same = {"tags": "complaint", "replied": None}
    add(warehouse, catalog, "in_time", solved=later, agreed_due_at=later, **same)
    add(warehouse, catalog, "too_late", solved=later + MINUTE, agreed_due_at=later, **same)
    add(warehouse, catalog, "not_extended", solved=PLAIN_RESOLVED, agreed_due_at=earlier, **same)
    night(warehouse, catalog)
    found = {
        name: (row["is_extended"], row["resolve_due_at"], row["is_resolved_on_time"])
        for name, row in complaints(warehouse).items()
    }
    assert found == {
        "in_time": (True, later, True),
        "too_late": (True, later, False),
        "not_extended": (False, PLAIN_RESOLVED, True),
    }


def test_what_is_still_open_counts_on_the_day_it_was_due(warehouse: Warehouse, catalog: Catalog) -> None:
    """Of four due in the same week one was in time; a closed cohort would know nothing of the two open ones."""
    same = {"tags": "complaint", "replied": None}
    add(warehouse, catalog, "a", solved=PLAIN_RESOLVED - MINUTE, **same)
    add(warehouse, catalog, "b", solved=PLAIN_RESOLVED + timedelta(days=30), **same)
    add(warehouse, catalog, "c", solved=None, **same)
    add(warehouse, catalog, "d", solved=None, **same)
    add(warehouse, catalog, "spam", solved=None, is_spam=True, **same)
    for number in range(45):
        add(warehouse, catalog, f"t{number}", replied=None, solved=None)
    night(warehouse, catalog, as_of=datetime(2026, 6, 1))
    query = (
        "SELECT indicator, numerator, denominator, value FROM indicators.indicator_values "
        "WHERE grain = 'week' AND segment_id = 'all' AND period_start = :start"
    )
    received = {row["indicator"]: row for row in warehouse.rows(query, {"start": date(2026, 3, 2)})}
    due = {row["indicator"]: row for row in warehouse.rows(query, {"start": date(2026, 3, 9)})}
    on_time = due["complaint_resolved_on_time"]
    assert (on_time["numerator"], on_time["denominator"]) == (1, 4)
    assert received["complaint_count"]["value"] == 4
    assert received["complaint_rate"]["value"] == pytest.approx(1000 * 4 / 49, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"is_complaint": [{}]}, "every ticket a complaint"),
        ({"grades": RULES["grades"][:1]}, "the last grade must hold for all other complaints"),
        ({"grades": [RULES["grades"][1]] * 2}, "grades stand twice: plain"),
        ({"grades": [RULES["grades"][1], {**RULES["grades"][1], "id": "x"}]}, "grade plain has no condition"),
        ({"source": "?"}, "at least 5 characters"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_rules_that_would_mislead_are_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        ComplaintRules.model_validate(RULES | change)
