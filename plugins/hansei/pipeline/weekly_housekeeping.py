"""The stage that runs once a week: what is kept only for a time goes, and erasures that were stopped are finished."""

from __future__ import annotations

from collections.abc import Callable

from hansei.pipeline.context import Context
from hansei.pipeline.erasing import erase_many, finish, unfinished
from hansei.pipeline.erasing_parts import expire_quotes
from hansei.pipeline.nightly import measure, model, share
from hansei.pipeline.retaining import expire_extra, expire_texts, silent_customers
from hansei.pipeline.side_runs import open_side_run
from hansei.warehouse import open_warehouse
from hansei.warehouse.tables import evolve


def housekeep(
    context: Context, is_trial: bool = False, tell: Callable[[str], None] = lambda text: None
) -> dict[str, int]:
    """Counts of what went, or in a trial would go: texts, quotes, extra, persons, and erasures that were finished.

    The spool and payloads in quarantine are cleared each night, by the same rules.
    """
    now = context.now()
    with open_warehouse(context.settings) as warehouse:
        evolve(warehouse, context.catalog)
        stopped = unfinished(warehouse)
    for erasure_id in () if is_trial else stopped:
        finish(context, erasure_id, tell=tell)
    with open_warehouse(context.settings) as warehouse:
        if warehouse.scalar("SELECT MAX(as_of) FROM ops.runs") is None:
            return {"texts": 0, "quotes": 0, "extra": 0, "persons": 0, "erasures": 0}
        texts = expire_texts(context, warehouse, now, None)
        extra = expire_extra(context, warehouse, now, is_trial=True)
        silent = silent_customers(context, warehouse, now)
        run_id = None
        if (texts or extra) and not is_trial:
            with warehouse.transaction():
                run_id = open_side_run(context, warehouse, "housekeeping", "what is kept only for a time")
                expire_texts(context, warehouse, now, run_id)
                expire_extra(context, warehouse, now, is_trial=False)
    if run_id:
        for stage in (model, measure, share):
            stage(context, run_id)
        tell(f"{texts} texts and the unmapped fields of {extra} rows went")
    quotes = expire_quotes(context, now, is_trial)
    if silent and not is_trial:
        erase_many(context, silent, by="retention", reason="nothing was heard of them for long", tell=tell)
    return {"texts": texts, "quotes": quotes, "extra": extra, "persons": len(silent), "erasures": len(stopped)}
