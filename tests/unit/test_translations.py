"""Definitions in other languages: what is shipped is whole, overlays win, and a fault is told by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hansei.catalog import load_catalog
from hansei.catalog.documents import Language
from hansei.catalog.loader import examine
from hansei.catalog.translations import translated
from hansei.pipeline.translating import with_translations
from hansei.reviews.evidence import Evidence, IndicatorEvidence, Note
from hansei.reviews.rendering import render_review
from hansei.settings import SHIPPED_INCLUDE, load_settings

OTHERS = [language for language in Language.__args__ if language != "en"]


def written(tmp_path: Path, text: str, folder: str = "translations") -> dict[str, str]:
    """An environment whose overlay has that one file."""
    name = text.split("id: ")[1].split("\n")[0]
    path = tmp_path / folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return {"HANSEI_DEFINITIONS": str(tmp_path)}


@pytest.mark.parametrize("language", OTHERS)
def test_everything_shipped_that_a_brief_shows_is_translated(language: str) -> None:
    catalog = load_catalog(load_settings({}))
    known = translated(catalog, language)
    texts = {text for one in catalog.indicators.values() for text in (one.title, one.question)}
    texts |= {text for one in catalog.reviews.values() for text in (one.title, one.audience)}
    texts |= {text for one in catalog.risks.values() for text in (one.title, one.question, one.control)}
    texts |= {group.title for card in catalog.scorecards.values() for group in card.dimensions}
    assert len(texts) > 300
    assert texts - known.keys() == set()


@pytest.mark.parametrize("language", OTHERS)
def test_the_demo_company_is_translated(language: str) -> None:
    demo = SHIPPED_INCLUDE / "demo" / "definitions"
    catalog = load_catalog(load_settings({"HANSEI_DEFINITIONS": str(demo)}))
    known = translated(catalog, language)
    review = catalog.reviews["weekly_brief"]
    texts = {threshold.reason for threshold in catalog.thresholds.values()} | {note.text for note in review.notes}
    texts |= {text for one in catalog.risks.values() for text in (one.title, one.control)}
    assert len(texts) > 10
    assert texts - known.keys() == set()


def test_an_overlay_translates_over_the_shipped_text(tmp_path: Path) -> None:
    own = "id: own\nlanguage: zh_CN\ntexts:\n  indicators:\n    backlog: {title: 待办}\n"
    catalog = load_catalog(load_settings(written(tmp_path, own)))
    known = translated(catalog, "zh_CN")
    assert known["Backlog"] == "待办"
    assert known["How many tickets are open at the end of the period?"] == "周期末有多少未结工单？"
    assert translated(catalog, "en") == {}


def test_a_shipped_translation_does_not_speak_for_a_definition_of_the_users_own(tmp_path: Path) -> None:
    shipped = (SHIPPED_INCLUDE / "definitions/reviews/weekly_brief.yaml").read_text("utf-8")
    own = shipped.replace("title: Weekly brief", "title: The week in billing").partition("id: ")
    catalog, faults = examine(load_settings(written(tmp_path, own[1] + own[2], "reviews")), is_thorough=False)
    assert faults == []
    known = translated(catalog, "zh_CN")
    assert "The week in billing" not in known and "Weekly brief" not in known
    assert known["Backlog"] == "积压量"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title: 待办", "titel: 待办", "own.yaml:5: texts.indicators.backlog.titel: the definition has no such key"),
        ("backlog", "backlogs", "own.yaml:5: texts.indicators.backlogs: indicators has no 'backlogs'"),
        ("indicators:", "figures:", "own.yaml:4: texts.figures: there is no definition of kind 'figures'"),
        ("title: 待办", "version: 一", "own.yaml:5: texts.indicators.backlog.version: is no text in the definition"),
        ("title: 待办", "title: 7", "own.yaml:5: texts.indicators.backlog.title: 7 is no text"),
        ("zh_CN", "en", "own.yaml:2: language: 'en' is what definitions are written in"),
        ("zh_CN", "tlh", "own.yaml:2: language: 'tlh': Input should be 'en' or 'zh_CN'"),
    ],
)
def test_a_fault_is_told_by_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    good = "id: own\nlanguage: zh_CN\ntexts:\n  indicators:\n    backlog: {title: 待办}\n"
    _, faults = examine(load_settings(written(tmp_path, good)), is_thorough=False)
    assert faults == []
    _, faults = examine(load_settings(written(tmp_path, good.replace(old, new))), is_thorough=False)
    assert len(faults) == 1
    assert told in str(faults[0])


def test_items_of_lists_are_named_by_id_or_stand_in_order(tmp_path: Path) -> None:
    own = (
        "id: own\nlanguage: zh_CN\ntexts:\n  scorecards:\n    balanced_service:\n"
        "      dimensions: {quality: {title: 品质}}\n  risks:\n    broken_promises:\n"
        "      key_indicators: [{leads: 先排队。}, {leads: 多余。}]\n"
    )
    catalog, faults = examine(load_settings(written(tmp_path, own)), is_thorough=False)
    assert [str(fault).partition("own.yaml:")[2] for fault in faults] == [
        "9: texts.risks.broken_promises.key_indicators.1.leads: the definition has no such key: "
        "correct the key or remove it"
    ]
    assert translated(catalog, "zh_CN")["Quality"] == "品质"


def test_evidence_holds_the_translations_of_its_own_texts_and_no_others() -> None:
    catalog = load_catalog(load_settings({}))
    backlog = catalog.indicators["backlog"]
    shown = IndicatorEvidence(
        indicator_id="backlog",
        version=1,
        title=backlog.title,
        question="Somebody's own question?",
        unit="count",
        direction="lower_is_better",
        counting="rows that are open at the end of the period",
        notes=(Note(date="2026-11-02", text="Weekly brief"),),
    )
    evidence = Evidence(
        review_id="weekly_brief",
        title="Weekly brief",
        service_name="Northwind",
        reporting_zone="UTC",
        period_start="2026-11-02",
        period_end="2026-11-08",
        as_of="2026-11-09T03:00:00",
        product_version="1",
        definitions_hash="0" * 64,
        languages=("en", "zh_CN"),
        indicators=(shown,),
    )
    found = with_translations(catalog, evidence, {"zh_CN": {"Call them.": "打电话。"}}).translations
    assert found == {
        "zh_CN": {
            "Backlog": "积压量",
            "Call them.": "打电话。",
            "Weekly brief": "每周简报",
            "whole service": "整体服务",
            "rows that are open at the end of the period": "周期末仍未结束的行数",
        }
    }


def test_a_page_links_to_its_other_languages() -> None:
    spoken = Evidence(
        review_id="weekly_brief",
        title="Weekly brief",
        service_name="Northwind",
        reporting_zone="UTC",
        period_start="2026-11-02",
        period_end="2026-11-08",
        as_of="2026-11-09T03:00:00",
        product_version="1",
        definitions_hash="0" * 64,
        languages=("zh_CN", "en"),
    )
    chinese, english = render_review(spoken), render_review(spoken, language="en")
    assert '<html lang="zh-CN">' in chinese and '<html lang="en">' in english
    assert '<a href="brief.en.html" hreflang="en" lang="en">English</a>' in chinese
    assert '<a href="brief.html" hreflang="zh-CN" lang="zh-CN">简体中文</a>' in english
    assert "hreflang" not in render_review(spoken.model_copy(update={"languages": ("en",)}))
