"""When two warehouses hold the same tables: exactly, doubles within 1e-9, apart from the columns that name runs."""

from __future__ import annotations

import duckdb
import pyarrow as pa

VOLATILE = {"run_id", "known_since"}
VALUES = "indicators.indicator_values"
CELL = "indicator, grain, period_start, segment_id"
# Only indicators compute doubles; every other one is as the source wrote it and has to be equal.
COMPUTED = ("numerator", "subtrahend", "denominator", "value", "lower_bound", "upper_bound")


def stable_tables(context) -> dict[str, pa.Table]:
    """Every table of core, the indicator values and their segments, without the volatile columns."""
    from hansei.warehouse import open_warehouse

    with open_warehouse(context.settings) as warehouse:
        names = sorted(name for name in warehouse.tables() if name.startswith("core."))
        tables = {}
        for name in [*names, VALUES, "indicators.segments"]:
            columns = ", ".join(column for column in warehouse.columns(name) if column not in VOLATILE)
            tables[name] = warehouse.arrow(f"SELECT {columns} FROM {name}")
        return tables


def table_differences(found: dict[str, pa.Table], expected: dict[str, pa.Table]) -> list[str]:
    """What differs, table by table, with up to three rows of it; empty where both hold the same."""
    if found.keys() != expected.keys():
        return [f"tables only on one side: {sorted(found.keys() ^ expected.keys())}"]
    differing = []
    for name, table in found.items():
        if table.column_names != expected[name].column_names:
            differing.append(f"{name}: columns {table.column_names}, not {expected[name].column_names}")
            continue
        for query in _queries(name, table.column_names):
            if rows := _rows(query, table, expected[name]):
                differing.append(f"{name}: {rows}")
    return differing


def _queries(name: str, columns: list[str]) -> list[str]:
    exact = ", ".join(column for column in columns if name != VALUES or column not in COMPUTED)
    queries = [
        f"SELECT {exact} FROM {left} EXCEPT ALL SELECT {exact} FROM {right} LIMIT 3"
        for left, right in (("found", "expected"), ("expected", "found"))
    ]
    if name == VALUES:
        apart = " OR ".join(
            f"(found.{column} IS NULL) <> (expected.{column} IS NULL) "
            f"OR abs(found.{column} - expected.{column}) > 1e-9 * greatest(1, abs(expected.{column}))"
            for column in COMPUTED
        )
        queries.append(f"SELECT {CELL} FROM found JOIN expected USING ({CELL}) WHERE {apart} LIMIT 3")
    return queries


def _rows(query: str, found: pa.Table, expected: pa.Table) -> list[tuple]:
    with duckdb.connect() as connection:
        connection.register("found", found)
        connection.register("expected", expected)
        return connection.execute(query).fetchall()
