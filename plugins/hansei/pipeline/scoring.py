"""Scorecards, profiles, quadrants and the risk register of every finished period, from the stored indicator values.

All of it is computed anew each night and replaced in one transaction, so that repeating a night leaves the same tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.risks import Limit, Risk
from hansei.catalog.scorecards import Profile, Scorecard
from hansei.catalog.segments import cut_of, matches_any
from hansei.indicators.quadrants import quadrant_rows
from hansei.indicators.risks import (
    Simulations,
    key_indicator_rows,
    mark_counted,
    observed,
    risk_rows,
    total_rows,
)
from hansei.indicators.scorecards import Grid, card_lines, profile_lines
from hansei.pipeline.readiness import Readiness
from hansei.warehouse import Warehouse
from hansei.warehouse.own_rows import own_rows, own_schema
from hansei.warehouse.runs import Run

SCORECARDS = "indicators.scorecards"
PROFILES = "indicators.profiles"
QUADRANTS = "indicators.quadrants"
RISKS = "indicators.risks"
KEY_INDICATORS = "indicators.key_risk_indicators"
TOTALS = "indicators.risk_totals"


def score_everything(warehouse: Warehouse, catalog: Catalog, run: Run, readiness: Readiness) -> dict[str, int]:
    """Replaces every table of this module; rows per table."""
    with warehouse.transaction():
        reader = _Reader(warehouse, catalog, readiness)
        tables = {**_cards(reader, catalog), **_register(reader, catalog)}
        for table, content in tables.items():
            _replace(warehouse, table, content, run)
    return {table: content.num_rows for table, content in tables.items()}


class _Reader:
    """Stored values, and up to which day the sources of an indicator are complete."""

    def __init__(self, warehouse: Warehouse, catalog: Catalog, readiness: Readiness) -> None:
        self._warehouse = warehouse
        self._catalog = catalog
        self._readiness = readiness

    def ready(self, indicator: str) -> date | None:
        return self._readiness.day(indicator)

    def computes(self, indicator: str) -> bool:
        """Whether the service computes the indicator; a service may choose only some of those that are declared."""
        return indicator in self._catalog.indicators

    def values(self, grain: str, indicators: Iterable[str], segments: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of finished periods. `segments` are ids, or `team=*` for every part by one dimension or more."""
        exact = [segment for segment in segments if "*" not in segment]
        first_parts = sorted({cut_of(segment).split("&")[0] for segment in segments if "*" in segment})
        sql = self._warehouse.sql
        rows = self._warehouse.rows(
            "SELECT indicator, version, period_start, segment_id, value, lower_bound, upper_bound, sample_count, state "
            "FROM indicators.indicator_values WHERE grain = :grain AND state <> 'incomplete' "
            f"AND indicator IN ({sql.text_list(sorted(set(indicators)))}) "
            f"AND (segment_id IN ({sql.text_list(exact)}) "
            f"OR SPLIT_PART(segment_id, '=', 1) IN ({sql.text_list(first_parts)}))",
            {"grain": grain},
        )
        return [row for row in rows if matches_any(row["segment_id"], segments)]


def _cards(reader: _Reader, catalog: Catalog) -> dict[str, pa.Table]:
    lines = {card.id: card_lines(card, _grid(reader, card)) for card in _sorted(catalog.scorecards)}
    profiles = [profile_lines(card, _grid(reader, card)) for card in _sorted(catalog.profiles)]
    quadrants = [
        row
        for item in _sorted(catalog.quadrants)
        for row in quadrant_rows(item, catalog.scorecards[item.scorecard], lines[item.scorecard])
    ]
    return {
        SCORECARDS: _whole(SCORECARDS, lines.values()),
        PROFILES: _whole(PROFILES, profiles),
        QUADRANTS: own_rows(QUADRANTS, quadrants),
    }


def _grid(reader: _Reader, card: Scorecard | Profile) -> Grid:
    names = [item.indicator for group in card.groups for item in group.indicators]
    computed = [name for name in names if reader.computes(name)]
    rows = reader.values(card.grain, computed, card.segments)
    return Grid.of(rows, names, card.grain, {name: reader.ready(name) for name in computed})


def _register(reader: _Reader, catalog: Catalog) -> dict[str, pa.Table]:
    simulations = Simulations()
    rows: list[dict[str, Any]] = []
    watched: list[dict[str, Any]] = []
    for risk in _sorted(catalog.risks):
        if not reader.computes(risk.indicator):
            continue
        beyond: dict[date, list[bool | None]] = {}
        for item in filter(lambda item: reader.computes(item.indicator), risk.key_indicators):
            found = key_indicator_rows(risk, item, *_watched(reader, catalog, risk, item))
            watched.extend(found)
            for row in found:
                beyond.setdefault(row["period_start"], []).append(row["is_beyond"])
        for row in risk_rows(risk, *_watched(reader, catalog, risk, risk), simulations):
            known = [answer for answer in beyond.get(row["period_start"], []) if answer is not None]
            rows.append({**row, "key_indicator_count": len(known), "key_indicator_beyond_count": sum(known)})
    mark_counted(rows)
    return {
        RISKS: own_rows(RISKS, rows),
        KEY_INDICATORS: own_rows(KEY_INDICATORS, watched),
        TOTALS: own_rows(TOTALS, total_rows(rows, catalog.risks, simulations)),
    }


def _watched(reader: _Reader, catalog: Catalog, risk: Risk, item: Limit) -> tuple:
    values = reader.values(risk.grain, [item.indicator], [item.segment])
    periods = observed(values, item.indicator, item.segment, risk.grain, reader.ready(item.indicator))
    return periods, item.resolved(catalog), catalog.indicators[item.indicator].direction


def _sorted(definitions: dict[str, Any]) -> list[Any]:
    return [definitions[key] for key in sorted(definitions)]


def _whole(table: str, parts: Iterable[pa.Table]) -> pa.Table:
    """Parts below each other with all columns of the table in their order; what a part lacks is NULL."""
    schema = own_schema(table)
    filled = []
    for part in parts:
        given = set(part.column_names)
        columns = [
            part[field.name].cast(field.type) if field.name in given else pa.nulls(part.num_rows, field.type)
            for field in schema
        ]
        filled.append(pa.table(columns, schema=schema))
    return pa.concat_tables(filled) if filled else schema.empty_table()


def _replace(warehouse: Warehouse, table: str, content: pa.Table, run: Run) -> None:
    marked = {"run_id": run.run_id, "judged_at": run.as_of}
    for name, value in marked.items():
        place = content.column_names.index(name)
        content = content.set_column(
            place, name, pa.array([value] * content.num_rows, content.schema.field(place).type)
        )
    warehouse.execute(f"DELETE FROM {table}")
    warehouse.load(table, content)
