"""Comments where an indicator is a concern: who is counted, before and now, and who is quoted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from math import sqrt
from typing import Any

import pytest
from sql.staging_rows import publish

from hansei.catalog import Catalog
from hansei.pipeline.voicing import Voicing
from hansei.reviews.comments import Comments
from hansei.reviews.evidence import Breach, Part, Word
from hansei.reviews.explanations import Explanation
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

BEFORE, NOW = datetime(2026, 8, 5, 10), datetime(2026, 9, 9, 10)
STARS = {"survey_id": "desk:stars", "name": "stars", "kind": "csat", "scale_minimum": 1, "scale_maximum": 5}
BOT, SLOW = "The bot kept asking the same.", "We waited too long."


def answers(at: datetime, channel: str, comments: list[str | None], score: int = 1) -> list[dict[str, Any]]:
    """One answer of another customer for each comment, an hour apart, the newest last."""
    common = {"survey_id": "desk:stars", "survey_kind": "csat", "scale_minimum": 1, "scale_maximum": 5}
    name = f"{channel}{at:%m%d}{score}"
    return [
        {**common, "response_id": f"desk:{name}-{number:02}", "customer_id": f"desk:{name}-{number:02}", "score": score}
        | {"channel": channel, "comment": comment, "responded_at": at + timedelta(hours=number)}
        for number, comment in enumerate(comments)
    ]


@pytest.fixture
def filled(warehouse: Warehouse, catalog: Catalog) -> Warehouse:
    """Chat: the bot is named by 2 of 20 before and by 7 of 10 now. Mail is slow both times."""
    rows = answers(BEFORE, "chat", [BOT] * 2 + [SLOW] * 15 + ["Pity."] * 3)
    rows += answers(BEFORE, "chat", ["Quick, thanks"] * 5, score=5)
    texts = [f"{BOT} Number {number} of seven." for number in range(7)]
    rows += answers(NOW, "chat", [*texts, SLOW, "Pity.", "Slow. Regards, [name]", None, None])
    rows += answers(NOW, "chat", ["The bot is quick, thanks"] * 2, score=5)
    rows += answers(BEFORE, "mail", [SLOW] * 5) + answers(NOW, "mail", [SLOW] * 5 + [None] * 5)
    rows += answers(NOW, "phone", [SLOW] * 9)
    publish(warehouse, catalog.entities["surveys"], [STARS | {"is_higher_better": True}])
    publish(warehouse, catalog.entities["survey_responses"], rows)
    plant(warehouse, catalog, "run")
    refresh_models(warehouse, catalog, "core", "run")
    return warehouse


def explained(indicator_id: str, segment_id: str, now_start: date = date(2026, 9, 7)) -> Explanation:
    return Explanation(
        indicator_id=indicator_id,
        segment_id=segment_id,
        segment_label=segment_id,
        what="value",
        before_start=date(2026, 7, 6),
        before_end=now_start - timedelta(days=1),
        now_start=now_start,
        now_end=date(2026, 9, 13),
        value_before=0.8,
        value_now=0.5,
        count_before=100,
        count_now=50,
    )


def breach(indicator_id: str, segment_id: str) -> Breach:
    return Breach(
        indicator_id=indicator_id,
        segment_id=segment_id,
        segment_label=segment_id,
        threshold_id="t",
        level="critical",
        direction="higher_is_better",
        value=0.5,
        limit=0.7,
        unit="ratio",
        consecutive_periods=1,
        first_period=date(2026, 9, 7),
        valid_from=date(2026, 1, 5),
    )


def read(
    warehouse: Warehouse, catalog: Catalog, *places: tuple[str, str], words: tuple[Word, ...] = ()
) -> tuple[list[Comments], dict[str, Part]]:
    voicing = Voicing(warehouse, catalog, "all", lambda part_id: part_id.ljust(32, "s"))
    explanations = [explained(*place) for place in places]
    found = list(voicing.read(explanations, [breach(*place) for place in places], words))
    return found, voicing.parts


def newcombe(x1: int, n1: int, x2: int, n2: int, z: float) -> tuple[float, float]:
    """Newcombe 1998, method 10, from Wilson's two intervals."""

    def wilson(x: int, n: int) -> tuple[float, float]:
        middle, half = 2 * x + z * z, z * sqrt(z * z + 4 * x * (1 - x / n))
        return (middle - half) / (2 * (n + z * z)), (middle + half) / (2 * (n + z * z))

    (low1, high1), (low2, high2) = wilson(x1, n1), wilson(x2, n2)
    p1, p2 = x1 / n1, x2 / n2
    return p1 - p2 - sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2), p1 - p2 + sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2)


