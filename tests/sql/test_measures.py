"""Every kind of measure over one small table, on both engines, against numpy, scipy and plain counting."""

from __future__ import annotations

import dataclasses
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from scipy import stats

from hansei.catalog import Catalog, load_catalog
from hansei.catalog.measures import Indicator
from hansei.catalog.tables import TableModel
from hansei.indicators.intervals import grid
from hansei.indicators.measure import Measurement
from hansei.indicators.periods import period_start
from hansei.settings import load_settings
from hansei.warehouse import Warehouse, open_warehouse
from hansei.warehouse.tables import create_table, evolve
from hansei.warehouse.touched import touched_columns

FACTS = TableModel.model_validate(
    {
        "table": "core.facts",
        "grain": "one row per fact",
        "owner": "tests",
        "key": ["fact_id"],
        "dates": ["happened_date", "ended_date"],
        "segments": {
            "channel": {"happened_date": "channel", "ended_date": "channel"},
            "team": {"happened_date": "team_id", "ended_date": "team_id"},
        },
        "exclusions": {"deleted": "is_deleted"},
        "columns": {
            "fact_id": {"type": "text", "meaning": "key"},
            "happened_date": {"type": "date", "meaning": "day"},
            "ended_date": {"type": "date", "meaning": "day"},
            "channel": {"type": "text", "meaning": "channel"},
            "team_id": {"type": "text", "meaning": "team"},
            "person": {"type": "text", "meaning": "who"},
            "amount": {"type": "double", "meaning": "amount"},
            "part_count": {"type": "bigint", "meaning": "errors"},
            "whole_count": {"type": "bigint", "meaning": "items"},
            "is_deleted": {"type": "boolean", "meaning": "deleted"},
        },
        "checks": [{"id": "parts_within_whole", "severity": "stop", "never": "part_count > whole_count"}],
    }
)
COMMON = {
    "version": 1,
    "title": "T",
    "question": "Q?",
    "family": "elsewhere",
    "direction": "neutral",
    "counts": "event",
    "owner": "tests",
}
PLACED = {
    **COMMON,
    "table": "core.facts",
    "counted_on": "happened_date",
    "exclusions": ["deleted"],
    "segments": ["channel", "team"],
    "pairs": [["team", "channel"]],
    "minimum_denominator": 5,
}
DEFINITIONS = [
    {**PLACED, "id": "facts", "measure": "count", "unit": "count", "numerator": "TRUE", "interval": "poisson"},
    {**PLACED, "id": "money", "measure": "total", "unit": "currency", "value": "amount"},
    {**PLACED, "id": "people", "measure": "distinct", "unit": "count", "value": "person"},
    {**PLACED, "id": "average", "measure": "mean", "unit": "index", "value": "amount"},
    {
        **PLACED,
        "id": "middle",
        "measure": "quantile",
        "unit": "index",
        "value": "amount",
        "quantile": 0.5,
        "has_distribution": True,
    },
    {**PLACED, "id": "slow", "measure": "quantile", "unit": "index", "value": "amount", "quantile": 0.9},
    {
        **PLACED,
        "id": "errors",
        "measure": "rate",
        "unit": "ratio",
        "numerator_value": "part_count",
        "denominator_value": "whole_count",
        "interval": "wilson",
    },
    {
        **PLACED,
        "id": "errors_per_thousand",
        "measure": "rate",
        "unit": "per_thousand",
        "per": 1000,
        "numerator_value": "part_count",
        "denominator_value": "whole_count",
        "interval": "poisson",
    },
    {
        **PLACED,
        "id": "open_amount",
        "measure": "snapshot",
        "unit": "currency",
        "ends_on": "ended_date",
        "value": "amount",
    },
    {
        **PLACED,
        "id": "ripe",
        "measure": "ratio",
        "unit": "ratio",
        "numerator": "amount > 50",
        "denominator": "amount IS NOT NULL",
        "matures_after": "10d",
    },
    {
        **COMMON,
        "id": "money_per_person",
        "measure": "quotient",
        "unit": "index",
        "per": 100,
        "numerator_indicator": "money",
        "denominator_indicator": "people",
        "segments": ["channel", "team"],
        "pairs": [["channel", "team"]],
        "minimum_denominator": 1,
    },
]
AS_OF = datetime(2026, 6, 24, 2)
GRAINS = ("day", "week", "month", "quarter")


