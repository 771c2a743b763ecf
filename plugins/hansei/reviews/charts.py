"""Charts as inline SVG: text stays text, colours follow the page into the dark and onto paper.

Written by hand instead of by Vega, since a manager sees the difference: the line carries its last value and its limit
as labels at its end (no legend to look up), lettered notes match the list below, a narrow twin is drawn for phones
instead of shrinking twelve-pixel text to seven, and styles come from the page, so that dark mode, print and a
reader's own font size hold. A chart costs about a millisecond and three kilobytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from markupsafe import Markup, escape

from hansei.catalog.measures import Unit
from hansei.reviews.chart_scales import WIDE, Scale, Size, axes, fit_scale
from hansei.reviews.evidence import IndicatorEvidence, Limit, Note, Point, Usual
from hansei.reviews.locales import Locale


def line_chart(
    indicator: IndicatorEvidence,
    period_start: dt.date,
    uid: str,
    alternative: str,
    words: Locale,
    size: Size = WIDE,
    beside: Sequence[IndicatorEvidence] = (),
) -> Markup:
    """One indicator's weeks: interval band, line with gaps, limits in force, breaches by shape, lettered notes.

    `beside` is what else is drawn next to it: all of them get the same scale.
    """
    series = [p for p in indicator.series if p.period_start <= period_start]
    title = Markup('<title id="{0}-t">{1}</title><desc id="{0}-d">{2}</desc>').format(
        uid, words.name(indicator.title), alternative
    )
    body: list[str] = []
    known = [p for p in series if p.value is not None]
    if known:
        scale = fit_scale((indicator, *beside), period_start, size, words)
        ends = _ends(known, indicator, period_start, words)
        scale = replace(scale, size=scale.size.with_room_at_the_end([text for _, _, text in ends]))
        body += axes(scale, indicator.unit, words)
        body.append(_clip(scale, uid))
        body.append(f'<g clip-path="url(#{uid}-c)">{"".join(_bands(series, scale))}</g>')
        body += _usual(indicator.usual, scale)
        body += _limits(indicator.dated_limits, scale)
        body += _notes(indicator.notes, scale)
        body += _lines(series, scale)
        body += _moved(indicator.usual, series, scale)
        body += _marks(series, indicator, scale)
        body += _end_labels(ends, scale)
    else:
        body.append(
            f'<text class="c-none" x="{size.width / 2:g}" y="{size.height / 2:g}" text-anchor="middle">'
            f"{escape(words.say('charts.nothing'))}</text>"
        )
    return Markup(
        '<svg class="chart {5}" role="img" aria-labelledby="{0}-t {0}-d" viewBox="0 0 {1} {2}">{3}{4}</svg>'
    ).format(uid, size.width, size.height, title, Markup("".join(body)), size.name)


def sparkline(
    series: Sequence[Point], period_start: dt.date, unit: Unit, label: str, limits: Sequence[Limit], words: Locale
) -> Markup:
    """The last thirteen periods in a table's cell: a line, its last point, and the limit if one is in force."""
    first = period_start - dt.timedelta(days=12 * _step(series))
    shown = [p for p in series if first <= p.period_start <= period_start]
    known = [p for p in shown if p.value is not None]
    if not known:
        return Markup('<span class="soft">{}</span>').format(words.say("charts.no_history"))
    size = Size(width=112, height=26, left=3, right=5, top=4, bottom=4)
    active = [limit for limit in limits if limit.holds(period_start)]
    values = [p.value for p in known] + [limit.value for limit in active]
    low, high = min(values), max(values)
    margin = (high - low) * 0.05 or 1.0
    scale = Scale(size, first, period_start, low - margin, high + margin)
    body = [
        f'<path class="c-{limit.level}-limit" d="M{size.left} {scale.y(limit.value):.1f}H{size.width - size.right}"/>'
        for limit in active
    ]
    body += _lines(shown, scale)
    end = known[-1]
    if end.period_start == period_start and end.state == "ok":
        x, y = scale.x(end.period_start), scale.y(end.value)
        body.append(f'<circle class="c-end" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>')
    low_point, high_point = min(known, key=lambda p: p.value), max(known, key=lambda p: p.value)
    text = words.say(
        "charts.spark",
        label=label,
        weeks=words.count(len(known), "week"),
        low=words.figure(low_point.value, unit),
        high=words.figure(high_point.value, unit),
    )
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 112 26" preserveAspectRatio="xMinYMid">{}</svg>'
    ).format(text, Markup("".join(body)))


