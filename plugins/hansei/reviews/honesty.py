"""What the figures stand on, in sentences: rows accounted for, what is late, odd, restated, unlinked or left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hansei.reviews import figures, tie_outs
from hansei.reviews.evidence import Evidence
from hansei.reviews.figures import agree, figure, listed, name, number, plural
from hansei.reviews.foundations import Honesty, Restated

MOST_LISTED = 12  # beyond this many lines a list is a wall; the rest is counted
MOST_RULES = 5
MOST_RESTATED = 6

_DRIFT = {
    "new": "a field that no mapping knows: kept aside, not used",
    "missing": "a mapped field that no longer comes: its column stays empty",
    "type": "values of another type than before: those that cannot be read are quarantined",
}
_RULES = {
    "cast": "unreadable {}",
    "unreadable": "unreadable line",
    "missing_required": "no {}",
    "value_map": "unknown {}",
    "range": "{} out of range",
}
_TYPES = {"date": "date", "timestamp": "time", "decimal": "number", "double": "number", "bigint": "whole number"}
_TYPES |= {"integer": "whole number", "boolean": "yes or no"}
_LINKS = {
    "account": ("ticket", "belong to no account that we know: they count, under the tier “unlinked”"),
    "customer": ("customer", "could not be recognised across the sources"),
}


@dataclass(frozen=True)
class Topic:
    """One thing to be honest about; `is_quiet` where there is nothing to tell."""

    title: str
    sentences: tuple[str, ...]
    is_quiet: bool = False
    table: tie_outs.Table | None = None


def topics(evidence: Evidence) -> list[Topic]:
    """Every topic, also the quiet ones: that nothing was late is worth a line."""
    facts = evidence.honesty
    return [
        _topic("Late or missing data", _lateness(evidence), "Every source covers the whole week."),
        _topic("Rows that arrived", _arrivals(facts), "No batch arrived for this week."),
        _tied_out(facts),
        _topic("Rows set aside", _quarantined(facts), "No row broke a rule."),
        _topic("Figures restated", _restated(evidence), "No figure published earlier has moved."),
        _topic("Sources that changed shape", _drifted(facts), "No field appeared, vanished or changed its type."),
        _topic("Keys not linked", _unlinked(facts), "Every key found its account."),
        _topic("Left out on purpose", _excluded(facts), "Nothing was left out."),
        _topic("Times around a clock change", _clocks(facts), "No time was in doubt."),
        _topic("Checks that warned", _warned(facts), "No check warned."),
    ]


def _topic(title: str, sentences: Iterable[str], otherwise: str) -> Topic:
    found = tuple(sentences)
    if len(found) > MOST_LISTED:
        found = (*found[:MOST_LISTED], f"And {number(len(found) - MOST_LISTED)} more.")
    return Topic(title, found or (otherwise,), not found)


def _tied_out(facts: Honesty) -> Topic:
    """What sources count of their own; the table has the days on which that differs from ours."""
    told = _topic("What the sources count", tie_outs.sentences(facts.tie_outs), "No source counts its own rows for us.")
    return replace(told, table=tie_outs.table(facts.tie_outs))


def _lateness(evidence: Evidence) -> Iterable[str]:
    for source in evidence.readiness:
        if source.state == "ready":
            continue
        if source.covers:
            message = f" {name(source.message, 200)}" if source.message else ""
            yield f"{name(source.source)} failed in its latest run, but its data covers the week.{message}"
            continue
        reach = (
            f"complete until {figures.moment(source.complete_until, evidence.reporting_zone)}"
            if source.complete_until
            else "nothing has arrived yet"
        )
        yield f"{name(source.source)}: {reach}."


def _arrivals(facts: Honesty) -> Iterable[str]:
    if not facts.batches:
        return
    total = {key: sum(getattr(b, key) for b in facts.batches) for key in ("received", "accepted", "held", "conflict")}
    total |= {key: sum(getattr(b, key) for b in facts.batches) for key in ("quarantined", "duplicate")}
    parts = [f"{number(total['accepted'])} accepted"]
    if total["duplicate"]:
        parts.append(f"{number(total['duplicate'])} known already")
    if total["quarantined"]:
        parts.append(f"{number(total['quarantined'])} set aside")
    if total["held"]:
        parts.append(f"{number(total['held'])} held back with their batch")
    yield f"{plural(total['received'], 'row')} arrived: {listed(parts)}."
    if wrong := [b for b in facts.batches if not b.is_balanced]:
        names = listed([f"{name(b.source)} {_entity(b.entity)}" for b in wrong[:MOST_LISTED]])
        yield f"The rows of {names} do not add up: tell whoever runs the pipeline."
    else:
        yield "None is unaccounted for."
    if total["conflict"]:
        yield f"{plural(total['conflict'], 'row')} came twice with different content; one of each pair was kept."


def _quarantined(facts: Honesty) -> Iterable[str]:
    """The whole first, then one line for each source and entity with its rules, the most frequent first."""
    if not facts.quarantine:
        return
    waiting = sum(row.count for row in facts.quarantine)
    yield f"{plural(waiting, 'row')} {agree(waiting, 'waits')} for somebody to look at; no figure counts them."
    places = sorted({(row.source, row.entity) for row in facts.quarantine})
    for source, entity in places:
        rows = [row for row in facts.quarantine if (row.source, row.entity) == (source, entity)]
        rows.sort(key=lambda row: (-row.count, row.rule))
        words = [f"{_rule(row.rule)} ({number(row.count)})" for row in rows[:MOST_RULES]]
        if len(rows) > MOST_RULES:
            words.append(plural(len(rows) - MOST_RULES, "more rule"))
        yield f"{name(source)}, {_entity(entity)}: {', '.join(words)}."


def _entity(entity: str) -> str:
    return name(entity.replace("_", " "))


def _rule(rule: str) -> str:
    """A rule's name as people say it; one that is not known here keeps its own words."""
    kind, _, about = rule.partition(":")
    about = name(about.replace("_", " "))
    if kind in _RULES:
        return _RULES[kind].format(_TYPES.get(about, about) if kind == "cast" else about)
    return f"“{name(kind.replace('_', ' '), 80)}” broken" if "_" in kind else name(rule.replace("_", " "), 120)


