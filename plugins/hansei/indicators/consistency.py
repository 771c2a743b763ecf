"""Channel consistency (METHODS.md 1.3): how far one indicator differs between channels, and whether that is chance.

The range over channels says how much, the chi-square test of homogeneity whether the channels could share one rate.
Channels below the indicator's minimum are not judged: they are counted apart, and their intervals stand beside their
values in indicators.indicator_values.
"""

from __future__ import annotations

import math
from typing import Any

from hansei.catalog import Catalog
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.models import sql_templates
from hansei.warehouse.own_rows import own_rows

TABLE = "indicators.channel_consistency"
QUERY = "queries/channel_consistency.sql"
_COMPARED = ("ratio", "mean", "quantile", "net_share")


def chi_square_tail(value: float, freedom: int) -> float:
    """Probability that chi-square with `freedom` degrees exceeds `value`, in closed form for whole degrees."""
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom: at least one is needed")
    half = value / 2
    if half <= 0:
        return 1.0
    even = freedom % 2 == 0
    # Q(a, x) = Q(a - 1, x) + x^(a - 1) e^-x / Gamma(a), from Q(1, x) = e^-x or Q(1/2, x) = erfc(sqrt x) up.
    tail = math.exp(-half) if even else math.erfc(math.sqrt(half))
    step = 1.0 if even else 0.5
    while step < freedom / 2:
        tail += math.exp(step * math.log(half) - half - math.lgamma(step + 1))
        step += 1
    return min(tail, 1.0)


def compare_channels(warehouse: Warehouse, catalog: Catalog, run_id: str) -> int:
    """Writes the comparison of every indicator that is cut by channel anew; how many periods were compared."""
    indicators = [item for item in catalog.indicators.values() if "channel" in item.segments]
    asked = [item.id for item in indicators if item.measure in _COMPARED]
    shares = {item.id for item in indicators if item.measure == "ratio"}
    sql = warehouse.sql
    template = sql_templates(catalog).get_template(QUERY)
    select = template.render(asked=sql.text_list(asked), shares=sql.text_list(sorted(shares)))
    rows = [_judged(row, row["indicator"] in shares, run_id) for row in warehouse.rows(select)]
    with warehouse.transaction():
        warehouse.execute(f"DELETE FROM {TABLE}")
        warehouse.load(TABLE, own_rows(TABLE, rows))
    return len(rows)


def _judged(row: dict[str, Any], is_share: bool, run_id: str) -> dict[str, Any]:
    spread = row["highest_value"] - row["lowest_value"]
    freedom, chi_square = row["judged_channel_count"] - 1, row["chi_square"]
    return {
        **row,
        "value_range": spread,
        "consistency_index": 1 - spread if is_share else None,
        "degrees_of_freedom": freedom if chi_square is not None else None,
        "p_value": chi_square_tail(chi_square, freedom) if chi_square is not None else None,
        "run_id": run_id,
    }
