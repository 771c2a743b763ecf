"""Ticket system against CRM, on both engines: the oracle's records, ties, missing values, companies, shared people."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sql.staging_rows import publish
from support.real_data import DATA

from hansei.catalog import Catalog
from hansei.catalog.practices import CrmSync
from hansei.settings import Settings
from hansei.sources.privacy import Privacy
from hansei.sources.scratch import Scratch
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

ORACLE: Path = DATA.parent / "oracles" / "misc.json"
CREATED = datetime(2026, 3, 2, 8)


@pytest.fixture
def catalog(catalog: Catalog) -> Catalog:
    """The shipped rules, with a ticket side and a CRM side of their own; `region` stands for the oracle's plan."""
    [sync] = catalog.crm_sync.values()
    sides = {"ticket_sources": ("desk",), "crm_sources": ("crm",)}
    customers = {"match": ("external_id", "email"), "fields": ("email", "phone", "region")}
    return replace(
        catalog, crm_sync={sync.id: CrmSync.model_validate(sync.model_dump() | sides | {"customers": customers})}
    )


def fill(warehouse: Warehouse, catalog: Catalog, entity: str, **sides: list[dict[str, Any]]) -> None:
    for source, rows in sides.items():
        publish(warehouse, catalog.entities[entity], rows, source=source)


def refresh(warehouse: Warehouse, catalog: Catalog, run_id: str = "run") -> None:
    plant(warehouse, catalog, run_id)
    refresh_models(warehouse, catalog, "core", run_id)


def states(warehouse: Warehouse, side: str = "tickets", kind: str = "customers") -> dict[str, tuple]:
    query = (
        "SELECT record_key, state, match_key, rule FROM core.crm_matches "
        f"WHERE side = '{side}' AND record_kind = '{kind}'"
    )
    return {row["record_key"]: (row["state"], row["match_key"], row["rule"]) for row in warehouse.rows(query)}


def pseudonyms(settings: Settings, values: list[str | None], kind: str) -> list[str | None]:
    return Privacy(settings, Scratch()).pseudonyms(pa.array(values, pa.string()), kind).to_pylist()


def test_the_oracle(warehouse: Warehouse, catalog: Catalog, settings: Settings) -> None:
    if not ORACLE.is_file():
        pytest.skip(f"no oracles: {ORACLE} does not exist; set HANSEI_DATA to the folder of the public data sets")
    [case] = json.loads(ORACLE.read_text(encoding="utf-8"))["crm_sync"]
    sides = {}
    for source, name in (("desk", "ticket_records"), ("crm", "crm_records")):
        records = case[name]
        emails = pseudonyms(settings, [record["email"] for record in records], "email")
        phones = pseudonyms(settings, [record["phone"] for record in records], "phone")
        sides[source] = [
            {
                "customer_id": f"{source}:{record['id']}",
                # The CRM keeps the ticket system's own number, by which both are matched.
                "external_id": str(record["id"]) if source == "crm" else None,
                "email": email,
                "phone": phone,
                "region": record["plan"],
                "created_at": CREATED,
            }
            for record, email, phone in zip(records, emails, phones, strict=True)
        ]
    fill(warehouse, catalog, "customers", **sides)
    refresh(warehouse, catalog)

    expected = case["expected"]
    ours, theirs = states(warehouse), states(warehouse, "crm")
    assert sum(state == "matched" for state, _, _ in ours.values()) == expected["matched"]
    assert expected["matched"] / len(ours) == expected["match_rate"]
    assert (
        [key for key, row in ours.items() if row[0] == "unmatched"]
        == ["desk:4"]
        == [f"desk:{number}" for number in expected["only_in_tickets"]]
    )
    assert [key for key, row in theirs.items() if row[0] == "unmatched"] == [
        f"crm:{number}" for number in expected["only_in_crm"]
    ]
    totals = {row["field"]: row for row in warehouse.rows("SELECT * FROM core.crm_sync_totals")}
    for field, wanted in expected["field"].items():
        found = totals["region" if field == "plan" else field]
        assert (found["comparable_count"], found["equal_count"]) == (wanted["compared"], wanted["equal"]), field
    assert totals["all"]["accuracy_ratio"] == pytest.approx(expected["field_accuracy"], rel=1e-9)
    missing = "SELECT ticket_key, field FROM core.crm_field_comparisons WHERE state = 'missing_in_tickets'"
    assert [tuple(row.values()) for row in warehouse.rows(missing)] == [
        (f"desk:{row['id']}", row["field"]) for row in expected["missing_one_side"]
    ]
    accurate = warehouse.rows("SELECT is_accurate FROM core.crm_pairs")
    share = sum(row["is_accurate"] for row in accurate) / len(accurate)
    assert share == pytest.approx(expected["record_accuracy"], rel=1e-9)