def breaks(value: float, date: dt.date, limits: Iterable[Limit], direction: str) -> str | None:
    """`critical`, `warning` or None: whether the value lay beyond a limit in force on that date."""
    found = None
    for limit in limits:
        if not limit.holds(date):
            continue
        is_upper = limit.side == "at_most" if limit.side else direction != "higher_is_better"
        if (value > limit.value) if is_upper else (value < limit.value):
            found = "critical" if "critical" in (limit.level, found) else "warning"
    return found


def _clip(scale: Scale, uid: str) -> str:
    size = scale.size
    return (
        f'<clipPath id="{uid}-c"><rect x="{size.left}" y="{size.top}" width="{size.width - size.left - size.right}" '
        f'height="{size.height - size.top - size.bottom}"/></clipPath>'
    )


def _runs(series: Sequence[Point]) -> Iterable[list[Point]]:
    """Stretches of neighbouring weeks with a judged value: a line never bridges a gap."""
    run: list[Point] = []
    step = _step(series)
    for point in series:
        if point.value is None or point.state != "ok":
            if run:
                yield run
            run = []
            continue
        if run and (point.period_start - run[-1].period_start).days > step:
            yield run
            run = []
        run.append(point)
    if run:
        yield run


def _step(series: Sequence[Point]) -> int:
    """Days that neighbouring periods are apart at most: 7, or as many as a month or a quarter has."""
    starts = [point.period_start for point in series]
    nearest = min(((after - before).days for before, after in pairwise(starts)), default=7)
    return next(days for days in (7, 31, 92, nearest) if nearest <= days)


def _bands(series: Sequence[Point], scale: Scale) -> Iterable[str]:
    for run in _runs(series):
        bounded = [p for p in run if p.lower_bound is not None and p.upper_bound is not None]
        if len(bounded) > 1:
            there = " ".join(f"{scale.x(p.period_start):.1f} {scale.y(p.upper_bound):.1f}" for p in bounded)
            back = " ".join(f"{scale.x(p.period_start):.1f} {scale.y(p.lower_bound):.1f}" for p in reversed(bounded))
            yield f'<path class="c-band" d="M{there} {back}Z"/>'


def _lines(series: Sequence[Point], scale: Scale) -> list[str]:
    """Judged stretches as a line (a dot where one week stands alone); weeks not judged as hollow dots."""
    out = []
    for run in _runs(series):
        places = [f"{scale.x(p.period_start):.1f} {scale.y(p.value):.1f}" for p in run]
        if len(run) == 1:
            x, y = places[0].split()
            out.append(f'<circle class="c-dot" cx="{x}" cy="{y}" r="2"/>')
        else:
            out.append(f'<path class="c-line" d="M{" ".join(places)}"/>')
    for point in series:
        if point.value is not None and point.state != "ok":
            x, y = scale.x(point.period_start), min(max(scale.y(point.value), 2), scale.size.height - 2)
            out.append(f'<circle class="c-unjudged" cx="{x:.1f}" cy="{y:.1f}" r="2"/>')
    return out


def _usual(usual: Sequence[Usual], scale: Scale) -> list[str]:
    """What is usual as the control chart knew it each week: its level thin, its edges dotted, a step where rebased."""
    out = []
    for name, value_of in (("level", lambda u: u.centre), ("edge", lambda u: u.low), ("edge", lambda u: u.high)):
        places, before = [], None
        for known in usual:
            value = value_of(known)
            if value is None or known.period_start < scale.first:
                before = None
                continue
            x, y = scale.x(known.period_start), min(max(scale.y(value), scale.size.top), scale.y(scale.low))
            is_next = before is not None and (known.period_start - before).days <= 7
            places.append(f"{'L' if is_next else 'M'}{x:.1f} {y:.1f}")
            before = known.period_start
        if places:
            out.append(f'<path class="c-{name}" d="{"".join(places)}"/>')
    return out


def _moved(usual: Sequence[Usual], series: Sequence[Point], scale: Scale) -> list[str]:
    """A ring around each week that the control chart marks: whole for worse, broken for any other change."""
    values = {p.period_start: p.value for p in series if p.value is not None and p.state == "ok"}
    return [
        f'<circle class="c-moved{"-worse" if known.moved == "worse" else ""}" '
        f'cx="{scale.x(known.period_start):.1f}" cy="{scale.y(values[known.period_start]):.1f}" r="5.5"/>'
        for known in usual
        if known.moved and known.period_start in values
    ]


