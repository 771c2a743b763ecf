"""Hand-made evidence of what customers say: a chat whose bot annoys them, in quotes of two languages."""

from __future__ import annotations

import datetime as dt

from hansei.reviews.comments import QUOTE_COLUMNS
from hansei.reviews.evidence import Part

SALT = "0123456789abcdef0123456789abcdef"
SCALE = ("1", "5")


def topic(topic_id: str, title: str, before: int, now: int, lower: float, upper: float) -> dict:
    counts = {"topic_id": topic_id, "title": title, "count_before": before, "count_now": now}
    return counts | {"lower_bound": lower, "upper_bound": upper}


def comments() -> list[dict]:
    """18 of 46 now, 60 of 402 before; the bot rises from 3 of 60 to 11 of 18."""
    topics = [
        topic("bot", "Bot and automatic answers", 3, 11, 0.239, 0.79),
        topic("waiting", "Waiting", 24, 4, -0.424, 0.163),
        topic("reaching_a_person", "Reaching a person", 1, 3, -0.021, 0.452),
        topic("not_solved", "Not solved", 21, 0, -0.503, -0.019),
    ]
    spans = {
        "before_start": dt.date(2026, 4, 6),
        "before_end": dt.date(2026, 10, 4),
        "now_start": dt.date(2026, 10, 5),
        "now_end": dt.date(2026, 11, 8),
    }
    read = {"read_before": 402, "read_now": 46, "against_before": 60, "against_now": 18, "untold_now": 2}
    read |= {"unnamed": [{"terms": ["slot", "cancelled", "truck"], "count_before": 7, "count_now": 2}]}
    named = {"indicator_ids": ["csat_top_box", "first_reply_median"], "segment_id": "channel=chat"}
    return [named | spans | read | {"segment_label": "chat", "topics": topics, "quotes_part": "quotes_1"}]


def quotes(first: str = "The bot sent me in circles before a person answered.") -> Part:
    rows = (
        (first, "2026-11-05", "1", *SCALE, "f:1", "desk:1", "desk:c1", ""),
        ("聊天机器人听不懂，一直问同样的问题。", "2026-11-04", "1", *SCALE, "f:2", "desk:2", "desk:c2", ""),
        ("I could not get past the new chat bot.", "2026-10-28", "2", *SCALE, "f:3", "desk:3", "", "e0"),
    )
    return Part(part_id="quotes_1", kind="quotes", salt=SALT, columns=QUOTE_COLUMNS, rows=rows)
