"""What a source counts against what we count: every kind of gap is explained by its name, and nothing else is."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa
from support.counting_desk import SOURCE, Desk, counting_desk

from hansei.pipeline.tying_out import reconcile_source
from hansei.settings import load_settings

CLOCK = datetime(2026, 3, 10)
PARTS = ("deleted", "merged", "spam", "bot_only", "quarantined", "held", "time_zone", "late", "unexplained")
Gaps = dict[tuple[str, str], dict[str, int]]


@pytest.fixture(scope="module")
def desk(module_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Twelve ordinary tickets of four days and one of each kind that makes a gap, after the first night."""
    keys = {"HANSEI_IDENTITY_KEY": "k" * 40, "HANSEI_QUARANTINE_KEY": "cXVhcmFudGluZS1rZXktb2YtdGhlLXRlc3RzLTMyYnk="}
    home = tmp_path_factory.mktemp("desk")
    url = module_url.render_as_string(hide_password=False)
    settings = load_settings({"HANSEI_HOME": str(home / "home"), "HANSEI_WAREHOUSE": url, **keys})
    # A batch with less than twice the rows of the three nights before it is held.
    band = "row_count: {hold_below_ratio: 2, minimum_nights: 3}\nresources:"
    desk = counting_desk(home, settings, CLOCK, SOURCE.replace("resources:", band, 1))
    for number in range(12):
        state = "resolved" if number % 3 == 2 else "new"
        desk.open(number + 1, f"2026-03-0{5 + number // 3} 0{7 + number % 3}:00:00", state)
    desk.open(101, "2026-03-05 09:00:00", spam=1)
    desk.open(102, "2026-03-06 09:00:00", merged_into="1")
    desk.open(103, "2026-03-07 09:00:00", deleted_at="2026-03-08 09:00:00")
    desk.open(104, "2026-03-08 09:00:00", "resolved")
    desk.execute("UPDATE events SET role = 'bot' WHERE ticket = 104 AND type = 'status'")
    desk.happened(104, "2026-03-08 09:00:00", "reply", "bot")
    desk.open(105, "2026-03-06 10:00:00", spam="perhaps")
    desk.open(106, "2026-03-07 23:30:00")  # in Berlin it is the eighth already
    desk.count()
    desk.execute("INSERT INTO counts VALUES ('2026-03-10', 'new', 2)")
    desk.night()
    return desk


KINDS = {
    ("2026-03-05", "new"): {"their": 3, "our": 2, "gap": 1, "spam": 1},
    ("2026-03-06", "new"): {"their": 4, "our": 2, "gap": 2, "merged": 1, "quarantined": 1},
    ("2026-03-07", "new"): {"their": 4, "our": 2, "gap": 2, "deleted": 1, "time_zone": 1},
    ("2026-03-08", "new"): {"their": 2, "our": 3, "gap": -1, "time_zone": -1},
    ("2026-03-08", "solved"): {"their": 2, "our": 1, "gap": 1, "bot_only": 1},
    ("2026-03-10", "new"): {"their": 2, "gap": 2, "late": 2},
}


def now(desk: Desk, **changes: object) -> Gaps:
    """The comparison as `hansei sources reconcile` makes it, with the counts that the source gives now."""
    source = desk.context.catalog.sources["desk"]
    counts = source.counts[0].model_copy(update=changes)
    rows = reconcile_source(desk.context, source.model_copy(update={"counts": (counts,)}))["tickets"]
    for row in rows:
        assert row["gap_count"] == row["their_count"] - row["our_count"]
        assert row["gap_count"] == sum(row[f"{part}_count"] for part in PARTS), row
    return {
        (str(row["day"]), row["status"]): {
            name[:-6]: row[name] for name in row if name.endswith("_count") and row[name]
        }
        for row in rows
    }


def test_each_kind_of_gap_is_explained_by_its_own_name(desk: Desk) -> None:
    assert desk.gaps("night-2026-03-10T0000") == KINDS
    rows = desk.rows("SELECT * FROM ops.reconciliations")
    assert len(rows) == 9, "cells without a gap are there too"
    assert sum(row["their_count"] for row in rows) == 20
    told = desk.rows(
        "SELECT result, checked_count, failed_count FROM ops.check_results WHERE check_id = 'source_counts'"
    )
    assert [tuple(row.values()) for row in told] == [("passed", 20, 0)]


def test_asked_at_once_the_answer_is_that_of_the_night(desk: Desk) -> None:
    found = now(desk)
    assert {place: counts for place, counts in found.items() if set(counts) - {"their", "our"}} == KINDS


