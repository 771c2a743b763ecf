"""The first thing read of a review: its headline, and below it how the rest stands and what has changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hansei.reviews import standing
from hansei.reviews.evidence import Evidence, IndicatorEvidence
from hansei.reviews.locales import Locale
from hansei.reviews.narrative import Decision
from hansei.reviews.standing import judged_pairs, place, verdict


@dataclass(frozen=True)
class Headline:
    """The first thing read: what is not ready, what needs a decision, and how the rest stands."""

    not_ready: tuple[str, ...]
    title: str
    standfirst: tuple[str, ...]


def headline(evidence: Evidence, found: list[Decision], words: Locale) -> Headline:
    """What is not ready comes first; then decisions, counted; then how the whole service's indicators stand."""
    blocked = not_ready(evidence, words)
    decide = sum(decision.needs_decision for decision in found)
    watch = len(found) - decide
    judged = list(judged_pairs(evidence).values())
    if decide:
        title = words.say("narrative.needs_so_far" if blocked else "narrative.needs", count=decide)
    elif judged and not found and set(judged) <= {"not_ready", "too_few_data"}:
        title = words.say("narrative.nothing_judged")
    elif not judged:
        title = _of_accounts(evidence, words) or _of_shorter(evidence, words) or words.say("narrative.no_limit")
    else:
        title = words.say("narrative.nothing_so_far" if blocked else "narrative.nothing")
    standfirst = [*_standing(judged, words), *_of_periods(evidence, words)]
    standfirst += [*_moved(evidence, words, "worse"), *_moved(evidence, words, "better")]
    if decide > evidence.maximum_decisions and evidence.layout == "full":
        standfirst.append(words.say("narrative.most_first", count=evidence.maximum_decisions))
    if watch:
        standfirst.append(words.say("narrative.to_watch", count=watch))
    return Headline(not_ready=tuple(blocked), title=title, standfirst=tuple(standfirst))


def _of_accounts(evidence: Evidence, words: Locale) -> str:
    """What an account owner has to see to; empty in a review about something else."""
    if evidence.accounts is None:
        return ""
    count = sum(account.open_breach_count > 0 for account in evidence.accounts.shown)
    return words.say("accounts.still_open", count=count) if count else words.say("accounts.none_open")


def _of_shorter(evidence: Evidence, words: Locale) -> str:
    """What there is to say of a month without limits whose weeks have some; empty where they have none either."""
    if not evidence.shorter:
        return ""
    periods = words.say(f"verdicts.periods.{evidence.shorter[0].grain}")
    missed = {one.indicator_id for one in evidence.shorter if one.missed_count}
    key = "narrative.missed_within" if missed else "narrative.met_within"
    return words.say(key, count=len(missed), periods=periods)


def _of_periods(evidence: Evidence, words: Locale) -> Iterable[str]:
    """Where the weeks of a month missed their limits most often; nothing of a review of weeks."""
    missed = sorted(
        (one for one in evidence.shorter if one.missed_count),
        key=lambda one: (-one.missed_count / one.judged_count, -one.missed_count, one.indicator_id, one.segment_id),
    )
    labels = {(i.indicator_id, s.segment_id): s for i in evidence.indicators for s in i.segments}
    told = []
    for one in missed[:3]:
        title = words.name(evidence.indicator(one.indicator_id).title)
        segment = labels.get((one.indicator_id, one.segment_id))
        if segment is not None:
            where = place(segment, words, evidence.about, segment.label)
            title = words.say("narrative.title_and_place", title=title, place=where)
        count = standing.stood(evidence, one.indicator_id, one.segment_id, "no_limit", words)
        told.append(words.say("narrative.title_and_periods", title=title, count=count))
    if len(missed) > 3:
        told.append(words.say("narrative.others", count=len(missed) - 3))
    if told:
        yield words.say("narrative.limits_within", places=words.listed(told))


def _waits(evidence: Evidence, indicator: IndicatorEvidence) -> bool:
    whole = verdict(evidence, indicator.indicator_id, evidence.about, indicator.series)
    return "not_ready" in (whole, *judged_pairs(evidence, indicator.indicator_id).values())


def _standing(judged: list[str], words: Locale) -> Iterable[str]:
    """`Of 25 limits, 16 are met, 4 are missed and 5 have too few data.`"""
    met = judged.count("within")
    told = {
        "narrative.met": met,
        "narrative.missed_count": sum(key.startswith("breach") for key in judged),
        "narrative.too_few": judged.count("too_few_data"),
        "narrative.waiting": judged.count("not_ready"),
    }
    said = [words.say(key, count=count) for key, count in told.items() if count]
    if met and met == len(judged):
        yield words.say("narrative.all_met", count=met)
    elif said:
        yield words.say("narrative.of_limits", limits=words.count(len(judged), "limit"), parts=words.listed(said))


def _moved(evidence: Evidence, words: Locale, way: Literal["better", "worse"]) -> Iterable[str]:
    """What changed, of what is judged or of the edition's subject. What misses its limit is told elsewhere.

    Places stand beside titles unless all are the edition's subject.
    """
    missed = {(breach.indicator_id, breach.segment_id) for breach in evidence.breaches}
    found = [
        word
        for word in evidence.words
        if word.moved == way
        and (word.segment_id == evidence.about or (word.indicator_id, word.segment_id) in evidence.judged)
        and (word.indicator_id, word.segment_id) not in missed
    ]
    if found:
        titled = [(words.name(evidence.indicator(w.indicator_id).title), w) for w in found[:3]]
        told = [title for title, _ in titled]
        if any(word.segment_id != evidence.about for _, word in titled):
            places = [place(word, words, evidence.about) for _, word in titled]
            told = [
                words.say("narrative.title_and_place", title=title, place=where)
                for title, where in zip(told, places, strict=True)
            ]
        if len(found) > 3:
            told.append(words.say("narrative.others", count=len(found) - 3))
        yield words.say(f"narrative.{way}", places=words.listed(told))


def not_ready(evidence: Evidence, words: Locale) -> list[str]:
    """One sentence for each source that does not cover the period; then what that leaves unjudged."""
    found = []
    for source in evidence.readiness:
        if source.state == "ready" or source.covers:
            continue
        who = words.name(source.source)
        if source.state == "never" or source.complete_until is None:
            told = [words.say("narrative.nothing_arrived", source=who)]
        else:
            until = words.moment(source.complete_until, evidence.reporting_zone)
            key = "narrative.failed" if source.state == "failed" else "narrative.late"
            told = [words.say(key, source=who, moment=until)]
        if source.needed_until is not None:
            needed = words.moment(source.needed_until, evidence.reporting_zone)
            told.append(words.say("narrative.needed", moment=needed))
        if source.message:
            told.append(words.name(source.message, 200))
        found.append(words.together(told))
    waiting = [words.name(i.title) for i in evidence.indicators if _waits(evidence, i)]
    if waiting:
        found.append(words.say("narrative.not_judged", titles=words.listed(waiting)))
    return found
