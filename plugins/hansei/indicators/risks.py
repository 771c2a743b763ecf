"""The risk register held against indicator values: likelihood from the last periods, grade, and what a year could cost.

Likelihood is the share of breaching periods among those that could be judged, smoothed (METHODS.md 4e); periods without
enough data are no evidence for or against. Methods: hansei.methods.risks and losses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from hansei.catalog.risks import HeldLimit, KeyIndicator, Loss, Risk
from hansei.catalog.units import is_beyond
from hansei.indicators.periods import next_period, periods_between
from hansei.methods import losses, risks

PERIODS_PER_YEAR = {"day": 365.25, "week": 365.25 / 7, "month": 12.0, "quarter": 4.0}
TREND_PERIODS = 4
BASIS = "share_of_periods"
_LEVELS = {90: 0.90, 95: 0.95, 99: 0.99}


@dataclass(frozen=True)
class Observed:
    """One finished period of the indicator that a risk or key indicator watches; `value` None where it cannot count."""

    period_start: date
    value: float | None
    state: str


def observed(
    rows: Iterable[Mapping[str, Any]], indicator: str, segment: str, grain: str, ready: date | None
) -> list[Observed]:
    """The periods of one indicator and segment that every source has covered, oldest first."""
    found = [
        Observed(row["period_start"], row["value"] if row["state"] == "ok" else None, row["state"])
        for row in rows
        if row["indicator"] == indicator
        and row["segment_id"] == segment
        and ready is not None
        and next_period(grain, row["period_start"]) <= ready
    ]
    return sorted(found, key=lambda item: item.period_start)


class Simulations:
    """Simulated years, kept by risk and probability: most periods of a risk share theirs with others."""

    def __init__(self) -> None:
        self._years: dict[tuple[str, float], np.ndarray] = {}
        self._figures: dict[tuple[tuple[str, float], ...], losses.LossFigures] = {}

    def expected(self, risk: Risk, probability: float) -> float:
        frequency, severity = _model(risk, probability)
        return losses.expected_loss(frequency, severity, risk.loss.exposure_factor)

    def figures(self, parts: Sequence[tuple[Risk, float]]) -> losses.LossFigures:
        """Figures of the sum of risks, each with its probability; they are taken as independent of each other."""
        key = tuple((risk.id, probability) for risk, probability in parts)
        if key not in self._figures:
            years = [self._simulated(risk, probability) for risk, probability in parts]
            shortest = min(map(len, years))
            self._figures[key] = losses.figures(np.sum([part[:shortest] for part in years], axis=0))
        return self._figures[key]

    def _simulated(self, risk: Risk, probability: float) -> np.ndarray:
        key = (risk.id, probability)
        if key not in self._years:
            loss = risk.loss
            # Each risk has random numbers of its own, so that adding one does not move the figures of another.
            seed = [loss.seed, int.from_bytes(hashlib.sha256(risk.id.encode()).digest()[:8], "big")]
            self._years[key] = losses.simulate(*_model(risk, probability), loss.years, seed, loss.exposure_factor)
        return self._years[key]


def _model(risk: Risk, probability: float) -> tuple[losses.Frequency, losses.Severity]:
    asked = risk.loss.frequency
    if asked.kind == "breaching_periods":
        frequency: losses.Frequency = losses.Poisson(probability * PERIODS_PER_YEAR[risk.grain])
    elif asked.kind == "negative_binomial":
        frequency = losses.NegativeBinomial(asked.per_year, asked.size)
    else:
        frequency = losses.Poisson(asked.per_year)
    return frequency, _severity(risk.loss)


def _severity(loss: Loss) -> losses.Severity:
    asked = loss.severity
    if asked.kind == "lognormal":
        return losses.Lognormal.of(asked.median, asked.p95)
    if asked.kind == "empirical":
        return losses.Empirical(asked.values)
    kind = losses.Pert if asked.kind == "pert" else losses.Triangular
    return kind(asked.minimum, asked.mode, asked.maximum)


def risk_rows(
    risk: Risk, periods: Sequence[Observed], limit: HeldLimit, direction: str, simulations: Simulations
) -> list[dict[str, Any]]:
    """One row per finished period in which the limit holds; with too few periods there is no likelihood."""
    held = {item.period_start: item for item in periods if limit.holds_on(item.period_start)}
    if not held:
        return []
    calendar = periods_between(risk.grain, min(held), max(held))
    rows: list[dict[str, Any]] = []
    for position, start in enumerate(calendar):
        if start not in held or (risk.valid_from is not None and start < risk.valid_from):
            continue
        window = [held[day] for day in calendar[max(position + 1 - risk.look_back, 0) : position + 1] if day in held]
        judged = [item.value for item in window if item.value is not None]
        breaching = sum(is_beyond(value, limit.value, direction) for value in judged)
        row = _base(risk, held[start], limit, direction) | {"breaching_count": breaching, "period_count": len(judged)}
        if len(judged) >= risk.fewest_periods:
            row |= _assessed(risk, risks.smoothed_probability(breaching, len(judged)), simulations)
        rows.append(row)
    _add_trends(rows, risk.grain)
    return rows


def _base(risk: Risk, item: Observed, limit: HeldLimit, direction: str) -> dict[str, Any]:
    consequence = risk.consequence.gravest
    row = {
        "risk": risk.id,
        "version": risk.version,
        "grain": risk.grain,
        "period_start": item.period_start,
        "segment_id": risk.segment,
        "indicator": risk.indicator,
        "cause": risk.cause,
        "owner": risk.owner,
        "value": item.value,
        "value_state": item.state,
        "limit_value": limit.value,
        "is_breaching": None if item.value is None else is_beyond(item.value, limit.value, direction),
        "consequence": consequence,
        "state": "too_few_periods",
    }
    if risk.residual is not None:
        remaining = risks.risk_score(risk.residual.likelihood, risk.residual.consequence)
        row |= {"residual_score": remaining, "residual_grade": risks.grade(remaining)}
    return row


def _assessed(risk: Risk, probability: float, simulations: Simulations) -> dict[str, Any]:
    band = risks.likelihood(probability)
    score = risks.risk_score(band, risk.consequence.gravest)
    row = {
        "state": "ok",
        "probability": probability,
        "likelihood_basis": BASIS,
        "likelihood": band,
        "likelihood_word": risks.LIKELIHOOD_WORDS[band - 1],
        "score": score,
        "grade": risks.grade(score),
    }
    if risk.loss is not None:
        row |= {"currency": risk.loss.currency, "seed": risk.loss.seed, "simulated_years": risk.loss.years}
        row |= {"expected_loss": simulations.expected(risk, probability)}
        row |= _loss_columns(simulations.figures([(risk, probability)]))
    return row


def _loss_columns(found: losses.LossFigures) -> dict[str, float]:
    row = {"no_loss_probability": found.no_loss_probability}
    for name, level in _LEVELS.items():
        row[f"value_at_risk_{name}"] = found.value_at_risk[level]
        row[f"expected_shortfall_{name}"] = found.expected_shortfall[level]
    return row


def _add_trends(rows: list[dict[str, Any]], grain: str) -> None:
    """`rising` or `falling` where the likelihood's band differs from that of four periods earlier, else `steady`."""
    by_period = {row["period_start"]: row for row in rows}
    if not rows:
        return
    calendar = periods_between(grain, rows[0]["period_start"], rows[-1]["period_start"])
    for position, start in enumerate(calendar):
        row, earlier = by_period.get(start), by_period.get(calendar[max(position - TREND_PERIODS, 0)])
        if position < TREND_PERIODS or row is None or earlier is None:
            continue
        if row["state"] == earlier["state"] == "ok":
            step = row["likelihood"] - earlier["likelihood"]
            row["trend"] = "rising" if step > 0 else "falling" if step < 0 else "steady"
            row["probability_change"] = row["probability"] - earlier["probability"]


