"""The page of one indicator in Markdown: the documentation prints it, and `hansei indicators explain`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.indicators import formulas, intervals
from hansei.indicators.wording import INTERVAL_WORDS, counting, formula

CAVEATS = {
    "late_arriving": "Rows come late: a finished period can still be restated (`ops.restatements` says when and why).",
    "survivorship": "Only what has ended is counted; cases that drag on are not in it yet. Read it with the backlog.",
    "self_selected": "People chose to answer; those who did not may think otherwise. Read it with the response rate.",
    "source_defined": "The source decides what counts; its rule is not ours and can change there without a word.",
    "small_numbers": "Few cases make it jump; compare the interval, not the point, and do not talk of single weeks.",
    "convention": "There is no standard: the rule below is our convention, and others count otherwise.",
}
MEASURES = {
    "count": "a number",
    "total": "a sum",
    "distinct": "a number of different things",
    "ratio": "a share",
    "rate": "one sum by another",
    "mean": "a mean",
    "quantile": "a quantile",
    "net_share": "a difference of two shares",
    "snapshot": "what is open at the end of the period",
    "quotient": "one indicator by another",
}


def page(catalog: Catalog, indicator: Indicator) -> str:
    """Title, question, formula in words and mathematics, counting rule, interval, example, caveats, source."""
    return "\n".join(_lines(catalog, indicator)) + "\n"


def _lines(catalog: Catalog, indicator: Indicator) -> Iterator[str]:
    yield f"# {indicator.title}\n"
    yield f"**{indicator.question}**\n"
    yield f"`{indicator.id}`, version {indicator.version}: {MEASURES[indicator.measure]}, {_unit(indicator)}.\n"
    yield "## How it is counted\n"
    words = counting(indicator)
    yield f"{words[0].upper()}{words[1:]}.\n"
    yield f"$${formula(indicator)}$$\n"
    facts = {**_counting_facts(catalog, indicator), **_cutting_facts(indicator)}
    yield from (f"- {name}: {fact}" for name, fact in facts.items() if fact)
    yield "\n## How sure it is\n"
    yield from (f"- {name}: {fact}" for name, fact in _sureness(indicator).items() if fact)
    if indicator.example:
        yield "\n## A worked row\n"
        yield from _example(indicator)
    if indicator.caveats:
        yield "\n## Read with care\n"
        yield from (f"- {CAVEATS[word]}" for word in indicator.caveats)
    yield "\n## Where it comes from\n"
    yield from (f"- {name}: {fact}" for name, fact in _origin(indicator).items() if fact)


def _unit(indicator: Indicator) -> str:
    words = {
        "ratio": "0 to 1",
        "seconds": "in seconds",
        "business_seconds": "in seconds of open hours",
        "points": "in points",
        "currency": "in the currency of the postings",
        "per_hundred": "per 100",
        "per_thousand": "per 1,000",
        "score": "in points of the scale",
        "weeks": "in weeks",
    }
    better = {
        "higher_is_better": "higher is better",
        "lower_is_better": "lower is better",
        "neutral": "neither high nor low is good in itself",
    }[indicator.direction]
    return f"{words[indicator.unit]}; {better}" if indicator.unit in words else better


def _counting_facts(catalog: Catalog, indicator: Indicator) -> dict[str, str]:
    if indicator.measure == "quotient":
        links = [f"[`{name}`]({name}.md)" for name in (indicator.numerator_indicator, indicator.denominator_indicator)]
        return {"Divided": f"{links[0]} by {links[1]}, in the same period and segment"}
    table = catalog.tables[indicator.table]
    excluded = [f"{name} (`{table.exclusions[name]}`)" for name in indicator.exclusions]
    span = f"open from `{indicator.counted_on}` until before `{indicator.ends_on}`" if indicator.ends_on else ""
    return {
        "Rows": f"`{indicator.table}`, {table.grain}",
        "Counted on": span or f"`{indicator.counted_on}`, a day of the reporting zone",
        "Unit counted": f"one {indicator.counts} each",
        "Numerator N": _sql(indicator.numerator),
        "Less S": _sql(indicator.subtrahend),
        "Counted at all D": _sql(indicator.denominator),
        "Value": _column(table, indicator.value),
        "Upper sum": _column(table, indicator.numerator_value),
        "Lower sum": _column(table, indicator.denominator_value),
        "Left out (flagged, never missing)": ", ".join(excluded),
    }


def _sql(condition: str | None) -> str:
    if condition is None or condition.strip().upper() == "TRUE":
        return "every row" if condition else ""
    return f"`{condition}`"


def _column(table: Any, name: str | None) -> str:
    if name is None:
        return ""
    column = table.columns[name]
    return f"`{name}`: {column.meaning}" + (f" ({column.unit})" if column.unit else "")


def _cutting_facts(indicator: Indicator) -> dict[str, str]:
    pairs = [" and ".join(sorted(pair)) for pair in indicator.pairs]
    return {
        "Periods": ", ".join(indicator.grains),
        "Segments": ", ".join(indicator.segments),
        "Cut two ways (not by day)": "; ".join(pairs),
    }


def _sureness(indicator: Indicator) -> dict[str, str]:
    counts = indicator.measure in ("count", "total", "distinct", "snapshot")
    maturity = ""
    if indicator.matures_after:
        own = f"{indicator.maturity_days(timedelta())} days"
        window = "the service's repeat window" if indicator.matures_after == "repeat_window" else own
        maturity = f"a period is `immature`, and not judged, until {window} has passed since its end"
    return {
        "95 % interval": INTERVAL_WORDS[indicator.interval_kind],
        "Fewest": "" if counts else f"{indicator.minimum_denominator}; below it the state is `insufficient`",
        "Matures": maturity,
        "Distribution": "minimum, p10 to p95 and maximum in `indicators.distributions`"
        if indicator.has_distribution
        else "",
    }


def _example(indicator: Indicator) -> Iterator[str]:
    given = {name: value for name, value in indicator.example.model_dump().items() if value is not None}
    row = dict(given)
    if indicator.measure != "quantile":
        row |= _worked(indicator, given)
    yield "| " + " | ".join(row) + " |\n|" + "---|" * len(row)
    yield "| " + " | ".join(_number(value) for value in row.values()) + " |"


def _number(value: float) -> str:
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _worked(indicator: Indicator, given: dict[str, float]) -> dict[str, float]:
    """Value and interval of the example's parts, by the very SQL that counts the real ones."""
    lower, upper = intervals.bounds(indicator.measure, indicator.interval_kind)
    parts = {"numerator": None, "subtrahend": None, "denominator": None, "square_sum": None, **given}
    listed = ", ".join(
        f"CAST({'NULL' if value is None else repr(float(value))} AS DOUBLE) AS {name}"
        for name, value in {**parts, "per": indicator.per or 1.0}.items()
    )
    names = f"{formulas.value(indicator.measure)} AS value, {lower} AS lower_bound, {upper} AS upper_bound"
    cursor = _connection().execute(f"SELECT {names} FROM (SELECT {listed}) AS parts")
    found = dict(zip(("value", "lower_bound", "upper_bound"), cursor.fetchone(), strict=True))
    return {name: value for name, value in found.items() if value is not None}


@cache
def _connection() -> Any:
    import duckdb

    return duckdb.connect()


def _origin(indicator: Indicator) -> dict[str, str]:
    changes = [f"version {change.version} ({change.by}): {change.reason}" for change in indicator.changes]
    return {
        "Source": indicator.source or "",
        "Owner": indicator.owner,
        "Family": indicator.family,
        "Scorecard perspective": indicator.perspective or "",
        "SERVQUAL dimension": indicator.servqual_dimension or "",
        "In force since": str(indicator.valid_from) if indicator.valid_from else "",
        "Changes": "; ".join(changes),
        "Rows and SQL": f"`hansei indicators rows {indicator.id} --period DAY`, `hansei indicators sql {indicator.id}`",
    }
