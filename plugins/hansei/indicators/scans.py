"""The scans that count: all indicators of one table, date and grain together, all segments at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from hansei.catalog import Catalog
from hansei.catalog.columns_read import columns_read
from hansei.catalog.measures import ZERO_WITHOUT_ROWS, Indicator
from hansei.catalog.tables import TableModel
from hansei.indicators import formulas
from hansei.indicators.intervals import NONE
from hansei.warehouse.dialect import Dialect

_LENGTHS = {"day": "1 day", "week": "7 days", "month": "1 month", "quarter": "3 months"}


def period_end() -> str:
    """SQL of the first day after the period, from the columns grain and period_start."""
    lengths = " ".join(f"WHEN '{grain}' THEN INTERVAL '{length}'" for grain, length in _LENGTHS.items())
    return f"CAST(period_start + CASE grain {lengths} END AS DATE)"


def segment_text(expression: str) -> str:
    """SQL of a segment's value as it stands in a segment id, where `&` parts two dimensions."""
    return f"REPLACE(REPLACE({expression}, '%', '%25'), '&', '%26')"


def cut_name(cut: Sequence[str]) -> str:
    """How a way of cutting is named: `all`, `channel`, `channel&team`."""
    return "&".join(cut) or "all"


def _by_cut(cuts: Sequence[Sequence[str]], text: Callable[[Sequence[str]], str]) -> str:
    """CASE over a grouping-sets row: which of the cuts the row belongs to; the finer cuts are asked first."""
    whens = []
    for cut in sorted(cuts, key=len, reverse=True):
        grouped = " AND ".join(f"GROUPING(by_{name}) = 0" for name in cut)
        whens.append(f"WHEN {grouped} THEN {text(cut)}")
    return f"CASE {' '.join(whens)} ELSE 'all' END" if whens else "'all'"


def segment_expression(cuts: Sequence[Sequence[str]]) -> str:
    """SQL of the canonical segment id of a grouping-sets row: `all`, `channel=mail`, `channel=mail&team=7`."""
    return _by_cut(cuts, lambda cut: " || '&' || ".join(f"'{name}=' || {segment_text(f'by_{name}')}" for name in cut))


def cut_expression(cuts: Sequence[Sequence[str]]) -> str:
    """SQL of the name of a grouping-sets row's cut."""
    return _by_cut(cuts, lambda cut: f"'{cut_name(cut)}'")


def grouping_sets(cuts: Sequence[Sequence[str]]) -> str:
    sets = ["(period_start)", *(f"(period_start, {', '.join(f'by_{name}' for name in cut)})" for cut in cuts)]
    return f"GROUPING SETS ({', '.join(sets)})"


@dataclass(frozen=True)
class PartColumns:
    """Columns of a scan that hold the parts of indicators: what several of them count alike is counted once.

    `expressions`: SQL of each column. `names`: the column of an indicator's id and part.
    """

    expressions: dict[str, str]
    names: dict[tuple[str, str], str]

    def of(self, indicator: Indicator, part: str) -> str:
        return self.names[indicator.id, part]


def part_columns(sql: Dialect, indicators: Sequence[Indicator], table: TableModel) -> PartColumns:
    columns: dict[str, str] = {}
    names: dict[tuple[str, str], str] = {}
    for indicator in indicators:
        for part, expression in formulas.components(indicator, table, sql, indicators).items():
            typed = expression if part == "ranks" else f"CAST({expression} AS DOUBLE PRECISION)"
            names[indicator.id, part] = columns.setdefault(typed, f"part_{len(columns)}")
    return PartColumns({name: expression for expression, name in columns.items()}, names)


