"""One page of a brief: what an executive reads in a minute. What has no room is counted, and stands in the full review.

It is a selection from the brief and says nothing that the brief does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hansei.reviews import figures
from hansei.reviews.brief import Brief
from hansei.reviews.evidence import Evidence
from hansei.reviews.indicator_view import IndicatorView
from hansei.reviews.locales import Locale
from hansei.reviews.narrative import Decision


@dataclass(frozen=True)
class Room:
    """How much a page says: rows of the table, sentences of a decision and of a line, letters of texts and of names."""

    rows: int
    sentences: int
    letters: int
    name: int


# The first that fits is taken: names and sentences of every length have to fit one sheet.
ROOMS = (Room(9, 2, 200, 60), Room(7, 2, 140, 40), Room(5, 1, 100, 30), Room(3, 1, 60, 18), Room(2, 1, 44, 14))


@dataclass(frozen=True)
class Choice:
    """A decision in short."""

    level: str
    title: str
    place: str
    value: str
    asked: str
    sentences: tuple[str, ...]
    owner: str
    action: str


@dataclass(frozen=True)
class Line:
    """One line under the table: what it is about, and what it says."""

    title: str
    text: str


@dataclass(frozen=True)
class Page:
    """`more_decisions` and `more_rows` count what is left out; `whole` leads to it, at `href` on a screen."""

    not_ready: tuple[str, ...]
    standfirst: tuple[str, ...]
    decisions: tuple[Choice, ...]
    more_decisions: str
    rows: tuple[tuple[str, IndicatorView], ...]
    more_rows: str
    lines: tuple[Line, ...]
    whole: str
    href: str


def most_sheets(evidence: Evidence) -> int | None:
    """How many sheets a PDF may have; None where it may have as many as it takes."""
    return 1 if evidence.layout == "one_page" else None


def lay_out_page(brief: Brief, words: Locale, room: Room = ROOMS[0]) -> Page:
    """The brief's page in that room."""
    ordered = sorted(brief.indicators, key=lambda item: not item.is_missed)
    hidden = max(len(ordered) - room.rows, 0)
    shown = {item.id for item in ordered[: room.rows]}
    evidence, more = brief.evidence, brief.more_decisions
    return Page(
        not_ready=_first(brief.headline.not_ready, room, words),
        standfirst=tuple(figures.line(one, 3 * room.letters) for one in brief.headline.standfirst),
        decisions=tuple(_choice(decision, room, words) for decision, _ in brief.decisions),
        more_decisions=words.say("executive.more_decisions", count=more) if more else "",
        rows=tuple((figures.line(item.title, room.name), item) for item in brief.indicators if item.id in shown),
        more_rows=words.say("executive.more_rows", count=hidden) if hidden else "",
        lines=tuple(_lines(brief, room, words)),
        whole=words.say("executive.whole", title=words.name(evidence.whole_title), week=brief.week, dates=brief.dates),
        href=f"../../{evidence.whole_review}/{evidence.period_start}/brief.html" if evidence.about == "all" else "",
    )


def _choice(decision: Decision, room: Room, words: Locale) -> Choice:
    proposal = decision.proposal
    return Choice(
        level=decision.breach.level,
        title=figures.line(decision.title, room.name),
        place=figures.line(decision.place, room.name),
        value=decision.value,
        asked=words.say("page.asked_where", limit=decision.limit),
        sentences=tuple(figures.line(one, 2 * room.letters) for one in decision.sentences[: room.sentences]),
        owner=figures.line(decision.owner, room.name) or words.say("page.nobody"),
        action=figures.line(proposal.action, room.letters) if proposal else "",
    )


def _lines(brief: Brief, room: Room, words: Locale) -> Iterable[Line]:
    """Earlier actions, scorecard, risks and honesty, each in one line."""
    if brief.earlier_actions:
        acted = [
            words.say("executive.action", title=figures.line(one.title, 2 * room.name), word=one.word)
            for one in brief.earlier_actions
        ]
        yield Line(words.say("earlier_actions.title"), words.together(_first(acted, room, words)))
    if brief.cards:
        card, others = brief.cards[0], len(brief.cards) - 1
        said = words.together([*card.sentences[: room.sentences], *_more(others, words)])
        yield Line(words.say("scorecards.title"), figures.line(said, 3 * room.letters))
    if brief.registers:
        yield Line(words.say("risks.title"), words.together(_risks(brief, room, words)))
    loud = [
        words.say("review_mail.topic", title=topic.title, sentence=topic.sentences[0])
        for topic in brief.topics
        if not topic.is_quiet
    ]
    stands = [figures.line(one, 2 * room.letters) for one in loud[:1]] or [words.say("review_mail.all_covered")]
    yield Line(words.say("page.stands"), words.together([*stands, *_more(len(loud) - 1, words)]))


def _risks(brief: Brief, room: Room, words: Locale) -> list[str]:
    """The register's summary and its gravest risks; the rest is counted."""
    register = brief.registers[0]
    graded = [one for one in register.risks if one.graded]
    top = [
        words.say("executive.risk", title=figures.line(one.title, 2 * room.name), graded=one.graded)
        for one in graded[: room.sentences]
    ]
    more = sum(len(one.risks) for one in brief.registers) - len(top)
    return [*register.sentences[:1], *top, *_more(more, words)]


def _first(sentences: Sequence[str], room: Room, words: Locale) -> tuple[str, ...]:
    """As many as there is room for, and how many more there are."""
    shown = [figures.line(one, 2 * room.letters) for one in sentences[: room.sentences]]
    return (*shown, *_more(len(sentences) - len(shown), words))


def _more(count: int, words: Locale) -> list[str]:
    return [words.say("executive.more", count=count)] if count > 0 else []
