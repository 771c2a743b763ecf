"""Requests with their placeholders filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hansei.catalog.rest import PLACEHOLDER
from hansei.errors import SourceError
from hansei.sources.variables import expand

# A placeholder that stands alone and has no value leaves its parameter out.
ABSENT = object()
Values = Mapping[str, Mapping[str, Any]]


def fill(part: Any, values: Values, place: str) -> Any:
    """`part` with every placeholder replaced, however deep; keys and parameters without a value are left out.

    A text that is nothing but a placeholder becomes the value itself, with its type. Raises SourceError where a
    placeholder inside a text has no value.
    """
    if isinstance(part, str):
        whole = PLACEHOLDER.fullmatch(part)
        if whole:
            return value_of(whole[1], whole[2], values)
        return _filled(part, values, place, str)
    if isinstance(part, Mapping):
        filled = {fill(key, values, place): fill(value, values, place) for key, value in part.items()}
        return {key: value for key, value in filled.items() if value is not ABSENT}
    if isinstance(part, list | tuple):
        return [None if item is ABSENT else item for item in (fill(item, values, place) for item in part)]
    return part


def fill_params(params: Mapping[str, Any], values: Values, place: str) -> dict[str, Any]:
    """Parameters of a URL or form as they travel. Of a placeholder that has several values one text is made, with
    commas between; inside of a list each is a parameter of its own."""
    filled = {}
    for key, given in params.items():
        value = fill(given, values, place)
        if value is ABSENT:
            continue
        if isinstance(given, list | tuple):
            value = [item for part in value for item in (part if isinstance(part, list) else [part])]
        elif isinstance(value, list):
            value = ",".join(map(_text, value))
        filled[fill(key, values, place)] = _text(value) if isinstance(value, bool) else value
    return filled


def fill_path(path: str, values: Values, place: str) -> str:
    """A path with its placeholders quoted for a URL; a path that is one placeholder is taken as it is."""
    whole = PLACEHOLDER.fullmatch(path)
    if whole:
        value = value_of(whole[1], whole[2], values)
        if value is ABSENT or not isinstance(value, str):
            raise SourceError(place, f"{path} has no value", "correct what is taken out of the answer before")
        return value
    return _filled(path, values, place, lambda value: quote(value, safe=""))


def _filled(text: str, values: Values, place: str, escape: Any) -> str:
    def replace(match: Any) -> str:
        value = value_of(match[1], match[2], values)
        if isinstance(value, list):
            return ",".join(escape(_text(item)) for item in value)
        if value is ABSENT or isinstance(value, dict):
            found = f"{match[0]} has no value that fits into a text"
            raise SourceError(place, found, "let it stand alone, or correct its name")
        return escape(_text(value))

    text = expand(text, place) if "${" in text else text
    return PLACEHOLDER.sub(replace, text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def value_of(group: str, name: str, values: Values) -> Any:
    """The placeholder's value; of a parent, the field at the dotted path `name`."""
    held: Any = values.get(group, {})
    for part in name.split(".") if group == "parent" else [name]:
        if not isinstance(held, Mapping) or held.get(part) is None:
            return ABSENT
        held = held[part]
    return held
