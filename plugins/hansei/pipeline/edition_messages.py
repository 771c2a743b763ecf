"""An edition of a review as the message that a delivery brings: composed from what is stored, the same each time."""

from __future__ import annotations

import hashlib
import json
import logging
from functools import lru_cache

from hansei import board
from hansei.board.deliveries import Delivery
from hansei.catalog.reviews import Format
from hansei.errors import HanseiError
from hansei.pipeline.context import Context
from hansei.pipeline.stored_reviews import read_stored
from hansei.reviews.archive import document, documents_of, read_manifest
from hansei.reviews.brief import Brief, compose
from hansei.reviews.locales import Locale
from hansei.reviews.outcomes import Message
from hansei.reviews.papers import document_name
from hansei.reviews.places import place_of
from hansei.reviews.rendering import review_words
from hansei.reviews.review_message import ReviewMail, ReviewSetting, review_chat, review_mail, review_subject
from hansei.settings import Settings

log = logging.getLogger("hansei")


def edition_message(context: Context, delivery: Delivery, limit: int | None) -> Message:
    """Mail where `limit` is None, else five lines for a chat that takes so many bytes.

    Raises HanseiError where the edition's documents are not in the archive as they were published.
    """
    told = _edition(context.settings, delivery.review_id, delivery.language)
    if limit is not None:
        text = _cut(review_chat(told.brief, told.setting), limit)
        return Message(delivery.subject, text, "", delivery.message_id, told.words.tag)
    return told.mail(formats_of(delivery)).message(delivery.message_id)


def formats_of(delivery: Delivery) -> tuple[Format, ...]:
    """The documents that go with the delivery of an edition, as the ledger has them; release 0.1 knew PDF alone."""
    noted = json.loads(delivery.digest)
    return tuple(noted["formats"]) if "formats" in noted else ("pdf",) * bool(noted.get("attach"))


def attachable(
    context: Context, edition: board.StoredReview, language: str, formats: tuple[Format, ...]
) -> list[Format]:
    """Of the formats asked for, those that the edition has: a machine may have lacked what one is made with."""
    shelf = _edition(context.settings, edition.review_id, language).shelf
    if lacking := [form for form in formats if not shelf.has(form)]:
        log.warning("%s goes without %s, which it was made without", edition.review_id, ", ".join(lacking))
    return [form for form in formats if shelf.has(form)]


def edition_subject(context: Context, review_id: str, language: str) -> str:
    """The subject line of an edition in a language."""
    told = _edition(context.settings, review_id, language)
    return review_subject(told.brief, told.words)


class _Told:
    """One edition in one language, composed once for everybody who reads it."""

    def __init__(self, brief: Brief, words: Locale, shelf: _Shelf) -> None:
        self.brief, self.words, self.shelf = brief, words, shelf
        reason = words.say("review_deliveries.reason", title=brief.called)
        self.setting = ReviewSetting(words, shelf.link, reason)
        self._mails: dict[tuple[Format, ...], ReviewMail] = {}

    def mail(self, formats: tuple[Format, ...]) -> ReviewMail:
        if formats not in self._mails:
            files = {form: self.shelf.read(form) for form in formats}
            self._mails[formats] = review_mail(self.brief, self.setting, files)
        return self._mails[formats]


@lru_cache(maxsize=4)
def _edition(settings: Settings, review_id: str, language: str) -> _Told:
    stored, evidence, parts = read_stored(settings, review_id)
    words = review_words(evidence, language)
    shelf = _Shelf(settings, stored, language, evidence.languages[0])
    shelf.read("html")  # what every message leads to
    return _Told(compose(evidence, parts, words, stored.evidence_hash), words, shelf)


class _Shelf:
    """The documents of an edition in one language, each as the manifest says."""

    def __init__(self, settings: Settings, stored: board.StoredReview, language: str, principal: str) -> None:
        self.stored, self.language, self.principal = stored, language, principal
        self.place = (settings.archive, stored.definition_id, stored.period_start, stored.revision, stored.about)
        manifest = read_manifest(*self.place)
        self.named = {one.name: one for one in documents_of(manifest)} if manifest else {}

    @property
    def link(self) -> str:
        return str(place_of(self.stored.document_path).with_name(self._name("html")))

    def _name(self, form: Format) -> str:
        return document_name(form, self.language, self.principal)

    def has(self, form: Format) -> bool:
        return self._name(form) in self.named

    def read(self, form: Format) -> bytes:
        """HanseiError where it is not there, or not as it was published."""
        name = self._name(form)
        content = document(*self.place, name=name) if self.has(form) else None
        if content is not None and hashlib.sha256(content).hexdigest() == self.named[name].sha256:
            return content
        found = f"no {name} in the archive"
        if self.has(form):
            found = f"{name} is missing" if content is None else f"{name} was changed after it was written"
        raise HanseiError(f"review {self.stored.review_id}", found, "build the review again; nothing was sent")


def _cut(text: str, limit: int) -> str:
    """The text, cut at the end where a service takes fewer bytes."""
    content = text.encode()
    return text if len(content) <= limit else content[: limit - 3].decode("utf-8", "ignore") + "…"
