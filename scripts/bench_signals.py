"""Signals: how fast 20,000 series are judged, how often charts cry wolf, and how long they take to see a change.

Series of the simulation are made with fixed seeds. They are in control: normal noise of one standard deviation, or
shares of cases drawn by chance, with a baseline of 20 weeks as the product takes it; an alarm is the first week of a
stretch in which the rule points to the bad side.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa

SERIES, POINTS = 20_000, 150
# Rows of one block of the pipeline.
BLOCK = 4_000
AS_OF = datetime(2026, 9, 7, 3)
BASELINE, SHIFT_AT, WEEKS, SIMULATED = 20, 40, 144, 4_000
YEAR = 52
CASES = 150


@dataclass(frozen=True)
class Desk:
    """A source that feeds everything and is complete: readiness asks no more of it."""

    entity_ids: tuple[str, ...]
    id: str = "desk"


def task_judging() -> dict[str, float]:
    """Seconds and CPU seconds of every chart and rule set over all series, block after block; then the whole stage."""
    from hansei.signals.judged import judged, judged_by_choice

    figures: dict[str, float] = {}
    blocks = [_shares(BLOCK, POINTS, 0.2, 0.05, seed) for seed in range(SERIES // BLOCK)]
    phases = np.zeros((BLOCK, POINTS), dtype="int32")
    phases[::3, 70:] = 1
    cases: dict[str, Callable] = {
        f"xmr, {rules}": lambda block, rules=rules: judged("xmr", block, phases, BASELINE, rules)
        for rules in ("plot_the_dots", "western_electric", "nelson", "anhoj")
    }
    for kind in ("p", "p_prime", "u_prime", "g"):
        cases[f"{kind}, plot_the_dots"] = lambda block, kind=kind: judged(kind, block, phases, BASELINE)
    cases["auto, plot_the_dots"] = lambda block: judged_by_choice("share", block, phases, BASELINE)
    for name, judge in cases.items():
        wall, cpu = time.monotonic(), time.process_time()
        for block in blocks:
            judge(block)
        figures[f"{name} seconds"] = time.monotonic() - wall
        figures[f"{name} cpu"] = time.process_time() - cpu
    return figures | {"GB": _peak()}


def task_stage() -> dict[str, float]:
    """The night's stage that gives every period its word: from stored values to stored rows."""
    from dataclasses import replace

    from hansei.catalog import load_catalog
    from hansei.pipeline.judging import judge_changes
    from hansei.pipeline.readiness import Readiness
    from hansei.settings import load_settings
    from hansei.warehouse import open_warehouse
    from hansei.warehouse.runs import Run
    from hansei.warehouse.tables import evolve

    settings = load_settings()
    catalog = load_catalog(settings)
    catalog = replace(catalog, sources={"desk": Desk(tuple(catalog.entities))})
    weekly = [item for item in catalog.indicators.values() if item.table and "week" in item.grains]
    names = sorted(item.id for item in weekly)[:40]
    with open_warehouse(settings) as warehouse:
        evolve(warehouse, catalog)
        _store(warehouse, {name: catalog.indicators[name].version for name in names})
        before = _peak()
        wall, cpu = time.monotonic(), time.process_time()
        with warehouse.transaction():
            run = Run("bench", "night", AS_OF, {})
            written = judge_changes(warehouse, catalog, run, Readiness(warehouse, catalog))
        figures = {"seconds": time.monotonic() - wall, "cpu": time.process_time() - cpu, "rows": float(written)}
        wall = time.monotonic()
        with warehouse.transaction():
            judge_changes(warehouse, catalog, replace(run, run_id="again"), Readiness(warehouse, catalog))
        return figures | {"again": time.monotonic() - wall, "filled GB": before, "GB": _peak()}


