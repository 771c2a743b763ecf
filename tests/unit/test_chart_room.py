"""Room for what is written at a line's end: no label runs out of its card."""

from hansei.reviews.chart_scales import NARROW


def test_a_long_label_gets_room_and_a_short_one_changes_nothing() -> None:
    assert NARROW.with_room_at_the_end(["36 %"]) == NARROW
    # 18 letters of at most 0.88 × 7.7 points, and 12 before the first.
    assert NARROW.with_room_at_the_end(["warning 2 h 15 min"]).right == 134
    assert NARROW.with_room_at_the_end(["x" * 200]).right == 420 // 3