def test_the_first_rule_decides_and_a_tie_matches_nothing(warehouse: Warehouse, catalog: Catalog) -> None:
    desk = [
        {"customer_id": "desk:1", "external_id": "77", "email": "same"},  # the number goes before the address
        {"customer_id": "desk:2", "email": "twice"},
        {"customer_id": "desk:3", "email": "once"},
        {"customer_id": "desk:4"},
    ]
    crm = [
        {"customer_id": "crm:77", "email": "other"},
        {"customer_id": "crm:78", "email": "same"},
        {"customer_id": "crm:79", "email": "twice"},
        {"customer_id": "crm:80", "email": "twice"},
        {"customer_id": "crm:81", "email": "once"},
    ]
    fill(warehouse, catalog, "customers", desk=desk, crm=crm)
    refresh(warehouse, catalog)
    assert states(warehouse) == {
        "desk:1": ("matched", "crm:77", "external_id"),
        "desk:2": ("ambiguous", None, "email"),
        "desk:3": ("matched", "crm:81", "email"),
        "desk:4": ("unmatched", None, None),
    }
    compared = "SELECT ticket_key, state FROM core.crm_field_comparisons WHERE field = 'email' ORDER BY ticket_key"
    # desk:3 was matched by its address, so that comparing it would prove nothing.
    assert [tuple(row.values()) for row in warehouse.rows(compared)] == [("desk:1", "different")]


def test_other_sources_are_on_no_side_and_deleted_records_are_gone(warehouse: Warehouse, catalog: Catalog) -> None:
    fill(
        warehouse,
        catalog,
        "customers",
        desk=[{"customer_id": "desk:1", "email": "a"}, {"customer_id": "desk:2", "email": "b"}],
        crm=[{"customer_id": "crm:1", "email": "a"}],
        shop=[{"customer_id": "shop:1", "email": "b"}],
    )
    refresh(warehouse, catalog)
    assert {key: row[0] for key, row in states(warehouse).items()} == {"desk:1": "matched", "desk:2": "unmatched"}
    crm = catalog.entities["customers"]
    publish(warehouse, crm, [{"customer_id": "crm:9"}], source="crm", is_snapshot=True)  # crm:1 is gone
    refresh(warehouse, catalog, "second")
    assert {key: row[0] for key, row in states(warehouse).items()} == {"desk:1": "unmatched", "desk:2": "unmatched"}
    assert warehouse.scalar("SELECT COUNT(*) FROM core.crm_pairs") == 0


def test_companies_are_compared_without_case_and_by_tier(warehouse: Warehouse, catalog: Catalog) -> None:
    fill(
        warehouse,
        catalog,
        "accounts",
        desk=[{"account_id": "desk:7", "name": "  ACME gmbh", "tier": "gold", "industry": ""}],
        crm=[{"account_id": "crm:A", "external_id": "7", "name": "Acme GmbH", "tier": "silver", "industry": "toys"}],
    )
    refresh(warehouse, catalog)
    query = "SELECT field, state FROM core.crm_field_comparisons WHERE record_kind = 'accounts' ORDER BY field"
    assert {row["field"]: row["state"] for row in warehouse.rows(query)} == {
        "email_domain": "missing_on_both",
        "industry": "missing_in_tickets",
        "name": "equal",
        "region": "missing_on_both",
        "segment": "missing_on_both",
        "tier": "different",
    }


def test_the_lag_is_that_of_people_whom_the_ticket_system_knew_first(warehouse: Warehouse, catalog: Catalog) -> None:
    def person(key: str, email: str, created_at: datetime | None) -> dict[str, Any]:
        return {"customer_id": key, "email": email, "phone": "1", "created_at": created_at}

    fill(
        warehouse,
        catalog,
        "customers",
        desk=[
            person("desk:1", "later", CREATED),
            person("desk:2", "at once", CREATED),
            person("desk:3", "crm first", CREATED),
            person("desk:4", "unknown", CREATED),
        ],
        crm=[
            person("crm:1", "later", datetime(2026, 3, 4, 9, 30)),
            person("crm:2", "at once", CREATED),
            person("crm:3", "crm first", datetime(2026, 3, 2, 7)),
            person("crm:4", "unknown", None),
        ],
    )
    refresh(warehouse, catalog)
    rows = warehouse.rows("SELECT ticket_key, crm_lag_seconds FROM core.crm_pairs ORDER BY ticket_key")
    # Two days and an hour and a half after two days: 49.5 hours.
    assert [tuple(row.values()) for row in rows] == [
        ("desk:1", 178_200),
        ("desk:2", 0),
        ("desk:3", None),
        ("desk:4", None),
    ]
