"""What the figures stand on, in sentences: rows accounted for, what is late, odd, restated, unlinked or left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hansei.catalog.measures import Unit
from hansei.reviews import tie_outs
from hansei.reviews.evidence import Evidence
from hansei.reviews.foundations import CheckWarned, Honesty, Restated
from hansei.reviews.locales import Locale

MOST_LISTED = 12  # beyond this many lines a list is a wall; the rest is counted
MOST_RULES = 5
MOST_RESTATED = 6


@dataclass(frozen=True)
class Topic:
    """One thing to be honest about; `is_quiet` where there is nothing to tell."""

    title: str
    sentences: tuple[str, ...]
    is_quiet: bool = False
    table: tie_outs.Table | None = None


def topics(evidence: Evidence, words: Locale) -> list[Topic]:
    """Every topic, also the quiet ones: that nothing was late is worth a line."""
    facts = evidence.honesty
    return [
        _topic("late", _lateness(evidence, words), words),
        _topic("arrived", _arrivals(facts, words), words),
        _tied_out(facts, words),
        _topic("quarantined", _quarantined(facts, words), words),
        _topic("restated", _restated(evidence, words), words),
        _topic("drifted", _drifted(facts, words), words),
        _topic("unlinked", _unlinked(facts, words), words),
        _topic("excluded", _excluded(facts, words), words),
        _topic("clocks", _clocks(facts, words), words),
        _topic("warned", _warned(facts, words), words),
    ]


def _topic(key: str, sentences: Iterable[str], words: Locale) -> Topic:
    """The topic of that key; where there is nothing to tell, the sentence that says so."""
    found = tuple(sentences)
    if len(found) > MOST_LISTED:
        found = (*found[:MOST_LISTED], words.say("honesty.more", count=len(found) - MOST_LISTED))
    return Topic(words.say(f"honesty.{key}"), found or (words.say(f"honesty.{key}_none"),), not found)


def _tied_out(facts: Honesty, words: Locale) -> Topic:
    """What sources count of their own; the table has the days on which that differs from ours."""
    told = _topic("counted", tie_outs.sentences(facts.tie_outs, words), words)
    return replace(told, table=tie_outs.table(facts.tie_outs, words))


def _lateness(evidence: Evidence, words: Locale) -> Iterable[str]:
    for source in evidence.readiness:
        who = words.name(source.source)
        if source.state == "ready":
            continue
        if source.covers:
            told = [words.say("honesty.failed_but_covers", source=who)]
            yield words.together([*told, words.name(source.message, 200)] if source.message else told)
        elif source.complete_until:
            moment = words.moment(source.complete_until, evidence.reporting_zone)
            yield words.say("honesty.reach", source=who, moment=moment)
        else:
            yield words.say("honesty.nothing_yet", source=who)


def _arrivals(facts: Honesty, words: Locale) -> Iterable[str]:
    if not facts.batches:
        return
    names = ("received", "accepted", "duplicate", "quarantined", "held", "conflict")
    total = {name: sum(getattr(batch, name) for batch in facts.batches) for name in names}
    fates = [words.say("honesty.accepted", count=total["accepted"])]
    keys = {"duplicate": "honesty.known", "quarantined": "honesty.set_aside", "held": "honesty.held"}
    fates += [words.say(key, count=total[name]) for name, key in keys.items() if total[name]]
    yield words.say("honesty.rows_arrived", count=total["received"], fates=words.listed(fates))
    if wrong := [batch for batch in facts.batches if not batch.is_balanced]:
        told = [(words.name(batch.source), words.entity(batch.entity)) for batch in wrong[:MOST_LISTED]]
        listed = words.listed([words.say("honesty.source_and_entity", source=s, entity=e) for s, e in told])
        yield words.say("honesty.unbalanced", names=listed)
    else:
        yield words.say("honesty.balanced")
    if total["conflict"]:
        yield words.say("honesty.conflicts", count=total["conflict"])


def _quarantined(facts: Honesty, words: Locale) -> Iterable[str]:
    """The whole first, then one line for each source and entity with its rules, the most frequent first."""
    if not facts.quarantine:
        return
    yield words.say("honesty.waiting", count=sum(row.count for row in facts.quarantine))
    places = sorted({(row.source, row.entity) for row in facts.quarantine})
    for source, entity in places:
        rows = [row for row in facts.quarantine if (row.source, row.entity) == (source, entity)]
        rows.sort(key=lambda row: (-row.count, row.rule))
        told = [
            words.say("honesty.rule_and_count", rule=_rule(row.rule, words), number=words.number(row.count))
            for row in rows[:MOST_RULES]
        ]
        if len(rows) > MOST_RULES:
            told.append(words.say("honesty.more_rules", count=len(rows) - MOST_RULES))
        rules = words.say("honesty.between_rules").join(told)
        yield words.say("honesty.waiting_in", source=words.name(source), entity=words.entity(entity), rules=rules)


def _rule(rule: str, words: Locale) -> str:
    """A rule's name as people say it; one that is not known here keeps its own words."""
    kind, _, about = rule.partition(":")
    if kind.isidentifier() and words.knows(f"honesty.rules.{kind}"):
        if kind == "cast" and words.knows(f"honesty.types.{about}"):
            return words.say("honesty.rules.cast", about=words.say(f"honesty.types.{about}"))
        return words.say(f"honesty.rules.{kind}", about=words.name(about.replace("_", " ")))
    if "_" in kind:
        return words.say("honesty.rule_broken", rule=words.rule(kind))
    return words.name(rule.replace("_", " "), 120)


