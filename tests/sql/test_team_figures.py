"""Figures of agents and teams on both engines: drawn to the team's, hidden so that no subtraction tells them, Gini."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from hansei.catalog import Catalog, load_catalog
from hansei.catalog.loader import chosen
from hansei.indicators.measure import Measurement
from hansei.settings import Settings
from hansei.warehouse import Warehouse
from hansei.warehouse.publication import record_changes
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
PLAIN = {"source": "desk", "source_version": "1", "content_hash": "0"}


@pytest.fixture
def catalog(settings: Settings) -> Catalog:
    shipped = load_catalog(settings)
    return replace(shipped, indicators=chosen(shipped.indicators, ["team", "tickets_solved"])[0])


def night(warehouse: Warehouse, catalog: Catalog) -> None:
    plant(warehouse, catalog, "run")
    refresh_models(warehouse, catalog, "core", "run")
    Measurement(warehouse, catalog, "run", datetime(2026, 7, 2)).run()
    refresh_models(warehouse, catalog, "indicators", "run")


def work(warehouse: Warehouse, *cells: tuple[str, str, date, int, int]) -> None:
    """(agent, team, month, solved, of these reopened): a ticket that is reopened is solved again an hour later."""
    tickets: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for agent, team, month, solved, reopened in cells:
        for number in range(solved):
            key = f"desk:{agent}-{team}-{month:%m}-{number}"
            at = datetime(month.year, month.month, 2 + number % 25, 9)
            holder = {"assignee_id": f"desk:{agent}", "team_id": f"desk:{team}", "has_complete_events": True}
            tickets.append({**PLAIN, "ticket_id": key, "status": "solved", "created_at": at, **holder})
            marks = ["solved", "open", "solved"] if number < reopened else ["solved"]
            event = {**PLAIN, "ticket_id": key, "event_type": "status", "actor_kind": "agent"}
            events += [
                {**event, "event_id": f"{key}{step}", "value": value, "occurred_at": at + timedelta(hours=1 + step)}
                for step, value in enumerate(marks)
            ]
    with warehouse.transaction():
        for table, rows in (("staging.tickets", tickets), ("staging.ticket_events", events)):
            warehouse.load(table, pa.Table.from_pylist(rows))
            keys = f"SELECT DISTINCT ticket_id AS key, 'upsert' AS operation FROM {table}"
            record_changes(warehouse, table, "run", keys)


def cells(warehouse: Warehouse, figure: str = "reopened", month: date = MARCH) -> dict[tuple[str, str], dict[str, Any]]:
    query = "SELECT * FROM indicators.agent_figures WHERE figure = :figure AND month_start_date = :month"
    rows = warehouse.rows(f"{query} ORDER BY agent_id", {"figure": figure, "month": month})
    return {(row["agent_id"].removeprefix("desk:"), row["team_id"].removeprefix("desk:")): row for row in rows}


def test_a_figure_is_drawn_to_the_teams_by_twenty_cases(warehouse: Warehouse, catalog: Catalog) -> None:
    """Team: 20 of 100 reopened. 30 cases with 3: (3 + 20 * 0.2) / 50; 60 with 15: 19 / 80; 10 with 2: 6 / 30."""
    work(warehouse, ("a", "t", MARCH, 30, 3), ("b", "t", MARCH, 60, 15), ("c", "t", MARCH, 10, 2))
    night(warehouse, catalog)
    found = cells(warehouse)
    drawn = {agent: row["drawn_ratio"] for (agent, _), row in found.items()}
    assert drawn == pytest.approx({"a": 0.14, "b": 0.2375, "c": 0.2}, rel=1e-9)
    weights = {agent: row["own_weight_ratio"] for (agent, _), row in found.items()}
    assert weights == pytest.approx({"a": 0.6, "b": 0.75, "c": 1 / 3}, rel=1e-9)
    for (agent, _), row in found.items():
        # Wilson's bounds are the two shares from which the figure lies 1.96 of their own standard errors away.
        for bound in (row["lower_bound"], row["upper_bound"]):
            error = math.sqrt(bound * (1 - bound) / (row["case_count"] + 20))
            assert abs(row["drawn_ratio"] - bound) / error == pytest.approx(1.959963984540054, rel=1e-9), agent
        assert row["lower_bound"] < row["drawn_ratio"] < row["upper_bound"]
        assert row["team_ratio"] == pytest.approx(0.2, rel=1e-9)
    assert not any("rank" in name for name in warehouse.columns("indicators.agent_figures"))


def test_one_hidden_cell_takes_the_next_smallest_with_it(warehouse: Warehouse, catalog: Catalog) -> None:
    work(
        warehouse, ("a", "t", MARCH, 9, 1), ("b", "t", MARCH, 12, 1), ("c", "t", MARCH, 40, 3), ("d", "t", MARCH, 80, 3)
    )
    work(warehouse, ("a", "u", MARCH, 4, 0), ("b", "u", MARCH, 3, 0), ("c", "u", MARCH, 10, 3))
    night(warehouse, catalog)
    hidden = {key: row["hidden_because"] for key, row in cells(warehouse).items()}
    assert hidden == {
        ("a", "t"): "too_few_cases",
        ("b", "t"): "protects_another",
        ("c", "t"): None,
        ("d", "t"): None,
        ("a", "u"): "too_few_cases",
        ("b", "u"): "too_few_cases",
        ("c", "u"): None,
    }


def test_no_subtraction_tells_a_hidden_cell(warehouse: Warehouse, catalog: Catalog) -> None:
    """The attack: all that is published of a team (its own indicators too) less all that is shown of its agents."""
    chance = random.Random(11)
    planned = [
        (f"a{agent}", f"t{team}", month, chance.choice((1, 3, 6, 9, 10, 11, 15, 30)), 0)
        for team in range(12)
        for month in (MARCH, APRIL)
        for agent in range(chance.randrange(2, 6))
    ]
    truth = [(agent, team, month, solved, chance.randrange(solved)) for agent, team, month, solved, _ in planned]
    work(warehouse, *truth)
    night(warehouse, catalog)
    published = {
        (row["segment_id"].removeprefix("team=desk:"), row["period_start"]): row["value"]
        for row in warehouse.rows(
            "SELECT segment_id, period_start, value FROM indicators.indicator_values "
            "WHERE indicator = 'tickets_solved' AND grain = 'month' AND segment_id LIKE 'team=%'"
        )
    }
    groups: dict[tuple[str, date], list[dict[str, Any]]] = defaultdict(list)
    for month in (MARCH, APRIL):
        for (_, team), row in cells(warehouse, month=month).items():
            groups[team, month].append(row)
    attacked = 0
    for group, rows in groups.items():
        secret = [row for row in rows if row["is_hidden"]]
        own = {agent: solved for agent, team, month, solved, _ in truth if (team, month) == group}
        assert all(own[row["agent_id"].removeprefix("desk:")] >= 10 for row in rows if not row["is_hidden"])
        left = published[group] - sum(row["case_count"] for row in rows if not row["is_hidden"])
        assert left == sum(own[row["agent_id"].removeprefix("desk:")] for row in secret)
        assert len(secret) != 1, f"{group}: what is left over, {left}, is the one hidden cell"
        attacked += bool(secret)
    assert attacked >= 12
    # A quarter less its shown months would be another way to subtract: agents have one grain only.
    assert "grain" not in warehouse.columns("indicators.agent_figures")
    same = {key: row["is_hidden"] for key, row in cells(warehouse).items()}
    assert same == {key: row["is_hidden"] for key, row in cells(warehouse, "one_touch").items()}


def test_concentration_of_work_is_the_gini_coefficient(warehouse: Warehouse, catalog: Catalog) -> None:
    """1, 2, 3, 4, 10: mean difference of all pairs over twice the mean, 0.4; small teams show none."""
    work(warehouse, *((f"a{solved}", "t", MARCH, solved, 0) for solved in (1, 2, 3, 4, 10)))
    work(warehouse, ("x", "u", MARCH, 5, 0), ("y", "u", MARCH, 15, 0))
    night(warehouse, catalog)
    query = "SELECT * FROM indicators.team_workloads WHERE grain = 'month' ORDER BY team_id"
    found = {row["team_id"]: row for row in warehouse.rows(query)}
    assert found["desk:t"]["gini"] == pytest.approx(0.4, rel=1e-9)
    assert found["desk:u"]["gini"] is None
    counts = [1, 2, 3, 4, 10, 5, 15]
    pairs = sum(abs(one - other) for one in counts for other in counts)
    assert found["all"]["gini"] == pytest.approx(pairs / (2 * len(counts) * sum(counts)), rel=1e-9)
    assert (found["desk:t"]["active_agent_count"], found["desk:t"]["solved_ticket_count"]) == (5, 20)
    assert found["desk:t"]["tickets_per_agent"] == pytest.approx(4.0, rel=1e-9)
    value = "SELECT value FROM indicators.indicator_values WHERE indicator = 'tickets_per_agent' AND grain = 'month'"
    assert warehouse.scalar(f"{value} AND segment_id = 'team=desk:t'") == pytest.approx(4.0, rel=1e-9)
