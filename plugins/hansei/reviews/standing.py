"""How things stand: verdicts, places and rank, from judgements to one word of a closed vocabulary."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from hansei.catalog.segments import cut_of
from hansei.reviews.evidence import Breach, Evidence, IndicatorEvidence, Judged, Judgement, Point, SegmentSeries, Word
from hansei.reviews.figures import agree, name, plural

WORDS = {
    "not_ready": "data not ready",
    "too_few_data": "too few data",
    "breach_critical": "misses its limit",
    "breach_warning": "misses its warning limit",
    "within": "meets its limit",
    "no_limit": "no limit set",
    "no_data": "no data",
}
_PRECEDENCE = tuple(WORDS)
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
    """One key of WORDS: the gravest judgement on an indicator and segment, else what its point's state says."""
    said = evidence.judged.get((indicator_id, segment_id), ())
    found = {one.verdict if isinstance(one, Judgement) else f"breach_{one.level}" for one in said}
    if not found:
        found = {_STATE_VERDICTS[current(series, evidence.period_start).state]}
    return min(found, key=_PRECEDENCE.index)


def place(judged: Judged | SegmentSeries | Word, label: str | None = None) -> str:
    """`the whole service`, `team Billing`, `channel mail`."""
    if judged.segment_id == "all":
        return "the whole service"
    shown = label if label is not None else getattr(judged, "segment_label", "") or judged.segment_id
    return place_in("" if "&" in judged.segment_id else dimension_word(judged.segment_id), shown)


def place_in(dimension: str, label: str) -> str:
    """A segment's label after the word of its dimension, unless it says that word itself."""
    shown = name(label)
    return shown if not dimension or shown.casefold().startswith(dimension) else f"{dimension} {shown}"


def dimension_word(segment_id: str) -> str:
    """`account tier` of `account_tier=gold`."""
    return cut_word(cut_of(segment_id)) if "=" in segment_id else ""


def cut_word(cut: str) -> str:
    """`account tier` of `account_tier`, `channel and team` of `channel&team`."""
    return cut.replace("&", " and ").replace("_", " ")


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


def in_segments(evidence: Evidence, indicator: IndicatorEvidence) -> tuple[str, str] | None:
    """How an indicator stands that is judged in segments only: verdict and words (`1 of 5 teams misses`), or None."""
    pairs = judged_pairs(evidence, indicator.indicator_id)
    if not pairs or (indicator.indicator_id, "all") in pairs:
        return None
    gravest = min(pairs.values(), key=_PRECEDENCE.index)
    judged = [v for v in pairs.values() if v == "within" or v.startswith("breach")]
    if gravest == "not_ready" or not judged:
        return gravest, WORDS[gravest]
    missed = sum(v.startswith("breach") for v in judged)
    noun = segment_noun(pairs)
    if not missed:
        words = f"meets its limit in {plural(len(judged), noun)}"
        return "within", words
    level = "breach_critical" if "breach_critical" in judged else "breach_warning"
    return level, f"{missed} of {plural(len(judged), noun)} {agree(missed, 'misses')}"


def segment_noun(pairs: Iterable[tuple[str, str]]) -> str:
    """`team` where all segments are of one dimension, else `segment`."""
    dimensions = {dimension_word(segment_id) for _, segment_id in pairs}
    return dimensions.pop() if len(dimensions) == 1 and "" not in dimensions else "segment"
