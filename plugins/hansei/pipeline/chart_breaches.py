"""Kinds of thresholds that ask a control chart: has it changed for the worse, and will it miss its target by design?"""

from __future__ import annotations

import numpy as np

from hansei.catalog.thresholds import AssuranceFailThreshold, SpcConcernThreshold
from hansei.pipeline.breach_cases import TOO_FEW_CASES, Case, no_pattern
from hansei.pipeline.charting import XMR, Charted, charted
from hansei.signals import spc
from hansei.signals import verdicts as rules
from hansei.signals.breaches import Finding

_NOT_ENOUGH = "There are not yet enough {grain}s to know what is usual."
_FLAT = "Most {grain}s have the same value, so a chart of ranges cannot tell what is unusual."


def _chart_columns(chart: Charted, is_judged: np.ndarray) -> dict:
    known = chart.known
    limits = {"centre": known.limits.centre, "lower_limit": known.limits.lower, "upper_limit": known.limits.upper}
    told = {name: np.where(is_judged, line, np.nan) for name, line in limits.items()}
    return {**told, "chart": (chart.kinds, chart.names)}


def spc_concern_breaches(case: Case) -> Finding:
    threshold: SpcConcernThreshold = case.threshold
    chart = charted(case)
    known, directions = chart.known, case.directions[:, None]
    is_usable = ~np.isnan(case.values)
    is_judged = is_usable & (known.guards == spc.FINE)
    is_concern = is_judged & (known.sides * directions < 0)
    cases = np.where(is_concern, 3 + known.rules, 0)
    cases[~is_judged] = 1
    cases[~is_judged & is_usable] = 2
    cases[is_usable & (known.guards == spc.FLAT_RANGES)] = 3
    said = [rules.sentence(rules.WORSE, rules.CONCERN, rule, 0, False, "ok", "{grain}") for rule in known.names[1:]]
    return Finding(
        levels=threshold.levels,
        limits=[np.where(is_judged, np.where(directions > 0, known.limits.lower, known.limits.upper), np.nan)],
        breaks=[is_concern],
        is_judged=is_judged,
        is_recovered=is_judged & ~is_concern,
        cases=cases.astype("int8"),
        sentences=("The chart shows no change for the worse.", TOO_FEW_CASES, _NOT_ENOUGH, _FLAT, *said),
        pattern_starts=np.where(is_concern, known.pattern_starts, np.int32(-1)),
        is_tested=False,
        columns={
            **_chart_columns(chart, is_judged),
            "rule": (np.where(is_concern, known.rules, -1), known.names),
        },
    )


def assurance_fail_breaches(case: Case) -> Finding:
    threshold: AssuranceFailThreshold = case.threshold
    known = case.known
    is_usable = ~np.isnan(case.values)
    is_judged = is_usable & (known.guards == spc.FINE)
    targets = case.everywhere(threshold.target_level)
    lower, upper = (np.where(is_judged, line, np.nan) for line in (known.limits.lower, known.limits.upper))
    fails = rules.assurance(targets, lower, upper, case.directions) == rules.WILL_MISS
    cases = np.where(fails, 1, 0)
    cases[~is_judged] = 2
    cases[~is_judged & is_usable] = 3
    cases[is_usable & (known.guards == spc.FLAT_RANGES)] = 4
    sentences = (
        "The usual range does not lie wholly beyond the target.",
        "The usual range lies wholly beyond the target: without a change it will go on missing it.",
        TOO_FEW_CASES,
        _NOT_ENOUGH,
        _FLAT,
    )
    return Finding(
        levels=threshold.levels,
        limits=[targets],
        breaks=[fails],
        is_judged=is_judged,
        is_recovered=is_judged & ~fails,
        cases=cases.astype("int8"),
        sentences=sentences,
        pattern_starts=no_pattern(fails),
        is_tested=False,
        columns=_chart_columns(Charted(known, np.zeros(fails.shape, dtype="int8"), (XMR,)), is_judged),
    )
