"""What a review knows: one frozen object, gathered once, that every paper is a pure function of.

Reviews receive evidence and never query. `canonical_json` gives the same bytes for the same evidence on any machine
(sorted keys, no spaces, ISO dates, floats cut to twelve significant digits when they enter), and `sha256` names them.

Sample rows and quotes can hold a person's words, so they live in parts of their own. The evidence knows a part by
its id and a salted hash: erasing somebody replaces the part and its salt, and not one figure or hash here changes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from hansei.catalog.measures import Unit
from hansei.catalog.reviews import Layout, ReviewGrain
from hansei.indicators.periods import next_period, period_start
from hansei.reviews.appraisals import Card, Profile
from hansei.reviews.base import EvidenceError, Figure, Frozen, Identifier, Instant, Text, canonical_json, sha256
from hansei.reviews.comments import Comments
from hansei.reviews.explanations import Explanation, Proposal
from hansei.reviews.foundations import Honesty
from hansei.reviews.owned_accounts import OwnedAccounts
from hansei.reviews.parts import Part, PartReference
from hansei.reviews.prospects import EarlierAction, Outlook, Register
from hansei.reviews.shorter_periods import ShorterPeriods

__all__ = ["Evidence", "EvidenceError", "Part", "PartReference", "canonical_json", "check_parts", "sha256"]

SCHEMA_VERSION = 1

DURATIONS = ("seconds", "business_seconds")
Direction = Literal["lower_is_better", "higher_is_better", "neutral"]
Level = Literal["warning", "critical"]
State = Literal["ok", "no_data", "insufficient", "immature", "incomplete"]
Verdict = Literal["within", "too_few_data", "not_ready", "breach_warning", "breach_critical"]


class SourceReadiness(Frozen):
    """How far a source's gap-free data reaches, against how far the period needs it."""

    source: Text
    complete_until: Instant | None = None
    needed_until: Instant | None = None
    state: Literal["ready", "late", "failed", "never"]
    message: Text = ""

    @property
    def covers(self) -> bool:
        """Whether its data reaches as far as the period needs, whatever became of its latest run."""
        return bool(self.complete_until and self.needed_until and self.complete_until >= self.needed_until)


class Word(Frozen):
    """The one word of an indicator and segment this period (docs/signals.md), and the sentence that says why.

    `because`: the sentence's key among the messages `verdicts`, so that it can be told in other languages; empty where
    it has none. `since`: the first period of the pattern that the chart saw; None where nothing has changed.
    """

    indicator_id: Identifier
    segment_id: Text
    segment_label: Text
    word: Text
    reason: Text
    because: Text = ""
    since: dt.date | None = None

    @property
    def moved(self) -> str:
        """Has it changed? `worse`, `better`, `higher`, `lower` or `steady`; empty where the chart cannot say."""
        if self.word in ("data not ready", "too few data"):
            return ""
        return self.word.replace(",", " ").split()[0]


class Judged(Frozen):
    """One threshold held against one value. `supported`: the interval lies beyond the limit (None: no interval).

    `limit` is the one that `level` names; a threshold of two levels gives both in `warning_limit` and
    `critical_limit`. `consecutive_periods` counts weeks beyond either, up to this one.
    """

    indicator_id: Identifier
    segment_id: Text
    segment_label: Text
    threshold_id: Text
    level: Level
    direction: Direction
    side: Literal["at_most", "at_least"] | None = None
    limit: Figure
    warning_limit: Figure | None = None
    critical_limit: Figure | None = None
    value: Figure | None = None
    lower_bound: Figure | None = None
    upper_bound: Figure | None = None
    numerator: Figure | None = None
    denominator: Figure | None = None
    sample_count: int | None = None
    unit: Unit
    supported: bool | None = None
    owner: Text = ""
    reason: Text = ""
    valid_from: dt.date
    consecutive_periods: int = 0
    first_period: dt.date | None = None
    previous_value: Figure | None = None
    is_new: bool = False
    restated: bool = False

    @property
    def is_upper(self) -> bool:
        """True where the value must not exceed the limit; a neutral threshold without a side is an upper one."""
        return self.side == "at_most" if self.side else self.direction != "higher_is_better"


class Breach(Judged):
    """A threshold that its value misses this period."""

    value: Figure
    consecutive_periods: int = Field(default=1, ge=1)
    first_period: dt.date


class Judgement(Judged):
    """What a threshold says this period, breached or not."""

    verdict: Verdict


class Point(Frozen):
    """One period of a series; `value` is None unless there is something to divide."""

    period_start: dt.date
    value: Figure | None = None
    lower_bound: Figure | None = None
    upper_bound: Figure | None = None
    numerator: Figure | None = None
    denominator: Figure | None = None
    sample_count: int | None = None
    state: State = "ok"


