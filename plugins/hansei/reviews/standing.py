"""How things stand: verdicts, places and rank, from judgements to one word of a closed vocabulary."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from hansei.catalog.segments import cut_of, part_within
from hansei.reviews.comments import Comments
from hansei.reviews.evidence import (
    Breach,
    Evidence,
    IndicatorEvidence,
    Judged,
    Judgement,
    Note,
    Point,
    SegmentSeries,
    Word,
)
from hansei.reviews.explanations import Explanation
from hansei.reviews.locales import Locale

# Keys of the messages `standing.verdicts`, gravest first.
_PRECEDENCE = ("not_ready", "too_few_data", "breach_critical", "breach_warning", "within", "no_limit", "no_data")
_STATE_VERDICTS = {
    "incomplete": "not_ready",
    "immature": "not_ready",
    "insufficient": "too_few_data",
    "no_data": "no_data",
    "ok": "no_limit",
}
LONG_RUN = 3  # METHODS.md section 3: consecutive periods after which an unsupported breach counts all the same


def is_firm(breach: Breach) -> bool:
    """Worth a decision: critical, beyond its limit with its whole interval (or exact), or missed for long."""
    return breach.level == "critical" or breach.supported is not False or breach.consecutive_periods >= LONG_RUN


def current(series: Iterable[Point], period_start: dt.date) -> Point:
    """The point of that period; where there is none, a point that says so."""
    for point in series:
        if point.period_start == period_start:
            return point
    return Point(period_start=period_start, state="no_data")


def verdict(evidence: Evidence, indicator_id: str, segment_id: str, series: Iterable[Point]) -> str:
    """A key of `standing.verdicts`: the gravest judgement on indicator and segment, else what the state says."""
    said = evidence.judged.get((indicator_id, segment_id), ())
    found = {one.verdict if isinstance(one, Judgement) else f"breach_{one.level}" for one in said}
    if not found:
        found = {_STATE_VERDICTS[current(series, evidence.period_start).state]}
    return min(found, key=_PRECEDENCE.index)


def verdict_word(key: str, words: Locale) -> str:
    """`misses its limit`; `越过限值`."""
    return words.say(f"standing.verdicts.{key}")


def stood(evidence: Evidence, indicator_id: str, segment_id: str, key: str, words: Locale) -> str:
    """The word of a verdict; where the period has no limit but its weeks have: `missed in 2 of 4 weeks`."""
    shorter = evidence.shorter_of.get((indicator_id, segment_id)) if key == "no_limit" else None
    if shorter is None:
        return verdict_word(key, words)
    # In a monthly review weeks are weeks.
    periods = words.with_grain("week").count(shorter.judged_count, shorter.grain)
    if not shorter.missed_count:
        return words.say("standing.met_in_periods", periods=periods)
    return words.say("standing.missed_in_periods", count=shorter.missed_count, periods=periods)


def one_word(word: Word, words: Locale) -> str:
    """The word of docs/signals.md: `steady, missing target`; `平稳，未达目标`."""
    return words.say(f"verdicts.words.{word.word.replace(',', '').replace(' ', '_')}")


def reason(word: Word, grain: str, words: Locale) -> str:
    """Why the word was said: the sentence that is stored with it, in the language where it has a key."""
    kind, _, key = word.because.partition(".")
    if not key:
        return words.text(word.reason)
    times = {"this": words.say(f"verdicts.this.{grain}"), "periods": words.say(f"verdicts.periods.{grain}")}
    if kind == "reasons":
        return words.say(f"verdicts.reasons.{key}", **times)
    pattern = words.say(f"verdicts.patterns.{key}", side=words.say(f"verdicts.sides.{word.moved}"), **times)
    return words.say("verdicts.sentence", word=one_word(word, words).capitalize(), pattern=pattern)


def place(
    judged: Judged | SegmentSeries | Explanation | Word | Comments | Note,
    words: Locale,
    about: str,
    label: str | None = None,
) -> str:
    """`the whole service`, `team Billing`, `channel mail`.

    A part of the segment that an edition is `about` has a label without that, and says its own dimension.
    """
    if judged.segment_id == "all":
        return words.say("standing.whole_service")
    shown = label if label is not None else getattr(judged, "segment_label", "") or judged.segment_id
    cut = own_cut(judged.segment_id, about)
    return place_in("" if "&" in cut else cut, shown, words)


def subject(evidence: Evidence, words: Locale) -> str:
    """What the edition is about: `the whole service`, `team Billing`."""
    if not evidence.about_label:
        return words.say("standing.whole_service")
    return place_in(_cut(evidence.about), evidence.about_label, words)


def titled(title: str, segment_id: str, label: str, words: Locale) -> str:
    """An indicator's title, with the place that it is watched in unless that is the whole service."""
    if segment_id == "all":
        return words.name(title)
    return words.say("standing.titled", title=words.name(title), place=words.name(label or segment_id))


def place_in(cut: str, label: str, words: Locale) -> str:
    """A segment's label with the word of its dimension, unless it says that word itself."""
    shown = label_in(cut, label, words)
    if not cut:
        return shown
    dimension = cut_word(cut, words)
    if shown.casefold().startswith(dimension) or shown.endswith(dimension):
        return shown
    return words.say("standing.in_dimension", dimension=dimension, label=shown)


