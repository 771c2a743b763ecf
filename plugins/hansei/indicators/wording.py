"""How an indicator is counted, in words and as a formula; briefs, pages and the command line say the same."""

from __future__ import annotations

from hansei.catalog.measures import Indicator

INTERVAL_WORDS = {
    "wilson": "Wilson's interval of a share",
    "trinomial": "interval of a net share (adjusted Wald below 50 answers)",
    "student": "Student's t interval of a mean",
    "woodruff": "the values at Wilson's limits of the rank (Woodruff)",
    "poisson": "Byar's interval of a Poisson count",
    "none": "none",
}


# Documents tell these in other languages, from the message catalogues, by the same keys and parts.
COUNTING = {
    "count": "number of rows that meet the condition",
    "total": "sum of {value}",
    "distinct": "number of different {value}",
    "ratio": "rows that meet the numerator, divided by rows that meet the denominator",
    "rate": "sum of {numerator} divided by sum of {denominator}",
    "rate_per": "{per} times sum of {numerator} divided by sum of {denominator}",
    "mean": "sum of {value} divided by the number of rows",
    "quantile": "{quantile} quantile of {value}, linear between ranks",
    "net_share": "share of rows that meet the numerator less share of those that count against it, times 100",
    "snapshot": "rows that are open at the end of the period",
    "snapshot_of": "sum of {value} of the rows that are open at the end of the period",
    "quotient": "{numerator} divided by {denominator}",
    "quotient_per": "{per} times {numerator} divided by {denominator}",
}


def counting(indicator: Indicator) -> str:
    """One sentence without a full stop."""
    key, parts = counting_parts(indicator)
    return COUNTING[key].format(**parts)


def counting_parts(indicator: Indicator) -> tuple[str, dict[str, str]]:
    """The key of COUNTING that says how an indicator is counted, and what to fill in."""
    key = indicator.measure
    if key in ("rate", "quotient") and indicator.per:
        key += "_per"
    elif key == "snapshot" and indicator.value:
        key += "_of"
    return key, {
        "value": indicator.value or "",
        "numerator": indicator.numerator_value or indicator.numerator_indicator or "",
        "denominator": indicator.denominator_value or indicator.denominator_indicator or "",
        "per": f"{indicator.per:,g}" if indicator.per else "",
        "quantile": f"{indicator.quantile or 0:g}",
    }


def formula(indicator: Indicator) -> str:
    """The measure in mathematics, as TeX without its dollar signs."""
    per = f"{indicator.per:g} \\cdot " if indicator.per else ""
    tex = {name: f"\\mathrm{{{text}}}" for name, text in _names(indicator).items()}
    if indicator.measure == "ratio":
        return r"\frac{\#\{i : N(i) \wedge D(i)\}}{\#\{i : D(i)\}}"
    if indicator.measure == "net_share":
        return r"100 \cdot \frac{\#\{i : N(i) \wedge D(i)\} - \#\{i : S(i) \wedge D(i)\}}{\#\{i : D(i)\}}"
    if indicator.measure == "count":
        return r"\#\{i : N(i)\}"
    if indicator.measure == "distinct":
        return rf"\#\{{{tex['value']}_i : D(i)\}}"
    if indicator.measure == "total":
        return rf"\sum_{{i : D(i)}} {tex['value']}_i"
    if indicator.measure == "mean":
        return rf"\frac{{1}}{{n}} \sum_{{i : D(i)}} {tex['value']}_i"
    if indicator.measure == "quantile":
        return rf"Q_{{{indicator.quantile:g}}}\{{{tex['value']}_i : D(i)\}}"
    if indicator.measure == "snapshot":
        summed = f" {tex['value']}_i" if indicator.value else "1"
        opened, ended = tex["counted_on"], tex["ends_on"]
        return rf"\sum_{{i : {opened}_i < t \le {ended}_i}}{summed}"
    if indicator.measure == "rate":
        return rf"{per}\frac{{\sum_i {tex['numerator_value']}_i}}{{\sum_i {tex['denominator_value']}_i}}"
    return rf"{per}\frac{{{tex['numerator_indicator']}}}{{{tex['denominator_indicator']}}}"


def _names(indicator: Indicator) -> dict[str, str]:
    parts = ("value", "counted_on", "ends_on", "numerator_value", "denominator_value")
    parts += ("numerator_indicator", "denominator_indicator")
    return {part: (getattr(indicator, part) or "").replace("_", r"\_") for part in parts}
