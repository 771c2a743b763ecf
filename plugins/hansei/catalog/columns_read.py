"""Which columns of its table an indicator reads: what can change without moving a number, and what cannot."""

from __future__ import annotations

from collections.abc import Iterable

from hansei.catalog.conditions import condition_columns
from hansei.catalog.measures import Indicator
from hansei.catalog.tables import TableModel


def columns_read(indicators: Iterable[Indicator], table: TableModel) -> set[str]:
    """Columns that the indicators' conditions and sums name, from the SQL itself; dates and segments are not told."""
    read: set[str] = set()
    for indicator in indicators:
        excluded = [table.exclusions[name] for name in indicator.exclusions]
        conditions = [indicator.numerator, indicator.subtrahend, indicator.denominator, *excluded]
        read = read.union(*map(condition_columns, filter(None, conditions)))
        read |= {indicator.value, indicator.numerator_value, indicator.denominator_value} - {None}
    return read & set(table.columns)
