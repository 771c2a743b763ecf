"""Reliability of services in any span of time: the figures of docs/reliability.md (availability, MTBF, MTTR, MTTA)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hansei.catalog import Catalog
from hansei.errors import HanseiError
from hansei.warehouse.dialect import Dialect
from hansei.warehouse.engine import Warehouse
from hansei.warehouse.models import sql_templates

QUERY = "queries/service_figures.sql"


def figures_sql(catalog: Catalog, dialect: Dialect, start: datetime, end: datetime) -> str:
    """The query of `service_figures`; start and end are naive UTC."""
    if start >= end:
        raise HanseiError("period", f"{start.isoformat()} is not before {end.isoformat()}", "swap the two")
    template = sql_templates(catalog).get_template(QUERY)
    return template.render(
        sql=dialect, services=catalog.services, period_start=start.isoformat(" "), period_end=end.isoformat(" ")
    )


def service_figures(warehouse: Warehouse, catalog: Catalog, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """One row per service offered in `start <= t < end` (naive UTC), as far as the newest run knows it.

    Seconds and counts, and rates that are None where there is nothing to divide by; the columns are those of
    core.service_periods. An outage that has not ended counts as down up to the run's as_of.
    """
    return warehouse.rows(figures_sql(catalog, warehouse.sql, start, end))
