"""What a threshold says of one period of a series, for people: read for the few series and periods that moved."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pyarrow as pa

from hansei.pipeline.alarm_findings import Found
from hansei.warehouse import Warehouse
from hansei.warehouse.signal_tables import SIGNALS
from hansei.warehouse.tables import create_table

Place = tuple[int, int]  # row and column of the findings
_COLUMNS = ("threshold_id", "segment_id", "last_start")
_QUERY = f"""
WITH usable AS (
  SELECT
    wanted.last_start,
    signals.*,
    ROW_NUMBER() OVER (
      PARTITION BY wanted.threshold_id, wanted.segment_id, wanted.last_start ORDER BY signals.period_start DESC
    ) AS place
  FROM wanted_figures AS wanted
  INNER JOIN {SIGNALS} AS signals
    ON
      wanted.threshold_id = signals.threshold_id
      AND wanted.segment_id = signals.segment_id
      AND signals.period_start <= wanted.last_start
  WHERE signals.kind <> 'verdict' AND signals.verdict NOT IN ('not_ready', 'too_few_data')
)

SELECT
  usable.threshold_id,
  usable.segment_id,
  usable.last_start,
  usable.period_start,
  usable.value,
  usable.limit_value,
  usable.level,
  usable.reason,
  usable.owner,
  CASE WHEN usable.segment_id = 'all' THEN '' ELSE COALESCE(segments.label, usable.segment_id) END AS label
FROM usable
LEFT JOIN indicators.segments AS segments ON usable.segment_id = segments.segment_id
WHERE usable.place = 1
"""


def read_figures(warehouse: Warehouse, found: Found, places: Iterable[Place]) -> dict[Place, dict[str, Any]]:
    """Per place the newest usable period that had ended by then: `period_start`, `value`, `limit_value`, `level`,
    `reason`, `owner`, and `label`, the segment's name for people. Places of which nothing is known are left out.
    """
    wanted: dict[tuple[str, str, date], list[Place]] = {}
    for row, column in sorted(set(places)):
        wanted.setdefault((*found.keys[row].series, found.period(row, column)), []).append((row, column))
    if not wanted:
        return {}
    columns = zip(*sorted(wanted), strict=True)
    types = (pa.string(), pa.string(), pa.date32())
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)]
    with warehouse.transaction():
        create_table(warehouse, "wanted_figures", dict(zip(_COLUMNS, ("text", "text", "date"), strict=True)), True)
        warehouse.load("wanted_figures", pa.table(arrays, names=list(_COLUMNS)))
        rows = warehouse.rows(_QUERY)
        warehouse.execute("DROP TABLE wanted_figures")
    return {place: row for row in rows for place in wanted[tuple(row[name] for name in _COLUMNS)]}
