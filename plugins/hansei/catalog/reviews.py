"""Reviews: for whom a document is made, what it is about, how often, and with which indicators."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Literal, get_args

from pydantic import Field, field_validator, model_validator

from hansei.catalog.documents import Definition, Fault, Language
from hansei.catalog.entities import Identifier
from hansei.catalog.measure_checks import fault, known, undeclared

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

ReviewGrain = Literal["week", "month", "quarter"]
REVIEW_GRAINS: tuple[ReviewGrain, ...] = get_args(ReviewGrain)
WHOLE = "all"
# What a review is written as. HTML is the edition itself: the index and the board link to it.
Format = Literal["html", "pdf", "docx"]
_ABOUT = re.compile(r"all|[a-z][a-z0-9_]*=(\*|[^*&]+)")


class ReviewNote(Definition):
    """A dated remark that charts show, such as a schedule change."""

    date: date
    text: str
    indicators: tuple[Identifier, ...] = ()


class Review(Definition):
    """A review document: for whom, how often, with which indicators. languages: the first is the principal one.

    `about` is `all` (the whole service), one segment (`team=desk:7`), or every segment of a dimension (`team=*`), of
    which each has an edition of its own. `segments` are the dimensions that its figures are cut by; in a review about
    a dimension, inside each of its segments.
    """

    id: Identifier
    title: str
    audience: str
    owner: str
    grain: ReviewGrain = "week"
    about: str = WHOLE
    languages: tuple[Language, ...] = Field(default=("en",), min_length=1)
    formats: tuple[Format, ...] = ("html", "pdf", "docx")
    indicators: tuple[Identifier, ...] = Field(min_length=1)
    segments: tuple[Identifier, ...] = ()
    history_periods: int = Field(default=52, ge=4)
    deadline_hours: int = Field(default=56, ge=1)
    maximum_decisions: int = Field(default=3, ge=1, le=3)
    notes: tuple[ReviewNote, ...] = ()

    @field_validator("about")
    @classmethod
    def _is_all_or_of_one_dimension(cls, about: str) -> str:
        if not _ABOUT.fullmatch(about):
            raise ValueError("is neither all nor a segment of one dimension, such as team=* or team=desk:7")
        return about

    @model_validator(mode="after")
    def _says_nothing_twice(self) -> Review:
        for name in ("languages", "indicators", "segments"):
            doubled = [item for item, count in Counter(getattr(self, name)).items() if count > 1]
            if doubled:
                raise ValueError(f"{name}: {', '.join(doubled)} stands twice")
        if self.dimension in self.segments:
            raise ValueError(f"segments: each edition is about one {self.dimension}, so it is not cut by it")
        return self

    @property
    def dimension(self) -> str | None:
        """By what its editions are told apart, or what its one edition is about; None for the whole service."""
        return None if self.about == WHOLE else self.about.partition("=")[0]


def check_reviews(catalog: Catalog) -> Iterator[Fault]:
    """Faults that show against indicators and other reviews."""
    cut_by = {segment for indicator in catalog.indicators.values() for segment in indicator.segments}
    for review in catalog.reviews.values():
        document = catalog.documents["reviews", review.id]
        for position, name in enumerate(review.indicators):
            if name not in catalog.indicators:
                yield undeclared(catalog, document, ("indicators", position), name)
        for position, name in enumerate(review.segments):
            if name not in cut_by:
                found = f"no indicator has a segment {name!r}"
                yield fault(catalog, "reviews", review.id, ("segments", position), found, known(cut_by))
        if review.dimension is not None:
            yield from _check_about(catalog, review)


def _check_about(catalog: Catalog, review: Review) -> Iterator[Fault]:
    shown = [catalog.indicators[name] for name in review.indicators if name in catalog.indicators]
    if shown and not any(review.dimension in indicator.segments for indicator in shown):
        found = f"none of its indicators is cut by {review.dimension!r}"
        cuts = {segment for indicator in shown for segment in indicator.segments}
        yield fault(catalog, "reviews", review.id, ("about",), found, known(cuts))
    if not review.segments:
        return
    for other in catalog.reviews.values():
        if other.id < review.id and other.segments and other.grain != review.grain and _cut_alike(other, review):
            # Three months make a quarter: a cell that is hidden in one would follow from the others.
            found = f"{other.id} shows the same cells by {other.grain}"
            next_step = f"leave segments out of one of the two: cells of a {review.grain} less those of a {other.grain}"
            yield fault(catalog, "reviews", review.id, ("segments",), found, f"{next_step} could tell a hidden one")


def _cut_alike(one: Review, other: Review) -> bool:
    """Whether two reviews show cells of the same two dimensions."""
    if one.dimension is None or other.dimension is None:
        return False
    pairs = [{frozenset((review.dimension, name)) for name in review.segments} for review in (one, other)]
    return bool(pairs[0] & pairs[1])
