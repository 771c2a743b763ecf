"""Notes of charts: what the catalog and the outage log know beside what people wrote, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from hansei.catalog import Catalog
from hansei.catalog.calendars import CalendarAssignment
from hansei.catalog.reviews import Review
from hansei.catalog.sla import SlaPolicy
from hansei.catalog.thresholds import Rebase
from hansei.pipeline.noting import longest_outages, notes_of
from hansei.reviews.evidence import Note
from hansei.warehouse import Warehouse

FIRST, FOLLOWING = date(2026, 1, 5), date(2026, 4, 6)
LABELS = {"team=desk:7": "Night desk"}


def _outage(service: str, day: date, seconds: int | None, is_planned: bool = False) -> dict[str, Any]:
    at = datetime(day.year, day.month, day.day, 10)
    times = {"started_at": at, "started_date": day, "ended_at": seconds and at + timedelta(seconds=seconds)}
    told = {"incident_count": 1, "down_calendar_seconds": seconds, "is_within_planned": is_planned}
    return {"service": service, **times, **told}


def test_the_longest_outages_of_the_weeks_shown(warehouse: Warehouse, catalog: Catalog) -> None:
    columns = catalog.tables["core.service_outages"].columns.items()
    declared = ", ".join(f"{name} {column.type}" for name, column in columns)
    warehouse.execute(f"CREATE TABLE core.service_outages ({declared})")
    march = date(2026, 3, 2)
    rows = [
        _outage("short", march, 600),
        _outage("mail", march, 7200),
        _outage("mail", march + timedelta(days=1), 7200),
        _outage("long", date(2026, 4, 5), 14400),
        _outage("planned", march, 90000, is_planned=True),
        _outage("older", date(2026, 1, 4), 90000),
        _outage("later", FOLLOWING, 90000),
    ]
    warehouse.insert("core.service_outages", rows)
    found = longest_outages(warehouse, FIRST, FOLLOWING)
    assert [(note.what, note.date, note.seconds) for note in found] == [
        ("long", date(2026, 4, 5), 14400),
        ("mail", march, 7200),
        ("mail", march + timedelta(days=1), 7200),
    ]
    warehouse.insert("core.service_outages", [_outage("lasting", march, None)])
    assert [(note.what, note.seconds) for note in longest_outages(warehouse, FIRST, FOLLOWING)][:2] == [
        ("lasting", None),
        ("long", 14400),
    ]


@pytest.fixture
def changed(catalog: Catalog) -> Catalog:
    """The shipped catalog after a quarter in which much was changed."""
    assignments = [
        CalendarAssignment(team="desk:7", calendar="always", **{"from": date(2026, 2, 2)}),
        CalendarAssignment(brand="north", calendar="desk:holidays", **{"from": date(2026, 2, 9)}),
    ]
    versions = [
        {"valid_from": day, "metrics": {"first_reply": {"target": "4h"}}}
        for day in (date(2025, 1, 1), date(2026, 3, 2))
    ]
    policy = SlaPolicy(id="gold", title="Gold support", owner="o", versions=versions)
    rebase = Rebase(
        id="moved",
        kind="rebase",
        indicator="reopen_rate",
        rebased_on=date(2026, 1, 12),
        reason="Another way of solving.",
        by="A. Lead",
    )
    service = catalog.service.model_copy(update={"calendar_assignments": tuple(assignments)})
    return replace(catalog, service=service, sla={"gold": policy}, rebases={"moved": rebase})


def _review(*notes: dict[str, Any]) -> Review:
    named = {"id": "r", "title": "T", "audience": "a", "owner": "o", "indicators": ["nps"]}
    return Review(**named, notes=notes)


def _notes(catalog: Catalog, name: str, review: Review, about: str = "all", outages: tuple = ()) -> list[tuple]:
    span = (FIRST, FOLLOWING)
    found = notes_of(catalog, review, catalog.indicators[name], about, span, outages, LABELS)
    return [(str(note.date), note.kind, note.text or note.what, note.segment_label) for note in found]


def test_each_chart_has_the_changes_that_concern_it(changed: Catalog) -> None:
    calendar = ("2026-02-02", "calendar", "always", "Night desk")
    brand = ("2026-02-09", "calendar", "desk:holidays", "north")
    policy = ("2026-03-02", "policy", "Gold support", "")
    outage = Note(date=date(2026, 3, 9), kind="outage", what="mail", seconds=7200)
    down = ("2026-03-09", "outage", "mail", "")
    seen = {name: _notes(changed, name, _review(), outages=(outage,)) for name in changed.indicators}
    assert seen["first_reply_median"] == [calendar, down]  # not cut by brand
    assert seen["first_reply_business_median"] == [calendar, brand, down]
    assert seen["sla_attainment"] == [calendar, brand, policy]
    assert seen["backlog"] == [down]
    assert seen["reopen_rate"] == [("2026-01-12", "rebase", "Another way of solving.", "")]
    assert seen["csat_top_box"] == []
    assert _notes(changed, "first_reply_median", _review(), "team=desk:7", (outage,)) == [calendar]
    assert _notes(changed, "first_reply_median", _review(), "team=desk:8", (outage,)) == []


def test_what_people_wrote_stands_and_the_rest_fills_up(changed: Catalog) -> None:
    written = [{"date": date(2026, 2, day), "text": f"Note {day}"} for day in (2, 3, 4, 5)]
    elsewhere = {"date": date(2026, 2, 6), "text": "Not here", "indicators": ["nps"]}
    outages = tuple(Note(date=date(2026, 3, day), kind="outage", what=f"s{day}", seconds=60) for day in (5, 4, 3))
    found = _notes(changed, "first_reply_business_median", _review(*written, elsewhere), outages=outages)
    # The day of the calendar's change has a note already; of the others the schedule's and the longest outage fit.
    assert found == [
        *((f"2026-02-{day:02}", "said", f"Note {day}", "") for day in (2, 3, 4, 5)),
        ("2026-02-09", "calendar", "desk:holidays", "north"),
        ("2026-03-05", "outage", "s5", ""),
    ]
    many = _review(*({"date": date(2026, 3, day), "text": "x"} for day in range(1, 9)))
    assert len(_notes(changed, "sla_attainment", many)) == 8
