"""The one word of every finished period: what the charts and the targets say of a block, as rows of the signals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.segments import matches_any
from hansei.catalog.thresholds import Threshold
from hansei.pipeline.series import Series
from hansei.signals import spc
from hansei.signals import verdicts as rules
from hansei.signals.windows import phase_columns
from hansei.warehouse.own_rows import constant, numbers, own_columns, told
from hansei.warehouse.runs import Run
from hansei.warehouse.signal_tables import SIGNALS

# Usable periods after which a baseline stands (METHODS.md 2.4).
FIXED_AFTER = {"day": 28, "week": 20, "month": 12, "quarter": 12}


def _targets(catalog: Catalog, series: Series) -> np.ndarray:
    """The target in force per series and period, NaN where none is; a threshold on the very segment goes first."""
    found = np.full(series.block.values.shape, np.nan)
    periods = series.block.period_starts
    by_name: dict[str, list[Threshold]] = {}
    for row, (name, segment_id) in enumerate(series.keys):
        if name not in by_name:
            by_name[name] = catalog.thresholds_on(name, series.grain)
        fitting = [item for item in by_name[name] if matches_any(segment_id, item.segments)]
        fitting = [item for item in fitting if item.target_level is not None]
        for item in sorted(fitting, key=lambda item: (segment_id not in item.segments, item.id)):
            holds = periods >= np.datetime64(item.valid_from, "D")
            if item.valid_to is not None:
                holds &= periods < np.datetime64(item.valid_to, "D")
            found[row, holds & np.isnan(found[row])] = item.target_level
    return found


def verdict_rows(catalog: Catalog, series: Series, known: spc.KnownThen, run: Run) -> pa.Table:
    """One row per stored period of the block, in the columns of the table of signals; `known`: what its charts said."""
    block = series.block
    variations = rules.variations(known.sides, block.directions)
    variations[np.isin(known.guards, (spc.NO_VALUE, spc.TOO_SHORT))] = rules.UNKNOWN
    targets = _targets(catalog, series)
    has_limits = known.guards == spc.FINE
    lower, upper = (np.where(has_limits, side, np.nan) for side in (known.limits.lower, known.limits.upper))
    assured = rules.assurance(targets, lower, upper, block.directions)
    said = rules.verdicts(block.values, targets, block.directions, series.is_ready, variations, assured)
    at = np.nonzero(series.is_stored)
    is_judged = ~np.isin(said.words[at], (rules.NOT_READY, rules.TOO_FEW))
    starts = block.period_starts
    columns: dict[str, Any] = {
        "kind": constant("verdict", len(at[0])),
        "indicator": told(at[0], [name for name, _ in series.keys]),
        "segment_id": told(at[0], [segment_id for _, segment_id in series.keys]),
        "owner": told(at[0], [catalog.indicators[name].owner for name, _ in series.keys]),
        "version": series.versions[at],
        "grain": constant(series.grain, len(at[0])),
        "period_start": starts[at[1]],
        "verdict": told(said.words[at], rules.WORDS),
        "reason": _reasons(series, said, variations, known, at),
        "variation": told(np.where(is_judged, variations[at], rules.UNKNOWN), rules.VARIATIONS),
        "rule": pa.array(
            np.array(known.names, dtype=object)[known.rules[at]], mask=(known.rules[at] == 0) | ~is_judged
        ),
        "pattern_start": pa.array(starts[known.pattern_starts[at]], mask=(known.rules[at] == 0) | ~is_judged),
        "assurance": told(np.where(is_judged, assured[at], rules.NONE), rules.ASSURANCES),
        "target": numbers(targets[at]),
        "chart": constant("xmr", len(at[0])),
        "centre": numbers(np.where(has_limits, known.limits.centre, np.nan)[at]),
        "lower_limit": numbers(lower[at]),
        "upper_limit": numbers(upper[at]),
        "phase_start": starts[phase_columns(block.phases)[at]],
        "phase_count": known.counts[at],
        "is_trial": (known.counts < spc.SETTLED)[at],
        "run_id": constant(run.run_id, len(at[0])),
        "judged_at": pa.array([run.as_of] * len(at[0]), pa.timestamp("us")),
    }
    for name in ("value", "lower_bound", "upper_bound", "numerator", "denominator", "sample_count"):
        columns[name] = numbers(series.stored[name][at])
    return own_columns(SIGNALS, columns, len(at[0]))


def _reasons(series: Series, said: rules.Verdicts, variations: np.ndarray, known: spc.KnownThen, at: tuple) -> pa.Array:
    """One sentence per row; there are few different ones, so each is written once."""
    states = pa.array(series.states[at], pa.string()).dictionary_encode()
    codes = [said.words[at], variations[at], known.rules[at], said.assurances[at], known.guards[at]]
    codes.append(np.asarray(states.indices))
    sizes = [len(rules.WORDS), len(rules.VARIATIONS), len(known.names), len(rules.ASSURANCES), len(spc.GUARDS)]
    kinds, which = np.unique(np.ravel_multi_index(codes, (*sizes, len(states.dictionary))), return_inverse=True)
    state_names = states.dictionary.to_pylist()
    sentences = [
        rules.sentence(
            word, variation, known.names[rule], assured, guard == spc.FLAT_RANGES, state_names[state], series.grain
        )
        for word, variation, rule, assured, guard, state in zip(
            *(found.tolist() for found in np.unravel_index(kinds, (*sizes, len(state_names)))), strict=True
        )
    ]
    return told(which, sentences)
