"""The change log in the long run: which of its rows nobody needs any more."""

from __future__ import annotations

from datetime import datetime

from hansei.catalog import Catalog
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.refresh import runner_for
from hansei.warehouse.states import remember

# A model that was rebuilt leaves one row instead of one for each of its keys.
REBUILT = "key = '*' AND operation = 'rebuild'"
# Entry in ops.model_states whose position says up to which change the log was cleared.
PRUNED = "ops.changes"


def prune_changes(warehouse: Warehouse, catalog: Catalog, due: datetime, run_id: str, copied: int | None) -> int:
    """Removes changes of runs before `due` that every model has consumed and the read copy holds; number of rows.

    `copied` is the change up to which both generations of the read copy have come, None where there is no copy. The
    newest change stays, so that the numbers go on from it.
    """
    old = "run_id IN (SELECT run_id FROM ops.runs WHERE as_of < :due)"
    last = warehouse.scalar(f"SELECT MAX(change_id) FROM ops.changes WHERE {old}", {"due": due})
    if last is None:
        return 0
    _forget_removed_models(warehouse, catalog)
    newest = warehouse.scalar("SELECT MAX(change_id) FROM ops.changes")
    until = min([last, newest - 1, *_consumed_until(warehouse, catalog), *([] if copied is None else [copied])])
    removed = f"SELECT COUNT(*) FROM ops.changes WHERE change_id <= {until}"
    count = warehouse.scalar(removed)
    if count:
        warehouse.execute(f"DELETE FROM ops.changes WHERE change_id <= {until}")
        remember(warehouse, {PRUNED: ""}, run_id, "pruned", until)
    return count


def _consumed_until(warehouse: Warehouse, catalog: Catalog) -> list[int]:
    """Per model that still has changes to consume (of a night that failed, or announced late): what stands before."""
    states = {row["model"]: row for row in warehouse.rows("SELECT model, position FROM ops.model_states")}
    runner = runner_for(warehouse, catalog)
    waiting = []
    for model in catalog.tables.values():
        if model.kind == "view" or model.table not in states:
            continue
        watched = warehouse.sql.text_list(runner.watched(model))
        unseen = f"change_id > {states[model.table]['position']} AND table_name IN ({watched})"
        first = warehouse.scalar(f"SELECT MIN(change_id) FROM ops.changes WHERE {unseen}")
        if first is not None:
            waiting.append(first - 1)
    return waiting


def _forget_removed_models(warehouse: Warehouse, catalog: Catalog) -> None:
    """A model that comes back later is built anew: what it would have consumed may be gone by then."""
    kept = warehouse.sql.text_list([*catalog.tables, PRUNED])
    warehouse.execute(f"DELETE FROM ops.model_states WHERE position > 0 AND model NOT IN ({kept})")
