"""The read copy follows the warehouse night by night, and holds nothing that only the pipeline should see."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.small_company import Company, exports, found_company

from hansei.warehouse import open_read_copy, read_copy

FOLLOWED = ("core.tickets", "core.backlog_intervals", "core.survey_responses")


def contents(rows: list[dict]) -> list[tuple]:
    return sorted((tuple(map(str, row.values())) for row in rows), key=str)


def assert_copy_is_the_warehouse(company: Company) -> None:
    with open_read_copy(company.settings) as copy:
        tables = copy.tables() - {read_copy.COPIED, "ops.quarantined_rows"}
        assert set(FOLLOWED) | {"indicators.breaches", "indicators.segments", "ops.batches"} <= tables
        copied = {table: contents(copy.rows(f"SELECT * FROM {table}")) for table in tables}
    with company.warehouse() as live:
        for table, rows in copied.items():
            assert rows == contents(live.rows(f"SELECT * FROM {table}")), table


def test_the_copy_equals_the_warehouse_after_every_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company = found_company(tmp_path)
    exports().write(company.inbox)
    followed = []
    original = read_copy._follow
    monkeypatch.setattr(read_copy, "FEWEST_UNCHANGED", 1)
    monkeypatch.setattr(read_copy, "_follow", lambda *given: (followed.append(given[1]), original(*given)))
    for number in (1, 2, 3):
        company.night(number)
        assert_copy_is_the_warehouse(company)
    assert set(FOLLOWED) <= set(followed)

    company.settings.read_copy.write_bytes(b"not a database")
    company.night(3, run_id="again")
    assert_copy_is_the_warehouse(company)


def test_payloads_keys_and_landing_are_not_in_the_copy(tmp_path: Path) -> None:
    company = found_company(tmp_path)
    exports().write(company.inbox)
    company.night(1)
    company.night(2)
    with open_read_copy(company.settings) as copy:
        schemas = {table.split(".")[0] for table in copy.tables()}
        assert schemas <= {"core", "indicators", "ops", "board"}
        assert not {"ops.changes", "ops.identity_keys"} & copy.tables()
        assert not {"payload", "row_key"} & set(copy.columns("ops.quarantined_rows"))
        assert copy.scalar("SELECT COUNT(*) FROM ops.quarantined_rows") > 0
