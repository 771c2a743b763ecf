"""Days as people type them."""

from __future__ import annotations

from datetime import date

from hansei.errors import HanseiError


def day_of(option: str, text: str, example: str = "2026-09-07") -> date:
    """The day that an option or argument names; one clear line where it names none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HanseiError(option, f"{text!r} is no day", f"write it as {example}") from None