def test_topics_of_bad_ratings_are_counted_before_and_now(filled: Warehouse, catalog: Catalog) -> None:
    (found,), _ = read(filled, catalog, ("csat_top_box", "channel=chat"))
    assert (found.read_before, found.read_now, found.against_before, found.against_now) == (25, 12, 20, 10)
    counts = {topic.topic_id: (topic.count_before, topic.count_now) for topic in found.topics}
    assert counts == {"bot": (2, 7), "waiting": (15, 2)}
    assert found.untold_now == 1
    bot, waiting = found.topics
    assert (bot.is_more, bot.is_less, waiting.is_more) == (True, False, False)
    # Two topics share five in a hundred, so each interval is one of 97.5 %.
    assert (bot.lower_bound, bot.upper_bound) == pytest.approx(newcombe(7, 10, 2, 20, 2.241402727604947), rel=1e-9)


def test_quotes_are_of_different_people_without_names_and_the_risen_topic_first(
    filled: Warehouse, catalog: Catalog
) -> None:
    (found,), parts = read(filled, catalog, ("csat_top_box", "channel=chat"))
    part = parts[found.quotes_part]
    assert part.kind == "quotes"
    texts = [row[part.columns.index("comment")] for row in part.rows]
    assert texts == [f"{BOT} Number {number} of seven." for number in (6, 5, 4)]
    assert len({row[part.columns.index("customer_id")] for row in part.rows}) == 3


def test_one_person_is_quoted_once(filled: Warehouse, catalog: Catalog) -> None:
    filled.execute("UPDATE core.survey_comments SET customer_id = 'desk:one' WHERE channel = 'chat'")
    (found,), parts = read(filled, catalog, ("csat_top_box", "channel=chat"))
    assert len(parts[found.quotes_part].rows) == 1


def test_where_fewer_answered_than_may_be_told_of_nothing_is(filled: Warehouse, catalog: Catalog) -> None:
    assert read(filled, catalog, ("csat_top_box", "channel=phone")) == ([], {})
    lower = replace(
        catalog, team_privacy={"t": catalog.team_privacy["team_privacy"].model_copy(update={"minimum_cases": 9})}
    )
    (found,), parts = read(filled, lower, ("csat_top_box", "channel=phone"))
    assert (found.against_before, found.against_now, len(parts)) == (0, 9, 1)
    assert [(topic.topic_id, topic.lower_bound) for topic in found.topics] == [("waiting", None)]


def test_what_is_no_concern_or_cut_in_another_way_is_not_read(filled: Warehouse, catalog: Catalog) -> None:
    voicing = Voicing(filled, catalog, "all", lambda part_id: "s" * 32)
    explanations = [explained("csat_top_box", "all"), explained("csat_top_box", "agent=desk:7")]
    assert list(voicing.read(explanations, [breach("csat_top_box", "agent=desk:7")], [])) == []


def test_a_segment_that_leaves_a_few_over_is_not_told(filled: Warehouse, catalog: Catalog) -> None:
    """Mail and phone together are nineteen people; of those that are not told of, nothing may be worked out."""
    filled.execute("UPDATE core.survey_responses SET is_deleted = TRUE WHERE channel = 'mail'")
    assert read(filled, catalog, ("csat_top_box", "channel=chat")) == ([], {})
    (found,), _ = read(filled, catalog, ("csat_top_box", "all"))
    assert found.segment_id == "all"


