"""Rows in quarantine: stored once, encrypted, left once, and never named by a value."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest
from sql.staging_rows import publish, version

from hansei.catalog import Catalog
from hansei.errors import HanseiError
from hansei.quality.quarantine import Quarantine, Refused
from hansei.settings import Settings
from hansei.warehouse import Warehouse

AS_OF = datetime(2026, 3, 28, 5)
REASONS = ({"rule": "value_map", "column": "status"}, {"rule": "required:status", "column": "status"})


@pytest.fixture
def quarantine(warehouse: Warehouse, settings: Settings) -> Quarantine:
    return Quarantine(warehouse, settings)


def refused(key: str | None = "desk:1", number: int = 5, name: str = "Ada Lovelace") -> Refused:
    return Refused(key, version(number), REASONS, {"id": key, "name": name, "version": number})


def rows(warehouse: Warehouse) -> list[dict]:
    return warehouse.rows("SELECT * FROM ops.quarantined_rows ORDER BY row_key, quarantine_id")


def test_a_row_waits_with_every_reason_and_a_payload_that_only_the_key_opens(
    quarantine: Quarantine, warehouse: Warehouse, settings: Settings
) -> None:
    assert quarantine.add("night", "desk", "teams", AS_OF, [refused()]) == 1
    (row,) = rows(warehouse)
    assert (row["state"], row["seen_count"], row["run_id"], row["row_key"]) == ("waiting", 1, "night", "desk:1")
    assert [reason["rule"] for reason in json.loads(row["reasons"])] == ["value_map", "required:status"]
    assert row["expires_at"] == datetime(2026, 6, 26, 5)
    assert not any("Lovelace" in str(value) for value in row.values())
    assert quarantine.payload(row) == {"id": "desk:1", "name": "Ada Lovelace", "version": 5}

    other = Quarantine(warehouse, replace(settings, quarantine_key="b3RoZXJrZXktb2YtdGhlLXRlc3RzLTMyYnl0ZXMteHg="))
    with pytest.raises(HanseiError, match="HANSEI_QUARANTINE_KEY") as caught:
        other.payload(row)
    assert "Lovelace" not in str(caught.value)


def test_a_record_met_again_is_counted_and_not_doubled(quarantine: Quarantine, warehouse: Warehouse) -> None:
    assert quarantine.add("first", "desk", "teams", AS_OF, [refused(), refused(), refused("desk:2")]) == 3
    assert quarantine.add("second", "desk", "teams", AS_OF, [refused(), refused("desk:3")]) == 2
    assert quarantine.add("second", "other", "teams", AS_OF, [refused()]) == 1
    found = {(row["source"], row["row_key"]): (row["seen_count"], row["run_id"]) for row in rows(warehouse)}
    assert found == {
        ("desk", "desk:1"): (3, "first"),
        ("desk", "desk:2"): (1, "first"),
        ("desk", "desk:3"): (1, "second"),
        ("other", "desk:1"): (1, "second"),
    }


def test_a_newer_good_version_of_the_key_supersedes_and_nothing_else_does(
    quarantine: Quarantine, warehouse: Warehouse, catalog: Catalog
) -> None:
    waiting = [refused("desk:1", 5), refused("desk:2", 5), refused("desk:3", 5), refused(None, 5)]
    quarantine.add("night", "desk", "teams", AS_OF, waiting)
    quarantine.add("night", "desk", "agents", AS_OF, [refused("desk:1", 5)])
    teams = catalog.entities["teams"]
    good = [{"team_id": "desk:1", "name": "newer", "source_version": version(6)}]
    good.append({"team_id": "desk:2", "name": "older", "source_version": version(4)})
    publish(warehouse, teams, good)
    quarantine.supersede("teams", teams.key, teams.table)
    found = {(row["entity"], row["row_key"]): row["state"] for row in rows(warehouse)}
    assert found == {
        ("teams", "desk:1"): "superseded",
        ("teams", "desk:2"): "waiting",
        ("teams", "desk:3"): "waiting",
        ("teams", None): "waiting",
        ("agents", "desk:1"): "waiting",
    }
    assert {row["row_key"] for row in quarantine.waiting("desk")} == {"desk:1", "desk:2", "desk:3", None}
    assert [row["entity"] for row in quarantine.waiting("desk") if row["row_key"] == "desk:1"] == ["agents"]


def test_a_bad_row_that_comes_after_its_newer_good_version_is_superseded_too(
    quarantine: Quarantine, warehouse: Warehouse, catalog: Catalog
) -> None:
    teams = catalog.entities["teams"]
    publish(warehouse, teams, [{"team_id": "desk:1", "name": "newer", "source_version": version(6)}])
    quarantine.add("night", "desk", "teams", AS_OF, [refused("desk:1", 5)])
    quarantine.supersede("teams", teams.key, teams.table)
    assert [row["state"] for row in rows(warehouse)] == ["superseded"]


def test_a_row_leaves_its_waiting_state_once(quarantine: Quarantine, warehouse: Warehouse) -> None:
    quarantine.add("night", "desk", "teams", AS_OF, [refused("desk:1"), refused("desk:2")])
    first, second = (row["quarantine_id"] for row in rows(warehouse))
    quarantine.mark([first], "discarded", "a test record")
    quarantine.mark([first], "replayed", "night-2")
    quarantine.add("later", "desk", "teams", AS_OF, [refused("desk:1")])
    states = {row["row_key"]: (row["state"], row["state_reason"], row["seen_count"]) for row in rows(warehouse)}
    assert states == {"desk:1": ("discarded", "a test record", 2), "desk:2": ("waiting", None, 1)}
    assert [row["quarantine_id"] for row in quarantine.waiting(identity=second[:12])] == [second]
    assert quarantine.waiting(identity=first[:12]) == []
