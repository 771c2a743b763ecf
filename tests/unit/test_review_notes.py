"""Notes that nobody wrote are told in each language from what is known of them."""

from __future__ import annotations

import datetime as dt

import pytest

from hansei.reviews.evidence import Note
from hansei.reviews.locales import locale
from hansei.reviews.notes import told

DAY = dt.date(2026, 7, 6)
SHIFT = {"kind": "calendar", "what": "One shift", "segment_id": "team=desk:7", "segment_label": "Night desk"}


@pytest.mark.parametrize(
    ("note", "english", "chinese"),
    [
        ({"text": "New version of the chat bot"}, "New version of the chat bot", "New version of the chat bot"),
        (SHIFT, "Team Night desk follows another calendar: One shift", "Night desk团队改用新日历：One shift"),
        ({"kind": "policy", "what": "Gold"}, "Other service levels: Gold", "服务级别变更：Gold"),
        ({"kind": "definition", "what": "2"}, "Counted anew: version 2 of its definition", "计数方式变更：定义第2版"),
        ({"kind": "rebase", "what": "Moved."}, "Judged anew from here: Moved.", "自此重新评判：Moved."),
        ({"kind": "outage", "what": "mail", "seconds": 12780}, "mail was down for 3 h 33 min", "mail中断3小时33分钟"),
        ({"kind": "outage", "what": "mail"}, "mail is down since then", "mail自此中断"),
    ],
)
def test_a_note_in_words(note: dict, english: str, chinese: str) -> None:
    known = Note(date=DAY, **note)
    assert told(known, locale("en"), 160).replace("\u00a0", " ") == english
    assert told(known, locale("zh_CN"), 160) == chinese


def test_hostile_names_are_cut() -> None:
    assert len(told(Note(date=DAY, kind="outage", what="x" * 10_000), locale("en"), 60)) < 90


def test_notes_stand_by_day_and_those_of_one_day_in_one_order() -> None:
    notes = [Note(date=DAY, text="b"), Note(date=DAY, kind="outage", what="z"), Note(date=DAY, **SHIFT)]
    notes.append(Note(date=dt.date(2026, 1, 1), text="z"))
    assert [note.kind for note in sorted(notes, key=lambda note: note.order)] == ["said", "calendar", "outage", "said"]
