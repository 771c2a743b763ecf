"""Indicators of every kind: what nights compute in tests that are about something else, because it is quicker."""

from __future__ import annotations

from collections.abc import Mapping

from hansei.catalog.loader import chosen
from hansei.catalog.measures import Indicator

FEW = (
    "tickets_created",
    "tickets_solved",
    "backlog",
    "backlog_over_7_days",
    "weeks_of_work",
    "first_reply_median",
    "first_reply_business_median",
    "first_reply_business_p90",
    "resolution_median",
    "resolution_p90",
    "resolution_business_median",
    "resolution_mean",
    "requester_wait_business_median",
    "next_reply_business_mean",
    "first_contact_resolution_rate",
    "reopen_rate",
    "reassignment_rate",
    "sla_attainment",
    "source_sla_attainment",
    "csat_top_box",
    "nps",
)


def few(indicators: Mapping[str, Indicator]) -> dict[str, Indicator]:
    return chosen(dict(indicators), FEW)[0]
