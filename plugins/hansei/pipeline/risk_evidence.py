"""The risk register as a review tells it: the newest finished period of each grain, gravest risk first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from hansei.catalog import Catalog
from hansei.catalog import risks as declared
from hansei.indicators.periods import last_finished
from hansei.reviews.prospects import KeyIndicator, Losses, Register, Risk
from hansei.warehouse import Warehouse

_AS_STORED = (
    "value",
    "is_breaching",
    "breaching_count",
    "period_count",
    "probability",
    "likelihood",
    "consequence",
    "score",
    "grade",
    "residual_score",
    "residual_grade",
    "trend",
    "is_counted",
    "expected_loss",
    "value_at_risk_95",
)
_LOSSES = ("cause_count", "priced_cause_count", "expected_loss", "no_loss_probability", "value_at_risk_95", "currency")


def gather_registers(
    warehouse: Warehouse, catalog: Catalog, following: date, labels: Mapping[str, str]
) -> list[Register]:
    """A register for each grain that risks are watched at; `following`: first day after the review's period."""
    grains = dict.fromkeys(risk.grain for _, risk in sorted(catalog.risks.items()))
    found = (_register(warehouse, catalog, grain, following, labels) for grain in grains)
    return [register for register in found if register is not None]


def _register(
    warehouse: Warehouse, catalog: Catalog, grain: str, following: date, labels: Mapping[str, str]
) -> Register | None:
    last = last_finished(grain, following)
    start = warehouse.scalar(
        "SELECT MAX(period_start) FROM indicators.risks WHERE grain = :grain AND period_start <= :last",
        {"grain": grain, "last": last},
    )
    if start is None:
        return None
    place = {"grain": grain, "start": start}
    where = "WHERE grain = :grain AND period_start = :start"
    watched = warehouse.rows(f"SELECT * FROM indicators.key_risk_indicators {where}", place)
    rows = warehouse.rows(f"SELECT * FROM indicators.risks {where} ORDER BY risk", place)
    rows.sort(key=lambda row: (-(row["score"] or 0), -(row["expected_loss"] or 0), row["risk"]))
    risks = [_risk(catalog, row, watched, labels) for row in rows if row["risk"] in catalog.risks]
    totals = warehouse.rows(f"SELECT * FROM indicators.risk_totals {where}", place)
    told = {risk.risk_id for risk in risks}
    waiting = [
        risk.title
        for _, risk in sorted(catalog.risks.items())
        if risk.grain == grain and risk.indicator in catalog.indicators and risk.id not in told
    ]
    return Register(grain=grain, period_start=start, risks=tuple(risks), waiting=tuple(waiting), losses=_losses(totals))


def _losses(totals: list[dict[str, Any]]) -> Losses | None:
    if not totals or totals[0]["expected_loss"] is None:
        return None
    return Losses(**{name: totals[0][name] for name in _LOSSES})


def _risk(catalog: Catalog, row: dict[str, Any], watched: list[dict[str, Any]], labels: Mapping[str, str]) -> Risk:
    risk = catalog.risks[row["risk"]]
    own = {found["indicator"]: found for found in watched if found["risk"] == risk.id}
    return Risk(
        **{name: row[name] for name in _AS_STORED},
        **_place(catalog, risk, labels),
        indicator_title=catalog.indicators[risk.indicator].title,
        limit=row["limit_value"],
        risk_id=risk.id,
        title=risk.title,
        cause=risk.cause,
        owner=risk.owner,
        control=risk.control,
        currency=row["currency"] or "",
        key_indicators=tuple(
            KeyIndicator(
                **_place(catalog, item, labels),
                title=catalog.indicators[item.indicator].title,
                value=own[item.indicator]["value"],
                limit=own[item.indicator]["limit_value"],
                is_beyond=own[item.indicator]["is_beyond"],
                leads=item.leads,
                owner=item.owner,
            )
            for item in risk.key_indicators
            if item.indicator in own
        ),
    )


def _place(catalog: Catalog, item: declared.Limit, labels: Mapping[str, str]) -> dict[str, Any]:
    indicator = catalog.indicators[item.indicator]
    return {
        "indicator_id": indicator.id,
        "unit": indicator.unit,
        "is_upper": indicator.direction == "lower_is_better",
        "segment_id": item.segment,
        "segment_label": labels.get(item.segment, item.segment) if item.segment != "all" else "",
    }
