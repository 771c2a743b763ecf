"""Tables that Python fills from definitions: the reporting zone's offset on every UTC day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

from hansei.catalog import Catalog
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.publication import record_changes
from hansei.warehouse.tables import create_table

FIRST_DAY = datetime(1970, 1, 1, tzinfo=UTC)
LAST_DAY = datetime(2069, 12, 31, tzinfo=UTC)
TABLE = "core.reporting_offsets"
COLUMNS = {
    "utc_date": "date",
    "offset_seconds": "integer",
    "switch_second": "integer",
    "offset_after_seconds": "integer",
}


def reporting_offsets(zone: ZoneInfo) -> pa.Table:
    """One row per UTC day: offset at its start, the second at which it switches (86400: never), offset afterwards.

    A zone never switches twice within one UTC day; a day on which it did would raise AssertionError.
    """
    days, before, switches, after = [], [], [], []
    day = FIRST_DAY
    while day <= LAST_DAY:
        start, end = _offset(day, zone), _offset(day + timedelta(seconds=86399), zone)
        days.append(day.date())
        before.append(start)
        after.append(end)
        switches.append(86400 if start == end else _switch_second(day, zone, start))
        day += timedelta(days=1)
    integers = [pa.array(values, pa.int32()) for values in (before, switches, after)]
    return pa.table([pa.array(days, pa.date32()), *integers], names=list(COLUMNS))


def _offset(instant: datetime, zone: ZoneInfo) -> int:
    return int(instant.astimezone(zone).utcoffset().total_seconds())


def _switch_second(day: datetime, zone: ZoneInfo, before: int) -> int:
    low, high = 0, 86399
    while low < high:
        middle = (low + high) // 2
        if _offset(day + timedelta(seconds=middle), zone) == before:
            low = middle + 1
        else:
            high = middle
    return low


def plant(warehouse: Warehouse, catalog: Catalog, run_id: str) -> bool:
    """Writes the seed where the reporting zone is new or has changed; whether it did."""
    fingerprint = catalog.fingerprint(TABLE, catalog.service.reporting_zone)
    known = warehouse.scalar("SELECT fingerprint FROM ops.model_states WHERE model = :model", {"model": TABLE})
    if known == fingerprint:
        return False
    with warehouse.transaction():
        create_table(warehouse, TABLE, COLUMNS)
        warehouse.execute(f"DELETE FROM {TABLE}")
        warehouse.load(TABLE, reporting_offsets(catalog.service.zone))
        warehouse.execute("DELETE FROM ops.model_states WHERE model = :model", {"model": TABLE})
        state = {"model": TABLE, "fingerprint": fingerprint, "position": 0, "run_id": run_id}
        warehouse.insert("ops.model_states", [{**state, "rebuilt_because": "created" if known is None else "definition"}])
        record_changes(warehouse, TABLE, run_id, "SELECT 'zone' AS key, 'upsert' AS operation")
    return True
