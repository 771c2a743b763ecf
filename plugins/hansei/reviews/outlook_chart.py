"""The chart of an outlook: the last weeks as a line, then a fan of what the next ones will probably be."""

from __future__ import annotations

import datetime as dt

from markupsafe import Markup, escape

from hansei.catalog.measures import Grain, Unit
from hansei.indicators.periods import next_period
from hansei.reviews import figures
from hansei.reviews.chart_scales import Scale, Size, axes, fit_scale
from hansei.reviews.charts import apart
from hansei.reviews.evidence import IndicatorEvidence, Limit, Point
from hansei.reviews.locales import Locale
from hansei.reviews.prospects import Outlook

SHOWN = 12  # periods before the newest
SMALL = Size(width=340, height=150, left=44, right=84, top=14, bottom=24, months_apart=48, name="small")


def fan_chart(
    indicator: IndicatorEvidence,
    outlook: Outlook,
    grain: Grain,
    period_start: dt.date,
    uid: str,
    alternative: str,
    words: Locale,
) -> Markup:
    """The outlook of one indicator with the limits that hold ahead; `alternative` tells it to who cannot see it."""
    known = [p for p in indicator.series if p.value is not None and p.state == "ok" and p.period_start <= period_start]
    known = known[-SHOWN - 1 :]
    limits = _limits(outlook)
    scale = _scale(indicator, outlook, known, limits, words)
    left, right = scale.size.left, scale.x(scale.last)
    body = [*axes(scale, indicator.unit, words)]
    body += [
        f'<path class="c-{limit.level}-limit" d="M{left} {scale.y(limit.value):.1f}H{right:.1f}"/>' for limit in limits
    ]
    body += _fan(outlook, known[-1], scale)
    body += _line(known, grain, scale)
    body += _labels(indicator, outlook, limits, scale, words)
    return Markup(
        '<svg class="chart fan" role="img" aria-labelledby="{0}-t {0}-d" viewBox="0 0 {1} {2}">'
        '<title id="{0}-t">{3}</title><desc id="{0}-d">{4}</desc>{5}</svg>'
    ).format(uid, scale.size.width, scale.size.height, words.name(indicator.title), alternative, Markup("".join(body)))


def whole(value: float, unit: Unit) -> float:
    """Numbers of cases are expected in whole ones."""
    return float(figures.rounded(value, 0)) if unit == "count" else value


def _limits(outlook: Outlook) -> list[Limit]:
    first = outlook.periods[0].period_start
    return [Limit(value=c.limit, level=c.level, valid_from=first, threshold_id="") for c in outlook.chances]


def _scale(
    indicator: IndicatorEvidence, outlook: Outlook, known: list[Point], limits: list[Limit], words: Locale
) -> Scale:
    """All of the line, the fan and the limits fit in."""
    ends = [
        Point(period_start=period.period_start, value=value)
        for period in outlook.periods
        for value in (period.lower_bound, period.upper_bound)
    ]
    plain = [Point(period_start=point.period_start, value=point.value) for point in known]
    drawn = indicator.model_copy(update={"series": (*plain, *ends), "limits": tuple(limits), "usual": ()})
    return fit_scale((drawn,), outlook.periods[-1].period_start, SMALL, words)


def _fan(outlook: Outlook, newest: Point, scale: Scale) -> list[str]:
    """The interval as it widens, and the middle as a broken line from the newest value on."""
    start = (scale.x(newest.period_start), scale.y(newest.value))
    over = [(scale.x(p.period_start), scale.y(p.upper_bound)) for p in outlook.periods]
    under = [(scale.x(p.period_start), scale.y(p.lower_bound)) for p in reversed(outlook.periods)]
    middle = [start, *((scale.x(p.period_start), scale.y(p.value)) for p in outlook.periods)]
    return [
        f'<path class="c-fan" d="M{_path([start, *over, *under])}Z"/>',
        f'<path class="c-ahead" d="M{_path(middle)}"/>',
        f'<circle class="c-end" cx="{middle[-1][0]:.1f}" cy="{middle[-1][1]:.1f}" r="3.5"/>',
    ]


def _line(known: list[Point], grain: Grain, scale: Scale) -> list[str]:
    """Neighbouring periods joined; a line never bridges a gap."""
    runs: list[list[Point]] = []
    for point in known:
        if not runs or next_period(grain, runs[-1][-1].period_start) != point.period_start:
            runs.append([])
        runs[-1].append(point)
    paths = [_path([(scale.x(p.period_start), scale.y(p.value)) for p in run]) for run in runs if len(run) > 1]
    return [f'<path class="c-line" d="M{path}"/>' for path in paths]


def _labels(
    indicator: IndicatorEvidence, outlook: Outlook, limits: list[Limit], scale: Scale, words: Locale
) -> list[str]:
    """The middle at its end, and the limits, kept from overlapping."""
    x = scale.x(scale.last) + 8
    end = outlook.periods[-1]
    labels = [(scale.y(end.value), "c-value", words.figure(whole(end.value, indicator.unit), indicator.unit))]
    labels += [(scale.y(n.value), f"c-limit-{n.level}", words.bare_limit(n.value, indicator.unit)) for n in limits]
    placed = apart(labels, scale.size.label_gap, scale.size.top, scale.size.height - scale.size.bottom)
    return [f'<text class="{kind}" x="{x:.1f}" y="{y + 4:.1f}">{escape(text)}</text>' for y, kind, text in placed]


def _path(places: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f} {y:.1f}" for x, y in places)
