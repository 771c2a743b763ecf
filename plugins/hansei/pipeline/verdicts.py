"""The one word of every finished period: reads series, asks the charts, stores what they say.

An indicator is judged by week, by its finest longer grain where it has no weeks, and by every grain for which a
threshold is set. What was said of a period stands: charts judge each one as the newest of its time. An indicator is
judged again only when a finished value, its definition, a target, a phase or the readiness of its sources changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from hansei.catalog import Catalog
from hansei.catalog.measures import Indicator
from hansei.catalog.segments import matches
from hansei.catalog.thresholds import Threshold
from hansei.indicators.periods import period_start
from hansei.indicators.values import meaning
from hansei.pipeline.phases import phase_starts
from hansei.pipeline.readiness import Readiness
from hansei.pipeline.series import READ, Series, read_series
from hansei.signals import spc
from hansei.signals import verdicts as rules
from hansei.warehouse import Warehouse
from hansei.warehouse.own_rows import own_schema
from hansei.warehouse.runs import Run
from hansei.warehouse.states import forget, remember, remembered

SIGNALS = "indicators.signals"
# Usable periods after which a baseline stands (METHODS.md 2.4).
FIXED_AFTER = {"day": 28, "week": 20, "month": 12, "quarter": 12}
_MARK = "verdicts:"
# Raise it when the way of judging changes, so that every indicator is judged again.
_METHOD = 1


def judge_verdicts(warehouse: Warehouse, catalog: Catalog, run: Run, readiness: Readiness) -> int:
    """Judges what changed since it was judged last, in the transaction of the caller; how many rows were written."""
    written = 0
    reached = _reached(warehouse)
    marks = remembered(warehouse, _MARK)
    judged: set[str] = set()
    for grain, indicators in sorted(_judged_grains(catalog).items()):
        judged.update(f"{grain}:{indicator.id}" for indicator in indicators)
        prints = {
            indicator.id: _fingerprint(catalog, indicator, grain, reached[indicator.id, grain], readiness)
            for indicator in indicators
            if (indicator.id, grain) in reached
        }
        fresh = {name: digest for name, digest in prints.items() if marks.get(f"{grain}:{name}") != digest}
        if fresh:
            sizes = {name: reached[name, grain].value_count for name in fresh}
            written += _judge_again(warehouse, catalog, run, readiness, grain, sizes)
            remember(warehouse, {f"{_MARK}{grain}:{name}": fresh[name] for name in fresh}, run.run_id, "judged")
    gone = sorted(marks.keys() - judged)
    for mark in gone:
        _remove(warehouse, *mark.split(":"))
    forget(warehouse, [f"{_MARK}{mark}" for mark in gone])
    return written


def _judged_grains(catalog: Catalog) -> dict[str, list[Indicator]]:
    found: dict[str, list[Indicator]] = {}
    for indicator in sorted(catalog.indicators.values(), key=lambda item: item.id):
        usual = next((grain for grain in ("week", "month", "quarter") if grain in indicator.grains), None)
        asked = {item.grain for item in catalog.thresholds.values() if item.indicator == indicator.id}
        for grain in sorted(asked | ({usual} if usual else set())):
            found.setdefault(grain, []).append(indicator)
    return found


@dataclass(frozen=True)
class _Reached:
    """Of one indicator and grain: how many finished values there are, and a hash of what is said of them.

    When a value became known does not tell: a back-fill and a repeated run restate as of the same instant as before.
    """

    value_count: int
    content_hash: str


def _reached(warehouse: Warehouse) -> dict[tuple[str, str], _Reached]:
    rows = warehouse.rows(
        f"SELECT indicator, grain, COUNT(*) AS value_count, {warehouse.sql.content_hash(READ)} AS content_hash "
        "FROM indicators.indicator_values WHERE state <> 'incomplete' GROUP BY indicator, grain"
    )
    return {(row["indicator"], row["grain"]): _Reached(row["value_count"], str(row["content_hash"])) for row in rows}


def _fingerprint(catalog: Catalog, indicator: Indicator, grain: str, reached: _Reached, readiness: Readiness) -> str:
    """Hash of everything that moves the words: values, definition, phases, targets, and how far the sources reach."""
    starts = [(str(start.day), start.why, start.dimension) for start in phase_starts(catalog, indicator)]
    ready = readiness.day(indicator.id)
    own = [meaning(indicator), indicator.direction, indicator.owner, starts, astuple(reached)]
    reach = str(ready and period_start(grain, ready))
    return catalog.fingerprint(_METHOD, *own, reach, *catalog.thresholds_on(indicator.id, grain))


def _judge_again(
    warehouse: Warehouse, catalog: Catalog, run: Run, readiness: Readiness, grain: str, sizes: dict[str, int]
) -> int:
    """Replaces the verdicts of the indicators that `sizes` names, with how many values each has; rows written."""
    _remove(warehouse, grain, *sizes)
    ready = {name: readiness.day(name) for name in sizes}
    written = 0
    for series in read_series(warehouse, catalog, grain, ready, sizes):
        rows = _rows(catalog, series, run)
        warehouse.load(SIGNALS, rows)
        written += rows.num_rows
    return written


def _remove(warehouse: Warehouse, grain: str, *indicators: str) -> None:
    names = warehouse.sql.text_list(sorted(indicators))
    warehouse.execute(f"DELETE FROM {SIGNALS} WHERE kind = 'verdict' AND grain = '{grain}' AND indicator IN ({names})")


def _targets(catalog: Catalog, series: Series) -> np.ndarray:
    """The target in force per series and period, NaN where none is; a threshold on the very segment goes first."""
    found = np.full(series.block.values.shape, np.nan)
    periods = series.block.period_starts
    by_name: dict[str, list[Threshold]] = {}
    for row, (name, segment_id) in enumerate(series.keys):
        if name not in by_name:
            by_name[name] = catalog.thresholds_on(name, series.grain)
        fitting = [item for item in by_name[name] if any(matches(segment_id, wanted) for wanted in item.segments)]
        fitting = [item for item in fitting if item.target_level is not None]
        for item in sorted(fitting, key=lambda item: (segment_id not in item.segments, item.id)):
            holds = periods >= np.datetime64(item.valid_from, "D")
            if item.valid_to is not None:
                holds &= periods < np.datetime64(item.valid_to, "D")
            found[row, holds & np.isnan(found[row])] = item.target_level
    return found


def _variations(known: spc.KnownThen, directions: np.ndarray) -> np.ndarray:
    """Codes of rules.VARIATIONS: the chart's side read with the indicator's direction."""
    good = known.sides * directions[:, None]
    found = np.full(known.rules.shape, rules.COMMON, dtype="int8")
    found[good < 0], found[good > 0] = rules.CONCERN, rules.IMPROVEMENT
    is_neutral = np.broadcast_to(directions[:, None] == 0, found.shape)
    found[is_neutral & (known.sides > 0)], found[is_neutral & (known.sides < 0)] = rules.UP, rules.DOWN
    found[(known.guards == spc.NO_VALUE) | (known.guards == spc.TOO_SHORT)] = rules.UNKNOWN
    return found


def _rows(catalog: Catalog, series: Series, run: Run) -> pa.Table:
    """One row per stored period of the block, in the columns of the table of signals."""
    block = series.block
    known = spc.known_then(block.values, block.phases, FIXED_AFTER[series.grain])
    variations = _variations(known, block.directions)
    targets = _targets(catalog, series)
    has_limits = known.guards == spc.FINE
    lower, upper = (np.where(has_limits, side, np.nan) for side in (known.limits.lower, known.limits.upper))
    assured = rules.assurance(targets, lower, upper, block.directions)
    said = rules.verdicts(block.values, targets, block.directions, series.is_ready, variations, assured)
    at = np.nonzero(series.is_stored)
    is_judged = ~np.isin(said.words[at], (rules.NOT_READY, rules.TOO_FEW))
    starts = block.period_starts
    columns: dict[str, Any] = {
        "kind": _constant("verdict", len(at[0])),
        "indicator": _words(at[0], [name for name, _ in series.keys]),
        "segment_id": _words(at[0], [segment_id for _, segment_id in series.keys]),
        "owner": _words(at[0], [catalog.indicators[name].owner for name, _ in series.keys]),
        "version": series.versions[at],
        "grain": _constant(series.grain, len(at[0])),
        "period_start": starts[at[1]],
        "verdict": _words(said.words[at], rules.WORDS),
        "reason": _reasons(series, said, variations, known, at),
        "variation": _words(np.where(is_judged, variations[at], rules.UNKNOWN), rules.VARIATIONS),
        "rule": pa.array(np.array(spc.RULES, dtype=object)[known.rules[at]], mask=(known.rules[at] == 0) | ~is_judged),
        "pattern_start": pa.array(starts[known.pattern_starts[at]], mask=(known.rules[at] == 0) | ~is_judged),
        "assurance": _words(np.where(is_judged, assured[at], rules.NONE), rules.ASSURANCES),
        "target": _numbers(targets[at]),
        "chart": _constant("xmr", len(at[0])),
        "centre": _numbers(np.where(has_limits, known.limits.centre, np.nan)[at]),
        "lower_limit": _numbers(lower[at]),
        "upper_limit": _numbers(upper[at]),
        "phase_start": starts[spc.phase_columns(block.phases)[at]],
        "phase_count": known.counts[at],
        "is_trial": (known.counts < spc.SETTLED)[at],
        "run_id": _constant(run.run_id, len(at[0])),
        "judged_at": pa.array([run.as_of] * len(at[0]), pa.timestamp("us")),
    }
    for name in ("value", "lower_bound", "upper_bound", "numerator", "denominator", "sample_count"):
        columns[name] = _numbers(series.stored[name][at])
    schema = own_schema(SIGNALS)
    missing = {field.name: pa.nulls(len(at[0]), field.type) for field in schema if field.name not in columns}
    arrays = {**columns, **missing}
    return pa.table([pa.array(arrays[field.name]).cast(field.type) for field in schema], schema=schema)


def _reasons(series: Series, said: rules.Verdicts, variations: np.ndarray, known: spc.KnownThen, at: tuple) -> pa.Array:
    """One sentence per row; there are few different ones, so each is written once."""
    states, state_codes = np.unique(series.states[at].astype(str), return_inverse=True)
    codes = np.stack(
        [said.words[at], variations[at], known.rules[at], said.assurances[at], known.guards[at], state_codes]
    )
    kinds, which = np.unique(codes, axis=1, return_inverse=True)
    sentences = [
        rules.sentence(word, variation, spc.RULES[rule], assured, _guard_text(guard), states[state], series.grain)
        for word, variation, rule, assured, guard, state in kinds.T.tolist()
    ]
    return _words(which.ravel(), sentences)


def _guard_text(guard: int) -> str:
    """Why the chart says nothing, in words; empty where it speaks or the reason is told elsewhere."""
    if guard == spc.FLAT_RANGES:
        return "Most periods have the same value, so a chart of ranges cannot tell what is unusual."
    return ""


def _words(codes: np.ndarray, words: Iterable[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype("int32")), pa.array(list(words), pa.string()))


def _constant(word: str, count: int) -> pa.Array:
    return _words(np.zeros(count, dtype="int32"), [word])


def _numbers(values: np.ndarray) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
