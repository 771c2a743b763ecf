"""Hand-made evidence for the sections around the indicators: earlier actions, scorecards, profiles, risks, outlooks."""

from __future__ import annotations

import datetime as dt

MONDAY = dt.date(2026, 11, 2)
WEEK = dt.timedelta(weeks=1)


def action(effect: str, title: str, indicator_id: str, indicator: str, unit: str, before, after, **more) -> dict:
    named = {"action_id": f"a_{effect}", "title": title, "indicator_id": indicator_id, "indicator_title": indicator}
    found = named | {"unit": unit, "effect": effect, "before": before, "after": after, "owner": "service-desk"}
    return found | {"since": dt.date(2026, 9, 14)} | more


def earlier_actions() -> list[dict]:
    """One of every state; the youngest has no figure yet."""
    reply = ("first_reply_median", "First reply, median", "seconds")
    return [
        action("worked", "Two answers for billing became one", "reopen_rate", "Reopened", "ratio", 0.091, 0.052),
        action("likely_worked", "Chat opens at eight", *reply, 12600.0, 10440.0, segment_id="channel=chat"),
        action("no_evidence", "Routing form for integrations", "reassignment_rate", "Handed on", "ratio", 0.212, 0.208),
        action("worse", "Night desk lends a person by day", *reply, 15840.0, 29040.0, since=dt.date(2026, 10, 5))
        | {"segment_id": "team=2", "segment_label": "Night desk"},
        action("too_early", "Call back who answers with 1", "csat_top_box", "Satisfied customers", "ratio", 0.86, None)
        | {"since": MONDAY, "owner": ""},
    ]


def scored(score, previous=None, reach: float | None = None, state: str = "ok") -> dict:
    bounds = {} if reach is None else {"lower_score": score - reach, "upper_score": score + reach}
    return {"score": score, "previous_score": previous, "state": state, **bounds}


def line(indicator_id: str, title: str, unit: str, value, worst, best, weight: float, **scores) -> dict:
    named = {"indicator_id": indicator_id, "title": title, "unit": unit, "value": value}
    return named | {"worst": worst, "best": best, "weight": weight} | scores


def card() -> dict:
    """Development has no indicator: a tenth is not covered. Weights of lines are those of the nine tenths known.

    efficiency (30): 60; quality (40): 0.6 * 74 + 0.4 * 82 = 77.2; collaboration (20): 54.4. Total:
    (30 * 60 + 40 * 77.2 + 20 * 54.4) / 90 = 66.4.
    """
    efficiency = [
        line("first_reply_median", "First reply, median", "seconds", 14400.0, 28800, 4800, 30 / 90, **scored(60, 71, 6))
    ]
    quality = [
        line("csat_top_box", "Satisfied customers", "ratio", 0.859, 0.6, 0.95, 24 / 90, **scored(74, 72, 9)),
        line("reopen_rate", "Reopened", "ratio", 0.0524, 0.2, 0.02, 16 / 90, **scored(82, 83, 5)),
    ]
    collaboration = [
        line("reassignment_rate", "Handed on", "ratio", 0.2096, 0.4, 0.05, 20 / 90, **scored(54.4, 52, 8)),
        line("ping_pong_rate", "Sent back and forth", "ratio", None, 0.1, 0, 0.0, **scored(None, 61, None, "immature")),
    ]
    groups = [
        {"group_id": "efficiency", "title": "Efficiency", "weight": 0.3, "coverage": 1.0, "lines": efficiency}
        | scored(60, 71, 6),
        {"group_id": "quality", "title": "Quality", "weight": 0.4, "coverage": 1.0, "lines": quality}
        | scored(77.2, 76.4, 6),
        {"group_id": "collaboration", "title": "Collaboration", "weight": 0.2, "coverage": 0.5, "lines": collaboration}
        | scored(54.4, 56.5, 8),
        {"group_id": "development", "title": "Development", "weight": 0.1, "coverage": 0.0}
        | scored(None, None, None, "missing"),
    ]
    named = {"card_id": "balanced_service", "version": 1, "title": "Balanced service scorecard"}
    named |= {"question": "Is the service quick, good, joined up and getting better, all at once?"}
    named |= {"owner": "service-desk", "approver": "head of service", "grain": "week", "period_start": MONDAY}
    return named | scored(66.4, 70.2, 4) | {"coverage": 0.8, "minimum_coverage": 0.7, "groups": groups}


def profile() -> dict:
    teams = (("team=1", "Day desk"), ("team=2", "Night desk"), ("team=3", "Specialists"), ("team=4", "Werkstatt Süd"))

    def axis(axis_id: str, title: str, whole, scores: tuple) -> dict:
        places = [
            {"segment_id": segment_id, "label": label} | scored(score, None, 7 if score else None)
            for (segment_id, label), score in zip(teams, scores, strict=True)
        ]
        for place in places:
            del place["previous_score"]
            place |= {"state": "ok" if place["score"] else "missing"}
        return {"axis_id": axis_id, "title": title, "places": places} | scored(whole, 70 if whole else None, None)

    axes = [
        axis("taking_up", "Taking up", 71, (78, 44, None, 81)),
        axis("keeping_hold", "Keeping hold", 54.4, (58, 51, None, 47)),
        axis("one_face", "One face to the customer", None, (None, None, None, None)),
    ]
    named = {"profile_id": "collaboration", "title": "Collaboration profile", "grain": "week", "period_start": MONDAY}
    return named | {"question": "Where does work between people and teams hold?", "axes": axes}


