"""Scorecards, profiles and quadrants: how indicators are put on one scale, weighed and looked at together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from pydantic import Field

from hansei.catalog.documents import Definition, Document, Fault, Location
from hansei.catalog.entities import Identifier
from hansei.catalog.judgements import Judgements, judgement_faults
from hansei.catalog.measure_checks import known, undeclared, unit_faults
from hansei.catalog.measures import Grain
from hansei.catalog.segments import parse_segment
from hansei.catalog.units import in_indicator_unit

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

# What adds up over a segment's rows grows with the segment.
_GROWING = ("count", "total", "distinct", "snapshot")
_WITHIN = 1e-6


class ScoredIndicator(Definition):
    """An indicator on the scale from 0 (`worst`) to 100 (`best`), both in `unit`. Weights of a group are all given and
    total 100, or all left out, which makes them equal."""

    indicator: Identifier
    worst: float
    best: float
    unit: str
    weight: float | None = Field(default=None, gt=0)

    @property
    def ends(self) -> tuple[float, float]:
        """worst and best in the unit in which the indicator is stored."""
        return in_indicator_unit(self.worst, self.unit), in_indicator_unit(self.best, self.unit)


class Axis(Definition):
    """Indicators that tell of one thing. None yet is allowed: the axis is then missing, and shown as missing."""

    id: Identifier
    title: str
    indicators: tuple[ScoredIndicator, ...] = ()
    judgements: Judgements | None = None

    @property
    def shares(self) -> list[float]:
        """The weight of each indicator; they sum to 1."""
        return _shares(
            [item.indicator for item in self.indicators], [i.weight for i in self.indicators], self.judgements
        )


class Dimension(Axis):
    """An axis that counts towards a total."""

    weight: float | None = Field(default=None, gt=0)


class _Looked(Definition):
    """What cards and profiles share: for whom, which periods and segments, and since when."""

    id: Identifier
    version: int = Field(ge=1)
    title: str
    question: str
    grain: Grain = "week"
    segments: tuple[str, ...] = ("all",)
    # How many observations the whole service's value is worth when a segment's is drawn towards it; None: not drawn.
    pull: float | None = Field(default=None, gt=0)
    owner: str
    source: str | None = None
    valid_from: date | None = None


class Scorecard(_Looked):
    """Dimensions with weights, and one total of them where enough is known."""

    minimum_coverage: float = Field(default=0.7, gt=0, le=1)
    dimensions: tuple[Dimension, ...] = Field(min_length=1)
    judgements: Judgements | None = None
    approver: str

    @property
    def groups(self) -> tuple[Dimension, ...]:
        return self.dimensions

    @property
    def shares(self) -> list[float]:
        """The weight of each dimension; they sum to 1."""
        return _shares([item.id for item in self.dimensions], [d.weight for d in self.dimensions], self.judgements)


class Profile(_Looked):
    """Axes side by side, with the lowest one named; they are never made into one number."""

    axes: tuple[Axis, ...] = Field(min_length=3, max_length=8)

    @property
    def groups(self) -> tuple[Axis, ...]:
        return self.axes


class Quadrants(Definition):
    """Peers by two dimensions of a scorecard, cut at the median of the peers; a peer moves on the second period."""

    id: Identifier
    version: int = Field(ge=1)
    title: str
    question: str
    scorecard: Identifier
    efficiency: Identifier
    quality: Identifier
    peers: Identifier
    fewest_peers: int = Field(default=4, ge=3)
    owner: str
    source: str | None = None


def _shares(names: Sequence[str], weights: Sequence[float | None], judgements: Judgements | None) -> list[float]:
    if judgements is not None:
        return judgements.weighing(names).weights.tolist()
    given = [1.0 if weight is None else weight for weight in weights]
    return [weight / sum(given) for weight in given]


def check_scorecards(catalog: Catalog) -> Iterator[Fault]:
    """Every fault of scorecards, profiles and quadrants that shows against the indicators and each other."""
    for card in catalog.scorecards.values():
        document = catalog.documents["scorecards", card.id]
        names = [item.id for item in card.dimensions]
        yield from _weight_faults(document, (), "dimensions", card.dimensions, names, card.judgements)
        yield from _group_faults(catalog, document, card, "dimensions")
    for profile in catalog.profiles.values():
        yield from _group_faults(catalog, catalog.documents["profiles", profile.id], profile, "axes")
    for item in catalog.quadrants.values():
        yield from _quadrant_faults(catalog, catalog.documents["quadrants", item.id], item)


def _group_faults(catalog: Catalog, document: Document, card: Scorecard | Profile, key: str) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for position, group in enumerate(card.groups):
        here: Location = (key, position)
        if group.id in seen:
            yield document.fault((*here, "id"), f"{group.id!r} stands twice", "give each a name of its own")
        seen[group.id] = group.id
        names = [item.indicator for item in group.indicators]
        if group.indicators or group.judgements:
            yield from _weight_faults(document, here, "indicators", group.indicators, names, group.judgements)
        for number, item in enumerate(group.indicators):
            place = (*here, "indicators", number)
            if item.indicator in names[:number]:
                yield document.fault((*place, "indicator"), f"{item.indicator!r} stands twice", "keep one")
            yield from _scale_faults(catalog, document, place, card, item)
    yield from _segment_faults(catalog, document, card)


def _scale_faults(
    catalog: Catalog, document: Document, place: Location, card: Scorecard | Profile, item: ScoredIndicator
) -> Iterator[Fault]:
    indicator = catalog.indicators.get(item.indicator)
    if item.worst == item.best:
        yield document.fault((*place, "best"), f"{item.best:g} is the worst, too", "set worst and best apart")
    if indicator is None:
        yield from undeclared_faults(catalog, document, (*place, "indicator"), item.indicator)
        return
    yield from unit_faults(document, (*place, "unit"), indicator, item.unit)
    if indicator.direction == "neutral":
        found = f"{indicator.id} is neutral, so no value of it is good"
        yield document.fault((*place, "indicator"), found, "choose an indicator with a direction")
    elif item.worst != item.best and (item.best > item.worst) != (indicator.direction == "higher_is_better"):
        found = f"best {item.best:g} is worse than worst {item.worst:g}: {indicator.direction.replace('_', ' ')}"
        yield document.fault((*place, "best"), found, "swap the two")
    if card.grain not in indicator.grains:
        found = f"{indicator.id} is not computed by {card.grain}"
        yield document.fault((*place, "indicator"), found, known(indicator.grains))
    if indicator.measure in _GROWING and set(card.segments) != {"all"}:
        found = f"{indicator.id} is a number that grows with a segment's size, so one worst and best cannot fit all"
        yield document.fault((*place, "indicator"), found, "score a rate, or set segments: [all]")


def undeclared_faults(catalog: Catalog, document: Document, place: Location, name: str) -> Iterator[Fault]:
    """An indicator that no file declares; one that the service has chosen not to compute is missing, and no fault."""
    if ("indicators", name) not in catalog.documents:
        yield undeclared(catalog, document, place, name)


def _segment_faults(catalog: Catalog, document: Document, card: Scorecard | Profile) -> Iterator[Fault]:
    used = [item.indicator for group in card.groups for item in group.indicators]
    cut_by = {name for key in used if key in catalog.indicators for name in catalog.indicators[key].segments}
    for position, segment in enumerate(card.segments):
        unknown = sorted(parse_segment(segment).keys() - cut_by)
        # Where the service has chosen none of its indicators, nothing can be said against a segment.
        if unknown and cut_by:
            found = f"none of its indicators has a segment {unknown[0]!r}"
            yield document.fault(("segments", position), found, known(["all", *(f"{name}=*" for name in cut_by)]))


def _weight_faults(
    document: Document,
    location: Location,
    key: str,
    items: Sequence[Dimension | ScoredIndicator],
    names: Sequence[str],
    judgements: Judgements | None,
) -> Iterator[Fault]:
    """Weights total 100 or are all left out; where they come from judgements, none is given beside them."""
    given = [position for position, item in enumerate(items) if item.weight is not None]
    if judgements is not None:
        for position in given:
            found = "a weight beside judgements, which give the weights"
            yield document.fault((*location, key, position, "weight"), found, "keep one of the two")
        yield from judgement_faults(document, location, judgements, names)
        return
    if not given and key == "indicators":
        return
    for position, item in enumerate(items):
        if item.weight is None:
            next_step = "give every weight, or judgements" + ("" if key == "dimensions" else ", or none")
            yield document.fault((*location, key, position), f"{names[position]} has no weight", next_step)
    total = sum(item.weight or 0 for item in items)
    if len(given) == len(items) and abs(total - 100) > _WITHIN:
        yield document.fault((*location, key), f"the weights total {total:g}", "make them total 100")


def _quadrant_faults(catalog: Catalog, document: Document, item: Quadrants) -> Iterator[Fault]:
    card = catalog.scorecards.get(item.scorecard)
    if card is None:
        found = f"scorecard {item.scorecard!r} is not declared"
        yield document.fault(("scorecard",), found, known(catalog.scorecards))
        return
    names = [dimension.id for dimension in card.dimensions]
    for key in ("efficiency", "quality"):
        if getattr(item, key) not in names:
            yield document.fault((key,), f"{card.id} has no dimension {getattr(item, key)!r}", known(names))
    if item.efficiency == item.quality:
        yield document.fault(("quality",), "both axes are the same dimension", "choose another")
    if f"{item.peers}=*" not in card.segments:
        found = f"{card.id} is not computed for {item.peers}=*"
        yield document.fault(("peers",), found, f"add {item.peers}=* to the segments of the scorecard")
