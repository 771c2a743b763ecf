"""Night by night, with all that comes late, is corrected, goes or changes hands: the tables of one full build.

Unlike the split of a history (test_ledger_properties) rows arrive here as publication merges them, in versions; and
customers, accounts and links change beside the tickets.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from sql.staging_rows import publish, version
from support.ledger_histories import histories
from support.stable_tables import table_differences

from hansei.catalog import Catalog
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import SEEDS, plant

TICKETS, NIGHTS = 120, 4
PLUMBING = {"source", "source_version", "content_hash"}


def bare(row: dict[str, Any], night: int, **changes: Any) -> dict[str, Any]:
    """A row as a batch of the night has it: its version is the night's, its content hash is made from the content."""
    kept = {name: value for name, value in row.items() if name not in PLUMBING and value is not None}
    return {**kept, **changes, "source_version": version(night)}


def night_rows(night: int, tickets: list[dict], events: list[dict], chance: random.Random) -> dict[str, list[dict]]:
    """What arrives: each night's share of tickets and events, and from the second on what changed of earlier ones."""
    rows = {
        "tickets": [bare(row, night) for row in tickets[night::NIGHTS]],
        "ticket_events": [bare(row, night) for row in events[night::NIGHTS]],
        "customers": [{"customer_id": f"desk:c{number}", "organization_id": "desk:o1"} for number in (1, 2, 3)],
        "accounts": [
            {"account_id": f"crm:{number}", "tier": chance.choice(("gold", "basic")), "status": "active"}
            for number in (1, 2, 3)
        ],
        "teams": [{"team_id": "desk:alpha", "name": f"Alpha {night}"}],
    }
    rows["accounts"] = [{**row, "source_version": version(night)} for row in rows["accounts"]]
    rows["customers"] = [{**row, "source_version": version(night)} for row in rows["customers"]]
    rows["teams"] = [{**row, "source_version": version(night)} for row in rows["teams"]]
    if night == 0:
        return rows
    changes = (
        {"customer_id": f"desk:c{1 + night % 3}"},
        {"account_id": f"crm:{1 + night % 3}"},
        {"is_spam": True},
        {"topic": "login"},
        {"created_at": None},
        {"has_complete_events": False, "solved_at": datetime(2026, 11, 20)},
        {"deleted_at": datetime(2026, 11, 21) + timedelta(days=night)},
    )
    for row in chance.sample(tickets[night - 1 :: NIGHTS], 14):
        change = dict(chance.choice(changes))
        if "created_at" in change:
            change["created_at"] = row["created_at"] - timedelta(hours=5)
        rows["tickets"].append(bare(row, night, **change))
    for row in chance.sample(events[night - 1 :: NIGHTS], 30):
        moved = {"occurred_at": row["occurred_at"] + timedelta(minutes=90)}
        gone = {"deleted_at": datetime(2026, 11, 21)}
        rows["ticket_events"].append(bare(row, night, **chance.choice((moved, gone))))
    return rows


def tables(warehouse: Warehouse, catalog: Catalog) -> dict[str, pa.Table]:
    models = [model for model in catalog.tables.values() if model.schema_name == "core"]
    return {model.table: warehouse.arrow(f"SELECT {', '.join(model.columns)} FROM {model.table}") for model in models}


def test_a_history_of_nights_equals_one_full_build(warehouse: Warehouse, catalog: Catalog) -> None:
    tickets, events = histories(4711, TICKETS)
    chance = random.Random(4711)
    reasons = []
    for night in range(NIGHTS):
        run_id = f"night {night}"
        for entity, rows in night_rows(night, tickets, events, chance).items():
            publish(warehouse, catalog.entities[entity], rows, run_id=run_id)
        plant(warehouse, catalog, run_id)
        refreshed = refresh_models(warehouse, catalog, "core", run_id)
        reasons.append({refresh.table: refresh.reason for refresh in refreshed})
    incremental = tables(warehouse, catalog)
    # It was incremental, and it was no history of nothing.
    assert {reason["core.tickets"] for reason in reasons[1:]} == {"changes"}
    assert {reason["core.first_contact_resolutions"] for reason in reasons[1:]} == {"changes"}
    assert incremental["core.tickets"].num_rows == TICKETS
    for table in ("ticket_time_segments", "ticket_turns", "handoffs", "backlog_intervals", "status_transitions"):
        assert incremental[f"core.{table}"].num_rows > 20, table
    deleted = warehouse.scalar("SELECT COUNT(*) FROM staging.ticket_events WHERE deleted_at IS NOT NULL")
    assert deleted > 20

    warehouse.execute(f"DELETE FROM ops.model_states WHERE model NOT IN ({warehouse.sql.text_list(SEEDS)})")
    refreshed = refresh_models(warehouse, catalog, "core", "full")
    assert {refresh.reason for refresh in refreshed} == {"created"}
    assert table_differences(incremental, tables(warehouse, catalog)) == []