def count_scan(
    catalog: Catalog,
    sql: Dialect,
    indicators: Sequence[Indicator],
    grain: str,
    cuts: Sequence[tuple[str, ...]],
    only: str = "",
) -> str:
    """SELECT of period_start, segment_id, cut and the parts of the indicators (`part_columns` names them).

    `only` is a condition on the table that leaves out periods that need not be counted.
    """
    table = catalog.tables[indicators[0].table]
    counted_on = indicators[0].counted_on
    inner = [f"{sql.period_start(grain, counted_on)} AS period_start"]
    for name in dict.fromkeys(name for cut in cuts for name in cut):
        inner.append(f"{table.segment_of(name, counted_on)} AS by_{name}")
    inner += sorted(columns_read(indicators, table))
    limit = f" AND ({only})" if only else ""
    outer = [f"{segment_expression(cuts)} AS segment_id", f"{cut_expression(cuts)} AS cut"]
    parts = part_columns(sql, indicators, table).expressions
    outer += [f"{expression} AS {name}" for name, expression in parts.items()]
    return (
        f"SELECT period_start, {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM {table.table} "
        f"WHERE {counted_on} IS NOT NULL{limit}) AS counted GROUP BY {grouping_sets(cuts)}"
    )


def cell_scan(indicators: Sequence[Indicator], table: TableModel) -> str:
    """SELECT of period_start (a day) and segment_id of every cell in which a changed row moves what is counted.

    Of the images of a row only those tell that differ in the day, a segment or a column that the indicators read.
    """
    counted_on = indicators[0].counted_on
    cuts = every_cut(indicators, "week")
    columns = [f"{counted_on} AS period_start"]
    for name in dict.fromkeys(name for cut in cuts for name in cut):
        columns.append(f"{table.segment_of(name, counted_on)} AS by_{name}")
    listed = ", ".join([*columns, *sorted(columns_read(indicators, table))])
    before, after = (
        f"SELECT {listed} FROM {table.touched_table} WHERE image = '{image}' AND {counted_on} IS NOT NULL"
        for image in ("before", "after")
    )
    moved = f"({before} EXCEPT ALL {after}) UNION ALL ({after} EXCEPT ALL {before})"
    return (
        f"SELECT period_start, {segment_expression(cuts)} AS segment_id "
        f"FROM ({moved}) AS moved GROUP BY {grouping_sets(cuts)}"
    )


def _moves(table: TableModel, indicator: Indicator, rows: str, only: str) -> str:
    """SELECT of a row per opening and closing in `rows`: its day, step, amount and segments; `only` limits the days."""
    dimensions = dict.fromkeys(name for cut in indicator.cuts for name in cut)
    columns = [f"{table.segment_of(name, indicator.counted_on)} AS by_{name}" for name in dimensions]
    counted = formulas.counted_rows(indicator, table)
    amount = f"COALESCE({indicator.value}, 0)" if indicator.value else "1"

    def side(day: str, sign: str) -> str:
        listed = ", ".join([f"{day} AS period_start", f"{sign}1 AS step", f"{sign}{amount} AS amount", *columns])
        where = f"{indicator.counted_on} IS NOT NULL AND {day} IS NOT NULL AND {counted}{only.format(day=day)}"
        return f"SELECT {listed} FROM {rows} WHERE {where}"

    return f"{side(indicator.counted_on, '')} UNION ALL {side(indicator.ends_on, '-')}"


def move_scan(catalog: Catalog, indicator: Indicator, since: date | None = None) -> str:
    """SELECT of day, segment_id, and by how much the open intervals grew or shrank that day; from `since` on.

    `net_count` is in intervals, `net_value` in what the indicator sums of them (intervals too, where it has no value).
    """
    table = catalog.tables[indicator.table]
    moves = _moves(table, indicator, table.table, f" AND {{day}} >= CAST('{since}' AS DATE)" if since else "")
    return (
        f"SELECT period_start AS day, {segment_expression(indicator.cuts)} AS segment_id, SUM(step) AS net_count, "
        f"SUM(amount) AS net_value FROM ({moves}) AS moves GROUP BY {grouping_sets(indicator.cuts)}"
    )


def first_move_scan(table: TableModel, indicator: Indicator) -> str:
    """SELECT of the first day on which the images of changed rows opened or closed other intervals than before."""
    before, after = (
        _moves(table, indicator, table.touched_table, f" AND image = '{image}'") for image in ("before", "after")
    )
    moved = f"(({before}) EXCEPT ALL ({after})) UNION ALL (({after}) EXCEPT ALL ({before}))"
    return f"SELECT MIN(period_start) FROM ({moved}) AS moved"


