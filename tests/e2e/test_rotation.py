"""The identity key is rotated in place: afterwards the tables are those of a company that always had the new key."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.small_company import NIGHTS, assert_same_tables, exports, found_company, other_key

from hansei.errors import HanseiError
from hansei.pipeline import rotating


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("engine", ["duckdb", "postgresql"])
def test_after_a_rotation_the_tables_are_those_of_the_new_key_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, engine: str
) -> None:
    url = None
    if engine == "postgresql":
        url = request.getfixturevalue("postgres_database").render_as_string(hide_password=False)
    company = found_company(tmp_path / "rotated", url)
    exports().write(company.inbox)
    company.night(1)
    context = company.context(NIGHTS[0])
    with pytest.raises(HanseiError, match="is the key that the warehouse has already"):
        rotating.rotate(context)
    said = company.rows("SELECT DISTINCT email FROM staging.customers")
    rotated = other_key(company)
    with monkeypatch.context() as patch:  # stopped between the new key and the back-fill
        patch.setattr(rotating, "run_night", _killed)
        with pytest.raises(KeyboardInterrupt):
            rotating.rotate(rotated.context(NIGHTS[0]))
    rotating.rotate(rotated.context(NIGHTS[0]))
    assert not {row["email"] for row in said} & {
        row["email"] for row in rotated.rows("SELECT email FROM staging.customers")
    }
    fresh = other_key(found_company(tmp_path / "fresh"))
    exports().write(fresh.inbox)
    fresh.night(1)
    tables = ("staging", "core", "indicators")
    assert_same_tables(rotated.tables(*tables), fresh.tables(*tables))
    assert rotated.scalar("SELECT COUNT(*) FROM ops.restatements") == 0
    with pytest.raises(HanseiError, match="the key that the warehouse has already"):
        rotating.rotate(rotated.context(NIGHTS[0]))