def _limits(limits: Sequence[Limit], scale: Scale) -> list[str]:
    """Each limit as a dashed step from the date it holds; critical longer dashes than warning."""
    out = []
    for limit in limits:
        start, end = max(limit.valid_from, scale.first), min(limit.valid_to or scale.last, scale.last)
        if start <= end:
            x, y = (scale.x(start) if start > scale.first else scale.size.left), scale.y(limit.value)
            out.append(f'<path class="c-{limit.level}-limit" d="M{x:.1f} {y:.1f}H{scale.x(end):.1f}"/>')
    return out


def _marks(series: Sequence[Point], indicator: IndicatorEvidence, scale: Scale) -> list[str]:
    """Weeks beyond a limit: a triangle for critical, a diamond for warning; the last week's dot if it meets them."""
    out = []
    for point in series:
        if point.value is None or point.state != "ok":
            continue
        x, y = scale.x(point.period_start), scale.y(point.value)
        level = breaks(point.value, point.period_start, indicator.dated_limits, indicator.direction)
        size = 1.0 if point.period_start == scale.last else 0.7  # this week's mark is the one to see
        if level == "critical":
            shape = f"M{x:.1f} {y - 5.5 * size:.1f}l{5 * size:g} {9 * size:g}h{-10 * size:g}Z"
            out.append(f'<path class="m-critical" d="{shape}"/>')
        elif level == "warning":
            r = f"{4.8 * size:g}"
            out.append(f'<path class="m-warning" d="M{x:.1f} {y - 4.8 * size:.1f}l{r} {r} -{r} {r} -{r} -{r}Z"/>')
        elif point.period_start == scale.last:
            out.append(f'<circle class="c-end" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
    return out


def shown_notes(notes: Sequence[Note], first: dt.date, last: dt.date) -> list[tuple[str, Note]]:
    """Notes within the drawn weeks with their letters, oldest first."""
    end = last + dt.timedelta(days=6)
    inside = sorted((n for n in notes if first <= n.date <= end), key=lambda n: n.order)
    return list(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", inside, strict=False))


def _notes(notes: Sequence[Note], scale: Scale) -> list[str]:
    out = []
    for letter, note in shown_notes(notes, scale.first, scale.last):
        x = min(scale.x(note.date), scale.size.width - scale.size.right)
        out.append(f'<path class="c-note" d="M{x:.1f} {scale.size.top}V{scale.size.height - scale.size.bottom}"/>')
        out.append(f'<text class="c-letter" x="{x:.1f}" y="{scale.size.top - 5}" text-anchor="middle">{letter}</text>')
    return out


def _ends(
    known: Sequence[Point], indicator: IndicatorEvidence, period_start: dt.date, words: Locale
) -> list[tuple[float, str, str]]:
    """This week's value and the limits in force: value, class and text of each."""
    labels: list[tuple[float, str, str]] = []
    if known[-1].period_start == period_start:
        end = known[-1]
        labels.append((end.value, f"c-value c-{end.state}", words.figure(end.value, indicator.unit)))
    active = [limit for limit in indicator.dated_limits if limit.holds(period_start)]
    for limit in active:
        kind = "warning" if limit.level == "warning" and len({n.level for n in active}) > 1 else "limit"
        text = words.say(f"charts.{kind}", limit=words.bare_limit(limit.value, indicator.unit))
        labels.append((limit.value, f"c-limit-{limit.level}", text))
    return labels


def _end_labels(ends: Sequence[tuple[float, str, str]], scale: Scale) -> Iterable[str]:
    """What stands at the line's end, kept from overlapping."""
    labels = [(scale.y(value), kind, text) for value, kind, text in ends]
    x = scale.size.width - scale.size.right + 9
    for y, kind, text in apart(labels, scale.size.label_gap, scale.size.top, scale.size.height - scale.size.bottom):
        yield f'<text class="{kind}" x="{x}" y="{y + 4:.1f}">{escape(text)}</text>'


def apart(
    labels: list[tuple[float, str, str]], gap: float, top: float, bottom: float
) -> Iterable[tuple[float, str, str]]:
    """The labels moved as little as it takes to keep `gap` between them, inside the field."""
    placed: list[float] = []
    ordered = sorted(labels)
    for y, _, _ in ordered:
        placed.append(max(y, placed[-1] + gap) if placed else max(y, top))
    if placed and placed[-1] > bottom:
        placed[-1] = bottom
        for at in range(len(placed) - 2, -1, -1):
            placed[at] = min(placed[at], placed[at + 1] - gap)
    return [(y, kind, text) for y, (_, kind, text) in zip(placed, ordered, strict=True)]
