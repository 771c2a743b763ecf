"""One page for executives: the golden page, nothing said that the brief does not say, and what is left out counted."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from support.executive_pages import crowded, on_one_page
from support.golden_modules import golden_module

from hansei.reviews.brief import compose
from hansei.reviews.evidence import Evidence, canonical_json, sha256
from hansei.reviews.executive import ROOMS, lay_out_page
from hansei.reviews.rendering import render_review, review_words

GOLDEN = Path(__file__).with_name("executive_pages")
LANGUAGES = ("en", "zh_CN")
page_reader = golden_module("page_reader")


def path_of(case: str, language: str) -> Path:
    return GOLDEN / f"{case}.{language}.html"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", ["breaching", "waiting"])
def test_page_is_the_golden_one(cases: ModuleType, case: str, language: str) -> None:
    """To accept a change: look at the new page, then run `python tests/golden/test_executive_page.py`."""
    page = render_review(on_one_page(cases.evidence(case)), {}, language)
    assert page == path_of(case, language).read_text("utf-8")


def test_page_is_well_formed_and_leads_to_the_full_review_alone(cases: ModuleType, case: str) -> None:
    reader = page_reader.read(render_review(on_one_page(cases.evidence(case))))
    assert reader.faults == []
    assert reader.headings.count(1) == 1
    assert sorted(set(reader.targets)) == ["#main", "../../weekly_brief/2026-11-02/brief.html"]
    assert not {"script", "link", "img", "iframe", "form"} & set(reader.elements)
    sparks = [chart for chart in reader.charts if "spark" in chart["attributes"].get("class", "")]
    assert sparks and all(chart["attributes"].get("aria-label") for chart in sparks)


def test_every_figure_of_the_page_is_in_the_evidence(cases: ModuleType, case: str) -> None:
    evidence = on_one_page(cases.evidence(case))
    text = page_reader.read(render_review(evidence)).text.partition("Made from")[0]
    assert golden_module("test_brief").strangers(text, evidence) == []


def test_three_of_twenty_decisions_stand_and_the_rest_is_counted(cases: ModuleType) -> None:
    evidence = crowded(cases)
    page = lay_out_page(compose(evidence, {}, review_words(evidence)), review_words(evidence))
    assert [len(page.decisions), page.more_decisions.replace("\u00a0", " ")] == [
        3,
        "17 more things need a decision: they are in the full review.",
    ]
    assert len(page.rows) == 9
    assert page.more_rows.replace("\u00a0", " ") == "11 more indicators are in the full review."
    small = lay_out_page(compose(evidence, {}, review_words(evidence)), review_words(evidence), ROOMS[-1])
    assert (len(small.decisions), len(small.rows)) == (3, 2)
    assert small.more_rows.replace("\u00a0", " ") == "18 more indicators are in the full review."
    assert all(len(choice.action) <= 44 for choice in small.decisions)


def test_rows_that_miss_their_limit_have_their_place_first(cases: ModuleType) -> None:
    evidence = on_one_page(cases.evidence("breaching"))
    brief = compose(evidence, {}, review_words(evidence))
    page = lay_out_page(brief, review_words(evidence), ROOMS[-1])
    assert len(page.rows) == 2 and all(row.is_missed for _, row in page.rows)


def test_it_never_points_to_a_section_that_it_lacks(cases: ModuleType) -> None:
    text = page_reader.read(render_review(crowded(cases))).text
    assert "Limits missed" not in text and "needs a decision" in text.replace("need a", "needs a")


def test_the_ordinary_layout_goes_unsaid_so_that_known_evidence_keeps_its_hash(cases: ModuleType) -> None:
    plain = cases.evidence("quiet")
    assert not {"layout", "whole_review", "whole_title"} & set(plain.model_dump())
    page = on_one_page(plain)
    assert Evidence.model_validate_json(canonical_json(page)) == page
    assert sha256(page) != sha256(plain)


if __name__ == "__main__":  # with tests/ on the path
    GOLDEN.mkdir(exist_ok=True)
    for one in ("breaching", "waiting"):
        for tongue in LANGUAGES:
            shown = render_review(on_one_page(golden_module("brief_cases").evidence(one)), {}, tongue)
            path_of(one, tongue).write_text(shown, encoding="utf-8")
