"""A store that an older release wrote last: whoever reads it is told so, and what brings it up to date."""

from __future__ import annotations

import pytest

from hansei.errors import WarehouseError
from hansei.settings import Settings
from hansei.warehouse import Warehouse, open_read_copy, open_warehouse


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        ("SELECT COUNT(*) FROM core.survey_comments", "survey_comments"),
        ("SELECT MAX(request_count) FROM ops.source_runs", "request_count"),
        ("SELECT run.request_count FROM ops.source_runs AS run", "request_count"),
    ],
)
def test_what_an_older_release_lacks_is_named_with_the_next_step(
    settings: Settings, warehouse: Warehouse, query: str, missing: str
) -> None:
    warehouse.execute("DROP TABLE IF EXISTS core.survey_comments")
    warehouse.execute("ALTER TABLE ops.source_runs DROP COLUMN request_count")
    warehouse.close()
    reading = settings if not settings.is_embedded else as_copy(settings)
    for ask in (Warehouse.rows, Warehouse.scalar, Warehouse.arrow):
        with open_read_copy(reading) as copy, pytest.raises(WarehouseError) as caught:
            ask(copy, query)
        assert "last written by an older release" in str(caught.value)
        assert missing in caught.value.found
        assert "hansei night" in caught.value.next_step


def test_a_mistake_in_a_statement_is_not_called_an_older_release(settings: Settings, warehouse: Warehouse) -> None:
    warehouse.close()
    reading = settings if not settings.is_embedded else as_copy(settings)
    with open_read_copy(reading) as copy, pytest.raises(Exception, match=r"(?i)syntax") as caught:
        copy.rows("SELEC 1")
    assert not isinstance(caught.value, WarehouseError)
    with open_warehouse(settings) as live, pytest.raises(Exception, match="no_such_table") as caught:
        live.rows("SELECT * FROM ops.no_such_table")
    assert not isinstance(caught.value, WarehouseError)


def as_copy(settings: Settings) -> Settings:
    settings.read_copy.parent.mkdir(parents=True, exist_ok=True)
    settings.warehouse_file.rename(settings.read_copy)
    settings.warehouse_file.symlink_to(settings.read_copy)
    return settings