def label_in(cut: str, label: str, words: Locale) -> str:
    """A segment's label: a name from the data, or our own word for a value (`unlinked`, a priority)."""
    for values in (cut, "any"):
        if label.isidentifier() and words.knows(f"values.{values}.{label}"):
            return words.say(f"values.{values}.{label}")
    return words.name(label)


def cut_word(cut: str, words: Locale) -> str:
    """`account tier` of `account_tier`, `channel and team` of `channel&team`."""
    return words.listed([_dimension_word(dimension, words) for dimension in cut.split("&")])


def _dimension_word(dimension: str, words: Locale) -> str:
    if words.knows(f"dimensions.{dimension}"):
        return words.say(f"dimensions.{dimension}")
    return dimension.replace("_", " ")


def own_cut(segment_id: str, about: str) -> str:
    """By what a segment cuts, of a part of what the edition is about by what it cuts that; empty for `all`."""
    return _cut(segment_id if segment_id == about else part_within(segment_id, about))


def _cut(segment_id: str) -> str:
    return cut_of(segment_id) if "=" in segment_id else ""


def distance(judged: Judged) -> float:
    """How far beyond its limit, so that units compare: the overshoot as a share of what the limit allows.

    For a ratio that must be high, what is allowed is the shortfall: 80 % against 90 % is as far as 20 % against 10 %.
    """
    if judged.value is None:
        return 0.0
    beyond = judged.value - judged.limit if judged.is_upper else judged.limit - judged.value
    if judged.unit == "points":
        return beyond / 100
    allowed = 1 - judged.limit if judged.unit == "ratio" and not judged.is_upper else abs(judged.limit)
    return beyond / max(allowed, 0.01 if judged.unit == "ratio" else 1.0)


def weight(breach: Breach) -> tuple:
    """Sort key, gravest first: level, support, then distance; ids break ties."""
    return (
        breach.level != "critical",
        {True: 0, None: 1, False: 2}[breach.supported],
        -distance(breach),
        breach.indicator_id,
        breach.segment_id,
    )


def strongest(breaches: Iterable[Breach]) -> list[Breach]:
    """One breach for each indicator and segment (critical swallows warning), gravest first."""
    chosen: dict[tuple[str, str], Breach] = {}
    for breach in sorted(breaches, key=weight):
        chosen.setdefault((breach.indicator_id, breach.segment_id), breach)
    return list(chosen.values())


def judged_pairs(evidence: Evidence, indicator_id: str | None = None) -> dict[tuple[str, str], str]:
    """The verdict of every indicator and segment that has a limit; of one indicator only, if it is named."""
    pairs = [pair for pair in evidence.judged if indicator_id is None or pair[0] == indicator_id]
    return {pair: verdict(evidence, *pair, ()) for pair in pairs}


def in_segments(evidence: Evidence, indicator: IndicatorEvidence, words: Locale) -> tuple[str, str] | None:
    """How an indicator stands that is judged in segments only: verdict and words (`1 of 5 teams misses`), or None."""
    pairs = judged_pairs(evidence, indicator.indicator_id)
    if (indicator.indicator_id, evidence.about) in pairs:
        return None
    if not pairs:
        return _in_segments_of_periods(evidence, indicator, words)
    gravest = min(pairs.values(), key=_PRECEDENCE.index)
    judged = [v for v in pairs.values() if v == "within" or v.startswith("breach")]
    if gravest == "not_ready" or not judged:
        return gravest, verdict_word(gravest, words)
    missed = sum(v.startswith("breach") for v in judged)
    segments = words.count(len(judged), segment_noun(pairs, evidence.about))
    if not missed:
        return "within", words.say("standing.met_in", segments=segments)
    level = "breach_critical" if "breach_critical" in judged else "breach_warning"
    return level, words.say("standing.missed_in", count=missed, segments=segments)


def _in_segments_of_periods(evidence: Evidence, indicator: IndicatorEvidence, words: Locale) -> tuple[str, str] | None:
    """The same where only shorter periods of segments have limits: `1 of 5 teams missed in some weeks`."""
    found = [one for one in evidence.shorter if one.indicator_id == indicator.indicator_id]
    if not found or any(one.segment_id == evidence.about for one in found):
        return None
    segments = words.count(
        len(found), segment_noun(((one.indicator_id, one.segment_id) for one in found), evidence.about)
    )
    missed = sum(bool(one.missed_count) for one in found)
    if not missed:
        return "no_limit", words.say("standing.met_in", segments=segments)
    periods = words.say(f"verdicts.periods.{found[0].grain}")
    return "no_limit", words.say("standing.missed_in_some", count=missed, segments=segments, periods=periods)


def segment_noun(pairs: Iterable[tuple[str, str]], about: str) -> str:
    """The dimension where all segments are of one, else `segment`."""
    cuts = {own_cut(segment_id, about) for _, segment_id in pairs}
    return cuts.pop() if len(cuts) == 1 and "" not in cuts else "segment"
