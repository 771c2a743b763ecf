"""A threshold on trial, on both engines: what it would have done is what the nights would have done."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.stored_values import Desk, store_values

from hansei.catalog import Catalog
from hansei.catalog.thresholds import THRESHOLD_FILE
from hansei.errors import DefinitionError, HanseiError
from hansei.pipeline.judging import judge_changes
from hansei.pipeline.readiness import Readiness
from hansei.pipeline.rehearsing import Incident, read_incidents, rehearse_on, threshold_on_trial
from hansei.warehouse import Warehouse
from hansei.warehouse.runs import Run

MONDAY = date(2026, 1, 5)
AS_OF = datetime(2026, 11, 15, 3)
LIMIT = {
    "id": "floor",
    "indicator": "csat_top_box",
    "kind": "static",
    "critical": 0.75,
    "unit": "ratio",
    "segments": ["channel=*"],
    "reason": "three in four are promised",
    "approver": "head",
    "valid_from": date(2027, 1, 4),
    "alarm": {"periods_to_open": 2, "periods_to_close": 2},
}
CALM = [0.80, 0.82, 0.81, 0.83] * 5
SHARES = {
    # Bad in the weeks 20 to 24, and once in week 30.
    "channel=chat": [*CALM, 0.70, 0.71, 0.70, 0.69, 0.70, *CALM[:5], 0.70, *CALM[:4]],
    "channel=mail": [0.9, 0.91, 0.9, 0.92, 0.91] * 7,
}


def week(number: int) -> date:
    return MONDAY + timedelta(weeks=number)


@pytest.fixture
def judged(catalog: Catalog) -> Catalog:
    return replace(catalog, sources={"desk": Desk(tuple(catalog.entities))}, thresholds={}, rebases={})


@pytest.fixture
def filled(warehouse: Warehouse, judged: Catalog) -> Warehouse:
    place = {"indicator": "csat_top_box", "version": 2, "grain": "week", "run_id": "r", "known_since": AS_OF}
    rows = [
        {**place, "period_start": week(number), "segment_id": segment_id, "value": share, "state": "ok"}
        | {"numerator": share * 100, "denominator": 100.0, "sample_count": 100}
        for segment_id, shares in SHARES.items()
        for number, share in enumerate(shares)
    ]
    store_values(warehouse, rows, AS_OF)
    with warehouse.transaction():
        judge_changes(warehouse, judged, Run("night", "night", AS_OF, {}), Readiness(warehouse, judged))
    return warehouse


def tried(**other: Any) -> Any:
    return THRESHOLD_FILE.validate_python({**LIMIT, **other})


def test_a_rule_of_the_future_is_held_against_the_past(filled, judged):
    found = rehearse_on(filled, judged, tried(), 12)
    assert (found.since, found.until, found.segment_count) == (date(2025, 9, 7), week(35), 2)
    (alarm,) = found.alarms
    assert (alarm.opened, alarm.closed, alarm.segments) == (week(21), week(26), ("channel=chat",))
    assert alarm.breaches == tuple(week(number) for number in range(20, 25))
    # From the end of the week that opens it to the end of the week that closes it.
    assert alarm.days == found.alarm_days == 35
    assert found.signs == ()
    # The chart calls the same weeks worse, and the alarm stood then.
    assert [one.segment_id for one in found.incidents] == ["channel=chat"]
    assert found.missed == ()


def test_it_looks_back_as_far_as_is_asked(filled, judged):
    found = rehearse_on(filled, judged, tried(), 2)
    assert found.since == date(2026, 7, 7)
    assert found.alarms == ()
    assert rehearse_on(filled, judged, tried(alarm={"periods_to_open": 1}, segments=["channel=chat"]), 2).alarms


def test_what_it_would_have_missed(filled, judged):
    told = [
        Incident(week(30), week(30), "outage of the chat", "channel=chat"),
        Incident(week(21), week(21), "bad release"),
        Incident(week(21), week(21), "a bad day everywhere", "all"),
        Incident(week(21), week(21), "letters were lost", "channel=mail"),
        Incident(week(-60), week(-60), "before the rehearsal"),
    ]
    found = rehearse_on(filled, judged, tried(), 12, told)
    assert len(found.incidents) == 5
    assert [one.what for one in found.missed] == ["outage of the chat", "letters were lost"]
    lax = rehearse_on(filled, judged, tried(critical=0.5), 12)
    assert lax.alarms == ()
    assert [one.what[:14] for one in lax.missed] == ["worse on the c"]


def test_a_limit_that_the_process_cannot_meet_is_told_before_it_is_saved(filled, judged):
    found = rehearse_on(filled, judged, tried(critical=0.95), 8)
    assert found.signs == ("always",)


def test_nothing_is_written(filled, judged):
    count = "SELECT COUNT(*) FROM indicators.signals"
    before = filled.scalar(count)
    rehearse_on(filled, judged, tried(), 12)
    assert filled.scalar(count) == before
    assert filled.scalar(f"{count} WHERE kind <> 'verdict'") == 0


def test_a_segment_that_there_is_not_is_told(filled, judged):
    with pytest.raises(HanseiError, match="csat_top_box has no finished week in channel=fax"):
        rehearse_on(filled, judged, tried(segments=["channel=fax"]), 12)


FILE = """id: floor
indicator: csat_top_box
kind: static
critical: 0.75
unit: ratio
reason: three in four are promised
approver: head
valid_from: 2026-01-05
"""


def test_a_file_is_checked_as_if_it_lay_among_the_definitions(judged, tmp_path: Path):
    file = tmp_path / "any name.yaml"
    file.write_text(FILE)
    assert threshold_on_trial(judged, file)[1].critical == 0.75
    file.write_text(FILE.replace("csat_top_box", "csat"))
    with pytest.raises(DefinitionError, match="indicator 'csat' is not declared"):
        threshold_on_trial(judged, file)
    file.write_text(FILE.replace("critical: 0.75\n", ""))
    with pytest.raises(DefinitionError, match="give warning, critical, or both"):
        threshold_on_trial(judged, file)
    with pytest.raises(HanseiError, match="is no file"):
        threshold_on_trial(judged, tmp_path / "none.yaml")


def test_incidents_are_read_with_the_line_of_a_mistake(tmp_path: Path):
    file = tmp_path / "known.csv"
    file.write_text("day,what,segment\n2026-06-01,outage,channel=chat\n2026-06-02,,\n")
    first, second = read_incidents(file)
    assert first == Incident(date(2026, 6, 1), date(2026, 6, 1), "outage", "channel=chat")
    assert (second.what, second.segment_id) == ("incident", None)
    file.write_text("day,what\nyesterday,outage\n")
    with pytest.raises(HanseiError, match=r"known\.csv:2: day 'yesterday' is no day"):
        read_incidents(file)
