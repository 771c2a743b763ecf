"""The wide views hold, side by side, the very values of indicators.indicator_values."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa
from support.few_indicators import few
from support.random_histories import random_tickets

from hansei.catalog import Catalog, load_catalog
from hansei.indicators.measure import Measurement
from hansei.settings import load_settings
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.publication import record_changes
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant
from hansei.warehouse.tables import evolve

MONDAY = datetime(2026, 3, 2)


@pytest.fixture(scope="module")
def filled(module_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    url = module_url.render_as_string(hide_password=False)
    settings = load_settings({"HANSEI_HOME": str(tmp_path_factory.mktemp("home")), "HANSEI_WAREHOUSE": url})
    shipped = load_catalog(settings)
    catalog = dataclasses.replace(shipped, indicators=few(shipped.indicators))
    with open_warehouse(settings) as warehouse:
        evolve(warehouse, catalog)
        fill(warehouse, catalog)
        yield warehouse


def fill(warehouse: Warehouse, catalog: Catalog) -> None:
    tickets, events = random_tickets(5, 250, MONDAY)
    for table, rows in (("staging.tickets", tickets), ("staging.ticket_events", events)):
        names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
        warehouse.load(table, pa.Table.from_pylist(rows).select(names))
        record_changes(
            warehouse, table, "night", f"SELECT DISTINCT ticket_id AS key, 'upsert' AS operation FROM {table}"
        )
    plant(warehouse, catalog, "night")
    refresh_models(warehouse, catalog, "core", "night")
    Measurement(warehouse, catalog, "night", MONDAY + timedelta(days=60)).run()
    refresh_models(warehouse, catalog, "indicators", "night")


@pytest.mark.parametrize(
    ("view", "grain", "key"),
    [
        ("weekly_service_overview", "week", None),
        ("monthly_service_overview", "month", None),
        ("weekly_team_overview", "week", "team_id"),
        ("weekly_channel_overview", "week", "channel"),
        ("weekly_priority_overview", "week", "priority"),
        ("weekly_account_tier_overview", "week", "account_tier"),
    ],
)
def test_a_view_shows_the_stored_values(filled: Warehouse, view: str, grain: str, key: str | None) -> None:
    shown = filled.rows(f"SELECT * FROM indicators.{view}")
    dimension = {"team_id": "team"}.get(key, key)
    stored = {
        (row["indicator"], row["period_start"], row["segment_id"]): row
        for row in filled.rows("SELECT * FROM indicators.indicator_values WHERE grain = :grain", {"grain": grain})
    }
    columns = {
        "ticket_created_count": ("tickets_created", 1),
        "backlog_count": ("backlog", 1),
        "first_reply_median_business_minutes": ("first_reply_business_median", 60),
        "reopen_ratio": ("reopen_rate", 1),
    }
    seen = dict.fromkeys(columns, 0)
    for row in shown:
        segment = f"{dimension}={row[key]}" if key else "all"
        for column, (indicator, divisor) in columns.items():
            value = stored.get((indicator, row["period_start"], segment), {"value": None, "state": ""})
            expected = None if value["state"] == "insufficient" or value["value"] is None else value["value"] / divisor
            assert row[column] == (None if expected is None else pytest.approx(expected)), (segment, column)
            seen[column] += expected is not None
        own = [item["state"] for place, item in stored.items() if place[1:] == (row["period_start"], segment)]
        assert row["is_finished"] == ("incomplete" not in own)
    assert len(shown) == len(
        {
            (place[1], place[2])
            for place in stored
            if "&" not in place[2] and place[2].split("=")[0] == (dimension or "all")
        }
    )
    assert seen["ticket_created_count"] > 0
    assert seen["backlog_count"] > 0
