"""Intervals and values in SQL, on both engines, against figures that others published or computed."""

from __future__ import annotations

import pyarrow as pa
import pytest
from support.oracle_schedules import oracle

from hansei.indicators import formulas, intervals
from hansei.warehouse import Warehouse
from hansei.warehouse.tables import create_table

# Newcombe 1998, Statistics in Medicine 17:857, Table I, method 3 (four digits); then R's prop.test without continuity
# correction: x, n, lower, upper.
PUBLISHED_WILSON = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
COMPUTED_WILSON = [
    (0, 1, 0.0, 0.793450685622763),
    (1, 1, 0.206549314377238, 1.0),
    (1, 5, 0.0362241086324301, 0.624465370237475),
    (29, 30, 0.833296090085908, 0.994091409618387),
    (480, 500, 0.939026404165149, 0.973959202610223),
    (123, 4567, 0.022620022313028, 0.0320398168154012),
]
# Promoters, passives, detractors, NPS, lower, upper: Wald from 50 answers on, adjusted Wald below (Rocks 2016).
NET_PROMOTERS = [
    (162, 108, 54, 33.33333333333333, 25.21738388355017, 41.449282783116494),
    (250, 675, 75, 17.5, 14.137219245413352, 20.862780754586645),
    (15, 13, 8, 19.444444444444446, -6.280259443326955, 42.17769534076285),
    (0, 0, 2, -100.0, None, None),
    (1, 0, 0, 100.0, None, None),
]
# percentile_cont: values, q, expected (R type 7 and the SQL standard agree).
QUANTILES = [
    ([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5], 0.25, 2.5),
    ([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5], 0.95, 7.5),
    ([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5], 0.99, 8.7),
    ([1, 2, 3, 4], 0.4, 2.2),
    ([5], 0.9, 5.0),
]


def parts(numerator: float, denominator: float, subtrahend: float = 0) -> str:
    columns = {"numerator": numerator, "denominator": denominator, "subtrahend": subtrahend, "per": 1}
    listed = ", ".join(f"CAST({value} AS DOUBLE PRECISION) AS {name}" for name, value in columns.items())
    return f"(SELECT {listed}) AS parts"


@pytest.mark.parametrize(("hits", "count", "lower", "upper"), PUBLISHED_WILSON + COMPUTED_WILSON)
def test_ratios_carry_wilsons_interval(warehouse: Warehouse, hits: int, count: int, lower: float, upper: float) -> None:
    low, high = intervals.bounds("ratio", "wilson")
    query = f"SELECT {formulas.value('ratio')} AS value, {low} AS low, {high} AS high FROM {parts(hits, count)}"
    row = warehouse.rows(query)[0]
    tolerance = 5e-5 if (hits, count, lower, upper) in PUBLISHED_WILSON else 1e-9
    assert row["value"] == pytest.approx(hits / count, abs=1e-12)
    assert row["low"] == pytest.approx(lower, abs=tolerance)
    assert row["high"] == pytest.approx(upper, abs=tolerance)


@pytest.mark.parametrize(("promoters", "passives", "detractors", "score", "lower", "upper"), NET_PROMOTERS)
def test_net_shares_carry_the_interval_of_trinomial_scores(
    warehouse: Warehouse,
    promoters: int,
    passives: int,
    detractors: int,
    score: float,
    lower: float | None,
    upper: float | None,
) -> None:
    low, high = intervals.bounds("net_share", "trinomial")
    source = parts(promoters, promoters + passives + detractors, detractors)
    query = f"SELECT {formulas.value('net_share')} AS value, {low} AS low, {high} AS high FROM {source}"
    row = warehouse.rows(query)[0]
    assert row["value"] == pytest.approx(score, abs=1e-9)
    assert -100 <= row["low"] <= row["high"] <= 100
    if lower is not None:
        assert (row["low"], row["high"]) == pytest.approx((lower, upper), abs=1e-9)


@pytest.mark.parametrize(("measure", "kind"), [("ratio", "wilson"), ("net_share", "trinomial"), ("rate", "poisson")])
def test_no_denominator_gives_no_value_and_no_interval(warehouse: Warehouse, measure: str, kind: str) -> None:
    low, high = intervals.bounds(measure, kind)
    query = f"SELECT {formulas.value(measure)} AS value, {low} AS low, {high} AS high FROM {parts(0, 0)}"
    assert warehouse.rows(query) == [{"value": None, "low": None, "high": None}]


@pytest.mark.parametrize(("values", "q", "expected"), QUANTILES)
def test_quantiles_are_linear_between_ranks(warehouse: Warehouse, values: list[int], q: float, expected: float) -> None:
    rows = " UNION ALL ".join(f"SELECT CAST({value} AS BIGINT) AS v" for value in [*values, "NULL"])
    found = warehouse.scalar(f"SELECT {warehouse.sql.quantile('v', q)} FROM ({rows}) AS rows_to_rank")
    assert found == pytest.approx(expected, abs=1e-9)


def test_quantiles_of_the_oracle(warehouse: Warehouse) -> None:
    """Every case (R type 7, numpy linear, percentile_cont of the SQL standard), all its quantiles in one aggregate."""
    cases = oracle("percentile")["cases"]
    assert len(cases) >= 10
    create_table(warehouse, "landing.numbers", {"case_number": "integer", "value": "double"})
    rows = [(number, float(value)) for number, case in enumerate(cases) for value in case["values"]]
    numbers, values = zip(*rows, strict=True)
    data = {"case_number": pa.array(numbers, pa.int32()), "value": pa.array(values, pa.float64())}
    warehouse.load("landing.numbers", pa.table(data))
    for number, case in enumerate(cases):
        asked = ", ".join(
            f"{warehouse.sql.quantile('value', q, case['p'])} AS q_{place}" for place, q in enumerate(case["p"])
        )
        query = f"SELECT {asked}, AVG(value), MIN(value), MAX(value) FROM landing.numbers WHERE case_number = {number}"
        found = list(warehouse.rows(query)[0].values())
        expected = [*case["percentile_cont"], case["mean"], case["min"], case["max"]]
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-9), f"case {number}"


def test_published_quantiles(warehouse: Warehouse) -> None:
    checked = 0
    for case in oracle("percentile")["published"]:
        expected = case.get("percentile_cont", case.get("percentile_inc"))
        if expected is None:
            continue
        values = ", ".join(f"({value})" for value in case["values"])
        query = f"SELECT {warehouse.sql.quantile('value', case['p'])} FROM (VALUES {values}) AS numbers (value)"
        assert warehouse.scalar(query) == pytest.approx(expected, abs=1e-12), case["source"]
        checked += 1
    assert checked >= 2