def _restated(evidence: Evidence) -> Iterable[str]:
    """How many in all, then the whole service's, newest week first."""
    known = {i.indicator_id: i for i in evidence.indicators}
    rows = [row for row in evidence.honesty.restatements if row.indicator_id in known]
    if not rows:
        return
    reasons = listed(sorted({name(row.reason.replace("_", " "), 120) for row in rows}))
    yield f"{plural(len(rows), 'weekly figure')} {agree(len(rows), 'was')} restated: {reasons}."
    told = []
    for row in sorted(rows, key=_restatement_order):
        unit = known[row.indicator_id].unit
        before, after = _apart(row, unit)
        if before == after:
            continue  # a count below it moved, not the figure
        where = "" if row.segment_id == "all" else f", {name(row.segment_label)}"
        period = figures.week_number(row.period_start) if row.grain == "week" else figures.day(row.period_start)
        told.append(f"{name(known[row.indicator_id].title)}{where}, {period}: we said {before}, now it is {after}.")
    yield from told[:MOST_RESTATED]
    if len(told) > MOST_RESTATED:
        yield "The others are in the warehouse, in ops.restatements."


def _restatement_order(row: Restated) -> tuple:
    return (row.segment_id != "all", -row.period_start.toordinal(), row.indicator_id, row.segment_id)


def _apart(row: Restated, unit: str) -> tuple[str, str]:
    """Both figures with as many digits as it takes to tell them apart."""
    for extra in range(4):
        figures_told = (row.value_before, row.value_after)
        before, after = ("nothing" if v is None else figure(v, unit, extra) for v in figures_told)
        if before != after:
            break
    return before, after


def _drifted(facts: Honesty) -> Iterable[str]:
    for row in facts.drift:
        seen = f"in {plural(row.count, 'row')} since {figures.day(row.first_seen)}" if row.count else ""
        seen = seen or f"since {figures.day(row.first_seen)}"
        yield f"{name(row.source)}, {_entity(row.entity)}, field {name(row.field)}: {_DRIFT[row.kind]} ({seen})."


def _unlinked(facts: Honesty) -> Iterable[str]:
    for row in facts.unlinked:
        noun, meaning = _LINKS[row.kind]
        if row.count:
            yield f"{number(row.count)} of {plural(row.of, noun)} {meaning}."


def _excluded(facts: Honesty) -> Iterable[str]:
    for row in facts.excluded:
        if row.count:
            yield f"{plural(row.count, 'ticket')}: {name(row.reason.replace('_', ' '), 120)}."


def _clocks(facts: Honesty) -> Iterable[str]:
    times = facts.time_adjustments
    if times.ambiguous:
        yield (
            f"{plural(times.ambiguous, 'local time')} {agree(times.ambiguous, 'was')} ambiguous when clocks went back;"
            " the earlier reading was taken."
        )
    if times.nonexistent:
        yield (
            f"{plural(times.nonexistent, 'local time')} {agree(times.nonexistent, 'was')} skipped when clocks went"
            " forward; the time was moved forward."
        )


def _warned(facts: Honesty) -> Iterable[str]:
    for row in facts.checks_warned:
        of = ""
        if row.failed is not None and row.checked is not None:
            of = f" ({number(row.failed)} of {plural(row.checked, 'row')})"
        what = name(row.message, 160) if row.message else name(row.check.replace("_", " "), 80)
        yield f"{name(row.source)}, {_entity(row.entity)}: {what}{of}."
