"""How models are ordered, rebuilt, left alone and rolled back; how declared tables grow and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from sql.staging_rows import publish, version

from hansei.catalog import Catalog
from hansei.errors import WarehouseError
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models, runner_for
from hansei.warehouse.seeds import SEEDS, plant
from hansei.warehouse.tables import evolve, planned_evolution

CREATED = datetime(2026, 3, 2, 8)


def ticket(number: int, **more: object) -> dict:
    return {"ticket_id": f"desk:{number}", "status": "open", "created_at": CREATED, **more}


def refresh(warehouse: Warehouse, catalog: Catalog, run_id: str) -> dict[str, str]:
    """Reason per core table."""
    plant(warehouse, catalog, run_id)
    refreshed = refresh_models(warehouse, catalog, "core", run_id)
    return {item.table: item.reason for item in refreshed}


def test_every_model_comes_after_what_its_sql_reads(warehouse: Warehouse, catalog: Catalog) -> None:
    runner = runner_for(warehouse, catalog)
    order = [model.table for model in runner.order]
    assert sorted(order) == sorted(catalog.tables)
    pairs = [(above, table) for table in order for above in runner.upstreams(catalog.tables[table]) if above in order]
    assert ("core.tickets", "core.survey_responses") in pairs
    assert ("core.account_versions", "core.tickets") in pairs
    assert all(order.index(above) < order.index(table) for above, table in pairs)


def test_what_a_model_consumes_by_key_it_also_reads(warehouse: Warehouse, catalog: Catalog) -> None:
    """A table that is read but not consumed would leave rows stale; `full` models watch all that they read.

    Models of a family are refreshed with the keys of all of them; another seed is another definition.
    """
    runner = runner_for(warehouse, catalog)
    by_key = [model for model in catalog.tables.values() if model.refresh == "keys"]
    assert by_key
    for model in by_key:
        family = [other for other in by_key if runner.family_of(other) == runner.family_of(model)]
        watched = {table for member in family for table in member.consumes} | {member.table for member in family}
        assert set(runner.upstreams(model)) - watched - set(SEEDS) == set(), model.table


def test_a_refresh_without_changes_touches_nothing(warehouse: Warehouse, catalog: Catalog) -> None:
    publish(warehouse, catalog.entities["tickets"], [ticket(1), ticket(2)])
    assert set(refresh(warehouse, catalog, "first").values()) == {"created"}
    states = warehouse.rows("SELECT * FROM ops.model_states ORDER BY model")
    last = warehouse.scalar("SELECT MAX(change_id) FROM ops.changes")
    # Models that come early still see what later ones announced in the same run; then all is quiet.
    refresh(warehouse, catalog, "second")
    assert set(refresh(warehouse, catalog, "third").values()) == {"nothing"}
    assert warehouse.scalar("SELECT MAX(change_id) FROM ops.changes") == last
    assert len(warehouse.rows("SELECT * FROM ops.model_states ORDER BY model")) == len(states)


def test_only_the_ticket_that_changed_is_replaced(warehouse: Warehouse, catalog: Catalog) -> None:
    tickets = catalog.entities["tickets"]
    publish(warehouse, tickets, [ticket(1), ticket(2)])
    refresh(warehouse, catalog, "first")
    warehouse.execute("UPDATE core.tickets SET topic = 'not recomputed'")
    publish(warehouse, tickets, [ticket(2, channel="mail", source_version=version(2))])
    assert refresh(warehouse, catalog, "second")["core.tickets"] == "changes"
    rows = warehouse.rows("SELECT ticket_id, channel, topic FROM core.tickets ORDER BY ticket_id")
    assert [tuple(row.values()) for row in rows] == [
        ("desk:1", "unknown", "not recomputed"),
        ("desk:2", "mail", "unknown"),
    ]
    images = "SELECT image, channel FROM ops.core_tickets_touched WHERE ticket_id = 'desk:2' ORDER BY image DESC"
    assert [tuple(row.values()) for row in warehouse.rows(images)] == [("before", "unknown"), ("after", "mail")]


def test_a_changed_definition_rebuilds_the_table_and_what_reads_it(warehouse: Warehouse, catalog: Catalog) -> None:
    publish(warehouse, catalog.entities["tickets"], [ticket(1)])
    refresh(warehouse, catalog, "first")
    refresh(warehouse, catalog, "settled")
    model = catalog.tables["core.tickets"]
    changed = replace(catalog, tables=catalog.tables | {"core.tickets": model.model_copy(update={"grain": "a ticket"})})
    plan = {item.table: item.reason for item in runner_for(warehouse, changed).plan(warehouse, "core")}
    assert (plan["core.tickets"], plan["core.survey_responses"]) == ("definition", "definition")
    reasons = refresh(warehouse, changed, "second")
    assert (reasons["core.tickets"], reasons["core.survey_responses"]) == ("definition", "definition")
    assert (reasons["core.accounts"], reasons["core.teams"]) == ("nothing", "nothing")
    query = "SELECT rebuilt_because FROM ops.model_states WHERE model = 'core.tickets'"
    assert warehouse.scalar(query) == "definition"
    assert warehouse.scalar("SELECT COUNT(*) FROM core.tickets") == 1


def test_another_reporting_zone_moves_the_dates(warehouse: Warehouse, catalog: Catalog) -> None:
    late = ticket(1, created_at=datetime(2026, 3, 2, 23, 30))
    publish(warehouse, catalog.entities["tickets"], [late])
    refresh(warehouse, catalog, "first")
    assert str(warehouse.scalar("SELECT created_date FROM core.tickets")) == "2026-03-02"
    berlin = replace(catalog, service=catalog.service.model_copy(update={"reporting_zone": "Europe/Berlin"}))
    assert refresh(warehouse, berlin, "second")["core.tickets"] == "definition"
    assert str(warehouse.scalar("SELECT created_date FROM core.tickets")) == "2026-03-03"


def test_a_failing_stop_check_leaves_the_table_as_it_was(warehouse: Warehouse, catalog: Catalog) -> None:
    tickets = catalog.entities["tickets"]
    publish(warehouse, tickets, [ticket(1)])
    refresh(warehouse, catalog, "first")
    publish(warehouse, tickets, [ticket(2, created_at=datetime(1950, 1, 1))])  # outside the days whose offset is known
    with pytest.raises(WarehouseError) as caught:
        refresh(warehouse, catalog, "second")
    assert caught.value.place == "core.tickets.date_for_every_creation"
    assert "1 rows" in caught.value.found
    assert "include/sql/core/tickets.yaml" in caught.value.next_step
    assert [row["ticket_id"] for row in warehouse.rows("SELECT ticket_id FROM core.tickets")] == ["desk:1"]
    publish(warehouse, tickets, [ticket(2, source_version=version(2))])
    assert refresh(warehouse, catalog, "mended")["core.tickets"] == "changes"
    assert warehouse.scalar("SELECT COUNT(*) FROM core.tickets") == 2


def test_a_warning_check_is_recorded_and_stops_nothing(warehouse: Warehouse, catalog: Catalog) -> None:
    early = ticket(1, status="solved", solved_at=datetime(2026, 3, 1))
    publish(warehouse, catalog.entities["tickets"], [early, ticket(2)])
    refresh(warehouse, catalog, "first")
    query = "SELECT check_id, result, checked_count, failed_count FROM ops.check_results WHERE entity = 'core.tickets'"
    found = {
        row["check_id"]: (row["result"], row["checked_count"], row["failed_count"]) for row in warehouse.rows(query)
    }
    assert found["solution_not_before_creation"] == ("warned", 2, 1)
    assert found["one_row_per_ticket"] == ("passed", 2, 0)


def with_column(catalog: Catalog, name: str, kind: str) -> Catalog:
    entity = catalog.entities["teams"]
    column = entity.columns["manager_id"].model_copy(update={"type": kind, "references": None})
    changed = entity.model_copy(update={"columns": entity.columns | {name: column}})
    return replace(catalog, entities=catalog.entities | {"teams": changed})


def test_a_new_column_is_added_and_older_rows_have_none(warehouse: Warehouse, catalog: Catalog) -> None:
    publish(warehouse, catalog.entities["teams"], [{"team_id": "desk:1", "name": "Service"}])
    wider = with_column(catalog, "head_count", "integer")
    assert planned_evolution(warehouse, wider) == ["staging.teams.head_count"]
    assert evolve(warehouse, wider) == ["staging.teams.head_count"]
    assert evolve(warehouse, wider) == []
    more = {"team_id": "desk:2", "name": "Front", "head_count": 7}
    publish(warehouse, wider.entities["teams"], [more])
    rows = warehouse.rows("SELECT team_id, head_count FROM staging.teams ORDER BY team_id")
    assert [tuple(row.values()) for row in rows] == [("desk:1", None), ("desk:2", 7)]
    # The release before, which does not know the column, goes on beside it.
    assert evolve(warehouse, catalog) == []


def test_a_changed_type_is_refused_with_the_next_step(warehouse: Warehouse, catalog: Catalog) -> None:
    with pytest.raises(WarehouseError) as caught:
        evolve(warehouse, with_column(catalog, "name", "integer"))
    assert caught.value.place == "staging.teams.name"
    assert caught.value.found == "is text in the warehouse and integer in the definition"
    assert "new column name" in caught.value.next_step
    assert "name" in warehouse.columns("staging.teams")
