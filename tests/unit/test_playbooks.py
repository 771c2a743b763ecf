"""Playbooks: the one that asks most of a case is proposed, in the reader's language; a fault is told by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hansei.catalog import load_catalog
from hansei.catalog.documents import Language
from hansei.catalog.loader import examine
from hansei.catalog.playbooks import Playbook, in_language, proposed
from hansei.settings import load_settings


def book(name: str, **more: object) -> Playbook:
    base = {"id": name, "indicators": ["nps"], "action": {"en": "Do it at {place}."}, "steps": [{"en": "Now."}]}
    return Playbook.model_validate(base | {"review_after": "4w"} | more)


def test_the_playbook_that_asks_most_of_the_case_is_proposed() -> None:
    books = [
        book("anywhere"),
        book("changed", situation="changed"),
        book("in_teams", dimensions=["team"]),
        book("changed_in_teams", situation="changed", dimensions=["team", "channel"]),
        book("other", indicators=["backlog"], situation="changed", dimensions=["team"]),
    ]

    def found(situation: str, *dimensions: str, of: str = "nps") -> str | None:
        chosen = proposed(books, of, situation, dimensions)
        return chosen.id if chosen else None

    assert found("changed", "team") == "changed_in_teams"
    assert found("changed", "priority") == "changed"
    assert found("standing", "team") == "in_teams"
    assert found("standing") == "anywhere"
    assert found("changed", of="reopen_rate") is None
    assert proposed(reversed(books), "nps", "changed", ()).id == "changed"


def test_a_text_falls_back_to_english() -> None:
    assert in_language({"en": "Look", "zh_CN": "看"}, "zh_CN") == "看"
    assert in_language({"en": "Look"}, "zh_CN") == "Look"


def test_every_shipped_playbook_speaks_every_language_of_the_product() -> None:
    books = load_catalog(load_settings({})).playbooks.values()
    assert len(books) >= 10
    languages = set(Language.__args__)
    for one in books:
        assert all(set(texts) == languages for texts in (one.action, *one.steps)), one.id


def test_limits_that_people_miss_most_have_a_playbook_for_both_situations() -> None:
    catalog = load_catalog(load_settings({}))
    review = catalog.reviews["weekly_brief"]
    judged = [name for name in review.indicators if catalog.indicators[name].direction != "neutral"]
    assert len(judged) > 8
    for name in judged:
        for situation in ("changed", "standing"):
            assert proposed(catalog.playbooks.values(), name, situation, ()), (name, situation)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("indicators: [nps]", "indicators: [unheard_of]", "indicators: 'unheard_of' is not defined"),
        ("dimensions: [team]", "dimensions: [planet]", "dimensions: 'planet' cuts no indicator"),
        ("{en: At team}", "{zh_CN: 团队}", "write it in English too"),
        ("{en: At team}", "{en: 'At {team}'}", "the only word in braces is {place}"),
        ("review_after: 4w", "review_after: soon", "write a number and one of"),
    ],
)
def test_a_fault_names_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = (
        "id: mine\nindicators: [nps]\ndimensions: [team]\naction: {en: At team}\nsteps: [{en: Go}]\nreview_after: 4w\n"
    )
    file = tmp_path / "playbooks" / "mine.yaml"
    file.parent.mkdir()
    file.write_text(text, "utf-8")
    settings = load_settings({"HANSEI_DEFINITIONS": str(tmp_path)})
    assert examine(settings)[1] == []
    file.write_text(text.replace(old, new), "utf-8")
    faults = [str(fault) for fault in examine(load_settings({"HANSEI_DEFINITIONS": str(tmp_path)}))[1]]
    assert len(faults) == 1 and told in faults[0] and "mine.yaml:" in faults[0], faults
