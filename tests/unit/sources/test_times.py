"""The step from a zone's clock to UTC, against Python's own zone data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from hansei.sources.times import localise

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "UTC"]


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    clocks=st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31)), min_size=1, max_size=30),
)
def test_agrees_with_zoneinfo_wherever_the_clock_tells_a_time_once(zone: str, clocks: list[datetime]) -> None:
    told = localise(pa.array(clocks, pa.timestamp("us")), pa.array([True] * len(clocks)), zone)
    for position, clock in enumerate(clocks):
        earlier = clock.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC).replace(tzinfo=None)
        later = clock.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC).replace(tzinfo=None)
        exists = earlier.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == clock
        instant = told.instants[position].as_py()
        assert told.nonexistent[position].as_py() is (not exists)
        assert told.ambiguous[position].as_py() is (exists and earlier != later)
        if exists:
            assert instant == earlier
        else:  # the first instant after the gap
            before = instant - timedelta(microseconds=1)
            as_told = [
                at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for at in (before, instant)
            ]
            assert as_told[0] < clock < as_told[1]


def test_instants_and_nulls_pass_unchanged() -> None:
    at = datetime(2024, 3, 31, 2, 30)
    told = localise(pa.array([at, None], pa.timestamp("us")), pa.array([False, True]), "Europe/Berlin")
    assert told.instants.to_pylist() == [at, None]
    assert told.nonexistent.to_pylist() == [False, False]


def test_odd_times_are_counted_in_the_batch(inbox: Path, ticket_source, extract) -> None:
    clocks = ["2024-10-27T02:30:00", "2024-10-27T02:59:59", "2024-03-31T02:30:00", "2024-05-01T12:00:00", ""]
    (inbox / "t.csv").write_text("id,created,solved\n" + "".join(f"{n},2024-01-01,{c}\n" for n, c in enumerate(clocks)))
    columns = {"status": {"constant": "open"}, "solved_at": {"path": "solved"}, "closed_at": {"path": "solved"}}
    source = ticket_source({"path": str(inbox / "t.csv"), "format": "csv"}, columns, zone="Europe/Berlin")
    manifest, _ = extract(source)
    batch = manifest.entities["tickets"]
    assert (batch.ambiguous_times, batch.nonexistent_times) == (4, 2)  # two columns


def test_one_clock_time_among_instants_is_a_fault_where_no_zone_is_known(inbox: Path, ticket_source, extract) -> None:
    (inbox / "t.csv").write_text("id,status,created\n1,open,2024-01-01T00:00:00Z\n2,open,2024-01-01T00:00:00\n")
    _, rows = extract(ticket_source({"path": str(inbox / "t.csv"), "format": "csv"}, zone=None))
    assert [row["faults"] for row in rows] == [None, '[{"column":"created_at","rule":"cast:timestamp"}]']