def test_what_the_source_leaves_out_of_its_count_explains_nothing(desk: Desk) -> None:
    desk.count("spam = 0 AND merged_into = '' AND id NOT IN (104, 106)")
    found = now(desk, leaves_out=("deleted", "merged", "spam"), zone="Europe/Berlin")
    assert found["2026-03-05", "new"] == {"their": 2, "our": 2}
    assert found["2026-03-06", "new"] == {"their": 2, "our": 2, "quarantined": 1, "unexplained": -1}
    assert found["2026-03-07", "new"] == {"their": 3, "our": 2, "gap": 1, "unexplained": 1}
    assert found["2026-03-08", "new"] == {"their": 2, "our": 3, "gap": -1, "unexplained": -1}
    assert found["2026-03-08", "solved"] == {"their": 1, "our": 1, "bot_only": 1, "unexplained": -1}


def test_what_no_rule_explains_stays_unexplained(desk: Desk) -> None:
    desk.count()
    desk.execute("UPDATE counts SET number = number + 3 WHERE day = '2026-03-06' AND state = 'new'")
    desk.execute("UPDATE counts SET number = number - 1 WHERE day = '2026-03-07' AND state = 'resolved'")
    found = now(desk)
    assert found["2026-03-06", "new"] == {
        "their": 7,
        "our": 2,
        "gap": 5,
        "merged": 1,
        "quarantined": 1,
        "unexplained": 3,
    }
    assert found["2026-03-07", "solved"] == {"our": 1, "gap": -1, "unexplained": -1}


def test_days_that_the_source_does_not_tell_of_are_not_compared(desk: Desk) -> None:
    desk.count("created_at >= '2026-03-07'")
    assert {place[0] for place in now(desk)} == {"2026-03-07", "2026-03-08"}
    desk.count()
    desk.open(60, "2026-03-10 09:00:00")
    desk.count()
    assert {place[0] for place in now(desk, days=2)} == {"2026-03-10"}, "the ninth, which has no ticket, and the tenth"
    desk.execute("DELETE FROM tickets WHERE id = 60")
    desk.execute("DELETE FROM events WHERE ticket = 60")


def test_a_count_by_day_alone_is_compared_by_day(desk: Desk) -> None:
    desk.count()
    found = now(desk, status=None)
    assert found["2026-03-08", "all"] == {"their": 4, "our": 4, "bot_only": 1, "time_zone": -1}


def test_counts_that_cannot_be_read_say_so(desk: Desk) -> None:
    desk.execute("INSERT INTO counts VALUES ('2026-03-06', 'new', 'many')")
    with pytest.raises(Exception, match="no readable day, status or count"):
        now(desk)


def test_nights_explain_what_came_late_and_what_is_held(desk: Desk) -> None:
    """In the order of nights: a status that moves after our rows end, unreadable counts, a batch that is held."""
    desk.execute("UPDATE tickets SET spam = 0 WHERE id = 105")
    desk.change(1, "2026-03-11 02:00:00", "resolved")
    desk.change(4, "2026-03-10 20:00:00", "open")
    desk.change(5, "2026-03-10 21:00:00", "open")
    desk.count()
    gaps = desk.gaps(desk.night())
    assert gaps["2026-03-05", "new"] == {"their": 2, "our": 2, "spam": 1, "late": -1}
    assert gaps["2026-03-05", "solved"] == {"their": 2, "our": 1, "gap": 1, "late": 1}
    assert sum(counts.get("late", 0) for counts in gaps.values()) == 0, "nothing else is late"
    assert not any("unexplained" in counts for counts in gaps.values())
    desk.execute("INSERT INTO counts VALUES ('2026-03-06', 'new', 'many')")
    run = desk.night()
    assert desk.gaps(run) == {}
    told = "SELECT result, message FROM ops.check_results WHERE check_id = 'source_counts' AND run_id = :run"
    assert [row["result"] for row in desk.rows(told, run=run)] == ["warned"], "the night went on, and says so"
    assert desk.rows("SELECT state FROM ops.source_runs WHERE run_id = :run", run=run) == [{"state": "published"}]
    desk.open(50, "2026-03-12 12:00:00")
    desk.count("id = 50")
    run = desk.night()
    assert desk.rows("SELECT state FROM ops.source_runs WHERE run_id = :run", run=run) == [{"state": "held"}]
    assert desk.gaps(run) == {("2026-03-12", "new"): {"their": 1, "gap": 1, "held": 1}}


def test_a_back_fill_compares_nothing(desk: Desk) -> None:
    desk.count()
    run = desk.night({"window_start": "2026-03-05", "window_end": "2026-03-06", "reason": "test"})
    assert desk.rows("SELECT 1 FROM ops.reconciliations WHERE run_id = :run", run=run) == []
