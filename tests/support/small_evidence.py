"""The least evidence that a weekly brief can be made of: one indicator, one week, one part of sample rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hansei.reviews.evidence import Evidence, Part

MONDAY = dt.date(2026, 11, 2)


def small_evidence(*parts: Part, series: bool = True, **fields: Any) -> Evidence:
    """With a reference to each part; `fields` take the place of what is given here."""
    indicator: dict[str, Any] = {"indicator_id": "x", "version": 1, "title": "X", "question": "?", "unit": "count"}
    indicator |= {"direction": "neutral", "sample_part": "x_rows"}
    if series:
        indicator["series"] = [{"period_start": MONDAY, "value": 12.0, "sample_count": 12}]
    told = {
        "review_id": "weekly_brief",
        "title": "Weekly brief",
        "service_name": "Desk",
        "reporting_zone": "UTC",
        "period_start": MONDAY,
        "period_end": MONDAY + dt.timedelta(days=6),
        "as_of": dt.datetime(2026, 11, 9, 3),
        "product_version": "0.1.0",
        "definitions_hash": "ab",
        "indicators": [indicator],
        "parts": [part.reference() for part in parts],
    }
    return Evidence.model_validate(told | fields)
