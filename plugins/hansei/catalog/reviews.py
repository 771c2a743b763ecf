"""Reviews: for whom a document is made, what it is about, how often, and with which indicators."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Literal, get_args

from pydantic import Field, field_validator, model_validator

from hansei.catalog.documents import Definition, Fault, Language, Location
from hansei.catalog.entities import Identifier
from hansei.catalog.measure_checks import fault, known, undeclared

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

ReviewGrain = Literal["week", "month", "quarter"]
Layout = Literal["full", "one_page"]
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


class ReviewChannel(Definition):
    """A connection of a recipient with what goes over it; what is not given is as for their other channels."""

    connection: str
    language: Language | None = None
    formats: tuple[Format, ...] | None = None


class ReviewRecipient(Definition):
    """Somebody who gets editions of a review: `recipient` is an id of recipients/, which says over which channels.

    `about` names the one edition that they get, of a review that has several; all of them where it is not given.
    `language` is the recipient's own where the review is written in it. `formats` are the documents put to a mail, none
    by default: a mail and a chat message say the main things by themselves. `channels` are connections of theirs, each
    with a language and formats of its own where these differ: all, where none is named.
    """

    recipient: Identifier
    about: str | None = None
    language: Language | None = None
    formats: tuple[Format, ...] = ()
    channels: tuple[ReviewChannel, ...] = ()

    @field_validator("channels", mode="before")
    @classmethod
    def _may_be_named_alone(cls, channels: object) -> object:
        if not isinstance(channels, (list, tuple)):
            return channels
        return [{"connection": one} if isinstance(one, str) else one for one in channels]

    def over(self, connection: str) -> ReviewChannel | None:
        """What goes over a connection of theirs; None where nothing does."""
        named = {one.connection: one for one in self.channels}
        if self.channels and connection not in named:
            return None
        own = named.get(connection, ReviewChannel(connection=connection))
        formats = self.formats if own.formats is None else own.formats
        return ReviewChannel(connection=connection, language=own.language or self.language, formats=formats)


class Review(Definition):
    """A review document: for whom, how often, with which indicators. languages: the first is the principal one.

    `recipients` get its editions when they are published; a later revision of one only with `sends_revisions`.
    `about` is `all` (the whole service), one segment (`team=desk:7`), or every segment of a dimension (`team=*`), of
    which each has an edition of its own. `segments` are the dimensions that its figures are cut by; in a review about
    a dimension, inside each of its segments. With `layout: one_page` it is one sheet that leads to `whole_review`, the
    review that tells the rest.
    """

    id: Identifier
    title: str
    audience: str
    owner: str
    grain: ReviewGrain = "week"
    about: str = WHOLE
    layout: Layout = "full"
    whole_review: Identifier | None = None
    languages: tuple[Language, ...] = Field(default=("en",), min_length=1)
    formats: tuple[Format, ...] = ("html", "pdf", "docx")
    indicators: tuple[Identifier, ...] = Field(min_length=1)
    segments: tuple[Identifier, ...] = ()
    history_periods: int = Field(default=52, ge=4)
    deadline_hours: int = Field(default=56, ge=1)
    maximum_decisions: int = Field(default=3, ge=1, le=3)
    notes: tuple[ReviewNote, ...] = ()
    # Who is told changes no number, and stays out of warehouse and archive like the recipients themselves.
    recipients: tuple[ReviewRecipient, ...] = Field(default=(), exclude=True)
    sends_revisions: bool = Field(default=False, exclude=True)

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
        if (self.layout == "one_page") != (self.whole_review is not None):
            raise ValueError("whole_review: layout one_page names the review that tells the rest, no other layout does")
        if self.layout == "one_page" and "docx" in self.formats:
            raise ValueError("formats: one page is read, not edited: give html and pdf; whole_review has the docx")
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
        if review.whole_review is not None:
            yield from _check_whole(catalog, review, review.whole_review)
        if review.dimension is not None:
            yield from _check_about(catalog, review)
        for position, asked in enumerate(review.recipients):
            yield from _check_recipient(catalog, review, ("recipients", position), asked)


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


def _check_whole(catalog: Catalog, review: Review, name: str) -> Iterator[Fault]:
    """One page leads only to an edition that there is: of the same periods, and about the same."""
    whole = catalog.reviews.get(name)
    if whole is None:
        found = f"review {name!r} is not declared"
        yield fault(catalog, "reviews", review.id, ("whole_review",), found, known(catalog.reviews))
        return
    for key, asked in (("layout", "full"), ("grain", review.grain), ("about", review.about)):
        if getattr(whole, key) != asked:
            found = f"{name} has {key} {getattr(whole, key)!r}, and this page needs {asked!r}"
            next_step = "name a review that tells the same at length"
            yield fault(catalog, "reviews", review.id, ("whole_review",), found, next_step)


def _check_recipient(catalog: Catalog, review: Review, place: Location, asked: ReviewRecipient) -> Iterator[Fault]:
    recipient = catalog.recipients.get(asked.recipient)
    if recipient is None:
        found = f"recipient {asked.recipient!r} is not defined"
        yield fault(catalog, "reviews", review.id, (*place, "recipient"), found, known(catalog.recipients))
        return
    kinds = {channel.connection: channel.kind for channel in recipient.channels}
    for number, one in enumerate(asked.channels):
        at = (*place, "channels", number)
        if one.connection not in kinds:
            # Not quoted: what is no connection of theirs may be an address or a token.
            found = f"is no channel of {recipient.id} (value not shown)"
            yield fault(catalog, "reviews", review.id, at, found, known(kinds))
        elif one.formats and kinds[one.connection] == "chat":
            found = f"{one.connection!r} is a chat, which takes five lines and no file"
            yield fault(catalog, "reviews", review.id, (*at, "formats"), found, "leave formats to mail")
        yield from _check_writing(catalog, review, at, one)
    used = [kind for name, kind in kinds.items() if asked.over(name) is not None]
    if asked.formats and used and "mail" not in used:
        found = f"{recipient.id} gets it by chat alone, which takes five lines and no file"
        yield fault(
            catalog, "reviews", review.id, (*place, "formats"), found, "name a channel of mail, or leave it out"
        )
    yield from _check_writing(catalog, review, place, asked)
    if asked.about is not None and (review.about == WHOLE or not asked.about.startswith(f"{review.dimension}=")):
        found, editions = f"{asked.about!r} is no edition of the review", f"which is about {review.about}"
        yield fault(catalog, "reviews", review.id, (*place, "about"), f"{found}, {editions}", "correct or remove it")


def _check_writing(
    catalog: Catalog, review: Review, place: Location, asked: ReviewRecipient | ReviewChannel
) -> Iterator[Fault]:
    """A language and formats that the review is not made in."""
    if asked.language is not None and asked.language not in review.languages:
        found = f"the review is not written in {asked.language!r}"
        next_step = f"add it to languages, or {known(review.languages)}"
        yield fault(catalog, "reviews", review.id, (*place, "language"), found, next_step)
    for number, form in enumerate(asked.formats or ()):
        if form not in ("html", *review.formats):  # HTML is made in any case
            found, next_step = f"the review is not made as {form}", f"add {form} to formats of the review"
            yield fault(catalog, "reviews", review.id, (*place, "formats", number), found, next_step)


def _cut_alike(one: Review, other: Review) -> bool:
    """Whether two reviews show cells of the same two dimensions."""
    if one.dimension is None or other.dimension is None:
        return False
    pairs = [{frozenset((review.dimension, name)) for name in review.segments} for review in (one, other)]
    return bool(pairs[0] & pairs[1])
