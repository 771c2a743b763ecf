"""What a rotation does to what is stored, before everything is extracted again."""

from __future__ import annotations

import dataclasses

from hansei.catalog import Catalog
from hansei.pipeline.rotating import rekey
from hansei.settings import Settings
from hansei.sources.privacy import key_id
from hansei.warehouse import Warehouse

ANN, BO, ERASED = "a" * 64, "b" * 64, "erased-" + "0" * 24


def test_pseudonyms_are_hashed_again_alike_everywhere_and_the_next_version_wins(
    settings: Settings, catalog: Catalog, warehouse: Warehouse
) -> None:
    people = [("d:1", ANN, ANN), ("d:2", BO, None), ("d:3", ANN, ERASED)]
    warehouse.insert(
        "staging.customers",
        [
            {"customer_id": key, "email": email, "name": name, "source_version": "2026", "content_hash": "h"}
            for key, email, name in people
        ],
    )
    warehouse.insert("staging.survey_responses", [{"response_id": "r", "respondent_email": ANN, "source_version": "9"}])
    version = {"account_id": "c:1", "source_version": "2026", "content_hash": "h", "owner": BO}
    warehouse.insert("staging.accounts_versions", [version])
    warehouse.insert("ops.identity_keys", [{"key_id": "earlier", "first_run_id": "night"}])
    fresh = dataclasses.replace(settings, identity_key="j" * 40)
    assert rekey(warehouse, catalog, fresh, "rotation") > 0
    stored = warehouse.rows("SELECT * FROM staging.customers ORDER BY customer_id")
    ann, bo, again = (row["email"] for row in stored)
    assert ann == again != bo and len({ann, bo, ANN, BO}) == 4
    assert [row["name"] for row in stored] == [ann, None, ERASED]
    assert warehouse.scalar("SELECT respondent_email FROM staging.survey_responses") == ann
    assert warehouse.scalar("SELECT owner FROM staging.accounts_versions") == bo
    assert {(row["source_version"], row["content_hash"]) for row in stored} == {("", "")}
    changed = warehouse.rows("SELECT DISTINCT table_name FROM ops.changes ORDER BY table_name")
    assert {"staging.customers", "staging.survey_responses", "staging.accounts_versions"} <= {
        row["table_name"] for row in changed
    }
    assert warehouse.rows("SELECT * FROM ops.identity_keys") == [{"key_id": key_id(fresh), "first_run_id": "rotation"}]


def test_what_was_counted_under_somebodys_pseudonym_goes_and_what_no_person_stands_in_stays(
    settings: Settings, catalog: Catalog, warehouse: Warehouse
) -> None:
    """The back-fill counts only what changed: where nobody is named, in a pair too, nothing would be counted again."""
    stay = ("all", "account_owner=unknown", "account_owner=unlinked", "account_owner=unlinked&channel=mail", "team=d:1")
    gone = (f"account_owner={ANN}", f"account_owner={ANN}&channel=mail", f"aaa=x&account_owner={BO}")
    tables = ("indicators.indicator_values", "ops.restatements")
    for table in tables:
        rows = [{"indicator": "nps", "grain": "week", "segment_id": segment_id} for segment_id in (*stay, *gone)]
        warehouse.insert(table, rows)
    rekey(warehouse, catalog, dataclasses.replace(settings, identity_key="j" * 40), "rotation")
    for table in tables:
        left = warehouse.rows(f"SELECT segment_id FROM {table}")
        assert sorted(row["segment_id"] for row in left) == sorted(stay)
