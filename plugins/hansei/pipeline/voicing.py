"""What customers wrote where an indicator is a concern: topics of comments with bad ratings, and quotes.

Read are comments of the segment, whatever survey they came with, over the spans that the concern is explained by; where
several concerns share a segment, of the one that customers judge themselves, else of the one that has lasted longest.
Inside a segment only that segment is read, and no segment is told of which a few people are left over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any

from hansei.catalog import Catalog
from hansei.catalog.reviews import WHOLE
from hansei.catalog.segments import parse_segment
from hansei.indicators.explain import of_segment
from hansei.methods import emerging, proportions
from hansei.methods.suppression import hidden_parts
from hansei.pipeline.comment_terms import terms_of
from hansei.reviews.comments import QUOTE_COLUMNS, Comments, TopicCount, UnnamedTopic
from hansei.reviews.evidence import Breach, Part, Word
from hansei.reviews.explanations import Explanation
from hansei.reviews.quotes import MOST_QUOTES, cut, is_quotable
from hansei.warehouse import Warehouse

COMMENTS, ANSWERS = "core.survey_comments", "core.survey_responses"
# All intervals of one place hold together with this confidence: each gets its share of what may go wrong (Bonferroni).
CONFIDENCE = 0.95
# How many of the worst comments are looked through for some that may be quoted.
_CANDIDATES = 100
MOST_PLACES = 4
# Of comments that no topic fits: how many are looked through for what they have in common, and how much of it is told.
_MOST_UNNAMED, _MOST_THEMES = 1000, 3


class Voicing:
    """Reads comments from an open read copy; quotes are kept in `parts`."""

    def __init__(self, warehouse: Warehouse, catalog: Catalog, about: str, salt_of: Callable[[str], str]) -> None:
        self.warehouse, self.catalog, self.about, self.salt_of = warehouse, catalog, about, salt_of
        self.minimum = next(iter(catalog.team_privacy.values())).minimum_cases
        self.parts: dict[str, Part] = {}
        self._quoted: set[str] = set()
        self._named: set[str] = set()

    def read(
        self, explanations: Iterable[Explanation], breaches: Iterable[Breach], words: Iterable[Word]
    ) -> Iterator[Comments]:
        """What was written in the places of concerns; nothing of those where nobody was dissatisfied in writing."""
        concerns = {(breach.indicator_id, breach.segment_id) for breach in breaches}
        worse = (word for word in words if word.moved == "worse" and word.segment_id == self.about)
        concerns |= {(word.indicator_id, self.about) for word in worse}
        places: dict[str, list[Explanation]] = {}
        for one in sorted(explanations, key=self._rank):
            is_read = self.about in (WHOLE, one.segment_id)
            if is_read and (one.indicator_id, one.segment_id) in concerns:
                places.setdefault(one.segment_id, []).append(one)
        found = filter(None, (self._read(place, group) for place, *group in places.values()))
        yield from islice(found, MOST_PLACES)

    def titles_in(self, language: str) -> dict[str, str]:
        """Titles of the topics that were found, in another language, by the English ones."""
        titles = [self.catalog.topics[topic_id].title for topic_id in sorted(self._named)]
        return {title["en"]: title[language] for title in titles if language in title}

    def _rank(self, one: Explanation) -> tuple:
        """First what customers judge themselves, then a segment before the whole, then what has lasted longest."""
        is_theirs = self.catalog.indicators[one.indicator_id].table == ANSWERS
        return (not is_theirs, one.segment_id == self.about, one.now_start, one.indicator_id, one.segment_id)

    def _read(self, place: Explanation, others: Iterable[Explanation]) -> Comments | None:
        inside = self._inside(place)
        if inside is None or not self._may_be_told(place):
            return None
        read, against = self._stances(place, inside)
        if not against[1]:
            return None
        topics, untold = self._topics(place, inside, against)
        return Comments(
            indicator_ids=(place.indicator_id, *(one.indicator_id for one in others)),
            segment_id=place.segment_id,
            segment_label=place.segment_label,
            before_start=place.before_start,
            before_end=place.before_end,
            now_start=place.now_start,
            now_end=place.now_end,
            read_before=read[0],
            read_now=read[1],
            against_before=against[0],
            against_now=against[1],
            untold_now=untold,
            topics=tuple(topics),
            unnamed=tuple(self._unnamed(place, inside)) if untold >= emerging.LEAST_TEXTS else (),
            quotes_part=self._quotes(place, inside, topics),
        )

    def _inside(self, place: Explanation) -> str | None:
        """Condition that takes the comments, and the answers, of the segment; None where they are not cut that way."""
        table = self.catalog.tables[COMMENTS]
        if not parse_segment(place.segment_id).keys() <= table.segments.keys():
            return None
        return " AND ".join(of_segment(table, "responded_date", place.segment_id)) or "TRUE"

    def _may_be_told(self, place: Explanation) -> bool:
        """Whether enough people answered a survey now, and enough of those not told of, or none, are left over.

        The whole less every part that is told is what nobody was to learn: where that is a few, the smallest part
        that might be told is not.
        """
        told = parse_segment(place.segment_id)
        cuts = [self.catalog.tables[ANSWERS].segment_of(name, "responded_date") for name in told]
        parts = "".join(f"{cut} AS part_{at}, " for at, cut in enumerate(cuts))
        query = (
            f"SELECT {parts}COUNT(DISTINCT COALESCE(customer_id, sitting_id)) AS people FROM {ANSWERS} "
            f"WHERE {_days(place.now_start, place.now_end)} AND NOT is_deleted"
        )
        if cuts:
            query += f" GROUP BY {', '.join(cuts)}"
        rows = self.warehouse.rows(query)
        counts = {tuple(row[f"part_{at}"] for at in range(len(cuts))): row["people"] for row in rows}
        own = tuple(told.values())
        return counts.get(own, 0) >= self.minimum and own not in hidden_parts(counts, self.minimum)

    def _stances(self, place: Explanation, inside: str) -> tuple[list[int], list[int]]:
        """Comments read, and those against, each before and now."""
        query = (
            f"SELECT {_is_now(place)} AS is_now, COUNT(*) AS read_count, "
            f"COUNT(CASE WHEN stance = 'against' THEN 1 END) AS against_count FROM {COMMENTS} "
            f"WHERE {_spans(place)} AND {inside} GROUP BY {_is_now(place)}"
        )
        read, against = [0, 0], [0, 0]
        for row in self.warehouse.rows(query):
            read[row["is_now"]], against[row["is_now"]] = row["read_count"], row["against_count"]
        return read, against

    def _topics(self, place: Explanation, inside: str, against: list[int]) -> tuple[list[TopicCount], int]:
        """The topics of comments against, most named now first, and how many comments of now name none."""
        query = (
            f"WITH comments AS (SELECT response_id, {_is_now(place)} AS is_now FROM {COMMENTS} "
            f"WHERE {_spans(place)} AND {inside} AND stance = 'against') "
            "SELECT topics.topic_id, comments.is_now, COUNT(*) AS comment_count FROM comments "
            "LEFT JOIN core.survey_comment_topics AS topics ON topics.response_id = comments.response_id "
            "GROUP BY topics.topic_id, comments.is_now"
        )
        counts: dict[str | None, list[int]] = {}
        for row in self.warehouse.rows(query):
            counts.setdefault(row["topic_id"], [0, 0])[row["is_now"]] = row["comment_count"]
        untold = counts.pop(None, [0, 0])[1]
        # A topic that the taxonomy has lost since the night is not told: nobody can say what it meant.
        told = {topic_id: found for topic_id, found in counts.items() if topic_id in self.catalog.topics}
        each = 1 - (1 - CONFIDENCE) / max(len(told), 1)
        self._named |= set(told)
        topics = [self._topic(topic_id, *found, *against, each) for topic_id, found in told.items()]
        return sorted(topics, key=lambda topic: (-topic.count_now, -topic.count_before, topic.topic_id)), untold

    def _unnamed(self, place: Explanation, inside: str) -> Iterator[UnnamedTopic]:
        """What comments against that no topic fits have in common now, and how many said so before."""
        rows = self.warehouse.rows(
            f"SELECT comments.comment, {_is_now(place)} AS is_now FROM {COMMENTS} AS comments "
            "LEFT JOIN core.survey_comment_topics AS topics ON topics.response_id = comments.response_id "
            f"WHERE {_spans(place)} AND {inside} AND stance = 'against' AND language IN ('en', 'zh') "
            f"AND topics.topic_id IS NULL ORDER BY responded_at DESC, comments.response_id LIMIT {_MOST_UNNAMED}"
        )
        terms = terms_of(row["comment"] for row in rows)
        texts: list[list[list[str]]] = [[], []]
        for row, found in zip(rows, terms, strict=True):
            texts[row["is_now"]].append(found)
        for theme in emerging.themes(texts[1])[:_MOST_THEMES]:
            before = len(emerging.members(texts[0], theme.terms))
            yield UnnamedTopic(terms=theme.terms, count_before=before, count_now=theme.count)

    def _topic(
        self, topic_id: str, before: int, now: int, all_before: int, all_now: int, confidence: float
    ) -> TopicCount:
        lower, upper = proportions.difference_interval(now, all_now, before, all_before, confidence) or (None, None)
        return TopicCount(
            topic_id=topic_id,
            title=self.catalog.topics[topic_id].title["en"],
            count_before=before,
            count_now=now,
            lower_bound=lower,
            upper_bound=upper,
        )

    def _quotes(self, place: Explanation, inside: str, topics: list[TopicCount]) -> str | None:
        """A part with a few comments of now, each of another respondent: the topics that rose first, then the worst."""
        risen = ", ".join(f"'{topic.topic_id}'" for topic in topics if topic.is_more)
        rises = f"EXISTS (SELECT 1 FROM core.survey_comment_topics AS topics WHERE topics.topic_id IN ({risen}) "
        rises += "AND topics.response_id = comments.response_id)"
        rows = self.warehouse.rows(
            f"SELECT language, {', '.join(QUOTE_COLUMNS)} FROM {COMMENTS} AS comments "
            f"WHERE {_days(place.now_start, place.now_end)} AND {inside} AND stance = 'against' "
            f"ORDER BY {f'CASE WHEN {rises} THEN 0 ELSE 1 END, ' if risen else ''}rating_ratio, responded_at DESC, "
            f"response_id LIMIT {_CANDIDATES}"
        )
        chosen = list(_quotable(row for row in rows if row["response_id"] not in self._quoted))
        if not chosen:
            return None
        self._quoted |= {row["response_id"] for row in chosen}
        part_id = f"quotes_{len(self.parts) + 1}"
        cells = tuple(tuple(_cell(row[name]) for name in QUOTE_COLUMNS) for row in chosen)
        salt = self.salt_of(part_id)
        self.parts[part_id] = Part(part_id=part_id, kind="quotes", salt=salt, columns=QUOTE_COLUMNS, rows=cells)
        return part_id


def _quotable(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """At most so many as are shown, cut; no respondent and no text twice."""
    people: set[str] = set()
    texts: set[str] = set()
    for row in rows:
        person = row["customer_id"] or row["respondent_email"] or row["response_id"]
        text = cut(row["comment"])
        if person in people or text.casefold() in texts or not is_quotable(row["comment"], row["language"]):
            continue
        people.add(person)
        texts.add(text.casefold())
        yield row | {"comment": text}
        if len(people) == MOST_QUOTES:
            return


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _days(first: date, last: date) -> str:
    return f"responded_date >= DATE '{first}' AND responded_date < DATE '{last + timedelta(days=1)}'"


def _spans(place: Explanation) -> str:
    before, now = _days(place.before_start, place.before_end), _days(place.now_start, place.now_end)
    return f"(({before}) OR ({now}))"


def _is_now(place: Explanation) -> str:
    return f"CASE WHEN responded_date >= DATE '{place.now_start}' THEN 1 ELSE 0 END"
