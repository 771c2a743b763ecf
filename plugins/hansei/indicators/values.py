"""From parts to values: one SELECT for all indicators of one kind; and what an indicator's numbers depend on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.indicators import formulas, intervals, scans
from hansei.warehouse.dialect import Dialect
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.tables import create_table

_WORDING = {
    "title",
    "question",
    "family",
    "shown_in",
    "owner",
    "caveats",
    "source",
    "example",
    "changes",
    "perspective",
    "servqual_dimension",
    "valid_from",
    "direction",
}


def describe(warehouse: Warehouse, group: Sequence[Indicator], repeat_window: timedelta) -> None:
    """Fills the temporary table `run_definitions` with what values depend on beside their parts."""
    columns = {"id": "text", "version": "integer", "least": "integer"}
    create_table(warehouse, "run_definitions", {**columns, "maturity_days": "integer", "per": "double"}, temporary=True)
    rows = [
        {
            "id": item.id,
            "version": item.version,
            "least": item.minimum_denominator,
            "maturity_days": item.maturity_days(repeat_window),
            "per": item.per or 1.0,
        }
        for item in group
    ]
    warehouse.insert("run_definitions", rows)


def values_sql(sql: Dialect, group: Sequence[Indicator], today: date) -> str:
    """SELECT of the finished rows of indicators from their parts in `run_values`."""
    kinds: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in group:
        kinds[item.measure, item.interval_kind].append(item.id)
    return " UNION ALL ".join(_values_of_kind(*kind, sql.text_list(kinds[kind]), today) for kind in sorted(kinds))


def _values_of_kind(measure: str, kind: str, ids: str, today: date) -> str:
    lower, upper = intervals.bounds(measure, kind)
    state = formulas.state(measure, f"CAST('{today.isoformat()}' AS DATE)")
    return (
        "SELECT indicator, version, grain, period_start, segment_id, numerator, subtrahend, denominator, "
        f"square_sum, CAST(sample_count AS BIGINT) AS sample_count, {formulas.value(measure)} AS value, "
        f"{lower} AS lower_bound, {upper} AS upper_bound, {state} AS state "
        f"FROM (SELECT *, {scans.period_end()} AS period_end FROM run_values INNER JOIN run_definitions "
        f"ON run_values.indicator = run_definitions.id WHERE run_values.indicator IN ({ids})) AS parts"
    )


def meaning(indicator: Indicator) -> dict[str, Any]:
    """What moves the indicator's numbers, as plain data; wording, owner and caveats do not."""
    return indicator.model_dump(mode="json", exclude={*_WORDING, "version"})


def fingerprint(catalog: Catalog, indicator: Indicator) -> str:
    """Hash of everything that moves the indicator's numbers; wording, owner and caveats do not."""
    own = {**meaning(indicator), "version": indicator.version}
    if indicator.measure == "quotient":
        return catalog.fingerprint(own, *(fingerprint(catalog, part) for part in catalog.parts_of(indicator)))
    table = catalog.tables[indicator.table]
    days = indicator.maturity_days(catalog.service.repeat_window)
    return catalog.fingerprint(own, table.segments, table.exclusions, catalog.service.reporting_zone, days)
