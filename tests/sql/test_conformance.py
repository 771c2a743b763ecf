"""Process conformance on both engines: the cases of the oracle, optional nodes, and a search through all alignments."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from support.real_data import DATA

from hansei.catalog import Catalog
from hansei.catalog.procedures import Procedure
from hansei.warehouse import Warehouse
from hansei.warehouse.publication import record_changes
from hansei.warehouse.refresh import refresh_models, runner_for
from hansei.warehouse.seeds import plant

ORACLE: Path = DATA.parent / "oracles" / "conformance.json"
CREATED = datetime(2026, 3, 2, 8)
PLAIN = {"source": "desk", "source_version": "1", "content_hash": "0"}


@pytest.fixture
def oracle() -> dict[str, Any]:
    if not ORACLE.is_file():
        pytest.skip(f"no oracles: {ORACLE} does not exist; set HANSEI_DATA to the folder of the public data sets")
    return json.loads(ORACLE.read_text(encoding="utf-8"))


def procedure(name: str, nodes: list[str], optional: tuple[str, ...] = (), **applies_to: list[str]) -> Procedure:
    listed = [
        {"id": node, "when": {"event_type": "step", "value": [node]}, "required": node not in optional}
        for node in nodes
    ]
    return Procedure(id=name, title=name, owner="service-desk", applies_to=applies_to, nodes=listed)


def with_procedures(catalog: Catalog, *procedures: Procedure) -> Catalog:
    return replace(catalog, procedures={item.id: item for item in procedures})


def add(warehouse: Warehouse, traces: dict[str, list[str]], is_solved: bool = True, **more: Any) -> None:
    """Tickets with these steps, one a minute, solved at their end."""
    tickets, events = [], []
    for ticket_id, trace in traces.items():
        tickets.append(
            {
                **PLAIN,
                "ticket_id": ticket_id,
                "status": "new",
                "created_at": CREATED,
                "opened_by": "customer",
                "has_complete_events": True,
                **more,
            }
        )
        happened = [("step", step) for step in trace] + ([("status", "solved")] if is_solved else [])
        for number, (kind, value) in enumerate(happened):
            at = CREATED + timedelta(minutes=number)
            events.append(
                {
                    **PLAIN,
                    "event_id": f"{ticket_id}-{number}",
                    "ticket_id": ticket_id,
                    "occurred_at": at,
                    "event_type": kind,
                    "value": value,
                    "actor_kind": "agent",
                }
            )
    with warehouse.transaction():
        warehouse.load("staging.tickets", pa.Table.from_pylist(tickets))
        warehouse.load("staging.ticket_events", pa.Table.from_pylist(events))
        for table in ("staging.tickets", "staging.ticket_events"):
            record_changes(
                warehouse, table, "run", f"SELECT DISTINCT ticket_id AS key, 'upsert' AS operation FROM {table}"
            )


def refresh(warehouse: Warehouse, catalog: Catalog, run_id: str = "run") -> dict[str, str]:
    plant(warehouse, catalog, run_id)
    return {item.table: item.reason for item in refresh_models(warehouse, catalog, "core", run_id)}


def conformance(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    return {row["ticket_id"]: row for row in warehouse.rows("SELECT * FROM core.ticket_conformance")}


def names(text: str | None) -> list[str]:
    return text.split(",") if text else []


def test_every_case_of_the_oracle(warehouse: Warehouse, catalog: Catalog, oracle: dict[str, Any]) -> None:
    assert len(oracle["cases"]) == 10
    add(warehouse, {case["id"]: case["trace"] for case in oracle["cases"]})
    refresh(warehouse, with_procedures(catalog, procedure("sop", oracle["meta"]["sop"])))
    found = conformance(warehouse)
    for case in oracle["cases"]:
        row, wanted = found[case["id"]], case["expected"]
        assert row["node_compliance_ratio"] == pytest.approx(wanted["node_compliance"], rel=1e-12), case["id"]
        assert row["alignment_fitness_ratio"] == pytest.approx(wanted["alignment_fitness"], rel=1e-12), case["id"]
        assert (row["lcs_count"], row["alignment_cost_count"]) == (wanted["lcs"], wanted["alignment_cost"]), case["id"]
        assert names(row["skipped_nodes"]) == wanted["skipped_nodes"]
        assert names(row["repeated_nodes"]) == wanted["repeated_nodes"]
        assert names(row["unexpected_steps"]) == wanted["unexpected_nodes"]
        counts = (row["skipped_node_count"], row["repeated_node_count"], row["unexpected_step_count"])
        assert counts == tuple(len(wanted[f"{kind}_nodes"]) for kind in ("skipped", "repeated", "unexpected"))
        assert row["is_in_order"] == wanted["order_ok"], case["id"]
        assert row["is_fully_conformant"] == wanted["fully_conformant"], case["id"]
        assert row["trace_count"] == len(case["trace"])


def test_the_log_of_the_oracle(warehouse: Warehouse, catalog: Catalog, oracle: dict[str, Any]) -> None:
    traces = {case["id"]: case["trace"] for case in oracle["cases"]}
    (log,) = oracle["aggregate"]
    tickets = {
        f"{part['trace']}-{number}": traces[part["trace"]] for part in log["log"] for number in range(part["count"])
    }
    assert len(tickets) == 100
    add(warehouse, tickets)
    refresh(warehouse, with_procedures(catalog, procedure("sop", oracle["meta"]["sop"])))
    wanted = log["expected"]
    (found,) = warehouse.rows(
        "SELECT AVG(CASE WHEN is_fully_conformant THEN 1.0 ELSE 0.0 END) AS share, "
        "AVG(node_compliance_ratio) AS compliance, AVG(alignment_fitness_ratio) AS fitness FROM core.ticket_conformance"
    )
    assert float(found["share"]) == pytest.approx(wanted["share_fully_conformant"], rel=1e-9)
    assert found["compliance"] == pytest.approx(wanted["mean_node_compliance"], rel=1e-9)
    assert found["fitness"] == pytest.approx(wanted["mean_alignment_fitness"], rel=1e-9)
    nodes = warehouse.rows(
        "SELECT node_id, SUM(executed_ticket_count) AS executed, SUM(judged_ticket_count) AS judged "
        "FROM core.procedure_nodes GROUP BY node_id, node_position ORDER BY node_position"
    )
    assert [row["node_id"] for row in nodes] == oracle["meta"]["sop"]
    rates = {row["node_id"]: float(row["executed"] / row["judged"]) for row in nodes}
    assert rates == pytest.approx(wanted["node_execution_rate"], rel=1e-12)


def cheapest_alignment(trace: list[str], nodes: list[str], optional: tuple[str, ...]) -> tuple[int, int]:
    """(cost, matched nodes) of the best alignment, trying every way move by move: the second opinion."""

    @cache
    def best(at: int, node: int) -> tuple[int, int]:
        if at == len(trace) and node == len(nodes):
            return (0, 0)
        ways = []
        if at < len(trace):
            cost, matched = best(at + 1, node)
            ways.append((cost + 1, matched))
        if node < len(nodes):
            cost, matched = best(at, node + 1)
            ways.append((cost + (nodes[node] not in optional), matched))
        if at < len(trace) and node < len(nodes) and trace[at] == nodes[node]:
            cost, matched = best(at + 1, node + 1)
            ways.append((cost, matched + 1))
        return min(ways, key=lambda way: (way[0], -way[1]))

    return best(0, 0)


def test_random_traces_have_the_cheapest_alignment(warehouse: Warehouse, catalog: Catalog) -> None:
    chance = random.Random(11)
    nodes = [f"n{number}" for number in range(7)]
    long, short = ("n1", "n4", "n5"), ("n0",)
    traces = {
        f"t{number}": [chance.choice([*nodes, "detour", "call"]) for _ in range(chance.randrange(0, 15))]
        for number in range(400)
    }
    add(warehouse, traces)
    second = procedure("second", nodes[2::-1], short)
    refresh(warehouse, with_procedures(catalog, procedure("first", nodes, long), second))
    rows = warehouse.rows("SELECT * FROM core.ticket_conformance")
    assert len(rows) == 800
    for row in rows:
        listed, optional = (nodes, long) if row["procedure_id"] == "first" else (nodes[2::-1], short)
        trace = traces[row["ticket_id"]]
        known = [listed.index(step) for step in trace if step in listed]
        assert (row["alignment_cost_count"], row["lcs_count"]) == cheapest_alignment(trace, listed, optional), trace
        assert row["is_in_order"] == (known == sorted(set(known))), trace
        assert row["unexpected_step_count"] == len(trace) - len(known)
        assert names(row["unexpected_steps"]) == sorted({step for step in trace if step not in listed})


def test_what_is_not_judged_is_present_with_a_flag(warehouse: Warehouse, catalog: Catalog) -> None:
    sop = procedure("sop", ["a", "b"])
    add(warehouse, {"done": ["a", "b"]})
    add(warehouse, {"running": ["a"]}, is_solved=False)
    add(warehouse, {"silent": []}, has_complete_events=False, status="solved", solved_at=CREATED)
    add(warehouse, {"empty": []})
    add(warehouse, {"gone": ["b"]}, deleted_at=CREATED)
    refresh(warehouse, with_procedures(catalog, sop))
    found = conformance(warehouse)
    flags = {name: (row["is_running"], row["is_unrecorded"], row["is_deleted"]) for name, row in found.items()}
    assert flags == {
        "done": (False, False, False),
        "running": (True, False, False),
        "silent": (False, True, False),
        "empty": (False, False, False),
        "gone": (False, False, True),
    }
    assert (found["empty"]["node_compliance_ratio"], found["empty"]["alignment_fitness_ratio"]) == (0, 0)
    judged = warehouse.rows("SELECT node_id, judged_ticket_count, executed_ticket_count FROM core.procedure_nodes")
    assert sorted(tuple(row.values()) for row in judged) == [("a", 2, 1), ("b", 2, 1)]


def test_conditions_choose_tickets_and_events_of_any_kind_are_nodes(warehouse: Warehouse, catalog: Catalog) -> None:
    nodes = [
        {"id": "answered", "when": {"event_type": "reply", "actor_kind": ["agent"], "is_public": True}},
        {"id": "solved", "when": {"event_type": "status", "value": ["solved"]}},
    ]
    asked = {"channel": ["mail", "it's :web"], "tag": ["vip", "x_y"], "brand": ["north"]}
    sop = Procedure(id="sop", title="t", owner="o", applies_to=asked, nodes=nodes)
    add(warehouse, {"fits": []}, channel="mail", tags="a,vip", brand="north")
    add(warehouse, {"quoted": []}, channel="it's :web", tags="x_y", brand="north")
    add(warehouse, {"other channel": []}, channel="fax", tags="vip", brand="north")
    add(warehouse, {"like a tag": []}, channel="mail", tags="vips,xay", brand="north")
    add(warehouse, {"other brand": []}, channel="mail", tags="vip", brand="south")
    replies = [
        {
            **PLAIN,
            "event_id": f"reply-{number}",
            "ticket_id": "fits",
            "occurred_at": CREATED - timedelta(minutes=number),
            "event_type": "reply",
            "actor_kind": kind,
            "is_public": is_public,
        }
        for number, (kind, is_public) in enumerate([("agent", True), ("customer", True), ("agent", False)], start=1)
    ]
    warehouse.insert("staging.ticket_events", replies)
    refresh(warehouse, with_procedures(catalog, sop))
    found = conformance(warehouse)
    assert {name: row["executed_nodes"] for name, row in found.items()} == {
        "fits": "answered,solved",
        "quoted": "solved",
    }
    assert found["fits"]["is_fully_conformant"] and found["fits"]["trace_count"] == 2


def test_without_procedures_there_is_no_row(warehouse: Warehouse, catalog: Catalog) -> None:
    add(warehouse, {"one": ["a"]})
    refresh(warehouse, catalog)
    assert conformance(warehouse) == {}
    assert warehouse.rows("SELECT * FROM core.procedure_nodes") == []
    runner = runner_for(warehouse, catalog)
    assert runner.upstreams(catalog.tables["core.ticket_conformance"]) == ()


def test_only_what_changed_is_judged_anew_and_equals_a_full_build(warehouse: Warehouse, catalog: Catalog) -> None:
    chance = random.Random(5)
    catalog = with_procedures(catalog, procedure("sop", ["a", "b", "c", "d"], ("c",), channel=["mail"]))

    def some(prefix: str, count: int) -> dict[str, list[str]]:
        return {f"{prefix}{number}": chance.choices("abcdx", k=chance.randrange(7)) for number in range(count)}

    add(warehouse, some("first", 40), channel="mail")
    add(warehouse, some("chat", 5), channel="chat")
    refresh(warehouse, catalog, "first")
    assert len(conformance(warehouse)) == 40
    add(warehouse, some("second", 20), channel="mail")
    with warehouse.transaction():
        warehouse.execute("UPDATE staging.tickets SET channel = 'mail' WHERE ticket_id = 'chat1'")
        warehouse.execute("UPDATE staging.tickets SET channel = 'chat' WHERE ticket_id = 'first1'")
        warehouse.execute("UPDATE staging.ticket_events SET deleted_at = occurred_at WHERE event_id = 'first2-0'")
    assert refresh(warehouse, catalog, "second")["core.ticket_conformance"] == "changes"
    query = "SELECT * FROM core.ticket_conformance ORDER BY ticket_id"
    incremental = warehouse.rows(query)
    assert len(incremental) == 60
    assert {"chat1", "second1"} < {row["ticket_id"] for row in incremental}
    warehouse.execute("DELETE FROM ops.model_states")
    refresh(warehouse, catalog, "full")
    assert warehouse.rows(query) == incremental
