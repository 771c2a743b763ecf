"""What a comment is about, in terms: telling words of both languages, and nobody's name."""

from __future__ import annotations

from hansei.pipeline.comment_terms import terms_of


def test_english_terms_are_telling_words_in_small_letters_and_short_words_in_capitals() -> None:
    assert terms_of(["We could not book the truck slot, and the API failed."]) == [
        ["book", "truck", "slot", "API", "failed"]
    ]


def test_a_word_at_the_beginning_counts_if_it_is_written_small_elsewhere() -> None:
    comments = ["Slots vanish. Jessica never called.", "no slots again", "Ask Jessica"]
    assert terms_of(comments) == [["slots", "vanish", "called"], ["slots"], []]


def test_markers_of_the_redaction_are_no_terms() -> None:
    assert terms_of(["Call [phone] or mail [e-mail] the yard"]) == [["mail", "yard"]]


def test_chinese_is_cut_into_words_and_names_are_left_out() -> None:
    (found,) = terms_of(["李经理取消了集卡时段，闸口清单没有更新。"])
    assert found[0] == "取消" and {"时段", "清单"} <= set(found)
    assert not any("李" in term or "经理" in term for term in found)
