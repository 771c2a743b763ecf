"""The identity key is rotated in place: afterwards the tables are those of a company that always had the new key."""

from __future__ import annotations

import pytest
from support.small_company import NIGHTS, Company, assert_same_tables, exports, found_company, other_key

from hansei.errors import HanseiError
from hansei.pipeline import rotating


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A company that never had another key."""
    company = other_key(found_company(tmp_path_factory.mktemp("fresh")))
    exports().write(company.inbox)
    company.night(1)
    return company


def test_after_a_rotation_the_tables_are_those_of_the_new_key_alone(
    begun: Company, fresh: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = begun
    context = company.context(NIGHTS[0])
    with pytest.raises(HanseiError, match="is the key that the warehouse has already"):
        rotating.rotate(context)
    said = company.rows("SELECT DISTINCT email FROM staging.customers")
    owned = company.rows("SELECT DISTINCT segment_id FROM indicators.indicator_values WHERE segment_id LIKE '%owner=%'")
    owned = [row for row in owned if row["segment_id"] != "account_owner=unlinked"]
    rotated = other_key(company)
    with monkeypatch.context() as patch:  # stopped between the new key and the back-fill
        patch.setattr(rotating, "run_night", _killed)
        with pytest.raises(KeyboardInterrupt):
            rotating.rotate(rotated.context(NIGHTS[0]))
    rotating.rotate(rotated.context(NIGHTS[0]))
    assert not {row["email"] for row in said} & {
        row["email"] for row in rotated.rows("SELECT email FROM staging.customers")
    }
    tables = ("staging", "core", "indicators")
    assert_same_tables(rotated.tables(*tables), fresh.tables(*tables))
    assert rotated.scalar("SELECT COUNT(*) FROM ops.restatements") == 0
    owners = "SELECT DISTINCT segment_id FROM indicators.indicator_values WHERE segment_id LIKE 'account_owner=%'"
    told = {row["segment_id"] for row in rotated.rows(owners)} - {"account_owner=unlinked"}
    assert told and not told & {row["segment_id"] for row in owned}
    with pytest.raises(HanseiError, match="the key that the warehouse has already"):
        rotating.rotate(rotated.context(NIGHTS[0]))
