"""The reference figures of the incident log, from indicators where one expresses the figure, else core or staging.

Each function takes an open warehouse and returns the figure in the reference's own shape and units. The value maps of
the source definition are undone here by hand, so that a wrong map shows.
"""

from __future__ import annotations

from typing import Any

from support.figures import (
    Rows,
    indicator_by,
    indicator_series,
    indicator_total,
    month,
    named,
    only,
    renamed,
    seconds,
    spread,
)

PRIORITIES = {"urgent": "1 - Critical", "high": "2 - High", "normal": "3 - Moderate", "low": "4 - Low"}
HOURS = "tickets.full_resolution_calendar_seconds / 3600.0"
SOLVED = "NOT tickets.is_closed_without_solution"
SLA = "CASE WHEN tickets.is_sla_met THEN 1.0 ELSE 0.0 END"


def events_and_incidents(warehouse) -> dict[str, Any]:
    return only(
        warehouse.rows(
            "SELECT COUNT(*) AS events, COUNT(DISTINCT ticket_id) AS incidents, MAX(occurred_at) AS last_update, "
            "(SELECT MIN(created_at) FROM core.tickets) AS first_opened, "
            "(SELECT MAX(created_at) FROM core.tickets) AS last_opened "
            "FROM staging.ticket_events WHERE event_type = 'status'"
        )
    )


def events_by_state(warehouse) -> Rows:
    return warehouse.rows(
        "SELECT field AS state, COUNT(*) AS n FROM staging.ticket_events WHERE event_type = 'status' "
        "GROUP BY field ORDER BY n DESC, state"
    )


def final_state(warehouse) -> dict[str, Any]:
    row = only(warehouse.rows("SELECT status AS state, COUNT(*) AS n FROM core.tickets GROUP BY status"))
    return {**row, "state": {"closed": "Closed"}.get(row["state"])}


def sla_overall(warehouse) -> dict[str, Any]:
    total = indicator_total(warehouse, "source_sla_attainment")
    met, n = total["numerator"], total["denominator"]
    return {"n": n, "met": met, "attainment": met / n}


def sla_by_month_opened(warehouse) -> Rows:
    return month(
        warehouse.rows(
            f"SELECT DATE_TRUNC('month', created_at) AS month, COUNT(*) AS n, SUM({SLA}) AS met, "
            f"AVG({SLA}) AS attainment FROM core.tickets GROUP BY 1 ORDER BY 1"
        )
    )


def sla_by_month_closed(warehouse) -> Rows:
    return month(
        warehouse.rows(
            f"SELECT DATE_TRUNC('month', closed_at) AS month, COUNT(*) AS n, AVG({SLA}) AS attainment "
            "FROM core.tickets GROUP BY 1 ORDER BY 1"
        )
    )


def sla_by_iso_week_opened(warehouse) -> Rows:
    return warehouse.rows(
        f"SELECT CAST(DATE_TRUNC('week', created_date) AS DATE) AS week, COUNT(*) AS n, AVG({SLA}) AS attainment "
        "FROM core.tickets WHERE created_at < TIMESTAMP '2016-06-01 00:00:00' GROUP BY 1 ORDER BY 1"
    )


def sla_by_priority(warehouse) -> Rows:
    parts = indicator_by(warehouse, "source_sla_attainment", "priority")
    rows = [
        {"priority": name, "n": part["denominator"], "attainment": part["numerator"] / part["denominator"]}
        for name, part in parts.items()
    ]
    return renamed(rows, "priority", PRIORITIES)


def resolution_hours_overall(warehouse) -> dict[str, Any]:
    return only(
        warehouse.rows(
            f"SELECT COUNT(*) AS n, {spread(HOURS)}, SUM(CASE WHEN {HOURS} = 0 THEN 1 ELSE 0 END) AS zero "
            f"FROM core.tickets AS tickets WHERE {SOLVED}"
        )
    )


def resolution_missing(warehouse) -> dict[str, Any]:
    return only(warehouse.rows("SELECT COUNT(*) AS n FROM core.tickets WHERE is_closed_without_solution"))


