"""Recipients as definitions: what is refused, with the file, the line and the next step; secrets are never quoted."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.definition_faults import faults

from hansei.catalog.loader import examine
from hansei.settings import load_settings

VERA = """\
id: vera
name: Vera
language: zh_CN
owners: [service-desk]
minimum_severity: important
channels:
  - {connection: desk_mail, kind: mail}
  - {connection: desk_chat, kind: chat}
when: weekdays
"""


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    (tmp_path / "recipients").mkdir()
    (tmp_path / "recipients" / "vera.yaml").write_text(VERA)
    return tmp_path


def test_a_sound_recipient_has_no_fault(overlay: Path) -> None:
    assert faults(overlay) == []
    vera = examine(load_settings({"HANSEI_DEFINITIONS": str(overlay)}))[0].recipients["vera"]
    assert [channel.connection for channel in vera.channels] == ["desk_mail", "desk_chat"]
    assert [name for name in ("service-desk", "vera", "billing") if vera.answers_for(name)] == ["service-desk", "vera"]
    assert [word for word in ("general", "important", "major") if vera.wants(word)] == ["important", "major"]


def test_somebody_who_gets_reviews_alone_answers_for_nobody(overlay: Path) -> None:
    path = overlay / "recipients" / "vera.yaml"
    path.write_text(path.read_text("utf-8").replace("owners: [service-desk]", "owners: []"), "utf-8")
    assert faults(overlay) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("zh_CN", "fr", "recipients/vera.yaml:3: language: 'fr': Input should be 'en' or 'zh_CN'"),
        ("[service-desk]", "[service-dest]", "vera.yaml:4: owners.0: no indicator and no threshold has the owner"),
        ("[service-desk]", "[service-desk, '*']", "owners: '*' is all of them, and stands alone"),
        ("[service-desk]", "[service-desk, service-desk]", "owners: one stands twice"),
        ("desk_chat", "desk_mail", "channels: desk_mail stands twice"),
        ("kind: chat", "kind: pager", "vera.yaml:8: channels.1.kind: 'pager'"),
        ("important", "severe", "vera.yaml:5: minimum_severity: 'severe'"),
        ("weekdays", "mondays", "vera.yaml:9: when: 'mondays'"),
        ("name: Vera", "name: Vera\naddress: v@aurora.example", "vera.yaml:3: address: is not a known key"),
        ("id: vera", "id: wei", "vera.yaml:1: id: 'wei' in a file named 'vera'"),
    ],
)
def test_a_mistake_names_its_place(overlay: Path, old: str, new: str, expected: str) -> None:
    (overlay / "recipients" / "vera.yaml").write_text(VERA.replace(old, new))
    found = faults(overlay)
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize("secret", ["vera@aurora.example", "slack://T1JJ3/A1BRT/TIiajkdnl", "https://hook/t0ken"])
def test_an_address_in_the_place_of_a_connection_is_refused_unquoted(overlay: Path, secret: str) -> None:
    (overlay / "recipients" / "vera.yaml").write_text(VERA.replace("desk_mail", f'"{secret}"'))
    found = faults(overlay)
    assert len(found) == 1
    assert "vera.yaml:7: channels.0" in found[0] and "value not shown" in found[0]
    assert secret not in found[0]


def test_people_are_no_part_of_what_the_warehouse_keeps(overlay: Path) -> None:
    told = examine(load_settings({"HANSEI_DEFINITIONS": str(overlay)}))[0]
    untold = examine(load_settings({}))[0]
    assert "recipients" not in told.everything()
    assert told.fingerprint(told.everything()) == untold.fingerprint(untold.everything())
