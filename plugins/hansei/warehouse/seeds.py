"""Tables that Python fills from definitions: the reporting zone's offset on every UTC day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

from hansei.catalog import Catalog
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.publication import record_changes
from hansei.warehouse.tables import create_table

FIRST_DAY, LAST_DAY = "1970-01-01", "2069-12-31"
TABLE = "core.reporting_offsets"
COLUMNS = {
    "utc_date": "date",
    "offset_seconds": "integer",
    "switch_second": "integer",
    "offset_after_seconds": "integer",
}


def reporting_offsets(zone: ZoneInfo) -> pa.Table:
    """One row per UTC day: offset at its start, the second at which it switches (86400: never), offset afterwards.

    A switch at the very end of a day shows as switch_second 86400 there and as the next day's own offset.
    """
    midnights = pd.date_range(FIRST_DAY, LAST_DAY, freq="D", tz="UTC")
    local = midnights.append(pd.DatetimeIndex([midnights[-1] + pd.Timedelta(days=1)])).tz_convert(zone)
    offsets = (local.tz_localize(None) - local.tz_convert("UTC").tz_localize(None)).total_seconds().to_numpy()
    before, after = offsets[:-1].astype("int32"), offsets[1:].astype("int32")
    switches = np.full(len(midnights), 86400, dtype="int32")
    for position in np.flatnonzero(before != after):
        switches[position] = _switch_second(midnights[position].to_pydatetime(), zone, before[position])
    days = pa.array(midnights.date, pa.date32())
    return pa.table([days, pa.array(before), pa.array(switches), pa.array(after)], names=list(COLUMNS))


def _offset(instant: datetime, zone: ZoneInfo) -> int:
    return int(instant.astimezone(zone).utcoffset().total_seconds())


def _switch_second(day: datetime, zone: ZoneInfo, before: int) -> int:
    low, high = 0, 86400
    while low < high:
        middle = (low + high) // 2
        if _offset(day.astimezone(UTC) + timedelta(seconds=middle), zone) == before:
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
        warehouse.insert(
            "ops.model_states", [{**state, "rebuilt_because": "created" if known is None else "definition"}]
        )
        record_changes(warehouse, TABLE, run_id, "SELECT 'zone' AS key, 'upsert' AS operation")
    return True
