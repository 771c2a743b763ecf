"""Merging into staging: the greatest version of a key wins in any order of arrival, and every row is accounted for."""

from __future__ import annotations

import itertools
import random
from datetime import datetime, timedelta

import pytest
from sql.staging_rows import WINDOW_END, arriving, publish, version

from hansei.catalog import Catalog
from hansei.warehouse import Warehouse

GONE = datetime(2026, 3, 20)


def team(key: str, number: int = 1, name: str = "Service", **more: object) -> dict:
    return {"team_id": key, "name": name, "source_version": version(number), **more}


def stored(warehouse: Warehouse, columns: str = "team_id, name, source_version, deleted_at") -> list[tuple]:
    rows = warehouse.rows(f"SELECT {columns} FROM staging.teams ORDER BY team_id")
    return [tuple(row.values()) for row in rows]


def changes(warehouse: Warehouse, run_id: str, table: str = "staging.teams") -> set[tuple[str, str]]:
    query = "SELECT key, operation FROM ops.changes WHERE run_id = :run_id AND table_name = :table"
    return {(row["key"], row["operation"]) for row in warehouse.rows(query, {"run_id": run_id, "table": table})}


VERSIONS = [
    team("desk:1", 1, "one"),
    team("desk:1", 2, "two"),
    team("desk:1", 3, "one"),
    team("desk:1", 4, "one", extra='{"room": 4}'),
    team("desk:2", 1, "one"),
    team("desk:2", 2, "gone", deleted_at=GONE),
    team("desk:3", 5, "first content"),
    team("desk:3", 5, "second content"),
    team("desk:3", 5, "third content"),
    team("desk:4", 2, "there"),
    team("desk:4", 2, "there", deleted_at=GONE),
    team("desk:5", 1, "one", deleted_at=GONE),
    team("desk:5", 2, "one"),
    team("desk:6", 1, "again and again"),
    team("desk:6", 1, "again and again"),
]


def expected(catalog: Catalog) -> list[tuple]:
    """Per key the row with the greatest version, then the greatest hash, then the latest deletion: worked out here."""
    rows = arriving(catalog.entities["teams"], VERSIONS).to_pylist()
    best: dict[str, tuple] = {}
    for row in rows:
        rank = (row["source_version"], row["content_hash"], row["deleted_at"] or datetime(1, 1, 1))
        if row["team_id"] not in best or rank > best[row["team_id"]][0]:
            best[row["team_id"]] = (rank, row)
    names = ("team_id", "name", "source_version", "content_hash", "deleted_at", "extra")
    return [tuple(best[key][1][name] for name in names) for key in sorted(best)]


def test_any_order_of_arrival_gives_the_same_staging(warehouse: Warehouse, catalog: Catalog) -> None:
    columns = "team_id, name, source_version, content_hash, deleted_at, extra"
    for seed in range(10):
        warehouse.execute("DELETE FROM staging.teams")
        chance = random.Random(seed)
        waiting = chance.sample(VERSIONS, len(VERSIONS))
        while waiting:
            size = chance.randrange(1, 6)
            batch, waiting = waiting[:size], waiting[size:]
            counts = publish(warehouse, catalog.entities["teams"], batch)
            assert counts.accepted + counts.duplicate == len(batch)
        assert stored(warehouse, columns) == expected(catalog), f"order {seed}"


def test_the_same_or_an_older_row_is_a_duplicate_and_changes_nothing(warehouse: Warehouse, catalog: Catalog) -> None:
    teams = catalog.entities["teams"]
    assert publish(warehouse, teams, [team("desk:1", 2, "new"), team("desk:2")]).accepted == 2
    before = stored(warehouse)
    again = publish(warehouse, teams, [team("desk:1", 2, "new"), team("desk:2")], run_id="again")
    older = publish(warehouse, teams, [team("desk:1", 1, "old")], run_id="older")
    assert (again.accepted, again.duplicate, again.conflict) == (0, 2, 0)
    assert (older.accepted, older.duplicate, older.conflict) == (0, 1, 0)
    assert stored(warehouse) == before
    assert changes(warehouse, "again") == changes(warehouse, "older") == set()


