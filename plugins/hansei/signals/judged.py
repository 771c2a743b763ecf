"""What a chart of any kind, read with any rule set, said of each period when it was the newest.

`judged` is for one kind of chart; `judged_by_choice` lets each series and phase have the chart that suits it. The XmR
chart with plot-the-dots is `spc.known_then` itself. Arrays are (series, periods).
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from hansei.signals.attribute_charts import Kind, kind_of
from hansei.signals.chart_choice import chosen, traits
from hansei.signals.limits import Figures, Limits, Sample, growing
from hansei.signals.rare_events import between_events
from hansei.signals.run_charts import runs_then
from hansei.signals.run_rules import RULE_SETS, zones
from hansei.signals.spc import FINE, NO_RULE, NO_VALUE, OUTSIDE, TOO_SHORT, KnownThen, guarded, is_mostly_one_value
from hansei.signals.spc import known_then as dots_then
from hansei.signals.windows import first_rule, moved, place_in_phase

RARE = ("g", "t")
# Kinds that can be judged; `i`, `ip` and `mr` are for drawing.
CHARTS = ("xmr", "p", "p_prime", "u", "u_prime", "c", *RARE, "xbar", "s")
RULES = (*RULE_SETS, "anhoj")
# Kinds whose width comes from ranges: where most points are one value, ranges say nothing of what is usual.
_BY_RANGES = ("xmr", "p_prime", "u_prime")


def judged(
    kind: str,
    figures: Figures,
    phases: np.ndarray,
    fix_after: int = 20,
    rules: str = "plot_the_dots",
    is_screened: bool = True,
    is_guarded: bool = True,
) -> KnownThen:
    """`figures`: values, and what the kind needs beside them (`attribute_charts.KINDS`).

    For `g` and `t`, `counts` are events and `sizes` exposure per period (None: 1); their lines are in units of exposure
    and are not told. `is_guarded=False`: judged from the second point on, whatever its baseline looks like.
    ValueError for an unknown kind or rule set, and for figures that are missing.
    """
    if kind not in CHARTS:
        raise ValueError(f"no chart {kind!r} to judge by; known: {', '.join(CHARTS)}")
    if rules not in RULES:
        raise ValueError(f"no rule set {rules!r}; known: {', '.join(RULES)}")
    if kind in RARE:
        return _rare(kind, figures, phases, fix_after, rules, is_screened, is_guarded)
    if (kind, rules) == ("xmr", "plot_the_dots"):
        return dots_then(figures.values, phases, fix_after, is_screened, is_guarded)
    return _on_values(kind, figures, phases, fix_after, rules, is_screened, is_guarded)


def judged_by_choice(
    measure: str,
    figures: Figures,
    phases: np.ndarray,
    fix_after: int = 20,
    rules: str = "plot_the_dots",
    is_screened: bool = True,
) -> tuple[KnownThen, np.ndarray]:
    """Each series and phase on the chart that `chart_choice` gives it; and which one that was, object names.

    While a baseline grows the chart is XmR: the choice is made once, from the whole baseline, and stands.
    """
    found = judged("xmr", figures, phases, fix_after, rules, is_screened)
    kinds = np.full(phases.shape, "xmr", dtype=object)
    if measure == "other" or figures.counts is None:
        return found, kinds
    numbers, counts = growing(figures, phases, traits(measure == "share", is_screened), fix_after)
    settled = counts >= fix_after
    kinds[settled] = chosen(measure, numbers[:, settled])
    is_other = (numbers[4] == 1) & (kinds == "g")
    for kind in sorted(set(kinds[settled].tolist()) - {"xmr"}):
        for side in (1, -1):
            at = (kinds == kind) & (is_other == (side < 0))
            rows = np.flatnonzero(at.any(axis=1))
            own = _rows(figures, rows)
            if side < 0:  # of a high share, what is rare is the rest
                own = replace(own, counts=own.sizes - own.counts)
            other = judged(kind, own, phases[rows], fix_after, rules, is_screened)
            found = _laid_over(found, replace(other, sides=side * other.sides), rows, at[rows])
    return found, kinds


def _rows(figures: Figures, rows: np.ndarray) -> Figures:
    parts = (getattr(figures, field.name) for field in fields(Figures))
    return Figures(*(part if part is None else part[rows] for part in parts))


def _laid_over(found: KnownThen, other: KnownThen, rows: np.ndarray, at: np.ndarray) -> KnownThen:
    def laid(below: np.ndarray, above: np.ndarray) -> np.ndarray:
        below = below.copy()
        below[rows] = np.where(at, above, below[rows])
        return below

    limits = Limits(*(laid(getattr(found.limits, f.name), getattr(other.limits, f.name)) for f in fields(Limits)))
    names = ("rules", "sides", "pattern_starts", "counts", "guards")
    return replace(found, limits=limits, **{name: laid(getattr(found, name), getattr(other, name)) for name in names})


class _KnownPoints:
    """Points on the lines that were known in each period (`run_rules.Points`)."""

    def __init__(self, kind: Kind, figures: Figures, numbers: np.ndarray, phases: np.ndarray) -> None:
        self.places = place_in_phase(phases)
        self._kind, self._figures, self._numbers = kind, figures, numbers
        self._zones: dict[int, np.ndarray] = {}
        steps = figures.values - moved(figures.values, 1)
        steps[self.places == 0] = np.nan
        self._steps = np.nan_to_num(np.sign(steps)).astype("int8")

    def zone(self, back: int) -> np.ndarray:
        if back not in self._zones:
            values, sizes = moved(self._figures.values, back), self._figures.sizes
            scores = self._kind.score(values, self._numbers, sizes if sizes is None else moved(sizes, back))
            self._zones[back] = zones(scores, np.sign(values - self._numbers[2]))
        return self._zones[back]

    def step(self, back: int) -> np.ndarray:
        return moved(self._steps, back, 0)


def _on_values(
    name: str, figures: Figures, phases: np.ndarray, fix_after: int, rules: str, is_screened: bool, is_guarded: bool
) -> KnownThen:
    kind = kind_of(name, figures)
    is_by_ranges = name in _BY_RANGES

    def measure(sample: Sample) -> np.ndarray:
        numbers = kind.measure(sample, is_screened)
        flat = is_mostly_one_value(sample.values) if is_by_ranges else np.zeros(len(sample.values), dtype=bool)
        return np.concatenate([numbers, flat[None, :]])

    numbers, counts = growing(figures, phases, measure, fix_after)
    numbers, flat = numbers[:3], numbers[3] == 1
    limits = kind.lines(numbers, figures.sizes)
    with np.errstate(invalid="ignore", divide="ignore"):
        has_width = kind.sigma(numbers[0], numbers[1], figures.sizes) > 0
    if is_guarded:
        # Runs about the centre need no limits.
        is_blind = np.zeros(flat.shape, dtype=bool) if rules == "anhoj" else flat | ~has_width
        guards = guarded(figures.values, counts, is_blind)
    else:
        guards = np.where(np.isnan(figures.values), NO_VALUE, FINE).astype("int8")
    return _told(kind, figures, numbers, phases, limits, rules, counts, guards)


def _told(
    kind: Kind,
    figures: Figures,
    numbers: np.ndarray,
    phases: np.ndarray,
    limits: Limits,
    rules: str,
    counts: np.ndarray,
    guards: np.ndarray,
) -> KnownThen:
    columns = np.arange(phases.shape[1], dtype="int32")
    if rules == "anhoj":
        marks, starts = runs_then(figures.values, numbers[2], phases)
        names: tuple[str, ...] = ("", "unusual_runs")
        found, sides = first_rule(marks)
    else:
        points = _KnownPoints(kind, figures, numbers, phases)
        found, sides = first_rule(*(rule.find(points) for rule in RULE_SETS[rules]))
        names = ("", *(rule.name for rule in RULE_SETS[rules]))
        lengths = np.array([1, *(rule.length for rule in RULE_SETS[rules])], dtype="int32")
        starts = columns - lengths[found] + 1
    found[guards != FINE], sides[guards != FINE] = NO_RULE, 0
    starts = np.where(found == NO_RULE, columns, starts)
    return KnownThen(limits, found, sides, starts, counts, guards, names)


def _rare(
    name: str, figures: Figures, phases: np.ndarray, fix_after: int, rules: str, is_screened: bool, is_guarded: bool
) -> KnownThen:
    """Judged event by event; a period without one says only whether the way since the last is unusually long."""
    if figures.counts is None:
        raise ValueError(f"a chart of the kind {name!r} needs counts")
    events = between_events(figures, phases, is_counted=name == "g")
    told = _on_values(name, Figures(events.ways), events.phases, fix_after, rules, is_screened, is_guarded)
    shape, newest = phases.shape, np.maximum(events.numbers, 0)

    def of_newest(values: np.ndarray, empty: float) -> np.ndarray:
        if not values.shape[1]:
            return np.full(shape, empty, dtype=values.dtype)
        return np.where(np.isnan(events.open_way), empty, np.take_along_axis(values, newest, axis=1))

    has_event = figures.is_usable & (figures.counts > 0)
    found = np.where(has_event, of_newest(told.rules, NO_RULE), NO_RULE).astype("int8")
    # A long way between events is a low value of the indicator.
    sides = np.where(found != NO_RULE, -of_newest(told.sides, 0), 0).astype("int8")
    starts = np.tile(np.arange(shape[1], dtype="int32"), (shape[0], 1))
    if events.columns.shape[1]:
        first = np.take_along_axis(np.maximum(told.pattern_starts, 0), newest, axis=1)
        starts = np.where(found != NO_RULE, np.take_along_axis(events.columns, first, axis=1), starts)
    counts = of_newest(told.counts, 0).astype("int32")
    guards = of_newest(told.guards, TOO_SHORT).astype("int8")
    guards[(guards == NO_VALUE) | (counts == 0)] = TOO_SHORT
    guards[~figures.is_usable] = NO_VALUE
    with np.errstate(invalid="ignore"):
        is_long = (guards == FINE) & ~has_event & (events.open_way > of_newest(told.limits.upper, np.nan))
    if rules != "anhoj":
        found[is_long], sides[is_long] = OUTSIDE, -1
    found[guards != FINE], sides[guards != FINE] = NO_RULE, 0
    unknown = np.full(shape, np.nan)
    return KnownThen(Limits(*[unknown] * 5), found, sides, starts, counts, guards, told.names)