def snapshot_scan(sql: Dialect, indicator: Indicator, grain: str, opening: str = "", since: date | None = None) -> str:
    """SELECT of period_start, segment_id, how many intervals are open at each period's end, and the sum of their value.

    Each day's moves are summed per period and then accumulated: the cost follows intervals, not their length.
    Periods come from the table `run_spine_<id>`; a segment begins with its first opening, or with what was open
    before `since`: `opening` is a SELECT of day, segment_id, net_count and net_value of that.
    """
    period = sql.period_start(grain, "day")
    spine = f"spine.grain = '{grain}' AND spine.period_start >= first_days.first_day"
    if grain == "day":
        spine += " WHERE first_days.segment_id NOT LIKE '%&%'"
    moves = f"run_moves_{indicator.id}"
    if since:
        listed = "day, segment_id, net_count, net_value"
        later = f"SELECT {listed} FROM {moves} WHERE day >= CAST('{since}' AS DATE)"
        moves = f"({later} UNION ALL {opening}) AS later_moves"

    def running(part: str) -> str:
        return (
            f"CAST(SUM(COALESCE(moved.{part}, 0)) OVER (PARTITION BY every_period.segment_id "
            "ORDER BY every_period.period_start) AS DOUBLE PRECISION)"
        )

    return (
        f"WITH moved AS (SELECT {period} AS period_start, segment_id, SUM(net_count) AS net_count, "
        f"SUM(net_value) AS net_value FROM {moves} GROUP BY {period}, segment_id), "
        "first_days AS (SELECT segment_id, MIN(period_start) AS first_day FROM moved GROUP BY segment_id), "
        "every_period AS (SELECT first_days.segment_id, spine.period_start FROM first_days "
        f"INNER JOIN run_spine_{indicator.id} AS spine ON {spine}) "
        f"SELECT every_period.period_start, every_period.segment_id, {running('net_count')} AS open_count, "
        f"{running('net_value')} AS open_value "
        "FROM every_period LEFT JOIN moved ON moved.segment_id = every_period.segment_id "
        "AND moved.period_start = every_period.period_start"
    )


def quotient_scan(catalog: Catalog, indicator: Indicator, values: str) -> str:
    """SELECT of the parts of a quotient: the stored values of its two indicators in the same period and segment.

    `parts_state` is the worse of their states. Of a measure that counts or sums, no row means 0.
    """
    above = catalog.indicators[indicator.numerator_indicator]
    numerator = "above.value"
    if above.measure in ZERO_WITHOUT_ROWS:
        numerator = "COALESCE(above.value, 0.0)"
    cuts = ", ".join(f"'{cut_name(cut)}'" for cut in ((), *indicator.cuts))
    grains = ", ".join(f"'{grain}'" for grain in indicator.grains)
    worst = " ".join(
        f"WHEN '{state}' IN (COALESCE(above.state, 'ok'), below.state) THEN '{state}'"
        for state in ("incomplete", "immature", "no_data", "insufficient")
    )
    return (
        f"SELECT '{indicator.id}' AS indicator, below.grain, below.period_start, below.segment_id, "
        f"{numerator} AS numerator, {NONE} AS subtrahend, below.value AS denominator, {NONE} AS square_sum, "
        f"below.sample_count, CASE {worst} ELSE 'ok' END AS parts_state "
        f"FROM {values} AS below LEFT JOIN {values} AS above ON above.indicator = '{above.id}' "
        "AND above.grain = below.grain AND above.period_start = below.period_start "
        f"AND above.segment_id = below.segment_id WHERE below.indicator = '{indicator.denominator_indicator}' "
        f"AND below.grain IN ({grains}) AND {cut_of_sql('below.segment_id')} IN ({cuts})"
    )


def cut_of_sql(segment_id: str) -> str:
    """SQL of the name of the cut that a segment id belongs to: `all`, `channel`, `channel&team`."""
    second = f"SPLIT_PART({segment_id}, '&', 2)"
    return (
        f"SPLIT_PART({segment_id}, '=', 1) || "
        f"CASE WHEN {second} = '' THEN '' ELSE '&' || SPLIT_PART({second}, '=', 1) END"
    )


def every_cut(indicators: Sequence[Indicator], grain: str) -> list[tuple[str, ...]]:
    """The ways in which any of the indicators is cut at the grain."""
    return list(dict.fromkeys(cut for indicator in indicators for cut in indicator.cuts_by(grain)))
