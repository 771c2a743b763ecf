"""Profiles as the brief shows them: a small dot plot for each axis, segments by name, never one number or an order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from hansei.catalog.segments import cut_of
from hansei.reviews.appraisals import Axis, Place, Profile
from hansei.reviews.evidence import Evidence
from hansei.reviews.locales import Locale
from hansei.reviews.scorecard_view import points

# More segments than that are drawn as one row of dots, and named in the table.
MOST_ROWS = 12
LABEL_WIDTH = 16  # of a name beside its dot, in characters; Chinese ones count twice
_WIDTH, _LEFT, _RIGHT, _ROW = 300, 112, 34, 20


@dataclass(frozen=True)
class AxisView:
    """`chart` is empty where nothing is known."""

    title: str
    whole: str
    is_lowest: bool
    chart: Markup


@dataclass(frozen=True)
class ProfileView:
    """`rows`: each segment's name with its score on every axis, in the order of `axes`."""

    id: str
    title: str
    question: str
    period: str
    sentences: tuple[str, ...]
    axes: tuple[AxisView, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def view_profiles(evidence: Evidence, words: Locale) -> tuple[ProfileView, ...]:
    """Every profile of the evidence."""
    return tuple(_profile(profile, words) for profile in evidence.profiles)


def _profile(profile: Profile, words: Locale) -> ProfileView:
    period = words.short_period(profile.grain, profile.period_start)
    known = [axis for axis in profile.axes if axis.score is not None]
    lowest = min(known, key=lambda axis: axis.score, default=None)
    return ProfileView(
        id=profile.profile_id,
        title=words.name(profile.title),
        question=words.name(profile.question, 240),
        period=period,
        sentences=tuple(_sentences(profile, lowest, words)),
        axes=tuple(
            AxisView(
                title=words.name(axis.title),
                whole=points(axis.score, words),
                is_lowest=axis is lowest,
                chart=_dot_plot(axis, f"p-{profile.profile_id}-{axis.axis_id}", period, words),
            )
            for axis in profile.axes
        ),
        rows=tuple(_rows(profile, words)),
    )


def _sentences(profile: Profile, lowest: Axis | None, words: Locale) -> Iterable[str]:
    if lowest is not None:
        parts = {"axis": words.name(lowest.title), "score": points(lowest.score, words)}
        yield words.say("profiles.lowest", **parts)
    if unknown := [words.name(axis.title) for axis in profile.axes if axis.score is None]:
        yield words.say("profiles.unknown", axes=words.listed(unknown))


def _rows(profile: Profile, words: Locale) -> Iterable[tuple[str, tuple[str, ...]]]:
    by_place = [{place.segment_id: place for place in axis.places} for axis in profile.axes]
    places = {place.segment_id: place.label for axis in profile.axes for place in axis.places}
    for segment_id, label in places.items():
        found = [places_of[segment_id].score if segment_id in places_of else None for places_of in by_place]
        yield words.name(label), tuple(points(score, words) for score in found)


def _dot_plot(axis: Axis, uid: str, period: str, words: Locale) -> Markup:
    """Segments in rows with their intervals, the whole service as a line through them; 0 to 100."""
    known = [place for place in axis.places if place.score is not None]
    if not known and axis.score is None:
        return Markup("")
    rows = [[place] for place in known] if len(known) <= MOST_ROWS else [known]
    height = 8 + _ROW * max(len(rows), 1) + 20
    body = [_scale(height)]
    if axis.score is not None:
        body.append(f'<path class="g-before" d="M{_x(axis.score):.1f} 2V{height - 20}"/>')
    for number, row in enumerate(rows):
        y = 8 + _ROW * number + _ROW / 2
        if len(rows) > 1 or len(row) == 1:
            body += _row(row[0], y, words)
        else:
            body += [f'<circle class="c-unjudged" cx="{_x(place.score):.1f}" cy="{y:g}" r="4"/>' for place in row]
    return Markup(
        '<svg class="chart dots" role="img" aria-labelledby="{0}-t {0}-d" viewBox="0 0 {1} {2}">'
        '<title id="{0}-t">{3}</title><desc id="{0}-d">{4}</desc>{5}</svg>'
    ).format(uid, _WIDTH, height, words.name(axis.title), _spoken(axis, period, words), Markup("".join(body)))


def _scale(height: int) -> str:
    out = []
    for mark in (0, 50, 100):
        out.append(f'<path class="c-grid" d="M{_x(mark):.1f} 2V{height - 20}"/>')
        out.append(f'<text class="tick" x="{_x(mark):.1f}" y="{height - 5}" text-anchor="middle">{mark}</text>')
    return "".join(out)


def _row(place: Place, y: float, words: Locale) -> list[str]:
    x = _x(place.score)
    out = [f'<text x="0" y="{y + 4:g}">{escape(_short(words.name(place.label)))}</text>']
    if place.lower_score is not None and place.upper_score is not None:
        out.append(f'<path class="g-reach" d="M{_x(place.lower_score):.1f} {y:g}H{_x(place.upper_score):.1f}"/>')
    out.append(f'<circle class="c-end" cx="{x:.1f}" cy="{y:g}" r="4"/>')
    out.append(f'<text x="{_WIDTH}" y="{y + 4:g}" text-anchor="end">{points(place.score, words)}</text>')
    return out


def _x(score: float) -> float:
    return _LEFT + score / 100 * (_WIDTH - _LEFT - _RIGHT)


def _short(label: str) -> str:
    """The name cut to what fits beside its dot."""
    width = 0
    for at, character in enumerate(label):
        width += 2 if character >= "\u2e80" else 1
        if width > LABEL_WIDTH:
            return label[: max(at - 1, 1)].rstrip() + "…"
    return label


def _spoken(axis: Axis, period: str, words: Locale) -> str:
    """The plot in words: the whole service, then each segment by name; of many only the ends."""
    parts = {"axis": words.name(axis.title), "period": period, "score": points(axis.score, words)}
    told = [words.say("profiles.whole" if axis.score is not None else "profiles.no_whole", **parts)]
    known = [place for place in axis.places if place.score is not None]
    if known and len(known) <= MOST_ROWS:
        each = [
            words.say("profiles.place", place=words.name(place.label), score=points(place.score, words))
            for place in known
        ]
        told.append(words.say("profiles.places", places=words.listed(each)))
    elif known:
        scores = [place.score for place in known]
        ends = {"low": points(min(scores), words), "high": points(max(scores), words)}
        told.append(words.say("profiles.range", places=words.count(len(known), _noun(known)), **ends))
    if few := [place for place in axis.places if place.score is None]:
        told.append(words.say("profiles.few", places=words.count(len(few), _noun(few))))
    return words.together(told)


def _noun(places: Sequence[Place]) -> str:
    cuts = {cut_of(place.segment_id) for place in places}
    return cuts.pop() if len(cuts) == 1 and "&" not in min(cuts) else "segment"
