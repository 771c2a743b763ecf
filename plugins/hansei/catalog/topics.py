"""Topics of comments: by which words, in English and Chinese, a comment is about a thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from hansei.catalog.documents import Definition, Fault
from hansei.catalog.entities import Identifier
from hansei.catalog.playbooks import Texts, in_english

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog

# Words in small letters, `*` for any ending, ` ... ` for anything within the sentence.
_ENGLISH = re.compile(r"[a-z0-9'-]+\*?(?: (?:\.\.\. )?[a-z0-9'-]+\*?)*")
_CHINESE = re.compile(r"[a-z0-9㐀-䶿一-鿿]+(?:\.\.\.[a-z0-9㐀-䶿一-鿿]+)*")
_HAN = re.compile("[㐀-䶿一-鿿]")
# What the engines' regular expressions read alike: classes and counts, no class by name and nothing escaped.
_APART, _BETWEEN, _WITHIN_SENTENCE = "[^a-z0-9]", "[^a-z0-9.!?。！？]{1,3}", "[^.!?。！？]{0,40}"


def _english(phrase: str) -> str:
    if not _ENGLISH.fullmatch(phrase):
        raise ValueError(f"{phrase!r}: small letters, digits, ' and -; * ends a word, ' ... ' stands between two")
    return phrase


def _chinese(phrase: str) -> str:
    if not _CHINESE.fullmatch(phrase) or not _HAN.search(phrase):
        raise ValueError(f"{phrase!r}: Chinese characters, ... between two; words in Latin script belong to `en`")
    return phrase


class TopicWords(Definition):
    """Phrases that name a topic.

    `en`: whole words, any case; `wait*` stands for wait, waits, waiting; `did not ... help` for the two in one sentence
    with little between. `zh`: characters as they stand, `没有...解决` likewise.
    """

    en: tuple[Annotated[str, AfterValidator(_english)], ...] = Field(min_length=1)
    zh: tuple[Annotated[str, AfterValidator(_chinese)], ...] = Field(min_length=1)


class Topic(Definition):
    """One topic of the taxonomy. A comment may have several; the one of lowest precedence is its principal one.

    speaks: `against` is not looked for in comments whose rating is good, `for` not where it is bad.
    """

    id: Identifier
    title: Annotated[Texts, AfterValidator(in_english)]
    precedence: int = Field(ge=1)
    speaks: Literal["for", "against", "either"] = "either"
    words: TopicWords

    @property
    def pattern(self) -> str:
        """Regular expression over a comment in small letters, the same on every engine."""
        words = "|".join(_expression(phrase) for phrase in self.words.en)
        characters = "|".join(phrase.replace("...", _WITHIN_SENTENCE) for phrase in self.words.zh)
        return f"(^|{_APART})({words})({_APART}|$)|{characters}"

    @property
    def other_stance(self) -> str | None:
        """The stance of comments in which it is not looked for."""
        return {"for": "against", "against": "for"}.get(self.speaks)


def _expression(phrase: str) -> str:
    joined = phrase.replace(" ... ", f"{_WITHIN_SENTENCE}{_APART}").replace(" ", _BETWEEN)
    return re.sub(r"\*(?=\[|$)", "[a-z0-9']*", joined)


def check_topics(catalog: Catalog) -> Iterator[Fault]:
    """Of two topics with one precedence nobody knows which is a comment's principal one."""
    owners: dict[int, str] = {}
    for topic in catalog.topics.values():
        first = owners.setdefault(topic.precedence, topic.id)
        if first != topic.id:
            found = f"{topic.precedence} is also that of {first}"
            yield catalog.documents["topics", topic.id].fault(("precedence",), found, "give each topic its own")
