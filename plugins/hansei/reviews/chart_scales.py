"""The field of a chart: from weeks and values to places, round steps, and the axes that mark them."""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hansei.catalog.measures import Unit
from hansei.reviews import figures
from hansei.reviews.evidence import DURATIONS, IndicatorEvidence
from hansei.reviews.locales import Locale

_STEPS = {
    "seconds": [
        *(1, 2, 5, 10, 20, 30),
        *(60 * m for m in (1, 2, 5, 10, 15, 30)),
        *(3600 * h for h in (1, 2, 3, 4, 6, 12)),
        *(86400 * d for d in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)),
    ],
    # A day of open hours has no set length.
    "business_seconds": [
        *(1, 2, 5, 10, 20, 30),
        *(60 * m for m in (1, 2, 5, 10, 15, 30)),
        *(3600 * h for h in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)),
    ],
    "ratio": [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5],
}


@dataclass(frozen=True)
class Size:
    """A drawing's field, and the room that labels need around the plot."""

    width: int
    height: int
    left: int
    right: int
    top: int = 18
    bottom: int = 24
    months_apart: int = 34
    label_gap: int = 15
    character: float = 6.6
    name: str = "wide"

    def with_room_for(self, labels: Sequence[str]) -> Size:
        """The same field with its plot far enough to the right of the labels of its axis."""
        widest = max(map(_width, labels), default=0) * self.character + 6
        return replace(self, left=max(self.left, math.ceil(widest)))

    def with_room_at_the_end(self, labels: Sequence[str]) -> Size:
        """The same field with its plot far enough to the left of what is written at the line's end."""
        # Words are narrower than an axis's digits; a third of the field is the most that they may take.
        widest = 0.88 * max(map(_width, labels), default=0) * self.character + 12
        return replace(self, right=min(max(self.right, math.ceil(widest)), self.width // 3))


def _width(label: str) -> float:
    """In Latin characters; Chinese ones are nearly twice as wide."""
    return sum(1.8 if unicodedata.east_asian_width(character) in "WF" else 1 for character in label)


WIDE = Size(width=720, height=210, left=46, right=112)
NARROW = Size(width=420, height=172, left=46, right=56, months_apart=52, label_gap=17, character=7.7, name="narrow")


@dataclass(frozen=True)
class Scale:
    """From periods and values to places on the field."""

    size: Size
    first: dt.date
    last: dt.date
    low: float
    high: float
    step: float = 1.0

    def x(self, date: dt.date) -> float:
        days = (self.last - self.first).days or 1
        return self.size.left + (date - self.first).days / days * (self.size.width - self.size.left - self.size.right)

    @property
    def ticks(self) -> list[float]:
        """The values that the axis marks."""
        return [self.low + n * self.step for n in range(int((self.high - self.low) / self.step + 1e-6) + 1)]

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.size.height - self.size.bottom - share * (self.size.height - self.size.top - self.size.bottom)


def fit_scale(drawn: Sequence[IndicatorEvidence], period_start: dt.date, size: Size, words: Locale) -> Scale:
    """The field's scale: all values and limits, and as much of the intervals as does not flatten the line."""
    unit = drawn[0].unit
    points = [p for one in drawn for p in one.series if p.value is not None and p.period_start <= period_start]
    first = min(p.period_start for one in drawn for p in one.series)
    limits = [n for one in drawn for n in one.dated_limits if n.valid_from <= period_start]
    usual = [b for one in drawn for u in one.usual for b in (u.low, u.high) if b is not None]
    values = [p.value for p in points] + [n.value for n in limits if n.valid_to is None or n.valid_to > first]
    low, high = min(values), max(values)
    reach = (high - low) or abs(high) * 0.1 or 1.0
    bounds = [b for p in points if p.state == "ok" for b in (p.lower_bound, p.upper_bound) if b is not None]
    low = max(min([low, *bounds, *usual]), low - reach * 0.6)
    high = min(max([high, *bounds, *usual]), high + reach * 0.6)
    if high == low:
        low, high = low - reach, high + reach
    if unit == "count" or (unit != "points" and low < high * 0.5):
        low = 0.0
    step = max(_step(unit, (high - low) / 4), figures.tick_unit(high, unit) / 2 if unit in DURATIONS else 0)
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    if unit == "ratio":
        low, high = max(low, 0.0), min(high, 1.0)
    scale = Scale(size, min(first, period_start - dt.timedelta(weeks=4)), period_start, low, high, step)
    return replace(scale, size=size.with_room_for([words.tick(tick, unit, high) for tick in scale.ticks]))


def _step(unit: Unit, rough: float) -> float:
    """The next round step: of the clock for durations, of ten for anything else."""
    for step in _STEPS.get(unit, ()):
        if step >= rough:
            return step
    power = 10 ** math.floor(math.log10(rough))
    return max(next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9)), 1 if unit == "count" else 0)


def axes(scale: Scale, unit: Unit, words: Locale) -> list[str]:
    """Faint lines at round values on the left, months (and years) below."""
    size, out = scale.size, []
    for tick in scale.ticks:
        y = scale.y(tick)
        out.append(f'<path class="c-grid" d="M{size.left} {y:.1f}H{size.width - size.right}"/>')
        out.append(f'<text class="tick" x="0" y="{y + 4:.1f}">{words.tick(tick, unit, scale.high)}</text>')
    baseline = size.height - size.bottom
    monday, taken, year = scale.first, -math.inf, None
    while monday <= scale.last:
        starts_month = monday.day <= 7
        x = scale.x(monday)
        if starts_month and x - taken >= size.months_apart and x <= size.width - size.right - 4:
            text = words.axis_month(monday, with_year=monday.year != year)
            out.append(f'<path class="c-tick" d="M{x:.1f} {baseline}v4"/>')
            out.append(f'<text class="tick" x="{x:.1f}" y="{baseline + 17}">{text}</text>')
            taken, year = x + (30 if monday.year != year else 0), monday.year
        monday += dt.timedelta(weeks=1)
    return out
