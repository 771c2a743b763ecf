"""The accounts of one owner, on both engines: who was theirs at the period's end, and what befell each."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from hansei.catalog import Catalog
from hansei.pipeline.owned_accounts import gather_accounts
from hansei.warehouse import Warehouse
from hansei.warehouse.tables import create_table

FIRST, FOLLOWING = date(2026, 3, 1), date(2026, 4, 1)
EVER, NEVER = datetime(1970, 1, 1), datetime(2070, 1, 1)
FLAGS = dict.fromkeys(("is_deleted", "is_merged", "is_spam", "is_bot_only"), False)


def _version(number: int, owner: str, value: int, renewal: date | None, span=(EVER, NEVER)) -> dict:
    told = {"account_id": f"crm:{number}", "owner": owner, "tier": "gold", "annual_value": value}
    return {**told, "valid_from": span[0], "valid_to": span[1], "renewal_date": renewal}


def _breach(number: int, broken: date, ended: date | None) -> dict:
    place = {"account_id": f"crm:{number}", "ticket_id": f"desk:{broken}", "metric": "first_reply", "turn_number": 1}
    return {**place, "breached_date": broken, "ended_date": ended, **FLAGS}


@pytest.fixture
def accounts(warehouse: Warehouse, catalog: Catalog) -> Warehouse:
    for name in ("core.accounts", "core.account_versions", "core.account_breaches", "core.account_spans"):
        create_table(warehouse, name, {key: column.type for key, column in catalog.tables[name].columns.items()})
    warehouse.insert(
        "core.accounts",
        [{"account_id": f"crm:{n}", "account_name": f"Firm {n}", "is_deleted": n == 6} for n in range(1, 8)],
    )
    moved = datetime(2026, 3, 20)
    versions = [
        _version(1, "ann", 500, date(2026, 5, 1)),  # renews soon, and a clock still runs late
        _version(2, "ann", 900, date(2027, 5, 1)),  # broken in March, done since
        _version(3, "ann", 100, date(2027, 1, 1)),  # quiet: broken in February
        _version(4, "ann", 700, date(2026, 4, 1), (EVER, moved)),  # went over to ben in March
        _version(4, "ben", 700, date(2026, 4, 1), (moved, NEVER)),
        _version(5, "ann", 50, date(2026, 3, 31)),  # its renewal is past on the last day
        _version(6, "ann", 1, None),  # deleted
        _version(7, "ann", 800, None),  # a clock of February still runs late in April
    ]
    warehouse.insert("core.account_versions", versions)
    breaches = [
        _breach(1, date(2026, 3, 31), None),
        _breach(1, date(2026, 4, 1), None),  # of the next month
        _breach(2, date(2026, 3, 1), date(2026, 3, 31)),
        _breach(3, date(2026, 2, 28), date(2026, 2, 28)),
        _breach(4, date(2026, 3, 5), None),
        _breach(7, date(2026, 2, 3), date(2026, 4, 1)),
    ]
    warehouse.insert("core.account_breaches", breaches)
    spans = [(1, None), (2, date(2026, 5, 30)), (3, date(2026, 3, 31)), (4, None)]
    told = {"kind": "exposed", "started_date": date(2026, 2, 1)}
    warehouse.insert("core.account_spans", [{**told, "account_id": f"crm:{n}", "ended_date": end} for n, end in spans])
    return warehouse


def test_an_owner_reads_the_accounts_that_were_theirs_at_the_end(accounts: Warehouse, catalog: Catalog) -> None:
    found = gather_accounts(accounts, catalog, FIRST, FOLLOWING, "account_owner=ann")
    # Of ann's five 500 + 900 + 100 + 50 + 800; exposed at the end of March are the first two.
    assert (found.account_count, found.annual_value, found.exposed_value) == (5, 2350.0, 1400.0)
    told = [(one.name, one.breach_count, one.open_breach_count, one.renews_soon) for one in found.shown]
    assert told == [("Firm 1", 1, 1, True), ("Firm 7", 0, 1, False), ("Firm 2", 1, 0, False)]
    (theirs,) = gather_accounts(accounts, catalog, FIRST, FOLLOWING, "account_owner=ben").shown
    assert (theirs.name, theirs.breach_count, theirs.renews_soon) == ("Firm 4", 1, True)


@pytest.mark.parametrize("about", ["all", "team=desk:1", "account_owner=nobody"])
def test_others_have_no_accounts(accounts: Warehouse, catalog: Catalog, about: str) -> None:
    assert gather_accounts(accounts, catalog, FIRST, FOLLOWING, about) is None
