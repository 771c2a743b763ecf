"""Images of changed rows, before and after: what models leave for the stage that measures, which empties them.

An image holds the row's key, dates and segments and the columns that indicators read, so that measuring can tell a
change that moves a number from one that does not.
"""

from __future__ import annotations

from collections import defaultdict

from hansei.catalog import Catalog
from hansei.catalog.columns_read import columns_read
from hansei.catalog.tables import TableModel
from hansei.warehouse.engine import Warehouse

# What an image says beside the row: the change that left it, its run, and `before`, `after` or `all:REASON`.
OWN = ("change_id", "run_id", "image")


def touched_columns(catalog: Catalog, model: TableModel) -> dict[str, str]:
    """Columns of the table of a model's images, name to logical type."""
    counting = [item for item in catalog.indicators.values() if item.table == model.table]
    ends = {item.ends_on for item in counting} - {None}
    read = sorted(columns_read(counting, model) | ends)
    kept = dict.fromkeys([*model.key, *model.dates, *model.segment_columns, *read])
    own = dict(zip(OWN, ("bigint", "text", "text"), strict=True))
    return {**own, **{name: model.columns[name].type for name in kept}}


def widen_images(warehouse: Warehouse, catalog: Catalog) -> None:
    """Adds the columns that indicators have come to read since the tables of images were made.

    Images that wait there do not know them: a table that has any is counted anew as a whole.
    """
    existing: dict[str, set[str]] = defaultdict(set)
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'ops'"
    for row in warehouse.rows(query):
        existing[f"ops.{row['table_name']}"].add(row["column_name"])
    for model in catalog.tables.values():
        table = model.touched_table
        if table not in existing:
            continue
        missing = {name: kind for name, kind in touched_columns(catalog, model).items() if name not in existing[table]}
        if not missing:
            continue
        with warehouse.transaction():
            waiting = warehouse.scalar(f"SELECT MAX(run_id) FROM {table}")
            for name, kind in missing.items():
                warehouse.execute(f"ALTER TABLE {table} ADD COLUMN {name} {warehouse.sql.type(kind)}")
            if waiting:
                leave_rebuilt(warehouse, table, waiting, "definition")


def leave_rebuilt(warehouse: Warehouse, table: str, run_id: str, reason: str) -> None:
    """Notes that everything has to be counted anew."""
    warehouse.insert(table, [{"change_id": 0, "run_id": run_id, "image": f"all:{reason}"}])
