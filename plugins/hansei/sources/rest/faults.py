"""What may be wrong with an answer, and where interfaces tell of it."""

from __future__ import annotations

from typing import Any

_WHERE_ERRORS_ARE_TOLD = ("error_description", "message", "detail", "error", "title", "errorMessages", "errors")


class BrokenAnswer(Exception):
    """The answer came and is no answer; asked again, it may be one. The message says what was found."""


class Again(Exception):
    """A request that may be repeated: after `seconds` if the server says so; `is_limit`: it asked us to slow down."""

    def __init__(self, found: str, seconds: float | None = None, is_limit: bool = False) -> None:
        self.found, self.seconds, self.is_limit = found, seconds, is_limit
        super().__init__(found)


class Refused(Exception):
    """The interface does not know us (any more)."""

    def __init__(self, found: str, next_step: str) -> None:
        self.found, self.next_step = found, next_step
        super().__init__(found)


def first_text(said: Any) -> str:
    """The first error text of an answer, wherever the interface puts it."""
    if isinstance(said, str):
        return said
    if isinstance(said, list):
        return next((text for item in said if (text := first_text(item))), "")
    if isinstance(said, dict):
        return next((text for name in _WHERE_ERRORS_ARE_TOLD if name in said and (text := first_text(said[name]))), "")
    return ""