def resolution_hours_by_priority(warehouse) -> Rows:
    rows = warehouse.rows(
        f"SELECT priority, COUNT(*) AS n, {spread(HOURS)} FROM core.tickets AS tickets WHERE {SOLVED} GROUP BY priority"
    )
    return renamed(rows, "priority", PRIORITIES)


def resolution_hours_by_month_opened(warehouse) -> Rows:
    return month(
        warehouse.rows(
            f"SELECT DATE_TRUNC('month', created_at) AS month, COUNT(*) AS n, {spread(HOURS)} "
            f"FROM core.tickets AS tickets WHERE {SOLVED} GROUP BY 1 ORDER BY 1"
        )
    )


def closure_hours_overall(warehouse) -> dict[str, Any]:
    hours = f"{seconds('closed_at', 'created_at')} / 3600"
    return only(warehouse.rows(f"SELECT COUNT(*) AS n, {spread(hours)} FROM core.tickets"))


def reopen(warehouse) -> dict[str, Any]:
    total = indicator_total(warehouse, "reopen_rate")
    again, n = total["numerator"], total["denominator"]
    counts = "SELECT SUM(reopen_count) AS reopens, MAX(reopen_count) AS max_reopens FROM core.tickets"
    return {"n": n, "reopened_incidents": again, "reopen_rate": again / n, **only(warehouse.rows(counts))}


def reopen_by_month_opened(warehouse) -> Rows:
    return month(
        warehouse.rows(
            "SELECT DATE_TRUNC('month', created_at) AS month, COUNT(*) AS n, "
            "SUM(CASE WHEN reopen_count > 0 THEN 1 ELSE 0 END) AS reopened, "
            "AVG(CASE WHEN reopen_count > 0 THEN 1.0 ELSE 0.0 END) AS rate FROM core.tickets GROUP BY 1 ORDER BY 1"
        )
    )


def reassignment(warehouse) -> dict[str, Any]:
    total = indicator_total(warehouse, "reassignment_rate")
    counts = only(
        warehouse.rows(
            f"SELECT {spread('reassignment_count')}, "
            "AVG(CASE WHEN reassignment_count >= 3 THEN 1.0 ELSE 0.0 END) AS share_3plus FROM core.tickets"
        )
    )
    assert counts.pop("min") == 0
    return {**counts, "share_reassigned": total["numerator"] / total["denominator"]}


def first_action_hours(warehouse) -> dict[str, Any]:
    hours = f"{seconds('acted_at', 'created_at')} / 3600"
    counts = only(
        warehouse.rows(
            "WITH actions AS (SELECT tickets.ticket_id, tickets.created_at, "
            "MIN(CASE WHEN events.field <> 'New' THEN events.occurred_at END) AS acted_at FROM core.tickets AS tickets "
            "LEFT JOIN staging.ticket_events AS events ON events.ticket_id = tickets.ticket_id "
            "AND events.event_type = 'status' GROUP BY tickets.ticket_id, tickets.created_at) "
            "SELECT COUNT(*) AS n, SUM(CASE WHEN acted_at IS NULL THEN 1 ELSE 0 END) AS never_left_new, "
            f"SUM(CASE WHEN acted_at < created_at THEN 1 ELSE 0 END) AS before_open, {spread(hours)} FROM actions"
        )
    )
    return {name: value for name, value in counts.items() if name not in ("min", "max")}


def awaiting_user_info(warehouse) -> dict[str, Any]:
    return only(
        warehouse.rows(
            "SELECT COUNT(DISTINCT CASE WHEN field = 'Awaiting User Info' THEN ticket_id END) AS incidents, "
            "COUNT(DISTINCT ticket_id) AS total FROM staging.ticket_events WHERE event_type = 'status'"
        )
    )


def open_backlog_at_month_end(warehouse) -> Rows:
    backlog = indicator_series(warehouse, "backlog", "month")
    figures = []
    for last_day in ("2016-03-31", "2016-04-30", "2016-05-31", "2016-06-30"):
        moment = f"{last_day} 23:59:59"
        query = f"SELECT COUNT(*) FROM core.tickets WHERE created_at <= '{moment}' AND closed_at > '{moment}'"
        open_count = backlog[f"{last_day[:7]}-01"]["value"]
        figures.append({"t": moment, "open_backlog": open_count, "not_closed": warehouse.scalar(query)})
    return figures