def key_indicator_rows(
    risk: Risk, item: KeyIndicator, periods: Sequence[Observed], limit: HeldLimit, direction: str
) -> list[dict[str, Any]]:
    """One row per finished period of a key risk indicator: its value, its limit, and whether it lies beyond."""
    return [
        {
            "risk": risk.id,
            "version": risk.version,
            "indicator": item.indicator,
            "grain": risk.grain,
            "period_start": found.period_start,
            "segment_id": item.segment,
            "value": found.value,
            "value_state": found.state,
            "limit_value": limit.value,
            "is_beyond": None if found.value is None else is_beyond(found.value, limit.value, direction),
            "owner": item.owner,
        }
        for found in periods
        if limit.holds_on(found.period_start) and (risk.valid_from is None or risk.valid_from <= found.period_start)
    ]


def mark_counted(rows: Sequence[dict[str, Any]]) -> None:
    """Of risks that share a cause the gravest of each period counts, the others do not: one cause is one risk.

    The gravest has the largest expected loss, then the highest score; of equal ones the first by id.
    """
    best: dict[tuple, tuple] = {}
    for row in rows:
        row["is_counted"] = False
        if row["state"] == "ok":
            place = (row["grain"], row["period_start"], row["cause"])
            rank = (-(row.get("expected_loss") or 0.0), -row["score"], row["risk"])
            best[place] = min(best.get(place, rank), rank)
    for row in rows:
        place = (row["grain"], row["period_start"], row["cause"])
        row["is_counted"] = row["state"] == "ok" and best[place][2] == row["risk"]


def total_rows(
    rows: Sequence[dict[str, Any]], register: Mapping[str, Risk], simulations: Simulations
) -> list[dict[str, Any]]:
    """One row per grain and period: the loss of a year over all causes, each cause counted once."""
    by_period: dict[tuple[str, date], list[dict[str, Any]]] = {}
    for row in rows:
        if row["state"] == "ok":
            by_period.setdefault((row["grain"], row["period_start"]), []).append(row)
    totals = []
    for (grain, start), found in sorted(by_period.items()):
        counted = sorted((row for row in found if row["is_counted"]), key=lambda row: row["risk"])
        priced = [row for row in counted if row.get("expected_loss") is not None]
        total = {
            "grain": grain,
            "period_start": start,
            "risk_count": len(found),
            "cause_count": len(counted),
            "priced_cause_count": len(priced),
            "highest_score": max(row["score"] for row in found),
        }
        if priced:
            parts = [(register[row["risk"]], row["probability"]) for row in priced]
            total |= {
                "currency": priced[0]["currency"],
                "expected_loss": float(sum(row["expected_loss"] for row in priced)),
                **_loss_columns(simulations.figures(parts)),
            }
        totals.append(total)
    return totals