def test_no_few_are_left_over_by_all_that_is_told_together(filled: Warehouse, catalog: Catalog) -> None:
    """Nine wrote by phone; the whole less chat less mail would tell what they said: mail, the smaller, is not told."""
    places = (("csat_top_box", "all"), ("csat_top_box", "channel=chat"), ("csat_top_box", "channel=mail"))
    found, _ = read(filled, catalog, *places)
    assert {comments.segment_id for comments in found} == {"all", "channel=chat"}
    whole, chat = sorted(found, key=lambda comments: comments.segment_id)
    assert whole.against_now - chat.against_now == 5 + 9


def test_inside_a_segment_only_that_segment_is_read(filled: Warehouse, catalog: Catalog) -> None:
    voicing = Voicing(filled, catalog, "channel=chat", lambda part_id: "s" * 32)
    places = ("channel=chat", "channel=chat&team=unassigned")
    explanations = [explained("csat_top_box", place) for place in places]
    (found,) = voicing.read(explanations, [breach("csat_top_box", place) for place in places], [])
    assert (found.segment_id, found.against_now) == ("channel=chat", 10)


def test_concerns_of_one_segment_are_read_once_and_no_comment_is_quoted_twice(
    filled: Warehouse, catalog: Catalog
) -> None:
    filled.execute("UPDATE core.survey_responses SET is_deleted = TRUE WHERE channel = 'phone'")
    places = (("reopen_rate", "channel=chat"), ("reopen_rate", "all"), ("csat_top_box", "channel=chat"))
    found, parts = read(filled, catalog, *places, ("reopen_rate", "channel=mail"))
    named = [(comments.indicator_ids, comments.segment_id) for comments in found]
    assert named == [
        (("csat_top_box", "reopen_rate"), "channel=chat"),
        (("reopen_rate",), "channel=mail"),
        (("reopen_rate",), "all"),
    ]
    quoted = [row[part.columns.index("response_id")] for part in parts.values() for row in part.rows]
    assert len(quoted) == len(set(quoted)) == 3 + 1 + 3


def test_a_figure_that_got_worse_as_a_whole_is_a_concern(filled: Warehouse, catalog: Catalog) -> None:
    voicing = Voicing(filled, catalog, "all", lambda part_id: "s" * 32)
    worse = Word(
        indicator_id="csat_top_box",
        segment_id="all",
        segment_label="Whole service",
        word="worse",
        reason="It fell.",
        since=date(2026, 9, 7),
    )
    (found,) = voicing.read([explained("csat_top_box", "all")], [], [worse])
    assert (found.read_now, found.against_now) == (26, 24)


def test_what_comments_without_a_topic_have_in_common_is_told_by_its_terms(
    warehouse: Warehouse, catalog: Catalog
) -> None:
    """Of sixty that no topic fits, forty speak of slots; before, one did."""
    things = ["crane", "vessel", "berth", "seal", "pallet", "ramp", "quay", "hook", "strap", "scale"]
    now = [f"Truck slots vanish at the {things[n % 10]} near the {things[(n * 3 + 1) % 10]}" for n in range(40)]
    now += [f"The {things[n % 10]} beside the {things[(n * 7 + 2) % 10]} looks odd" for n in range(20)]
    rows = answers(NOW, "chat", now) + answers(BEFORE, "chat", ["truck slots vanish", "The crane looks odd"])
    publish(warehouse, catalog.entities["surveys"], [STARS | {"is_higher_better": True}])
    publish(warehouse, catalog.entities["survey_responses"], rows)
    plant(warehouse, catalog, "run")
    refresh_models(warehouse, catalog, "core", "run")
    (found,), _ = read(warehouse, catalog, ("csat_top_box", "all"))
    assert (found.untold_now, found.topics) == (60, ())
    slots = next(unnamed for unnamed in found.unnamed if "slots" in unnamed.terms)
    assert set(slots.terms) <= {"slots", "vanish", "near", "truck"}
    assert (slots.count_before, slots.count_now) == (1, 40)