def test_a_newer_version_with_the_same_content_moves_only_the_version(warehouse: Warehouse, catalog: Catalog) -> None:
    teams = catalog.entities["teams"]
    publish(warehouse, teams, [team("desk:1", 1)])
    counts = publish(warehouse, teams, [team("desk:1", 3)], run_id="newer")
    assert (counts.accepted, counts.duplicate) == (0, 1)
    assert stored(warehouse) == [("desk:1", "Service", version(3), None)]
    assert changes(warehouse, "newer") == set()
    assert publish(warehouse, teams, [team("desk:1", 2, "between")]).accepted == 0


@pytest.mark.parametrize("is_together", [True, False], ids=["in one batch", "in two batches"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["smaller first", "greater first"])
def test_of_two_contents_of_one_version_the_greatest_hash_wins_and_the_other_is_a_conflict(
    order: tuple[int, int], is_together: bool, warehouse: Warehouse, catalog: Catalog
) -> None:
    teams = catalog.entities["teams"]
    both = [team("desk:1", 1, "smaller", content_hash="1" * 64), team("desk:1", 1, "greater", content_hash="2" * 64)]
    rows = [both[position] for position in order]
    batches = [rows] if is_together else [[row] for row in rows]
    counts = [publish(warehouse, teams, batch) for batch in batches]
    assert sum(count.conflict for count in counts) == 1
    assert sum(count.accepted + count.duplicate for count in counts) == 2
    assert [row[1] for row in stored(warehouse)] == ["greater"]


def test_only_a_complete_snapshot_deletes_what_it_lacks_and_only_of_its_own_source(
    warehouse: Warehouse, catalog: Catalog
) -> None:
    teams = catalog.entities["teams"]
    publish(warehouse, teams, [team("desk:1"), team("desk:2"), team("desk:3")])
    publish(warehouse, teams, [team("other:1")], source="other")
    assert publish(warehouse, teams, [team("desk:1")], run_id="some").deleted == 0
    counts = publish(warehouse, teams, [team("desk:1")], run_id="all", is_snapshot=True, kept_keys=("desk:3",))
    assert (counts.accepted, counts.duplicate, counts.deleted) == (0, 1, 1)
    assert stored(warehouse) == [
        ("desk:1", "Service", version(1), None),
        ("desk:2", "Service", version(1), WINDOW_END),
        ("desk:3", "Service", version(1), None),
        ("other:1", "Service", version(1), None),
    ]
    assert changes(warehouse, "all") == {("desk:2", "delete")}
    later = WINDOW_END + timedelta(days=1)
    repeated = publish(warehouse, teams, [team("desk:1"), team("desk:3")], is_snapshot=True, window_end=later)
    assert repeated.deleted == 0
    assert dict(stored(warehouse, "team_id, deleted_at"))["desk:2"] == WINDOW_END


def test_a_deleted_row_comes_back_with_the_snapshot_that_has_it_again(warehouse: Warehouse, catalog: Catalog) -> None:
    teams = catalog.entities["teams"]
    publish(warehouse, teams, [team("desk:1"), team("desk:2")], is_snapshot=True)
    publish(warehouse, teams, [team("desk:2")], is_snapshot=True)
    assert dict(stored(warehouse, "team_id, deleted_at")) == {"desk:1": WINDOW_END, "desk:2": None}
    counts = publish(warehouse, teams, [team("desk:1"), team("desk:2")], run_id="back", is_snapshot=True)
    assert (counts.accepted, counts.duplicate) == (1, 1)
    assert dict(stored(warehouse, "team_id, deleted_at")) == {"desk:1": None, "desk:2": None}
    assert changes(warehouse, "back") == {("desk:1", "upsert")}


def test_an_event_that_moves_to_another_ticket_touches_both(warehouse: Warehouse, catalog: Catalog) -> None:
    events = catalog.entities["ticket_events"]
    event = {"event_id": "desk:e1", "occurred_at": GONE, "event_type": "reply", "value": None}
    publish(warehouse, events, [{**event, "ticket_id": "desk:1"}])
    moved = {**event, "ticket_id": "desk:2", "source_version": version(2)}
    assert publish(warehouse, events, [moved], run_id="moved").accepted == 1
    assert changes(warehouse, "moved", "staging.ticket_events") == {("desk:1", "upsert"), ("desk:2", "upsert")}
    assert publish(warehouse, events, [], run_id="gone", is_snapshot=True).deleted == 1
    assert changes(warehouse, "gone", "staging.ticket_events") == {("desk:2", "delete")}


def test_changes_of_one_publication_stand_after_all_earlier_ones(warehouse: Warehouse, catalog: Catalog) -> None:
    teams = catalog.entities["teams"]
    publish(warehouse, teams, [team("desk:1"), team("desk:2")], run_id="first")
    position = warehouse.scalar("SELECT MAX(change_id) FROM ops.changes")
    publish(warehouse, teams, [team("desk:1", 2, "new"), team("desk:3")], run_id="second")
    newer_of_teams = "FROM ops.changes WHERE change_id > :position AND table_name = 'staging.teams'"
    query = f"SELECT run_id, key {newer_of_teams} ORDER BY key"
    newer = [tuple(row.values()) for row in warehouse.rows(query, {"position": position})]
    assert newer == [("second", "desk:1"), ("second", "desk:3")]
    last = warehouse.scalar("SELECT MAX(change_id) FROM ops.changes")
    publish(warehouse, teams, [team("desk:3")], run_id="duplicate")
    assert warehouse.scalar("SELECT MAX(change_id) FROM ops.changes") == last > position


ACCOUNT_VERSIONS = [(1, "gold"), (2, "gold"), (3, "silver"), (4, "gold")]


def account(number: int, tier: str, **more: object) -> dict:
    return {"account_id": "crm:1", "name": "Firm", "tier": tier, "source_version": version(number), **more}


def account_history(warehouse: Warehouse) -> list[tuple]:
    query = "SELECT source_version, valid_from, tier FROM staging.accounts_versions ORDER BY source_version"
    return [tuple(row.values()) for row in warehouse.rows(query)]


def test_the_history_of_versions_does_not_depend_on_their_order(warehouse: Warehouse, catalog: Catalog) -> None:
    days = {number: datetime(2026, 3, 1) + timedelta(days=number) for number, _ in ACCOUNT_VERSIONS}
    wanted = [(version(number), days[number], tier) for number, tier in ACCOUNT_VERSIONS]
    orders = list(itertools.permutations(ACCOUNT_VERSIONS))[::3]
    assert len(orders) == 8
    for order in orders:
        for table in ("staging.accounts", "staging.accounts_versions"):
            warehouse.execute(f"DELETE FROM {table}")
        for number, tier in order:
            publish(warehouse, catalog.entities["accounts"], [account(number, tier)])
        assert account_history(warehouse) == wanted, order


def test_a_version_that_is_only_the_window_is_kept_where_something_changed(
    warehouse: Warehouse, catalog: Catalog
) -> None:
    for number, tier in [(1, "gold"), (2, "gold"), (3, "silver"), (4, "silver")]:
        window_end = datetime(2026, 3, 1) + timedelta(days=number)
        publish(warehouse, catalog.entities["accounts"], [account(number, tier)], window_end=window_end)
    assert [(row[0], row[2]) for row in account_history(warehouse)] == [(version(1), "gold"), (version(3), "silver")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_contents_of_one_version_history_keeps_the_one_that_staging_keeps(
    order: tuple[int, int], warehouse: Warehouse, catalog: Catalog
) -> None:
    both = [account(1, "gold", content_hash="1" * 64), account(1, "silver", content_hash="2" * 64)]
    for position in order:
        publish(warehouse, catalog.entities["accounts"], [both[position]])
    assert warehouse.scalar("SELECT tier FROM staging.accounts") == "silver"
    assert [row[2] for row in account_history(warehouse)] == ["silver"]


def test_an_older_version_that_arrives_late_touches_the_history_alone(warehouse: Warehouse, catalog: Catalog) -> None:
    accounts = catalog.entities["accounts"]
    publish(warehouse, accounts, [account(3, "gold")])
    publish(warehouse, accounts, [account(1, "silver")], run_id="late")
    assert changes(warehouse, "late", "staging.accounts") == set()
    assert changes(warehouse, "late", "staging.accounts_versions") == {("crm:1", "upsert")}