def _store(warehouse, versions: dict[str, int]) -> None:
    """150 weeks of as many series of each indicator as make 20,000."""
    from hansei.warehouse.own_rows import own_schema

    warehouse.insert("ops.watermarks", [{"source": "desk", "complete_until": AS_OF, "run_id": "bench"}])
    table = "indicators.indicator_values"
    each = SERIES // len(versions)
    last = date(2026, 8, 31)
    weeks = np.array([last - timedelta(weeks=back) for back in range(POINTS)], dtype="datetime64[D]")
    segments = ["all", *(f"team=desk:{number}" for number in range(1, each))]
    for seed, (name, version) in enumerate(versions.items()):
        block = _shares(each, POINTS, 0.3, 0.05, seed)
        count = each * POINTS
        columns = {
            "indicator": pa.array([name]).take(pa.array(np.zeros(count, dtype="int32"))),
            "version": np.full(count, version, dtype="int32"),
            "grain": pa.array(["week"]).take(pa.array(np.zeros(count, dtype="int32"))),
            "period_start": np.tile(weeks, each),
            "segment_id": pa.array(segments).take(pa.array(np.repeat(np.arange(each, dtype="int32"), POINTS))),
            "numerator": block.counts.ravel(),
            "denominator": block.sizes.ravel(),
            "sample_count": block.sizes.ravel().astype("int64"),
            "value": block.values.ravel(),
            "state": pa.array(["ok"]).take(pa.array(np.zeros(count, dtype="int32"))),
            "run_id": pa.array(["bench"]).take(pa.array(np.zeros(count, dtype="int32"))),
            "known_since": pa.array([AS_OF], pa.timestamp("us")).take(pa.array(np.zeros(count, dtype="int32"))),
        }
        schema = own_schema(table)
        given = {field.name: pa.nulls(count, field.type) for field in schema} | columns
        warehouse.load(table, pa.table([pa.array(given[item.name]).cast(item.type) for item in schema], schema=schema))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _noise(series: int, weeks: int, correlation: float, seed: int) -> np.ndarray:
    """Normal noise of standard deviation 1, each week correlated with the one before."""
    chance = np.random.default_rng(seed)
    fresh = chance.normal(0, 1, (series, weeks))
    found = fresh.copy()
    for week in range(1, weeks):
        found[:, week] = correlation * found[:, week - 1] + np.sqrt(1 - correlation**2) * fresh[:, week]
    return found