def risk(risk_id: str, title: str, indicator_id: str, indicator: str, unit: str, value, limit, **more) -> dict:
    found = {"risk_id": risk_id, "title": title, "cause": "capacity", "owner": "service-desk", "period_count": 12}
    found |= {"indicator_id": indicator_id, "indicator_title": indicator, "unit": unit, "value": value, "limit": limit}
    return found | {"control": "The shift lead moves people to the queue that is running late."} | more


def register() -> dict:
    """Three graded risks of two causes (likelihoods by Jeffreys: 6.5 / 13, 1.5 / 13, 0.5 / 13), one too young."""
    reply = {
        "indicator_id": "first_reply_median",
        "title": "First reply, median",
        "unit": "seconds",
        "value": 20880.0,
        "limit": 14400,
        "is_upper": True,
        "is_beyond": True,
        "leads": "Answers are late before resolutions are, because work waits in the queue first.",
    }
    reopened = reply | {"indicator_id": "reopen_rate", "title": "Reopened", "unit": "ratio", "value": 0.052}
    reopened |= {"limit": 0.1, "is_beyond": False}
    silent = reopened | {"value": None, "is_beyond": None, "segment_id": "team=3", "segment_label": "Specialists"}
    risks = [
        risk("broken", "Promised service levels are missed", "source_sla_attainment", "Promised times kept", "ratio",
             0.785, 0.8, is_upper=False, is_breaching=True, breaching_count=6, probability=0.5, likelihood=5,
             consequence=4, score=20, grade="extreme", trend="rising", currency="EUR", expected_loss=40123.4,
             value_at_risk_95=81240.0, key_indicators=[reply], residual_score=9, residual_grade="high"),
        risk("unhappy", "Customers lose patience", "csat_top_box", "Satisfied customers", "ratio", 0.859, 0.7,
             is_upper=False, is_breaching=False, breaching_count=0, probability=0.5 / 13, likelihood=3, consequence=4,
             score=12, grade="high", trend="steady", cause="experience", currency="EUR", expected_loss=19800.0,
             value_at_risk_95=71000.0, key_indicators=[reopened, silent]),
        risk("slow", "Customers wait too long for a first answer", "first_reply_median", "First reply, median",
             "seconds", 20880.0, 28800, is_upper=True, is_breaching=False, breaching_count=1, probability=1.5 / 13,
             likelihood=4, consequence=2, score=8, grade="high", is_counted=False, trend="falling"),
        risk("young", "Night desk loses its people", "nps", "Net promoter score", "points", None, 20, is_upper=False,
             breaching_count=1, period_count=3, consequence=2, is_counted=False, cause="people"),
    ]  # fmt: skip
    losses = {"currency": "EUR", "cause_count": 3, "priced_cause_count": 2, "expected_loss": 59923.4}
    losses |= {"no_loss_probability": 0.01, "value_at_risk_95": 127300.0}
    named = {"grain": "week", "period_start": MONDAY, "risks": risks, "losses": losses}
    return named | {"waiting": ["Solutions do not hold"]}


def coming(values: tuple, reach: float, error: float, tried: int = 40) -> list[dict]:
    """Four weeks whose interval widens by `reach` each; so far ahead the error grows alike."""
    return [
        {
            "period_start": MONDAY + ahead * WEEK,
            "value": value,
            "lower_bound": value - reach * ahead,
            "upper_bound": value + reach * ahead,
            "mean_error": error * ahead,
            "tried": tried - ahead,
        }
        for ahead, value in enumerate(values, 1)
    ]


def outlooks() -> list[dict]:
    """A rise that will be beyond its limits, a share that hardly will, one short series, one without a figure."""
    common = {"confidence": 0.8, "usable_count": 30, "state": "ok"}
    later = MONDAY + 4 * WEEK
    chances = [
        {"level": "critical", "limit": 14400, "is_upper": True, "probability": 0.996, "period_start": later},
        {"level": "warning", "limit": 12600, "is_upper": True, "probability": 1.0, "period_start": MONDAY + WEEK},
    ]
    rare = {"level": "warning", "limit": 0.8, "is_upper": False, "probability": 0.004, "period_start": later}
    return [
        common
        | {"indicator_id": "first_reply_median", "error_ratio": 1.12, "chances": chances}
        | {"periods": coming((14760.0, 15180.0, 15600.0, 15960.0), 700.0, 660.0)},
        common
        | {"indicator_id": "csat_top_box", "error_ratio": 0.8, "chances": [rare]}
        | {"periods": coming((0.861, 0.86, 0.86, 0.859), 0.012, 0.013)},
        common | {"indicator_id": "source_sla_attainment", "state": "too_few_periods", "usable_count": 7},
        common | {"indicator_id": "nps", "state": "no_value_now"},
    ]


def sections() -> dict:
    return {
        "earlier_actions": earlier_actions(),
        "cards": [card()],
        "profiles": [profile()],
        "registers": [register()],
        "outlooks": outlooks(),
    }