class Limit(Frozen):
    """A threshold's value for the whole service from a date on, until `valid_to` (exclusive) if that is given."""

    value: Figure
    level: Level
    valid_from: dt.date
    threshold_id: Text
    side: Literal["at_most", "at_least"] | None = None
    valid_to: dt.date | None = None

    @property
    def kind(self) -> tuple[str, str, str]:
        return (self.threshold_id, self.level, self.side or "")

    def holds(self, on: dt.date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


class Usual(Frozen):
    """What is usual in a period as its control chart knew it: level and edges, and whether the period is marked."""

    period_start: dt.date
    centre: Figure | None = None
    low: Figure | None = None
    high: Figure | None = None
    moved: Literal["worse", "better", "higher", "lower"] | None = None


class SegmentSeries(Frozen):
    """A segment's weeks. `usual` is told of segments that miss a limit."""

    segment_id: Text
    label: Text
    dimension: Text
    series: tuple[Point, ...] = ()
    usual: tuple[Usual, ...] = ()


class Note(Frozen):
    """Something dated that a reader of the line should know.

    kind: `said` by the review's definition in `text`; else what the catalog and the warehouse know, told in any
    language from the other fields: a newer definition, a rebased chart, another calendar or policy, an outage of
    `seconds` (None while it lasts). `what` names it, `segment_id` whom it concerns.
    """

    date: dt.date
    text: Text = ""
    kind: Literal["said", "definition", "rebase", "calendar", "policy", "outage"] = "said"
    what: Text = ""
    segment_id: Text = "all"
    segment_label: Text = ""
    seconds: Figure | None = None

    @property
    def order(self) -> tuple[dt.date, str, str, str, str]:
        """Oldest first; of one day those that people wrote come last, with the latest letter."""
        return (self.date, self.kind, self.text, self.what, self.segment_id)


class IndicatorEvidence(Frozen):
    """One indicator: its definition in force, its weekly series (oldest first), limits, segments and proof."""

    indicator_id: Identifier
    version: int
    title: Text
    question: Text
    unit: Unit
    direction: Direction
    owner: Text = ""
    counts: Text = "ticket"
    counting: Text = ""
    numerator: Text = ""
    denominator: Text = ""
    exclusions: tuple[Text, ...] = ()
    caveats: tuple[Text, ...] = ()
    counted_on: Text = ""
    minimum_denominator: int | None = None
    series: tuple[Point, ...] = ()
    usual: tuple[Usual, ...] = ()
    whole: Point | None = None
    limits: tuple[Limit, ...] = ()
    segments: tuple[SegmentSeries, ...] = ()
    sql: Text = ""
    sample_part: Identifier | None = None
    notes: tuple[Note, ...] = ()

    @property
    def dated_limits(self) -> tuple[Limit, ...]:
        """The limits with their ends: a later one of the same threshold, level and side takes over from its date."""
        ordered = sorted(self.limits, key=lambda limit: (*limit.kind, limit.valid_from))
        found = list(ordered)
        for at, (before, after) in enumerate(pairwise(ordered)):
            ends_later = before.valid_to is None or before.valid_to > after.valid_from
            if before.kind == after.kind and ends_later:
                found[at] = before.model_copy(update={"valid_to": after.valid_from})
        return tuple(found)


class Evidence(Frozen):
    """Everything one edition of a review stands on.

    `about` is the segment that it is about, `all` for the whole service; `about_label` is how people call it. Inside a
    segment nothing is shown of fewer than `minimum_cases`.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    review_id: Identifier
    title: Text
    service_name: Text
    audience: Text = "whole service"
    about: Text = "all"
    about_label: Text = ""
    minimum_cases: int = 0
    languages: Annotated[tuple[Text, ...], Field(min_length=1)] = ("en",)
    # By language: what definitions' texts are in it, by their English text.
    translations: dict[Text, dict[Text, Text]] = Field(default_factory=dict)
    reporting_zone: Text
    grain: ReviewGrain = "week"
    period_start: dt.date
    period_end: dt.date
    as_of: Instant
    product_version: Text
    definitions_hash: Text
    # The ordinary layout goes unsaid, so that evidence reads as it did before there was another one. `whole_review` and
    # `whole_title` are id and title of the review that tells what one page leaves out.
    layout: Layout = Field(default="full", exclude_if=lambda layout: layout == "full")
    whole_review: Text = Field(default="", exclude_if=lambda text: not text)
    whole_title: Text = Field(default="", exclude_if=lambda text: not text)
    maximum_decisions: Annotated[int, Field(ge=1, le=3)] = 3
    readiness: tuple[SourceReadiness, ...] = ()
    breaches: tuple[Breach, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    words: tuple[Word, ...] = ()
    shorter: tuple[ShorterPeriods, ...] = Field(default=(), exclude_if=lambda found: not found)
    explanations: tuple[Explanation, ...] = ()
    comments: tuple[Comments, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    earlier_actions: tuple[EarlierAction, ...] = ()
    indicators: tuple[IndicatorEvidence, ...] = ()
    accounts: OwnedAccounts | None = Field(default=None, exclude_if=lambda found: found is None)
    cards: tuple[Card, ...] = ()
    profiles: tuple[Profile, ...] = ()
    registers: tuple[Register, ...] = ()
    outlooks: tuple[Outlook, ...] = ()
    honesty: Honesty = Honesty()
    parts: tuple[PartReference, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _one_language_once(cls, content: Any) -> Any:
        """Evidence of release 0.1 has one `language`."""
        if isinstance(content, dict) and "language" in content:
            return {key: value for key, value in content.items() if key != "language"} | {
                "languages": (content["language"],)
            }
        return content

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        """The period is one of the grain, ids are unique, and every reference leads somewhere."""
        start, following = self.period_start, self.period_end + dt.timedelta(days=1)
        if start != period_start(self.grain, start) or following != next_period(self.grain, start):
            raise ValueError(f"{start} to {self.period_end} is no {self.grain}")
        ids = [indicator.indicator_id for indicator in self.indicators]
        if len(set(ids)) != len(ids):
            raise ValueError(f"an indicator appears twice: {sorted(i for i in set(ids) if ids.count(i) > 1)}")
        said_of = (*self.breaches, *self.judgements, *self.words, *self.explanations, *self.proposals, *self.outlooks)
        said_of += self.shorter
        named = {said.indicator_id for said in said_of}.union(*(read.indicator_ids for read in self.comments))
        if unknown := sorted(named - set(ids)):
            raise ValueError(f"judged but not among the indicators: {unknown}")
        wanted = {i.sample_part for i in self.indicators if i.sample_part}
        wanted |= {e.examples_part for e in self.explanations if e.examples_part}
        wanted |= {c.quotes_part for c in self.comments if c.quotes_part}
        if unknown := sorted(wanted - {reference.part_id for reference in self.parts}):
            raise ValueError(f"sample parts without a reference: {unknown}")
        return self

    @cached_property
    def judged(self) -> dict[tuple[str, str], tuple[Judged, ...]]:
        """Everything said of an indicator and segment, by both ids; judgements before breaches."""
        found: dict[tuple[str, str], list[Judged]] = {}
        for one in (*self.judgements, *self.breaches):
            found.setdefault((one.indicator_id, one.segment_id), []).append(one)
        return {pair: tuple(said) for pair, said in found.items()}

    @cached_property
    def shorter_of(self) -> dict[tuple[str, str], ShorterPeriods]:
        """How shorter periods of an indicator and segment stood to their limits, by both ids; weeks before days."""
        order = ("week", "month", "day")
        found = sorted(self.shorter, key=lambda one: order.index(one.grain), reverse=True)
        return {(one.indicator_id, one.segment_id): one for one in found}

    @cached_property
    def explained(self) -> dict[tuple[str, str], Explanation]:
        """Why an indicator moved in a segment, by both ids."""
        return {(one.indicator_id, one.segment_id): one for one in self.explanations}

    @cached_property
    def proposed(self) -> dict[tuple[str, str], Proposal]:
        """What is proposed for an indicator in a segment, by both ids."""
        return {(one.indicator_id, one.segment_id): one for one in self.proposals}

    @cached_property
    def word_of(self) -> dict[tuple[str, str], Word]:
        """The one word of an indicator and segment, by both ids."""
        return {(word.indicator_id, word.segment_id): word for word in self.words}

    def indicator(self, indicator_id: str) -> IndicatorEvidence:
        """The indicator of that id; KeyError if the evidence has none."""
        for indicator in self.indicators:
            if indicator.indicator_id == indicator_id:
                return indicator
        raise KeyError(indicator_id)


def check_parts(evidence: Evidence, parts: Mapping[str, Part]) -> None:
    """Every part at hand is the one referred to, or says when it was erased; EvidenceError otherwise."""
    references = {reference.part_id: reference for reference in evidence.parts}
    for part_id, part in sorted(parts.items()):
        reference = references.get(part_id)
        if reference is None:
            raise EvidenceError(f"part {part_id}", "the evidence does not refer to it", "leave it out")
        if part.erased_on is None and not part.is_what(reference):
            raise EvidenceError(f"part {part_id}", "not the content that the evidence was made with", "restore it")
