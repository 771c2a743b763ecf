"""`hansei risks`: the register, and what the last periods say of each risk."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hansei.cli.output import Json, show
from hansei.cli.scorecards import Period, chosen_period
from hansei.errors import HanseiError

app = typer.Typer(no_args_is_help=True)
Grain = Annotated[str, typer.Option(help="Length of the periods of the risks to show, such as week.")]


@app.command("list")
def list_risks(as_json: Json = False) -> None:
    """The risk register as it is defined: what is watched, how bad it would be, who holds it down."""
    from hansei import pipeline

    rows = [
        {
            "risk": item.id,
            "version": item.version,
            "title": item.title,
            "cause": item.cause,
            "indicator": item.indicator,
            "segment": item.segment,
            "limit": item.threshold or f"{item.limit:g} {item.unit}",
            "consequence": item.consequence.gravest,
            "has_loss": item.loss is not None,
            "owner": item.owner,
        }
        for _, item in sorted(pipeline.context().catalog.risks.items())
    ]
    show(rows, as_json, "no risk is defined")


@app.command("show")
def show_risks(
    name: Annotated[str | None, typer.Argument(help="Id of a risk for its history; without one the register.")] = None,
    period: Period = None,
    grain: Grain = "week",
    as_json: Json = False,
) -> None:
    """The register as of a period, gravest first, with the loss over all causes; or one risk over time."""
    from hansei import pipeline
    from hansei.warehouse import open_read_copy

    context = pipeline.context()
    if name is not None and name not in context.catalog.risks:
        known = ", ".join(sorted(context.catalog.risks)) or "none is defined"
        raise HanseiError(f"risk {name!r}", "is not defined", f"use one of: {known}")
    with open_read_copy(context.settings) as warehouse:
        if name is not None:
            _history(warehouse, context.catalog.risks[name], as_json)
        else:
            _register(warehouse, period, grain, as_json)


def _register(warehouse: Any, period: str | None, grain: str, as_json: bool) -> None:
    chosen = chosen_period(warehouse, "indicators.risks", "grain = :grain", {"grain": grain}, grain, period)
    asked = {"grain": grain, "start": chosen}
    rows = totals = []
    if chosen is not None:
        where = "WHERE grain = :grain AND period_start = :start"
        query = f"SELECT * FROM indicators.risks {where} ORDER BY COALESCE(score, 0) DESC, risk"
        rows = warehouse.rows(query, asked)
        totals = warehouse.rows(f"SELECT * FROM indicators.risk_totals {where}", asked)
    if as_json:
        show([{"risks": rows, "total": totals}], True, "")
        return
    if not rows:
        typer.echo(f"no risk has been judged by {grain} yet: a night judges the periods that are finished")
        return
    typer.echo(f"Risk register, {grain} of {chosen}\n")
    show([_told(row) for row in rows], False, "")
    for total in totals:
        if total["expected_loss"] is not None:
            typer.echo(
                f"\ncauses with a price: {total['priced_cause_count']}, each counted once; expected loss "
                f"{total['expected_loss']:,.0f} {total['currency']} a year; in 19 of 20 years not more than "
                f"{total['value_at_risk_95']:,.0f}, beyond that {total['expected_shortfall_95']:,.0f} on average"
            )


def _told(row: dict[str, Any]) -> dict[str, Any]:
    money = None if row["expected_loss"] is None else f"{row['expected_loss']:,.0f} {row['currency']}"
    return {
        "risk": row["risk"],
        "cause": row["cause"] + (" (counted elsewhere)" if row["state"] == "ok" and not row["is_counted"] else ""),
        "breaching": f"{row['breaching_count']} of {row['period_count']}",
        "likelihood": row["likelihood_word"] or row["state"].replace("_", " "),
        "consequence": row["consequence"],
        "score": row["score"],
        "grade": row["grade"],
        "trend": row["trend"],
        "early signs": f"{row['key_indicator_beyond_count']} of {row['key_indicator_count']}",
        "expected loss": money,
        "19 of 20 years": None if row["value_at_risk_95"] is None else f"{row['value_at_risk_95']:,.0f}",
        "owner": row["owner"],
    }


def _told_period(row: dict[str, Any]) -> dict[str, Any]:
    value = None if row["value"] is None else f"{row['value']:.6g}"
    left_out = ("risk", "cause", "owner", "consequence")
    told = {key: said for key, said in _told(row).items() if key not in left_out}
    return {"period": row["period_start"], "value": value, **told}


def _history(warehouse: Any, risk: Any, as_json: bool) -> None:
    rows = watched = []
    if "indicators.risks" in warehouse.tables():
        asked = {"risk": risk.id}
        rows = warehouse.rows("SELECT * FROM indicators.risks WHERE risk = :risk ORDER BY period_start", asked)
        watched = warehouse.rows(
            "SELECT * FROM indicators.key_risk_indicators WHERE risk = :risk ORDER BY indicator, period_start", asked
        )
    if as_json:
        show([{"periods": rows, "key_indicators": watched}], True, "")
        return
    if not rows:
        typer.echo(f"{risk.id} has not been judged yet: a night judges the periods that are finished")
        return
    typer.echo(f"{risk.title}\n{risk.question}\ncontrol: {risk.control}\n")
    show([_told_period(row) for row in rows], False, "")
    for item in risk.key_indicators:
        newest = [row for row in watched if row["indicator"] == item.indicator][-1:]
        for row in newest:
            said = "beyond" if row["is_beyond"] else "within" if row["is_beyond"] is False else "not known against"
            value = "no value" if row["value"] is None else f"{row['value']:.6g}"
            typer.echo(
                f"early sign {item.indicator}: {value} is {said} its limit {row['limit_value']:.6g}; {item.leads}"
            )
