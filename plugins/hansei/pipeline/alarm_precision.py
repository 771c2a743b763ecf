"""How far people could trust each threshold: which share of its alarms somebody acted on."""

from __future__ import annotations

from collections import Counter

from hansei.board import opened_board
from hansei.board.alarms import answered
from hansei.pipeline.context import Context
from hansei.warehouse import Warehouse
from hansei.warehouse.own_rows import own_rows
from hansei.warehouse.runs import Run

PRECISION = "indicators.rule_precision"


def note_precision(context: Context, warehouse: Warehouse, run: Run) -> None:
    """Replaces the table: one row per threshold that is defined.

    An alarm that waits for an answer counts neither for nor against its threshold. Without an answered or an
    unanswered one there is no precision.
    """
    with opened_board(context.settings) as engine:
        found = answered(engine)
    counts = Counter((threshold_id, _fate(state, is_acknowledged)) for threshold_id, state, is_acknowledged in found)
    rows = []
    for threshold in sorted(context.catalog.thresholds.values(), key=lambda item: item.id):
        acted, ignored, waiting = (counts[threshold.id, fate] for fate in ("acted", "ignored", "waiting"))
        rows.append(
            {
                "threshold_id": threshold.id,
                "indicator": threshold.indicator,
                "alarm_count": acted + ignored + waiting,
                "acted_on_count": acted,
                "unanswered_count": ignored,
                "waiting_count": waiting,
                "precision_ratio": acted / (acted + ignored) if acted + ignored else None,
                "run_id": run.run_id,
                "judged_at": run.as_of,
            }
        )
    with warehouse.transaction():
        warehouse.execute(f"DELETE FROM {PRECISION}")
        warehouse.load(PRECISION, own_rows(PRECISION, rows))


def _fate(state: str, is_acknowledged: bool) -> str:
    if is_acknowledged:
        return "acted"
    return "ignored" if state == "closed" else "waiting"
