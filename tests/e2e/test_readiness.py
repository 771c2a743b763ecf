"""Whether a review may be built: waits for every source, says so before the first night, and knows its deadline."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from support.small_company import NIGHTS, Company, copy_company, found_company

from hansei import pipeline

# Monday after the week of the first two nights; the deadline is 32 hours after its midnight in Berlin (22:00 UTC).
FOLLOWING = date(2026, 3, 30)
BEFORE_DEADLINE, AFTER_DEADLINE = datetime(2026, 3, 31, 5, 59), datetime(2026, 3, 31, 6, 1)


def test_before_the_first_night_everything_is_late_and_nothing_fails(tmp_path: Path) -> None:
    company = found_company(tmp_path)
    state = pipeline.readiness(company.context(BEFORE_DEADLINE), "weekly_brief", FOLLOWING)
    assert (state["is_ready"], state["is_past_deadline"]) == (False, False)
    assert state["late"] == ["crm", "desk", "feedback"]


def test_a_week_is_ready_when_every_source_has_passed_its_end(
    first_night: Company, third_night: Company, tmp_path: Path
) -> None:
    company = copy_company(first_night, tmp_path / "first")
    waiting = pipeline.readiness(company.context(BEFORE_DEADLINE), "weekly_brief", FOLLOWING)
    assert (waiting["is_ready"], waiting["is_past_deadline"]) == (False, False)
    assert pipeline.readiness(company.context(AFTER_DEADLINE), "weekly_brief", FOLLOWING)["is_past_deadline"]
    company = copy_company(third_night, tmp_path / "third")
    ready = pipeline.readiness(company.context(NIGHTS[2]), "weekly_brief", FOLLOWING)
    assert (ready["is_ready"], ready["late"]) == (True, [])
    built = pipeline.build_review(company.context(NIGHTS[2]), "weekly_brief", FOLLOWING)
    assert Path(built["editions"][0]["path"]).exists()
    assert pipeline.build_review(company.context(NIGHTS[2]), "weekly_brief", FOLLOWING) == built
