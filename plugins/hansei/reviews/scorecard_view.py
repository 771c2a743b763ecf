"""Scorecards as the brief shows them: a total with its lines, what costs it most, and how much is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from hansei.indicators.periods import previous_period
from hansei.reviews.appraisals import Card, Scored, ScoredGroup, ScoredLine
from hansei.reviews.evidence import Evidence
from hansei.reviews.figures import NOTHING
from hansei.reviews.locales import Locale

MOST_WORST = 3
# Points of a total below which a line is not worth naming.
LEAST_LOST = 0.5


@dataclass(frozen=True)
class GroupRow:
    """A dimension of the card; `meter` draws its score, its interval and the score before."""

    title: str
    score: str
    interval: str
    previous: str
    weight: str
    coverage: str
    meter: Markup
    is_known: bool


@dataclass(frozen=True)
class LineRow:
    """An indicator on the card's scale. `link`: its id where the brief shows it, else empty."""

    link: str
    title: str
    group: str
    value: str
    worst: str
    best: str
    score: str
    previous: str
    lost: str
    is_known: bool


@dataclass(frozen=True)
class CardView:
    id: str
    title: str
    place: str
    question: str
    period: str
    total: str
    decided: str
    sentences: tuple[str, ...]
    groups: tuple[GroupRow, ...]
    worst: tuple[LineRow, ...]
    lines: tuple[LineRow, ...]


def view_cards(evidence: Evidence, words: Locale) -> tuple[CardView, ...]:
    """Every scorecard of the evidence."""
    shown = {indicator.indicator_id for indicator in evidence.indicators}
    return tuple(_card(card, shown, words) for card in evidence.cards)


def _card(card: Card, shown: set[str], words: Locale) -> CardView:
    lines = [(group, line) for group in card.groups for line in group.lines]
    worst = sorted((pair for pair in lines if pair[1].lost >= LEAST_LOST), key=lambda pair: -pair[1].lost)[:MOST_WORST]
    return CardView(
        id=card.card_id,
        title=words.name(card.title),
        place=words.name(card.segment_label) if card.segment_id != "all" else "",
        question=words.name(card.question, 240),
        period=words.short_period(card.grain, card.period_start),
        total=points(card.score, words),
        decided=words.say("scorecards.decided", approver=words.name(card.approver)) if card.approver else "",
        sentences=tuple(_sentences(card, [line for _, line in worst], words)),
        groups=tuple(_group(group, words) for group in card.groups),
        worst=tuple(_line(group, line, shown, words) for group, line in worst),
        lines=tuple(_line(group, line, shown, words) for group, line in lines),
    )


def points(score: float | None, words: Locale) -> str:
    """A score in whole points; the dash of nothing where there is none."""
    return NOTHING if score is None else words.number(score)


def _sentences(card: Card, worst: list[ScoredLine], words: Locale) -> Iterable[str]:
    """The total and how sure it is, what it was, what stands behind it, and what costs it most."""
    known = {"coverage": words.percent(card.coverage), "minimum": words.percent(card.minimum_coverage)}
    if card.score is None:
        yield words.say("scorecards.no_total", **known)
    elif card.lower_score is None or card.upper_score is None:
        yield words.say("scorecards.total", score=points(card.score, words))
    else:
        bounds = {"low": points(card.lower_score, words), "high": points(card.upper_score, words)}
        yield words.say("scorecards.total_between", score=points(card.score, words), **bounds)
    if card.previous_score is not None:
        before = words.short_period(card.grain, previous_period(card.grain, card.period_start))
        yield words.say("scorecards.before", period=before, score=points(card.previous_score, words))
    if card.score is not None and card.coverage < 1:
        yield words.say("scorecards.coverage", **known)
    if unknown := [words.name(group.title) for group in card.groups if group.score is None]:
        yield words.say("scorecards.unknown", groups=words.listed(unknown))
    if worst:
        named = [
            words.say("scorecards.lost_by", title=words.name(line.title), lost=words.number(line.lost, 1))
            for line in worst
        ]
        yield words.say("scorecards.worst", lines=words.listed(named))


def _group(group: ScoredGroup, words: Locale) -> GroupRow:
    return GroupRow(
        title=words.name(group.title),
        score=points(group.score, words) if group.score is not None else _why(group, words),
        interval=_interval(group, words),
        previous=points(group.previous_score, words),
        weight=words.percent(group.weight),
        coverage=words.percent(group.coverage),
        meter=_meter(group),
        is_known=group.score is not None,
    )


def _line(group: ScoredGroup, line: ScoredLine, shown: set[str], words: Locale) -> LineRow:
    return LineRow(
        link=line.indicator_id if line.indicator_id in shown else "",
        title=words.name(line.title),
        group=words.name(group.title),
        value=words.figure(line.value, line.unit),
        worst=words.bare_limit(line.worst, line.unit),
        best=words.bare_limit(line.best, line.unit),
        score=points(line.score, words) if line.score is not None else _why(line, words),
        previous=points(line.previous_score, words),
        lost=words.number(line.lost, 1) if line.score is not None else NOTHING,
        is_known=line.score is not None,
    )


def _interval(scored: Scored, words: Locale) -> str:
    if scored.lower_score is None or scored.upper_score is None:
        return NOTHING
    return words.say("figures.interval", low=points(scored.lower_score, words), high=points(scored.upper_score, words))


def _why(scored: Scored, words: Locale) -> str:
    """Why there is no score, in two or three words."""
    key = f"scorecards.state.{scored.state}"
    return words.say(key if words.knows(key) else "scorecards.state.missing")


def _meter(group: ScoredGroup) -> Markup:
    """A bar from 0 to 100 with its interval, and a mark where the score was before; its figures stand beside it."""
    body = '<rect class="g-track" x="0" y="3" width="200" height="10"/>'
    if group.score is not None:
        body += f'<rect class="g-bar" x="0" y="3" width="{2 * group.score:.1f}" height="10"/>'
        if group.lower_score is not None and group.upper_score is not None:
            body += f'<path class="g-reach" d="M{2 * group.lower_score:.1f} 8H{2 * group.upper_score:.1f}"/>'
    if group.previous_score is not None:
        body += f'<path class="g-before" d="M{2 * group.previous_score:.1f} 0V16"/>'
    return Markup(
        '<svg class="meter" viewBox="0 0 200 16" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(Markup(body))
