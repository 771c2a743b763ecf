"""Hand-made evidence of one page: the cases of the brief, and one with far more than a sheet can hold."""

from __future__ import annotations

import copy
import datetime as dt
from types import ModuleType

from hansei.reviews.evidence import Evidence

PAGE = {"layout": "one_page", "review_id": "executive_page", "title": "Executive page", "audience": "executives"}
WHOLE = {"whole_review": "weekly_brief", "whole_title": "Weekly brief"}


def on_one_page(evidence: Evidence) -> Evidence:
    return evidence.model_copy(update=PAGE | WHOLE)


def crowded(cases: ModuleType) -> Evidence:
    """Twenty indicators far beyond their limits, with names, owners and proposals as long as the rules let them be."""
    case = copy.deepcopy(cases.breaching())
    (pattern,) = (one for one in case["indicators"] if one["indicator_id"] == "first_reply_median")
    (breach,) = (
        one
        for one in case["breaches"]
        if (one["indicator_id"], one["segment_id"], one["level"]) == ("first_reply_median", "team=2", "critical")
    )
    case["indicators"], case["breaches"], case["judgements"], case["words"] = [], [], [], []
    case["explanations"], case["comments"], case["outlooks"], case["proposals"] = [], [], [], []
    for at in range(20):
        name = f"slow_{at:02d}"
        title = f"{at} " + ("Wide words without any end " if at % 2 else "W" * 60)
        case["indicators"].append(pattern | {"indicator_id": name, "title": title, "sample_part": None})
        told = {"indicator_id": name, "segment_label": "W" * 60, "owner": "Owner of " + "W" * 60}
        case["breaches"].append(breach | told)
        case["proposals"].append(
            {
                "indicator_id": name,
                "segment_id": breach["segment_id"],
                "playbook_id": "slow_replies",
                "action": "Find what changed " + "when the waiting began and say it to everybody " * 10,
                "steps": ("W" * 300,) * 5,
                "review_after_days": 28,
            }
        )
    for action in case["earlier_actions"]:
        action["title"] = "An action that somebody told at length " * 10
    for source in case["readiness"]:
        source |= {"state": "failed", "source": "S" * 100, "message": "The file's columns changed. " * 50}
        source["complete_until"] = dt.datetime(2026, 11, 6, 2)
    for risk in case["registers"][0]["risks"]:
        risk["title"] = "W" * 200
    return Evidence.model_validate(case | PAGE | WHOLE)
