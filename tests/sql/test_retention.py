"""What goes because its time is over, and what has to stay."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from hansei.catalog import Catalog
from hansei.pipeline.context import Context
from hansei.pipeline.retaining import expire_extra, expire_texts, silent_customers
from hansei.settings import Settings
from hansei.warehouse import Warehouse

NOW = datetime(2026, 9, 15)


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def context(settings: Settings, catalog: Catalog) -> Context:
    return Context(settings, catalog, lambda name: None, lambda: NOW)


def with_persons(context: Context, **kept: Any) -> Context:
    rules = context.catalog.privacy_rules
    changed = rules.model_copy(update={"retention": rules.retention.model_copy(update=kept)})
    return dataclasses.replace(context, catalog=dataclasses.replace(context.catalog, privacy={"privacy": changed}))


def test_texts_that_are_old_enough_become_a_marker_and_their_rows_are_logged(
    context: Context, warehouse: Warehouse
) -> None:
    common = {"survey_id": "s:1", "survey_kind": "csat", "score": 5, "scale_minimum": 1, "scale_maximum": 5}
    rows = [
        {"response_id": "s:old", "responded_at": days_ago(731), "comment": "thanks", **common},
        {"response_id": "s:silent", "responded_at": days_ago(900), "comment": None, **common},
        {"response_id": "s:erased", "responded_at": days_ago(900), "comment": "[erased]", **common},
        {"response_id": "s:young", "responded_at": days_ago(729), "comment": "thanks", **common},
    ]
    warehouse.insert("staging.survey_responses", rows)
    assert expire_texts(context, warehouse, NOW, None) == 1
    assert expire_texts(context, warehouse, NOW, "run") == 1
    stored = warehouse.rows("SELECT response_id, comment FROM staging.survey_responses ORDER BY response_id")
    assert {row["response_id"]: row["comment"] for row in stored} == {
        "s:old": "[expired]",
        "s:silent": None,
        "s:erased": "[erased]",
        "s:young": "thanks",
    }
    assert [row["key"] for row in warehouse.rows("SELECT key FROM ops.changes")] == ["s:old"]
    assert expire_texts(context, warehouse, NOW, "run") == 0


def test_encrypted_fields_go_after_their_time_and_plain_ones_stay(context: Context, warehouse: Warehouse) -> None:
    for run_id, days in (("old", 91), ("young", 89)):
        warehouse.insert("ops.runs", [{"run_id": run_id, "as_of": days_ago(days), "kind": "night"}])
    sealed = json.dumps({"$encrypted": "gAAAAtoken=="})
    both = json.dumps({"plan": "gold", "$encrypted": "gAAAAtoken=="})
    rows = [
        {"ticket_id": "a", "extra": sealed, "loaded_run_id": "old"},
        {"ticket_id": "b", "extra": both, "loaded_run_id": "old"},
        {"ticket_id": "c", "extra": sealed, "loaded_run_id": "young"},
        {"ticket_id": "d", "extra": json.dumps({"plan": "gold"}), "loaded_run_id": "old"},
    ]
    warehouse.insert("staging.tickets", rows)
    assert expire_extra(context, warehouse, NOW, is_trial=True) == 2
    assert expire_extra(context, warehouse, NOW, is_trial=False) == 2
    stored = warehouse.rows("SELECT extra FROM staging.tickets ORDER BY ticket_id")
    assert [row["extra"] for row in stored] == [None, '{"plan": "gold"}', sealed, '{"plan": "gold"}']


def test_who_has_not_been_heard_of_for_long_is_found_by_the_last_sign(context: Context, warehouse: Warehouse) -> None:
    customers = [("gone", 3000), ("back", 3000), ("answered", 3000), ("erased-" + "0" * 24, 3000), ("new", 10)]
    warehouse.insert(
        "staging.customers", [{"customer_id": f"d:{name}", "created_at": days_ago(days)} for name, days in customers]
    )
    tickets = [("gone", 2600), ("back", 2600), ("back", 20)]
    warehouse.insert(
        "staging.tickets",
        [
            {"ticket_id": str(number), "customer_id": f"d:{name}", "created_at": days_ago(days)}
            for number, (name, days) in enumerate(tickets)
        ],
    )
    warehouse.insert(
        "staging.survey_responses",
        [{"response_id": "r", "customer_id": "d:answered", "responded_at": days_ago(30), "comment": "x"}],
    )
    assert silent_customers(context, warehouse, NOW) == []
    assert silent_customers(with_persons(context, persons=timedelta(days=2555)), warehouse, NOW) == ["d:gone"]
