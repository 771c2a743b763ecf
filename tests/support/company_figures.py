"""The reference figures of RavenStack (tickets, accounts, scores) and of the garden survey, in the reference's shape.

Each function takes an open warehouse. The value maps of the source definitions are undone here by hand, so that a
wrong map shows.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from support.figures import Rows, indicator_by, indicator_series, indicator_total, named, only, renamed

# RavenStack: a ticket's satisfaction score is an answer of the survey `csat`.

TICKET_FIGURES = (
    "COUNT(*) AS n, AVG(tickets.first_reply_calendar_seconds) / 60.0 AS mean_frt_min, "
    "AVG(tickets.full_resolution_calendar_seconds) / 3600.0 AS mean_res_h, AVG(answers.score) AS csat"
)
TICKETS_AND_ANSWERS = (
    "FROM core.tickets AS tickets LEFT JOIN core.survey_responses AS answers ON answers.ticket_id = tickets.ticket_id"
)
ESCALATED = "AVG(CASE WHEN tickets.is_escalated THEN 1.0 ELSE 0.0 END)"


def tickets(warehouse) -> dict[str, Any]:
    minutes = "tickets.first_reply_calendar_seconds / 60.0"
    row = only(
        warehouse.rows(
            f"SELECT {TICKET_FIGURES}, {ESCALATED} AS escalation_rate, "
            f"PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY {minutes}) AS median_frt_min, "
            f"SUM(CASE WHEN answers.score IS NULL THEN 1 ELSE 0 END) AS csat_missing {TICKETS_AND_ANSWERS}"
        )
    )
    return {"csat_mean": row.pop("csat"), **row}


def tickets_by_priority(warehouse) -> Rows:
    rows = warehouse.rows(f"SELECT tickets.priority, {TICKET_FIGURES} {TICKETS_AND_ANSWERS} GROUP BY tickets.priority")
    found = renamed(rows, "priority", {"low": "low", "normal": "medium", "high": "high", "urgent": "urgent"})
    created = indicator_by(warehouse, "tickets_created", "priority")
    assert {row["n"] for row in found} == {part["numerator"] for part in created.values()}
    return found


def csat_by_account_churn(warehouse) -> Rows:
    rows = warehouse.rows(
        "SELECT accounts.status AS churned, COUNT(*) AS tickets, AVG(answers.score) AS csat, "
        f"{ESCALATED} AS escalation {TICKETS_AND_ANSWERS} "
        "JOIN core.accounts AS accounts ON accounts.account_id = tickets.account_id GROUP BY accounts.status"
    )
    return renamed(rows, "churned", {"active": "false", "churned": "true"})


def churn_vs_flag(warehouse) -> dict[str, Any]:
    return only(
        warehouse.rows(
            "WITH leavers AS (SELECT segment, COUNT(*) AS churns FROM staging.measurements "
            "WHERE measure = 'churn_by_account' GROUP BY segment) "
            "SELECT (SELECT COUNT(*) FROM core.accounts WHERE status = 'churned') AS flagged_accounts, "
            "(SELECT COUNT(*) FROM leavers JOIN core.accounts AS accounts ON accounts.account_id = leavers.segment) "
            "AS accounts_with_event, (SELECT COUNT(*) FROM leavers WHERE churns > 1) AS accounts_with_several"
        )
    )


# The garden survey: `t` became a month, counted from 2014-01; answers without it stand in the month before.


def shares(promoters: float, detractors: float, n: float) -> dict[str, float]:
    return {"n": n, "promoters": promoters, "passives": n - promoters - detractors, "detractors": detractors}


def nps_overall(warehouse) -> dict[str, Any]:
    total = indicator_total(warehouse, "nps")
    found = shares(total["numerator"], total["subtrahend"], total["denominator"])
    # A sheet is one row of the file; one that answers neither question holds no answer, and the test counts those.
    sheets = "SELECT COUNT(DISTINCT SUBSTR(response_id, STRPOS(response_id, ':') + 1)) FROM staging.survey_responses"
    score = 100 * (found["promoters"] - found["detractors"]) / found["n"]
    return {"rows_": warehouse.scalar(sheets), **found, "nps_score": score}


def nps_by_t(warehouse) -> Rows:
    rows = []
    for start, value in indicator_series(warehouse, "nps", "month").items():
        if not value["sample_count"]:
            continue
        day = date.fromisoformat(start)
        t = (day.year - 2014) * 12 + day.month - 1
        parts = shares(value["numerator"], value["subtrahend"], value["denominator"])
        rows.append({"t": t if t >= 0 else None, **parts, "nps_score": value["value"]})
    return sorted(rows, key=lambda row: (row["t"] is None, row["t"]))


def nps_by_comment(warehouse) -> Rows:
    rows = warehouse.rows(
        "SELECT has_comment, COUNT(*) AS n, SUM(CASE WHEN score >= 9 THEN 1 ELSE 0 END) AS promoters, "
        "SUM(CASE WHEN score <= 6 THEN 1 ELSE 0 END) AS detractors FROM core.survey_responses "
        "WHERE survey_kind = 'nps' GROUP BY has_comment ORDER BY has_comment"
    )
    found = []
    for row in rows:
        parts = shares(row["promoters"], row["detractors"], row["n"])
        score = 100 * (row["promoters"] - row["detractors"]) / row["n"]
        found.append({"has_comment": row["has_comment"], **parts, "nps_score": score})
    return found


def satisfaction(warehouse) -> dict[str, Any]:
    total = indicator_total(warehouse, "csat_top_box")
    mean = warehouse.scalar("SELECT AVG(score) FROM core.survey_responses WHERE survey_kind = 'csat'")
    n = total["denominator"]
    return {"n": n, "mean": mean, "top2_share": total["numerator"] / n}


RAVENSTACK_FIGURES = named(tickets, tickets_by_priority, csat_by_account_churn, churn_vs_flag)
GARDEN_FIGURES = named(nps_overall, nps_by_t, nps_by_comment, satisfaction)
