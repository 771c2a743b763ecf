"""How much the redaction finds and how much it spoils, on sentences in which somebody marked what is personal.

A sentence is a line `language<TAB>text`; what is personal stands as `{kind|text}`, kind being one of
`redaction.MARKERS`, and `\\n` is a new line. Unmarked sentences show what has to stay.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from hansei.errors import HanseiError
from hansei.sources.redaction import MARKERS, redact

_LABEL = re.compile(r"\{(" + "|".join(MARKERS) + r")\|([^{}]+)\}")
_MARKER = re.compile(r"\[(" + "|".join(MARKERS) + r")\]")
# What may stay of a marked name: titles are no secret.
_MAY_STAY = re.compile(r"(?:Mrs?|Ms|Dr|Herrn?|Frau|Monsieur|Madame|Mme|M|Sra?|Don|Signora)\.?|[\s.,'-]*")


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` (exclusive) of a sentence, and what they are."""

    kind: str
    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Sentence:
    language: str
    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Found:
    """Of one kind: how many were marked and taken out whole; how many markers were set and stand on marked text."""

    kind: str
    marked: int
    taken_out: int
    set: int
    rightly_set: int

    @property
    def recall(self) -> float | None:
        return self.taken_out / self.marked if self.marked else None

    @property
    def precision(self) -> float | None:
        return self.rightly_set / self.set if self.set else None


def read_sentences(path: Path) -> list[Sentence]:
    """The marked sentences of a file; raises HanseiError with the line that is not of the form."""
    sentences = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        language, tab, marked = line.partition("\t")
        if not tab or not marked:
            raise HanseiError(f"{path}:{number}", "no tab between language and text", "write language<TAB>text")
        sentences.append(_sentence(language, marked.replace("\\n", "\n")))
    return sentences


def _sentence(language: str, marked: str) -> Sentence:
    text, spans, at = "", [], 0
    for match in _LABEL.finditer(marked):
        text += marked[at : match.start()]
        spans.append(Span(match[1], len(text), len(text) + len(match[2])))
        text, at = text + match[2], match.end()
    return Sentence(language, text + marked[at:], tuple(spans))


def measure(sentences: Iterable[Sentence]) -> list[Found]:
    """Recall and precision of each kind, in the order of MARKERS, and of all together last."""
    sentences = list(sentences)
    redacted = redact(pa.array([sentence.text for sentence in sentences], pa.string())).to_pylist()
    counts: dict[str, Counter] = {kind: Counter() for kind in MARKERS}
    for sentence, stored in zip(sentences, redacted, strict=True):
        replaced = replacements(sentence.text, stored)
        for span in sentence.spans:
            counts[span.kind]["marked"] += 1
            counts[span.kind]["taken_out"] += _is_gone(span, sentence.text, replaced)
        for span in replaced:
            counts[span.kind]["set"] += 1
            counts[span.kind]["rightly_set"] += any(span.overlaps(marked) for marked in sentence.spans)
    everything = sum(counts.values(), Counter())
    rows = {**counts, "all": everything}
    names = ("marked", "taken_out", "set", "rightly_set")
    return [Found(kind, **{name: found[name] for name in names}) for kind, found in rows.items()]


def replacements(text: str, stored: str) -> list[Span]:
    """What each marker of the stored text stands for: places in the text as it was written."""
    pieces = _MARKER.split(stored)
    literals, kinds = pieces[::2], pieces[1::2]
    pattern = "(.+?)".join(re.escape(literal) for literal in literals)
    match = re.fullmatch(pattern, text, re.DOTALL)
    if match is None:  # an academic title went with its name
        loose = "(.+?)".join(r"(?:\s(?:Dr|Prof)\.?)?\s?".join(map(re.escape, part.split(" "))) for part in literals)
        match = re.fullmatch(loose, text, re.DOTALL)
    if match is None:
        return [Span(kind, 0, len(text)) for kind in kinds]
    return [Span(kind, *match.span(group)) for group, kind in enumerate(kinds, start=1)]


def _is_gone(span: Span, text: str, replaced: list[Span]) -> bool:
    """Whether nothing of it stays but titles and signs between words."""
    left = "".join(
        text[at] if not any(other.start <= at < other.end for other in replaced) else "\0"
        for at in range(span.start, span.end)
    )
    return all(_MAY_STAY.fullmatch(word) for word in left.replace("\0", " ").split())
