"""The shipped page of a real night: the brief's decisions without its rows, and a link that leads to the brief."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from support.small_company import NIGHTS, Company, copy_company

from hansei import pipeline
from hansei.reviews.archive import read_edition

MONDAY, FOLLOWING = date(2026, 3, 23), date(2026, 3, 30)


def test_the_page_tells_the_briefs_decisions_and_leads_to_it(third_night: Company, tmp_path: Path) -> None:
    company = copy_company(third_night, tmp_path)
    context = company.context(NIGHTS[2])
    pages = {
        name: Path(pipeline.build_review(context, name, FOLLOWING)["editions"][0]["path"])
        for name in ("executive_page", "weekly_brief")
    }
    page, parts = read_edition(company.settings.archive, "executive_page", MONDAY)
    whole, rows = read_edition(company.settings.archive, "weekly_brief", MONDAY)
    assert (page.layout, page.whole_review, page.whole_title) == ("one_page", "weekly_brief", whole.title)
    assert (parts, page.parts, page.explanations, page.comments) == ({}, (), (), ())
    assert rows and set(page.breaches) == set(whole.breaches) and set(page.words) == set(whole.words)
    text = pages["executive_page"].read_text("utf-8")
    (href,) = re.findall(r'href="(\.\./[^"]+)"', text)
    assert (pages["executive_page"].parent / href).resolve() == pages["weekly_brief"].resolve()
