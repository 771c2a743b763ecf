"""The brief's content, laid out for its template: every string is ready to be shown, none is markup but charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from hansei.reviews import charts, figures, headlines, honesty, narrative, standing
from hansei.reviews.accounts_view import AccountsView, view_accounts
from hansei.reviews.actions_view import ActionView, view_actions
from hansei.reviews.asked import own_limits
from hansei.reviews.causes import Cause, causes
from hansei.reviews.evidence import Breach, Evidence, Part, check_parts, sha256
from hansei.reviews.indicator_view import IndicatorView, view_indicator
from hansei.reviews.locales import Locale
from hansei.reviews.outlook_view import Ahead, view_outlook
from hansei.reviews.profile_view import ProfileView, view_profiles
from hansei.reviews.risk_view import RegisterView, view_registers
from hansei.reviews.scorecard_view import CardView, view_cards
from hansei.reviews.voices import Voiced, view_voices


@dataclass(frozen=True)
class Missed:
    """A row of the list of limits missed."""

    indicator_id: str
    title: str
    place: str
    level: str
    value: str
    interval: str
    count: str
    limit: str
    since: str
    owner: str
    reason: str
    is_firm: bool


@dataclass(frozen=True)
class Brief:
    evidence: Evidence
    hash: str
    service: str
    title: str
    audience: str
    called: str
    subject: str
    week: str
    dates: str
    as_of: str
    headline: headlines.Headline
    decisions: tuple[tuple[narrative.Decision, Markup], ...]
    more_decisions: int
    watched: tuple[tuple[narrative.Decision, Markup], ...]
    earlier_actions: tuple[ActionView, ...]
    causes: tuple[Cause, ...]
    voices: tuple[Voiced, ...]
    missed: tuple[Missed, ...]
    indicators: tuple[IndicatorView, ...]
    accounts: AccountsView | None
    cards: tuple[CardView, ...]
    profiles: tuple[ProfileView, ...]
    registers: tuple[RegisterView, ...]
    outlook: Ahead | None
    topics: tuple[honesty.Topic, ...]


def compose(evidence: Evidence, parts: Mapping[str, Part], words: Locale, evidence_hash: str | None = None) -> Brief:
    """The evidence as a brief in the language of `words`.

    Raises EvidenceError where a part is not the one that the evidence refers to.
    """
    check_parts(evidence, parts)
    found = narrative.decisions(evidence, words)
    drawn = [(decision, _spark(evidence, decision, words)) for decision in found]
    return Brief(
        evidence=evidence,
        hash=evidence_hash or sha256(evidence),
        service=words.text(evidence.service_name),
        title=words.text(evidence.title),
        audience=standing.subject(evidence, words) if evidence.about_label else words.text(evidence.audience),
        called=_called(evidence, words),
        subject=words.opened(standing.subject(evidence, words)),
        week=words.week_alone(evidence.period_start),
        dates=words.span(evidence.period_start, evidence.period_end),
        as_of=words.moment(evidence.as_of, evidence.reporting_zone),
        headline=headlines.headline(evidence, found, words),
        decisions=tuple(d for d in drawn if d[0].needs_decision)[: evidence.maximum_decisions],
        more_decisions=max(sum(d.needs_decision for d in found) - evidence.maximum_decisions, 0),
        watched=tuple(d for d in drawn if not d[0].needs_decision),
        earlier_actions=view_actions(evidence, words),
        causes=tuple(causes(evidence, parts, words)),
        voices=view_voices(evidence, parts, words),
        missed=tuple(_missed(evidence, breach, words) for breach in standing.strongest(evidence.breaches)),
        indicators=tuple(view_indicator(evidence, indicator, parts, words) for indicator in evidence.indicators),
        accounts=view_accounts(evidence, words),
        cards=view_cards(evidence, words),
        profiles=view_profiles(evidence, words),
        registers=view_registers(evidence, words),
        outlook=view_outlook(evidence, words),
        topics=tuple(honesty.topics(evidence, words)),
    )


def _called(evidence: Evidence, words: Locale) -> str:
    """What an edition is called among others: `Weekly brief`; `Team review, team Billing`."""
    title = words.name(evidence.title)
    if not evidence.about_label:
        return title
    return words.say("page.review_and_audience", review=title, audience=standing.subject(evidence, words))


def _spark(evidence: Evidence, decision: narrative.Decision, words: Locale) -> Markup:
    indicator = evidence.indicator(decision.breach.indicator_id)
    known = {evidence.about: indicator.series} | {segment.segment_id: segment.series for segment in indicator.segments}
    series = known.get(decision.breach.segment_id, ())
    label = words.say("narrative.in_place", title=decision.title, place=decision.place)
    return charts.sparkline(series, evidence.period_start, indicator.unit, label, own_limits(decision.breach), words)


def _missed(evidence: Evidence, breach: Breach, words: Locale) -> Missed:
    indicator = evidence.indicator(breach.indicator_id)
    weeks, first = words.count(breach.consecutive_periods, "week"), words.week(breach.first_period)
    since = words.say("narrative.row_since", weeks=weeks, week=first)
    since = words.say("narrative.row_new") if breach.consecutive_periods == 1 else since
    return Missed(
        indicator_id=breach.indicator_id,
        title=words.name(indicator.title),
        place=standing.place(breach, words, evidence.about),
        level=breach.level,
        value=words.contrast(breach),
        interval=words.interval(breach.lower_bound, breach.upper_bound, breach.unit),
        count=figures.NOTHING if breach.sample_count is None else words.count(breach.sample_count, indicator.counts),
        limit=words.limit(breach.limit, breach.unit, breach.is_upper),
        since=words.say("narrative.row_restated", since=since) if breach.restated else since,
        owner=words.name(breach.owner or indicator.owner),
        reason=words.name(breach.reason, 240),
        is_firm=standing.is_firm(breach),
    )
