"""The `indicators` part of the benchmark: every indicator, grain and segment over generated core tables.

The tables are generated as they would be built, with every column that any indicator reads, so that what is timed is
the measuring alone: a first computation of everything, and two nights in which 1 % of the rows changed, 90 % of them
among those of the last 14 days. Their durations move; in the older tenth those too (`moved`), or only what no
indicator reads, such as a note (`noted`).
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

DAYS = 730
LAST = date(2026, 9, 14)
AS_OF = datetime(2026, 9, 14, 2)
NEW_DAYS = 14
# Rows of a core table per ticket; tables that are not named do not grow with tickets.
PER_TICKET = {
    "core.tickets": 1.0,
    "core.first_contact_resolutions": 1.0,
    "core.backlog_intervals": 1.3,
    "core.ticket_sla_targets": 2.0,
    "core.handoffs": 0.3,
    "core.ticket_conformance": 0.2,
    "core.survey_responses": 0.4,
    "core.survey_invitations": 0.8,
    "core.conversations": 0.2,
    "core.quality_checks": 0.02,
}
FEW_ROWS = 20_000
SIZES = {"team": 24, "from_team": 24, "account_tier": 4, "priority": 4, "channel": 6, "metric": 4}


def task_indicators(tickets: int) -> dict[str, float]:
    """Fills the core tables, measures everything, then a night; seconds, CPU seconds, values written, peak memory."""
    from hansei.catalog import load_catalog
    from hansei.indicators.measure import Measurement
    from hansei.settings import load_settings
    from hansei.warehouse import open_warehouse
    from hansei.warehouse.tables import evolve

    settings = load_settings()
    catalog = load_catalog(settings)
    with open_warehouse(settings) as warehouse:
        evolve(warehouse, catalog)
        rows = fill(warehouse, catalog, tickets)
        figures: dict[str, float] = {"rows": rows, "indicators": len(catalog.indicators)}
        figures |= _timed("full", Measurement(warehouse, catalog, "full", AS_OF).run)
        for days, name in enumerate(("noted", "moved"), start=1):
            touch(warehouse, catalog, tickets, name)
            figures |= _timed(name, Measurement(warehouse, catalog, name, AS_OF + timedelta(days=days)).run)
        counted = {catalog.tables[item.table].table for item in catalog.indicators.values() if item.table}
        begun = time.monotonic()
        for table in sorted(counted):
            warehouse.scalar(f"SELECT COUNT(*) FROM (SELECT DISTINCT * FROM {table} LIMIT 1) AS scanned")
        figures["scan"] = time.monotonic() - begun
    return figures


def _timed(name: str, work: Callable) -> dict[str, float]:
    wall, cpu = time.monotonic(), time.process_time()
    measured = work()
    return {
        f"{name} seconds": time.monotonic() - wall,
        f"{name} cpu": time.process_time() - cpu,
        f"{name} values": measured.written,
        f"{name} GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def fill(warehouse, catalog, tickets: int) -> int:
    """Generates every table that an indicator counts on; views are made empty tables of their columns; rows written."""
    from hansei.warehouse.tables import create_table
    from hansei.warehouse.touched import touched_columns

    total = 0
    for name in sorted({item.table for item in catalog.indicators.values() if item.table}):
        table = catalog.tables[name]
        create_table(warehouse, name, {column: kind.type for column, kind in table.columns.items()})
        if table.touched_table:
            create_table(warehouse, table.touched_table, touched_columns(catalog, table))
        count = int(tickets * PER_TICKET[name]) if name in PER_TICKET else FEW_ROWS
        if table.kind == "view":
            count = min(count, DAYS)
        chance = np.random.default_rng(len(name))
        rates = [item for item in catalog.indicators.values() if item.table == name and item.measure == "rate"]
        parts = [(item.numerator_value, item.denominator_value) for item in rates]
        for start in range(0, count, 250_000):
            rows = _rows(table, np.arange(start, min(start + 250_000, count)), chance)
            for part, whole in parts:  # a share cannot exceed 1
                least = pc.min_element_wise(rows[part], rows[whole]).cast(rows.schema.field(part).type)
                rows = rows.set_column(rows.schema.get_field_index(part), part, least)
            warehouse.load(name, rows)
        total += count
    return total


def _rows(table, numbers: np.ndarray, chance: np.random.Generator) -> pa.Table:
    count = len(numbers)
    first = chance.integers(0, DAYS, count)
    segments = {
        column: SIZES.get(dimension, 8) for dimension, dates in table.segments.items() for column in dates.values()
    }
    columns, gap = {}, np.zeros(count, dtype="int64")
    for name, column in table.columns.items():
        if name in table.key and column.type == "text" and name not in segments:
            columns[name] = pa.array(np.char.add("desk:", numbers.astype("U9")))
        elif column.type == "text":
            values = [f"{name}{number}" for number in range(segments.get(name, 12))]
            picked = pa.array(chance.integers(0, len(values), count).astype("int32"))
            columns[name] = pa.DictionaryArray.from_arrays(picked, pa.array(values)).cast(pa.string())
        elif column.type in ("date", "timestamp"):
            gap = gap + chance.integers(0, 4, count) if name in table.dates else gap
            day = np.minimum(first + gap, DAYS + 30)
            instant = np.datetime64(LAST - timedelta(days=DAYS), "D") + day.astype("timedelta64[D]")
            known = pa.array(chance.random(count) < (1.0 if name == table.dates[0] else 0.93))
            typed = pa.array(instant).cast(pa.date32()) if column.type == "date" else pa.array(instant.astype("M8[us]"))
            columns[name] = pc.if_else(known, typed, pa.scalar(None, typed.type))
        elif column.type == "boolean":
            columns[name] = pa.array(chance.random(count) < (0.02 if name.startswith("is_") else 0.2))
        elif column.type == "bigint":
            columns[name] = pa.array(np.exp(chance.normal(9, 1.5, count)).astype("int64"))
        elif column.type == "integer":
            columns[name] = pa.array(chance.integers(0, 4, count).astype("int32"))
        else:
            columns[name] = pa.array(np.round(chance.random(count) * 5, 2))
    return pa.table(columns)


def touch(warehouse, catalog, tickets: int, night: str) -> None:
    """Changes 1 % of the rows of each large table, and leaves the images that a night's models leave of them."""
    from hansei.warehouse.touched import OWN, touched_columns

    since = LAST - timedelta(days=NEW_DAYS)
    for name, share in PER_TICKET.items():
        table = catalog.tables.get(name)
        if table is None or name not in {item.table for item in catalog.indicators.values()}:
            continue
        wanted = int(tickets * share / 100)
        kept = ", ".join(column for column in touched_columns(catalog, table) if column not in OWN)
        order = f"ORDER BY MD5(CAST({table.key[0]} AS VARCHAR) || '{night}'), {', '.join(table.key)}"
        chosen = [(wanted * 9 // 10, f"{table.dates[0]} >= DATE '{since}'", True)]
        chosen += [(wanted // 10, f"{table.dates[0]} < DATE '{since}'", night == "moved")]
        warehouse.execute("DROP TABLE IF EXISTS bench_changed")
        rows = " UNION ALL ".join(
            f"(SELECT *, {moves} AS is_moved FROM {name} WHERE {where} {order} LIMIT {limit})"
            for limit, where, moves in chosen
        )
        warehouse.execute(f"CREATE TEMPORARY TABLE bench_changed AS {rows}")
        moving = [column for column, kind in table.columns.items() if kind.type == "bigint"]
        same = " AND ".join(f"{name}.{key} = bench_changed.{key}" for key in table.key)
        _leave(warehouse, table.touched_table, "before", kept)
        if moving:
            sets = ", ".join(f"{column} = {column} + 61" for column in moving)
            warehouse.execute(f"UPDATE bench_changed SET {sets} WHERE is_moved")
            sets = ", ".join(f"{column} = bench_changed.{column}" for column in moving)
            warehouse.execute(f"UPDATE {name} SET {sets} FROM bench_changed WHERE {same} AND bench_changed.is_moved")
        _leave(warehouse, table.touched_table, "after", kept)


def _leave(warehouse, touched: str, image: str, columns: str) -> None:
    warehouse.execute(
        f"INSERT INTO {touched} (change_id, run_id, image, {columns}) "
        f"SELECT 1, 'night', '{image}', {columns} FROM bench_changed"
    )


def report(figures: dict[str, float], tickets: int) -> None:
    rows = figures["rows"]
    print(f"  {figures['indicators']:.0f} indicators over {rows:,.0f} rows of core ({tickets:,} tickets)")
    for name, told in (("full", "everything"), ("noted", "1 %, older noted"), ("moved", "1 %, older moved")):
        print(
            f"    {told:17} {figures[f'{name} seconds']:6.1f} s {figures[f'{name} cpu']:6.1f} CPU s, "
            f"{figures[f'{name} values']:,.0f} values written, peak {figures[f'{name} GB']:.2f} GB"
        )
    print(f"    {rows / figures['full seconds']:,.0f} rows/s")
