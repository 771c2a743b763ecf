"""Definitions in other languages: a file mirrors the texts of definitions, kind by kind and id by id.

Under `texts` stand kind -> id -> the definition's own keys, down to its texts. Items of a list are named by their id,
or stand in the list's order where they have none. Names of people, ids and SQL stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hansei.catalog.documents import Definition, Document, Fault, Language, Location
from hansei.catalog.entities import Identifier

if TYPE_CHECKING:
    from hansei.catalog.loader import Catalog


class Translations(Definition):
    """Texts of definitions in one language. texts: kind -> id -> keys of that definition -> text."""

    id: Identifier
    language: Language
    texts: dict[str, dict[str, dict[str, Any]]]


def translated(catalog: Catalog, language: str) -> dict[str, str]:
    """Every text of a definition that has a translation -> the translation.

    A shipped translation does not speak for a definition that the user has replaced by one of their own.
    """
    found: dict[str, str] = {}
    for translations in catalog.translations.values():
        if translations.language != language:
            continue
        own = catalog.documents["translations", translations.id].path
        for kind, by_id in translations.texts.items():
            for name, texts in by_id.items():
                document = catalog.documents.get((kind, name))
                if document is not None and not _is_outdated(catalog.include, own, document.path):
                    pairs = _pairs(texts, document.data, ())
                    found |= {source: text for _, source, text in pairs if isinstance(source, str)}
    return found


def check_translations(catalog: Catalog) -> Iterator[Fault]:
    """Kinds, ids and keys that are not there, and what is no text."""
    for translations in catalog.translations.values():
        document = catalog.documents["translations", translations.id]
        if translations.language == "en":
            yield document.fault(("language",), "'en' is what definitions are written in", "name another language")
        for kind, by_id in translations.texts.items():
            for name, texts in by_id.items():
                yield from _faults(catalog, document, kind, name, texts)


def _faults(catalog: Catalog, document: Document, kind: str, name: str, texts: dict[str, Any]) -> Iterator[Fault]:
    here: Location = ("texts", kind, name)
    known = {key for kind_of, key in catalog.documents if kind_of == kind}
    if not known:
        kinds = sorted({kind_of for kind_of, _ in catalog.documents} - {"translations"})
        yield document.fault(("texts", kind), f"there is no definition of kind {kind!r}", f"use one of {kinds}")
    elif name not in known:
        yield document.fault(here, f"{kind} has no {name!r}", "correct the id or remove it")
    else:
        source = catalog.documents[kind, name]
        if _is_outdated(catalog.include, document.path, source.path):
            return
        for location, original, text in _pairs(texts, source.data, here):
            if original is None:
                yield document.fault(location, "the definition has no such key", "correct the key or remove it")
            elif not isinstance(original, str):
                yield document.fault(location, "is no text in the definition", "translate texts only")
            elif not isinstance(text, str) or not text.strip():
                yield document.fault(location, f"{text!r} is no text", "write the translation")


def _is_outdated(include: Path, translation: Path, definition: Path) -> bool:
    """Whether a shipped translation meets a definition that is not the shipped one."""
    shipped = include / "definitions"
    return translation.is_relative_to(shipped) and not definition.is_relative_to(shipped)


def _pairs(texts: Any, source: Any, here: Location) -> Iterator[tuple[Location, Any, Any]]:
    """Place, the definition's value (None: it has none) and the translation, for every leaf of `texts`."""
    if isinstance(texts, dict):
        for key, text in texts.items():
            yield from _pairs(text, _part(source, key), (*here, key))
    elif isinstance(texts, list):
        for at, text in enumerate(texts):
            item = source[at] if isinstance(source, list) and at < len(source) else None
            yield from _pairs(text, item, (*here, at))
    else:
        yield here, source, texts


def _part(source: Any, key: Any) -> Any:
    """The value of a key; of a list, the item with that id."""
    if isinstance(source, dict):
        return source.get(key)
    if isinstance(source, list):
        return next((item for item in source if isinstance(item, dict) and item.get("id") == key), None)
    return None
