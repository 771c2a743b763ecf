"""What an improvement pays: the figures of an appraisal, each with what it says. Methods: hansei.methods.finance."""

from __future__ import annotations

from typing import Any

from hansei.catalog.appraisals import PERIODS_PER_YEAR, Appraisal
from hansei.methods import finance


def appraise(appraisal: Appraisal) -> dict[str, Any]:
    """Figure -> value; None where it does not exist. `remarks` say why, and what to look at instead."""
    figures = _dated(appraisal) if appraisal.flows else _by_period(appraisal)
    return {"title": appraisal.title, "currency": appraisal.currency, "annual_rate": appraisal.annual_rate, **figures}


def _by_period(appraisal: Appraisal) -> dict[str, Any]:
    per_year = PERIODS_PER_YEAR[appraisal.period]
    rate = finance.per_period(appraisal.annual_rate, per_year)
    benefits, costs = appraisal.spelt_out("benefits"), appraisal.spelt_out("costs")
    length = max(len(benefits), len(costs))
    net = [
        (benefits[place] if place < len(benefits) else 0.0) - (costs[place] if place < len(costs) else 0.0)
        for place in range(length)
    ]
    flows = [-appraisal.investment, *net]
    found = finance.irr(flows)
    simple, discounted = finance.payback(flows), finance.payback(flows, rate)
    figures = {
        "period": appraisal.period,
        "period_count": length,
        "investment": appraisal.investment,
        "benefit_total": sum(benefits),
        "cost_total": sum(costs),
        "roi_ratio": finance.roi(sum(benefits), appraisal.investment + sum(costs)),
        "npv": finance.npv(rate, flows),
        "npv_excel": finance.npv_excel(rate, flows),
        "irr_per_year": _yearly(found.rate, per_year),
        "irr_candidates_per_year": [_yearly(item, per_year) for item in found.rates] if found.is_ambiguous else [],
        "profitability_index": finance.profitability_index(rate, appraisal.investment, net),
        "payback_periods": simple,
        "payback_years": None if simple is None else simple / per_year,
        "discounted_payback_periods": discounted,
    }
    remarks = _irr_remarks(found)
    if simple is None:
        remarks.append("nothing is put in at the start" if appraisal.investment == 0 else "it is never paid back")
    elif sum(flows) < 0:
        remarks.append("it is paid back, but later costs take more than that again: the payback misleads")
    return {**figures, "remarks": remarks}


def _dated(appraisal: Appraisal) -> dict[str, Any]:
    flows = sorted(appraisal.flows, key=lambda flow: flow.date)
    dates, amounts = [flow.date for flow in flows], [flow.amount for flow in flows]
    found = finance.xirr(dates, amounts)
    benefit, cost = sum(a for a in amounts if a > 0), -sum(a for a in amounts if a < 0)
    return {
        "first_date": dates[0].isoformat(),
        "benefit_total": benefit,
        "cost_total": cost,
        "roi_ratio": finance.roi(benefit, cost),
        "npv": finance.xnpv(appraisal.annual_rate, dates, amounts),
        "irr_per_year": found.rate,
        "irr_candidates_per_year": list(found.rates) if found.is_ambiguous else [],
        "remarks": _irr_remarks(found),
    }


def _yearly(rate: float | None, per_year: int) -> float | None:
    return None if rate is None else finance.per_year(rate, per_year)


def _irr_remarks(found: finance.Irr) -> list[str]:
    if not found.sign_changes:
        return ["the flows never change their sign, so there is no internal rate of return"]
    if found.is_ambiguous:
        return [f"{len(found.rates)} internal rates of return exist, so none of them says anything: go by the NPV"]
    if found.sign_changes > 1:
        return [f"the flows change their sign {found.sign_changes} times: go by the NPV before the rate"]
    return []