def flow_by_iso_week(warehouse) -> Rows:
    created = indicator_series(warehouse, "tickets_created", "week")
    solved = indicator_series(warehouse, "tickets_solved", "week")
    return [
        {"week": week, "opened": created[week]["value"], "resolved": solved[week]["value"]}
        for week in sorted(created.keys() | solved.keys())
        if "2016-02-29" <= week <= "2016-06-06"
    ]


def contact_type(warehouse) -> Rows:
    words = {"phone": "Phone", "mail": "Email"}
    counts = indicator_by(warehouse, "tickets_created", "channel")
    rows = [{"contact_type": words[name], "n": part["numerator"]} for name, part in counts.items()]
    return sorted(rows, key=lambda row: -row["n"])


def worst_groups_sla_min100(warehouse) -> Rows:
    rows = []
    for team, part in indicator_by(warehouse, "source_sla_attainment", "team").items():
        group = "(null)" if team == "unassigned" else team.removeprefix("servicenow:")
        n = part["denominator"]
        if n >= 100:
            rows.append({"grp": group, "n": n, "attainment": part["numerator"] / n})
    return sorted(rows, key=lambda row: (row["attainment"], row["grp"]))[:10]


def weeks_below_70pct_sla_min100(warehouse) -> Rows:
    return [row for row in sla_by_iso_week_opened(warehouse) if row["n"] >= 100 and row["attainment"] < 0.7]


def events_per_update_day_first_10(warehouse) -> Rows:
    return warehouse.rows(
        "SELECT CAST(occurred_at AS DATE) AS day, COUNT(*) AS events, COUNT(DISTINCT ticket_id) AS incidents "
        "FROM staging.ticket_events WHERE event_type = 'status' AND occurred_at < TIMESTAMP '2016-03-10 00:00:00' "
        "GROUP BY 1 ORDER BY 1"
    )


def as_of_state(warehouse) -> Rows:
    figures: Rows = []
    for moment in ("2016-03-31 23:59:59", "2016-04-30 23:59:59"):
        figures += [{"t": moment, **row} for row in states_at(warehouse, moment)]
    return figures


def states_at(warehouse, moment: str) -> Rows:
    """Tickets by the last state, in the source's words, that any event up to the moment gave them."""
    return warehouse.rows(
        "SELECT field AS state, COUNT(*) AS n FROM (SELECT field, ROW_NUMBER() OVER (PARTITION BY ticket_id "
        "ORDER BY sequence_number DESC) AS rank_from_last FROM staging.ticket_events "
        f"WHERE event_type = 'status' AND occurred_at <= TIMESTAMP '{moment}') AS ranked "
        "WHERE rank_from_last = 1 GROUP BY field ORDER BY field"
    )


def high_priority_2016_03_14_week(warehouse) -> dict[str, Any]:
    return only(
        warehouse.rows(
            f"SELECT DATE '2016-03-14' AS week, COUNT(*) AS n, AVG({SLA}) AS sla, "
            f"PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY CASE WHEN {SOLVED} THEN {HOURS} END) AS median_res_h, "
            "AVG(CASE WHEN reopen_count > 0 THEN 1.0 ELSE 0.0 END) AS reopen_rate, "
            "AVG(reassignment_count) AS mean_reassign FROM core.tickets AS tickets "
            "WHERE created_date >= DATE '2016-03-14' AND created_date < DATE '2016-03-21' "
            "AND priority IN ('urgent', 'high')"
        )
    )


INCIDENT_FIGURES = named(
    events_and_incidents,
    events_by_state,
    final_state,
    sla_overall,
    sla_by_month_opened,
    sla_by_month_closed,
    sla_by_iso_week_opened,
    sla_by_priority,
    resolution_hours_overall,
    resolution_missing,
    resolution_hours_by_priority,
    resolution_hours_by_month_opened,
    closure_hours_overall,
    reopen,
    reopen_by_month_opened,
    reassignment,
    first_action_hours,
    awaiting_user_info,
    open_backlog_at_month_end,
    flow_by_iso_week,
    contact_type,
    worst_groups_sla_min100,
    weeks_below_70pct_sla_min100,
    events_per_update_day_first_10,
    as_of_state,
    high_priority_2016_03_14_week,
)
