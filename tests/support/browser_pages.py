"""The index and the validation page with names that attack, for readers of HTML and for the browser."""

from __future__ import annotations

import datetime as dt

from hansei.reviews.index_page import EditionEntry, render_index
from hansei.reviews.rendering import render_validation
from hansei.reviews.validation_page import ValidationPage

SCRIPT = "<script>window.ran = 1</script><img src=http://evil.test/x onerror=window.ran=1>"
# A name without a space, as long as a source may send it: nothing may grow with it.
LONG = "x" * 10_000
HOSTILE = ("\"'>" + SCRIPT, "\u202e\u05e9\u05dc\u05d5\u05dd", "a\u200bb \U0001f469\U0001f3fd\u200d\U0001f4bb", LONG)


def index_page(language: str) -> str:
    entries = [
        EditionEntry(
            review_id="team_review",
            title="Team review",
            about="team=desk:7",
            about_label=name,
            grain="week",
            period_start=dt.date(2026, 11, 2) - dt.timedelta(weeks=at),
            revision=at + 1,
            headline="First replies got slower",
            language="en",
            href="team_review/2026-11-02/brief.html",
            others=(("pdf", "en", "team_review/2026-11-02/brief.pdf"),),
        )
        for at, name in enumerate(("Billing", *HOSTILE))
    ]
    return render_index(entries, language)


def validation_page() -> str:
    sources = [
        {
            "source": name,
            "state": "done",
            "entities": [
                {
                    "entity": "tickets",
                    "received": 10,
                    "accepted": 7,
                    "quarantined": 1,
                    "duplicate": 2,
                    "checks": [
                        {"name": name, "severity": "stop", "checked": 10, "failed": at, "result": result}
                        for at, result in enumerate(("passed", "failed"))
                    ],
                    "nights": [{"date": "2026-11-08", "result": "warned", "received": 10, "quarantined": 1}],
                }
            ],
        }
        for name in ("desk", *HOSTILE)
    ]
    page = {
        "service_name": "Desk",
        "reporting_zone": "Europe/Berlin",
        "run_id": "scheduled__2026-11-09",
        "as_of": dt.datetime(2026, 11, 9, 3),
        "product_version": "0.1.0",
        "sources": sources,
    }
    return render_validation(ValidationPage.model_validate(page))