def _restated(evidence: Evidence, words: Locale) -> Iterable[str]:
    """How many in all, then the whole service's, newest week first."""
    known = {i.indicator_id: i for i in evidence.indicators}
    rows = [row for row in evidence.honesty.restatements if row.indicator_id in known]
    if not rows:
        return
    reasons = words.listed(sorted({_restatement_reason(row.reason, words) for row in rows}))
    yield words.say("honesty.restated_count", count=len(rows), reasons=reasons)
    told = []
    for row in sorted(rows, key=_restatement_order):
        before, after = _apart(row, known[row.indicator_id].unit, words)
        if before == after:
            continue  # a count below it moved, not the figure
        parts = {
            "title": words.name(known[row.indicator_id].title),
            "period": words.week(row.period_start) if row.grain == "week" else words.day(row.period_start),
            "before": before,
            "after": after,
        }
        if row.segment_id == "all":
            told.append(words.say("honesty.restated_figure", **parts))
        else:
            told.append(words.say("honesty.restated_in", segment=words.name(row.segment_label), **parts))
    yield from told[:MOST_RESTATED]
    if len(told) > MOST_RESTATED:
        yield words.say("honesty.restated_others")


def _restatement_reason(reason: str, words: Locale) -> str:
    key = f"honesty.restatement_reasons.{reason.replace(' ', '_')}"
    return words.say(key) if words.knows(key) else words.name(reason.replace("_", " "), 120)


def _restatement_order(row: Restated) -> tuple:
    return (row.segment_id != "all", -row.period_start.toordinal(), row.indicator_id, row.segment_id)


def _apart(row: Restated, unit: Unit, words: Locale) -> tuple[str, str]:
    """Both figures with as many digits as it takes to tell them apart."""
    nothing = words.say("honesty.nothing")
    for extra in range(4):
        told = (row.value_before, row.value_after)
        before, after = (nothing if value is None else words.figure(value, unit, extra) for value in told)
        if before != after:
            break
    return before, after


def _drifted(facts: Honesty, words: Locale) -> Iterable[str]:
    for row in facts.drift:
        parts = {
            "source": words.name(row.source),
            "entity": words.entity(row.entity),
            "field": words.name(row.field),
            "what": words.say(f"honesty.drift_kinds.{row.kind}"),
            "day": words.day(row.first_seen),
        }
        if row.count:
            yield words.say("honesty.drift", rows=words.count(row.count, "row"), **parts)
        else:
            yield words.say("honesty.drift_of_none", **parts)


def _unlinked(facts: Honesty, words: Locale) -> Iterable[str]:
    nouns = {"account": "ticket", "customer": "customer"}
    for row in facts.unlinked:
        if row.count:
            total = words.count(row.of, nouns[row.kind])
            yield words.say(f"honesty.unlinked_{row.kind}", number=words.number(row.count), all=total)


def _excluded(facts: Honesty, words: Locale) -> Iterable[str]:
    for row in facts.excluded:
        if row.count:
            tickets = words.count(row.count, "ticket")
            yield words.say("honesty.excluded_tickets", tickets=tickets, reason=words.exclusion(row.reason))


def _clocks(facts: Honesty, words: Locale) -> Iterable[str]:
    times = facts.time_adjustments
    if times.ambiguous:
        yield words.say("honesty.ambiguous", count=times.ambiguous)
    if times.nonexistent:
        yield words.say("honesty.nonexistent", count=times.nonexistent)


def _warned(facts: Honesty, words: Locale) -> Iterable[str]:
    for row in facts.checks_warned:
        parts = {
            # Checks of our own tables have no source.
            "source": words.say("honesty.warehouse") if row.source == "warehouse" else words.name(row.source),
            "entity": words.entity(row.entity),
            "what": _check(row, words),
        }
        if row.failed is None or row.checked is None:
            yield words.say("honesty.check", **parts)
        else:
            number, rows = words.number(row.failed), words.count(row.checked, "row")
            yield words.say("honesty.check_counted", number=number, rows=rows, **parts)


def _check(row: CheckWarned, words: Locale) -> str:
    """What a check found; messages are stored in English, other languages tell what kind of check it was."""
    kind, _, about = row.check.partition(":")
    if row.message and words.language == "en":
        return words.name(row.message, 160)
    if kind.isidentifier() and words.knows(f"honesty.checks.{kind}"):
        return words.say(f"honesty.checks.{kind}", about=words.name(about.replace("_", " ")))
    return words.rule(row.check)
