"""What customers wrote where an indicator is a concern, as evidence: topics counted; quotes are parts."""

from __future__ import annotations

import datetime as dt

from hansei.reviews.base import Figure, Frozen, Identifier, Text

# Columns of a part of quotes: the first is the text as it is shown, the others tell whose words they are.
QUOTE_COLUMNS = (
    "comment",
    "responded_date",
    "score",
    "scale_minimum",
    "scale_maximum",
    "response_id",
    "ticket_id",
    "customer_id",
    "respondent_email",
)


class TopicCount(Frozen):
    """How many comments with a bad rating name a topic, before and now.

    lower_bound, upper_bound: interval of the change of its share in them; all topics' intervals hold together at 95 %.
    """

    topic_id: Identifier
    title: Text
    count_before: int
    count_now: int
    lower_bound: Figure | None = None
    upper_bound: Figure | None = None

    @property
    def is_more(self) -> bool:
        return self.lower_bound is not None and self.lower_bound > 0

    @property
    def is_less(self) -> bool:
        return self.upper_bound is not None and self.upper_bound < 0


class UnnamedTopic(Frozen):
    """Terms that come up together in comments against that no topic fits, and how many of them hold two or more."""

    terms: tuple[Text, ...]
    count_before: int
    count_now: int


class Comments(Frozen):
    """What was read of a segment over the two spans of an explanation; `against` are comments with a bad rating.

    indicator_ids: the concerns of the segment, first the one whose spans these are. untold_now: of those against, how
    many name no topic. topics: the most named now first; unnamed: what the others have in common, if enough do.
    """

    indicator_ids: tuple[Identifier, ...]
    segment_id: Text
    segment_label: Text
    before_start: dt.date
    before_end: dt.date
    now_start: dt.date
    now_end: dt.date
    read_before: int
    read_now: int
    against_before: int
    against_now: int
    untold_now: int = 0
    topics: tuple[TopicCount, ...] = ()
    unnamed: tuple[UnnamedTopic, ...] = ()
    quotes_part: Identifier | None = None