def _shares(series: int, weeks: int, share: float, wander: float, seed: int, shift: float = 0.0):
    """Shares of 75 to 225 cases a week. `wander`: standard deviation of the share itself from week to week, as a part
    of it (0: chance alone). `shift`: rise from SHIFT_AT on, in standard deviations of the weekly share."""
    from hansei.signals.attribute_charts import ratio

    chance = np.random.default_rng(seed)
    sizes = chance.integers(CASES // 2, CASES * 3 // 2, (series, weeks)).astype("float64")
    spread = np.sqrt(share * (1 - share) / CASES + (wander * share) ** 2)
    true = share * (1 + wander * chance.normal(0, 1, (series, weeks)))
    true[:, SHIFT_AT:] += shift * spread
    return ratio(chance.binomial(sizes.astype("int64"), np.clip(true, 0, 1)).astype("float64"), sizes)


@dataclass(frozen=True)
class Watcher:
    """Something that may alarm: `alarms` gives bool (series, weeks) for figures in which higher is worse."""

    name: str
    alarms: Callable
    shares: float | None = None


def watchers() -> list[Watcher]:
    from hansei.signals import breaches
    from hansei.signals.forecast_breaches import forecast

    def likely(figures, phases: np.ndarray) -> np.ndarray:
        limits, directions = np.full(phases.shape, 2.0), np.full(len(phases), -1, dtype="int8")
        return forecast(figures.values, phases, [limits], directions)[0].is_likely

    def beyond(figures, limit: float) -> np.ndarray:
        limits = np.full(figures.values.shape, limit)
        return breaches.beyond(figures.values, limits, np.full(len(limits), -1, dtype="int8"))

    def relative(figures, _) -> np.ndarray:
        limits = np.broadcast_to(figures.values[:, :BASELINE].mean(axis=1, keepdims=True) + 2.0, figures.values.shape)
        return breaches.beyond(figures.values, limits, np.full(len(limits), -1, dtype="int8"))

    found = [
        Watcher("the word `worse` (combined verdict)", _is_worse),
        Watcher("`worse` in two weeks running", lambda *given: breaches.in_a_row(_is_worse(*given), 2)),
        Watcher("static, limit at 2 sd", lambda figures, _: beyond(figures, 2.0)),
        Watcher("relative, 2 sd worse than the baseline", relative),
        Watcher("forecast, limit at 2 sd", likely),
        Watcher("assurance_fail, target 1 sd above the level", _will_miss),
        Watcher("consecutive, 3 weeks beyond 1 sd", lambda figures, _: breaches.in_a_row(beyond(figures, 1.0), 3)),
        Watcher("m of n, 3 of 5 weeks beyond 1 sd", lambda figures, _: breaches.m_of_n(beyond(figures, 1.0), 3, 5)),
    ]
    for rules in ("plot_the_dots", "western_electric", "nelson", "anhoj"):
        found.append(Watcher(f"spc_concern, xmr, {rules}", _on_chart("xmr", rules)))
    for wander, told in ((0.0, "chance alone"), (0.25, "overdispersed")):
        for kind in ("p", "p_prime", "xmr", "auto"):
            found.append(Watcher(f"spc_concern, {kind}, shares, {told}", _on_chart(kind, "plot_the_dots"), wander))
    return found


def _on_chart(kind: str, rules: str) -> Callable:
    from hansei.signals.judged import judged, judged_by_choice

    def alarms(figures, phases: np.ndarray) -> np.ndarray:
        if kind == "auto":
            return judged_by_choice("share", figures, phases, BASELINE, rules)[0].sides > 0
        return judged(kind, figures, phases, BASELINE, rules).sides > 0

    return alarms


def _will_miss(figures, phases: np.ndarray) -> np.ndarray:
    from hansei.signals import verdicts as words
    from hansei.signals.judged import judged

    lines = judged("xmr", figures, phases, BASELINE).limits
    targets, directions = np.full(phases.shape, 1.0), np.full(len(phases), -1, dtype="int8")
    return words.assurance(targets, lines.lower, lines.upper, directions) == words.WILL_MISS


def _is_worse(figures, phases: np.ndarray) -> np.ndarray:
    """As pipeline/verdicts.py comes to its words, without a target."""
    from hansei.signals import verdicts as words
    from hansei.signals.judged import judged

    known = judged("xmr", figures, phases, BASELINE)
    directions = np.full(len(phases), -1, dtype="int8")
    nothing, ready = np.full(phases.shape, np.nan), np.ones(phases.shape, dtype=bool)
    variations = words.variations(known.sides, directions)
    variations[known.guards != 0] = words.UNKNOWN
    said = words.verdicts(figures.values, nothing, directions, ready, variations, np.zeros_like(variations))
    return said.words == words.WORSE


def task_simulation() -> dict[str, list[float | None]]:
    """Per watcher: alarms a year without and with autocorrelation 0.4, then for a shift of one and of two standard
    deviations the median weeks until the first alarm and the share that is seen within eight weeks."""
    return {watcher.name: _watched(watcher) for watcher in watchers()}


def _watched(watcher: Watcher) -> list[float | None]:
    from hansei.signals.limits import Figures

    phases = np.zeros((SIMULATED, WEEKS), dtype="int32")

    def figures(correlation: float, shift: float, seed: int):
        if watcher.shares is not None:
            return _shares(SIMULATED, WEEKS, 0.2, watcher.shares, seed, shift)
        values = _noise(SIMULATED, WEEKS, correlation, seed)
        values[:, SHIFT_AT:] += shift
        return Figures(values)

    found: list[float | None] = []
    for correlation in (0.0, 0.4):
        if correlation and watcher.shares is not None:
            found.append(None)
            continue
        calm = watcher.alarms(figures(correlation, 0.0, 1), phases)[:, BASELINE:]
        starts = calm.copy()
        starts[:, 1:] &= ~calm[:, :-1]
        found.append(float(starts.sum()) / SIMULATED / calm.shape[1] * YEAR)
    for shift in (1.0, 2.0):
        seen = watcher.alarms(figures(0.0, shift, 2), phases)[:, SHIFT_AT:]
        delay = np.where(seen.any(axis=1), np.argmax(seen, axis=1) + 1.0, np.inf)
        middle = float(np.median(delay))
        found += [middle if np.isfinite(middle) else None, float(np.mean(delay <= 8))]
    return found


TASKS = {"judging": task_judging, "stage": task_stage, "simulation": task_simulation}


def report_speed(judging: dict[str, float], stage: dict[str, float]) -> None:
    print(f"  {SERIES:,} series of {POINTS} points, rules alone, peak {judging['GB']:.2f} GB")
    for name in (key.removesuffix(" seconds") for key in judging if key.endswith(" seconds")):
        print(f"    {name:24} {judging[f'{name} seconds']:6.2f} s {judging[f'{name} cpu']:6.2f} CPU s")
    print(
        f"  the stage: {stage['rows']:,.0f} stored values to words in {stage['seconds']:.1f} s "
        f"({stage['cpu']:.1f} CPU s), peak {stage['GB']:.2f} GB ({stage['filled GB']:.2f} before it began)"
    )
    print(f"  the stage again, nothing changed: {stage['again']:.2f} s")


def report_simulation(found: dict[str, list[float | None]]) -> None:
    """A table in the form of docs/benchmarks.md."""
    print("| Watching | false alarms a year | with autocorrelation 0.4 | 1 sd: weeks, seen in 8 | 2 sd |")
    print("|---|---|---|---|---|")
    for name, (calm, correlated, *delays) in found.items():
        cells = [f"{calm:.2f}", "" if correlated is None else f"{correlated:.2f}"]
        for middle, share in (delays[:2], delays[2:]):
            cells.append(f"{'over 104' if middle is None else f'{middle:.0f}'}, {100 * share:.0f} %")
        print(f"| {name} | {' | '.join(cells)} |")