def facts(seed: int, count: int = 3000) -> list[dict]:
    generator = random.Random(seed)
    rows = []
    for number in range(count):
        happened = date(2026, 1, 5) + timedelta(days=generator.randrange(170))
        whole = generator.randrange(0, 9)
        rows.append(
            {
                "fact_id": f"f{number}",
                "happened_date": happened,
                "ended_date": happened + timedelta(days=generator.randrange(40)) if generator.random() < 0.8 else None,
                "channel": generator.choice(["mail", "chat & more", "50 % off"]),
                "team_id": generator.choice(["desk:1", "desk:2"]),
                "person": f"p{generator.randrange(60)}",
                "amount": generator.choice([None, round(generator.uniform(0, 100), 3)]),
                "part_count": generator.randrange(0, whole + 1),
                "whole_count": whole,
                "is_deleted": generator.random() < 0.05,
            }
        )
    return rows


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return facts(11)


@pytest.fixture(scope="module")
def module_catalog(module_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    shipped = load_catalog(load_settings({"HANSEI_HOME": str(tmp_path_factory.mktemp("home"))}))
    indicators = {data["id"]: Indicator.model_validate(data) for data in DEFINITIONS}
    return dataclasses.replace(shipped, indicators=indicators, tables={FACTS.table: FACTS})


def fill(warehouse: Warehouse, catalog: Catalog, rows: Iterable[dict]) -> None:
    create_table(warehouse, FACTS.table, {name: column.type for name, column in FACTS.columns.items()})
    create_table(warehouse, FACTS.touched_table, touched_columns(catalog, FACTS))
    schema = pa.schema(
        [
            ("fact_id", pa.string()),
            ("happened_date", pa.date32()),
            ("ended_date", pa.date32()),
            ("channel", pa.string()),
            ("team_id", pa.string()),
            ("person", pa.string()),
            ("amount", pa.float64()),
            ("part_count", pa.int64()),
            ("whole_count", pa.int64()),
            ("is_deleted", pa.bool_()),
        ]
    )
    warehouse.load(FACTS.table, pa.Table.from_pylist(list(rows), schema=schema))


@pytest.fixture(scope="module")
def measured(module_url: sa.URL, module_catalog: Catalog, rows: list[dict], tmp_path_factory) -> Iterator[Warehouse]:
    url = module_url.render_as_string(hide_password=False)
    home = str(tmp_path_factory.mktemp("measured"))
    with open_warehouse(load_settings({"HANSEI_HOME": home, "HANSEI_WAREHOUSE": url})) as warehouse:
        evolve(warehouse, module_catalog)
        fill(warehouse, module_catalog, rows)
        Measurement(warehouse, module_catalog, "first", AS_OF).run()
        yield warehouse


def values(warehouse: Warehouse, indicator: str) -> dict[tuple, dict]:
    found = warehouse.rows("SELECT * FROM indicators.indicator_values WHERE indicator = :id", {"id": indicator})
    return {(row["grain"], row["period_start"], row["segment_id"]): row for row in found}


def escaped(value: str) -> str:
    return value.replace("%", "%25").replace("&", "%26")


def groups(rows: list[dict]) -> dict[tuple, list[dict]]:
    """The rows of every period and segment, by plain counting."""
    found = defaultdict(list)
    for row in rows:
        if row["is_deleted"]:
            continue
        channel, team = f"channel={escaped(row['channel'])}", f"team={row['team_id']}"
        for grain in GRAINS:
            pairs = () if grain == "day" else (f"{channel}&{team}",)
            for segment in ("all", channel, team, *pairs):
                found[grain, period_start(grain, row["happened_date"]), segment].append(row)
    return found


def test_counts_sums_and_distinct_counts_in_every_period_and_segment(measured: Warehouse, rows: list[dict]) -> None:
    expected = groups(rows)
    count, money, people = (values(measured, name) for name in ("facts", "money", "people"))
    assert len(expected) > 1400
    for key, members in expected.items():
        amounts = [row["amount"] for row in members if row["amount"] is not None]
        assert count[key]["value"] == len(members), key
        assert money[key]["value"] == pytest.approx(sum(amounts)), key
        assert people[key]["value"] == len({row["person"] for row in members}), key
    assert {key[2] for key in count} == {key[2] for key in expected}
    assert "channel=chat %26 more&team=desk:1" in {key[2] for key in count}
    assert "channel=50 %25 off" in {key[2] for key in count}


def test_parts_add_up_to_the_whole(measured: Warehouse) -> None:
    for indicator in ("facts", "money"):
        total = defaultdict(lambda: defaultdict(float))
        for (grain, start, segment), row in values(measured, indicator).items():
            cut = "&".join(part.split("=")[0] for part in segment.split("&"))
            total[grain, start][cut] += row["value"]
        for (grain, _), cuts in total.items():
            if cuts["all"]:
                assert cuts["channel"] == pytest.approx(cuts["all"])
                assert cuts["team"] == pytest.approx(cuts["all"])
                assert cuts["channel&team"] == (0 if grain == "day" else pytest.approx(cuts["all"]))


def test_means_carry_students_interval(measured: Warehouse, rows: list[dict]) -> None:
    checked = 0
    found = values(measured, "average")
    for key, members in groups(rows).items():
        amounts = [row["amount"] for row in members if row["amount"] is not None]
        if len(amounts) < 8:
            continue
        row, mean = found[key], np.mean(amounts)
        low, high = stats.t.interval(0.95, len(amounts) - 1, loc=mean, scale=stats.sem(amounts))
        assert row["value"] == pytest.approx(mean)
        assert (row["lower_bound"], row["upper_bound"]) == pytest.approx((low, high), abs=0.002 * (high - low))
        checked += 1
    assert checked > 100


@pytest.mark.parametrize(("indicator", "q"), [("middle", 0.5), ("slow", 0.9)])
def test_quantiles_carry_woodruffs_interval(measured: Warehouse, rows: list[dict], indicator: str, q: float) -> None:
    checked, ranks = 0, np.array(grid(q))
    found = values(measured, indicator)
    for key, members in groups(rows).items():
        amounts = [row["amount"] for row in members if row["amount"] is not None]
        row = found[key]
        if not amounts:
            assert (row["value"], row["lower_bound"], row["upper_bound"]) == (None, None, None)
            continue
        assert row["value"] == pytest.approx(np.quantile(amounts, q))
        count = len(amounts)
        middle = (q + stats.norm.ppf(0.975) ** 2 / 2 / count) / (1 + stats.norm.ppf(0.975) ** 2 / count)
        half = stats.norm.ppf(0.975) * np.sqrt(q * (1 - q) / count + stats.norm.ppf(0.975) ** 2 / 4 / count**2)
        half /= 1 + stats.norm.ppf(0.975) ** 2 / count
        for name, rank in (("lower_bound", middle - half), ("upper_bound", middle + half)):
            around = np.interp(rank, ranks, np.quantile(amounts, ranks))
            assert row[name] == pytest.approx(around), (key, name)
        checked += 1
    assert checked > 1000


def test_a_distribution_is_kept_beside_the_median(measured: Warehouse, rows: list[dict]) -> None:
    found = {
        (row["grain"], row["period_start"], row["segment_id"]): row
        for row in measured.rows("SELECT * FROM indicators.distributions")
    }
    checked = 0
    for key, members in groups(rows).items():
        amounts = [row["amount"] for row in members if row["amount"] is not None]
        if not amounts:
            assert key not in found
            continue
        row = found[key]
        names = ("minimum", "p10", "p25", "median", "p75", "p90", "maximum")
        assert [row[name] for name in names] == pytest.approx(np.quantile(amounts, [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]))
        expected = pytest.approx(np.quantile(amounts, 0.95)) if len(amounts) >= 60 else None
        assert (row["sample_count"], row["p95"]) == (len(amounts), expected)
        checked += len(amounts) >= 60
    assert checked > 20


def test_woodruffs_interval_covers_the_true_median_19_times_in_20(warehouse: Warehouse) -> None:
    """Simulated: 2,000 samples of 40 values of a skewed distribution whose median is known."""
    from hansei.indicators import intervals

    generator = np.random.default_rng(4)
    samples = generator.lognormal(0.0, 1.2, size=(2000, 40))
    create_table(warehouse, "landing.samples", {"sample": "integer", "value": "double"})
    sample = pa.array(np.repeat(np.arange(2000), 40), pa.int32())
    warehouse.load("landing.samples", pa.table({"sample": sample, "value": pa.array(samples.ravel())}))
    ranks = grid(0.5)
    ends = intervals.wilson("0.5", "COUNT(value)")
    low, high = (intervals.at_rank(end, 0.5) for end in ("low_rank", "high_rank"))
    query = (
        f"SELECT COUNT(*) FROM (SELECT {low} AS low, {high} AS high FROM (SELECT sample, {ends[0]} AS low_rank, "
        f"{ends[1]} AS high_rank, {warehouse.sql.quantiles('value', ranks)} AS ranks FROM landing.samples "
        "GROUP BY sample) AS ranked) AS ends WHERE low <= 1.0 AND high >= 1.0"
    )
    assert 0.935 <= warehouse.scalar(query) / 2000 <= 0.975


def test_rates_are_sums_over_sums_with_their_intervals(measured: Warehouse, rows: list[dict]) -> None:
    shares, rates = values(measured, "errors"), values(measured, "errors_per_thousand")
    for key, members in groups(rows).items():
        errors, items = (sum(row[name] for row in members) for name in ("part_count", "whole_count"))
        share, rate = shares[key], rates[key]
        if not items:
            assert (share["value"], share["state"]) == (None, "no_data")
            continue
        low, high = stats.binomtest(errors, items).proportion_ci(method="wilson")
        assert share["value"] == pytest.approx(errors / items)
        assert (share["lower_bound"], share["upper_bound"]) == pytest.approx((low, high), abs=1e-9)
        assert share["sample_count"] == items
        assert rate["value"] == pytest.approx(1000 * errors / items)
        exact_low = stats.chi2.ppf(0.025, 2 * errors) / 2 if errors else 0.0
        exact_high = stats.chi2.ppf(0.975, 2 * errors + 2) / 2
        assert rate["lower_bound"] * items / 1000 == pytest.approx(exact_low, rel=0.03, abs=0.03)
        assert rate["upper_bound"] * items / 1000 == pytest.approx(exact_high, rel=0.03)


def test_a_snapshot_sums_what_is_open_at_the_end_of_the_period(measured: Warehouse, rows: list[dict]) -> None:
    found = values(measured, "open_amount")
    for start in (date(2026, 1, 5), date(2026, 3, 2), date(2026, 6, 8)):
        end = start + timedelta(days=7)
        for team in ("desk:1", "desk:2"):
            still = [
                row
                for row in rows
                if not row["is_deleted"]
                and row["team_id"] == team
                and row["happened_date"] < end
                and (row["ended_date"] is None or row["ended_date"] >= end)
            ]
            row = found["week", start, f"team={team}"]
            assert row["value"] == pytest.approx(sum(item["amount"] or 0 for item in still))
            assert row["sample_count"] == len(still)


def test_a_quotient_divides_two_values_of_the_same_period_and_segment(measured: Warehouse, rows: list[dict]) -> None:
    found = values(measured, "money_per_person")
    for key, members in groups(rows).items():
        people = {row["person"] for row in members}
        assert found[key]["value"] == pytest.approx(100 * sum(row["amount"] or 0 for row in members) / len(people))
    assert found["week", date(2026, 6, 22), "all"]["state"] == "incomplete"


def test_a_period_is_immature_until_its_window_has_ended(measured: Warehouse) -> None:
    found = values(measured, "ripe")
    states = {
        start: row["state"] for (grain, start, segment), row in found.items() if (grain, segment) == ("week", "all")
    }
    assert states[date(2026, 6, 22)] == "incomplete"
    assert states[date(2026, 6, 15)] == "immature"  # ends with 21 June; ripe on 2 July
    assert states[date(2026, 6, 8)] == "immature"  # ends with 14 June; ripe on 25 June
    assert states[date(2026, 6, 1)] == "ok"


def test_shuffled_rows_give_the_same_values_on_either_engine(
    measured: Warehouse, module_catalog: Catalog, rows: list[dict], engine_url: sa.URL, tmp_path
) -> None:
    shuffled = random.Random(3).sample(rows, len(rows))
    url = engine_url.render_as_string(hide_password=False)
    with open_warehouse(load_settings({"HANSEI_HOME": str(tmp_path), "HANSEI_WAREHOUSE": url})) as other:
        evolve(other, module_catalog)
        fill(other, module_catalog, shuffled)
        Measurement(other, module_catalog, "first", AS_OF).run()
        for name in module_catalog.indicators:
            ours, theirs = values(measured, name), values(other, name)
            assert ours.keys() == theirs.keys()
            for key, row in ours.items():
                for column in ("value", "lower_bound", "upper_bound"):
                    other_value = theirs[key][column]
                    close = None if other_value is None else pytest.approx(other_value, rel=1e-9, abs=1e-9)
                    assert row[column] == close, (name, key, column)
                assert (row["sample_count"], row["state"]) == (theirs[key]["sample_count"], theirs[key]["state"])


def changed_facts(rows: list[dict]) -> tuple[list[dict], list[dict], list[dict]]:
    """The rows after a night in which facts moved, came late, changed sides or went; with each row's images."""
    after = [dict(row) for row in rows]
    for number, row in enumerate(after[:400:20]):
        change = number % 5
        if change == 0:
            row["happened_date"] -= timedelta(days=9)
        elif change == 1:
            row["channel"] = "mail" if row["channel"] != "mail" else "50 % off"
        elif change == 2:
            row["amount"] = 3.25
        elif change == 3:
            row["is_deleted"] = True
        else:
            row["person"] = "p99"
    # All that a day of the least team held leaves it, and a late row opens a day that had none.
    day = min(row["happened_date"] for row in after if row["team_id"] == "desk:1")
    for row in after:
        if row["happened_date"] == day and row["team_id"] == "desk:1":
            row["team_id"] = "desk:2"
    after.append({**after[0], "fact_id": "late", "happened_date": date(2026, 1, 3), "ended_date": None})
    before = {row["fact_id"]: row for row in rows}
    images = [row for row in after if before.get(row["fact_id"]) != row]
    return after, [before[row["fact_id"]] for row in images if row["fact_id"] in before], images


def leave_images(warehouse: Warehouse, catalog: Catalog, image: str, rows: list[dict]) -> None:
    names = [name for name in touched_columns(catalog, FACTS) if name in FACTS.columns]
    own = {"change_id": 1, "run_id": "second", "image": image}
    warehouse.insert(FACTS.touched_table, [{**own, **{name: row[name] for name in names}} for row in rows])


def test_a_night_counts_the_touched_cells_and_equals_a_full_computation(
    module_catalog: Catalog, rows: list[dict], engine_url: sa.URL, tmp_path
) -> None:
    after, were, are = changed_facts(rows)
    assert len(are) > 20
    url = engine_url.render_as_string(hide_password=False)
    nightly = load_settings({"HANSEI_HOME": str(tmp_path / "nightly"), "HANSEI_WAREHOUSE": url})
    whole = load_settings({"HANSEI_HOME": str(tmp_path / "whole")})
    with open_warehouse(nightly) as night, open_warehouse(whole) as full:
        evolve(night, module_catalog)
        fill(night, module_catalog, rows)
        Measurement(night, module_catalog, "first", AS_OF).run()
        night.execute("DROP TABLE core.facts")
        fill(night, module_catalog, after)
        leave_images(night, module_catalog, "before", were)
        leave_images(night, module_catalog, "after", are)
        Measurement(night, module_catalog, "second", AS_OF).run()
        evolve(full, module_catalog)
        fill(full, module_catalog, after)
        Measurement(full, module_catalog, "second", AS_OF).run()
        for name in module_catalog.indicators:
            ours, theirs = values(night, name), values(full, name)
            assert ours.keys() == theirs.keys(), name
            for key, row in ours.items():
                for column in ("numerator", "denominator", "square_sum", "value", "lower_bound", "upper_bound"):
                    wanted = theirs[key][column]
                    close = None if wanted is None else pytest.approx(wanted, rel=1e-9, abs=1e-9)
                    assert row[column] == close, (name, key, column)
                assert (row["sample_count"], row["state"]) == (theirs[key]["sample_count"], theirs[key]["state"])
        shown = "SELECT * FROM indicators.distributions ORDER BY indicator, grain, period_start, segment_id"
        assert night.rows(shown) == [pytest.approx(row) for row in full.rows(shown)]


def test_a_change_that_no_indicator_reads_counts_nothing_anew(
    module_catalog: Catalog, rows: list[dict], engine_url: sa.URL, tmp_path
) -> None:
    url = engine_url.render_as_string(hide_password=False)
    one = [row for row in rows if row["happened_date"] < date(2026, 3, 1) and not row["is_deleted"]][:1]
    with open_warehouse(load_settings({"HANSEI_HOME": str(tmp_path), "HANSEI_WAREHOUSE": url})) as warehouse:
        evolve(warehouse, module_catalog)
        fill(warehouse, module_catalog, rows)
        Measurement(warehouse, module_catalog, "first", AS_OF).run()
        # Wrong on purpose: a cell that is counted anew would be set right.
        warehouse.execute("UPDATE indicators.indicator_values SET value = -1 WHERE grain = 'day'")
        leave_images(warehouse, module_catalog, "before", one)
        leave_images(warehouse, module_catalog, "after", [{**one[0], "person": "p99"}])
        Measurement(warehouse, module_catalog, "second", AS_OF).run()
        key = ("day", one[0]["happened_date"], "all")
        assert values(warehouse, "people")[key]["value"] > 0
        assert values(warehouse, "money")[key]["value"] == -1
