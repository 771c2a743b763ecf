"""What is asked of an indicator: its limits as a review tells them, beside its figure and on its card."""

from __future__ import annotations

from collections.abc import Iterable

from hansei.reviews import figures, standing
from hansei.reviews.evidence import Evidence, IndicatorEvidence, Judged, Limit
from hansei.reviews.locales import Locale


def own_limits(judged: Judged) -> list[Limit]:
    """The limits that a segment is judged by, for its line."""
    known = {"critical": judged.critical_limit, "warning": judged.warning_limit, judged.level: judged.limit}
    shared = {"valid_from": judged.valid_from, "threshold_id": judged.threshold_id, "side": judged.side}
    return [Limit(level=level, value=value, **shared) for level, value in sorted(known.items()) if value is not None]


def asked(evidence: Evidence, indicator: IndicatorEvidence, words: Locale) -> str:
    """The one limit to show in a row: the gravest that is missed, else the first that would be."""
    for breach in standing.strongest(evidence.breaches):
        if (breach.indicator_id, breach.segment_id) == (indicator.indicator_id, evidence.about):
            return words.limit(breach.limit, breach.unit, breach.is_upper)
    active = _active_limits(evidence, indicator)
    if active:
        return words.limit(active[-1].value, indicator.unit, _is_upper(active[-1], indicator))
    pairs = standing.judged_pairs(evidence, indicator.indicator_id)
    if not pairs:
        return _asked_by_period(evidence, indicator, words)
    own = [b for b in standing.strongest(evidence.breaches) if (b.indicator_id, b.segment_id) in pairs]
    own += [j for j in evidence.judgements if (j.indicator_id, j.segment_id) in pairs]
    return _per_segment(words.limit(own[0].limit, own[0].unit, own[0].is_upper), pairs, evidence, words)


def _per_segment(limit: str, pairs: Iterable[tuple[str, str]], evidence: Evidence, words: Locale) -> str:
    noun = standing.segment_noun(pairs, evidence.about)
    segment = words.say("indicators.segment") if noun == "segment" else standing.cut_word(noun, words)
    return words.say("indicators.per_segment", limit=limit, segment=segment)


def _asked_by_period(evidence: Evidence, indicator: IndicatorEvidence, words: Locale) -> str:
    """`at most 4 h by week` where the review's own period has no limit; `at most 4 h per team by week`."""
    found = [one for one in evidence.shorter if one.indicator_id == indicator.indicator_id]
    own = [one for one in found if one.segment_id == evidence.about] or found
    if not own:
        return figures.NOTHING
    limit = words.limit(own[0].limit, indicator.unit, own[0].is_upper)
    if own[0].segment_id != evidence.about:
        limit = _per_segment(limit, [(one.indicator_id, one.segment_id) for one in own], evidence, words)
    return words.say("indicators.by_period", limit=limit, period=words.say(f"standing.grains.{own[0].grain}"))


def _active_limits(evidence: Evidence, indicator: IndicatorEvidence) -> list[Limit]:
    """The limits in force this week, critical first."""
    active = [found for found in indicator.dated_limits if found.holds(evidence.period_start)]
    return sorted(active, key=lambda n: (n.level, n.value))


def _is_upper(limit: Limit, indicator: IndicatorEvidence) -> bool:
    return limit.side == "at_most" if limit.side else indicator.direction != "higher_is_better"


def limits(evidence: Evidence, indicator: IndicatorEvidence, words: Locale) -> Iterable[str]:
    """`at most 4 h`, critical first; a warning limit says so where there are both."""
    active = _active_limits(evidence, indicator)
    both = len({n.level for n in active}) > 1
    for one in active:
        text = words.limit(one.value, indicator.unit, _is_upper(one, indicator))
        yield words.say("indicators.warning", limit=text) if both and one.level == "warning" else text


def reasons(evidence: Evidence, indicator: IndicatorEvidence, words: Locale) -> Iterable[str]:
    """Each limit with its date and its reason, critical first."""
    found = {
        (j.level, j.limit, j.valid_from): (words.limit(j.limit, j.unit, j.is_upper), j.reason)
        for j in (*evidence.judgements, *evidence.breaches)
        if j.indicator_id == indicator.indicator_id
    }
    for (level, _, valid_from), (limit, reason) in sorted(found.items(), key=lambda item: item[0]):
        yield words.say(
            "indicators.limit_and_reason",
            level=words.say(f"levels.{level}"),
            limit=limit,
            day=words.day(valid_from),
            reason=words.name(reason, 240),
        )
