"""`hansei finance`: whether an improvement pays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hansei.cli.output import Json, show
from hansei.errors import DefinitionError, HanseiError

app = typer.Typer(no_args_is_help=True)

_MEANINGS = {
    "annual_rate": "what the money would earn elsewhere, a year",
    "period": "length of a period",
    "period_count": "periods after the start",
    "first_date": "day that everything is discounted to",
    "investment": "put in at the start",
    "benefit_total": "what comes in, undiscounted",
    "cost_total": "what goes out after the start, undiscounted",
    "roi_ratio": "(benefit - cost) / cost, undiscounted",
    "npv": "worth today; the first flow is not discounted",
    "npv_excel": "the same by Excel's NPV, which discounts the first flow, too",
    "irr_per_year": "the yearly rate at which it would be worth nothing",
    "profitability_index": "worth today of what comes back, per unit put in",
    "payback_periods": "periods until it has paid back",
    "payback_years": "the same in years",
    "discounted_payback_periods": "periods until it has paid back with the rate",
}


@app.callback()
def finance() -> None:
    """Whether an improvement pays."""


@app.command()
def appraise(
    file: Annotated[Path, typer.Argument(help="YAML with the flows; docs/scorecards.md shows one.")],
    as_json: Json = False,
) -> None:
    """ROI, NPV, IRR and payback of one improvement from its cash flows."""
    from hansei.catalog.appraisals import Appraisal
    from hansei.catalog.documents import parse
    from hansei.indicators.appraisals import appraise as figures_of

    document = read_file(file)
    definition = parse(document, Appraisal)
    if definition is None:
        raise DefinitionError(document.faults)
    figures = figures_of(definition)
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False, indent=1))
        return
    typer.echo(f"{figures['title']} ({figures['currency']})\n")
    rows = [
        {"figure": name.replace("_", " "), "value": _shown(figures[name]), "meaning": meaning}
        for name, meaning in _MEANINGS.items()
        if name in figures
    ]
    show(rows, False, "")
    for rate in figures["irr_candidates_per_year"]:
        typer.echo(f"an internal rate of return: {rate:.2%} a year")
    for remark in figures["remarks"]:
        typer.echo(f"note: {remark}")


def read_file(file: Path) -> Any:
    """The YAML file as a document; one line for a file that is missing or no YAML."""
    from hansei.catalog.documents import read_document

    if not file.is_file():
        raise HanseiError(str(file), "is no file", "name a YAML file")
    document = read_document(file)
    if document.faults:
        raise DefinitionError(document.faults)
    return document


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return (
        f"{value:,.4g}"
        if isinstance(value, float) and abs(value) < 10
        else (f"{value:,.2f}" if isinstance(value, float) else str(value))
    )
