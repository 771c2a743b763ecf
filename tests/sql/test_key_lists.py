"""Hard deletes are found by complete lists of keys, and only by these; late changes by the look-back."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from sql.staging_rows import publish
from support.counting_desk import SOURCE, Desk, counting_desk

from hansei.catalog import Catalog
from hansei.catalog.source_tallies import KeyList
from hansei.catalog.windows import Window
from hansei.settings import Settings
from hansei.sources.erasure import LIKE_TOKEN
from hansei.warehouse import Warehouse
from hansei.warehouse.key_lists import reconcile_keys
from hansei.warehouse.runs import Run

CLOCK = datetime(2026, 3, 10)
EVERY_NIGHT = SOURCE.replace("every: 7d", "every: 1d")


def filled(tmp_path: Path, settings: Settings, source: str) -> Desk:
    desk = counting_desk(tmp_path, settings, CLOCK, source)
    for number in range(1, 11):
        desk.open(number, f"2026-03-0{number % 5 + 4} 08:00:00")
    desk.open(99, "2026-03-04 08:00:00", merged_into="1", hidden=1)
    return desk


def lists(desk: Desk, run: str) -> list[tuple]:
    columns = "state, listed_count, known_count, absent_count, deleted_count, revived_count"
    rows = desk.rows(f"SELECT {columns} FROM ops.key_reconciliations WHERE run_id = :run", run=run)
    return [tuple(row.values()) for row in rows]


def test_rows_that_vanish_are_buried_come_back_and_are_never_buried_by_a_bad_list(
    tmp_path: Path, settings: Settings
) -> None:
    desk = filled(tmp_path, settings, EVERY_NIGHT)
    assert lists(desk, desk.night()) == [("applied", 10, 11, 0, 0, 0)], "a merged ticket that is not listed lives on"

    desk.execute("UPDATE tickets SET gone = 1 WHERE id IN (3, 7)")
    run = desk.night()
    assert lists(desk, run) == [("applied", 8, 11, 2, 2, 0)]
    assert not {"desk:3", "desk:7"} & set(desk.living())
    assert desk.rows(
        "SELECT key FROM ops.changes WHERE run_id = :run AND operation = 'delete' ORDER BY key", run=run
    ) == [
        {"key": "desk:3"},
        {"key": "desk:7"},
    ]
    deleted = desk.rows("SELECT ticket_id FROM core.tickets WHERE is_deleted ORDER BY ticket_id")
    assert [row["ticket_id"] for row in deleted] == ["desk:3", "desk:7"]
    assert desk.rows("SELECT deleted_count FROM ops.batches WHERE run_id = :run AND entity = 'tickets'", run=run) == [
        {"deleted_count": 2}
    ]

    desk.execute("UPDATE tickets SET gone = 0 WHERE id = 7")
    assert lists(desk, desk.night()) == [("applied", 9, 9, 0, 0, 1)]
    assert "desk:7" in desk.living()
    assert "desk:3" not in desk.living()

    before = desk.staging()
    desk.execute("UPDATE tickets SET hidden = 1")
    assert lists(desk, desk.night()) == [("unreadable", 0, 0, 0, 0, 0)], "an empty list deletes nothing"
    desk.execute("UPDATE tickets SET hidden = 0 WHERE id < 5")
    assert lists(desk, desk.night()) == [("refused", 3, 10, 6, 0, 0)], "nor does one that lacks most rows"
    told = desk.rows("SELECT message FROM ops.key_reconciliations WHERE state = 'refused'")
    assert "most_deleted_ratio" in told[0]["message"]
    assert desk.staging() == before


def test_the_list_is_asked_for_as_often_as_declared_and_never_in_a_back_fill(
    tmp_path: Path, settings: Settings
) -> None:
    desk = filled(
        tmp_path, settings, SOURCE.replace("every: 7d", "every: 3d").replace("leaves_out: []", "leaves_out: [deleted]")
    )
    assert lists(desk, desk.night()) == [("applied", 10, 11, 0, 0, 0)]
    desk.execute("UPDATE tickets SET gone = 1 WHERE id = 3")
    assert lists(desk, desk.night()) == [], "three days have not passed"
    backfill = {"window_start": "2026-03-01", "window_end": "2026-03-09", "reason": "test"}
    assert lists(desk, desk.night(backfill)) == []
    assert "desk:3" in desk.living()
    assert lists(desk, desk.night()) == [("applied", 9, 11, 1, 1, 0)]
    desk.execute("UPDATE tickets SET gone = 1 WHERE id = 4")
    desk.count()
    run = desk.night()
    assert lists(desk, run) == []
    assert sum(counts.get("unexplained", 0) for counts in desk.gaps(run).values()) == -1
    assert lists(desk, desk.night()) == [("applied", 8, 10, 1, 1, 0)], "a row that is missed is looked for at once"


@pytest.mark.parametrize(("look_back", "expected"), [("2d", "solved"), ("0s", "new")])
def test_a_change_that_is_stamped_before_the_window_is_caught_by_the_look_back(
    tmp_path: Path, settings: Settings, look_back: str, expected: str
) -> None:
    """The source commits a change a day after it stamped it, as a queue or a replica does."""
    desk = filled(tmp_path, settings, SOURCE.replace("look_back: 2d", f"look_back: {look_back}"))
    desk.night()
    desk.change(5, "2026-03-09 06:00:00", "resolved")
    desk.night()
    found = desk.rows("SELECT status FROM staging.tickets WHERE ticket_id = 'desk:5'")
    assert found == [{"status": expected}]
    assert len(desk.living()) == 11, "rows that the look-back met again are the same rows"


def test_an_erased_customer_is_not_taken_for_a_deleted_one(warehouse: Warehouse, catalog: Catalog) -> None:
    """Their key became a hash that the source does not know; figures that count them have to stand."""
    customers, end = catalog.entities["customers"], datetime(2026, 3, 28)
    erased = "desk:erased-" + "0123456789abcdef01234567"
    keys = ["desk:1", "desk:2", "desk:3", erased]
    publish(warehouse, customers, [{"customer_id": key, "extra": None} for key in keys], source="desk")
    run = Run("night 2", "night", end, {"desk": Window(None, end)})
    declared = KeyList.model_validate(
        {"entity": "customers", "resource": "keys", "key": {"path": "id"}, "most_deleted_ratio": 0.5}
    )
    listed = pa.table({"key": ["desk:1", "desk:2"]})
    with warehouse.transaction():
        found = reconcile_keys(warehouse, customers, "desk", run, declared, listed, end, end, spared=LIKE_TOKEN)
    assert (found.state, found.deleted) == ("applied", 1)
    rows = warehouse.rows("SELECT customer_id FROM staging.customers WHERE deleted_at IS NOT NULL")
    assert [row["customer_id"] for row in rows] == ["desk:3"]
